//! Comparing documents that are nothing but schemas for others to refer to, such as a file of models that several APIs share.
//!
//! Nobody says who sends such a schema, so each is compared as if clients sent it and as if the server did.

use super::content::entries;
use super::ledger::{Pair, Site, Text};
use super::walk::{Met, walk};
use super::{Drift, SCHEMAS};
use crate::document::Document;
use crate::finding::Sender;

impl Drift<'_> {
    /// Compares the schemas by name.
    pub(super) fn components(&mut self) {
        let at = Pair::new(SCHEMAS, SCHEMAS);
        let (old, new) = self.ledger.objects(&at);
        let (old, new) = (entries(old), entries(new));
        for met in walk(&old, &new) {
            let (Met::Old(one)
            | Met::New(one)
            | Met::Both(one, _)
            | Met::OldWithin(one, _)
            | Met::NewWithin(one, _)) = met;
            let subject = format!("schema {}", one.name);
            for (sender, part) in [(Sender::Client, "request"), (Sender::Server, "response")] {
                let site = Site {
                    subject: &subject,
                    part,
                    sender,
                    as_text: Text::No,
                };
                self.schema(site, &at.member(&one.name));
            }
        }
    }
}

impl Document {
    /// Whether the document has schemas, and no operation or webhook that uses them.
    pub fn is_schemas_only(&self) -> bool {
        let schemas = self.at(SCHEMAS).and_then(serde_json::Value::as_object);
        schemas.is_some_and(|schemas| !schemas.is_empty()) && !self.has_operations()
    }
}

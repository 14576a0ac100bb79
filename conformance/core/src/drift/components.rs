//! Comparing documents that are nothing but schemas for others to refer to, such as a file of models that several APIs share.
//!
//! Nobody says who sends such a schema, so each is compared as if clients sent it and as if the server did.

use super::content::entries;
use super::pair::Pair;
use super::site::{Site, Text};
use super::walk::{Met, walk};
use super::{Drift, SCHEMAS, rules};
use crate::document::Document;
use crate::finding::{DocumentChange, Part, Sender};

impl Drift<'_> {
    /// Compares the schemas by name.
    pub(super) fn components(&mut self) {
        let at = Pair::new(SCHEMAS, SCHEMAS);
        let (old, new) = self.ledger.objects(&at);
        let (old, new) = (entries(old), entries(new));
        for met in walk(&old, &new) {
            let (one, rule) = match met {
                Met::Old(one) => (one, Some(&rules::COMPONENT_REMOVED)),
                Met::New(one) => (one, Some(&rules::COMPONENT_ADDED)),
                Met::Both(one, _) | Met::OldWithin(one, _) | Met::NewWithin(one, _) => (one, None),
            };
            self.components += 1;
            let subject = format!("schema {}", one.name);
            let at = at.member(&one.name);
            if let Some(rule) = rule {
                let name = one.name.clone();
                let part = Part::Schema { name };
                let change = match met {
                    Met::Old(_) => DocumentChange::Removed { part },
                    _ => DocumentChange::Added {
                        part,
                        required: false,
                    },
                };
                self.ledger.add(rule, &subject, &at, change);
                continue;
            }
            for (sender, part) in [(Sender::Client, "request"), (Sender::Server, "response")] {
                let site = Site {
                    subject: &subject,
                    part,
                    sender,
                    as_text: Text::No,
                };
                self.schema(site, &at);
            }
        }
    }
}

/// Whether two documents are compared by the names of their schemas: the old one has nothing else, or has nothing at all and the new one
/// has schemas alone.
#[must_use]
pub fn compares_schemas(old: &Document, new: &Document) -> bool {
    old.is_schemas_only() || new.is_schemas_only() && !old.has_operations()
}

impl Document {
    /// Whether the document has schemas, and no operation or webhook that uses them.
    pub fn is_schemas_only(&self) -> bool {
        let schemas = self.at(SCHEMAS).and_then(serde_json::Value::as_object);
        schemas.is_some_and(|schemas| !schemas.is_empty()) && !self.has_operations()
    }
}

//! Recorded requests as samples: what a server accepted once is sent again, and generated requests start from it.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use serde_json::Value;
use url::Url;

use super::{Bases, pairs};
use crate::case::route::Routes;
use crate::case::{Body, Case, Intent, PathValue};
use crate::document::{Document, Operation};
use crate::exchange::Secrets;
use crate::generate::{Generator, Sent};
use crate::har::{self, HarError, Recorded};
use crate::schema::Schemas;

/// Most recorded requests of one operation that become samples.
const LIMIT: usize = 20;

/// The requests of an archive that an operation of the document describes, that it allows, and that were answered with 2xx, as cases; each
/// only once, and at most 20 of an operation. Their credentials are left out. The archive may have been recorded at `server`, at a server
/// of the document, or on this machine.
///
/// # Errors
/// When it is not an HTTP Archive.
pub fn samples(
    document: &Document,
    archive: impl Read,
    server: &str,
) -> Result<Vec<Case>, HarError> {
    let schemas = Schemas::new(document);
    let operations = document.operations();
    let mut bases = Bases::new(document, None);
    bases.urls.extend(Url::parse(server));
    let mut reader = Reader {
        document,
        generator: Generator::new(document, &schemas),
        secrets: Secrets::new(document, &[], false),
        routes: Routes::new(&operations),
        operations: &operations,
        bases,
        seen: HashSet::new(),
        counts: HashMap::new(),
        cases: Vec::new(),
    };
    har::read(archive, &mut |entry| {
        if let Ok(recorded) = entry {
            let case = reader.case(&recorded);
            reader.cases.extend(case);
        }
    })?;
    Ok(reader.cases)
}

struct Reader<'a> {
    document: &'a Document,
    generator: Generator<'a>,
    secrets: Secrets,
    routes: Routes,
    operations: &'a [Operation<'a>],
    bases: Bases,
    /// The requests that were sent, so that nothing is a sample twice.
    seen: HashSet<String>,
    /// By operation.
    counts: HashMap<usize, usize>,
    cases: Vec<Case>,
}

impl Reader<'_> {
    fn case(&mut self, recorded: &Recorded) -> Option<Case> {
        let Recorded { exchange, .. } = recorded;
        let status = exchange.response.as_ref()?.status;
        if !(200..300).contains(&status) {
            return None;
        }
        let request = &exchange.request;
        let url = Url::parse(&request.url).ok()?;
        let path = self.bases.path(&url)?;
        let route = self.routes.find(&request.method, path)?;
        let operation = &self.operations[route.operation];
        let mut query = pairs(url.query().unwrap_or_default());
        query.retain(|(name, _)| !self.secrets.is_credential_query(name));
        let headers = self.headers(operation, &request.headers);
        let mut types = request.headers.iter();
        let content_type = types.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let body = request.body.as_ref().map(|bytes| Body {
            content_type: content_type.map(|(_, value)| value.clone()),
            value: serde_json::from_slice(bytes).ok(),
            bytes: bytes.clone(),
        });
        let sent = Sent {
            path: &route.values,
            query: &query,
            headers: &headers,
            body: body.as_ref(),
        };
        if self.generator.flaw(operation, sent).is_some() {
            return None;
        }
        let bytes = body.as_ref().map(|body| &body.bytes);
        let key = format!(
            "{:?}",
            (route.operation, &route.values, &query, &headers, bytes)
        );
        let count = self.counts.entry(route.operation).or_default();
        if *count >= LIMIT || !self.seen.insert(key) {
            return None;
        }
        *count += 1;
        let sample = match *count {
            1 => "recorded request".to_owned(),
            count => format!("recorded request {count}"),
        };
        let parameter = |(name, value): (String, String)| PathValue {
            name,
            documented: None,
            literal: Some(value),
            create: true,
        };
        Some(Case {
            path: route.values.into_iter().map(parameter).collect(),
            query,
            headers,
            body,
            // A thing that was accepted once may be gone, or exist already.
            intent: Intent::Valid,
            ..Case::new(operation, sample, "2XX")
        })
    }

    /// The headers that the operation has as parameters; others are those of the recorded client.
    fn headers(
        &self,
        operation: &Operation<'_>,
        sent: &[(String, String)],
    ) -> Vec<(String, String)> {
        let parameters = operation.parameters(self.document);
        let is_documented = |name: &str| {
            parameters.iter().any(|parameter| {
                let member = |name: &str| parameter.value.get(name).and_then(Value::as_str);
                member("in") == Some("header")
                    && member("name").is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
        };
        let own = sent.iter().filter(|(name, _)| {
            is_documented(name)
                && !self.secrets.is_credential(name)
                && !name.eq_ignore_ascii_case("content-type")
        });
        own.cloned().collect()
    }
}

//! Comparing which credentials operations ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Drift;
use super::equal::{PROVENANCE, canonical};
use super::ledger::{Pair, contrast};
use super::rules;
use crate::document::{Document, pointer};

/// One way to be let in: schemes with their scopes, all of which are needed.
type Alternative = BTreeSet<(String, BTreeSet<String>)>;

/// What a requirement comes to: any of these. None at all, or an empty one, lets everybody in.
type Requirement = BTreeSet<Alternative>;

impl Drift<'_> {
    /// Compares what an operation asks for: its own requirement, or that of the document.
    pub(super) fn security(&mut self, subject: &str, operation: &Pair) {
        let own = operation.member("security");
        let place = |document: &Document, at: String| {
            if document.at(&at).is_some() {
                at
            } else {
                "/security".to_owned()
            }
        };
        let at = Pair {
            theirs: place(self.ledger.theirs, own.theirs),
            ours: place(self.ledger.ours, own.ours),
        };
        let by_content = |document: &Document, at: &str| {
            requirement(document, at, &|name| content(document, name))
        };
        if by_content(self.ledger.theirs, &at.theirs) == by_content(self.ledger.ours, &at.ours) {
            return;
        }
        let by_name = |document: &Document, at: &str| requirement(document, at, &str::to_owned);
        let named = by_name(self.ledger.theirs, &at.theirs);
        if named == by_name(self.ledger.ours, &at.ours) {
            // The same schemes by name, so it is the schemes that differ: one finding each, whoever uses them.
            let names: BTreeSet<&String> = named.iter().flatten().map(|(name, _)| name).collect();
            for name in names {
                self.scheme(subject, name);
            }
            return;
        }
        let words = |document: &Document, at: &str| {
            document
                .at(at)
                .cloned()
                .unwrap_or_else(|| Value::Array(Vec::new()))
        };
        let (theirs, ours) = (
            words(self.ledger.theirs, &at.theirs),
            words(self.ledger.ours, &at.ours),
        );
        self.ledger.add(
            &rules::SECURITY_CHANGED,
            subject,
            &at,
            contrast("security", Some(&theirs), Some(&ours)),
        );
    }

    fn scheme(&mut self, subject: &str, name: &str) {
        let at =
            Pair::new("/components/securitySchemes", "/components/securitySchemes").member(name);
        if content(self.ledger.theirs, name) != content(self.ledger.ours, name) {
            let scheme = |document: &Document, at: &str| {
                document.resolve(at).map(|(_, scheme)| scheme.clone())
            };
            let (theirs, ours) = (
                scheme(self.ledger.theirs, &at.theirs),
                scheme(self.ledger.ours, &at.ours),
            );
            let message = contrast(name, theirs.as_ref(), ours.as_ref());
            self.ledger
                .add(&rules::SECURITY_SCHEME_CHANGED, subject, &at, message);
        }
    }
}

fn requirement(document: &Document, at: &str, known_as: &dyn Fn(&str) -> String) -> Requirement {
    let Some(Value::Array(alternatives)) = document.at(at) else {
        return everybody();
    };
    let scopes = |value: &Value| {
        let list = value.as_array().into_iter().flatten();
        list.map(|scope| {
            scope
                .as_str()
                .map_or_else(|| scope.to_string(), str::to_owned)
        })
        .collect::<BTreeSet<_>>()
    };
    let alternative = |value: &Value| {
        let schemes = value.as_object().into_iter().flatten();
        schemes
            .map(|(name, value)| (known_as(name), scopes(value)))
            .collect::<Alternative>()
    };
    let requirement: Requirement = alternatives.iter().map(alternative).collect();
    if requirement.is_empty() {
        everybody()
    } else {
        requirement
    }
}

fn everybody() -> Requirement {
    Requirement::from([Alternative::new()])
}

/// What the scheme called `name` is: all that it says except for text for readers.
fn content(document: &Document, name: &str) -> String {
    let at = pointer::join("/components/securitySchemes", name);
    let Some((_, Value::Object(scheme))) = document.resolve(&at) else {
        // OpenAPI 3.2 allows a URI; in 3.0 and 3.1 it is an error. Either way it is known by its name only.
        return format!("undefined {name}");
    };
    let mut scheme: Map<String, Value> = scheme.clone();
    scheme.retain(|key, _| key != "description" && !PROVENANCE.contains(&key.as_str()));
    if let Some(Value::String(kind)) = scheme.get_mut("scheme") {
        // RFC 9110: names of authentication schemes are the same in any case.
        *kind = kind.to_lowercase();
    }
    if let (Some(Value::String(place)), Some(Value::String(header))) =
        (scheme.get("in").cloned(), scheme.get_mut("name"))
        && place == "header"
    {
        *header = header.to_lowercase();
    }
    // The values of `scopes` are descriptions.
    if let Some(Value::Object(flows)) = scheme.get_mut("flows") {
        for flow in flows.values_mut() {
            if let Some(Value::Object(scopes)) = flow.get_mut("scopes") {
                scopes.values_mut().for_each(|text| *text = Value::Null);
            }
        }
    }
    canonical(&Value::Object(
        scheme
            .into_iter()
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
    ))
}

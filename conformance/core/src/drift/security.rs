//! Comparing which credentials operations ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Drift;
use super::equal::{PROVENANCE, canonical};
use super::pair::Pair;
use super::rules;
use crate::document::{Document, pointer};
use crate::finding::{Credential, DocumentChange, Effect, Impact, Sender};

/// Where documents define the schemes.
const SCHEMES: &str = "/components/securitySchemes";

/// One way to be let in: schemes with their scopes, all of which are needed.
type Alternative = BTreeSet<(String, BTreeSet<String>)>;

/// The alternatives of a requirement, any of which is enough. None at all, or an empty one, lets everybody in.
type Requirement = BTreeSet<Alternative>;

impl Drift<'_> {
    /// Compares what an operation asks for: its own requirement, or for the operations of `paths` that of the document. The `sender`
    /// of its requests identifies itself.
    ///
    /// The requirement of the document is about calls of the API. Webhooks and callbacks are calls that the API makes elsewhere,
    /// so what they need is only what they say themselves.
    pub(super) fn security(
        &mut self,
        subject: &str,
        operation: &Pair,
        sender: Sender,
        is_path: bool,
    ) {
        let own = operation.member("security");
        let place = |document: &Document, at: String| {
            if document.at(&at).is_some() || !is_path {
                at
            } else {
                "/security".to_owned()
            }
        };
        let at = Pair {
            old: place(self.ledger.old, own.old),
            new: place(self.ledger.new, own.new),
        };
        let by_content = |document: &Document, at: &str| {
            requirement(document, at, &|name| content(document, name))
        };
        let asked = (
            by_content(self.ledger.old, &at.old),
            by_content(self.ledger.new, &at.new),
        );
        if asked.0 == asked.1 {
            return;
        }
        let by_name = |document: &Document, at: &str| requirement(document, at, &str::to_owned);
        let named = by_name(self.ledger.old, &at.old);
        if named == by_name(self.ledger.new, &at.new) {
            // The same schemes by name, so it is the schemes that differ: one finding each, whoever uses them.
            let names: BTreeSet<&String> = named.iter().flatten().map(|(name, _)| name).collect();
            for name in names {
                self.scheme(subject, name, sender);
            }
            return;
        }
        // A scheme that both have and that says something else now is a difference of its own: it decides nothing here.
        let changed = self.changed_schemes();
        let used =
            |one: &Requirement, name: &String| one.iter().flatten().any(|(of, _)| of == name);
        let new = by_name(self.ledger.new, &at.new);
        for name in &changed {
            if used(&named, name) && used(&new, name) {
                self.scheme(subject, name, sender);
            }
        }
        let by_identity = |document: &Document, at: &str| {
            requirement(document, at, &|name| match changed.contains(name) {
                true => format!("named {name}"),
                false => content(document, name),
            })
        };
        let asked = (
            by_identity(self.ledger.old, &at.old),
            by_identity(self.ledger.new, &at.new),
        );
        if asked.0 == asked.1 {
            return;
        }
        let (held, needed) = sender_first(sender, &asked.0, &asked.1);
        let impact = if are_let_in(held, needed) {
            Impact::Compatible
        } else {
            Impact::Rejected
        };
        let change = DocumentChange::CredentialsChanged {
            old: credentials(&named),
            new: credentials(&new),
        };
        let effect = Effect { sender, impact };
        let rule = &rules::SECURITY_CHANGED;
        self.ledger.affect(rule, effect, subject, &at, change);
    }

    /// The names under which both documents have a scheme that is nowhere in the other one.
    fn changed_schemes(&self) -> BTreeSet<String> {
        let all = |document: &Document| -> BTreeMap<String, String> {
            let schemes = document.at(SCHEMES).and_then(Value::as_object);
            let names = schemes.into_iter().flatten().map(|(name, _)| name);
            names
                .map(|name| (name.clone(), content(document, name)))
                .collect()
        };
        let (old, new) = (all(self.ledger.old), all(self.ledger.new));
        let is_in = |all: &BTreeMap<String, String>, one: &String| all.values().any(|of| of == one);
        let changed = old.iter().filter(|(name, before)| {
            let after = new.get(*name);
            after.is_some_and(|after| !is_in(&new, before) && !is_in(&old, after))
        });
        changed.map(|(name, _)| name.clone()).collect()
    }

    fn scheme(&mut self, subject: &str, name: &str, sender: Sender) {
        let at = Pair::new(SCHEMES, SCHEMES).member(name);
        if content(self.ledger.old, name) == content(self.ledger.new, name) {
            return;
        }
        let (old, new) = (said(self.ledger.old, name), said(self.ledger.new, name));
        let (held, needed) = sender_first(sender, &old, &new);
        let impact = match (held, needed) {
            (Some(held), Some(needed)) if only_more_flows(held, needed) => Impact::Compatible,
            _ => Impact::Rejected,
        };
        let written = |document: &Document, at: &str| {
            let (_, scheme) = document.resolve(at)?;
            let mut scheme = scheme.clone();
            if let Value::Object(members) = &mut scheme {
                members.retain(|key, _| is_compared(key));
            }
            Some(scheme)
        };
        let change = DocumentChange::SchemeChanged {
            name: name.to_owned(),
            old: written(self.ledger.old, &at.old),
            new: written(self.ledger.new, &at.new),
        };
        let effect = Effect { sender, impact };
        let rule = &rules::SECURITY_SCHEME_CHANGED;
        self.ledger.affect(rule, effect, subject, &at, change);
    }
}

/// The alternatives of a requirement, as findings tell them.
fn credentials(requirement: &Requirement) -> Vec<Vec<Credential>> {
    let credential = |(scheme, scopes): &(String, BTreeSet<String>)| Credential {
        scheme: scheme.clone(),
        scopes: scopes.iter().cloned().collect(),
    };
    let alternatives = requirement.iter();
    alternatives
        .map(|alternative| alternative.iter().map(credential).collect())
        .collect()
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

/// The credentials that the sender of requests has, then those that their receiver asks for.
fn sender_first<'v, T>(sender: Sender, old: &'v T, new: &'v T) -> (&'v T, &'v T) {
    match sender {
        Sender::Client => (old, new),
        Sender::Server => (new, old),
    }
}

/// Whether who fulfills any of the alternatives `held` fulfills one of those `needed`.
fn are_let_in(held: &Requirement, needed: &Requirement) -> bool {
    let suffices = |held: &Alternative, needed: &Alternative| {
        needed.iter().all(|(name, scopes)| {
            let mut same = held.iter().filter(|(other, _)| other == name);
            same.any(|(_, granted)| scopes.is_subset(granted))
        })
    };
    held.iter()
        .all(|held| needed.iter().any(|needed| suffices(held, needed)))
}

/// Whether a scheme only has flows or scopes besides those of another.
fn only_more_flows(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    let without_flows = |scheme: &Map<String, Value>| {
        let mut scheme = scheme.clone();
        let flows = scheme.remove("flows").unwrap_or_default();
        (canonical(&Value::Object(scheme)), flows)
    };
    let ((plain, flows), (other, others)) = (without_flows(before), without_flows(after));
    let flows = flows.as_object().into_iter().flatten();
    let mut kept = flows.map(|(name, flow)| {
        let mut both = (flow.clone(), others.get(name).cloned().unwrap_or_default());
        let scopes = |flow: &mut Value| match flow.get_mut("scopes").map(Value::take) {
            Some(Value::Object(scopes)) => scopes.into_iter().map(|(scope, _)| scope).collect(),
            _ => BTreeSet::new(),
        };
        let (scopes, others) = (scopes(&mut both.0), scopes(&mut both.1));
        canonical(&both.0) == canonical(&both.1) && scopes.is_subset(&others)
    });
    plain == other && kept.all(|kept| kept)
}

/// The scheme called `name` as a text.
fn content(document: &Document, name: &str) -> String {
    match said(document, name) {
        Some(scheme) => canonical(&Value::Object(scheme)),
        // OpenAPI 3.2 allows a URI; in 3.0 and 3.1 it is an error. Either way it is known by its name only.
        None => format!("undefined {name}"),
    }
}

/// Whether a member of a scheme is more than text for readers.
fn is_compared(key: &str) -> bool {
    key != "description" && !PROVENANCE.contains(&key)
}

/// All that the scheme called `name` says except for text for readers.
fn said(document: &Document, name: &str) -> Option<Map<String, Value>> {
    let at = pointer::join(SCHEMES, name);
    let Some((_, Value::Object(scheme))) = document.resolve(&at) else {
        return None;
    };
    let mut scheme: Map<String, Value> = scheme.clone();
    scheme.retain(|key, _| is_compared(key));
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
    Some(scheme)
}

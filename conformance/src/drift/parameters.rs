//! Comparing parameters and headers.

use std::collections::HashMap;

use serde_json::Value;

use super::Drift;
use super::ledger::{Pair, Site, contrast, one_sided};
use super::rules;
use crate::document::{Document, Located, Operation};
use crate::finding::Severity;

/// What identifies a parameter.
type Key = (String, String);

/// Members that say how a value is written.
const SERIALIZATION: [&str; 4] = ["style", "explode", "allowReserved", "allowEmptyValue"];

impl Drift<'_> {
    /// Compares the parameters of an operation, those of its path among them. `names` holds their names of path parameters by ours.
    pub(super) fn parameters(
        &mut self,
        site: Site<'_>,
        theirs: &Operation<'_>,
        ours: &Operation<'_>,
        names: Option<&HashMap<String, String>>,
    ) {
        self.dangling(site.subject, theirs, ours);
        let key = |located: &Located<'_>| {
            let text = |member: &str| {
                located
                    .value
                    .get(member)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let (place, name) = (text("in"), text("name"));
            let name = if place == "header" {
                name.to_lowercase()
            } else {
                name
            };
            (place, name)
        };
        let list = |document, operation: &Operation<'_>| {
            let all = owned(document, operation).into_iter();
            all.map(|located| (key(&located), located.pointer))
                .collect::<Vec<(Key, String)>>()
        };
        let one = list(self.ledger.theirs, theirs);
        let mut other = list(self.ledger.ours, ours);
        for ((place, name), _) in &mut other {
            if let (Some(original), "path") =
                (names.and_then(|names| names.get(name)), place.as_str())
            {
                name.clone_from(original);
            }
        }
        let container =
            Pair::new(theirs.pointer.as_str(), ours.pointer.as_str()).member("parameters");
        for (key, at) in &one {
            match other.iter().find(|(candidate, _)| candidate == key) {
                Some((_, found)) => {
                    self.parameter(site, key, &Pair::new(at.as_str(), found.as_str()));
                }
                None => {
                    let required = is_required(self.ledger.theirs, at);
                    let severity = if site.from_server && !required {
                        Severity::Warning
                    } else {
                        Severity::Breaking
                    };
                    let at = Pair::new(at.as_str(), container.ours.as_str());
                    self.ledger.add_as(
                        &rules::PARAMETER_REMOVED,
                        severity,
                        site.subject,
                        &at,
                        one_sided(&named(key), true),
                    );
                }
            }
        }
        for (key, at) in &other {
            if !one.iter().any(|(candidate, _)| candidate == key) {
                let required = is_required(self.ledger.ours, at);
                let severity = if required && !site.from_server {
                    Severity::Breaking
                } else {
                    Severity::Warning
                };
                let at = Pair::new(container.theirs.as_str(), at.as_str());
                self.ledger.add_as(
                    &rules::PARAMETER_ADDED,
                    severity,
                    site.subject,
                    &at,
                    one_sided(&named(key), false),
                );
            }
        }
    }

    /// Says which parameters refer to nothing.
    fn dangling(&mut self, subject: &str, theirs: &Operation<'_>, ours: &Operation<'_>) {
        let sides = [
            ("theirs", self.ledger.theirs, theirs),
            ("ours", self.ledger.ours, ours),
        ];
        for (side, document, operation) in sides {
            for list in [&operation.item, &operation.pointer].map(|at| format!("{at}/parameters")) {
                let count = document
                    .at(&list)
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                for at in (0..count).map(|index| format!("{list}/{index}")) {
                    if document.resolve(&at).is_none() {
                        let reference = document
                            .at(&at)
                            .and_then(|value| value.get("$ref"))
                            .map(Value::to_string);
                        let message =
                            super::ledger::unresolved(side, &reference.unwrap_or_default());
                        let pair = match side {
                            "theirs" => Pair::new(at, ours.pointer.as_str()),
                            _ => Pair::new(theirs.pointer.as_str(), at),
                        };
                        self.ledger
                            .add(&rules::REFERENCE_UNRESOLVED, subject, &pair, message);
                    }
                }
            }
        }
    }

    fn parameter(&mut self, site: Site<'_>, key: &Key, at: &Pair) {
        if self.is_same(at) {
            return;
        }
        let part = named(key);
        let site = Site {
            part: &part,
            ..site
        };
        self.required(site, &rules::PARAMETER_REQUIRED_CHANGED, &part, at);
        // A path parameter of another name was reported with its path.
        self.serialized(site, &key.0, at, &["name", "in"]);
    }

    /// Compares headers by name, in any case.
    pub(super) fn headers(&mut self, site: Site<'_>, at: &Pair) {
        let (theirs, ours) = self.ledger.objects(at);
        if theirs.is_none() && ours.is_none() {
            return;
        }
        let names = |object: Option<&serde_json::Map<String, Value>>| {
            let all = object.into_iter().flat_map(|members| members.keys());
            all.map(|name| (name.to_lowercase(), name.clone()))
                .collect::<Vec<_>>()
        };
        let (theirs, ours) = (names(theirs), names(ours));
        for (lower, name) in &theirs {
            let thing = format!("the header `{name}`");
            match ours.iter().find(|(other, _)| other == lower) {
                Some((_, other)) => {
                    let pair = Pair {
                        theirs: at.member(name).theirs,
                        ours: at.member(other).ours,
                    };
                    let Some(pair) = self.ledger.resolve(site.subject, &pair) else {
                        continue;
                    };
                    let site = Site {
                        part: &thing,
                        ..site
                    };
                    self.required(site, &rules::HEADER_REQUIRED_CHANGED, &thing, &pair);
                    self.serialized(site, "header", &pair, &[]);
                }
                None => self.ledger.add(
                    &rules::HEADER_REMOVED,
                    site.subject,
                    &at.member(name),
                    one_sided(&thing, true),
                ),
            }
        }
        for (lower, name) in &ours {
            if !theirs.iter().any(|(other, _)| other == lower) {
                let message = one_sided(&format!("the header `{name}`"), false);
                let here = at.member(name);
                let required = {
                    let found = self.ledger.ours.resolve(&here.ours);
                    found.is_some_and(|(at, _)| is_required(self.ledger.ours, &at))
                };
                // Who sends the message knows nothing of a header that is asked of it.
                let severity = if required && !site.from_server {
                    Severity::Breaking
                } else {
                    Severity::Warning
                };
                self.ledger
                    .add_as(&rules::HEADER_ADDED, severity, site.subject, &here, message);
            }
        }
    }

    /// Compares `required`. A receiver that asks for less, or a sender that promises more, does no harm.
    pub(super) fn required(
        &mut self,
        site: Site<'_>,
        rule: &'static rules::Rule,
        thing: &str,
        at: &Pair,
    ) {
        let (theirs, ours) = (
            is_required(self.ledger.theirs, &at.theirs),
            is_required(self.ledger.ours, &at.ours),
        );
        if theirs == ours {
            return;
        }
        let harmless = ours == site.from_server;
        let severity = if harmless {
            Severity::Warning
        } else {
            Severity::Breaking
        };
        let word = |required| {
            if required {
                "requires"
            } else {
                "does not require"
            }
        };
        let message = format!(
            "theirs {} {thing}, ours {}; make ours say what theirs says",
            word(theirs),
            word(ours)
        );
        self.ledger.add_as(
            rule,
            severity,
            site.subject,
            &at.member("required"),
            message,
        );
    }

    /// Compares what parameters and headers have in common.
    fn serialized(&mut self, site: Site<'_>, place: &str, at: &Pair, names: &[&str]) {
        let subject = site.subject;
        let (theirs, ours) = (
            serialization(self.ledger.theirs, &at.theirs, place),
            serialization(self.ledger.ours, &at.ours, place),
        );
        for ((key, one), (_, other)) in theirs.into_iter().zip(ours) {
            if one != other {
                let message = contrast(key, Some(&one), Some(&other));
                self.ledger.add(
                    &rules::PARAMETER_SERIALIZATION_CHANGED,
                    subject,
                    &at.member(key),
                    message,
                );
            }
        }
        self.ledger.with_default(
            &rules::DEPRECATED_CHANGED,
            subject,
            at,
            "deprecated",
            (false.into(), false.into()),
        );
        self.schema(
            Site {
                as_text: true,
                ..site
            },
            at,
        );
        self.examples(subject, at);
        self.content(site, &at.member("content"));
        let mut handled = vec![
            "required",
            "deprecated",
            "schema",
            "example",
            "examples",
            "content",
        ];
        handled.extend(SERIALIZATION);
        handled.extend(names);
        self.ledger.rest(subject, at, &handled);
    }
}

/// The parameters of an operation in `document`, which the operation came from.
fn owned<'a>(document: &'a Document, operation: &Operation<'_>) -> Vec<Located<'a>> {
    let found = document.at(&operation.pointer).map(|value| Operation {
        id: None,
        method: operation.method.clone(),
        path: "",
        pointer: operation.pointer.clone(),
        value,
        item: operation.item.clone(),
    });
    found
        .map(|operation| operation.parameters(document))
        .unwrap_or_default()
}

fn named((place, name): &Key) -> String {
    format!("the {place} parameter `{name}`")
}

fn is_required(document: &Document, at: &str) -> bool {
    document.at(at).and_then(|value| value.get("required")) == Some(&Value::Bool(true))
}

/// How a value is written, with the defaults of the Parameter Object put in.
fn serialization(document: &Document, at: &str, place: &str) -> Vec<(&'static str, Value)> {
    let get = |key: &str| document.at(at).and_then(|value| value.get(key)).cloned();
    // With `content` the media type says how the value is written.
    let style = get("style").unwrap_or_else(|| match place {
        "query" | "cookie" => "form".into(),
        _ => "simple".into(),
    });
    let explode = get("explode").unwrap_or_else(|| (style == "form").into());
    let flag = |key: &str| get(key).unwrap_or_else(|| false.into());
    vec![
        ("style", style),
        ("explode", explode),
        ("allowReserved", flag("allowReserved")),
        ("allowEmptyValue", flag("allowEmptyValue")),
    ]
}

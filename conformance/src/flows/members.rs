//! Comparing what was written with what is read: member by member, only those that the document lets a client write and a server show,
//! and with patience for what servers make of values: spaces, letter case, time zones, the order of lists.

use serde_json::Value;

pub(super) use super::alike::alike;
use super::alike::{is_empty, is_masked};
use super::naming::is_secret;
use crate::document::pointer;
use crate::finding::Sender;
use crate::schema::direction::Unsent;
use crate::schema::{Member, Schemas};

/// A member that is read with another value than the one that was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// JSON pointer into what was written.
    pub(super) at: String,
    pub(super) sent: Value,
    /// The value that is read; none where the member is missing.
    pub(super) found: Option<Value>,
}

impl Difference {
    /// The name of the member of what was written that it is in.
    pub(super) fn member(&self) -> String {
        pointer::tokens(&self.at).next().unwrap_or_default()
    }
}

/// The names of the members of a body.
pub(super) fn members_of(body: Option<&Value>) -> Vec<String> {
    let members = body.and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, _)| name.clone()).collect()
}

/// Compares values of requests with values of responses.
pub(super) struct Comparing<'a> {
    schemas: &'a Schemas<'a>,
    read_only: Unsent<'a>,
    write_only: Unsent<'a>,
}

/// A value, and the schemas that describe it.
#[derive(Clone, Copy)]
pub(super) struct Described<'v> {
    pub(super) value: &'v Value,
    pub(super) schemas: &'v [String],
}

impl<'a> Comparing<'a> {
    pub(super) fn new(schemas: &'a Schemas<'a>) -> Self {
        Self {
            schemas,
            read_only: Unsent::new(schemas.subschemas(), Some(Sender::Client)),
            write_only: Unsent::new(schemas.subschemas(), Some(Sender::Server)),
        }
    }

    /// The members of `sent` that are not in `found` as they were sent.
    pub(super) fn differences(&self, sent: Described<'_>, found: Described<'_>) -> Vec<Difference> {
        let mut all = Vec::new();
        self.compare(sent, found, "", &mut all);
        all
    }

    /// The defaults of members that `sent` leaves out and that `found` has with another value.
    pub(super) fn defaults(&self, sent: Described<'_>, found: Described<'_>) -> Vec<Difference> {
        let subschemas = self.schemas.subschemas();
        let (Some(given), Some(shown)) = (sent.value.as_object(), found.value.as_object()) else {
            return Vec::new();
        };
        let mut lost = Vec::new();
        for at in self.firm(sent.schemas) {
            let properties = subschemas
                .object(&at)
                .and_then(|schema| schema.get("properties")?.as_object());
            for name in properties
                .into_iter()
                .flat_map(|properties| properties.keys())
            {
                let own = pointer::join(&pointer::join(&at, "properties"), name);
                let Some(default) = self
                    .firm(&[own])
                    .iter()
                    .find_map(|at| subschemas.object(at)?.get("default"))
                else {
                    continue;
                };
                let (Some(value), None) = (shown.get(name), given.get(name)) else {
                    continue;
                };
                let mut differences = Vec::new();
                let mut written = given.clone();
                written.clear();
                written.insert(name.clone(), default.clone());
                let written = Value::Object(written);
                let sent = Described {
                    value: &written,
                    schemas: sent.schemas,
                };
                self.compare(sent, found, "", &mut differences);
                // A nested difference is one of this member.
                if !differences.is_empty() {
                    let at = pointer::join("", name);
                    lost.push(Difference {
                        at,
                        sent: default.clone(),
                        found: Some(value.clone()),
                    });
                }
            }
        }
        lost
    }

    fn compare(
        &self,
        sent: Described<'_>,
        found: Described<'_>,
        at: &str,
        all: &mut Vec<Difference>,
    ) {
        let subschemas = self.schemas.subschemas();
        let (request, response) = (
            self.applying(sent, Sender::Client),
            self.applying(found, Sender::Server),
        );
        let (Some(members), Some(shown)) = (sent.value.as_object(), found.value.as_object()) else {
            return;
        };
        for (name, value) in members {
            let (written, read, is_entry) = match (
                subschemas.member(&request, name),
                subschemas.member(&response, name),
            ) {
                (Member::Declared(written), Member::Declared(read)) => (written, read, false),
                // A map keeps all of its entries.
                (Member::Entry(written), Member::Entry(read)) => (written, read, true),
                _ => continue,
            };
            let hidden = written.iter().any(|at| self.read_only.is_unsent(at))
                || read.iter().any(|at| self.write_only.is_unsent(at));
            if hidden || is_secret(name) || self.is_password(&written) {
                continue;
            }
            let at = pointer::join(at, name);
            let Some(other) = shown.get(name) else {
                if !is_empty(value) && (is_entry || self.is_firm(found.schemas, name)) {
                    all.push(Difference {
                        at,
                        sent: value.clone(),
                        found: None,
                    });
                }
                continue;
            };
            let (sent, found) = (
                Described {
                    value,
                    schemas: &written,
                },
                Described {
                    value: other,
                    schemas: &read,
                },
            );
            if value.is_object() && other.is_object() {
                self.compare(sent, found, &at, all);
            } else if !self.same(sent, found) {
                all.push(Difference {
                    at,
                    sent: value.clone(),
                    found: Some(other.clone()),
                });
            }
        }
    }

    /// The schemas that apply to a value: those in place, and of unions the subschemas that accept it.
    fn applying(&self, described: Described<'_>, sender: Sender) -> Vec<String> {
        let subschemas = self.schemas.subschemas();
        let mut all = subschemas.in_place(described.schemas);
        let mut next = 0;
        while let Some(at) = all.get(next).cloned() {
            next += 1;
            for keyword in ["oneOf", "anyOf"] {
                let branches = subschemas
                    .object(&at)
                    .and_then(|schema| schema.get(keyword)?.as_array());
                for index in 0..branches.map_or(0, Vec::len) {
                    let branch = format!("{at}/{keyword}/{index}");
                    let faults = self.schemas.faults(&branch, described.value, Some(sender));
                    if faults.is_ok_and(|faults| faults.is_empty()) {
                        for more in subschemas.in_place(&[branch]) {
                            if !all.contains(&more) {
                                all.push(more);
                            }
                        }
                    }
                }
            }
        }
        all
    }

    /// Whether a value is what was sent, or may be what a server makes of it.
    fn same(&self, sent: Described<'_>, found: Described<'_>) -> bool {
        let valid = |value: &Value, schemas: &[String], sender| {
            schemas.iter().all(|at| {
                self.schemas
                    .faults(at, value, Some(sender))
                    .map_or(true, |faults| faults.is_empty())
            })
        };
        let is_alike = match (sent.value, found.value) {
            // In a tuple each place has a meaning of its own.
            (Value::Array(items), Value::Array(others)) if self.is_tuple(sent.schemas) => {
                let mut pairs = items.iter().zip(others);
                items.len() == others.len() && pairs.all(|(item, other)| alike(item, other))
            }
            _ => alike(sent.value, found.value),
        };
        if is_alike || is_empty(sent.value) && is_empty(found.value) || is_masked(found.value) {
            return true;
        }
        // The two sides of a name may have values of their own: an id goes in and an object comes out.
        !valid(sent.value, found.schemas, Sender::Server)
            || !found.value.is_null() && !valid(found.value, sent.schemas, Sender::Client)
            || self.contains_objects(sent, found)
    }

    /// Lists of objects, which servers fill with members of their own, are the same if the members that were sent are.
    fn contains_objects(&self, sent: Described<'_>, found: Described<'_>) -> bool {
        let (Some(items), Some(others)) = (sent.value.as_array(), found.value.as_array()) else {
            return false;
        };
        if items.len() != others.len() || !items.iter().all(Value::is_object) {
            return false;
        }
        let subschemas = self.schemas.subschemas();
        let of = |schemas: &[String], index| subschemas.item(&subschemas.in_place(schemas), index);
        items
            .iter()
            .zip(others)
            .enumerate()
            .all(|(index, (item, other))| {
                let (written, read) = (of(sent.schemas, index), of(found.schemas, index));
                let sent = Described {
                    value: item,
                    schemas: &written,
                };
                self.differences(
                    sent,
                    Described {
                        value: other,
                        schemas: &read,
                    },
                )
                .is_empty()
            })
    }

    fn is_tuple(&self, schemas: &[String]) -> bool {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(schemas);
        let mut objects = all.iter().filter_map(|at| subschemas.object(at));
        objects.any(|schema| schema.contains_key("prefixItems"))
    }

    fn is_password(&self, schemas: &[String]) -> bool {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(schemas);
        all.iter()
            .filter_map(|at| subschemas.object(at)?.get("format"))
            .any(|format| format == "password")
    }

    /// The schemas that apply in any case: themselves, what they refer to, and all of `allOf`.
    fn firm(&self, schemas: &[String]) -> Vec<String> {
        let subschemas = self.schemas.subschemas();
        let mut found: Vec<String> = Vec::new();
        let mut open = schemas.to_vec();
        while let Some(at) = open.pop() {
            if found.contains(&at) || found.len() > 100 {
                continue;
            }
            let applied = subschemas.applied(&at).into_iter();
            open.extend(
                applied
                    .filter(|(keyword, _)| matches!(*keyword, "$ref" | "allOf"))
                    .map(|(_, at)| at),
            );
            found.push(at);
        }
        found
    }

    /// Whether the schemas declare the member in any case, and not in one alternative only.
    fn is_firm(&self, schemas: &[String], name: &str) -> bool {
        let subschemas = self.schemas.subschemas();
        let declares = |at: &String| subschemas.object(at)?.get("properties")?.get(name);
        self.firm(schemas).iter().any(|at| declares(at).is_some())
    }

    /// The names of the members that a schema declares, those of alternatives too.
    pub(super) fn declared(&self, schemas: &[String]) -> Vec<String> {
        let subschemas = self.schemas.subschemas();
        let mut names: Vec<String> = Vec::new();
        for at in subschemas.in_place(schemas) {
            let properties = subschemas
                .object(&at)
                .and_then(|schema| schema.get("properties")?.as_object());
            for name in properties
                .into_iter()
                .flat_map(|properties| properties.keys())
            {
                let own = pointer::join(&pointer::join(&at, "properties"), name);
                if !names.contains(name) && !self.read_only.is_unsent(&own) {
                    names.push(name.clone());
                }
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Document;

    fn differences(
        properties: (&str, &str),
        sent: &Value,
        found: &Value,
    ) -> (Vec<String>, Vec<String>) {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{}}\ncomponents:\n  schemas:\n    In: {{type: object, properties: {}}}\n    Out: {{type: object, properties: {}}}\n",
            properties.0, properties.1
        );
        let document = Document::parse("t", &text).unwrap();
        let schemas = Schemas::new(&document);
        let comparing = Comparing::new(&schemas);
        let (request, response) = (
            ["/components/schemas/In".to_owned()],
            ["/components/schemas/Out".to_owned()],
        );
        let (sent, found) = (
            Described {
                value: sent,
                schemas: &request,
            },
            Described {
                value: found,
                schemas: &response,
            },
        );
        let names = |all: Vec<Difference>| all.into_iter().map(|one| one.at).collect();
        (
            names(comparing.differences(sent, found)),
            names(comparing.defaults(sent, found)),
        )
    }

    #[test]
    fn entries_of_maps_and_members_of_the_branch_of_a_union_are_compared() {
        let map = "{m: {type: object, additionalProperties: {type: string}}}";
        let sent = json!({"m": {"plan": "gold", "tier": "one"}});
        let found = json!({"m": {"plan": "gold", "more": "x"}});
        assert_eq!(differences((map, map), &sent, &found).0, ["/m/tier"]);
        assert!(differences((map, map), &sent, &sent).0.is_empty());
        let union = "{u: {oneOf: [{type: object, required: [a], properties: {a: {type: integer}}}, {type: object, required: [b], properties: {b: {type: integer}}}]}}";
        let sent = json!({"u": {"a": 5}});
        assert_eq!(
            differences((union, union), &sent, &json!({"u": {"a": 4}})).0,
            ["/u/a"]
        );
        assert!(
            differences((union, union), &sent, &json!({"u": {"a": 5, "id": 1}}))
                .0
                .is_empty()
        );
    }

    #[test]
    fn only_members_that_are_written_and_shown_are_compared() {
        let both = "{a: {type: string}, n: {type: object, properties: {x: {type: integer}, y: {type: integer}}}, l: {type: array, items: {type: object, properties: {k: {type: string}}}}}";
        let sent = json!({"a": "one", "n": {"x": 1, "y": 2}, "l": [{"k": "v"}]});
        let right = json!({"a": "one", "n": {"x": 1, "y": 2, "z": 3}, "l": [{"k": "v", "id": 7}], "more": 1});
        assert!(differences((both, both), &sent, &right).0.is_empty());
        let wrong = json!({"a": "on", "n": {"x": 1}, "l": [{"k": "w"}]});
        assert_eq!(
            differences((both, both), &sent, &wrong).0,
            ["/a", "/n/y", "/l"]
        );
        for (request, response, found) in [
            (
                "{a: {type: string, readOnly: true}}",
                "{a: {type: string}}",
                json!({"a": "x"}),
            ),
            (
                "{a: {type: string}}",
                "{a: {type: string, writeOnly: true}}",
                json!({}),
            ),
            (
                "{a: {type: string}}",
                "{b: {type: string}}",
                json!({"b": "x"}),
            ),
            (
                "{a: {type: string, format: password}}",
                "{a: {type: string}}",
                json!({"a": "x"}),
            ),
            (
                "{a: {type: string}}",
                "{a: {type: object}}",
                json!({"a": {"id": "one"}}),
            ),
            (
                "{a: {enum: [one, two]}}",
                "{a: {enum: [one, two, pending]}}",
                json!({"a": "pending"}),
            ),
        ] {
            assert!(
                differences((request, response), &json!({"a": "one"}), &found)
                    .0
                    .is_empty(),
                "{request}"
            );
        }
        let enums = ("{a: {enum: [one, two]}}", "{a: {enum: [one, two]}}");
        assert_eq!(
            differences(enums, &json!({"a": "one"}), &json!({"a": "two"})).0,
            ["/a"]
        );
        let secret = ("{apiKey: {type: string}}", "{apiKey: {type: string}}");
        assert!(
            differences(
                secret,
                &json!({"apiKey": "one"}),
                &json!({"apiKey": "xxxx"})
            )
            .0
            .is_empty()
        );
    }

    #[test]
    fn a_default_that_is_shown_with_another_value_is_lost() {
        let both = (
            "{a: {type: integer, default: 5}, b: {type: string}}",
            "{a: {type: [integer, 'null']}, b: {type: string}}",
        );
        for (found, lost) in [
            (json!({"a": 5}), 0),
            (json!({}), 0),
            (json!({"a": null}), 1),
            (json!({"a": 7}), 1),
        ] {
            assert_eq!(
                differences(both, &json!({"b": "x"}), &found).1.len(),
                lost,
                "{found}"
            );
        }
        assert!(
            differences(both, &json!({"a": 1}), &json!({"a": 1}))
                .1
                .is_empty()
        );
    }
}

//! Bodies like one that was accepted: with other texts, for servers that take each once only, and with values that servers misread, in
//! creations and updates.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Value, json};

use super::alike::is_empty;
use super::body::Bodies;
use super::create::Thing;
use super::driver::{Driver, Stopped};
use super::naming::{is_change_time, is_reference, is_secret, is_version};
use super::view::State;
use crate::case::serialize::is_json;
use crate::document::pointer;
use crate::finding::{FlowFault, Severity, Writing};
use crate::rule::flows as rules;

impl Bodies<'_> {
    /// The value with another text wherever one can be chosen: of texts that a server takes once only, such as a number that a pattern
    /// describes, it is not known which they are.
    pub(super) fn renewed(&self, schema: &str, base: &Value, count: u64) -> Value {
        let mut whole = base.clone();
        let mut leaves = Vec::new();
        self.leaves(base, &[schema.to_owned()], String::new(), 0, &mut leaves);
        for (at, roots, name) in leaves.into_iter().take(60) {
            let old = whole.pointer(&at).cloned().unwrap_or_default();
            let is_time = ["date", "date-time", "time", "duration"];
            let is_kept = is_time.iter().any(|format| self.has_format(&roots, format))
                || self.is_choice(&roots)
                || is_reference(&name)
                || is_version(&name);
            if !old.is_string() || is_kept {
                continue;
            }
            for other in self.others(&roots, &old, &name, count) {
                let mut changed = whole.clone();
                if let Some(place) = changed.pointer_mut(&at) {
                    *place = other;
                }
                if self.is_valid(schema, &changed) {
                    whole = changed;
                    break;
                }
            }
        }
        whole
    }

    /// Whether a schema says which values there are.
    fn is_choice(&self, roots: &[String]) -> bool {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(roots);
        let mut objects = all.iter().filter_map(|at| subschemas.object(at));
        objects.any(|schema| schema.contains_key("enum") || schema.contains_key("const"))
    }

    /// The value with what servers misread, wherever that is allowed: `false` in place of `true`, 0 in place of other numbers, times with an
    /// offset, texts that are not in ASCII. Then with less of it, as a server may not take all of that. Nothing where there is nothing of it.
    pub(super) fn misreadable(&self, schema: &str, base: &Value) -> Vec<Value> {
        let mut all: Vec<Value> = self.negated(schema, base).into_iter().collect();
        let more = self.with_offsets(schema, all.last().unwrap_or(base));
        all.extend(more);
        let more = self.with_letters(schema, all.last().unwrap_or(base));
        all.extend(more);
        all.reverse();
        all
    }

    /// The value with free texts that databases, encodings and templates tend to change.
    fn with_letters(&self, schema: &str, base: &Value) -> Option<Value> {
        let all = self.schemas.subschemas().in_place(&[schema.to_owned()]);
        let mut whole = base.clone();
        for (name, value) in base.as_object()? {
            let roots = self.schemas.subschemas().member(&all, name).schemas();
            if !value.is_string() || !self.is_free_text(&roots) || is_secret(name) {
                continue;
            }
            for text in ["Zoë O'Neil & 漢字 😀", "Zoë & 漢😀", "é漢"] {
                let mut changed = whole.clone();
                changed[name] = json!(text);
                if self.is_valid(schema, &changed) {
                    whole = changed;
                    break;
                }
            }
        }
        (whole != *base).then_some(whole)
    }

    /// The value with times of the same instant in another zone.
    fn with_offsets(&self, schema: &str, base: &Value) -> Option<Value> {
        let all = self.schemas.subschemas().in_place(&[schema.to_owned()]);
        let mut whole = base.clone();
        for (name, value) in base.as_object()? {
            let roots = self.schemas.subschemas().member(&all, name).schemas();
            let time = value
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok());
            let (Some(time), true) = (time, self.has_format(&roots, "date-time")) else {
                continue;
            };
            let time = time.display_with_offset(Offset::constant(2));
            let mut changed = whole.clone();
            changed[name] = json!(time.to_string());
            if self.is_valid(schema, &changed) {
                whole = changed;
            }
        }
        (whole != *base).then_some(whole)
    }

    /// The value with `false` in place of `true`, 0 in place of other numbers, or what rounding shows where that is not allowed, and tuples
    /// of different numbers; none where that is not allowed anywhere.
    pub(super) fn negated(&self, schema: &str, base: &Value) -> Option<Value> {
        let mut whole = base.clone();
        for (name, value) in base.as_object()? {
            let others = match value {
                Value::Bool(true) => vec![json!(false)],
                Value::Number(number) if number.as_f64() != Some(0.0) => {
                    vec![json!(0), json!(1234.35), json!(19.99)]
                }
                Value::Array(items) if items.len() == 2 && items.iter().all(Value::is_number) => {
                    vec![json!([12.5, 34.25]), json!([12, 34])]
                }
                _ => continue,
            };
            if is_reference(name) || is_version(name) {
                continue;
            }
            for other in others {
                let mut changed = whole.clone();
                changed[name] = other;
                if self.is_valid(schema, &changed) {
                    whole = changed;
                    break;
                }
            }
        }
        (whole != *base).then_some(whole)
    }
}

impl Driver<'_> {
    /// Updates members to `false`, 0 and, where that removes them (RFC 7396), null; gives the state afterwards.
    pub(super) async fn emptied(
        &mut self,
        index: usize,
        patch: usize,
        thing: &Thing,
        before: Box<State>,
    ) -> Result<Box<State>, Stopped> {
        let (Some(schema), Some(case)) = (self.schemas_of(patch).0, self.case(patch)) else {
            return Ok(before);
        };
        let declared = self.comparing.declared(std::slice::from_ref(&schema));
        let mut body = before.value.as_object().cloned().unwrap_or_default();
        body.retain(|name, value| {
            let is_special = is_secret(name) || is_version(name) || is_reference(name);
            let is_left_out = self.course.without.contains(name) || is_change_time(name);
            declared.contains(name)
                && !is_special
                && !is_left_out
                && (value.is_boolean() || value.is_number())
        });
        // Only the changed members and the required ones.
        let other = self.bodies.negated(&schema, &Value::Object(body.clone()));
        let mut before = before;
        if let Some(Value::Object(mut other)) = other {
            other.retain(|name, value| body.get(name) != Some(value));
            let other = Value::Object(other);
            if self.bodies.is_valid(&schema, &other) {
                let (_, after) = self.update(index, patch, thing, &other, &before).await?;
                before = after.unwrap_or(before);
            }
        }
        let content_type = case.body.and_then(|body| body.content_type);
        let essence = content_type
            .as_deref()
            .and_then(|name| name.split(';').next());
        let removes = essence.is_some_and(|name| {
            name.trim()
                .eq_ignore_ascii_case("application/merge-patch+json")
        });
        before = self
            .blanked(index, patch, thing, (&schema, &declared), before)
            .await?;
        if !removes && !essence.is_some_and(is_json) {
            return Ok(before);
        }
        for name in declared {
            let old = before.value.get(&name).cloned().unwrap_or_default();
            let body = json!({ &name: null });
            let is_special = is_secret(&name) || is_version(&name) || is_reference(&name);
            let is_left_out = self.course.without.contains(&name);
            // In plain JSON null is a value like others where the schema of the member has it.
            let is_value = removes || !self.bodies.is_valid(&schema, &json!({ &name: [[]] }));
            if is_special
                || is_left_out
                || is_empty(&old)
                || !is_value
                || !self.bodies.is_valid(&schema, &body)
            {
                continue;
            }
            let (answer, after) = self.update(index, patch, thing, &body, &before).await?;
            let Some(after) = after.filter(|_| answer.is_ok()) else {
                break;
            };
            if after.value.get(&name) == Some(&old) {
                let fault = FlowFault::Written {
                    by: Writing::Update,
                    at: pointer::join("", &name),
                    sent: Value::Null,
                    found: Some(old),
                };
                // Some servers take null for a member that was not sent.
                let severity = match removes {
                    true => Severity::Breaking,
                    false => Severity::Warning,
                };
                let answer = Some(&after.answer);
                self.note_as(rules::UPDATE_APPLIED, severity, patch, fault, answer);
            }
            return Ok(after);
        }
        Ok(before)
    }

    /// Updates the first free text that may be empty to an empty one, and back; gives the state afterwards.
    async fn blanked(
        &mut self,
        index: usize,
        patch: usize,
        thing: &Thing,
        (schema, declared): (&str, &[String]),
        before: Box<State>,
    ) -> Result<Box<State>, Stopped> {
        let subschemas = self.session.judge.schemas.subschemas();
        let all = subschemas.in_place(&[schema.to_owned()]);
        let name = declared.iter().find(|name| {
            let is_special = is_secret(name) || is_version(name) || is_reference(name);
            let is_text = before.value.get(name).and_then(Value::as_str);
            let roots = subschemas.member(&all, name).schemas();
            !is_special
                && !self.course.without.contains(name)
                && is_text.is_some_and(|text| !text.trim().is_empty())
                && self.bodies.is_free_text(&roots)
                && self.bodies.is_valid(schema, &json!({ *name: "" }))
        });
        let Some(name) = name else {
            return Ok(before);
        };
        let old = json!({ name: before.value.get(name) });
        let mut before = before;
        // And back, for what comes after.
        for body in [json!({ name: "" }), old] {
            let (answer, after) = self.update(index, patch, thing, &body, &before).await?;
            before = after.unwrap_or(before);
            if !answer.is_ok() {
                break;
            }
        }
        Ok(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::schema::Schemas;

    const SCHEMA: &str = "/components/schemas/Note";

    fn with<T>(properties: &str, run: impl FnOnce(&Bodies<'_>) -> T) -> T {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{}}\ncomponents:\n  schemas:\n    Note: {{type: object, required: [code], properties: {properties}}}\n"
        );
        let document = Document::parse("t", &text).unwrap();
        let schemas = Schemas::new(&document);
        run(&Bodies {
            document: &document,
            schemas: &schemas,
            seed: 0,
        })
    }

    #[test]
    fn each_renewed_body_is_valid_and_another_one() {
        for (schema, old) in [
            (
                "{type: string, pattern: '^97[89][0-9]{10}$'}",
                json!("9780000000000"),
            ),
            (
                "{type: string, pattern: '^[A-Z]{2}[0-9]{6}$'}",
                json!("AA000000"),
            ),
            (
                "{type: string, format: uuid}",
                json!("00000000-0000-4000-8000-000000000000"),
            ),
            ("{type: string, format: email}", json!("a@example.com")),
            ("{type: string, minLength: 3, maxLength: 8}", json!("abc")),
        ] {
            with(
                &format!(
                    "{{code: {schema}, at: {{type: string, format: date}}, kind: {{enum: [a, b]}}}}"
                ),
                |bodies| {
                    let base = json!({"code": old, "at": "2024-01-01", "kind": "a"});
                    let mut seen = std::collections::HashSet::new();
                    for count in 1..=20 {
                        let other = bodies.renewed(SCHEMA, &base, count);
                        assert!(bodies.is_valid(SCHEMA, &other), "{other}");
                        assert_eq!((&other["at"], &other["kind"]), (&base["at"], &base["kind"]));
                        seen.insert(other.to_string());
                    }
                    assert!(seen.len() > 9, "{schema}: {seen:?}");
                },
            );
        }
    }

    #[test]
    fn what_servers_misread_is_put_wherever_it_is_allowed() {
        let properties = "{code: {type: string}, on: {type: boolean}, n: {type: integer, minimum: 0}, price: {type: number, minimum: 0.01, multipleOf: 0.01}, at: {type: string, format: date-time}, pair: {type: array, items: {type: number}}, short: {type: string, maxLength: 1}}";
        with(properties, |bodies| {
            let base = json!({"code": "a", "on": true, "n": 3, "price": 1, "at": "2024-02-29T12:00:00Z", "pair": [0, 0], "short": "a"});
            let all = bodies.misreadable(SCHEMA, &base);
            assert!(
                all.iter().all(|one| bodies.is_valid(SCHEMA, one)),
                "{all:#?}"
            );
            assert_eq!(
                all[0],
                json!({"code": "Zoë O'Neil & 漢字 😀", "on": false, "n": 0, "price": 1234.35, "at": "2024-02-29T14:00:00+02:00", "pair": [12.5, 34.25], "short": "a"})
            );
            assert_eq!(all.len(), 3);
            assert_eq!(all[2]["code"], "a", "as plain as possible last");
            assert!(
                bodies
                    .misreadable(SCHEMA, &json!({"short": "a"}))
                    .is_empty()
            );
        });
    }
}

//! Making request bodies: the documented one, richer and different ones, each of which its schema accepts.

use serde_json::{Map, Value, json};

use super::naming::{is_reference, is_secret, is_version};
use crate::document::{Document, pointer};
use crate::drift::example_values;
use crate::finding::Sender;
use crate::schema::Schemas;

/// How deep bodies are changed.
const DEPTH: usize = 4;

/// The least integer above 0 that a float of 32 bits cannot hold.
const LARGE: u64 = (1 << 24) + 1;

/// Makes bodies of the schemas of a document.
pub(super) struct Bodies<'a> {
    pub(super) document: &'a Document,
    pub(super) schemas: &'a Schemas<'a>,
    pub(super) seed: u64,
}

/// A number that depends on nothing else than these (`SplitMix64` over FNV-1a).
pub(super) fn chance(seed: u64, name: &str, count: u64) -> u64 {
    let start =
        0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ count.rotate_left(32);
    let mixed = name.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Bodies<'_> {
    /// Values that a schema may accept, the simple ones first.
    fn examples(&self, schema: &str) -> Vec<Value> {
        let flagged = self.schemas.is_flagged();
        example_values(self.document, schema, Sender::Client, flagged)
    }

    pub(super) fn is_valid(&self, schema: &str, value: &Value) -> bool {
        self.schemas
            .faults(schema, value, Some(Sender::Client))
            .is_ok_and(|faults| faults.is_empty())
    }

    /// Bodies for one creation, the one that shows the most first: with optional members and long texts, with optional members, as
    /// documented. `count` tells one creation from another.
    pub(super) fn creations(&self, schema: &str, base: &Value, count: u64) -> Vec<Value> {
        let rich = self.enriched(schema, base);
        let mut all = vec![
            self.varied(schema, &rich, count),
            self.varied(schema, base, count),
            rich,
            base.clone(),
        ];
        if count == 0 {
            // Simple things first break last: the documented body is the last resort, and what differs least from it comes before.
            all.swap(1, 2);
        }
        let mut seen: Vec<Value> = Vec::new();
        for value in all {
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        seen
    }

    /// Bodies with the required members only, where one that is left out has a default.
    pub(super) fn least(&self, schema: &str, base: &Value, count: u64) -> Vec<Value> {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(&[schema.to_owned()]);
        let has_default = |name: &str| {
            let own = subschemas.in_place(&subschemas.member(&all, name).schemas());
            own.iter().any(|at| {
                subschemas
                    .object(at)
                    .is_some_and(|schema| schema.contains_key("default"))
            })
        };
        let mut members = base.as_object().cloned().unwrap_or_default();
        for name in base.as_object().into_iter().flatten().map(|(name, _)| name) {
            let mut fewer = members.clone();
            fewer.shift_remove(name);
            if has_default(name) && self.is_valid(schema, &Value::Object(fewer.clone())) {
                members = fewer;
            }
        }
        let left_out = self.optional(schema, &members);
        if !left_out.iter().any(|(name, _)| has_default(name)) {
            return Vec::new();
        }
        let least = Value::Object(members);
        vec![self.varied(schema, &least, count), least]
    }

    /// The body with the optional members that it lacks; with a seed other than 0 with some of them.
    fn enriched(&self, schema: &str, base: &Value) -> Value {
        let Some(members) = base.as_object() else {
            return base.clone();
        };
        let mut rich = members.clone();
        for (name, roots) in self.optional(schema, members) {
            let skipped = is_reference(&name) || is_version(&name) || name.starts_with('_');
            if skipped || self.seed != 0 && chance(self.seed, &name, 0).is_multiple_of(3) {
                continue;
            }
            for value in self.values(&roots, &name) {
                let mut more = rich.clone();
                more.insert(name.clone(), value);
                let more = Value::Object(more);
                if self.is_valid(schema, &more) {
                    rich = more.as_object().cloned().unwrap_or_default();
                    break;
                }
            }
        }
        Value::Object(rich)
    }

    /// The declared members that an object lacks, with their schemas.
    fn optional(&self, schema: &str, members: &Map<String, Value>) -> Vec<(String, Vec<String>)> {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(&[schema.to_owned()]);
        let unsent = crate::schema::direction::Unsent::new(subschemas, Some(Sender::Client));
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for at in &all {
            let properties = subschemas
                .object(at)
                .and_then(|schema| schema.get("properties")?.as_object());
            for name in properties.into_iter().flat_map(Map::keys) {
                let own = pointer::join(&pointer::join(at, "properties"), name);
                let is_known =
                    members.contains_key(name) || found.iter().any(|(known, _)| known == name);
                let is_deprecated = subschemas
                    .object(&own)
                    .is_some_and(|schema| schema.get("deprecated") == Some(&json!(true)));
                if !is_known && !is_deprecated && !unsent.is_unsent(&own) {
                    found.push((name.clone(), subschemas.member(&all, name).schemas()));
                }
            }
        }
        found
    }

    /// Values for a member, the most telling ones first: another one than the default, the documented examples, any.
    fn values(&self, roots: &[String], name: &str) -> Vec<Value> {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(roots);
        let objects: Vec<&Map<String, Value>> =
            all.iter().filter_map(|at| subschemas.object(at)).collect();
        let mut found = Vec::new();
        for schema in &objects {
            found.extend(
                schema
                    .get("examples")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            found.extend(schema.get("example").cloned());
        }
        if let Some(default) = objects.iter().find_map(|schema| schema.get("default")) {
            found.extend(self.others(roots, default, name, 0));
            found.push(default.clone());
        }
        found.retain(|value| !value.is_null());
        let made = roots
            .first()
            .map(|root| self.examples(root))
            .unwrap_or_default();
        // A number that rounding shows, before the smallest one: in binary these are a little less than they say, so that cents are lost
        // where they are cut off.
        if made.iter().any(Value::is_number) {
            found.extend([json!(1234.35), json!(19.99), json!(37), json!(7)]);
        }
        let (empty, rest): (Vec<Value>, Vec<Value>) = made
            .into_iter()
            .partition(|value| value.is_null() || value == &json!([]) || value == &json!({}));
        found.extend(rest);
        found.extend(empty.into_iter().filter(|value| !value.is_null()));
        found
    }

    /// The value with other scalars where free text or a choice allows it, so that two creations differ and texts are long.
    pub(super) fn varied(&self, schema: &str, base: &Value, count: u64) -> Value {
        self.changed(schema, base, count, false)
    }

    /// The value with other scalars wherever the schema allows it.
    pub(super) fn different(&self, schema: &str, base: &Value, count: u64) -> Value {
        self.changed(schema, base, count, true)
    }

    fn changed(&self, schema: &str, base: &Value, count: u64, all: bool) -> Value {
        let mut whole = base.clone();
        let mut leaves = Vec::new();
        self.leaves(base, &[schema.to_owned()], String::new(), 0, &mut leaves);
        for (at, roots, name) in leaves.into_iter().take(60) {
            let Some(old) = whole.pointer(&at).cloned() else {
                continue;
            };
            let free = self.is_free_text(&roots);
            let unique = free
                || ["email", "uri", "url"]
                    .iter()
                    .any(|format| self.has_format(&roots, format))
                    && count > 0;
            let chosen = all || self.seed != 0 && chance(self.seed, &at, count).is_multiple_of(2);
            if !unique && !chosen || is_reference(&name) || is_version(&name) {
                continue;
            }
            for other in self.others(&roots, &old, &name, count) {
                if let Some(place) = whole.pointer_mut(&at) {
                    *place = other;
                }
                if self.is_valid(schema, &whole) {
                    break;
                }
                if let Some(place) = whole.pointer_mut(&at) {
                    *place = old.clone();
                }
            }
        }
        whole
    }

    /// The scalars of a value, with their schemas and names.
    pub(super) fn leaves(
        &self,
        value: &Value,
        roots: &[String],
        at: String,
        depth: usize,
        found: &mut Vec<(String, Vec<String>, String)>,
    ) {
        let subschemas = self.schemas.subschemas();
        match value {
            Value::Object(members) if depth < DEPTH => {
                let all = subschemas.in_place(roots);
                for (name, member) in members {
                    let below = subschemas.member(&all, name).schemas();
                    self.leaves(member, &below, pointer::join(&at, name), depth + 1, found);
                }
            }
            Value::Object(_) | Value::Array(_) => {}
            _ => {
                let name = pointer::tokens(&at).last().unwrap_or_default();
                found.push((at, roots.to_vec(), name));
            }
        }
    }

    pub(super) fn is_free_text(&self, roots: &[String]) -> bool {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(roots);
        let mut objects = all.iter().filter_map(|at| subschemas.object(at)).peekable();
        let is_string = |schema: &Map<String, Value>| {
            schema.get("type").is_none_or(|name| {
                name == "string"
                    || name
                        .as_array()
                        .is_some_and(|all| all.contains(&json!("string")))
            })
        };
        objects.peek().is_some()
            && objects.clone().any(|schema| schema.contains_key("type"))
            && objects.all(|schema| {
                is_string(schema)
                    && !["enum", "const", "format", "pattern"]
                        .iter()
                        .any(|keyword| schema.contains_key(*keyword))
            })
    }

    pub(super) fn has_format(&self, roots: &[String], format: &str) -> bool {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(roots);
        all.iter()
            .filter_map(|at| subschemas.object(at)?.get("format"))
            .any(|known| known == format)
    }

    /// Other values in the place of one, for a member of this name; not all of them are valid.
    pub(super) fn others(
        &self,
        roots: &[String],
        old: &Value,
        name: &str,
        count: u64,
    ) -> Vec<Value> {
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(roots);
        let objects: Vec<&Map<String, Value>> =
            all.iter().filter_map(|at| subschemas.object(at)).collect();
        let chance = chance(self.seed, name, count);
        let mut found: Vec<Value> = Vec::new();
        let choices: Vec<&Value> = objects
            .iter()
            .filter_map(|schema| schema.get("enum")?.as_array())
            .flatten()
            .filter(|one| *one != old)
            .collect();
        if !choices.is_empty() {
            let first = usize::try_from(chance % choices.len() as u64).unwrap_or_default();
            found.extend(
                choices
                    .iter()
                    .cycle()
                    .skip(first)
                    .take(choices.len())
                    .map(|one| (*one).clone()),
            );
            return found;
        }
        let bound = |keyword: &'static str| {
            objects
                .iter()
                .filter_map(move |schema| schema.get(keyword)?.as_u64())
        };
        match old {
            Value::Bool(value) => found.push(json!(!value)),
            Value::Number(number) => {
                let step = i64::try_from(count % 1000 + 1).unwrap_or(1);
                if let Some(number) = number.as_i64() {
                    // Where it may be large: what a float of 32 bits cannot hold.
                    let is_large = bound("maximum").any(|most| most >= LARGE);
                    found.extend(is_large.then(|| json!(LARGE + count % 1000 * 2)));
                    found.extend([
                        json!(number.saturating_add(step)),
                        json!(number.saturating_sub(step)),
                    ]);
                    let multiple = bound("multipleOf")
                        .next()
                        .and_then(|multiple| i64::try_from(multiple).ok());
                    found.extend(multiple.map(|multiple| json!(number.saturating_add(multiple))));
                } else if let Some(number) = number.as_f64() {
                    found.extend([
                        json!(number + 1.0),
                        json!(number - 1.0),
                        json!(number / 2.0),
                    ]);
                }
                let edges = ["minimum", "maximum"]
                    .iter()
                    .flat_map(|keyword| objects.iter().filter_map(|schema| schema.get(*keyword)));
                found.extend(edges.cloned());
            }
            Value::String(text) => found.extend(self.texts(
                &objects,
                text,
                count,
                (bound("minLength").max(), bound("maxLength").min()),
            )),
            Value::Array(items) => {
                let below = subschemas.item(&all, 0);
                if let Some(first) = items.first() {
                    let other = self.others(&below, first, name, count).into_iter().next();
                    found.extend(other.map(|other| json!([other])));
                    found.extend((items.len() > 1).then(|| json!(items[..items.len() - 1])));
                } else {
                    let made = below
                        .first()
                        .map(|at| self.examples(at))
                        .unwrap_or_default();
                    found.extend(made.into_iter().take(3).map(|item| json!([item])));
                }
            }
            Value::Object(_) => {
                let root = roots.first().map(String::as_str).unwrap_or_default();
                let mut whole = old.clone();
                let mut leaves = Vec::new();
                self.leaves(old, roots, String::new(), 0, &mut leaves);
                for (at, roots, name) in leaves.into_iter().take(5) {
                    let (Some(old), false) = (
                        whole.pointer(&at).cloned(),
                        is_reference(&name) || is_secret(&name),
                    ) else {
                        continue;
                    };
                    for other in self.others(&roots, &old, &name, count) {
                        let mut changed = whole.clone();
                        if let Some(place) = changed.pointer_mut(&at) {
                            *place = other;
                        }
                        if self.is_valid(root, &changed) {
                            whole = changed;
                            break;
                        }
                    }
                }
                found.push(whole);
            }
            Value::Null => found.extend(self.values(roots, name)),
        }
        found.retain(|value| value != old);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "/components/schemas/Note";

    fn with<T>(seed: u64, properties: &str, run: impl FnOnce(&Bodies<'_>) -> T) -> T {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{}}\ncomponents:\n  schemas:\n    Note: {{type: object, required: [title], properties: {properties}}}\n"
        );
        let document = Document::parse("t", &text).unwrap();
        let schemas = Schemas::new(&document);
        run(&Bodies {
            document: &document,
            schemas: &schemas,
            seed,
        })
    }

    #[test]
    fn bodies_are_valid_the_richest_first_and_the_documented_one_last() {
        let properties = "{title: {type: string, maxLength: 80}, color: {enum: [red, blue], default: red}, size: {type: integer, minimum: 1, maximum: 9}, id: {type: string, readOnly: true}, ownerId: {type: string}, tags: {type: array, items: {type: string}}, at: {type: string, format: date-time}}";
        with(0, properties, |bodies| {
            let base = json!({"title": "Groceries"});
            for count in 0..3 {
                let all = bodies.creations(SCHEMA, &base, count);
                assert!(
                    all.iter().all(|body| bodies.is_valid(SCHEMA, body)),
                    "{all:#?}"
                );
                assert_eq!(all.last(), Some(&base));
                let rich = all[0].as_object().unwrap();
                for name in ["color", "size", "tags", "at"] {
                    assert!(rich.contains_key(name), "{rich:?}");
                }
                assert_eq!(rich["color"], "blue", "not the default");
                assert!(!rich.contains_key("id") && !rich.contains_key("ownerId"));
                assert_eq!(rich["title"].as_str().unwrap().chars().count(), 80);
            }
            let titles: Vec<Value> = (0..3)
                .map(|count| bodies.creations(SCHEMA, &base, count)[0]["title"].clone())
                .collect();
            assert!(titles[0] != titles[1] && titles[1] != titles[2]);
        });
    }

    #[test]
    fn every_seed_gives_valid_bodies_and_the_same_ones_again() {
        let properties = "{title: {type: string, minLength: 3, maxLength: 12}, kind: {enum: [a, b, c]}, on: {type: boolean}, n: {type: number, exclusiveMinimum: 0}, code: {type: string, pattern: '^[A-Z]{3}$', example: GBP}}";
        let base = json!({"title": "abc", "kind": "a", "on": true, "n": 0.5, "code": "EUR"});
        let mut different = std::collections::HashSet::new();
        for seed in 0..50 {
            let made = |bodies: &Bodies<'_>| bodies.creations(SCHEMA, &base, 0);
            let (one, again) = (with(seed, properties, made), with(seed, properties, made));
            assert_eq!(one, again);
            assert!(
                one.iter()
                    .all(|body| with(seed, properties, |bodies| bodies.is_valid(SCHEMA, body))),
                "{one:#?}"
            );
            different.insert(one[0].to_string());
        }
        assert!(different.len() > 20, "{}", different.len());
    }

    #[test]
    fn a_member_gets_another_valid_value() {
        let properties = "{title: {type: string}, url: {type: string, format: uri}, on: {type: boolean}, size: {type: integer, minimum: 1, maximum: 2}, kind: {enum: [a, b]}, list: {type: array, items: {enum: [x, y]}}, o: {type: object, properties: {k: {type: string}}}}";
        with(0, properties, |bodies| {
            for (name, old) in [
                ("title", json!("t")),
                ("url", json!("https://example.com/a")),
                ("on", json!(true)),
                ("size", json!(1)),
                ("size", json!(2)),
                ("kind", json!("b")),
                ("list", json!(["x"])),
                ("o", json!({"k": "v"})),
            ] {
                let others = bodies.others(&[format!("{SCHEMA}/properties/{name}")], &old, name, 1);
                let with = |other: &Value| {
                    let mut body = json!({"title": "t"});
                    body[name] = other.clone();
                    body
                };
                let valid = others
                    .iter()
                    .find(|other| bodies.is_valid(SCHEMA, &with(other)));
                assert!(
                    valid.is_some_and(|other| *other != old),
                    "{name}: {others:?}"
                );
            }
        });
    }
}

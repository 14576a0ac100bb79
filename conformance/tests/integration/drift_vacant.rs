//! Changes to parts that no value can have do not break anybody, in whatever way a schema says so.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity};
use serde_json::{Value, json};

use crate::drift_support::carrier::{api, found};
use crate::drift_support::{document, faults};

/// Whether nothing that is found may break anybody, from either side and whoever sends it.
fn harmless(old: &Value, new: &Value) -> Result<(), String> {
    for (old, new) in [(old, new), (new, old)] {
        for sent in [true, false] {
            let findings = found(sent, old, new);
            let harms = findings
                .iter()
                .find(|finding| finding.severity < Severity::Warning);
            if let Some(harms) = harms {
                return Err(format!("{old} to {new}, {sent}: {:?}", harms.message));
            }
        }
    }
    Ok(())
}

/// Schemas around a schema that no value comes to.
fn dead_ends(inner: &Value) -> Vec<Value> {
    let string = json!({"type": "string"});
    vec![
        json!({"type": "array", "maxItems": 0, "items": inner}),
        json!({"type": "array", "maxItems": 1, "prefixItems": [string, inner]}),
        json!({"type": "array", "maxItems": 1, "prefixItems": [string], "items": inner}),
        json!({"type": "array", "prefixItems": [false, inner]}),
        json!({"type": "array", "minItems": 3, "maxItems": 2, "items": inner}),
        json!({"type": "array", "contains": string, "minContains": 2, "maxItems": 1, "items": inner}),
        json!({"type": "string", "items": inner}),
        json!({"type": "string", "properties": {"a": inner}}),
        json!({"type": "object", "maxProperties": 0, "properties": {"a": inner}}),
        json!({"type": "object", "maxProperties": 0, "patternProperties": {"^a": inner}}),
        json!({"type": "object", "maxProperties": 0, "additionalProperties": inner}),
        json!({"type": "object", "maxProperties": 1, "properties": {"a": inner}, "required": ["b"]}),
        json!({"type": "object", "additionalProperties": false, "properties": {"a": inner}, "required": ["b"]}),
        json!({"type": "object", "additionalProperties": false, "properties": {"a": inner}, "minProperties": 2}),
        json!({"type": "object", "minProperties": 3, "maxProperties": 2, "properties": {"a": inner}}),
        json!({"type": "object", "properties": {"a": inner, "b": false}, "required": ["b"]}),
        json!({"type": "object", "properties": {"a": inner, "b": {"type": "string", "enum": [1]}}, "required": ["b"]}),
        json!({"type": "object", "propertyNames": {"enum": ["x"]}, "properties": {"a": inner}}),
        json!({"type": "object", "propertyNames": false, "properties": {"a": inner}}),
        json!({"type": "object", "propertyNames": {"enum": ["b"]}, "properties": {"b": string}, "additionalProperties": inner}),
        json!({"const": {"x": 1}, "properties": {"a": inner}}),
        json!({"enum": [[], ["a"]], "prefixItems": [string, inner]}),
        json!({"allOf": [false, {"properties": {"a": inner}}]}),
        json!({"allOf": [{"type": "integer", "minimum": 5, "maximum": 1}], "properties": {"a": inner}}),
    ]
}

/// Schemas that accept nothing.
fn nothings() -> Vec<Value> {
    vec![
        json!({"type": "integer", "minimum": 5, "maximum": 1}),
        json!({"type": "integer", "minimum": 5, "maximum": -18_446_744_073_709_551_616.0}),
        json!({"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 6}),
        json!({"type": "number", "minimum": 1, "maximum": 9, "multipleOf": 10}),
        json!({"type": "integer", "format": "int32", "minimum": 3_000_000_000_u32}),
        json!({"type": "integer", "format": "uint8", "maximum": -1}),
        json!({"type": "string", "minLength": 6_000_000, "maxLength": 5_000_000}),
        json!({"type": "string", "enum": [1, 2]}),
        json!({"multipleOf": 10, "enum": [1, 2]}),
        json!({"maximum": 10, "const": 11}),
        json!({"oneOf": [{"type": "string"}, {"type": "string"}]}),
        json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
        json!({"allOf": [{"minimum": 5}, {"maximum": 1}], "type": "integer"}),
        json!({"allOf": [{"enum": ["a"]}, {"enum": ["b"]}]}),
        json!({"not": {}}),
        json!({"type": "string", "not": {"type": "string"}}),
    ]
}

#[test]
fn what_accepts_nothing_may_become_another_schema_that_accepts_nothing() {
    let mut faults = Vec::new();
    for old in nothings() {
        for new in nothings() {
            faults.extend(harmless(&old, &new).err());
            let member = |schema: &Value| json!({"type": "object", "additionalProperties": false, "properties": {"a": schema}});
            faults.extend(harmless(&member(&old), &member(&new)).err());
        }
        // A value that must have such a member is never sent.
        let around = |kind: &str| json!({"type": "object", "required": ["z"], "properties": {"z": old, "a": {"type": kind}}});
        faults.extend(harmless(&around("string"), &around("integer")).err());
        // A closed object does not have the member either way.
        let closed =
            json!({"type": "object", "additionalProperties": false, "properties": {"b": {}}});
        let mut more = closed.clone();
        more["properties"]["a"] = old.clone();
        faults.extend(harmless(&closed, &more).err());
    }
    faults::assert_none(&faults);
}

#[test]
fn a_bound_behind_a_tighter_one_changes_nothing() {
    for (old, new) in [
        (
            r#"{"type": "integer", "format": "int32", "maximum": 18446744073709551616}"#,
            r#"{"type": "integer", "format": "int32", "maximum": 18446744073709551617}"#,
        ),
        (
            r#"{"type": "integer", "format": "int32"}"#,
            r#"{"type": "integer", "format": "int32", "maximum": 18446744073709551617}"#,
        ),
        (
            r#"{"type": "integer", "format": "uint8"}"#,
            r#"{"type": "integer", "format": "uint8", "minimum": 0}"#,
        ),
        (
            r#"{"type": "number", "maximum": 5, "exclusiveMaximum": 18446744073709551616}"#,
            r#"{"type": "number", "maximum": 5, "exclusiveMaximum": 18446744073709551617}"#,
        ),
    ] {
        let document = |schema: &str| {
            let text = format!(
                r#"{{"openapi": "3.1.0", "info": {{"title": "t", "version": "1"}}, "paths": {{"/a": {{"post": {{"requestBody": {{"content": {{"application/json": {{"schema": {schema}}}}}}}, "responses": {{"200": {{"description": "d", "content": {{"application/json": {{"schema": {schema}}}}}}}}}}}}}}}}}"#
            );
            Document::parse("d", &text).expect("a document")
        };
        let (old, new) = (document(old), document(new));
        assert_eq!(compare(&old, &new, &Options::default()), []);
        assert_eq!(compare(&new, &old, &Options::default()), []);
    }
}

#[test]
fn nothing_breaks_where_no_value_comes() {
    let changes = [
        (json!({"type": "string"}), json!({"type": "integer"})),
        (
            json!({"type": "string", "maxLength": 50_000}),
            json!({"type": "string", "maxLength": 40_000}),
        ),
        (
            json!({"type": "object", "properties": {"m": {"type": "string"}}}),
            json!({"type": "object", "properties": {"m": {"type": "string"}}, "required": ["m"]}),
        ),
        (
            json!({"type": "object", "properties": {"m": {"type": "string"}, "n": {}}}),
            json!({"type": "object", "properties": {"m": {"type": "string"}}}),
        ),
        (json!({"enum": ["a", "b"]}), json!({"enum": ["a"]})),
    ];
    let mut faults = Vec::new();
    for (old, new) in &changes {
        for (one, other) in dead_ends(old).into_iter().zip(dead_ends(new)) {
            let nested = |schema: &Value| json!({"type": "object", "properties": {"deep": schema}});
            faults.extend(harmless(&one, &other).err());
            faults.extend(harmless(&nested(&one), &nested(&other)).err());
        }
    }
    faults::assert_none(&faults);
}

#[test]
fn a_property_that_no_value_has_may_go() {
    for (old, new) in [
        (
            json!({"type": "object", "maxProperties": 0, "properties": {"a": {}, "b": {}}}),
            json!({"type": "object", "maxProperties": 0, "properties": {"a": {}}}),
        ),
        (
            json!({"type": "object", "additionalProperties": false, "properties": {"a": {}, "c": {}}, "required": ["b"]}),
            json!({"type": "object", "additionalProperties": false, "properties": {"a": {}}, "required": ["b"]}),
        ),
        (
            json!({"type": "object", "propertyNames": {"enum": ["x"]}, "properties": {"a": {}, "b": {}}}),
            json!({"type": "object", "propertyNames": {"enum": ["x"]}, "properties": {"a": {}}}),
        ),
    ] {
        harmless(&old, &new).unwrap_or_else(|fault| panic!("{fault}"));
    }
}

#[test]
fn what_some_value_has_is_judged_as_ever() {
    let (old, new) = (json!({"type": "string"}), json!({"type": "integer"}));
    let with = |inner: &Value| {
        vec![
            json!({"type": "array", "maxItems": 1, "items": inner}),
            json!({"type": "array", "maxItems": 2, "prefixItems": [{}, inner]}),
            json!({"type": ["array", "string"], "minLength": 3, "maxLength": 2, "items": inner}),
            json!({"type": "object", "maxProperties": 1, "properties": {"a": inner}}),
            json!({"type": "object", "maxProperties": 2, "properties": {"a": inner}, "required": ["b"]}),
            json!({"type": "object", "propertyNames": {"enum": ["a"]}, "properties": {"a": inner}}),
            json!({"type": "object", "additionalProperties": false, "properties": {"a": inner}, "patternProperties": {"^b": {}}, "required": ["b"]}),
            json!({"type": "object", "properties": {"a": inner, "b": false}}),
            json!({"enum": [{"a": "x"}, {"a": 1}], "properties": {"a": inner}}),
        ]
    };
    for (one, other) in with(&old).into_iter().zip(with(&new)) {
        for sent in [true, false] {
            let findings = found(sent, &one, &other);
            assert!(
                findings
                    .iter()
                    .any(|one| one.severity == Severity::Breaking && one.witness.is_some()),
                "{one} to {other}, {sent}: {findings:?}"
            );
        }
    }
    // A schema that accepted nothing accepts something now.
    let nothing = json!({"type": "object", "properties": {"a": {"type": "string", "enum": [1]}}, "required": ["a"]});
    let some = json!({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}, "required": ["a"]});
    let findings = found(false, &nothing, &some);
    assert!(
        findings
            .iter()
            .any(|one| one.severity == Severity::Breaking),
        "{findings:?}"
    );
    // A member that only the server sends is not required of clients.
    let flagged = |kind: &str| json!({"type": "object", "maxProperties": 1, "properties": {"a": {"type": kind}, "id": {"type": "string", "readOnly": true}}, "required": ["id"]});
    let findings = found(true, &flagged("string"), &flagged("integer"));
    assert!(
        findings
            .iter()
            .any(|one| one.severity == Severity::Breaking),
        "{findings:?}"
    );
}

/// Objects that require and allow members in all ways that matter to one another.
fn objects() -> Vec<Value> {
    let mut all = Vec::new();
    let members = [
        json!({}),
        json!({"a": false}),
        json!({"a": {"type": "string"}}),
        json!({"a": {"type": "integer", "minimum": 3, "maximum": 2}}),
    ];
    for required in [json!([]), json!(["a"]), json!(["b"]), json!(["a", "b"])] {
        for others in [json!(true), json!(false), json!({"type": "string"})] {
            for properties in &members {
                for extra in [
                    json!({}),
                    json!({"maxProperties": 0}),
                    json!({"propertyNames": false}),
                    json!({"propertyNames": {"enum": ["b"]}}),
                ] {
                    let mut schema = json!({"type": "object", "required": required, "additionalProperties": others, "properties": properties});
                    let schema_members = schema.as_object_mut().expect("an object");
                    schema_members.extend(extra.as_object().expect("an object").clone());
                    all.push(schema);
                }
            }
        }
    }
    all
}

/// Objects that schemas of [`objects`] tell apart.
fn instances() -> Vec<Value> {
    let values = [None, Some(json!("s")), Some(json!(1))];
    let mut all = Vec::new();
    for a in &values {
        for b in &values {
            let members = [("a", a), ("b", b)].into_iter();
            let members =
                members.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
            all.push(Value::Object(members.collect()));
        }
    }
    all
}

#[test]
fn objects_that_are_valid_in_one_document_only_are_always_found() {
    let schemas = objects();
    let instances = instances();
    let accepted = |schema: &Value| {
        let validator = jsonschema::validator_for(schema).expect("a schema");
        let accepted = instances.iter().map(|one| validator.is_valid(one));
        accepted.collect::<Vec<bool>>()
    };
    let accepted: Vec<Vec<bool>> = schemas.iter().map(accepted).collect();
    let mut faults = Vec::new();
    for (index, old) in schemas.iter().enumerate() {
        // All changes of what accepts nothing, and some of the rest.
        let is_empty = !accepted[index].contains(&true);
        for (other, new) in schemas.iter().enumerate() {
            let step = if is_empty { 11 } else { 101 };
            if (index * 31 + other) % step != 0 {
                continue;
            }
            let any_type = |schema: &Value| {
                let mut schema = schema.clone();
                schema["type"] = json!(["object", "null"]);
                schema
            };
            let lost = |from: usize, to: usize| {
                let mut both = accepted[from].iter().zip(&accepted[to]);
                both.any(|(from, to)| *from && !to)
            };
            for (sent, differs) in [(true, lost(index, other)), (false, lost(other, index))] {
                for (old, new) in [(old, new), (&any_type(old), &any_type(new))] {
                    let said = found(sent, old, new);
                    let told = said.iter().any(|one| one.severity <= Severity::Warning);
                    if differs && !told {
                        faults.push(format!("{old} to {new}, {sent}"));
                    }
                }
            }
        }
    }
    faults::assert_none(&faults);
}

#[test]
fn a_place_that_accepts_nothing_may_be_opened_by_its_own_schema() {
    let string = json!({"type": "string"});
    for (old, new) in [
        (
            json!({"type": "object", "additionalProperties": false}),
            json!({"type": "object", "additionalProperties": string}),
        ),
        (
            json!({"type": "object", "additionalProperties": false, "required": ["b"], "properties": {"a": string}}),
            json!({"type": "object", "additionalProperties": string, "required": ["b"], "properties": {"a": string}}),
        ),
        (
            json!({"type": "object", "propertyNames": false, "required": ["a"]}),
            json!({"type": "object", "propertyNames": {"maxLength": 3}, "required": ["a"]}),
        ),
        (
            json!({"type": "object", "propertyNames": {"enum": ["b"]}, "required": ["a"]}),
            json!({"type": "object", "propertyNames": {"enum": ["a", "b"]}, "required": ["a"]}),
        ),
        (
            json!({"required": ["a", "b"], "maxProperties": 0}),
            json!({"maxProperties": 0}),
        ),
        (
            json!({"type": "object", "additionalProperties": false, "maxProperties": 0}),
            json!({"type": "object", "additionalProperties": string}),
        ),
    ] {
        for (sent, old, new) in [(false, &old, &new), (true, &new, &old)] {
            let findings = found(sent, old, new);
            let breaks = findings
                .iter()
                .any(|one| one.severity == Severity::Breaking);
            assert!(breaks, "{old} to {new}, {sent}: {findings:?}");
        }
    }
}

/// The findings of components, of which `A` is sent or answered.
fn found_of(sent: bool, old: &Value, new: &Value) -> Vec<Finding> {
    let [old, new] = [old, new].map(|schemas| {
        let mut value = api(sent, &json!({"$ref": "#/components/schemas/A"}));
        value["components"] = json!({"schemas": schemas});
        document("d", &value)
    });
    compare(&old, &new, &Options::default())
}

#[test]
fn a_schema_that_needs_a_smaller_value_of_itself_without_end_accepts_nothing() {
    let a = json!({"$ref": "#/components/schemas/A"});
    let b = json!({"$ref": "#/components/schemas/B"});
    let holder = |inner: &Value, beside: &Value| json!({"type": "object", "required": ["next"], "properties": {"next": inner, "n": beside}});
    let (few, many) = (json!({"maximum": 5}), json!({"maximum": 9}));
    let with = |beside: &Value| {
        let list = json!({"type": "array", "minItems": 1, "items": a, "contains": beside});
        let held = holder(&a, beside);
        vec![
            json!({"A": held}),
            json!({"A": holder(&b, beside), "B": held}),
            json!({"A": holder(&b, beside), "B": {"allOf": [a, {"properties": {"n": beside}}]}}),
            json!({"A": {"anyOf": [held, list]}}),
            json!({"A": holder(&list, beside)}),
            json!({"A": {"type": "object", "required": ["next"], "additionalProperties": a, "properties": {"n": beside}, "maxProperties": 1}}),
        ]
    };
    for (old, new) in with(&few).into_iter().zip(with(&many)) {
        for (old, new) in [(&old, &new), (&new, &old)] {
            for sent in [true, false] {
                let findings = found_of(sent, old, new);
                assert!(findings.is_empty(), "{old} to {new}, {sent}: {findings:?}");
            }
        }
    }
    // Another way out, and values there are.
    let ends = |beside: &Value| {
        let held = holder(&a, beside);
        let optional = json!({"type": "object", "properties": {"next": a, "n": beside}});
        vec![
            json!({"A": optional}),
            json!({"A": {"anyOf": [held, {"type": "object", "required": ["n"], "properties": {"n": beside}}]}}),
            json!({"A": holder(&json!({"type": "array", "items": a}), beside)}),
            json!({"A": holder(&b, beside), "B": {"type": ["object", "null"], "required": ["next"], "properties": {"next": a}}}),
            json!({"A": {"type": "object", "required": ["x", "y"], "properties": {"x": b, "y": b, "n": beside}}, "B": {"anyOf": [a, {"type": "string"}]}}),
        ]
    };
    for (old, new) in ends(&many).into_iter().zip(ends(&few)) {
        let gravest = |sent, old, new| {
            found_of(sent, old, new)
                .into_iter()
                .map(|one| one.severity)
                .min()
        };
        assert_eq!(gravest(true, &old, &new), Some(Severity::Breaking), "{old}");
        assert_eq!(
            gravest(false, &new, &old),
            Some(Severity::Breaking),
            "{old}"
        );
    }
}

#[test]
fn a_schema_that_comes_to_need_itself_without_end_breaks_who_sends_it() {
    let holder = |required: &[&str]| json!({"A": {"type": "object", "required": required, "properties": {"next": {"$ref": "#/components/schemas/A"}}}});
    let (open, closed) = (holder(&[]), holder(&["next"]));
    for sent in [true, false] {
        let gravest = |old, new| {
            found_of(sent, old, new)
                .into_iter()
                .map(|one| one.severity)
                .min()
        };
        assert_eq!(gravest(&open, &closed), Some(Severity::Breaking), "{sent}");
    }
    let opened = found_of(false, &closed, &open);
    assert_eq!(
        opened.iter().map(|one| one.severity).min(),
        Some(Severity::Breaking)
    );
    let opened = found_of(true, &closed, &open);
    assert_eq!(
        opened.iter().map(|one| one.severity).min(),
        Some(Severity::Warning)
    );
}

//! Two independent derivations of each wire type's schema, utoipa's (the emitted document) and schemars', must judge the same values
//! alike; and serde must read what the emitted document accepts.
//!
//! Compared are the members: their types, and which of them are required or may be null. Constraints of values (lengths, patterns,
//! formats, enumerations, conditions) are written once, for utoipa; their second opinion is the source document.

use jsonschema::{Draft, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::app::APIS;
use crate::operator;
use crate::provider::fixtures::BUILT;

/// A wire type as schemars and serde see it.
pub(crate) struct WireType {
    name: &'static str,
    schema: Value,
    reads: Option<fn(&Value) -> bool>,
    valid: Value,
}

/// Describes the body of a request that the emitted document knows as `name`; `valid` is a value with every member.
pub(crate) fn request<T: JsonSchema + DeserializeOwned>(
    name: &'static str,
    valid: Value,
) -> WireType {
    let reads: fn(&Value) -> bool = |value| serde_json::from_value::<T>(value.clone()).is_ok();
    WireType {
        reads: Some(reads),
        ..answer::<T>(name, valid)
    }
}

/// Describes a part of an answer, which we write and never read.
pub(crate) fn answer<T: JsonSchema>(name: &'static str, valid: Value) -> WireType {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    WireType {
        name,
        schema,
        reads: None,
        valid,
    }
}

/// Keywords that constrain values of one type, or that hold under conditions.
const CONSTRAINTS: [&str; 18] = [
    "anyOf",
    "const",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "then",
    "uniqueItems",
    "not",
];

/// The schemas without constraints.
fn members_only(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let kept = keywords.iter().filter(|(name, value)| {
                let condition = *name != "anyOf" || is_condition(value);
                !(CONSTRAINTS.contains(&name.as_str()) && condition)
            });
            let kept = kept.map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    // Names of members, not keywords.
                    ("properties" | "$defs" | "schemas", Value::Object(members)) => {
                        let members = members.iter();
                        let members =
                            members.map(|(name, schema)| (name.clone(), members_only(schema)));
                        members.collect()
                    }
                    _ => members_only(value),
                };
                (name.clone(), value)
            });
            kept.collect()
        }
        Value::Array(items) => items.iter().map(members_only).collect(),
        other => other.clone(),
    }
}

/// Whether the branches of an `anyOf` only require members.
fn is_condition(branches: &Value) -> bool {
    let branches = branches.as_array().into_iter().flatten();
    let mut objects = branches.filter_map(Value::as_object);
    objects.all(|branch| branch.keys().all(|name| name == "required"))
}

fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .unwrap()
}

/// `valid`, and `valid` with one place changed in one way: each member left out, replaced by values of every type and size, and an
/// unknown member added.
fn instances(valid: &Value) -> Vec<Value> {
    let mut all = vec![valid.clone()];
    change_everywhere(valid, &mut |changed| all.push(changed));
    all
}

fn change_everywhere(value: &Value, found: &mut dyn FnMut(Value)) {
    let long = "x".repeat(3_000);
    let texts = [
        "",
        "x",
        &long,
        "null",
        "https://example.com/",
        "HTTP://example.com",
        "ftp://example.com",
        "https://",
        "a b",
        "123e4567-e89b-12d3-a456-426614174000",
        "123E4567-E89B-12D3-A456-426614174000",
        "123e4567e89b12d3a456426614174000",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.123Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "a\nb",
        "a\tb",
        "ä",
        "enabled",
        "disabled",
        "counterparty.active",
        "Counterparty.active",
        "BoxCredited",
        "boxCredited",
        "client_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "client_2zsj24vsMLU9emYzu2rZXlJhQs",
        "whk_2ofTA13AD0xBtbEvBl20aEb1hEu",
    ];
    for other in [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!([]),
        json!({}),
    ] {
        found(other);
    }
    for number in [1, 100, 1_000, 1_001, 4_294_967_295_u64, 4_294_967_296] {
        found(json!(number));
    }
    for text in texts {
        found(json!(text));
    }
    match value {
        Value::Object(object) => {
            for name in object.keys() {
                let mut without = object.clone();
                without.shift_remove(name);
                found(Value::Object(without));
                change_everywhere(&object[name], &mut |changed| {
                    let mut with = object.clone();
                    with.insert(name.clone(), changed);
                    found(Value::Object(with));
                });
            }
            let mut with = object.clone();
            with.insert("unknown".to_owned(), json!(1));
            found(Value::Object(with));
        }
        Value::Array(items) => {
            for index in 0..items.len() {
                change_everywhere(&items[index], &mut |changed| {
                    let mut with = items.clone();
                    with[index] = changed;
                    found(Value::Array(with));
                });
            }
            let twice: Vec<Value> = items.iter().chain(items).cloned().collect();
            found(Value::Array(twice));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(super) fn assert_agreement(document: &Value, types: Vec<WireType>) {
    let mut judged = (0_u32, 0_u32);
    for wire in types {
        let emitted_schema = json!({
            "$ref": format!("#/components/schemas/{}", wire.name),
            "components": { "schemas": document.pointer("/components/schemas") },
        });
        let emitted = compile(&emitted_schema);
        let members = compile(&members_only(&emitted_schema));
        let derived = compile(&members_only(&wire.schema));
        let name = wire.name;
        assert!(
            emitted.is_valid(&wire.valid),
            "{name}: the valid value is refused"
        );
        for instance in instances(&wire.valid) {
            let (by_utoipa, by_schemars) =
                (members.is_valid(&instance), derived.is_valid(&instance));
            assert_eq!(
                by_utoipa, by_schemars,
                "{name}: utoipa and schemars disagree on {instance}"
            );
            if by_utoipa {
                judged.0 += 1;
            } else {
                judged.1 += 1;
            }
            if emitted.is_valid(&instance) {
                assert!(
                    wire.reads.is_none_or(|reads| reads(&instance)),
                    "{name}: serde refuses {instance}"
                );
            }
        }
    }
    assert!(
        judged.0 > 100 && judged.1 > 500,
        "few values were judged: {judged:?}"
    );
}

#[test]
fn utoipa_schemars_and_serde_agree_on_every_wire_type_of_every_provider() {
    for built in BUILT.iter() {
        assert_agreement(&built.api.document, built.provider.wire_types());
    }
}

#[test]
fn utoipa_schemars_and_serde_agree_on_every_wire_type_of_the_operator_api() {
    let types = operator::wire_types();
    let document = APIS.document("operator");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let forgotten: Vec<&String> = schemas
        .keys()
        .filter(|name| types.iter().all(|wire| wire.name != *name))
        .collect();
    assert_eq!(forgotten, Vec::<&String>::new());
    assert_agreement(&document, types);
}

#[test]
fn the_agreement_is_refused_when_one_side_lets_a_member_be_left_out() {
    #[derive(JsonSchema, serde::Deserialize)]
    #[expect(dead_code, reason = "read by schemars and serde only")]
    struct Forgetful {
        url: Option<String>,
    }
    let document = json!({ "components": { "schemas": { "Forgetful": {
        "type": "object", "required": ["url"], "properties": { "url": { "type": "string" } },
    } } } });
    let types = vec![request::<Forgetful>("Forgetful", json!({ "url": "x" }))];
    assert!(std::panic::catch_unwind(|| assert_agreement(&document, types)).is_err());
}

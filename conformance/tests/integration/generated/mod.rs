//! Generated cases, held against another reading of what is sent: valid ones are accepted, and refused ones are rejected.

mod random_schemas;
mod reader;
mod regressions;

use conformance::case::{Case, Intent, Refusal};
use conformance::document::Document;
use conformance::generate::Generator;
use conformance::samples;
use conformance::schema::Schemas;
use serde_json::{Map, Value, json};

use reader::Place;

/// How many cases of each kind a schema gave.
#[derive(Debug, Default)]
struct Counts {
    valid: usize,
    refused: usize,
}

/// A document whose only operation has the schema at a place.
fn document(place: Place, schema: &Value, components: &Value) -> Value {
    let media = |name: &str| json!({"required": true, "content": {name: {"schema": schema}}});
    let parameter = |within: &str| {
        let mut parameter = json!({"in": within, "name": "p", "required": true, "schema": schema});
        if let Place::Query { explode } = place {
            parameter["explode"] = json!(explode);
        }
        parameter
    };
    let mut operation = json!({"responses": {"200": {"description": "d"}}});
    match place {
        Place::Json => operation["requestBody"] = media("application/json"),
        Place::Form => operation["requestBody"] = media("application/x-www-form-urlencoded"),
        Place::Multipart => operation["requestBody"] = media("multipart/form-data"),
        Place::Text => operation["requestBody"] = media("text/plain"),
        Place::Query { .. } => operation["parameters"] = json!([parameter("query")]),
        Place::Path => operation["parameters"] = json!([parameter("path")]),
        Place::Header => operation["parameters"] = json!([parameter("header")]),
        Place::Cookie => operation["parameters"] = json!([parameter("cookie")]),
    }
    let path = match place {
        Place::Path => "/a/{p}",
        _ => "/a",
    };
    let method = match place {
        Place::Json | Place::Form | Place::Multipart | Place::Text => "post",
        _ => "get",
    };
    json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {path: {method: operation}},
        "components": {"schemas": components},
    })
}

/// Whether a case says something about the value.
fn is_about_value(case: &Case) -> Option<bool> {
    match case.intent {
        Intent::Valid => Some(true),
        Intent::Refused(Refusal::Invalid) => Some(false),
        _ => None,
    }
}

/// Reads all cases of the schema at a place, and says which are not what they are made for.
fn hold(place: Place, schema: &Value, components: &Value, seed: u64) -> (Counts, Vec<String>) {
    let text = document(place, schema, components).to_string();
    let document = Document::parse("t.json", &text).expect("the document parses");
    let mut whole = schema.as_object().cloned().unwrap_or_else(|| {
        let all = Value::from(vec![schema.clone()]);
        Map::from_iter([("allOf".to_owned(), all)])
    });
    whole.insert("components".to_owned(), json!({"schemas": components}));
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(&Value::Object(whole))
        .expect("a schema");
    let schemas = Schemas::new(&document);
    let generator = Generator::new(&document, &schemas);
    let operations = document.operations();
    let samples = samples::plan(&document, &operations[0]).cases;
    let mut cases = generator.cases(&operations[0], &samples, 3_000);
    cases.extend(generator.random(&operations[0], &samples, seed, 30));
    let (mut counts, mut wrong) = (Counts::default(), Vec::new());
    for case in &cases {
        let Some(expected) = is_about_value(case) else {
            continue;
        };
        let read = reader::read(place, schema, case);
        let accepted = read.iter().any(|value| validator.is_valid(value));
        match expected {
            true => counts.valid += 1,
            false => counts.refused += 1,
        }
        if accepted != expected {
            let body = case
                .body
                .as_ref()
                .map(|body| String::from_utf8_lossy(&body.bytes).into_owned());
            wrong.push(format!(
                "{}: accepted {accepted}, {:?} {:?} {:?} {body:?} read as {read:?}, schema {schema}",
                case.sample, case.query, case.path.first(), case.overrides,
            ));
        }
    }
    (counts, wrong)
}

#[test]
fn lists_of_different_items_are_made_of_any_items() {
    let many: Vec<u32> = (0..150).collect();
    for items in [
        json!({"type": "boolean"}),
        json!({"enum": ["red", "green", "blue"]}),
        json!({"type": "object", "required": ["on"], "properties": {"on": {"type": "boolean"}}, "additionalProperties": false}),
        json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "size": {"type": "integer"}}}),
        json!({"type": "object", "properties": {"kind": {"enum": ["a", "b"]}, "on": {"type": "boolean"}}, "required": ["kind"]}),
        json!({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2}),
        json!({"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}}}, "minItems": 2, "uniqueItems": true}),
        json!({"oneOf": [{"type": "object", "required": ["a"], "properties": {"a": {"const": 1}}}, {"type": "object", "required": ["b"], "properties": {"b": {"const": 2}}}]}),
    ] {
        let schema = json!({"type": "array", "items": items, "minItems": 2, "uniqueItems": true});
        let (counts, wrong) = hold(Place::Json, &schema, &json!({}), 1);
        assert!(
            counts.valid > 0 && counts.refused > 0,
            "{items}: {counts:?}"
        );
        assert_eq!(wrong, Vec::<String>::new());
    }
    for items in [
        json!({"enum": many}),
        json!({"type": "integer", "minimum": 1, "maximum": 200}),
        json!({"type": "number", "minimum": 0, "maximum": 1}),
        json!({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "format": "date"}),
        json!({"type": "string", "minLength": 2, "maxLength": 2}),
        json!({"type": "object", "required": ["id", "at"], "properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}}),
    ] {
        let schema = json!({"type": "array", "items": items, "minItems": 150, "maxItems": 150, "uniqueItems": true});
        let (counts, wrong) = hold(Place::Json, &schema, &json!({}), 1);
        assert!(
            counts.valid > 0 && counts.refused > 0,
            "{items}: {counts:?}"
        );
        assert_eq!(wrong, Vec::<String>::new());
    }
}

#[test]
fn valid_requests_have_the_end_of_a_span_behind_its_start() {
    let time = json!({"type": "string", "format": "date-time"});
    let count = json!({"type": "integer", "minimum": 1, "maximum": 9});
    let schema = json!({
        "type": "object",
        "required": ["from", "to"],
        "properties": {
            "from": time, "to": time,
            "size": {"type": "object", "properties": {"min": count, "max": count}},
        },
    });
    let text = document(Place::Json, &schema, &json!({})).to_string();
    let document = Document::parse("t.json", &text).expect("the document parses");
    let schemas = Schemas::new(&document);
    let generator = Generator::new(&document, &schemas);
    let operations = document.operations();
    let mut cases = generator.cases(&operations[0], &[], 3_000);
    for seed in 0..20 {
        cases.extend(generator.random(&operations[0], &[], seed, 30));
    }
    let (mut times, mut sizes) = (0, 0);
    for case in cases.iter().filter(|case| case.intent == Intent::Valid) {
        let body = case.body.as_ref().and_then(|body| body.value.as_ref());
        let Some(body) = body else { continue };
        let time = |name: &str| body[name].as_str()?.parse::<jiff::Timestamp>().ok();
        if let (Some(from), Some(to)) = (time("from"), time("to")) {
            times += 1;
            assert!(from < to, "{}: {body}", case.sample);
        }
        let size = |name: &str| body["size"][name].as_i64();
        if let (Some(min), Some(max)) = (size("min"), size("max")) {
            sizes += 1;
            assert!(min <= max, "{}: {body}", case.sample);
        }
    }
    assert!(times > 3 && sizes > 3, "{times} {sizes}");
}

#[test]
fn each_request_has_a_key_for_idempotency_of_its_own_where_one_is_required() {
    let mut whole = document(
        Place::Json,
        &json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
        &json!({}),
    );
    for (required, format) in [(true, "uuid"), (true, "any"), (false, "any")] {
        whole["paths"]["/a"]["post"]["parameters"] = json!([
            {"in": "header", "name": "Idempotency-Key", "required": required, "schema": {"type": "string", "format": format}},
        ]);
        let document = Document::parse("t.json", &whole.to_string()).expect("the document parses");
        let schemas = Schemas::new(&document);
        let generator = Generator::new(&document, &schemas);
        let operation = &document.operations()[0];
        let mut cases = generator.cases(operation, &[], 1_000);
        cases.extend(generator.random(operation, &[], 1, 20));
        let keys: Vec<&String> = cases
            .iter()
            .flat_map(|case| &case.headers)
            .filter(|(name, _)| name == "Idempotency-Key")
            .map(|(_, value)| value)
            .collect();
        let different: std::collections::BTreeSet<&&String> = keys.iter().collect();
        assert_eq!(keys.len(), different.len());
        assert_eq!(keys.is_empty(), !required);
        assert!(!required || keys.len() == cases.len());
    }
}

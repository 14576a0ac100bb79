//! The source documents are valid OpenAPI 3.1, and all their schemas are valid JSON Schema 2020-12.

use std::fs;
use std::path::Path;

use conformance::document::{Document, pointer};
use serde_json::Value;

fn source(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../openapi")
        .join(name);
    Document::load(path.to_str().expect("a path of text")).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the errors of a validator, each with its place in the document.
fn errors(document: &Document, validator: &jsonschema::Validator, at: &str) -> Vec<String> {
    let value = document.at(at).expect("exists");
    let place = |error: &jsonschema::ValidationError<'_>| {
        let position = document.position(&format!("{at}{}", error.instance_path()));
        format!("{}:{}:{}", document.name(), position.line, position.column)
    };
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", place(&error)))
        .collect()
}

/// The pointers of all Schema Objects that stand in no other.
fn schemas(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let below = pointer::join(at, key);
                let is_map_of_schemas = at == "/components" && key == "schemas";
                match key.as_str() {
                    "schema" | "itemSchema" => found.push(below),
                    _ if is_map_of_schemas => {
                        let names = member
                            .as_object()
                            .into_iter()
                            .flat_map(|members| members.keys());
                        found.extend(names.map(|name| pointer::join(&below, name)));
                    }
                    // Samples and extensions may contain anything.
                    "example" | "examples" | "value" => {}
                    extension if extension.starts_with("x-") => {}
                    _ => schemas(member, &below, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                schemas(item, &pointer::index(at, index), found);
            }
        }
        _ => {}
    }
}

fn check(name: &str) {
    let document = source(name);
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/meta/openapi-3.1.json"),
    )
    .expect("the meta-schema");
    let meta: Value = serde_json::from_str(&text).expect("is JSON");
    let validator = jsonschema::validator_for(&meta).expect("the meta-schema is valid");
    assert_eq!(errors(&document, &validator, ""), Vec::<String>::new());

    let mut found = Vec::new();
    schemas(document.value(), "", &mut found);
    assert!(found.len() > 10, "{}", found.len());
    let dialect: Value =
        serde_json::json!({"$ref": "https://json-schema.org/draft/2020-12/schema"});
    let validator = jsonschema::validator_for(&dialect).expect("the dialect is known");
    let wrong: Vec<String> = found
        .iter()
        .flat_map(|at| errors(&document, &validator, at))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn conduit_is_valid() {
    check("conduit.yaml");
}

#[test]
fn equals_money_is_valid() {
    check("equals-money.yaml");
}

#[test]
fn operator_is_valid() {
    check("operator.yaml");
}

#[test]
fn what_is_not_valid_is_found() {
    let meta: Value =
        serde_json::from_str(include_str!("../meta/openapi-3.1.json")).expect("is JSON");
    let validator = jsonschema::validator_for(&meta).expect("the meta-schema is valid");
    let text = "openapi: 3.1.0\ninfo: {title: t}\npaths:\n  /a: {get: {responses: {'200': {}}}}\n";
    let document = Document::parse("wrong.yaml", text).expect("is read");
    let found = errors(&document, &validator, "");
    assert!(
        found
            .iter()
            .any(|error| error.starts_with("wrong.yaml:2:1: ")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|error| error.starts_with("wrong.yaml:4:")),
        "{found:#?}"
    );
    let dialect = jsonschema::validator_for(
        &serde_json::json!({"$ref": "https://json-schema.org/draft/2020-12/schema"}),
    )
    .expect("is known");
    assert!(!dialect.is_valid(&serde_json::json!({"properties": {"a": {"type": "text"}}})));
}

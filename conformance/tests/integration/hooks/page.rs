//! The page that specifies the extensions: its examples are read, and its lists are complete.

use std::collections::BTreeSet;

use conformance::document::Document;
use conformance::hooks::{self, preset};
use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/webhook-extensions.md");

const SIGNED: &str =
    "algorithm: hmac-sha256, signature: { header: x, encoding: hex }, signed: '{body}'";

/// The YAML blocks of the page.
fn blocks() -> Vec<&'static str> {
    let mut blocks = Vec::new();
    let mut rest = PAGE;
    while let Some((_, behind)) = rest.split_once("```yaml\n") {
        let (block, behind) = behind.split_once("```").expect("an end of the block");
        blocks.push(block);
        rest = behind;
    }
    blocks
}

/// An example as extensions of a document: some show a member of one alone.
fn extensions(example: &str) -> Vec<String> {
    let first = example.split(':').next().expect("a member");
    match first {
        hooks::SIGNATURE | hooks::DELIVERY => vec![example.to_owned()],
        "key" => example
            .lines()
            .map(|key| {
                let key = key.split(" #").next().expect("a member");
                format!("{}: {{ {SIGNED}, {key} }}", hooks::SIGNATURE)
            })
            .collect(),
        "handshake" => {
            let indented: String = example.lines().map(|line| format!("  {line}\n")).collect();
            vec![format!("{}:\n{indented}", hooks::DELIVERY)]
        }
        other => panic!("no test knows how to read an example of `{other}`"),
    }
}

#[test]
fn every_example_of_the_page_is_read_and_accepted_by_the_published_schemas() {
    let mut examples = blocks();
    assert_eq!(examples.len(), PAGE.matches("\n```").count() / 2);
    // Those in a sentence too.
    let spans = PAGE.split('`').skip(1).step_by(2);
    examples.extend(spans.filter(|span| span.starts_with("x-webhook") && span.contains(": {")));
    assert!(examples.len() > 4, "{examples:?}");
    for extensions in examples.iter().flat_map(|example| extensions(example)) {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\nwebhooks:\n  paid:\n    post: {{operationId: onPaid, responses: {{}}}}\n{extensions}"
        );
        let document = Document::parse("page.yaml", &text).expect(&extensions);
        let faults = hooks::faults(&document);
        assert!(faults.is_empty(), "{extensions}: {faults:?}");
        for (name, schema) in [
            (hooks::SIGNATURE, hooks::SIGNATURE_SCHEMA),
            (hooks::DELIVERY, hooks::DELIVERY_SCHEMA),
        ] {
            let schema: Value = serde_json::from_str(schema).expect("JSON");
            let schema = jsonschema::validator_for(&schema).expect("a schema");
            if let Some(value) = document.value().get(name) {
                let errors: Vec<String> = schema
                    .iter_errors(value)
                    .map(|error| error.to_string())
                    .collect();
                assert!(errors.is_empty(), "{extensions}: {errors:?}");
            }
        }
    }
}

#[test]
fn the_page_names_every_preset_and_no_other() {
    let (_, section) = PAGE.split_once("### Presets\n").expect("a section");
    let (list, _) = section
        .split_once("They stand")
        .expect("the end of the list");
    let named: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
    assert_eq!(named, preset::names().collect());
}

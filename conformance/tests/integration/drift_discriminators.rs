//! Discriminators and branches: by the values that are accepted, wherever a branch stands.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity};
use serde_json::{Value, json};

/// The document that a client sends a pet to, and that answers with one.
fn pets(pet: &Value, schemas: &Value) -> Value {
    let mut all = schemas.clone();
    all["Pet"] = pet.clone();
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {"/pets": {
            "post": {"operationId": "create", "requestBody": {"content": content}, "responses": {"204": {"description": "Made."}}},
            "get": {"operationId": "read", "responses": {"200": {"description": "One.", "content": content}}},
        }},
        "components": {"schemas": all},
    })
}

fn found(old: &Value, new: &Value) -> Vec<Finding> {
    let read = |name: &str, value: &Value| Document::parse(name, &value.to_string()).expect(name);
    let findings = compare(
        &read("old.json", old),
        &read("new.json", new),
        &Options::default(),
    );
    for finding in &findings {
        let shown = finding.severity != Severity::Breaking || finding.witness.is_some();
        assert!(shown, "{finding:#?}");
    }
    findings
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn animal(own: &str) -> Value {
    json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, own: {"type": "integer"}}})
}

fn animals() -> Value {
    json!({"Cat": animal("lives"), "Dog": animal("tricks"), "Bird": animal("songs")})
}

fn one_of(names: &[&str], discriminator: Value) -> Value {
    let branches: Vec<Value> = names.iter().map(|name| reference(name)).collect();
    json!({"oneOf": branches, "discriminator": discriminator})
}

fn mapped(pairs: &[(&str, &str)]) -> Value {
    let mapping: serde_json::Map<String, Value> = pairs
        .iter()
        .map(|(name, to)| {
            (
                (*name).to_owned(),
                json!(format!("#/components/schemas/{to}")),
            )
        })
        .collect();
    json!({"propertyName": "kind", "mapping": mapping})
}

/// Rules and severities, sorted.
fn told(findings: &[Finding]) -> Vec<(&str, &str)> {
    let mut all: Vec<(&str, &str)> = findings
        .iter()
        .map(|one| (one.rule, one.severity.word()))
        .collect();
    all.sort_unstable();
    all
}

const TWO: [(&str, &str); 2] = [("cat", "Cat"), ("dog", "Dog")];

#[test]
fn branches_and_mappings_may_stand_in_any_order() {
    let one = one_of(&["Cat", "Dog"], mapped(&TWO));
    let other = one_of(&["Dog", "Cat"], mapped(&[TWO[1], TWO[0]]));
    assert_eq!(
        found(&pets(&one, &animals()), &pets(&other, &animals())),
        []
    );
}

#[test]
fn a_mapping_that_says_what_holds_without_it_is_no_difference() {
    let implicit = one_of(&["Cat", "Dog"], json!({"propertyName": "kind"}));
    let explicit = one_of(&["Cat", "Dog"], mapped(&[("Cat", "Cat"), ("Dog", "Dog")]));
    let names = json!({"propertyName": "kind", "mapping": {"Cat": "Cat", "Dog": "Dog"}});
    let short = one_of(&["Cat", "Dog"], names);
    for other in [explicit, short] {
        let (one, other) = (pets(&implicit, &animals()), pets(&other, &animals()));
        assert_eq!(found(&one, &other), []);
        assert_eq!(found(&other, &one), []);
    }
}

#[test]
fn another_name_in_the_mapping_is_a_warning_for_each_name() {
    let one = one_of(&["Cat", "Dog"], mapped(&TWO));
    let other = one_of(&["Cat", "Dog"], mapped(&[TWO[0], ("hound", "Dog")]));
    let findings = found(&pets(&one, &animals()), &pets(&other, &animals()));
    let changed = ("schema-discriminator-changed", "warning");
    assert_eq!(told(&findings), [changed; 2], "{findings:#?}");
}

#[test]
fn a_discriminator_never_decides_whether_a_value_is_valid() {
    let plain = json!({"propertyName": "kind"});
    let one = pets(&one_of(&["Cat", "Dog"], plain.clone()), &animals());
    let mut renamed = animals();
    renamed["Hound"] = renamed["Dog"].clone();
    let other = pets(&one_of(&["Cat", "Hound"], plain), &renamed);
    let findings = found(&one, &other);
    // A component that is renamed has another value in the discriminator, which is a hint.
    let changed = ("schema-discriminator-changed", "warning");
    assert_eq!(told(&findings), [changed; 2], "{findings:#?}");
    // With a mapping the name of the component does not matter.
    let one = pets(&one_of(&["Cat", "Dog"], mapped(&TWO)), &animals());
    let other = one_of(&["Cat", "Hound"], mapped(&[TWO[0], ("dog", "Hound")]));
    assert_eq!(found(&one, &pets(&other, &renamed)), []);
}

#[test]
fn a_branch_of_new_breaks_who_reads_the_answer_and_one_of_old_who_sends() {
    let mut animals = animals();
    for (name, kind) in [("Cat", "cat"), ("Dog", "dog"), ("Bird", "bird")] {
        animals[name]["properties"]["kind"] = json!({"const": kind});
    }
    let two = pets(&one_of(&["Cat", "Dog"], mapped(&TWO)), &animals);
    let three = mapped(&[TWO[0], TWO[1], ("bird", "Bird")]);
    let three = pets(&one_of(&["Bird", "Cat", "Dog"], three), &animals);
    for (findings, rule, subject) in [
        (
            found(&two, &three),
            "schema-branch-added",
            "GET /pets (read)",
        ),
        (
            found(&three, &two),
            "schema-branch-removed",
            "POST /pets (create)",
        ),
    ] {
        assert_eq!(told(&findings), [(rule, "breaking")], "{findings:#?}");
        let finding = &findings[0];
        assert_eq!(finding.witness.as_ref().expect("a witness")["kind"], "bird");
        assert_eq!(finding.proof.as_ref().expect("a proof").subject, subject);
    }
}

#[test]
fn a_limit_inside_of_a_branch_is_shown_by_a_value_with_the_name_of_the_branch() {
    let pet = one_of(&["Cat", "Dog"], mapped(&TWO));
    let mut limited = animals();
    limited["Dog"]["properties"]["tricks"]["maximum"] = json!(5);
    let findings = found(&pets(&pet, &animals()), &pets(&pet, &limited));
    assert_eq!(
        told(&findings),
        [("schema-keyword-added", "breaking")],
        "{findings:#?}"
    );
    let witness = findings[0].witness.as_ref().expect("a witness");
    assert!(witness["tricks"].as_i64() > Some(5), "{witness}");
}

#[test]
fn a_branch_that_names_its_value_itself_is_taken_at_its_word() {
    let mut said = animals();
    said["Cat"]["properties"]["kind"] = json!({"const": "meow"});
    said["Dog"]["properties"]["kind"] = json!({"const": "woof"});
    // The names of the components, which nobody means, accept nothing.
    let pet = one_of(&["Cat", "Dog"], json!({"propertyName": "kind"}));
    let mut limited = said.clone();
    limited["Dog"]["properties"]["tricks"]["maximum"] = json!(5);
    let findings = found(&pets(&pet, &said), &pets(&pet, &limited));
    assert_eq!(
        told(&findings),
        [("schema-keyword-added", "breaking")],
        "{findings:#?}"
    );
    assert_eq!(
        findings[0].witness.as_ref().expect("a witness")["kind"],
        "woof"
    );
}

#[test]
fn one_of_and_any_of_are_compared_by_what_they_accept() {
    // No value is of two branches, so it makes no difference.
    let disjoint =
        |keyword: &str| json!({keyword: [{"type": "string"}, {"type": "integer", "minimum": 1}]});
    let (one, other) = (
        pets(&disjoint("oneOf"), &json!({})),
        pets(&disjoint("anyOf"), &json!({})),
    );
    assert_eq!(found(&one, &other), []);
    assert_eq!(found(&other, &one), []);
    // 10 is of both.
    let both = |keyword: &str| json!({keyword: [{"type": "integer", "minimum": 0}, {"type": "integer", "multipleOf": 5}]});
    let (one, other) = (
        pets(&both("oneOf"), &json!({})),
        pets(&both("anyOf"), &json!({})),
    );
    for (findings, subject) in [
        (found(&one, &other), "GET /pets (read)"),
        (found(&other, &one), "POST /pets (create)"),
    ] {
        assert_eq!(
            told(&findings),
            [("schema-replaced", "breaking")],
            "{findings:#?}"
        );
        assert_eq!(
            findings[0].proof.as_ref().expect("a proof").subject,
            subject
        );
    }
}

#[test]
fn a_change_within_a_branch_is_found_where_one_of_becomes_any_of() {
    let schema = |keyword: &str, most: u64| json!({keyword: [{"type": "string", "maxLength": most}, {"type": "integer"}]});
    let findings = found(
        &pets(&schema("oneOf", 9), &json!({})),
        &pets(&schema("anyOf", 5), &json!({})),
    );
    let place = "/components/schemas/Pet/oneOf/0/maxLength";
    let limit = findings
        .iter()
        .find(|one| one.old.as_ref().is_some_and(|at| at.pointer == place));
    assert_eq!(
        limit.expect("the limit").severity,
        Severity::Breaking,
        "{findings:#?}"
    );
}

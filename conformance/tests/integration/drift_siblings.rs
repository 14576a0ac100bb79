//! Unchanged members decide nothing: not what a change of another member breaks, and however few values they accept.
//!
//! Each change is compared beside a member that any text satisfies and beside one that hardly a value does; the findings are the same.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use serde_json::{Value, json};

/// Schemas that values are hard to make for, or impossible without that being plain.
fn hard() -> Vec<Value> {
    vec![
        json!({"type": "string", "pattern": r"^(?=.*[A-Z])(?=.*\d).{8,}$"}),
        json!({"type": "string", "pattern": r"^(?=.*a)(?=.*b)(?!.*c).{9,}[^x]$"}),
        json!({"type": "string", "pattern": r"^(?=(?:.*\d){3})(?!.*(\d)\1)(?<!x)[\da-z-]{20}(?<=77)$"}),
        json!({"type": "string", "pattern": r"^(\d|[a-f]){4}(?:\1){7}(?<=0)$"}),
        json!({"type": "string", "format": "uuid", "pattern": "^(?!.*a).{30}(?=b)"}),
        json!({"type": "string", "allOf": [{"format": "date"}, {"format": "time"}]}),
        json!({"type": "string", "not": {"pattern": "^(?!x{12}(?=y))"}}),
        json!({
            "type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string"},
            "contains": {"pattern": r"^(?=x)(?!xy).{3,}(z)\1$"},
        }),
        json!({"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^(?=k)(?!key$)(.)(.)$"}}),
        json!({
            "if": {"type": "string"}, "then": {"pattern": "^(?=a)[^a]*(?<=b)aab$"}, "else": false,
        }),
        json!({"oneOf": [{"pattern": r"^(?=x.{9}y$)"}, {"pattern": r"^(?=x.{9}z$)"}], "type": "string"}),
        // What is not a regular expression is of no use to anybody, and says nothing of other members.
        json!({"type": "string", "pattern": "^(a$"}),
        json!({"type": "string", "pattern": "^(?=a)*b+$"}),
    ]
}

/// Two versions of an object: what is said of it beside the member that does not change.
fn changes() -> Vec<(&'static str, Value, Value)> {
    let text = json!({"type": "string"});
    let closed = json!(false);
    vec![
        (
            "a required member comes",
            json!({"properties": {"a": text}}),
            json!({"properties": {"a": text, "b": text}, "required": ["b"]}),
        ),
        (
            "a member is required",
            json!({"properties": {"a": text}}),
            json!({"properties": {"a": text}, "required": ["a"]}),
        ),
        (
            "a member comes to a closed object",
            json!({"properties": {"a": text}, "additionalProperties": closed}),
            json!({"properties": {"a": text, "b": text}, "additionalProperties": closed}),
        ),
        (
            "a required member comes to a closed object",
            json!({"properties": {"a": text}, "additionalProperties": closed}),
            json!({"properties": {"a": text, "b": text}, "required": ["b"], "additionalProperties": closed}),
        ),
        (
            "an optional member comes",
            json!({"properties": {"a": text}}),
            json!({"properties": {"a": text, "b": text}}),
        ),
        (
            "a member has another type",
            json!({"properties": {"a": text}}),
            json!({"properties": {"a": {"type": "integer"}}}),
        ),
        (
            "a member has more values",
            json!({"properties": {"a": {"enum": ["x", "y"]}}}),
            json!({"properties": {"a": {"enum": ["x", "y", "z"]}}}),
        ),
        (
            "a member that is only required has a schema",
            json!({"properties": {"a": text}, "required": ["b"]}),
            json!({"properties": {"a": text, "b": text}, "required": ["b"]}),
        ),
        (
            "other members are closed",
            json!({"properties": {"a": text}}),
            json!({"properties": {"a": text}, "additionalProperties": closed}),
        ),
    ]
}

/// What is around an object.
const FORMS: [&str; 6] = ["direct", "nested", "items", "oneOf", "allOf", "reference"];

/// A document whose request and answer have `said` and, beside it, a member `u` with the schema `sibling`.
fn document(said: &Value, sibling: &Value, form: &str) -> Document {
    let mut object = said.clone();
    object["type"] = json!("object");
    object["properties"]["u"] = sibling.clone();
    match object.get_mut("required").and_then(Value::as_array_mut) {
        Some(required) => required.push(json!("u")),
        None => object["required"] = json!(["u"]),
    }
    let component = object.clone();
    let schema = match form {
        "nested" => json!({"type": "object", "properties": {"in": object}, "required": ["in"]}),
        "items" => json!({"type": "array", "items": object, "minItems": 1}),
        "oneOf" => json!({"oneOf": [object, {"type": "string"}]}),
        "allOf" => {
            json!({"allOf": [object, {"type": "object", "properties": {"c": {"type": "string"}}}]})
        }
        "reference" => json!({"$ref": "#/components/schemas/O"}),
        _ => object,
    };
    let content = json!({"content": {"application/json": {"schema": schema}}});
    let mut answer = content.clone();
    answer["description"] = json!("d");
    let text = json!({
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things": {
            "post": {"requestBody": content, "responses": {"204": {"description": "d"}}},
            "get": {"responses": {"200": answer}},
        }},
        "components": {"schemas": {"O": component}},
    });
    Document::parse("d", &text.to_string()).expect("a document")
}

#[test]
fn what_a_change_breaks_does_not_depend_on_how_hard_an_unchanged_member_is() {
    let easy = json!({"type": "string"});
    let verdicts = |(old, new): (&Value, &Value), sibling: &Value, form: &str| -> Vec<String> {
        let sides = [old, new].map(|said| document(said, sibling, form));
        let found = compare(&sides[0], &sides[1], &Options::default());
        let said = found.iter().map(|one| {
            format!(
                "{} {} {:?} {:?}",
                one.severity.word(),
                one.rule,
                one.message,
                one.effect
            )
        });
        said.collect()
    };
    let mut wrong = Vec::new();
    let hard = hard();
    for (about, one, other) in changes() {
        for (number, form) in FORMS.into_iter().enumerate() {
            for (way, sides) in [("", (&one, &other)), (", back", (&other, &one))] {
                let expected = verdicts(sides, &easy, form);
                // Each sibling in half of the forms.
                for (_, sibling) in hard
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| (index + number) % 2 == 0)
                {
                    let found = verdicts(sides, sibling, form);
                    if found != expected {
                        wrong.push(format!(
                            "{about}{way}, {form}, beside {sibling}: {found:#?} in place of {expected:#?}"
                        ));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_pattern_that_is_no_regular_expression_concerns_itself_alone() {
    let found = |old: Value, new: Value| -> Vec<String> {
        let easy = json!({"type": "string"});
        let sides = [old, new].map(|said| document(&said, &easy, "direct"));
        let found = compare(&sides[0], &sides[1], &Options::default());
        let said = found.iter().map(|one| {
            let place = one.new.as_ref().map_or("", |place| &place.pointer);
            let place: Vec<&str> = place.rsplit('/').take(2).collect();
            format!(
                "{} {} {}",
                one.severity.word(),
                one.rule,
                place.join(" of ")
            )
        });
        said.collect()
    };
    let pattern = |text: &str| json!({"type": "string", "pattern": text});
    let x = |x: Value, y: &str| json!({"properties": {"x": x, "y": {"type": y}}});
    assert_eq!(
        found(x(pattern("^(a$"), "string"), x(pattern("^(b$"), "integer")),
        [
            "undecided schema-keyword-changed pattern of x",
            "breaking schema-type-changed type of y",
            "undecided schema-keyword-changed pattern of x",
            "breaking schema-type-changed type of y",
        ]
    );
    let one = found(
        json!({"properties": {"a": {"type": "string"}}}),
        json!({"properties": {"a": {"type": "string"}, "z": pattern("^[b-$")}, "required": ["z"]}),
    );
    // Clients that omit it are refused, whatever it is; what the server answers is not known.
    assert_eq!(one[0], "breaking schema-property-added z of properties");
    let named = |name: &str| json!({"properties": {"a": {"type": "string"}}, "patternProperties": {name: {"type": "integer"}}});
    let all = found(named("^x-(a"), named("^x-(b"));
    assert!(
        all.iter().any(|line| line.starts_with("undecided")),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|line| line.starts_with("breaking")),
        "{all:?}"
    );
    assert_eq!(found(named("^x-(a"), named("^x-(a")), Vec::<String>::new());
}

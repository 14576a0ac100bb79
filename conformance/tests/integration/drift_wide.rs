//! A change in one of many alternatives is judged as in one of few: neither their number nor that of their members decides.

use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity, Side};
use serde_json::{Value, json};

use crate::drift_support::carrier::api;
use crate::drift_support::{document, held};

/// The forms of alternatives.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Told apart by the value of a member that each requires.
    Tagged,
    /// The same, and no alternative requires the member.
    OptionalTag,
    /// Told apart by the member that each requires.
    Required,
    /// Told apart by nothing that is required.
    Open,
}

const FORMS: [Form; 4] = [Form::Tagged, Form::OptionalTag, Form::Required, Form::Open];

/// How many alternatives there are. What holds of the fewest holds of all.
const WIDTHS: [usize; 4] = [4, 19, 60, 200];

fn alternative(form: Form, index: usize) -> Value {
    let (own, other) = (format!("a{index}"), format!("b{index}"));
    let mut schema = json!({
        "type": "object",
        "properties": {own.clone(): {"type": "string"}, other: {"type": "integer"}},
    });
    if let Form::Tagged | Form::OptionalTag = form {
        schema["properties"]["event"] = json!({"const": format!("e{index}")});
    }
    match form {
        Form::Tagged => schema["required"] = json!(["event"]),
        Form::Required => schema["required"] = json!([own]),
        Form::OptionalTag | Form::Open => {}
    }
    schema
}

/// The findings, after a check of their witnesses by the plain validator.
fn found(old: &Value, new: &Value, from_server: bool) -> Vec<Finding> {
    let place = match from_server {
        true => "/paths/~1a/post/responses/200/content/application~1json/schema",
        false => "/paths/~1a/post/requestBody/content/application~1json/schema",
    };
    let (old, new) = (api(!from_server, old), api(!from_server, new));
    let documents = [("old", &old), ("new", &new)].map(|(name, value)| document(name, value));
    let findings = compare(&documents[0], &documents[1], &Options::default());
    for finding in &findings {
        let (Some(witness), Some(proof)) = (&finding.witness, &finding.proof) else {
            continue;
        };
        let accepts = |value| held::accepts(value, place, from_server, witness);
        // What a sender leaves out by a flag, the plain validator does not miss.
        let is_flag = ["readOnly", "writeOnly"].iter().any(|flag| {
            serde_json::to_string(&finding.message).is_ok_and(|message| message.contains(flag))
        });
        let expected = proof.accepted_by == Side::Old;
        assert!(
            is_flag || (accepts(&old), accepts(&new)) == (expected, !expected),
            "{witness} {:?}",
            finding.message
        );
    }
    findings
}

/// The findings from one schema to the other, or back.
fn found_either_way(one: &Value, other: &Value, back: bool, from_server: bool) -> Vec<Finding> {
    match back {
        false => found(one, other, from_server),
        true => found(other, one, from_server),
    }
}

/// What is found of each width, and all of it with an example where it is breaking.
fn is_alike(about: &str, expected: Option<Severity>, found: impl Fn(usize) -> Vec<Finding>) {
    for width in WIDTHS {
        let findings = found(width);
        let severities: Vec<Severity> = findings.iter().map(|one| one.severity).collect();
        let expected: Vec<Severity> = expected.into_iter().collect();
        assert_eq!(
            severities, expected,
            "{about}, {width} alternatives: {findings:?}"
        );
        let is_shown = |one: &Finding| one.severity != Severity::Breaking || one.witness.is_some();
        assert!(
            findings.iter().all(is_shown),
            "{about}, {width} alternatives: {findings:?}"
        );
    }
}

fn union(form: Form, width: usize) -> Vec<Value> {
    (0..width).map(|index| alternative(form, index)).collect()
}

#[test]
fn an_alternative_more_is_judged_alike_among_few_and_among_many() {
    for form in FORMS {
        for from_server in [false, true] {
            for (back, harms) in [(false, from_server), (true, !from_server)] {
                let expected = if harms {
                    Severity::Breaking
                } else {
                    Severity::Warning
                };
                is_alike(
                    &format!("{form:?} {from_server} {back}"),
                    Some(expected),
                    |width| {
                        let (few, many) = (union(form, width), union(form, width + 1));
                        let (few, many) = (json!({"anyOf": few}), json!({"anyOf": many}));
                        found_either_way(&few, &many, back, from_server)
                    },
                );
            }
        }
    }
}

#[test]
fn an_alternative_that_another_one_nearly_covers_is_judged_alike_among_few_and_among_many() {
    // Its tag is that of another one, or it has none.
    for (form, tag) in [
        (Form::Tagged, Some("e1")),
        (Form::OptionalTag, Some("e1")),
        (Form::OptionalTag, None),
    ] {
        is_alike(
            &format!("{form:?} {tag:?}"),
            Some(Severity::Breaking),
            |width| {
                let few = union(form, width);
                let mut more = alternative(form, width);
                match tag {
                    Some(tag) => more["properties"]["event"] = json!({"const": tag}),
                    None => {
                        let members = more["properties"].as_object_mut().expect("properties");
                        members.shift_remove("event");
                    }
                }
                let mut many = few.clone();
                many.push(more);
                found(&json!({"anyOf": few}), &json!({"anyOf": many}), true)
            },
        );
    }
}

#[test]
fn values_of_overlapping_alternatives_are_found_among_few_and_among_many() {
    // What two alternatives of `oneOf` accept is refused, so one more takes values away.
    for form in [Form::OptionalTag, Form::Open] {
        is_alike(&format!("{form:?}"), Some(Severity::Breaking), |width| {
            let (few, many) = (union(form, width), union(form, width + 1));
            found(&json!({"oneOf": few}), &json!({"oneOf": many}), false)
        });
    }
}

#[test]
fn a_member_that_is_flagged_is_judged_alike_among_few_and_among_many() {
    use Severity::{Breaking, Warning};
    for form in FORMS {
        for (flag, from_server, back, expected) in [
            ("readOnly", false, false, Breaking),
            ("readOnly", false, true, Warning),
            ("readOnly", true, false, Warning),
            ("readOnly", true, true, Warning),
            ("writeOnly", true, false, Breaking),
            ("writeOnly", true, true, Breaking),
            ("writeOnly", false, false, Warning),
            ("writeOnly", false, true, Warning),
        ] {
            is_alike(
                &format!("{form:?} {flag} {from_server} {back}"),
                Some(expected),
                |width| {
                    let mut plain = union(form, width);
                    plain.push(json!({"type": "null"}));
                    let mut flagged = plain.clone();
                    let index = width / 2;
                    flagged[index]["properties"][format!("b{index}")][flag] = json!(true);
                    let (plain, flagged) = (json!({"anyOf": plain}), json!({"anyOf": flagged}));
                    found_either_way(&plain, &flagged, back, from_server)
                },
            );
        }
    }
}

#[test]
fn a_difference_is_judged_as_alone_beside_changes_of_all_other_alternatives() {
    for from_server in [false, true] {
        let width = 60;
        let old = union(Form::Tagged, width);
        let mut new = old.clone();
        for (index, alternative) in new.iter_mut().enumerate() {
            alternative["properties"][format!("b{index}")] = json!({"type": "string"});
        }
        let findings = found(&json!({"anyOf": old}), &json!({"anyOf": new}), from_server);
        let severities: Vec<Severity> = findings.iter().map(|one| one.severity).collect();
        assert_eq!(severities, vec![Severity::Breaking; width]);
    }
}

/// Alternatives that a required member tells apart, each with more said of it.
fn tagged(more: &Value) -> Value {
    let alternative = |kind: &str| {
        let mut schema = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"enum": [kind]}}});
        for (keyword, value) in more.as_object().into_iter().flatten() {
            match schema.get_mut(keyword) {
                Some(Value::Object(known)) => {
                    known.extend(value.as_object().cloned().unwrap_or_default());
                }
                _ => schema[keyword] = value.clone(),
            }
        }
        schema
    };
    json!({"oneOf": [alternative("a"), alternative("b")]})
}

#[test]
fn what_changes_of_several_alternatives_do_only_together_is_found() {
    let breaks = |old: &Value, new: &Value| {
        let documents = [("old", old), ("new", new)]
            .map(|(name, schema)| document(name, &api(false, &tagged(schema))));
        let findings = compare(&documents[0], &documents[1], &Options::default());
        findings
            .iter()
            .any(|one| one.severity == Severity::Breaking)
    };
    // Each alternative alone leaves the other one; together they leave nothing that may be answered.
    assert!(breaks(&json!({}), &json!({"maxProperties": 0})));
    // The list hides the value that `not` excludes, and the reverse.
    let hidden = json!({"not": {"required": ["x"], "properties": {"x": {"enum": [2]}}}, "properties": {"x": {"enum": [1]}}});
    assert!(breaks(
        &hidden,
        &json!({"properties": {"x": {"enum": [1, 2]}}})
    ));
}

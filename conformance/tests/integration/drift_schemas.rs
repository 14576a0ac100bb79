//! Drift of schemas by its cases: two schemas, and what their difference does where a client writes and where the server does.
//!
//! A case of `cases/drift/schemas` is looked at in bodies and answers, in webhooks, callbacks and callbacks of callbacks, and with the
//! sides changed. Each witness is held against both documents by the plain validator.

use std::collections::BTreeMap;

use cases::{case_files, read_json};
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Impact, Severity, Side};
use held::accepts;
use serde_json::{Value, json};

use crate::drift_support::document;
use crate::drift_support::{cases, held};

/// Where a schema is put, and whether the server writes the value there.
const POSITIONS: [(&str, bool); 6] = [
    ("/paths/~1a/post/requestBody", false),
    ("/paths/~1a/post/responses/200", true),
    ("/webhooks/w/post/requestBody", true),
    ("/webhooks/w/post/responses/200", false),
    (
        "/paths/~1a/post/callbacks/c/{$request.body#~1url}/post/requestBody",
        true,
    ),
    (
        "/paths/~1a/post/callbacks/c/{$request.body#~1url}/post/callbacks/d/{$request.body#~1url}/post/requestBody",
        false,
    ),
];

fn components(case: &Value, side: &str) -> Value {
    let mut all = json!({
        "Text": {"type": "string", "maxLength": 5},
        "SameText": {"maxLength": 5, "type": "string"},
        "Pet": {"type": "object", "properties": {"name": {"type": "string"}, "friend": {"$ref": "#/components/schemas/Pet"}}},
    });
    if let (Some(own), Some(all)) = (case[side].as_object(), all.as_object_mut()) {
        all.extend(own.clone());
    }
    all
}

/// A document that has `schema` at one position, and nothing else to compare.
fn with_schema(schema: &Value, position: &str, components: Value) -> Value {
    let operation = || json!({"responses": {"200": {"description": "d"}}});
    let mut value = json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": operation()}},
        "webhooks": {"w": {"post": operation()}},
        "components": {"schemas": components},
    });
    let mut inner = operation();
    inner["callbacks"] = json!({"d": {"{$request.body#/url}": {"post": operation()}}});
    value["paths"]["/a"]["post"]["callbacks"] =
        json!({"c": {"{$request.body#/url}": {"post": inner}}});
    let content = json!({"application/json": {"schema": schema}});
    let place = value.pointer_mut(position);
    match place {
        Some(Value::Object(answer)) => {
            answer.insert("content".to_owned(), content);
        }
        _ => {
            let (operation, last) = position.rsplit_once('/').expect(position);
            value.pointer_mut(operation).expect(position)[last] = json!({"content": content});
        }
    }
    value
}

/// Returns the problem with the findings, if any.
fn judge(
    findings: &[Finding],
    expected: (&Value, &Value),
    partial: bool,
    (old, new): (&Value, &Value),
    (position, from_server): (&str, bool),
) -> Option<String> {
    let (rule, severity) = expected;
    let told = |finding: &Finding| {
        format!(
            "{} {} {:?}: {:?}",
            finding.severity.word(),
            finding.rule,
            finding.witness,
            finding.message
        )
    };
    let all = || {
        findings
            .iter()
            .map(told)
            .collect::<Vec<_>>()
            .join("\n      ")
    };
    if severity == "none" {
        return (!findings.is_empty()).then(|| format!("expected nothing, found\n      {}", all()));
    }
    let matching = findings.iter().any(|finding| {
        finding.severity.word() == severity && (rule.is_null() || rule == finding.rule)
    });
    // An addition to an enum and a removal from it are two findings.
    let alone = partial || rule.is_null() || findings.iter().all(|one| *rule == one.rule);
    if !matching || !alone {
        return Some(format!(
            "expected {severity} {rule}, found\n      {}",
            all()
        ));
    }
    let schema = format!("{position}/content/application~1json/schema");
    for finding in findings {
        if let Some(witness) = &finding.witness {
            let proof = finding.proof.as_ref().expect("a proof");
            let (one, other) = (
                accepts(old, &schema, from_server, witness),
                accepts(new, &schema, from_server, witness),
            );
            let right = match proof.accepted_by {
                Side::Old => one && !other,
                Side::New => other && !one,
            };
            let harms = (proof.accepted_by == Side::New) == from_server;
            if !right || (finding.severity == Severity::Breaking && !harms && !withdrawn(finding)) {
                return Some(format!(
                    "{}: old {one}, new {other}, {proof:?}",
                    told(finding)
                ));
            }
        } else if finding.severity == Severity::Breaking && !withdrawn(finding) {
            return Some(format!("{}: no witness", told(finding)));
        }
    }
    None
}

/// Whether the finding is that the server stops sending something, which what it sent before shows, or nothing.
fn withdrawn(finding: &Finding) -> bool {
    let effect = finding.effect;
    effect.is_some_and(|effect| matches!(effect.impact, Impact::Withdrawn | Impact::Emptied))
}

#[test]
fn each_difference_does_what_the_case_says_wherever_it_stands() {
    let mut wrong = Vec::new();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for file in case_files("schemas") {
        for (index, case) in read_json(&file)
            .as_array()
            .expect("cases")
            .iter()
            .enumerate()
        {
            let sides = (
                components(case, "theirComponents"),
                components(case, "ourComponents"),
            );
            // Webhooks and callbacks turn the direction, whatever the keyword is: every third case is looked at there.
            let positions = if index % 3 == 0 { 6 } else { 2 };
            for (position, from_server) in POSITIONS.into_iter().take(positions) {
                let old = with_schema(&case["old"], position, sides.0.clone());
                let new = with_schema(&case["new"], position, sides.1.clone());
                let parsed = (document("old", &old), document("new", &new));
                for (way, one, other, values) in [
                    ("finding", &parsed.0, &parsed.1, (&old, &new)),
                    ("back", &parsed.1, &parsed.0, (&new, &old)),
                ] {
                    let severity = &case[way][if from_server { "server" } else { "client" }];
                    let findings = compare(one, other, &Options::default());
                    *count.entry(way).or_default() += 1;
                    let partial = case["partial"] == true;
                    if let Some(fault) = judge(
                        &findings,
                        (&case[way]["rule"], severity),
                        partial,
                        values,
                        (position, from_server),
                    ) {
                        wrong.push(format!(
                            "{file}: {} ({way}, {position})\n    {fault}",
                            case["about"]
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
    assert!(count.values().all(|count| *count >= 300), "{count:?}");
}

#[test]
fn a_witness_is_of_what_the_finding_says() {
    let case = |schema: Value| with_schema(&schema, POSITIONS[0].0, json!({}));
    let old = document(
        "old",
        &case(
            json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "maxLength": 9}, "n": {"enum": [1, 2]}}}),
        ),
    );
    let new = document(
        "new",
        &case(
            json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "maxLength": 8}, "n": {"enum": [1]}}}),
        ),
    );
    let findings = compare(&old, &new, &Options::default());
    let witnesses: Vec<_> = findings
        .iter()
        .map(|finding| finding.witness.clone())
        .collect();
    assert_eq!(findings.len(), 2, "{findings:#?}");
    assert_eq!(
        witnesses[0].as_ref().expect("a witness")["id"]
            .as_str()
            .map(str::len),
        Some(9)
    );
    assert_eq!(witnesses[1].as_ref().expect("a witness")["n"], 2);
    for finding in &findings {
        let proof = finding.proof.as_ref().expect("a proof");
        assert_eq!(
            (proof.part.as_str(), proof.accepted_by, proof.refused_by),
            ("request body", Side::Old, Side::New)
        );
        assert_eq!(proof.subject, "POST /a");
    }
}

#[test]
fn parameters_are_texts() {
    let query = |schema: Value| {
        document(
            "d",
            &json!({
                "openapi": "3.1.0",
                "info": {"title": "t", "version": "1"},
                "paths": {"/a": {"get": {"parameters": [{"in": "query", "name": "q", "schema": schema}], "responses": {}}}},
            }),
        )
    };
    let severity = |old: Value, new: Value| {
        let findings = compare(&query(old), &query(new), &Options::default());
        assert!(findings.len() <= 1, "{findings:#?}");
        findings
            .first()
            .map(|finding| (finding.severity.word(), finding.witness.clone()))
    };
    // Any number can be read as a string, but not the other way round.
    let (word, witness) =
        severity(json!({"type": "integer"}), json!({"type": "string"})).expect("a finding");
    assert_eq!(
        (word, witness.expect("a witness").is_string()),
        ("warning", true)
    );
    let (word, witness) =
        severity(json!({"type": "string"}), json!({"type": "integer"})).expect("a finding");
    assert_eq!(
        (word, witness.expect("a witness").is_string()),
        ("breaking", true)
    );
    assert_eq!(
        severity(
            json!({"maximum": 5, "type": "integer"}),
            json!({"maximum": 4, "type": "integer"})
        ),
        Some(("breaking", Some(json!(5))))
    );
}

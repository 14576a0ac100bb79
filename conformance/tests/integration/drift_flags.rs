//! Members that are sent in one direction only: a flag that comes or goes is found as it is alone, whatever else changes in its member.

use conformance::finding::Severity;
use serde_json::{Value, json};

use crate::drift_support::carrier::found;
use crate::drift_support::faults::assert_none;
use crate::drift_support::verdicts::verdicts;

fn members() -> Vec<Value> {
    let object = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    vec![
        json!({"type": "string"}),
        json!({"type": "string", "enum": ["a", "b"]}),
        json!({"type": "integer"}),
        json!({"type": "number", "multipleOf": 0.01}),
        json!({"type": ["string", "null"]}),
        json!({"type": "array", "items": {"type": "string"}}),
        object("a"),
        object("b"),
        json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
    ]
}

/// An object with a member, and one that stays as it is.
fn around(member: &Value, flag: Option<&str>, required: bool) -> Value {
    let mut member = member.clone();
    if let Some(flag) = flag {
        member[flag] = json!(true);
    }
    let required: &[&str] = if required { &["m"] } else { &[] };
    json!({"type": "object", "required": required, "properties": {"m": member, "n": {"type": "integer"}}})
}

/// What breaks somebody, or may: that nobody sees a property is told as a warning.
fn told(sent: bool, old: &Value, new: &Value) -> Vec<(Severity, &'static str)> {
    let mut all = verdicts(&found(sent, old, new));
    all.retain(|(severity, rule)| {
        let matters = [Severity::Breaking, Severity::Undecided].contains(severity);
        matters && *rule != "schema-changes-together"
    });
    all
}

#[test]
fn a_flag_and_a_change_of_its_member_are_found_as_each_of_them_alone() {
    let mut faults = Vec::new();
    let members = members();
    let pairs = members.iter().flat_map(|one| {
        let others = members.iter().filter(move |other| *other != one);
        others.map(move |other| (one, other))
    });
    for (one, other) in pairs {
        for (flag, comes, sent, required) in cases() {
            let flags = [(!comes).then_some(flag), comes.then_some(flag)];
            let whole = |member, flag| around(member, flag, required);
            let both = told(sent, &whole(one, flags[0]), &whole(other, flags[1]));
            let mut alone = told(sent, &whole(one, flags[0]), &whole(one, flags[1]));
            // A client sends by the old document, a server by the new one; what the old one hides is not there to be changed.
            let hides = (flag == "readOnly") == sent;
            if !hides || sent && comes {
                alone.extend(told(sent, &whole(one, None), &whole(other, None)));
                alone.sort();
            }
            if both != alone {
                let verb = if comes { "comes" } else { "goes" };
                let direction = if sent { "sent" } else { "answered" };
                faults.push(format!(
                    "{one} to {other}, {direction}, required: {required}, {flag} {verb}: {both:?}, alone {alone:?}"
                ));
            }
        }
    }
    assert_none(&faults);
}

/// Each flag, whether it comes, whether a client sends the value, and whether the member is required.
fn cases() -> impl Iterator<Item = (&'static str, bool, bool, bool)> {
    (0..16).map(|bits| {
        let flag = ["readOnly", "writeOnly"][bits & 1];
        (flag, bits & 2 > 0, bits & 4 > 0, bits & 8 > 0)
    })
}

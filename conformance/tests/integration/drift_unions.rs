//! Changes in unions: deep in trees of them, and each kind of change of an alternative, held against the plain validator.

use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity, Side};
use serde_json::{Value, json};

use crate::drift_support::carrier::api;
use crate::drift_support::random::Random;
use crate::drift_support::{document, held};

const BODY: &str = "/paths/~1a/post/requestBody/content/application~1json/schema";
const ANSWER: &str = "/paths/~1a/post/responses/200/content/application~1json/schema";

/// How many kinds of nodes a tree has: more than ways of choosing one are looked at.
const KINDS: usize = 30;

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The components of a tree of nodes whose kinds have traits in common, are told apart by a constant and have nodes inside.
fn tree() -> Value {
    let mut all = json!({
        "Trait": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string"}, "name": {"type": "string", "maxLength": 20}, "state": {"enum": ["a", "b", "c"]},
            "link": {"type": "object", "properties": {"to": {"type": "string"}}},
        }},
        "Shape": {"allOf": [reference("Trait"), {"type": "object", "properties": {
            "effects": {"type": "array", "items": reference("Effect")},
        }}]},
        "Effect": {"oneOf": [reference("Blur"), reference("Glow")]},
        "Blur": {"type": "object", "required": ["kind", "radius"], "properties": {
            "kind": {"enum": ["blur"]}, "radius": {"type": "number"},
        }},
        "Glow": {"type": "object", "required": ["kind"], "properties": {
            "kind": {"enum": ["glow"]}, "size": {"type": "integer", "maximum": 9},
        }},
        "Root": {"allOf": [kind("ROOT"), reference("Trait"), {
            "type": "object", "required": ["children"],
            "properties": {"children": {"type": "array", "items": reference("Node")}},
        }]},
        "Node": {"oneOf": [reference("Root"), reference("Group")]},
    });
    let mut kinds = Vec::new();
    for index in 0..KINDS {
        let name = format!("Kind{index}");
        all[&name] = json!({"allOf": [kind(&format!("KIND_{index}")), reference("Shape"), {
            "type": "object",
            "properties": {
                format!("own{index}"): {"type": "string", "maxLength": 5},
                "children": {"type": "array", "items": reference("Node")},
            },
        }]});
        kinds.push(reference(&name));
    }
    all["Group"] = json!({"oneOf": kinds});
    all
}

fn kind(name: &str) -> Value {
    json!({"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "enum": [name]}}})
}

fn with_components(schema: &Value, components: &Value, from_server: bool) -> Value {
    let mut whole = api(!from_server, schema);
    whole["components"]["schemas"] = components.clone();
    whole
}

/// The severities of the findings, of which each witness has to be right.
fn found(old: &Value, new: &Value, from_server: bool) -> Vec<Finding> {
    let place = if from_server { ANSWER } else { BODY };
    let documents = [("old", old), ("new", new)].map(|(name, value)| document(name, value));
    let findings = compare(&documents[0], &documents[1], &Options::default());
    for finding in &findings {
        if let (Some(witness), Some(proof)) = (&finding.witness, &finding.proof) {
            let accepts = |value| held::accepts(value, place, from_server, witness);
            let (one, other) = (accepts(old), accepts(new));
            let right = match proof.accepted_by {
                Side::Old => one && !other,
                Side::New => other && !one,
            };
            assert!(right, "{witness}: {one} {other} {finding:?}");
        }
    }
    findings
}

#[test]
fn what_changes_in_a_tree_of_unions_is_judged_where_it_stands() {
    use Severity::{Breaking, Warning};
    let old = tree();
    let set = |at: &str, value: Value| {
        let mut new = old.clone();
        *new.pointer_mut(at).expect("a place") = value;
        new
    };
    let add = |at: &str, name: &str, value: Value| {
        let mut new = old.clone();
        let members = new.pointer_mut(at).and_then(Value::as_object_mut);
        members.expect("a place").insert(name.to_owned(), value);
        new
    };
    let mut fewer = old.clone();
    let kinds = fewer["Group"]["oneOf"].as_array_mut();
    kinds.expect("a list").pop();
    let text = || json!({"type": "string"});
    let last = KINDS - 1;
    // What clients and servers are told of old against new, and of new against old.
    let cases = [
        (
            "a member of a trait",
            add("/Trait/properties", "more", json!({"type": "integer"})),
            [Warning, Warning, Warning, Breaking],
        ),
        (
            "a member deep in a trait",
            add("/Trait/properties/link/properties", "via", text()),
            [Warning, Warning, Warning, Breaking],
        ),
        (
            "a limit in a trait",
            set("/Trait/properties/name/maxLength", json!(10)),
            [Breaking, Warning, Warning, Breaking],
        ),
        (
            "a value in a trait",
            set("/Trait/properties/state/enum", json!(["a", "b"])),
            [Breaking, Warning, Warning, Breaking],
        ),
        (
            "a demand of a trait",
            set("/Trait/required", json!(["id", "name"])),
            [Breaking, Warning, Warning, Breaking],
        ),
        (
            "a limit in the last kind",
            set(
                &format!("/Kind{last}/allOf/2/properties/own{last}/maxLength"),
                json!(4),
            ),
            [Breaking, Warning, Warning, Breaking],
        ),
        (
            "a limit in an alternative of a list",
            set("/Glow/properties/size/maximum", json!(8)),
            [Breaking, Warning, Warning, Breaking],
        ),
        ("a kind", fewer, [Breaking, Warning, Warning, Breaking]),
    ];
    for (name, new, expected) in cases {
        let mut severities = Vec::new();
        for (one, other) in [(&old, &new), (&new, &old)] {
            for from_server in [false, true] {
                let sides =
                    [one, other].map(|all| with_components(&reference("Node"), all, from_server));
                let findings = found(&sides[0], &sides[1], from_server);
                assert_eq!(findings.len(), 1, "{name}: {findings:?}");
                severities.push(findings[0].severity);
            }
        }
        assert_eq!(severities, expected, "{name}");
    }
}

/// A schema of one type, or a closed object.
fn alternative(random: &mut Random) -> Value {
    if random.below(2) == 0 {
        return scalar(random);
    }
    let names = ["a", "b", "k"];
    let first = random.below(3);
    let mut names = vec![names[first], names[(first + 1) % 3]];
    names.truncate(1 + random.below(2));
    let mut schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    for name in &names {
        schema["properties"][name] = scalar(random);
    }
    names.retain(|_| random.below(2) == 0);
    if !names.is_empty() {
        schema["required"] = json!(names);
    }
    schema
}

fn scalar(random: &mut Random) -> Value {
    let limit = [1, 3, 5][random.below(3)];
    match random.below(7) {
        0 => json!({"type": "string"}),
        1 => json!({"type": "string", "minLength": limit}),
        2 => json!({"type": "integer", "minimum": limit}),
        3 => json!({"type": "number", "maximum": limit}),
        4 => json!({"type": "boolean"}),
        5 => {
            let few = &["x", "y", "z"][..1 + random.below(3)];
            json!({"enum": few})
        }
        _ => json!({"type": "array", "items": {"type": "string"}}),
    }
}

/// One change of a list of alternatives.
fn changed(random: &mut Random, old: &[Value]) -> Vec<Value> {
    let mut new = old.to_vec();
    let (one, place) = (random.below(old.len()), random.below(old.len() + 1));
    match random.below(6) {
        0 => new.insert(place, alternative(random)),
        1 => {
            new.remove(one);
        }
        2 => new.rotate_left(1 + one),
        3 => new.insert(place, old[one].clone()),
        _ => match new[one]["properties"].as_object_mut() {
            Some(members) => {
                let names: Vec<String> = members.keys().cloned().collect();
                let name = &names[random.below(names.len())];
                members.insert(name.clone(), scalar(random));
            }
            None => new[one] = scalar(random),
        },
    }
    new
}

/// Values that tell such schemas apart.
fn values() -> Vec<Value> {
    let few = json!([
        null,
        true,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        0.5,
        "",
        "a",
        "aaa",
        "aaaaa",
        "x",
        "y",
        "z",
        [],
        ["a"],
        [0],
        {}
    ]);
    let few = few.as_array().expect("a list").clone();
    let mut all = few.clone();
    for (one, other) in [("a", "b"), ("b", "k"), ("k", "a")] {
        for value in &few {
            all.push(json!({one: value}));
            all.extend(few.iter().map(|beside| json!({one: value, other: beside})));
        }
    }
    all
}

#[test]
fn one_change_of_an_alternative_is_what_the_validator_says_of_all_values() {
    let values = values();
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let count = 2 + random.below(3);
        let old: Vec<Value> = (0..count).map(|_| alternative(&mut random)).collect();
        let new = changed(&mut random, &old);
        let keyword = if random.below(4) == 0 {
            "oneOf"
        } else {
            "anyOf"
        };
        let [old, new] = [old, new].map(|all| json!({keyword: all}));
        let from_server = random.below(2) == 0;
        let accepted = [&old, &new].map(|schema| {
            let validator = jsonschema::draft202012::new(schema).expect("a schema");
            let accepted = values.iter().map(|value| validator.is_valid(value));
            accepted.collect::<Vec<bool>>()
        });
        let tells = |one: usize, other: usize| {
            let mut both = accepted[one].iter().zip(&accepted[other]);
            both.any(|(one, other)| *one && !*other)
        };
        let (sender, receiver) = if from_server { (1, 0) } else { (0, 1) };
        let sides = [&old, &new].map(|schema| api(!from_server, schema));
        let findings = found(&sides[0], &sides[1], from_server);
        let gravest = findings.iter().map(|finding| finding.severity).min();
        let said = || format!("seed {seed}, server {from_server}\n{old}\n{new}\n{findings:#?}");
        // Witnesses were checked, so nothing is graver than it is.
        let expected = match (tells(sender, receiver), tells(receiver, sender)) {
            (true, _) => gravest == Some(Severity::Breaking),
            (false, true) => gravest.is_some() && gravest != Some(Severity::Undecided),
            (false, false) => gravest != Some(Severity::Undecided),
        };
        assert!(expected, "{}", said());
        let shown = findings
            .iter()
            .all(|finding| finding.severity != Severity::Breaking || finding.witness.is_some());
        assert!(shown, "{}", said());
    }
}

/// How many changes among alternatives that overlap are tried.
const ROUNDS: u64 = 400;

/// Alternatives of `oneOf` that overlap, by their components: some are the same one, some say more than another one.
fn overlapping(random: &mut Random) -> (Value, Value) {
    let mut components = json!({});
    let mut branches = Vec::new();
    for index in 0..2 + random.below(2) {
        let name = format!("A{index}");
        let own = json!({
            "type": "object",
            "properties": {"a": {"type": "integer", "maximum": 1 + random.below(4)}, "b": {"type": "boolean"}},
            "required": if random.below(2) == 0 { json!(["a"]) } else { json!([]) },
        });
        let parent = index.checked_sub(1).filter(|_| random.below(2) == 0);
        components[&name] = match parent {
            Some(parent) => json!({"allOf": [reference(&format!("A{parent}")), own]}),
            None => own,
        };
        let copies = 1 + usize::from(random.below(3) == 0);
        branches.extend(std::iter::repeat_n(reference(&name), copies));
    }
    if random.below(2) == 0 {
        let copy = components["A0"].clone();
        components["Copy"] = copy;
        branches.push(reference("Copy"));
    }
    (json!({"oneOf": branches}), components)
}

/// One change of what [`overlapping`] makes.
fn with_one_change(random: &mut Random, schema: &mut Value, components: &mut Value) {
    let branches = schema["oneOf"].as_array_mut().expect("a list");
    let kind = random.below(4);
    if kind == 0 {
        branches.remove(random.below(branches.len()));
        return;
    }
    let name = format!("A{}", random.below(2));
    let mut own = &mut components[&name];
    if own.get("allOf").is_some() {
        own = &mut own["allOf"][1];
    }
    let required = own["required"].as_array_mut().expect("a list");
    let place = ["a", "b"][random.below(2)];
    match kind {
        1 | 2 if required.iter().any(|name| name == place) => {
            required.retain(|name| name != place);
        }
        1 | 2 => required.push(json!(place)),
        _ => {
            let limit = own["properties"]["a"]["maximum"].as_u64().unwrap_or(1);
            let other = if random.below(2) == 0 {
                limit + 1
            } else {
                limit - 1
            };
            own["properties"]["a"]["maximum"] = json!(other);
        }
    }
}

#[test]
fn a_change_among_alternatives_that_overlap_is_what_it_does_to_values() {
    let mut values = vec![json!(0)];
    for a in [
        None,
        Some(0),
        Some(1),
        Some(2),
        Some(3),
        Some(4),
        Some(5),
        Some(6),
    ] {
        for b in [json!(null), json!(true), json!("x")] {
            let mut value = json!({});
            if let Some(a) = a {
                value["a"] = json!(a);
            }
            if !b.is_null() {
                value["b"] = b;
            }
            values.push(value);
        }
    }
    let mut undecided = 0;
    for seed in 0..ROUNDS {
        let mut random = Random::new(seed + 7_000);
        let (schema, components) = overlapping(&mut random);
        let (mut after, mut others) = (schema.clone(), components.clone());
        with_one_change(&mut random, &mut after, &mut others);
        let from_server = random.below(2) == 0;
        let accepted = [(&schema, &components), (&after, &others)].map(|(schema, components)| {
            let mut schema = schema.clone();
            schema["components"] = json!({"schemas": components});
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            let accepted = values.iter().map(|value| validator.is_valid(value));
            accepted.collect::<Vec<bool>>()
        });
        let (sender, receiver) = if from_server { (1, 0) } else { (0, 1) };
        let mut both = accepted[sender].iter().zip(&accepted[receiver]);
        let any = |one: usize| accepted[one].contains(&true);
        // A schema that nothing matches any more is another finding, where that is seen.
        if any(0) && !any(1) {
            continue;
        }
        let harms = both.any(|(sent, received)| *sent && !*received);
        let old = with_components(&schema, &components, from_server);
        let new = with_components(&after, &others, from_server);
        let findings = found(&old, &new, from_server);
        let gravest = findings.iter().map(|finding| finding.severity).min();
        if gravest == Some(Severity::Undecided) {
            undecided += 1;
        }
        let is_right = match gravest {
            Some(Severity::Undecided) => true,
            Some(Severity::Breaking) => harms,
            _ => !harms,
        };
        assert!(
            is_right,
            "seed {seed}, server {from_server}, harms {harms}\n{schema} {components}\n{after} {others}\n{findings:#?}"
        );
    }
    assert!(undecided <= ROUNDS / 8, "{undecided}");
}

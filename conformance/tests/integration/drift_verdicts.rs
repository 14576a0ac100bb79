//! Verdicts on pairs of documents, and on pairs of schemas wherever a schema stands.
//!
//! A folder of `cases/drift/pairs` has `old.yaml`, `new.yaml` and `expected.yaml`: what is found of old against new (`there`) and of
//! new against old (`back`), all of it unless it says `partial`. A word in place of a list is the gravest severity that may be found.
//! `cases/drift/kinds.yaml` says what it has.
//!
//! An expected finding is `{ breaking: RULE, at: PLACE }`, where `~` is any rule and the place is a part of the pointer on either side;
//! what its witness has to be: `has` and `lacks` are pointers into it, `holds` says which values stand there, and `somewhere` which
//! names are in it at any depth. Each witness is held against both documents by the plain validator besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Place, Severity};
use serde_json::{Map, Value, json};
use shown::writer;

use crate::drift_support::faults::assert_none;
use crate::drift_support::shown;

/// Where a schema is put: the slot, and whether the server sends what stands there.
const SLOTS: [(&str, bool); 5] = [
    ("/paths/~1things/post/requestBody", false),
    ("/paths/~1things/post/responses/200", true),
    ("/webhooks/thing/post/requestBody", true),
    ("/webhooks/thing/post/responses/200", false),
    (
        "/paths/~1things/post/callbacks/done/{$request.query.url}/post/requestBody",
        true,
    ),
];

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/drift")
}

fn yaml(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn each_pair_is_judged_as_it_says_in_both_directions() {
    let mut folders: Vec<PathBuf> = fs::read_dir(cases().join("pairs"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    let mut faults = Vec::new();
    for folder in &folders {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let expected = yaml(&folder.join("expected.yaml"));
        only(&expected, &["there", "back", "partial"], &name);
        let sides = ["old.yaml", "new.yaml"].map(|side| Side::load(&folder.join(side)));
        let [old, new] = &sides;
        for (way, old, new) in [("there", old, new), ("back", new, old)] {
            let fault = judge(old, new, &expected[way], expected["partial"] == true);
            faults.extend(fault.err().map(|fault| format!("{name}, {way}: {fault}")));
        }
    }
    assert_none(&faults);
    assert!(folders.len() >= 40, "{}", folders.len());
}

#[test]
fn each_kind_of_difference_is_judged_by_who_sends_the_value_whatever_the_names_are() {
    let kinds = yaml(&cases().join("kinds.yaml"));
    // The first place where a kind is misjudged, and in how many more.
    let mut faults: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut asked = 0;
    for kind in kinds.as_array().expect("a list") {
        let about = kind["about"].as_str().expect("what it is about");
        let keys = [
            "about",
            "old",
            "new",
            "names",
            "client",
            "server",
            "client-back",
            "server-back",
        ];
        only(kind, &keys, about);
        let odd = (kind.get("names").is_none()).then(|| renamed(kind));
        for (names, kind) in [("", Some(kind)), (", other names", odd.as_ref())] {
            let Some(kind) = kind else { continue };
            for (slot, from_server) in SLOTS {
                let sides =
                    ["old", "new"].map(|side| Side::of(side, with_schema(&kind[side], slot)));
                let [old, new] = &sides;
                let sender = if from_server { "server" } else { "client" };
                for (way, old, new) in [
                    (sender.to_owned(), old, new),
                    (format!("{sender}-back"), new, old),
                ] {
                    let Some(expected) = kind.get(&way) else {
                        continue;
                    };
                    asked += 1;
                    if let Err(fault) = judge(old, new, expected, false) {
                        let fault = (format!("at {slot}{names}: {fault}"), 0);
                        faults.entry(format!("{about} {way}")).or_insert(fault).1 += 1;
                    }
                }
            }
        }
    }
    let faults: Vec<String> = faults
        .iter()
        .map(|(kind, (fault, times))| format!("{kind}, {times} times, {fault}"))
        .collect();
    assert_none(&faults);
    assert!(asked >= 300, "{asked}");
}

#[test]
fn an_object_of_2000_members_is_no_harder_than_one_of_2() {
    let object = |names: &dyn Fn(usize) -> String, more: &[&str], closed: bool| {
        let names = (0..2000)
            .map(names)
            .chain(more.iter().map(|name| (*name).to_owned()));
        let properties: Map<String, Value> = names
            .map(|name| (name, json!({"type": "string"})))
            .collect();
        json!({"type": "object", "additionalProperties": !closed, "properties": properties})
    };
    // Whatever the alphabet says: the added name comes before, between and after the others.
    for added in ["aa", "p5x", "z", "extra"] {
        let numbered = |index: usize| format!("p{index}");
        let (old, new) = (
            object(&numbered, &[], true),
            object(&numbered, &[added], true),
        );
        let [old, new] = [old, new].map(|schema| Side::of("d", with_schema(&schema, SLOTS[1].0)));
        let at = format!("properties/{added}");
        let has = format!("/{added}");
        let expected = json!([{"breaking": "schema-property-added", "at": at, "has": [has], "lacks": ["/p1"]}]);
        judge(&old, &new, &expected, false).unwrap_or_else(|fault| panic!("{added}: {fault}"));
        let expected = json!([{"breaking": "schema-property-removed", "at": at}]);
        judge(&new, &old, &expected, false)
            .unwrap_or_else(|fault| panic!("{added}, back: {fault}"));
    }
    // Every member differs: each is a finding of its own.
    let typed = |kind: &str| {
        let properties: Map<String, Value> = (0..2000)
            .map(|index| (format!("p{index}"), json!({"type": kind})))
            .collect();
        Side::of(
            "d",
            with_schema(
                &json!({"type": "object", "properties": properties}),
                SLOTS[0].0,
            ),
        )
    };
    let findings = differences(&typed("string"), &typed("integer"));
    let breaking = findings
        .iter()
        .filter(|found| found.severity == Severity::Breaking);
    assert_eq!((findings.len(), breaking.count()), (2000, 2000));
}

/// A document, and what it says as the plain validator reads it.
struct Side {
    document: Document,
    /// `None` where it has other files, or numbers that the validator does not read.
    value: Option<Value>,
}

impl Side {
    fn load(path: &Path) -> Self {
        let name = path.to_str().expect("a name in Unicode");
        let document = Document::load(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = fs::read_to_string(path).expect(name);
        let is_whole = !text.contains(".yaml");
        let value = is_whole.then(|| yaml_serde::from_str(&text).ok()).flatten();
        Self { document, value }
    }

    fn of(name: &str, value: Value) -> Self {
        let document = Document::parse(name, &value.to_string())
            .unwrap_or_else(|error| panic!("{error}: {value}"));
        Self {
            document,
            value: Some(value),
        }
    }
}

fn differences(old: &Side, new: &Side) -> Vec<Finding> {
    compare(&old.document, &new.document, &Options::default())
}

/// Holds what is found to what is expected.
fn judge(old: &Side, new: &Side, expected: &Value, partial: bool) -> Result<(), String> {
    let mut left = differences(old, new);
    let all = left.iter().map(told).collect::<Vec<_>>().join("\n    ");
    let fault = |fault: String| format!("{fault}; found is\n    {all}");
    if let (Some(old), Some(new)) = (&old.value, &new.value) {
        for finding in &left {
            writer(old, new, finding).map_err(&fault)?;
        }
    }
    if let Some(word) = expected.as_str() {
        let graver = left.iter().find(|found| found.severity < severity(word));
        return graver.map_or(Ok(()), |found| {
            Err(fault(format!("{} is graver than {word}", told(found))))
        });
    }
    for one in expected.as_array().expect("findings") {
        let index = left
            .iter()
            .position(|found| is_meant(found, one) && unlike(found, one).is_none());
        // Where none is right, the one that is meant says what is wrong with it.
        let Some(index) = index else {
            let meant = left.iter().find(|found| is_meant(found, one));
            let reason = meant
                .and_then(|found| unlike(found, one))
                .unwrap_or_else(|| "is not there".to_owned());
            return Err(fault(format!("{one} {reason}")));
        };
        left.swap_remove(index);
    }
    match left.first() {
        Some(found) if !partial => Err(fault(format!("{} is not expected", told(found)))),
        _ => Ok(()),
    }
}

fn told(found: &Finding) -> String {
    let pointer = |place: &Option<Place>| {
        place
            .as_ref()
            .map_or("-".to_owned(), |place| place.pointer.clone())
    };
    format!(
        "{} {} at {} and {}, witness {}",
        found.severity.word(),
        found.rule,
        pointer(&found.old),
        pointer(&found.new),
        found.witness.as_ref().unwrap_or(&Value::Null)
    )
}

fn severity(word: &str) -> Severity {
    let found = Severity::ALL
        .into_iter()
        .find(|severity| severity.word() == word);
    found.unwrap_or_else(|| panic!("{word} is no severity"))
}

/// Whether a finding has the severity, the rule and the place of an expected one.
fn is_meant(found: &Finding, expected: &Value) -> bool {
    let keys = ["at", "has", "lacks", "holds", "somewhere"];
    let mut severities = Severity::ALL
        .iter()
        .map(|severity| severity.word())
        .filter(|word| expected.get(word).is_some());
    let word = severities
        .next()
        .unwrap_or_else(|| panic!("{expected} has no severity"));
    only(
        expected,
        &[&keys[..], &[word]].concat(),
        "an expected finding",
    );
    let rule = expected[word].as_str();
    let stands_at = |at: &str| {
        let is_at = |place: &Option<Place>| {
            let pointer = place.as_ref().map(|place| format!("{}/", place.pointer));
            pointer.is_some_and(|pointer| pointer.contains(&format!("/{at}/")))
        };
        is_at(&found.old) || is_at(&found.new)
    };
    found.severity.word() == word
        && rule.is_none_or(|rule| rule == found.rule)
        && expected["at"].as_str().is_none_or(stands_at)
}

/// In what the witness of a finding is not that of an expected one.
fn unlike(found: &Finding, expected: &Value) -> Option<String> {
    let list = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    let has = |pointer: &Value| {
        found
            .witness
            .as_ref()?
            .pointer(pointer.as_str().expect("a pointer"))
    };
    let missing = list("has")
        .into_iter()
        .find(|pointer| has(pointer).is_none());
    if let Some(pointer) = missing {
        return Some(format!("shows nothing at {pointer}"));
    }
    let lacks = list("lacks");
    if !lacks.is_empty() && found.witness.is_none() {
        return Some("shows nothing".to_owned());
    }
    if let Some(pointer) = lacks.into_iter().find(|pointer| has(pointer).is_some()) {
        return Some(format!("shows something at {pointer}"));
    }
    let held = expected["holds"].as_object().into_iter().flatten();
    for (pointer, value) in held {
        if has(&json!(pointer)) != Some(value) {
            return Some(format!("does not show {value} at {pointer}"));
        }
    }
    let names = list("somewhere");
    let is_there = names.iter().all(|name| {
        found
            .witness
            .as_ref()
            .is_some_and(|witness| contains(witness, name.as_str().unwrap_or_default()))
    });
    (!is_there).then(|| format!("does not show {names:?}"))
}

/// Whether an object within a value has a member of that name.
fn contains(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key(name) || members.values().any(|member| contains(member, name))
        }
        Value::Array(items) => items.iter().any(|item| contains(item, name)),
        _ => false,
    }
}

/// A document that has a schema in one slot.
fn with_schema(schema: &Value, slot: &str) -> Value {
    let operation = || json!({"responses": {"200": {"description": "d"}}});
    let mut value = json!({
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things": {"post": operation()}},
        "webhooks": {"thing": {"post": operation()}},
    });
    value["paths"]["/things"]["post"]["callbacks"] =
        json!({"done": {"{$request.query.url}": {"post": operation()}}});
    let content = json!({"application/json": {"schema": schema}});
    let (parent, last) = slot.rsplit_once('/').expect(slot);
    let parent = value.pointer_mut(parent).expect(slot);
    match parent.get_mut(last) {
        Some(answer) => answer["content"] = content,
        None => parent[last] = json!({"required": true, "content": content}),
    }
    value
}

/// A kind whose members have names that are read as something else elsewhere.
fn renamed(kind: &Value) -> Value {
    let mut names = BTreeSet::new();
    declared(&kind["old"], &mut names);
    declared(&kind["new"], &mut names);
    let other = |name: &str| format!("{name} $/~1 ß");
    let token = |token: &str| match names.contains(token) {
        true => other(token).replace('~', "~0").replace('/', "~1"),
        false => token.to_owned(),
    };
    let pointer = |pointer: &str| pointer.split('/').map(token).collect::<Vec<_>>().join("/");
    let mut kind = kind.clone();
    for (key, value) in kind.as_object_mut().expect("a kind") {
        match key.as_str() {
            "old" | "new" => rename(value, &other),
            _ => repoint(value, &pointer),
        }
    }
    kind
}

/// The names of all properties, and those that are required.
fn declared(schema: &Value, names: &mut BTreeSet<String>) {
    let members = schema.as_object().into_iter().flatten();
    for (key, value) in members {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => names.extend(properties.keys().cloned()),
            ("required", Value::Array(required)) => {
                names.extend(required.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
        inner(value).for_each(|schema| declared(schema, names));
    }
}

/// The values in a value, those of a list and of an object.
fn inner(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(members) => Box::new(std::iter::once(value).chain(members.values())),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

fn rename(schema: &mut Value, other: &dyn Fn(&str) -> String) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        *properties = std::mem::take(properties)
                            .into_iter()
                            .map(|(name, mut schema)| {
                                rename(&mut schema, other);
                                (other(&name), schema)
                            })
                            .collect();
                    }
                    ("required", Value::Array(names)) => {
                        for name in names {
                            *name = json!(other(name.as_str().expect("a name")));
                        }
                    }
                    (_, value) => rename(value, other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, other)),
        _ => {}
    }
}

/// Renames the members that the places and pointers of expected findings name.
fn repoint(findings: &mut Value, pointer: &dyn Fn(&str) -> String) {
    for finding in findings.as_array_mut().into_iter().flatten() {
        if let Some(Value::String(at)) = finding.get_mut("at") {
            *at = pointer(at);
        }
        for key in ["has", "lacks"] {
            for one in finding
                .get_mut(key)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                *one = json!(pointer(one.as_str().expect("a pointer")));
            }
        }
        if let Some(Value::Object(held)) = finding.get_mut("holds") {
            *held = std::mem::take(held)
                .into_iter()
                .map(|(at, value)| (pointer(&at), value))
                .collect();
        }
    }
}

fn only(object: &Value, known: &[&str], name: &str) {
    for key in object.as_object().expect(name).keys() {
        assert!(known.contains(&key.as_str()), "{name}: {key}");
    }
}

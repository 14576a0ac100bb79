//! The cases of drift: a document, a patch of RFC 6902, and in what the two documents differ, seen from either side.
//!
//! A file of `cases/drift/edits` has the document (or names its file, as `base`), `places` (short names for pointers, so that
//! `body/type` may stand for a long one) and a list of cases. A case has `patch`, `found` for old against new, and `back` for new
//! against old. An expected finding is
//! `{ breaking: schema-type-changed, at: body/type, by: client }`: the severity and the rule, the place (`old` and `new` where
//! the two differ), and, where a witness has to be there, whose message it is: that of the `client` or that of the `server`.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Impact, Message, Place, SchemaChange, Severity};
use serde_json::{Map, Value};

use super::edits::patch;
use super::shown::writer;

use crate::drift_support::{document, folder, read};

/// Short names of pointers.
type Places = Map<String, Value>;

/// One case, ready to be compared.
pub(crate) struct Case {
    /// The file, and what the case is about.
    pub(crate) name: String,
    /// The document and the patched one, with the texts that they were read from.
    sides: [(Document, String); 2],
    places: Places,
    options: Options,
    /// The expected findings of old against new, and of new against old, as [`told`] writes them.
    expected: [Vec<String>; 2],
    /// The rules that are expected either way.
    pub(crate) rules: Vec<String>,
}

/// All cases, in order of file and place.
pub(crate) fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(folder().join("edits")).expect("a folder");
    let mut files: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name"))
        .collect();
    files.sort();
    files.iter().flat_map(|file| of_file(file)).collect()
}

fn of_file(file: &str) -> Vec<Case> {
    let text = read(&format!("edits/{file}"));
    let suite: Value =
        yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    only(&suite, &["base", "document", "places", "cases"], file);
    let places = suite["places"].as_object().cloned().unwrap_or_default();
    let base = match (suite["base"].as_str(), suite.get("document")) {
        (Some(name), None) => read(name),
        (None, Some(value)) => pretty(value),
        _ => panic!("{file}: either `base` or `document`"),
    };
    let cases = suite["cases"].as_array().expect(file).iter();
    cases.map(|case| of(file, &base, &places, case)).collect()
}

fn of(file: &str, base: &str, places: &Places, case: &Value) -> Case {
    let name = format!("{file}: {}", case["about"].as_str().expect(file));
    only(case, &["about", "patch", "found", "back", "prose"], &name);
    let old = Document::parse("d", base).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut value: Value = yaml_serde::from_str(base).expect("was parsed");
    for edit in case["patch"].as_array().expect(&name) {
        let mut edit = edit.clone();
        for key in ["path", "from"] {
            if let Some(path) = edit[key].as_str() {
                edit[key] = full(places, path).into();
            }
        }
        patch(&mut value, &edit);
    }
    let ways = ["found", "back"].map(|way| case[way].as_array().cloned().expect(&name));
    let rules = ways.iter().flatten().map(|one| named(one, &name).1);
    Case {
        rules: rules.collect(),
        sides: [
            (old, base.to_owned()),
            (document(&name, &value), pretty(&value)),
        ],
        places: places.clone(),
        options: Options {
            prose: case["prose"] == true,
            ..Options::default()
        },
        expected: ways.map(|way| {
            let lines = way.iter().map(|one| expectation(places, one, &name));
            sorted(lines.collect())
        }),
        name,
    }
}

impl Case {
    /// Returns the faults in the findings, one text for each direction.
    pub(crate) fn faults(&self) -> Vec<String> {
        let [old, new] = &self.sides;
        let ways = [("old to new", old, new), ("new to old", new, old)];
        let mut faults = Vec::new();
        for ((way, old, new), expected) in ways.into_iter().zip(&self.expected) {
            let findings = compare(&old.0, &new.0, &self.options);
            let mut wrong = Vec::new();
            let mut found = Vec::new();
            for finding in &findings {
                match writer(old.0.value(), new.0.value(), finding) {
                    Ok(by) => found.push(self.told(finding, by)),
                    Err(fault) => wrong.push(fault),
                }
                let schema = finding.rule.starts_with("schema-");
                // No value shows that an optional member of an open object is no longer sent.
                let withdrawn = finding
                    .effect
                    .as_ref()
                    .is_some_and(|effect| effect.impact == Impact::Withdrawn)
                    && matches!(
                        finding.message,
                        Message::Schema(SchemaChange::PropertyRemoved {
                            required: false,
                            ..
                        })
                    );
                let shown = finding.witness.is_some() || withdrawn;
                if schema && finding.severity == Severity::Breaking && !shown {
                    wrong.push(format!("no witness: {:?}", finding.message));
                }
                for (place, text) in [(&finding.old, &old.1), (&finding.new, &new.1)] {
                    wrong.extend(place.as_ref().and_then(|place| misplaced(place, text)));
                }
            }
            let found = sorted(found);
            if found != *expected || !wrong.is_empty() {
                let list = |lines: &[String]| match lines {
                    [] => "      (nothing)".to_owned(),
                    lines => lines
                        .iter()
                        .map(|line| format!("      - {line}"))
                        .collect::<Vec<_>>()
                        .join("\n"),
                };
                let wrong: Vec<String> = wrong.iter().map(|one| format!("\n    {one}")).collect();
                faults.push(format!(
                    "{} ({way})\n    expected\n{}\n    found\n{}{}",
                    self.name,
                    list(expected),
                    list(&found),
                    wrong.concat()
                ));
            }
        }
        faults
    }

    /// Returns the findings where the document is compared with itself, and the patched one with itself.
    pub(crate) fn with_themselves(&self) -> Vec<Finding> {
        let all = self.sides.iter();
        all.flat_map(|(side, _)| compare(side, side, &self.options))
            .collect()
    }

    /// A finding as cases write it.
    fn told(&self, finding: &Finding, by: Option<&str>) -> String {
        let pointer = |place: &Option<Place>| {
            place
                .as_ref()
                .map_or_else(String::new, |place| short(&self.places, &place.pointer))
        };
        written(
            finding.severity.word(),
            finding.rule,
            (&pointer(&finding.old), &pointer(&finding.new)),
            by,
        )
    }
}

/// An expected finding as [`Case::told`] writes it.
fn expectation(places: &Places, one: &Value, name: &str) -> String {
    let (severity, rule) = named(one, name);
    only(one, &[&severity, "at", "old", "new", "by"], name);
    let place = |key: &str| {
        let at = one[key].as_str().or(one["at"].as_str());
        let at = at.unwrap_or_else(|| panic!("{name}: {one} has no {key}"));
        short(places, &full(places, at))
    };
    written(
        &severity,
        &rule,
        (&place("old"), &place("new")),
        one["by"].as_str(),
    )
}

fn written(severity: &str, rule: &str, (old, new): (&str, &str), by: Option<&str>) -> String {
    let places = if old == new {
        format!("at: {old:?}")
    } else {
        format!("old: {old:?}, new: {new:?}")
    };
    let by = by.map_or_else(String::new, |by| format!(", by: {by}"));
    format!("{{ {severity}: {rule}, {places}{by} }}")
}

/// The severity and the rule of an expected finding.
fn named(one: &Value, name: &str) -> (String, String) {
    let mut words = Severity::ALL.iter().map(|severity| severity.word());
    let found = words.find_map(|word| Some((word.to_owned(), one[word].as_str()?.to_owned())));
    found.unwrap_or_else(|| panic!("{name}: {one} has no severity"))
}

/// A pointer whose first token may be the name of a place.
fn full(places: &Places, pointer: &str) -> String {
    let (head, tail) = match pointer.split_once('/') {
        Some((head, tail)) => (head, format!("/{tail}")),
        None => (pointer, String::new()),
    };
    match places.get(head).and_then(Value::as_str) {
        Some(place) => format!("{place}{tail}"),
        None if pointer.is_empty() || head.is_empty() => pointer.to_owned(),
        None => panic!("there is no place called {head}"),
    }
}

/// A pointer by the name of the longest place that it is below.
fn short(places: &Places, pointer: &str) -> String {
    let below = |(name, place): (&String, &Value)| {
        let rest = pointer.strip_prefix(place.as_str()?)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{name}{rest}"))
    };
    let all = places.iter().filter_map(below);
    let shortest = all.min_by_key(|text| (text.matches('/').count(), text.len()));
    shortest.unwrap_or_else(|| pointer.to_owned())
}

/// Returns the problem with the place of a finding in the text: the key or the item of its place has to be there.
fn misplaced(place: &Place, text: &str) -> Option<String> {
    let last = place.pointer.rsplit('/').next()?;
    let last = last.replace("~1", "/").replace("~0", "~");
    let line = text
        .lines()
        .nth(place.line as usize - 1)
        .unwrap_or_default();
    let from: String = line.chars().skip(place.column as usize - 1).collect();
    let quoted = from.starts_with(['"', '\'']);
    let is_index = last.parse::<usize>().is_ok() && !quoted;
    let key = from.trim_start_matches(['"', '\'']);
    // A key that is escaped in JSON is not looked for.
    let is_there = is_index || key.starts_with(last.as_str()) || last.contains(['"', '\\']);
    (!is_there).then(|| {
        format!(
            "{} is not at {}:{}",
            place.pointer, place.line, place.column
        )
    })
}

fn only(object: &Value, known: &[&str], name: &str) {
    for key in object.as_object().expect(name).keys() {
        assert!(known.contains(&key.as_str()), "{name}: {key}");
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("is JSON")
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

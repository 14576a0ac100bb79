//! Comparing parameters and headers.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use serde_json::Value;

use super::Drift;
use super::equal::canonical_without_provenance;
use super::pair::Pair;
use super::rules::{self, Rule};
use super::site::{Site, Text};
use super::walk::{Entry, Met, walk};
use crate::document::{Document, Operation, pointer};
use crate::finding::{DocumentChange, Impact, Part, Sender, Severity, Side};

/// Headers that parameters do not describe: `security`, and the media types of bodies and responses do (OpenAPI, Parameter Object).
const NO_PARAMETERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// The header that Header Objects do not describe: `content` does (OpenAPI, Response Object and Encoding Object).
const NO_HEADER: &str = "content-type";

/// Members that say how a value is written.
const SERIALIZATION: [&str; 4] = ["style", "explode", "allowReserved", "allowEmptyValue"];

/// The place and name of a parameter; names of headers are in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    place: String,
    name: String,
}

/// A parameter as it is given in a list.
#[derive(Debug, Clone)]
struct Given {
    key: Key,
    /// Its name as the document spells it.
    name: String,
    /// Where it is, references followed.
    at: String,
}

/// The parameters of one side, each of them with all that is given for it.
type Declared = BTreeMap<Key, Vec<Given>>;

impl Given {
    fn part(&self) -> Part {
        Part::Parameter {
            place: self.key.place.clone(),
            name: self.name.clone(),
        }
    }
}

/// Whether a parameter stands between two slashes of a path, and nothing beside it.
fn is_segment(path: &str, given: &Given) -> bool {
    let mut segments = path.split('/');
    given.key.place == "path"
        && segments.any(|segment| {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            name == Some(given.name.as_str())
        })
}

impl Drift<'_> {
    /// Compares the parameters of an operation, those of its path among them. `names` has the old names of path parameters by the new ones.
    pub(super) fn parameters(
        &mut self,
        site: Site<'_>,
        old: &Operation<'_>,
        new: &Operation<'_>,
        names: Option<&HashMap<String, String>>,
    ) {
        self.dangling(site.subject, old, new);
        let one = declared(self.ledger.old, old, None);
        let other = declared(self.ledger.new, new, names);
        let container = Pair::new(old.pointer.as_str(), new.pointer.as_str()).member("parameters");
        for (key, given) in &one {
            match other.get(key) {
                Some(found) => {
                    // Which of several holds is not known; `repeated` says so.
                    if !is_ambiguous(self.ledger.old, given)
                        && !is_ambiguous(self.ledger.new, found)
                    {
                        let at = Pair::new(given[0].at.as_str(), found[0].at.as_str());
                        let site = match is_segment(old.path, &given[0]) {
                            true => Site {
                                as_text: Text::Segment,
                                ..site
                            },
                            false => site,
                        };
                        self.parameter(site, &given[0], &at);
                    }
                }
                None => {
                    let impact = Impact::of_removal(site.sender);
                    let at = Pair::new(given[0].at.as_str(), container.new.as_str());
                    let change = DocumentChange::removed(given[0].part());
                    let (rule, effect) = (&rules::PARAMETER_REMOVED, site.effect(impact));
                    self.ledger.affect(rule, effect, site.subject, &at, change);
                }
            }
        }
        for (key, given) in &other {
            if !one.contains_key(key) {
                let mut all = given.iter();
                let required = all.any(|given| is_required(self.ledger.new, &given.at));
                let impact = match site.sender {
                    Sender::Client if required => Impact::Rejected,
                    _ => Impact::Compatible,
                };
                let at = Pair::new(container.old.as_str(), given[0].at.as_str());
                let change = DocumentChange::Added {
                    part: given[0].part(),
                    required,
                };
                let (rule, effect) = (&rules::PARAMETER_ADDED, site.effect(impact));
                self.ledger.affect(rule, effect, site.subject, &at, change);
            }
        }
    }

    /// Says which parameters refer to nothing.
    fn dangling(&mut self, subject: &str, old: &Operation<'_>, new: &Operation<'_>) {
        let sides = [
            (Side::Old, self.ledger.old, old),
            (Side::New, self.ledger.new, new),
        ];
        for (side, document, operation) in sides {
            for at in lists(document, operation).into_iter().flatten() {
                if document.resolve(&at).is_none() {
                    let pair = match side {
                        Side::Old => Pair::new(at, new.pointer.as_str()),
                        Side::New => Pair::new(old.pointer.as_str(), at),
                    };
                    self.ledger.unresolved(subject, side, &pair);
                }
            }
        }
    }

    /// Says which parameters are given several times (OpenAPI: a list must not have duplicates), in whatever order. Where they differ,
    /// it is not known which of them holds. A parameter that both documents give in the same ways is a warning, or nothing where all are
    /// alike.
    pub(super) fn repeated(
        &mut self,
        subject: &str,
        old: Option<&Operation<'_>>,
        new: Option<&Operation<'_>>,
    ) {
        let list = |document: &Document, operation: Option<&Operation<'_>>| {
            let several = |one: &&Operation<'_>| {
                let lists = [document.at(&one.item), Some(one.value)].into_iter();
                let lists = lists.map(|object| object?.get("parameters")?.as_array());
                lists.flatten().any(|list| list.len() > 1)
            };
            let all = operation
                .filter(several)
                .map(|operation| declared(document, operation, None));
            let mut all = all.unwrap_or_default();
            all.retain(|_, given| given.len() > 1);
            all
        };
        let documents = (self.ledger.old, self.ledger.new);
        let one = list(documents.0, old);
        let other = list(documents.1, new);
        let keys: BTreeSet<&Key> = one.keys().chain(other.keys()).collect();
        let at = |given: Option<&Vec<Given>>, operation: Option<&Operation<'_>>| {
            let last = given.and_then(|given| given.last());
            let last = last.map(|given| given.at.as_str());
            let last = last.or(operation.map(|operation| operation.pointer.as_str()));
            last.unwrap_or_default().to_owned()
        };
        for key in keys {
            let given = (one.get(key), other.get(key));
            let said = |document, given: Option<&Vec<Given>>| {
                given.map(|given| said(document, given)).unwrap_or_default()
            };
            let meanings = (said(documents.0, given.0), said(documents.1, given.1));
            let both = meanings.0 == meanings.1;
            let sides = [
                (Side::Old, given.0, meanings.0),
                (Side::New, given.1, meanings.1),
            ];
            for (side, given, mut said) in sides {
                let count = said.len();
                said.dedup();
                let alike = said.len() == 1;
                let (Some(given), false) = (given, both && (alike || side == Side::Old)) else {
                    continue;
                };
                let change = DocumentChange::ParameterRepeated {
                    side,
                    part: given[0].part(),
                    count,
                    alike,
                    both,
                };
                let severity = if alike || both {
                    Severity::Warning
                } else {
                    Severity::Undecided
                };
                let places = (one.get(key), other.get(key));
                let pair = Pair::new(at(places.0, old), at(places.1, new));
                let rule = &rules::PARAMETER_REPEATED;
                self.ledger.add_as(rule, severity, subject, &pair, change);
            }
        }
    }

    fn parameter(&mut self, site: Site<'_>, given: &Given, at: &Pair) {
        if self.is_same(at) {
            return;
        }
        let part = format!("the {} parameter `{}`", given.key.place, given.key.name);
        let site = Site {
            part: &part,
            ..site
        };
        let rule = &rules::PARAMETER_REQUIRED_CHANGED;
        self.required(site, rule, given.part(), at);
        // A path parameter of another name was reported with its path.
        self.serialized(site, (&given.part(), &given.key.place), at, &["name", "in"]);
    }

    /// Compares headers by name, in any case.
    pub(super) fn headers(&mut self, site: Site<'_>, at: &Pair) {
        let (old, new) = self.ledger.objects(at);
        let names = |object: Option<&serde_json::Map<String, Value>>| {
            let all = object.into_iter().flat_map(|members| members.keys());
            all.map(|name| Entry::of(name, name.to_lowercase()))
                .filter(|entry| entry.key != NO_HEADER)
                .collect::<Vec<_>>()
        };
        let (old, new) = (names(old), names(new));
        for met in walk(&old, &new) {
            let header = |one: &Entry| Part::Header {
                name: one.name.clone(),
            };
            match met {
                Met::Both(one, other) | Met::OldWithin(one, other) | Met::NewWithin(one, other) => {
                    let pair = Pair {
                        old: at.member(&one.name).old,
                        new: at.member(&other.name).new,
                    };
                    let Some(pair) = self.ledger.resolve(site.subject, &pair) else {
                        continue;
                    };
                    let thing = format!("the header `{}`", one.name);
                    let site = Site {
                        part: &thing,
                        ..site
                    };
                    let rule = &rules::HEADER_REQUIRED_CHANGED;
                    self.required(site, rule, header(one), &pair);
                    self.serialized(site, (&header(one), "header"), &pair, &[]);
                }
                Met::Old(one) => {
                    let impact = Impact::of_removal(site.sender);
                    let change = DocumentChange::removed(header(one));
                    let (rule, effect) = (&rules::HEADER_REMOVED, site.effect(impact));
                    let here = at.member(&one.name);
                    self.ledger
                        .affect(rule, effect, site.subject, &here, change);
                }
                Met::New(other) => {
                    let here = at.member(&other.name);
                    let required = {
                        let found = self.ledger.new.resolve(&here.new);
                        found.is_some_and(|(at, _)| is_required(self.ledger.new, &at))
                    };
                    // The sender of the message does not know about a header that is required of it.
                    let impact = match site.sender {
                        Sender::Client if required => Impact::Rejected,
                        _ => Impact::Compatible,
                    };
                    let change = DocumentChange::Added {
                        part: header(other),
                        required,
                    };
                    let (rule, effect) = (&rules::HEADER_ADDED, site.effect(impact));
                    self.ledger
                        .affect(rule, effect, site.subject, &here, change);
                }
            }
        }
    }

    /// Compares `required`. A receiver that asks for less, or a sender that promises more, does no harm.
    pub(super) fn required(&mut self, site: Site<'_>, rule: &'static Rule, part: Part, at: &Pair) {
        let (old, new) = (
            is_required(self.ledger.old, &at.old),
            is_required(self.ledger.new, &at.new),
        );
        if old == new {
            return;
        }
        let impact = match (site.sender, new) {
            (Sender::Client, true) => Impact::Rejected,
            (Sender::Server, false) => Impact::Withdrawn,
            (Sender::Client, false) | (Sender::Server, true) => Impact::Compatible,
        };
        let change = if new {
            DocumentChange::RequiredAdded { part }
        } else {
            DocumentChange::RequiredRemoved { part }
        };
        let at = at.member("required");
        self.ledger
            .affect(rule, site.effect(impact), site.subject, &at, change);
    }

    /// Compares what parameters and headers have in common.
    fn serialized(
        &mut self,
        site: Site<'_>,
        (part, place): (&Part, &str),
        at: &Pair,
        names: &[&str],
    ) {
        let subject = site.subject;
        self.written(site, (part, place), at);
        if place == "query" {
            self.empty_value(site, part, at);
        }
        let rule = &rules::DEPRECATED_CHANGED;
        self.ledger
            .with_default(rule, subject, at, "deprecated", Some(false.into()));
        let mut handled = vec![
            "required",
            "deprecated",
            "schema",
            "example",
            "examples",
            "content",
        ];
        handled.extend(SERIALIZATION);
        handled.extend(names);
        self.ledger.rest(subject, at, &handled);
    }
}

/// The pointers of what is in the lists of parameters of a path and of its operation.
fn lists(document: &Document, operation: &Operation<'_>) -> [Vec<String>; 2] {
    [&operation.item, &operation.pointer].map(|at| {
        let list = pointer::join(at, "parameters");
        let count = document
            .at(&list)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        (0..count).map(|index| format!("{list}/{index}")).collect()
    })
}

/// The parameters of an operation: its own, and those of its path that it does not replace. `names` holds other names of path
/// parameters by those that the document has.
fn declared(
    document: &Document,
    operation: &Operation<'_>,
    names: Option<&HashMap<String, String>>,
) -> Declared {
    let [shared, own] = lists(document, operation).map(|list| {
        let mut all = Declared::new();
        for at in list {
            let Some((at, value)) = document.resolve(&at) else {
                continue;
            };
            let text = |member: &str| value.get(member).and_then(Value::as_str);
            let (place, name) = (
                text("in").unwrap_or_default(),
                text("name").unwrap_or_default(),
            );
            let key = match place {
                "header" => name.to_lowercase(),
                "path" => names
                    .and_then(|names| names.get(name))
                    .map_or(name, String::as_str)
                    .to_owned(),
                _ => name.to_owned(),
            };
            if place == "header" && NO_PARAMETERS.contains(&key.as_str()) {
                continue;
            }
            let key = Key {
                place: place.to_owned(),
                name: key,
            };
            all.entry(key.clone()).or_default().push(Given {
                key,
                name: name.to_owned(),
                at,
            });
        }
        all
    });
    let mut all = shared;
    all.extend(own);
    all
}

/// Returns the definitions of a parameter, one for each time that it is given, sorted.
fn said(document: &Document, given: &[Given]) -> Vec<String> {
    let values = given.iter().filter_map(|given| document.at(&given.at));
    let mut texts: Vec<String> = values.map(canonical_without_provenance).collect();
    texts.sort();
    texts
}

/// Whether a parameter is given several times and not in the same way.
fn is_ambiguous(document: &Document, given: &[Given]) -> bool {
    let mut said = said(document, given);
    said.dedup();
    said.len() > 1
}

fn is_required(document: &Document, at: &str) -> bool {
    document.at(at).and_then(|value| value.get("required")) == Some(&Value::Bool(true))
}

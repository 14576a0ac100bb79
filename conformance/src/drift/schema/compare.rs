//! Walking the pairs of schemas that are not equal, and entering what differs.
//!
//! Pairs are taken from a queue and each is looked at once, so neither recursion nor sharing costs anything. Who uses a schema is
//! found afterwards, by walking the pairs back to where they came from.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::Value;

use super::super::equal::canonical_without_provenance;
use super::super::ledger::{Ledger, Pair, Site, Text, contrast, one_sided};
use super::super::meaning::{EFFORT, Meaning, Step};
use super::super::rules;
use super::super::same::Same;
use super::alternatives::turned;
use super::differences::{self, Below, Difference};
use super::effect::{self, Effect};
use super::matching::{LOOKS, Sides};
use super::side::{Side, local};
use super::view::{Content, Part, View};
use crate::document::normalize::{MAPS, SINGLE};
use crate::document::pointer;
use crate::finding::Sender;

/// How many pairs are compared. A pair is compared once, so this is reached by documents made for it only.
const PAIR_LIMIT: usize = 300_000;

/// The schemas that two documents use at the same places, as far as they are not the same.
#[derive(Default)]
pub(in super::super) struct Schemas {
    roots: Vec<Root>,
}

/// A body, a parameter or a header: where the schema of a whole value stands in both documents.
pub(super) struct Root {
    pub(super) subject: String,
    /// The number that the ledger knows the subject by.
    pub(super) number: usize,
    pub(super) part: String,
    pub(super) from_server: bool,
    pub(super) as_text: bool,
    pub(super) at: Pair,
}

impl Schemas {
    /// Puts the schemas at `at` down for comparison. One of them may be missing, which accepts everything.
    pub(in super::super) fn add(&mut self, ledger: &mut Ledger<'_>, site: Site<'_>, at: &Pair) {
        self.roots.push(Root {
            subject: site.subject.to_owned(),
            number: ledger.open(site.subject),
            part: site
                .part
                .strip_prefix("the ")
                .unwrap_or(site.part)
                .to_owned(),
            from_server: site.sender == Sender::Server,
            as_text: site.as_text != Text::No,
            at: at.clone(),
        });
    }

    /// Compares all that was put down.
    pub(in super::super) fn compare(self, same: Same<'_>, ledger: &mut Ledger<'_>) {
        let prose = ledger.options.prose;
        let mut walk = Walk {
            sides: Sides {
                theirs: Side::new(ledger.theirs, prose),
                ours: Side::new(ledger.ours, prose),
                same: RefCell::new(same),
                left: Cell::new(LOOKS),
            },
            pairs: Vec::new(),
            ids: HashMap::new(),
            open: VecDeque::new(),
            cut: false,
        };
        for (index, root) in self.roots.iter().enumerate() {
            walk.push(&root.at.theirs, &root.at.ours, From::Root(index));
        }
        while let Some(pair) = walk.open.pop_front() {
            walk.visit(pair);
        }
        if !walk.pairs.is_empty() {
            let flagged = [ledger.theirs, ledger.ours].map(|one| is_flagged(one.value()));
            let effort = Cell::new(EFFORT);
            let meaning = Meaning::new(ledger.theirs, ledger.ours, flagged != [false; 2], &effort);
            super::decide::enter(&walk, ledger, &self.roots, &meaning);
        }
        if walk.cut {
            let subject = self
                .roots
                .first()
                .map_or("document", |root| root.subject.as_str());
            let message = format!(
                "there are more than {PAIR_LIMIT} pairs of schemas to compare, and the rest was left out; split the documents or compare parts of them with --include"
            );
            ledger.add(&rules::LIMIT_REACHED, subject, &Pair::new("", ""), message);
        }
    }
}

/// Whether a schema is only sent in one direction.
fn is_flagged(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let flag = |name| members.get(name) == Some(&Value::Bool(true));
            flag("readOnly") || flag("writeOnly") || members.values().any(is_flagged)
        }
        Value::Array(items) => items.iter().any(is_flagged),
        _ => false,
    }
}

/// Where a pair was come across.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// A whole value.
    Root(usize),
    /// Another pair, by this keyword and step.
    Pair(usize, String, Step),
}

/// Two schemas at the same place, and what differs in them.
pub(super) struct Visit<'a> {
    pub(super) theirs: String,
    pub(super) ours: String,
    /// What stands there.
    values: (Option<&'a Value>, Option<&'a Value>),
    pub(super) from: Vec<From>,
    pub(super) differences: Vec<Difference>,
    /// References in them that lead nowhere: the side, where each stands, and what it says.
    pub(super) unresolved: Vec<(&'static str, String, String)>,
    views: OnceCell<Box<(View, View)>>,
}

pub(super) struct Walk<'a> {
    pub(super) sides: Sides<'a>,
    pub(super) pairs: Vec<Visit<'a>>,
    ids: HashMap<(String, String), usize>,
    open: VecDeque<usize>,
    cut: bool,
}

impl Walk<'_> {
    fn push(&mut self, theirs: &str, ours: &str, from: From) {
        let (theirs, one) = self.sides.theirs.known(theirs);
        let (ours, other) = self.sides.ours.known(ours);
        let next = self.pairs.len();
        let pair = (theirs, ours);
        if let Some(&known) = self.ids.get(&pair) {
            self.pairs[known].from.push(from);
            return;
        }
        if self.sides.same.borrow_mut().schema(one, other) {
            return;
        }
        if next >= PAIR_LIMIT {
            self.cut = true;
            return;
        }
        self.pairs.push(Visit {
            theirs: pair.0.clone(),
            ours: pair.1.clone(),
            values: (one, other),
            from: vec![from],
            differences: Vec::new(),
            unresolved: Vec::new(),
            views: OnceCell::new(),
        });
        self.ids.insert(pair, next);
        self.open.push_back(next);
    }

    /// The views of a pair.
    pub(super) fn views(&self, id: usize) -> (&View, &View) {
        let visit = &self.pairs[id];
        let views = visit.views.get_or_init(|| Box::new(self.view(visit)));
        (&views.0, &views.1)
    }

    fn view(&self, visit: &Visit<'_>) -> (View, View) {
        (
            self.sides.theirs.view(&visit.theirs),
            self.sides.ours.view(&visit.ours),
        )
    }

    /// What is below two schemas that say the same themselves, where nothing in them needs to be folded.
    fn unchanged(&self, id: usize) -> Option<Vec<Below>> {
        let Visit {
            theirs,
            ours,
            values,
            ..
        } = &self.pairs[id];
        let (Some(one @ Value::Object(ones)), Some(other @ Value::Object(others))) = values else {
            return None;
        };
        let same = self.sides.same.borrow();
        if !same.around(one, other) || ones.keys().any(|keyword| is_in_place(keyword)) {
            return None;
        }
        let mut below = Vec::new();
        for (keyword, one) in ones {
            let Some(other) = others.get(keyword) else {
                continue;
            };
            let mut add = |name: Option<&str>, step: Step| {
                let at = Pair::new(theirs.as_str(), ours.as_str()).member(keyword);
                let at = name.map_or_else(|| at.clone(), |name| at.member(name));
                below.push(Below::new(&at.theirs, &at.ours, keyword, step));
            };
            match (one, other) {
                (Value::Object(ones), Value::Object(others))
                    if MAPS.contains(&keyword.as_str())
                        && !["$defs", "definitions"].contains(&keyword.as_str()) =>
                {
                    for (name, one) in ones {
                        if others
                            .get(name)
                            .is_some_and(|other| !same.inner(one, other))
                        {
                            add(Some(name), Step::of(keyword, name, 0));
                        }
                    }
                }
                (Value::Array(ones), Value::Array(others)) => {
                    for (index, (one, other)) in ones.iter().zip(others).enumerate() {
                        if !same.inner(one, other) {
                            add(Some(&index.to_string()), Step::of(keyword, "tuple", index));
                        }
                    }
                }
                _ if SINGLE.contains(&keyword.as_str()) && !same.inner(one, other) => {
                    add(None, Step::of(keyword, "", 0));
                }
                _ => {}
            }
        }
        // The order of members changes nothing.
        below.sort_by(|a, b| (&a.keyword, &a.theirs).cmp(&(&b.keyword, &b.theirs)));
        Some(below)
    }

    fn visit(&mut self, id: usize) {
        let below = match self.unchanged(id) {
            Some(below) => below,
            None => self.differing(id),
        };
        for Below {
            theirs,
            ours,
            keyword,
            step,
        } in below
        {
            self.push(&theirs, &ours, From::Pair(id, keyword, step));
        }
    }

    /// Notes what differs in a pair, and gives what is below it.
    fn differing(&mut self, id: usize) -> Vec<Below> {
        let views = self.view(&self.pairs[id]);
        let (theirs, ours) = (&views.0, &views.1);
        let mut differences = Vec::new();
        let mut below = Vec::new();
        for (side, view) in [("theirs", theirs), ("ours", ours)] {
            let unresolved = view.unresolved.iter().cloned();
            let unresolved = unresolved.map(|(at, reference)| (side, at, reference));
            self.pairs[id].unresolved.extend(unresolved);
        }
        if let Some(difference) = self.one_sided(id, &views) {
            self.note(id, vec![difference]);
            return below;
        }
        if differences::differ(theirs, ours, &mut differences) {
            let empty = BTreeMap::new();
            let keywords: BTreeSet<&String> =
                theirs.parts.keys().chain(ours.parts.keys()).collect();
            let has = |view: &View| view.parts.contains_key("if");
            let conditional = has(theirs) != has(ours);
            self.alternatives(&views, &mut differences, &mut below);
            let turned = turned(theirs, ours);
            for keyword in keywords {
                if turned.is_some() && ["oneOf", "anyOf"].contains(&keyword.as_str()) {
                    continue;
                }
                // Without the condition its branches say nothing.
                if conditional && ["then", "else"].contains(&keyword.as_str()) {
                    continue;
                }
                let parts = (theirs.parts.get(keyword), ours.parts.get(keyword));
                // A map of schemas that is missing is an empty one.
                let named = |part: Option<&Part>| {
                    part.is_none_or(|part| matches!(part.content, Content::Named(_)))
                };
                if named(parts.0) && named(parts.1) {
                    let of = |part: Option<&'_ Part>, view: &View| match part {
                        Some(Part {
                            pointer,
                            content: Content::Named(members),
                        }) => (pointer.clone(), members.clone()),
                        _ => (pointer::join(&view.pointer, keyword), empty.clone()),
                    };
                    differences::named_schemas(
                        keyword,
                        &of(parts.0, theirs),
                        &of(parts.1, ours),
                        (theirs, ours),
                        &mut differences,
                        &mut below,
                    );
                    continue;
                }
                match parts {
                    (Some(one), Some(other)) => self.keyword(
                        keyword,
                        one,
                        other,
                        (theirs, ours),
                        &mut differences,
                        &mut below,
                    ),
                    (one, other) => differences::one_keyword(
                        keyword,
                        one,
                        other,
                        (theirs, ours),
                        &mut differences,
                    ),
                }
            }
        }
        self.drop_mapped(&views, &mut differences);
        if differences.is_empty() && local(theirs) != local(ours) {
            // Whatever the keywords came to, a difference is never dropped.
            let rule = &rules::SCHEMA_KEYWORD_CHANGED;
            let message = "theirs and ours say the same keywords with another effect; write ours as theirs is written".to_owned();
            let at = Pair::new(&*theirs.pointer, &*ours.pointer);
            differences.push(Difference {
                rule,
                severity: rule.severity,
                at,
                message,
                keyword: String::new(),
                effect: Effect::ANY,
            });
        }
        self.note(id, differences);
        below
    }

    /// Notes what differs in a pair; then not all below it is looked at, so references in it are.
    fn note(&mut self, id: usize, differences: Vec<Difference>) {
        let (theirs, ours) = (&self.sides.theirs, &self.sides.ours);
        let visit = &mut self.pairs[id];
        if !differences.is_empty() {
            let both = [
                ("theirs", theirs.dangling(&visit.theirs)),
                ("ours", ours.dangling(&visit.ours)),
            ];
            for (side, dangling) in both {
                let all = dangling
                    .into_iter()
                    .map(|(at, reference)| (side, at, reference));
                visit.unresolved.extend(all);
            }
        }
        visit.differences = differences;
    }

    /// What there is to say where only one side has a schema.
    fn one_sided(&self, id: usize, views: &(View, View)) -> Option<Difference> {
        let visit = &self.pairs[id];
        let (theirs, ours) = (visit.values.0.is_some(), visit.values.1.is_some());
        if theirs == ours {
            return None;
        }
        let (rule, effect) = if theirs {
            (
                &rules::SCHEMA_REMOVED,
                Effect {
                    narrows: false,
                    widens: true,
                },
            )
        } else {
            (
                &rules::SCHEMA_ADDED,
                Effect {
                    narrows: true,
                    widens: false,
                },
            )
        };
        Some(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&*views.0.pointer, &*views.1.pointer),
            message: one_sided("a schema here", theirs),
            keyword: String::new(),
            effect,
        })
    }

    /// Compares a keyword that both have.
    fn keyword(
        &self,
        keyword: &str,
        one: &Part,
        other: &Part,
        views: (&View, &View),
        differences: &mut Vec<Difference>,
        below: &mut Vec<Below>,
    ) {
        let at = Pair::new(&*one.pointer, &*other.pointer);
        match (&one.content, &other.content) {
            // Types were compared with whether null is valid.
            (Content::Set(_), Content::Set(_)) if keyword == "type" => {}
            (Content::Set(theirs), Content::Set(ours)) => {
                differences::sets(keyword, theirs, ours, views, at, differences);
            }
            (Content::One(theirs), Content::One(ours)) => {
                below.push(Below::new(theirs, ours, keyword, Step::of(keyword, "", 0)));
            }
            (Content::Ordered(theirs), Content::Ordered(ours)) => {
                let pairs = theirs.iter().zip(ours).enumerate();
                below.extend(pairs.map(|(index, (one, other))| {
                    Below::new(one, other, keyword, Step::of(keyword, "tuple", index))
                }));
                let common = theirs.len().min(ours.len());
                differences::branches(
                    keyword,
                    &theirs[common..],
                    &ours[common..],
                    &at,
                    differences,
                );
            }
            (Content::Branches(theirs), Content::Branches(ours)) => {
                let (pairs, theirs, ours) = self.sides.matched(theirs, ours);
                let same =
                    |(one, other): (String, String)| Below::new(&one, &other, keyword, Step::Same);
                below.extend(pairs.into_iter().map(same));
                differences::branches(keyword, &theirs, &ours, &at, differences);
            }
            (Content::Value(theirs), Content::Value(ours)) => {
                if canonical_without_provenance(theirs) != canonical_without_provenance(ours) {
                    let (rule, severity) =
                        differences::changed(keyword, &rules::SCHEMA_KEYWORD_CHANGED);
                    let message = contrast(
                        differences::spelled(keyword, &at.theirs),
                        Some(theirs),
                        Some(ours),
                    );
                    differences.push(Difference {
                        rule,
                        severity,
                        at,
                        message,
                        keyword: keyword.to_owned(),
                        effect: effect::of_change(keyword, theirs, ours),
                    });
                }
            }
            (theirs, ours) => {
                let (rule, severity) =
                    differences::changed(keyword, &rules::SCHEMA_KEYWORD_CHANGED);
                let message = format!(
                    "theirs says `{keyword}` with {}, ours with {}; make ours say what theirs says",
                    differences::form(theirs),
                    differences::form(ours)
                );
                differences.push(Difference {
                    rule,
                    severity,
                    at,
                    message,
                    keyword: keyword.to_owned(),
                    effect: Effect::ANY,
                });
            }
        }
    }
}

/// Whether a keyword looks at the same value as the schema that it stands in, or says which schema that is.
fn is_in_place(keyword: &str) -> bool {
    [
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "discriminator",
        "nullable",
    ]
    .contains(&keyword)
}

//! Walking the pairs of schemas that are not equal, and entering what differs.
//!
//! Pairs are taken from a queue and each is looked at once, so neither recursion nor sharing costs anything. Who uses a schema is
//! found afterwards, by walking the pairs back to where they came from.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::super::Options;
use super::super::equal::canonical_without_provenance;
use super::super::ledger::{Ledger, Pair, Site, contrast, one_sided, unresolved};
use super::super::meaning::{EFFORT, Meaning, Step};
use super::super::rules;
use super::differences::{self, Below, Difference};
use super::effect::{self, Effect};
use super::graph::{Classes, Graph, NODE_LIMIT};
use super::matching::Sides;
use super::view::{Content, Part, View};
use crate::document::{Document, pointer};

/// How many pairs are compared. A pair is compared once, so this is reached by documents made for it only.
const PAIR_LIMIT: usize = 300_000;

/// The schemas that two documents use at the same places.
pub(in super::super) struct Schemas<'a> {
    theirs: Graph<'a>,
    ours: Graph<'a>,
    roots: Vec<Root>,
}

/// A body, a parameter or a header: where the schema of a whole value stands in both documents.
pub(super) struct Root {
    pub(super) subject: String,
    pub(super) part: String,
    pub(super) from_server: bool,
    pub(super) as_text: bool,
    pub(super) at: Pair,
}

impl<'a> Schemas<'a> {
    pub(in super::super) fn new(
        theirs: &'a Document,
        ours: &'a Document,
        options: &Options,
    ) -> Self {
        Self {
            theirs: Graph::new(theirs, options.prose),
            ours: Graph::new(ours, options.prose),
            roots: Vec::new(),
        }
    }

    /// Puts the schemas at `at` down for comparison. One of them may be missing, which accepts everything.
    pub(in super::super) fn add(&mut self, ledger: &mut Ledger<'_>, site: Site<'_>, at: &Pair) {
        let subject = site.subject;
        for (side, dangling) in [
            ("theirs", self.theirs.add(&at.theirs)),
            ("ours", self.ours.add(&at.ours)),
        ] {
            for (place, reference) in dangling {
                let place = if side == "theirs" {
                    Pair::new(place, &*at.ours)
                } else {
                    Pair::new(&*at.theirs, place)
                };
                let message = unresolved(side, &format!("`{reference}`"));
                ledger.add(&rules::REFERENCE_UNRESOLVED, subject, &place, message);
            }
        }
        self.roots.push(Root {
            subject: subject.to_owned(),
            part: site.part.to_owned(),
            from_server: site.from_server,
            as_text: site.as_text,
            at: at.clone(),
        });
    }

    /// How many schemas of theirs are in use.
    pub(in super::super) fn len(&self) -> usize {
        self.theirs.len()
    }

    /// Compares all that was put down.
    pub(in super::super) fn compare(self, ledger: &mut Ledger<'_>) {
        let classes = Classes::of(&self.theirs, &self.ours);
        let mut walk = Walk {
            sides: Sides {
                theirs: &self.theirs,
                ours: &self.ours,
                classes,
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
            let flagged = self.theirs.is_flagged() || self.ours.is_flagged();
            let effort = std::cell::Cell::new(EFFORT);
            let meaning = Meaning::new(ledger.theirs, ledger.ours, flagged, &effort);
            super::decide::enter(&walk, ledger, &self.roots, &meaning);
        }
        if walk.cut || self.theirs.cut || self.ours.cut {
            let subject = self
                .roots
                .first()
                .map_or("document", |root| root.subject.as_str());
            let message = format!(
                "there are more than {NODE_LIMIT} schemas or pairs of schemas to compare, and the rest was left out; split the documents or compare parts of them with --include"
            );
            ledger.add(&rules::LIMIT_REACHED, subject, &Pair::new("", ""), message);
        }
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
pub(super) struct Visit {
    pub(super) theirs: usize,
    pub(super) ours: usize,
    pub(super) from: Vec<From>,
    pub(super) differences: Vec<Difference>,
}

pub(super) struct Walk<'w, 'a> {
    pub(super) sides: Sides<'w, 'a>,
    pub(super) pairs: Vec<Visit>,
    ids: HashMap<(usize, usize), usize>,
    open: VecDeque<usize>,
    cut: bool,
}

impl Walk<'_, '_> {
    fn push(&mut self, theirs: &str, ours: &str, from: From) {
        let (Some(theirs), Some(ours)) = (self.sides.theirs.id(theirs), self.sides.ours.id(ours))
        else {
            self.cut = true;
            return;
        };
        if self.sides.classes.equal(theirs, ours) {
            return;
        }
        if let Some(&known) = self.ids.get(&(theirs, ours)) {
            self.pairs[known].from.push(from);
            return;
        }
        if self.pairs.len() >= PAIR_LIMIT {
            self.cut = true;
            return;
        }
        let id = self.pairs.len();
        self.ids.insert((theirs, ours), id);
        self.pairs.push(Visit {
            theirs,
            ours,
            from: vec![from],
            differences: Vec::new(),
        });
        self.open.push_back(id);
    }

    fn visit(&mut self, id: usize) {
        let (theirs, ours) = (
            self.sides.theirs.node(self.pairs[id].theirs),
            self.sides.ours.node(self.pairs[id].ours),
        );
        let mut differences = Vec::new();
        let mut below = Vec::new();
        if let Some(difference) = self.one_sided(id) {
            self.pairs[id].differences = vec![difference];
            return;
        }
        if differences::differ(theirs, ours, &mut differences) {
            let empty = BTreeMap::new();
            let keywords: BTreeSet<&String> =
                theirs.parts.keys().chain(ours.parts.keys()).collect();
            let has = |view: &View| view.parts.contains_key("if");
            let conditional = has(theirs) != has(ours);
            for keyword in keywords {
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
        if differences.is_empty() && Graph::local(theirs) != Graph::local(ours) {
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
        for Below {
            theirs,
            ours,
            keyword,
            step,
        } in below
        {
            self.push(&theirs, &ours, From::Pair(id, keyword, step));
        }
        self.pairs[id].differences = differences;
    }

    /// What there is to say where only one side has a schema.
    fn one_sided(&self, id: usize) -> Option<Difference> {
        let visit = &self.pairs[id];
        let (theirs, ours) = (
            self.sides.theirs.is_there(visit.theirs),
            self.sides.ours.is_there(visit.ours),
        );
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
            at: Pair::new(
                &*self.sides.theirs.node(visit.theirs).pointer,
                &*self.sides.ours.node(visit.ours).pointer,
            ),
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

    /// The whole values that a pair is part of, in the order in which they were put down.
    pub(super) fn users(&self, id: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        let mut found = BTreeSet::new();
        while let Some(id) = open.pop() {
            for from in &self.pairs[id].from {
                match from {
                    From::Root(root) => {
                        found.insert(*root);
                    }
                    From::Pair(pair, ..) => {
                        if seen.insert(*pair) {
                            open.push(*pair);
                        }
                    }
                }
            }
        }
        found
    }
}

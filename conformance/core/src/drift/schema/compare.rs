//! Walking the pairs of schemas that are not equal, and entering what differs.
//!
//! Pairs are taken from a queue and each is looked at once, so neither recursion nor sharing costs anything. The users of a schema are
//! found afterwards, by walking the pairs back to where they came from.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use foldhash::HashMap;
use serde_json::Value;

use super::super::ledger::Ledger;
use super::super::meaning::{Judge, Meaning, Step};
use super::super::pair::Pair;
use super::super::rules;
use super::super::same::Same;
use super::super::site::{Site, Text};
use super::alternatives::turned;
use super::differences::{self, Below, Difference};
use super::effect::Effect;
use super::matching::{LOOKS, Sides};
use super::side::{self, local, local_once};
use super::view::{Content, Part, View};
use super::{bounds, bytes, sets, told};
use crate::document::pointer;
use crate::finding::{DocumentChange, SchemaChange, Sender, Side};
use crate::schema::direction::is_flagged;

/// How many pairs are compared. A pair is compared once, so this is reached by documents made for it only.
const PAIR_LIMIT: usize = 300_000;

/// The schemas that two documents use at the same places, as far as they are not the same.
#[derive(Default)]
pub(in super::super) struct Schemas<'a> {
    roots: Vec<Root<'a>>,
}

/// A body, a parameter or a header: where the schema of a whole value stands in both documents.
pub(super) struct Root<'a> {
    pub(super) subject: String,
    /// The number that the ledger knows the subject by.
    pub(super) number: usize,
    pub(super) part: String,
    pub(super) sender: Sender,
    pub(super) text: Text,
    pub(super) at: Pair,
    values: Values<'a>,
}

/// The values at the same place of both documents.
pub(in super::super) type Values<'a> = (Option<&'a Value>, Option<&'a Value>);

impl<'a> Schemas<'a> {
    /// Puts the schemas at `at` down for comparison, which are `values`. One of them may be missing, which accepts everything.
    pub(in super::super) fn add(
        &mut self,
        ledger: &mut Ledger<'_>,
        site: Site<'_>,
        at: &Pair,
        values: Values<'a>,
    ) {
        self.roots.push(Root {
            subject: site.subject.to_owned(),
            number: ledger.open(site.subject),
            part: site
                .part
                .strip_prefix("the ")
                .unwrap_or(site.part)
                .to_owned(),
            sender: site.sender,
            text: site.as_text,
            at: at.clone(),
            values,
        });
    }

    /// Compares all that was put down.
    pub(in super::super) fn compare(self, same: Same<'a>, ledger: &mut Ledger<'a>) {
        let prose = ledger.options.prose;
        let mut walk = Walk {
            sides: Sides {
                old: side::Side::new(ledger.old, prose),
                new: side::Side::new(ledger.new, prose),
                same: RefCell::new(same),
                left: Cell::new(LOOKS),
                stand_ins: OnceCell::new(),
            },
            pairs: Vec::new(),
            ids: HashMap::default(),
            open: VecDeque::new(),
            cut: false,
        };
        for (index, root) in self.roots.iter().enumerate() {
            walk.push_known((&root.at.old, &root.at.new), root.values, From::Root(index));
        }
        while let Some(pair) = walk.open.pop_front() {
            walk.visit(pair);
        }
        if !walk.pairs.is_empty() {
            let judge = Judge::default();
            let flagged = [ledger.old, ledger.new].map(|one| is_flagged(one.value()));
            let stand_ins = walk.sides.stand_ins();
            let flagged = flagged != [false; 2];
            let meaning = Meaning::new(ledger.old, ledger.new, flagged, stand_ins, &judge);
            super::enter::enter(&walk, ledger, &self.roots, &meaning);
        }
        if walk.cut {
            let subject = self
                .roots
                .first()
                .map_or("document", |root| root.subject.as_str());
            let change = DocumentChange::LimitReached { pairs: PAIR_LIMIT };
            ledger.add(&rules::LIMIT_REACHED, subject, &Pair::new("", ""), change);
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
pub(super) struct Visit<'a> {
    pub(super) old: String,
    pub(super) new: String,
    /// The values at that place.
    pub(super) values: Values<'a>,
    pub(super) from: Vec<From>,
    pub(super) differences: Vec<Difference>,
    /// Schemas in them whose references lead nowhere.
    pub(super) unresolved: Vec<(Side, String)>,
    views: OnceCell<Box<(View, View)>>,
}

pub(super) struct Walk<'a> {
    pub(super) sides: Sides<'a>,
    pub(super) pairs: Vec<Visit<'a>>,
    ids: HashMap<(String, String), usize>,
    open: VecDeque<usize>,
    cut: bool,
}

impl<'a> Walk<'a> {
    fn push(&mut self, old: &str, new: &str, from: From) {
        let values = (self.sides.old.value(old), self.sides.new.value(new));
        self.push_known((old, new), values, from);
    }

    /// As [`Self::push`], of what stands there.
    fn push_known(&mut self, (old, new): (&str, &str), values: Values<'a>, from: From) {
        let (old, one) = self.sides.old.known_from(old, values.0);
        let (new, other) = self.sides.new.known_from(new, values.1);
        let next = self.pairs.len();
        let pair = (old, new);
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
            old: pair.0.clone(),
            new: pair.1.clone(),
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
            self.sides.old.view(&visit.old),
            self.sides.new.view(&visit.new),
        )
    }

    fn visit(&mut self, id: usize) {
        if let Some(below) = self.unchanged(id) {
            for (inner, values) in below {
                let from = From::Pair(id, inner.keyword, inner.step);
                self.push_known((&inner.old, &inner.new), values, from);
            }
            return;
        }
        for inner in self.differing(id) {
            let from = From::Pair(id, inner.keyword, inner.step);
            self.push(&inner.old, &inner.new, from);
        }
    }

    /// Notes what differs in a pair, and gives what is below it.
    fn differing(&mut self, id: usize) -> Vec<Below> {
        let mut views = self.view(&self.pairs[id]);
        if let Some(flat) = self.flattened(id, &views) {
            views = flat;
            let _ = self.pairs[id].views.set(Box::new(views.clone()));
        } else if self.restates(id, &views) {
            return Vec::new();
        }
        let (old, new) = (&views.0, &views.1);
        let mut differences = Vec::new();
        let mut below = Vec::new();
        for (side, view) in [(Side::Old, old), (Side::New, new)] {
            let unresolved = view.unresolved.iter().map(|at| (side, at.clone()));
            self.pairs[id].unresolved.extend(unresolved);
        }
        if let Some(difference) = self.one_sided(id, &views) {
            self.note(id, vec![difference]);
            return below;
        }
        if differences::differ(&self.sides, (old, new), &mut differences) {
            let empty = BTreeMap::new();
            let keywords: BTreeSet<&String> = old.parts.keys().chain(new.parts.keys()).collect();
            self.alternatives(&views, &mut differences, &mut below);
            let turned = turned(old, new);
            let bounds = bounds::bounds(&self.sides, (old, new), &mut differences);
            let bytes = bytes::bytes(&self.sides, (old, new), &mut differences);
            for keyword in keywords {
                if turned.is_some() && ["oneOf", "anyOf"].contains(&keyword.as_str()) {
                    continue;
                }
                if bounds.contains(&keyword.as_str())
                    || bytes.contains(&keyword.as_str())
                    || differences::is_told_with_another(keyword, (old, new))
                {
                    continue;
                }
                let parts = (old.parts.get(keyword), new.parts.get(keyword));
                // A map of schemas that is missing is an empty one.
                let named = |part: Option<&Part>| {
                    part.is_none_or(|part| matches!(part.content, Content::Named(_)))
                };
                if named(parts.0) && named(parts.1) {
                    let of = |part: Option<&'_ Part>, view: &View| match part {
                        Some(Part {
                            pointer,
                            content: Content::Named(members),
                            ..
                        }) => (pointer.clone(), members.clone()),
                        _ => (pointer::join(&view.pointer, keyword), empty.clone()),
                    };
                    differences::named_schemas(
                        keyword,
                        &of(parts.0, old),
                        &of(parts.1, new),
                        (old, new),
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
                        (old, new),
                        &mut differences,
                        &mut below,
                    ),
                    (one, other) => {
                        let (sides, views) = (&self.sides, (old, new));
                        differences::one_keyword(
                            sides,
                            keyword,
                            one,
                            other,
                            views,
                            &mut differences,
                        );
                    }
                }
            }
        } else {
            // Whether a member is sent does not depend on what it is.
            for flag in ["readOnly", "writeOnly"] {
                let parts = (old.parts.get(flag), new.parts.get(flag));
                if parts.0.is_some() != parts.1.is_some() {
                    let (sides, views) = (&self.sides, (old, new));
                    differences::one_keyword(
                        sides,
                        flag,
                        parts.0,
                        parts.1,
                        views,
                        &mut differences,
                    );
                }
            }
        }
        self.mappings(&views, &mut differences);
        let sides = &self.sides;
        if differences.is_empty()
            && local(old) != local(new)
            && local_once(&sides.old, old) != local_once(&sides.new, new)
            && !self.is_binary(&views)
        {
            // Whatever the keywords came to, a difference is never dropped.
            let rule = &rules::SCHEMA_KEYWORD_CHANGED;
            let change = SchemaChange::MeaningChanged;
            differences.push(differences::whole(rule, (old, new), change, Effect::ANY));
        }
        self.note(id, differences);
        below
    }

    /// Whether two schemas differ in the spelling of a media type only, or in that of what one of them calls binary.
    fn is_binary(&self, (old, new): &(View, View)) -> bool {
        let part = |view: &View| view.parts.get("contentMediaType").cloned();
        let (Some(one), Some(other)) = (part(old), part(new)) else {
            return false;
        };
        let with = |view: &View| {
            let mut view = view.clone();
            view.parts
                .insert("contentMediaType".to_owned(), one.clone());
            local(&view)
        };
        self.sides.are_one_media_type(&one, &other) && with(old) == with(new)
    }

    /// Whether one schema says in several what the other one says in another number of them.
    fn restates(&self, id: usize, views: &(View, View)) -> bool {
        let visit = &self.pairs[id];
        let count = |view: &View| view.branches("allOf").len();
        count(&views.0) != count(&views.1) && self.sides.restate(&visit.old, &visit.new)
    }

    /// Both schemas without `allOf`, where only one of them has it or the lists do not match: a wrapper that comes or goes changes
    /// nothing by itself.
    fn flattened(&self, id: usize, views: &(View, View)) -> Option<(View, View)> {
        let count = |view: &View| view.branches("allOf").len();
        if count(&views.0) == count(&views.1) {
            return None;
        }
        let Visit { old, new, .. } = &self.pairs[id];
        let (one, other) = (&self.sides.old, &self.sides.new);
        if let (Some(old), Some(new)) = (one.flat_view(old), other.flat_view(new)) {
            return Some((old, new));
        }
        // Where several schemas describe a member, an edit of one of them says nothing: it has to be the same in both documents.
        let (old, shared) = one.flat_view_with_shared(old)?;
        let (new, too) = other.flat_view_with_shared(new)?;
        let member = |view: &View, name: &str| match &view.parts.get("properties")?.content {
            Content::Named(members) => members.get(name).cloned(),
            _ => None,
        };
        let mut shared = shared.union(&too);
        shared
            .all(|name| match (member(&old, name), member(&new, name)) {
                (Some(old), Some(new)) => one.said(&old) == other.said(&new),
                _ => false,
            })
            .then_some((old, new))
    }

    /// Notes what differs in a pair; then not all below it is looked at, so references in it are.
    fn note(&mut self, id: usize, mut differences: Vec<Difference>) {
        for difference in &mut differences {
            told::tell(&self.sides, difference);
        }
        let (old, new) = (&self.sides.old, &self.sides.new);
        let visit = &mut self.pairs[id];
        if !differences.is_empty() {
            let both = [
                (Side::Old, old.dangling(&visit.old)),
                (Side::New, new.dangling(&visit.new)),
            ];
            for (side, dangling) in both {
                visit
                    .unresolved
                    .extend(dangling.into_iter().map(|at| (side, at)));
            }
        }
        visit.differences = differences;
    }

    /// Returns the difference where only one side has a schema.
    fn one_sided(&self, id: usize, views: &(View, View)) -> Option<Difference> {
        let visit = &self.pairs[id];
        let (old, new) = (visit.values.0.is_some(), visit.values.1.is_some());
        if old == new {
            return None;
        }
        let (rule, change) = match old {
            true => (&rules::SCHEMA_REMOVED, SchemaChange::SchemaRemoved),
            false => (&rules::SCHEMA_ADDED, SchemaChange::SchemaAdded),
        };
        let effect = Effect {
            narrows: !old,
            widens: old,
        };
        Some(differences::whole(
            rule,
            (&views.0, &views.1),
            change,
            effect,
        ))
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
            (Content::Set(_), Content::Set(_)) => {
                let values = (one.literals(), other.literals());
                let sets = (&*values.0, &*values.1);
                sets::sets(&self.sides, keyword, sets, views, &at, differences);
            }
            (Content::One(old), Content::One(new)) => {
                below.push(Below::new(old, new, keyword, Step::of(keyword, "", 0)));
            }
            (Content::Ordered(old), Content::Ordered(new)) => {
                let pairs = old.iter().zip(new).enumerate();
                below.extend(pairs.map(|(index, (one, other))| {
                    Below::new(one, other, keyword, Step::of(keyword, "tuple", index))
                }));
                let common = old.len().min(new.len());
                let extra = (&old[common..], &new[common..]);
                differences::branches(&self.sides, keyword, extra, &at, differences);
            }
            (Content::Branches(old), Content::Branches(new)) => {
                let matched = self.sides.matched(old, new);
                let (pairs, old, new) = match keyword {
                    "anyOf" | "allOf" => self.sides.without_copies(matched),
                    _ => matched,
                };
                let same =
                    |(one, other): (String, String)| Below::new(&one, &other, keyword, Step::Same);
                below.extend(pairs.into_iter().map(same));
                let extra = (&*old, &*new);
                differences::branches(&self.sides, keyword, extra, &at, differences);
            }
            (Content::Value(_), Content::Value(_)) if one.says_what(other) => {}
            _ if keyword == "contentMediaType" && self.sides.are_one_media_type(one, other) => {}
            _ => {
                differences::other_keyword(&self.sides, keyword, (one, other), views, differences);
            }
        }
    }
}

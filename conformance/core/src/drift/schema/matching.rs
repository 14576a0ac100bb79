//! Matching the branches of `allOf`, `anyOf` and `oneOf`, whose order does not count.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Reverse;
use std::collections::VecDeque;

use foldhash::{HashMap, HashSet};
use serde_json::Value;

use super::super::equal::canonical;
use super::super::meaning::StandIns;
use super::super::media::normalized;
use super::super::same::Same;
use super::side::{Side, local};
use super::view::{Content, Part, View};

/// How many pairs of branches are tried when matching the branches of one keyword.
const MATCH_LIMIT: usize = 40_000;

/// How many schemas are looked at, in one comparison, to find out whether branches that are written differently say the same.
pub(super) const LOOKS: usize = 20_000;

/// How many pairs of schemas are looked at to find out whether two branches say the same.
const ALIKE: usize = 200;

/// Both documents' schemas.
pub(super) struct Sides<'a> {
    pub(super) old: Side<'a>,
    pub(super) new: Side<'a>,
    /// Which of them are written identically.
    pub(super) same: RefCell<Same<'a>>,
    /// How many schemas may still be looked at; see [`LOOKS`].
    pub(super) left: Cell<usize>,
    /// The stand-ins for numbers that no value is made of.
    pub(super) stand_ins: OnceCell<StandIns>,
}

/// A branch, and its view.
struct Branch<'b> {
    at: &'b str,
    /// How many branches stand before it.
    index: usize,
    view: View,
    local: u64,
}

/// Pairs of branches, and those that are left without a partner on each side.
type Matched = (Vec<(String, String)>, Vec<String>, Vec<String>);

impl Sides<'_> {
    /// Whether two schemas are written identically.
    pub(super) fn same(&self, old: &str, new: &str) -> bool {
        let (old, new) = (self.old.value(old), self.new.value(new));
        self.same.borrow_mut().schema(old, new)
    }

    /// Returns the stand-ins for numbers of both documents that no value is made of.
    pub(super) fn stand_ins(&self) -> &StandIns {
        self.stand_ins
            .get_or_init(|| StandIns::of(self.old.document(), self.new.document()))
    }

    /// Whether values can be held to what a keyword says.
    pub(super) fn hold(&self, part: &Part) -> bool {
        part.is_held()
            || part
                .literal()
                .is_none_or(|literal| self.stand_ins().hold(&literal))
    }

    /// Whether two media types are one, or one of them stands for `format: binary` of OpenAPI 3.0, which is of any media type.
    pub(super) fn are_one_media_type(&self, one: &Part, other: &Part) -> bool {
        const MEDIA: &str = "contentMediaType";
        let name = |part: &Part| match &part.content {
            Content::Value(Value::String(name)) => Some(normalized(name)),
            _ => None,
        };
        self.old.spelled(&one.pointer, MEDIA) != MEDIA
            || self.new.spelled(&other.pointer, MEDIA) != MEDIA
            || name(one).is_some() && name(one) == name(other)
    }

    /// Whether two branches are one component, which may differ in itself.
    fn is_one(&self, old: &str, new: &str) -> bool {
        let (old, new) = (self.old.known_as(old), self.new.known_as(new));
        old == new && super::users::component(&old).is_some()
    }

    /// Whether two schemas, which may stand in other files, are one component or say the same.
    pub(super) fn leads_to_one(&self, old: &str, new: &str) -> bool {
        let name = |at: &str| at.rsplit('/').next().unwrap_or_default().to_owned();
        let (old, new) = (self.old.known_as(old), self.new.known_as(new));
        old == new || name(&old) == name(&new) || self.same(&old, &new)
    }

    /// Pairs the branches: equal ones first, then those that have most in common.
    pub(super) fn matched(&self, old: &[String], new: &[String]) -> Matched {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut left: Vec<Option<&String>> = new.iter().map(Some).collect();
        let mut rest: Vec<(usize, &String)> = Vec::new();
        let text = |side: &Side<'_>, at: &str| side.value(at).map(canonical);
        let mut by_text: HashMap<Option<String>, VecDeque<usize>> = HashMap::default();
        for (index, other) in new.iter().enumerate() {
            let places = by_text.entry(text(&self.new, other)).or_default();
            places.push_back(index);
        }
        // A branch in the same place is the same branch, if it may be; otherwise, the branch with the same text is.
        let mut open: Vec<(usize, &String)> = Vec::new();
        for (index, one) in old.iter().enumerate() {
            let is_it = |other: &&String| self.same(one, other) || self.is_one(one, other);
            match left
                .get_mut(index)
                .and_then(|beside| beside.take_if(|beside| is_it(beside)))
            {
                Some(other) => pairs.push((one.clone(), other.clone())),
                None => open.push((index, one)),
            }
        }
        for (index, one) in open {
            let mut places = by_text.get_mut(&text(&self.old, one));
            let found = std::iter::from_fn(|| places.as_mut()?.pop_front())
                .find_map(|place| left[place].take());
            match found {
                Some(other) => pairs.push((one.clone(), other.clone())),
                None => rest.push((index, one)),
            }
        }
        let mut left: Vec<(usize, &String)> = left
            .into_iter()
            .enumerate()
            .filter_map(|(index, one)| Some((index, one?)))
            .collect();
        if rest.len() * left.len() > MATCH_LIMIT {
            let common = rest.len().min(left.len());
            let beside = rest.iter().zip(&left);
            pairs.extend(beside.map(|((_, one), (_, other))| ((*one).clone(), (*other).clone())));
            let tail = |list: &[(usize, &String)]| {
                list[common..]
                    .iter()
                    .map(|(_, one)| (*one).clone())
                    .collect()
            };
            return (pairs, tail(&rest), tail(&left));
        }
        if left.is_empty() || rest.is_empty() {
            let owned = |list: Vec<(usize, &String)>| {
                list.into_iter().map(|(_, one)| one.clone()).collect()
            };
            return (pairs, owned(rest), owned(std::mem::take(&mut left)));
        }
        self.paired(
            branches(&self.old, &rest),
            branches(&self.new, &left),
            pairs,
        )
    }

    /// Leaves out branches that repeat one which says the same on both sides: in `anyOf` and `allOf`, a copy changes nothing.
    pub(super) fn without_copies(&self, (pairs, old, new): Matched) -> Matched {
        if old.is_empty() && new.is_empty() {
            return (pairs, old, new);
        }
        let steady = pairs.iter().filter(|(one, other)| self.same(one, other));
        let (ones, others): (Vec<&String>, Vec<&String>) =
            steady.map(|(one, other)| (one, other)).unzip();
        let rest = |side: &Side<'_>, known: Vec<&String>, extra: Vec<String>| {
            let known: HashSet<String> = known.into_iter().map(|at| side.said(at)).collect();
            extra
                .into_iter()
                .filter(|at| !known.contains(&side.said(at)))
                .collect()
        };
        let (old, new) = (rest(&self.old, ones, old), rest(&self.new, others, new));
        (pairs, old, new)
    }

    fn paired(
        &self,
        old: Vec<Branch<'_>>,
        new: Vec<Branch<'_>>,
        mut pairs: Vec<(String, String)>,
    ) -> Matched {
        let (mut used_old, mut used_new) = (vec![false; old.len()], vec![false; new.len()]);
        for (i, one) in old.iter().enumerate() {
            let is_alike = |j: &usize| {
                let other = &new[*j];
                !used_new[*j]
                    && one.local == other.local
                    && self.alike(one.at, other.at, &mut HashSet::default())
            };
            let beside = new.iter().position(|other| other.index == one.index);
            let alike = beside.into_iter().chain(0..new.len()).find(is_alike);
            if let Some(j) = alike {
                (used_old[i], used_new[j]) = (true, true);
                pairs.push((one.at.to_owned(), new[j].at.to_owned()));
            }
        }
        let mut scores = Vec::new();
        for (i, one) in old.iter().enumerate().filter(|(i, _)| !used_old[*i]) {
            for (j, other) in new.iter().enumerate().filter(|(j, _)| !used_new[*j]) {
                let moved = one.index != other.index;
                scores.push((Reverse(likeness(&one.view, &other.view)), moved, i, j));
            }
        }
        // The best first; of equals those in the same place, then those that stand first.
        scores.sort_unstable();
        for (_, _, i, j) in scores {
            if !used_old[i] && !used_new[j] {
                (used_old[i], used_new[j]) = (true, true);
                pairs.push((old[i].at.to_owned(), new[j].at.to_owned()));
            }
        }
        let unused = |list: Vec<Branch<'_>>, used: &[bool]| {
            let all = list.into_iter().zip(used);
            all.filter(|(_, used)| !**used)
                .map(|(one, _)| one.at.to_owned())
                .collect()
        };
        (pairs, unused(old, &used_old), unused(new, &used_new))
    }

    /// Whether two schemas say the same, however they are written. `assumed` are pairs that are being looked at; what is beyond
    /// the limit counts as different.
    fn alike(&self, old: &str, new: &str, assumed: &mut HashSet<(String, String)>) -> bool {
        let (old, new) = (self.old.known_as(old), self.new.known_as(new));
        let pair = (old, new);
        if assumed.len() >= ALIKE {
            return false;
        }
        if !assumed.insert(pair.clone()) {
            return true;
        }
        let alike = self.alike_inside(&pair.0, &pair.1, assumed);
        if !alike {
            assumed.remove(&pair);
        }
        alike
    }

    fn alike_inside(&self, old: &str, new: &str, assumed: &mut HashSet<(String, String)>) -> bool {
        let Some(left) = self.left.get().checked_sub(1) else {
            return false;
        };
        self.left.set(left);
        let (one, other) = (self.old.view(old), self.new.view(new));
        local(&one) == local(&other)
            && (self.same(old, new) || self.alike_parts(&one, &other, assumed))
    }

    /// Whether two schemas say the same once what their `allOf` say is put in the place of these.
    pub(super) fn restate(&self, old: &str, new: &str) -> bool {
        let (Some(one), Some(other)) = (self.old.restated(old), self.new.restated(new)) else {
            return false;
        };
        local(&one) == local(&other) && self.alike_parts(&one, &other, &mut HashSet::default())
    }

    /// Whether the schemas inside of two that say the same themselves say the same.
    fn alike_parts(
        &self,
        one: &View,
        other: &View,
        assumed: &mut HashSet<(String, String)>,
    ) -> bool {
        let parts = one.parts.values().zip(other.parts.values());
        parts.into_iter().all(|(one, other)| {
            let in_order = |ones: &mut dyn Iterator<Item = &String>,
                            others: &mut dyn Iterator<Item = &String>,
                            assumed: &mut HashSet<(String, String)>| {
                ones.zip(others)
                    .all(|(one, other)| self.alike(one, other, assumed))
            };
            match (&one.content, &other.content) {
                (Content::One(one), Content::One(other)) => self.alike(one, other, assumed),
                (Content::Named(ones), Content::Named(others)) => {
                    in_order(&mut ones.values(), &mut others.values(), assumed)
                }
                (Content::Ordered(ones), Content::Ordered(others)) => {
                    in_order(&mut ones.iter(), &mut others.iter(), assumed)
                }
                (Content::Branches(ones), Content::Branches(others)) => {
                    let mut left: Vec<&String> = others.iter().collect();
                    ones.iter().all(|one| {
                        let found = left
                            .iter()
                            .position(|other| self.alike(one, other, assumed));
                        found.map(|index| left.remove(index)).is_some()
                    })
                }
                _ => true,
            }
        })
    }
}

fn branches<'b>(side: &Side<'_>, all: &[(usize, &'b String)]) -> Vec<Branch<'b>> {
    all.iter()
        .map(|(index, at)| {
            let view = side.view(at);
            let local = local(&view);
            Branch {
                at,
                index: *index,
                view,
                local,
            }
        })
        .collect()
}

/// How much two schemas have in common, for matching branches.
fn likeness(one: &View, other: &View) -> usize {
    let name = |at: &str| at.rsplit('/').next().unwrap_or_default().to_owned();
    let named =
        one.pointer.starts_with("/components/") && name(&one.pointer) == name(&other.pointer);
    let mut score = if named { 20 } else { 0 };
    for (keyword, part) in &one.parts {
        let Some(opposite) = other.parts.get(keyword) else {
            continue;
        };
        score += 1;
        score += match (&part.content, &opposite.content) {
            (Content::Value(a), Content::Value(b)) if canonical(a) == canonical(b) => 2,
            (Content::Set(a), Content::Set(b)) => {
                2 * a.iter().filter(|value| b.contains(value)).count()
            }
            (Content::Named(a), Content::Named(b)) => {
                2 * a.keys().filter(|key| b.contains_key(*key)).count()
            }
            _ => 0,
        };
    }
    score
}

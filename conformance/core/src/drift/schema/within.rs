//! The alternative that a difference is in: where the alternatives around exclude each other, it is judged there.

use std::rc::Rc;

use foldhash::HashMap;

use super::super::meaning::{Around, At, Edit, Step};
use super::decider::Decider;
use super::differences::Difference;
use super::effect;
use super::view::is_annotation;
use crate::finding::Side;

/// How many alternatives are told apart by more than their marks.
const ALTERNATIVES: usize = 100;

/// The alternative that a difference is in.
pub(super) struct Within<'p> {
    /// The pair of the alternative.
    pub(super) place: usize,
    pub(super) at: At<'p>,
    /// The schemas around it, up to the one that the difference is judged in.
    pub(super) levels: Vec<Around<'p>>,
    /// Whether all alternatives around exclude each other, in both documents.
    pub(super) is_apart: bool,
    /// Whether the schemas around have no constraint besides their alternatives, so that what is valid in the alternative is valid in them.
    pub(super) is_all: bool,
}

/// Whether only objects may be accepted or rejected because of a difference, in the schemas `around` it.
fn is_of_objects(difference: Option<&Difference>, around: &[(usize, String, Step)]) -> bool {
    const OF_OBJECTS: [&str; 5] = [
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
    ];
    let is_inside = |step: &Step| {
        matches!(
            step,
            Step::Member(_) | Step::ByPattern(_) | Step::Rest | Step::Name
        )
    };
    let is_own = |difference: &Difference| {
        let mut edits = difference.edits.iter();
        OF_OBJECTS.contains(&difference.keyword.as_str())
            && edits.all(|edit| {
                matches!(
                    edit,
                    Edit::Entry { .. } | Edit::Required { .. } | Edit::Keyword { .. }
                )
            })
    };
    around.iter().any(|(.., step)| is_inside(step)) || difference.is_some_and(is_own)
}

impl<'d> Decider<'d, '_, '_> {
    /// Returns the innermost alternative that holds the pair `id`; `around` are the schemas that the same value has to meet.
    pub(super) fn alternative<'p>(
        &self,
        id: usize,
        around: &'p [(usize, String, Step)],
        root: usize,
    ) -> Option<Within<'p>>
    where
        'd: 'p,
    {
        let is_union = |(_, keyword, step): &(usize, String, Step)| {
            ["anyOf", "oneOf"].contains(&keyword.as_str()) && *step == Step::Same
        };
        let first = around.iter().position(is_union)?;
        let place = match first {
            0 => id,
            count => around[count - 1].0,
        };
        let is_plain = around[first..]
            .iter()
            .all(|one| is_union(one) || one.2 == Step::Same && one.1 == "allOf");
        let says_nothing = |(pair, keyword, _): &(usize, String, Step)| {
            let (old, new) = self.views(*pair);
            let is_silent = |other: &String| {
                other == keyword || other == "discriminator" || is_annotation(other)
            };
            [old, new]
                .iter()
                .all(|view| !view.or_null && !view.never && view.parts.keys().all(is_silent))
        };
        let is_all = around[first..]
            .iter()
            .all(|one| is_union(one) && says_nothing(one));
        Some(Within {
            is_all,
            place,
            at: self.at(place),
            levels: self.levels(&around[first..], root),
            is_apart: is_plain && self.are_all_apart(id, around),
        })
    }

    /// Whether each alternative that the pair `id` is in excludes those beside it, in both documents.
    fn are_all_apart(&self, id: usize, around: &[(usize, String, Step)]) -> bool {
        let mut inner = id;
        around.iter().all(|(pair, keyword, _)| {
            let own = std::mem::replace(&mut inner, *pair);
            !["anyOf", "oneOf"].contains(&keyword.as_str())
                || self.excludes_others(*pair, keyword, own)
        })
    }

    /// Whether the pair `own` excludes all other alternatives of `keyword` of the pair `id`, in both documents.
    pub(super) fn excludes_others(&self, id: usize, keyword: &str, own: usize) -> bool {
        let (old, new) = self.at(own);
        self.is_apart(id, keyword, (Side::Old, old)) && self.is_apart(id, keyword, (Side::New, new))
    }

    /// Whether the alternatives of number `index` of the schemas `around` the pair `id` do as that pair does: they exclude each other, or
    /// have what differs in common.
    pub(super) fn are_united(
        &self,
        id: usize,
        difference: Option<&Difference>,
        around: &[(usize, String, Step)],
        index: usize,
    ) -> bool {
        let (pair, keyword, _) = &around[index];
        let own = match index.checked_sub(1) {
            Some(index) => around[index].0,
            None => id,
        };
        self.excludes_others(*pair, keyword, own) || self.is_shared(id, difference, around, index)
    }

    /// Whether several alternatives have what differs in common, and exclude the others: of the values that it lets through, each is of the
    /// same alternatives as before.
    fn is_shared(
        &self,
        id: usize,
        difference: Option<&Difference>,
        around: &[(usize, String, Step)],
        index: usize,
    ) -> bool {
        let (pair, keyword, _) = &around[index];
        let below = around[..index].iter().rev();
        let count = below.take_while(|(.., step)| step.is_in_place()).count();
        let place = match index - count {
            0 => id,
            outer => around[outer - 1].0,
        };
        let edits = difference.filter(|_| place == id).map(|one| &one.edits);
        let edited: Vec<&str> = edits.into_iter().flatten().map(Edit::schema).collect();
        let whole = [self.at(place).0];
        let side = &self.walk.sides.old;
        let (shared, others): (Vec<String>, Vec<String>) = self
            .views(*pair)
            .0
            .branches(keyword)
            .iter()
            .map(|at| side.known_as(at))
            .partition(|at| {
                self.meaning.has_to_meet(at, &whole)
                    || !edited.is_empty() && self.meaning.has_to_meet(at, &edited)
            });
        let are_objects = is_of_objects(difference, &around[..index]);
        let are_apart = |one: &String| {
            shared.iter().all(|other| {
                self.meaning.are_apart(Side::Old, one, other)
                    || self.vacant.0.are_apart(one, other)
                    || are_objects && self.vacant.0.have_no_object(one, other)
            })
        };
        shared.len() > 1
            && shared.len() * others.len() <= ALTERNATIVES
            && others.iter().all(are_apart)
    }

    /// Whether the schemas `around` a difference of the pair `id` accept more where it does, and less where it accepts less, and nothing
    /// else of it matters.
    pub(super) fn is_passed_on(
        &self,
        id: usize,
        difference: &Difference,
        around: &[(usize, String, Step)],
    ) -> bool {
        let mut names = effect::names_members(&difference.keyword);
        around
            .iter()
            .enumerate()
            .all(|(index, (pair, keyword, step))| {
                let is_passed_on = match keyword.as_str() {
                    "oneOf" => self.are_united(id, Some(difference), around, index),
                    keyword => effect::variance(keyword, names, self.views(*pair)) == 1,
                };
                names &= *step == Step::Same;
                is_passed_on
            })
    }

    /// Whether a difference is an alternative that comes, or goes, and excludes all others.
    pub(super) fn is_alone(&self, id: usize, difference: &Difference) -> bool {
        let [
            Edit::Branch {
                keyword, old, new, ..
            },
        ] = &difference.edits[..]
        else {
            return false;
        };
        let branch = match (old, new) {
            (Some(old), _) => (Side::Old, old.as_str()),
            (None, Some(new)) => (Side::New, new.as_str()),
            (None, None) => return false,
        };
        ["anyOf", "oneOf"].contains(&keyword.as_str()) && self.is_apart(id, keyword, branch)
    }

    /// Whether no value of the alternative `own` matches another one of `keyword` in the old or the new schema of a pair.
    pub(super) fn is_apart(&self, id: usize, keyword: &str, own: (Side, &str)) -> bool {
        let (view, vacancy) = match own.0 {
            Side::Old => (self.views(id).0, &self.vacant.0),
            Side::New => (self.views(id).1, &self.vacant.1),
        };
        let known = |at: &str| vacancy.side.known_as(at);
        let at = known(own.1);
        let key = (id, own.0, at.clone());
        if let Some(known) = self.apart.borrow().get(&key) {
            return *known;
        }
        let union = self.union(id, keyword, own.0, view.branches(keyword));
        let is_one = union.counts.get(&at) == Some(&1);
        let are_few = union.counts.len() <= ALTERNATIVES;
        let mut others = union.counts.keys().filter(|one| **one != at);
        let is_apart = is_one
            && (union.are_all_apart
                || others.all(|other| {
                    self.meaning.are_apart(own.0, &at, other)
                        || are_few && vacancy.are_apart(&at, other)
                }));
        self.apart.borrow_mut().insert(key, is_apart);
        is_apart
    }

    /// The alternatives of `keyword` of a pair in one document, looked at once for all of them.
    fn union(&self, id: usize, keyword: &str, side: Side, branches: &[String]) -> Rc<Union> {
        let key = (id, side, keyword.to_owned());
        if let Some(known) = self.unions.borrow().get(&key) {
            return known.clone();
        }
        let own = match side {
            Side::Old => &self.walk.sides.old,
            Side::New => &self.walk.sides.new,
        };
        let mut counts: HashMap<String, usize> = HashMap::default();
        for at in branches {
            *counts.entry(own.known_as(at)).or_default() += 1;
        }
        let all: Vec<&str> = counts.keys().map(String::as_str).collect();
        let are_all_apart = self.meaning.are_all_apart(side, &all);
        let union = Rc::new(Union {
            counts,
            are_all_apart,
        });
        self.unions.borrow_mut().insert(key, union.clone());
        union
    }
}

/// The alternatives of one keyword.
pub(super) struct Union {
    /// How many times each is there.
    counts: HashMap<String, usize>,
    /// Whether a member with another value in each tells them all apart.
    are_all_apart: bool,
}

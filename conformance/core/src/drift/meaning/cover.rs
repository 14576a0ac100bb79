//! The choice of values for the members of an object, so that none of certain alternatives accepts it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use foldhash::HashMap;
use serde_json::Value;

/// A set of alternatives, by their numbers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Numbers(Vec<u64>);

impl Numbers {
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.0[index / 64] & (1 << (index % 64)) != 0
    }

    fn remove_all(&mut self, other: &Self) {
        let words = self.0.iter_mut().zip(&other.0);
        words.for_each(|(one, other)| *one &= !other);
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Those that are in both.
    fn also_in(&self, other: &Self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().zip(&other.0).enumerate();
        words.flat_map(|(word, (one, other))| {
            let mut left = one & other;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.checked_sub(1)?;
                Some(64 * word + bit as usize)
            })
        })
    }

    /// How many are in both.
    fn common(&self, other: &Self) -> u32 {
        let words = self.0.iter().zip(&other.0);
        words.map(|(one, other)| (one & other).count_ones()).sum()
    }
}

/// What a member may be in values of a goal: absent, or a value, and the alternatives that reject that.
pub(super) struct Kind {
    pub(super) value: Option<Value>,
    pub(super) rejected_by: Numbers,
}

impl Kind {
    /// Whether all these alternatives allow it.
    pub(super) fn is_allowed(&self, kept: &[usize]) -> bool {
        !kept.iter().any(|index| self.rejected_by.contains(*index))
    }
}

/// A member of a goal, and what it may be.
pub(super) struct Member<'n> {
    pub(super) name: &'n String,
    /// How much worse an object with it is as an example.
    pub(super) cost: usize,
    pub(super) kinds: Rc<Vec<Kind>>,
}

/// The members, with their values, for which each of `targets` rejects the object; those that are absent are left out.
pub(super) fn chosen<'v>(
    kept: &[usize],
    members: &[&'v Member<'_>],
    targets: &Numbers,
) -> Option<Vec<(&'v String, &'v Value)>> {
    let mut left = targets.clone();
    let mut chosen: Vec<(usize, &'v Kind)> = Vec::new();
    let all = members.iter().enumerate().flat_map(|(index, member)| {
        let allowed = member.kinds.iter().filter(|kind| kind.is_allowed(kept));
        allowed.map(move |kind| (index, kind))
    });
    let all: Vec<(usize, &'v Kind)> = all.collect();
    // The first of equals. What a kind rejects of those that are left only becomes less, so its last count is the most that it can be.
    let counts = all.iter().enumerate();
    let counts = counts.map(|(place, (_, kind))| (left.common(&kind.rejected_by), Reverse(place)));
    let mut open: BinaryHeap<(u32, Reverse<usize>)> = counts.collect();
    let mut is_taken = vec![false; members.len()];
    while !left.is_empty() {
        let (_, Reverse(place)) = open.pop()?;
        let (index, kind) = all[place];
        if is_taken[index] {
            continue;
        }
        let now = (left.common(&kind.rejected_by), Reverse(place));
        if open.peek().is_some_and(|next| *next > now) {
            open.push(now);
            continue;
        }
        if now.0 == 0 {
            return None;
        }
        left.remove_all(&kind.rejected_by);
        is_taken[index] = true;
        chosen.push((index, kind));
    }
    // Later choices may have made an earlier one unnecessary.
    let mut times: HashMap<usize, usize> = HashMap::default();
    let met = |kind: &'v Kind| kind.rejected_by.also_in(targets);
    for (_, kind) in &chosen {
        met(kind).for_each(|target| *times.entry(target).or_default() += 1);
    }
    for place in (0..chosen.len()).rev() {
        let kind = chosen[place].1;
        if met(kind).all(|target| times[&target] > 1) {
            met(kind).for_each(|target| *times.entry(target).or_default() -= 1);
            chosen.remove(place);
        }
    }
    let all = chosen.into_iter();
    Some(
        all.filter_map(|(index, kind)| Some((members[index].name, kind.value.as_ref()?)))
            .collect(),
    )
}

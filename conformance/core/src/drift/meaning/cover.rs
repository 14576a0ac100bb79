//! The choice of values for the members of an object, so that none of certain alternatives accepts it.

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
    pub(super) kinds: Vec<Kind>,
}

/// The members, with their values, for which each of `targets` rejects the object; those that are absent are left out.
pub(super) fn chosen<'v>(
    kept: &[usize],
    members: &[&'v Member<'_>],
    targets: &Numbers,
) -> Option<Vec<(&'v String, &'v Value)>> {
    let mut left = targets.clone();
    let mut chosen: Vec<(usize, &'v Kind)> = Vec::new();
    while !left.is_empty() {
        let free = members.iter().enumerate();
        let free = free.filter(|(index, _)| chosen.iter().all(|(known, _)| known != index));
        let all = free.flat_map(|(index, member)| {
            let allowed = member.kinds.iter().filter(|kind| kind.is_allowed(kept));
            allowed.map(move |kind| (index, kind))
        });
        // The first of equals.
        let best = all
            .map(|(index, kind)| (left.common(&kind.rejected_by), index, kind))
            .reduce(|best, one| if one.0 > best.0 { one } else { best });
        let (count, index, kind) = best?;
        if count == 0 {
            return None;
        }
        left.remove_all(&kind.rejected_by);
        chosen.push((index, kind));
    }
    // Later choices may have made an earlier one unnecessary.
    for place in (0..chosen.len()).rev() {
        let mut left = targets.clone();
        let others = chosen
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != place);
        others.for_each(|(_, (_, kind))| left.remove_all(&kind.rejected_by));
        if left.is_empty() {
            chosen.remove(place);
        }
    }
    let all = chosen.into_iter();
    Some(
        all.filter_map(|(index, kind)| Some((members[index].name, kind.value.as_ref()?)))
            .collect(),
    )
}

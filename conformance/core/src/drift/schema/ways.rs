//! Ways from a difference outwards to the whole values that it is part of.

use std::collections::{BTreeSet, VecDeque};

use foldhash::HashMap;

use super::super::meaning::Step;
use super::compare::From;
use super::decider::Decider;
use crate::finding::Sender;

/// In how many bodies or parameters of a direction a difference is looked for.
const USES: usize = 4;

/// How many schemas around one are looked at to find a body or parameter.
const REACH: usize = 20_000;

/// A way from a pair to a whole value: the pairs around it with the keyword and step that lead inwards, innermost first.
pub(super) struct Use {
    pub(super) root: usize,
    pub(super) around: Vec<(usize, String, Step)>,
}

impl Decider<'_, '_, '_> {
    /// Ways to whole values of this direction, the shortest first.
    pub(super) fn uses(&self, id: usize, sender: Sender) -> Vec<Use> {
        let mut uses = Vec::new();
        // The pair that each one was reached from, and by which of its own origins.
        let mut seen: HashMap<usize, (usize, usize)> = HashMap::from_iter([(id, (id, 0))]);
        let mut roots = BTreeSet::new();
        let mut open = VecDeque::from([id]);
        while let Some(pair) = open.pop_front() {
            for (index, from) in self.walk.pairs[pair].from.iter().enumerate() {
                match from {
                    From::Root(root) => {
                        if self.roots[*root].sender == sender && roots.insert(*root) {
                            uses.push(Use {
                                root: *root,
                                around: self.way(&seen, pair, id),
                            });
                        }
                    }
                    From::Pair(around, ..) => {
                        if seen.len() < REACH && !seen.contains_key(around) {
                            seen.insert(*around, (pair, index));
                            open.push_back(*around);
                        }
                    }
                }
                if uses.len() >= USES {
                    return uses;
                }
            }
        }
        uses
    }

    /// The pairs from `id` to `pair`, innermost first.
    fn way(
        &self,
        seen: &HashMap<usize, (usize, usize)>,
        pair: usize,
        id: usize,
    ) -> Vec<(usize, String, Step)> {
        let mut way = Vec::new();
        let mut at = pair;
        while at != id
            && let Some((inner, index)) = seen.get(&at)
        {
            if let From::Pair(_, keyword, step) = &self.walk.pairs[*inner].from[*index] {
                way.push((at, keyword.clone(), step.clone()));
            }
            at = *inner;
        }
        way.reverse();
        way
    }
}

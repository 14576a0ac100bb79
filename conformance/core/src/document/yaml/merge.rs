//! Merge keys (`<<`): the members of one mapping in another.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use super::Reader;
use crate::document::error::Problem;
use crate::document::number::Decimal;
use crate::document::position::{self, Position, Spots};

/// A mapping that a merge key takes members from.
pub(super) struct Merged {
    pub(super) value: Value,
    pub(super) spots: Spots,
    pub(super) exact: Vec<(usize, Decimal)>,
    pub(super) at: Position,
}

/// How much of each list there is.
pub(super) struct Known {
    pub(super) spots: usize,
    pub(super) exact: usize,
    pub(super) merged: usize,
    pub(super) anchors: usize,
}

/// The numbers of the nodes in `range`, as those of nodes that begin with `first`. The list is in the order of the nodes.
pub(super) fn moved(
    exact: &[(usize, Decimal)],
    range: &Range<usize>,
    first: usize,
) -> Vec<(usize, Decimal)> {
    let start = exact.partition_point(|(node, _)| *node < range.start);
    let inside = exact[start..].iter();
    inside
        .take_while(|(node, _)| *node < range.end)
        .map(|(node, exact)| (node - range.start + first, exact.clone()))
        .collect()
}

impl Reader<'_> {
    /// Takes the value of a merge key of the node `mapping` off the document again: all that came after `before`.
    pub(super) fn taken(
        &mut self,
        value: Value,
        before: &Known,
        mapping: usize,
        at: usize,
        place: Position,
    ) -> Merged {
        let first = before.spots;
        for (inner, _) in &mut self.parsed.merged[before.merged..] {
            *inner = mapping;
        }
        if !self.may_merge {
            self.parsed.merged.push((mapping, position::narrow(at)));
        }
        let spots = self.parsed.spots.split_off(first);
        let mut exact = self.parsed.exact.split_off(before.exact);
        exact.iter_mut().for_each(|(mark, _)| *mark -= first);
        // Nodes anchored in there no longer have marks; a repetition of one is noted as a leaf.
        for anchor in self.anchored.drain(before.anchors..) {
            if let Some(anchored) = self.anchors.get_mut(&anchor) {
                anchored.marks = 0..0;
            }
        }
        Merged {
            value,
            spots,
            exact,
            at: place,
        }
    }

    /// Adds the members of the values of merge keys that are not given yet: of one mapping, or of each of a list.
    pub(super) fn merge(
        &mut self,
        sources: Vec<Merged>,
        members: &mut Vec<(String, Value)>,
    ) -> Result<(), Problem> {
        let mut known: HashSet<String> = members.iter().map(|(key, _)| key.clone()).collect();
        for source in sources {
            let maps = match source.value {
                Value::Array(items) => items.into_iter().zip(source.spots.below(0)).collect(),
                one => vec![(one, 0)],
            };
            for (map, node) in maps {
                let Value::Object(map) = map else {
                    return Err(Problem::new(
                        source.at,
                        "the value of the merge key `<<` is not a mapping",
                        "merge an alias of a mapping, or quote the key if `<<` is its name",
                    ));
                };
                let mut children = source.spots.below(node);
                for (key, value) in map {
                    let child = children.next();
                    if !known.insert(key.clone()) {
                        continue;
                    }
                    let first = self.parsed.spots.len();
                    match child {
                        Some(child) => {
                            let range = source.spots.range(child);
                            let moved = moved(&source.exact, &range, first);
                            self.parsed.exact.extend(moved);
                            self.parsed.spots.copy_from(&source.spots, range);
                        }
                        None => {
                            self.parsed.spots.open(0, position::name(&key));
                        }
                    }
                    members.push((key, value));
                }
            }
        }
        Ok(())
    }
}

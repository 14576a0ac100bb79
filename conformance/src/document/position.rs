//! Line and column of the nodes of a document.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use serde::Serialize;

use super::pointer;

/// A place in a text; both numbers start at 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place right after `text`.
    pub fn after(text: &str) -> Self {
        let line = text.matches('\n').count() + 1;
        let last = text.rsplit('\n').next().unwrap_or_default();
        Self::new(line, last.chars().count() + 1)
    }

    pub(super) fn new(line: usize, column: usize) -> Self {
        // A text is limited to 32 MB, so the numbers fit.
        let clamp = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            line: clamp(line),
            column: clamp(column),
        }
    }
}

/// Where the nodes of a text stand: one mark for each node, parents before what is below them, in the order of the text.
///
/// A flat list, because a large document has a million nodes, and few of them are ever asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Spots {
    marks: Vec<Mark>,
    /// What is below nodes that have much below them, once one of those is asked for.
    wide: OnceLock<HashMap<(usize, u64), usize>>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Position,
    /// How many marks belong to the node, its own included.
    count: u32,
    /// What the node is called in the one around it, hashed: the key of a member, the index of an item.
    name: u64,
}

/// How many nodes below one are looked through, one after the other.
const WIDE: usize = 64;

impl Spots {
    /// Begins the node called `name`; [`Self::close`] ends it when all below it is noted.
    pub(super) fn open(&mut self, at: Position, name: u64) -> usize {
        self.marks.push(Mark { at, count: 1, name });
        self.marks.len() - 1
    }

    /// Ends the node that [`Self::open`] gave the number of.
    pub(super) fn close(&mut self, node: usize) {
        // A text is limited to 32 MB, so the number of its nodes fits.
        self.marks[node].count = u32::try_from(self.marks.len() - node).unwrap_or(u32::MAX);
    }

    /// How many nodes were noted.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Notes the nodes of `range` once more, as a node called `name` that stands at `at`.
    pub(super) fn repeat(&mut self, range: Range<usize>, at: Position, name: u64) {
        let node = self.marks.len();
        self.marks.extend_from_within(range);
        if let Some(mark) = self.marks.get_mut(node) {
            (mark.at, mark.name) = (at, name);
        }
    }

    /// The nodes directly below `node`.
    fn below(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let end = node + self.marks.get(node).map_or(0, |mark| mark.count as usize);
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let below = next;
            let mark = self.marks.get(below).filter(|_| below < end)?;
            next += (mark.count as usize).max(1);
            Some(below)
        })
    }

    /// The position of the node below `node` that stands after `index` others.
    pub(super) fn nth(&self, node: usize, index: usize) -> Option<Position> {
        Some(self.marks[self.below(node).nth(index)?].at)
    }

    /// The position at `pointer`, or that of its nearest existing ancestor.
    pub(super) fn find(&self, pointer: &str) -> Position {
        let mut node = 0;
        for token in pointer::tokens(pointer) {
            let Some(next) = self.child(node, name(&token)) else {
                break;
            };
            node = next;
        }
        self.marks.get(node).map_or(Position::START, |mark| mark.at)
    }

    fn child(&self, node: usize, name: u64) -> Option<usize> {
        let near = self.below(node).take(WIDE);
        if let Some(found) = near
            .into_iter()
            .find(|below| self.marks[*below].name == name)
        {
            return Some(found);
        }
        let wide = self.wide.get_or_init(|| {
            let mut wide = HashMap::new();
            for node in 0..self.marks.len() {
                let far = self.below(node).skip(WIDE);
                wide.extend(far.map(|below| ((node, self.marks[below].name), below)));
            }
            wide
        });
        wide.get(&(node, name)).copied()
    }
}

/// What a node is known by in the one around it.
pub(super) fn name(token: &str) -> u64 {
    hash(token.as_bytes())
}

/// FNV-1a: a name that is made up to be taken for another gives a wrong line, and nothing else.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The [`name`] of an item.
pub(super) fn item(index: usize) -> u64 {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = index;
    loop {
        start -= 1;
        digits[start] = b"0123456789"[rest % 10];
        rest /= 10;
        if rest == 0 {
            return hash(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_after_a_text_counts_lines_and_characters_from_one() {
        assert_eq!(Position::after(""), Position::START);
        assert_eq!(Position::after("a\nüb"), Position { line: 2, column: 3 });
    }

    #[test]
    fn nodes_are_found_however_many_stand_beside_them() {
        let mut spots = Spots::default();
        let root = spots.open(Position::START, 0);
        for index in 0..200 {
            let node = spots.open(Position::new(index + 2, 1), item(index));
            let below = spots.open(Position::new(index + 2, 5), name("a"));
            spots.close(below);
            spots.close(node);
        }
        spots.close(root);
        for index in [0, 63, 64, 199] {
            let line = index + 2;
            assert_eq!(spots.find(&format!("/{index}/a")), Position::new(line, 5));
            assert_eq!(spots.find(&format!("/{index}/b")), Position::new(line, 1));
        }
        assert_eq!(spots.find("/200"), Position::START);
    }
}

//! Where the nodes of a text stand: a byte offset for each of them, lines and columns for those that are asked for.

use std::collections::HashMap;
use std::fmt;
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
        let lines = memchr::memchr_iter(b'\n', text.as_bytes());
        let (count, start) = lines.fold((0, 0), |(count, _), at| (count + 1, at + 1));
        Self::at(count + 1, text[start..].chars().count() + 1)
    }

    pub(super) fn at(line: usize, column: usize) -> Self {
        Self {
            line: narrow(line),
            column: narrow(column),
        }
    }
}

/// A number of bytes, lines or nodes of one text; the size of a text is limited, so it fits.
pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The text of a file, with its lines once a position is asked for.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    starts: OnceLock<Vec<u32>>,
    /// The characters before every [`STRIDE`]th byte, for texts with lines of megabytes.
    counts: OnceLock<Vec<u32>>,
}

/// Every how many bytes characters are counted.
const STRIDE: usize = 4_096;

/// Only its size: a text may have megabytes.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.text.len())
    }
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        Self {
            text,
            starts: OnceLock::new(),
            counts: OnceLock::new(),
        }
    }

    /// The text from a byte on.
    pub(super) fn from(&self, offset: u32) -> Option<&str> {
        self.text.get(offset as usize..)
    }

    /// The line and column of a byte.
    pub(super) fn position(&self, offset: u32) -> Position {
        let starts = self.starts.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0)
                .chain(breaks.map(|at| narrow(at + 1)))
                .collect()
        });
        let line = starts.partition_point(|start| *start <= offset);
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.characters(offset) - self.characters(start);
        Position::at(line, column + 1)
    }

    /// How many characters begin before a byte.
    fn characters(&self, offset: u32) -> usize {
        let begin = |byte: &u8| *byte & 0xC0 != 0x80;
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| begin(byte)).count();
        let bytes = self.text.as_bytes();
        let counts = self.counts.get_or_init(|| {
            let mut before = 0;
            let full = bytes.chunks(STRIDE).map(|chunk| {
                let known = narrow(before);
                before += count(chunk);
                known
            });
            full.collect()
        });
        let offset = bytes.len().min(offset as usize);
        let stride = (offset / STRIDE).min(counts.len().saturating_sub(1));
        let known = counts.get(stride).map_or(0, |count| *count as usize);
        known + count(&bytes[stride * STRIDE..offset])
    }
}

/// The nodes of a text: one mark for each, parents before their children, in the order of the text.
///
/// A flat list, because a large document has a million nodes, and few of them are ever asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Spots {
    marks: Vec<Mark>,
    /// The children of nodes that have many, once one of those is asked for.
    wide: OnceLock<HashMap<(usize, u32), usize>>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The byte that the node begins at: of a member, the one that its key begins at.
    at: u32,
    /// How many marks belong to the node, its own included.
    count: u32,
    /// The hash of the node's key or index.
    name: u32,
}

/// How many children of a node are searched one after the other.
const WIDE: usize = 64;

impl Spots {
    /// Makes room for the nodes of a text of `size` bytes. Room that is not used costs no memory.
    pub(super) fn for_text(size: usize) -> Self {
        Self {
            marks: Vec::with_capacity(size / 12),
            wide: OnceLock::new(),
        }
    }

    /// Begins the node called `name`; [`Self::close`] ends it after its children.
    pub(super) fn open(&mut self, at: usize, name: u32) -> usize {
        self.marks.push(Mark {
            at: narrow(at),
            count: 1,
            name,
        });
        self.marks.len() - 1
    }

    /// Ends the node that [`Self::open`] gave the number of.
    pub(super) fn close(&mut self, node: usize) {
        self.marks[node].count = narrow(self.marks.len() - node);
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Removes the nodes from `node` on, and returns them.
    pub(super) fn split_off(&mut self, node: usize) -> Self {
        Self {
            marks: self.marks.split_off(node),
            wide: OnceLock::new(),
        }
    }

    /// Adds the nodes of `range` once more, as a node called `name` that stands at `at`.
    pub(super) fn repeat(&mut self, range: Range<usize>, at: usize, name: u32) {
        let node = self.marks.len();
        self.marks.extend_from_within(range);
        if let Some(mark) = self.marks.get_mut(node) {
            (mark.at, mark.name) = (narrow(at), name);
        }
    }

    /// Adds the nodes of `range` of another text's list.
    pub(super) fn copy_from(&mut self, other: &Self, range: Range<usize>) {
        self.marks.extend_from_slice(&other.marks[range]);
    }

    /// The marks of `node` and everything below it.
    pub(super) fn range(&self, node: usize) -> Range<usize> {
        node..node + self.marks.get(node).map_or(0, |mark| mark.count as usize)
    }

    /// The children of `node`.
    pub(super) fn below(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.range(node).end;
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let below = next;
            let mark = self.marks.get(below).filter(|_| below < end)?;
            next += (mark.count as usize).max(1);
            Some(below)
        })
    }

    /// The byte of the child of `node` that follows `index` others.
    pub(super) fn nth(&self, node: usize, index: usize) -> usize {
        let child = self.below(node).nth(index);
        child.map_or(0, |child| self.marks[child].at as usize)
    }

    /// The byte of the node at `pointer`, or of its nearest existing ancestor, and how long the pointer of that one is.
    pub(super) fn find(&self, pointer: &str) -> (u32, usize) {
        let (mut node, mut length) = (0, 0);
        for token in pointer.split('/').skip(1) {
            let child = if token.contains('~') {
                self.child(node, name(&pointer::unescaped(token)))
            } else {
                self.child(node, name(token))
            };
            let Some(child) = child else { break };
            node = child;
            length += token.len() + 1;
        }
        (self.marks.get(node).map_or(0, |mark| mark.at), length)
    }

    fn child(&self, node: usize, name: u32) -> Option<usize> {
        let mut near = self.below(node).take(WIDE);
        if let Some(found) = near.find(|below| self.marks[*below].name == name) {
            return Some(found);
        }
        let wide = self.wide.get_or_init(|| {
            let mut wide = HashMap::new();
            for node in 0..self.marks.len() {
                // A node with few marks in all has few children.
                if self.marks[node].count as usize > WIDE {
                    let far = self.below(node).skip(WIDE);
                    wide.extend(far.map(|below| ((node, self.marks[below].name), below)));
                }
            }
            wide
        });
        wide.get(&(node, name)).copied()
    }
}

/// The hash of a key. Two keys of one object that share it give a wrong line, and nothing else.
pub(super) fn name(token: &str) -> u32 {
    hash(token.as_bytes())
}

fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(eight)).wrapping_mul(FACTOR);
    }
    for byte in words.remainder() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let hash = hash.wrapping_mul(FACTOR) >> 32;
    u32::try_from(hash).unwrap_or_default()
}

/// The [`name`] of an item.
pub(super) fn item(index: usize) -> u32 {
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
    fn a_byte_of_a_text_has_the_position_of_what_stands_before_it() {
        let text = "a: ü\n\nüü: [x,\r\n y]\n";
        let lines = Text::new(text.to_owned());
        for (offset, _) in text.char_indices() {
            assert_eq!(
                lines.position(narrow(offset)),
                Position::after(&text[..offset]),
                "{offset}"
            );
        }
    }

    #[test]
    fn nodes_are_found_however_many_stand_beside_them() {
        let mut spots = Spots::default();
        let root = spots.open(0, 0);
        for index in 0..200 {
            let node = spots.open(index * 10 + 5, item(index));
            let below = spots.open(index * 10 + 7, name("a"));
            spots.close(below);
            spots.close(node);
        }
        spots.close(root);
        for index in [0, 63, 64, 199] {
            let at = narrow(index * 10);
            let whole = format!("/{index}/a");
            assert_eq!(spots.find(&whole), (at + 7, whole.len()));
            assert_eq!(
                spots.find(&format!("/{index}/b")),
                (at + 5, whole.len() - 2)
            );
        }
        assert_eq!(spots.find("/200"), (0, 0));
    }
}

//! Line and column of the nodes of a document.

use std::collections::HashMap;

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

/// The position of a node and of all below it: a tree of the same shape as the value.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) at: Position,
    pub(super) children: Children,
}

#[derive(Debug, Clone)]
pub(super) enum Children {
    None,
    Items(Vec<Spot>),
    Members(HashMap<String, Spot>),
}

impl Spot {
    pub(super) fn leaf(at: Position) -> Self {
        Self {
            at,
            children: Children::None,
        }
    }

    /// The position at `pointer`, or that of its nearest existing ancestor.
    pub(super) fn find(&self, pointer: &str) -> Position {
        let mut spot = self;
        for token in pointer::tokens(pointer) {
            let next = match &spot.children {
                Children::None => None,
                Children::Items(items) => token
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index)),
                Children::Members(members) => members.get(token.as_str()),
            };
            let Some(next) = next else { break };
            spot = next;
        }
        spot.at
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
}

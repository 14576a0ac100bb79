//! Bytes for the lines and columns of the YAML parser.

/// The bytes of a text by line and column.
///
/// The parser counts characters. Where all of a text is ASCII these are bytes; elsewhere every 64th character is noted.
pub(super) struct Bytes<'a> {
    text: &'a str,
    /// The byte and the character that each line starts at.
    lines: Vec<(usize, usize)>,
    /// The byte of every [`STEP`]th character; empty for ASCII.
    steps: Vec<usize>,
}

const STEP: usize = 64;

impl<'a> Bytes<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ascii = text.is_ascii();
        let (mut lines, mut steps) = (vec![(0, 0)], Vec::new());
        let mut add = |at: usize, character: usize| {
            let end =
                bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            if end {
                lines.push((at + 1, character + 1));
            }
        };
        if ascii {
            memchr::memchr2_iter(b'\n', b'\r', bytes).for_each(|at| add(at, at));
        } else {
            for (character, (at, _)) in text.char_indices().enumerate() {
                add(at, character);
                if character % STEP == 0 {
                    steps.push(at);
                }
            }
        }
        Self { text, lines, steps }
    }

    pub(super) fn at(&self, line: usize, column: usize) -> usize {
        let line = self.lines.get(line.saturating_sub(1));
        let (start, character) = line.copied().unwrap_or((self.text.len(), 0));
        let character = character + column;
        let Some(near) = self.steps.get(character / STEP) else {
            return (start + column).min(self.text.len());
        };
        let rest = self.text[*near..].char_indices();
        let mut rest = rest.skip(character % STEP);
        rest.next().map_or(self.text.len(), |(at, _)| near + at)
    }
}

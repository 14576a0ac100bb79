//! JSON text to a value with positions.
//!
//! Our own small parser, because `serde_json` keeps neither positions nor duplicate keys.

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::error::Problem;
use super::number::Decimal;
use super::position::{self, Position, Spots};
use super::{DEPTH_LIMIT, NODE_LIMIT, Parsed};

/// Parses the whole of `text` as one JSON value.
pub(super) fn parse(text: &str) -> Result<Parsed, Problem> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        next: 0,
        spots: Spots::for_text(text.len()),
        exact: Vec::new(),
        members: Vec::new(),
        items: Vec::new(),
    };
    parser.space();
    let value = parser.value(parser.next, 0, 0)?;
    parser.space();
    match parser.peek() {
        None => Ok(Parsed {
            value,
            spots: parser.spots,
            exact: parser.exact,
            ..Parsed::default()
        }),
        Some(other) => Err(parser.problem(format!(
            "there is {other:?} after the end of the JSON value"
        ))),
    }
}

/// Reads `text` as a JSON number; `None` when it is out of the range of a 64-bit float.
pub(super) fn number(text: &str) -> Option<Number> {
    text.parse::<Number>().ok()
}

/// Reads bytes, because all that JSON consists of is ASCII; only strings hold other characters.
struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// The byte to be read next.
    next: usize,
    spots: Spots,
    /// Numbers that the value does not hold exactly, by node.
    exact: Vec<(usize, Decimal)>,
    /// Members of the objects that are being read: gathered first, so that each object is made in its size.
    members: Vec<(String, Value)>,
    /// As `members`, of arrays.
    items: Vec<Value>,
}

impl Parser<'_> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.next).copied()
    }

    /// The next character, for messages.
    fn peek(&self) -> Option<char> {
        self.text.get(self.next..)?.chars().next()
    }

    fn at(&self) -> Position {
        Position::after(self.text.get(..self.next).unwrap_or(self.text))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.next += 1;
        }
    }

    fn problem(&self, problem: impl Into<String>) -> Problem {
        Problem::syntax(self.at(), problem, "correct the JSON")
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        match self.peek() {
            Some(other) => self.problem(format!("expected {wanted}, found {other:?}")),
            None => self.problem(format!("expected {wanted}, found the end of the text")),
        }
    }

    /// Parses the value of the node called `name`, which begins at the byte `at`: where its key does, or its own first character.
    fn value(&mut self, at: usize, name: u32, depth: usize) -> Result<Value, Problem> {
        if depth > DEPTH_LIMIT {
            return Err(too_deep(self.at()));
        }
        if self.spots.len() >= NODE_LIMIT {
            return Err(too_many(self.at()));
        }
        let mark = self.spots.open(at, name);
        match self.byte() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.object(mark, depth),
            Some(b'[') => self.array(mark, depth),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number(mark)?)),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value, Problem> {
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            let rest = &self.bytes[self.next..];
            if rest.starts_with(word.as_bytes()) {
                self.next += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a JSON value"))
    }

    fn object(&mut self, mark: usize, depth: usize) -> Result<Value, Problem> {
        let first = self.members.len();
        self.next += 1;
        self.space();
        if self.byte() == Some(b'}') {
            self.next += 1;
            return Ok(Value::Object(Map::new()));
        }
        loop {
            self.space();
            let place = self.next;
            if self.byte() != Some(b'"') {
                return Err(self.unexpected("a member name in quotes"));
            }
            let key = self.string()?;
            self.space();
            if self.byte() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.next += 1;
            self.space();
            let value = self.value(place, position::name(&key), depth + 1)?;
            self.members.push((key, value));
            self.space();
            match self.byte() {
                Some(b',') => self.next += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
        self.next += 1;
        self.spots.close(mark);
        let place = |child| Position::after(self.text.get(..child).unwrap_or(self.text));
        object(self.members.drain(first..), &self.spots, mark, place).map(Value::Object)
    }

    fn array(&mut self, mark: usize, depth: usize) -> Result<Value, Problem> {
        let first = self.items.len();
        self.next += 1;
        self.space();
        if self.byte() == Some(b']') {
            self.next += 1;
            return Ok(Value::Array(Vec::new()));
        }
        loop {
            self.space();
            let name = position::item(self.items.len() - first);
            let item = self.value(self.next, name, depth + 1)?;
            self.items.push(item);
            self.space();
            match self.byte() {
                Some(b',') => self.next += 1,
                Some(b']') => {
                    self.next += 1;
                    self.spots.close(mark);
                    return Ok(Value::Array(self.items.drain(first..).collect()));
                }
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
    }

    /// The end of the run of characters that stand for themselves, from the next byte on.
    fn run(&self) -> usize {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let mut end = self.next;
        // Eight bytes at once: the high bit of a byte is set where it is a quote, a backslash or a control character.
        while let Some(Ok(eight)) = self.bytes.get(end..end + 8).map(<[u8; 8]>::try_from) {
            let word = u64::from_le_bytes(eight);
            let zero = |word: u64| word.wrapping_sub(ONES) & !word;
            let quote = zero(word ^ (ONES * u64::from(b'"')));
            let backslash = zero(word ^ (ONES * u64::from(b'\\')));
            let control = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
            let found = (quote | backslash | control) & HIGH;
            if found != 0 {
                return end + found.trailing_zeros() as usize / 8;
            }
            end += 8;
        }
        let rest = self.bytes[end..].iter();
        end + rest
            .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..b' '))
            .count()
    }

    fn string(&mut self) -> Result<String, Problem> {
        self.next += 1;
        let mut string = String::new();
        loop {
            let end = self.run();
            let run = &self.text[self.next..end];
            self.next = end;
            match self.byte() {
                Some(b'"') => {
                    self.next += 1;
                    if string.is_empty() {
                        return Ok(run.to_owned());
                    }
                    string.push_str(run);
                    return Ok(string);
                }
                Some(b'\\') => {
                    string.push_str(run);
                    self.next += 1;
                    string.push(self.escape()?);
                }
                Some(control) => {
                    let control = char::from(control);
                    return Err(Problem::new(
                        self.at(),
                        format!("the control character {control:?} is not escaped"),
                        "correct the JSON",
                    ));
                }
                None => return Err(self.unexpected("the closing quote of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let simple = match self.byte() {
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.next += 1;
                return self.unicode();
            }
            _ => return Err(self.unexpected("an escape such as `\\n`")),
        };
        self.next += 1;
        Ok(simple)
    }

    fn unicode(&mut self) -> Result<char, Problem> {
        const LONE: &str = "a surrogate escape stands without its pair";
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.text[self.next..].starts_with("\\u") {
                    return Err(self.problem(LONE));
                }
                self.next += 2;
                let second = self.hex()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.problem(LONE));
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| self.problem(LONE))
    }

    fn hex(&mut self) -> Result<u32, Problem> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.unexpected("four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.next += 1;
        }
        Ok(code)
    }

    fn number(&mut self, mark: usize) -> Result<Number, Problem> {
        let rest = &self.bytes[self.next..];
        let digits = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(digits).count();
        let text = &self.text[self.next..self.next + length];
        if let Some(number) = small(text) {
            self.next += length;
            return Ok(number.into());
        }
        // serde_json refuses what is not spelled as JSON has it, such as `01`.
        let Ok(number) = serde_json::from_str::<Number>(text) else {
            return Err(self.problem(format!(
                "{} is not a number that can be represented",
                shortened(text)
            )));
        };
        if let Some(exact) = Decimal::lost(text, &number) {
            self.exact.push((mark, exact));
        }
        self.next += length;
        Ok(number)
    }
}

/// The number that is spelled with a few digits and nothing else, which most are.
fn small(text: &str) -> Option<u64> {
    let is_plain = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Makes an object of its members, which are the children of the node `mark`; `place` is the position of a byte.
pub(super) fn object(
    members: impl ExactSizeIterator<Item = (String, Value)>,
    spots: &Spots,
    mark: usize,
    place: impl Fn(usize) -> Position,
) -> Result<Map<String, Value>, Problem> {
    let mut object = Map::with_capacity(members.len());
    for (index, (key, value)) in members.enumerate() {
        match object.entry(key) {
            Entry::Vacant(free) => {
                free.insert(value);
            }
            Entry::Occupied(known) => {
                let key = known.key().clone();
                let first = object.keys().position(|one| *one == key);
                let place = |index| place(spots.nth(mark, index));
                return Err(duplicate(&key, place(index), place(first.unwrap_or(index))));
            }
        }
    }
    Ok(object)
}

/// Says that a key was given twice, with both places.
fn duplicate(key: &str, second: Position, first: Position) -> Problem {
    Problem::new(
        second,
        format!(
            "the key {} was given before, at {}:{}",
            shortened(key),
            first.line,
            first.column
        ),
        "remove one of the two",
    )
}

/// Says that the nesting exceeds [`DEPTH_LIMIT`].
pub(super) fn too_deep(at: Position) -> Problem {
    Problem::new(
        at,
        format!("the nesting is deeper than {DEPTH_LIMIT} levels"),
        "move inner parts to components and refer to them",
    )
}

/// Says that there are more values than [`NODE_LIMIT`].
pub(super) fn too_many(at: Position) -> Problem {
    Problem::new(
        at,
        format!("there are more than {NODE_LIMIT} values"),
        "split the document",
    )
}

/// A piece of the text for a message, cut where it is long.
pub(super) fn shortened(text: &str) -> String {
    const LENGTH: usize = 60;
    if text.chars().count() <= LENGTH {
        return format!("`{text}`");
    }
    let start: String = text.chars().take(LENGTH).collect();
    format!("`{start}...`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_equal_those_of_serde_json() {
        let text = r#" { "a" : [1, -2.5e3, true, false, null, "\u00e9\n\ud83d\ude00\/"], "b": {}, "c": [], "": 18446744073709551615 } "#;
        let value = parse(text).expect("is JSON").value;
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("is JSON"));
    }

    #[test]
    fn a_member_stands_at_its_key_and_an_item_at_its_first_character() {
        let text = "{\n  \"a\": [\n    1, {\"b\": 2}]\n}";
        let spots = parse(text).expect("is JSON").spots;
        for (pointer, line, column) in [
            ("/a", 2, 3),
            ("/a/0", 3, 5),
            ("/a/1/b", 3, 9),
            ("/a/1/none/below", 3, 8),
        ] {
            let at = spots.find(pointer).0 as usize;
            let place = Position { line, column };
            assert_eq!(Position::after(&text[..at]), place, "{pointer}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, line, column) in [
            ("{", 1, 2),
            ("{\"a\":1,}", 1, 8),
            ("{\"a\" 1}", 1, 6),
            ("{\"a\":1} x", 1, 9),
            ("{\"a\":01}", 1, 6),
            ("{\"a\":1e999}", 1, 6),
            ("{\"a\":\"\\ud800\"}", 1, 13),
            ("{\n\"a\":1,\n \"a\":2}", 3, 2),
        ] {
            let error = parse(text).expect_err(text).at("t");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("t:{line}:{column}: ")),
                "{text}: {error}"
            );
        }
    }
}

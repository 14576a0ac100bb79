//! JSON text to a value with positions.
//!
//! Our own small parser, because `serde_json` keeps neither positions nor duplicate keys.

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::error::Problem;
use super::position::{self, Spots};
use super::{DEPTH_LIMIT, NODE_LIMIT, Parsed, Position};

const SYNTAX: &str = "correct the JSON";

/// Parses the whole of `text` as one JSON value.
pub(super) fn parse(text: &str) -> Result<Parsed, Problem> {
    let mut parser = Parser {
        text,
        next: 0,
        line: 1,
        start: 0,
        longer: 0,
        spots: Spots::default(),
        members: Vec::new(),
    };
    parser.space();
    let at = parser.at();
    let value = parser.value(at, 0, 0)?;
    parser.space();
    match parser.peek() {
        None => Ok((value, parser.spots)),
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
    /// The byte to be read next.
    next: usize,
    line: usize,
    /// The byte that the line starts at.
    start: usize,
    /// How many bytes of the line, as far as it was read, belong to a character that began before them.
    longer: usize,
    spots: Spots,
    /// Members of the objects that are being read: gathered first, so that each object is made in its size.
    members: Vec<(String, Value)>,
}

impl Parser<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.next).copied()
    }

    /// The next character, for messages.
    fn peek(&self) -> Option<char> {
        self.text.get(self.next..)?.chars().next()
    }

    fn at(&self) -> Position {
        Position::new(self.line, self.next - self.start - self.longer + 1)
    }

    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.byte() {
            self.next += 1;
            if byte == b'\n' {
                (self.line, self.start, self.longer) = (self.line + 1, self.next, 0);
            }
        }
    }

    fn problem(&self, problem: impl Into<String>) -> Problem {
        Problem::new(self.at(), problem, SYNTAX)
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        match self.peek() {
            Some(other) => self.problem(format!("expected {wanted}, found {other:?}")),
            None => self.problem(format!("expected {wanted}, found the end of the text")),
        }
    }

    /// Parses a value that is noted as `name` to stand `at`: where its key is, or its own first character.
    fn value(&mut self, at: Position, name: u64, depth: usize) -> Result<Value, Problem> {
        if depth > DEPTH_LIMIT {
            return Err(too_deep(self.at()));
        }
        if self.spots.len() >= NODE_LIMIT {
            return Err(too_many(self.at()));
        }
        let mark = self.spots.open(at, name);
        let value = match self.byte() {
            Some(b'{') => self.object(mark, depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            _ => self.word()?,
        };
        self.spots.close(mark);
        Ok(value)
    }

    fn word(&mut self) -> Result<Value, Problem> {
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            let rest = &self.text.as_bytes()[self.next..];
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
            let place = self.at();
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
        object(self.members.drain(first..), &self.spots, mark).map(Value::Object)
    }

    fn array(&mut self, depth: usize) -> Result<Value, Problem> {
        let mut items = Vec::new();
        self.next += 1;
        self.space();
        if self.byte() == Some(b']') {
            self.next += 1;
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(self.at(), position::item(items.len()), depth + 1)?);
            self.space();
            match self.byte() {
                Some(b',') => self.next += 1,
                Some(b']') => {
                    self.next += 1;
                    return Ok(Value::Array(items));
                }
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        self.next += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.next..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))
                .unwrap_or(rest.len());
            let run = &self.text[self.next..self.next + plain];
            self.next += plain;
            self.longer += run.bytes().filter(|byte| byte & 0xC0 == 0x80).count();
            let end = self.byte();
            if end == Some(b'"') {
                self.next += 1;
                if string.is_empty() {
                    return Ok(run.to_owned());
                }
                string.push_str(run);
                return Ok(string);
            }
            string.push_str(run);
            match end {
                Some(b'\\') => {
                    self.next += 1;
                    string.push(self.escape()?);
                }
                Some(control) => {
                    let control = char::from(control);
                    return Err(self.problem(format!(
                        "the control character {control:?} stands unescaped in a string"
                    )));
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

    fn number(&mut self) -> Result<Number, Problem> {
        let rest = &self.text[self.next..];
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let text = &rest[..end];
        let number = serde_json::from_str::<Value>(text)
            .ok()
            .and_then(|value| match value {
                Value::Number(number) => Some(number),
                _ => None,
            });
        let Some(number) = number else {
            return Err(self.problem(format!(
                "{} is not a number that can be represented",
                shortened(text)
            )));
        };
        self.next += text.len();
        Ok(number)
    }
}

/// Makes an object of its members, which are noted below `mark`.
pub(super) fn object(
    members: impl ExactSizeIterator<Item = (String, Value)>,
    spots: &Spots,
    mark: usize,
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
                let place = |index| spots.nth(mark, index).unwrap_or(Position::START);
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
        let (value, _) = parse(text).expect("is JSON");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("is JSON"));
    }

    #[test]
    fn a_member_stands_at_its_key_and_an_item_at_its_first_character() {
        let (_, spots) = parse("{\n  \"a\": [\n    1, {\"b\": 2}]\n}").expect("is JSON");
        assert_eq!(spots.find("/a"), Position { line: 2, column: 3 });
        assert_eq!(spots.find("/a/0"), Position { line: 3, column: 5 });
        assert_eq!(spots.find("/a/1/b"), Position { line: 3, column: 9 });
        assert_eq!(
            spots.find("/a/1/none/below"),
            Position { line: 3, column: 8 }
        );
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

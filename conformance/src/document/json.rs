//! JSON text to a value with positions.
//!
//! Our own small parser, because `serde_json` keeps neither positions nor duplicate keys.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::error::Problem;
use super::position::{Children, Spot};
use super::{DEPTH_LIMIT, NODE_LIMIT, Parsed, Position};

const SYNTAX: &str = "correct the JSON";

/// Parses the whole of `text` as one JSON value.
pub(super) fn parse(text: &str) -> Result<Parsed, Problem> {
    let mut parser = Parser {
        rest: text,
        at: Position::START,
        nodes: 0,
    };
    parser.space();
    let at = parser.at;
    let parsed = parser.value(at, 0)?;
    parser.space();
    match parser.peek() {
        None => Ok(parsed),
        Some(other) => Err(parser.problem(format!(
            "there is {other:?} after the end of the JSON value"
        ))),
    }
}

/// Reads `text` as a JSON number; `None` when it is out of the range of a 64-bit float.
pub(super) fn number(text: &str) -> Option<Number> {
    text.parse::<Number>().ok()
}

struct Parser<'a> {
    rest: &'a str,
    at: Position,
    nodes: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        if character == '\n' {
            self.at = Position {
                line: self.at.line.saturating_add(1),
                column: 1,
            };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(character)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn problem(&self, problem: impl Into<String>) -> Problem {
        Problem::new(self.at, problem, SYNTAX)
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        match self.peek() {
            Some(other) => self.problem(format!("expected {wanted}, found {other:?}")),
            None => self.problem(format!("expected {wanted}, found the end of the text")),
        }
    }

    /// Parses a value whose position is `at`: that of its key, or its own first character.
    fn value(&mut self, at: Position, depth: usize) -> Result<Parsed, Problem> {
        if depth > DEPTH_LIMIT {
            return Err(too_deep(self.at));
        }
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            return Err(too_many(self.at));
        }
        match self.peek() {
            Some('{') => self.object(at, depth),
            Some('[') => self.array(at, depth),
            Some('"') => Ok((Value::String(self.string()?), Spot::leaf(at))),
            Some('-' | '0'..='9') => Ok((Value::Number(self.number()?), Spot::leaf(at))),
            _ => {
                for (word, value) in [
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("null", Value::Null),
                ] {
                    if self.rest.starts_with(word) {
                        for _ in word.chars() {
                            self.next();
                        }
                        return Ok((value, Spot::leaf(at)));
                    }
                }
                Err(self.unexpected("a JSON value"))
            }
        }
    }

    fn object(&mut self, at: Position, depth: usize) -> Result<Parsed, Problem> {
        let mut object = Map::new();
        let mut spots: HashMap<String, Spot> = HashMap::new();
        self.next();
        self.space();
        if self.peek() == Some('}') {
            self.next();
            return Ok((
                Value::Object(object),
                Spot {
                    at,
                    children: Children::Members(spots),
                },
            ));
        }
        loop {
            self.space();
            let place = self.at;
            if self.peek() != Some('"') {
                return Err(self.unexpected("a member name in quotes"));
            }
            let key = self.string()?;
            if let Some(first) = spots.get(&key) {
                return Err(duplicate(&key, place, first.at));
            }
            self.space();
            if self.peek() != Some(':') {
                return Err(self.unexpected("`:`"));
            }
            self.next();
            self.space();
            let (value, spot) = self.value(place, depth + 1)?;
            object.insert(key.clone(), value);
            spots.insert(key, spot);
            self.space();
            match self.peek() {
                Some(',') => {
                    self.next();
                }
                Some('}') => {
                    self.next();
                    return Ok((
                        Value::Object(object),
                        Spot {
                            at,
                            children: Children::Members(spots),
                        },
                    ));
                }
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
    }

    fn array(&mut self, at: Position, depth: usize) -> Result<Parsed, Problem> {
        let mut items = Vec::new();
        let mut spots = Vec::new();
        self.next();
        self.space();
        if self.peek() == Some(']') {
            self.next();
            return Ok((
                Value::Array(items),
                Spot {
                    at,
                    children: Children::Items(spots),
                },
            ));
        }
        loop {
            self.space();
            let (value, spot) = self.value(self.at, depth + 1)?;
            items.push(value);
            spots.push(spot);
            self.space();
            match self.peek() {
                Some(',') => {
                    self.next();
                }
                Some(']') => {
                    self.next();
                    return Ok((
                        Value::Array(items),
                        Spot {
                            at,
                            children: Children::Items(spots),
                        },
                    ));
                }
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        self.next();
        let mut string = String::new();
        loop {
            match self.peek() {
                None => return Err(self.unexpected("the closing quote of a string")),
                Some('"') => {
                    self.next();
                    return Ok(string);
                }
                Some('\\') => {
                    self.next();
                    string.push(self.escape()?);
                }
                Some(control) if control < ' ' => {
                    return Err(self.problem(format!(
                        "the control character {control:?} stands unescaped in a string"
                    )));
                }
                Some(other) => {
                    string.push(other);
                    self.next();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let simple = match self.peek() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                self.next();
                return self.unicode();
            }
            _ => return Err(self.unexpected("an escape such as `\\n`")),
        };
        self.next();
        Ok(simple)
    }

    fn unicode(&mut self) -> Result<char, Problem> {
        const LONE: &str = "a surrogate escape stands without its pair";
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.rest.starts_with("\\u") {
                    return Err(self.problem(LONE));
                }
                self.next();
                self.next();
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
            let Some(digit) = self.peek().and_then(|character| character.to_digit(16)) else {
                return Err(self.unexpected("four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.next();
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Number, Problem> {
        let at = self.at;
        let end = self
            .rest
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        let number = serde_json::from_str::<Value>(text)
            .ok()
            .and_then(|value| match value {
                Value::Number(number) => Some(number),
                _ => None,
            });
        let Some(number) = number else {
            return Err(Problem::new(
                at,
                format!(
                    "{} is not a number that can be represented",
                    shortened(text)
                ),
                SYNTAX,
            ));
        };
        for _ in 0..text.len() {
            self.next();
        }
        Ok(number)
    }
}

/// Says that a key was given twice, with both places.
pub(super) fn duplicate(key: &str, second: Position, first: Position) -> Problem {
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

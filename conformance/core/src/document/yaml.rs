//! YAML 1.2 text (core schema) to a value with positions.
//!
//! Plain scalars follow the core schema: `yes` and `on` are strings, `1.10` is a number, what is quoted is a string. Aliases are
//! expanded up to [`COPY_LIMIT`]. Merge keys (`<<`) are part of YAML 1.1 only, but whole toolchains write them, so they are read in
//! any document, and noted unless it says `%YAML 1.1`. Not supported, and refused: more than one document, keys that are not
//! scalars, tags outside the core schema, numbers that JSON does not have.

mod bytes;
mod merge;

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use super::error::Problem;
use super::json::{object, too_deep, too_many};
use super::position::{self, Position, Spots};
use super::scalar::{Scalar, scalar, unknown_tag};
use super::{DEPTH_LIMIT, NODE_LIMIT, Parsed};

use bytes::Bytes;
use merge::{Known, moved};

/// How much aliases may add to a document with all its files, in bytes of text plus [`NODE_SIZE`] a node; the defense against alias
/// bombs.
const COPY_LIMIT: usize = 32 * 1024 * 1024;

/// Size that a node counts for besides its text.
const NODE_SIZE: usize = 16;

/// Parses the whole of `text` as one YAML document. `copied` counts what aliases added to the files before.
pub(super) fn parse(text: &str, copied: &mut usize) -> Result<Parsed, Problem> {
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str(text),
        bytes: Bytes::new(text),
        anchors: HashMap::new(),
        anchored: Vec::new(),
        parsed: Parsed {
            spots: Spots::for_text(text.len()),
            ..Parsed::default()
        },
        may_merge: text.lines().any(|line| line.starts_with("%YAML 1.1")),
        copied: *copied,
        nodes: 0,
    };
    let mut value = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::DocumentStart(_) if value.is_some() => {
                return Err(Problem::new(
                    position(span),
                    "a second YAML document starts here",
                    "keep one document in a file",
                ));
            }
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            other => {
                let called = reader.called(span, 0);
                value = Some(reader.node(other, position(span), 0, &called)?.value);
            }
        }
    }
    *copied = reader.copied;
    let parsed = reader.parsed;
    value
        .map(|value| Parsed { value, ..parsed })
        .ok_or_else(|| {
            Problem::new(
                Position::START,
                "the document is empty",
                "write an OpenAPI 3.x document (JSON or YAML)",
            )
        })
}

/// A node with what it costs to copy.
#[derive(Clone)]
struct Node {
    value: Value,
    size: usize,
    height: usize,
}

/// A finished node that an alias may repeat.
struct Anchored {
    node: Node,
    /// Where it is noted.
    marks: Range<usize>,
}

/// Where a node is noted to stand, which for a member is at its key, and by what name.
struct Called {
    at: usize,
    name: u32,
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    bytes: Bytes<'a>,
    /// Finished nodes by anchor; an anchor that is still open is absent, so a node cannot contain itself.
    anchors: HashMap<usize, Anchored>,
    /// The anchors in the order of the text.
    anchored: Vec<usize>,
    /// Facts besides the value.
    parsed: Parsed,
    /// Whether the document says that it is of YAML 1.1.
    may_merge: bool,
    copied: usize,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Returns the name of the node whose key, or which itself, is at `span`.
    fn called(&self, span: Span, name: u32) -> Called {
        let at = self.bytes.at(span.start.line(), span.start.col());
        Called { at, name }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        at: Position,
        depth: usize,
        called: &Called,
    ) -> Result<Node, Problem> {
        if depth > DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            return Err(too_many(at));
        }
        if let Event::Alias(anchor) = event {
            return self.alias(anchor, at, depth, Some(called));
        }
        let mark = self.parsed.spots.open(called.at, called.name);
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let Scalar { value, exact } = scalar(&text, style, tag.as_deref(), at)?;
                self.parsed.exact.extend(exact.map(|exact| (mark, exact)));
                let size = NODE_SIZE + text.len();
                (
                    Node {
                        value,
                        size,
                        height: 0,
                    },
                    anchor,
                )
            }
            Event::SequenceStart(anchor, tag) => {
                collection_tag(tag.as_deref(), "seq", at)?;
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(tag.as_deref(), "map", at)?;
                (self.mapping(mark, depth)?, anchor)
            }
            _ => {
                return Err(Problem::new(
                    at,
                    "a value is missing here",
                    "correct the YAML",
                ));
            }
        };
        self.parsed.spots.close(mark);
        if anchor > 0 {
            self.pay(node.size, at)?;
            let (node, marks) = (node.clone(), self.parsed.spots.range(mark));
            self.anchors.insert(anchor, Anchored { node, marks });
            self.anchored.push(anchor);
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, Problem> {
        let mut items = Vec::new();
        let (mut size, mut height) = (NODE_SIZE, 0);
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                break;
            }
            let called = self.called(span, position::item(items.len()));
            let item = self.node(event, position(span), depth + 1, &called)?;
            size += item.size;
            height = height.max(item.height + 1);
            items.push(item.value);
        }
        Ok(Node {
            value: Value::Array(items),
            size,
            height,
        })
    }

    fn mapping(&mut self, mark: usize, depth: usize) -> Result<Node, Problem> {
        let mut members = Vec::new();
        let mut merged = Vec::new();
        let (mut size, mut height) = (NODE_SIZE, 0);
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let place = position(span);
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.key(event, place)?;
            let (event, value) = self.next()?;
            let called = self.called(span, position::name(&key));
            let before = Known {
                spots: self.parsed.spots.len(),
                exact: self.parsed.exact.len(),
                merged: self.parsed.merged.len(),
                anchors: self.anchored.len(),
            };
            let member = self.node(event, position(value), depth + 1, &called)?;
            size += member.size + key.len();
            height = height.max(member.height + 1);
            if merges {
                merged.push(self.taken(member.value, &before, mark, called.at, place));
            } else {
                members.push((key, member.value));
            }
        }
        if !merged.is_empty() {
            self.merge(merged, &mut members)?;
        }
        self.parsed.spots.close(mark);
        let place = |at| Position::after(self.text.get(..at).unwrap_or(self.text));
        let object = object(members.into_iter(), &self.parsed.spots, mark, place)?;
        Ok(Node {
            value: Value::Object(object),
            size,
            height,
        })
    }

    /// A key is its text: `200:` and `"200":` are the same member.
    fn key(&mut self, event: Event<'a>, at: Position) -> Result<String, Problem> {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                if anchor > 0 {
                    let size = NODE_SIZE + text.len();
                    self.pay(size, at)?;
                    let value = Value::String(text.clone().into_owned());
                    let node = Node {
                        value,
                        size,
                        height: 0,
                    };
                    // A key has no mark of its own; what repeats it is noted as a leaf.
                    self.anchors.insert(anchor, Anchored { node, marks: 0..0 });
                }
                Ok(text.into_owned())
            }
            Event::Alias(anchor) => match self.alias(anchor, at, 0, None)?.value {
                Value::String(text) => Ok(text),
                Value::Number(number) => Ok(number.to_string()),
                _ => Err(complex_key(at)),
            },
            _ => Err(complex_key(at)),
        }
    }

    fn alias(
        &mut self,
        anchor: usize,
        at: Position,
        depth: usize,
        called: Option<&Called>,
    ) -> Result<Node, Problem> {
        let Some(Anchored { node, marks }) = self.anchors.get(&anchor) else {
            return Err(open_anchor(at));
        };
        let (size, marks) = (node.size, marks.clone());
        if depth + node.height > DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        self.pay(size, at)?;
        if let Some(Called { at, name }) = called {
            if marks.is_empty() {
                self.parsed.spots.open(*at, *name);
            } else {
                let first = self.parsed.spots.len();
                let again = moved(&self.parsed.exact, &marks, first);
                self.parsed.exact.extend(again);
                // A repeated node has a place of its own; the places in it stay.
                self.parsed.spots.repeat(marks, *at, *name);
            }
        }
        let node = self.anchors.get(&anchor).map(|known| known.node.clone());
        node.ok_or_else(|| open_anchor(at))
    }

    /// Counts a copy before it is made.
    fn pay(&mut self, size: usize, at: Position) -> Result<(), Problem> {
        self.copied = self.copied.saturating_add(size);
        if self.copied > COPY_LIMIT {
            return Err(Problem::new(
                at,
                format!(
                    "aliases expand to more than {} MB",
                    COPY_LIMIT / 1024 / 1024
                ),
                "use `$ref` in place of aliases",
            ));
        }
        Ok(())
    }
}

fn position(span: Span) -> Position {
    Position::at(span.start.line(), span.start.col() + 1)
}

fn syntax(error: &ScanError) -> Problem {
    let marker = error.marker();
    Problem::syntax(
        Position::at(marker.line(), marker.col() + 1),
        format!("this is not YAML: {}", error.info()),
        "correct the YAML",
    )
}

fn open_anchor(at: Position) -> Problem {
    Problem::new(
        at,
        "an alias stands inside of what it repeats",
        "use `$ref` for recursion",
    )
}

fn complex_key(at: Position) -> Problem {
    Problem::new(
        at,
        "a key is not a string",
        "JSON objects have string keys only: write the key as text",
    )
}

fn collection_tag(tag: Option<&Tag>, expected: &str, at: Position) -> Result<(), Problem> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == expected => Ok(()),
        Some(tag) => Err(unknown_tag(tag, at)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        parse(text, &mut 0).unwrap().value
    }

    fn problem(text: &str) -> String {
        parse(text, &mut 0).expect_err(text).at("t").to_string()
    }

    #[test]
    fn keys_are_their_text() {
        assert_eq!(
            value("200: a\n'404': b\ntrue: c\n1.10: d"),
            json!({"200": "a", "404": "b", "true": "c", "1.10": "d"})
        );
    }

    #[test]
    fn a_member_stands_at_its_key_and_an_item_at_its_first_character() {
        for text in [
            "a:\n  - 1\n  - b: 2\n    c: {d: 1}\n",
            "a: # ü\r\n  - 1\r\n  - b: 2\r\n    c: {d: ü}\r\n",
            "a: # ü\r  - 1\r  - b: 2\r    c: {d: ü}\r",
        ] {
            let spots = parse(text, &mut 0).unwrap().spots;
            let rest = |pointer| &text[spots.find(pointer).0 as usize..];
            assert!(rest("/a").starts_with("a:"), "{text:?}");
            assert!(rest("/a/0").starts_with('1'), "{text:?}");
            assert!(rest("/a/1/c/d").starts_with("d:"), "{text:?}");
        }
        let text = format!("é: ['{}', {{b: 1}}]", "ü".repeat(1000));
        let spots = parse(&text, &mut 0).unwrap().spots;
        assert!(text[spots.find("/é/1/b").0 as usize..].starts_with("b: 1"));
    }

    #[test]
    fn aliases_repeat_their_anchor() {
        assert_eq!(
            value("a: &x {b: 1}\nc: *x\nd: [*x]"),
            json!({"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]})
        );
    }

    #[test]
    fn merge_keys_add_the_members_that_are_not_given_and_keep_their_places() {
        let text = "a: &a {x: 1, y: {z: 18446744073709551617}}\nb: &b {y: 2, w: 3}\nc:\n  <<: [*a, *b]\n  x: 4\nd: {\"<<\": 5}\n";
        let parsed = parse(text, &mut 0).unwrap();
        assert_eq!(
            parsed.value["c"],
            json!({"x": 4, "y": {"z": 18446744073709551617_f64}, "w": 3})
        );
        assert_eq!(parsed.value["d"], json!({"<<": 5}));
        let rest = |pointer| &text[parsed.spots.find(pointer).0 as usize..];
        assert!(rest("/c/x").starts_with("x: 4"));
        assert!(rest("/c/y/z").starts_with("z: 18"));
        assert!(rest("/c/w").starts_with("w: 3"));
        assert_eq!(parsed.exact.len(), 2);
        assert_eq!(parsed.merged.len(), 1);
        let old = format!("%YAML 1.1\n---\n{text}");
        let parsed = parse(&old, &mut 0).unwrap();
        assert_eq!(parsed.value["c"]["w"], 3);
        assert!(parsed.merged.is_empty());
    }

    #[test]
    fn tags_of_the_core_schema_are_obeyed() {
        assert_eq!(
            value("a: !!str 12\nb: !!int 12\nc: !!map {}\nd: ! 12"),
            json!({"a": "12", "b": 12, "c": {}, "d": "12"})
        );
    }

    #[test]
    fn what_is_not_supported_is_refused_with_its_place() {
        for (text, start) in [
            ("a: 1\na: 2", "t:2:1: the key `a` was given before, at 1:1"),
            ("a: 1\n---\nb: 2", "t:2:1: a second YAML document"),
            ("a: 1\n<<: 2", "t:2:1: the value of the merge key"),
            ("<<: [{a: 1}, [b]]", "t:1:1: the value of the merge key"),
            ("a: &x [*x]", "t:1:8: an alias stands inside"),
            ("? [a]\n: b", "t:1:3: a key is not a string"),
            ("a: !thing 1", "t:1:4: the tag"),
            ("a: .nan", "t:1:4: the number `.nan`"),
            ("a: 1e999", "t:1:4: the number `1e999`"),
            ("a: [1, 2", "t:2:1: this is not YAML"),
            ("a: *nothing", "t:1:4: this is not YAML"),
            ("\t- a: b\n c", "t:"),
        ] {
            let message = problem(text);
            assert!(message.starts_with(start), "{text:?}: {message}");
        }
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for level in 1..20 {
            let before = format!("*a{}, ", level - 1).repeat(9);
            text.push_str(&format!(
                "a{level}: &a{level} [{}]\n",
                before.trim_end_matches(", ")
            ));
        }
        assert!(
            problem(&text).contains("aliases expand"),
            "{}",
            problem(&text)
        );
    }

    #[test]
    fn deep_nesting_is_refused() {
        for text in [
            "[".repeat(100_000),
            "- ".repeat(10_000),
            format!("a: {}", "{a: ".repeat(5_000)),
        ] {
            let message = problem(&text);
            assert!(
                message.contains("deeper than") || message.contains("not YAML"),
                "{message}"
            );
        }
    }
}

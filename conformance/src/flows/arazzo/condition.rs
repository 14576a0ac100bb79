//! Conditions of criteria: comparisons with `&&`, `||`, `!` and parentheses, regular expressions, and `JSONPath` (RFC 9535).

use serde_json::Value;
use serde_json_path::JsonPath;

use super::expression::Scope;
use super::{Criterion, Kind};
use crate::case::serialize::text;
use crate::schema::pattern;

/// How deep conditions may nest.
const DEPTH: usize = 50;

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Or(Box<Condition>, Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Compare, Operand, Operand),
    Is(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Literal(Value),
    Expression(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Not,
    And,
    Or,
    Compare(Compare),
    Operand(Operand),
}

/// Longest condition, in bytes: what reads and evaluates it recurses.
const LENGTH: usize = 4096;

/// How deep parentheses and brackets of `JSONPath` may nest: the time to read it grows with a power of the depth.
const PATH_DEPTH: usize = 10;

/// Refuses a condition that cannot be read.
pub(super) fn check(criterion: &Criterion) -> Result<(), String> {
    if criterion.condition.len() > LENGTH {
        return Err(format!("the condition is longer than {LENGTH} bytes"));
    }
    match criterion.kind {
        Kind::Simple => parse(&criterion.condition).map(|_| ()),
        Kind::Regex => {
            let found = pattern::pattern(&criterion.condition).map(|_| ());
            found.map_err(|_| format!("`{}` is not a regular expression", criterion.condition))
        }
        Kind::JsonPath if nesting(&criterion.condition) > PATH_DEPTH => Err(format!(
            "the condition nests deeper than {PATH_DEPTH} levels"
        )),
        Kind::JsonPath => {
            let found = JsonPath::parse(&criterion.condition).map(|_| ());
            found.map_err(|error| format!("`{}` is not JSONPath: {error}", criterion.condition))
        }
    }
}

/// How deep parentheses and brackets nest; those in strings count too.
fn nesting(source: &str) -> usize {
    let mut depth = 0_usize;
    let depths = source.bytes().map(|byte| {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth
    });
    depths.max().unwrap_or_default()
}

/// Whether a criterion is met.
pub(super) fn is_met(criterion: &Criterion, scope: &Scope<'_>) -> bool {
    let context = || {
        criterion
            .context
            .as_ref()
            .and_then(|context| scope.evaluate(context))
    };
    match criterion.kind {
        Kind::Simple => parse(&criterion.condition).is_ok_and(|condition| holds(&condition, scope)),
        Kind::Regex => {
            let pattern = pattern::pattern(&criterion.condition);
            context()
                .zip(pattern.ok())
                .is_some_and(|(value, pattern)| pattern.is_match(&text(&value)))
        }
        Kind::JsonPath => {
            let path = JsonPath::parse(&criterion.condition);
            context().zip(path.ok()).is_some_and(|(value, path)| {
                // A filter right below the root is meant for the value itself where that is an object.
                let wrapped = || Value::Array(vec![value.clone()]);
                !path.query(&value).is_empty()
                    || value.is_object() && !path.query(&wrapped()).is_empty()
            })
        }
    }
}

fn holds(condition: &Condition, scope: &Scope<'_>) -> bool {
    let value = |operand: &Operand| match operand {
        Operand::Literal(value) => value.clone(),
        Operand::Expression(text) => scope.evaluate(text).unwrap_or_default(),
    };
    match condition {
        Condition::Or(one, other) => holds(one, scope) || holds(other, scope),
        Condition::And(one, other) => holds(one, scope) && holds(other, scope),
        Condition::Not(inner) => !holds(inner, scope),
        Condition::Is(operand) => !matches!(value(operand), Value::Null | Value::Bool(false)),
        Condition::Compare(how, one, other) => compare(*how, &value(one), &value(other)),
    }
}

fn compare(how: Compare, one: &Value, other: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let are_numbers = (one.is_number() || other.is_number())
        .then(|| number(one).zip(number(other)))
        .flatten();
    if let Some((one, other)) = are_numbers {
        return match how {
            #[expect(clippy::float_cmp, reason = "equal numbers are equal floats")]
            Compare::Equal => one == other,
            #[expect(clippy::float_cmp, reason = "equal numbers are equal floats")]
            Compare::Unequal => one != other,
            Compare::Less => one < other,
            Compare::AtMost => one <= other,
            Compare::More => one > other,
            Compare::AtLeast => one >= other,
        };
    }
    // "String comparisons MUST be case insensitive" (Arazzo 1.0.1, Criterion Object, Literals).
    if let (Value::String(one), Value::String(other)) = (one, other) {
        let (one, other) = (one.to_lowercase(), other.to_lowercase());
        return match how {
            Compare::Equal => one == other,
            Compare::Unequal => one != other,
            Compare::Less => one < other,
            Compare::AtMost => one <= other,
            Compare::More => one > other,
            Compare::AtLeast => one >= other,
        };
    }
    match how {
        Compare::Equal => one == other,
        Compare::Unequal => one != other,
        Compare::Less | Compare::AtMost | Compare::More | Compare::AtLeast => false,
    }
}

fn parse(source: &str) -> Result<Condition, String> {
    let tokens = tokens(source)?;
    let mut rest = tokens.as_slice();
    let condition = either(&mut rest, source, 0)?;
    match rest {
        [] => Ok(condition),
        _ => Err(format!(
            "`{source}` goes on after its end; join conditions by && or ||"
        )),
    }
}

fn either(rest: &mut &[Token], source: &str, depth: usize) -> Result<Condition, String> {
    let mut condition = both(rest, source, depth)?;
    while let [Token::Or, tail @ ..] = *rest {
        *rest = tail;
        condition = Condition::Or(Box::new(condition), Box::new(both(rest, source, depth)?));
    }
    Ok(condition)
}

fn both(rest: &mut &[Token], source: &str, depth: usize) -> Result<Condition, String> {
    let mut condition = one(rest, source, depth)?;
    while let [Token::And, tail @ ..] = *rest {
        *rest = tail;
        condition = Condition::And(Box::new(condition), Box::new(one(rest, source, depth)?));
    }
    Ok(condition)
}

fn one(rest: &mut &[Token], source: &str, depth: usize) -> Result<Condition, String> {
    if depth > DEPTH {
        return Err(format!("the condition nests deeper than {DEPTH} levels"));
    }
    match *rest {
        [Token::Not, tail @ ..] => {
            *rest = tail;
            Ok(Condition::Not(Box::new(one(rest, source, depth + 1)?)))
        }
        [Token::Open, tail @ ..] => {
            *rest = tail;
            let inner = either(rest, source, depth + 1)?;
            let [Token::Close, tail @ ..] = *rest else {
                return Err(format!("`{source}` lacks a closing parenthesis"));
            };
            *rest = tail;
            Ok(inner)
        }
        [
            Token::Operand(left),
            Token::Compare(how),
            Token::Operand(right),
            tail @ ..,
        ] => {
            *rest = tail;
            Ok(Condition::Compare(*how, left.clone(), right.clone()))
        }
        [Token::Operand(_), Token::Compare(_), ..] => {
            Err(format!("`{source}` compares with nothing"))
        }
        [Token::Operand(operand), tail @ ..] => {
            *rest = tail;
            Ok(Condition::Is(operand.clone()))
        }
        _ => Err(format!(
            "`{source}` is not a condition; write it as $statusCode == 200"
        )),
    }
}

fn tokens(source: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let fixed = [
            ("&&", Token::And),
            ("||", Token::Or),
            ("==", Token::Compare(Compare::Equal)),
            ("!=", Token::Compare(Compare::Unequal)),
            ("<=", Token::Compare(Compare::AtMost)),
            (">=", Token::Compare(Compare::AtLeast)),
            ("<", Token::Compare(Compare::Less)),
            (">", Token::Compare(Compare::More)),
            ("!", Token::Not),
            ("(", Token::Open),
            (")", Token::Close),
        ];
        if let Some((sign, token)) = fixed.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            found.push(token);
            rest = &rest[sign.len()..];
        } else if first == '\'' || first == '"' {
            let (text, after) = quoted(rest, first)
                .ok_or_else(|| format!("`{source}` has a string without an end"))?;
            found.push(Token::Operand(Operand::Literal(Value::from(text))));
            rest = after;
        } else {
            let ends = |letter: char| letter.is_whitespace() || "()!<>=&|".contains(letter);
            let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
            let operand = match word {
                _ if word.starts_with('$') => {
                    super::expression::check(&Value::from(word))?;
                    Operand::Expression(word.to_owned())
                }
                "true" | "false" | "null" => {
                    Operand::Literal(serde_json::from_str(word).unwrap_or_default())
                }
                _ => match serde_json::from_str::<serde_json::Number>(word) {
                    Ok(number) => Operand::Literal(Value::Number(number)),
                    Err(_) => {
                        return Err(format!(
                            "`{word}` is neither a number nor an expression; write strings in single quotes"
                        ));
                    }
                },
            };
            found.push(Token::Operand(operand));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

/// A string in quotes, where two of them stand for one, and what comes after it.
fn quoted(source: &str, quote: char) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = &source[1..];
    loop {
        let (part, after) = rest.split_once(quote)?;
        text += part;
        match after.strip_prefix(quote) {
            Some(more) => {
                text.push(quote);
                rest = more;
            }
            None => return Some((text, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::tests::with;
    use super::*;

    fn met(kind: Kind, context: Option<&str>, condition: &str) -> bool {
        let criterion = Criterion {
            context: context.map(str::to_owned),
            condition: condition.to_owned(),
            kind,
        };
        check(&criterion).unwrap();
        with(|scope| is_met(&criterion, scope))
    }

    #[test]
    fn simple_conditions_compare_and_combine() {
        for condition in [
            "$statusCode == 201",
            "$statusCode >= 200 && $statusCode < 300",
            "$statusCode == 404 || $response.body#/id == 7",
            "!($statusCode == 404) && ($response.body#/id != 8)",
            "$response.header.location == '/NOTES/7'",
            "$response.body#/list/0/name == 'n'",
            "$response.body#/none == null",
            "$response.body#/id",
            "!$response.body#/none",
            "'it''s' == \"IT'S\"",
            "$response.body#/id == '7'",
            "$inputs.n<=3",
        ] {
            assert!(met(Kind::Simple, None, condition), "{condition}");
        }
        for condition in [
            "$statusCode == 200",
            "$response.body#/none",
            "$response.body#/id < 7",
            "$response.body#/list == 1",
            "false",
        ] {
            assert!(!met(Kind::Simple, None, condition), "{condition}");
        }
    }

    #[test]
    fn regular_expressions_and_json_path_have_a_context() {
        let body = Some("$response.body");
        assert!(met(
            Kind::Regex,
            Some("$response.header.location"),
            "^/notes/[0-9]+$"
        ));
        assert!(!met(
            Kind::Regex,
            Some("$response.header.location"),
            "^/users/"
        ));
        assert!(!met(Kind::Regex, Some("$response.header.none"), ".*"));
        assert!(met(Kind::Regex, Some("$statusCode"), "^20[0-9]$"));
        assert!(met(Kind::JsonPath, body, "$.list[?(@.name == 'n')]"));
        assert!(met(Kind::JsonPath, body, "$[?count(@.list[*]) > 0]"));
        assert!(!met(Kind::JsonPath, body, "$.list[?(@.name == 'm')]"));
    }

    #[test]
    fn what_is_not_a_condition_is_told() {
        for (source, part) in [
            ("", "is not a condition"),
            ("$statusCode ==", "compares with nothing"),
            ("($statusCode == 1", "closing parenthesis"),
            ("$statusCode == 1 1", "goes on after its end"),
            (
                "$statusCode == ok",
                "`ok` is neither a number nor an expression",
            ),
            ("'a", "a string without an end"),
            ("$stat.x == 1", "is not a runtime expression"),
        ] {
            let message = parse(source).unwrap_err();
            assert!(message.contains(part), "{source}: {message}");
        }
        for (kind, condition) in [
            (Kind::Simple, vec!["true"; 1000].join(" || ")),
            (
                Kind::JsonPath,
                format!("$[?{}@.a{}]", "(".repeat(500), ")".repeat(500)),
            ),
            (Kind::JsonPath, format!("${}", "[?@".repeat(500))),
        ] {
            let criterion = Criterion {
                context: Some("$response.body".to_owned()),
                condition,
                kind,
            };
            let message = check(&criterion).unwrap_err();
            assert!(
                message.contains("longer than") || message.contains("nests deeper than"),
                "{message}"
            );
        }
        // The deepest path that is read is read at once.
        let deepest = format!(
            "$[?{}@.a{}]",
            "(".repeat(PATH_DEPTH - 1),
            ")".repeat(PATH_DEPTH - 1)
        );
        assert!(met(
            Kind::JsonPath,
            Some("$response.body"),
            &deepest.replace("@.a", "@.id")
        ));
        assert!(parse(&"(".repeat(10_000)).is_err());
        assert!(parse(&"!".repeat(10_000)).is_err());
    }
}

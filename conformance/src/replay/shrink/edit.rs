//! Edits that make a request smaller, in the order in which they are tried: whole parts before parts of values.

use serde_json::{Number, Value};

use super::content::{Content, Length};
use crate::case::serialize::{decode, encode, is_json};
use crate::case::{Intent, Refusal};
use crate::replay::again::Revived;
use crate::session::Session;

/// Headers that every request has.
const USUAL: [&str; 3] = ["accept", "content-type", "user-agent"];

/// One thing that is left out of a request, or made shorter.
#[derive(Debug, Clone, PartialEq)]
enum Edit {
    /// Leaves out the parameters of the query of this name.
    Query(String),
    /// Leaves out the headers of this name.
    Header(String),
    /// Leaves out the body.
    Body,
    /// Leaves out the member or item of a JSON body at this pointer.
    Member(String),
    /// Leaves out this field of a form.
    Field(usize),
    /// Cuts the text at this pointer of a JSON body to so many characters.
    Text(String, usize),
    /// Replaces the number at this pointer of a JSON body.
    Number(String, Value),
    /// Cuts the value of this field of a form.
    FieldText(usize, usize),
    /// Cuts a body that is neither JSON nor a form.
    Raw(usize),
    /// Cuts the value of this pair of the query to so many characters.
    QueryText(usize, usize),
}

/// The edit that is tried next: one that worked leaves its place to the next one.
#[derive(Debug, Default)]
pub(super) struct Edits {
    stage: usize,
    at: usize,
    /// Whether an edit of this round worked.
    worked: bool,
    stay: bool,
    /// Whether bodies that are neither JSON nor forms are left as they are.
    keeps_raw: bool,
}

impl Edits {
    /// `keeps_raw` is whether bodies that are neither JSON nor forms are left as they are, as nothing is known of what their parts mean.
    pub(super) fn new(keeps_raw: bool) -> Self {
        Self {
            keeps_raw,
            ..Self::default()
        }
    }

    /// Notes that the last edit worked.
    pub(super) fn stay(&mut self) {
        self.stay = true;
        self.worked = true;
    }

    /// The next smaller request; none where there is no more.
    pub(super) fn next(&mut self, session: &Session<'_>, now: &Revived) -> Option<Revived> {
        if !std::mem::take(&mut self.stay) {
            self.at += 1;
        }
        loop {
            let all = match self.stage {
                0 => parameters(session, now),
                1 => body(now),
                2 => parts(now),
                3 => values(now, self.keeps_raw),
                4 => query_values(now),
                // What one edit made possible is tried too.
                _ if self.worked => {
                    *self = Self::new(self.keeps_raw);
                    self.at = 1;
                    continue;
                }
                _ => return None,
            };
            if let Some(edit) = all.into_iter().nth(self.at.saturating_sub(1)) {
                return Some(edit.of(now));
            }
            self.stage += 1;
            self.at = 1;
        }
    }
}

impl Edit {
    /// The request with this edit.
    fn of(self, now: &Revived) -> Revived {
        let mut less = now.clone();
        let body = match self {
            Self::Header(name) => return now.without_header(&name),
            Self::Query(name) => {
                less.case.query.retain(|(known, _)| *known != name);
                return less;
            }
            Self::QueryText(index, length) => {
                let value = &mut less.case.query[index].1;
                *value = encode(&beginning(&decode(value), length));
                return less;
            }
            Self::Body => {
                let mut less = now.without_header("content-type");
                less.case.body = None;
                return less;
            }
            Self::Member(at) => Content::of(now).without_member(&at),
            Self::Text(at, length) => Content::of(now).with_value(&at, |value| {
                Value::from(beginning(value.as_str().unwrap_or_default(), length))
            }),
            Self::Number(at, number) => Content::of(now).with_value(&at, |_| number),
            Self::Field(index) => Content::of(now).without_field(index),
            Self::FieldText(index, length) => Content::of(now).with_field_of(index, length),
            Self::Raw(length) => Content::of(now).cut(length),
        };
        if let (Some(own), Some((bytes, value))) = (&mut less.case.body, body) {
            own.bytes = bytes;
            own.value = value;
        }
        less
    }
}

/// Without one parameter of the query, or one header.
fn parameters(session: &Session<'_>, now: &Revived) -> Vec<Edit> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in &now.case.query {
        if !names.contains(&name) && !session.judge.secrets.is_credential_query(name) {
            names.push(name);
        }
    }
    let removable = |name: &String| {
        let lower = name.to_ascii_lowercase();
        !USUAL.contains(&lower.as_str()) && !session.judge.secrets.is_credential(&lower)
    };
    let headers = now.headers().iter().map(|(name, _)| name);
    let headers = headers.filter(|name| removable(name));
    names
        .into_iter()
        .map(|name| Edit::Query(name.clone()))
        .chain(headers.map(|name| Edit::Header(name.clone())))
        .collect()
}

/// Without the body, unless it is what the request is about.
fn body(now: &Revived) -> Vec<Edit> {
    let Some(body) = &now.case.body else {
        return Vec::new();
    };
    let is_needed = match now.case.intent {
        Intent::Refused(Refusal::MediaType) => true,
        // A body that cannot be read is another fault than one that is missing.
        Intent::Refused(Refusal::Invalid) => body.value.is_none(),
        _ => body.value.is_none() && body.content_type.as_deref().is_some_and(is_json),
    };
    match is_needed {
        true => Vec::new(),
        false => vec![Edit::Body],
    }
}

/// With one member, list item or field less, the outer ones first.
fn parts(now: &Revived) -> Vec<Edit> {
    match Content::of(now) {
        Content::Json(value) => {
            let mut pointers = Vec::new();
            walk(value, "", &mut pointers);
            pointers.into_iter().map(Edit::Member).collect()
        }
        Content::Form(fields) => (0..fields.len()).map(Edit::Field).collect(),
        Content::Multipart { fields, .. } => (0..fields.len()).map(Edit::Field).collect(),
        Content::Raw(_) | Content::None => Vec::new(),
    }
}

/// The pointers of all members and items.
fn walk(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = crate::document::pointer::join(at, name);
                pointers.push(at.clone());
                walk(member, &at, pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{at}/{index}");
                pointers.push(at.clone());
                walk(item, &at, pointers);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// With one text or number made shorter.
fn values(now: &Revived, keeps_raw: bool) -> Vec<Edit> {
    let content = Content::of(now);
    let fields = |count: usize| {
        let of_field = |index| {
            let lengths = shorter(content.field_length(index));
            let edit = move |length| Edit::FieldText(index, length);
            lengths.into_iter().map(edit)
        };
        (0..count).flat_map(of_field).collect()
    };
    match &content {
        Content::Json(value) => {
            let mut pointers = vec![String::new()];
            walk(value, "", &mut pointers);
            let mut edits = Vec::new();
            for at in pointers {
                match value.pointer(&at) {
                    Some(Value::String(text)) => {
                        let lengths = shorter(text.chars().count()).into_iter();
                        edits.extend(lengths.map(|length| Edit::Text(at.clone(), length)));
                    }
                    Some(Value::Number(number)) => {
                        let numbers = smaller(number).into_iter();
                        edits.extend(numbers.map(|number| Edit::Number(at.clone(), number)));
                    }
                    _ => {}
                }
            }
            edits
        }
        Content::Form(all) => fields(all.len()),
        Content::Multipart { fields: all, .. } => fields(all.len()),
        // Without all of it, it is another fault.
        Content::Raw(bytes) if !keeps_raw => {
            let mut lengths = shorter(bytes.length());
            lengths.retain(|length| *length > 0);
            lengths.into_iter().map(Edit::Raw).collect()
        }
        Content::Raw(_) | Content::None => Vec::new(),
    }
}

/// With one value of the query made shorter.
fn query_values(now: &Revived) -> Vec<Edit> {
    let of_pair = |(index, (_, value)): (usize, &(String, String))| {
        let lengths = shorter(decode(value).chars().count());
        let edit = move |length| Edit::QueryText(index, length);
        lengths.into_iter().map(edit)
    };
    now.case
        .query
        .iter()
        .enumerate()
        .flat_map(of_pair)
        .collect()
}

fn beginning(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// Lengths of the beginnings of a text that are tried: none of it, one character, half of it, all but the last character.
fn shorter(length: usize) -> Vec<usize> {
    let mut lengths = vec![0, 1, length / 2, length.saturating_sub(1)];
    lengths.retain(|one| *one < length);
    lengths.dedup();
    lengths
}

/// Numbers with fewer digits.
fn smaller(number: &Number) -> Vec<Value> {
    let length = number.to_string().len();
    let mut all: Vec<Value> = vec![0.into(), 1.into(), (-1).into()];
    if let Some(whole) = number.as_i64() {
        all.push((whole / 10).into());
        all.push((whole / 2).into());
    } else if let Some(float) = number.as_f64() {
        all.extend([0.5, float.trunc()].map(Value::from));
    }
    all.retain(|one| one.to_string().len() < length);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_numbers_become_shorter_and_never_longer() {
        assert_eq!(shorter(6), [0, 1, 3, 5]);
        assert_eq!(shorter(1), [0]);
        assert_eq!(shorter(2), [0, 1]);
        assert_eq!(shorter(0), Vec::<usize>::new());
        let number = |value: Value| smaller(value.as_number().expect("a number"));
        assert_eq!(number(json!(7)), Vec::<Value>::new());
        assert_eq!(
            number(json!(123)),
            [json!(0), json!(1), json!(-1), json!(12), json!(61)]
        );
        assert_eq!(
            number(json!(1.25)),
            [json!(0), json!(1), json!(-1), json!(0.5), json!(1.0)]
        );
    }

    #[test]
    fn the_outer_members_are_left_out_first() {
        let mut pointers = Vec::new();
        walk(
            &json!({"a": {"b/c": 1}, "d": [2, {"e": 3}]}),
            "",
            &mut pointers,
        );
        assert_eq!(pointers, ["/a", "/a/b~1c", "/d", "/d/0", "/d/1", "/d/1/e"]);
    }
}

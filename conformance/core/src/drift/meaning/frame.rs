//! Whole values around inner ones, made once for all differences of one schema.
//!
//! Where the schemas around another one check each of their members and items by itself, the value at one place does not matter at any
//! other. So a value of which both documents accept all but the inner one, a *frame*, shows any inner value that only one of them
//! accepts, and is validated once instead of for each difference.

use foldhash::HashMap;
use serde_json::{Map, Value};

use super::super::site::Text;
use super::edit::Edit;
use super::embed::{self, Step};
use super::generate::Maker;
use super::raise::Around;
use super::source::Source;
use super::trial::Tried;
use super::{Meaning, Spot, judge};
use crate::document::pointer;

/// How many values of the inner schema are tried on each side.
const INNER: usize = 3;

/// How many references are followed from one schema to the next.
const CHAIN: usize = 12;

/// Keywords beside which a member or an item is looked at alone.
const APART: [&str; 18] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "title",
    "description",
    "example",
    "examples",
    "default",
    "deprecated",
    "externalDocs",
    "xml",
    "$comment",
];

/// A value around a schema that both documents accept, as far as it has to be remembered.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Whether they are made from the new document.
    is_new: bool,
    /// Whether the sender documents all of their members.
    is_documented: bool,
    /// Whether some numbers of the schemas were replaced by others when they were validated.
    stands_in: bool,
}

/// The frames by the schemas around the inner one.
pub(super) type Frames = HashMap<String, Option<Frame>>;

impl Meaning<'_> {
    /// Puts a value that tells an edited schema from what it was, to both whole documents, into the schemas around it; none where these do
    /// not look at their members and items alone.
    pub(in super::super) fn framed(
        &self,
        tried: &Tried,
        around: &[Around<'_>],
        spot: Spot<'_>,
        edits: &[&Edit],
    ) -> Option<Tried> {
        let are_plain = around.iter().all(|one| one.text == Text::No);
        let has_flag = edits.iter().any(|edit| matches!(edit, Edit::Flag { .. }));
        if !tried.real || !are_plain || spot.text != Text::No || has_flag || around.is_empty() {
            return None;
        }
        let mut key = format!("{:?} {} {}", spot.sender, spot.at.0, spot.at.1);
        for Around { at, step, .. } in around {
            key.push_str(&format!("\n{step:?} {} {}", at.0, at.1));
        }
        let known = self.frames.borrow().get(&key).copied();
        let frame = known.unwrap_or_else(|| {
            let frame = self.frame(around, spot);
            self.frames.borrow_mut().insert(key, frame);
            frame
        })?;
        let value = self.around_all(frame.is_new, around, spot, &tried.value)?;
        Some(Tried {
            value,
            documented: tried.documented && frame.is_documented,
            stands_in: tried.stands_in || frame.stands_in,
            ..*tried
        })
    }

    /// The frame of the schemas around one, if both documents accept it with a value that they both accept inside.
    fn frame(&self, around: &[Around<'_>], spot: Spot<'_>) -> Option<Frame> {
        let (old, new) = self.makers(spot.sender);
        let root = around.last()?.at;
        let mut inner = spot.at;
        for Around { at, step, .. } in around {
            let is_apart = leads_apart(&old.source, at.0, step, inner.0)
                && leads_apart(&new.source, at.1, step, inner.1);
            if !is_apart {
                return None;
            }
            inner = *at;
        }
        old.source.judge.take_replaced();
        let both = |at: (&str, &str), values: &[Value]| -> Option<Vec<bool>> {
            let one = judge::accepted(&old.source, at.0, values, None).ok()?;
            let other = judge::accepted(&new.source, at.1, values, None).ok()?;
            Some(
                one.into_iter()
                    .zip(other)
                    .map(|(one, other)| one && other)
                    .collect(),
            )
        };
        let examples = |maker: &Maker<'_>, at: &str| maker.examples(at).into_iter().take(INNER);
        let values: Vec<Value> = examples(old, spot.at.0)
            .chain(examples(new, spot.at.1))
            .collect();
        let accepted = both(spot.at, &values)?;
        let neutral = values
            .into_iter()
            .zip(accepted)
            .find(|(_, accepted)| *accepted)?
            .0;
        for is_new in [false, true] {
            let Some(whole) = self.around_all(is_new, around, spot, &neutral) else {
                continue;
            };
            if both(root, std::slice::from_ref(&whole))? == [true] {
                let is_documented = self.documents(root, spot.sender, &[&whole], &[]) == [true];
                return Some(Frame {
                    is_new,
                    is_documented,
                    stands_in: old.source.judge.take_replaced(),
                });
            }
        }
        None
    }

    fn around_all(
        &self,
        is_new: bool,
        around: &[Around<'_>],
        spot: Spot<'_>,
        inner: &Value,
    ) -> Option<Value> {
        let (old, new) = self.makers(spot.sender);
        around
            .iter()
            .try_fold(inner.clone(), |value, Around { at, step, .. }| {
                let (maker, at) = if is_new { (new, at.1) } else { (old, at.0) };
                embed::around_first(maker, at, step, &value)
            })
    }
}

/// Whether the schema at `at` has the one at `inner` where `step` leads, and looks at each of its members and items alone.
fn leads_apart(source: &Source<'_>, at: &str, step: &Step, inner: &str) -> bool {
    let Some((at, schema)) = resolved(source, at) else {
        return false;
    };
    let below = match step {
        Step::Member(name) => pointer::join(&pointer::join(&at, "properties"), name),
        Step::Items => pointer::join(&at, "items"),
        _ => return false,
    };
    let is_apart =
        |keyword: &String| APART.contains(&keyword.as_str()) || keyword.starts_with("x-");
    let target = resolved(source, &below);
    schema.keys().all(is_apart)
        && (below == inner || target.is_some_and(|(target, _)| target == inner))
}

/// The schema at `at`, or the one that it only refers to.
fn resolved<'a>(source: &Source<'a>, at: &str) -> Option<(String, &'a Map<String, Value>)> {
    let mut at = at.to_owned();
    for _ in 0..CHAIN {
        let schema = source.schemas.object(&at)?;
        let Some(Value::String(reference)) = schema.get("$ref") else {
            return Some((at, schema));
        };
        if schema.len() > 1 {
            return None;
        }
        at = source.schemas.target("$ref", reference)?;
    }
    None
}

//! `x-replay`: how the request that gets an answer differs from a successful one.

use serde_json::Value;

use super::collect::Sample;
use crate::case::serialize::{self, kind};
use crate::case::{Body, Case, PathValue};
use crate::document::Document;
use crate::finding::RecipeProblem;

/// The recipe of an answer's sample, where it has one.
pub(super) fn of<'a>(document: &'a Document, sample: &Sample) -> Option<&'a Value> {
    document
        .at(&sample.at)?
        .get("x-replay")
        .filter(|_| sample.name.is_some())
}

/// Changes a case as the recipe says.
///
/// # Errors
/// The fault of the recipe.
pub(super) fn apply(
    recipe: &Value,
    case: &mut Case,
    media_type: Option<&str>,
) -> Result<(), RecipeProblem> {
    let Value::Object(members) = recipe else {
        return Err(RecipeProblem::NotAnObject {
            found: kind(recipe),
        });
    };
    for (member, value) in members {
        match (member.as_str(), value) {
            ("from", Value::String(_)) => {}
            ("method", Value::String(method)) => case.method = method.to_uppercase(),
            ("path", Value::Object(values)) => values
                .iter()
                .for_each(|(name, value)| set_path(case, name, value)),
            ("query", Value::Object(values)) => values
                .iter()
                .for_each(|(name, value)| set_query(case, name, value)),
            ("headers", Value::Object(values)) => {
                let header = |(name, value): (&String, &Value)| {
                    (
                        name.clone(),
                        (!value.is_null()).then(|| serialize::text(value)),
                    )
                };
                case.overrides.extend(values.iter().map(header));
            }
            ("body", value) => set_body(case, value, media_type),
            ("from" | "method" | "path" | "query" | "headers", value) => {
                return Err(RecipeProblem::WrongType {
                    member: member.clone(),
                    found: kind(value),
                });
            }
            _ => {
                return Err(RecipeProblem::UnknownMember {
                    member: member.clone(),
                });
            }
        }
    }
    Ok(())
}

fn set_path(case: &mut Case, name: &str, value: &Value) {
    let literal = Some(serialize::encode(&serialize::text(value)));
    let known = case.path.iter_mut().find(|known| known.name == name);
    let set = PathValue {
        name: name.to_owned(),
        documented: Some(value.clone()),
        literal,
        create: false,
    };
    // A shared answer may name parameters that this operation does not have.
    if let Some(known) = known {
        *known = set;
    }
}

fn set_query(case: &mut Case, name: &str, value: &Value) {
    let deep = format!("{name}[");
    case.query
        .retain(|(known, _)| known != name && !known.starts_with(&deep));
    case.inputs.retain(|(known, _)| known != name);
    let items = match value {
        Value::Null => return,
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let pair = |item: &Value| (name.to_owned(), serialize::encode(&serialize::text(item)));
    case.query.extend(items.iter().map(pair));
    case.inputs.push((name.to_owned(), value.clone()));
}

fn set_body(case: &mut Case, value: &Value, media_type: Option<&str>) {
    let before = case.body.take().and_then(|body| body.content_type);
    let content_type = before
        .or_else(|| media_type.map(str::to_owned))
        .unwrap_or_else(|| "application/json".to_owned());
    let (bytes, value) = match value {
        Value::String(raw) => (raw.clone().into_bytes(), None),
        other => (other.to_string().into_bytes(), Some(other.clone())),
    };
    case.body = Some(Body {
        content_type: Some(content_type),
        bytes,
        value,
    });
}

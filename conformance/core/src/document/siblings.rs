//! Members beside a reference that is not one of a schema.
//!
//! Those of a path item are merged with the path item that it refers to; where both have a member, the specification leaves open
//! which counts, and here the nearer one does. From 3.1 on, `description` and `summary` beside a reference override those of what
//! it refers to. A copy takes the place of the reference, and its nodes keep their positions.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value};

use super::error::Problem;
use super::object::{Kind, Shape, member};
use super::origin::{Moves, file_of};
use super::position::Position;
use super::walk::{Path, count, reference};
use super::{REPEAT_LIMIT, Version, pointer};

/// How many references in a row are followed.
const CHAIN: usize = 20;

/// A reference with members beside it.
struct Sibling {
    at: String,
    kind: Kind,
    /// The targets that it is in a copy of.
    inside: Vec<String>,
}

/// Merges the members beside references, and notes where the nodes of copies come from.
///
/// # Errors
/// When what is referred to would have to be repeated too often.
pub(super) fn merge(document: &mut Value, version: Version) -> Result<Moves, Problem> {
    let mut moves = Moves::default();
    let mut found = Found {
        document,
        version,
        siblings: VecDeque::new(),
        followed: HashSet::new(),
    };
    found.gather(document, "", Kind::Root, &[]);
    let Found {
        mut siblings,
        followed,
        ..
    } = found;
    if siblings.is_empty() {
        return Ok(moves);
    }
    // Copies are made of what the files say, and merged in their turn.
    let original = document.clone();
    let mut repeated = 0;
    let mut found = Found {
        document: &original,
        version,
        siblings: VecDeque::new(),
        followed,
    };
    while let Some(sibling) = siblings.pop_front() {
        let Some(Value::Object(own)) = pointer::find(document, &sibling.at) else {
            continue;
        };
        let Some((target, Value::Object(other))) = resolved(&original, own) else {
            continue;
        };
        if target == sibling.at || sibling.inside.contains(&target) {
            continue;
        }
        let merged = if sibling.kind == Kind::PathItem {
            path_item(&original, &sibling.at, own, &target, other, &mut moves)
        } else {
            described(&sibling.at, own, &target, other, &mut moves)
        };
        let Some(merged) = merged.map(Value::Object) else {
            continue;
        };
        repeated += count(&merged);
        if repeated > REPEAT_LIMIT {
            return Err(Problem::new(
                Position::START,
                "what references with members beside them refer to is repeated too often",
                "write references without other members beside them",
            ));
        }
        let mut inside = sibling.inside;
        inside.push(target);
        found.gather(&merged, &sibling.at, sibling.kind, &inside);
        siblings.append(&mut found.siblings);
        if let Some(place) = document.pointer_mut(&sibling.at) {
            *place = merged;
        }
    }
    Ok(moves)
}

/// The references with members beside them, while they are gathered.
struct Found<'d> {
    document: &'d Value,
    version: Version,
    siblings: VecDeque<Sibling>,
    /// Targets in other files, each of which is looked into once.
    followed: HashSet<String>,
}

impl Found<'_> {
    /// Gathers those of the object `value`, which is at `at`, and of what it refers to in other files.
    fn gather(&mut self, value: &Value, at: &str, kind: Kind, inside: &[String]) {
        let document = self.document;
        let mut open = Vec::new();
        self.below(value, at, kind, inside, &mut open);
        while let Some((at, kind)) = open.pop() {
            if let Some(value) = pointer::find(document, &at) {
                self.below(value, &at, kind, &[], &mut open);
            }
        }
    }

    fn below(
        &mut self,
        value: &Value,
        at: &str,
        kind: Kind,
        inside: &[String],
        open: &mut Vec<(String, Kind)>,
    ) {
        each(value, &Path::At(at), kind, &mut |path, kind, members| {
            let counts = |key: &String| match kind {
                Kind::PathItem => key != "$ref",
                _ => self.version > Version::V30 && (key == "description" || key == "summary"),
            };
            if members.keys().any(counts) {
                self.siblings.push_back(Sibling {
                    at: path.pointer(),
                    kind,
                    inside: inside.to_vec(),
                });
            }
            let reference = members.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(pointer::from_reference);
            if let Some(target) = target.filter(|at| file_of(at).is_some())
                && self.followed.insert(target.clone())
            {
                open.push((target, kind));
            }
        });
    }
}

/// Visits the references below `value` outside of schemas.
fn each(
    value: &Value,
    at: &Path<'_>,
    kind: Kind,
    visit: &mut impl FnMut(&Path<'_>, Kind, &Map<String, Value>),
) {
    let Value::Object(members) = value else {
        return;
    };
    if reference(members).is_some() {
        visit(at, kind, members);
        // A path item may have operations beside it.
        if kind != Kind::PathItem {
            return;
        }
    }
    for (key, value) in members {
        let (shape, inner) = match member(kind, key, value) {
            // A schema has its own rules for what stands beside a reference.
            None | Some((_, Kind::Schema)) => continue,
            Some(found) => found,
        };
        let here = Path::Key(at, key);
        match (shape, value) {
            (Shape::One, value) => each(value, &here, inner, visit),
            (Shape::List, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    each(item, &Path::Index(&here, index), inner, visit);
                }
            }
            (Shape::Map, Value::Object(map)) => {
                for (name, value) in map {
                    each(value, &Path::Key(&here, name), inner, visit);
                }
            }
            _ => {}
        }
    }
}

/// The target of an object's references.
fn resolved<'v>(document: &'v Value, own: &Map<String, Value>) -> Option<(String, &'v Value)> {
    let mut reference = own.get("$ref")?.as_str()?;
    for _ in 0..CHAIN {
        let at = pointer::from_reference(reference)?;
        let value = pointer::find(document, &at)?;
        match value.get("$ref").and_then(Value::as_str) {
            // A path item that has members beside its own reference is merged, and so is the copy of it.
            Some(next) if value.as_object().is_some_and(|all| all.len() == 1) => reference = next,
            _ => return Some((at, value)),
        }
    }
    None
}

fn path_item(
    document: &Value,
    at: &str,
    own: &Map<String, Value>,
    target: &str,
    other: &Map<String, Value>,
    moves: &mut Moves,
) -> Option<Map<String, Value>> {
    let mut merged = Map::new();
    for (key, value) in other {
        match (value, own.get(key)) {
            (Value::Array(shared), Some(Value::Array(nearer))) if key == "parameters" => {
                let here = pointer::join(at, key);
                let mut all = nearer.clone();
                for (index, one) in shared.iter().enumerate() {
                    let names = |other| parameter(document, other) == parameter(document, one);
                    if !nearer.iter().any(names) {
                        let there = pointer::index(&pointer::join(target, key), index);
                        moves.add(&pointer::index(&here, all.len()), &there);
                        all.push(one.clone());
                    }
                }
                merged.insert(key.clone(), Value::Array(all));
            }
            (_, Some(_)) if key != "$ref" => {}
            (value, _) => {
                moves.add(&pointer::join(at, key), &pointer::join(target, key));
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    for (key, value) in own {
        if key != "$ref" && !merged.contains_key(key) {
            merged.insert(key.clone(), value.clone());
        }
    }
    Some(merged)
}

/// The key of a parameter.
fn parameter<'v>(document: &'v Value, one: &'v Value) -> Option<(&'v str, &'v str)> {
    let target = one.as_object().and_then(|own| resolved(document, own));
    let one = target.map_or(one, |(_, target)| target);
    Some((one.get("in")?.as_str()?, one.get("name")?.as_str()?))
}

/// A copy of `other` with the texts of the reference; none where they are the same.
fn described(
    at: &str,
    own: &Map<String, Value>,
    target: &str,
    other: &Map<String, Value>,
    moves: &mut Moves,
) -> Option<Map<String, Value>> {
    let texts = ["summary", "description"];
    let overrides = |key: &&str| {
        own.get(*key)
            .is_some_and(|text| other.get(*key) != Some(text))
    };
    if !texts.iter().any(overrides) {
        return None;
    }
    let mut merged = other.clone();
    for (key, value) in own {
        if texts.contains(&key.as_str()) {
            merged.insert(key.clone(), value.clone());
        }
    }
    for key in other.keys().filter(|key| !own.contains_key(*key)) {
        moves.add(&pointer::join(at, key), &pointer::join(target, key));
    }
    Some(merged)
}

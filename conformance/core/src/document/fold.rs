//! Schemas of OpenAPI 3.0 as JSON Schema 2020-12.
//!
//! Done once, when a document is loaded, so that nothing else knows the dialect of 3.0. Only what means the same is rewritten:
//! `nullable`, boolean `exclusiveMinimum` and `exclusiveMaximum`, `example` and `x-examples`, `format: byte` and `binary`. Moved parts are
//! noted, so that findings point at their place in the file.
//!
//! # Decisions
//! - `nullable: true` adds `null` to the `type` beside it and changes nothing else, as 3.0.3 clarifies: an `enum` without null
//!   refuses null, and so does an `allOf` whose branches do. Without a `type` it has no effect, because nothing excludes null.
//! - With one exception: beside `$ref`, `allOf`, `anyOf` or `oneOf` and without a `type`, 3.0.3 says that `nullable` has no effect,
//!   yet authors mean "or null", and that is how it is read.
//! - Other members beside a `$ref` are ignored, as the Reference Object of 3.0 says, and are not in the model.
//!
//! They hold in every document and in both directions.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use serde_json::{Map, Value};

use super::object::{Kind, Shape, member};
use super::origin::{Moves, file_of};
use super::walk::{Path, Reference, each_reference, reference};
use super::{BUNDLED, pointer};

/// Keywords that document a schema: where null is added around it, they stay outside, where a reader of 2020-12 looks for them.
const OUTSIDE: [&str; 9] = [
    "title",
    "description",
    "default",
    "deprecated",
    "examples",
    "readOnly",
    "writeOnly",
    "externalDocs",
    "xml",
];

/// Folds the schemas of all files, of which `old` says by number whether they are of 3.0, and notes what moved.
pub(super) fn fold(document: &mut Value, old: &[bool]) -> Moves {
    let mut folding = Folding {
        moves: Moves::default(),
        open: Vec::new(),
        seen: HashSet::new(),
        wrapped: false,
        deep: false,
    };
    folding.below(document, &Path::Root, Kind::Root, old[0]);
    for (number, old) in old.iter().enumerate().skip(1) {
        // A whole document has components that nothing refers to.
        let at = format!("/{BUNDLED}/{number}");
        if let Some(file) = document
            .pointer_mut(&at)
            .filter(|file| file.get("openapi").is_some())
        {
            folding.below(file, &Path::At(&at), Kind::Root, *old);
        }
    }
    while let Some((at, kind)) = folding.open.pop() {
        let old = file_of(&at)
            .and_then(|(number, _)| old.get(number))
            .unwrap_or(&old[0]);
        if let Some(value) = document.pointer_mut(&at) {
            folding.below(value, &Path::At(&at), kind, *old);
        }
    }
    if folding.wrapped && folding.deep {
        follow_wrapped(document, &folding.moves);
    }
    folding.moves
}

struct Folding {
    moves: Moves,
    /// Objects in other files, or at places that no object of the document has, that references lead to.
    open: Vec<(String, Kind)>,
    seen: HashSet<String>,
    /// Whether a schema has null around it.
    wrapped: bool,
    /// Whether a reference leads into a component.
    deep: bool,
}

impl Folding {
    /// Folds the schemas at and below an object of a file; `old` is whether that is of 3.0. Recurses as deep as the document, which is
    /// limited.
    fn below(&mut self, value: &mut Value, at: &Path<'_>, kind: Kind, old: bool) {
        let Value::Object(members) = value else {
            return;
        };
        if let Some(reference) = reference(members) {
            self.follow(reference, kind);
        }
        let wrapped = kind == Kind::Schema && old && self.schema(members, at);
        if wrapped && let Some(inner) = members.get_mut("anyOf").and_then(|all| all.get_mut(0)) {
            // One step further in the model than in the file.
            let at = Path::Key(at, "anyOf");
            self.members(inner, &Path::Index(&at, 0), kind, old);
            return;
        }
        self.members(value, at, kind, old);
    }

    fn members(&mut self, value: &mut Value, at: &Path<'_>, kind: Kind, old: bool) {
        let Value::Object(members) = value else {
            return;
        };
        for (key, value) in members {
            let Some((shape, inner)) = member(kind, key, value) else {
                continue;
            };
            let at = Path::Key(at, key);
            match (shape, value) {
                (Shape::One, value) => self.below(value, &at, inner, old),
                (Shape::List, Value::Array(items)) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.below(item, &Path::Index(&at, index), inner, old);
                    }
                }
                (Shape::Map, Value::Object(map)) => {
                    for (name, value) in map {
                        self.below(value, &Path::Key(&at, name), inner, old);
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes where a reference leads, unless that is a component, which is folded anyway.
    fn follow(&mut self, reference: &str, kind: Kind) {
        let component = reference.strip_prefix("#/components/");
        if component.is_some_and(|rest| rest.split('/').count() == 2) {
            return;
        }
        self.deep = true;
        if let Some(target) = pointer::from_reference(reference)
            && self.seen.insert(target.clone())
        {
            self.open.push((target, kind));
        }
    }

    /// Folds one schema, not those below it. Returns whether null was added around it.
    fn schema(&mut self, members: &mut Map<String, Value>, at: &Path<'_>) -> bool {
        let mut nullable = false;
        let mut changes = false;
        for (key, value) in members.iter() {
            match key.as_str() {
                "nullable" => (nullable, changes) = (*value == Value::Bool(true), true),
                "$ref" => changes |= members.len() > 1,
                "example" | "x-examples" | "exclusiveMinimum" | "exclusiveMaximum" => {
                    changes = true;
                }
                "format" => changes |= value == "byte" || value == "binary",
                _ => {}
            }
        }
        if !changes {
            return false;
        }
        let at = &at.pointer();
        if members.get("$ref").is_some_and(Value::is_string) {
            members.retain(|key, _| key == "$ref");
        } else {
            self.examples(members, at);
            self.bounds(members, at);
            self.format(members, at);
            if members.get("nullable").is_some_and(Value::is_boolean) {
                members.shift_remove("nullable");
            }
        }
        nullable && self.or_null(members, at)
    }

    /// Renames a keyword in its place, so that findings keep the order of the document. No other keyword has the new name.
    fn rename(&mut self, members: &mut Map<String, Value>, at: &str, old: &str, new: &str) {
        if let Some(value) = members.get_mut(old).map(std::mem::take) {
            members.insert(new.to_owned(), value);
            // The last one comes where this was.
            members.swap_remove(old);
        }
        self.moves.rename(at, new, old);
    }

    /// `example` is a list of one; `x-examples`, which editors write, lists several.
    fn examples(&mut self, members: &mut Map<String, Value>, at: &str) {
        if members.contains_key("examples") {
            members.shift_remove("example");
        } else if members.get("x-examples").is_some_and(Value::is_array) {
            members.shift_remove("example");
            self.rename(members, at, "x-examples", "examples");
        } else if let Some(example) = members.get_mut("example") {
            *example = Value::Array(vec![std::mem::take(example)]);
            self.rename(members, at, "example", "examples");
            self.moves.rename(at, "examples/0", "example");
        }
    }

    fn bounds(&mut self, members: &mut Map<String, Value>, at: &str) {
        for (flag, bound) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            if let Some(Value::Bool(exclusive)) = members.get(flag) {
                let exclusive = *exclusive;
                members.shift_remove(flag);
                if exclusive && members.contains_key(bound) {
                    self.rename(members, at, bound, flag);
                }
            }
        }
    }

    fn format(&mut self, members: &mut Map<String, Value>, at: &str) {
        let (new, value) = match members.get("format").and_then(Value::as_str) {
            Some("byte") => ("contentEncoding", "base64"),
            Some("binary") => ("contentMediaType", "application/octet-stream"),
            _ => return,
        };
        if !members.contains_key(new) {
            members["format"] = Value::String(value.to_owned());
            self.rename(members, at, "format", new);
        }
    }

    /// Adds null to what a schema accepts. Returns whether that is around it.
    fn or_null(&mut self, members: &mut Map<String, Value>, at: &str) -> bool {
        let null = Value::String("null".to_owned());
        match members.get_mut("type") {
            Some(one @ Value::String(_)) => {
                if *one != null {
                    *one = Value::Array(vec![std::mem::take(one), null]);
                    self.moves.rename(at, "type/1", "nullable");
                }
                return false;
            }
            Some(Value::Array(types)) => {
                if !types.contains(&null) {
                    types.push(null);
                    let place = format!("type/{}", types.len() - 1);
                    self.moves.rename(at, &place, "nullable");
                }
                return false;
            }
            _ => {}
        }
        let constrains = ["$ref", "allOf", "anyOf", "oneOf"];
        if !constrains
            .iter()
            .any(|keyword| members.contains_key(*keyword))
        {
            return false;
        }
        let (outer, inner): (Vec<_>, Vec<_>) = std::mem::take(members)
            .into_iter()
            .partition(|(key, _)| OUTSIDE.contains(&key.as_str()));
        members.extend(outer);
        let null = Map::from_iter([("type".to_owned(), null)]);
        let branches = [inner.into_iter().collect(), null].map(Value::Object);
        members.insert("anyOf".to_owned(), Value::Array(branches.into()));
        self.wrapped = true;
        let before = self.moves.back(at.to_owned());
        for (new, old) in [("anyOf", ""), ("anyOf/0", ""), ("anyOf/1", "/nullable")] {
            let (new, old) = (format!("{at}/{new}"), format!("{before}{old}"));
            self.moves.add(&new, &old);
        }
        true
    }
}

/// Corrects the references into schemas that null was added around.
fn follow_wrapped(document: &mut Value, moves: &Moves) {
    let wrapped: HashMap<String, String> = moves
        .iter()
        .filter(|(new, _)| new.ends_with("/anyOf/0"))
        .map(|(new, old)| (old.to_owned(), new.to_owned()))
        .collect();
    let visited = each_reference(document, &mut |_, reference| {
        let reference = match reference {
            Reference::Ref(Value::String(reference)) | Reference::Mapping(reference) => reference,
            Reference::Ref(_) => return Ok::<(), Infallible>(()),
        };
        let Some(target) = pointer::from_reference(reference) else {
            return Ok(());
        };
        let mut known = pointer::parent(&target);
        while !known.is_empty() {
            let rest = &target[known.len()..];
            let outside = OUTSIDE.contains(&rest[1..].split('/').next().unwrap_or_default());
            if !outside && let Some(new) = wrapped.get(known) {
                *reference = pointer::to_reference(&format!("{new}{rest}"));
                break;
            }
            known = pointer::parent(known);
        }
        Ok(())
    });
    let Ok(()) = visited;
}

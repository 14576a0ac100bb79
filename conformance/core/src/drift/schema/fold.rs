//! Viewing a schema: references followed, equivalent spellings folded into one.
//!
//! The equivalences are exact.

use std::cell::{Cell, RefCell};

use foldhash::HashMap;
use serde_json::{Map, Value};

use super::super::equal::PROVENANCE;
use super::keyword;
use super::merge::{conjoin, merge};
use super::view::{Content, PROSE, Part, View, is_annotation};
use crate::document::{Document, pointer};

/// How many schemas are looked into for one view, its own branches apart: what makes views of hostile documents cheap.
const LOOKS: usize = 200;

/// How deep one view looks through references and branches; what is nested deeper is not folded away, and compared as it stands.
const CHAIN: usize = 12;

/// Keywords that look at the same value, so that they constrain null as well.
const IN_PLACE: [&str; 8] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
];

/// Keywords that reject no null, whatever they say: they look at values of another type.
const BLIND_TO_NULL: [&str; 22] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
];

/// Views the schema at `pointer` of `document`.
pub(super) fn view(document: &Document, pointer: &str, prose: bool) -> View {
    let viewer = Viewer {
        document,
        prose,
        looks: Cell::new(0),
        seen: RefCell::new(HashMap::default()),
    };
    viewer.expand(pointer, &mut Vec::new())
}

/// Views the schema at `pointer` with what its `allOf` say put in the place of these; none where that does not mean the same. Members that
/// two of them have are those of the first, where they are `same`.
pub(super) fn flat_view(
    document: &Document,
    pointer: &str,
    prose: bool,
    same: &dyn Fn(&str, &str) -> bool,
) -> Option<View> {
    let viewer = Viewer {
        document,
        prose,
        looks: Cell::new(0),
        seen: RefCell::new(HashMap::default()),
    };
    let mut view = viewer.expand(pointer, &mut Vec::new());
    for _ in 0..CHAIN {
        let branches = view.branches("allOf").to_vec();
        if branches.is_empty() {
            return Some(view);
        }
        view.parts.remove("allOf");
        for branch in branches {
            let chain = vec![pointer.to_owned()];
            if !viewer.may_look(&branch, &chain) {
                return None;
            }
            view = conjoin(view, viewer.expand(&branch, &mut chain.clone()), same)?;
        }
    }
    None
}

struct Viewer<'a> {
    document: &'a Document,
    prose: bool,
    looks: Cell<usize>,
    /// The views that were expanded for this one: a branch is looked into more than once.
    seen: RefCell<HashMap<String, View>>,
}

impl Viewer<'_> {
    /// `chain` holds the pointers that are being expanded.
    fn expand(&self, at: &str, chain: &mut Vec<String>) -> View {
        if let Some(seen) = self.seen.borrow().get(at) {
            return seen.clone();
        }
        if chain.len() > 1 {
            self.looks.set(self.looks.get() + 1);
        }
        let view = self.expand_new(at, chain);
        // The schema that is being viewed is not looked into again.
        if !chain.is_empty() {
            self.seen.borrow_mut().insert(at.to_owned(), view.clone());
        }
        view
    }

    fn expand_new(&self, at: &str, chain: &mut Vec<String>) -> View {
        let mut view = View {
            pointer: at.to_owned(),
            ..View::default()
        };
        match self.document.at(at) {
            Some(Value::Object(schema)) => {
                chain.push(at.to_owned());
                let view = self.object(at, schema, view, chain);
                chain.pop();
                view
            }
            Some(Value::Bool(accepts)) => {
                view.never = !accepts;
                view
            }
            // Where there is no schema, everything is accepted.
            None => view,
            other => {
                // Not a schema; kept as it is, so that both sides are still compared.
                let content = Content::Value(other.cloned().unwrap_or_default());
                view.parts
                    .insert("not-a-schema".to_owned(), Part::new(at.to_owned(), content));
                view
            }
        }
    }

    /// Whether the schema at `at` may be expanded inside of the chain.
    fn may_look(&self, at: &str, chain: &[String]) -> bool {
        chain.len() < CHAIN && self.looks.get() < LOOKS && !chain.iter().any(|open| open == at)
    }

    fn object(
        &self,
        at: &str,
        schema: &Map<String, Value>,
        mut view: View,
        chain: &mut Vec<String>,
    ) -> View {
        let found = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        // Documents are one resource, so the outermost anchor of a name is the only one.
        let dynamic = found("$dynamicRef")
            .filter(|reference| self.document.dynamic_target(reference).is_some());
        let reference = found("$ref").or(dynamic);
        for (keyword, value) in schema {
            keyword::add(
                self.document,
                self.prose,
                at,
                schema,
                keyword,
                value,
                &mut view,
            );
        }
        if let Some(reference) = reference {
            match self.document.target(reference) {
                None => {
                    view.unresolved.push(at.to_owned());
                    let content = Content::Value(Value::String(reference.to_owned()));
                    view.parts.insert(
                        "$ref".to_owned(),
                        Part::new(pointer::join(at, "$ref"), content),
                    );
                }
                Some(target) => {
                    if chain.len() == 1 && self.is_circle(at) {
                        view.unresolved.push(at.to_owned());
                    }
                    view = self.absorb(view, &target, pointer::join(at, "$ref"), chain);
                }
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            if let [only] = view.branches(keyword)
                && self.may_look(only, chain)
            {
                let only = only.clone();
                view = self.unwrap(view, keyword, &only, chain);
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            view = self.fold_null_branch(view, keyword, chain);
        }
        fold_null_type(&mut view);
        drop_binary_type(&mut view);
        drop_defaults(&mut view);
        self.drop_trivial(&mut view);
        view
    }

    /// Whether following references from `at` never ends.
    fn is_circle(&self, at: &str) -> bool {
        let mut seen = Vec::new();
        let mut at = at.to_owned();
        while seen.len() < CHAIN {
            let reference = self
                .document
                .at(&at)
                .and_then(|schema| schema.get("$ref"))
                .and_then(Value::as_str);
            let Some(target) = reference.and_then(|reference| self.document.target(reference))
            else {
                return false;
            };
            if target == at || seen.contains(&target) {
                return true;
            }
            seen.push(std::mem::replace(&mut at, target));
        }
        false
    }

    /// Whether the schema at `at` says nothing, itself or by those that it consists of.
    fn says_nothing(&self, at: &str, depth: usize) -> bool {
        let is_left_out =
            |key: &str| PROVENANCE.contains(&key) || (!self.prose && PROSE.contains(&key));
        match self.document.at(at) {
            Some(Value::Bool(accepts)) => *accepts,
            Some(Value::Object(members)) => members.iter().all(|(key, value)| match value {
                _ if is_left_out(key) => true,
                _ if depth == CHAIN => false,
                Value::String(reference) if key == "$ref" => {
                    let target = self.document.target(reference);
                    target.is_some_and(|target| self.says_nothing(&target, depth + 1))
                }
                Value::Array(branches) if key == "allOf" => {
                    let below = pointer::join(at, key);
                    let mut all = (0..branches.len()).map(|index| pointer::index(&below, index));
                    all.all(|branch| self.says_nothing(&branch, depth + 1))
                }
                _ => false,
            }),
            _ => false,
        }
    }

    /// Removes keywords that accept everything, unless a neighbor asks what they looked at.
    fn drop_trivial(&self, view: &mut View) {
        for (keyword, neighbor) in [
            ("additionalProperties", "unevaluatedProperties"),
            ("items", "unevaluatedItems"),
            ("propertyNames", "propertyNames"),
        ] {
            let asked = neighbor != keyword && view.parts.contains_key(neighbor);
            if let Some(Part {
                content: Content::One(at),
                ..
            }) = view.parts.get(keyword)
                && !asked
                && self.says_nothing(at, 0)
            {
                view.parts.remove(keyword);
            }
        }
    }

    /// Adds what `$ref: target` says to `view`.
    fn absorb(&self, mut view: View, target: &str, place: String, chain: &mut Vec<String>) -> View {
        if self.may_look(target, chain) {
            let inner = self.expand(target, chain);
            match merge(&view, inner) {
                Some(merged) => return merged,
                None => view.unresolved.dedup(),
            }
        }
        let part = view.parts.entry("allOf".to_owned());
        let part = part.or_insert_with(|| Part::new(place, Content::Branches(Vec::new())));
        if let Content::Branches(branches) = &mut part.content {
            branches.push(target.to_owned());
        }
        view
    }

    /// Puts the only branch of `keyword` in its place, if that means the same.
    fn unwrap(&self, view: View, keyword: &str, only: &str, chain: &mut Vec<String>) -> View {
        let mut outer = view.clone();
        outer.parts.remove(keyword);
        let inner = self.expand(only, chain);
        merge(&outer, inner).unwrap_or(view)
    }

    /// `anyOf: [X, {type: null}]` is X or null, when X does not accept null itself.
    fn fold_null_branch(&self, view: View, keyword: &str, chain: &mut Vec<String>) -> View {
        let branches = view.branches(keyword);
        let is_blind = |keyword: &str| BLIND_TO_NULL.contains(&keyword);
        if branches.len() < 2
            || view
                .parts
                .keys()
                .any(|other| other != keyword && !is_annotation(other) && !is_blind(other))
        {
            return view;
        }
        let (nulls, others): (Vec<_>, Vec<_>) = branches
            .iter()
            .cloned()
            .partition(|branch| self.is_null(branch, chain));
        if nulls.len() != 1 || others.is_empty() {
            return view;
        }
        let excluded = others.iter().all(|other| {
            self.may_look(other, chain) && self.excludes_null(&self.expand(other, chain), chain)
        });
        let mut outer = view.clone();
        if let ([only], true) = (others.as_slice(), self.may_look(&others[0], chain)) {
            let mut inner = self.expand(only, chain);
            // X may be "or null" itself: with anyOf that changes nothing, with oneOf null would match twice.
            if !(excluded || (keyword == "anyOf" && inner.or_null)) {
                return view;
            }
            outer.parts.remove(keyword);
            // What stands beside it rejects no null.
            inner.or_null = false;
            let Some(mut merged) = merge(&outer, inner) else {
                return view;
            };
            merged.pointer = view.pointer;
            merged.or_null = true;
            merged.null_at = nulls.into_iter().next();
            return merged;
        }
        if !excluded {
            return view;
        }
        outer.or_null = true;
        outer.null_at = nulls.into_iter().next();
        if let Some(part) = outer.parts.get_mut(keyword) {
            part.content = Content::Branches(others);
        }
        outer
    }

    /// Whether a schema says itself, or the one that it refers to, that a value is of another type than null.
    fn is_of_other_type(&self, at: &str) -> bool {
        let mut value = self.document.at(at);
        for _ in 0..CHAIN {
            match (
                value.and_then(|one| one.get("type")),
                value.and_then(|one| one.get("$ref")),
            ) {
                (Some(Value::String(name)), None) => return name != "null",
                (None, Some(Value::String(reference))) => {
                    let target = self.document.target(reference);
                    value = target.and_then(|target| self.document.at(&target));
                }
                _ => return false,
            }
        }
        false
    }

    fn is_null(&self, at: &str, chain: &mut Vec<String>) -> bool {
        if self.is_of_other_type(at) || !self.may_look(at, chain) {
            return false;
        }
        let view = self.expand(at, chain);
        let null = |keyword| {
            view.set(keyword).is_some_and(
                |values| matches!(values, [value] if value == "null" || value.is_null()),
            )
        };
        let constraints = view
            .parts
            .keys()
            .filter(|keyword| !is_annotation(keyword))
            .count();
        !view.never
            && !view.or_null
            && constraints == 1
            && (null("type") || view.set("enum").is_some_and(|v| matches!(v, [Value::Null])))
    }

    fn excludes_null(&self, view: &View, chain: &mut Vec<String>) -> bool {
        if view.or_null {
            return false;
        }
        let look = |branch: &String, chain: &mut Vec<String>| {
            self.may_look(branch, chain) && {
                chain.push(branch.clone());
                let inner = self.expand(branch, chain);
                let excludes = self.excludes_null(&inner, chain);
                chain.pop();
                excludes
            }
        };
        view.never
            || view
                .types()
                .is_some_and(|types| !types.iter().any(|name| name == "null"))
            || view
                .set("enum")
                .is_some_and(|values| !values.contains(&Value::Null))
            || view
                .branches("allOf")
                .iter()
                .any(|branch| look(branch, chain))
            || ["anyOf", "oneOf"].iter().any(|keyword| {
                let branches = view.branches(keyword);
                !branches.is_empty() && branches.iter().all(|branch| look(branch, chain))
            })
    }
}

/// `type: [string, null]` is a string or null, unless another keyword has a say in whether null is valid.
fn fold_null_type(view: &mut View) {
    let null_type = Value::String("null".to_owned());
    if let Some(types) = view.types() {
        let in_place = IN_PLACE
            .iter()
            .any(|keyword| view.parts.contains_key(*keyword));
        let enumerated = view.set("enum");
        let (excluded, only) = (
            enumerated.is_some_and(|values| !values.contains(&Value::Null)),
            enumerated.is_some_and(|values| values.len() == 1),
        );
        if types.len() > 1 && types.contains(&null_type) {
            view.null_in_enum = enumerated.map(|_| !excluded);
            if excluded {
                // Null is of an allowed type, but no allowed value.
                if let Some(part) = view.parts.get_mut("type") {
                    part.remove(&null_type);
                }
            } else if !in_place && !only {
                view.or_null = true;
            }
        }
    }
    // Of a schema or null the parts say what is valid besides null.
    if view.or_null {
        for (keyword, null) in [("type", &null_type), ("enum", &Value::Null)] {
            if let Some(part) = view.parts.get_mut(keyword)
                && matches!(&part.content, Content::Set(values) if values.len() > 1)
            {
                part.remove(null);
            }
        }
        // A schema that accepts everything accepts null already.
        let constrains = view.parts.keys().any(|keyword| !is_annotation(keyword));
        view.or_null = constrains;
    }
}

/// Removes the type of binary content, which has none in OpenAPI 3.1 and is a string in OpenAPI 3.0.
fn drop_binary_type(view: &mut View) {
    let has = |keyword: &str| view.parts.contains_key(keyword);
    let binary = has("contentMediaType") && !has("contentEncoding") && !has("contentSchema");
    if binary && matches!(view.types(), Some([only]) if only == "string") {
        view.parts.remove("type");
    }
}

/// Removes keywords that say what holds without them.
fn drop_defaults(view: &mut View) {
    view.parts.retain(|keyword, part| {
        let redundant = match (&part.content, keyword.as_str()) {
            (Content::Value(value), "minLength" | "minItems" | "minProperties") => {
                value.as_f64() == Some(0.0)
            }
            (Content::Value(value), "minContains") => value.as_f64() == Some(1.0),
            (
                Content::Value(Value::Bool(flag)),
                "uniqueItems" | "deprecated" | "readOnly" | "writeOnly",
            ) => !flag,
            (Content::Value(Value::Object(members)), "dependentRequired") => members.is_empty(),
            (Content::Value(Value::Array(values)), "examples") => values.is_empty(),
            (Content::Set(names), "required") => names.is_empty(),
            (Content::Named(members), "properties" | "patternProperties" | "dependentSchemas") => {
                members.is_empty()
            }
            _ => false,
        };
        !redundant
    });
}

//! Other values for one place: at the edges of what its schemas say, and beyond.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::case_name::{article, short};
use super::{Source, list, number, object, text};
use crate::case::serialize::kind;
use crate::document::pointer;

/// Whether the value should be valid where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Valid,
    Invalid,
    /// The validator says.
    Either,
    /// If it is valid, servers may still refuse it for good reasons.
    Open,
}

/// Another value for a place.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// The description that follows the name of the place: `one above its maximum`.
    pub(super) what: String,
    pub(super) value: Value,
    pub(super) expect: Expect,
}

impl Edge {
    pub(super) fn new(what: impl Into<String>, value: Value, expect: Expect) -> Self {
        Self {
            what: what.into(),
            value,
            expect,
        }
    }
}

/// The schemas that apply to the value of a place.
pub(super) struct Spot<'a> {
    /// The schemas of the place.
    pub(super) roots: &'a [String],
    /// All that may apply, by pointer.
    pub(super) all: Rc<Vec<String>>,
    /// Those of them that are objects.
    pub(super) schemas: Vec<&'a Map<String, Value>>,
}

impl Spot<'_> {
    /// The types that are named; none where any will do.
    pub(super) fn types(&self) -> Vec<&str> {
        let mut types = Vec::new();
        for schema in &self.schemas {
            match pointer::member(schema, "type") {
                Some(Value::String(name)) => types.push(name.as_str()),
                Some(Value::Array(names)) => types.extend(names.iter().filter_map(Value::as_str)),
                _ => {}
            }
        }
        types
    }

    /// Whether only whole numbers will do.
    pub(super) fn is_integer(&self) -> bool {
        let types = self.types();
        types.contains(&"integer") && !types.contains(&"number")
    }

    /// The values of a keyword.
    pub(super) fn each<'s>(&'s self, keyword: &'s str) -> impl Iterator<Item = &'s Value> {
        self.schemas
            .iter()
            .filter_map(move |schema| pointer::member(schema, keyword))
    }

    /// The numbers that a keyword counts to.
    pub(super) fn counts(&self, keyword: &str) -> Vec<u64> {
        let mut counts: Vec<u64> = self.each(keyword).filter_map(count).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }
}

/// A count, which may be written as `3.0`.
fn count(value: &Value) -> Option<u64> {
    let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
    let small = (0.0..=9e15).contains(&float);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and in range"
    )]
    let whole = small.then_some(float as u64);
    value.as_u64().or(whole)
}

impl Source<'_> {
    /// Returns the schemas that apply to the value at a place.
    pub(super) fn spot<'s>(&'s self, roots: &'s [String]) -> Spot<'s> {
        let subschemas = self.schemas.subschemas();
        let all = self.schemas.in_place(roots);
        let schemas = all.iter().filter_map(|at| subschemas.object(at)).collect();
        Spot {
            roots,
            all,
            schemas,
        }
    }

    /// Other values for the place of `value`.
    pub(super) fn edges(&self, spot: &Spot<'_>, value: &Value) -> Vec<Edge> {
        let mut edges = Vec::new();
        self.listed(spot, value, &mut edges);
        match value {
            Value::Number(_) => number::edges(spot, value, &mut edges),
            Value::String(text) => text::edges(spot, text, &mut edges),
            Value::Array(items) => list::edges(self, spot, items, &mut edges),
            Value::Object(members) => object::edges(self, spot, members, &mut edges),
            Value::Null | Value::Bool(_) => {}
        }
        self.alternatives(spot, &mut edges);
        other_types(value, &mut edges);
        edges
    }

    /// The values that are listed, and others.
    fn listed(&self, spot: &Spot<'_>, value: &Value, edges: &mut Vec<Edge>) {
        for list in spot.each("enum").filter_map(Value::as_array) {
            for one in list.iter().take(100) {
                let what = format!("is {}", short(&one.to_string()));
                edges.push(Edge::new(what, one.clone(), Expect::Valid));
            }
            let outside = match value {
                Value::Number(_) => json!(-987_654_321),
                _ => json!("conformance-none-of-these"),
            };
            edges.push(Edge::new("outside its enum", outside, Expect::Invalid));
            let texts = || list.iter().filter_map(Value::as_str);
            for other in texts().take(3) {
                let swapped = swapped_case(other);
                let what = format!(
                    "is {}, in another case than its enum",
                    short(&json!(swapped).to_string())
                );
                edges.push(Edge::new(what, json!(swapped), Expect::Invalid));
                let longer = json!(format!("{other}x"));
                let what = format!("is {}, outside its enum", short(&longer.to_string()));
                edges.push(Edge::new(what, longer, Expect::Invalid));
            }
        }
        for constant in spot.each("const") {
            let outside = match constant {
                Value::Number(_) => number::shifted(constant, 1),
                Value::Bool(value) => Some(json!(!value)),
                _ => Some(json!("conformance-another")),
            };
            edges.extend(outside.map(|one| Edge::new("is not its constant", one, Expect::Invalid)));
            edges.push(Edge::new(
                "is its constant",
                constant.clone(),
                Expect::Valid,
            ));
        }
        for excluded in spot.all.iter() {
            let at = format!("{excluded}/not");
            if self.document.at(&at).is_some() {
                for one in self.examples(&at).iter().take(2) {
                    let what = "is what its schema excludes by `not`";
                    edges.push(Edge::new(what, one.clone(), Expect::Invalid));
                }
            }
        }
        if value.is_boolean() {
            edges.push(Edge::new("is true", json!(true), Expect::Either));
            edges.push(Edge::new("is false", json!(false), Expect::Either));
        }
    }

    /// A value of each alternative.
    fn alternatives(&self, spot: &Spot<'_>, edges: &mut Vec<Edge>) {
        let subschemas = self.schemas.subschemas();
        for keyword in ["oneOf", "anyOf"] {
            let all = spot.all.iter().flat_map(|at| subschemas.applied(at));
            let branches = all.filter(|(by, _)| *by == keyword).map(|(_, at)| at);
            for (index, branch) in branches.enumerate().take(30) {
                // The schema beside the alternatives counts too, so a value of the whole that the branch accepts is best.
                let whole = spot.roots.first().map(|root| self.examples(root));
                let known = whole.iter().flat_map(|values| values.iter());
                let own = self.examples(&branch);
                let fits = known.filter(|value| self.accepts(&branch, value));
                let mut fits = fits.chain(own.iter());
                if let Some(value) = fits.next() {
                    let what = format!("as alternative {} of `{keyword}`", index + 1);
                    edges.push(Edge::new(what, value.clone(), Expect::Either));
                }
            }
        }
        if let Some(root) = spot
            .roots
            .first()
            .filter(|_| spot.each("if").next().is_some())
        {
            for value in self.examples(root).iter().take(4) {
                let what = "under another condition";
                edges.push(Edge::new(what, value.clone(), Expect::Valid));
            }
        }
    }
}

/// Values of other types, and of the same type in quotes.
fn other_types(value: &Value, edges: &mut Vec<Edge>) {
    let own = kind(value);
    for wrong in [
        json!(null),
        json!(true),
        json!(7),
        json!("text"),
        json!([]),
        json!({}),
    ] {
        if kind(&wrong) != own {
            let what = match &wrong {
                Value::Null => "is null".to_owned(),
                wrong => format!("is {}, not {}", article(kind(wrong)), article(own)),
            };
            // Of other types that are valid nothing is known.
            edges.push(Edge::new(what, wrong, Expect::Either));
        }
    }
    if value.is_number() || value.is_boolean() {
        let what = format!("is {} in quotes", article(own));
        edges.push(Edge::new(what, json!(value.to_string()), Expect::Invalid));
    }
    if !value.is_array() {
        let what = format!("is a list with {}", article(own));
        edges.push(Edge::new(what, json!([value]), Expect::Invalid));
    }
}

/// Upper case for lower case, and the reverse.
fn swapped_case(text: &str) -> String {
    let upper = text.to_uppercase();
    match upper == text {
        true => text.to_lowercase(),
        false => upper,
    }
}

//! One Schema Object as the comparison sees it: a shallow view, in which schemas inside of it stand as pointers.

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) use super::super::equal::SCHEMA_PROSE as PROSE;
use super::super::equal::identity_without_provenance;
use crate::document::{Decimal, Literal, pointer};

/// Keywords, besides prose and extensions, that say nothing about which values are valid.
const ANNOTATIONS: [&str; 7] = [
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "example",
    "examples",
    "xml",
];

/// A schema in its one spelling.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The pointer that the schema is known by: that of the target where it only refers.
    pub(super) pointer: String,
    /// Whether null is valid besides what `parts` say; then `parts` do not accept it.
    pub(super) or_null: bool,
    /// Whether an `enum` beside a type that allows null has null.
    pub(super) null_in_enum: Option<bool>,
    /// Where it is said that null is valid, if it is.
    pub(super) null_at: Option<String>,
    /// Whether this is the schema `false`.
    pub(super) never: bool,
    /// The schemas whose `required` was gathered.
    pub(super) required_in: Vec<String>,
    /// Whether `additionalProperties` is `false`.
    pub(super) closed: bool,
    /// The keywords that say something.
    pub(super) parts: BTreeMap<String, Part>,
    /// Where the discriminator leads, by its values: pointers, or texts that lead nowhere.
    pub(super) mapping: BTreeMap<String, String>,
    /// Schemas whose references lead nowhere.
    pub(super) unresolved: Vec<String>,
}

/// Numbers with all their digits, by their pointers in a value.
pub(super) type Exact = Vec<(String, Decimal)>;

/// A keyword.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Where the keyword stands.
    pub(super) pointer: String,
    /// The content.
    pub(super) content: Content,
    /// The numbers that a value or the values of a set do not hold exactly, by their pointers in it or in the list of them.
    exact: Exact,
}

impl Part {
    pub(super) fn new(pointer: String, content: Content) -> Self {
        Self {
            pointer,
            content,
            exact: Vec::new(),
        }
    }

    /// A keyword with all digits of its numbers.
    pub(super) fn exactly(pointer: String, content: Content, exact: Exact) -> Self {
        Self {
            pointer,
            content,
            exact,
        }
    }

    /// Returns the value of a keyword that holds no schemas; a set as a list.
    pub(super) fn literal(&self) -> Option<Literal> {
        let value = match &self.content {
            Content::Value(value) => value.clone(),
            Content::Set(values) => Value::Array(values.clone()),
            Content::One(_) | Content::Named(_) | Content::Ordered(_) | Content::Branches(_) => {
                return None;
            }
        };
        Some(Literal::new(value, self.exact.clone()))
    }

    /// Whether the numbers of a value or of the values of a set are held exactly.
    pub(super) fn is_held(&self) -> bool {
        self.exact.is_empty()
    }

    /// Whether two keywords that hold no schemas have the same value.
    pub(super) fn says_what(&self, other: &Self) -> bool {
        let said = |part: &Self| part.literal().as_ref().map(identity_without_provenance);
        said(self) == said(other)
    }

    /// The values of a set.
    pub(super) fn literals(&self) -> Vec<Literal> {
        let Content::Set(values) = &self.content else {
            return Vec::new();
        };
        if self.exact.is_empty() {
            return values.iter().cloned().map(Literal::from).collect();
        }
        let whole = Literal::new(Value::Array(values.clone()), self.exact.clone());
        (0..values.len())
            .filter_map(|index| whole.part(&pointer::index("", index)))
            .collect()
    }

    /// Removes a value from a set.
    pub(super) fn remove(&mut self, value: &Value) {
        let left: Vec<Literal> = self.literals();
        let left = left.into_iter().filter(|one| one.value() != value);
        (self.content, self.exact) = Content::set(left);
    }
}

/// The content of a keyword; schemas are pointers.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A value.
    Value(Value),
    /// Values without order.
    Set(Vec<Value>),
    /// One schema.
    One(String),
    /// Schemas by name.
    Named(BTreeMap<String, String>),
    /// Schemas whose order counts.
    Ordered(Vec<String>),
    /// Schemas whose order does not count.
    Branches(Vec<String>),
}

impl Content {
    /// Values as a set, with the numbers that they do not hold exactly.
    pub(super) fn set(values: impl Iterator<Item = Literal>) -> (Self, Exact) {
        let mut exact = Exact::new();
        let mut all = Vec::new();
        for (index, literal) in values.enumerate() {
            let at = pointer::index("", index);
            let inside = literal.exact().iter();
            exact.extend(inside.map(|(known, exact)| (format!("{at}{known}"), exact.clone())));
            all.push(literal.value().clone());
        }
        (Self::Set(all), exact)
    }
}

impl View {
    /// The types without null; `None` when any is allowed.
    pub(super) fn types(&self) -> Option<&[Value]> {
        self.set("type")
    }

    /// The values of a keyword that is a set.
    pub(super) fn set(&self, keyword: &str) -> Option<&[Value]> {
        match &self.parts.get(keyword)?.content {
            Content::Set(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn branches(&self, keyword: &str) -> &[String] {
        match self.parts.get(keyword).map(|part| &part.content) {
            Some(Content::Branches(branches)) => branches,
            _ => &[],
        }
    }

    /// Whether it accepts everything.
    pub(super) fn is_trivial(&self) -> bool {
        self.parts.is_empty() && !self.never
    }
}

/// Whether `keyword` constrains no value.
pub(super) fn is_annotation(keyword: &str) -> bool {
    keyword.starts_with("x-") || ANNOTATIONS.contains(&keyword) || PROSE.contains(&keyword)
}

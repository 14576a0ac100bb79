//! One Schema Object as the comparison sees it: a shallow view, in which schemas inside of it stand as pointers.

use std::collections::BTreeMap;

use serde_json::Value;

/// Keywords that are written for readers.
pub(super) const PROSE: [&str; 5] = [
    "title",
    "description",
    "$comment",
    "externalDocs",
    "summary",
];

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

/// A keyword.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Where the keyword stands.
    pub(super) pointer: String,
    /// What it says.
    pub(super) content: Content,
}

/// What a keyword says; schemas are pointers.
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

//! Faults in a value: how it violates its schema, differs from the documented sample, or repeats something else, as data.

use serde::Serialize;
use serde_json::Value;

/// How a value violates a schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// JSON pointer into the value.
    pub at: String,
    /// The keyword that rejects it.
    pub keyword: String,
    /// How it does.
    pub broken: Broken,
}

/// How a keyword rejects a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Broken {
    /// A required member is missing.
    Missing {
        /// Its name.
        name: String,
    },
    /// A member is not allowed.
    Unexpected {
        /// Its name.
        name: String,
    },
    /// None of the alternatives matches, or more than one where only one may.
    Alternatives {
        /// Whether it is more than one.
        several: bool,
    },
    /// The value is another one than the keyword allows.
    Value {
        /// The value of the keyword; none where it holds schemas.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<Value>,
        /// The value that was found.
        found: Value,
    },
}

/// How the shape of a body differs from the documented sample.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ShapeDifference {
    /// A member of the sample is missing.
    Missing {
        /// Its name.
        name: String,
    },
    /// The sample does not have this member.
    Unexpected {
        /// Whether the schema declares it.
        declared: bool,
    },
    /// The values have different types.
    Type {
        /// The type in the body.
        found: &'static str,
        /// The type in the sample.
        documented: &'static str,
    },
}

/// Where a sample repeats a value from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "in", content = "name", rename_all = "kebab-case")]
pub enum Echoed {
    /// A member of the request body.
    Body(String),
    /// A query parameter.
    Query(String),
    /// A path parameter.
    Path(String),
}

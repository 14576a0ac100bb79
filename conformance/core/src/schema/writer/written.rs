//! A schema as the writer leaves it, with the way back from its parts to their places in the document.

use std::collections::HashMap;

use serde_json::Value;

use crate::document::pointer;

/// A schema as the validator takes it, and where its parts come from.
#[derive(Debug)]
pub struct Written {
    /// `{"$defs": {"0": .., "1": ..}, "$ref": "#/$defs/0"}`.
    pub schema: Value,
    /// The pointers of the definitions, by number.
    pub(super) definitions: Vec<String>,
    /// Patterns as they stand in the document, by their translation.
    pub(super) patterns: HashMap<String, String>,
    /// The numeric formats in the document, by the subschema that is written for each of them.
    pub(super) formats: HashMap<String, String>,
}

impl Written {
    /// The pointer in the document of what stands at `at` in the written schema.
    #[must_use]
    pub fn origin(&self, at: &str) -> String {
        let mut tokens = pointer::tokens(at);
        let definition = match (tokens.next().as_deref(), tokens.next()) {
            (Some("$defs"), Some(number)) => number.parse().ok(),
            _ => Some(0),
        };
        let definition = definition.and_then(|number: usize| self.definitions.get(number));
        let mut origin = definition.cloned().unwrap_or_default();
        for token in tokens {
            origin = pointer::join(&origin, self.patterns.get(&token).unwrap_or(&token));
            if let Some(format) = self.formats.get(&origin) {
                return format.clone();
            }
        }
        origin
    }

    /// Whether a pointer in the document is that of a numeric format.
    #[must_use]
    pub fn is_number_format(&self, at: &str) -> bool {
        self.formats.values().any(|format| format == at)
    }
}

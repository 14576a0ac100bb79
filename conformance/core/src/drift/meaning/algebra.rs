//! Set algebra over schemas: the only user of `jsonschema::canonical`, which is experimental and therefore pinned.
//!
//! Its `Yes` proves inclusion, as long as no value speaks against it; everything else proves nothing. Its differences are a source
//! of values worth trying.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonschema::Draft;
use jsonschema::canonical::{self, CanonicalSchema, Containment, Satisfiability};
use serde_json::Value;

use super::renamed::Names;
use crate::finding::Sender;

/// The relation of two sets of values.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Relation {
    /// Whether the new schema certainly accepts all that the old one accepts.
    pub(in super::super) old_in_new: bool,
    /// Whether the old schema certainly accepts all that the new one accepts.
    pub(in super::super) new_in_old: bool,
    /// The values that one side accepts and the other does not, as schemas.
    pub(in super::super) lost: Vec<Value>,
}

impl Relation {
    /// Whether the receiver certainly accepts all that is sent.
    pub(in super::super) fn is_safe(&self, sender: Sender) -> bool {
        match sender {
            Sender::Client => self.old_in_new,
            Sender::Server => self.new_in_old,
        }
    }
}

/// Relates two whole schemas. Knows nothing where the algebra does not model them.
pub(super) fn relate(old: &Value, new: &Value) -> Relation {
    // An experimental library on documents that nobody has seen: what it cannot do is no reason to stop.
    let decide = |old: &Value, new: &Value| {
        catch_unwind(AssertUnwindSafe(|| decide(old, new))).unwrap_or_default()
    };
    let Some(names) = Names::of([old, new]) else {
        return decide(old, new);
    };
    let mut relation = decide(&names.renamed(old), &names.renamed(new));
    for lost in &mut relation.lost {
        *lost = names.restored(lost);
    }
    relation
}

/// Whether a whole schema, as `whole` writes it, certainly accepts no value.
pub fn accepts_nothing(schema: &Value) -> bool {
    let decided = || canonical(schema).map(|schema| schema.satisfiability());
    let decided = catch_unwind(AssertUnwindSafe(decided)).unwrap_or_default();
    decided == Some(Satisfiability::No)
}

fn decide(old: &Value, new: &Value) -> Relation {
    let (Some(old), Some(new)) = (canonical(old), canonical(new)) else {
        return Relation::default();
    };
    let within = |outer: &CanonicalSchema, inner: &CanonicalSchema| {
        matches!(outer.covers(inner), Ok(Containment::Yes))
    };
    let mut relation = Relation {
        old_in_new: within(&new, &old),
        new_in_old: within(&old, &new),
        lost: Vec::new(),
    };
    for (one, other, empty) in [
        (&old, &new, relation.old_in_new),
        (&new, &old, relation.new_in_old),
    ] {
        if !empty && let Ok(lost) = one.subtract(other) {
            relation.lost.push(lost.to_json_schema());
        }
    }
    relation
}

fn canonical(schema: &Value) -> Option<CanonicalSchema> {
    let root = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
    let prepared = canonical::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .offline()
        .prepare(schema)
        .ok()?;
    prepared.canonicalize_at(root).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn related(old: Value, new: Value) -> (bool, bool) {
        let whole = |schema: Value| json!({"$defs": {"0": schema}, "$ref": "#/$defs/0"});
        let relation = relate(&whole(old), &whole(new));
        (relation.old_in_new, relation.new_in_old)
    }

    #[test]
    fn inclusion_is_proven_over_several_keywords() {
        for (old, new, expected) in [
            (
                json!({"type": "integer", "minimum": 1}),
                json!({"type": "integer", "exclusiveMinimum": 0}),
                (true, true),
            ),
            (
                json!({"anyOf": [{"const": "a"}, {"const": "b"}]}),
                json!({"enum": ["b", "a"]}),
                (true, true),
            ),
            (
                json!({"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "string"}}}]}),
                json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}),
                (true, true),
            ),
            (
                json!({"type": "string", "maxLength": 5}),
                json!({"type": "string"}),
                (true, false),
            ),
            (
                json!({"type": "array", "items": {"maxLength": 5}}),
                json!({"type": "array"}),
                (true, false),
            ),
            (
                json!({"items": {"properties": {"id": {"type": "integer"}}}}),
                json!({}),
                (true, false),
            ),
            (
                json!({"additionalProperties": {"maximum": 5}}),
                json!({"type": ["array", "object"]}),
                (false, false),
            ),
            (
                json!({"type": "object", "properties": {"next": {"$ref": "#/$defs/0"}}}),
                json!({"type": "object", "properties": {"next": {"$ref": "#/$defs/0"}}, "minProperties": 1}),
                // Recursion with another bound is beyond it.
                (false, false),
            ),
        ] {
            assert_eq!(related(old.clone(), new.clone()), expected, "{old} {new}");
        }
    }

    #[test]
    fn what_is_lost_is_a_schema() {
        let whole = |schema: Value| json!({"$defs": {"0": schema}, "$ref": "#/$defs/0"});
        let relation = relate(
            &whole(json!({"type": "string"})),
            &whole(json!({"type": "string", "maxLength": 50})),
        );
        assert_eq!(relation.lost[0]["minLength"], 51);
    }
}

//! Validators that share the schemas that they refer to: each is compiled once, however many others lead to it.
//!
//! Called by [`Schemas`](super::Schemas) to ask whether a value is valid; what is wrong with it is asked of a validator of the whole schema,
//! as errors do not show through the keyword that leads from one validator to another. Nothing is shared in a document with `unevaluated*`,
//! which depends on what schemas behind references looked at, with references that lead in a circle without looking into the value, or with a
//! schema that cannot be compiled.

use std::cell::{OnceCell, RefCell};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use jsonschema::{Keyword, ValidationError, ValidationOptions, Validator};
use serde_json::Value;

use super::Subschemas;
use super::direction::Unsent;
use super::validator::{self, REFERENCES};
use super::writer::{self, Definitions};

/// A validator, once it is compiled.
pub(super) type Slot = OnceLock<Validator>;

/// The slots of all definitions by number.
type Slots = Arc<Mutex<Vec<Arc<Slot>>>>;

/// The validators of a document for values of one sender.
pub(super) struct Shared<'d> {
    subschemas: Subschemas<'d>,
    unsent: Unsent<'d>,
    options: OnceCell<ValidationOptions<'static>>,
    slots: Slots,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    definitions: Definitions,
    /// By number, the definitions that apply to the same value. As many as there are validators.
    same: Vec<Vec<usize>>,
    /// Whether something stands in the way of sharing; not known before something is asked for.
    is_over: Option<bool>,
}

/// Leads to another validator. The table of the document owns all of them, so that those of recursive schemas do not own each other.
struct Reference(Weak<Slot>);

impl Keyword<'_> for Reference {
    fn validate<'i>(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.is_valid(value) {
            true => Ok(()),
            false => Err(ValidationError::custom("not valid")),
        }
    }

    fn is_valid(&self, value: &Value) -> bool {
        let slot = self.0.upgrade();
        let slot = slot.expect("the table outlives its validators");
        let validator = slot.get().expect("all are compiled before one is used");
        validator.is_valid(value)
    }
}

impl<'d> Shared<'d> {
    /// For the schemas of a document; compiles nothing yet.
    pub(super) fn new(subschemas: Subschemas<'d>, unsent: Unsent<'d>) -> Self {
        Self {
            subschemas,
            unsent,
            options: OnceCell::new(),
            slots: Slots::default(),
            state: RefCell::default(),
        }
    }

    fn options(&self) -> &ValidationOptions<'static> {
        self.options.get_or_init(|| {
            let mut options = validator::options();
            for keyword in REFERENCES {
                let slots = Arc::clone(&self.slots);
                options = options.with_keyword(keyword, move |_, number, _| {
                    let number = number.as_u64().and_then(|one| usize::try_from(one).ok());
                    let slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
                    let slot = number.and_then(|number| slots.get(number));
                    let slot = slot.map(Arc::downgrade).unwrap_or_default();
                    Ok(Box::new(Reference(slot)))
                });
            }
            options
        })
    }

    /// The validator of the schema at `at`; none where it cannot be had from here.
    pub(super) fn compiled(&self, at: &str) -> Option<Arc<Slot>> {
        let mut state = self.state.borrow_mut();
        let root = self.subschemas.root();
        let is_over = *state
            .is_over
            .get_or_insert_with(|| looks_at_evaluated(root));
        if is_over || self.subschemas.at(at).is_none() {
            return None;
        }
        let number = state.definitions.number(self.subschemas, at);
        let known = state.same.len();
        while state.same.len() < state.definitions.len() {
            if self.compile(&mut state).is_none() {
                state.is_over = Some(true);
                return None;
            }
        }
        if state.same.len() > known && is_circular(&state.same, number) {
            state.is_over = Some(true);
            return None;
        }
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(number).cloned()
    }

    /// Whether nothing stands in the way so far.
    pub(super) fn is_possible(&self) -> bool {
        self.state.borrow().is_over == Some(false)
    }

    /// Compiles the next definition.
    fn compile(&self, state: &mut State) -> Option<()> {
        let number = state.same.len();
        let definitions = &mut state.definitions;
        let part = writer::write_part(self.subschemas, &self.unsent, definitions, number).ok()?;
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.resize_with(state.definitions.len(), Arc::default);
            Arc::clone(&slots[number])
        };
        let validator = validator::build_held(self.options(), part.schema).ok()?;
        slot.get_or_init(|| validator);
        state.same.push(part.same);
        Some(())
    }
}

/// Whether a schema somewhere in a document asks which members or items other schemas looked at.
fn looks_at_evaluated(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| {
            name == "unevaluatedProperties"
                || name == "unevaluatedItems"
                || looks_at_evaluated(member)
        }),
        Value::Array(items) => items.iter().any(looks_at_evaluated),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether definitions that `start` leads to apply to the same value in a circle.
fn is_circular(same: &[Vec<usize>], start: usize) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    // All of them, as definitions that describe parts of the value are not in the lists.
    let mut seen = vec![Seen::No; same.len()];
    for first in std::iter::once(start).chain(0..same.len()) {
        let mut open = vec![(first, 0)];
        while let Some((number, next)) = open.pop() {
            if next == 0 {
                match seen[number] {
                    Seen::Done => continue,
                    Seen::Open => return true,
                    Seen::No => seen[number] = Seen::Open,
                }
            }
            match same[number].get(next) {
                Some(below) => {
                    open.push((number, next + 1));
                    open.push((*below, 0));
                }
                None => seen[number] = Seen::Done,
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shared(root: &Value) -> Shared<'_> {
        let subschemas = Subschemas::alone(root);
        Shared::new(subschemas, Unsent::new(subschemas, None))
    }

    fn accepts(root: &Value, at: &str, value: &Value) -> Option<bool> {
        let shared = shared(root);
        let slot = shared.compiled(at)?;
        let accepted = slot.get()?.is_valid(value);
        Some(accepted)
    }

    #[test]
    fn a_schema_is_compiled_once_and_recursion_goes_as_deep_as_the_value() {
        let root = json!({
            "$ref": "#/$defs/tree",
            "$defs": {
                "tree": {"type": "object", "required": ["name"], "properties": {
                    "name": {"$ref": "#/$defs/name"},
                    "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
                    "not": {"not": {"$ref": "#/$defs/name"}},
                }},
                "name": {"type": "string", "minLength": 2},
            },
        });
        let shared = shared(&root);
        let whole = shared.compiled("").expect("compiles");
        let name = shared.compiled("/$defs/name").expect("compiles");
        // The name twice: below `not` nothing is left out of what is required.
        assert_eq!(shared.state.borrow().same.len(), 4);
        let whole = |value: Value| whole.get().expect("is compiled").is_valid(&value);
        assert!(whole(
            json!({"name": "ab", "next": {"name": "cd", "next": null}})
        ));
        assert!(!whole(json!({"name": "ab", "next": {"name": "c"}})));
        assert!(!whole(json!({"name": "ab", "not": "cd"})));
        assert!(whole(json!({"name": "ab", "not": "c"})));
        assert!(!name.get().expect("is compiled").is_valid(&json!("a")));
    }

    #[test]
    fn what_cannot_be_shared_is_not() {
        let circle = json!({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}});
        let unevaluated =
            json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false});
        let broken = json!({"properties": {"a": {"pattern": "("}}});
        for (root, at) in [(&circle, "/$defs/a"), (&unevaluated, ""), (&broken, "")] {
            assert_eq!(accepts(root, at, &json!(1)), None, "{root}");
        }
        let through_the_value =
            json!({"$defs": {"a": {"items": {"allOf": [{"$ref": "#/$defs/a"}]}, "type": "array"}}});
        let deep = json!([[[]]]);
        assert_eq!(accepts(&through_the_value, "/$defs/a", &deep), Some(true));
    }
}

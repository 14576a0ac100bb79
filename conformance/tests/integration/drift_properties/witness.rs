//! The requirements on a witness: a value that one side accepts and the other rejects, and that for what its finding names.

use conformance::document::Literal;
use conformance::finding::{Finding, Impact, Keyword, Proof, SchemaChange, Severity, Side};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::change::{Case, What};
use super::model::{Api, Id, Slot};
use super::told::{Compared, change};

use crate::drift_support::held::validator;

/// The plain validators of a case, by slot.
pub(crate) struct Judge<'a> {
    case: &'a Case,
    new: Api,
    compared: &'a Compared,
    slots: Vec<(Slot, Validator, Validator)>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(case: &'a Case, new: Api, compared: &'a Compared) -> Self {
        let slots = case.old.uses.iter().map(|(slot, _)| {
            let of = |document: &Value| {
                validator(document, &case.old.pointer(*slot), slot.is_sent_by_server())
            };
            (*slot, of(&compared.old.value), of(&compared.new.value))
        });
        let slots = slots.collect();
        Self {
            case,
            new,
            compared,
            slots,
        }
    }

    /// Holds a finding to its witness, and says whether there was something to hold: a member, and what changed of it.
    ///
    /// # Errors
    ///
    /// Returns the problem with the witness.
    pub(crate) fn judge(&self, found: &Finding) -> Result<bool, String> {
        let Some(witness) = &found.witness else {
            return Ok(false);
        };
        let proof = found.proof.as_ref().ok_or("a witness without a proof")?;
        let slots = self.slots.iter().filter(|(slot, old, new)| {
            let accepted = (old.is_valid(witness), new.is_valid(witness));
            let claimed = (
                proof.accepted_by == Side::Old,
                proof.accepted_by == Side::New,
            );
            slot.part() == proof.part && accepted == claimed
        });
        let slots: Vec<Slot> = slots.map(|(slot, ..)| *slot).collect();
        if slots.is_empty() {
            return Err(format!(
                "{witness} is not accepted by {:?} alone",
                proof.accepted_by
            ));
        }
        if found.severity != Severity::Breaking {
            return Ok(false);
        }
        // A value that the server no longer sends is one that only the old document accepts.
        let impact = found.effect.map(|effect| effect.impact);
        let harms = |slot: &&Slot| {
            slot.is_sent_by_server() == (proof.accepted_by == Side::New)
                || slot.is_sent_by_server()
                    && matches!(impact, Some(Impact::Withdrawn | Impact::Emptied))
        };
        let slot = slots
            .iter()
            .find(harms)
            .ok_or_else(|| format!("nobody who may send {witness} sends it"))?;
        let shown = self.shows(found, proof, *slot, witness);
        shown.map_err(|fault| format!("{witness}: {fault}"))
    }

    fn shows(
        &self,
        found: &Finding,
        proof: &Proof,
        slot: Slot,
        witness: &Value,
    ) -> Result<bool, String> {
        let at = &proof.at;
        let parent = at.rsplit_once('/').map_or("", |(parent, _)| parent);
        if witness.pointer(at).is_none() && witness.pointer(parent).is_none() {
            return Err(format!("it has nothing at {at}"));
        }
        let (Some(change), Some(member)) = (change(found), self.member(found)) else {
            return Ok(false);
        };
        let name = &self.case.names[member];
        let (accepting, refusing) = match proof.accepted_by {
            Side::Old => (&self.case.old, Side::New),
            Side::New => (&self.new, Side::Old),
        };
        let owner = self.owner(member).ok_or("the member is unknown")?;
        let (_, root) = accepting
            .uses
            .iter()
            .find(|(one, _)| *one == slot)
            .ok_or("the slot is unknown")?;
        let owners = accepting.instances(root, owner, &self.case.names, witness);
        let lacks = || owners.iter().any(|owner| owner.get(name).is_none());
        let contains = || owners.iter().any(|owner| owner.get(name).is_some());
        let mut within = Vec::new();
        for owner in &owners {
            owner
                .get(name)
                .into_iter()
                .for_each(|value| collect(value, &mut within));
        }
        let has = |values: &[Literal], within: &[&Value]| {
            let mut values = values.iter();
            values.any(|one| within.contains(&one.value()))
        };
        let is_right = match change {
            // An open object takes any value under the name; who declares it only some.
            SchemaChange::PropertyAdded { required, .. } => {
                contains() || refusing == Side::New && *required && lacks()
            }
            SchemaChange::PropertyRemoved { required, .. } => {
                contains() || refusing == Side::Old && *required && lacks()
            }
            SchemaChange::RequiredAdded { .. } => refusing == Side::New && lacks(),
            SchemaChange::RequiredRemoved { .. } => refusing == Side::Old && lacks(),
            SchemaChange::ValuesAdded { values, .. } => {
                refusing == Side::Old && has(values, &within)
            }
            SchemaChange::ValuesRemoved { values, .. } => {
                refusing == Side::New && has(values, &within)
            }
            SchemaChange::NullAdded => {
                refusing == Side::Old && within.iter().any(|value| value.is_null())
            }
            SchemaChange::NullRemoved => {
                refusing == Side::New && within.iter().any(|value| value.is_null())
            }
            SchemaChange::TypeChanged { old, new } => {
                let (takes, refuses) = if refusing == Side::New {
                    (old, new)
                } else {
                    (new, old)
                };
                within
                    .iter()
                    .any(|value| is_of(value, takes) && !is_of(value, refuses))
            }
            // A member that must not be sent is not required.
            SchemaChange::KeywordAdded(told) if is_flag(&told.keyword) => match refusing {
                Side::New => contains(),
                Side::Old => lacks(),
            },
            SchemaChange::KeywordRemoved(told) if is_flag(&told.keyword) => match refusing {
                Side::Old => contains(),
                Side::New => lacks(),
            },
            SchemaChange::KeywordAdded(Keyword { keyword, value, .. }) => {
                refusing == Side::New
                    && self.refused(keyword, value.as_ref().map(Literal::value), &within)
            }
            SchemaChange::KeywordRemoved(Keyword { keyword, value, .. }) => {
                refusing == Side::Old
                    && self.refused(keyword, value.as_ref().map(Literal::value), &within)
            }
            SchemaChange::KeywordChanged { keyword, old, new } => {
                let value = if refusing == Side::New { new } else { old };
                self.refused(keyword, value.as_ref().map(Literal::value), &within)
            }
            _ => !within.is_empty(),
        };
        if is_right {
            Ok(true)
        } else {
            Err(format!(
                "it does not show {change:?} of {name:?}, which {refusing:?} refuses"
            ))
        }
    }

    /// Whether a keyword alone refuses one of the values.
    fn refused(&self, keyword: &str, value: Option<&Value>, within: &[&Value]) -> bool {
        let Some(value) = value else {
            return !within.is_empty();
        };
        // In 3.0 the two say together where the bound is.
        let bound =
            ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].contains(&keyword);
        if bound && self.case.old.is_3_0 {
            return !within.is_empty();
        }
        // The validator's patterns have no hyphen after a class.
        let value = match value.as_str() {
            Some(pattern) if keyword == "pattern" => &json!(pattern.replace("\\w-.", "\\w\\-.")),
            _ => value,
        };
        let alone = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&json!({keyword: value}));
        alone.is_ok_and(|alone| within.iter().any(|value| !alone.is_valid(value)))
    }

    /// The member that a finding is about.
    fn member(&self, found: &Finding) -> Option<Id> {
        let named = match change(found)? {
            SchemaChange::PropertyAdded { name, .. }
            | SchemaChange::PropertyRemoved { name, .. }
            | SchemaChange::RequiredAdded { name }
            | SchemaChange::RequiredRemoved { name } => Some(name),
            _ => None,
        };
        if let Some(name) = named {
            return self.case.names.iter().position(|one| one == name);
        }
        self.compared.places(found).iter().find_map(|place| {
            let id = place.strip_prefix("member ")?.split('/').next()?;
            id.parse().ok()
        })
    }

    /// The object that has a member, on either side.
    fn owner(&self, member: Id) -> Option<Id> {
        let added = self
            .case
            .changes
            .iter()
            .find_map(|change| match &change.what {
                What::Add { object, .. } if change.member == member => Some(*object),
                _ => None,
            });
        let of = |api: &Api| api.member(member).map(|(owner, _)| owner.id);
        added
            .or_else(|| of(&self.case.old))
            .or_else(|| of(&self.new))
    }
}

fn is_flag(keyword: &str) -> bool {
    ["readOnly", "writeOnly"].contains(&keyword)
}

fn collect<'v>(value: &'v Value, all: &mut Vec<&'v Value>) {
    all.push(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
        Value::Object(members) => members.values().for_each(|member| collect(member, all)),
        _ => {}
    }
}

fn is_of(value: &Value, types: &Option<Vec<String>>) -> bool {
    let Some(types) = types else {
        return true;
    };
    types.iter().any(|kind| match (kind.as_str(), value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => {
            number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    })
}

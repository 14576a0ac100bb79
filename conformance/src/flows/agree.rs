//! Whether responses agree on a thing: the response to a creation or an update with the read that follows it, and a list with that read.

use serde_json::Value;

use super::alike::{alike, is_empty, is_masked};
use super::create::Thing;
use super::driver::{Answer, Driver, Stopped};
use super::naming::{is_secret, is_version};
use super::view::State;
use crate::document::pointer;
use crate::finding::{FlowFault, Writing};
use crate::rule::flows as rules;
use crate::schema::Member;

/// A member that two responses show with different values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contradiction {
    pub(super) name: String,
    pub(super) one: Value,
    pub(super) other: Value,
}

impl Driver<'_> {
    /// Compares the response to a request that wrote a thing with the read that follows it. `sent` are the members that were written,
    /// `told` are pointers and names of members whose values were reported already.
    pub(super) async fn answered(
        &mut self,
        index: usize,
        thing: &Thing,
        (operation, by): (usize, Writing),
        answer: &Answer,
        read: &State,
        (sent, told): (&[String], &[String]),
    ) -> Result<(), Stopped> {
        // What was only accepted may be done at any time.
        if !answer.is_ok() || answer.status == 202 {
            return Ok(());
        }
        let Some(body) = &answer.body else {
            return Ok(());
        };
        let (value, schemas, is_own) = self.of_thing(index, operation, body, &thing.id);
        if !is_own {
            return Ok(());
        }
        let shown = State {
            value,
            schemas,
            operation,
            answer: answer.clone(),
        };
        let mut found = self.contradictions(index, &shown, read, sent);
        found.retain(|one| !told.contains(&one.name));
        if found.is_empty() {
            return Ok(());
        }
        // A member that changes with each read says nothing.
        let Some(again) = self.state(index, thing).await? else {
            return Ok(());
        };
        found.retain(|one| again.value.get(&one.name) == Some(&one.other));
        for Contradiction { name, one, other } in found {
            let fault = FlowFault::Answered {
                by,
                at: pointer::join("", &name),
                found: one,
                after: other,
            };
            self.note(rules::ANSWER_AS_READ, operation, fault, Some(answer));
        }
        Ok(())
    }

    /// The members that two responses show with different values, of those that clients write or that never change. Where one shows
    /// nothing, they differ only in members that were `sent`.
    pub(super) fn contradictions(
        &self,
        index: usize,
        one: &State,
        other: &State,
        sent: &[String],
    ) -> Vec<Contradiction> {
        let subschemas = self.session.judge.schemas.subschemas();
        let (all, of_other) = (
            subschemas.in_place(&one.schemas),
            subschemas.in_place(&other.schemas),
        );
        let is_declared = |name: &str| {
            [&all, &of_other]
                .into_iter()
                .all(|all| matches!(subschemas.member(all, name), Member::Declared(_)))
        };
        let is_kept = self.kept(index);
        let members = one.value.as_object().into_iter().flatten();
        let pairs = members.filter_map(|(name, value)| {
            let found = other.value.get(name)?;
            let is_lost = value.is_null() && !is_empty(found) && sent.contains(name);
            (is_lost || contradict(value, found)).then(|| Contradiction {
                name: name.clone(),
                one: value.clone(),
                other: found.clone(),
            })
        });
        pairs
            .filter(|one| {
                is_kept(&one.name)
                    && is_declared(&one.name)
                    && !is_secret(&one.name)
                    && !is_version(&one.name)
            })
            .collect()
    }
}

/// Whether two values cannot be the same, whatever servers leave out or show in another form.
fn contradict(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .filter_map(|(name, value)| Some((value, other.get(name)?)))
            .any(|(value, known)| contradict(value, known)),
        (Value::Array(items), Value::Array(others)) => {
            let mut all = items.iter().chain(others);
            !items.is_empty()
                && !others.is_empty()
                && !all.any(|item| item.is_object() || item.is_array())
                && !alike(one, other)
        }
        (Value::String(text), Value::String(known)) => {
            !text.is_empty()
                && !known.is_empty()
                && !is_masked(one)
                && !is_masked(other)
                && !alike(one, other)
        }
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => {
            !alike(one, other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_contradict_each_other_where_no_form_explains_it() {
        for (one, other, expected) in [
            (json!("a"), json!("b"), true),
            (json!("a"), json!(" a"), false),
            (json!("a"), json!(null), false),
            (json!("a"), json!({"id": "a"}), false),
            (json!("****1234"), json!("87651234"), false),
            (json!(1), json!(2), true),
            (json!(1), json!("2"), false),
            (json!(true), json!(false), true),
            (json!(["a"]), json!(["b"]), true),
            (json!(["a"]), json!([]), false),
            (json!([{"a": 1}]), json!([{"a": 2}]), false),
            (json!({"a": 1}), json!({"a": 2}), true),
            (json!({"a": 1}), json!({"b": 2}), false),
        ] {
            assert_eq!(contradict(&one, &other), expected, "{one} {other}");
        }
    }
}

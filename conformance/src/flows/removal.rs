//! Deleting a thing, and looking whether it is gone everywhere.

use serde_json::Value;

use super::create::Thing;
use super::driver::{Call, Driver, Live, Stopped, User};
use super::life::ATTEMPTS;
use super::list::Found;
use super::naming::plain;
use super::view::View;
use crate::finding::{FlowFault, Trace};
use crate::rule::flows as rules;

impl Driver<'_> {
    /// Deletes a thing, and looks whether it is gone everywhere.
    pub(super) async fn removal(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
        update: Option<Value>,
    ) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let Some(delete) = resource.delete else {
            return Ok(());
        };
        let answer = self.send(Call::new(delete, &thing.path)).await?;
        if !answer.is_ok() {
            if matches!(
                self.view(index, &thing.path, &thing.id).await?,
                View::Shown(_)
            ) {
                self.unobserved(delete, &answer);
            }
            return Ok(());
        }
        self.live
            .retain(|live| !(live.resource == index && live.path == thing.path));
        // An accepted deletion may take any time.
        if answer.status == 202 {
            return Ok(());
        }
        for attempt in 0..=ATTEMPTS {
            let Some(read) = resource.read else { break };
            let answer = self.send(Call::new(read, &thing.path)).await?;
            if !answer.is_ok() || answer.body.as_ref().is_some_and(is_marked_deleted) {
                break;
            }
            if attempt == ATTEMPTS {
                self.in_vain += 1;
                let fault = FlowFault::Remains {
                    by: Trace::Read,
                    status: answer.status,
                };
                self.note(rules::DELETED_GONE, delete, fault, Some(&answer));
                break;
            }
            self.settle(attempt).await;
        }
        for attempt in 0..=ATTEMPTS {
            let Some(Found::Yes(item, answer)) =
                self.find(index, above, &thing.id, User::First).await?
            else {
                break;
            };
            if is_marked_deleted(&item) {
                break;
            }
            if attempt == ATTEMPTS {
                self.in_vain += 1;
                let fault = FlowFault::Remains {
                    by: Trace::List,
                    status: answer.status,
                };
                self.note(rules::DELETED_UNLISTED, delete, fault, Some(&answer));
                break;
            }
            self.settle(attempt).await;
        }
        if let (Some(patch), Some(body)) = (resource.patch, update) {
            let answer = self.send(Call::new(patch, &thing.path).body(body)).await?;
            if answer.is_ok() {
                let fault = FlowFault::Remains {
                    by: Trace::Update,
                    status: answer.status,
                };
                self.note(rules::DELETED_GONE, patch, fault, Some(&answer));
            }
        }
        let again = self.send(Call::new(delete, &thing.path)).await?;
        let responses = self.operation(delete).responses(self.session.document);
        let documented: Vec<String> = responses
            .into_iter()
            .map(|(status, _)| status)
            .filter(|status| status == "404" || status == "410")
            .collect();
        if again.is_ok() && !documented.is_empty() {
            let fault = FlowFault::DeletedAgain {
                status: again.status,
                documented,
            };
            self.note(rules::DELETED_ONCE, delete, fault, Some(&again));
        }
        self.replaced_again(index, thing).await
    }
}

impl Driver<'_> {
    /// Sends a PUT to a deleted resource, where the document has a 404 or 410 response and no 201.
    async fn replaced_again(&mut self, index: usize, thing: &Thing) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let Some(put) = resource.put.filter(|_| !resource.creates_by_put()) else {
            return Ok(());
        };
        let responses = self.operation(put).responses(self.session.document);
        let has = |wanted: &str| responses.iter().any(|(status, _)| status == wanted);
        if !has("404") && !has("410") || has("201") {
            return Ok(());
        }
        let Some(body) = self.case(put).and_then(|case| case.body?.value) else {
            return Ok(());
        };
        let answer = self.send(Call::new(put, &thing.path).body(body)).await?;
        if answer.is_ok() {
            self.live.push(Live {
                resource: index,
                path: thing.path.clone(),
            });
            let fault = FlowFault::Remains {
                by: Trace::Update,
                status: answer.status,
            };
            self.note(rules::DELETED_GONE, put, fault, Some(&answer));
        }
        Ok(())
    }
}

/// Whether a thing says of itself that it was deleted.
fn is_marked_deleted(value: &Value) -> bool {
    const WORDS: [&str; 10] = [
        "deleted",
        "archived",
        "cancelled",
        "canceled",
        "closed",
        "removed",
        "inactive",
        "revoked",
        "terminated",
        "deactivated",
    ];
    let Some(members) = value.as_object() else {
        return false;
    };
    members.iter().any(|(name, member)| match member {
        Value::Bool(set) => *set && WORDS.contains(&plain(name).trim_start_matches("is")),
        Value::String(text) => {
            let is_time = WORDS.iter().any(|word| {
                plain(name) == format!("{word}at") || plain(name) == format!("{word}on")
            });
            let is_state = matches!(plain(name).as_str(), "status" | "state");
            is_time || is_state && WORDS.contains(&text.to_lowercase().as_str())
        }
        Value::Object(_) => is_marked_deleted(member),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thing_may_say_that_it_was_deleted() {
        for value in [
            json!({"deleted": true}),
            json!({"isDeleted": true}),
            json!({"deletedAt": "2024-01-01"}),
            json!({"status": "DELETED"}),
            json!({"data": {"revokedAt": "2024-01-01"}}),
        ] {
            assert!(is_marked_deleted(&value), "{value}");
        }
        for value in [
            json!({"deleted": false}),
            json!({"deletedAt": null}),
            json!({"status": "active"}),
            json!([]),
        ] {
            assert!(!is_marked_deleted(&value), "{value}");
        }
    }
}

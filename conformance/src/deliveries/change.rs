//! Changes and deletes registered webhooks, each by the operation that the API has for it.

use serde_json::{Value, json};

use super::api;
use super::hook::{Hook, Hooks, User, json_of};
use crate::check::succeeded;

impl Hooks<'_> {
    /// Disables a webhook; tells whether the server did.
    pub(super) async fn disable(&self, hook: &Hook) -> Option<bool> {
        let (index, body) = self.api?.disable.as_ref()?;
        self.change(hook, *index, body).await
    }

    /// Enables a webhook that was disabled; tells whether the server did.
    pub(super) async fn enable(&self, hook: &Hook) -> Option<bool> {
        let (index, body) = self.api?.disable.as_ref()?;
        self.change(hook, *index, &opposite(body)?).await
    }

    async fn change(&self, hook: &Hook, index: usize, body: &Value) -> Option<bool> {
        let id = hook.id.as_deref()?;
        let exchange = self.call(index, Some(id), Some(body), User::First).await;
        if succeeded(&exchange) {
            return Some(true);
        }
        // Some APIs take the whole webhook.
        let operation = &self.session.operations[index];
        let names = api::members(self.session.document, operation);
        let mut whole = json!({});
        for (name, _) in names {
            let value = body.get(&name).or_else(|| hook.body.get(&name));
            if let Some(value) = value {
                whole[name] = value.clone();
            }
        }
        let exchange = self.call(index, Some(id), Some(&whole), User::First).await;
        Some(succeeded(&exchange))
    }

    /// Deletes a webhook; tells whether the server did.
    pub(super) async fn delete(&self, hook: &Hook) -> Option<bool> {
        let index = self.api?.unregister?;
        let id = hook.id.as_deref()?;
        let user = if hook.foreign {
            User::Second
        } else {
            User::First
        };
        let exchange = self.call(index, Some(id), None, user).await;
        let done = succeeded(&exchange);
        if done {
            self.live.borrow_mut().retain(|(known, _)| known != id);
        }
        Some(done)
    }

    /// Gives a webhook a new secret.
    pub(super) async fn rotate(&self, hook: &Hook) -> Option<Hook> {
        let (index, body) = self.api?.rotate.as_ref()?;
        let id = hook.id.as_deref()?;
        let mut new = hook.clone();
        let mut body = body.clone();
        self.registered.set(self.registered.get() + 1);
        if let Some(body) = &mut body {
            self.choose(body);
        }
        let exchange = self
            .call(*index, Some(id), body.as_ref(), User::First)
            .await;
        if !succeeded(&exchange) {
            return None;
        }
        let mut response = json_of(&exchange);
        if let Some(read) = self.api?.read {
            let read = self.call(read, Some(id), None, User::First).await;
            response = json_of(&read).or(response);
        }
        self.keys(&mut new, body.as_ref(), response.as_ref()).ok()?;
        Some(new)
    }

    /// Deletes all webhooks that are left, the newest first; gives the ids of those that stay.
    pub(super) async fn clean_up(&self) -> Vec<String> {
        let mut left = Vec::new();
        let live = std::mem::take(&mut *self.live.borrow_mut());
        for (id, user) in live.into_iter().rev() {
            let done = match self.api.and_then(|api| api.unregister) {
                Some(index) => {
                    let exchange = self.call(index, Some(&id), None, user).await;
                    let gone = exchange
                        .response
                        .as_ref()
                        .is_some_and(|response| matches!(response.status, 404 | 410));
                    gone || succeeded(&exchange)
                }
                None => false,
            };
            if !done {
                left.push(id);
            }
        }
        left
    }
}

/// The body that takes a change back: flags the other way round, and the words for it.
fn opposite(body: &Value) -> Option<Value> {
    let turned = |value: &Value| match value {
        Value::Bool(flag) => Some(json!(!flag)),
        Value::String(text) => {
            let other = match text.to_lowercase().as_str() {
                "disabled" => "enabled",
                "inactive" | "paused" => "active",
                _ => return None,
            };
            let is_upper = text.chars().all(|letter| !letter.is_lowercase());
            Some(match is_upper {
                true => json!(other.to_uppercase()),
                false => json!(other),
            })
        }
        _ => None,
    };
    let members = body.as_object()?.iter();
    let turned: serde_json::Map<String, Value> = members
        .filter_map(|(name, value)| Some((name.clone(), turned(value)?)))
        .collect();
    (!turned.is_empty()).then_some(Value::Object(turned))
}

//! A comparison of the list that an operation of the API returns with the deliveries.

use serde_json::Value;

use super::DeliveriesError;
use super::api::named;
use super::hook::User;
use super::run::Run;
use crate::finding::{DeliveryFault, Severity};
use crate::rule::deliveries as rules;

/// Members that name the thing that a list is of.
const IDS: [&str; 5] = ["id", "eventId", "event_id", "messageId", "uuid"];

/// Members that name the type of an event.
const TYPES: [&str; 4] = ["type", "event", "eventType", "event_type"];

impl Run<'_> {
    /// Compares the items of a list with the deliveries: an item whose id stands in no delivery never arrived.
    pub(super) async fn reconcile(&mut self, operation: &str) -> Result<(), DeliveriesError> {
        let session = self.hooks.session;
        let index = named(session.operations, "--reconcile", operation)?;
        let exchange = self.hooks.call(index, None, None, User::First).await;
        let body: Option<Value> = exchange
            .response
            .as_ref()
            .and_then(|response| serde_json::from_slice(&response.body).ok());
        let items = body.as_ref().and_then(|body| {
            let wrapped = || body.as_object()?.values().find_map(Value::as_array);
            body.as_array().or_else(wrapped)
        });
        let arrivals = self.hooks.receiver.arrivals();
        let texts: Vec<String> = arrivals
            .iter()
            .map(|one| {
                let headers: Vec<&str> = one
                    .message
                    .headers
                    .iter()
                    .map(|(_, value)| value.as_str())
                    .collect();
                format!(
                    "{}\n{}",
                    String::from_utf8_lossy(&one.message.body),
                    headers.join("\n")
                )
            })
            .collect();
        let known: Vec<&str> = self
            .judge
            .events
            .iter()
            .map(|event| event.name.as_str())
            .collect();
        let subject = session.operations[index].subject();
        let at = session.operations[index].pointer.clone();
        for item in items.into_iter().flatten() {
            let text = |names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| Some(item.get(*name)?.as_str()?.to_owned()))
            };
            let Some(id) = text(&IDS) else { continue };
            let event = text(&TYPES);
            // Events of other APIs may be in the same list.
            let ours = event.as_deref().is_none_or(|event| known.contains(&event));
            if ours && !texts.iter().any(|text| text.contains(&id)) {
                let fault = DeliveryFault::NotDelivered { id, event };
                let mut finding = self.judge.finding(
                    rules::LISTED,
                    Severity::Breaking,
                    (&subject, &at),
                    fault,
                    None,
                );
                finding.exchange = Some(exchange.record(self.judge.hidden));
                self.sheet.add(finding);
            }
        }
        Ok(())
    }
}

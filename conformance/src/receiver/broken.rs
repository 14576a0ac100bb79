//! A handler's reaction to signed deliveries that are not events: it must answer, and not with 5xx.

use super::event::{Draft, Event};
use super::payload;
use super::run::{Run, refused, status};
use crate::finding::{ReceiverFault, Severity};
use crate::rule::receiver as rules;

impl Run<'_> {
    pub(super) async fn broken(&self, event: &Event<'_>, right: &Draft) {
        let rule = (rules::HANDLER_SURVIVES, Severity::Breaking);
        for draft in payload::broken(right) {
            // One whose signature belongs into its body cannot be signed.
            let Ok(message) = self.deliver(event, &draft.message) else {
                continue;
            };
            let Some(exchange) = self.send(&message).await else {
                continue;
            };
            let found = status(&exchange);
            if found.is_none_or(|status| status >= 500) {
                let fault = ReceiverFault::Broke {
                    delivery: draft.name.clone(),
                    status: found,
                };
                self.found(event, rule, draft.name, fault, Some(&exchange));
            }
        }
        let Ok(message) = self.deliver(event, &right.message) else {
            return;
        };
        let Some(exchange) = self.send(&message).await else {
            return;
        };
        let name = format!("{}, after broken deliveries,", right.name);
        match status(&exchange) {
            Some(status) if event.accepts(status) => {}
            Some(status) if status < 500 => {
                let fault = refused(event, name, status);
                self.found(event, rule, "after".to_owned(), fault, Some(&exchange));
            }
            status => {
                let fault = ReceiverFault::Broke {
                    delivery: name,
                    status,
                };
                self.found(event, rule, "after".to_owned(), fault, Some(&exchange));
            }
        }
    }
}

//! Right deliveries in unusual forms: all of them must be accepted.

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::event::{Draft, Event};
use super::run::{Run, refused, status};
use super::{forge, payload};
use crate::clock;
use crate::exchange::Exchange;
use crate::finding::{ReceiverFault, Severity};
use crate::hooks::Message;
use crate::rule::receiver as rules;

impl Run<'_> {
    pub(super) async fn variants(&self, event: &Event<'_>, right: &Draft) {
        if event.signing().is_some() {
            if let Some(spaced) = payload::spaced(&right.message) {
                let name = format!("{}, written with spaces and line breaks,", right.name);
                self.variant(
                    event,
                    (rules::BYTES_VERIFIED, Severity::Breaking),
                    &name,
                    &spaced,
                )
                .await;
            }
            self.tolerated(event, right).await;
            self.rotated(event, right).await;
        }
        let extended = payload::extended(event, &right.message);
        let extended = match extended {
            Some(message) => {
                let name = format!("{} with a member that is new", right.name);
                let rule = (rules::MEMBERS_TOLERATED, Severity::Breaking);
                self.variant(event, rule, &name, &message).await
            }
            None => true,
        };
        let mut kept = event.protocol_members();
        kept.extend(payload::type_member(std::slice::from_ref(event)));
        let reduced = match payload::reduced(event, &right.message, &kept) {
            Some(message) => {
                let name = format!("{} without its optional members", right.name);
                let rule = (rules::MEMBERS_TOLERATED, Severity::Breaking);
                self.variant(event, rule, &name, &message).await
            }
            None => true,
        };
        self.generated(event, right, extended, reduced).await;
    }

    /// Sends a right delivery; whether it was accepted.
    async fn variant(
        &self,
        event: &Event<'_>,
        rule: (&'static str, Severity),
        name: &str,
        payload: &Message,
    ) -> bool {
        let Ok(message) = self.deliver(event, payload) else {
            return true;
        };
        let Some(exchange) = self.send(&message).await else {
            return true;
        };
        self.judge_variant(event, rule, name, &exchange)
    }

    fn judge_variant(
        &self,
        event: &Event<'_>,
        rule: (&'static str, Severity),
        name: &str,
        exchange: &Exchange,
    ) -> bool {
        match status(exchange) {
            Some(status) if event.accepts(status) => true,
            Some(status) if status < 500 => {
                let key = format!("{} {}", event.subject, status);
                // A fault in the bytes or the time is the same for all events.
                let key = match rule.0 == rules::PAYLOAD_ACCEPTED {
                    true => key,
                    false => name.rsplit('`').next().unwrap_or_default().to_owned(),
                };
                let fault = refused(event, name.to_owned(), status);
                self.found(event, rule, key, fault, Some(exchange));
                false
            }
            status => {
                let delivery = name.to_owned();
                let fault = ReceiverFault::Broke { delivery, status };
                let rule = (rules::HANDLER_SURVIVES, Severity::Breaking);
                let key = format!("{} right", event.subject);
                self.found(event, rule, key, fault, Some(exchange));
                false
            }
        }
    }

    /// A delivery that took half of the time that is tolerated.
    async fn tolerated(&self, event: &Event<'_>, right: &Draft) {
        let Some(tolerance) = event.signing().and_then(forge::tolerance) else {
            return;
        };
        let age = tolerance / 2;
        let at = clock::now().checked_sub(SignedDuration::from_secs(age));
        let (Ok(at), true) = (at, age >= 2) else {
            return;
        };
        let (message, id) = self.fresh(event, &right.message);
        let Ok(message) = self.sign(event, message, &id, at) else {
            return;
        };
        if let Some(exchange) = self.send(&message).await {
            let name = format!(
                "{}, signed {age} s ago with {tolerance} s tolerated,",
                right.name
            );
            let rule = (rules::TOLERANCE_KEPT, Severity::Warning);
            self.judge_variant(event, rule, &name, &exchange);
        }
    }

    /// A delivery with the signature of an old secret beside that of the right one, in both orders.
    async fn rotated(&self, event: &Event<'_>, right: &Draft) {
        let Some(signing) = event.signing() else {
            return;
        };
        let several = |scheme: &crate::hooks::Scheme| {
            scheme.signature.items.is_some() || scheme.signature.location.field.is_some()
        };
        if !signing.schemes.iter().all(several) {
            return;
        }
        let Some(other) = forge::other_secrets(signing, self.next_number()) else {
            return;
        };
        for (secrets, order) in [
            (other.and(&event.secrets), "last"),
            (event.secrets.and(&other), "first"),
        ] {
            let (mut message, id) = self.fresh(event, &right.message);
            let signed = signing.sign(&secrets, &mut message, &id, clock::now());
            if signed.is_err() {
                return;
            }
            if let Some(exchange) = self.send(&message).await {
                let name = format!("{} with two signatures, the right one {order},", right.name);
                let rule = (rules::ROTATION_ACCEPTED, Severity::Breaking);
                self.judge_variant(event, rule, &name, &exchange);
            }
        }
    }

    /// Generated payloads. Those that lack or add members say nothing new where the handler does not tolerate that anyway.
    async fn generated(&self, event: &Event<'_>, right: &Draft, extended: bool, reduced: bool) {
        let known = right.message.json();
        let adds = |message: &Message| {
            let sample = known
                .as_ref()
                .map(|body| payload::with_body(message, body.to_string().into()));
            sample.is_some_and(|sample| payload::lacks(&sample, message))
        };
        let wanted = event.generated.iter().filter(|one| {
            (extended || !adds(&one.message))
                && (reduced || !payload::lacks(&one.message, &right.message))
        });
        let sent = wanted.map(|draft| async move {
            let message = self.deliver(event, &draft.message).ok()?;
            Some((draft, self.send(&message).await?))
        });
        let all: Vec<Option<(&Draft, Exchange)>> = stream::iter(sent)
            .buffered(self.options.workers)
            .collect()
            .await;
        for (draft, exchange) in all.into_iter().flatten() {
            let rule = (rules::PAYLOAD_ACCEPTED, Severity::Warning);
            self.judge_variant(event, rule, &draft.name, &exchange);
        }
    }

    /// An event of a type that the document does not have.
    pub(super) async fn unknown_event(
        &self,
        events: &[Event<'_>],
        event: &Event<'_>,
        draft: &Draft,
    ) {
        let message = &draft.message;
        let unknown = match (payload::type_header(events), payload::type_member(events)) {
            (Some(header), _) => Some(payload::of_unknown_header(message, &header)),
            (None, Some(at)) => payload::of_unknown_type(message, &at),
            (None, None) => None,
        };
        let Some(unknown) = unknown else { return };
        let Ok(message) = self.deliver(event, &unknown) else {
            return;
        };
        let Some(exchange) = self.send(&message).await else {
            return;
        };
        let name = payload::UNKNOWN.to_owned();
        match status(&exchange) {
            Some(status) if event.accepts(status) => {}
            Some(status) if status < 500 => {
                let rule = (rules::UNKNOWN_EVENT_ACKNOWLEDGED, Severity::Warning);
                let fault = ReceiverFault::UnknownEvent {
                    event: name,
                    status,
                };
                self.found(event, rule, String::new(), fault, Some(&exchange));
            }
            status => {
                let delivery = "an event of an unknown type".to_owned();
                let rule = (rules::HANDLER_SURVIVES, Severity::Breaking);
                let fault = ReceiverFault::Broke { delivery, status };
                self.found(event, rule, "unknown".to_owned(), fault, Some(&exchange));
            }
        }
    }
}

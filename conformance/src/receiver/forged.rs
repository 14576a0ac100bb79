//! A handler's reaction to deliveries that the provider did not send.

use super::event::{Draft, Event};
use super::forge::{Forger, Forgery};
use super::run::{Run, status};
use crate::clock;
use crate::exchange::Exchange;
use crate::finding::{Flaw, ReceiverFault, Severity};
use crate::rule::receiver as rules;

impl Run<'_> {
    pub(super) async fn forged(&self, event: &Event<'_>, right: &Draft) {
        let before = self.look().await;
        let mut sent = Vec::new();
        for forgery in self.forgeries(event, right) {
            let Some(exchange) = self.send(&forgery.message).await else {
                return;
            };
            sent.push((forgery.flaw, exchange));
        }
        let moved = match &before {
            Some(before) => self.look().await.map(|after| after != *before),
            None => None,
        };
        let is_accepted =
            |exchange: &Exchange| status(exchange).is_some_and(|status| event.accepts(status));
        let (accepted, refused): (Vec<_>, Vec<_>) =
            sent.iter().partition(|(_, exchange)| is_accepted(exchange));
        // A handler that accepts any signature has one fault, not many.
        let unsigned = |flaw: &Flaw| rule(flaw) == rules::FORGED_REFUSED;
        let checks = refused.iter().any(|(flaw, _)| unsigned(flaw));
        let first = accepted.iter().find(|(flaw, _)| unsigned(flaw));
        if let (Some((_, first)), false) = (first, checks) {
            let fault = ReceiverFault::Unverified {
                deliveries: accepted.len(),
                status: status(first).unwrap_or_default(),
                effect: moved,
            };
            let rule = (rules::FORGED_REFUSED, severity(moved));
            self.found(event, rule, "all".to_owned(), fault, Some(first));
            return;
        }
        // Which of them had an effect is seen one by one only.
        let acted = match moved {
            Some(true) => self.acting(event, right).await,
            _ => Vec::new(),
        };
        for (flaw, exchange) in accepted {
            let effect = moved.map(|moved| moved && acted.contains(flaw));
            let fault = ReceiverFault::Forged {
                flaw: flaw.clone(),
                status: status(exchange).unwrap_or_default(),
                effect,
            };
            let rule = (rule(flaw), severity(effect));
            self.found(event, rule, format!("{flaw:?}"), fault, Some(exchange));
        }
        for (flaw, exchange) in refused {
            self.judge_refusal(event, flaw, exchange, acted.contains(flaw));
        }
    }

    fn judge_refusal(&self, event: &Event<'_>, flaw: &Flaw, exchange: &Exchange, acted: bool) {
        let found = status(exchange);
        if acted {
            let rule = (rules::REFUSED_WITHOUT_EFFECT, Severity::Breaking);
            let fault = ReceiverFault::ActedOn {
                flaw: flaw.clone(),
                status: found.unwrap_or_default(),
            };
            self.found(event, rule, String::new(), fault, Some(exchange));
        }
        if !found.is_some_and(|status| (400..500).contains(&status)) {
            let rule = (rules::REFUSAL_CLEAR, Severity::Warning);
            let fault = ReceiverFault::UnclearRefusal {
                flaw: flaw.clone(),
                status: found,
            };
            self.found(event, rule, format!("{found:?}"), fault, Some(exchange));
        }
    }

    /// The flaws of deliveries that have an effect.
    async fn acting(&self, event: &Event<'_>, right: &Draft) -> Vec<Flaw> {
        let mut acting = Vec::new();
        let Some(mut before) = self.look().await else {
            return acting;
        };
        for forgery in self.forgeries(event, right) {
            if self.send(&forgery.message).await.is_none() {
                return acting;
            }
            let Some(after) = self.look().await else {
                return acting;
            };
            if after != before {
                acting.push(forgery.flaw);
            }
            before = after;
        }
        acting
    }

    fn forgeries(&self, event: &Event<'_>, right: &Draft) -> Vec<Forgery> {
        let Some(signing) = event.signing() else {
            return Vec::new();
        };
        let (draft, id) = self.fresh(event, &right.message);
        let forger = Forger {
            event,
            signing,
            draft,
            id,
            now: clock::now(),
            number: self.next_number(),
        };
        forger.all()
    }
}

/// A handler that says yes to forged deliveries and ignores them does no harm.
fn severity(effect: Option<bool>) -> Severity {
    match effect {
        Some(false) => Severity::Warning,
        Some(true) | None => Severity::Breaking,
    }
}

fn rule(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::NoSignature
        | Flaw::EmptySignature
        | Flaw::SignatureStart
        | Flaw::SignatureEnd
        | Flaw::SignatureCut
        | Flaw::OtherSecret
        | Flaw::EmptySecret
        | Flaw::OtherAlgorithm { .. } => rules::FORGED_REFUSED,
        Flaw::NoTime
        | Flaw::OtherTime
        | Flaw::OtherId
        | Flaw::OtherBody
        | Flaw::Rewritten
        | Flaw::Extended
        | Flaw::NoBody => rules::TAMPERED_REFUSED,
        Flaw::Old { .. } | Flaw::Early { .. } => rules::STALE_REFUSED,
    }
}

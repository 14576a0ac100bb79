//! A handler's reaction to deliveries that come twice, at once, late, or with an id that it has had before.

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::effect::Observation;
use super::event::{Draft, Event};
use super::run::{Run, status};
use super::{forge, identity, payload};
use crate::clock;
use crate::exchange::Exchange;
use crate::finding::{HandlerGap, ReceiverFault, Repeat, Severity};
use crate::hooks::{Message, Order};
use crate::rule::receiver as rules;

/// How many copies of a delivery are sent at once.
const COPIES: usize = 6;

/// How often that is done, as a race is not lost each time.
const ROUNDS: usize = 3;

/// Statuses by which a handler may say that it is at work on the same delivery.
const BUSY: [u16; 4] = [409, 425, 429, 503];

/// By how many seconds a delivery is older than the one before it, at most.
const OVERTAKEN: i64 = 10;

/// Effects are numbers that were added up.
const ALIKE: f64 = 1e-6;

impl Run<'_> {
    /// `moves` says whether deliveries of this event have an effect that is seen.
    pub(super) async fn repeats(&self, event: &Event<'_>, right: &Draft, moves: bool) {
        let Some(step) = self.again(event, right, moves).await else {
            return;
        };
        let step = self.overtaken(event, right, step).await;
        self.at_once(event, right, step).await;
        self.other_body(event, right, moves).await;
    }

    /// One delivery again, as it is and signed anew. The size of its effect; none where the run ends.
    async fn again(&self, event: &Event<'_>, right: &Draft, moves: bool) -> Option<Option<f64>> {
        let (unsigned, id) = self.fresh(event, &right.message);
        let first = self.sign(event, unsigned.clone(), &id, clock::now()).ok()?;
        let before = self.look_if(moves).await;
        self.send(&first).await?;
        let after = match &before {
            Some(before) => self.look_after(before).await,
            None => None,
        };
        let step = before
            .as_ref()
            .zip(after.as_ref())
            .map(|(before, after)| after.size().beyond(before.size()));
        let mut seen = after.filter(|after| Some(after) != before.as_ref());
        if moves && seen.is_none() {
            let gap = HandlerGap::Unmoved;
            self.gap(
                Some(event),
                rules::EFFECT_UNDECIDED,
                Severity::Undecided,
                gap,
            );
        }
        let exchange = self.send(&first).await?;
        seen = self.repeated(event, Repeat::Later, &exchange, seen).await;
        // A handler that knows only the last id takes this one for new.
        let other = self.deliver(event, &right.message).ok()?;
        self.send(&other).await?;
        if let Some(before) = seen {
            seen = self.look_after(&before).await;
        }
        let exchange = self.send(&first).await?;
        seen = self.repeated(event, Repeat::Later, &exchange, seen).await;
        let is_timed = event.signing().is_some_and(forge::has_time);
        if is_timed && identity::location(event).is_some() {
            let earlier = clock::now()
                .checked_sub(SignedDuration::from_secs(2))
                .ok()?;
            let anew = self.sign(event, unsigned, &id, earlier).ok()?;
            let exchange = self.send(&anew).await?;
            self.repeated(event, Repeat::SignedAnew, &exchange, seen)
                .await;
        }
        Some(step)
    }

    async fn look_if(&self, wanted: bool) -> Option<Observation> {
        match wanted {
            true => self.look().await,
            false => None,
        }
    }

    /// Judges a repetition; what the effect is after it.
    async fn repeated(
        &self,
        event: &Event<'_>,
        repeat: Repeat,
        exchange: &Exchange,
        before: Option<Observation>,
    ) -> Option<Observation> {
        let found = status(exchange);
        if !found.is_some_and(|status| event.accepts(status)) {
            let rule = (rules::REPEAT_ACCEPTED, Severity::Breaking);
            let fault = ReceiverFault::RepeatRefused {
                repeat,
                status: found,
            };
            self.found(event, rule, format!("{repeat:?}"), fault, Some(exchange));
        }
        let before = before?;
        let after = self.look().await?;
        if after != before {
            let rule = (rules::EFFECTIVE_ONCE, Severity::Breaking);
            let fault = ReceiverFault::Twice { repeat, copies: 2 };
            self.found(event, rule, format!("{repeat:?}"), fault, Some(exchange));
        }
        Some(after)
    }

    /// A newer delivery and then an older one. The size of an effect, if both have the same.
    async fn overtaken(&self, event: &Event<'_>, right: &Draft, step: Option<f64>) -> Option<f64> {
        let step = step.filter(|step| step.abs() > ALIKE);
        let before = self.look_if(step.is_some()).await;
        let newer = self.deliver(event, &right.message).ok()?;
        self.send(&newer).await?;
        let between = match &before {
            Some(before) => self.look_after(before).await,
            None => None,
        };
        let second = before
            .as_ref()
            .zip(between.as_ref())
            .map(|(before, between)| between.size().beyond(before.size()));
        let even = match (step, second) {
            (Some(step), Some(second)) if (step - second).abs() < ALIKE => Some(step),
            (Some(_), Some(_)) => {
                let gap = HandlerGap::Uneven;
                self.gap(
                    Some(event),
                    rules::EFFECT_UNDECIDED,
                    Severity::Undecided,
                    gap,
                );
                None
            }
            _ => None,
        };
        let signing = event.signing().filter(|signing| forge::has_time(signing));
        let (Some(signing), Order::None) = (signing, event.description.promise.order) else {
            return even;
        };
        let tolerance = forge::tolerance(signing).unwrap_or(3 * OVERTAKEN);
        let seconds = OVERTAKEN.min(tolerance / 3);
        let at = clock::now().checked_sub(SignedDuration::from_secs(seconds));
        let (message, id) = self.fresh(event, &right.message);
        let older = self.sign(event, message, &id, at.ok()?).ok()?;
        let exchange = self.send(&older).await?;
        let Some(status) = status(&exchange) else {
            let delivery = format!("one that was signed {seconds} s before the last one");
            let fault = ReceiverFault::Broke {
                delivery,
                status: None,
            };
            let rule = (rules::HANDLER_SURVIVES, Severity::Breaking);
            self.found(event, rule, "overtaken".to_owned(), fault, Some(&exchange));
            return even;
        };
        let lost = match between.filter(|_| even.is_some() && event.accepts(status)) {
            Some(between) => self
                .look_after(&between)
                .await
                .is_some_and(|after| after == between),
            None => false,
        };
        if lost || !event.accepts(status) {
            // Then it refuses whatever is older than the newest.
            if !lost {
                self.forget(rules::TOLERANCE_KEPT, "");
                self.forget(rules::REPEAT_ACCEPTED, "SignedAnew");
            }
            let rule = (rules::ORDER_TOLERATED, Severity::Breaking);
            let fault = ReceiverFault::Overtaken {
                seconds,
                status,
                lost,
            };
            self.found(event, rule, String::new(), fault, Some(&exchange));
        }
        even
    }

    /// Copies of new deliveries at the same time.
    async fn at_once(&self, event: &Event<'_>, right: &Draft, step: Option<f64>) {
        for _ in 0..ROUNDS {
            let Ok(message) = self.deliver(event, &right.message) else {
                return;
            };
            let before = self.look_if(step.is_some()).await;
            let copies = join_all((0..COPIES).map(|_| self.send(&message))).await;
            let copies: Vec<Exchange> = copies.into_iter().flatten().collect();
            self.judge_copies(event, &copies);
            let (Some(step), Some(before), Some(first)) = (step, before, copies.first()) else {
                continue;
            };
            let Some(after) = self.look_after(&before).await else {
                return;
            };
            let moved = after.size().beyond(before.size());
            let copies = COPIES;
            let rule = (rules::EFFECTIVE_ONCE, Severity::Breaking);
            if moved.abs() > step.abs() + ALIKE {
                let fault = ReceiverFault::Twice {
                    repeat: Repeat::AtOnce,
                    copies,
                };
                self.found(event, rule, "at once".to_owned(), fault, Some(first));
            } else if after == before {
                let fault = ReceiverFault::LostAtOnce { copies };
                self.found(event, rule, "lost".to_owned(), fault, Some(first));
            }
        }
    }

    /// One copy has to be accepted; others may be told that the handler is at work on it.
    fn judge_copies(&self, event: &Event<'_>, copies: &[Exchange]) {
        let accepted = |one: &&Exchange| status(one).is_some_and(|status| event.accepts(status));
        let busy = |one: &&Exchange| status(one).is_some_and(|status| BUSY.contains(&status));
        let wrong = copies.iter().find(|one| !accepted(one) && !busy(one));
        let severity = match copies.iter().any(|one| accepted(&one)) {
            // The provider repeats what was not accepted, and then it is.
            true => Severity::Warning,
            false => Severity::Breaking,
        };
        let shown = match severity {
            Severity::Breaking => copies.first(),
            _ => wrong,
        };
        let Some(exchange) = shown else { return };
        let repeat = Repeat::AtOnce;
        let status = status(exchange);
        let fault = ReceiverFault::RepeatRefused { repeat, status };
        let rule = (rules::REPEAT_ACCEPTED, severity);
        self.found(event, rule, "at once".to_owned(), fault, Some(exchange));
    }

    /// Two deliveries with one id and different bodies.
    async fn other_body(&self, event: &Event<'_>, right: &Draft, moves: bool) {
        if identity::location(event).is_none() {
            if moves {
                self.gap(
                    Some(event),
                    rules::EFFECT_UNDECIDED,
                    Severity::Info,
                    HandlerGap::NoId,
                );
            }
            return;
        }
        let (first, id) = self.fresh(event, &right.message);
        let kept = event.protocol_members();
        let Some(other) = payload::changed(event, &first, &kept) else {
            return;
        };
        let signed = |message: Message| self.sign(event, message, &id, clock::now()).ok();
        let (Some(first), Some(other)) = (signed(first), signed(other)) else {
            return;
        };
        let before = self.look_if(moves).await;
        if self.send(&first).await.is_none() {
            return;
        }
        let between = match &before {
            Some(before) => self.look_after(before).await,
            None => None,
        };
        let Some(exchange) = self.send(&other).await else {
            return;
        };
        let found = status(&exchange);
        if found.is_none_or(|status| status >= 500) {
            let delivery = "the same id with another body".to_owned();
            let fault = ReceiverFault::Broke {
                delivery: delivery.clone(),
                status: found,
            };
            let rule = (rules::HANDLER_SURVIVES, Severity::Breaking);
            self.found(event, rule, delivery, fault, Some(&exchange));
        }
        let (Some(between), Some(after)) = (between, self.look_if(moves).await) else {
            return;
        };
        // A handler that does the same work twice is told so elsewhere.
        if after != between && before.as_ref() != Some(&between) && !self.has(rules::EFFECTIVE_ONCE)
        {
            let repeat = Repeat::OtherBody;
            let fault = ReceiverFault::Twice { repeat, copies: 2 };
            let rule = (rules::ID_EFFECTIVE_ONCE, Severity::Warning);
            self.found(event, rule, String::new(), fault, Some(&exchange));
        }
    }
}

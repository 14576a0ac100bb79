//! One attempt: signs, sends, and decides what becomes of the delivery.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use super::sender::Sent;
use super::{BEHIND, Claimed, UNINFORMED, Worker};
use crate::causes::with_causes;
use crate::clock::{Moment, milliseconds};
use crate::domain::{Attempt, DueDelivery, Lack, Next, Outcome};
use crate::entropy;
use crate::metrics::InFlight;
use crate::provider::{OutboundRequest, RequestHeader};
use crate::storage::AttemptResult;

/// How long a delivery waits whose attempt could not be made because this machine lacked something.
const POSTPONEMENT: Duration = Duration::from_secs(1);

/// Holds what an attempt holds, and lets go of it however the attempt ends: a panic in it must not keep the slot, nor let a stop wait.
struct UnderWay<'w> {
    worker: &'w Arc<Worker>,
    lane: i64,
    delivery: Uuid,
    attempt: u32,
    /// Whether the attempt ends elsewhere: when its result is recorded, or its delivery is in the queue again.
    ends_elsewhere: bool,
    _in_flight: InFlight,
}

/// The end of an attempt.
enum Exchanged {
    Ended(Box<AttemptResult>),
    /// It was not made.
    NotMade(Lack),
    /// The lease ended before it began: the delivery may have been claimed again, and accepted.
    LeaseEnded,
    /// There is no provider of this name to make it.
    Unknown,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Self { worker, .. } = self;
        if std::thread::panicking() {
            tracing::error!(
                delivery = %self.delivery,
                attempt = self.attempt,
                "an attempt panicked; the delivery is attempted again when its lease ends"
            );
        }
        if !self.ends_elsewhere {
            worker.end([(self.delivery, self.attempt)]);
        }
        let lanes = &worker.settings.lanes;
        let backlog = worker.backlog();
        // The receiver is done with: its slot need not wait for the commit.
        worker.pass_on(self.lane, backlog.contains(&self.lane));
        // Not for one that cannot have it: beside a receiver that hangs, every attempt at the others would end in a claim of nothing.
        if lanes.have_room(&backlog) {
            worker.wake();
        }
    }
}

impl Worker {
    /// Makes an attempt, and lets its result be recorded.
    pub(super) async fn attempt(self: &Arc<Self>, claimed: Claimed, in_flight: InFlight) {
        let Claimed { due, .. } = &claimed;
        let mut under_way = UnderWay {
            worker: self,
            lane: due.target.lane,
            delivery: due.id,
            attempt: due.attempt,
            ends_elsewhere: false,
            _in_flight: in_flight,
        };
        // Apart from the other ways on, and boxed, so that what every attempt is made of stays small.
        let claimed = if self.is_current(&claimed) {
            claimed
        } else {
            match Box::pin(self.wait_for_news(claimed)).await {
                Ok(claimed) => claimed,
                Err(outdated) => {
                    // A claim reads the webhook anew.
                    under_way.ends_elsewhere = true;
                    Box::pin(self.queue_again(outdated)).await;
                    return;
                }
            }
        };
        let Claimed { due, lease_end, .. } = claimed;
        match self.exchange(due, lease_end).await {
            Exchanged::Ended(result) => {
                // Where the disk is slower than the receivers, there is no place for it, and no slot for another attempt.
                under_way.ends_elsewhere = self.results.send(*result).await.is_ok();
            }
            Exchanged::NotMade(lack) => {
                self.postpone(under_way.delivery, under_way.attempt, lack)
                    .await;
            }
            Exchanged::LeaseEnded => {
                tracing::warn!(
                    delivery = %under_way.delivery,
                    attempt = under_way.attempt,
                    "the lease of an attempt ended before it began: this process stood still; the delivery is claimed again"
                );
                self.wake();
            }
            Exchanged::Unknown => {}
        }
    }

    /// Whether it is known that the webhook is as it was when the delivery was read.
    fn is_current(&self, claimed: &Claimed) -> bool {
        let changes = self.settings.store.webhook_changes();
        changes.is_informed(Instant::now())
            && changes.is_current(claimed.due.target.lane, claimed.known)
    }

    /// Waits while it is not known whether that is so, and gives the delivery back as an error where it is not.
    async fn wait_for_news(&self, claimed: Claimed) -> Result<Claimed, Vec<Claimed>> {
        let changes = self.settings.store.webhook_changes();
        while !changes.is_informed(Instant::now()) && !self.is_stopping() {
            let _ = tokio::time::timeout(UNINFORMED, changes.informed()).await;
        }
        if self.is_current(&claimed) {
            Ok(claimed)
        } else {
            Err(vec![claimed])
        }
    }

    /// Lets a delivery wait that could not be attempted because this machine lacked something: the receiver is not charged for that.
    async fn postpone(&self, delivery: Uuid, attempt: u32, lack: Lack) {
        let Self { settings, .. } = self;
        settings.metrics.postponed(lack);
        if lack.stops_all() {
            // Deliveries that are claimed meanwhile would be postponed as well, with a commit for each.
            *self.resumes_at() = Instant::now().checked_add(POSTPONEMENT);
        }
        if let Some(unlogged) = self.logged_lacks.pass() {
            tracing::warn!(%delivery, reason = %lack, unlogged, "an attempt could not be made; the delivery waits, and it is not counted");
        }
        let steady = settings.clock.steady();
        let pause = settings.clock.span(POSTPONEMENT);
        let due_at = steady.checked_add(pause).unwrap_or(Timestamp::MAX);
        let postponed = settings.store.postpone(vec![(delivery, attempt)], due_at);
        match postponed.await {
            // The claims that are made meanwhile do not know of it.
            Ok(()) => self.wake(),
            Err(error) => tracing::error!(
                error = with_causes(&error),
                "a delivery could not be postponed; it is attempted again when its lease ends"
            ),
        }
    }

    /// Signs, sends, and decides what becomes of the delivery.
    async fn exchange(&self, due: DueDelivery, lease_end: Timestamp) -> Exchanged {
        let Self { settings, .. } = self;
        let Some(provider) = settings.providers.outbound(due.event.provider) else {
            return Exchanged::Unknown;
        };
        let began = settings.clock.moment();
        if began.steady >= lease_end {
            return Exchanged::LeaseEnded;
        }
        let started_at = began.now;
        let span = settings.traces.attempt(&due);
        let OutboundRequest { mut headers, body } = provider.request(&due, started_at);
        // Behind what the provider documents: it is not part of what is signed.
        let traceparent = settings.traces.traceparent(&span);
        headers.extend(traceparent.map(|value| RequestHeader::plain("traceparent", value)));
        let sent: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|header| (header.name, header.value.as_bytes()))
            .collect();
        let url = due.target.url.as_str();
        let sent = settings.sender.send(url, &sent, body, started_at);
        let Sent {
            outcome,
            mut timing,
            response_headers,
            response_body,
            response_truncated,
        } = match sent.await {
            Ok(sent) => sent,
            Err(lack) => {
                span.not_made(lack);
                return Exchanged::NotMade(lack);
            }
        };
        span.attempted(&outcome);
        timing.queue = began.steady.duration_since(due.due_at).unsigned_abs();
        let Moment { now, steady } = settings.clock.moment();
        let next = if outcome.is_success() {
            Next::Delivered
        } else if due.once {
            Next::Exhausted
        } else if let Some(resume_at) = due.resume_at.filter(|resume_at| *resume_at > began.steady)
        {
            // The schedule goes on where the manual attempt came before it.
            Next::RetryAt(resume_at)
        } else {
            let ready_at = self.behind().remove(&due.id).unwrap_or(due.due_at);
            let from = settings
                .clock
                .without_own_delay(due.due_at, ready_at, steady);
            let next = provider.retry_at(&due, &outcome, from, fraction());
            if !settings.clock.is_real() && next.is_some_and(|at| at < steady) {
                let mut behind = self.behind();
                if behind.len() >= BEHIND {
                    behind.clear();
                }
                behind.insert(due.id, steady);
            }
            next.map_or(Next::Exhausted, Next::RetryAt)
        };
        let request_headers = headers.into_iter().map(RequestHeader::shown).collect();
        let attempt = Attempt {
            number: due.attempt,
            started_at,
            timing,
            request_headers,
            outcome,
            response_headers,
            response_body,
            response_truncated,
        };
        settings.metrics.ended(due.event.provider, &attempt);
        let accepted = attempt.outcome.is_success();
        settings
            .lanes
            .answered(due.target.lane, attempt.timing.total, accepted);
        tracing::debug!(
            result = attempt.outcome.class(),
            duration_ms = milliseconds(attempt.timing.total),
            "attempted"
        );
        self.log_failure(&due, &attempt.outcome, next);
        Exchanged::Ended(Box::new(AttemptResult {
            delivery: due.id,
            number: due.number,
            lane: due.target.lane,
            attempt,
            next,
            now,
        }))
    }

    /// Logs an attempt that failed, in a line that can be read without the others.
    fn log_failure(&self, due: &DueDelivery, outcome: &Outcome, next: Next) {
        let next_attempt_at = match next {
            Next::Delivered => return,
            Next::RetryAt(at) => Some(self.settings.clock.time_of_day(at)),
            Next::Exhausted => None,
        };
        let Some(unlogged) = self.logged_failures.pass() else {
            return;
        };
        let then = next_attempt_at.map_or("none: the delivery is exhausted".to_owned(), |at| {
            format!("{at:.3}")
        });
        tracing::info!(
            provider = due.event.provider.as_str(),
            webhook = due.target.webhook_id,
            delivery = %due.id,
            attempt = due.attempt,
            status = outcome.status(),
            error = outcome.error(),
            next_attempt = then,
            unlogged,
            "an attempt failed"
        );
    }
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(entropy::bytes())) / f64::from(u32::MAX)
}

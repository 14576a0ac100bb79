//! Chains of attempts: spacing, count and end of retries, and what has to stay the same from one attempt to the next.

use std::time::Duration;

use super::due::{self, due_within};
use super::hook::Hook;
use super::receiver::Arrival;
use super::reply::Reply;
use super::run::Run;
use crate::finding::{DeliveryFault, Severity, Untested};
use crate::hooks::{Gone, Promise, Redirects, Retry};
use crate::rule::deliveries as rules;

/// The seconds that `Retry-After` asks for: more than the first retry of usual schedules.
pub(super) const RETRY_AFTER: u32 = 120;

/// A webhook that answers all attempts alike.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) hook: Hook,
    pub(super) reply: Reply,
}

/// The time of the run in which the retries of all chains came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    /// When it was over, by the receiver's time.
    pub(super) end: f64,
    /// For how many seconds of it this machine stood still.
    pub(super) stalled: f64,
}

/// The outcome that the promise gives for a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Delivered,
    Retried,
    /// A failure that ends the delivery.
    Ended,
    /// The promise says nothing of it.
    Open,
}

impl Chain {
    fn expected(&self, promise: &Promise) -> Expected {
        let Some(retry) = &promise.retry else {
            // Without a promise of retries only success is known.
            return match self.reply.answered() {
                Some(status) if promise.accepts(status) => Expected::Delivered,
                _ => Expected::Open,
            };
        };
        match &self.reply {
            Reply::Redirect(_) if promise.redirects == Redirects::Follow => Expected::Open,
            Reply::Status { status, .. } | Reply::Redirect(status) => {
                let gone = *status == 410 && promise.gone != Gone::Retry;
                if promise.accepts(*status) {
                    Expected::Delivered
                } else if gone || retry.never.iter().any(|range| range.contains(*status)) {
                    Expected::Ended
                } else {
                    Expected::Retried
                }
            }
            Reply::Hang(_) | Reply::Reset => Expected::Retried,
            Reply::HugeBody(_) if promise.accepts(200) => Expected::Delivered,
            Reply::HugeBody(_) => Expected::Retried,
            // Whether the status or the end of the body counts is not said.
            Reply::Drip(_) => Expected::Open,
        }
    }
}

/// The attempts of the first delivery among some arrivals: those with its id, or else its body.
fn first_delivery(arrivals: Vec<Arrival>, promise: &Promise) -> Vec<Arrival> {
    let Some(first) = arrivals.first().cloned() else {
        return arrivals;
    };
    let id = |arrival: &Arrival| {
        promise
            .id
            .as_ref()
            .and_then(|location| location.value(&arrival.message))
    };
    // Where only one delivery was triggered, all are its attempts, whatever their ids say.
    let same =
        |arrival: &Arrival| id(arrival) == id(&first) || arrival.message.body == first.message.body;
    let alone = arrivals.len() < 2 || arrivals.iter().all(same);
    if alone {
        arrivals
    } else {
        arrivals
            .into_iter()
            .filter(|one| same(one) || one.at > first.at)
            .collect()
    }
}

impl Run<'_> {
    /// Waits until every retry that the promise has within the time of the run has come, or its time is over. Retries that are late because
    /// the machine is busy are waited for as long as they keep coming.
    pub(super) async fn watch(
        &mut self,
        event: &str,
        promise: &Promise,
        chains: &[Chain],
        begun: f64,
    ) -> Watched {
        let receiver = self.hooks.receiver;
        let settings = self.hooks.settings;
        let all = || {
            chains
                .iter()
                .all(|chain| receiver.count(&chain.hook.slot) > 0)
        };
        receiver.wait(self.wait_limit(), all).await;
        let watched = || Watched {
            end: receiver.now(),
            stalled: receiver.stalled(begun, receiver.now()),
        };
        let Some(retry) = &promise.retry else {
            self.settle().await;
            return watched();
        };
        let speed = settings.clock_speed;
        let last = retry.total().map(|total| {
            let mut attempts = vec![0.0];
            while attempts.len() <= total && attempts.len() < 100_000 {
                match retry.due(attempts.len() - 1, &attempts) {
                    Some(due) => attempts.push(due.latest),
                    None => break,
                }
            }
            attempts.last().copied().unwrap_or(0.0) / speed
        });
        let horizon = last.map_or(settings.retry_wait, |last| {
            (last + 2.0 * settings.slack).min(settings.retry_wait)
        });
        let stopped = || self.hooks.session.stopped();
        let left = Duration::from_secs_f64((begun + horizon - receiver.now()).max(0.0));
        receiver.wait(left, stopped).await;
        let missing = retry.total().map(|total| {
            let late = chains.iter().filter(move |chain| {
                chain.expected(promise) == Expected::Retried
                    && receiver.count(&chain.hook.slot) <= total
            });
            late.collect::<Vec<_>>()
        });
        if let Some(late) = missing.filter(|late| !late.is_empty()) {
            let count = || {
                let counts = late.iter().map(|one| receiver.count(&one.hook.slot));
                counts.sum::<usize>()
            };
            loop {
                let (before, now) = (count(), receiver.now());
                let left = begun + settings.retry_wait - now;
                let pause = (settings.slack + receiver.stalled(begun, now)).min(left);
                let more = || count() > before || stopped();
                let pause = Duration::from_secs_f64(pause.max(0.0));
                if pause.is_zero() || !receiver.wait(pause, more).await || stopped() {
                    break;
                }
            }
        }
        let observed = due_within(retry, horizon * speed, settings.slack * speed);
        if retry.total().is_none_or(|total| total > observed)
            && let Some(due) = retry.due(observed, &vec![0.0; observed + 1])
            && due.usual > horizon * speed
        {
            let what = Untested::Retries {
                first: observed + 1,
                due: due.usual,
            };
            self.add(
                rules::TESTED,
                Severity::Info,
                event,
                DeliveryFault::Untested { what },
                None,
            );
        }
        watched()
    }

    /// A webhook of several did not get an event that it subscribed to.
    pub(super) fn missed(&mut self, event: &str) {
        let fault = DeliveryFault::FanOut {
            event: event.to_owned(),
            got: 0,
            of: 1,
        };
        self.add(rules::FAN_OUT, Severity::Breaking, event, fault, None);
    }

    /// Judges the attempts of one chain.
    pub(super) fn judge_chain(
        &mut self,
        event: &str,
        promise: &Promise,
        chain: &Chain,
        watched: Watched,
    ) {
        let arrivals = first_delivery(self.hooks.receiver.at(&chain.hook.slot), promise);
        let Some(first) = arrivals.first() else {
            self.missed(event);
            return;
        };
        self.deliveries += arrivals.len();
        for arrival in &arrivals {
            self.judge_one(&chain.hook, arrival);
        }
        self.redirected(event, chain);
        if let Reply::HugeBody(bytes) = chain.reply
            && let Some(arrival) = arrivals.iter().find(|one| one.read_to_end)
        {
            let fault = DeliveryFault::AnswerRead { bytes };
            let rule = rules::ANSWER_BOUNDED;
            self.add(rule, Severity::Warning, event, fault, Some(arrival));
        }
        self.constant(event, promise, &arrivals);
        let speed = self.hooks.settings.clock_speed;
        let elapsed = (watched.end - first.at) * speed;
        let times: Vec<f64> = arrivals
            .iter()
            .map(|one| (one.at - first.at) * speed)
            .collect();
        match chain.expected(promise) {
            Expected::Delivered if arrivals.len() > 1 => {
                let fault = DeliveryFault::SuccessRetried {
                    reply: chain.reply.words(),
                    attempts: arrivals.len(),
                };
                self.broken(rules::SUCCESS, event, fault, arrivals.last());
            }
            Expected::Ended if arrivals.len() > 1 => {
                let fault = DeliveryFault::TooMany {
                    reply: chain.reply.words(),
                    promised: 1,
                    found: arrivals.len(),
                };
                self.broken(rules::RETRY_COUNT, event, fault, arrivals.last());
            }
            Expected::Retried => {
                if let Some(retry) = &promise.retry {
                    let stalled = watched.stalled * speed;
                    self.retries(event, retry, chain, (&arrivals, &times), (elapsed, stalled));
                }
            }
            Expected::Delivered | Expected::Ended | Expected::Open => {}
        }
    }

    fn retries(
        &mut self,
        event: &str,
        retry: &Retry,
        chain: &Chain,
        (arrivals, times): (&[Arrival], &[f64]),
        (elapsed, stalled): (f64, f64),
    ) {
        let reply = chain.reply.words();
        let (receiver, speed) = (self.hooks.receiver, self.hooks.settings.clock_speed);
        let slack = self.hooks.settings.slack * speed;
        let due = due_within(retry, elapsed - stalled, slack);
        let asked = matches!(&chain.reply, Reply::Status { headers, .. } if !headers.is_empty());
        if asked && retry.retry_after {
            if let Some(found) = times.get(1)
                && *found + 0.5 * slack < f64::from(RETRY_AFTER)
            {
                let fault = DeliveryFault::RetryAfterIgnored {
                    asked: f64::from(RETRY_AFTER),
                    found: *found,
                };
                self.broken(rules::RETRY_AFTER, event, fault, arrivals.get(1));
            }
            return;
        }
        if arrivals.len() == 1 {
            if due >= 1
                && let Some(first) = retry.due(0, &[0.0])
            {
                let fault = DeliveryFault::FailureAccepted {
                    reply,
                    due: first.latest,
                };
                self.broken(rules::FAILURE, event, fault, arrivals.first());
            }
            return;
        }
        let seen = |from: f64, to: f64| {
            let at = |time: f64| arrivals[0].at + time / speed;
            receiver.stalled(at(from), at(to)) * speed
        };
        for index in 1..times.len() {
            let Some(due) = retry.due(index - 1, times) else {
                break;
            };
            // The first request may have been slow to arrive, so a retry may seem early by as much.
            let early = times[index] < due.earliest - 0.5 * slack;
            let busy = seen(times[index - 1], times[index]);
            let late = times[index] > due.latest + slack + busy;
            if early || late {
                let fault = DeliveryFault::Spacing {
                    reply: reply.clone(),
                    attempt: index + 1,
                    earliest: due.earliest,
                    latest: due.latest,
                    found: times[index],
                };
                self.broken(rules::RETRY_TIME, event, fault, arrivals.get(index));
                break;
            }
        }
        let found = arrivals.len();
        if found + due::excused(retry, times, elapsed, seen) < due + 1 {
            let fault = DeliveryFault::TooFew {
                reply: reply.clone(),
                promised: due + 1,
                found,
            };
            self.broken(rules::RETRY_COUNT, event, fault, arrivals.last());
        }
        if let Some(latest) = due::latest(retry, found - 1)
            && times[found - 1] > latest + slack + stalled
        {
            let fault = DeliveryFault::Spacing {
                reply: reply.clone(),
                attempt: found,
                earliest: latest,
                latest,
                found: times[found - 1],
            };
            self.broken(rules::RETRY_TIME, event, fault, arrivals.last());
        }
        if let Some(total) = retry.total()
            && found > total + 1
        {
            let fault = DeliveryFault::TooMany {
                reply,
                promised: total + 1,
                found,
            };
            self.broken(rules::RETRY_COUNT, event, fault, arrivals.last());
        }
    }

    /// Checks what must stay the same on all attempts, and what must not.
    fn constant(&mut self, event: &str, promise: &Promise, arrivals: &[Arrival]) {
        let first = &arrivals[0];
        let signing = self
            .judge
            .events
            .iter()
            .find(|one| one.name == event)
            .and_then(|one| one.description.signing.clone());
        for (index, arrival) in arrivals.iter().enumerate().skip(1) {
            let attempt = index + 1;
            let before = &arrivals[index - 1];
            // Where the signature or the time is part of the body, that changes with them.
            let in_body = signing
                .as_ref()
                .is_some_and(crate::hooks::Signing::is_in_body);
            if arrival.message.body != first.message.body && !in_body {
                let pairs = first.message.body.iter().zip(&arrival.message.body);
                let byte = pairs.take_while(|(one, other)| one == other).count();
                self.broken(
                    rules::BYTES,
                    event,
                    DeliveryFault::BytesChanged { attempt, byte },
                    Some(arrival),
                );
            }
            if let Some(location) = &promise.id {
                let (one, other) = (
                    location.value(&first.message),
                    location.value(&arrival.message),
                );
                if let (Some(first), Some(found)) = (one, other)
                    && first != found
                {
                    self.broken(
                        rules::ID,
                        event,
                        DeliveryFault::IdChanged { first, found },
                        Some(arrival),
                    );
                }
            }
            let (Some(signing), Some(retry)) = (&signing, &promise.retry) else {
                continue;
            };
            let texts = |arrival: &Arrival| signing.signature_text(&arrival.message);
            if !retry.fresh && texts(arrival) != texts(first) {
                self.broken(
                    rules::SIGNED_ANEW,
                    event,
                    DeliveryFault::SignedAnew { attempt },
                    Some(arrival),
                );
            }
            let apart = (arrival.at - before.at) * self.hooks.settings.clock_speed;
            let time = signing.time(&arrival.message);
            if retry.fresh
                && apart >= 2.0
                && time.is_some()
                && time == signing.time(&before.message)
            {
                self.broken(
                    rules::SIGNED_ANEW,
                    event,
                    DeliveryFault::NotSignedAnew { attempt },
                    Some(arrival),
                );
            }
        }
    }

    /// A request to where a redirect leads.
    fn redirected(&mut self, event: &str, chain: &Chain) {
        let Reply::Redirect(status) = chain.reply else {
            return;
        };
        if self.promise_of(event).redirects == Redirects::Follow {
            return;
        }
        let arrivals = self.hooks.receiver.arrivals();
        let followed = arrivals
            .iter()
            .find(|one| one.slot == chain.hook.slot && !one.below.is_empty());
        if let Some(arrival) = followed {
            self.broken(
                rules::REDIRECT,
                event,
                DeliveryFault::RedirectFollowed { status },
                Some(arrival),
            );
        }
    }
}

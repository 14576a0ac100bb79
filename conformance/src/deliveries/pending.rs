//! Pending deliveries of a webhook that is disabled or deleted: cancelled, paused or continued, as `afterDisable` and `afterDelete` promise.

use std::time::Duration;

use super::due::due_within;
use super::hook::{Hook, User};
use super::reply::{Reply, Script};
use super::run::{Over, Run};
use crate::finding::{DeliveryFault, Ended, Severity, Untested};
use crate::hooks::{Pending, Promise, Retry};
use crate::rule::deliveries as rules;

/// A webhook that fails, and is disabled or deleted while a retry is pending.
pub(super) struct Ending {
    hook: Hook,
    after: Ended,
    promised: Pending,
    /// When it was disabled or deleted, by the receiver's time; none where it was not.
    at: Option<f64>,
    /// When the server was asked to enable it again, and did.
    resumed: Option<f64>,
}

impl Run<'_> {
    /// Registers the webhooks, where the API can disable or delete them and the document promises what then happens.
    pub(super) async fn endings(
        &mut self,
        first: &str,
        promise: &Promise,
    ) -> Result<Vec<Ending>, Over> {
        let Some(api) = self.hooks.api else {
            return Ok(Vec::new());
        };
        if promise.retry.is_none() {
            return Ok(Vec::new());
        }
        let kinds = [
            (
                api.disable.is_some(),
                Ended::Disabled,
                promise.after_disable,
            ),
            (
                api.unregister.is_some(),
                Ended::Deleted,
                promise.after_delete,
            ),
        ];
        let mut endings = Vec::new();
        for (_, after, promised) in kinds.into_iter().filter(|(possible, ..)| *possible) {
            let script = Script::always(Reply::status(500));
            let hook = self
                .register(&[first.to_owned()], &script, User::First)
                .await?
                .remove(0);
            endings.push(Ending {
                hook,
                after,
                promised,
                at: None,
                resumed: None,
            });
        }
        Ok(endings)
    }

    /// Disables and deletes them, once their deliveries have failed for the first time.
    pub(super) async fn end(&mut self, first: &str, endings: &mut [Ending]) {
        let receiver = self.hooks.receiver;
        let all = || endings.iter().all(|one| receiver.count(&one.hook.slot) > 0);
        receiver.wait(self.wait_limit(), all).await;
        for ending in endings {
            let done = match ending.after {
                Ended::Disabled => self.hooks.disable(&ending.hook).await,
                _ => self.hooks.delete(&ending.hook).await,
            };
            if done == Some(true) {
                ending.at = Some(receiver.now());
            } else {
                let after = ending.after;
                let what = Untested::Ending { after };
                let fault = DeliveryFault::Untested { what };
                self.add(rules::TESTED, Severity::Info, first, fault, None);
            }
        }
    }

    /// Enables the disabled webhook again where its delivery should only be paused: after its first retry was due, and while others are.
    pub(super) async fn resume(&mut self, promise: &Promise, endings: &mut [Ending]) {
        let settings = self.hooks.settings;
        let receiver = self.hooks.receiver;
        let Some(due) = promise
            .retry
            .as_ref()
            .and_then(|retry| retry.due(0, &[0.0]))
        else {
            return;
        };
        for ending in endings {
            let (Some(at), Pending::Pause) = (ending.at, ending.promised) else {
                continue;
            };
            let wait = due.latest / settings.clock_speed + settings.slack + self.grace(promise);
            if ending.after != Ended::Disabled || wait > settings.retry_wait {
                continue;
            }
            let left = Duration::from_secs_f64((at + wait - receiver.now()).max(0.0));
            receiver.wait(left, || self.hooks.session.stopped()).await;
            // The next attempt may come before the response.
            let asked = receiver.now();
            if self.hooks.enable(&ending.hook).await == Some(true) {
                ending.resumed = Some(asked);
            }
        }
    }

    /// Seconds by this machine's clock in which what is under way may still come.
    fn grace(&self, promise: &Promise) -> f64 {
        promise.grace / self.hooks.settings.clock_speed
    }

    /// Judges them when the time of the retries is over.
    pub(super) async fn judge_endings(
        &mut self,
        first: &str,
        promise: &Promise,
        endings: &[Ending],
    ) {
        let Some(retry) = &promise.retry else { return };
        let settings = self.hooks.settings;
        let receiver = self.hooks.receiver;
        for ending in endings {
            let (Some(at), slot) = (ending.at, &ending.hook.slot) else {
                continue;
            };
            let until = ending.resumed.unwrap_or(f64::INFINITY);
            let from = at + self.grace(promise) + settings.slack;
            let arrivals = receiver.at(slot);
            if arrivals.is_empty() {
                self.missed(first);
                continue;
            }
            let came = arrivals
                .iter()
                .filter(|one| one.at > from && one.at < until);
            let count = came.count();
            let after = ending.after;
            let mut broken = match ending.promised {
                Pending::Cancel | Pending::Pause => (count > 0).then_some(count),
                Pending::Continue => {
                    let begun = arrivals.first().map_or(at, |one| one.at);
                    let speed = settings.clock_speed;
                    let elapsed = (receiver.now() - begun) * speed;
                    let is_due = due_within(retry, elapsed, settings.slack * speed) > 0;
                    (arrivals.len() < 2 && is_due).then_some(0)
                }
            };
            if let (Some(resumed), Some(first), None) = (ending.resumed, arrivals.first(), broken) {
                let speed = settings.clock_speed;
                let since = |at: f64| (at - first.at) * speed;
                let until = since(receiver.now() - settings.slack);
                let is_due = is_due_between(retry, since(resumed), until);
                let again = arrivals.iter().any(|one| one.at > resumed);
                broken = (is_due && !again).then_some(0);
            }
            if let Some(count) = broken {
                let fault = DeliveryFault::Pending {
                    after,
                    promised: ending.promised,
                    count,
                };
                self.broken(rules::PENDING, first, fault, arrivals.last());
            }
        }
        let left = |one: &&Ending| one.after != Ended::Deleted || one.at.is_none();
        for ending in endings.iter().filter(left) {
            self.hooks.delete(&ending.hook).await;
        }
    }
}

/// Whether a retry is due between two moments, in seconds from the first attempt.
fn is_due_between(retry: &Retry, from: f64, until: f64) -> bool {
    let mut attempts = vec![0.0];
    while let Some(due) = retry.due(attempts.len() - 1, &attempts) {
        if due.latest > until {
            return false;
        }
        if due.earliest > from {
            return true;
        }
        attempts.push(due.usual);
    }
    false
}

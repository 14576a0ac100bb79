//! The answers that put promises to the test, and the rotation of secrets.

use std::time::Duration;

use super::hook::{Hook, Hooks, User};
use super::promise::{Chain, RETRY_AFTER};
use super::reply::{Reply, Script};
use super::run::{Over, Run};
use crate::finding::{DeliveryFault, Ended};
use crate::hooks::{Gone, Promise, Verdict};
use crate::rule::deliveries as rules;

/// The most answers that are waited for as one: registrations are cheap, and runs should be short.
const SUCCESSES: [u16; 4] = [200, 201, 202, 204];

/// How large a huge body is, in bytes: more than a sender should keep, and little enough to be read within a usual deadline.
const HUGE: usize = 32 * 1024 * 1024;

/// A webhook with a new secret.
pub(super) struct Rotated {
    old: Hook,
    new: Hook,
    /// When the overlap ends, by the receiver's time.
    end: f64,
}

impl Run<'_> {
    /// Retries, by answers of many kinds at once: each webhook has an answer of its own.
    pub(super) async fn promises(
        &mut self,
        first: &str,
        rotated: Option<Rotated>,
    ) -> Result<(), Over> {
        let promise = self.promise_of(first);
        let mut replies = vec![Reply::status(500)];
        replies.extend(
            SUCCESSES
                .into_iter()
                .filter(|status| promise.accepts(*status))
                .map(Reply::status),
        );
        replies.extend([
            Reply::status(404),
            Reply::status(410),
            Reply::Redirect(302),
            Reply::Redirect(307),
            Reply::Reset,
            Reply::status(503),
        ]);
        replies.push(Reply::HugeBody(HUGE));
        let retry_after = promise
            .retry
            .as_ref()
            .is_some_and(|retry| retry.retry_after);
        if retry_after {
            replies.push(Reply::Status {
                status: 429,
                headers: vec![("retry-after".to_owned(), RETRY_AFTER.to_string())],
            });
        }
        let mut chains = Vec::new();
        for reply in replies {
            let script = Script::always(reply.clone());
            let hook = self
                .register(&[first.to_owned()], &script, User::First)
                .await?
                .remove(0);
            chains.push(Chain { hook, reply });
        }
        let mut endings = self.endings(first, &promise).await?;
        let receiver = self.hooks.receiver;
        if !self.fire(first, &receiver.url(&chains[0].hook.slot)).await {
            return Ok(());
        }
        let begun = receiver.now();
        self.end(first, &mut endings).await;
        self.resume(&promise, &mut endings).await;
        let watched = self.watch(first, &promise, &chains, begun).await;
        self.hooks.certificates().await;
        for chain in &chains {
            self.judge_chain(first, &promise, chain, watched);
        }
        self.judge_endings(first, &promise, &endings).await;
        self.afterwards(first, &promise, &chains, rotated).await;
        for chain in &chains {
            self.hooks.delete(&chain.hook).await;
        }
        Ok(())
    }

    /// A webhook with a new secret, and a delivery during the overlap of both.
    pub(super) async fn rotation(&mut self, first: &str) -> Result<Option<Rotated>, Over> {
        if self.hooks.api.is_none_or(|api| api.rotate.is_none()) {
            return Ok(None);
        }
        let old = self
            .register(&[first.to_owned()], &Hooks::willing(), User::First)
            .await?
            .remove(0);
        let Some(new) = self.hooks.rotate(&old).await else {
            return Ok(None);
        };
        let overlap = self.promise_of(first).overlap.unwrap_or(0.0);
        let receiver = self.hooks.receiver;
        let settings = self.hooks.settings;
        let end = receiver.now() + overlap / settings.clock_speed;
        let rotated = Rotated { old, new, end };
        if overlap / settings.clock_speed > settings.slack {
            let slot = &rotated.old.slot;
            if !self.fire(first, &receiver.url(slot)).await {
                return Ok(None);
            }
            receiver
                .wait(self.wait_limit(), || receiver.count(slot) > 0)
                .await;
            self.hooks.certificates().await;
            self.judge_rotation(first, &rotated, 0, true);
        }
        Ok(Some(rotated))
    }

    /// Judges the delivery at an index by the secrets that should sign it.
    fn judge_rotation(&mut self, first: &str, rotated: &Rotated, index: usize, overlap: bool) {
        let Rotated { old, new, .. } = rotated;
        let Some(arrival) = self.hooks.receiver.at(&old.slot).get(index).cloned() else {
            return;
        };
        let body = arrival.message.json();
        let event = self.judge.event(&arrival, body.as_ref(), &old.events);
        let Some((event, signing)) =
            event.and_then(|event| Some((event, event.description.signing.as_ref()?)))
        else {
            return;
        };
        let verifies = |hook: &Hook| {
            signing.verify(hook.secrets(event), &arrival.message, None) == Verdict::Verified
        };
        let (new, old) = (verifies(new), verifies(old));
        if !new || overlap != old {
            let fault = DeliveryFault::Rotation { overlap, new, old };
            self.broken(rules::ROTATION, first, fault, Some(&arrival));
        }
    }

    /// What one more event shows: that a webhook which answered 410 gets nothing more, and that the old secret of a rotated one is out of use.
    async fn afterwards(
        &mut self,
        first: &str,
        promise: &Promise,
        chains: &[Chain],
        rotated: Option<Rotated>,
    ) {
        let receiver = self.hooks.receiver;
        let settings = self.hooks.settings;
        let gone = chains
            .iter()
            .find(|chain| promise.gone == Gone::Disable && chain.reply == Reply::status(410));
        let left = |rotated: &Rotated| rotated.end - receiver.now();
        let rotated = rotated.filter(|one| left(one) <= settings.retry_wait);
        if gone.is_none() && rotated.is_none() {
            return;
        }
        if let Some(rotated) = &rotated {
            // The sender's clock and ours may differ by as much.
            let wait = Duration::from_secs_f64((left(rotated) + settings.slack).max(0.0));
            receiver.wait(wait, || self.hooks.session.stopped()).await;
        }
        let count = |hook: &Hook| receiver.count(&hook.slot);
        let gone = gone.map(|chain| (&chain.hook, count(&chain.hook)));
        let other = rotated.as_ref().map_or(&chains[1].hook, |one| &one.old);
        let before = count(other);
        if !self.fire(first, &receiver.url(&other.slot)).await {
            return;
        }
        receiver
            .wait(self.wait_limit(), || count(other) > before)
            .await;
        if let Some(rotated) = &rotated {
            self.hooks.certificates().await;
            self.judge_rotation(first, rotated, before, false);
        }
        let Some((hook, before)) = gone else { return };
        self.settle().await;
        let arrivals = receiver.at(&hook.slot);
        if arrivals.len() > before {
            let fault = DeliveryFault::Unwanted {
                after: Ended::Gone,
                count: arrivals.len() - before,
            };
            self.broken(rules::ENDED, first, fault, arrivals.last());
        }
    }
}

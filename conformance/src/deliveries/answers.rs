//! The answers that put promises to the test, and the rotation of secrets.

use std::time::Duration;

use super::hook::{Hooks, User};
use super::promise::{Chain, RETRY_AFTER};
use super::reply::{Reply, Script};
use super::run::{Over, Run};
use crate::finding::DeliveryFault;
use crate::hooks::Verdict;
use crate::rule::deliveries as rules;

/// The most answers that are waited for as one: registrations are cheap, and runs should be short.
const SUCCESSES: [u16; 4] = [200, 201, 202, 204];

impl Run<'_> {
    /// Retries, by answers of many kinds at once: each webhook has an answer of its own.
    pub(super) async fn promises(&mut self, first: &str) -> Result<(), Over> {
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
        replies.push(Reply::HugeBody(32 * 1024 * 1024));
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
        let receiver = self.hooks.receiver;
        if !self.fire(first, &receiver.url(&chains[0].hook.slot)).await {
            return Ok(());
        }
        self.watch(first, &promise, &chains).await;
        for chain in &chains {
            self.judge_chain(first, &promise, chain);
        }
        self.gone(first, &promise, &chains).await;
        for chain in &chains {
            self.hooks.delete(&chain.hook).await;
        }
        Ok(())
    }

    /// Deliveries before, during and after the overlap of two secrets.
    pub(super) async fn rotation(&mut self, first: &str) -> Result<(), Over> {
        if self.hooks.api.is_none_or(|api| api.rotate.is_none()) {
            return Ok(());
        }
        let hook = self
            .register(&[first.to_owned()], &Hooks::willing(), User::First)
            .await?
            .remove(0);
        let Some(new) = self.hooks.rotate(&hook).await else {
            return Ok(());
        };
        let overlap = self.promise_of(first).overlap;
        let receiver = self.hooks.receiver;
        let settings = self.hooks.settings;
        let end = receiver.now() + overlap.unwrap_or(0.0) / settings.clock_speed;
        let mut stages =
            vec![overlap.is_some_and(|seconds| seconds / settings.clock_speed > settings.slack)];
        if stages[0] && end - receiver.now() <= settings.retry_wait {
            stages.push(false);
        }
        for (number, within) in stages.into_iter().enumerate() {
            if !within && number > 0 {
                let left = Duration::from_secs_f64((end - receiver.now()).max(0.0));
                receiver.wait(left, || false).await;
                self.settle().await;
            }
            let before = receiver.count(&hook.slot);
            if !self.fire(first, &receiver.url(&hook.slot)).await {
                return Ok(());
            }
            receiver
                .wait(self.wait_limit(), || receiver.count(&hook.slot) > before)
                .await;
            let Some(arrival) = receiver.at(&hook.slot).get(before).cloned() else {
                continue;
            };
            let Some(event) = self.judge.event(&arrival, &hook.events) else {
                continue;
            };
            let Some(signing) = &event.description.signing else {
                continue;
            };
            let verifies =
                |secrets| signing.verify(secrets, &arrival.message, None) == Verdict::Verified;
            let (new, old) = (verifies(&new.secrets), verifies(&hook.secrets));
            let wrong = !new || (within && !old) || (!within && old);
            if wrong {
                let fault = DeliveryFault::Rotation {
                    overlap: within,
                    new,
                    old,
                };
                self.broken(rules::ROTATION, first, fault, Some(&arrival));
            }
        }
        Ok(())
    }
}

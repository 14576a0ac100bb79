//! Receivers that do not answer, or never come to an end: others are not delayed, and the sender gives up when it promised to.

use std::time::Duration;

use super::hook::{Hook, User};
use super::reply::{Reply, Script};
use super::run::{Over, Run};
use crate::finding::DeliveryFault;
use crate::rule::deliveries as rules;

/// How many deliveries show whether a hanging receiver delays another one.
const BURST: usize = 5;

impl Run<'_> {
    /// A receiver that does not answer, and one whose answer does not end, beside one that does.
    pub(super) async fn isolation(&mut self, main: &[Hook], first: &str) -> Result<(), Over> {
        let Some(healthy) = Self::of(main, first).next() else {
            return Ok(());
        };
        let receiver = self.hooks.receiver;
        let settings = self.hooks.settings;
        let deadline = self.promise_of(first).deadline;
        // Longer than any sender should wait.
        let limit = deadline.map_or(settings.wait, |deadline| deadline * 2.0 + settings.slack);
        let limit = Duration::from_secs_f64(limit);
        let one = [first.to_owned()];
        let mut slow = Vec::new();
        for reply in [Reply::Hang(limit), Reply::Drip(limit)] {
            let script = Script::always(reply.clone());
            let hook = self.register(&one, &script, User::First).await?.remove(0);
            slow.push((hook, reply));
        }
        let url = receiver.url(&healthy.slot);
        let before = receiver.count(&healthy.slot) + 1;
        if !self.fire(first, &url).await {
            return Ok(());
        }
        // What follows comes while the first one hangs: before that, nothing could be in its way.
        let hangs = || receiver.count(&slow[0].0.slot) > 0;
        if !receiver.wait(self.wait_limit(), hangs).await {
            self.missed(first);
        }
        let begun = receiver.now();
        let mut fired = 0;
        for _ in 0..BURST {
            fired += usize::from(self.fire(first, &url).await);
        }
        let all = || receiver.count(&healthy.slot) >= before + fired;
        // Within the time of one hanging attempt: a sender that waits for it is later.
        let patience = deadline
            .map_or(settings.wait / 2.0, |deadline| deadline * 0.6)
            .max(settings.slack);
        let in_time = receiver.wait(Duration::from_secs_f64(patience), all).await;
        if !in_time {
            let came = receiver.wait(self.wait_limit(), all).await;
            let fault = DeliveryFault::Delayed {
                seconds: came.then(|| receiver.now() - begun),
                got: receiver.count(&healthy.slot).saturating_sub(before),
                of: fired,
            };
            self.broken(rules::ISOLATED, first, fault, None);
        }
        if let Some(promised) = deadline {
            self.deadline(first, promised, &slow).await;
        }
        for (hook, _) in &slow {
            self.hooks.delete(hook).await;
        }
        Ok(())
    }

    /// Whether the sender hung up when it should.
    async fn deadline(&mut self, event: &str, promised: f64, slow: &[(Hook, Reply)]) {
        let receiver = self.hooks.receiver;
        let slack = self.hooks.settings.slack;
        if promised + slack > self.hooks.settings.retry_wait {
            return;
        }
        let end_of = |hook: &Hook| receiver.first(&hook.slot).map(|one| one.abandoned);
        let all = || {
            slow.iter()
                .all(|(hook, _)| end_of(hook).flatten().is_some())
        };
        let limit = Duration::from_secs_f64(promised + 2.0 * slack);
        receiver.wait(limit, all).await;
        for (hook, reply) in slow {
            let Some(arrival) = receiver.first(&hook.slot) else {
                self.missed(event);
                continue;
            };
            let found = arrival.abandoned.map(|end| end - arrival.at);
            let busy = receiver.stalled(arrival.at, arrival.abandoned.unwrap_or(receiver.now()));
            let late = found.is_none_or(|found| found > promised + slack + busy);
            // A sender need not read a body to its end: the status came at once.
            let early = matches!(reply, Reply::Hang(_))
                && found.is_some_and(|found| found < promised - slack);
            if late || early {
                let fault = DeliveryFault::Deadline {
                    reply: reply.words(),
                    promised,
                    found,
                };
                self.broken(rules::DEADLINE, event, fault, Some(&arrival));
            }
        }
    }
}

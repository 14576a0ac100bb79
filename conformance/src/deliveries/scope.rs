//! The recipients of an event and when they get it: order, subscriptions, disabled and deleted webhooks, other accounts, and a receiver
//! that hangs.

use std::time::Duration;

use super::hook::{Hook, Hooks, User};
use super::run::{Over, Run};
use crate::finding::{DeliveryFault, Ended, Severity};
use crate::hooks::Order;
use crate::rule::deliveries as rules;

impl Run<'_> {
    /// Events in quick succession, where their order is promised.
    pub(super) async fn order(&mut self, main: &[Hook]) {
        if self.hooks.promise.order != Order::PerWebhook {
            return;
        }
        let receiver = self.hooks.receiver;
        let Some(hook) = main.first() else { return };
        let before = receiver.count(&hook.slot);
        let events: Vec<String> = hook
            .events
            .iter()
            .filter(|name| self.observed.contains(name))
            .take(4)
            .cloned()
            .collect();
        let mut triggered = Vec::new();
        for name in events.iter().cycle().take(8) {
            if self.fire(name, &receiver.url(&hook.slot)).await {
                triggered.push(name.clone());
            }
        }
        receiver
            .wait(self.wait_limit(), || {
                receiver.count(&hook.slot) >= before + triggered.len()
            })
            .await;
        let arrived = receiver.at(&hook.slot);
        let found: Vec<String> = arrived
            .iter()
            .skip(before)
            .filter_map(|arrival| self.event_of(hook, arrival).map(str::to_owned))
            .collect();
        if found != triggered && found.len() == triggered.len() {
            self.broken(
                rules::ORDER,
                &events[0],
                DeliveryFault::Order { triggered, found },
                None,
            );
        }
    }

    /// Checks which webhooks get an event and which do not: other subscriptions, disabled and deleted webhooks, another account.
    pub(super) async fn scope(
        &mut self,
        main: &[Hook],
        first: &str,
        names: &[String],
    ) -> Result<(), Over> {
        let one = [first.to_owned()];
        let willing = Hooks::willing();
        let other = self.register(&one, &willing, User::First).await?.remove(0);
        let deleted = self.register(&one, &willing, User::First).await?.remove(0);
        let disabled = self.register(&one, &willing, User::First).await?.remove(0);
        let foreign = if self.hooks.settings.second.headers.is_empty() {
            None
        } else {
            Some(self.register(&one, &willing, User::Second).await?.remove(0))
        };
        let is_deleted = self.hooks.delete(&deleted).await == Some(true);
        let is_disabled = self.hooks.disable(&disabled).await == Some(true);
        let receiver = self.hooks.receiver;
        // Until then a delivery of what happens now may be under way.
        let settings = self.hooks.settings;
        let grace = self.promise_of(first).grace / settings.clock_speed;
        let grace = Duration::from_secs_f64(grace.min(settings.retry_wait));
        receiver.wait(grace, || self.hooks.session.stopped()).await;
        let mains: Vec<&Hook> = Self::of(main, first).collect();
        let before: Vec<usize> = mains
            .iter()
            .map(|hook| self.deliveries_of(hook, first).len())
            .collect();
        let second = names
            .iter()
            .find(|name| *name != first && self.observed.contains(name));
        if let Some(second) = second {
            self.fire(second, &receiver.url(&other.slot)).await;
        }
        if !self.fire(first, &receiver.url(&other.slot)).await {
            return Ok(());
        }
        let more = |slot: &str, before: usize| receiver.count(slot) > before;
        receiver
            .wait(self.wait_limit(), || {
                more(&other.slot, 0)
                    && mains
                        .iter()
                        .zip(&before)
                        .all(|(hook, before)| more(&hook.slot, *before))
            })
            .await;
        self.settle().await;
        let mut got = usize::from(!self.deliveries_of(&other, first).is_empty());
        for (hook, before) in mains.iter().zip(&before) {
            got += usize::from(self.deliveries_of(hook, first).len() > *before);
        }
        let of = 1 + mains.len();
        if got < of {
            let fault = DeliveryFault::FanOut {
                event: first.to_owned(),
                got,
                of,
            };
            self.add(rules::FAN_OUT, Severity::Breaking, first, fault, None);
        }
        self.hooks.certificates().await;
        for arrival in receiver.at(&other.slot) {
            self.deliveries += 1;
            self.judge_one(&other, &arrival);
            // The secret of the other one is known to that one only.
            for main in &mains {
                self.foreign_leaks(main, first, &arrival);
            }
        }
        let unwanted = [
            (is_deleted, Some(&deleted), Ended::Deleted, rules::ENDED),
            (is_disabled, Some(&disabled), Ended::Disabled, rules::ENDED),
            (true, foreign.as_ref(), Ended::Foreign, rules::OWN_ACCOUNT),
        ];
        for (applies, hook, after, rule) in unwanted {
            let arrivals = hook.map(|hook| receiver.at(&hook.slot)).unwrap_or_default();
            if applies && let Some(last) = arrivals.last() {
                let fault = DeliveryFault::Unwanted {
                    after,
                    count: arrivals.len(),
                };
                self.broken(rule, first, fault, Some(last));
            }
        }
        // They would get what follows.
        for hook in [Some(&other), Some(&disabled), foreign.as_ref()]
            .into_iter()
            .flatten()
        {
            self.hooks.delete(hook).await;
        }
        Ok(())
    }
}

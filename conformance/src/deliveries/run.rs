//! The course of a run: register, trigger, wait, judge; then scope, isolation, promises and rotation; clean up in any case.

use std::time::Duration;

use super::hook::{Hook, Hooks, Refused, User};
use super::judge::Judge;
use super::receiver::Arrival;
use super::reply::Script;
use super::sheet::Sheet;
use super::trigger::Trigger;
use crate::finding::{DeliveryFault, Severity, Untested};
use crate::hooks::DELIVERY;
use crate::rule::deliveries as rules;

pub(super) struct Run<'a> {
    pub(super) hooks: &'a Hooks<'a>,
    pub(super) judge: &'a Judge<'a>,
    pub(super) sheet: Sheet,
    /// The event types that arrived at least once.
    pub(super) observed: Vec<String>,
    /// How many deliveries were judged.
    pub(super) deliveries: usize,
    /// The event types whose signature was shown to notice changes.
    pub(super) proven: Vec<String>,
}

/// The run cannot go on.
pub(super) struct Over;

impl<'a> Run<'a> {
    pub(super) fn new(hooks: &'a Hooks<'a>, judge: &'a Judge<'a>) -> Self {
        Self {
            hooks,
            judge,
            sheet: Sheet::default(),
            observed: Vec::new(),
            deliveries: 0,
            proven: Vec::new(),
        }
    }

    /// Everything that can be put to the test.
    pub(super) async fn all(&mut self) {
        self.judge.weaknesses(&mut self.sheet);
        let done = self.course().await;
        if done.is_ok() || !self.observed.is_empty() {
            self.coverage();
        }
    }

    async fn course(&mut self) -> Result<(), Over> {
        let names: Vec<String> = self
            .judge
            .events
            .iter()
            .map(|event| event.name.clone())
            .collect();
        let main = self
            .register(&names, &Hooks::willing(), User::First)
            .await?;
        self.events(&main, &names).await;
        if self.hooks.settings.no_promises
            || matches!(self.hooks.trigger, Trigger::None)
            || self.observed.is_empty()
        {
            return Ok(());
        }
        // An event that was seen to arrive shows the most.
        let first = self.observed[0].clone();
        self.order(&main).await;
        if self.hooks.api.is_none() {
            return Ok(());
        }
        self.scope(&main, &first, &names).await?;
        let rotated = self.rotation(&first).await?;
        self.isolation(&main, &first).await?;
        self.promises(&first, rotated).await
    }

    pub(super) async fn register(
        &mut self,
        events: &[String],
        script: &Script,
        user: User,
    ) -> Result<Vec<Hook>, Over> {
        if self.hooks.session.stopped() {
            return Err(Over);
        }
        match self.hooks.register(events, script, user).await {
            Ok(hooks) => Ok(hooks),
            Err(refused) => {
                self.refused(refused);
                Err(Over)
            }
        }
    }

    fn refused(&mut self, refused: Refused) {
        let (what, exchange) = *refused;
        let operation = self
            .hooks
            .api
            .map(|api| &self.hooks.session.operations[api.register]);
        let (subject, at) = operation.map_or((DELIVERIES.to_owned(), String::new()), |one| {
            (one.subject(), one.pointer.clone())
        });
        let mut finding = self.judge.finding(
            rules::TESTED,
            Severity::Undecided,
            (&subject, &at),
            DeliveryFault::Untested { what },
            None,
        );
        finding.exchange = exchange.map(|exchange| exchange.record(self.judge.hidden));
        self.sheet.add(finding);
    }

    pub(super) async fn fire(&mut self, event: &str, url: &str) -> bool {
        match self.hooks.fire(event, url).await {
            Ok(()) => true,
            Err(cause) => {
                let what = Untested::Trigger {
                    event: event.to_owned(),
                    cause,
                };
                self.add(
                    rules::TESTED,
                    Severity::Undecided,
                    event,
                    DeliveryFault::Untested { what },
                    None,
                );
                false
            }
        }
    }

    /// Adds a finding about an event type.
    pub(super) fn add(
        &mut self,
        rule: &'static str,
        severity: Severity,
        event: &str,
        fault: DeliveryFault,
        arrival: Option<&Arrival>,
    ) {
        let known = self.judge.named(event);
        let (subject, at) = known.map_or((DELIVERIES.to_owned(), String::new()), |one| {
            (one.operation.subject(), one.operation.pointer.clone())
        });
        let finding = self
            .judge
            .finding(rule, severity, (&subject, &at), fault, arrival);
        self.sheet.add(finding);
    }

    /// Adds a finding about a promise.
    pub(super) fn broken(
        &mut self,
        rule: &'static str,
        event: &str,
        fault: DeliveryFault,
        arrival: Option<&Arrival>,
    ) {
        let known = self.judge.named(event);
        let subject = known.map_or(DELIVERIES.to_owned(), |one| one.operation.subject());
        let at = known
            .map(|one| format!("{}/{DELIVERY}", one.operation.pointer))
            .filter(|at| self.judge.document.at(at).is_some());
        let at = at.unwrap_or_else(|| format!("/{DELIVERY}"));
        let finding = self
            .judge
            .finding(rule, Severity::Breaking, (&subject, &at), fault, arrival);
        self.sheet.add(finding);
    }

    pub(super) fn wait_limit(&self) -> Duration {
        Duration::from_secs_f64(self.hooks.settings.wait)
    }

    /// Waits for as long as what should not come might take.
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing tells that nothing comes"
    )]
    pub(super) async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs_f64(self.hooks.settings.slack)).await;
    }

    pub(super) fn of<'h>(hooks: &'h [Hook], event: &str) -> impl Iterator<Item = &'h Hook> {
        hooks
            .iter()
            .filter(move |hook| hook.events.iter().any(|one| one == event))
    }

    /// Triggers each event type once, and judges what arrives.
    async fn events(&mut self, main: &[Hook], names: &[String]) {
        let receiver = self.hooks.receiver;
        let mut fired = Vec::new();
        for name in names {
            if self.hooks.session.stopped() {
                break;
            }
            let url = Self::of(main, name)
                .next()
                .map(|hook| receiver.url(&hook.slot))
                .unwrap_or_default();
            if self.fire(name, &url).await {
                fired.push(name.clone());
            }
        }
        let total = || {
            main.iter()
                .map(|hook| receiver.count(&hook.slot))
                .sum::<usize>()
        };
        let begun = receiver.now();
        let passive = matches!(self.hooks.trigger, Trigger::None);
        let wanted = match self.hooks.settings.deliveries {
            Some(count) if passive => count,
            None if passive => usize::MAX,
            _ => fired.len(),
        };
        receiver
            .wait(self.wait_limit(), || {
                total() >= wanted || self.hooks.session.stopped()
            })
            .await;
        if !passive {
            // Duplicates and what was not subscribed to come right after.
            self.settle().await;
        }
        self.hooks.certificates().await;
        for hook in main {
            self.judge_all(hook);
        }
        if passive {
            return;
        }
        let waited = receiver.now() - begun;
        for name in fired {
            if !self.observed.contains(&name) {
                let fault = DeliveryFault::Missing {
                    event: name.clone(),
                    waited,
                };
                self.add(rules::ARRIVES, Severity::Breaking, &name, fault, None);
            }
        }
        self.handshakes(main);
    }

    /// Declared handshakes that were not made.
    fn handshakes(&mut self, main: &[Hook]) {
        let declared = !self.hooks.promise.handshake.is_empty();
        if declared && self.hooks.api.is_some() {
            let arrivals = self.hooks.receiver.arrivals();
            let made = |hook: &Hook| {
                arrivals
                    .iter()
                    .any(|one| one.slot == hook.slot && one.handshake)
            };
            if !main.iter().all(made) {
                let fault = DeliveryFault::NoHandshake;
                let finding = self.judge.finding(
                    rules::HANDSHAKE,
                    Severity::Undecided,
                    (DELIVERIES, &format!("/{DELIVERY}/handshake")),
                    fault,
                    None,
                );
                self.sheet.add(finding);
            }
        }
    }

    /// Event types that did not arrive.
    fn coverage(&mut self) {
        let names: Vec<String> = self
            .judge
            .events
            .iter()
            .map(|event| event.name.clone())
            .collect();
        let severity = if self.hooks.settings.fail_on_unobserved.is_some() {
            Severity::Undecided
        } else {
            Severity::Info
        };
        for name in names
            .iter()
            .filter(|name| !self.observed.contains(name))
            .cloned()
            .collect::<Vec<_>>()
        {
            let told = self.sheet.findings.iter().any(|finding| {
                finding.rule == rules::ARRIVES && matches!(&finding.message, crate::finding::Message::Delivery(DeliveryFault::Missing { event, .. }) if *event == name)
            });
            if !told {
                self.add(
                    rules::OBSERVED,
                    severity,
                    &name,
                    DeliveryFault::NotObserved,
                    None,
                );
            }
        }
    }
}

/// The subject of findings that belong to no webhook.
pub(super) const DELIVERIES: &str = "deliveries";

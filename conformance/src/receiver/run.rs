//! One run: sends deliveries, keeps what was found, and goes through the events.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::effect::{Effect, Observation};
use super::event::{Draft, Event};
use super::{Options, Outcome, ReceiverError, forge, identity};
use crate::clock;
use crate::document::Document;
use crate::exchange::{Client, Exchange, Secrets};
use crate::finding::{Failure, Finding, HandlerGap, ReceiverFault, Severity, Unchecked};
use crate::hooks::{Algorithm, Carrier, Message, Required, SignError, Signing};
use crate::rule::receiver as rules;

/// A run against one handler.
pub(super) struct Run<'r> {
    pub(super) options: &'r Options,
    pub(super) client: Client,
    secrets: Secrets,
    pub(super) effect: Option<Effect>,
    /// Whether a delivery had an effect that was seen.
    pub(super) moved: Cell<bool>,
    findings: RefCell<Vec<Finding>>,
    /// Kinds of findings that follow from others.
    forgotten: RefCell<Vec<String>>,
    /// The index of the finding of each kind, which other requests may show too.
    known: RefCell<HashMap<String, usize>>,
    pub(super) requests: Cell<usize>,
    pub(super) answered: Cell<usize>,
    pub(super) last: RefCell<Option<Exchange>>,
    number: Cell<u64>,
    /// How many requests are under way.
    pub(super) under_way: Cell<usize>,
    /// The handler ended, and nobody started it again.
    pub(super) is_down: Cell<bool>,
}

impl<'r> Run<'r> {
    /// Connects to the handler, and looks at the effect.
    pub(super) async fn open(
        options: &'r Options,
        document: &Document,
        events: &[Event<'_>],
    ) -> Result<Self, ReceiverError> {
        for event in events {
            let schemes = event
                .description
                .signing
                .iter()
                .flat_map(|one| &one.schemes);
            let mut required = schemes.filter(|scheme| scheme.required == Required::Always);
            // Recorded deliveries have their signatures.
            if required.next().is_some() && event.secrets.is_empty() && options.recorded.is_empty()
            {
                let is_shared = event.description.signing.iter().all(Signing::is_shared);
                return Err(match is_shared {
                    true => ReceiverError::NoSecret(event.subject.clone()),
                    false => ReceiverError::NoPrivateKey(event.subject.clone()),
                });
            }
        }
        let timeout = Duration::try_from_secs_f64(options.timeout);
        let client = Client::new(
            timeout.unwrap_or(Duration::from_secs(30)),
            &options.transport,
        )?;
        let reached = client.reach(&options.target).await;
        reached.map_err(|error| ReceiverError::Unreachable {
            url: options.target.clone(),
            cause: error.into_cause(),
        })?;
        let wait = Duration::try_from_secs_f64(options.effect_wait).unwrap_or_default();
        let run = Self {
            options,
            client,
            secrets: secrets(options, document, events),
            effect: options.effect.as_ref().map(|text| Effect::new(text, wait)),
            moved: Cell::new(false),
            findings: RefCell::default(),
            forgotten: RefCell::default(),
            known: RefCell::default(),
            requests: Cell::default(),
            answered: Cell::default(),
            last: RefCell::default(),
            number: Cell::new(options.nonce),
            under_way: Cell::default(),
            is_down: Cell::default(),
        };
        Ok(run.with_calm_effect().await)
    }

    /// Keeps the effect only if it can be seen, and stays the same while nothing is sent.
    async fn with_calm_effect(mut self) -> Self {
        let Some(effect) = &self.effect else {
            return self;
        };
        let gap = match (
            effect.observe(&self.client).await,
            effect.observe(&self.client).await,
        ) {
            (Ok(one), Ok(other)) if one == other => return self,
            (Ok(_), Ok(_)) => HandlerGap::Restless,
            (Err(cause), _) | (_, Err(cause)) => HandlerGap::Unobservable {
                cause: self.secrets.hide(&cause),
            },
        };
        self.gap(None, rules::EFFECT_UNDECIDED, Severity::Undecided, gap);
        self.effect = None;
        self
    }

    pub(super) async fn everything(&self, events: &[Event<'_>]) {
        let mut right = None;
        for event in events {
            if self.is_over() {
                break;
            }
            self.handshakes(event).await;
            if let Some(draft) = self.event(event).await {
                right.get_or_insert((event, draft));
            }
        }
        if let Some((event, draft)) = right
            && !self.is_down.get()
        {
            self.unknown_event(events, event, draft).await;
            self.gaps(events);
        }
    }

    /// Judges the handler by one event; the first payload that it accepts.
    async fn event<'e>(&self, event: &'e Event<'_>) -> Option<&'e Draft> {
        if event.samples.is_empty() {
            let gap = HandlerGap::NoPayload;
            self.gap(
                Some(event),
                rules::SIGNATURE_UNDECIDED,
                Severity::Undecided,
                gap,
            );
            return None;
        }
        let mut right = None;
        let mut moves = false;
        for sample in &event.samples {
            let message = match self.deliver(event, &sample.message) {
                Ok(message) => message,
                Err(error) => {
                    let cause = error.to_string();
                    let gap = HandlerGap::NotSigned { cause };
                    self.gap(
                        Some(event),
                        rules::SIGNATURE_UNDECIDED,
                        Severity::Undecided,
                        gap,
                    );
                    return None;
                }
            };
            let before = match right {
                None => self.look().await,
                Some(_) => None,
            };
            let exchange = self.send(&message).await?;
            if self.accepted(event, &sample.name, &exchange) && right.is_none() {
                right = Some(sample);
                if let Some(before) = before {
                    moves = self
                        .look_after(&before)
                        .await
                        .is_some_and(|after| after != before);
                    self.moved.set(self.moved.get() || moves);
                }
            }
        }
        let right = right?;
        self.variants(event, right).await;
        self.forged(event, right).await;
        self.broken(event, right).await;
        self.repeats(event, right, moves).await;
        Some(right)
    }

    /// Says what could not be decided for lack of something, once each.
    fn gaps(&self, events: &[Event<'_>]) {
        let undecided = Severity::Undecided;
        for event in events {
            let Some(signing) = event.signing() else {
                let gap = match event.description.signing {
                    None => HandlerGap::NoSigning,
                    Some(_) => HandlerGap::NoSecret,
                };
                self.gap(Some(event), rules::SIGNATURE_UNDECIDED, undecided, gap);
                continue;
            };
            if forge::has_time(signing) && forge::tolerance(signing).is_none() {
                let gap = HandlerGap::NoTolerance;
                self.gap(Some(event), rules::SIGNATURE_UNDECIDED, undecided, gap);
            }
        }
        let gap = match (&self.options.effect, &self.effect) {
            (None, _) => HandlerGap::NoEffect,
            (Some(_), Some(_)) if !self.moved.get() => HandlerGap::Unmoved,
            _ => return,
        };
        self.gap(events.first(), rules::EFFECT_UNDECIDED, undecided, gap);
    }

    /// A payload with a new id, signed now.
    pub(super) fn deliver(
        &self,
        event: &Event<'_>,
        payload: &Message,
    ) -> Result<Message, SignError> {
        let (message, id) = self.fresh(event, payload);
        self.sign(event, message, &id, clock::now())
    }

    /// A payload with a new id; the id.
    pub(super) fn fresh(&self, event: &Event<'_>, payload: &Message) -> (Message, String) {
        let mut message = payload.clone();
        let number = self.next_number();
        let id = identity::renew(event, &mut message, number);
        (
            message,
            id.unwrap_or_else(|| format!("{:016x}", identity::mix(number))),
        )
    }

    pub(super) fn sign(
        &self,
        event: &Event<'_>,
        mut message: Message,
        id: &str,
        at: jiff::Timestamp,
    ) -> Result<Message, SignError> {
        if let Some(signing) = event.signing() {
            signing.sign(&event.secrets, &mut message, id, at)?;
        }
        Ok(message)
    }

    /// A number that no delivery before was made of.
    pub(super) fn next_number(&self) -> u64 {
        let next = self.number.get().wrapping_add(1_000_003);
        self.number.set(next);
        identity::mix(next)
    }

    /// Returns the current effect; none where it is not observed.
    pub(super) async fn look(&self) -> Option<Observation> {
        self.effect.as_ref()?.settled(&self.client).await.ok()
    }

    /// Returns the effect once a delivery had it, or the time for it is over.
    pub(super) async fn look_after(&self, before: &Observation) -> Option<Observation> {
        let effect = self.effect.as_ref()?;
        effect
            .after(before, self.moved.get(), &self.client)
            .await
            .ok()
    }

    /// Whether a right delivery was accepted; if not, or too late, that is a finding.
    pub(super) fn accepted(&self, event: &Event<'_>, delivery: &str, exchange: &Exchange) -> bool {
        let delivery = delivery.to_owned();
        let rule = rules::DELIVERY_ACCEPTED;
        let breaking = Severity::Breaking;
        if let Some(failure) = exchange.failure.clone() {
            let key = "no-answer".to_owned();
            let fault = ReceiverFault::NoAnswer { delivery, failure };
            self.found(event, (rule, breaking), key, fault, Some(exchange));
            return false;
        }
        let Some(status) = status(exchange) else {
            return false;
        };
        if !event.accepts(status) {
            self.found(
                event,
                (rule, breaking),
                status.to_string(),
                refused(event, delivery, status),
                Some(exchange),
            );
            return false;
        }
        let deadline = self.options.deadline.or(event.description.promise.deadline);
        let seconds = exchange.duration.as_secs_f64();
        if let Some(deadline) = deadline.filter(|deadline| seconds > *deadline) {
            let fault = ReceiverFault::Late {
                delivery,
                seconds,
                deadline,
            };
            let rule = (rules::DELIVERY_IN_TIME, breaking);
            self.found(event, rule, String::new(), fault, Some(exchange));
        }
        true
    }

    /// Keeps a finding; the same kind of finding of another request only counts. `key` tells kinds of one rule apart.
    pub(super) fn found(
        &self,
        event: &Event<'_>,
        (rule, severity): (&'static str, Severity),
        key: String,
        fault: ReceiverFault,
        exchange: Option<&Exchange>,
    ) {
        let mut findings = self.findings.borrow_mut();
        let index = *self
            .known
            .borrow_mut()
            .entry(format!("{rule} {key}"))
            .or_insert(findings.len());
        if let Some(known) = findings.get_mut(index) {
            known.cases += 1;
            let new = known
                .used_by
                .tree
                .iter()
                .all(|user| user.subject != event.subject);
            if new {
                known.used_by.add(event.subject.clone());
            }
            return;
        }
        let mut finding = Finding::new(rule, severity, event.subject.clone(), fault);
        finding.old = Some(event.place.clone());
        finding.exchange = exchange.map(|exchange| exchange.record(&self.secrets));
        finding.used_by.add(event.subject.clone());
        findings.push(finding);
    }

    /// Keeps a finding of no event.
    pub(super) fn found_apart(
        &self,
        rule: &'static str,
        fault: ReceiverFault,
        exchange: Option<&Exchange>,
    ) {
        let mut finding = Finding::new(rule, Severity::Breaking, "handler".to_owned(), fault);
        finding.exchange = exchange.map(|exchange| exchange.record(&self.secrets));
        self.findings.borrow_mut().push(finding);
    }

    pub(super) fn gap(
        &self,
        event: Option<&Event<'_>>,
        rule: &'static str,
        severity: Severity,
        gap: HandlerGap,
    ) {
        let key = format!("{rule} {gap:?}");
        let mut findings = self.findings.borrow_mut();
        let mut known = self.known.borrow_mut();
        if known.contains_key(&key) {
            return;
        }
        known.insert(key, findings.len());
        let subject = event.map_or_else(|| "handler".to_owned(), |event| event.subject.clone());
        let mut finding = Finding::new(rule, severity, subject, ReceiverFault::NotDecided { gap });
        finding.old = event.map(|event| event.place.clone());
        findings.push(finding);
    }

    /// Leaves out the findings of a rule, or of one kind of it: they follow from another one.
    pub(super) fn forget(&self, rule: &str, key: &str) {
        self.forgotten.borrow_mut().push(format!("{rule} {key}"));
    }

    /// Whether a finding of this rule is there.
    pub(super) fn has(&self, rule: &str) -> bool {
        self.findings.borrow().iter().any(|one| one.rule == rule)
    }

    pub(super) fn outcome(self, events: &[Event<'_>]) -> Outcome {
        let requests = self.requests.get();
        let checked = BTreeMap::from([("events", events.len()), ("requests", requests)]);
        let cause = || match self.last.borrow().as_ref().map(|last| &last.failure) {
            Some(Some(failure)) => cause_of(failure),
            _ => String::new(),
        };
        let unchecked = if events.is_empty() {
            Some(Unchecked::Empty)
        } else if self.options.stop.is_stopped() {
            Some(Unchecked::Stopped { requests })
        } else if requests == 0 {
            Some(Unchecked::NoRequests {
                operations: events.len(),
                safe: false,
            })
        } else if self.answered.get() == 0 {
            let cause = cause();
            Some(Unchecked::NoAnswer { requests, cause })
        } else {
            None
        };
        let mut notes = Vec::new();
        if self.options.transport.insecure {
            notes.push("the handler's certificate was not verified (--insecure)".to_owned());
        }
        let forgotten = self.forgotten.into_inner();
        let left_out: Vec<usize> = self
            .known
            .into_inner()
            .into_iter()
            .filter(|(key, _)| forgotten.iter().any(|one| key.starts_with(one)))
            .map(|(_, index)| index)
            .collect();
        let all = self.findings.into_inner().into_iter().enumerate();
        Outcome {
            findings: all
                .filter(|(index, _)| !left_out.contains(index))
                .map(|(_, finding)| finding)
                .collect(),
            checked,
            unchecked,
            notes,
        }
    }
}

fn cause_of(failure: &Failure) -> String {
    match failure {
        Failure::Connect { cause } | Failure::Broken { cause } => cause.clone(),
        Failure::Timeout { seconds } => format!("no response within {seconds} s"),
        Failure::TooLarge { limit } => format!("a body of more than {limit} bytes"),
        Failure::Interrupted => "the run was stopped".to_owned(),
    }
}

/// The status of a complete response.
pub(super) fn status(exchange: &Exchange) -> Option<u16> {
    let response = exchange.response.as_ref();
    response
        .filter(|_| exchange.failure.is_none())
        .map(|response| response.status)
}

pub(super) fn refused(event: &Event<'_>, delivery: String, status: u16) -> ReceiverFault {
    let success = &event.description.promise.success;
    ReceiverFault::NotAccepted {
        delivery,
        status,
        success: success.iter().map(ToString::to_string).collect(),
    }
}

/// Collects the values that reports must not show: the secrets, and what carries them. A signature belongs to one message only, so it is
/// shown.
fn secrets(options: &Options, document: &Document, events: &[Event<'_>]) -> Secrets {
    let mut secrets = Secrets::new(document, &options.headers, options.show_secrets);
    for secret in &options.secrets {
        let signing = events.iter().flat_map(|event| &event.description.signing);
        let bare = signing.map(|signing| signing.bare(secret));
        // Of a scheme that one webhook names and another one does not know, both texts stay hidden.
        for secret in bare.chain([secret.as_str()]) {
            secrets.remember(secret);
            secrets.remember(&data_encoding::BASE64.encode(secret.as_bytes()));
        }
    }
    let schemes = events
        .iter()
        .flat_map(|event| &event.description.signing)
        .flat_map(|signing| &signing.schemes);
    for scheme in schemes {
        if let Carrier::Header(name) = &scheme.signature.location.carrier
            && scheme.algorithm != Algorithm::Token
        {
            secrets.reveal(name);
            secrets.reveal("signature-input");
        }
        for location in scheme
            .timestamp
            .iter()
            .filter_map(|time| time.location.as_ref())
        {
            if let Carrier::Header(name) = &location.carrier
                && scheme.algorithm != Algorithm::Token
            {
                secrets.reveal(name);
            }
        }
    }
    secrets
}

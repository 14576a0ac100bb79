//! Judges the webhooks that a server sends: receives them, and compares them with the document and its promises.
//!
//! Called by the command line. A run opens a [receiver](receiver::Receiver) on loopback, registers its URL through the API's own
//! operation, triggers every event type and judges what arrives; then it registers further webhooks whose answers put the promises of
//! `x-webhook-delivery` to the test. All webhooks that a run registered it deletes, also when it is interrupted.
//!
//! Not checked: bodies that are neither JSON nor empty, deliveries over HTTP/2, the chain and dates of certificates, and promises of
//! days without `--clock-speed`.

mod answers;
pub mod api;
mod change;
mod due;
mod event;
mod hook;
mod isolation;
mod judge;
mod keys;
mod observe;
mod pending;
mod promise;
pub mod receiver;
mod reconcile;
mod record;
pub mod reply;
mod run;
mod scope;
pub mod settings;
mod sheet;
pub mod trigger;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::Poll;

use thiserror::Error;

use crate::document::Document;
use crate::exchange::{Client, Secrets, TransportError};
use crate::finding::{DeliveryFault, Finding, Message, ReplayStep, Unchecked};
use crate::hooks::{self, Description, Fault};
use crate::schema::Schemas;
use crate::session::{Options, Session, SessionError, Subject};

pub use crate::session::Outcome;

pub use settings::Settings;

use api::{Api, ApiError};
use event::Event;
use hook::Hooks;
use judge::Judge;
use receiver::{Arrival, Place, Receiver, ReceiverError};
use run::Run;
use trigger::{Trigger, TriggerError};

/// The run could not begin.
#[derive(Debug, Error)]
pub enum DeliveriesError {
    /// The server cannot be asked.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The certificate or the proxy cannot be used.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The receiver cannot be opened.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
    /// It is not known how to register.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It is not known how to trigger.
    #[error(transparent)]
    Trigger(#[from] TriggerError),
    /// The document describes no webhook.
    #[error("the document has neither webhooks nor callbacks")]
    NoWebhooks,
    /// The description of webhooks cannot be used.
    #[error("the document describes its webhooks wrongly: {} at {}", .0.problem, .0.at)]
    Description(Fault),
    /// The record cannot be written.
    #[error("--record {file}: {source}")]
    Record {
        /// The file.
        file: String,
        /// The cause.
        source: io::Error,
    },
}

/// Judges the deliveries of a server.
///
/// # Errors
/// When the server cannot be reached, the receiver cannot be opened, or the document or the settings do not say how to register.
pub async fn check(
    options: &Options,
    settings: &Settings,
    document: &Document,
    nonce: u64,
    progress: &dyn Fn(ReplayStep),
) -> Result<Outcome, DeliveriesError> {
    let selection = options.selection();
    let events = events(document)?;
    let mut events: Vec<Event<'_>> = events
        .into_iter()
        .filter(|event| selection.selects(&event.operation))
        .collect();
    if events.is_empty() {
        return Err(DeliveriesError::NoWebhooks);
    }
    let names: Vec<String> = events.iter().map(|event| event.name.clone()).collect();
    let api = match settings.how.register.as_deref() {
        Some("none") => None,
        _ => Some(Api::find(document, &settings.how, &names)?),
    };
    // Operations are called whatever is selected: the selection is about webhooks.
    let calls = Options {
        include: Vec::new(),
        exclude: Vec::new(),
        ..options.clone()
    };
    let subject = Subject::new(document, &calls);
    let session = Session::open(&subject, &calls, progress).await?;
    let trigger = Trigger::of(&settings.how, document, &session.base)?;
    let listen = settings
        .listen
        .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    if let Some(file) = &settings.record {
        // A run is long: it should not end with this.
        record::open(file).map_err(|source| DeliveriesError::Record {
            file: file.display().to_string(),
            source,
        })?;
    }
    let receiver = Receiver::open(&Place {
        listen,
        public_url: settings.public_url.as_deref(),
        certificate: settings
            .tls_cert
            .as_deref()
            .zip(settings.tls_key.as_deref()),
    })
    .await?;
    let promise = events[0].description.promise.clone();
    let signings = event::signings(&mut events);
    let client = Client::new(options.timeout(), &options.transport)?;
    let fetched = keys::fetch(&signings, &settings.secrets, &client).await;
    let hooks = Hooks::new(
        &session,
        settings,
        &receiver,
        (&promise, &signings),
        (api.as_ref(), &trigger),
        (fetched, client),
        nonce,
    );
    let schemas = Schemas::new(document);
    let hidden: &Secrets = session.judge.secrets;
    let judge = Judge::new(document, &schemas, hidden, events);
    let mut run = Run::new(&hooks, &judge);
    {
        let mut all = std::pin::pin!(run.all());
        tokio::select! {
            () = &mut all => {}
            () = options.stop.stopped() => {
                // A registration whose answer is not awaited could not be deleted.
                hooks.is_stopping.set(true);
                std::future::poll_fn(|context| {
                    if hooks.registering.get() == 0 || all.as_mut().poll(context).is_ready() {
                        return Poll::Ready(());
                    }
                    if hooks.registering.get() == 0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
        }
    }
    if let Some(operation) = &settings.reconcile {
        run.reconcile(operation).await?;
    }
    let left = hooks.clean_up().await;
    let mut notes = Vec::new();
    if !left.is_empty() {
        notes.push(format!(
            "webhooks that could not be deleted: {}",
            left.join(", ")
        ));
    }
    if receiver.dropped() > 0 {
        notes.push(format!(
            "{} further deliveries were not looked at",
            receiver.dropped()
        ));
    }
    let arrivals = receiver.arrivals();
    if let Some(file) = &settings.record {
        let event = |arrival: &Arrival| {
            let body = arrival.message.json();
            let event = judge.event(arrival, body.as_ref(), &[])?;
            Some(event.name.clone())
        };
        let written = record::write(file, &arrivals, hidden, event);
        written.map_err(|source| DeliveriesError::Record {
            file: file.display().to_string(),
            source,
        })?;
    }
    let mut findings = run.sheet.findings;
    for finding in &mut findings {
        finding.message.redact(&|text| hidden.hide(text));
    }
    let waited = settings.wait;
    // That an event was not seen proves nothing where nothing was to be.
    let unseen =
        |one: &Finding| matches!(one.message, Message::Delivery(DeliveryFault::NotObserved));
    let nothing = arrivals.is_empty() && findings.iter().all(unseen);
    let unchecked = if options.stop.is_stopped() {
        Some(Unchecked::Stopped {
            requests: hooks.requests.get(),
        })
    } else if nothing {
        Some(Unchecked::NoDelivery {
            url: receiver.url(""),
            seconds: waited,
        })
    } else {
        None
    };
    let checked = BTreeMap::from([
        ("webhooks", run.observed.len()),
        ("deliveries", run.deliveries),
        ("requests", hooks.requests.get()),
    ]);
    Ok(Outcome {
        server: session.base.clone(),
        findings,
        checked,
        sent: Vec::new(),
        coverage: None,
        unchecked,
        notes,
    })
}

/// The webhooks and callbacks of a document, each with its description.
fn events(document: &Document) -> Result<Vec<Event<'_>>, DeliveriesError> {
    let mut events = Vec::new();
    for (name, operation) in hooks::deliveries(document) {
        let description = Description::of(document, &operation.pointer)
            .map_err(|mut faults| DeliveriesError::Description(faults.remove(0)))?;
        events.push(Event::new(document, name, operation, description));
    }
    Ok(events)
}

//! Publishers: clients that hand events to the server, as fast as it answers or at a steady rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::connection::Connection;
use crate::message;
use crate::moment::{nanoseconds, seconds};
use crate::receiver::{FIRST_NUMBER, Ledger};
use crate::server::{JSON, OPERATOR};
use crate::svix::Application;

/// The events to publish, and how.
#[derive(Clone)]
pub(crate) struct Load {
    /// The server.
    pub(crate) server: SocketAddr,
    /// How many clients publish, each on a connection of its own.
    pub(crate) clients: u64,
    /// How many events at most.
    pub(crate) events: u64,
    /// For how long.
    pub(crate) time: Duration,
    /// Events a second of all clients together; without, each publishes again as soon as it is answered.
    pub(crate) rate: Option<f64>,
    /// For whom.
    pub(crate) audience: Audience,
}

/// For whom events are published, and thereby over which API.
#[derive(Clone)]
pub(crate) enum Audience {
    /// Accounts of our server, in turn.
    Accounts(Vec<String>),
    /// An application of Svix.
    Application(Arc<Application>),
}

impl Audience {
    /// The request that publishes event `n`, which is answered 202.
    fn publication(&self, event: u64) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Accounts(accounts) => {
                let turn = usize::try_from(event)? % accounts.len();
                Ok(publication(event, &accounts[turn]))
            }
            // The account in the data is one of ours, so that the data has the same size.
            Self::Application(application) => Ok(application.publication(&data(event, "F10001"))),
        }
    }
}

/// The publication of events `0..count`.
pub(crate) struct Published {
    /// How many events.
    pub(crate) count: u64,
    /// When the first request was sent.
    pub(crate) began: u64,
    /// When the last answer came.
    pub(crate) ended: u64,
    /// When each event's request was sent.
    sent: Vec<AtomicU64>,
}

impl Published {
    /// Events answered a second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / seconds(self.began, self.ended)
    }

    /// From publishing to receiving at this webhook, in seconds, in ascending order.
    pub(crate) fn latencies(&self, ledger: &Ledger, webhook: u64) -> Vec<f64> {
        let mut found: Vec<f64> = (0..)
            .zip(&self.sent)
            .filter_map(|(event, sent)| {
                Some(seconds(
                    sent.load(Ordering::Relaxed),
                    ledger.arrival(event, webhook)?,
                ))
            })
            .collect();
        found.sort_by(f64::total_cmp);
        found
    }
}

/// The value that `share` of the values do not exceed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a length is a length"
)]
pub(crate) fn percentile(ascending: &[f64], share: f64) -> f64 {
    let rank = (ascending.len() as f64 * share).ceil() as usize;
    ascending.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// The request that publishes event `n`.
pub(crate) fn publication(event: u64, account: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"provider":"equals-money","type":"BoxCredited","accountId":"{account}","data":{}}}"#,
        data(event, account)
    );
    message::request(
        "POST",
        "/operator/v1/events",
        &format!("{OPERATOR}{JSON}"),
        &body,
    )
}

/// The data of event `n`.
fn data(event: u64, account: &str) -> String {
    format!(
        r#"{{"n":{},"accountId":"{account}","boxId":"0f2b1c52-6a7e-4f0e-9a53-6d9c1b1f0e42","currency":"GBP","amount":1250.00,"reference":"INV-2025-000123","createdAt":"2025-11-04T15:05:00.000Z"}}"#,
        FIRST_NUMBER + event
    )
}

/// Publishes until all events are out or the time is over, and waits for the answers.
///
/// # Errors
/// When an answer is not 202.
pub(crate) async fn publish(load: Load) -> anyhow::Result<Published> {
    let mut connections = Vec::new();
    for _ in 0..load.clients {
        connections.push(Connection::open(load.server).await?);
    }
    let next = Arc::new(AtomicU64::new(0));
    let sent: Arc<Vec<AtomicU64>> = Arc::new((0..load.events).map(|_| AtomicU64::new(0)).collect());
    let began = nanoseconds();
    let mut clients = JoinSet::new();
    for (client, connection) in (0..).zip(connections) {
        clients.spawn(publish_as(
            client,
            connection,
            load.clone(),
            next.clone(),
            sent.clone(),
        ));
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    let ended = nanoseconds();
    let count = next.load(Ordering::Relaxed).min(load.events);
    let mut sent = Arc::into_inner(sent).context("all clients have ended")?;
    sent.truncate(usize::try_from(count)?);
    Ok(Published {
        count,
        began,
        ended,
        sent,
    })
}

async fn publish_as(
    client: u32,
    mut connection: Connection,
    load: Load,
    next: Arc<AtomicU64>,
    sent: Arc<Vec<AtomicU64>>,
) -> anyhow::Result<()> {
    // The clients take turns, so one slow answer does not hold up the events after it.
    let mut ticks = load.rate.map(|rate| {
        let begin = tokio::time::Instant::now() + Duration::from_secs_f64(f64::from(client) / rate);
        #[expect(clippy::cast_precision_loss, reason = "there are few clients")]
        let period = Duration::from_secs_f64(load.clients as f64 / rate);
        let mut ticks = tokio::time::interval_at(begin, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        ticks
    });
    let end = Instant::now() + load.time;
    loop {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        if Instant::now() >= end {
            return Ok(());
        }
        let event = next.fetch_add(1, Ordering::Relaxed);
        let place = usize::try_from(event)?;
        let Some(moment) = sent.get(place) else {
            return Ok(());
        };
        let request = load.audience.publication(event)?;
        moment.store(nanoseconds(), Ordering::Relaxed);
        let answer = connection.exchange(&request).await?;
        if answer.status != 202 {
            bail!(
                "a publication was answered {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
        }
    }
}

/// Sends requests as fast as they are answered, on `clients` connections, and says how many were answered a second.
///
/// # Errors
/// When an answer has another status.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) async fn repeat(
    address: SocketAddr,
    clients: u64,
    time: Duration,
    request: &[u8],
    status: u16,
) -> anyhow::Result<f64> {
    let request: Arc<[u8]> = request.into();
    let begin = Instant::now();
    let end = begin + time;
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let request = request.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut count = 0_u64;
            while Instant::now() < end {
                let answer = connection.exchange(&request).await?;
                if answer.status != status {
                    bail!(
                        "a request was answered {}: {}",
                        answer.status,
                        String::from_utf8_lossy(answer.body)
                    );
                }
                count += 1;
            }
            Ok(count)
        });
    }
    let mut total = 0;
    while let Some(count) = tasks.join_next().await {
        total += count??;
    }
    Ok(total as f64 / begin.elapsed().as_secs_f64())
}

//! The cost of a delivery, and the time that lists take, from an empty PostgreSQL database to one with many deliveries.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio_postgres::Client;

use super::nodes::{Nodes, account, deliver, milliseconds, steady};
use super::{Bench, ENOUGH};
use crate::connection::Connection;
use crate::database::Database;
use crate::figure::{Figure, Unit};
use crate::message;
use crate::server::{OPERATOR, Server};

/// The webhooks of each event that is stored without being sent.
const FAN_OUT: u64 = 10;

/// Events that are stored in one transaction.
const CHUNK: u64 = 100_000;

/// How often each list is read.
const READS: usize = 20;

/// One delivery among so many was given up.
const EXHAUSTED: u64 = 1_000;

/// Measures with nothing stored, with a tenth of the largest number, and with all.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start(&bench.folder)?;
    let nodes = Nodes::start(bench, &database, "stored", &[&[]]).await?;
    let server = nodes.servers.first().context("there is a node")?;
    let mut connection = Connection::open(server.address()).await?;
    for other in 1..=usize::try_from(FAN_OUT)? {
        let (account, url) = (account(other), bench.receiver.url(0));
        server.register(&mut connection, &account, &url).await?;
    }
    let most = bench.most_stored;
    let mut figures = Vec::new();
    let mut stored = 0;
    for wanted in [0, most / 10, most] {
        fill(&nodes.client, wanted - stored).await?;
        stored = wanted;
        // Filling takes long, and the machine may have got other work meanwhile.
        let busy = crate::wait_until_quiet(crate::BUSY, bench.patience);
        if busy > crate::BUSY {
            eprintln!("  other processes use {busy:.0} % of this machine");
        }
        figures.extend(cost(bench, &database, &nodes, stored).await?);
        figures.extend(lists(server, &nodes.client, stored).await?);
    }
    Ok(figures)
}

/// Stores deliveries that have ended: copies of the last one that was made, in other events and of other webhooks.
async fn fill(client: &Client, deliveries: u64) -> anyhow::Result<()> {
    let mut left = deliveries / FAN_OUT;
    let begin = Instant::now();
    let total = left;
    while left > 0 {
        let events = left.min(CHUNK);
        client.batch_execute(&copies(client, events).await?).await?;
        left -= events;
        eprint!(
            "\r  {} of {deliveries} deliveries stored after {} s",
            (total - left) * FAN_OUT,
            begin.elapsed().as_secs()
        );
    }
    if total > 0 {
        eprintln!();
        client.batch_execute("ANALYZE; CHECKPOINT").await?;
    }
    Ok(())
}

/// The statements that store copies of the last delivery and its event. What they do not name is copied, whatever columns there are.
async fn copies(client: &Client, events: u64) -> anyhow::Result<String> {
    let event = select(
        client,
        "event",
        &[
            ("number", "n".to_owned()),
            // As long as ids are, and in their order.
            ("id", "left(t.id, 8) || lpad(n::text, 19, '0')".to_owned()),
            ("base", "lpad(to_hex(n << 20), 32, '0')::uuid".to_owned()),
            ("first", "n << 20".to_owned()),
            ("matched", FAN_OUT.to_string()),
            (
                "lanes",
                format!("(SELECT array_agg(w) FROM generate_series(2, {FAN_OUT} + 1) AS w)"),
            ),
        ],
    )
    .await?;
    let delivery = select(
        client,
        "delivery",
        &[
            ("number", "(n << 20) + w".to_owned()),
            ("event", "n".to_owned()),
            ("webhook", "w + 2".to_owned()),
            (
                "state",
                format!(
                    "CASE WHEN (n + 97 * w) % {EXHAUSTED} = 0 THEN 'exhausted' ELSE 'delivered' END"
                ),
            ),
        ],
    )
    .await?;
    Ok(format!(
        "BEGIN;
         CREATE TEMP TABLE numbers ON COMMIT DROP AS SELECT generate_series(last_value + 1, last_value + {events}) AS n FROM event_number;
         SELECT setval('event_number', (SELECT max(n) FROM numbers));
         CREATE TEMP TABLE an_event ON COMMIT DROP AS SELECT * FROM event ORDER BY number DESC LIMIT 1;
         CREATE TEMP TABLE a_delivery ON COMMIT DROP AS SELECT * FROM delivery ORDER BY number DESC LIMIT 1;
         {event} FROM an_event AS t CROSS JOIN numbers;
         {delivery} FROM a_delivery AS t CROSS JOIN numbers CROSS JOIN generate_series(0, {FAN_OUT} - 1) AS w;
         UPDATE settled SET event = (SELECT max(n) FROM numbers);
         COMMIT"
    ))
}

/// An insertion of all columns of a table: those that are named, and the others from `t`.
async fn select(client: &Client, table: &str, named: &[(&str, String)]) -> anyhow::Result<String> {
    let rows = client
        .query(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            &[&table],
        )
        .await?;
    let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let values = columns.iter().map(|column| {
        let found = named.iter().find(|(name, _)| name == column);
        found.map_or_else(|| format!("t.{column}"), |(_, value)| value.clone())
    });
    let values = values.collect::<Vec<_>>().join(", ");
    Ok(format!(
        "INSERT INTO {table} ({}) SELECT {values}",
        columns.join(", ")
    ))
}

/// One node with as much load as it answers, and at a steady rate.
async fn cost(
    bench: &Bench,
    database: &Database,
    nodes: &Nodes,
    stored: u64,
) -> anyhow::Result<Vec<Figure>> {
    let name = |what: &str| format!("{stored} stored: {what}");
    let first = |what: &str| format!("0 stored: {what}");
    let (used, used_there) = (nodes.processor_time()?, database.processor_time()?);
    let load = |server: &Server| bench.load(server, 64, ENOUGH / 4);
    let delivered = deliver(bench, &nodes.servers, load).await?;
    let each = |now: Duration, then: Duration| (now - then).as_secs_f64() * 1e6 / delivered.count;
    let used = each(nodes.processor_time()?, used);
    let used_there = each(database.processor_time()?, used_there);
    let mut figures = vec![
        Figure::new(name("rate"), Unit::PerSecond, delivered.rate),
        Figure::new(name("processor time each, node"), Unit::Microseconds, used),
        Figure::new(
            name("processor time each, PostgreSQL"),
            Unit::Microseconds,
            used_there,
        ),
    ];
    if stored > 0 {
        let whats = [
            ("rate", "at least 0.9 x"),
            ("processor time each, node", "under 1.1 x"),
            ("processor time each, PostgreSQL", "under 1.1 x"),
        ];
        for (figure, (what, aim)) in figures.iter_mut().zip(whats) {
            *figure = figure.clone().beside(first(what)).aim(aim);
        }
    }
    let title = name("publish to receiver, 200 events/s");
    figures.extend(steady(bench, &nodes.servers, &title).await?);
    Ok(figures)
}

/// A page of 50 of each list, over HTTP.
async fn lists(server: &Server, client: &Client, stored: u64) -> anyhow::Result<Vec<Figure>> {
    let text = |row: tokio_postgres::Row| row.get::<_, String>(0);
    let webhook = text(
        client
            .query_one("SELECT id FROM webhook WHERE number = 2", &[])
            .await?,
    );
    // In the middle, where nothing was read lately.
    let event = "SELECT id FROM event WHERE number >= (SELECT max(number) / 2 FROM event) ORDER BY number LIMIT 1";
    let event = text(client.query_one(event, &[]).await?);
    let mut connection = Connection::open(server.address()).await?;
    let mut figures = Vec::new();
    for (title, filter) in [
        ("all", String::new()),
        ("by webhook", format!("&webhookId={webhook}")),
        ("by state", "&state=exhausted".to_owned()),
        (
            "by webhook and state",
            format!("&webhookId={webhook}&state=exhausted"),
        ),
        ("by event", format!("&eventId={event}")),
    ] {
        let path = format!("/operator/v1/deliveries?limit=50{filter}");
        let request = message::request("GET", &path, OPERATOR, "");
        let mut times = Vec::new();
        for _ in 0..READS {
            let begin = Instant::now();
            let answer = connection.exchange(&request).await?;
            if answer.status != 200 {
                bail!("a list was answered {}", answer.status);
            }
            times.push(begin.elapsed().as_secs_f64());
            let page: Value = serde_json::from_slice(answer.body)?;
            let rows = page["data"].as_array().context("a page has rows")?;
            if rows.is_empty() && stored > 0 {
                bail!("the list {title} is empty");
            }
        }
        // The first read is the one whose pages the database may have to fetch.
        let name = format!("{stored} stored: list, {title}");
        let first = times[0] * 1e3;
        times.sort_by(f64::total_cmp);
        figures.push(
            Figure::new(format!("{name}: first"), Unit::Milliseconds, first).aim("under 50 ms"),
        );
        figures.push(milliseconds(&name, "p50", &times, 0.5).aim("under 50 ms"));
    }
    Ok(figures)
}

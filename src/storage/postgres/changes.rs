//! Changes of webhooks, known on every node before they are answered.
//!
//! A node that attempts deliveries has a row in `node`, which says up to which change it has looked, and until when it counts as running.
//! A node that has changed a webhook announces that and answers when every running node has looked, which takes a few milliseconds, since
//! nodes notify each other ([`super::wake`]). A node that does not look is waited for only while it may still start attempts: it starts
//! none later than [`TERM`] after it last looked. So no attempt starts with a webhook as it was before an answered change, whichever
//! nodes stand still, are cut off from the database, or have just started. Nodes agree on no clock for that: each measures how long ago
//! something was.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::GenericClient;
use uuid::Uuid;

use super::{Db, Result, query, run_cached};
use crate::causes::with_causes;

/// For how long a node may start attempts after it last looked.
pub(super) const TERM: Duration = Duration::from_secs(5);

/// How often a node looks when it is notified of nothing.
const LOOK: Duration = Duration::from_millis(500);

/// How often it says that it is running.
const RENEW: Duration = Duration::from_secs(1);

/// How often a node that has changed a webhook asks for the others when it is notified of nothing.
const ASK: Duration = Duration::from_millis(100);

/// How many announcements are kept. A node that has missed more treats every webhook as changed.
const KEPT: i64 = 1_000;

/// The time of the database in microseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// How this node stands.
#[derive(Debug)]
pub(super) struct Follower {
    node: Uuid,
    /// Up to which announcement it has looked.
    looked: i64,
    /// Up to which announcement its row says so, and when that was written.
    told: i64,
    renewed: Option<Instant>,
    /// Whether others may have taken it for ended since it last looked.
    had_ended: bool,
}

impl Follower {
    pub(super) fn new(node: Uuid) -> Self {
        Self {
            node,
            looked: 0,
            told: 0,
            renewed: None,
            had_ended: true,
        }
    }

    /// Looks for changes, and lets the others know.
    pub(super) async fn look(&mut self, db: &Db) -> Result<()> {
        let began = Instant::now();
        let client = db.client().await?;
        let rows = query(
            &client,
            "SELECT webhook_changes.latest, webhook_change.webhook FROM webhook_changes
             LEFT JOIN webhook_change ON webhook_change.number > $1",
            &[&self.looked],
        )
        .await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let latest: i64 = row.try_get(0)?;
        if self.had_ended || latest - self.looked > KEPT {
            db.changes.any_changed();
        } else {
            for row in &rows {
                if let Some(lane) = row.try_get(1)? {
                    db.changes.changed(lane);
                }
            }
        }
        self.looked = latest;
        let is_due = self.renewed.is_none_or(|at| at.elapsed() >= RENEW);
        if !is_due && self.told == latest {
            return Ok(());
        }
        if !self.renew(&client).await? {
            // Others may not have waited for this node, so it cannot rely on what it knew before.
            self.had_ended = true;
            self.renewed = None;
            return self.register(&client).await;
        }
        self.had_ended = false;
        self.renewed = Some(began);
        db.changes.inform_until(began + TERM);
        if self.told != latest {
            self.told = latest;
            db.wake.tell_looked();
        }
        Ok(())
    }

    /// Records up to where this node has looked. Returns whether it still counted as running.
    async fn renew(&self, client: &impl GenericClient) -> Result<bool> {
        let renewed = run_cached(
            client,
            &format!(
                "UPDATE node SET looked = $2, ends_at = {NOW} + $3 WHERE id = $1 AND ends_at > {NOW}"
            ),
            &[&self.node, &self.looked, &term()],
        )
        .await?;
        Ok(renewed > 0)
    }

    /// Registers this node, so that others wait for it, and removes nodes that ended long ago.
    async fn register(&self, client: &impl GenericClient) -> Result<()> {
        run_cached(
            client,
            &format!(
                "INSERT INTO node (id, looked, ends_at) VALUES ($1, $2, {NOW} + $3)
                 ON CONFLICT (id) DO UPDATE SET looked = excluded.looked, ends_at = excluded.ends_at"
            ),
            &[&self.node, &self.looked, &term()],
        )
        .await?;
        run_cached(
            client,
            &format!("DELETE FROM node WHERE ends_at < {NOW} - 10 * $1::bigint"),
            &[&term()],
        )
        .await?;
        Ok(())
    }

    /// Whether it must look again at once, because it looked before the others waited for it.
    fn looks_again(&self) -> bool {
        self.renewed.is_none()
    }
}

/// Looks for changes for ever.
pub(super) async fn follow(db: Arc<Db>) {
    let mut follower = Follower::new(db.node);
    let mut was_informed = false;
    loop {
        let looked = follower.look(&db).await;
        let is_informed = db.changes.is_informed(Instant::now());
        if was_informed && !is_informed {
            tracing::warn!(
                seconds = TERM.as_secs(),
                "webhooks may have been changed on other nodes unseen, because the database does not answer: attempts wait until it does"
            );
        }
        was_informed = is_informed;
        match looked {
            Ok(()) if follower.looks_again() => continue,
            Ok(()) => {}
            // The callers of a database that is away hear of it.
            Err(error) => tracing::debug!(
                error = with_causes(&error),
                "cannot look for changes of webhooks"
            ),
        }
        let _ = tokio::time::timeout(LOOK, db.wake.announced()).await;
    }
}

/// Announces that a webhook was changed, and returns when no node starts an attempt as it was before.
pub(super) async fn announce(db: &Db, lane: i64) -> Result<()> {
    // With no other node there is nobody to tell. One that starts later reads webhooks as they are by then.
    if others_behind(db, i64::MAX).await? == 0 {
        return Ok(());
    }
    let announced = query(
        &db.client().await?,
        "WITH next AS (UPDATE webhook_changes SET latest = latest + 1 RETURNING latest),
             old AS (DELETE FROM webhook_change USING next WHERE webhook_change.number <= next.latest - $2)
         INSERT INTO webhook_change (number, webhook) SELECT next.latest, $1 FROM next RETURNING number",
        &[&lane, &KEPT],
    )
    .await?;
    let number: i64 = announced[0].try_get(0)?;
    let began = Instant::now();
    db.wake.tell_of_change();
    loop {
        let mut looked = pin!(db.wake.others_looked());
        // Before the question, so that a notification that comes while it is answered is not missed.
        looked.as_mut().enable();
        if others_behind(db, number).await? == 0 || began.elapsed() >= TERM {
            return Ok(());
        }
        let _ = tokio::time::timeout(ASK, looked).await;
    }
}

/// Counts the other running nodes that have not looked up to an announcement.
async fn others_behind(db: &Db, number: i64) -> Result<i64> {
    let found = query(
        &db.client().await?,
        &format!("SELECT count(*) FROM node WHERE id <> $1 AND looked < $2 AND ends_at > {NOW}"),
        &[&db.node, &number],
    )
    .await?;
    Ok(found[0].try_get(0)?)
}

/// Removes this node, which attempts nothing from now on, so that others do not wait for it.
pub(super) async fn leave(db: &Db) -> Result<()> {
    let client = db.client().await?;
    run_cached(&client, "DELETE FROM node WHERE id = $1", &[&db.node]).await?;
    Ok(())
}

fn term() -> i64 {
    i64::try_from(TERM.as_micros()).expect("a few seconds")
}

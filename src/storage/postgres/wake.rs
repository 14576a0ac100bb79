//! Waking other nodes when something waits that they may attempt.
//!
//! `NOTIFY` takes a lock of the whole database at commit, so it is not in the transactions that make something due: a connection of its
//! own tells of many of them at once. A node that is not told looks by itself, once a second.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client};

use super::open::{self, Connector};

/// The least time between two notifications.
const PAUSE: Duration = Duration::from_millis(5);

/// The payload of a notification after a webhook was changed.
const WEBHOOK: &str = "webhook";

/// The longest pause before the connection is made again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tells other nodes, and is told by them.
#[derive(Debug, Default)]
pub(super) struct Wake {
    tell: Notify,
    told: Notify,
    /// Whether other nodes are to be told that a webhook was changed.
    tell_of_webhook: AtomicBool,
    webhook_changes: AtomicU64,
}

impl Wake {
    /// Something waits that another node may attempt.
    pub(super) fn tell(&self) {
        self.tell.notify_one();
    }

    /// A webhook was changed here.
    pub(super) fn tell_of_webhook(&self) {
        self.webhook_changes.fetch_add(1, Ordering::AcqRel);
        self.tell_of_webhook.store(true, Ordering::Release);
        self.tell();
    }

    /// How many changes of webhooks are known, here or on other nodes.
    pub(super) fn webhook_changes(&self) -> u64 {
        self.webhook_changes.load(Ordering::Acquire)
    }

    /// Returns when another node has told, or may have.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    /// Keeps a connection and tells and hears over it, for ever.
    pub(super) async fn run(&self, connector: Connector) {
        let mut pause = PAUSE;
        loop {
            match self.connected(&connector, &mut pause).await {
                Ok(()) => {}
                Err(error) => tracing::debug!(
                    error = &*error as &dyn std::error::Error,
                    "the connection that is woken by other nodes cannot be used; it is looked for work once a second"
                ),
            }
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(pause, never).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connected(
        &self,
        connector: &Connector,
        pause: &mut Duration,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let (client, mut connection) = open::connect(connector).await?;
        let mut messages = Box::pin(stream::poll_fn(move |context| {
            connection.poll_message(context)
        }));
        let (channel, own) = tokio::select! {
            listening = listen(&client) => listening?,
            () = self.drive(&mut messages, 0) => return Ok(()),
        };
        *pause = PAUSE;
        // Notifications from other nodes before this one listened are lost, so it looks for itself, and takes webhooks for changed.
        self.webhook_changes.fetch_add(1, Ordering::AcqRel);
        self.told.notify_one();
        let telling = async {
            loop {
                self.tell.notified().await;
                let of_webhook = self.tell_of_webhook.swap(false, Ordering::AcqRel);
                let payload = if of_webhook { WEBHOOK } else { "" };
                let notify = format!("NOTIFY {channel}, '{payload}'");
                if let Err(error) = client.batch_execute(&notify).await {
                    self.tell_of_webhook.fetch_or(of_webhook, Ordering::AcqRel);
                    return Err(error);
                }
                let never = std::future::pending::<()>();
                let _ = tokio::time::timeout(PAUSE, never).await;
            }
        };
        let telling = async move {
            let told: Result<(), tokio_postgres::Error> = telling.await;
            told
        };
        tokio::select! {
            ended = telling => Ok(ended?),
            () = self.drive(&mut messages, own) => Ok(()),
        }
    }

    /// Reads the server's messages until the connection ends. Notifications that this node sent, over the connection `own`, are not news
    /// to it.
    async fn drive<S>(&self, messages: &mut S, own: i32)
    where
        S: futures_util::Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Unpin,
    {
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(from) = message
                && from.process_id() != own
            {
                if from.payload() == WEBHOOK {
                    self.webhook_changes.fetch_add(1, Ordering::AcqRel);
                }
                self.told.notify_one();
            }
        }
    }
}

/// Listens on the channel of this schema; gives its name, and the number of this connection.
async fn listen(client: &Client) -> Result<(String, i32), tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT 'truehook_' || 'event_number'::regclass::oid::text, pg_backend_pid()",
            &[],
        )
        .await?;
    let channel: String = row.get(0);
    client.batch_execute(&format!("LISTEN {channel}")).await?;
    Ok((channel, row.get(1)))
}

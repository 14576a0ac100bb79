//! Waking other nodes when something waits that they may attempt, and when a webhook was changed ([`super::changes`]).
//!
//! `NOTIFY` takes a lock of the whole database at commit, so it is not in the transactions that make something due: a connection of its
//! own tells of many of them at once. A node that is not told looks by itself, once a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_postgres::{AsyncMessage, Client};

use super::open::{self, Connector};
use crate::causes::with_causes;

/// The least time between two notifications.
const PAUSE: Duration = Duration::from_millis(5);

/// The payload of a notification when something waits.
const WORK: &str = "";

/// The payload of a notification after a webhook was changed.
const CHANGE: &str = "webhook";

/// The payload of a notification when a node has looked for changes.
const LOOKED: &str = "looked";

/// The longest pause before the connection is made again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tells other nodes, and is told by them.
#[derive(Debug)]
pub(super) struct Wake {
    tell: Notify,
    told: Notify,
    /// What other nodes are to be told, by payload.
    untold: [(&'static str, AtomicBool); 3],
    announced: Notify,
    looked: Notify,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            tell: Notify::new(),
            told: Notify::new(),
            untold: [WORK, CHANGE, LOOKED].map(|payload| (payload, AtomicBool::new(false))),
            announced: Notify::new(),
            looked: Notify::new(),
        }
    }
}

impl Wake {
    /// Something waits that another node may attempt.
    pub(super) fn tell(&self) {
        self.tell_of(WORK);
    }

    /// A change of a webhook was announced.
    pub(super) fn tell_of_change(&self) {
        self.tell_of(CHANGE);
    }

    /// This node has looked for changes.
    pub(super) fn tell_looked(&self) {
        self.tell_of(LOOKED);
    }

    fn tell_of(&self, wanted: &str) {
        for (payload, untold) in &self.untold {
            if *payload == wanted {
                untold.store(true, Ordering::Release);
            }
        }
        self.tell.notify_one();
    }

    /// Returns when another node has told of work, or may have.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    /// Returns when another node has announced a change, or may have.
    pub(super) async fn announced(&self) {
        self.announced.notified().await;
    }

    /// Becomes ready when another node has looked for changes.
    pub(super) fn others_looked(&self) -> Notified<'_> {
        self.looked.notified()
    }

    /// Keeps a connection and tells and hears over it, for ever.
    pub(super) async fn run(&self, connector: Connector) {
        let mut pause = PAUSE;
        loop {
            match self.connected(&connector, &mut pause).await {
                Ok(()) => {}
                Err(error) => tracing::debug!(
                    error = with_causes(&*error),
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
        // Notifications from other nodes before this one listened are lost, so it looks for itself.
        self.announced.notify_one();
        self.told.notify_one();
        let telling = async {
            loop {
                self.tell.notified().await;
                let untold = self.untold.iter();
                let telling: Vec<_> = untold
                    .filter(|(_, untold)| untold.swap(false, Ordering::AcqRel))
                    .collect();
                let notify: String = telling
                    .iter()
                    .map(|(payload, _)| format!("NOTIFY {channel}, '{payload}';"))
                    .collect();
                if let Err(error) = client.batch_execute(&notify).await {
                    for (_, untold) in telling {
                        untold.store(true, Ordering::Release);
                    }
                    self.tell.notify_one();
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
                match from.payload() {
                    LOOKED => self.looked.notify_waiters(),
                    CHANGE => {
                        self.announced.notify_one();
                        self.told.notify_one();
                    }
                    _ => self.told.notify_one(),
                }
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

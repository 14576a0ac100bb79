//! Waking other nodes when something waits that they may attempt.
//!
//! `NOTIFY` takes a lock of the whole database at commit, so it is not in the transactions that make something due: a connection of its
//! own tells of many of them at once. A node that is not told looks by itself, once a second.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client};

use super::open::{self, Connector};

/// The least time between two notifications.
const PAUSE: Duration = Duration::from_millis(5);

/// The longest pause before the connection is made again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tells other nodes, and is told by them.
#[derive(Debug, Default)]
pub(super) struct Wake {
    tell: Notify,
    told: Notify,
}

impl Wake {
    /// Something waits that another node may attempt.
    pub(super) fn tell(&self) {
        self.tell.notify_one();
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
            () = drive(&mut messages, &self.told, 0) => return Ok(()),
        };
        *pause = PAUSE;
        // Notifications from other nodes before this one listened are lost, so it looks for itself.
        self.told.notify_one();
        let telling = async {
            loop {
                self.tell.notified().await;
                client.batch_execute(&format!("NOTIFY {channel}")).await?;
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
            () = drive(&mut messages, &self.told, own) => Ok(()),
        }
    }
}

/// Reads the server's messages until the connection ends. Notifications that this node sent, over the connection `own`, are not news to it.
async fn drive<S>(messages: &mut S, told: &Notify, own: i32)
where
    S: futures_util::Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Unpin,
{
    while let Some(Ok(message)) = messages.next().await {
        if let AsyncMessage::Notification(from) = message
            && from.process_id() != own
        {
            told.notify_one();
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

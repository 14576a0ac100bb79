//! Opening the database: what is refused as one, and how each connection is set up.

use std::time::{Duration, Instant};

use deadpool_postgres::{
    Hook, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime as PoolRuntime, Timeouts,
};
use jiff::Timestamp;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::PostgresAddress;
use super::{Result, query, rotation, schema, time, tls};
use crate::clock::SavedTime;
use crate::storage::seal::Sealer;
use crate::storage::{Purpose, StoreError};

/// How many connections a node has at most, beside the one that is woken by other nodes.
pub(super) const CONNECTIONS: usize = 16;

/// How many connections are held to find out whether a pool of transactions stands in front of the server.
const POOLED: usize = 3;

/// How long a caller waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// The oldest version of the server that is accepted: it has every feature that is used here.
const OLDEST: i32 = 140_000;

/// The settings of every connection. Behind a pool of transactions they are those of whoever has the connection next, who has the same.
/// A node that stands still in a transaction must not hold up the others for longer than they wait for a lock.
/// Few rows are looked for by their numbers among many, for which reading whole tables and compiling statements is never worth it.
pub(super) const SETTINGS: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '3s'; \
     SET jit = off; SET random_page_cost = 1.1; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off; \
     SET client_min_messages = warning";

/// How connections are made.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    fn new(address: &PostgresAddress) -> Result<Self> {
        let tls = address.tls.as_ref().map(tls::connector).transpose();
        Ok(Self {
            config: address.config.clone(),
            tls: tls.map_err(|reason| StoreError::UnusableServer {
                database: address.to_string(),
                reason,
            })?,
        })
    }
}

/// The task that moves the bytes of a connection.
pub(super) enum AnyConnection {
    Plain(Box<Connection<Socket, tokio_postgres::tls::NoTlsStream>>),
    Tls(
        Box<
            Connection<
                Socket,
                <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream,
            >,
        >,
    ),
}

impl AnyConnection {
    pub(super) fn poll_message(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<
        Option<std::result::Result<tokio_postgres::AsyncMessage, tokio_postgres::Error>>,
    > {
        match self {
            Self::Plain(connection) => connection.poll_message(context),
            Self::Tls(connection) => connection.poll_message(context),
        }
    }
}

/// Makes a connection outside the pool.
pub(super) async fn connect(
    connector: &Connector,
) -> std::result::Result<(tokio_postgres::Client, AnyConnection), tokio_postgres::Error> {
    match &connector.tls {
        Some(tls) => {
            let (client, connection) = connector.config.connect(tls.clone()).await?;
            Ok((client, AnyConnection::Tls(Box::new(connection))))
        }
        None => {
            let (client, connection) = connector.config.connect(NoTls).await?;
            Ok((client, AnyConnection::Plain(Box::new(connection))))
        }
    }
}

/// An open database.
pub(super) struct Opened {
    pub(super) pool: Pool,
    pub(super) listen: Connector,
    pub(super) saved_time: Option<SavedTime>,
    /// The time of the database, and when it was read.
    pub(super) time: (Timestamp, Instant),
}

/// Connects, and brings the schema up to date.
///
/// # Errors
/// [`StoreError`] says in one line why the database cannot be used.
pub(super) async fn open(
    address: &PostgresAddress,
    sealer: &Sealer,
    purpose: Purpose,
) -> Result<Opened> {
    let database = address.to_string();
    let unusable = |error: StoreError| match error {
        StoreError::Query(error) => StoreError::UnusableServer {
            database: database.clone(),
            reason: reason(&error),
        },
        StoreError::Unreachable { reason } => StoreError::UnusableServer {
            database: database.clone(),
            reason,
        },
        StoreError::Seal(_) => StoreError::WrongServerKey {
            database: database.clone(),
        },
        other => other,
    };
    let (pool, listen) = pool(address)?;
    let begun = begin(&pool, address, sealer, purpose).await;
    let saved_time = begun.map_err(unusable)?;
    check_statements(&pool, &database).await?;
    let client = super::connection(&pool).await?;
    let time = (time::shared(&client).await?, Instant::now());
    drop(client);
    Ok(Opened {
        pool,
        listen,
        saved_time,
        time,
    })
}

/// A pool that makes its connections when they are needed.
pub(super) fn pool(address: &PostgresAddress) -> Result<(Pool, Connector)> {
    let connector = Connector::new(address)?;
    let config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match &connector.tls {
        Some(tls) => Manager::from_config(connector.config.clone(), tls.clone(), config),
        None => Manager::from_config(connector.config.clone(), NoTls, config),
    };
    let set_up = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            client
                .batch_execute(SETTINGS)
                .await
                .map_err(deadpool_postgres::HookError::Backend)
        })
    });
    let pool = Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(PoolRuntime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(WAIT),
            create: Some(WAIT * 2),
            recycle: Some(WAIT),
        })
        .post_create(set_up)
        .build()
        .map_err(|error| StoreError::Unreachable {
            reason: error.to_string(),
        })?;
    let listen = match &address.listen {
        Some(listen) => Connector::new(listen)?,
        None => connector,
    };
    Ok((pool, listen))
}

async fn begin(
    pool: &Pool,
    address: &PostgresAddress,
    sealer: &Sealer,
    purpose: Purpose,
) -> Result<Option<SavedTime>> {
    let database = address.to_string();
    let unusable = |reason: &str| StoreError::UnusableServer {
        database: database.clone(),
        reason: reason.to_owned(),
    };
    let mut client = super::connection(pool).await?;
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), current_schema()::text",
            &[],
        )
        .await?;
    let (version, encoding, schema): (i32, String, Option<String>) =
        (row.get(0), row.get(1), row.get(2));
    if version < OLDEST {
        return Err(unusable("PostgreSQL 14 or newer is needed"));
    }
    if encoding != "UTF8" {
        return Err(unusable(
            "its encoding is not UTF-8: create the database with ENCODING 'UTF8'",
        ));
    }
    if schema.is_none() {
        return Err(unusable(
            "its search_path names no schema that exists: create one, or set options=-csearch_path=NAME in --database",
        ));
    }
    let tx = client.transaction().await?;
    // A migration may take its time, and so may the wait for one.
    tx.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        .await?;
    schema::migrate(&tx, &database).await?;
    check_purpose(&tx, &database, purpose).await?;
    rotation::check_key(&tx, sealer).await?;
    let saved_time = time::saved(&tx).await?;
    tx.commit().await?;
    Ok(saved_time)
}

/// Checks that a prepared statement can be used whichever connection to the server a pool of transactions gives: the first client's
/// statement is executed while others hold the connections that were free. Without a pool in between each client has its own.
async fn check_statements(pool: &Pool, database: &str) -> Result<()> {
    let first = super::connection(pool).await?;
    let prepared = async {
        let statement = first.prepare("SELECT 1").await?;
        let mut others = Vec::new();
        for _ in 0..POOLED {
            others.push(super::connection(pool).await?);
        }
        let mut held = Vec::new();
        for other in &mut others {
            let tx = other.transaction().await?;
            tx.batch_execute("SELECT 1").await?;
            held.push(tx);
        }
        first.query_one(&statement, &[]).await?;
        Ok(())
    };
    match prepared.await {
        Err(StoreError::Query(error)) if is_lost_statement(&error) => {
            Err(StoreError::UnusableServer {
                database: database.to_owned(),
                reason: "the pool of connections in front of it forgets prepared statements: PgBouncer 1.21 or newer with \
                         max_prepared_statements of at least 200 does not, nor does a pool of sessions"
                    .to_owned(),
            })
        }
        checked => checked,
    }
}

fn is_lost_statement(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::INVALID_SQL_STATEMENT_NAME)
        || code == Some(&SqlState::DUPLICATE_PSTATEMENT)
}

async fn check_purpose(
    tx: &deadpool_postgres::Transaction<'_>,
    database: &str,
    purpose: Purpose,
) -> Result<()> {
    let wanted = purpose.as_str();
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('mode', $1) ON CONFLICT (name) DO NOTHING",
        &[&wanted.as_bytes()],
    )
    .await?;
    let found = query(tx, "SELECT value FROM meta WHERE name = 'mode'", &[]).await?;
    let mode: &[u8] = found[0].try_get(0)?;
    if mode == wanted.as_bytes() {
        return Ok(());
    }
    let made_in = match purpose {
        Purpose::Sandbox => Purpose::Production,
        Purpose::Production => Purpose::Sandbox,
    };
    Err(StoreError::OtherServerMode {
        database: database.to_owned(),
        made_in: made_in.as_str(),
    })
}

/// An error with its cause: the driver tells the kind alone.
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            cause.unwrap_or_else(|| error.to_string())
        }
    }
}

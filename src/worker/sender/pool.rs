//! Open connections to receivers: which one a request gets, and which ones are closed.
//!
//! Idle connections are bounded as a whole, and the least recently used goes first: a server with many receivers must not run out of
//! open files because each of them keeps its connection alive. Every connection is also bounded in age, however busy it is: the name
//! of a receiver is resolved again when it gets a new one.
//!
//! Not bounded here: connections in use. There are as many as attempts under way.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use hyper::Request;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::connection::{Connection, RequestBody, SendResult};

/// How often idle connections are looked through for those to close.
const SWEEP: Duration = Duration::from_secs(1);

/// How long a connection may take to be ready again after a response, for a receiver that answers before it has read the request.
const SETTLE: Duration = Duration::from_secs(5);

/// Which connections are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolLimits {
    /// How many connections may be idle at once.
    pub(super) idle: usize,
    /// How long a connection may be idle.
    pub(super) idle_timeout: Duration,
    /// The age at which a connection takes no further request.
    pub(super) max_age: Duration,
}

/// The connections. Clones share them.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    limits: PoolLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The idle connections, in the order in which they became idle.
    idle: BTreeMap<u64, Idle>,
    /// The keys in `idle` of each origin, the last that became idle last.
    by_origin: HashMap<Arc<str>, Vec<u64>>,
    /// HTTP/2 connections in use, which take more requests.
    shared: HashMap<Arc<str>, Shared>,
    next_key: u64,
    sweeping: bool,
}

struct Idle {
    origin: Arc<str>,
    connection: Connection,
    since: Instant,
}

struct Shared {
    connection: Connection,
    users: usize,
}

/// The use of a connection for one request.
pub(super) struct Lease {
    pool: Pool,
    origin: Arc<str>,
    /// `None` once it is given back.
    connection: Option<Connection>,
    /// Whether others may use the connection at the same time.
    is_shared: bool,
}

impl Pool {
    pub(super) fn new(limits: PoolLimits) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { limits, state }))
    }

    /// An open connection to this origin, if there is one that takes a request.
    pub(super) fn take(&self, origin: &Arc<str>) -> Option<Lease> {
        let mut state = self.0.lock();
        let connection = state.take(origin, &self.0.limits)?;
        drop(state);
        let is_shared = connection.is_shareable();
        Some(self.lease(origin, connection, is_shared))
    }

    /// Adds a new connection and leases it. Where another one is there by now that serves many requests, that one is leased and the new
    /// one closed.
    pub(super) fn add(&self, origin: &Arc<str>, connection: Connection) -> Lease {
        if !connection.is_shareable() {
            return self.lease(origin, connection, false);
        }
        let mut state = self.0.lock();
        let connection = match state.join(origin, &self.0.limits) {
            Some(existing) => existing,
            None => state.share(origin, connection),
        };
        drop(state);
        self.lease(origin, connection, true)
    }

    /// Leases a new connection that no other request gets before it is given back.
    pub(super) fn add_alone(&self, origin: &Arc<str>, connection: Connection) -> Lease {
        self.lease(origin, connection, false)
    }

    /// Closes the least recently used half of the idle connections: their open files are needed.
    pub(super) fn shed(&self) {
        let mut state = self.0.lock();
        let keep = state.idle.len() / 2;
        let closed = state.evict(keep);
        drop(state);
        drop(closed);
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.0.lock().idle.len()
    }

    fn lease(&self, origin: &Arc<str>, connection: Connection, is_shared: bool) -> Lease {
        Lease {
            pool: self.clone(),
            origin: origin.clone(),
            connection: Some(connection),
            is_shared,
        }
    }

    /// Keeps a connection that is ready for a request, if it is young enough for one. Whether the other side closes it is seen when it
    /// is taken.
    fn keep(&self, origin: &Arc<str>, connection: Connection) {
        let limits = &self.0.limits;
        if connection.is_older_than(limits.max_age) {
            return;
        }
        let mut state = self.0.lock();
        // One that takes many requests is enough for a receiver: each of these counts against what the receiver can hold open.
        if connection.is_shareable() && state.has_any(origin) {
            return;
        }
        state.insert_idle(origin, connection);
        let closed = state.evict(limits.idle);
        let sweep = !std::mem::replace(&mut state.sweeping, true);
        drop(state);
        drop(closed);
        // Without a runtime this is the end of the program.
        if sweep && let Ok(runtime) = Handle::try_current() {
            runtime.spawn(sweep_while_idle(Arc::downgrade(&self.0)));
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, origin: &Arc<str>, limits: &PoolLimits) -> Option<Connection> {
        if let Some(connection) = self.join(origin, limits) {
            return Some(connection);
        }
        while let Some(key) = self.by_origin.get(origin).and_then(|keys| keys.last()) {
            let mut idle = self.remove_idle(*key)?;
            let is_recent = idle.since.elapsed() < limits.idle_timeout;
            if is_recent && idle.connection.is_usable(limits.max_age) {
                return Some(if idle.connection.is_shareable() {
                    self.share(origin, idle.connection)
                } else {
                    idle.connection
                });
            }
        }
        None
    }

    /// Joins the users of a shared connection.
    fn join(&mut self, origin: &Arc<str>, limits: &PoolLimits) -> Option<Connection> {
        let shared = self.shared.get_mut(origin)?;
        if let Some(mut connection) = shared.connection.try_clone()
            && connection.is_usable(limits.max_age)
        {
            shared.users += 1;
            return Some(connection);
        }
        // Its users go on with it; it closes after the last.
        self.shared.remove(origin);
        None
    }

    /// Lets others join the user of a connection.
    fn share(&mut self, origin: &Arc<str>, connection: Connection) -> Connection {
        if let Some(for_others) = connection.try_clone() {
            let shared = Shared {
                connection: for_others,
                users: 1,
            };
            self.shared.insert(origin.clone(), shared);
        }
        connection
    }

    /// Ends a use of a shared connection; gives the connection when it was the last.
    fn leave(&mut self, origin: &Arc<str>, id: u64) -> Option<Connection> {
        let shared = self.shared.get_mut(origin)?;
        if shared.connection.id() != id {
            return None;
        }
        shared.users -= 1;
        if shared.users > 0 {
            return None;
        }
        self.shared.remove(origin).map(|shared| shared.connection)
    }

    /// Whether there is a connection to this origin that others may get.
    fn has_any(&self, origin: &Arc<str>) -> bool {
        self.shared.contains_key(origin) || self.by_origin.contains_key(origin)
    }

    fn insert_idle(&mut self, origin: &Arc<str>, connection: Connection) {
        let key = self.next_key;
        self.next_key += 1;
        self.by_origin.entry(origin.clone()).or_default().push(key);
        let idle = Idle {
            origin: origin.clone(),
            connection,
            since: Instant::now(),
        };
        self.idle.insert(key, idle);
    }

    fn remove_idle(&mut self, key: u64) -> Option<Idle> {
        let idle = self.idle.remove(&key)?;
        if let Some(keys) = self.by_origin.get_mut(&idle.origin) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_origin.remove(&idle.origin);
            }
        }
        Some(idle)
    }

    /// Takes out the least recently used until no more than `keep` are left. The caller drops them without the lock.
    fn evict(&mut self, keep: usize) -> Vec<Idle> {
        let mut evicted = Vec::new();
        while self.idle.len() > keep {
            let oldest = self.idle.first_key_value().map(|(key, _)| *key);
            evicted.extend(oldest.and_then(|key| self.remove_idle(key)));
        }
        evicted
    }

    /// Takes out what no request will get any more.
    fn expire(&mut self, limits: &PoolLimits) -> Vec<Idle> {
        let expired = self.idle.iter_mut().filter_map(|(key, idle)| {
            let is_recent = idle.since.elapsed() < limits.idle_timeout;
            let is_usable = is_recent && idle.connection.is_usable(limits.max_age);
            (!is_usable).then_some(*key)
        });
        let expired: Vec<u64> = expired.collect();
        expired
            .into_iter()
            .filter_map(|key| self.remove_idle(key))
            .collect()
    }
}

/// Closes connections in time, as long as any are idle.
async fn sweep_while_idle(pool: Weak<Inner>) {
    loop {
        let _ = timeout(SWEEP, std::future::pending::<()>()).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = pool.lock();
        let expired = state.expire(&pool.limits);
        state.sweeping = !state.idle.is_empty();
        let go_on = state.sweeping;
        drop(state);
        drop(expired);
        if !go_on {
            return;
        }
    }
}

impl Lease {
    /// Sends the request, as the connection's version of HTTP wants it.
    pub(super) async fn send(&mut self, request: Request<RequestBody>) -> SendResult {
        self.connection().send(request).await
    }

    /// Waits for `exchange` to end, which needs the connection to read and write.
    pub(super) async fn drive<T>(&mut self, exchange: impl Future<Output = T>) -> T {
        self.connection().drive(exchange).await
    }

    /// Whether the connection speaks HTTP/2.
    pub(super) fn is_http2(&mut self) -> bool {
        self.connection().is_shareable()
    }

    /// The connection's id, while it is leased.
    pub(super) fn id(&self) -> Option<u64> {
        self.connection.as_ref().map(Connection::id)
    }

    fn connection(&mut self) -> &mut Connection {
        self.connection
            .as_mut()
            .expect("only `give_back` takes it, and ends the lease")
    }

    /// Gives back a connection whose response was read. Dropping the lease instead closes a connection that is not shared: what is still
    /// to come on it belongs to no other request.
    pub(super) fn give_back(mut self) {
        if self.is_shared {
            return;
        }
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let (pool, origin) = (self.pool.clone(), self.origin.clone());
        if connection.is_ready() {
            pool.keep(&origin, connection);
            return;
        }
        tokio::spawn(async move {
            if let Ok(true) = timeout(SETTLE, connection.becomes_ready()).await {
                pool.keep(&origin, connection);
            }
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_shared {
            return;
        }
        let Some(connection) = self.connection.take() else {
            return;
        };
        let last = self.pool.0.lock().leave(&self.origin, connection.id());
        if let Some(mut connection) = last
            && connection.is_ready()
        {
            self.pool.keep(&self.origin, connection);
        }
    }
}

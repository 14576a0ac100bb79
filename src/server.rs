//! Puts everything together: storage, the worker, the ports and what answers on them; and stops it again.

mod app;
mod listen;
mod probes;

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_server::{Server as ActixServer, ServerHandle};
use actix_web::web;
use jiff::SignedDuration;
#[cfg(test)]
use serde_json::Value;
use tokio::runtime::Runtime;

use self::app::{Part, Site};
use self::listen::Patience;
use self::probes::Measured;
use crate::clock::{Clock, SavedTime};
use crate::config::{Config, Mode, Role};
use crate::domain::ProviderName;
use crate::http::Entrance;
use crate::limits::{FileBudget, TooFewFiles, raise_open_files};
use crate::metrics::Metrics;
use crate::operator;
use crate::pages::{self, Documents, Landing};
use crate::provider::{self, Context, InvalidSetting, PROVIDERS, Provider, Providers, Routes};
use crate::signals::Signals;
use crate::storage::{self, Location, Opened, Store, StoreError};
use crate::telemetry::{Traces, TracesError};
use crate::worker::sender::{Sender, SenderSettings, trusted_roots};
use crate::worker::{Lanes, RootsError, Worker, WorkerSettings};

/// How long the threads of the worker may take to end once nothing is under way.
const GRACE: Duration = Duration::from_secs(5);

/// By how much two leads differ that are one.
const ROUNDING: SignedDuration = SignedDuration::from_secs(1);

/// Why the server cannot start, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or may not be listened on.
    #[error("cannot listen on {address}: {source}{}", hint(.source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StoreError),
    /// The operating system allows too few open files.
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    /// The operating system gives no threads.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
    /// A setting of a provider makes no sense.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// A file of certificate authorities cannot be used.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// A server that listens and answers once it is run.
pub struct Server {
    server: ActixServer,
    addresses: Vec<SocketAddr>,
    admin_addresses: Vec<SocketAddr>,
    store: Arc<dyn Store>,
    worker: Arc<Worker>,
    threads: WorkerThreads,
    traces: Traces,
    stop: Duration,
}

/// The APIs of a server, each built once. Clones share what was built.
#[derive(Clone)]
pub(crate) struct Apis {
    providers: Providers,
    operator: operator::Api,
}

impl Apis {
    /// Builds the APIs of the providers in `table`, and the operator API over them.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting of a provider makes no sense.
    pub(crate) fn build(
        table: &[&'static dyn Provider],
        settings: &provider::Settings,
    ) -> Result<Self, InvalidSetting> {
        let providers = Providers::build(table, settings)?;
        let operator = operator::Api::build(&providers);
        Ok(Self {
            providers,
            operator,
        })
    }

    /// The emitted document of every API, with the path below which it is served.
    #[cfg(test)]
    pub(crate) fn documents(&self) -> Vec<(ProviderName, String, Arc<Value>)> {
        let providers = self.providers.iter().map(|built| {
            let name = built.provider.name();
            (name, format!("/{name}"), built.api.document.clone())
        });
        let operator = self.operator.document.clone();
        let own = (ProviderName::OPERATOR, "/operator/v1".to_owned(), operator);
        providers.chain([own]).collect()
    }

    /// The emitted document of the API with this name.
    #[cfg(test)]
    pub(crate) fn document(&self, name: &str) -> Arc<Value> {
        let documents = self.documents().into_iter();
        let mut documents = documents.filter(|(found, ..)| found.as_str() == name);
        documents.next().expect("an API of this name").2
    }

    /// The APIs as the pages show them.
    fn shown(&self, max_body_bytes: usize) -> Vec<pages::Api> {
        let providers = self.providers.iter().map(|built| pages::Api {
            title: built.provider.title(),
            name: built.provider.name(),
            document: built.api.document.clone(),
            sandbox: built.provider.sandbox_credentials(),
            failures: built.provider.failures(max_body_bytes),
        });
        let own = pages::Api {
            title: "Operator",
            name: ProviderName::OPERATOR,
            document: self.operator.document.clone(),
            sandbox: operator::SANDBOX_CREDENTIALS,
            failures: operator::failures(max_body_bytes),
        };
        providers.chain([own]).collect()
    }
}

/// Where the worker runs: apart from the requests, so that neither waits for the other.
struct WorkerThreads(Option<Runtime>);

impl WorkerThreads {
    /// Ends the threads and frees what they hold: the database is closed by its last owner.
    async fn end(mut self) {
        if let Some(runtime) = self.0.take() {
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(GRACE));
            if let Err(error) = ended.await {
                tracing::error!(%error, "the threads of the worker could not be ended");
            }
        }
    }
}

impl Drop for WorkerThreads {
    fn drop(&mut self) {
        // Not waited for: this may be dropped where nothing may block.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// Opens the database and the port.
    ///
    /// # Errors
    /// [`StartError`] says in one line why it cannot start.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let speed = config.clock_speed;
        let apis = Apis::build(PROVIDERS, &config.providers)?;
        Self::start_with(config, apis, |saved| Clock::resume(speed, saved))
    }

    /// As [`Self::start`], with these APIs and a clock that goes on from the time that was saved. The settings of providers in `config`
    /// are not read.
    pub(crate) fn start_with(
        config: Config,
        apis: Apis,
        clock: impl FnOnce(Option<SavedTime>) -> Clock,
    ) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::default());
        let files = file_budget(&config)?;
        metrics.begin(apis.providers.names());
        let Opened {
            store,
            saved_time,
            earlier_speed,
            shared_time,
        } = storage::open(
            &config.storage.location,
            &config.storage.keys,
            config.storage.purpose,
            Some(config.clock_speed),
            metrics.clone(),
        )?;
        match &config.storage.location {
            Location::Sqlite(path) => warn_of_readers(path),
            Location::Postgres(_) if !is_one(config.clock_speed) => tracing::warn!(
                "--clock-speed is for one node on a database: nodes with fast clocks do not agree on when a lease ends, and attempt \
                 deliveries twice"
            ),
            Location::Postgres(_) => {}
        }
        let clock = clock(saved_time);
        if earlier_speed != Some(config.clock_speed) || was_corrected(&clock, saved_time) {
            say_lead(&clock);
        }
        if let Some(shared) = shared_time {
            clock.follow(shared);
        }
        let context = Context {
            store: store.clone(),
            clock,
            sandbox: config.mode == Mode::Sandbox,
            max_body_bytes: config.max_body_bytes,
        };
        let mount = |built: &provider::Built| -> (String, Routes) {
            let path = format!("/{}", built.provider.name());
            (path, (built.api.mount)(context.clone()))
        };
        let mounted: Vec<(String, Routes)> = apis.providers.iter().map(mount).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("deliveries")
            .build()
            .map_err(StartError::Threads)?;
        let handle = runtime.handle().clone();
        // Here, so that a start that fails from here on ends the threads without waiting for them, which it may not.
        let threads = WorkerThreads(Some(runtime));
        let traces = Traces::start(config.tracing.as_ref())?;
        let settings = WorkerSettings {
            traces: traces.clone(),
            ..worker_settings(&config, files, &apis, store.clone(), clock, metrics.clone())?
        };
        let worker = Worker::start(settings, handle);
        let operator_state = web::Data::new(operator::State {
            providers: apis.providers.clone(),
            document: apis.operator.document.clone(),
            bodies: apis.operator.bodies.clone(),
            context,
            worker: worker.clone(),
            metrics: metrics.clone(),
            traces: traces.clone(),
        });
        let shown = apis.shown(config.max_body_bytes);
        let site = Site {
            providers: mounted.into(),
            names: apis.providers.names().collect(),
            operator: operator_state,
            sessions: web::Data::new(pages::Sessions::default()),
            store: web::Data::from(store.clone()),
            worker: web::Data::from(worker.clone()),
            measured: web::Data::new(Measured {
                metrics: metrics.clone(),
                clock,
            }),
            documents: Documents::new(config.mode, &config.base_path, &shown),
            landing: Landing::new(config.mode, &config.base_path, &shown),
            entrance: Entrance {
                hosts: config.hosts.clone(),
                base_path: config.base_path.as_str().into(),
            },
        };
        let mut server = ActixServer::build()
            .workers(request_threads(&config))
            .max_concurrent_connections(files.for_thread)
            .shutdown_timeout(config.stop_seconds)
            .disable_signals();
        let (public, admin) = match config.role {
            Role::Worker => (Part::Probes, Part::Probes),
            Role::Both | Role::Api if config.admin_listen.is_empty() => (Part::All, Part::All),
            Role::Both | Role::Api => (Part::Providers, Part::All),
        };
        let patience = Patience::new(config.answer_patience, config.keep_alive, files.for_thread);
        let mut addresses = Vec::new();
        let mut admin_addresses = Vec::new();
        for (asked, part, opened) in [
            (&config.listen, public, &mut addresses),
            (&config.admin_listen, admin, &mut admin_addresses),
        ] {
            for address in asked {
                let fault = |source| StartError::Listen {
                    address: *address,
                    source,
                };
                let listener = listen::bind(*address).map_err(fault)?;
                let local = listener.local_addr().map_err(fault)?;
                let site = site.clone();
                let app = move || site.app(part, local);
                server =
                    listen::listen(server, listener, patience, &metrics, app).map_err(fault)?;
                opened.push(local);
            }
        }
        Ok(Self {
            server: server.run(),
            addresses,
            admin_addresses,
            store,
            worker,
            threads,
            traces,
            stop: Duration::from_secs(config.stop_seconds),
        })
    }

    /// The addresses that it listens on; for the providers' APIs alone where there are others for the operator.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses that it listens on for the operator, where they are others.
    pub fn admin_addresses(&self) -> &[SocketAddr] {
        &self.admin_addresses
    }

    /// Stops it from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Its store.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Answers requests until a signal (SIGINT, SIGTERM) or the handle stops it. Requests and attempts in progress are ended first, both
    /// within one deadline; a second signal ends the program at once, as a crash would: nothing accepted is lost.
    ///
    /// # Errors
    /// The error of the operating system when the server breaks down, or when signals cannot be caught.
    pub async fn run(self) -> io::Result<()> {
        let mut signals = Signals::new()?;
        let mut server = self.server;
        let handle = server.handle();
        let deadline;
        let result = tokio::select! {
            result = &mut server => {
                deadline = Instant::now() + self.stop;
                result
            }
            () = signals.next() => {
                deadline = Instant::now() + self.stop;
                tracing::info!("stopping; a second signal ends the program at once");
                tokio::spawn(async move {
                    signals.next().await;
                    tracing::warn!("ended at once; attempts under way are made again when their leases end");
                    std::process::exit(1);
                });
                // The server stops while it is waited for.
                let ((), result) = tokio::join!(handle.stop(true), server);
                result
            }
        };
        // Nobody publishes any more: what is under way is ended, or given back.
        let left = deadline.saturating_duration_since(Instant::now());
        self.worker.stop(left).await;
        self.threads.end().await;
        // Now every span has ended.
        self.traces.stop().await;
        result
    }
}

/// Whether the machine's clock was set back between the earlier run and this one. A clock that runs fast begins at the real time each time.
fn was_corrected(clock: &Clock, saved: Option<SavedTime>) -> bool {
    let moved = |saved: SavedTime| (clock.steady_lead() - saved.lead()).abs();
    clock.is_real() && saved.is_some_and(|saved| moved(saved) > ROUNDING)
}

/// Says so where what waits is due at another time of day than it was thought to be.
fn say_lead(clock: &Clock) {
    let lead = clock.steady_lead();
    if !lead.is_zero() {
        tracing::info!(
            seconds = lead.as_secs(),
            "an earlier run on this database had another --clock-speed, or the machine's clock was corrected: what waits goes on \
             waiting as long as it would have, and its due times are shown by the clock of this run"
        );
    }
}

#[expect(clippy::float_cmp, reason = "exactly the default is meant")]
fn is_one(speed: f64) -> bool {
    speed == 1.0
}

/// Warns where other users can read the database: an earlier version may have created it so.
fn warn_of_readers(database: &Path) {
    let mode = database.metadata().map(|data| data.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        tracing::warn!(
            database = %database.display(),
            "other users of this machine can access the database: restrict it with chmod 600"
        );
    }
}

/// How many threads answer requests.
fn request_threads(config: &Config) -> usize {
    let cores = || std::thread::available_parallelism().map_or(2, usize::from);
    config.workers.unwrap_or_else(cores)
}

/// Divides the open files that this process may have, and says so where that leaves less than was asked for.
fn file_budget(config: &Config) -> Result<FileBudget, TooFewFiles> {
    let (files, threads) = (raise_open_files(), request_threads(config));
    let budget = FileBudget::new(files, config.delivery.in_flight, threads)?;
    if budget.attempts < config.delivery.in_flight {
        tracing::warn!(
            open_files = files,
            attempts_in_flight = budget.attempts,
            connections = budget.for_thread * threads,
            "few files may be open, so fewer attempts are made at once than is set: raise the limit with ulimit -n or LimitNOFILE="
        );
    }
    Ok(budget)
}

fn worker_settings(
    config: &Config,
    files: FileBudget,
    apis: &Apis,
    store: Arc<dyn Store>,
    clock: Clock,
    metrics: Arc<Metrics>,
) -> Result<WorkerSettings, RootsError> {
    let delivery = &config.delivery;
    let policy = Arc::new(delivery.policy.clone());
    let roots = trusted_roots(delivery.egress.ca_file.as_deref())?;
    Ok(WorkerSettings {
        store,
        providers: apis.providers.clone(),
        clock,
        sender: Sender::new(SenderSettings {
            idle: files.idle,
            proxy: delivery.egress.proxy.clone(),
            max_age: delivery.egress.connection_age,
            ..SenderSettings::new(policy, roots)
        }),
        lanes: Arc::new(
            match config.role {
                Role::Both | Role::Worker => Lanes::new(files.attempts, delivery.per_webhook),
                Role::Api => Lanes::none(),
            }
            .with_target_delay(delivery.target_delay, files.attempts),
        ),
        attempts: config.role != Role::Api,
        metrics,
        traces: Traces::default(),
        lease: delivery.lease,
        retention: delivery.retention,
    })
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; stop the program that uses the port, or choose another with --listen 127.0.0.1:PORT"
        }
        io::ErrorKind::PermissionDenied => {
            "; choose a port above 1023 with --listen 127.0.0.1:PORT"
        }
        _ => "",
    }
}

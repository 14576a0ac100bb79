//! Configuration: flag > environment > file > default, read once and validated with full sentences.

mod choices;
mod egress;
mod file;
mod listening;
mod providers;
mod storage;
mod tracing;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde::Deserialize;

pub use self::choices::{LogFormat, Mode, Role};
use self::egress::policy;
pub use self::egress::{Egress, EgressProxy, EgressSettings};
use self::file::Origin;
use self::listening::{base_path, hosts, listen};
use self::providers::ProviderSettings;
pub use self::storage::{Storage, StorageSettings, location};
pub use self::tracing::{Tracing, TracingSettings};
use crate::domain::{ATTEMPT_DEADLINE, AddressPolicy, HostNames, Secret};
use crate::provider::{self, InvalidSetting, PROVIDERS};
use crate::storage::{InvalidPostgresAddress, KeyFileError, Location};

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// A client that reads at all takes something within it.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// As long as nginx keeps them: a client that pools connections must seldom meet one that is being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const DEFAULT_MAX_BODY_BYTES: usize = 256 * 1024;
const DEFAULT_STOP_SECONDS: u64 = 30;
const DEFAULT_IN_FLIGHT: usize = 256;
const DEFAULT_PER_WEBHOOK: usize = 32;
/// In milliseconds.
const DEFAULT_TARGET_DELAY: u32 = 100;
const DEFAULT_LEASE_SECONDS: u64 = 30;
/// A day: what a crash leaves claimed waits so long at most.
const MAX_LEASE_SECONDS: u64 = 24 * 60 * 60;
const DEFAULT_RETENTION_DAYS: u32 = 30;

/// Everything that can be set. clap reads it from flags and environment, serde from the file; what is not set is `None`.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "TRUEHOOK_LISTEN", value_name = "HOST:PORT")]
    pub listen: Option<String>,

    /// Another address and port for the operator API, the metrics and all pages, which --listen then no longer has [default: none]
    #[arg(long, env = "TRUEHOOK_ADMIN_LISTEN", value_name = "HOST:PORT")]
    pub admin_listen: Option<String>,

    /// Names and addresses, separated by commas, by which sandbox mode may be reached beside those of loopback, as in a container of a
    /// CI job; it may then listen on other addresses than loopback [default: none]
    #[arg(
        long,
        env = "TRUEHOOK_ALLOW_HOST",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub allow_host: Option<Vec<String>>,

    /// The path below which a reverse proxy serves all this, such as /hooks; the proxy may pass it on or take it away [default: none]
    #[arg(long, env = "TRUEHOOK_BASE_PATH", value_name = "PATH")]
    pub base_path: Option<String>,

    /// Where data is kept and how.
    #[command(flatten)]
    #[serde(flatten)]
    pub storage: StorageSettings,

    /// With a PostgreSQL database: only answer requests; other nodes attempt the deliveries [default: both]
    #[arg(long, env = "TRUEHOOK_API", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub api: Option<bool>,

    /// With a PostgreSQL database: only attempt deliveries; of requests, those for health and metrics are answered [default: both]
    #[arg(long, env = "TRUEHOOK_WORKER", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub worker: Option<bool>,

    /// How many times as fast as real time the clock runs; sandbox mode only [default: 1]
    #[arg(long, env = "TRUEHOOK_CLOCK_SPEED", value_name = "FACTOR")]
    pub clock_speed: Option<f64>,

    /// The largest request body that is read, in bytes [default: 262144]
    #[arg(long, env = "TRUEHOOK_MAX_BODY_BYTES", value_name = "BYTES")]
    pub max_body_bytes: Option<usize>,

    /// How many threads answer requests [default: one for each core]
    #[arg(long, env = "TRUEHOOK_WORKERS", value_name = "NUMBER")]
    pub workers: Option<usize>,

    /// How long requests and attempts in progress may take to end after a signal to stop, in seconds [default: 30]
    #[arg(long, env = "TRUEHOOK_STOP_SECONDS", value_name = "SECONDS")]
    pub stop_seconds: Option<u64>,

    /// The lines to log: a level, or directives such as `info,truehook::storage=debug` [default: info]
    #[arg(long, env = "TRUEHOOK_LOG", value_name = "DIRECTIVES")]
    pub log: Option<String>,

    /// How to write logs [default: text on a terminal, json elsewhere]
    #[arg(long, env = "TRUEHOOK_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Whether traces are kept.
    #[command(flatten)]
    #[serde(flatten)]
    pub tracing: TracingSettings,

    /// The way to receivers.
    #[command(flatten)]
    #[serde(flatten)]
    pub egress: EgressSettings,

    /// How many attempts may be under way at once [default: 256]
    #[arg(long, env = "TRUEHOOK_ATTEMPTS_IN_FLIGHT", value_name = "NUMBER")]
    pub attempts_in_flight: Option<usize>,

    /// How many attempts at one webhook may be under way at once [default: 32]
    #[arg(long, env = "TRUEHOOK_ATTEMPTS_PER_WEBHOOK", value_name = "NUMBER")]
    pub attempts_per_webhook: Option<usize>,

    /// How long a delivery should wait at most for this machine, in milliseconds: while more of them wait, publications are answered later;
    /// 0 answers them at once [default: 100]
    #[arg(long, env = "TRUEHOOK_TARGET_DELAY", value_name = "MILLISECONDS")]
    pub target_delay: Option<u32>,

    /// How long an attempt holds its delivery before another may be made, in seconds; above its deadline of 10 [default: 30]
    #[arg(long, env = "TRUEHOOK_LEASE_SECONDS", value_name = "SECONDS")]
    pub lease_seconds: Option<u64>,

    /// Networks that may be sent to although they are not public, as addresses or CIDR ranges separated by commas; `private` stands for
    /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and `fc00::/7`, where those of containers are [default: none]
    #[arg(
        long,
        env = "TRUEHOOK_ALLOW_ADDRESSES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    pub allow_addresses: Option<Vec<String>>,

    /// After how many days events are deleted with their deliveries and attempts; 0 keeps them for ever [default: 30]
    #[arg(long, env = "TRUEHOOK_RETENTION_DAYS", value_name = "DAYS")]
    pub retention_days: Option<u32>,

    /// The settings of providers.
    #[command(flatten)]
    #[serde(flatten)]
    pub providers: ProviderSettings,

    /// Which of them come from the file.
    #[arg(skip)]
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// The configuration of `serve`, complete and consistent.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen: every address that the host name has.
    pub listen: Vec<SocketAddr>,
    /// Where to listen for the operator; where customers do too when it is empty.
    pub admin_listen: Vec<SocketAddr>,
    /// By which names the server may be reached; by any without.
    pub hosts: Option<HostNames>,
    /// The path that stands before every other for those who call; empty, or with a leading and without a trailing slash.
    pub base_path: String,
    /// How long a client may take none of its answers before it is disconnected.
    pub answer_patience: Duration,
    /// How long a connection may wait for its next request.
    pub keep_alive: Duration,
    /// Where data is kept.
    pub storage: Storage,
    /// How the server is meant to be used.
    pub mode: Mode,
    /// The role of this node.
    pub role: Role,
    /// How many times as fast as real time the clock runs.
    pub clock_speed: f64,
    /// The largest request body that is read, in bytes.
    pub max_body_bytes: usize,
    /// How many threads answer requests; one for each core when it is not set.
    pub workers: Option<usize>,
    /// How long requests and attempts in progress may take to end after a signal to stop, in seconds.
    pub stop_seconds: u64,
    /// Where traces are sent, when they are kept.
    pub tracing: Option<Tracing>,
    /// How deliveries are attempted.
    pub delivery: Delivery,
    /// The settings of providers.
    pub providers: provider::Settings,
    /// The URL of the database of a test, with which the test meddles.
    #[cfg(test)]
    pub(crate) test_database: Option<String>,
}

/// How deliveries are attempted.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// How many attempts may be under way at once.
    pub in_flight: usize,
    /// How many of them at one webhook.
    pub per_webhook: usize,
    /// How long a delivery should wait at most for this machine; zero for any time.
    pub target_delay: Duration,
    /// How long an attempt holds its delivery, in real time.
    pub lease: Duration,
    /// Which addresses may be dialled.
    pub policy: AddressPolicy,
    /// The way to receivers.
    pub egress: Egress,
    /// How long events are kept, by the server's clock; for ever without.
    pub retention: Option<SignedDuration>,
}

/// Why a configuration cannot be used, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not TOML, or a value has the wrong type.
    #[error("{path}, line {line}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line of the fault, from 1.
        line: usize,
        /// The fault, with the key that it is at.
        reason: String,
    },
    /// A value of the file that makes no sense.
    #[error("{path}, line {line}: {source}")]
    Located {
        /// The file.
        path: PathBuf,
        /// The line of its key, from 1.
        line: usize,
        /// What is wrong with it.
        source: Box<ConfigError>,
    },
    /// A value, or a combination of values, that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A setting of a provider makes no sense.
    #[error(transparent)]
    Provider(#[from] InvalidSetting),
    /// The URL names no PostgreSQL database.
    #[error(transparent)]
    Database(#[from] InvalidPostgresAddress),
    /// The encryption key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

impl Settings {
    /// Fills in from the file what neither flag nor environment sets.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read, is not TOML, or has a key that is not a setting.
    pub fn with_file(self) -> Result<Self, ConfigError> {
        let Some(path) = self.storage.config.clone() else {
            return Ok(self);
        };
        let text = fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?;
        file::fill(self, &path, &text)
    }

    fn or(self, other: Self) -> Self {
        let (storage, other_storage) = (self.storage, other.storage);
        Self {
            listen: self.listen.or(other.listen),
            admin_listen: self.admin_listen.or(other.admin_listen),
            allow_host: self.allow_host.or(other.allow_host),
            base_path: self.base_path.or(other.base_path),
            storage: storage.or(other_storage),
            api: self.api.or(other.api),
            worker: self.worker.or(other.worker),
            clock_speed: self.clock_speed.or(other.clock_speed),
            max_body_bytes: self.max_body_bytes.or(other.max_body_bytes),
            workers: self.workers.or(other.workers),
            stop_seconds: self.stop_seconds.or(other.stop_seconds),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
            tracing: self.tracing.or(other.tracing),
            egress: self.egress.or(other.egress),
            attempts_in_flight: self.attempts_in_flight.or(other.attempts_in_flight),
            attempts_per_webhook: self.attempts_per_webhook.or(other.attempts_per_webhook),
            target_delay: self.target_delay.or(other.target_delay),
            lease_seconds: self.lease_seconds.or(other.lease_seconds),
            allow_addresses: self.allow_addresses.or(other.allow_addresses),
            retention_days: self.retention_days.or(other.retention_days),
            providers: ProviderSettings(self.providers.0.or(other.providers.0)),
            origin: self.origin,
        }
    }
}

impl Config {
    /// Checks settings and fills in the defaults.
    ///
    /// # Errors
    /// [`ConfigError`] says in one line what is wrong and what to do.
    pub fn new(mut settings: Settings) -> Result<Self, ConfigError> {
        let origin = std::mem::take(&mut settings.origin);
        Self::complete(settings).map_err(|error| origin.locate(error))
    }

    fn complete(settings: Settings) -> Result<Self, ConfigError> {
        let invalid = |message: String| Err(ConfigError::Invalid(message));
        let mode = settings.storage.mode.unwrap_or(Mode::Sandbox);
        let hosts = hosts(mode, settings.allow_host.as_deref())?;
        let listen_on = |flag, text: &str| listen(flag, text, hosts.as_ref());
        let listen = listen_on(
            "--listen",
            settings.listen.as_deref().unwrap_or(DEFAULT_LISTEN),
        )?;
        let admin_listen = match settings.admin_listen.as_deref() {
            Some(text) => listen_on("--admin-listen", text)?,
            None => Vec::new(),
        };
        let shared = admin_listen
            .iter()
            .find(|address| address.port() != 0 && listen.contains(address));
        if let Some(address) = shared {
            return invalid(format!(
                "--listen and --admin-listen are both {address}: give the operator API a port of its own"
            ));
        }
        let clock_speed = settings.clock_speed.unwrap_or(1.0);
        if !(clock_speed.is_finite() && clock_speed > 0.0) {
            return invalid(format!(
                "--clock-speed must be a number above 0, not {clock_speed}"
            ));
        }
        #[expect(clippy::float_cmp, reason = "exactly the default is meant")]
        if mode == Mode::Production && clock_speed != 1.0 {
            return invalid(
                "--clock-speed is for sandbox mode: in production the clock runs at its own speed"
                    .to_owned(),
            );
        }
        let max_body_bytes = at_least_one(
            "--max-body-bytes",
            settings.max_body_bytes,
            DEFAULT_MAX_BODY_BYTES,
        )?;
        let workers = settings
            .workers
            .map(|workers| at_least_one("--workers", Some(workers), 1))
            .transpose()?;
        let role = match (
            settings.api.unwrap_or_default(),
            settings.worker.unwrap_or_default(),
        ) {
            (true, false) => Role::Api,
            (false, true) => Role::Worker,
            (true, true) | (false, false) => Role::Both,
        };
        let database = storage::location(&settings.storage)?;
        if role != Role::Both && matches!(database, Location::Sqlite(_)) {
            return invalid(
                "--api and --worker are for nodes that share a PostgreSQL database: a SQLite file has one server, which does both"
                    .to_owned(),
            );
        }
        let providers = settings.providers.0;
        for provider in PROVIDERS {
            provider.check_settings(&providers)?;
        }
        Ok(Self {
            listen,
            admin_listen,
            base_path: base_path(settings.base_path.as_deref().unwrap_or_default())?,
            answer_patience: ANSWER_PATIENCE,
            keep_alive: KEEP_ALIVE,
            hosts,
            #[cfg(test)]
            test_database: None,
            mode,
            role,
            clock_speed,
            max_body_bytes,
            workers,
            stop_seconds: settings.stop_seconds.unwrap_or(DEFAULT_STOP_SECONDS),
            tracing: Tracing::new(settings.tracing)?,
            delivery: Delivery {
                in_flight: at_least_one(
                    "--attempts-in-flight",
                    settings.attempts_in_flight,
                    DEFAULT_IN_FLIGHT,
                )?,
                per_webhook: at_least_one(
                    "--attempts-per-webhook",
                    settings.attempts_per_webhook,
                    DEFAULT_PER_WEBHOOK,
                )?,
                target_delay: Duration::from_millis(
                    settings.target_delay.unwrap_or(DEFAULT_TARGET_DELAY).into(),
                ),
                lease: lease(settings.lease_seconds.unwrap_or(DEFAULT_LEASE_SECONDS))?,
                policy: policy(
                    mode,
                    settings.allow_addresses.as_deref().unwrap_or_default(),
                )?,
                egress: Egress::new(settings.egress)?,
                retention: match settings.retention_days.unwrap_or(DEFAULT_RETENTION_DAYS) {
                    0 => None,
                    days => Some(SignedDuration::from_hours(i64::from(days) * 24)),
                },
            },
            providers,
            // Last, because a sandbox may make a key file here.
            storage: Storage::new(settings.storage)?,
        })
    }
}

fn at_least_one(flag: &str, value: Option<usize>, default: usize) -> Result<usize, ConfigError> {
    match value {
        Some(0) => Err(ConfigError::Invalid(format!("{flag} must be at least 1"))),
        Some(value) => Ok(value),
        None => Ok(default),
    }
}

/// A lease that ends before the attempt does would have every slow receiver sent the same delivery again.
fn lease(seconds: u64) -> Result<Duration, ConfigError> {
    let deadline = ATTEMPT_DEADLINE.as_secs();
    if (deadline + 1..=MAX_LEASE_SECONDS).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(ConfigError::Invalid(format!(
            "--lease-seconds {seconds}: must be above the deadline of an attempt, {deadline}, and at most {MAX_LEASE_SECONDS}"
        )))
    }
}

/// The names of all flags, which are the keys of the file.
fn known_keys() -> Vec<String> {
    let command = Settings::augment_args(clap::Command::new("settings"));
    let flags = command
        .get_arguments()
        .filter_map(|argument| argument.get_long());
    flags
        .filter(|flag| *flag != "config")
        .map(str::to_owned)
        .collect()
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

#[cfg(test)]
mod tests;

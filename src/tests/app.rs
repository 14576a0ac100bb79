//! A real server for one test: its own port, its own database file, and clients with credentials.

use std::sync::{Arc, LazyLock};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, redirect};
use serde_json::Value;
use tempfile::TempDir;

use crate::clock::tests::Machine;
use crate::clock::{Clock, SavedTime};
use crate::config::{Config, Mode, Settings, StorageSettings};
use crate::domain::{ApiKey, Fingerprint, ProviderName, ksuid};
use crate::entropy;
use crate::provider::{self, PROVIDERS, conduit, equals_money};
use crate::server::{Apis, Server};
use crate::storage::{Location, Store, cluster};

pub(crate) const CONDUIT_CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
pub(crate) const EQUALS_PRODUCT: &str = "911db6db-ef58-4992-87cd-2fe2cfde05f9";

/// Every API with the default settings, built once for all tests.
pub(crate) static APIS: LazyLock<Apis> =
    LazyLock::new(|| Apis::build(PROVIDERS, &provider::Settings::default()).unwrap());

/// With `postgres` in this variable every server here has a PostgreSQL database in place of a file.
const BACKEND: &str = "TRUEHOOK_TEST_DATABASE";

/// A running server; stopped when it is dropped.
pub(crate) struct TestApp {
    pub(crate) base: String,
    admin_base: Option<String>,
    pub(crate) store: Arc<dyn Store>,
    http: reqwest::Client,
    handle: actix_web::dev::ServerHandle,
    running: Option<actix_web::rt::task::JoinHandle<std::io::Result<()>>>,
    config: Config,
    folder: Option<TempDir>,
}

/// Calls one API with one set of headers.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    headers: HeaderMap,
    http: reqwest::Client,
}

/// An answer as it came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts on a machine whose clocks the test sets.
    pub(crate) async fn start_on(machine: &'static Machine, speed: f64) -> Self {
        let (mut config, folder) = configured();
        config.clock_speed = speed;
        Self::run_on(config, folder, |saved| machine.clock(speed, saved))
    }

    /// Starts with a changed configuration; the defaults are those of `truehook serve`, on a free port with one worker.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, folder) = configured();
        change(&mut config);
        Self::run(config, folder)
    }

    /// Starts with other APIs than those of the program.
    pub(crate) async fn start_with_apis(apis: &Apis) -> Self {
        let (config, folder) = configured();
        let speed = config.clock_speed;
        let clock = |saved| Clock::resume(speed, saved);
        Self::run_with(config, folder, apis.clone(), clock)
    }

    /// Starts a node on this PostgreSQL database, which others may share.
    pub(crate) async fn start_node(url: &str, change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, folder) = configured_on(Some(url.to_owned()));
        change(&mut config);
        Self::run(config, folder)
    }

    fn run(config: Config, folder: TempDir) -> Self {
        let speed = config.clock_speed;
        Self::run_on(config, folder, |saved| Clock::resume(speed, saved))
    }

    fn run_on(
        config: Config,
        folder: TempDir,
        clock: impl FnOnce(Option<SavedTime>) -> Clock,
    ) -> Self {
        let apis = if config.providers == provider::Settings::default() {
            APIS.clone()
        } else {
            Apis::build(PROVIDERS, &config.providers).unwrap()
        };
        Self::run_with(config, folder, apis, clock)
    }

    fn run_with(
        config: Config,
        folder: TempDir,
        apis: Apis,
        clock: impl FnOnce(Option<SavedTime>) -> Clock,
    ) -> Self {
        let server = Server::start_with(config.clone(), apis, clock).unwrap();
        let base = format!("http://{}", server.addresses()[0]);
        let admin_base = server.admin_addresses().first();
        let admin_base = admin_base.map(|address| format!("http://{address}"));
        let (store, handle) = (server.store(), server.handle());
        let running = actix_web::rt::spawn(server.run());
        // Nothing here speaks TLS; reqwest wants a provider all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            base,
            admin_base,
            store,
            http,
            handle,
            running: Some(running),
            config,
            folder: Some(folder),
        }
    }

    /// Stops gracefully and starts again on the same database.
    pub(crate) async fn restart(self) -> Self {
        let (config, folder) = self.end().await;
        Self::run(config, folder)
    }

    /// Stops gracefully and starts again on the same database and this machine.
    pub(crate) async fn restart_on(self, machine: &'static Machine, speed: f64) -> Self {
        let (config, folder) = self.end().await;
        Self::run_on(config, folder, |saved| machine.clock(speed, saved))
    }

    async fn end(mut self) -> (Config, TempDir) {
        self.handle.stop(true).await;
        self.running.take().unwrap().await.unwrap().unwrap();
        let (config, folder) = (self.config.clone(), self.folder.take().unwrap());
        // The file is closed by the last owner of the store.
        drop(self);
        (config, folder)
    }

    /// The file of the database.
    fn file(&self) -> &std::path::Path {
        match &self.config.storage.location {
            Location::Sqlite(path) => path,
            Location::Postgres(_) => panic!("the database has no file"),
        }
    }

    /// The URL of the database, where it is one of PostgreSQL.
    fn server(&self) -> Option<&str> {
        self.config.test_database.as_deref()
    }

    /// Locks the database against every write, until what is returned is dropped.
    pub(crate) fn lock(&self) -> Box<dyn std::any::Any> {
        if let Some(url) = self.server() {
            let other = cluster::Session::open(url);
            other.run("BEGIN; LOCK TABLE event, pending, delivery, lane, meta IN EXCLUSIVE MODE");
            return Box::new(other);
        }
        let other = rusqlite::Connection::open(self.file()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Box::new(other)
    }

    /// Takes the file of the database away.
    pub(crate) fn take_away(&self) {
        if let Some(url) = self.server() {
            return cluster::take_away(url);
        }
        let path = self.file();
        std::fs::rename(path, path.with_extension("away")).unwrap();
    }

    /// Takes every table of the database away, so that each use of it fails.
    pub(crate) fn damage(&self) {
        if let Some(url) = self.server() {
            return cluster::damage(url);
        }
        let database = rusqlite::Connection::open(self.file()).unwrap();
        let mut statement = database
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            )
            .unwrap();
        let tables: Vec<String> = statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(!tables.is_empty());
        for table in tables {
            let sql = format!("ALTER TABLE \"{table}\" RENAME TO \"lost_{table}\"");
            database.execute_batch(&sql).unwrap();
        }
    }

    /// Without credentials, below `prefix`.
    pub(crate) fn anonymous(&self, prefix: &str) -> Client {
        Client {
            base: format!("{}{prefix}", self.base),
            headers: HeaderMap::new(),
            http: self.http.clone(),
        }
    }

    /// Without credentials, below `prefix` on the operator's port.
    pub(crate) fn admin(&self, prefix: &str) -> Client {
        let base = self.admin_base.as_ref().unwrap();
        Client {
            base: format!("{base}{prefix}"),
            ..self.anonymous("")
        }
    }

    pub(crate) fn conduit(&self) -> Client {
        let client = self.anonymous("/conduit");
        client
            .with_header("X-API-Key", "sandbox-key")
            .with_header("X-API-Secret", "sandbox-secret")
    }

    pub(crate) async fn conduit_other(&self) -> Client {
        let owner = ksuid("client_", key_time(), entropy::bytes());
        self.insert_key(conduit::NAME, owner, "other-key", Some("other-secret"))
            .await;
        let client = self.anonymous("/conduit");
        client
            .with_header("X-API-Key", "other-key")
            .with_header("X-API-Secret", "other-secret")
    }

    pub(crate) fn equals(&self) -> Client {
        self.anonymous("/equals-money")
            .with_header("Authorization", "ApiKey sandbox-key")
    }

    pub(crate) async fn equals_other(&self) -> Client {
        self.insert_key(
            equals_money::NAME,
            entropy::uuid().to_string(),
            "other-key",
            None,
        )
        .await;
        self.anonymous("/equals-money")
            .with_header("Authorization", "ApiKey other-key")
    }

    pub(crate) fn operator(&self) -> Client {
        self.anonymous("/operator/v1")
            .with_header("Authorization", "Bearer sandbox-operator")
    }

    pub(crate) async fn operator_other(&self) -> Client {
        let owner = "operator".to_owned();
        self.insert_key(ProviderName::OPERATOR, owner, "other-key", None)
            .await;
        self.anonymous("/operator/v1")
            .with_header("Authorization", "Bearer other-key")
    }

    async fn insert_key(
        &self,
        provider: ProviderName,
        owner: String,
        key: &str,
        secret: Option<&str>,
    ) {
        let record = ApiKey {
            id: ksuid("key_", key_time(), entropy::bytes()),
            provider,
            owner,
            name: None,
            key: Fingerprint::of(key.as_bytes()),
            secret: secret.map(|secret| Fingerprint::of(secret.as_bytes())),
            created_at: key_time(),
            revoked_at: None,
        };
        self.store.insert_key(record).await.unwrap();
    }
}

/// The configuration of `truehook serve`, on a free port with one worker.
fn configured() -> (Config, TempDir) {
    let server = std::env::var(BACKEND).is_ok_and(|name| name == "postgres");
    configured_on(server.then(cluster::new_schema))
}

/// With this PostgreSQL database, or a file.
fn configured_on(server: Option<String>) -> (Config, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("truehook.db").display());
    let storage = match &server {
        Some(url) => StorageSettings {
            database: Some(url.clone()),
            encryption_key: Some(crate::domain::Secret::new("01".repeat(32))),
            ..StorageSettings::default()
        },
        None => StorageSettings {
            database: Some(database),
            ..StorageSettings::default()
        },
    };
    let settings = Settings {
        listen: Some("127.0.0.1:0".to_owned()),
        storage,
        workers: Some(1),
        ..Settings::default()
    };
    let mut config = Config::new(settings).unwrap();
    config.test_database = server;
    (config, folder)
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The future is driven by the server itself; nobody waits for it.
        drop(self.handle.stop(false));
    }
}

impl Client {
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        let name: HeaderName = name.parse().unwrap();
        client
            .headers
            .insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        client
    }

    pub(crate) fn without_header(&self, name: &str) -> Self {
        let mut client = self.clone();
        client.headers.remove(name);
        client
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(
            "POST",
            path,
            Some("application/json"),
            body.to_string().as_bytes(),
        )
        .await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(
            "PATCH",
            path,
            Some("application/json"),
            body.to_string().as_bytes(),
        )
        .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, b"").await
    }

    /// Sends a body as it is.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Answer {
        let method: Method = method.parse().unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers.clone());
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if !body.is_empty() {
            request = request.body(body.to_vec());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer {
            status,
            headers,
            body: response.bytes().await.unwrap().to_vec(),
        }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Member names of the top-level object, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.json()
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Where the faults are, in order: `errors[].pointer` (Conduit) or `details[].pointer` (Equals Money).
    pub(crate) fn pointers(&self) -> Vec<String> {
        let json = self.json();
        let faults = json
            .get("errors")
            .or_else(|| json.get("details"))
            .and_then(Value::as_array)
            .cloned();
        let mut pointers: Vec<String> = faults
            .into_iter()
            .flatten()
            .map(|fault| fault["pointer"].as_str().unwrap().to_owned())
            .collect();
        pointers.sort();
        pointers
    }
}

/// When the keys of tests were made.
fn key_time() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A configuration for production, as far as a test can have one.
pub(crate) fn production(config: &mut Config) {
    config.mode = Mode::Production;
    config.hosts = None;
}

//! `truehook keys`: API keys. A credential is shown once, when it is made; only its fingerprint is kept.

use std::io::Write;

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use data_encoding::HEXLOWER;
use serde_json::json;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{Settings, Storage, StorageSettings};
use crate::domain::{self, ApiKey, Fingerprint, Provider};
use crate::entropy;
use crate::storage::{SqliteStore, Store};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook keys create --provider conduit --name acme
  truehook keys create --provider equals-money --owner 911db6db-ef58-4992-87cd-2fe2cfde05f9
  truehook keys list
  truehook keys revoke key_2ofTA13AD0xBtbEvBl20aEb1hEu

A running server needs no restart: it knows a new key, and forgets a revoked one, at once.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key; its credentials are shown now and never again
    Create {
        /// The API that it opens
        #[arg(long, value_enum, env = "TRUEHOOK_PROVIDER")]
        provider: Api,
        /// Whose key it is: a Conduit client id or an Equals Money product id [default: a new one]
        #[arg(long, env = "TRUEHOOK_OWNER")]
        owner: Option<String>,
        /// What to call it in lists
        #[arg(long, env = "TRUEHOOK_NAME")]
        name: Option<String>,
        #[command(flatten)]
        storage: StorageSettings,
    },
    /// List all keys, without credentials
    List {
        #[command(flatten)]
        storage: StorageSettings,
    },
    /// Revoke a key: from now on it opens nothing
    Revoke {
        /// The id of the key, as `list` shows it
        id: String,
        #[command(flatten)]
        storage: StorageSettings,
    },
}

/// The APIs whose keys can be made.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Api {
    Conduit,
    EqualsMoney,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(async {
        match arguments.command {
            Command::Create {
                provider,
                owner,
                name,
                storage,
            } => create(open(storage)?, provider, owner, name).await,
            Command::List { storage } => list(open(storage)?).await,
            Command::Revoke { id, storage } => revoke(open(storage)?, id).await,
        }
    })?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

fn open(storage: StorageSettings) -> anyhow::Result<SqliteStore> {
    let settings = Settings {
        storage,
        ..Settings::default()
    }
    .with_file()?;
    let storage = Storage::new(settings.storage)?;
    Ok(SqliteStore::open(
        &storage.path,
        &storage.key,
        Arc::default(),
    )?)
}

async fn create(
    store: SqliteStore,
    api: Api,
    owner: Option<String>,
    name: Option<String>,
) -> anyhow::Result<String> {
    let now = Clock::start(1.0).now();
    let credential = || HEXLOWER.encode(&entropy::bytes::<32>());
    let key = credential();
    let secret = matches!(api, Api::Conduit).then(credential);
    let (provider, owner) = match api {
        Api::Conduit => (Provider::Conduit, conduit_owner(owner, now)?),
        Api::EqualsMoney => (Provider::EqualsMoney, equals_owner(owner)?),
    };
    let record = ApiKey {
        id: domain::ksuid("key_", now, entropy::bytes()),
        provider,
        owner,
        name,
        key: Fingerprint::of(key.as_bytes()),
        secret: secret
            .as_ref()
            .map(|secret| Fingerprint::of(secret.as_bytes())),
        created_at: now,
        revoked_at: None,
    };
    store.insert_key(record.clone()).await?;
    let headers = match &secret {
        Some(secret) => json!({ "X-API-Key": key, "X-API-Secret": secret }),
        None => json!({ "Authorization": format!("ApiKey {key}") }),
    };
    let shown = json!({ "id": record.id, "provider": provider.as_str(), "owner": record.owner, "headers": headers });
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
}

fn conduit_owner(owner: Option<String>, now: jiff::Timestamp) -> anyhow::Result<String> {
    let Some(owner) = owner else {
        return Ok(domain::ksuid("client_", now, entropy::bytes()));
    };
    let rest = owner.strip_prefix("client_").unwrap_or_default();
    let well_formed = rest.len() == 27 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ensure!(
        well_formed,
        "--owner {owner} is no Conduit client id: client_ and 27 letters or digits are expected"
    );
    Ok(owner)
}

fn equals_owner(owner: Option<String>) -> anyhow::Result<String> {
    let Some(owner) = owner else {
        return Ok(entropy::uuid().to_string());
    };
    let product = Uuid::try_parse(&owner);
    let product = product.with_context(|| {
        format!("--owner {owner} is no Equals Money product id: a UUID is expected")
    })?;
    Ok(product.to_string())
}

async fn list(store: SqliteStore) -> anyhow::Result<String> {
    let keys = store.keys().await?;
    if keys.is_empty() {
        return Ok("no keys; make one with `truehook keys create --provider conduit`\n".to_owned());
    }
    let mut text = format!(
        "{:<31}  {:<12}  {:<36}  {:<20}  {:<20}  name\n",
        "id", "provider", "owner", "created", "revoked"
    );
    for key in keys {
        let revoked = key
            .revoked_at
            .map_or_else(|| "-".to_owned(), |time| format!("{time:.0}"));
        let name = key.name.unwrap_or_default();
        text += &format!(
            "{:<31}  {:<12}  {:<36}  {:<20}  {revoked:<20}  {name}\n",
            key.id,
            key.provider.as_str(),
            key.owner,
            format!("{:.0}", key.created_at)
        );
    }
    Ok(text)
}

async fn revoke(store: SqliteStore, id: String) -> anyhow::Result<String> {
    if store
        .revoke_key(id.clone(), Clock::start(1.0).now())
        .await?
    {
        Ok(format!("revoked {id}\n"))
    } else {
        bail!("there is no key {id} that is not revoked yet; `truehook keys list` shows all")
    }
}

//! `truehook keys`: API keys. A credential is shown once, when it is made; only its fingerprint is kept.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::names;
use crate::clock::Clock;
use crate::config::{Settings, Storage, StorageSettings};
use crate::domain::ProviderName;
use crate::keys::{self, NewKey, OperatorKeys};
use crate::metrics::Metrics;
use crate::provider::{KeyIssuer, PROVIDERS};
use crate::storage::{SqliteStore, Store};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook keys create --provider conduit --name acme
  truehook keys create --provider equals-money --owner 911db6db-ef58-4992-87cd-2fe2cfde05f9
  truehook keys create --provider operator --name test-bench
  truehook keys list
  truehook keys revoke key_2ofTA13AD0xBtbEvBl20aEb1hEu

These commands work on the database, so they need what truehook serve is given: --database, and for a production one --mode production
with the encryption key. A running server needs no restart: it knows a new key, and forgets a revoked one, at once.";

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
        #[arg(long, value_parser = names::api(), env = "TRUEHOOK_PROVIDER")]
        provider: ProviderName,
        /// Whose key it is: a Conduit client id or an Equals Money product id [default: a new one]; not for operator keys
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
        /// The id of the key, as truehook keys list shows it
        id: String,
        #[command(flatten)]
        storage: StorageSettings,
    },
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
        Arc::new(Metrics::default()),
    )?)
}

async fn create(
    store: SqliteStore,
    provider: ProviderName,
    owner: Option<String>,
    name: Option<String>,
) -> anyhow::Result<String> {
    let shown_owner = owner.clone().unwrap_or_default();
    let mut providers = PROVIDERS.iter();
    let found = providers.find(|known| known.name() == provider);
    let issuer = found.map_or(&OperatorKeys as &dyn KeyIssuer, |found| *found);
    let made = keys::make(issuer, owner, name, Clock::real().now());
    let NewKey { record, headers } =
        made.map_err(|fault| anyhow!("--owner {shown_owner} {fault}"))?;
    store.insert_key(record.clone()).await?;
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value.expose())))
        .collect();
    let shown = json!({ "id": record.id, "provider": record.provider.as_str(), "owner": record.owner, "headers": headers });
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
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
    if store.revoke_key(id.clone(), Clock::real().now()).await? {
        Ok(format!("revoked {id}\n"))
    } else {
        bail!("there is no key {id} that is not revoked yet; `truehook keys list` shows all")
    }
}

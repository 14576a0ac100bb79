//! `truehook keys`: API keys. A credential is shown once, when it is made; only its fingerprint is kept.

use std::io::Write;
use std::path::{Path, PathBuf};
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
use crate::storage::{EncryptionKey, EncryptionKeys, SqliteStore, Store};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook keys create --provider conduit --name acme
  truehook keys create --provider equals-money --owner 911db6db-ef58-4992-87cd-2fe2cfde05f9
  truehook keys create --provider operator --name test-bench
  truehook keys list
  truehook keys revoke key_2ofTA13AD0xBtbEvBl20aEb1hEu
  truehook keys rotate-encryption --old-key-file old.key

These commands work on the database, so they need what truehook serve is given: --database, and for a production one --mode production
with the encryption key. A running server needs no restart: it knows a new key, and forgets a revoked one, at once.";

const ROTATION: &str = "\
The new key is put before the old one in the key file, every secret is encrypted again, and the old key is removed from the file. A
running server that was given the same file reads it again by itself. When this is interrupted, run it again: it goes on where it was.

Where the key is given as TRUEHOOK_ENCRYPTION_KEY and not as a file: make a new one (`openssl rand -hex 32`), start the server with it and
with the old one as TRUEHOOK_PREVIOUS_ENCRYPTION_KEY, and wait for the log line that says that every secret is sealed with the new key.";

/// How many webhooks are sealed again in one step, between which others write.
const STEP: u32 = 200;

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
    /// Change the key that secrets are encrypted with, while a server runs or not
    #[command(after_help = ROTATION)]
    RotateEncryption {
        /// Where to keep the old key, which backups from before this need [default: nowhere]
        #[arg(long, env = "TRUEHOOK_OLD_KEY_FILE", value_name = "FILE")]
        old_key_file: Option<PathBuf>,
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
            } => create(open(&configured(storage)?)?, provider, owner, name).await,
            Command::List { storage } => list(open(&configured(storage)?)?).await,
            Command::RotateEncryption {
                old_key_file,
                storage,
            } => rotate(configured(storage)?, old_key_file.as_deref()).await,
            Command::Revoke { id, storage } => revoke(open(&configured(storage)?)?, id).await,
        }
    })?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

fn configured(storage: StorageSettings) -> anyhow::Result<Storage> {
    let settings = Settings {
        storage,
        ..Settings::default()
    }
    .with_file()?;
    Ok(Storage::new(settings.storage)?)
}

fn open(storage: &Storage) -> anyhow::Result<SqliteStore> {
    let metrics = Arc::new(Metrics::default());
    Ok(SqliteStore::open(
        &storage.path,
        &storage.keys,
        storage.purpose,
        metrics,
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

async fn rotate(mut storage: Storage, old_key_file: Option<&Path>) -> anyhow::Result<String> {
    let Some(file) = storage.keys.file().map(Path::to_owned) else {
        bail!(
            "the key is not in a file, so it is changed by starting the server with two keys; `truehook keys rotate-encryption --help` \
             says how"
        );
    };
    // What opens the file is known to be right before the key file is touched.
    drop(open(&storage)?);
    // Else an earlier change of the key was interrupted, and is finished.
    if storage.keys.earlier().is_empty() {
        storage.keys = storage.keys.with_new();
    }
    if let (Some(kept), Some(old)) = (old_key_file, storage.keys.earlier().first()) {
        keep(old.clone(), kept)?;
    }
    storage.keys.replace_file()?;
    let store = open(&storage)?;
    while store.step_rotation(STEP).await? {}
    let count = store.secrets_of_earlier_keys().await?;
    if count > 0 {
        bail!(
            "{count} webhooks have a secret that cannot be opened with any key in {}: the old key stays in it",
            file.display()
        );
    }
    storage.keys.without_earlier().replace_file()?;
    Ok(format!(
        "every secret is encrypted with a new key, which is in {}; backups from before need the old one\n",
        file.display()
    ))
}

/// Keeps a key in a file of its own. It may be there already, from a run that was interrupted.
fn keep(key: EncryptionKey, file: &Path) -> anyhow::Result<()> {
    if let Ok(found) = EncryptionKeys::from_file(file)
        && found.is_only(&key)
    {
        return Ok(());
    }
    Ok(EncryptionKeys::from(key).create_file(file)?)
}

async fn revoke(store: SqliteStore, id: String) -> anyhow::Result<String> {
    if store.revoke_key(id.clone(), Clock::real().now()).await? {
        Ok(format!("revoked {id}\n"))
    } else {
        bail!("there is no key {id} that is not revoked yet; `truehook keys list` shows all")
    }
}

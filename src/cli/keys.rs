//! `truehook keys`: API keys. A credential is shown once, when it is made; only its fingerprint is kept.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::names;
use crate::clock::Clock;
use crate::config::{Settings, Storage, StorageSettings, location};
use crate::domain::ProviderName;
use crate::keys::{self, NewKey, OperatorKeys};
use crate::metrics::Metrics;
use crate::provider::{KeyIssuer, PROVIDERS};
use crate::storage::{
    self, EncryptionKeys, KeyFileError, KeyFileLock, Location, Store, check_exists, check_sealed_at,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook keys create --provider conduit --name acme
  truehook keys create --provider equals-money --owner 911db6db-ef58-4992-87cd-2fe2cfde05f9
  truehook keys create --provider operator --name test-bench
  truehook keys list
  truehook keys revoke key_2ofTA13AD0xBtbEvBl20aEb1hEu
  truehook keys rotate-encryption

These commands work on the database, so they need what truehook serve is given: --database, and for a production one --mode production
with the encryption key. Only `keys create` makes a database that does not exist yet. A running server needs no restart: it knows a new key,
and forgets a revoked one, at once.";

const ROTATION: &str = "\
The old key is kept in a file of its own, since backups from before the rotation need it. The new key is put before the old one in the key
file, every secret is encrypted again, and the old key is removed from the key file. A running server that was given the same file reads it
again by itself. If a rotation is interrupted, run the command again to resume it; two at once are refused.

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
        /// Its name in lists
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
        /// The file to keep the old key in; it must not exist [default: beside the key file, with the suffix .until-DATE]
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
            } => create(open(&new_or_existing(storage)?)?, provider, owner, name).await,
            Command::List { storage } => list(open(&existing(storage)?)?).await,
            Command::RotateEncryption {
                old_key_file,
                storage,
            } => rotate(storage, old_key_file.as_deref()).await,
            Command::Revoke { id, storage } => revoke(open(&existing(storage)?)?, id).await,
        }
    })?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

fn with_file(storage: StorageSettings) -> anyhow::Result<StorageSettings> {
    let settings = Settings {
        storage,
        ..Settings::default()
    };
    Ok(settings.with_file()?.storage)
}

/// Finds a database that may be created, and its keys.
fn new_or_existing(storage: StorageSettings) -> anyhow::Result<Storage> {
    Ok(Storage::new(with_file(storage)?)?)
}

/// Finds a database that exists, and its keys: neither is created.
fn existing(storage: StorageSettings) -> anyhow::Result<Storage> {
    let settings = with_file(storage)?;
    if let Location::Sqlite(path) = location(&settings)? {
        check_exists(&path)?;
    }
    Ok(Storage::new(settings)?)
}

fn open(storage: &Storage) -> anyhow::Result<Arc<dyn Store>> {
    let metrics = Arc::new(Metrics::default());
    let Storage {
        location,
        keys,
        purpose,
    } = storage;
    Ok(storage::open(location, keys, *purpose, None, metrics)?.store)
}

async fn create(
    store: Arc<dyn Store>,
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

async fn list(store: Arc<dyn Store>) -> anyhow::Result<String> {
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

async fn rotate(settings: StorageSettings, old_key_file: Option<&Path>) -> anyhow::Result<String> {
    let Some(file) = existing(settings.clone())?.keys.file().map(Path::to_owned) else {
        bail!(
            "the key is not in a file, so it is changed by starting the server with two keys; `truehook keys rotate-encryption --help` \
             says how"
        );
    };
    if old_key_file.is_some_and(|kept| is_same_file(kept, &file)) {
        bail!(
            "--old-key-file {} is the encryption key file itself; choose another name",
            file.display()
        );
    }
    let _lock = KeyFileLock::take(&file)?;
    // Read under the lock: a rotation that has just ended changed the file.
    let mut storage = existing(settings)?;
    // The key opens the database: checked before the key file is touched.
    check_sealed_at(&storage.location, &storage.keys)?;
    drop(open(&storage)?);
    // Else an earlier change of the key was interrupted, and is finished.
    let old = if let Some(old) = storage.keys.earlier() {
        old
    } else {
        let old = storage.keys.clone();
        storage.keys = storage.keys.with_new();
        old
    };
    let kept = match old_key_file {
        Some(kept) => keep(&old, kept, &file)?,
        None => keep_beside(&old, &file)?,
    };
    storage.keys.replace_file()?;
    let store = open(&storage)?;
    while store.step_rotation(STEP).await? {}
    let count = store.secrets_of_earlier_keys().await?;
    if count > 0 {
        bail!(
            "{count} secrets cannot be encrypted with the new key, since no key in {} opens them: the old key stays in it",
            file.display()
        );
    }
    storage.keys.without_earlier().replace_file()?;
    Ok(format!(
        "every secret is encrypted with a new key, which is in {}; the old key, which backups from before need, is in {}\n",
        file.display(),
        kept.display()
    ))
}

/// Keeps old keys in a file of their own. They may be there already, from a run that was interrupted.
fn keep(old: &EncryptionKeys, kept: &Path, key_file: &Path) -> anyhow::Result<PathBuf> {
    if !holds(kept, old) {
        old.create_file_like(kept, key_file)?;
    }
    Ok(kept.to_owned())
}

/// As [`keep`], in a file beside the key file that has the date in its name, and a number where that is taken.
fn keep_beside(old: &EncryptionKeys, key_file: &Path) -> anyhow::Result<PathBuf> {
    let beside = key_file.canonicalize()?;
    let mut prefix = beside.clone().into_os_string();
    prefix.push(".until-");
    // A run that was interrupted may have been on another day.
    let folder = beside.parent().unwrap_or(Path::new("/"));
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let is_kept = path.as_os_str().as_bytes().starts_with(prefix.as_bytes());
        if is_kept && holds(&path, old) {
            return Ok(path);
        }
    }
    prefix.push(Clock::real().now().strftime("%Y-%m-%d").to_string());
    let mut kept = PathBuf::from(&prefix);
    for number in 2.. {
        match old.create_file_like(&kept, key_file) {
            Err(KeyFileError::Exists { .. }) => {
                let mut next = prefix.clone();
                next.push(format!(".{number}"));
                kept = PathBuf::from(next);
            }
            Err(error) => return Err(error.into()),
            Ok(()) => break,
        }
    }
    Ok(kept)
}

fn holds(file: &Path, keys: &EncryptionKeys) -> bool {
    EncryptionKeys::from_file(file).is_ok_and(|found| found.are(keys))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |file: &Path| file.metadata().ok().map(|data| (data.dev(), data.ino()));
    identity(one).is_some() && identity(one) == identity(other)
}

async fn revoke(store: Arc<dyn Store>, id: String) -> anyhow::Result<String> {
    if store.revoke_key(id.clone(), Clock::real().now()).await? {
        Ok(format!("revoked {id}\n"))
    } else {
        bail!("there is no key {id} that is not revoked yet; `truehook keys list` shows all")
    }
}

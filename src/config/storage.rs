//! Where data is kept, and the key of its secrets.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::{ConfigError, Mode, secret};
use crate::domain::Secret;
use crate::storage::{EncryptionKey, EncryptionKeys, Location, PostgresAddress, Purpose};

const DEFAULT_DATABASE: &str = "sqlite://truehook.db";

/// The settings that every command with a database needs.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StorageSettings {
    /// The database, as `sqlite://FILE`, or `postgres://USER@HOST:5432/NAME` for several nodes [default: `sqlite://truehook.db`].
    /// Other processes can see flags: a password belongs into the environment variable or --database-password-file
    #[arg(
        long,
        env = "TRUEHOOK_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database: Option<String>,

    /// PostgreSQL: a file with the password, in place of one in --database [default: none]
    #[arg(long, env = "TRUEHOOK_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    pub database_password_file: Option<PathBuf>,

    /// PostgreSQL: where to listen for other nodes, if --database leads through a pool of transactions such as `PgBouncer` [default:
    /// --database]
    #[arg(
        long,
        env = "TRUEHOOK_DATABASE_LISTEN",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_listen: Option<String>,

    /// sandbox: loopback only, fixed credentials, http receivers; production: none of these [default: sandbox]
    #[arg(long, env = "TRUEHOOK_MODE", value_name = "MODE")]
    pub mode: Option<Mode>,

    /// The key that secrets are encrypted with, as 64 hexadecimal digits. Other processes can see flags: prefer the environment
    /// variable or --encryption-key-file
    #[arg(
        long,
        env = "TRUEHOOK_ENCRYPTION_KEY",
        value_name = "HEX",
        hide_env_values = true
    )]
    #[serde(default, deserialize_with = "secret")]
    pub encryption_key: Option<Secret>,

    /// The key that secrets were encrypted with before; they are encrypted again with the new one while the server runs [default: none]
    #[arg(
        long,
        env = "TRUEHOOK_PREVIOUS_ENCRYPTION_KEY",
        value_name = "HEX",
        hide_env_values = true
    )]
    #[serde(default, deserialize_with = "secret")]
    pub previous_encryption_key: Option<Secret>,

    /// A file with the key that secrets are encrypted with, as `truehook keys rotate-encryption` needs it [default in sandbox mode: made beside the database, with the
    /// suffix .key; in production mode: none]
    #[arg(long, env = "TRUEHOOK_ENCRYPTION_KEY_FILE", value_name = "FILE")]
    pub encryption_key_file: Option<PathBuf>,

    /// A TOML file with any of these settings, by the names of the flags [default: none]
    #[arg(long, env = "TRUEHOOK_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

/// Where data is kept, and the key of its secrets.
#[derive(Debug, Clone)]
pub struct Storage {
    /// The database.
    pub location: Location,
    /// The keys that secrets are encrypted with.
    pub keys: EncryptionKeys,
    /// The purpose of the database.
    pub purpose: Purpose,
}

impl StorageSettings {
    /// Takes from `other` what is not set here.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            database: self.database.or(other.database),
            database_password_file: self.database_password_file.or(other.database_password_file),
            database_listen: self.database_listen.or(other.database_listen),
            mode: self.mode.or(other.mode),
            encryption_key: self.encryption_key.or(other.encryption_key),
            previous_encryption_key: self
                .previous_encryption_key
                .or(other.previous_encryption_key),
            encryption_key_file: self.encryption_key_file.or(other.encryption_key_file),
            config: self.config,
        }
    }
}

impl Storage {
    /// Finds the database and the key of its secrets.
    ///
    /// # Errors
    /// [`ConfigError`] when the URL names no database that can be used, or there is no key.
    pub fn new(settings: StorageSettings) -> Result<Self, ConfigError> {
        let location = location(&settings)?;
        let mode = settings.mode.unwrap_or(Mode::Sandbox);
        let keys = match (settings.encryption_key, settings.encryption_key_file, mode) {
            (Some(_), Some(_), _) => {
                let message = "give either --encryption-key or --encryption-key-file, not both";
                return Err(ConfigError::Invalid(message.to_owned()));
            }
            (Some(key), None, _) => EncryptionKey::from_hex(key.expose())?.into(),
            (None, Some(file), _) => EncryptionKeys::from_file(&file)?,
            (None, None, Mode::Production) => {
                let message = "production mode needs the key that secrets are encrypted with: set TRUEHOOK_ENCRYPTION_KEY or \
                    --encryption-key-file (make one with `openssl rand -hex 32`)";
                return Err(ConfigError::Invalid(message.to_owned()));
            }
            (None, None, Mode::Sandbox) => match &location {
                Location::Sqlite(path) => sandbox_key(path)?,
                Location::Postgres(_) => {
                    let message = "every node on a PostgreSQL database needs the same key: set TRUEHOOK_ENCRYPTION_KEY or \
                        --encryption-key-file (make one with `openssl rand -hex 32`)";
                    return Err(ConfigError::Invalid(message.to_owned()));
                }
            },
        };
        let keys = match settings.previous_encryption_key {
            Some(key) => keys.with_earlier(EncryptionKey::from_hex(key.expose())?),
            None => keys,
        };
        let purpose = match mode {
            Mode::Sandbox => Purpose::Sandbox,
            Mode::Production => Purpose::Production,
        };
        Ok(Self {
            location,
            keys,
            purpose,
        })
    }
}

/// Where the database is that settings name, or the default one.
///
/// # Errors
/// [`ConfigError`] when the URL names no database that can be used.
pub fn location(settings: &StorageSettings) -> Result<Location, ConfigError> {
    let url = settings.database.as_deref().unwrap_or(DEFAULT_DATABASE);
    let is_server = |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    if !is_server(url) {
        if settings.database_password_file.is_some() || settings.database_listen.is_some() {
            let message =
                "--database-password-file and --database-listen are for --database postgres://...";
            return Err(ConfigError::Invalid(message.to_owned()));
        }
        return Ok(Location::Sqlite(database(url)?));
    }
    let password = settings
        .database_password_file
        .as_deref()
        .map(password)
        .transpose()?;
    let listen = match settings.database_listen.as_deref() {
        Some(url) if is_server(url) => Some(PostgresAddress::new(url, password.clone())?),
        Some(_) => {
            let message = "--database-listen must have the form postgres://USER@HOST:5432/NAME";
            return Err(ConfigError::Invalid(message.to_owned()));
        }
        None => None,
    };
    let address = PostgresAddress::new(url, password)?;
    Ok(Location::Postgres(Box::new(address.with_listen(listen))))
}

/// The password in a file: its first line.
fn password(file: &Path) -> Result<Secret, ConfigError> {
    let invalid = |reason: String| {
        ConfigError::Invalid(format!(
            "--database-password-file {}: {reason}",
            file.display()
        ))
    };
    let text = fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => Err(invalid("it is empty".to_owned())),
    }
}

/// The key file beside the database; made when there is no database yet that another key could belong to.
pub(super) fn sandbox_key(database: &Path) -> Result<EncryptionKeys, ConfigError> {
    let mut file = database.as_os_str().to_owned();
    file.push(".key");
    let file = PathBuf::from(file);
    let has_data = fs::metadata(database).is_ok_and(|data| data.len() > 0);
    if has_data && !file.exists() {
        return Err(ConfigError::Invalid(format!(
            "{} has no encryption key beside it ({}): put the file back, give the key with --encryption-key-file, or choose \
             another database",
            database.display(),
            file.display()
        )));
    }
    Ok(EncryptionKeys::from_file_or_new(&file)?)
}

fn database(url: &str) -> Result<PathBuf, ConfigError> {
    let invalid = |message: String| Err(ConfigError::Invalid(message));
    match url.strip_prefix("sqlite://") {
        Some("") => {
            invalid("--database sqlite:// names no file; write sqlite://truehook.db".to_owned())
        }
        Some(path) if Path::new(path).is_dir() => {
            let file = Path::new(path).join("truehook.db");
            invalid(format!(
                "--database {url}: {path} is a folder; name a file in it, such as sqlite://{}",
                file.display()
            ))
        }
        Some(path) => Ok(PathBuf::from(path)),
        // The URL may hold a password: it is not repeated.
        None => invalid(
            "--database must have the form sqlite://FILE or postgres://USER@HOST:5432/NAME"
                .to_owned(),
        ),
    }
}

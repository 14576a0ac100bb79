//! `truehook backup`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::config::{Settings, StorageSettings, location};
use crate::storage::{Location, back_up};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook backup truehook-2026-11-28.db
  truehook backup --database sqlite:///var/lib/truehook/truehook.db /backup/truehook.db

The copy is consistent, though a server may be running, and is looked through before it gets its name. An existing file is never
replaced. Secrets in it stay encrypted: keep the encryption key as well, and apart from it.

To restore, stop the server, put the copy in the place of the database, and remove the files beside it that end in -wal and -shm.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to make
    file: PathBuf,
    /// The database, as `sqlite://FILE` [default: `sqlite://truehook.db`]
    #[arg(long, env = "TRUEHOOK_DATABASE", value_name = "URL")]
    database: Option<String>,
    /// A TOML file that may say which database [default: none]
    #[arg(long, env = "TRUEHOOK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings {
        storage: StorageSettings {
            database: arguments.database,
            config: arguments.config,
            ..StorageSettings::default()
        },
        ..Settings::default()
    }
    .with_file()?;
    let database = match location(&settings.storage)? {
        Location::Sqlite(path) => path,
        Location::Postgres(address) => bail!(
            "{address} is backed up with the tools of PostgreSQL while servers run: `pg_dump --format=custom --file={} URL`, or \
             pg_basebackup with archived logs for any moment (docs/operations.md)",
            arguments.file.display()
        ),
    };
    let made = back_up(&database, &arguments.file)?;
    writeln!(
        std::io::stdout(),
        "{}: {} bytes; webhooks: {}, events: {}, deliveries: {}; checked",
        arguments.file.display(),
        made.bytes,
        made.webhooks,
        made.events,
        made.deliveries
    )
    .context("cannot write to standard output")
}

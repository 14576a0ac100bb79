//! `truehook serve`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use crate::config::{Config, Mode, Settings};
use crate::server::Server;
use crate::storage::Store;
use crate::telemetry;

/// How long the program waits for other owners of the database to let go of it.
const CLOSE: Duration = Duration::from_secs(5);

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook serve
  truehook serve --listen 127.0.0.1:9000 --database sqlite:///var/lib/truehook/truehook.db
  TRUEHOOK_ENCRYPTION_KEY=$(openssl rand -hex 32) truehook serve --mode production --listen 0.0.0.0:8080
  TRUEHOOK_ENCRYPTION_KEY=... truehook serve --mode production --listen 0.0.0.0:8080 --admin-listen 127.0.0.1:8081
  truehook serve --listen 0.0.0.0:8080 --allow-host truehook    # a sandbox in a container that others call truehook
  truehook serve --config truehook.toml

Every flag has an environment variable TRUEHOOK_<FLAG> and a key in the TOML file; flag > environment > file > default.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = arguments.settings.with_file()?;
    telemetry::start(
        settings.log.as_deref().unwrap_or("info"),
        settings.log_format,
    )?;
    for warning in super::unknown_variables() {
        tracing::warn!("{warning}");
    }
    let config = Config::new(settings)?;
    let (mode, database) = (config.mode, config.storage.location.clone());
    let base = config.base_path.clone();
    let (result, store) = actix_web::rt::System::new().block_on(async move {
        let server = Server::start(config)?;
        let mode = match mode {
            Mode::Sandbox => "sandbox",
            Mode::Production => "production",
        };
        let apart = !server.admin_addresses().is_empty();
        for address in server.addresses() {
            if apart {
                tracing::info!(mode, %database, "listening on http://{address}, for the APIs of the providers");
            } else {
                tracing::info!(
                    mode,
                    %database,
                    "listening on http://{address}, Swagger UI at http://{address}{base}/docs/"
                );
            }
        }
        for address in server.admin_addresses() {
            tracing::info!(
                "listening on http://{address}, for the operator; Swagger UI at http://{address}{base}/docs/"
            );
        }
        let store = server.store();
        anyhow::Ok((server.run().await, store))
    })?;
    close(store);
    result?;
    tracing::info!("stopped");
    Ok(())
}

/// Closes the database, once the threads that answered requests have let go of it: they end a moment after the server, and the end of
/// the program would catch the last owner in the middle.
fn close(store: Arc<dyn Store>) {
    let deadline = Instant::now() + CLOSE;
    while Arc::strong_count(&store) > 1 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(store);
}

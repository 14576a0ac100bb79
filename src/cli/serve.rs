//! `truehook serve`.

use clap::Args;

use crate::config::{Config, Mode, Settings};
use crate::server::Server;
use crate::telemetry;

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook serve
  truehook serve --listen 127.0.0.1:9000 --database sqlite:///var/lib/truehook/truehook.db
  TRUEHOOK_ENCRYPTION_KEY=$(openssl rand -hex 32) truehook serve --mode production --listen 0.0.0.0:8080
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
    let config = Config::new(settings)?;
    let (mode, database) = (config.mode, config.storage.path.clone());
    actix_web::rt::System::new().block_on(async move {
        let server = Server::start(config)?;
        for address in server.addresses() {
            tracing::info!(
                mode = match mode {
                    Mode::Sandbox => "sandbox",
                    Mode::Production => "production",
                },
                database = %database.display(),
                "listening on http://{address}, Swagger UI at http://{address}/docs/"
            );
        }
        server.run().await?;
        tracing::info!("stopped");
        Ok(())
    })
}

//! What the server tells of itself while it runs: logs, structured, on standard error; and traces, see `traces`.
//!
//! Never logged, at any level: credentials, signing secrets, authorization headers, request bodies and queries.

mod collector;
mod traces;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

pub(crate) use self::traces::Traces;
pub use self::traces::TracesError;
use crate::config::LogFormat;

/// The directives cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "--log {directives}: {reason}; write a level such as info, or directives such as info,truehook::storage=debug"
)]
pub struct LogError {
    directives: String,
    reason: String,
}

/// Without the line that actix writes as an error for every malformed request: `server/listen.rs` counts them, and logs at debug.
const QUIET: &str = "actix_http::h1::dispatcher=off";

/// Starts logging for the whole process.
///
/// # Errors
/// [`LogError`] when the directives cannot be read.
pub fn start(directives: &str, format: Option<LogFormat>) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(format!("{QUIET},{directives}")).map_err(|error| LogError {
        directives: directives.to_owned(),
        reason: error.to_string(),
    })?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));
    match format.unwrap_or(if terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    }) {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .init(),
    }
    Ok(())
}

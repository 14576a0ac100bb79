//! Logs, structured, on standard error; and traces, see `traces`.
//!
//! Never logged, at any level: credentials, signing secrets, authorization headers, request bodies and queries.

mod collector;
mod traces;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

pub(crate) use self::traces::Traces;
pub use self::traces::TracesError;
use crate::config::LogFormat;
use crate::near::nearest;

/// The directives cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "--log {directives}: {reason}; write a level such as info, or directives such as info,truehook::storage=debug"
)]
pub struct LogError {
    directives: String,
    reason: String,
}

/// Without the line that actix writes as an error for every malformed request: `server/listen.rs` counts them, and logs at debug. And
/// without those of the pool for each connection that breaks: when the database goes away, the server says so once.
const QUIET: &str = "actix_http::h1::dispatcher=off,deadpool=error";

/// Starts logging for the whole process.
///
/// # Errors
/// [`LogError`] when the directives cannot be read.
pub fn start(directives: &str, format: Option<LogFormat>) -> Result<(), LogError> {
    let refused = |reason: String| LogError {
        directives: directives.to_owned(),
        reason,
    };
    if let Some(word) = unknown_word(directives) {
        return Err(refused(format!("`{word}` is not a level")));
    }
    if let Some(reason) = unknown_target(directives) {
        return Err(refused(reason));
    }
    let filter = EnvFilter::try_new(format!("{QUIET},{}{directives}", quiet(directives)))
        .map_err(|error| refused(error.to_string()))?;
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

/// The first directive that is one word and not a level. It would be taken for a module, and log everything of that and nothing else.
fn unknown_word(directives: &str) -> Option<&str> {
    directives.split(',').map(str::trim).find(|directive| {
        let is_word = !directive.is_empty() && directive.chars().all(|c| c.is_ascii_alphanumeric());
        is_word && directive.parse::<LevelFilter>().is_err() && *directive != "truehook"
    })
}

/// The modules of this program, which targets name.
const MODULES: &[&str] = &[
    "clock",
    "causes",
    "entropy",
    "near",
    "signals",
    "domain",
    "limits",
    "metrics",
    "storage",
    "http",
    "openapi",
    "provider",
    "config",
    "telemetry",
    "publish",
    "worker",
    "keys",
    "operator",
    "pages",
    "server",
    "cli",
];

/// What is wrong with the first directive whose target is a misspelt module of this program. It would log nothing.
fn unknown_target(directives: &str) -> Option<String> {
    directives.split(',').find_map(|directive| {
        let target = directive.split(['=', '[']).next()?.trim();
        let (program, rest) = target.split_once("::").unwrap_or((target, ""));
        if program != "truehook" {
            let known = nearest(program, ["truehook"])?;
            return Some(format!(
                "unknown target `{program}`; did you mean `{known}`?"
            ));
        }
        let module = rest.split("::").next()?;
        if module.is_empty() || MODULES.contains(&module) {
            return None;
        }
        let known = nearest(module, MODULES.iter().copied());
        let hint = known.map_or_else(
            || format!("the modules are {}", MODULES.join(", ")),
            |known| format!("did you mean `truehook::{known}`?"),
        );
        Some(format!("unknown target `truehook::{module}`; {hint}"))
    })
}

/// The directives to put before the given ones, so that the lines of the HTTP library at level info, which are about its threads, are left
/// out where no more than info is asked for.
fn quiet(directives: &str) -> &'static str {
    let all = directives.split(',').map(str::trim);
    let mut levels = all.filter_map(|directive| directive.parse::<LevelFilter>().ok());
    if levels.next_back() == Some(LevelFilter::INFO) {
        "actix_server=warn,actix_rt=warn,"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_not_a_level_is_found() {
        for (directives, expected) in [
            ("banana", Some("banana")),
            ("info,banana", Some("banana")),
            ("infos", Some("infos")),
            ("info", None),
            ("WARN", None),
            ("off", None),
            ("info,truehook::storage=debug", None),
            ("warn, truehook::cli=info", None),
            ("truehook", None),
            ("hyper_util", None),
            ("", None),
        ] {
            assert_eq!(unknown_word(directives), expected, "{directives}");
        }
    }

    #[test]
    fn a_misspelt_module_of_this_program_is_found() {
        for (directives, expected) in [
            (
                "info,truehok::storage=debug",
                "`truehok`; did you mean `truehook`?",
            ),
            (
                "truehook::storge=debug",
                "`truehook::storge`; did you mean `truehook::storage`?",
            ),
            ("warn, truehook::wroker", "did you mean `truehook::worker`?"),
            ("truehook::bananas=info", "the modules are clock, "),
            (
                "truehook::storge[span]=info",
                "did you mean `truehook::storage`?",
            ),
        ] {
            let reason = unknown_target(directives).unwrap_or_default();
            assert!(reason.contains(expected), "{directives}: {reason}");
        }
        for directives in [
            "info",
            "truehook=debug",
            "truehook::storage=debug",
            "truehook::worker::sender",
            "truehook[delivery]=debug",
            "hyper::client=debug,info",
            "",
        ] {
            assert_eq!(unknown_target(directives), None, "{directives}");
        }
    }

    #[test]
    fn the_modules_that_targets_name_are_those_of_the_program() {
        let text = include_str!("lib.rs");
        let names = text.lines().filter_map(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        });
        let names: Vec<&str> = names.filter(|name| *name != "tests").collect();
        assert_eq!(MODULES, names);
    }

    #[test]
    fn lines_of_the_http_library_are_left_out_at_info_and_only_there() {
        for directives in ["info", "info,truehook::storage=debug", "INFO"] {
            assert!(!quiet(directives).is_empty(), "{directives}");
        }
        for directives in ["debug", "trace", "error", "off", "truehook=info"] {
            assert!(quiet(directives).is_empty(), "{directives}");
        }
    }
}

//! The trigger that makes the server send an event: an operation of its document, an HTTP request, or a command.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::api::{ApiError, named};
use super::settings::How;
use crate::document::Document;
use crate::exchange::Request;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a running command is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// How long the words of a command that failed are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Most that is read of them, in bytes.
const SAID: u64 = 64 * 1024;

/// The trigger of events.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// An operation of the document, by its index.
    Operation(usize),
    /// A request; `{event}` and `{url}` are filled in.
    Request(Template),
    /// A command of the shell.
    Command(String),
    /// Somebody else.
    None,
}

/// A request with placeholders.
#[derive(Debug, Clone)]
pub struct Template {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// Why a trigger cannot be used.
#[derive(Debug, Error)]
pub enum TriggerError {
    /// It names an operation that does not exist.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The URL of the request is none.
    #[error("--trigger: `{url}`: {cause}")]
    Url {
        /// The text.
        url: String,
        /// The cause.
        cause: url::ParseError,
    },
    /// A header is not `Name: value`.
    #[error("--trigger-header: {0}")]
    Header(String),
}

impl Trigger {
    /// Reads the settings; `server` is the base URL that a relative one is joined with.
    ///
    /// # Errors
    /// When the trigger names nothing that can be used.
    pub fn of(how: &How, document: &Document, server: &str) -> Result<Self, TriggerError> {
        if let Some(command) = &how.trigger_command {
            return Ok(Self::Command(command.clone()));
        }
        let Some(text) = how.trigger.as_deref().filter(|text| *text != "none") else {
            return Ok(Self::None);
        };
        let operations = document.operations();
        if let Ok(index) = named(&operations, "--trigger", text) {
            return Ok(Self::Operation(index));
        }
        let Some((method, url)) = text.split_once(' ') else {
            return Ok(Self::Operation(named(&operations, "--trigger", text)?));
        };
        let wrong = |cause| TriggerError::Url {
            url: url.to_owned(),
            cause,
        };
        let base = Url::parse(server).map_err(wrong)?;
        let absolute = base.join(url.trim()).map_err(wrong)?;
        let headers = how
            .trigger_header
            .iter()
            .map(|text| crate::session::header(text).map_err(TriggerError::Header))
            .collect::<Result<_, _>>()?;
        Ok(Self::Request(Template {
            method: method.to_uppercase(),
            // Braces stay placeholders.
            url: absolute.as_str().replace("%7B", "{").replace("%7D", "}"),
            headers,
            body: how.trigger_body.clone(),
        }))
    }
}

impl Template {
    /// The request for one event.
    pub fn request(&self, event: &str, url: &str) -> Request {
        let json = |text: &str| {
            let quoted = Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        };
        let encoded = |text: &str| crate::case::serialize::encode(text);
        let fill = |text: &str, write: &dyn Fn(&str) -> String| {
            text.replace("{event}", &write(event))
                .replace("{url}", &write(url))
        };
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, &str::to_owned)))
            .collect();
        let is_set = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.body.is_some() && !is_set {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method: self.method.clone(),
            url: fill(&self.url, &encoded),
            headers,
            body: self
                .body
                .as_ref()
                .map(|body| fill(body, &json).into_bytes()),
        }
    }
}

/// A command that is ended when it is no longer waited for.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command.
///
/// # Errors
/// Says how it failed, with the last line of what it said of that.
pub(super) async fn run(command: &str, event: &str, url: &str) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(command)
        .env("EVENT", event)
        .env("URL", url);
    shell
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = shell.spawn();
    let mut child = Running(child.map_err(|error| format!("sh cannot be run: {error}"))?);
    let errors = child.0.stderr.take();
    let (done, said) = oneshot::channel();
    // A thread of its own: the program does not wait for it at its end, whatever the command started keeps open.
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = errors.map(|errors| errors.take(SAID).read_to_end(&mut text));
        let _ = done.send(text);
    });
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => sleep_until(Instant::now() + PAUSE).await,
            Ok(None) => {
                let seconds = PATIENCE.as_secs();
                return Err(format!("the command took longer than {seconds} s"));
            }
            Err(error) => return Err(format!("the command cannot be waited for: {error}")),
        }
    };
    if status.success() {
        return Ok(());
    }
    let said = tokio::time::timeout(LAST_WORDS, said).await;
    let said = said.ok().and_then(Result::ok).unwrap_or_default();
    let words = String::from_utf8_lossy(&said);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    Err(match last {
        Some(last) => format!("the command failed ({status}): {last}"),
        None => format!("the command failed ({status}), and said nothing of it"),
    })
}

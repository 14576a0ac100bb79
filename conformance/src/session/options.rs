//! What a replay run is told on the command line.

use std::time::Duration;

use clap::Args;

use super::SessionError;
use crate::document::Selection;
use crate::exchange;

/// Options of `conformance replay` beyond those of reports.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The server to ask. An origin alone, such as `http://localhost:8080`, is joined with the document's first relative server
    /// URL; a URL with a path is used as it is.
    #[arg(long, value_name = "URL")]
    pub server: String,

    /// A header for every request, such as 'Authorization: Bearer TOKEN' (repeatable). It replaces what the document gives;
    /// `x-replay` of a sample replaces it.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,

    /// Seconds that one exchange may take in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    pub timeout: f64,

    /// Replay only operations of this operationId, method, path or tag; `*` stands for any text, `id:`, `method:`, `path:` or
    /// `tag:` in front says which is meant (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,

    /// Leave out operations of this operationId, method, path or tag (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,

    /// Show the values of credentials in reports.
    #[arg(long)]
    pub show_secrets: bool,

    /// Most requests that are under way at once. The findings do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = workers)]
    pub workers: usize,

    /// Which requests are generated besides the samples; none where there is nothing.
    #[arg(skip)]
    pub generate: Option<Generate>,
}

/// Which requests are generated.
#[derive(Debug, Clone, Copy, Args)]
pub struct Generate {
    /// Most generated requests for each operation.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub max_cases: usize,

    /// Send only requests that change nothing on a server that keeps to HTTP, such as GET.
    #[arg(long)]
    pub safe: bool,
}

impl Options {
    /// Options with the defaults of the command line.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            headers: Vec::new(),
            timeout: 30.0,
            include: Vec::new(),
            exclude: Vec::new(),
            show_secrets: false,
            workers: 8,
            generate: None,
        }
    }

    /// Whether only requests are sent that change nothing.
    pub(super) fn safe(&self) -> bool {
        self.generate.is_some_and(|generate| generate.safe)
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::try_from_secs_f64(self.timeout).unwrap_or(Duration::from_secs(30))
    }

    pub(super) fn check(&self) -> Result<(), SessionError> {
        for (name, value) in &self.headers {
            exchange::header(name, value).map_err(|problem| SessionError::Header {
                name: name.clone(),
                problem: problem.to_string(),
            })?;
        }
        Ok(())
    }

    /// Which operations are replayed.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection::new(self.include.clone(), self.exclude.clone())
    }
}

/// `Name: value`, as curl takes it.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    // The value may be a secret, so no message repeats it.
    let (name, value) = text
        .split_once(':')
        .ok_or("write it as 'Name: value', with a colon")?;
    let (name, value) = (name.trim(), value.trim());
    exchange::header(name, value).map_err(|problem| problem.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "write a number of seconds, such as 30 or 0.5".to_owned())?;
    let usable = seconds.is_finite() && (0.001..=86_400.0).contains(&seconds);
    usable
        .then_some(seconds)
        .ok_or_else(|| "write a number of seconds from 0.001 to 86400".to_owned())
}

fn workers(text: &str) -> Result<usize, String> {
    let workers: usize = text.parse().unwrap_or_default();
    (1..=1000)
        .contains(&workers)
        .then_some(workers)
        .ok_or_else(|| "write a number from 1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value_and_no_message_repeats_a_secret() {
        assert_eq!(
            header("X-A:  b: c ").unwrap(),
            ("X-A".to_owned(), "b: c".to_owned())
        );
        for text in [
            "hunter22",
            "hunter22 hunter22",
            "na me: hunter22",
            ": hunter22",
            "X: hunter22\u{1}",
        ] {
            let message = header(text).unwrap_err();
            assert!(!message.contains("hunter22"), "{message}");
        }
    }

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert!(seconds("0.5").is_ok() && seconds("30").is_ok());
        for text in ["0", "-1", "nan", "inf", "1e99", "x", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}

//! Whether traces are kept, and where they are sent.

use clap::Args;
use clap::builder::BoolishValueParser;
use serde::Deserialize;
use url::Url;

use super::ConfigError;

/// The settings of traces.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TracingSettings {
    /// Where to send traces by OTLP over HTTP; they are posted to URL/v1/traces. Credentials for it stand in
    /// `OTEL_EXPORTER_OTLP_HEADERS` [default: no traces]
    #[arg(long, env = "TRUEHOOK_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Send the header `traceparent` to receivers, with the ids of the attempt; needs --otlp-endpoint [default: false]
    #[arg(
        long,
        env = "TRUEHOOK_SEND_TRACEPARENT",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub send_traceparent: Option<bool>,
}

/// Traces that are kept.
#[derive(Debug, Clone)]
pub struct Tracing {
    /// Where they are posted to: an `http` or `https` URL.
    pub traces_url: Url,
    /// Whether receivers are told of them.
    pub send_traceparent: bool,
}

impl TracingSettings {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            otlp_endpoint: self.otlp_endpoint.or(other.otlp_endpoint),
            send_traceparent: self.send_traceparent.or(other.send_traceparent),
        }
    }
}

impl Tracing {
    /// Checks the settings; none where no traces are wanted.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when the URL is none to post to, or receivers are to be told of traces that nobody keeps.
    pub fn new(settings: TracingSettings) -> Result<Option<Self>, ConfigError> {
        let send_traceparent = settings.send_traceparent.unwrap_or(false);
        let invalid = |message: &str| Err(ConfigError::Invalid(message.to_owned()));
        match settings.otlp_endpoint {
            None if send_traceparent => invalid(
                "--send-traceparent needs --otlp-endpoint: without it there are no traces to tell receivers of",
            ),
            None => Ok(None),
            // The URL may hold a password: it is not repeated.
            Some(endpoint) => match traces_url(&endpoint) {
                Some(traces_url) => Ok(Some(Self {
                    traces_url,
                    send_traceparent,
                })),
                None => invalid(
                    "--otlp-endpoint must be an http or https URL without credentials, query and fragment, such as \
                     http://127.0.0.1:4318; credentials go into OTEL_EXPORTER_OTLP_HEADERS",
                ),
            },
        }
    }
}

/// Where traces go below the base that an OTLP exporter is given.
fn traces_url(endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    let usable = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !usable {
        return None;
    }
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracing(endpoint: Option<&str>, send: Option<bool>) -> Result<Option<Tracing>, String> {
        let settings = TracingSettings {
            otlp_endpoint: endpoint.map(str::to_owned),
            send_traceparent: send,
        };
        Tracing::new(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn traces_are_posted_below_the_endpoint() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://c.example/", "https://c.example/v1/traces"),
            (
                "https://c.example/otlp/",
                "https://c.example/otlp/v1/traces",
            ),
        ] {
            let found = tracing(Some(endpoint), None).unwrap().unwrap();
            assert_eq!(found.traces_url.as_str(), expected);
            assert!(!found.send_traceparent);
        }
        assert!(tracing(None, Some(false)).unwrap().is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_one_line_without_the_url() {
        let refused = [
            (None, Some(true), "--send-traceparent needs --otlp-endpoint"),
            (Some(""), None, "--otlp-endpoint"),
            (Some("localhost:4318"), None, "--otlp-endpoint"),
            (Some("grpc://hunter2:1"), None, "--otlp-endpoint"),
            (Some("http://u:hunter2@c:1"), None, "--otlp-endpoint"),
            (Some("http://c:1/?key=hunter2"), None, "--otlp-endpoint"),
            (Some("http://c:1/#hunter2"), None, "--otlp-endpoint"),
        ];
        for (endpoint, send, expected) in refused {
            let message = tracing(endpoint, send).unwrap_err();
            assert!(
                message.starts_with(expected)
                    && !message.contains("hunter2")
                    && !message.contains('\n'),
                "{message}"
            );
        }
    }
}

//! The settings of a run: how to register, what triggers an event, how long to wait. Flags take precedence over `[deliveries]` of
//! `conformance.toml`, which has the same names.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::session::SecondUser;

/// Options of `conformance deliveries`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on for deliveries; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: Option<SocketAddr>,

    /// URL under which the server reaches the receiver, where that is not the address itself: behind a tunnel or a proxy.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// PEM file of the receiver's certificate: deliveries are received over TLS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of the private key for --tls-cert.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// A secret, public key or JWKS that deliveries are signed with, where the registration does not tell it (repeatable). With several
    /// schemes `NAME=SECRET` is that of the one whose header, parameter or member has this name.
    #[arg(
        long = "secret",
        value_name = "[NAME=]SECRET",
        allow_hyphen_values = true
    )]
    pub secrets: Vec<String>,

    /// How many seconds pass on the server in one second here, as on a sandbox whose clock runs fast.
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed, allow_negative_numbers = true)]
    pub clock_speed: f64,

    /// Seconds to wait for a delivery that should come at once.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = crate::session::seconds, allow_negative_numbers = true)]
    pub wait: f64,

    /// Judge when this many deliveries have come, and wait no longer; only where `--trigger none` says that others trigger events.
    #[arg(long, value_name = "N")]
    pub deliveries: Option<usize>,

    /// Seconds to wait for retries; those that are due later are reported as not observed.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = crate::session::seconds, allow_negative_numbers = true)]
    pub retry_wait: f64,

    /// Seconds by which a retry may be off because the server and this machine are busy.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = crate::session::seconds, allow_negative_numbers = true)]
    pub slack: f64,

    /// Judge the deliveries only, and not retries, isolation and scope.
    #[arg(long)]
    pub no_promises: bool,

    /// Make it a finding that an event type was not observed.
    #[arg(long, value_name = "KIND")]
    pub fail_on_unobserved: Option<Unobserved>,

    /// Write each delivery to this file as a line of JSON.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// An operation that lists what happened; what it lists and never arrived is a finding.
    #[arg(long, value_name = "OPERATION")]
    pub reconcile: Option<String>,

    /// A header with the credentials of a second user, whose webhooks must get nothing of the first one's events (repeatable).
    #[command(flatten)]
    pub second: SecondUser,

    /// How to register, trigger and rotate.
    #[command(flatten)]
    pub how: How,
}

impl Default for Settings {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            listen: None,
            public_url: None,
            tls_cert: None,
            tls_key: None,
            secrets: Vec::new(),
            clock_speed: 1.0,
            wait: 10.0,
            deliveries: None,
            retry_wait: 30.0,
            slack: 1.0,
            no_promises: false,
            fail_on_unobserved: None,
            record: None,
            reconcile: None,
            second: SecondUser::default(),
            how: How::default(),
        }
    }
}

/// A kind of things whose absence may be a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Unobserved {
    /// Each event type.
    Webhook,
}

/// How to register a webhook, and what triggers its events.
#[derive(Debug, Clone, Default, Args, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct How {
    /// Operation that registers a webhook; found by its callbacks or its path otherwise. `none`: something else has registered it.
    #[arg(long, value_name = "OPERATION")]
    pub register: Option<String>,

    /// JSON Pointer of the URL in the body of the registration.
    #[arg(long, value_name = "POINTER", value_parser = pointer)]
    pub register_url: Option<String>,

    /// JSON Pointer of the event types in the body of the registration: a list, or one type for each webhook.
    #[arg(long, value_name = "POINTER", value_parser = pointer)]
    pub register_events: Option<String>,

    /// Members of the registration's body, as JSON; they replace those of the sample, and null removes one.
    #[arg(long, value_name = "JSON", value_parser = json)]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub register_body: Option<Value>,

    /// Operation that deletes a webhook; the DELETE below the registration's path otherwise.
    #[arg(long, value_name = "OPERATION")]
    pub unregister: Option<String>,

    /// Operation that disables a webhook, with its body: `patchWebhook {"status":"disabled"}`.
    #[arg(long, value_name = "OPERATION JSON")]
    pub disable: Option<String>,

    /// Operation that gives a webhook a new secret, with its body if it has one: `rotateSecret {}`.
    #[arg(long, value_name = "OPERATION JSON")]
    pub rotate: Option<String>,

    /// What triggers an event: an operation, an HTTP request such as 'POST /events', or `none` to wait for events of others. `{event}`
    /// is the event type, and `{url}` the URL of the webhook.
    #[arg(long, value_name = "OPERATION | METHOD URL")]
    pub trigger: Option<String>,

    /// A header of the triggering request (repeatable).
    #[arg(long = "trigger-header", value_name = "NAME: VALUE")]
    pub trigger_header: Vec<String>,

    /// The body of the triggering request.
    #[arg(long, value_name = "TEXT")]
    pub trigger_body: Option<String>,

    /// A command that triggers an event, run by the shell; it has EVENT and URL in its environment.
    #[arg(long, value_name = "COMMAND", conflicts_with = "trigger")]
    pub trigger_command: Option<String>,
}

impl How {
    /// These settings, with those of a file where there are none.
    #[must_use]
    pub fn or(self, file: &Self) -> Self {
        let file = file.clone();
        let headers = if self.trigger_header.is_empty() {
            file.trigger_header
        } else {
            self.trigger_header
        };
        // A command and a request exclude each other, wherever they come from.
        let own_trigger = self.trigger.is_some() || self.trigger_command.is_some();
        Self {
            register: self.register.or(file.register),
            register_url: self.register_url.or(file.register_url),
            register_events: self.register_events.or(file.register_events),
            register_body: self.register_body.or(file.register_body),
            unregister: self.unregister.or(file.unregister),
            disable: self.disable.or(file.disable),
            rotate: self.rotate.or(file.rotate),
            trigger: self.trigger.or(file.trigger.filter(|_| !own_trigger)),
            trigger_header: headers,
            trigger_body: self.trigger_body.or(file.trigger_body),
            trigger_command: self
                .trigger_command
                .or(file.trigger_command.filter(|_| !own_trigger)),
        }
    }
}

/// A URL that paths are added to.
fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok();
    let usable = url.filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    usable.map(|_| text.to_owned()).ok_or_else(|| {
        "write an http or https URL without a query, such as https://abc.tunnel.example".to_owned()
    })
}

fn pointer(text: &str) -> Result<String, String> {
    text.starts_with('/')
        .then(|| text.to_owned())
        .ok_or_else(|| "write a JSON Pointer, such as /url".to_owned())
}

fn json(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    value
        .is_object()
        .then_some(value)
        .ok_or_else(|| "write a JSON object".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text
        .parse()
        .map_err(|_| "write a number, such as 3600".to_owned())?;
    (speed.is_finite() && (0.001..=1_000_000.0).contains(&speed))
        .then_some(speed)
        .ok_or_else(|| "write a number from 0.001 to 1000000".to_owned())
}

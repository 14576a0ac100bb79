//! `truehook listen`: registers a receiver on this machine, shows each delivery with the verdict on its signature, and unregisters.
//!
//! Whatever ends it, every webhook that it made is deleted again, or named where that fails. It never changes other webhooks.

mod forward;
mod output;
mod receiver;
mod registration;
mod show;
mod signature;

use std::cell::Cell;
use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::net::Ipv6Addr;
use std::time::Duration;

use actix_web::http::StatusCode;
use anyhow::{Context, bail};
use clap::Args;
use clap::builder::BoolishValueParser;
use reqwest::Method;
use serde_json::Value;

use self::forward::{Forwarder, Target};
use self::output::Output;
use self::receiver::{Answer, Arrival, Receiver, Rules};
use self::registration::{Credentials, Registrar, Webhook};
use self::show::{Form, Show};
use self::signature::Scheme;
use super::client::{Call, Client, ServerUrl, unknown_event_type};
use super::environment::is_of_platform;
use super::names;
use super::terminal::{Paint, note, printable};
use crate::clock::Clock;
use crate::domain::{HostNames, InvalidHostName, ProviderName, Secret};
use crate::provider::{Provider, Wanted};
use crate::signals::Signals;

/// How long the last deliveries may take to be written.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook listen conduit transaction.created transaction.completed
  truehook listen equals-money BoxCredited BoxDebited --account-id F12345
  truehook listen conduit customer.created --answer 503        see the retries (a sandbox with --clock-speed 3600 hurries them)
  truehook listen conduit customer.created --forward-to localhost:3000/webhooks
  truehook listen conduit customer.created --count 1 --json    for scripts: one delivery as one line of JSON
  truehook listen conduit customer.created --server http://truehook:8080 --host receiver    in a container that is called receiver

--forward-to passes each delivery on, body and headers byte for byte, and hands the answer back to the server: its retries and the
deliveries that the operator API shows are those of your own handler. No answer within 10 s, or none at all, is a 502. Times in signed
headers are the server's: with --clock-speed they run ahead, and a handler that checks them refuses every delivery but the first ones.

Deliveries go to standard output, everything else to standard error. Ctrl-C unregisters the receiver; a second Ctrl-C does not wait
for that. Conduit goes on with the retries of a delivery after its webhook is deleted; Equals Money ends them.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose events to receive
    #[arg(value_parser = names::provider())]
    provider: &'static dyn Provider,

    #[arg(
        required = true,
        value_name = "EVENT-TYPE",
        help = "Names of the provider's catalogue, such as transaction.completed or BoxCredited"
    )]
    event_types: Vec<String>,

    /// The server
    #[arg(
        long,
        env = "TRUEHOOK_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: ServerUrl,

    /// The port to receive on; 0 for a free one
    #[arg(long, env = "TRUEHOOK_PORT", value_name = "PORT", default_value = "0", value_parser = port)]
    port: u16,

    /// The name or address by which the server reaches this machine, as in a network of containers; deliveries are then received on all
    /// addresses of it, and the server has to allow them, as with `--allow-addresses private` [default: 127.0.0.1, on loopback only]
    #[arg(long, env = "TRUEHOOK_HOST", value_name = "NAME", value_parser = host)]
    host: Option<String>,

    /// The status to answer deliveries with
    #[arg(long, env = "TRUEHOOK_ANSWER", value_name = "STATUS", default_value = "200", value_parser = answer)]
    answer: StatusCode,

    /// Pass each delivery on to this URL, byte for byte, and answer what it answers
    #[arg(
        long,
        env = "TRUEHOOK_FORWARD_TO",
        value_name = "URL",
        conflicts_with = "answer"
    )]
    forward_to: Option<Target>,

    /// Stop after this many deliveries [default: go on until Ctrl-C]
    #[arg(long, env = "TRUEHOOK_COUNT", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    #[arg(long, env = "TRUEHOOK_ACCOUNT_ID", value_name = "ID", help = format!(
        "{}: receive only what happens to this account [default: every account]", names::with_accounts()
    ))]
    account_id: Option<String>,

    /// The API key of the provider's API; the default is known in a sandbox only
    #[arg(
        long,
        env = "TRUEHOOK_API_KEY",
        value_name = "KEY",
        default_value = "sandbox-key",
        hide_env_values = true
    )]
    api_key: Secret,

    #[arg(
        long,
        env = "TRUEHOOK_API_SECRET",
        value_name = "SECRET",
        default_value = "sandbox-secret",
        hide_env_values = true,
        help = format!(
            "{}: the API secret that belongs to the key; the default is known in a sandbox only",
            names::titles(|provider| provider.key_has_secret())
        )
    )]
    api_secret: Secret,

    /// Print each delivery as one line of JSON
    #[arg(long, env = "TRUEHOOK_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

/// A port. In a pod that can reach a service called `truehook`, Kubernetes has the variable say something else.
fn port(text: &str) -> Result<u16, std::num::ParseIntError> {
    if is_of_platform("TRUEHOOK_PORT", text) {
        return Ok(0);
    }
    text.parse()
}

/// A host as it stands in a URL.
fn host(text: &str) -> Result<String, InvalidHostName> {
    HostNames::new([text])?;
    let bare = text.trim_matches(['[', ']']);
    let address = bare.parse::<Ipv6Addr>();
    Ok(address.map_or_else(|_| bare.to_owned(), |address| format!("[{address}]")))
}

fn answer(text: &str) -> Result<StatusCode, &'static str> {
    let status = text
        .parse()
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok());
    // 1xx is not a complete answer, and codes from 600 have no meaning in HTTP.
    let status = status.filter(|status| (200..600).contains(&status.as_u16()));
    status.ok_or("expected a status from 200 to 599")
}

/// Why deliveries are not looked at any more.
enum End {
    Signal,
    /// As many as were wanted.
    Count,
    /// They cannot be written.
    Output(io::Error),
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let provider = arguments.provider;
    if !provider.addressing().has_accounts && arguments.account_id.is_some() {
        bail!(
            "--account-id: {} has no accounts to choose from",
            provider.title()
        );
    }
    actix_web::rt::System::new().block_on(listen(arguments))
}

async fn listen(mut arguments: Arguments) -> anyhow::Result<()> {
    let mut signals = Signals::with_terminal().context("cannot catch signals")?;
    let mut known = HashSet::new();
    arguments
        .event_types
        .retain(|event_type| known.insert(event_type.clone()));
    let client = Client::new(arguments.server.clone())?;
    let document = tokio::select! {
        document = document(&client, arguments.provider.name()) => document?,
        () = signals.next() => return Ok(()),
    };
    let mut names = arguments.event_types.iter();
    let provider = arguments.provider.name();
    let unknown = names.find_map(|name| unknown_event_type(&document, provider, name));
    if let Some(unknown) = unknown {
        // Before anything is registered: Equals Money has a webhook for each event type.
        bail!(unknown);
    }
    let scheme = Scheme::read(&document)?;
    let rules = Rules {
        port: arguments.port,
        everywhere: arguments.host.is_some(),
        answer: match &arguments.forward_to {
            Some(target) => Answer::Target(Forwarder::new(target.clone())?),
            None => Answer::Status(arguments.answer),
        },
        count: arguments.count,
    };
    let mut receiver = Receiver::start(rules, Clock::real())?;
    let registrar = Registrar::new(&client, arguments.provider, credentials(&arguments));
    let origin = origin(&arguments, &receiver);
    let url = format!("{origin}{}", receiver.path());
    let wanted = Wanted {
        url: &url,
        event_types: &arguments.event_types,
        account_id: arguments.account_id.as_deref(),
        key_member: scheme.key_member(),
    };
    let mut webhooks = Vec::new();
    let registered = register(&registrar, &wanted, &mut signals, &mut webhooks).await;
    let mut screen = Screen {
        show: Show::new(arguments.provider, scheme, form(arguments.json)),
        output: Output::start(),
        webhooks: &webhooks,
    };
    let ended = match registered {
        Ok(true) => {
            announce(&arguments, &origin, &webhooks);
            Ok(watch(&mut receiver, &mut screen, arguments.count, &mut signals).await)
        }
        Ok(false) => Ok(End::Signal),
        Err(error) => Err(error),
    };
    let unregistered = unregister(&registrar, &webhooks, &mut signals).await;
    let rest = receiver.stop().await;
    // Answered deliveries are shown, unless the output is closed.
    if matches!(ended, Ok(End::Signal | End::Count)) {
        let shown = async {
            for arrival in rest {
                screen.show(&arrival).await?;
            }
            io::Result::Ok(())
        };
        let _ = tokio::time::timeout(LAST_WORDS, shown).await;
    }
    match ended? {
        End::Output(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("cannot write to standard output"))
        }
        End::Output(_) | End::Signal | End::Count => unregistered,
    }
}

async fn document(client: &Client, provider: ProviderName) -> anyhow::Result<Value> {
    let path = format!("/openapi/{provider}.json");
    let read = client.send_for_json(Call::new(Method::GET, path)).await;
    read.map_err(|error| error.or_elsewhere(client.server()))
}

fn credentials(arguments: &Arguments) -> Credentials {
    Credentials {
        key: arguments.api_key.clone(),
        secret: arguments.api_secret.clone(),
    }
}

fn form(json: bool) -> Form {
    if json {
        Form::Json {
            safe: io::stdout().is_terminal(),
        }
    } else {
        Form::Text(Paint::for_stdout())
    }
}

/// Registers; gives whether it is to go on. The first signal lets the request under way end, so that its webhook is known and can be
/// deleted; the second does not.
async fn register(
    registrar: &Registrar<'_>,
    wanted: &Wanted<'_>,
    signals: &mut Signals,
    webhooks: &mut Vec<Webhook>,
) -> anyhow::Result<bool> {
    let stopping = Cell::new(false);
    let registering = registrar.register(wanted, &stopping, webhooks);
    tokio::pin!(registering);
    loop {
        tokio::select! {
            result = &mut registering => return result.map(|()| !stopping.get()),
            () = signals.next() => {
                if stopping.replace(true) {
                    bail!("stopped while registering; a webhook with a URL below {} may be left behind", wanted.url);
                }
            }
        }
    }
}

/// The receiver as the server reaches it.
fn origin(arguments: &Arguments, receiver: &Receiver) -> String {
    let host = arguments.host.as_deref().unwrap_or("127.0.0.1");
    format!("http://{host}:{}", receiver.port())
}

fn announce(arguments: &Arguments, origin: &str, webhooks: &[Webhook]) {
    for webhook in webhooks {
        note(format_args!(
            "registered {} for {}",
            webhook.id,
            webhook.event_types.join(", ")
        ));
    }
    if arguments.host.is_none() && !arguments.server.is_local() {
        note(format_args!(
            "warning: {} is on another machine and cannot reach a receiver on this one; --host NAME says by which name it can",
            arguments.server.as_str()
        ));
    }
    if let Some(target) = &arguments.forward_to {
        note(format_args!("forwarding to {}", target.as_str()));
    }
    note(format_args!(
        "listening on {origin}; Ctrl-C unregisters and ends"
    ));
}

/// Shows deliveries until there are enough of them, a signal comes, or they cannot be shown.
async fn watch(
    receiver: &mut Receiver,
    screen: &mut Screen<'_>,
    count: Option<u64>,
    signals: &mut Signals,
) -> End {
    let shown = async {
        let mut left = count;
        while let Some(arrival) = receiver.next().await {
            if let Err(error) = screen.show(&arrival).await {
                return End::Output(error);
            }
            if let (Arrival::Delivery(_), Some(left)) = (&arrival, &mut left) {
                *left -= 1;
                if *left == 0 {
                    return End::Count;
                }
            }
        }
        End::Signal
    };
    tokio::select! {
        biased;
        () = signals.next() => End::Signal,
        end = shown => end,
    }
}

/// Where deliveries are shown.
struct Screen<'a> {
    show: Show,
    output: Output,
    webhooks: &'a [Webhook],
}

impl Screen<'_> {
    async fn show(&mut self, arrival: &Arrival) -> io::Result<()> {
        let delivery = match arrival {
            Arrival::Delivery(delivery) => delivery,
            Arrival::Refused(reason) => {
                note(printable(reason));
                return Ok(());
            }
        };
        let mut webhooks = self.webhooks.iter();
        let Some(webhook) = webhooks.find(|webhook| webhook.name == delivery.webhook) else {
            note(format_args!(
                "a delivery for `{}`, which is not a webhook of this run",
                printable(&delivery.webhook)
            ));
            return Ok(());
        };
        self.output
            .write(self.show.delivery(delivery, webhook))
            .await
    }
}

/// Deletes every webhook of this run and says so. A signal ends it before its time.
async fn unregister(
    registrar: &Registrar<'_>,
    webhooks: &[Webhook],
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let mut left = Vec::new();
    for (index, webhook) in webhooks.iter().enumerate() {
        let deleted = tokio::select! {
            deleted = registrar.unregister(webhook) => deleted,
            () = signals.next() => {
                left.extend(webhooks[index..].iter().map(|webhook| webhook.id.as_str()));
                bail!("stopped by a signal while unregistering; still registered: {}", left.join(", "));
            }
        };
        match deleted {
            Ok(()) => note(format_args!("unregistered {}", webhook.id)),
            Err(error) => {
                let error = anyhow::Error::from(error);
                note(format_args!("cannot unregister {}: {error:#}", webhook.id));
                left.push(&webhook.id);
            }
        }
    }
    if left.is_empty() {
        Ok(())
    } else {
        bail!("still registered: {}", left.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_as_it_stands_in_a_url() {
        for (text, expected) in [
            ("receiver", "receiver"),
            ("10.0.0.7", "10.0.0.7"),
            ("fd00::7", "[fd00::7]"),
            ("[FD00:0::7]", "[fd00::7]"),
        ] {
            assert_eq!(host(text).unwrap(), expected);
        }
        for bad in ["", "receiver:80", "http://receiver", "a/b", "*"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_answer_is_a_final_status() {
        for good in ["200", "204", "301", "429", "599"] {
            assert!(answer(good).is_ok(), "{good}");
        }
        for bad in ["", "ok", "100", "199", "600", "999", "1000", "-1"] {
            assert!(answer(bad).is_err(), "{bad}");
        }
    }
}

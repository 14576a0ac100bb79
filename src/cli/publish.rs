//! `truehook publish`: hands an event to a server through the operator API, payload byte for byte.

use std::io::{IsTerminal, Read};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use anyhow::{Context, bail};
use clap::Args;
use clap::builder::BoolishValueParser;
use reqwest::Method;
use reqwest::header::HeaderName;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::client::{Call, CallError, Client, unknown_event_type};
use super::names;
use super::operator::{Access, Operator};
use super::terminal::{Paint, print, printable};
use crate::domain::Secret;
use crate::provider::{Addressing, OwnerMember, Provider};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook publish conduit transaction.completed
  truehook publish conduit customer.created --client-id client_2ofTA5mz0T91pBmD3tMTeLE7T4X --data customer.json
  truehook publish equals-money BoxCredited --account-id F12345
  echo '{\"amount\":1.10,\"currency\":\"GBP\"}' | truehook publish equals-money BoxCredited --account-id F12345 --data -

The file holds what the publisher gives of the payload: for Conduit its `data`, for Equals Money the members of its `body`.
Numbers keep their digits and members their order on the way to the receivers.

Prints what was published in a sentence on a terminal, and as JSON elsewhere. What became of it: truehook deliveries --event ID.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose event it is
    #[arg(value_parser = names::provider())]
    provider: &'static dyn Provider,

    #[arg(
        help = "A name of the provider's catalogue, such as transaction.completed or BoxCredited"
    )]
    event_type: String,

    /// A file with the payload as JSON, or - for standard input [default: the sample of the catalogue]
    #[arg(long, env = "TRUEHOOK_DATA", value_name = "FILE")]
    data: Option<String>,

    #[arg(long, env = "TRUEHOOK_ACCOUNT_ID", value_name = "ID", help = format!(
        "{}: the account that it happened to [default: none; only webhooks without an account get it]", names::with_accounts()
    ))]
    account_id: Option<String>,

    #[arg(long, env = "TRUEHOOK_CLIENT_ID", value_name = "ID", help = format!(
        "{}: the client whose webhooks get it [default: the client of the sandbox's credentials; with another --key: none]",
        names::owned_by(OwnerMember::ClientId)
    ))]
    client_id: Option<String>,

    #[arg(long, env = "TRUEHOOK_PRODUCT_ID", value_name = "UUID", help = format!(
        "{}: the product whose webhooks get it [default: every product]", names::owned_by(OwnerMember::ProductId)
    ))]
    product_id: Option<String>,

    /// Makes it safe to repeat: the same key and event are published once
    #[arg(long, env = "TRUEHOOK_IDEMPOTENCY_KEY", value_name = "KEY")]
    idempotency_key: Option<Secret>,

    #[command(flatten)]
    access: Access,

    /// Print the answer as JSON, on a terminal too
    #[arg(long, env = "TRUEHOOK_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let client_id = client_id(&arguments)?;
    let data = arguments.data.as_deref().map(read).transpose()?;
    let body = body(&arguments, client_id, data.as_deref());
    let operator = Operator::new(&arguments.access)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(publish(&operator, &arguments, body))?;
    let text = if arguments.json || !std::io::stdout().is_terminal() {
        serde_json::to_string(&answer)? + "\n"
    } else {
        sentence(&answer, Paint::for_stdout())
    };
    print(&text)
}

/// The client whose event it is. Only a sandbox has one that goes without saying: elsewhere, a client that nobody named would be
/// somebody else's, or nobody's.
///
/// # Errors
/// When there is none and the provider's events need one.
fn client_id(arguments: &Arguments) -> anyhow::Result<Option<&str>> {
    let provider = arguments.provider;
    let Addressing {
        owner,
        owner_is_required,
        ..
    } = provider.addressing();
    let needed = owner_is_required && owner == OwnerMember::ClientId;
    let sandbox_client = provider.sandbox_owner();
    match &arguments.client_id {
        Some(id) => Ok(Some(id)),
        None if !needed => Ok(None),
        None if arguments.access.is_sandbox() => Ok(Some(sandbox_client)),
        None => bail!(
            "--client-id is missing: a {} event belongs to a client, and only a sandbox with its own key has a default one \
             ({sandbox_client}); `truehook keys list` shows the clients as owners of their keys",
            provider.title()
        ),
    }
}

/// The payload, checked to be one JSON value and otherwise as it is.
fn read(source: &str) -> anyhow::Result<String> {
    let (name, bytes) = if source == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.context("cannot read standard input")?;
        ("standard input", bytes)
    } else {
        let bytes = std::fs::read(Path::new(source));
        (
            source,
            bytes.with_context(|| format!("cannot read {source}"))?,
        )
    };
    check(name, bytes)
}

fn check(name: &str, bytes: Vec<u8>) -> anyhow::Result<String> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            let start = good
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
            bail!("{name}:{line}:{column}: not UTF-8, which JSON has to be");
        }
    };
    if text.trim().is_empty() {
        bail!("{name}: empty, where a JSON object is expected");
    }
    if text.starts_with('\u{feff}') {
        bail!("{name}:1:1: starts with a byte order mark, which JSON must not have");
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
        let (line, column) = place(&text, &error);
        let reason = error.to_string();
        let own_place = format!(" at line {} column {}", error.line(), error.column());
        bail!(
            "{name}:{line}:{column}: {}",
            reason.trim_end_matches(&own_place)
        );
    }
    Ok(text)
}

/// Where an error is, from 1 and in characters. `serde_json` counts bytes, and calls a line break column 0 of the line that it begins.
fn place(text: &str, error: &serde_json::Error) -> (usize, usize) {
    let line_of = |number: usize| text.split('\n').nth(number - 1).unwrap_or_default();
    match (error.line().max(1), error.column()) {
        (line, 0) if line > 1 => (line - 1, line_of(line - 1).chars().count() + 1),
        (line, column) => {
            let before = &line_of(line).as_bytes()[..column.saturating_sub(1)];
            (line, String::from_utf8_lossy(before).chars().count() + 1)
        }
    }
}

/// The request body, with the payload put in as it is: reading and writing it again would change numbers.
fn body(arguments: &Arguments, client_id: Option<&str>, data: Option<&str>) -> Vec<u8> {
    let provider = arguments.provider;
    let members = [
        ("provider", Some(provider.name().to_string())),
        ("type", Some(arguments.event_type.clone())),
        ("accountId", arguments.account_id.clone()),
        ("clientId", client_id.map(str::to_owned)),
        ("productId", arguments.product_id.clone()),
    ];
    let members: Map<String, Value> = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
        .collect();
    let mut text = Value::Object(members).to_string();
    if let Some(data) = data {
        text.pop();
        text += ",\"data\":";
        text += data;
        text.push('}');
    }
    text.into_bytes()
}

async fn publish(
    operator: &Operator,
    arguments: &Arguments,
    body: Vec<u8>,
) -> anyhow::Result<Value> {
    let mut call = operator.call(Method::POST, "/events")?.json(body);
    if let Some(key) = &arguments.idempotency_key {
        let name = HeaderName::from_static("idempotency-key");
        call = call.header(name, key, "--idempotency-key")?;
    }
    let error = match operator.client().send_for_json(call).await {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let help = match help(&error, arguments) {
        None if names_type(&error) => event_types(operator.client(), arguments).await,
        help => help,
    };
    let error = operator.explain(error);
    Err(match help {
        Some(help) => anyhow::anyhow!("{error:#}\n  {help}"),
        None => error,
    })
}

/// Whether the event type is what the server refuses.
fn names_type(error: &CallError) -> bool {
    matches!(error, CallError::Refused(refusal) if refusal.lines.iter().any(|line| line.starts_with("/type: ")))
}

/// The event types that there are, when the server tells them.
async fn event_types(client: &Client, arguments: &Arguments) -> Option<String> {
    let provider = arguments.provider.name();
    let path = format!("/openapi/{provider}.json");
    let document = client.send_for_json(Call::new(Method::GET, &*path)).await;
    unknown_event_type(&document.ok()?, provider, &arguments.event_type)
}

/// Advises about a failure whose own message does not.
fn help(error: &CallError, arguments: &Arguments) -> Option<String> {
    match error {
        CallError::Slow(_) | CallError::Broken { .. } if arguments.idempotency_key.is_none() => Some(
            "the event may or may not be published; give --idempotency-key to be able to repeat safely".to_owned(),
        ),
        CallError::Slow(_) | CallError::Broken { .. } => {
            Some("repeat the command with the same --idempotency-key".to_owned())
        }
        CallError::NoServer(_)
        | CallError::Unwritable(_)
        | CallError::Refused(_)
        | CallError::Strange { .. } => None,
    }
}

/// The answer for a person: one line, and another where webhooks of the type do not get the event.
fn sentence(answer: &Value, paint: Paint) -> String {
    let text = |name: &str| printable(answer[name].as_str().unwrap_or("?")).into_owned();
    let deliveries = match answer["deliveries"].as_u64() {
        Some(0) => "no webhook wants it; it is kept and can be replayed".to_owned(),
        Some(1) => "1 delivery".to_owned(),
        Some(count) => format!("{count} deliveries"),
        None => "an unknown number of deliveries".to_owned(),
    };
    let others = others(&answer["notMatched"]);
    format!(
        "published {} {} as {}: {deliveries}\n{others}",
        text("provider"),
        paint.paint(AnsiColor::Cyan.on_default().bold(), text("type")),
        paint.paint(Style::new().bold(), text("id")),
    )
}

/// In words, for how many webhooks of the event's type it is not, and why.
fn others(not_matched: &Value) -> String {
    let reasons = [
        ("otherOwner", "of another client or product"),
        ("otherAccount", "for another account"),
        ("disabled", "disabled"),
    ];
    let reasons: Vec<String> = reasons
        .into_iter()
        .filter_map(|(name, reason)| {
            let count = not_matched[name].as_u64().filter(|count| *count > 0)?;
            let verb = if count == 1 { "is" } else { "are" };
            Some(format!("{count} {verb} {reason}"))
        })
        .collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!("  other webhooks for this type: {}\n", reasons.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::provider::conduit;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(words: &[&str]) -> Arguments {
        let words = [&["publish"], words].concat();
        Command::try_parse_from(words).unwrap().arguments
    }

    fn fault(bytes: &[u8]) -> String {
        check("a.json", bytes.to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn the_payload_stands_in_the_body_byte_for_byte() {
        let arguments = arguments(&["equals-money", "BoxCredited", "--account-id", "F\"1"]);
        let data = "{ \"b\": 1.10,\n \"a\":9007199254740993 ,\"a\":\"\\u00e9\"}\n";
        let body = String::from_utf8(body(&arguments, None, Some(data))).unwrap();
        assert_eq!(
            body,
            format!(
                r#"{{"provider":"equals-money","type":"BoxCredited","accountId":"F\"1","data":{data}}}"#
            )
        );
    }

    #[test]
    fn only_a_sandbox_has_a_client_that_goes_without_saying() {
        let client = |words: &[&str]| {
            let arguments = arguments(words);
            client_id(&arguments).map(|id| id.map(str::to_owned))
        };
        assert_eq!(
            client(&["conduit", "x"]).unwrap().as_deref(),
            Some(conduit::Conduit.sandbox_owner())
        );
        assert_eq!(
            client(&["conduit", "x", "--client-id", "c"])
                .unwrap()
                .as_deref(),
            Some("c")
        );
        assert_eq!(client(&["equals-money", "x", "--key", "k"]).unwrap(), None);
        let error = client(&["conduit", "x", "--key", "k"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("--client-id is missing"), "{error}");
        assert!(client(&["conduit", "x", "--key", "k", "--client-id", "c"]).is_ok());
    }

    #[test]
    fn what_is_no_json_is_named_with_its_line_and_column() {
        assert_eq!(fault(b"{\n  \"a\": tru\n}"), "a.json:2:11: expected ident");
        assert_eq!(
            fault("{\"é\": \"é\", x}".as_bytes()),
            "a.json:1:12: key must be a string"
        );
        assert_eq!(fault(b"{\n"), "a.json:1:2: EOF while parsing an object");
        assert_eq!(fault(b"{}\n{}"), "a.json:2:1: trailing characters");
        assert_eq!(fault(b"{\"a\":1}}"), "a.json:1:8: trailing characters");
        assert_eq!(
            fault(b"{\n\"\xc3\xa9\": \"\xff\"}"),
            "a.json:2:7: not UTF-8, which JSON has to be"
        );
        assert_eq!(
            fault(b" \n"),
            "a.json: empty, where a JSON object is expected"
        );
        assert!(fault("\u{feff}{}".as_bytes()).contains("byte order mark"));
        assert_eq!(
            check("a.json", b"{\"a\":1e999}".to_vec()).unwrap(),
            "{\"a\":1e999}"
        );
    }

    #[test]
    fn the_answer_is_one_line_and_a_second_where_other_webhooks_missed_the_event() {
        let answer = |deliveries: u64| json!({ "id": "evt_1", "provider": "conduit", "type": "customer.created", "createdAt": "t", "deliveries": deliveries });
        let paint = Paint::new(false);
        assert_eq!(
            sentence(&answer(2), paint),
            "published conduit customer.created as evt_1: 2 deliveries\n"
        );
        assert!(sentence(&answer(0), paint).contains("no webhook wants it"));
        let mut missed = answer(0);
        missed["notMatched"] = json!({ "otherOwner": 0, "otherAccount": 2, "disabled": 1 });
        assert!(sentence(&missed, paint).ends_with(
            "\n  other webhooks for this type: 2 are for another account, 1 is disabled\n"
        ));
    }
}

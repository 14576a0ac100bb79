//! `truehook webhooks`: lists the webhooks of every provider and owner, or shows one with how its newest deliveries stand.

use std::fmt::Write as _;
use std::str::FromStr;

use anstyle::Style;
use clap::Args;
use clap::builder::BoolishValueParser;
use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::deliveries::result;
use super::events::{counts, owner};
use super::list::{List, lines};
use super::names;
use super::operator::{Access, Operator, with_operator};
use super::table::{Cell, aligned};
use super::terminal::{Paint, print, printable, state_style};
use crate::domain::ProviderName;
use crate::provider::OwnerMember;

/// How many event types a row names.
const TYPES: usize = 2;

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook webhooks                                    the newest webhooks, whoever registered them
  truehook webhooks --type BoxCredited --account F12345
  truehook webhooks whk_31BbTJ0ORWosbmona9WP0ThJYT5    one webhook: its event types, its newest deliveries, its last failure
  truehook webhooks --disabled --json                  for scripts: one webhook a line

Deliveries are counted among the newest hundred of each webhook. Webhooks are registered, changed and deleted by their owners, through the
provider's API. `truehook deliveries --webhook ID` lists the deliveries of one.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The webhook to show [default: lists webhooks, the newest first]
    #[arg(conflicts_with_all = ["provider", "owner", "account", "event_type", "enabled", "disabled", "limit"])]
    id: Option<WebhookId>,

    /// List only webhooks of this provider
    #[arg(long, env = "TRUEHOOK_PROVIDER", value_parser = names::provider_name())]
    provider: Option<ProviderName>,

    #[arg(help = format!(
        "List only webhooks of this client ({}) or product ({})",
        names::owned_by(OwnerMember::ClientId),
        names::owned_by(OwnerMember::ProductId)
    ))]
    #[arg(long, env = "TRUEHOOK_OWNER", value_name = "ID")]
    owner: Option<String>,

    #[arg(help = format!("List only webhooks that are restricted to this account ({})", names::with_accounts()))]
    #[arg(long, env = "TRUEHOOK_ACCOUNT", value_name = "ID")]
    account: Option<String>,

    /// List only webhooks that subscribe to this event type
    #[arg(long = "type", env = "TRUEHOOK_TYPE", value_name = "EVENT-TYPE")]
    event_type: Option<String>,

    /// List only webhooks that are enabled
    #[arg(long, env = "TRUEHOOK_ENABLED", value_parser = BoolishValueParser::new(), conflicts_with = "disabled")]
    enabled: bool,

    /// List only webhooks that are disabled
    #[arg(long, env = "TRUEHOOK_DISABLED", value_parser = BoolishValueParser::new())]
    disabled: bool,

    /// How many to list at most
    #[arg(long, env = "TRUEHOOK_LIMIT", value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    #[command(flatten)]
    access: Access,

    /// Print JSON: each webhook as the operator API gives it, on a line of its own
    #[arg(long, env = "TRUEHOOK_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

/// The id of a webhook of any provider, which is safe as a part of a path.
#[derive(Debug, Clone)]
struct WebhookId(String);

impl FromStr for WebhookId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !text.is_empty() && text.bytes().all(is_safe) {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected the id of a webhook, such as whk_31BbTJ0ORWosbmona9WP0ThJYT5")
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    with_operator(&arguments.access, async |operator| match &arguments.id {
        Some(id) => show(operator, id, arguments.json).await,
        None => list(operator, arguments).await,
    })
}

async fn list(operator: &Operator, arguments: &Arguments) -> anyhow::Result<()> {
    let enabled = match (arguments.enabled, arguments.disabled) {
        (true, _) => Some("true"),
        (_, true) => Some("false"),
        (false, false) => None,
    };
    let filters = [
        (
            "provider",
            arguments.provider.as_ref().map(ProviderName::as_str),
        ),
        ("owner", arguments.owner.as_deref()),
        ("accountId", arguments.account.as_deref()),
        ("type", arguments.event_type.as_deref()),
        ("enabled", enabled),
    ];
    let list = List {
        path: "/webhooks",
        filters: &filters,
        limit: arguments.limit,
        json: arguments.json,
    };
    if list.print(operator, rows).await? == 0 {
        list.note_empty(operator, "webhook", "webhooks").await;
    }
    Ok(())
}

fn rows(page: &[Box<RawValue>], is_first: bool, paint: Paint) -> anyhow::Result<String> {
    let rows = page.iter().map(|item| {
        let webhook: Value = serde_json::from_str(item.get())?;
        let text = |name: &str| webhook[name].as_str().unwrap_or("-");
        let (state, style) = state(&webhook);
        Ok(vec![
            Cell::plain(text("createdAt")),
            Cell::styled(state, style),
            Cell::plain(&types(&webhook)),
            Cell::plain(&owner(&webhook)),
            Cell::plain(&counts(&webhook["recent"]["deliveries"])),
            Cell::plain(&last_failure(&webhook)),
            Cell::plain(text("url")),
            Cell::styled(text("id"), Style::new().bold()),
        ])
    });
    let rows = rows.collect::<anyhow::Result<_>>()?;
    let head = [
        "created",
        "state",
        "types",
        "for",
        "newest deliveries",
        "last failure",
        "URL",
        "webhook",
    ];
    Ok(aligned(&head, rows, is_first, paint))
}

fn state(webhook: &Value) -> (&'static str, Style) {
    if webhook["enabled"] == true {
        ("enabled", state_style("delivered"))
    } else {
        ("disabled", state_style("cancelled"))
    }
}

/// The first event types, and how many more there are.
fn types(webhook: &Value) -> String {
    let all = webhook["types"].as_array().into_iter().flatten();
    let all: Vec<&str> = all.filter_map(Value::as_str).collect();
    let shown = all[..all.len().min(TYPES)].join(", ");
    match all.len().saturating_sub(TYPES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The time and the outcome of the last failed attempt.
fn last_failure(webhook: &Value) -> String {
    let recent = &webhook["recent"];
    let Some(at) = recent["lastFailureAt"].as_str() else {
        return "-".to_owned();
    };
    let came_to = result(&recent["lastFailureStatus"], &recent["lastFailureError"]);
    format!("{at} {came_to}")
}

/// The same with the whole error.
fn whole_last_failure(webhook: &Value) -> String {
    let recent = &webhook["recent"];
    match (
        recent["lastFailureAt"].as_str(),
        recent["lastFailureError"].as_str(),
    ) {
        (Some(at), Some(error)) => format!("{at} {error}"),
        _ => last_failure(webhook),
    }
}

async fn show(operator: &Operator, id: &WebhookId, json: bool) -> anyhow::Result<()> {
    let call = operator.call(Method::GET, &format!("/webhooks/{}", id.0))?;
    let webhook: Box<RawValue> = operator.send(call).await?;
    if json {
        return print(&lines(&[webhook]));
    }
    print(&detail(
        &serde_json::from_str(webhook.get())?,
        Paint::for_stdout(),
    ))
}

fn detail(webhook: &Value, paint: Paint) -> String {
    let line = |text: &str| printable(text).replace('\n', "\\n");
    let text = |name: &str| line(webhook[name].as_str().unwrap_or("-"));
    let (state, style) = state(webhook);
    let mut out = format!(
        "{}  {}  {}\n",
        paint.paint(Style::new().bold(), text("id")),
        text("provider"),
        paint.paint(style, state),
    );
    let all = webhook["types"].as_array().into_iter().flatten();
    let all: Vec<&str> = all.filter_map(Value::as_str).collect();
    let last_success = webhook["recent"]["lastSuccessAt"].as_str().unwrap_or("-");
    for (name, value) in [
        ("URL", text("url")),
        ("for", line(&owner(webhook))),
        ("types", line(&all.join(", "))),
        ("created", text("createdAt")),
        ("changed", text("updatedAt")),
        ("deliveries", counts(&webhook["recent"]["deliveries"])),
        ("last success", line(last_success)),
        ("last failure", line(&whole_last_failure(webhook))),
    ] {
        let name = paint.paint(Style::new().dimmed(), format!("{name:<13}"));
        let _ = writeln!(out, "  {name} {value}");
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_webhook_shows_whose_it_is_and_what_failed_last() {
        let webhook = json!({ "id": "whk_1", "provider": "conduit", "accountId": null, "clientId": "client_1", "productId": null,
            "url": "http://127.0.0.1:1/", "types": ["a", "b", "c", "d"], "enabled": false, "createdAt": "t0", "updatedAt": "t1",
            "recent": { "deliveries": { "pending": 1, "delivered": 2, "exhausted": 0, "cancelled": 0 }, "lastSuccessAt": "t2",
                "lastFailureAt": "t3", "lastFailureStatus": null, "lastFailureError": "connection refused" } });
        let text = detail(&webhook, Paint::new(false));
        assert_eq!(
            text,
            "whk_1  conduit  disabled
  URL           http://127.0.0.1:1/
  for           client_1
  types         a, b, c, d
  created       t0
  changed       t1
  deliveries    2 delivered, 1 pending
  last success  t2
  last failure  t3 connection refused
"
        );
        let raw = RawValue::from_string(webhook.to_string()).unwrap();
        let rows = rows(&[raw], true, Paint::new(false)).unwrap();
        assert!(rows.contains("a, b and 2 more"), "{rows}");
        assert!(rows.contains("t3 connection refused"), "{rows}");
    }

    #[test]
    fn an_id_is_safe_in_a_path() {
        for (text, is_id) in [
            ("whk_31BbTJ0ORWosbmona9WP0ThJYT5", true),
            ("699488fb-56a7-480b-9987-32825f034b2a", true),
            ("../keys", false),
            ("a?b", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<WebhookId>().is_ok(), is_id, "{text}");
        }
    }
}

//! `truehook events`: lists events, or shows one with its payload and how its deliveries stand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::Style;
use clap::Args;
use clap::builder::BoolishValueParser;
use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::follow::follow;
use super::layout::indented;
use super::list::{List, lines};
use super::names;
use super::operator::{Access, EventId, Operator, with_operator};
use super::table::{Cell, aligned};
use super::terminal::{Paint, print, printable, state_style};
use crate::domain::ProviderName;

/// The states that deliveries of an event are counted by, in the order in which they are told.
const STATES: [&str; 4] = ["delivered", "pending", "exhausted", "cancelled"];

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook events                                        the newest events
  truehook events --provider equals-money --type BoxCredited --limit 100
  truehook events evt_351DUZaHXTOPxyvBf6L9XdlW5oq        one event with its payload
  truehook events --follow                               the newest events, then each as it is published, until Ctrl-C
  truehook events --json                                 for scripts: one event a line

Times are the server's, in UTC; a sandbox with --clock-speed has a fast clock. `truehook deliveries --event ID` lists the deliveries
of an event.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The event to show [default: lists events, the newest first]
    #[arg(conflicts_with_all = ["provider", "event_type", "limit", "follow"])]
    id: Option<EventId>,

    /// List only events of this provider
    #[arg(long, env = "TRUEHOOK_PROVIDER", value_parser = names::provider_name())]
    provider: Option<ProviderName>,

    /// List only events of this type
    #[arg(long = "type", env = "TRUEHOOK_TYPE", value_name = "EVENT-TYPE")]
    event_type: Option<String>,

    /// Go on with each event as it is published, the oldest first, until Ctrl-C
    #[arg(long, env = "TRUEHOOK_FOLLOW", value_parser = BoolishValueParser::new())]
    follow: bool,

    /// How many to list at most
    #[arg(long, env = "TRUEHOOK_LIMIT", value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    #[command(flatten)]
    access: Access,

    /// Print JSON: each event as the operator API gives it, on a line of its own
    #[arg(long, env = "TRUEHOOK_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    with_operator(&arguments.access, async |operator| match &arguments.id {
        Some(id) => show(operator, id, arguments.json).await,
        None => list(operator, arguments).await,
    })
}

async fn list(operator: &Operator, arguments: &Arguments) -> anyhow::Result<()> {
    let filters = [
        (
            "provider",
            arguments.provider.as_ref().map(ProviderName::as_str),
        ),
        ("type", arguments.event_type.as_deref()),
    ];
    let list = List {
        path: "/events",
        filters: &filters,
        limit: arguments.limit,
        json: arguments.json,
    };
    if arguments.follow {
        let show = |page: &[Box<RawValue>], is_first| list.text(page, is_first, rows);
        return follow(operator, &filters, arguments.limit, show).await;
    }
    if list.print(operator, rows).await? == 0 {
        list.note_empty(operator, "event", "events").await;
    }
    Ok(())
}

fn rows(page: &[Box<RawValue>], is_first: bool, paint: Paint) -> anyhow::Result<String> {
    let rows = page.iter().map(|item| {
        let event: Value = serde_json::from_str(item.get())?;
        let text = |name: &str| event[name].as_str().unwrap_or("-");
        Ok(vec![
            Cell::plain(text("createdAt")),
            Cell::plain(text("provider")),
            Cell::plain(text("type")),
            Cell::plain(&owner(&event)),
            Cell::plain(&counts(&event["deliveries"])),
            Cell::styled(text("id"), Style::new().bold()),
        ])
    });
    let rows = rows.collect::<anyhow::Result<_>>()?;
    let head = ["created", "provider", "type", "for", "deliveries", "event"];
    Ok(aligned(&head, rows, is_first, paint))
}

/// The owner of an event, as far as the publisher named one.
pub(super) fn owner(event: &Value) -> String {
    let members = ["clientId", "productId", "accountId"];
    let given = members.iter().filter_map(|name| event[*name].as_str());
    let given: Vec<&str> = given.collect();
    if given.is_empty() {
        "-".to_owned()
    } else {
        given.join(" ")
    }
}

/// How deliveries stand by their counts, in words.
pub(super) fn counts(deliveries: &Value) -> String {
    let counted = STATES.iter().filter_map(|state| {
        let count = deliveries[*state].as_u64().filter(|count| *count > 0)?;
        Some(format!("{count} {state}"))
    });
    let counted: Vec<String> = counted.collect();
    if counted.is_empty() {
        "none".to_owned()
    } else {
        counted.join(", ")
    }
}

async fn show(operator: &Operator, id: &EventId, json: bool) -> anyhow::Result<()> {
    let call = operator.call(Method::GET, &format!("/events/{}", id.as_str()))?;
    let event: Box<RawValue> = operator.send(call).await?;
    if json {
        return print(&lines(&[event]));
    }
    print(&detail(event.get(), Paint::for_stdout())?)
}

/// An event with its payload, whose numbers keep their digits.
fn detail(event: &str, paint: Paint) -> anyhow::Result<String> {
    let raw: BTreeMap<&str, &RawValue> = serde_json::from_str(event)?;
    let value: Value = serde_json::from_str(event)?;
    let text = |name: &str| printable(value[name].as_str().unwrap_or("-")).replace('\n', "\\n");
    let mut out = format!(
        "{}  {} {}\n",
        paint.paint(Style::new().bold(), text("id")),
        text("provider"),
        text("type"),
    );
    let style = STATES
        .into_iter()
        .rev()
        .find(|state| value["deliveries"][*state] != 0);
    for (name, line) in [
        ("created", text("createdAt")),
        ("for", printable(&owner(&value)).into_owned()),
        (
            "deliveries",
            paint.paint(
                style.map(state_style).unwrap_or_default(),
                counts(&value["deliveries"]),
            ),
        ),
    ] {
        let _ = writeln!(
            out,
            "  {} {line}",
            paint.paint(Style::new().dimmed(), format!("{name:<13}"))
        );
    }
    if let Some(data) = raw.get("data") {
        let _ = writeln!(
            out,
            "\n  {}",
            indented(&printable(data.get()), 2, |_, token| token.to_owned())
        );
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"evt_1","provider":"equals-money","type":"BoxCredited","accountId":"F1","clientId":null,"productId":null,
        "data":{"amount":1.10,"id":9007199254740993},"createdAt":"t","deliveries":{"pending":1,"delivered":2,"exhausted":0,"cancelled":0}}"#;

    #[test]
    fn an_event_shows_how_its_deliveries_stand_and_every_digit_of_its_payload() {
        let text = detail(EVENT, Paint::new(false)).unwrap();
        assert_eq!(
            text,
            "evt_1  equals-money BoxCredited
  created       t
  for           F1
  deliveries    2 delivered, 1 pending

  {
    \"amount\": 1.10,
    \"id\": 9007199254740993
  }
"
        );
        let raw = RawValue::from_string(EVENT.to_owned()).unwrap();
        let rows = rows(&[raw], true, Paint::new(false)).unwrap();
        assert_eq!(rows.lines().count(), 2);
        assert!(rows.contains("2 delivered, 1 pending"), "{rows}");
    }
}

//! `truehook deliveries`: lists deliveries, or shows one with all its attempts.

use std::fmt::Write as _;

use anstyle::Style;
use clap::Args;
use clap::builder::{BoolishValueParser, PossibleValuesParser};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::layout::indented;
use super::list::{List, lines};
use super::names;
use super::operator::{Access, DeliveryId, EventId, Operator, with_operator};
use super::table::{Cell, aligned};
use super::terminal::{Paint, print, printable, state_style};
use crate::domain::{KEPT_BODY, ProviderName};

/// The outcomes of a last attempt, by their names in the operator API.
const OUTCOMES: [&str; 9] = [
    "2xx", "3xx", "4xx", "5xx", "other", "timeout", "refused", "failed", "failure",
];

/// How much of an error fits into a row.
const RESULT_WIDTH: usize = 40;

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook deliveries                                     the newest deliveries
  truehook deliveries --state exhausted --limit 100       those without a retry left
  truehook deliveries --outcome failure --type BoxCredited --from 2026-11-28T09:00:00Z
  truehook deliveries --event evt_351DUZaHXTOPxyvBf6L9XdlW5oq
  truehook deliveries 8b53639f-152c-4fc6-af30-802fde462ba0    one delivery: every attempt, its answer or its error
  truehook deliveries --state pending --json              for scripts: one delivery a line

Times are the server's, in UTC; a sandbox with --clock-speed has a fast clock. `truehook retry ID` attempts a delivery again.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The delivery to show [default: lists deliveries, the newest first]
    #[arg(conflicts_with_all = ["state", "provider", "webhook", "event", "event_type", "outcome", "from", "to", "limit"])]
    id: Option<DeliveryId>,

    /// List only deliveries in this state
    #[arg(long, env = "TRUEHOOK_STATE", value_name = "STATE",
        value_parser = PossibleValuesParser::new(["pending", "delivered", "exhausted", "cancelled"]))]
    state: Option<String>,

    /// List only deliveries of this provider
    #[arg(long, env = "TRUEHOOK_PROVIDER", value_parser = names::provider_name())]
    provider: Option<ProviderName>,

    /// List only deliveries for this webhook
    #[arg(long, env = "TRUEHOOK_WEBHOOK", value_name = "ID")]
    webhook: Option<String>,

    /// List only deliveries of this event
    #[arg(long, env = "TRUEHOOK_EVENT", value_name = "ID")]
    event: Option<EventId>,

    /// List only deliveries of events of this type
    #[arg(long = "type", env = "TRUEHOOK_TYPE", value_name = "EVENT-TYPE")]
    event_type: Option<String>,

    /// List only deliveries whose last attempt came to this: a class of statuses, no answer in time (timeout), an address that is not
    /// allowed (refused), a connection that failed (failed), or anything but 2xx (failure)
    #[arg(long, env = "TRUEHOOK_OUTCOME", value_name = "OUTCOME", value_parser = PossibleValuesParser::new(OUTCOMES))]
    outcome: Option<String>,

    /// List only deliveries that were made at this time or later, such as 2026-11-28T09:00:00Z, or on this day in UTC or later
    #[arg(long, env = "TRUEHOOK_FROM", value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,

    /// List only deliveries that were made before this time
    #[arg(long, env = "TRUEHOOK_TO", value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,

    /// How many to list at most
    #[arg(long, env = "TRUEHOOK_LIMIT", value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    #[command(flatten)]
    access: Access,

    /// Print JSON: each delivery as the operator API gives it, on a line of its own
    #[arg(long, env = "TRUEHOOK_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

/// A time, or the day in UTC that begins then.
fn time(text: &str) -> Result<Timestamp, String> {
    // Longer ones have a time of day, which a day would leave out.
    let day = || {
        let day = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
        day.to_zoned(TimeZone::UTC).ok()
    };
    text.parse()
        .ok()
        .or_else(|| day().map(|day| day.timestamp()))
        .ok_or_else(|| {
            "write a time with its offset from UTC, such as 2026-11-28T09:00:00Z or 2026-11-28T10:00:00+01:00, or a day in UTC, such as \
             2026-11-28"
                .to_owned()
        })
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    with_operator(&arguments.access, async |operator| match arguments.id {
        Some(id) => show(operator, id, arguments.json).await,
        None => list(operator, arguments).await,
    })
}

async fn list(operator: &Operator, arguments: &Arguments) -> anyhow::Result<()> {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let (from, to) = (time(arguments.from), time(arguments.to));
    let filters = [
        ("state", arguments.state.as_deref()),
        ("type", arguments.event_type.as_deref()),
        ("outcome", arguments.outcome.as_deref()),
        ("from", from.as_deref()),
        ("to", to.as_deref()),
        (
            "provider",
            arguments.provider.as_ref().map(ProviderName::as_str),
        ),
        ("webhookId", arguments.webhook.as_deref()),
        ("eventId", arguments.event.as_ref().map(EventId::as_str)),
    ];
    let list = List {
        path: "/deliveries",
        filters: &filters,
        limit: arguments.limit,
        json: arguments.json,
    };
    if list.print(operator, rows).await? == 0 {
        list.note_empty(operator, "delivery", "deliveries").await;
    }
    Ok(())
}

fn rows(page: &[Box<RawValue>], is_first: bool, paint: Paint) -> anyhow::Result<String> {
    let rows = page.iter().map(|item| {
        let delivery: Value = serde_json::from_str(item.get())?;
        let text = |name: &str| delivery[name].as_str().unwrap_or("-");
        let state = text("state");
        Ok(vec![
            Cell::plain(text("createdAt")),
            Cell::styled(state, state_style(state)),
            Cell::plain(&delivery["attemptCount"].to_string()),
            Cell::plain(&last_result(&delivery)),
            Cell::plain(text("nextAttemptAt")),
            Cell::plain(text("type")),
            Cell::plain(text("webhookId")),
            Cell::styled(text("id"), Style::new().bold()),
        ])
    });
    let rows = rows.collect::<anyhow::Result<_>>()?;
    let head = [
        "created",
        "state",
        "attempts",
        "last",
        "next attempt",
        "type",
        "webhook",
        "delivery",
    ];
    Ok(aligned(&head, rows, is_first, paint))
}

/// The outcome of the last recorded attempt, short enough for a row.
fn last_result(delivery: &Value) -> String {
    result(&delivery["lastStatus"], &delivery["lastError"])
}

/// A status, or why there was no complete answer, short enough for a row.
pub(super) fn result(status: &Value, error: &Value) -> String {
    let error = match (status.as_u64(), error.as_str()) {
        (Some(status), None) => return status.to_string(),
        // The answer broke off behind its head.
        (Some(status), Some(error)) => format!("{status}, but {error}"),
        (None, Some(error)) => error.to_owned(),
        (None, None) => return "-".to_owned(),
    };
    if error.chars().count() <= RESULT_WIDTH {
        return error;
    }
    let kept: String = error.chars().take(RESULT_WIDTH - 3).collect();
    format!("{kept}...")
}

async fn show(operator: &Operator, id: DeliveryId, json: bool) -> anyhow::Result<()> {
    let call = operator.call(Method::GET, &format!("/deliveries/{}", id.0))?;
    let delivery: Box<RawValue> = operator.send(call).await?;
    if json {
        return print(&lines(&[delivery]));
    }
    let delivery: Value = serde_json::from_str(delivery.get())?;
    print(&timeline(&delivery, Paint::for_stdout()))
}

/// A delivery and its attempts, the first one first.
fn timeline(delivery: &Value, paint: Paint) -> String {
    let text = |name: &str| printable(delivery[name].as_str().unwrap_or("-")).replace('\n', "\\n");
    let state = text("state");
    let attempts = delivery["attempts"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let count = match attempts.len() {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let mut out = format!(
        "{}  {}  {}, {count}\n",
        paint.paint(Style::new().bold(), text("id")),
        text("type"),
        paint.paint(state_style(&state), &state),
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(
            out,
            "  {} {value}",
            paint.paint(Style::new().dimmed(), format!("{name:<13}"))
        );
    };
    line("event", &text("eventId"));
    line(
        "webhook",
        &format!("{} at {}", text("webhookId"), text("url")),
    );
    line("created", &text("createdAt"));
    if !delivery["completedAt"].is_null() {
        line("completed", &text("completedAt"));
    }
    if !delivery["nextAttemptAt"].is_null() {
        line("next attempt", &text("nextAttemptAt"));
    }
    let mut bodies: Vec<&str> = Vec::new();
    for attempt in attempts {
        out.push('\n');
        out += &one_attempt(attempt, &mut bodies, paint);
    }
    if let Some(body) = delivery["requestBody"].as_str() {
        let _ = writeln!(
            out,
            "\n{}",
            paint.paint(Style::new().bold(), "every attempt sends")
        );
        out += &shown_body(body);
    }
    out
}

/// A body, JSON indented with its numbers and strings as they are.
fn shown_body(body: &str) -> String {
    let shown = printable(body);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
    if is_json {
        format!("  {}\n", indented(&shown, 2, |_, token| token.to_owned()))
    } else {
        format!("  {}\n", shown.trim_end_matches('\n').replace('\n', "\n  "))
    }
}

/// An attempt: when, how long, the status or the error, and the response. A body that an earlier attempt got too is not repeated.
fn one_attempt<'a>(attempt: &'a Value, bodies: &mut Vec<&'a str>, paint: Paint) -> String {
    let number = attempt["number"].as_u64().unwrap_or_default();
    let body = attempt["responseBody"].as_str().unwrap_or_default();
    bodies.push(body);
    let title = paint.paint(Style::new().bold(), format!("attempt {number}"));
    if attempt["recorded"] != true {
        return format!(
            "{title}  no result: it is under way, or its process ended before it was recorded\n"
        );
    }
    let started = printable(attempt["startedAt"].as_str().unwrap_or("-")).into_owned();
    let took = attempt["durationMs"]["total"].as_f64().unwrap_or_default();
    let result = match (attempt["status"].as_u64(), attempt["error"].as_str()) {
        (Some(status), None) if (200..300).contains(&status) => {
            paint.paint(state_style("delivered"), status)
        }
        (Some(status), None) => paint.paint(state_style("exhausted"), status),
        (Some(status), Some(error)) => paint.paint(
            state_style("exhausted"),
            format!("{status}, but {}", printable(error)),
        ),
        (None, error) => paint.paint(
            state_style("exhausted"),
            printable(error.unwrap_or("no answer")),
        ),
    };
    let mut out = format!("{title}  {started}  {took:.1} ms  {result}\n");
    for header in attempt["responseHeaders"].as_array().into_iter().flatten() {
        let text = |name: &str| header[name].as_str().unwrap_or_default();
        let header = format!("  {}: {}", text("name"), text("value"));
        let header = printable(&header).replace('\n', "\\n");
        let _ = writeln!(out, "{}", paint.paint(Style::new().dimmed(), header));
    }
    // Bytes that are not UTF-8 have grown: a text that is shorter was kept whole.
    let headers_cut = attempt["responseTruncated"] == true && body.len() < KEPT_BODY;
    let body_cut = attempt["responseTruncated"] == true && !headers_cut;
    let note = |out: &mut String, cut: &str| {
        let _ = writeln!(out, "  {}", paint.paint(Style::new().dimmed(), cut));
    };
    if headers_cut {
        note(&mut out, "(further headers were not kept)");
    }
    if body.is_empty() {
        return out;
    }
    let before = bodies[..bodies.len() - 1]
        .iter()
        .position(|earlier| *earlier == body);
    if let Some(index) = before {
        let _ = writeln!(out, "  the same body as attempt {}", index + 1);
        return out;
    }
    out += &shown_body(body);
    if body_cut {
        note(&mut out, "(the rest of the body was not kept)");
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempt(number: u64, status: Option<u64>, error: Option<&str>, body: Option<&str>) -> Value {
        json!({ "number": number, "recorded": true, "startedAt": format!("2026-11-28T10:0{number}:00.000Z"),
            "durationMs": { "queue": 1.0, "connect": null, "firstByte": 2.0, "total": 12.345 }, "requestHeaders": [],
            "status": status, "responseHeaders": [{ "name": "server", "value": "a\nb" }], "responseBody": body,
            "responseTruncated": false, "error": error })
    }

    #[test]
    fn a_delivery_reads_as_a_timeline_and_repeated_bodies_are_folded() {
        let delivery = json!({ "id": "d1", "eventId": "evt_1", "webhookId": "whk_1", "url": "http://127.0.0.1:1/", "type": "a.b",
            "state": "pending", "createdAt": "t0", "nextAttemptAt": "t9", "completedAt": null,
            "requestBody": "{\"n\":9007199254740993}", "attempts": [
                attempt(1, Some(503), None, Some("{\"a\":1.10}")),
                attempt(2, None, Some("connection refused"), None),
                attempt(3, Some(503), None, Some("{\"a\":1.10}")),
                { "number": 4, "recorded": false },
            ] });
        let text = timeline(&delivery, Paint::new(false));
        assert_eq!(
            text,
            "d1  a.b  pending, 4 attempts
  event         evt_1
  webhook       whk_1 at http://127.0.0.1:1/
  created       t0
  next attempt  t9

attempt 1  2026-11-28T10:01:00.000Z  12.3 ms  503
  server: a\\nb
  {
    \"a\": 1.10
  }

attempt 2  2026-11-28T10:02:00.000Z  12.3 ms  connection refused
  server: a\\nb

attempt 3  2026-11-28T10:03:00.000Z  12.3 ms  503
  server: a\\nb
  the same body as attempt 1

attempt 4  no result: it is under way, or its process ended before it was recorded

every attempt sends
  {
    \"n\": 9007199254740993
  }
"
        );
    }

    #[test]
    fn an_attempt_says_what_is_left_out_of_its_answer() {
        let shown = |body: &str| {
            let mut attempt = attempt(1, Some(500), None, Some(body));
            attempt["responseTruncated"] = json!(true);
            one_attempt(&attempt, &mut Vec::new(), Paint::new(false))
        };
        let (headers, rest) = ("further headers were not kept", "the rest of the body");
        for body in ["", "short"] {
            let text = shown(body);
            assert!(text.contains(headers) && !text.contains(rest), "{text}");
        }
        let text = shown(&"x".repeat(KEPT_BODY));
        assert!(text.contains(rest) && !text.contains(headers), "{text}");
    }

    #[test]
    fn a_time_has_an_offset_or_is_a_day_in_utc() {
        let at = |text: &str| time(text).map(|at| at.to_string());
        assert_eq!(at("2026-11-28T09:00:00Z").unwrap(), "2026-11-28T09:00:00Z");
        assert_eq!(
            at("2026-11-28T10:00+01:00").unwrap(),
            "2026-11-28T09:00:00Z"
        );
        assert_eq!(at("2026-11-28").unwrap(), "2026-11-28T00:00:00Z");
        for text in [
            "yesterday",
            "2026-11-28T09:00:00",
            "2026-13-01",
            "",
            "1795315375",
        ] {
            let problem = at(text).unwrap_err();
            assert!(
                problem.contains("such as 2026-11-28T09:00:00Z"),
                "{text}: {problem}"
            );
        }
    }

    #[test]
    fn nothing_of_a_delivery_steers_the_terminal() {
        let hostile = "\u{1b}[2J\u{202e}";
        let delivery = json!({ "id": hostile, "eventId": hostile, "webhookId": hostile, "url": hostile, "type": hostile,
            "state": hostile, "createdAt": hostile, "nextAttemptAt": hostile, "completedAt": hostile, "requestBody": hostile, "lastError": hostile,
            "attempts": [attempt(1, Some(500), Some(hostile), Some(hostile))] });
        let raw = |value: &Value| RawValue::from_string(value.to_string()).unwrap();
        let row = rows(&[raw(&delivery)], true, Paint::new(false)).unwrap();
        for text in [timeline(&delivery, Paint::new(false)), row] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        }
    }

    #[test]
    fn a_row_says_what_the_last_attempt_came_to() {
        let long = json!({ "lastStatus": null, "lastError": "x".repeat(100) });
        assert_eq!(last_result(&long).len(), RESULT_WIDTH);
        assert_eq!(
            last_result(&json!({ "lastStatus": 503, "lastError": null })),
            "503"
        );
        assert_eq!(last_result(&json!({})), "-");
        let broken = json!({ "lastStatus": 200, "lastError": "the connection broke: reset" });
        assert_eq!(last_result(&broken), "200, but the connection broke: reset");
    }
}

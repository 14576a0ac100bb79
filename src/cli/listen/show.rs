//! Shows a delivery: readable for a person, or as one line of JSON for a program. Returns text; it writes nothing.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::forward::Forwarded;
use super::receiver::Delivery;
use super::registration::Webhook;
use super::signature::{Scheme, Verdict};
use crate::cli::layout::{Token, compact, indented};
use crate::cli::terminal::{Paint, printable};
use crate::domain::ProviderName;
use crate::provider::Provider;

/// Headers of the connection, which say nothing of the delivery.
const NOISE: [&str; 6] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
];

/// How many identities are remembered: a run may last for days.
const REMEMBERED: usize = 10_000;

/// Shows the deliveries of one run.
pub(super) struct Show {
    provider: &'static dyn Provider,
    scheme: Scheme,
    form: Form,
    seen: Seen,
}

/// The bodies of the latest deliveries that were shown, by their identity.
#[derive(Default)]
struct Seen {
    known: HashMap<String, Shown>,
    /// The identities, the oldest first.
    order: VecDeque<String>,
}

/// How often a delivery was shown, and the hash of the body that it had.
struct Shown {
    times: u64,
    body: [u8; 32],
}

impl Seen {
    /// Remembers a delivery; returns how often it was shown before, and whether its body was the same the last time.
    fn add(&mut self, id: &str, body: &[u8]) -> (u64, bool) {
        let body: [u8; 32] = Sha256::digest(body).into();
        if let Some(shown) = self.known.get_mut(id) {
            shown.times += 1;
            let same = std::mem::replace(&mut shown.body, body) == body;
            return (shown.times - 1, same);
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id.to_owned());
        self.known.insert(id.to_owned(), Shown { times: 1, body });
        (0, false)
    }
}

/// How deliveries are shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// For a person.
    Text(Paint),
    /// For a program; `safe` where a terminal shows it all the same.
    Json { safe: bool },
}

/// The details of a delivery.
struct Known<'a> {
    delivery: &'a Delivery,
    webhook: &'a Webhook,
    event_type: String,
    id: Option<String>,
    /// How many times it came before.
    repeat: u64,
    /// Whether it had the same body then.
    same_body: bool,
    verdict: Verdict,
    /// The body, where it is JSON.
    json: Option<&'a str>,
}

impl Show {
    pub(super) fn new(provider: &'static dyn Provider, scheme: Scheme, form: Form) -> Self {
        Self {
            provider,
            scheme,
            form,
            seen: Seen::default(),
        }
    }

    /// The text that shows a delivery for a webhook, with the line break at its end.
    pub(super) fn delivery(&mut self, delivery: &Delivery, webhook: &Webhook) -> String {
        let text = std::str::from_utf8(&delivery.body).ok();
        let json = text.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        let body = json.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let named = body
            .as_ref()
            .and_then(|body| body.pointer(self.provider.event_type_pointer())?.as_str());
        let id = self.scheme.identity(delivery, body.as_ref());
        let before = id.as_deref().map(|id| self.seen.add(id, &delivery.body));
        let (repeat, same_body) = before.unwrap_or_default();
        let known = Known {
            delivery,
            webhook,
            event_type: named.unwrap_or("(no event type)").to_owned(),
            id,
            repeat,
            same_body,
            verdict: self.scheme.judge(delivery, webhook.key.as_ref()),
            json,
        };
        match self.form {
            Form::Text(paint) => text_of(&known, paint),
            Form::Json { safe: false } => json_of(&known, self.provider.name()),
            Form::Json { safe: true } => {
                printable(&json_of(&known, self.provider.name())).into_owned()
            }
        }
    }
}

fn text_of(known: &Known<'_>, paint: Paint) -> String {
    let green = AnsiColor::Green.on_default();
    let yellow = AnsiColor::Yellow.on_default();
    let red = AnsiColor::Red.on_default().bold();
    let dim = Style::new().dimmed();
    let delivery = known.delivery;
    let (verdict, warning) = match &known.verdict {
        Verdict::Verified { warning } => {
            (paint.paint(green, "signature verified"), warning.as_deref())
        }
        Verdict::Unsigned => (
            paint.paint(yellow, "not signed: the webhook has no secret"),
            None,
        ),
        Verdict::Wrong(fault) => {
            let fault = format!("SIGNATURE WRONG: {fault}");
            (paint.paint(red, printable(&fault)), None)
        }
    };
    let mut out = format!(
        "{}  {}  {}  {verdict}",
        paint.paint(dim, format!("{:.3}", delivery.received_at)),
        paint.paint(
            AnsiColor::Cyan.on_default().bold(),
            printable(&known.event_type)
        ),
        printable(known.id.as_deref().unwrap_or("(no id)")),
    );
    if known.repeat > 0 {
        out += "  ";
        out += &paint.paint(yellow, format!("again ({})", known.repeat + 1));
    }
    let answered = delivery.answered;
    match &delivery.forwarded {
        None if answered == 200 => {}
        None => {
            out += "  ";
            out += &paint.paint(yellow, format!("answered {answered}"));
        }
        Some(Forwarded {
            error: Some(error), ..
        }) => {
            let error = format!("not forwarded: {error}; answered {answered}");
            out += "  ";
            out += &paint.paint(red, printable(&error).replace('\n', "\\n"));
        }
        Some(Forwarded { took, error: None }) => {
            let style = if (200..300).contains(&answered) {
                green
            } else {
                yellow
            };
            let took = took.as_secs_f64() * 1e3;
            out += "  ";
            out += &paint.paint(
                style,
                format!("forwarded, answered {answered} in {took:.1} ms"),
            );
        }
    }
    out.push('\n');
    if let Some(warning) = warning {
        let warning = format!("  warning: {warning}");
        out += &paint.paint(yellow, printable(&warning));
        out.push('\n');
    }
    for (name, value) in &delivery.headers {
        if !NOISE.contains(&&**name) {
            let header = format!("  {name}: {}", String::from_utf8_lossy(value));
            let _ = writeln!(
                out,
                "{}",
                paint.paint(dim, printable(&header).replace('\n', "\\n"))
            );
        }
    }
    match known.json {
        _ if known.same_body => {
            let length = delivery.body.len();
            let same = format!("  the same body as before ({length} bytes)");
            let _ = writeln!(out, "{}", paint.paint(dim, same));
        }
        Some(json) => {
            let shown = printable(json);
            let name = AnsiColor::Blue.on_default();
            let body = indented(&shown, 2, |token, text| match token {
                Token::Name => paint.paint(name, text),
                Token::String => paint.paint(green, text),
                Token::Other => text.to_owned(),
            });
            let _ = writeln!(out, "  {body}");
        }
        None => {
            let text = String::from_utf8_lossy(&delivery.body);
            let length = delivery.body.len();
            let _ = writeln!(
                out,
                "  {}",
                paint.paint(red, format!("the body is not JSON ({length} bytes):"))
            );
            let _ = writeln!(out, "  {}", printable(&text));
        }
    }
    out.push('\n');
    out
}

fn json_of(known: &Known<'_>, provider: ProviderName) -> String {
    let delivery = known.delivery;
    let (verified, reason, warning) = match &known.verdict {
        Verdict::Verified { warning } => (json!(true), None, warning.clone()),
        Verdict::Unsigned => (
            Value::Null,
            Some("the webhook has no secret".to_owned()),
            None,
        ),
        Verdict::Wrong(fault) => (json!(false), Some(fault.to_string()), None),
    };
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in &delivery.headers {
        let value = String::from_utf8_lossy(value);
        match headers.get_mut(name) {
            // As HTTP joins the values of a repeated header (RFC 9110, 5.3).
            Some(Value::String(joined)) => {
                joined.push_str(", ");
                joined.push_str(&value);
            }
            _ => {
                headers.insert(name.clone(), json!(value));
            }
        }
    }
    let line = json!({
        "receivedAt": format!("{:.3}", delivery.received_at),
        "provider": provider,
        "type": known.event_type,
        "id": known.id,
        "repeat": known.repeat,
        "webhookId": known.webhook.id,
        "answered": delivery.answered,
        "forwarded": delivery.forwarded.as_ref().map(|forwarded| {
            json!({ "durationMs": forwarded.took.as_secs_f64() * 1e3, "error": forwarded.error })
        }),
        "signature": { "verified": verified, "reason": reason, "warning": warning },
        "headers": headers,
    });
    let mut text = line.to_string();
    text.pop();
    match known.json {
        // Token by token as it came: reading and writing it again would change numbers.
        Some(json) => {
            text += ",\"body\":";
            text += &compact(json);
        }
        None => {
            let body = String::from_utf8_lossy(&delivery.body);
            text += ",\"body\":null,\"text\":";
            text += &Value::from(body).to_string();
        }
    }
    text + "}\n"
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::Secret;
    use crate::provider::equals_money;
    use crate::provider::fixtures::api;

    const BODY: &str = r#"{"body":{"amount":1.10,"id":9007199254740993,"name":"é","messageId":"m1","webhookEventTypeName":"BoxCredited"}}"#;

    fn show(form: Form) -> Show {
        let scheme = Scheme::read(&api(equals_money::NAME).document).unwrap();
        Show::new(&equals_money::EqualsMoney, scheme, form)
    }

    fn webhook(key: Option<&str>) -> Webhook {
        Webhook {
            id: "w1".to_owned(),
            name: "webhook".to_owned(),
            event_types: vec!["BoxCredited".to_owned()],
            key: key.map(Secret::new),
        }
    }

    fn delivery(headers: &[(&str, &str)], body: &str) -> Delivery {
        let received_at: Timestamp = "2025-11-04T15:00:00.1234Z".parse().unwrap();
        Delivery::example(headers, body, received_at)
    }

    #[test]
    fn a_person_sees_what_it_is_and_every_token_of_the_body() {
        let headers = [("host", "x"), ("user-agent", "truehook/0.1.0")];
        let delivery = delivery(&headers, BODY);
        let mut show = show(Form::Text(Paint::new(false)));
        let text = show.delivery(&delivery, &webhook(None));
        assert_eq!(
            text,
            "2025-11-04T15:00:00.123Z  BoxCredited  m1  not signed: the webhook has no secret
  user-agent: truehook/0.1.0
  {
    \"body\": {
      \"amount\": 1.10,
      \"id\": 9007199254740993,
      \"name\": \"é\",
      \"messageId\": \"m1\",
      \"webhookEventTypeName\": \"BoxCredited\"
    }
  }

"
        );
        let again = show.delivery(&delivery, &webhook(Some("k")));
        let first = again.lines().next().unwrap();
        assert!(
            first.ends_with("SIGNATURE WRONG: the header x-em-signature is missing  again (2)"),
            "{first}"
        );
        let length = BODY.len();
        let folded = format!("\n  the same body as before ({length} bytes)\n\n");
        assert!(again.ends_with(&folded) && !again.contains('{'), "{again}");
        let mut other = delivery.clone();
        other.body = BODY.replace("1.10", "1.20").into_bytes();
        let changed = show.delivery(&other, &webhook(None));
        assert!(
            changed.contains("again (3)") && changed.contains("1.20"),
            "{changed}"
        );
    }

    #[test]
    fn a_program_gets_one_line_with_the_body_as_it_came() {
        let headers = [("x-a", "1"), ("x-a", "2")];
        let delivery = delivery(&headers, &BODY.replace(',', ",\n"));
        let line = show(Form::Json { safe: false }).delivery(&delivery, &webhook(None));
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.ends_with(&format!(",\"body\":{BODY}}}\n")), "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["receivedAt"], "2025-11-04T15:00:00.123Z");
        assert_eq!(line["type"], "BoxCredited");
        assert_eq!(line["headers"]["x-a"], "1, 2");
        assert_eq!(line["signature"]["verified"], Value::Null);
    }

    #[test]
    fn a_body_that_is_no_json_is_shown_as_text() {
        let delivery = delivery(&[], "{\u{1b}[2J");
        let line = show(Form::Json { safe: false }).delivery(&delivery, &webhook(None));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["body"], &line["text"]),
            (&Value::Null, &json!("{\u{1b}[2J"))
        );
        let text = show(Form::Text(Paint::new(false))).delivery(&delivery, &webhook(None));
        assert!(
            text.contains("the body is not JSON (5 bytes):\n  {\\u001b[2J\n"),
            "{text}"
        );
    }

    #[test]
    fn nothing_of_a_delivery_steers_the_terminal() {
        let hostile = "\u{9b}2J\u{202e}";
        let body = format!(
            r#"{{"body":{{"{hostile}":"{hostile}","messageId":"{hostile}","webhookEventTypeName":"{hostile}"}}}}"#
        );
        let delivery = delivery(&[("x-a", hostile)], &body);
        let forms = [Form::Text(Paint::new(false)), Form::Json { safe: true }];
        for text in forms.map(|form| show(form).delivery(&delivery, &webhook(Some("k")))) {
            let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!text.contains(steers), "{text:?}");
        }
    }

    #[test]
    fn the_answer_of_a_target_is_told_with_its_time() {
        let mut delivery = delivery(&[], BODY);
        let mut first_line = |answered: u16, error: Option<&str>| {
            delivery.answered = answered;
            delivery.forwarded = Some(Forwarded {
                took: std::time::Duration::from_micros(12_345),
                error: error.map(str::to_owned),
            });
            let text = show(Form::Text(Paint::new(false))).delivery(&delivery, &webhook(None));
            let line = show(Form::Json { safe: false }).delivery(&delivery, &webhook(None));
            let line: Value = serde_json::from_str(&line).unwrap();
            (
                text.lines().next().unwrap().to_owned(),
                line["forwarded"].clone(),
            )
        };
        let (text, json) = first_line(500, None);
        assert!(
            text.ends_with("  forwarded, answered 500 in 12.3 ms"),
            "{text}"
        );
        assert_eq!(json, json!({ "durationMs": 12.345, "error": null }));
        let (text, json) = first_line(502, Some("a\nb"));
        assert!(
            text.ends_with("  not forwarded: a\\nb; answered 502"),
            "{text}"
        );
        assert_eq!(json["error"], "a\nb");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen::default();
        for number in 0..REMEMBERED + 5 {
            assert_eq!(seen.add(&number.to_string(), b"a"), (0, false));
        }
        assert_eq!(
            (seen.known.len(), seen.order.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert_eq!(seen.add("10", b"a"), (1, true));
        assert_eq!(seen.add("0", b"a"), (0, false));
    }

    #[test]
    fn colours_are_there_only_where_they_are_wanted() {
        let delivery = delivery(&[("x-a", "1")], BODY);
        let colored = show(Form::Text(Paint::new(true))).delivery(&delivery, &webhook(None));
        assert!(colored.contains("\u{1b}["));
        let plain = show(Form::Text(Paint::new(false))).delivery(&delivery, &webhook(None));
        assert!(!plain.contains('\u{1b}'));
    }
}

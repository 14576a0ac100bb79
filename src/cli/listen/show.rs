//! Shows a delivery: readable for a person, or as one line of JSON for a program. Returns text; it writes nothing.

use std::collections::HashMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::layout::{Token, compact, indented};
use super::receiver::Delivery;
use super::registration::Webhook;
use super::signature::{Scheme, Verdict};
use crate::cli::client::Api;
use crate::cli::terminal::{Paint, printable};

/// Headers of the connection, which say nothing of the delivery.
const NOISE: [&str; 6] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
];

/// Shows the deliveries of one run.
pub(super) struct Show {
    api: Api,
    scheme: Scheme,
    form: Form,
    /// How often each identity has been seen.
    seen: HashMap<String, u64>,
}

/// How deliveries are shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// For a person.
    Text(Paint),
    /// For a program; `safe` where a terminal shows it all the same.
    Json { safe: bool },
}

/// What is known of a delivery.
struct Known<'a> {
    delivery: &'a Delivery,
    webhook: &'a Webhook,
    event_type: String,
    id: Option<String>,
    /// How many times it came before.
    repeat: u64,
    verdict: Verdict,
    /// The body, where it is JSON.
    json: Option<&'a str>,
}

impl Show {
    pub(super) fn new(api: Api, scheme: Scheme, form: Form) -> Self {
        Self {
            api,
            scheme,
            form,
            seen: HashMap::new(),
        }
    }

    /// The text that shows a delivery for a webhook, with the line break at its end.
    pub(super) fn delivery(&mut self, delivery: &Delivery, webhook: &Webhook) -> String {
        let text = std::str::from_utf8(&delivery.body).ok();
        let json = text.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        let body = json.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let member = match self.api {
            Api::Conduit => "/event",
            Api::EqualsMoney => "/body/webhookEventTypeName",
        };
        let named = body
            .as_ref()
            .and_then(|body| body.pointer(member)?.as_str());
        let id = self.scheme.identity(delivery, body.as_ref());
        let repeat = id.as_ref().map_or(0, |id| {
            let seen = self.seen.entry(id.clone()).or_default();
            *seen += 1;
            *seen - 1
        });
        let known = Known {
            delivery,
            webhook,
            event_type: named.unwrap_or("(no event type)").to_owned(),
            id,
            repeat,
            verdict: self.scheme.judge(delivery, webhook.key.as_ref()),
            json,
        };
        match self.form {
            Form::Text(paint) => text_of(&known, paint),
            Form::Json { safe: false } => json_of(&known, self.api),
            Form::Json { safe: true } => printable(&json_of(&known, self.api)).into_owned(),
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
    if delivery.answered != 200 {
        out += "  ";
        out += &paint.paint(yellow, format!("answered {}", delivery.answered));
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
                paint.paint(red, format!("the body is no JSON ({length} bytes):"))
            );
            let _ = writeln!(out, "  {}", printable(&text));
        }
    }
    out.push('\n');
    out
}

fn json_of(known: &Known<'_>, api: Api) -> String {
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
        "provider": api.as_str(),
        "type": known.event_type,
        "id": known.id,
        "repeat": known.repeat,
        "webhookId": known.webhook.id,
        "answered": delivery.answered,
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

    const BODY: &str = r#"{"body":{"amount":1.10,"id":9007199254740993,"name":"é","messageId":"m1","webhookEventTypeName":"BoxCredited"}}"#;

    fn show(form: Form) -> Show {
        let scheme = Scheme::read(&equals_money::DOCUMENT).unwrap();
        Show::new(Api::EqualsMoney, scheme, form)
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
            text.contains("the body is no JSON (5 bytes):\n  {\\u001b[2J\n"),
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
    fn colours_are_there_only_where_they_are_wanted() {
        let delivery = delivery(&[("x-a", "1")], BODY);
        let colored = show(Form::Text(Paint::new(true))).delivery(&delivery, &webhook(None));
        assert!(colored.contains("\u{1b}["));
        let plain = show(Form::Text(Paint::new(false))).delivery(&delivery, &webhook(None));
        assert!(!plain.contains('\u{1b}'));
    }
}

//! `truehook retry`: has deliveries attempted again now.

use anstyle::Style;
use anyhow::bail;
use clap::Args;
use clap::builder::BoolishValueParser;
use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::list::lines;
use super::operator::{Access, DeliveryId, Operator, with_operator};
use super::terminal::{Paint, note, print, printable};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook retry 8b53639f-152c-4fc6-af30-802fde462ba0
  truehook deliveries --state exhausted --json | jq -r .id | xargs truehook retry

The receiver gets the same body with the same id as before, whatever the state of the delivery. While an attempt is under way, a retry is
refused: ask again when it has a result. `truehook deliveries ID` shows what became of it. For many deliveries at once, by time or webhook, use a replay: POST /operator/v1/replays.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The deliveries, as `truehook deliveries` lists them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<DeliveryId>,

    #[command(flatten)]
    access: Access,

    /// Print JSON: each delivery as the operator API gives it, on a line of its own
    #[arg(long, env = "TRUEHOOK_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    with_operator(&arguments.access, async |operator| {
        retry(operator, arguments).await
    })
}

/// Goes on after a delivery that cannot be retried, and fails in the end.
async fn retry(operator: &Operator, arguments: &Arguments) -> anyhow::Result<()> {
    let mut failed = 0;
    for id in &arguments.ids {
        let call = operator.call(Method::POST, &format!("/deliveries/{}/retry", id.0))?;
        match operator.send::<Box<RawValue>>(call).await {
            Ok(delivery) if arguments.json => print(&lines(&[delivery]))?,
            Ok(delivery) => print(&sentence(&serde_json::from_str(delivery.get())?))?,
            // One failure is the failure of the command.
            Err(error) if arguments.ids.len() == 1 => return Err(error),
            Err(error) => {
                failed += 1;
                note(format_args!("cannot retry {}: {error:#}", id.0));
            }
        }
    }
    match failed {
        0 => Ok(()),
        failed => bail!(
            "{failed} of {} deliveries were not retried",
            arguments.ids.len()
        ),
    }
}

fn sentence(delivery: &Value) -> String {
    let text = |name: &str| printable(delivery[name].as_str().unwrap_or("?")).replace('\n', "\\n");
    // Those that were begun; the one that was asked for comes after them.
    let next = delivery["attemptCount"].as_u64().unwrap_or_default() + 1;
    let id = Paint::for_stdout().paint(Style::new().bold(), text("id"));
    format!(
        "retrying {id} ({}): attempt {next} is due now\n",
        text("type")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_attempt_that_is_due_is_numbered() {
        let delivery = json!({ "id": "d1", "type": "a.b", "attemptCount": 2 });
        assert_eq!(
            sentence(&delivery),
            "retrying d1 (a.b): attempt 3 is due now\n"
        );
    }
}

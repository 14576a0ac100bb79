//! A line for each step of a run against a server.

use super::replay::{samples_of, step_failure};
use crate::finding::ReplayStep;

/// One line for what a replay has come to.
pub fn progress(step: &ReplayStep) -> String {
    match step {
        ReplayStep::Started { url } => format!("base URL: {url}"),
        ReplayStep::Waiting { url, seconds } => {
            format!("waiting {seconds} s for deliveries at {url}")
        }
        ReplayStep::Changes { operations: 0, .. } => {
            "sends no request that may change data but those with methods that the document does not have (--safe sends none)".to_owned()
        }
        ReplayStep::Changes {
            operations,
            lasting,
        } => {
            let operations = match operations {
                1 => "1 operation".to_owned(),
                operations => format!("{operations} operations"),
            };
            let lasting = match lasting.is_empty() {
                true => String::new(),
                false => format!(
                    "; no operation deletes what these create: {}",
                    lasting.join(", ")
                ),
            };
            format!(
                "sends requests that change data to {operations}, and deletes what it creates{lasting} (--safe sends none)"
            )
        }
        ReplayStep::Operation {
            operation, bare, ..
        } if *bare => format!("{operation}: no sample"),
        ReplayStep::Operation {
            operation,
            replayed,
            passed,
            ..
        } => format!("{operation}: {}, {passed} passed", samples_of(*replayed)),
        ReplayStep::Generated {
            operation,
            sent,
            passed,
        } => format!("{operation}: {sent} generated requests, {passed} passed"),
        ReplayStep::NotCreated {
            operation,
            reason,
            samples,
        } => format!(
            "{operation}: {}; not checked: {}",
            step_failure(reason),
            samples_of(*samples)
        ),
        ReplayStep::Announced { deleted, kept } => {
            let list = |names: &[String], none: &str| match names {
                [] => none.to_owned(),
                names => names.join(", "),
            };
            let kept = match kept.as_slice() {
                [] => String::new(),
                names => format!("; creates, and cannot delete: {}", names.join(", ")),
            };
            format!(
                "creates, and deletes at the end: {}{kept}",
                list(deleted, "nothing")
            )
        }
        ReplayStep::Flow {
            resource,
            requests,
            findings,
        } => format!("{resource}: {requests} requests, {findings} findings"),
        ReplayStep::Left { path, reason } => {
            format!("left on the server: {path} ({})", step_failure(reason))
        }
        ReplayStep::Exchange(exchange) => {
            let status = exchange.status.map(|status| status.to_string());
            let status = status.unwrap_or_else(|| "no response".to_owned());
            format!("{} {}: {status}", exchange.method, exchange.url)
        }
        ReplayStep::Finished(tally) => {
            let mut line = format!(
                "{} operations: {} samples replayed, {} passed, {} failed, {} not replayable, {} not checked",
                tally.operations,
                tally.replayed,
                tally.passed,
                tally.failed(),
                tally.not_replayable,
                tally.unchecked
            );
            if tally.generated > 0 {
                line += &format!(
                    "; {} generated requests, {} passed",
                    tally.generated, tally.generated_passed
                );
            }
            if !tally.bare.is_empty() {
                line += &format!("; without any sample: {}", tally.bare.join(", "));
            }
            line
        }
    }
}

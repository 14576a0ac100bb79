//! Follows the events of a server: those that were published last, then each as it is published, until a signal or until nobody reads.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Interval, MissedTickBehavior, interval};
use url::form_urlencoded;

use super::client::CallError;
use super::operator::Operator;
use super::terminal::{note, print_to_reader};
use crate::signals::Signals;

/// How often the server is asked for new events.
const PERIOD: Duration = Duration::from_secs(1);

/// The most events that the API gives at once.
const LARGEST_PAGE: u64 = 1000;

/// A page of events with the place behind it.
#[derive(Debug, Deserialize)]
struct EventPage {
    data: Vec<Box<RawValue>>,
    since: String,
}

/// Follows the events that the filters let through, and begins with the newest `limit`. `show` makes text of events, the oldest first,
/// and is told whether they are the first ones.
///
/// While the server cannot answer, it is asked again: no event is missed, because the place of the last one is kept.
///
/// # Errors
/// When the server refuses the request, and those of `show`.
pub(super) async fn follow(
    operator: &Operator,
    filters: &[(&str, Option<&str>)],
    limit: u64,
    show: impl Fn(&[Box<RawValue>], bool) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let mut signals = Signals::with_terminal()?;
    tokio::select! {
        () = signals.next() => Ok(()),
        ended = ask(operator, filters, limit, show) => ended,
    }
}

async fn ask(
    operator: &Operator,
    filters: &[(&str, Option<&str>)],
    limit: u64,
    show: impl Fn(&[Box<RawValue>], bool) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut since, mut is_first) = (None, true);
    loop {
        let page = next_page(operator, filters, limit, since.as_deref(), &mut ticks).await?;
        let mut events = page.data;
        if since.is_none() {
            // A list without a place has the newest first.
            events.reverse();
        }
        since = Some(page.since);
        if !events.is_empty() {
            if !print_to_reader(&show(&events, is_first)?)? {
                return Ok(());
            }
            is_first = false;
        }
    }
}

/// Waits for the next tick and reads a page; asks again as long as the server cannot answer.
async fn next_page(
    operator: &Operator,
    filters: &[(&str, Option<&str>)],
    limit: u64,
    since: Option<&str>,
    ticks: &mut Interval,
) -> anyhow::Result<EventPage> {
    let limit = match since {
        None => limit.min(LARGEST_PAGE),
        Some(_) => LARGEST_PAGE,
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    let given = filters
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)));
    query.extend_pairs(given.chain(since.map(|since| ("since", since))));
    let path = format!("/events?{}", query.finish());
    let mut is_noted = false;
    loop {
        ticks.tick().await;
        let call = operator.call(Method::GET, &path)?;
        match operator.client().send_for(call).await {
            Ok(page) => return Ok(page),
            // A server that never answered is not there: that is for the caller to know at once.
            Err(error) if since.is_some() && is_temporary(&error) => {
                if !is_noted {
                    note(format_args!("{error}; asking again until it answers"));
                    is_noted = true;
                }
            }
            Err(error) => return Err(operator.explain(error)),
        }
    }
}

/// Whether the same request may succeed in a while.
fn is_temporary(error: &CallError) -> bool {
    match error {
        CallError::NoServer(_) | CallError::Slow(_) | CallError::Broken { .. } => true,
        CallError::Refused(refusal) => refusal.status == StatusCode::SERVICE_UNAVAILABLE,
        CallError::Unwritable(_) | CallError::Strange { .. } => false,
    }
}

//! The first page: rates, success, what is overdue, which webhooks fail most, and the last failures.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::deliveries::{in_time, table};
use super::guard::{PageError, SignedIn};
use super::layout::{Page, Root, moment};
use super::words::{count, explain, span};
use crate::operator::State;
use crate::storage::{
    DeliveryFilter, FailingWebhook, NumberPage, OutcomeFilter, Overview, Window, WindowState,
};

/// How many minutes the chart has.
const MINUTES: usize = 60;

/// How many of the last failures are shown.
const FAILURES: u32 = 8;

pub(super) async fn overview(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let root = Root::of(&request);
    let context = &state.context;
    let now = context.clock.now();
    let Overview { window, failing } = context.store.overview().await?;
    let steady = context.clock.steady();
    let queue = context.store.queue_state(steady).await?;
    let late = queue
        .oldest_due_at
        .map(|due_at| steady.duration_since(due_at).as_secs().unsigned_abs());
    let failures = DeliveryFilter {
        outcome: Some(OutcomeFilter::Failure),
        ..DeliveryFilter::default()
    };
    let page = NumberPage {
        before: None,
        limit: FAILURES,
    };
    let failures = context.store.deliveries(failures, page).await?;
    let failures = in_time(failures.rows, &context.clock);
    let content = html! {
        h1 { "Overview" }
        (figures(&root, &Figures::of(&window, now), queue.pending, late))
        (chart(&window, now))
        section {
            h2 { "Webhooks with the most failures" }
            (failing_webhooks(&root, &failing, now))
        }
        section {
            h2 { "Recent failures" }
            @if failures.is_empty() {
                p.empty { "No recent failures." }
            } @else {
                (table(&root, &failures, now))
                p { a href=(root.to("deliveries?outcome=failure")) { "All failures" } }
            }
        }
    };
    let page = Page {
        root: &root,
        signed_in: &signed_in,
        section: "",
        title: "Overview",
        live: true,
    };
    Ok(page.answer(&content))
}

/// The section of the newest deliveries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    /// How many were made in the last minute, and in the last hour.
    last_minute: u64,
    last_hour: u64,
    /// How many of those of the last hour were accepted, were given up, and wait after a failure.
    delivered: u64,
    exhausted: u64,
    retrying: u64,
    /// Whether the last hour has more deliveries than are looked at.
    more: bool,
}

impl Figures {
    fn of(window: &Window, now: Timestamp) -> Self {
        let mut figures = Self::default();
        for (made_at, state) in &window.deliveries {
            let age = now.duration_since(*made_at);
            if age >= SignedDuration::from_hours(1) {
                return figures;
            }
            figures.last_hour += 1;
            figures.last_minute += u64::from(age < SignedDuration::from_mins(1));
            match state {
                WindowState::Delivered => figures.delivered += 1,
                WindowState::Exhausted => figures.exhausted += 1,
                WindowState::Retrying => figures.retrying += 1,
                WindowState::New | WindowState::Cancelled => {}
            }
        }
        figures.more = window.more;
        figures
    }

    /// The share of those with a result that was a success, cut to a tenth of a percent: only all are 100 %.
    fn success(&self) -> Option<String> {
        let all = self.delivered + self.exhausted + self.retrying;
        let tenths = (self.delivered * 1_000).checked_div(all)?;
        Some(format!("{}.{} %", tenths / 10, tenths % 10))
    }
}

fn figures(root: &Root, figures: &Figures, pending: u64, late: Option<u64>) -> Markup {
    let failed = figures.exhausted + figures.retrying;
    html! {
        dl.figures {
            div { dt { "Accepted, last hour" }
                dd.good[failed == 0].bad[failed > 0] { (figures.success().unwrap_or_else(|| "–".to_owned())) }
                dd.faint { (count(figures.delivered, "delivery", "deliveries")) @if figures.more { " of the newest 10,000" } }
            }
            div { dt { "Failing, last hour" }
                dd.bad[failed > 0] { (failed) }
                dd.faint { (figures.retrying) " to be retried, " (figures.exhausted) " exhausted" }
            }
            div { dt { "Created" }
                dd { (figures.last_minute) span.unit { " / min" } }
                dd.faint { @if figures.more { "over " } (figures.last_hour) " in the last hour" }
            }
            div { dt { "Pending" }
                dd { a href=(root.to("deliveries?state=pending")) { (pending) } }
                dd.faint { @match late {
                    Some(seconds) if seconds >= 1 => { "the oldest is " strong { (span(seconds)) " late" } },
                    _ => "none is late",
                } }
            }
        }
    }
}

/// How many deliveries were made in each minute of the last hour, the oldest first: all, and those that fail.
fn minutes(window: &Window, now: Timestamp) -> Vec<(u32, u32)> {
    let mut minutes = vec![(0, 0); MINUTES];
    for (made_at, state) in &window.deliveries {
        let age = now.duration_since(*made_at).as_secs().max(0) / 60;
        let Some(minute) = usize::try_from(age)
            .ok()
            .and_then(|age| (MINUTES - 1).checked_sub(age))
        else {
            continue;
        };
        let (all, failed) = &mut minutes[minute];
        *all += 1;
        *failed += u32::from(matches!(
            state,
            WindowState::Exhausted | WindowState::Retrying
        ));
    }
    minutes
}

fn chart(window: &Window, now: Timestamp) -> Markup {
    let minutes = minutes(window, now);
    let most = minutes
        .iter()
        .map(|(all, _)| *all)
        .max()
        .unwrap_or_default();
    let height = |count: u32| 60 * u64::from(count) / u64::from(most.max(1));
    html! {
        @if most > 0 {
            figure.chart {
                svg viewBox="0 0 600 62" preserveAspectRatio="none" role="img" aria-label="Deliveries created in each minute of the last hour" {
                    @for (index, (all, failed)) in minutes.iter().enumerate() {
                        @let (all_height, failed_height) = (height(*all).max(u64::from(*all > 0) * 2), height(*failed).max(u64::from(*failed > 0) * 2));
                        @if *all > 0 {
                            rect.all x=(index * 10) y=(62 - all_height) width="8" height=(all_height) {}
                        }
                        @if *failed > 0 {
                            rect.failed x=(index * 10) y=(62 - failed_height) width="8" height=(failed_height) {}
                        }
                    }
                }
                figcaption {
                    span { "an hour ago" } span { "deliveries created per minute, " (most) " at most; " span.bad { "failing" } } span { "now" }
                }
            }
        }
    }
}

fn failing_webhooks(root: &Root, failing: &[FailingWebhook], now: Timestamp) -> Markup {
    html! {
        @if failing.is_empty() {
            p.empty { "No webhook has failing deliveries." }
        } @else {
            table {
                thead { tr { th { "Webhook" } th { "Failing" } th { "Last failure" } } }
                tbody {
                    @for FailingWebhook { webhook, retrying, exhausted } in failing {
                        tr {
                            td data-label="Webhook" {
                                a href=(root.to(format_args!("deliveries?outcome=failure&webhook={}", webhook.id))) { (webhook.url) }
                                br; span.faint { (webhook.provider) @if !webhook.enabled { ", disabled" } }
                            }
                            td data-label="Failing" {
                                @if *retrying > 0 { (retrying) " to be retried" }
                                @if *retrying > 0 && *exhausted > 0 { ", " }
                                @if *exhausted > 0 { (exhausted) " exhausted" }
                            }
                            td data-label="Last failure" {
                                @if let Some(failure) = &webhook.recent.last_failure {
                                    (explain(&failure.outcome).short) br;
                                    span.faint { (moment(failure.started_at, now)) }
                                } @else { "–" }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(deliveries: &[(i64, WindowState)]) -> (Window, Timestamp) {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let deliveries = deliveries
            .iter()
            .map(|(age, state)| (now - SignedDuration::from_secs(*age), *state));
        let window = Window {
            deliveries: deliveries.collect(),
            more: true,
        };
        (window, now)
    }

    #[test]
    fn the_figures_are_of_the_last_hour() {
        let (window, now) = window(&[
            (1, WindowState::New),
            (59, WindowState::Delivered),
            (60, WindowState::Delivered),
            (3_000, WindowState::Retrying),
            (3_600, WindowState::Exhausted),
        ]);
        let figures = Figures::of(&window, now);
        let expected = Figures {
            last_minute: 2,
            last_hour: 4,
            delivered: 2,
            exhausted: 0,
            retrying: 1,
            more: false,
        };
        assert_eq!(figures, expected);
        assert_eq!(figures.success().as_deref(), Some("66.6 %"));
        assert_eq!(Figures::default().success(), None);
    }

    #[test]
    fn the_chart_has_the_minutes_of_the_last_hour() {
        let (window, now) = window(&[
            (0, WindowState::Delivered),
            (59, WindowState::Exhausted),
            (60, WindowState::Retrying),
            (3_599, WindowState::New),
            (3_600, WindowState::New),
        ]);
        let minutes = minutes(&window, now);
        assert_eq!(minutes.len(), 60);
        assert_eq!(
            (minutes[59], minutes[58], minutes[0]),
            ((2, 1), (1, 1), (1, 0))
        );
        assert_eq!(minutes.iter().map(|(all, _)| all).sum::<u32>(), 4);
    }
}

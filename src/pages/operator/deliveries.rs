//! The list of deliveries with its filters, and with the webhook or the event that it is limited to.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use maud::{Markup, html};

use super::events;
use super::form::Form;
use super::guard::{PageError, SignedIn};
use super::layout::{Root, choice, event_type_field, field, moment, provider_choice};
use super::list::{Kind, List};
use super::webhooks::facts;
use super::words::explain;
use crate::clock::Clock;
use crate::domain::{DeliveryState, Outcome};
use crate::operator::{State, in_time_of_day};
use crate::storage::{DeliveryFilter, DeliveryRecord, OutcomeFilter};

const KIND: Kind = Kind {
    path: "deliveries",
    title: "Deliveries",
    empty: "No deliveries match these filters.",
};

const STATES: [DeliveryState; 4] = [
    DeliveryState::Pending,
    DeliveryState::Delivered,
    DeliveryState::Exhausted,
    DeliveryState::Cancelled,
];

pub(super) async fn list(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let mut list = List::of(&KIND, &request, &signed_in);
    let query = &list.query;
    let filter = DeliveryFilter {
        provider: query.provider(&state, &mut list.faults),
        state: query.filter(
            "state",
            |text| text.parse().ok(),
            "pending, delivered, exhausted or cancelled",
            &mut list.faults,
        ),
        webhook_id: query.filled("webhook").map(str::to_owned),
        event_id: query.filled("event").map(str::to_owned),
        event_type: query.event_type(&state, &mut list.faults),
        outcome: query.filter(
            "outcome",
            OutcomeFilter::parse,
            "2xx, 3xx, 4xx, 5xx, other, timeout, refused, failed or failure",
            &mut list.faults,
        ),
        from: query.time("from", &mut list.faults),
        to: query.time("to", &mut list.faults),
    };
    let page = list.page();
    let filters = filters(&state, &list.query);
    if let Some(refusal) = list.refusal(&filters) {
        return Ok(refusal);
    }
    let context = &state.context;
    let webhook = match filter.webhook_id.clone() {
        Some(id) => context.store.any_webhook(id).await?,
        None => None,
    };
    let event = match filter.event_id.clone() {
        Some(id) => context.store.event(id).await?,
        None => None,
    };
    let mut found = context.store.deliveries(filter, page).await?;
    found.rows = in_time(found.rows, &context.clock);
    let now = context.clock.now();
    let root = &list.root;
    let head = html! {
        @if let Some(webhook) = &webhook { section.card { h2 { "Webhook" } (facts(root, webhook, now)) } }
        @if let Some(event) = &event { section.card { h2 { "Event" } (events::facts(event, now)) } }
    };
    Ok(list.answer(&head, &filters, &found, |rows| table(root, rows, now)))
}

/// Deliveries with their times as the clock on the wall has them.
pub(super) fn in_time(deliveries: Vec<DeliveryRecord>, clock: &Clock) -> Vec<DeliveryRecord> {
    let deliveries = deliveries.into_iter();
    deliveries
        .map(|delivery| in_time_of_day(delivery, clock))
        .collect()
}

fn filters(state: &State, query: &Form) -> Markup {
    let states: Vec<(&str, &str)> = STATES
        .map(|state| (state.as_str(), state.as_str()))
        .to_vec();
    let mut outcomes = vec![(OutcomeFilter::FAILURE, "any failure")];
    outcomes.extend(Outcome::CLASSES.map(|class| (class, outcome_name(class))));
    let more = ["webhook", "event", "from", "to"]
        .iter()
        .any(|name| query.filled(name).is_some());
    html! {
        form.filters method="get" id="filters" {
            (choice("outcome", "Last result", &outcomes, query.text("outcome")))
            (choice("state", "State", &states, query.text("state")))
            (provider_choice(state, query.text("provider")))
            (event_type_field(state, query.text("type")))
            details id="more" open[more] {
                summary { "More" }
                (field("webhook", "Webhook", query.text("webhook"), "id"))
                (field("event", "Event", query.text("event"), "id"))
                label { span { "From (UTC)" } input type="datetime-local" step="1" name="from" value=(query.text("from")); }
                label { span { "To (UTC)" } input type="datetime-local" step="1" name="to" value=(query.text("to")); }
            }
            div.actions { button { "Filter" } a href="deliveries" { "All" } }
        }
    }
}

/// A class of outcomes in words.
fn outcome_name(class: &'static str) -> &'static str {
    match class {
        "other" => "other status",
        "timeout" => "timed out",
        "refused" => "not sent",
        "failed" => "no answer",
        class => class,
    }
}

/// A state as a badge; a pending delivery after a failure is one that is retried.
pub(super) fn badge(delivery: &DeliveryRecord) -> Markup {
    let failed = delivery
        .last
        .as_ref()
        .is_some_and(|last| !last.outcome.is_success());
    let (class, text) = match delivery.state {
        DeliveryState::Pending if failed => ("badge retrying", "retrying"),
        DeliveryState::Pending => ("badge", "pending"),
        DeliveryState::Delivered => ("badge good", "delivered"),
        DeliveryState::Exhausted => ("badge bad", "exhausted"),
        DeliveryState::Cancelled => ("badge", "cancelled"),
    };
    html! { span class=(class) { (text) } }
}

/// Deliveries, each with a link to its page.
pub(super) fn table(root: &Root, deliveries: &[DeliveryRecord], now: Timestamp) -> Markup {
    html! {
        table.deliveries {
            thead { tr { th { "Event" } th { "Last result" } th { "State" } th { "Attempts" } th { "Created" } } }
            tbody {
                @for delivery in deliveries {
                    tr {
                        td data-label="Event" {
                            a href=(root.to(format_args!("deliveries/{}", delivery.id))) { (delivery.event_type) }
                            br; span.faint.url { (delivery.url) }
                        }
                        td data-label="Last result" {
                            @match &delivery.last {
                                Some(last) => span.bad[!last.outcome.is_success()] { (explain(&last.outcome).short) },
                                None => span.faint { "not attempted yet" },
                            }
                        }
                        td data-label="State" { (badge(delivery)) }
                        td data-label="Attempts" { (delivery.attempts)
                            @if delivery.state == DeliveryState::Pending && delivery.attempts > 0 {
                                br; span.faint { "next " (moment(delivery.due_at, now)) }
                            }
                        }
                        td data-label="Created" { (moment(delivery.created_at, now)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_outcomes_can_be_filtered_by() {
        for class in Outcome::CLASSES {
            assert!(OutcomeFilter::parse(class).is_some());
            assert!(!outcome_name(class).is_empty());
        }
    }
}

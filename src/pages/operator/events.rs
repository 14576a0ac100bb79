//! The list of events, and one of them in short.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use maud::{Markup, html};

use super::delivery::text;
use super::form::Form;
use super::guard::{PageError, SignedIn};
use super::layout::{Root, event_type_field, full_moment, moment, provider_choice};
use super::list::{Kind, List};
use crate::operator::State;
use crate::storage::{EventFilter, EventRecord, StateCounts};

const KIND: Kind = Kind {
    path: "events",
    title: "Events",
    empty: "No events match these filters.",
};

pub(super) async fn list(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let mut list = List::of(&KIND, &request, &signed_in);
    let filter = EventFilter {
        provider: list.query.provider(&state, &mut list.faults),
        event_type: list.query.event_type(&state, &mut list.faults),
    };
    let page = list.page();
    let filters = filters(&state, &list.query);
    if let Some(refusal) = list.refusal(&filters) {
        return Ok(refusal);
    }
    let found = state.context.store.events(filter, page).await?;
    let now = state.context.clock.now();
    Ok(list.answer(&html! {}, &filters, &found, |rows| {
        table(&list.root, rows, now)
    }))
}

fn table(root: &Root, rows: &[EventRecord], now: Timestamp) -> Markup {
    html! {
        table {
            thead { tr { th { "Event" } th { "Provider" } th { "Deliveries" } th { "Published" } } }
            tbody {
                @for record in rows {
                    @let event = &record.event;
                    tr {
                        td data-label="Event" {
                            a href=(root.to(format_args!("deliveries?event={}", event.id))) { (event.event_type) }
                            br; span.faint { (event.id) }
                        }
                        td data-label="Provider" { (event.provider)
                            @if let Some(account) = &event.account_id { br; span.faint { (account) } }
                            @else if let Some(owner) = &event.owner { br; span.faint.url { (owner) } }
                        }
                        td data-label="Deliveries" { (states(record.deliveries)) }
                        td data-label="Published" { (moment(event.created_at, now)) }
                    }
                }
            }
        }
    }
}

fn filters(state: &State, query: &Form) -> Markup {
    html! {
        form.filters method="get" id="filters" {
            (provider_choice(state, query.text("provider")))
            (event_type_field(state, query.text("type")))
            div.actions { button { "Filter" } a href="events" { "All" } }
        }
    }
}

/// How many deliveries are in each state, in words.
pub(super) fn states(counts: StateCounts) -> Markup {
    let StateCounts {
        pending,
        delivered,
        exhausted,
        cancelled,
    } = counts;
    let all = [
        (delivered, "delivered", "good"),
        (pending, "pending", ""),
        (exhausted, "exhausted", "bad"),
        (cancelled, "cancelled", ""),
    ];
    let there: Vec<_> = all.into_iter().filter(|(count, ..)| *count > 0).collect();
    html! {
        @if there.is_empty() { span.faint { "none" } }
        @for (index, (count, name, class)) in there.iter().enumerate() {
            @if index > 0 { ", " }
            span class=(class) { (count) " " (name) }
        }
    }
}

/// The owner and the payload of an event.
pub(super) fn facts(record: &EventRecord, now: Timestamp) -> Markup {
    let event = &record.event;
    html! {
        dl.facts {
            dt { "Event" } dd { code { (event.id) } }
            dt { "Type" } dd { (event.event_type) }
            dt { "Provider" } dd { (event.provider) }
            @if let Some(owner) = &event.owner { dt { "Client or product" } dd { (owner) } }
            @if let Some(account) = &event.account_id { dt { "Account" } dd { (account) } }
            dt { "Published" } dd { (full_moment(event.created_at, now)) }
            dt { "Deliveries" } dd { (states(record.deliveries)) }
        }
        details id="payload" { summary { "Payload" } (text(event.data.as_bytes())) }
    }
}

//! The list of events, and one of them in short.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use maud::{Markup, html};

use super::cursor_text;
use super::deliveries::PAGE;
use super::delivery::text;
use super::form::Form;
use super::guard::{PageError, SignedIn};
use super::layout::{Page, Root, event_types, full_moment, moment, pager, provider_choice};
use crate::operator::State;
use crate::storage::{EventFilter, EventRecord, NumberPage, StateCounts};

pub(super) async fn list(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let root = Root::of(&request);
    let query = Form::read(request.query_string().as_bytes());
    let context = &state.context;
    let now = context.clock.now();
    let mut faults = Vec::new();
    let filter = EventFilter {
        provider: query.provider(&state, &mut faults),
        event_type: query.filled("type").map(str::to_owned),
    };
    let page = NumberPage {
        before: query.cursor(&mut faults),
        limit: PAGE,
    };
    let shown = Page {
        root: &root,
        signed_in: &signed_in,
        section: "events",
        title: "Events",
        live: faults.is_empty(),
    };
    if !faults.is_empty() {
        return Ok(shown.refuse(&faults, &filters(&state, &query)));
    }
    let found = context.store.events(filter, page).await?;
    let content = html! {
        h1 { "Events" }
        (filters(&state, &query))
        @if found.rows.is_empty() {
            p.empty { "No events match these filters." }
        } @else {
            table {
                thead { tr { th { "Event" } th { "Provider" } th { "Deliveries" } th { "Published" } } }
                tbody {
                    @for record in &found.rows {
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
        (pager("events", &query, found.next.map(cursor_text), found.rows.len()))
    };
    Ok(shown.answer(&content))
}

fn filters(state: &State, query: &Form) -> Markup {
    html! {
        form.filters method="get" id="filters" {
            (provider_choice(state, query.text("provider")))
            label { span { "Event type" } input name="type" value=(query.text("type")) list="types" autocomplete="off"; }
            (event_types(state, "types"))
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
        (exhausted, "given up", "bad"),
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

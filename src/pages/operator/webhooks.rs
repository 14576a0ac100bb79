//! The webhooks of every client and product: whose they are, and how their newest deliveries stand.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use maud::{Markup, html};

use super::events::states;
use super::form::Form;
use super::guard::{PageError, SignedIn};
use super::layout::{Root, choice, event_type_field, field, full_moment, moment, provider_choice};
use super::list::{Kind, List};
use super::words::explain;
use crate::operator::State;
use crate::storage::{AnyWebhookFilter, RecentDeliveries, WebhookRecord};

const KIND: Kind = Kind {
    path: "webhooks",
    title: "Webhooks",
    empty: "No webhooks match these filters. Webhooks are registered through the providers' APIs.",
};

pub(super) async fn list(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let mut list = List::of(&KIND, &request, &signed_in);
    let query = &list.query;
    let filter = AnyWebhookFilter {
        provider: query.provider(&state, &mut list.faults),
        owner: query.filled("owner").map(str::to_owned),
        account_id: query.filled("account").map(str::to_owned),
        event_type: query.event_type(&state, &mut list.faults),
        enabled: query.filter(
            "enabled",
            |text| text.parse().ok(),
            "true or false",
            &mut list.faults,
        ),
    };
    let page = list.page();
    let filters = filters(&state, &list.query);
    if let Some(refusal) = list.refusal(&filters) {
        return Ok(refusal);
    }
    let found = state.context.store.any_webhooks(filter, page).await?;
    let now = state.context.clock.now();
    Ok(list.answer(&html! {}, &filters, &found, |rows| {
        table(&list.root, rows, now)
    }))
}

fn table(root: &Root, webhooks: &[WebhookRecord], now: Timestamp) -> Markup {
    html! {
        table {
            thead { tr { th { "Webhook" } th { "Owner" } th { "Event types" } th { "Recent deliveries" } th { "Last" } } }
            tbody { @for webhook in webhooks { (row(root, webhook, now)) } }
        }
    }
}

fn filters(state: &State, query: &Form) -> Markup {
    let states = [("true", "enabled"), ("false", "disabled")];
    html! {
        form.filters method="get" id="filters" {
            (provider_choice(state, query.text("provider")))
            (choice("enabled", "State", &states, query.text("enabled")))
            (event_type_field(state, query.text("type")))
            (field("owner", "Client or product", query.text("owner"), "id"))
            (field("account", "Account", query.text("account"), "F12345"))
            div.actions { button { "Filter" } a href="webhooks" { "All" } }
        }
    }
}

fn row(root: &Root, webhook: &WebhookRecord, now: Timestamp) -> Markup {
    html! {
        tr {
            td data-label="Webhook" {
                a.url href=(root.to(format_args!("deliveries?webhook={}", webhook.id))) { (webhook.url) }
                @if !webhook.enabled { " " span.badge { "disabled" } }
                br; span.faint { (webhook.id) }
            }
            td data-label="Owner" { (webhook.provider) br; span.faint.url { (whose(webhook)) } }
            td data-label="Event types" { (types(webhook)) }
            td data-label="Recent deliveries" { (states(webhook.recent.states)) }
            td data-label="Last" { (last(&webhook.recent, now)) }
        }
    }
}

fn whose(webhook: &WebhookRecord) -> Markup {
    html! { (webhook.owner) @if let Some(account) = &webhook.account_id { ", account " (account) } }
}

/// The event types: the first few, and the others on demand.
fn types(webhook: &WebhookRecord) -> Markup {
    const FEW: usize = 3;
    let (first, others) = webhook
        .event_types
        .split_at(webhook.event_types.len().min(FEW));
    html! {
        (first.join(", "))
        @if !others.is_empty() {
            details id=(format!("types-{}", webhook.id)) { summary { "and " (others.len()) " more" } (others.join(", ")) }
        }
    }
}

fn last(recent: &RecentDeliveries, now: Timestamp) -> Markup {
    html! {
        @if let Some(at) = recent.last_success_at { span.good { "success " (moment(at, now)) } br; }
        @if let Some(failure) = &recent.last_failure {
            span.bad { "failure " (moment(failure.started_at, now)) } br;
            span.faint { (explain(&failure.outcome).short) }
        }
        @if recent.last_success_at.is_none() && recent.last_failure.is_none() { span.faint { "nothing yet" } }
    }
}

/// All members of a webhook.
pub(super) fn facts(root: &Root, webhook: &WebhookRecord, now: Timestamp) -> Markup {
    html! {
        dl.facts {
            dt { "URL" } dd.url { (webhook.url) }
            dt { "Webhook" } dd { code { (webhook.id) } @if !webhook.enabled { " " span.badge { "disabled" } } }
            dt { "Provider" } dd { (webhook.provider) }
            dt { "Owner" } dd { (whose(webhook)) }
            dt { "Event types" } dd { (types(webhook)) }
            dt { "Registered" } dd { (full_moment(webhook.created_at, now)) }
            @if webhook.updated_at != webhook.created_at { dt { "Changed" } dd { (full_moment(webhook.updated_at, now)) } }
            dt { "Recent deliveries" } dd { (states(webhook.recent.states)) }
            dt { "Last" } dd { (last(&webhook.recent, now)) }
        }
        p { a href=(root.to(format_args!("replays?webhook={}", webhook.id))) { "Replay its deliveries" } }
    }
}

//! One delivery: why it stands as it does, and its attempts as a timeline; and retrying it.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use maud::{Markup, html};
use uuid::Uuid;

use super::deliveries::badge;
use super::form::Body;
use super::guard::{PageError, SignedIn, accept};
use super::layout::{Page, Root, form_token, full_moment, moment};
use super::redirect;
use super::words::{duration, explain, of_state};
use crate::domain::{Attempt, DeliveryState, Event, KEPT_BODY};
use crate::operator::{State, in_time_of_day};
use crate::storage::{DeliveryHistory, DeliveryRecord, Retried};

pub(super) async fn show(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let root = Root::of(&request);
    let context = &state.context;
    let missing = || PageError::NotFound("delivery");
    let id = id(&request).ok_or_else(missing)?;
    let mut history = context.store.delivery(id).await?.ok_or_else(missing)?;
    history.delivery = in_time_of_day(history.delivery, &context.clock);
    let event = context
        .store
        .event(history.delivery.event_id.clone())
        .await?;
    let event = event.ok_or_else(missing)?.event;
    let now = context.clock.now();
    let delivery = &history.delivery;
    let content = html! {
        p.path { a href=(root.to("deliveries")) { "Deliveries" } }
        h1 { (delivery.event_type) " " (badge(delivery)) }
        (why(&history, now))
        form method="post" action=(root.to(format_args!("deliveries/{id}/retry"))) {
            (form_token(&signed_in))
            button { "Retry now" }
            " " span.faint { "The receiver gets the same body with the same id again." }
        }
        (facts(&root, delivery, &event, now))
        h2 { "Attempts" }
        (timeline(&state, &history, &event, now))
    };
    let title = format!("{} delivery", delivery.event_type);
    let page = Page {
        root: &root,
        signed_in: &signed_in,
        section: "deliveries",
        title: &title,
        live: true,
    };
    Ok(page.answer(&content))
}

pub(super) async fn retry(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
    body: Body,
) -> Result<HttpResponse, PageError> {
    let _ = accept(&request, &signed_in, &body)?;
    let State {
        context, worker, ..
    } = &**state;
    let missing = || PageError::NotFound("delivery");
    let id = id(&request).ok_or_else(missing)?;
    match context.store.retry(id, context.clock.steady()).await? {
        Retried::Due(_) => worker.wake(),
        Retried::UnderWay => return Err(PageError::AttemptUnderWay),
        Retried::Unknown => return Err(missing()),
    }
    Ok(redirect(&format!("../{id}")))
}

fn id(request: &HttpRequest) -> Option<Uuid> {
    Uuid::try_parse(request.match_info().get("id")?).ok()
}

/// Why it stands as it does, in words.
fn why(history: &DeliveryHistory, now: Timestamp) -> Markup {
    let delivery = &history.delivery;
    let last = delivery
        .last
        .as_ref()
        .map(|last| (explain(&last.outcome), last.outcome.is_success()));
    let good = delivery.state == DeliveryState::Delivered;
    let failed = last.as_ref().is_some_and(|(_, success)| !success);
    html! {
        p.why.good[good].bad[failed && !good] {
            @if let Some((explanation, _)) = &last { strong { (explanation.long) } " " }
            @if delivery.state == DeliveryState::Pending {
                @if delivery.attempts == 0 { "It was not attempted yet. " }
                "The next attempt is due " (moment(delivery.due_at, now)) "."
            } @else if !good {
                (of_state(delivery.state))
            }
        }
    }
}

fn facts(root: &Root, delivery: &DeliveryRecord, event: &Event, now: Timestamp) -> Markup {
    html! {
        dl.facts {
            dt { "Receiver" } dd.url { (delivery.url) }
            dt { "Webhook" } dd { a href=(root.to(format_args!("deliveries?webhook={}", delivery.webhook_id))) { (delivery.webhook_id) } }
            dt { "Event" } dd { a href=(root.to(format_args!("deliveries?event={}", delivery.event_id))) { (delivery.event_id) } }
            dt { "Provider" } dd { (delivery.provider) }
            @if let Some(owner) = &event.owner { dt { "Client or product" } dd { (owner) } }
            @if let Some(account) = &event.account_id { dt { "Account" } dd { (account) } }
            dt { "Created" } dd { (full_moment(delivery.created_at, now)) }
            @if let Some(completed_at) = delivery.completed_at { dt { "Ended" } dd { (full_moment(completed_at, now)) } }
            dt { "Delivery" } dd { code { (delivery.id) } }
        }
    }
}

/// The attempts, the last one first and opened.
fn timeline(state: &State, history: &DeliveryHistory, event: &Event, now: Timestamp) -> Markup {
    let delivery = &history.delivery;
    let provider = state.providers.outbound(delivery.provider);
    let body = provider
        .map(|provider| provider.body(event, delivery.id))
        .unwrap_or_default();
    let under_way = delivery.state == DeliveryState::Pending;
    html! {
        @if delivery.attempts == 0 { p.empty { "None yet." } }
        ol.timeline reversed {
            @for number in (1..=delivery.attempts).rev() {
                @let recorded = history.attempts.iter().find(|attempt| attempt.number == number);
                @match recorded {
                    Some(attempt) => {
                        @let signed = provider.and_then(|provider| provider.signed_bytes(&attempt.request_headers, &body));
                        (one(attempt, number == delivery.attempts, &body, signed.as_deref(), now))
                    }
                    None => li {
                        p.title { "Attempt " (number) " " span.faint {
                            @if number == delivery.attempts && under_way { "is under way" }
                            @else { "has no result: the server stopped in it, or the result came too late" }
                        } }
                    }
                }
            }
        }
    }
}

fn one(
    attempt: &Attempt,
    last: bool,
    body: &[u8],
    signed: Option<&[u8]>,
    now: Timestamp,
) -> Markup {
    let explanation = explain(&attempt.outcome);
    let success = attempt.outcome.is_success();
    let timing = attempt.timing;
    html! {
        li.good[success].bad[!success] {
            details open[last] id=(format!("attempt-{}", attempt.number)) {
                summary {
                    span.title { "Attempt " (attempt.number) }
                    " " span.badge.good[success].bad[!success] { (explanation.short) }
                    " " span.faint { (moment(attempt.started_at, now)) ", " (duration(timing.total)) }
                }
                p { (explanation.long) }
                dl.facts {
                    dt { "Began" } dd { (full_moment(attempt.started_at, now)) }
                    dt { "Took" } dd {
                        (duration(timing.total))
                        @if let Some(connect) = timing.connect { ", connecting " (duration(connect)) }
                        @if let Some(first_byte) = timing.first_byte { ", first byte after " (duration(first_byte)) }
                        @if timing.queue >= std::time::Duration::from_secs(1) { ", begun " (duration(timing.queue)) " late" }
                    }
                }
                @if attempt.outcome.status().is_some() || !attempt.response_headers.is_empty() {
                    h3 { "Answer" }
                    (headers(&attempt.response_headers))
                    @if attempt.response_body.is_empty() {
                        p.faint { "The body is empty." }
                    } @else {
                        (text(&attempt.response_body))
                    }
                    @if attempt.response_truncated { p.faint { (cut(attempt)) } }
                }
                h3 { "Request" }
                (headers(&attempt.request_headers))
                (text(body))
                @if let Some(signed) = signed {
                    details id=(format!("signed-{}", attempt.number)) {
                        summary { "Signed bytes (" (signed.len()) ")" }
                        (text(signed))
                    }
                } @else {
                    p.faint { "It was not signed: the webhook has no secret." }
                }
            }
        }
    }
}

/// What is left out of an answer of which not all is kept.
fn cut(attempt: &Attempt) -> &'static str {
    if attempt.response_body.len() < KEPT_BODY {
        "The answer had more headers than are kept; its body is complete."
    } else {
        "The body is longer: its first 16 KiB are kept."
    }
}

fn headers<T: AsRef<str>>(headers: &[(T, T)]) -> Markup {
    html! {
        @if !headers.is_empty() {
            dl.headers { @for (name, value) in headers { dt { (name.as_ref()) } dd { (value.as_ref()) } } }
        }
    }
}

/// Bytes as text, to be copied.
pub(super) fn text(bytes: &[u8]) -> Markup {
    html! { div.text { pre tabindex="0" { (String::from_utf8_lossy(bytes)) } } }
}

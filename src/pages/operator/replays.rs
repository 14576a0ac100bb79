//! Replaying many deliveries: the filter, counting first, and the progress of a job.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use maud::{Markup, html};

use super::form::{Body, Form, instant};
use super::guard::{PageError, SignedIn, accept};
use super::layout::{Page, Root, choice, field, form_token, full_moment, provider_choice};
use super::redirect;
use super::words::{count, exact};
use crate::operator::{State, start_replay};
use crate::storage::{Replay, ReplayFilter};

const STATES: [(&str, &str); 5] = [
    ("exhausted", "exhausted"),
    ("pending", "pending"),
    ("delivered", "delivered"),
    ("cancelled", "cancelled"),
    ("unmatched", "events without a webhook"),
];

pub(super) async fn form(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> HttpResponse {
    let root = Root::of(&request);
    let query = Form::read(request.query_string().as_bytes());
    show_form(&state, &root, &signed_in, &query, None)
}

fn show_form(
    state: &State,
    root: &Root,
    signed_in: &SignedIn,
    form: &Form,
    fault: Option<&str>,
) -> HttpResponse {
    let content = html! {
        h1 { "Replay" }
        p { "Sends again every delivery that meets all of these conditions, including delivered ones. “Count only” shows how many there are." }
        form.card method="post" action=(root.to("replays")) {
            (form_token(signed_in))
            @if let Some(fault) = fault { p.fault role="alert" { (fault) } }
            (choice("state", "State", &STATES, form.text("state")))
            (provider_choice(state, form.text("provider")))
            (field("webhook", "Webhook", form.text("webhook"), "id"))
            label { span { "Published from (UTC)" } input type="datetime-local" step="1" name="from" value=(form.text("from")); }
            label { span { "Published before (UTC)" } input type="datetime-local" step="1" name="to" value=(form.text("to")); }
            div.actions {
                button name="run" value="count" { "Count only" }
                button.quiet name="run" value="replay" { "Replay" }
            }
        }
    };
    let page = Page {
        root,
        signed_in,
        section: "replays",
        title: "Replay",
        live: false,
    };
    let mut answer = page.answer(&content);
    if fault.is_some() {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    answer
}

pub(super) async fn start(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
    body: Body,
) -> Result<HttpResponse, PageError> {
    let form = accept(&request, &signed_in, &body)?;
    let root = Root::of(&request);
    match read(&form) {
        Ok(filter) => {
            let replay = start_replay(&state, filter, form.text("run") != "replay").await?;
            Ok(redirect(&root.to(format_args!("replays/{}", replay.id))))
        }
        Err(fault) => Ok(show_form(&state, &root, &signed_in, &form, Some(fault))),
    }
}

/// The filter of a form, or what is wrong with it: what cannot be read must not make it wider.
fn read(form: &Form) -> Result<ReplayFilter, &'static str> {
    fn parsed<T>(
        form: &Form,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
        fault: &'static str,
    ) -> Result<Option<T>, &'static str> {
        form.filled(name)
            .map(|text| read(text).ok_or(fault))
            .transpose()
    }
    let filter = ReplayFilter {
        provider: parsed(
            form,
            "provider",
            |text| text.parse().ok(),
            "Unknown provider; choose one of the list.",
        )?,
        webhook_id: form.filled("webhook").map(str::to_owned),
        state: parsed(
            form,
            "state",
            |text| text.parse().ok(),
            "Unknown state; choose one of the list.",
        )?,
        from: parsed(
            form,
            "from",
            instant,
            "“Published from” is not a date and time; write it as 2026-01-31T15:00.",
        )?,
        to: parsed(
            form,
            "to",
            instant,
            "“Published before” is not a date and time; write it as 2026-01-31T15:00.",
        )?,
    };
    let ReplayFilter {
        webhook_id,
        state,
        from,
        to,
        ..
    } = &filter;
    if webhook_id.is_none() && state.is_none() && from.is_none() && to.is_none() {
        return Err("Choose a state, a webhook or a time.");
    }
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err("“Published before” must be later than “Published from”.");
    }
    Ok(filter)
}

pub(super) async fn show(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let root = Root::of(&request);
    let id = request
        .match_info()
        .get("id")
        .unwrap_or_default()
        .to_owned();
    let found = state.context.store.replay(id).await?;
    let replay = found.ok_or(PageError::NotFound("replay"))?;
    let now = state.context.clock.now();
    let title = if replay.dry_run {
        "Count for a replay"
    } else {
        "Replay"
    };
    let content = html! {
        p.path { a href=(root.to("replays")) { "Replay" } }
        h1 { (title) }
        (progress(&replay))
        (facts(&replay, now))
        @if replay.dry_run && replay.finished_at.is_some() && replay.matched > 0 { (again(&root, &signed_in, &replay)) }
    };
    let page = Page {
        root: &root,
        signed_in: &signed_in,
        section: "replays",
        title,
        live: replay.finished_at.is_none(),
    };
    Ok(page.answer(&content))
}

fn progress(replay: &Replay) -> Markup {
    let matched = count(replay.matched, "delivery matches", "deliveries match");
    html! {
        p.why.good[replay.finished_at.is_some()] {
            strong {
                @match (replay.finished_at, replay.dry_run) {
                    (None, _) => { "Searching: " (replay.matched) " found so far." }
                    (Some(_), true) => { (matched) "; nothing was sent." }
                    (Some(_), false) => { (matched) "; " (replay.enqueued) " scheduled." }
                }
            }
        }
    }
}

fn facts(replay: &Replay, now: Timestamp) -> Markup {
    let filter = &replay.filter;
    html! {
        dl.facts {
            @if let Some(state) = filter.state { dt { "State" } dd { (state.as_str()) } }
            @if let Some(provider) = filter.provider { dt { "Provider" } dd { (provider) } }
            @if let Some(webhook) = &filter.webhook_id { dt { "Webhook" } dd { (webhook) } }
            @if let Some(from) = filter.from { dt { "Published from" } dd { (exact(from)) } }
            @if let Some(to) = filter.to { dt { "Published before" } dd { (exact(to)) } }
            dt { "Started" } dd { (full_moment(replay.created_at, now)) }
            @if let Some(finished_at) = replay.finished_at { dt { "Done" } dd { (full_moment(finished_at, now)) } }
            dt { "Job" } dd { code { (replay.id) } }
        }
    }
}

/// The form that starts the replay that was counted.
fn again(root: &Root, signed_in: &SignedIn, replay: &Replay) -> Markup {
    let filter = &replay.filter;
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let fields = [
        ("state", filter.state.map(|state| state.as_str().to_owned())),
        (
            "provider",
            filter.provider.map(|provider| provider.to_string()),
        ),
        ("webhook", filter.webhook_id.clone()),
        ("from", time(filter.from)),
        ("to", time(filter.to)),
    ];
    html! {
        form method="post" action=(root.to("replays")) {
            (form_token(signed_in))
            @for (name, value) in fields { @if let Some(value) = value { input type="hidden" name=(name) value=(value); } }
            button name="run" value="replay" { "Replay " (count(replay.matched, "delivery", "deliveries")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_or_holds_nothing_replays_nothing() {
        for form in [
            "",
            "provider=conduit",
            "state=failed",
            "from=x",
            "state=pending&from=2026-01-02T00:00&to=2026-01-01T00:00",
        ] {
            assert!(read(&Form::read(form.as_bytes())).is_err(), "{form}");
        }
        let filter = read(&Form::read(
            b"state=unmatched&from=2026-01-01T00:00&webhook=+w+",
        ))
        .unwrap();
        assert_eq!(filter.webhook_id.as_deref(), Some("w"));
        assert_eq!(filter.from.unwrap().to_string(), "2026-01-01T00:00:00Z");
    }
}

//! The frame of every page: head, navigation, headers of the answer; and the parts that several pages show.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::guard::SignedIn;
use super::words;
use crate::domain::ProviderName;
use crate::operator::State;

/// The policy of a page: it may load the style, the script and the icon of this server, ask this server, and send forms to it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const SECTIONS: [(&str, &str); 6] = [
    ("", "Overview"),
    ("deliveries", "Deliveries"),
    ("events", "Events"),
    ("webhooks", "Webhooks"),
    ("replays", "Replay"),
    ("publish", "Publish"),
];

/// The way from a page to the folder of all pages. Links are relative, so that they hold below any path that a proxy puts before them.
#[derive(Debug, Clone)]
pub(super) struct Root(String);

impl Root {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let below = request.path().rsplit_once("/operator/");
        let depth = below.map_or(0, |(_, rest)| rest.matches('/').count());
        Self(if depth == 0 {
            "./".to_owned()
        } else {
            "../".repeat(depth)
        })
    }

    /// The way to a page, given as its path below the folder.
    pub(super) fn to(&self, path: impl fmt::Display) -> String {
        format!("{self}{path}")
    }

    /// The way to a file of the server that stands beside the folder.
    fn beside(&self, path: &str) -> String {
        format!("{self}../{path}")
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A page of somebody who is signed in.
pub(super) struct Page<'a> {
    pub(super) root: &'a Root,
    pub(super) signed_in: &'a SignedIn,
    /// The section that it belongs to, by its path.
    pub(super) section: &'static str,
    pub(super) title: &'a str,
    /// Whether its content is kept up to date.
    pub(super) live: bool,
}

impl Page<'_> {
    /// The page with this content.
    pub(super) fn answer(&self, content: &Markup) -> HttpResponse {
        let navigation = html! {
            nav aria-label="Sections" {
                @for (path, name) in SECTIONS {
                    a href=(self.root.to(path)) aria-current=[(path == self.section).then_some("page")] { (name) }
                }
            }
            form.out method="post" action=(self.root.to("sign-out")) {
                (form_token(self.signed_in))
                button.quiet { "Sign out" }
            }
        };
        let content = html! { div #content data-live[self.live] { (content) } };
        answer(
            StatusCode::OK,
            document(self.root, self.title, &navigation, &content),
        )
    }

    /// The page with the faults of its filters, and nothing that they might have found.
    pub(super) fn refuse(&self, faults: &[String], filters: &Markup) -> HttpResponse {
        let mut answer = self.answer(&html! {
            h1 { (self.title) }
            div.fault role="alert" { @for fault in faults { p { (fault) } } }
            (filters)
        });
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        answer
    }

    /// A page without navigation.
    pub(super) fn error(root: &Root, title: &str, content: Markup) -> Markup {
        document(root, title, &html! {}, &html! { h1 { (title) } (content) })
    }
}

/// An answer with the headers that every page has.
pub(super) fn answer(status: StatusCode, page: Markup) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // Not `no-referrer`, with which forms would not tell where they come from.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(page.into_string())
}

fn document(root: &Root, title: &str, navigation: &Markup, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Truehook" }
                link rel="icon" href=(root.beside("docs/favicon-32x32.png"));
                link rel="stylesheet" href=(root.beside("page.css"));
                script src=(root.beside("page.js")) defer {}
            }
            body.operator {
                header { a.brand href=(root.to("")) { "Truehook" } (navigation) }
                p #stale .stale role="status" hidden {}
                main { (content) }
            }
        }
    }
}

/// The token that each form has to send back.
pub(super) fn form_token(signed_in: &SignedIn) -> Markup {
    html! { input type="hidden" name="form-token" value=(signed_in.session.form_token); }
}

/// A moment, with how long ago or ahead it is.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        time datetime=(format!("{at:.3}")) title=(words::exact(at)) { (words::relative(at, now)) }
    }
}

/// A moment in full, with how long ago or ahead it is.
pub(super) fn full_moment(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        time datetime=(format!("{at:.3}")) { (words::exact(at)) } " " span.faint { "(" (words::relative(at, now)) ")" }
    }
}

/// A choice of one of `options` (value and text), or of any.
pub(super) fn choice(name: &str, label: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        label { span { (label) }
            select name=(name) {
                option value="" { "any" }
                @for (value, text) in options {
                    option value=(value) selected[*value == chosen] { (text) }
                }
            }
        }
    }
}

/// A choice of a provider.
pub(super) fn provider_choice(state: &State, chosen: &str) -> Markup {
    let names: Vec<ProviderName> = state.providers.names().collect();
    let options: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), name.as_str()))
        .collect();
    choice("provider", "Provider", &options, chosen)
}

/// A text that can be filled in.
pub(super) fn field(name: &str, label: &str, value: &str, hint: &str) -> Markup {
    html! { label { span { (label) } input name=(name) value=(value) placeholder=(hint) autocomplete="off" spellcheck="false"; } }
}

/// An event type that can be filled in, with all of them as suggestions.
pub(super) fn event_type_field(state: &State, value: &str) -> Markup {
    html! {
        label { span { "Event type" } input name="type" value=(value) list="types" autocomplete="off"; }
        datalist id="types" {
            @for built in state.providers.iter() {
                @for name in built.api.outbound.event_types() { option value=(name) {} }
            }
        }
    }
}

/// The links below a list: to its beginning and to what follows.
pub(super) fn pager(
    path: &str,
    query: &super::form::Form,
    next: Option<String>,
    found: usize,
) -> Markup {
    let later = query.filled("cursor").is_some();
    html! {
        p.pager {
            @if found == 0 && next.is_some() { span { "Nothing found so far." } " " }
            @if later { a href=(format!("{path}?{}", query.query_with("cursor", None))) { "Newest" } " " }
            @if let Some(next) = next {
                a href=(format!("{path}?{}", query.query_with("cursor", Some(&next)))) { "Older" }
            }
        }
    }
}

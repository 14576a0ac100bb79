//! Publishing an event, from the catalogue's sample.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use data_encoding::HEXLOWER;
use maud::{Markup, html};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::form::{Body, Form};
use super::guard::{PageError, SignedIn, accept};
use super::layout::{Page, Root, field, form_token};
use super::words::count;
use crate::domain::{Audience, ProviderName};
use crate::entropy;
use crate::operator::{OperatorError, State, publish_text};
use crate::provider::Providers;
use crate::storage::{NotMatched, Receipt};

/// An event type of a provider, as a form names it: `provider/type`.
struct EventType {
    provider: ProviderName,
    name: String,
    audience: Audience,
    /// The catalogue's sample, laid out.
    sample: String,
}

impl EventType {
    fn read(providers: &Providers, text: &str) -> Option<Self> {
        let (provider, name) = text.split_once('/')?;
        let provider = provider.parse().ok()?;
        let outbound = providers.outbound(provider)?;
        let audience = outbound.audience(name)?;
        Some(Self {
            provider,
            name: name.to_owned(),
            audience,
            sample: laid_out(outbound.sample(name)),
        })
    }

    fn first(providers: &Providers) -> Option<Self> {
        let built = providers.iter().next()?;
        let name = built.api.outbound.event_types().into_iter().next()?;
        Self::read(providers, &format!("{}/{name}", built.provider.name()))
    }
}

/// JSON laid out for people; an empty object where there is none.
fn laid_out(text: Option<String>) -> String {
    let value: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    value
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| "{}".to_owned())
}

pub(super) async fn form(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
) -> Result<HttpResponse, PageError> {
    let root = Root::of(&request);
    let query = Form::read(request.query_string().as_bytes());
    let event_type = EventType::read(&state.providers, query.text("type"))
        .or_else(|| EventType::first(&state.providers));
    let event_type = event_type.ok_or(PageError::NotFound("event type"))?;
    let content = page(&root, &signed_in, &state, &event_type, &query, &[]);
    Ok(answer(&root, &signed_in, &content))
}

fn answer(root: &Root, signed_in: &SignedIn, content: &Markup) -> HttpResponse {
    let page = Page {
        root,
        signed_in,
        section: "publish",
        title: "Publish",
        live: false,
    };
    page.answer(content)
}

fn page(
    root: &Root,
    signed_in: &SignedIn,
    state: &State,
    event_type: &EventType,
    form: &Form,
    faults: &[String],
) -> Markup {
    let chosen = format!("{}/{}", event_type.provider, event_type.name);
    let data = form
        .filled("data")
        .map_or_else(|| event_type.sample.clone(), str::to_owned);
    let known = state
        .providers
        .get(event_type.provider)
        .filter(|_| state.context.sandbox);
    let sandbox_client = known.map_or("", |built| built.provider.sandbox_owner());
    // So that a form that is sent twice publishes once.
    let key = form
        .filled("key")
        .map_or_else(|| HEXLOWER.encode(&entropy::bytes::<16>()), str::to_owned);
    html! {
        h1 { "Publish an event" }
        form.filters method="get" action=(root.to("publish")) {
            label { span { "Event type" }
                select name="type" data-submit {
                    @for built in state.providers.iter() {
                        optgroup label=(built.provider.title()) {
                            @for name in built.api.outbound.event_types() {
                                @let value = format!("{}/{name}", built.provider.name());
                                option value=(value) selected[value == chosen] { (name) }
                            }
                        }
                    }
                }
            }
            div.actions { button.quiet { "Load its sample" } }
        }
        form.card method="post" action=(root.to("publish")) {
            (form_token(signed_in))
            input type="hidden" name="type" value=(chosen);
            input type="hidden" name="key" value=(key);
            @if !faults.is_empty() {
                div.fault role="alert" { p { "Nothing was published:" } ul { @for fault in faults { li { (fault) } } } }
            }
            @match event_type.audience {
                Audience::Owner => (field("client", "Client", form.filled("client").unwrap_or(sandbox_client), "client_…")),
                Audience::Account | Audience::Platform => {
                    (field("account", "Account", form.text("account"), "no account"))
                    (field("product", "Product", form.text("product"), "all products"))
                }
            }
            label.wide { span { "Payload" } textarea name="data" rows="16" spellcheck="false" { (data) } }
            div.actions { button { "Publish" } }
        }
    }
}

pub(super) async fn publish(
    request: HttpRequest,
    signed_in: SignedIn,
    state: web::Data<State>,
    body: Body,
) -> Result<HttpResponse, PageError> {
    let form = accept(&request, &signed_in, &body)?;
    let root = Root::of(&request);
    let event_type = EventType::read(&state.providers, form.text("type"));
    let event_type = event_type.ok_or(PageError::NotFound("event type"))?;
    let key = form.filled("key").map(|key| format!("page {key}"));
    let published = match read(&event_type, &form) {
        Ok(body) => publish_text(state.clone(), signed_in.key_id.clone(), key, body).await,
        Err(fault) => {
            let content = page(&root, &signed_in, &state, &event_type, &form, &[fault]);
            return Ok(refused(
                &root,
                &signed_in,
                &content,
                StatusCode::UNPROCESSABLE_ENTITY,
            ));
        }
    };
    match published {
        Ok(receipt) => {
            let content = published_page(&root, &event_type, &receipt);
            Ok(answer(&root, &signed_in, &content))
        }
        Err(OperatorError::Internal(error)) => Err(error.into()),
        Err(error) => {
            let content = page(
                &root,
                &signed_in,
                &state,
                &event_type,
                &form,
                &error.lines(),
            );
            let status = match error {
                OperatorError::ContentTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Ok(refused(&root, &signed_in, &content, status))
        }
    }
}

fn refused(
    root: &Root,
    signed_in: &SignedIn,
    content: &Markup,
    status: StatusCode,
) -> HttpResponse {
    let mut answer = answer(root, signed_in, content);
    *answer.status_mut() = status;
    answer
}

/// The body of a publication, with the payload token by token as it was written.
fn read(event_type: &EventType, form: &Form) -> Result<String, String> {
    // Browsers send line ends as two characters, which would count against the limit.
    let data = form.filled("data").unwrap_or("{}").replace("\r\n", "\n");
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&data) {
        return Err(format!("The payload is not JSON: {error}."));
    }
    let members = [
        ("provider", Some(event_type.provider.as_str())),
        ("type", Some(event_type.name.as_str())),
        ("clientId", form.filled("client")),
        ("accountId", form.filled("account")),
        ("productId", form.filled("product")),
    ];
    let members: Map<String, Value> = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    let mut body = Value::Object(members).to_string();
    body.pop();
    Ok(format!("{body},\"data\":{data}}}"))
}

fn published_page(root: &Root, event_type: &EventType, receipt: &Receipt) -> Markup {
    let deliveries = root.to(format_args!("deliveries?event={}", receipt.id));
    html! {
        h1 { "Published" }
        p.why.good[receipt.deliveries > 0].bad[receipt.deliveries == 0] {
            @if receipt.deliveries == 0 {
                strong { "No webhook receives " (event_type.name) "." }
                " The event is kept; replay it once a webhook is registered for it."
            } @else {
                strong { (event_type.name) " goes to " (count(receipt.deliveries, "webhook", "webhooks")) "." }
            }
        }
        (missed(receipt.not_matched))
        p { a href=(deliveries) { "Show its deliveries" } }
        p { a href=(root.to(format_args!("publish?type={}/{}", event_type.provider, event_type.name))) { "Publish another" } }
    }
}

/// Why other webhooks of the type do not get it.
fn missed(not_matched: NotMatched) -> Markup {
    let reasons = [
        (not_matched.other_owner, "of another client or product"),
        (not_matched.other_account, "for another account"),
        (not_matched.disabled, "disabled"),
    ];
    let reasons: Vec<String> = reasons
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| {
            format!("{count} {} {reason}", if count == 1 { "is" } else { "are" })
        })
        .collect();
    html! {
        @if !reasons.is_empty() { p { "Other webhooks for this type: " (reasons.join(", ")) "." } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_published_as_it_was_written() {
        let event_type = EventType {
            provider: ProviderName::new("equals-money"),
            name: "BoxCredited".to_owned(),
            audience: Audience::Account,
            sample: String::new(),
        };
        let form = Form::read(b"account=F1&data=%7B%22a%22%3A1.10%7D");
        let body = read(&event_type, &form).unwrap();
        let expected = r#"{"provider":"equals-money","type":"BoxCredited","accountId":"F1","data":{"a":1.10}}"#;
        assert_eq!(body, expected);
        assert!(read(&event_type, &Form::read(b"data=%7B")).is_err());
        // No way out of the payload into the other members.
        assert!(
            read(
                &event_type,
                &Form::read(b"data=%7B%7D%2C%22type%22%3A%22x%22")
            )
            .is_err()
        );
    }
}

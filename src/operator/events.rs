//! Publishing events, and looking at them.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use serde::Deserialize as _;
use serde_json::Value;

use super::auth::Operator;
use super::bodies::one_of;
use super::error::{
    BodyErrors, CommonErrors, ItemErrors, OperatorError, PublicationErrors, QueryErrors,
};
use super::models::{
    Event, EventList, EventProvider, EventQuery, IdempotencyKey, PageQuery, PublishRequest,
    PublishedEvent, time,
};
use super::{State, body_rules, cursor, invalid, page, path_id, word};
use crate::domain::{Fingerprint, ProviderName, TraceContext};
use crate::http::{Faults, JsonText, Query, compact_member, read_json_text};
use crate::provider::UnknownEventType;
use crate::publish::{Data, PublishError, Request, publish};
use crate::storage::{EventFilter, Idempotency, Published, Receipt, StoreError};

const KEY: &str = "Idempotency-Key";
const DATA: &str = "data";
const LONGEST_KEY: usize = 255;

/// Stores an event and one delivery for each enabled webhook that it matches, all or nothing, and answers when they are durable.
///
/// An event that matches no webhook is kept and can be replayed later. The members of `data` reach the receivers token by token as they
/// stand in the request: numbers keep their digits and members their order.
#[utoipa::path(post, path = "/events", operation_id = "publishEvent", tag = "Events", summary = "Publish an event",
    params(IdempotencyKey), security(("Operator" = [])),
    request_body(content = PublishRequest, description = "The event to publish."),
    responses((status = 202, description = "The event is stored, and its deliveries with it.", body = PublishedEvent),
        CommonErrors, BodyErrors, PublicationErrors))]
pub(super) async fn publish_event(
    caller: Operator,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let traces = state.traces.clone();
    let parent = traces
        .is_on()
        .then(|| traceparent(request.headers()))
        .flatten();
    let span = traces.request("POST", "/operator/v1/events", parent);
    let answer = accept(caller, request, payload, state, span.context()).await;
    let status = match &answer {
        Ok(answer) => answer.status(),
        Err(error) => error.status_code(),
    };
    span.answered(status.as_u16());
    answer
}

/// Returns the span that the caller says caused its request. A malformed header counts as absent (W3C Trace Context, 4.3).
fn traceparent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut given = headers.get_all("traceparent");
    let only = given.next().filter(|_| given.next().is_none());
    only?.to_str().ok()?.trim_matches([' ', '\t']).parse().ok()
}

async fn accept(
    caller: Operator,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    trace: Option<TraceContext>,
) -> Result<HttpResponse, OperatorError> {
    let key = idempotency_key(request.headers())?;
    let body = read_json_text(&request, payload, body_rules(&state)).await?;
    let (wanted, receipt) = submit(caller.key_id, key, body, state, trace).await?;
    let answer = told(receipt, wanted.provider, wanted.event_type);
    Ok(HttpResponse::Accepted().json(answer))
}

/// Publishes the event of a body as [`publish_event`] takes it.
///
/// # Errors
/// Those of the operation; the caller's key was looked at before.
pub(crate) async fn publish_text(
    state: web::Data<State>,
    key_id: String,
    idempotency_key: Option<String>,
    body: String,
) -> Result<Receipt, OperatorError> {
    let limit = state.context.max_body_bytes;
    if body.len() > limit {
        return Err(OperatorError::ContentTooLarge(limit));
    }
    let body = JsonText::parse(body)?;
    let submitted = submit(key_id, idempotency_key, body, state, None).await?;
    Ok(submitted.1)
}

/// A publication with its payload as it was sent.
struct Wanted {
    provider: EventProvider,
    event_type: String,
}

async fn submit(
    key_id: String,
    key: Option<String>,
    body: JsonText,
    state: web::Data<State>,
    trace: Option<TraceContext>,
) -> Result<(Wanted, Receipt), OperatorError> {
    let JsonText { text, value, .. } = check(body, &state)?;
    let (wanted, value) = split(value)?;
    // Before anything is stored: one that is refused may be sent again.
    state.worker.admit()?;
    // In compact form, so that space between tokens makes no other request; taken from the text, because a value keeps no digits.
    let data = value.and_then(|value| {
        let text = compact_member(&text, DATA)?;
        Some(Data { value, text })
    });
    let (provider, event_type) = (wanted.provider, wanted.event_type.clone());
    let request = Request {
        provider: provider.name(),
        event_type: wanted.event_type,
        // In one form: products are stored as they are written here.
        owner: wanted
            .client_id
            .or_else(|| wanted.product_id.map(|id| id.to_string())),
        account_id: wanted.account_id,
        data,
        idempotency: None,
        trace,
    };
    let idempotency = key.map(|key| Idempotency {
        caller: key_id,
        key,
        request: fingerprint(&request),
    });
    let request = Request {
        idempotency,
        ..request
    };
    // In a task of its own, which ends even when the caller goes away: what is claimed for this process is attempted by it.
    let published = actix_web::rt::spawn(publish_and_attempt(state, request)).await;
    let receipt = match published.unwrap_or(Err(PublishError::Storage(StoreError::Closed))) {
        Ok(Published::Stored { receipt, .. } | Published::Repeated(receipt)) => receipt,
        Ok(Published::Conflict) => return Err(OperatorError::IdempotencyConflict),
        Err(PublishError::Faulty(faults)) => return Err(OperatorError::InvalidBody(faults)),
        Err(PublishError::Storage(error)) => return Err(error.into()),
    };
    let wanted = Wanted {
        provider,
        event_type,
    };
    Ok((wanted, receipt))
}

async fn publish_and_attempt(
    state: web::Data<State>,
    mut request: Request,
) -> Result<Published, PublishError> {
    let State {
        context,
        worker,
        metrics,
        traces,
        providers,
        ..
    } = &**state;
    let provider = request.provider;
    let span = traces.publication(request.trace, provider, &request.event_type);
    request.trace = span.context();
    let known = context.store.webhook_changes().known();
    let published = publish(
        providers,
        &*context.store,
        &context.clock,
        worker.slots(),
        worker.lease(),
        request,
    )
    .await;
    match &published {
        Ok(Published::Stored { receipt, .. } | Published::Repeated(receipt)) => {
            span.stored(&receipt.id, receipt.deliveries);
        }
        Ok(Published::Conflict) => span.not_stored("conflict"),
        Err(PublishError::Faulty(_)) => span.not_stored("faulty"),
        Err(PublishError::Storage(_)) => span.not_stored("storage"),
    }
    let mut published = published?;
    if let Published::Stored {
        claimed, waiting, ..
    } = &mut published
    {
        metrics.published(provider);
        worker
            .published(std::mem::take(claimed), std::mem::take(waiting), known)
            .await;
    }
    Ok(published)
}

fn told(receipt: Receipt, provider: EventProvider, event_type: String) -> PublishedEvent {
    PublishedEvent {
        id: receipt.id,
        provider,
        event_type,
        created_at: time(receipt.created_at),
        deliveries: receipt.deliveries,
        not_matched: receipt.not_matched.into(),
    }
}

/// The body, once no fault was found in it. Those of the payload are found when it is published.
fn check(body: JsonText, state: &State) -> Result<JsonText, OperatorError> {
    let mut faults = state.bodies.publication.faults(&body.value);
    for pointer in &body.repeated {
        // The last of them is checked: a receiver that reads the first must not get the other.
        faults.add(pointer, "must stand in its object once only");
    }
    let type_of = |name| body.value.get(name).and_then(Value::as_str);
    if let (Some(provider), Some(event_type)) = (type_of("provider"), type_of("type"))
        && let Ok(provider) = provider.parse()
        && let Some(catalogue) = state.providers.outbound(provider)
        && catalogue.audience(event_type).is_none()
    {
        faults.add("/type", "must be an event type of the provider");
    }
    faults.into_result().map_err(OperatorError::InvalidBody)?;
    Ok(body)
}

/// A body as its type, and the payload apart, as it is judged.
fn split(mut body: Value) -> Result<(PublishRequest, Option<Value>), OperatorError> {
    let data = body
        .as_object_mut()
        .and_then(|members| members.remove(DATA));
    let wanted = PublishRequest::deserialize(body);
    let wanted = wanted.map_err(|error| invalid("", &error.to_string()))?;
    Ok((wanted, data))
}

/// Identifies a request by all of its members, with `data` in compact form token by token. The order of the other members, the space
/// between tokens and their escapes make no difference, because they make none to what is published.
fn fingerprint(request: &Request) -> Fingerprint {
    let Request {
        provider,
        event_type,
        owner,
        account_id,
        data,
        ..
    } = request;
    let members = (provider.as_str(), event_type, owner, account_id);
    let mut text = serde_json::to_string(&members).expect("texts are written as JSON");
    // The payload is JSON already.
    let data = data.as_ref().map_or("null", |data| &data.text);
    text.truncate(text.len() - 1);
    text = format!("{text},{data}]");
    Fingerprint::of(text.as_bytes())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, OperatorError> {
    let mut given = headers.get_all(KEY);
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let key = first.to_str().ok().filter(|key| {
        let printable = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        printable && key.trim_matches(' ') == *key && (1..=LONGEST_KEY).contains(&key.len())
    });
    let mut faults = Faults::default();
    if given.next().is_some() {
        faults.add(KEY, "must be given once only");
    } else if key.is_none() {
        faults.add(
            KEY,
            format!("must have 1 to {LONGEST_KEY} printable ASCII characters"),
        );
    }
    faults.into_result().map_err(OperatorError::InvalidHeader)?;
    Ok(key.map(str::to_owned))
}

/// Lists events page by page, the newest first, or with `since` what came after an earlier page. The filters hold together.
///
/// A search looks at 50,000 events and then ends its page, which may be empty: it goes on with `next`, or with `since`.
#[utoipa::path(get, path = "/events", operation_id = "listEvents", tag = "Events", summary = "List events",
    params(EventQuery, PageQuery), security(("Operator" = [])),
    responses((status = 200, description = "A page of events.", body = EventList), CommonErrors, QueryErrors))]
pub(super) async fn list_events(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let query = Query::parse(request.query_string());
    let mut faults = Faults::default();
    let filter = EventFilter {
        provider: provider(&query, &state, &mut faults),
        event_type: event_type(&query, &state, &mut faults),
    };
    let mut page = page(&query, &mut faults);
    let since = word(
        &query,
        "since",
        cursor::decode_place,
        "must be the since of an earlier page",
        &mut faults,
    );
    if since.is_some() && page.before.is_some() {
        faults.add("since", "must not be given together with cursor");
    }
    faults.into_result().map_err(OperatorError::InvalidQuery)?;
    let store = &state.context.store;
    let (rows, next, place) = if let Some(since) = since {
        let found = store.new_events(filter, since, page.limit).await?;
        (found.rows, None, found.position)
    } else {
        // Read first, and no event behind it is given: a reader that goes on from there sees each event once.
        let place = store.last_event().await?;
        page.before = page.before.or(place.checked_add(1));
        let found = store.events(filter, page).await?;
        (found.rows, found.next, place)
    };
    let data = rows
        .into_iter()
        .map(|record| Event::of(record, &state.providers))
        .collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(EventList {
        data,
        next: next.map(cursor::encode),
        since: cursor::encode_place(place),
    }))
}

/// The parameter `provider` of a list.
pub(super) fn provider(query: &Query, state: &State, faults: &mut Faults) -> Option<ProviderName> {
    let names: Vec<ProviderName> = state.providers.names().collect();
    let read = |text: &str| {
        let mut names = names.iter();
        names.find(|name| name.as_str() == text).copied()
    };
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    word(query, "provider", read, &one_of(&texts), faults)
}

/// The parameter `type` of a list.
pub(super) fn event_type(query: &Query, state: &State, faults: &mut Faults) -> Option<String> {
    let text = query.text("type", faults)?.to_owned();
    match state.providers.check_event_type(&text) {
        Ok(()) => {}
        Err(UnknownEventType { near }) if !faults.at("type") => faults.add(
            "type",
            near.map_or_else(
                || "must be an event type of a provider".to_owned(),
                |near| format!("must be an event type of a provider; did you mean `{near}`?"),
            ),
        ),
        Err(_) => {}
    }
    Some(text)
}

/// Reads one event, and how its deliveries stand.
#[utoipa::path(get, path = "/events/{id}", operation_id = "getEvent", tag = "Events", summary = "Get an event",
    params(("id" = String, Path, description = "The id of the event.")), security(("Operator" = [])),
    responses((status = 200, description = "The event.", body = Event), CommonErrors, ItemErrors))]
pub(super) async fn get_event(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let found = state.context.store.event(path_id(&request)).await?;
    let record = found.ok_or(OperatorError::NotFound("event"))?;
    Ok(HttpResponse::Ok().json(Event::of(record, &state.providers)?))
}

//! Looking at deliveries and their attempts, and attempting one again.

use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::auth::Operator;
use super::error::{CommonErrors, ItemErrors, OperatorError, QueryErrors, RetryErrors};
use super::models::{Delivery, DeliveryDetail, DeliveryList, DeliveryQuery, PageQuery};
use super::{State, cursor, events, instant, page, path_id, word};
use crate::clock::Clock;
use crate::http::{Faults, Query};
use crate::storage::{DeliveryFilter, DeliveryRecord, OutcomeFilter, Retried};

/// Lists deliveries page by page, the newest first. The filters hold together.
///
/// A search looks at a bounded number of deliveries and then ends its page, which may be empty: it goes on with `next`.
#[utoipa::path(get, path = "/deliveries", operation_id = "listDeliveries", tag = "Deliveries", summary = "List deliveries",
    params(DeliveryQuery, PageQuery), security(("Operator" = [])),
    responses((status = 200, description = "A page of deliveries.", body = DeliveryList), CommonErrors, QueryErrors))]
pub(super) async fn list_deliveries(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let query = Query::parse(request.query_string());
    let mut faults = Faults::default();
    let words = "must be pending, delivered, exhausted or cancelled";
    let filter = DeliveryFilter {
        provider: events::provider(&query, &state, &mut faults),
        state: word(
            &query,
            "state",
            |text| text.parse().ok(),
            words,
            &mut faults,
        ),
        webhook_id: query.text("webhookId", &mut faults).map(str::to_owned),
        event_id: query.text("eventId", &mut faults).map(str::to_owned),
        event_type: events::event_type(&query, &state, &mut faults),
        outcome: word(
            &query,
            "outcome",
            OutcomeFilter::parse,
            "must be 2xx, 3xx, 4xx, 5xx, other, timeout, refused, failed or failure",
            &mut faults,
        ),
        from: instant(&query, "from", &mut faults),
        to: instant(&query, "to", &mut faults),
    };
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && to <= from
    {
        faults.add("to", "must be later than from");
    }
    let page = page(&query, &mut faults);
    faults.into_result().map_err(OperatorError::InvalidQuery)?;
    let found = state.context.store.deliveries(filter, page).await?;
    let clock = &state.context.clock;
    let data = found
        .rows
        .into_iter()
        .map(|record| Delivery::try_from(in_time_of_day(record, clock)))
        .collect::<Result<_, _>>()?;
    let next = found.next.map(cursor::encode);
    Ok(HttpResponse::Ok().json(DeliveryList { data, next }))
}

/// Reads one delivery with all its attempts.
#[utoipa::path(get, path = "/deliveries/{id}", operation_id = "getDelivery", tag = "Deliveries", summary = "Get a delivery",
    params(("id" = String, Path, description = "The id of the delivery.")), security(("Operator" = [])),
    responses((status = 200, description = "The delivery and its attempts.", body = DeliveryDetail), CommonErrors, ItemErrors))]
pub(super) async fn get_delivery(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let store = &state.context.store;
    let missing = OperatorError::NotFound("delivery");
    let Some(mut history) = store.delivery(read(&request)?).await? else {
        return Err(missing);
    };
    let delivery = &history.delivery;
    let event = store.event(delivery.event_id.clone()).await?;
    let body = event.and_then(|record| {
        let provider = state.providers.outbound(delivery.provider)?;
        Some(provider.body(&record.event, delivery.id))
    });
    // Both are deleted together.
    let body = body.ok_or(missing)?;
    history.delivery = in_time_of_day(history.delivery, &state.context.clock);
    Ok(HttpResponse::Ok().json(DeliveryDetail::new(history, &body)?))
}

/// Makes a new attempt now, whatever the state of the delivery. The receiver sees the same body and the same id as before. While the
/// delivery is pending this is an attempt beside its provider's retry schedule: it takes the place of no retry and moves none. While an
/// attempt is under way this is refused with 409, so that one receiver never gets two at once. A request body is not looked at.
#[utoipa::path(post, path = "/deliveries/{id}/retry", operation_id = "retryDelivery", tag = "Deliveries",
    summary = "Retry a delivery",
    params(("id" = String, Path, description = "The id of the delivery.")), security(("Operator" = [])),
    responses((status = 202, description = "The delivery, which is pending and due now.", body = Delivery), CommonErrors,
        ItemErrors, RetryErrors))]
pub(super) async fn retry_delivery(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let State {
        context, worker, ..
    } = &**state;
    let found = context
        .store
        .retry(read(&request)?, context.clock.steady())
        .await?;
    let record = match found {
        Retried::Due(record) => *record,
        Retried::UnderWay => return Err(OperatorError::AttemptUnderWay),
        Retried::Unknown => return Err(OperatorError::NotFound("delivery")),
    };
    worker.wake();
    let record = in_time_of_day(record, &context.clock);
    Ok(HttpResponse::Accepted().json(Delivery::try_from(record)?))
}

/// Shows the due time of a delivery, which is kept in steady time, as a time of day.
pub(crate) fn in_time_of_day(record: DeliveryRecord, clock: &Clock) -> DeliveryRecord {
    DeliveryRecord {
        due_at: clock.time_of_day(record.due_at),
        ..record
    }
}

/// A malformed id is an unknown one.
fn read(request: &HttpRequest) -> Result<Uuid, OperatorError> {
    Uuid::try_parse(&path_id(request)).map_err(|_| OperatorError::NotFound("delivery"))
}

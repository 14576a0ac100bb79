//! Jobs that send many deliveries again.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde_json::Value;

use super::auth::Operator;
use super::error::{BodyErrors, CommonErrors, ItemErrors, OperatorError};
use super::models::{EventProvider, Replay, ReplayRequest};
use super::{BAD_TIME, State, body_rules, parse, path_id};
use crate::domain;
use crate::entropy;
use crate::http::{Faults, read_json};
use crate::storage::{self, ReplayFilter, ReplayState, StoreError};

/// Starts a job that makes a new attempt of every delivery that the filter picks, or, with the state `unmatched`, matches anew the
/// events that no webhook wanted when they were published.
///
/// The job is durable: it goes on after a restart, and picks only what was there when it was started. A filter that picks nothing is not
/// an error.
#[utoipa::path(post, path = "/replays", operation_id = "createReplay", tag = "Replays", summary = "Start a replay",
    security(("Operator" = [])), request_body(content = ReplayRequest, description = "What to replay."),
    responses((status = 202, description = "The job, which has just begun; a dry run too.", body = Replay), CommonErrors,
        BodyErrors))]
pub(super) async fn create_replay(
    _: Operator,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let body = read_json(&request, payload, body_rules(&state)).await?;
    let mut faults = state.bodies.replay.faults(&body);
    let from = read_time(&body, "from", &mut faults);
    let to = read_time(&body, "to", &mut faults);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        faults.add("/to", "must be later than from");
    }
    let wanted: ReplayRequest = parse(body, faults)?;
    let filter = ReplayFilter {
        provider: wanted.provider.map(EventProvider::name),
        webhook_id: wanted.webhook_id,
        state: wanted.state.map(ReplayState::from),
        from,
        to,
    };
    let replay = start_replay(&state, filter, wanted.dry_run).await?;
    Ok(HttpResponse::Accepted().json(Replay::try_from(replay)?))
}

/// Starts a job and gives it as it was stored.
pub(crate) async fn start_replay(
    state: &State,
    filter: ReplayFilter,
    dry_run: bool,
) -> Result<storage::Replay, StoreError> {
    let now = state.context.clock.now();
    let replay = storage::Replay {
        id: domain::ksuid("rpl_", now, entropy::bytes()),
        filter,
        dry_run,
        matched: 0,
        enqueued: 0,
        created_at: now,
        finished_at: None,
    };
    state.context.store.insert_replay(replay.clone()).await?;
    state.worker.replay();
    Ok(replay)
}

/// Reads a time of the body. A text that the schema accepts may still not be a time, such as a year that no clock of ours shows.
fn read_time(body: &Value, name: &str, faults: &mut Faults) -> Option<Timestamp> {
    let pointer = format!("/{name}");
    let text = body.get(name)?.as_str().filter(|_| !faults.at(&pointer))?;
    let time = text.parse().ok();
    if time.is_none() {
        faults.add(pointer, BAD_TIME);
    }
    time
}

/// Reads one job and how far it has come.
#[utoipa::path(get, path = "/replays/{id}", operation_id = "getReplay", tag = "Replays", summary = "Get a replay",
    params(("id" = String, Path, description = "The id of the replay.")), security(("Operator" = [])),
    responses((status = 200, description = "The job.", body = Replay), CommonErrors, ItemErrors))]
pub(super) async fn get_replay(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let found = state.context.store.replay(path_id(&request)).await?;
    let replay = found.ok_or(OperatorError::NotFound("replay"))?;
    Ok(HttpResponse::Ok().json(Replay::try_from(replay)?))
}

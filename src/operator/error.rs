//! The JSON of each way to fail: problem details (RFC 9457).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

use crate::causes::with_causes;
use crate::http::{BodyFault, Faults};
use crate::storage::StoreError;
use crate::worker::Overloaded;

/// The detail of a 503 to a publication that came too fast.
const OVERLOADED: &str =
    "Events are published faster than they can be delivered. Send the request again later.";

/// The detail of any other 503.
const UNAVAILABLE: &str = "The database cannot be used at this moment. Try again later.";

const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused (RFC 9457).
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct Problem {
    /// The kind of problem; always `about:blank`, which means that the status says it all.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    kind: &'static str,
    /// The kind of problem in words.
    title: String,
    /// The HTTP status code of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The fault in words, for a human reader.
    detail: String,
    /// Every fault that has a place in the request, in the order of the pointers; there with 400 and 422 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1)]
    #[schemars(default, with = "Vec<Fault>")]
    errors: Option<Vec<Fault>>,
}

/// One fault and its place in the request.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct Fault {
    /// The JSON Pointer of the member at fault, empty for the body as a whole, or the bare name of the parameter or header at fault.
    pointer: String,
    /// The fault in words, for a human reader; it never repeats the faulty value.
    detail: String,
}

/// Every way in which an operation can fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    #[error("malformed body")]
    MalformedBody(String),
    #[error("invalid header")]
    InvalidHeader(Faults),
    #[error("invalid query")]
    InvalidQuery(Faults),
    #[error("invalid body")]
    InvalidBody(Faults),
    #[error("authentication failed")]
    Unauthorized(#[from] Unauthorized),
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("method not allowed")]
    MethodNotAllowed { allow: &'static str },
    #[error("idempotency key used for another body")]
    IdempotencyConflict,
    #[error("attempt under way")]
    AttemptUnderWay,
    #[error("body over {0} bytes")]
    ContentTooLarge(usize),
    #[error("unsupported media type")]
    UnsupportedMediaType,
    #[error("encoded body")]
    Encoded,
    #[error("overloaded")]
    Overloaded(#[from] Overloaded),
    #[error("internal error")]
    Internal(#[from] StoreError),
}

/// Why a caller is not known.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Unauthorized {
    #[error("The Authorization header is missing; send \"Authorization: Bearer <key>\".")]
    NoHeader,
    #[error("The Authorization header must be sent once only.")]
    Repeated,
    #[error("The Authorization header must have the form \"Bearer <key>\".")]
    OtherScheme,
    #[error("This key is not known or was revoked.")]
    UnknownKey,
}

/// Answers that every operation may give.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum CommonErrors {
    /// The request has a query parameter that the operation does not have; `errors` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The `Authorization` header is missing or repeated, has another scheme than `Bearer`, or has a key that is unknown or revoked; `detail` says which.
    #[response(status = 401, content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String, description = "The scheme to authenticate by.")))]
    Unauthorized(Problem),
    /// The path does not have the method; `Allow` lists those that it has.
    #[response(status = 405, content_type = "application/problem+json",
        headers(("Allow" = String, description = "The methods that the path has, separated by commas.")))]
    MethodNotAllowed(Problem),
    /// The server failed and says no more about it; the request may be sent again later.
    #[response(status = 500, content_type = "application/problem+json")]
    InternalServerError(Problem),
    /// The database cannot be used at this moment: its disk is full, or another program has locked it. Nothing has changed; send the
    /// request again later.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "The number of seconds to wait before the request is sent again.")))]
    ServiceUnavailable(Problem),
}

/// Answers of operations with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum BodyErrors {
    /// The request body is not JSON, or the request has a query parameter that the operation does not have.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The request body is larger than the server accepts.
    #[response(status = 413, content_type = "application/problem+json")]
    ContentTooLarge(Problem),
    /// The `Content-Type` of the request is missing or is not `application/json`, or the body is compressed.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// The request body is JSON but not what is wanted; `errors` names every fault. Nothing has changed.
    #[response(status = 422, content_type = "application/problem+json")]
    UnprocessableContent(Problem),
}

/// Answers of operations with query parameters.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum QueryErrors {
    /// A query parameter is not valid or is not one of the operation; `errors` names each.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
}

/// Answers of operations on one thing.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum ItemErrors {
    /// There is no such thing, or no longer.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// Answers of publications.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum PublicationErrors {
    /// The `Idempotency-Key` was used for another body. Nothing is published.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// Events are published far faster than they can be delivered, or the database cannot be used at this moment. Nothing is published;
    /// send the request again later.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "The number of seconds to wait before the request is sent again.")))]
    ServiceUnavailable(Problem),
}

/// Answers of retries.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum RetryErrors {
    /// An attempt of the delivery is under way, or the process that made it ended and its lease did not. Nothing has changed; ask again
    /// when the attempt has a result, which takes no longer than the lease, 30 seconds unless the server has another.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
}

impl From<BodyFault> for OperatorError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::MediaType => Self::UnsupportedMediaType,
            BodyFault::Encoded => Self::Encoded,
            BodyFault::TooLarge(limit) => Self::ContentTooLarge(limit),
            BodyFault::Malformed(message) => Self::MalformedBody(message),
        }
    }
}

impl OperatorError {
    /// Describes the error in a line for each fault with its place.
    pub(crate) fn lines(&self) -> Vec<String> {
        let faults = self.errors().unwrap_or_default();
        if faults.is_empty() {
            return vec![self.detail()];
        }
        let line = |fault: Fault| match fault.pointer.as_str() {
            "" => fault.detail,
            pointer => format!("{pointer}: {}", fault.detail),
        };
        faults.into_iter().map(line).collect()
    }

    fn detail(&self) -> String {
        match self {
            Self::MalformedBody(_) => "The request body is not valid JSON.".to_owned(),
            Self::InvalidHeader(_) => "A header is not valid.".to_owned(),
            Self::InvalidQuery(_) => "The query is not valid.".to_owned(),
            Self::InvalidBody(_) => "The request body is not valid.".to_owned(),
            Self::Unauthorized(reason) => reason.to_string(),
            Self::NotFound(what) => format!("There is no such {what}."),
            Self::MethodNotAllowed { .. } => "This path does not have this method.".to_owned(),
            Self::IdempotencyConflict => {
                "The Idempotency-Key was used for a request with another body.".to_owned()
            }
            Self::AttemptUnderWay => {
                "An attempt of this delivery is under way. Ask again when it has a result."
                    .to_owned()
            }
            Self::ContentTooLarge(limit) => format!("The body must have at most {limit} bytes."),
            Self::UnsupportedMediaType => "The Content-Type must be application/json.".to_owned(),
            Self::Encoded => "A body with a Content-Encoding is not read.".to_owned(),
            Self::Overloaded(_) => OVERLOADED.to_owned(),
            Self::Internal(source) if source.is_temporary() => UNAVAILABLE.to_owned(),
            Self::Internal(_) => "The request could not be handled. Try again later.".to_owned(),
        }
    }

    fn errors(&self) -> Option<Vec<Fault>> {
        match self {
            Self::InvalidHeader(faults)
            | Self::InvalidQuery(faults)
            | Self::InvalidBody(faults) => {
                let errors = faults.iter().map(|fault| Fault {
                    pointer: fault.pointer.clone(),
                    detail: fault.message.clone(),
                });
                Some(errors.collect())
            }
            Self::MalformedBody(message) => Some(vec![Fault {
                pointer: String::new(),
                detail: message.clone(),
            }]),
            _ => None,
        }
    }
}

impl ResponseError for OperatorError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MalformedBody(_) | Self::InvalidHeader(_) | Self::InvalidQuery(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::InvalidBody(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::IdempotencyConflict | Self::AttemptUnderWay => StatusCode::CONFLICT,
            Self::ContentTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Overloaded(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(source) if source.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        response.content_type(MEDIA_TYPE);
        match self {
            Self::Unauthorized(_) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, *allow));
            }
            Self::Overloaded(overloaded) => {
                response.insert_header((header::RETRY_AFTER, overloaded.retry_after));
            }
            Self::Internal(source) => {
                if let Some(seconds) = source.retry_after() {
                    response.insert_header((header::RETRY_AFTER, seconds));
                }
                tracing::error!(error = with_causes(source), "request failed");
            }
            _ => {}
        }
        // RFC 9110 renamed two of them.
        let title = match status {
            StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
            StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
            _ => status.canonical_reason().unwrap_or_default(),
        };
        response.json(Problem {
            kind: "about:blank",
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail(),
            errors: self.errors(),
        })
    }
}

/// The bodies of answers that no request of the document could bring about: to a body of more than `limit` bytes, and when the server fails.
pub(crate) fn failures(limit: usize) -> Vec<(u16, Value)> {
    let too_large = format!("The body must have at most {limit} bytes.");
    let failed = "The request could not be handled. Try again later.";
    let body = |status: u16, title: &str, detail: &str| {
        let body =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
        (status, body)
    };
    vec![
        body(413, "Content Too Large", &too_large),
        body(500, "Internal Server Error", failed),
        body(503, "Service Unavailable", UNAVAILABLE),
    ]
}

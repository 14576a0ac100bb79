//! Inbound: the JSON of each way to fail (E-9 to E-13).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

use crate::causes::with_causes;
use crate::http::{BodyFault, Faults};
use crate::storage::StoreError;

/// The message of a 500 and of a 503 (E-69).
const FAILED: &str = "The request could not be handled.";
const UNAVAILABLE: &str = "The request cannot be handled at this moment. Try again later.";

/// Why a request was refused; every error has this body (E-10).
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
// Generated clients have a class of this name, and most languages an `Error` of their own.
#[schema(as = ErrorResponse)]
pub(crate) struct Error {
    /// The HTTP status code of the answer.
    pub(crate) status_code: i32,
    /// The HTTP reason phrase of the status code.
    pub(crate) error: String,
    /// The fault in words, for a human reader.
    pub(crate) message: String,
    /// Every fault that has a place in the request; empty where none has.
    pub(crate) details: Vec<ErrorDetail>,
}

/// One fault and its place in the request.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct ErrorDetail {
    /// The JSON Pointer of the member at fault, empty for the body as a whole, or the bare name of the parameter at fault (E-13).
    pub(crate) pointer: String,
    /// The fault in words, for a human reader.
    pub(crate) message: String,
}

/// Every way in which an operation can fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EqualsError {
    #[error("malformed body")]
    MalformedBody(String),
    #[error("invalid body")]
    InvalidBody(Faults),
    #[error("invalid query")]
    InvalidQuery(Faults),
    #[error("path parameter {0} is not a UUID")]
    InvalidId(&'static str),
    #[error("no Authorization header")]
    NoCredentials,
    #[error("more than one Authorization header")]
    RepeatedCredentials,
    #[error("Authorization has another scheme or no key")]
    OtherScheme,
    #[error("unknown key")]
    UnknownKey,
    #[error("no such webhook")]
    WebhookNotFound,
    #[error("no such event type")]
    EventTypeNotFound,
    #[error("no such path")]
    PathNotFound,
    #[error("method not allowed")]
    MethodNotAllowed { allow: &'static str },
    #[error("body over {0} bytes")]
    PayloadTooLarge(usize),
    #[error("unsupported media type")]
    UnsupportedMediaType,
    #[error("encoded body")]
    Encoded,
    #[error("over the rate limit; again in {0} s")]
    TooManyRequests(u64),
    #[error("internal error")]
    Internal(#[from] StoreError),
}

/// Answers that every operation may give.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum CommonErrors {
    /// The request is malformed.
    #[response(status = 400)]
    BadRequest(Error),
    /// The `Authorization` header is missing or repeated, has another scheme than `ApiKey`, or has an empty key.
    #[response(status = 401)]
    Unauthorized(Error),
    /// The API key is unknown or revoked.
    #[response(status = 403)]
    Forbidden(Error),
    /// The path does not know the method; `Allow` lists those it knows.
    #[response(status = 405, headers(("Allow" = String, description = "The methods that the path knows, separated by commas.")))]
    MethodNotAllowed(Error),
    /// More requests came than the rate limit of the server allows.
    #[response(status = 429, headers(("Retry-After" = u64, description = "The number of seconds to wait before the next request.")))]
    TooManyRequests(Error),
    /// The server failed and says no more about it.
    #[response(status = 500)]
    InternalServerError(Error),
    /// The server cannot store or read anything at this moment; nothing has changed, and the request may be sent again later.
    #[response(status = 503, headers(("Retry-After" = u64, description = "The number of seconds to wait before the next request.")))]
    ServiceUnavailable(Error),
}

/// Answers of operations with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum BodyErrors {
    /// The request body is larger than the server accepts.
    #[response(status = 413)]
    PayloadTooLarge(Error),
    /// The `Content-Type` of the request is missing or is not `application/json`.
    #[response(status = 415)]
    UnsupportedMediaType(Error),
}

/// Answers of operations on one webhook or event type.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum ItemErrors {
    /// There is no such thing, or it belongs to somebody else or to another account than `accountId`.
    #[response(status = 404)]
    NotFound(Error),
}

impl From<BodyFault> for EqualsError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::MediaType => Self::UnsupportedMediaType,
            BodyFault::Encoded => Self::Encoded,
            BodyFault::TooLarge(limit) => Self::PayloadTooLarge(limit),
            BodyFault::Malformed(message) => Self::MalformedBody(message),
        }
    }
}

impl EqualsError {
    fn message(&self) -> String {
        match self {
            Self::MalformedBody(_) => "The request body is not valid JSON.".to_owned(),
            Self::InvalidBody(_) => "The request body is not valid.".to_owned(),
            Self::InvalidQuery(_) => "The query is not valid.".to_owned(),
            Self::InvalidId(_) => "The request is not valid.".to_owned(),
            Self::NoCredentials => "The Authorization header is missing.".to_owned(),
            Self::RepeatedCredentials => {
                "The Authorization header must be sent once only.".to_owned()
            }
            Self::OtherScheme => {
                "The Authorization header must have the form \"ApiKey <key>\".".to_owned()
            }
            Self::UnknownKey => "The API key is not valid.".to_owned(),
            Self::WebhookNotFound => "There is no such webhook.".to_owned(),
            Self::EventTypeNotFound => "There is no such event type.".to_owned(),
            Self::PathNotFound => "There is no such path.".to_owned(),
            Self::MethodNotAllowed { .. } => "This path does not know the method.".to_owned(),
            Self::PayloadTooLarge(limit) => format!("The body must have at most {limit} bytes."),
            Self::UnsupportedMediaType => "The Content-Type must be application/json.".to_owned(),
            Self::Encoded => "A body with a Content-Encoding is not read.".to_owned(),
            Self::TooManyRequests(seconds) => {
                format!("Too many requests; try again in {seconds} s.")
            }
            Self::Internal(source) if source.is_temporary() => UNAVAILABLE.to_owned(),
            Self::Internal(_) => FAILED.to_owned(),
        }
    }

    fn details(&self) -> Vec<ErrorDetail> {
        let detail = |pointer: &str, message: &str| ErrorDetail {
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        };
        match self {
            Self::InvalidBody(faults) | Self::InvalidQuery(faults) => faults
                .iter()
                .map(|fault| detail(&fault.pointer, &fault.message))
                .collect(),
            Self::MalformedBody(message) => vec![detail("", message)],
            Self::InvalidId(parameter) => vec![detail(parameter, "must be a UUID")],
            _ => Vec::new(),
        }
    }
}

impl ResponseError for EqualsError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MalformedBody(_)
            | Self::InvalidBody(_)
            | Self::InvalidQuery(_)
            | Self::InvalidId(_) => StatusCode::BAD_REQUEST,
            Self::NoCredentials | Self::RepeatedCredentials | Self::OtherScheme => {
                StatusCode::UNAUTHORIZED
            }
            Self::UnknownKey => StatusCode::FORBIDDEN,
            Self::WebhookNotFound | Self::EventTypeNotFound | Self::PathNotFound => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            // E-69.
            Self::Internal(source) if source.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        match self {
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, *allow));
            }
            Self::TooManyRequests(seconds) => {
                response.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Self::Internal(source) => {
                if let Some(seconds) = source.retry_after() {
                    response.insert_header((header::RETRY_AFTER, seconds));
                }
                tracing::error!(error = with_causes(source), "request failed");
            }
            _ => {}
        }
        response.json(Error {
            status_code: i32::from(status.as_u16()),
            error: status.canonical_reason().unwrap_or_default().to_owned(),
            message: self.message(),
            details: self.details(),
        })
    }
}

/// The bodies of answers that no request of the document could bring about: to a body of more than `limit` bytes, and when the server fails.
pub(super) fn failures(limit: usize) -> Vec<(u16, Value)> {
    let too_large = format!("The body must have at most {limit} bytes.");
    let body = |status: u16, error: &str, message: &str| {
        let body =
            json!({ "statusCode": status, "error": error, "message": message, "details": [] });
        (status, body)
    };
    vec![
        body(413, "Payload Too Large", &too_large),
        body(500, "Internal Server Error", FAILED),
        body(503, "Service Unavailable", UNAVAILABLE),
    ]
}

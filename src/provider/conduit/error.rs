//! Inbound: the JSON of each way to fail (C-19 to C-22).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

use crate::causes::with_causes;
use crate::http::{BodyFault, Faults};
use crate::storage::StoreError;

/// The message of a 500 and of a 503 (C-72).
const FAILED: &str = "The request could not be handled.";
const UNAVAILABLE: &str = "The request cannot be handled at this moment. Try again later.";

/// The faults of a request (C-19, C-20).
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct BadRequestErrorResponse {
    /// Whether the body or the query is at fault.
    pub(crate) title: String,
    /// The faults, one item each.
    pub(crate) errors: Vec<InputError>,
}

/// One fault.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct InputError {
    /// The fault in words, for a human reader.
    pub(crate) details: String,
    /// A JSON Pointer into the body, empty for the body as a whole, or the bare name of a query parameter.
    pub(crate) pointer: String,
}

/// Why a request failed, for every status but 400 (C-21).
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct ErrorResponse {
    /// The kind of error.
    pub(crate) title: String,
    /// The error in words, for a human reader.
    pub(crate) message: String,
}

/// Every way in which an operation can fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConduitError {
    #[error("invalid body")]
    InvalidBody(Faults),
    #[error("invalid query")]
    InvalidQuery(Faults),
    #[error("authentication failed")]
    Unauthorized,
    #[error("repeated credentials")]
    RepeatedCredentials,
    #[error("no such webhook")]
    WebhookNotFound,
    #[error("no such path")]
    PathNotFound,
    #[error("method not allowed")]
    MethodNotAllowed { allow: &'static str },
    #[error("body over {0} bytes")]
    ContentTooLarge(usize),
    #[error("unsupported media type")]
    UnsupportedMediaType,
    #[error("encoded body")]
    Encoded,
    #[error("internal error")]
    Internal(#[from] StoreError),
}

/// Answers that every operation may give.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum CommonErrors {
    /// Authentication error
    #[response(status = 401)]
    Unauthorized(ErrorResponse),
    /// The path does not have this method
    #[response(status = 405, headers(("Allow" = String, description = "The methods that the path has, separated by commas.")))]
    MethodNotAllowed(ErrorResponse),
    /// The server failed and says no more about it
    #[response(status = 500)]
    InternalServerError(ErrorResponse),
    /// The server cannot store or read anything at this moment; nothing has changed, and the request may be sent again later
    #[response(status = 503, headers(("Retry-After" = u64, description = "The number of seconds to wait before the request is sent again.")))]
    ServiceUnavailable(ErrorResponse),
}

/// Answers of operations with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum BodyErrors {
    /// Input validation error
    #[response(status = 400)]
    BadRequest(BadRequestErrorResponse),
    /// The body is larger than the server reads
    #[response(status = 413)]
    ContentTooLarge(ErrorResponse),
    /// The body is said to be something other than JSON
    #[response(status = 415)]
    UnsupportedMediaType(ErrorResponse),
}

/// Answers of operations with query parameters.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum QueryErrors {
    /// Input validation error
    #[response(status = 400)]
    BadRequest(BadRequestErrorResponse),
}

/// Answers of operations on one webhook.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum WebhookErrors {
    /// The caller has no webhook with this id
    #[response(status = 404)]
    NotFound(ErrorResponse),
}

impl From<BodyFault> for ConduitError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::MediaType => Self::UnsupportedMediaType,
            BodyFault::Encoded => Self::Encoded,
            BodyFault::TooLarge(limit) => Self::ContentTooLarge(limit),
            BodyFault::Malformed(message) => {
                let mut faults = Faults::default();
                faults.add("", message);
                Self::InvalidBody(faults)
            }
        }
    }
}

impl ResponseError for ConduitError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidBody(_) | Self::InvalidQuery(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::RepeatedCredentials => StatusCode::UNAUTHORIZED,
            Self::WebhookNotFound | Self::PathNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            // C-72.
            Self::Internal(source) if source.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::InvalidBody(faults) => {
                bad_request(&mut response, "Request body validation failed", faults)
            }
            Self::InvalidQuery(faults) => {
                bad_request(&mut response, "Request query validation failed", faults)
            }
            Self::Unauthorized => error(
                &mut response,
                "Authentication error",
                "The API key or its secret is missing or wrong.".to_owned(),
            ),
            Self::RepeatedCredentials => error(
                &mut response,
                "Authentication error",
                "The headers X-API-Key and X-API-Secret must be sent once only.".to_owned(),
            ),
            Self::WebhookNotFound => error(
                &mut response,
                "Webhook not found",
                "There is no webhook with this id.".to_owned(),
            ),
            Self::PathNotFound => error(
                &mut response,
                "Not Found",
                "The API has no such path.".to_owned(),
            ),
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, *allow));
                error(
                    &mut response,
                    "Method Not Allowed",
                    "This path does not have this method.".to_owned(),
                )
            }
            Self::ContentTooLarge(limit) => error(
                &mut response,
                "Payload Too Large",
                format!("The body must have at most {limit} bytes."),
            ),
            Self::UnsupportedMediaType => error(
                &mut response,
                "Unsupported Media Type",
                "The Content-Type must be application/json.".to_owned(),
            ),
            Self::Encoded => error(
                &mut response,
                "Unsupported Media Type",
                "A body with a Content-Encoding is not read.".to_owned(),
            ),
            Self::Internal(source) => {
                tracing::error!(error = with_causes(source), "request failed");
                if let Some(seconds) = source.retry_after() {
                    response.insert_header((header::RETRY_AFTER, seconds));
                    error(&mut response, "Service Unavailable", UNAVAILABLE.to_owned())
                } else {
                    error(&mut response, "Internal Server Error", FAILED.to_owned())
                }
            }
        }
    }
}

fn bad_request(response: &mut HttpResponseBuilder, title: &str, faults: &Faults) -> HttpResponse {
    let errors = faults
        .iter()
        .map(|fault| InputError {
            details: sentence(&fault.message),
            pointer: fault.pointer.clone(),
        })
        .collect();
    response.json(BadRequestErrorResponse {
        title: title.to_owned(),
        errors,
    })
}

fn error(response: &mut HttpResponseBuilder, title: &str, message: String) -> HttpResponse {
    response.json(ErrorResponse {
        title: title.to_owned(),
        message,
    })
}

/// A fragment as a sentence: `must be a string` as `Must be a string.`
fn sentence(fragment: &str) -> String {
    let mut characters = fragment.chars();
    characters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), characters.as_str())
    })
}

/// The bodies of answers that no request of the document could bring about: to a body of more than `limit` bytes, and when the server fails.
pub(super) fn failures(limit: usize) -> Vec<(u16, Value)> {
    let too_large = format!("The body must have at most {limit} bytes.");
    vec![
        (
            413,
            json!({ "title": "Payload Too Large", "message": too_large }),
        ),
        (
            500,
            json!({ "title": "Internal Server Error", "message": FAILED }),
        ),
        (
            503,
            json!({ "title": "Service Unavailable", "message": UNAVAILABLE }),
        ),
    ]
}

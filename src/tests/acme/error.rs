//! Inbound: the JSON of each way to fail.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::http::{BodyFault, Faults};
use crate::storage::StoreError;

/// Why a request was refused.
#[derive(Serialize, ToSchema, JsonSchema)]
pub(crate) struct Problem {
    /// The fault in words.
    message: String,
    /// The places of the faults in the request.
    places: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeError {
    #[error("the request is not valid")]
    Invalid(Vec<String>),
    #[error("the token is missing or not known")]
    Unauthorized,
    #[error("there is no such webhook")]
    NotFound,
    #[error("the path does not have this method")]
    MethodNotAllowed(&'static str),
    #[error("the server failed")]
    Internal(#[from] StoreError),
}

/// Answers that every operation may give.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum CommonErrors {
    /// The token is missing or not known
    #[response(status = 401)]
    Unauthorized(Problem),
    /// The path does not have this method
    #[response(status = 405)]
    MethodNotAllowed(Problem),
    /// The server failed
    #[response(status = 500)]
    Internal(Problem),
}

impl From<Faults> for AcmeError {
    fn from(faults: Faults) -> Self {
        Self::Invalid(faults.iter().map(|fault| fault.pointer.clone()).collect())
    }
}

impl From<BodyFault> for AcmeError {
    fn from(_: BodyFault) -> Self {
        Self::Invalid(vec![String::new()])
    }
}

impl ResponseError for AcmeError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let places = match self {
            Self::Invalid(places) => places.clone(),
            _ => Vec::new(),
        };
        let message = self.to_string();
        let mut answer = HttpResponse::build(self.status_code());
        if let Self::MethodNotAllowed(allow) = self {
            answer.insert_header(("Allow", *allow));
        }
        answer.json(Problem { message, places })
    }
}

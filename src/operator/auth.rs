//! Who calls, by `Authorization: Bearer <key>`.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use super::State;
use super::error::OperatorError;
use crate::domain::Provider;

const SANDBOX_KEY: &str = "sandbox-operator";

/// The caller of an operation, whose key is right.
pub(super) struct Operator {
    /// The id of the key, which idempotency keys are scoped to.
    pub(super) key_id: String,
}

impl FromRequest for Operator {
    type Error = OperatorError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = request
            .headers()
            .get(header::AUTHORIZATION)
            .map(|value| value.as_bytes().to_vec());
        let state = request.app_data::<web::Data<State>>().cloned();
        Box::pin(async move {
            let state = state.expect("the server gives every API its state");
            // Whatever is wrong, the answer is the same.
            let authorization = authorization.ok_or(OperatorError::Unauthorized)?;
            let key = key(&authorization).ok_or(OperatorError::Unauthorized)?;
            if state.context.sandbox && key == SANDBOX_KEY.as_bytes() {
                let key_id = "sandbox".to_owned();
                return Ok(Self { key_id });
            }
            let found = state.context.active_key(Provider::Operator, key).await?;
            let key_id = found.ok_or(OperatorError::Unauthorized)?.id;
            Ok(Self { key_id })
        })
    }
}

/// The key behind the scheme word, which may stand in any case (RFC 9110, 11.1).
fn key(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = authorization.split_at_checked("Bearer ".len())?;
    let key = key.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stands_behind_the_scheme_word() {
        for header in ["Bearer k", "bearer k", "BEARER  k "] {
            assert_eq!(key(header.as_bytes()), Some(b"k".as_slice()), "{header}");
        }
        for header in [
            "", "Bearer", "Bearer ", "Bearer  ", "ApiKey k", "Bearerk", "k",
        ] {
            assert_eq!(key(header.as_bytes()), None, "{header}");
        }
    }
}

//! Authentication by `Authorization: Bearer <key>`.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::{OperatorError, Unauthorized};
use super::{State, openapi};
use crate::domain::ProviderName;
use crate::http::{Credential, credential};
use crate::storage::StoreError;

/// The key that a sandbox knows.
pub(crate) const SANDBOX_KEY: &str = "sandbox-operator";

/// The credentials of sandbox mode, by the security schemes of the document.
pub(crate) const SANDBOX_CREDENTIALS: &[(&str, &str)] = &[("Operator", SANDBOX_KEY)];

/// The caller of an operation, whose key is right and who sends no query parameter that the operation does not have.
pub(super) struct Operator {
    /// The id of the key, which idempotency keys are scoped to.
    pub(super) key_id: String,
}

impl FromRequest for Operator {
    type Error = OperatorError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = credential(request, header::AUTHORIZATION);
        let state = request.app_data::<web::Data<State>>().cloned();
        let state = state.expect("the server gives every API its state");
        let parameters = openapi::known_parameters(&state.document, request);
        Box::pin(async move {
            let authorization = match authorization {
                Credential::Given(value) => value,
                Credential::Missing => return Err(Unauthorized::NoHeader.into()),
                Credential::Repeated => return Err(Unauthorized::Repeated.into()),
            };
            let key = key(&authorization).ok_or(Unauthorized::OtherScheme)?;
            let key_id = authenticate(&state, key)
                .await?
                .ok_or(Unauthorized::UnknownKey)?;
            parameters.map_err(OperatorError::InvalidQuery)?;
            Ok(Self { key_id })
        })
    }
}

/// The id of an active key.
pub(crate) async fn authenticate(state: &State, key: &[u8]) -> Result<Option<String>, StoreError> {
    if state.context.sandbox && key == SANDBOX_KEY.as_bytes() {
        return Ok(Some("sandbox".to_owned()));
    }
    let found = state
        .context
        .active_key(ProviderName::OPERATOR, key)
        .await?;
    Ok(found.map(|key| key.id))
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

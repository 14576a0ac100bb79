//! Inbound: who calls, by `Authorization: ApiKey <key>` (source page, "Sample request").

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::EqualsError;
use super::{NAME, SANDBOX_OWNER, State};
use crate::http::{Credential, credential};
use crate::provider::{Caller, SANDBOX_KEY};

/// The credentials of sandbox mode, by the security schemes of the document.
pub(super) const SANDBOX_CREDENTIALS: &[(&str, &str)] = &[("CommonAuth", "ApiKey sandbox-key")];

/// The caller of an operation, whose key is right and has requests left.
pub(super) struct EqualsCaller(pub(super) Caller);

impl FromRequest for EqualsCaller {
    type Error = EqualsError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = credential(request, header::AUTHORIZATION);
        let state = request.app_data::<web::Data<State>>().cloned();
        Box::pin(async move {
            let state = state.expect("the server gives every API its state");
            let authorization = match authorization {
                Credential::Given(value) => value,
                Credential::Missing => return Err(EqualsError::NoCredentials),
                // E-68.
                Credential::Repeated => return Err(EqualsError::RepeatedCredentials),
            };
            let key = key(&authorization).ok_or(EqualsError::OtherScheme)?;
            let (key_id, owner) = owner(&state, key).await?.ok_or(EqualsError::UnknownKey)?;
            if let Some(limit) = &state.rate_limit {
                limit.count(&key_id).map_err(EqualsError::TooManyRequests)?;
            }
            Ok(Self(Caller { owner }))
        })
    }
}

/// The key behind the scheme word, which may stand in any case (E-3, E-5).
fn key(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = authorization.split_at_checked("ApiKey ".len())?;
    let key = key.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"ApiKey ") && !key.is_empty()).then_some(key)
}

/// The id and the owner of an active key.
async fn owner(state: &State, key: &[u8]) -> Result<Option<(String, String)>, EqualsError> {
    if state.context.sandbox && key == SANDBOX_KEY.as_bytes() {
        return Ok(Some(("sandbox".to_owned(), SANDBOX_OWNER.to_owned())));
    }
    let found = state.context.active_key(NAME, key).await?;
    Ok(found.map(|key| (key.id, key.owner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stands_behind_the_scheme_word() {
        for header in ["ApiKey k", "apikey k", "APIKEY  k "] {
            assert_eq!(key(header.as_bytes()), Some(b"k".as_slice()), "{header}");
        }
        for header in [
            "",
            "ApiKey",
            "ApiKey ",
            "ApiKey  ",
            "Bearer k",
            "ApiKeyk",
            "k",
            "Basic ApiKey k",
        ] {
            assert_eq!(key(header.as_bytes()), None, "{header}");
        }
    }
}

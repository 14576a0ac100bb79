//! Inbound: who calls, by `X-API-Key` and `X-API-Secret` together (source page, "Authorizations").

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::ConduitError;
use super::{NAME, SANDBOX_OWNER, State};
use crate::domain::Fingerprint;
use crate::http::{Credential, credential};
use crate::provider::{Caller, Context, SANDBOX_KEY, SANDBOX_SECRET};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");
const SECRET_HEADER: HeaderName = HeaderName::from_static("x-api-secret");

/// The credentials of sandbox mode, by the security schemes of the document.
pub(super) const SANDBOX_CREDENTIALS: &[(&str, &str)] =
    &[("ApiKey", SANDBOX_KEY), ("ApiSecret", SANDBOX_SECRET)];

/// The caller of a Conduit operation, whose credentials are right.
pub(super) struct ConduitCaller(pub(super) Caller);

impl FromRequest for ConduitCaller {
    type Error = ConduitError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let credentials = (
            credential(request, KEY_HEADER),
            credential(request, SECRET_HEADER),
        );
        let state = request.app_data::<web::Data<State>>().cloned();
        Box::pin(async move {
            let state = state.expect("the server gives every API its state");
            let (key, secret) = match credentials {
                (Credential::Given(key), Credential::Given(secret)) => (key, secret),
                // C-71: said whatever the two are, so nothing is told of the key.
                (Credential::Repeated, _) | (_, Credential::Repeated) => {
                    return Err(ConduitError::RepeatedCredentials);
                }
                // C-3: whatever else is wrong, the answer is the same.
                _ => return Err(ConduitError::Unauthorized),
            };
            let owner = owner(&state.context, &key, &secret)
                .await?
                .ok_or(ConduitError::Unauthorized)?;
            Ok(Self(Caller { owner }))
        })
    }
}

async fn owner(
    context: &Context,
    key: &[u8],
    secret: &[u8],
) -> Result<Option<String>, ConduitError> {
    let given = Fingerprint::of(secret);
    if context.sandbox && key == SANDBOX_KEY.as_bytes() {
        return Ok(
            (given == Fingerprint::of(SANDBOX_SECRET.as_bytes())).then(|| SANDBOX_OWNER.to_owned())
        );
    }
    let found = context.active_key(NAME, key).await?;
    Ok(found
        .filter(|key| key.secret == Some(given))
        .map(|key| key.owner))
}

//! Inbound: who calls, by `X-API-Key` and `X-API-Secret` together (source page, "Authorizations").

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::ConduitError;
use crate::domain::{Fingerprint, Provider};
use crate::http::{Credential, credential};
use crate::provider::{Caller, Context};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");
const SECRET_HEADER: HeaderName = HeaderName::from_static("x-api-secret");

const SANDBOX_KEY: &str = "sandbox-key";
const SANDBOX_SECRET: &str = "sandbox-secret";
const SANDBOX_CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";

/// What opens the API in sandbox mode, by the security schemes of its document.
pub(crate) const SANDBOX_CREDENTIALS: &[(&str, &str)] =
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
        let context = request.app_data::<web::Data<Context>>().cloned();
        Box::pin(async move {
            let context = context.expect("the server gives every API its context");
            // C-3: whatever is wrong, the answer is the same.
            let (Credential::Given(key), Credential::Given(secret)) = credentials else {
                return Err(ConduitError::Unauthorized);
            };
            let owner = owner(&context, &key, &secret)
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
        return Ok((given == Fingerprint::of(SANDBOX_SECRET.as_bytes()))
            .then(|| SANDBOX_CLIENT.to_owned()));
    }
    let found = context.active_key(Provider::Conduit, key).await?;
    Ok(found
        .filter(|key| key.secret == Some(given))
        .map(|key| key.owner))
}

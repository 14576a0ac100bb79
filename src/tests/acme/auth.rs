//! Inbound: who calls, by `Acme-Token`.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::AcmeError;
use super::{NAME, SANDBOX_OWNER, State};
use crate::http::{Credential, credential};
use crate::provider::{Caller, SANDBOX_KEY};

pub(super) struct AcmeCaller(pub(super) Caller);

impl FromRequest for AcmeCaller {
    type Error = AcmeError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = credential(request, HeaderName::from_static("acme-token"));
        let state = request.app_data::<web::Data<State>>().cloned();
        Box::pin(async move {
            let state = state.expect("the server gives every API its state");
            let Credential::Given(token) = token else {
                return Err(AcmeError::Unauthorized);
            };
            if state.context.sandbox && token == SANDBOX_KEY.as_bytes() {
                let owner = SANDBOX_OWNER.to_owned();
                return Ok(Self(Caller { owner }));
            }
            let key = state.context.active_key(NAME, &token).await?;
            let owner = key.ok_or(AcmeError::Unauthorized)?.owner;
            Ok(Self(Caller { owner }))
        })
    }
}

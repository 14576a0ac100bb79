//! Conduit API 2024-12-01. Decisions C-n stand in the source document `openapi/conduit.yaml` beside what they decide.
//!
//! Inbound, the API we serve: `auth`, `bodies`, `handlers`, `models`, `error`, `cursor`; seen from a client: `registration`.
//! Outbound, the webhooks we send: `outbound`, which answers for the others, `catalogue`, `notifications`, `payload`, `signature`, `retry`.
//! Both: `openapi`, the emitted document.

mod auth;
mod bodies;
mod catalogue;
mod cursor;
mod error;
mod handlers;
mod models;
mod notifications;
mod openapi;
mod outbound;
mod payload;
mod recent_bodies;
mod registration;
mod retry;
mod signature;
#[cfg(test)]
mod wire_types;

use std::sync::Arc;

use actix_web::web;
use jiff::Timestamp;
use serde_json::Value;

use self::bodies::Bodies;
use self::outbound::ConduitOutbound;
use super::{
    Addressing, Api, Context, InvalidOwner, InvalidSetting, KeyIssuer, OwnerMember, Provider,
    Registration, Settings, Wanted,
};
use crate::domain::{ProviderName, Secret, ksuid};
use crate::entropy;

/// The name of this provider.
pub(crate) const NAME: ProviderName = ProviderName::new("conduit");

/// Conduit, as the table of providers has it.
pub(crate) struct Conduit;

/// The owner of the credentials that sandbox mode knows.
const SANDBOX_OWNER: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";

/// The state that the operations share.
struct State {
    context: Context,
    bodies: Arc<Bodies>,
}

impl KeyIssuer for Conduit {
    fn name(&self) -> ProviderName {
        NAME
    }

    fn key_owner(&self, wanted: Option<String>, now: Timestamp) -> Result<String, InvalidOwner> {
        let Some(owner) = wanted else {
            return Ok(ksuid("client_", now, entropy::bytes()));
        };
        let rest = owner.strip_prefix("client_").unwrap_or_default();
        let well_formed = rest.len() == 27 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if well_formed {
            Ok(owner)
        } else {
            let message = "must be client_ and 27 letters or digits";
            Err(InvalidOwner(message.to_owned()))
        }
    }

    fn key_has_secret(&self) -> bool {
        true
    }

    fn key_headers(&self, key: &Secret, secret: &Secret) -> Vec<(&'static str, Secret)> {
        vec![("X-API-Key", key.clone()), ("X-API-Secret", secret.clone())]
    }
}

impl Provider for Conduit {
    fn title(&self) -> &'static str {
        "Conduit"
    }

    fn addressing(&self) -> Addressing {
        Addressing {
            owner: OwnerMember::ClientId,
            owner_is_required: true,
            has_accounts: false,
        }
    }

    fn sandbox_credentials(&self) -> &'static [(&'static str, &'static str)] {
        auth::SANDBOX_CREDENTIALS
    }

    fn failures(&self, limit: usize) -> Vec<(u16, Value)> {
        error::failures(limit)
    }

    fn sandbox_owner(&self) -> &'static str {
        SANDBOX_OWNER
    }

    fn webhooks_path(&self) -> &'static str {
        "/webhooks"
    }

    fn registrations(&self, wanted: &Wanted<'_>) -> Vec<Registration> {
        registration::registrations(wanted)
    }

    fn event_type_pointer(&self) -> &'static str {
        "/event"
    }

    fn document(&self) -> Value {
        openapi::emit()
    }

    #[cfg(test)]
    fn wire_types(&self) -> Vec<crate::tests::schemas::WireType> {
        wire_types::wire_types()
    }

    fn build(&self, _: &Settings) -> Result<Api, InvalidSetting> {
        let document = self.document();
        let bodies = Arc::new(Bodies::compile(&document));
        Ok(Api {
            outbound: Box::new(ConduitOutbound::new(&document)),
            mount: Box::new(move |context| {
                let bodies = bodies.clone();
                let state = web::Data::new(State { context, bodies });
                Arc::new(move |config: &mut web::ServiceConfig| {
                    config.app_data(state.clone()).configure(handlers::routes);
                })
            }),
            document: Arc::new(document),
        })
    }
}

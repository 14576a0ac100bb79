//! A third provider, as CONTRIBUTING says how to add one: this folder, its source document in it, and its line in [`TABLE`].
//!
//! Inbound: `auth`, `error`, `handlers`, `models`. Outbound: `outbound`. Both: `openapi`, the emitted document. `checks` holds a server
//! with it to what every provider has to pass; nothing outside of this folder knows it.

mod auth;
mod checks;
mod error;
mod handlers;
mod models;
mod openapi;
mod outbound;

use std::sync::Arc;

use actix_web::web;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use self::outbound::AcmeOutbound;
use super::schemas::{WireType, answer, request};
use crate::domain::{ProviderName, Secret};
use crate::entropy;
use crate::http::RequestSchema;
use crate::provider::{
    Addressing, Api, Context, InvalidOwner, InvalidSetting, KeyIssuer, OwnerMember, PROVIDERS,
    Provider, Registration, Settings, Wanted,
};

const NAME: ProviderName = ProviderName::new("acme");
const SANDBOX_OWNER: &str = "5d3e9a10-7c4b-4f0e-9a53-2f6f0f6a8d11";

/// The providers of the program, and this one.
fn table() -> Vec<&'static dyn Provider> {
    [PROVIDERS, &[&Acme]].concat()
}

struct Acme;

/// The state that the operations need.
struct State {
    context: Context,
    create: Arc<RequestSchema>,
}

impl KeyIssuer for Acme {
    fn name(&self) -> ProviderName {
        NAME
    }

    fn key_owner(&self, wanted: Option<String>, _: Timestamp) -> Result<String, InvalidOwner> {
        match wanted {
            None => Ok(entropy::uuid().to_string()),
            Some(owner) => match Uuid::try_parse(&owner) {
                Ok(owner) => Ok(owner.to_string()),
                Err(_) => Err(InvalidOwner("must be a UUID".to_owned())),
            },
        }
    }

    fn key_has_secret(&self) -> bool {
        false
    }

    fn key_headers(&self, key: &Secret, _: &Secret) -> Vec<(&'static str, Secret)> {
        vec![("Acme-Token", key.clone())]
    }
}

impl Provider for Acme {
    fn title(&self) -> &'static str {
        "Acme"
    }

    fn addressing(&self) -> Addressing {
        Addressing {
            owner: OwnerMember::ProductId,
            owner_is_required: true,
            has_accounts: false,
        }
    }

    fn sandbox_credentials(&self) -> &'static [(&'static str, &'static str)] {
        &[("Token", "sandbox-key")]
    }

    fn failures(&self, _: usize) -> Vec<(u16, Value)> {
        Vec::new()
    }

    fn sandbox_owner(&self) -> &'static str {
        SANDBOX_OWNER
    }

    fn webhooks_path(&self) -> &'static str {
        "/webhooks"
    }

    fn registrations(&self, wanted: &Wanted<'_>) -> Vec<Registration> {
        let name = NAME.to_string();
        let body = json!({ "url": format!("{}/{name}", wanted.url), "events": wanted.event_types });
        vec![Registration {
            name,
            event_types: wanted.event_types.to_vec(),
            body,
            key: None,
        }]
    }

    fn event_type_pointer(&self) -> &'static str {
        "/event"
    }

    fn document(&self) -> Value {
        openapi::emit()
    }

    fn wire_types(&self) -> Vec<WireType> {
        let id = "25d5b682-7449-4d07-b6fc-7c9bf1239561";
        let webhook = json!({ "id": id, "url": "https://example.com", "events": ["parcel.sent"], "secret": "s" });
        vec![
            request::<models::CreateWebhook>(
                "CreateWebhook",
                json!({ "url": "https://example.com", "events": ["parcel.sent"] }),
            ),
            answer::<models::Webhook>("Webhook", webhook),
            answer::<error::Problem>("Problem", json!({ "message": "m", "places": ["/url"] })),
            request::<models::Delivery>(
                "Delivery",
                json!({ "id": id, "event": "parcel.sent", "data": { "parcel": "p", "weight": 1 } }),
            ),
        ]
    }

    fn build(&self, _: &Settings) -> Result<Api, InvalidSetting> {
        let document = self.document();
        let create = Arc::new(RequestSchema::compile(&document, "CreateWebhook", &[]));
        Ok(Api {
            outbound: Box::new(AcmeOutbound::new(&document)),
            mount: Box::new(move |context| {
                let create = create.clone();
                let state = web::Data::new(State { context, create });
                Arc::new(move |config: &mut web::ServiceConfig| {
                    config.app_data(state.clone()).configure(handlers::routes);
                })
            }),
            document: Arc::new(document),
        })
    }
}

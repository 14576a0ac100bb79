//! Equals Money webhooks API v2. Decisions E-n stand in the source document `openapi/equals-money.yaml` beside what they decide.
//!
//! Inbound, the API we serve: `auth`, `bodies`, `handlers`, `models`, `error`, and `rate_limit` (E-8); seen from a client: `registration`.
//! Outbound, the webhooks we send: `outbound`, which answers for the others, `notifications`, `payload`, `signature`, `retry`.
//! Both: `catalogue`, the event types that we list and send, and `openapi`, the emitted document.

mod auth;
mod bodies;
mod catalogue;
mod error;
mod handlers;
mod models;
mod notifications;
mod openapi;
mod outbound;
mod payload;
mod rate_limit;
mod registration;
mod retry;
mod signature;
#[cfg(test)]
mod wire_types;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::web;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use self::bodies::Bodies;
use self::models::WebhookEventTypeName;
use self::outbound::EqualsMoneyOutbound;
use self::rate_limit::RateLimit;
use super::{
    Addressing, Api, Context, InvalidOwner, InvalidSetting, KeyIssuer, OwnerMember, Provider,
    Registration, Setting, Settings, Wanted,
};
use crate::domain::{ProviderName, Secret};
use crate::entropy;

/// The name of this provider.
pub(crate) const NAME: ProviderName = ProviderName::new("equals-money");

/// Equals Money, as the table of providers has it.
pub(crate) struct EqualsMoney;

/// E-8.
const RATE_LIMIT: Setting = Setting {
    flag: "equals-money-rate-limit",
    variable: "TRUEHOOK_EQUALS_MONEY_RATE_LIMIT",
    value_name: "REQUESTS",
    help: "Requests a second that each Equals Money key may make before it is answered 429 [default: no limit]",
    is_list: false,
};

/// E-45.
const DISABLED_EVENT_TYPES: Setting = Setting {
    flag: "equals-money-disabled-event-types",
    variable: "TRUEHOOK_EQUALS_MONEY_DISABLED_EVENT_TYPES",
    value_name: "NAMES",
    help: "Equals Money event types that are listed as not enabled, separated by commas [default: none]",
    is_list: true,
};

/// The owner of the credentials that sandbox mode knows.
const SANDBOX_OWNER: &str = "911db6db-ef58-4992-87cd-2fe2cfde05f9";

/// The state that the operations share.
struct State {
    context: Context,
    bodies: Arc<Bodies>,
    rate_limit: Option<RateLimit>,
    disabled: HashSet<WebhookEventTypeName>,
}

impl KeyIssuer for EqualsMoney {
    fn name(&self) -> ProviderName {
        NAME
    }

    fn key_owner(&self, wanted: Option<String>, _: Timestamp) -> Result<String, InvalidOwner> {
        let product = match wanted {
            None => entropy::uuid(),
            Some(owner) => {
                Uuid::try_parse(&owner).map_err(|_| InvalidOwner("must be a UUID".to_owned()))?
            }
        };
        Ok(product.to_string())
    }

    fn key_has_secret(&self) -> bool {
        false
    }

    fn key_headers(&self, key: &Secret, _: &Secret) -> Vec<(&'static str, Secret)> {
        let value = format!("ApiKey {}", key.expose());
        vec![("Authorization", Secret::new(value))]
    }
}

impl Provider for EqualsMoney {
    fn title(&self) -> &'static str {
        "Equals Money"
    }

    fn addressing(&self) -> Addressing {
        Addressing {
            owner: OwnerMember::ProductId,
            owner_is_required: false,
            has_accounts: true,
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
        "/v2/webhooks"
    }

    fn registrations(&self, wanted: &Wanted<'_>) -> Vec<Registration> {
        registration::registrations(wanted)
    }

    fn event_type_pointer(&self) -> &'static str {
        "/body/webhookEventTypeName"
    }

    fn document(&self) -> Value {
        openapi::emit()
    }

    #[cfg(test)]
    fn wire_types(&self) -> Vec<crate::tests::schemas::WireType> {
        wire_types::wire_types()
    }

    fn settings(&self) -> &'static [Setting] {
        &[RATE_LIMIT, DISABLED_EVENT_TYPES]
    }

    fn check_settings(&self, settings: &Settings) -> Result<(), InvalidSetting> {
        rate_limit(settings)?;
        disabled(settings)?;
        Ok(())
    }

    fn build(&self, settings: &Settings) -> Result<Api, InvalidSetting> {
        let disabled = disabled(settings)?;
        let rate_limit = rate_limit(settings)?;
        let document = self.document();
        let bodies = Arc::new(Bodies::compile(&document));
        Ok(Api {
            outbound: Box::new(EqualsMoneyOutbound::new(&document)),
            mount: Box::new(move |context| {
                let state = web::Data::new(State {
                    context,
                    bodies: bodies.clone(),
                    rate_limit: rate_limit.map(RateLimit::new),
                    disabled: disabled.clone(),
                });
                Arc::new(move |config: &mut web::ServiceConfig| {
                    config.app_data(state.clone()).configure(handlers::routes);
                })
            }),
            document: Arc::new(document),
        })
    }
}

/// How many requests a second each key may make.
fn rate_limit(settings: &Settings) -> Result<Option<NonZeroU32>, InvalidSetting> {
    let read = |text: &str| {
        let wrong = |_| InvalidSetting::new(&RATE_LIMIT, text, "must be a whole number from 1");
        text.parse().map_err(wrong)
    };
    settings.one(&RATE_LIMIT).map(read).transpose()
}

/// The event types that are listed as not enabled.
fn disabled(settings: &Settings) -> Result<HashSet<WebhookEventTypeName>, InvalidSetting> {
    let find = |name: &String| {
        let unknown = || {
            let reason = "not an event type of Equals Money; GET /equals-money/v2/webhooks/event-types lists them";
            InvalidSetting::new(&DISABLED_EVENT_TYPES, name, reason)
        };
        let entry = catalogue::by_name(name).ok_or_else(unknown)?;
        Ok(entry.name)
    };
    settings
        .all(&DISABLED_EVENT_TYPES)
        .iter()
        .map(find)
        .collect()
}

/// Whether the catalogue has an event type with this id.
#[cfg(test)]
pub(crate) fn is_event_type(id: uuid::Uuid) -> bool {
    catalogue::by_id(id).is_some()
}

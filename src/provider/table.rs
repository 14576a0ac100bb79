//! The providers of a server: a table of them with what each has built.

use std::sync::Arc;

use super::{Api, InvalidSetting, Outbound, Provider, Settings};
use crate::domain::ProviderName;
use crate::near::nearest;

/// The providers of a server, each built once. Clones share what was built.
#[derive(Clone)]
pub(crate) struct Providers(Arc<[Built]>);

/// A provider with its document, webhooks and routes.
pub(crate) struct Built {
    /// The provider.
    pub(crate) provider: &'static dyn Provider,
    /// Its document, webhooks and routes.
    pub(crate) api: Api,
}

impl Providers {
    /// Builds every provider of `table`.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting has a value that makes no sense.
    pub(crate) fn build(
        table: &[&'static dyn Provider],
        settings: &Settings,
    ) -> Result<Self, InvalidSetting> {
        let build = |provider: &&'static dyn Provider| {
            let api = provider.build(settings)?;
            Ok(Built {
                provider: *provider,
                api,
            })
        };
        table.iter().map(build).collect::<Result<_, _>>().map(Self)
    }

    /// Every provider, in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Built> {
        self.0.iter()
    }

    /// The table that this was built of.
    pub(crate) fn table(&self) -> Vec<&'static dyn Provider> {
        self.iter().map(|built| built.provider).collect()
    }

    /// The names of the providers, in the order of the table.
    pub(crate) fn names(&self) -> impl Iterator<Item = ProviderName> {
        self.iter().map(|built| built.provider.name())
    }

    /// The provider of this name.
    pub(crate) fn get(&self, name: ProviderName) -> Option<&Built> {
        self.iter().find(|built| built.provider.name() == name)
    }

    /// The webhooks that the provider of this name sends.
    pub(crate) fn outbound(&self, name: ProviderName) -> Option<&dyn Outbound> {
        self.get(name).map(|built| &*built.api.outbound)
    }

    /// Checks that a provider has this event type. A filter that is mistyped must not pass for one that matches nothing.
    ///
    /// # Errors
    /// [`UnknownEventType`] when none has it.
    pub(crate) fn check_event_type(&self, event_type: &str) -> Result<(), UnknownEventType> {
        let mut all = self.iter().map(|built| &built.api.outbound);
        if all.any(|outbound| outbound.audience(event_type).is_some()) {
            return Ok(());
        }
        let known: Vec<String> = self
            .iter()
            .flat_map(|built| built.api.outbound.event_types())
            .collect();
        let near = nearest(event_type, known.iter().map(String::as_str));
        Err(UnknownEventType {
            near: near.map(str::to_owned),
        })
    }
}

/// No provider has an event type of this name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownEventType {
    /// The event type that was most likely meant.
    pub(crate) near: Option<String>,
}

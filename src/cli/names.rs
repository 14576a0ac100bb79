//! The names of providers and APIs as arguments. The accepted names are those in the table of providers.

use std::sync::LazyLock;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::ProviderName;
use crate::provider::{OwnerMember, PROVIDERS, Provider};

/// Providers in the order of the table, then the operator API. clap wants text that lives as long as the program.
static NAMES: LazyLock<Vec<ProviderName>> = LazyLock::new(|| {
    let providers = PROVIDERS.iter().map(|provider| provider.name());
    providers.chain([ProviderName::OPERATOR]).collect()
});

/// Reads the name of a provider.
pub(super) fn provider() -> impl TypedValueParser<Value = &'static dyn Provider> {
    let names = NAMES.iter().take(PROVIDERS.len());
    PossibleValuesParser::new(names.map(ProviderName::as_str)).map(|text| {
        let mut providers = PROVIDERS.iter();
        let found = providers.find(|provider| provider.name().as_str() == text);
        *found.expect("clap takes names of the table only")
    })
}

/// Reads the name of a provider, as a name.
pub(super) fn provider_name() -> impl TypedValueParser<Value = ProviderName> {
    provider().map(|provider| provider.name())
}

/// The names for people of the providers that have something, as help of options has them.
pub(super) fn titles(has: impl Fn(&dyn Provider) -> bool) -> String {
    let having = PROVIDERS.iter().filter(|provider| has(**provider));
    let titles: Vec<&str> = having.map(|provider| provider.title()).collect();
    titles.join(", ")
}

/// Those that have accounts.
pub(super) fn with_accounts() -> String {
    titles(|provider| provider.addressing().has_accounts)
}

/// Those whose webhooks belong to this.
pub(super) fn owned_by(owner: OwnerMember) -> String {
    titles(|provider| provider.addressing().owner == owner)
}

/// Reads the name of an API: a provider's or our own.
pub(super) fn api() -> impl TypedValueParser<Value = ProviderName> {
    PossibleValuesParser::new(NAMES.iter().map(ProviderName::as_str))
        .map(|text| text.parse().expect("clap takes names of the table only"))
}

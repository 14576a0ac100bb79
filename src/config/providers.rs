//! The settings of providers as flags, variables and keys of the file: the table of providers says which there are.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde::Deserialize;

use crate::provider::{PROVIDERS, Setting, Settings};

/// The values of settings of providers that were given in one place.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, toml::Value>")]
pub struct ProviderSettings(pub(super) Settings);

/// Every setting of every provider.
fn settings() -> impl Iterator<Item = &'static Setting> {
    PROVIDERS.iter().flat_map(|provider| provider.settings())
}

impl TryFrom<BTreeMap<String, toml::Value>> for ProviderSettings {
    type Error = String;

    /// Reads what is left of a file: the keys of other settings are passed over.
    fn try_from(file: BTreeMap<String, toml::Value>) -> Result<Self, Self::Error> {
        let mut found = Settings::default();
        for setting in settings() {
            let Some(value) = file.get(setting.flag) else {
                continue;
            };
            let values = match value {
                toml::Value::Array(items) if setting.is_list => items.iter().map(text).collect(),
                value => text(value).map(|value| vec![value]),
            };
            let expected = if setting.is_list {
                "a list of texts or numbers"
            } else {
                "a text or a number"
            };
            let values = values.ok_or_else(|| format!("`{}` must be {expected}", setting.flag))?;
            found.set(setting.flag, values);
        }
        Ok(Self(found))
    }
}

fn text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

impl FromArgMatches for ProviderSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found = Self::default();
        found.update_from_arg_matches(matches)?;
        Ok(found)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in settings() {
            if let Some(values) = matches.get_many::<String>(setting.flag) {
                self.0.set(setting.flag, values);
            }
        }
        Ok(())
    }
}

impl Args for ProviderSettings {
    fn augment_args(command: Command) -> Command {
        command.args(settings().map(|setting| {
            let argument = Arg::new(setting.flag)
                .long(setting.flag)
                .env(setting.variable)
                .value_name(setting.value_name)
                .help(setting.help);
            if setting.is_list {
                argument.action(ArgAction::Append).value_delimiter(',')
            } else {
                argument
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

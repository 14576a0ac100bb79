//! Settings of providers: each provider names its own in the table; flags, variables and the file give the values.

use std::collections::BTreeMap;

/// A setting of a provider.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its flag and its key in the file, which begin with the name of the provider, such as `equals-money-rate-limit`.
    pub(crate) flag: &'static str,
    /// Its variable of the environment, such as `TRUEHOOK_EQUALS_MONEY_RATE_LIMIT`.
    pub(crate) variable: &'static str,
    /// The name of its value in the help.
    pub(crate) value_name: &'static str,
    /// The sentence of the help, with the default.
    pub(crate) help: &'static str,
    /// Whether it takes several values, separated by commas.
    pub(crate) is_list: bool,
}

/// The values of settings of providers, as they were given. A setting that was not given is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, Vec<String>>);

/// An invalid value of a setting, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("--{flag} {value}: {reason}")]
pub struct InvalidSetting {
    flag: &'static str,
    value: String,
    reason: String,
}

impl InvalidSetting {
    /// Says in `reason`, a fragment, why `value` is invalid.
    pub(crate) fn new(
        setting: &Setting,
        value: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            flag: setting.flag,
            value: value.into(),
            reason: reason.into(),
        }
    }
}

impl Settings {
    /// Gives values to a setting.
    pub(crate) fn set(&mut self, flag: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        let values = values.into_iter().map(Into::into).collect();
        self.0.insert(flag.to_owned(), values);
    }

    /// The values of a setting that takes several.
    pub(crate) fn all(&self, setting: &Setting) -> &[String] {
        self.0.get(setting.flag).map_or(&[], Vec::as_slice)
    }

    /// The value of a setting that takes one.
    pub(crate) fn one(&self, setting: &Setting) -> Option<&str> {
        self.all(setting).first().map(String::as_str)
    }

    /// These values, and those of `other` for settings without any.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (flag, values) in other.0 {
            self.0.entry(flag).or_insert(values);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::PROVIDERS;

    #[test]
    fn flags_and_variables_of_a_provider_begin_with_its_name_and_say_their_default() {
        let mut count = 0;
        for provider in PROVIDERS {
            for setting in provider.settings() {
                let flag = setting.flag.replace('-', "_").to_uppercase();
                assert_eq!(setting.variable, format!("TRUEHOOK_{flag}"));
                assert!(setting.flag.starts_with(&format!("{}-", provider.name())));
                assert!(setting.help.contains("[default: "), "{}", setting.flag);
                count += 1;
            }
        }
        assert!(count > 0);
    }
}

//! Which API something belongs to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a provider, as it stands in paths, flags, configuration and storage: 1 to 31 lower-case letters, digits and hyphens.
///
/// A name says nothing about the provider, and there need not be one of this name: the table of providers knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ProviderName {
    /// The bytes of the name, then zeros. Names order like their text.
    bytes: [u8; Self::LONGEST],
    length: u8,
}

/// A text that cannot be the name of a provider.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` cannot be the name of a provider: expected 1 to 31 lower-case letters, digits and hyphens"
)]
pub struct InvalidProviderName(String);

impl ProviderName {
    /// The operator API, which is our own.
    pub const OPERATOR: Self = Self::new("operator");

    const LONGEST: usize = 31;

    /// The name with this text.
    ///
    /// # Panics
    /// When the text cannot be a name: for constants only, where the compiler panics.
    pub const fn new(text: &str) -> Self {
        match Self::read(text) {
            Some(name) => name,
            None => {
                panic!("the name of a provider has 1 to 31 lower-case letters, digits and hyphens")
            }
        }
    }

    const fn read(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.is_empty() || text.len() > Self::LONGEST {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        let mut length = 0_u8;
        while (length as usize) < text.len() {
            let byte = text[length as usize];
            if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
                return None;
            }
            bytes[length as usize] = byte;
            length += 1;
        }
        Some(Self { bytes, length })
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("a name is ASCII")
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl From<ProviderName> for String {
    fn from(name: ProviderName) -> Self {
        name.as_str().to_owned()
    }
}

impl TryFrom<String> for ProviderName {
    type Error = InvalidProviderName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for ProviderName {
    type Err = InvalidProviderName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text).ok_or_else(|| InvalidProviderName(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_text_and_orders_like_it() {
        for text in [
            "a",
            "equals-money",
            "operator",
            "abcdefghijklmnopqrstuvwxyz-1234",
        ] {
            let name: ProviderName = text.parse().unwrap();
            assert_eq!((name.as_str(), name.to_string().as_str()), (text, text));
        }
        let mut names = ["b", "a1", "a", "a-b"].map(ProviderName::new);
        names.sort_unstable();
        assert_eq!(names, ["a", "a-b", "a1", "b"].map(ProviderName::new));
    }

    #[test]
    fn a_text_that_could_not_stand_in_a_path_is_no_name() {
        for text in [
            "",
            "Conduit",
            "a b",
            "a/b",
            "a_b",
            "é",
            "a\0",
            &"a".repeat(32),
        ] {
            assert!(text.parse::<ProviderName>().is_err(), "{text}");
        }
    }
}

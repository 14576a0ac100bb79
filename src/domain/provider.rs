//! Who published an API.

use std::fmt;
use std::str::FromStr;

/// The publisher of an API that the server carries. `Operator` is our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    /// Conduit API 2024-12-01.
    Conduit,
    /// Equals Money API, version 2.
    EqualsMoney,
    /// Our own API.
    Operator,
}

/// A word that names no provider.
#[derive(Debug, thiserror::Error)]
#[error("unknown provider `{0}`: expected conduit, equals-money or operator")]
pub struct UnknownProvider(String);

impl Provider {
    /// The name as it stands in paths, flags, configuration and storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conduit => "conduit",
            Self::EqualsMoney => "equals-money",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "conduit" => Ok(Self::Conduit),
            "equals-money" => Ok(Self::EqualsMoney),
            "operator" => Ok(Self::Operator),
            _ => Err(UnknownProvider(name.to_owned())),
        }
    }
}

//! Lacks of this machine that keep it from making an attempt: not the fault of a receiver, so not an outcome.

/// A lack. The delivery waits, and no attempt is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Lack {
    /// This process or the system has no file descriptor left.
    #[error("no open file is left")]
    Files,
    /// The system has no memory for another connection.
    #[error("the system has no memory for another connection")]
    Memory,
    /// Every local port to the receiver's address is taken.
    #[error("no local port is left")]
    Ports,
    /// The egress proxy cannot be reached, or does not take the server's credentials.
    #[error("the egress proxy cannot be reached, or wants other credentials")]
    Proxy,
}

impl Lack {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Files, Self::Memory, Self::Ports, Self::Proxy];

    /// Whether no receiver can be reached for lack of it. Ports lack for one address at a time.
    pub fn stops_all(self) -> bool {
        match self {
            Self::Files | Self::Memory | Self::Proxy => true,
            Self::Ports => false,
        }
    }

    /// Its name, as a label of a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Memory => "memory",
            Self::Ports => "ports",
            Self::Proxy => "proxy",
        }
    }
}

//! The responses of the receiver: the scripts that put a sender's promises to the test.

use std::collections::VecDeque;
use std::time::Duration;

/// One answer of the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A complete answer.
    Status {
        /// The status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
    },
    /// A redirect to another path of the receiver.
    Redirect(u16),
    /// Nothing, until the sender hangs up or the time is over.
    Hang(Duration),
    /// The connection ends without an answer.
    Reset,
    /// 200, and a body of this many bytes.
    HugeBody(usize),
    /// 200, and a body of which a byte comes now and then until the time is over.
    Drip(Duration),
}

impl Reply {
    /// An answer of a status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            headers: Vec::new(),
        }
    }

    /// The words of findings, such as `503` or `no answer`.
    pub fn words(&self) -> String {
        match self {
            Self::Status { status, headers } => {
                match headers.iter().find(|(name, _)| name == "retry-after") {
                    Some((_, value)) => format!("{status} with `Retry-After: {value}`"),
                    None => status.to_string(),
                }
            }
            Self::Redirect(status) => format!("{status} with a `Location`"),
            Self::Hang(_) => "no answer".to_owned(),
            Self::Reset => "a connection that ends".to_owned(),
            Self::HugeBody(bytes) => format!("200 with a body of {bytes} bytes"),
            Self::Drip(_) => "200 with a body that drips".to_owned(),
        }
    }

    /// The status, where there is an answer.
    pub fn answered(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::Redirect(status) => Some(*status),
            Self::HugeBody(_) | Self::Drip(_) => Some(200),
            Self::Hang(_) | Self::Reset => None,
        }
    }
}

/// The answers to the requests at one path, in order.
#[derive(Debug, Clone)]
pub struct Script {
    first: VecDeque<Reply>,
    then: Reply,
}

impl Script {
    /// Always the same answer.
    pub fn always(reply: Reply) -> Self {
        Self {
            first: VecDeque::new(),
            then: reply,
        }
    }

    /// One answer first, then another.
    pub fn once(first: Reply, then: Reply) -> Self {
        Self {
            first: VecDeque::from([first]),
            then,
        }
    }

    /// The next answer.
    pub(super) fn next(&mut self) -> Reply {
        self.first.pop_front().unwrap_or_else(|| self.then.clone())
    }
}

//! How the content that is compared goes over the wire: who sends it, and whether its values are text.

use crate::finding::{Effect, Impact, Sender};

/// The part of a document that is compared, and the direction of its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'s> {
    /// How findings name it.
    pub(super) subject: &'s str,
    /// The part of the subject, such as `request body`.
    pub(super) part: &'s str,
    /// The sender of the content.
    pub(super) sender: Sender,
    /// Whether values are text, and how it is read.
    pub(super) as_text: Text,
}

impl Site<'_> {
    /// Returns the effect of a change of the content on those who exchange it.
    pub(super) fn effect(&self, impact: Impact) -> Effect {
        Effect {
            sender: self.sender,
            impact,
        }
    }
}

/// How the text of a parameter or header is read as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Text {
    /// Values are JSON, and each has its own type.
    No,
    /// Values are text in a request line or a header, where `1` may be a number or a string.
    Scalar,
    /// As `Scalar`, between two slashes of a path. It is never empty: that would be another path.
    Segment,
    /// As `Scalar`, and each item of an array repeats the name: `q=a` is the string `a` as well as the array `["a"]`, and `q=1` the
    /// array `[1]`. It is so in queries and cookies of style `form`, exploded, on both sides.
    Exploded,
    /// A form: its members are text as of `Exploded`, and objects within it are JSON.
    Form,
}

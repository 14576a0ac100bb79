//! Places in both documents at which values are tried.

use super::super::site::Text;
use crate::finding::Sender;

/// A place in both documents: its pointers in the old and in the new one.
pub(in super::super) type At<'p> = (&'p str, &'p str);

/// A place, and in which direction values travel there.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Spot<'p> {
    pub(in super::super) at: At<'p>,
    pub(in super::super) sender: Sender,
    /// How values stand as text in a request line or a header.
    pub(in super::super) text: Text,
}

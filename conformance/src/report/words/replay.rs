//! Sentences about servers that do not do what their document says.

use super::Context;
use crate::finding::ReplayFault;

pub(super) fn sentence(fault: &ReplayFault, _context: &Context<'_>) -> String {
    match fault {
        ReplayFault::Status {
            sample,
            expected,
            found,
        } => format!("sample `{sample}`: expected {expected}, got {found}"),
    }
}

//! Faults in a sequence of operations, as data. `report::words::flow` makes sentences of it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::StepFailure;

/// A fault that shows only in several exchanges, or the reason why it could not show.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum FlowFault {
    /// Nothing was observed.
    Unobserved {
        /// Why not.
        reason: NotObserved,
    },
    /// Something that was created, or that a list has, cannot be read.
    Unreadable {
        /// Whether a list has it.
        listed: bool,
        /// The status of the response.
        status: u16,
    },
    /// `Location` does not lead to what was created.
    Location {
        /// The status of the response there, unless it is a successful one about something else.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// The list does not have what was created.
    Unlisted {
        /// How many pages were read, to the last one.
        pages: usize,
    },
    /// A member is read with another value than the one that was written.
    Written {
        /// How it was written.
        by: Writing,
        /// JSON pointer into the request body.
        at: String,
        /// The value that was sent, or the documented default.
        sent: Value,
        /// The value that is read; none where the member is missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<Value>,
    },
    /// The response to a request that wrote something shows another value than the read that follows.
    Answered {
        /// How it was written.
        by: Writing,
        /// JSON pointer into what the response shows.
        at: String,
        /// The value in the response.
        found: Value,
        /// The value that is read afterwards.
        after: Value,
    },
    /// A list shows another value than the read of the item.
    Listed {
        /// JSON pointer into the item.
        at: String,
        /// The value in the list.
        found: Value,
        /// The value that is read.
        after: Value,
    },
    /// Something that was created changed when others were created, or is gone.
    Replaced {
        /// JSON pointer into the response body; none where it cannot be read any more.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// The value, or the status of the read, before.
        before: Value,
        /// The value, or the status of the read, afterwards.
        after: Value,
    },
    /// Two reads in a row give different values of a member that only clients write.
    Unstable {
        /// JSON pointer into the response body.
        at: String,
        /// The value of the first read.
        before: Value,
        /// The value of the second read.
        after: Value,
    },
    /// A member changed that the update did not send.
    Changed {
        /// JSON pointer into the response body.
        at: String,
        /// The value before.
        before: Value,
        /// The value afterwards; null where the member is missing.
        after: Value,
        /// The members that were sent.
        sent: Vec<String>,
    },
    /// The time of the last change did not move forward with an update.
    TimeStill {
        /// JSON pointer into the response body.
        at: String,
        /// The value before.
        before: Value,
        /// The value afterwards.
        after: Value,
    },
    /// The entity tag is the same before and after an update.
    TagStill {
        /// The tag.
        tag: String,
        /// JSON pointer into the response body, to a member that the update changed.
        changed: String,
        /// Its value before.
        before: Value,
        /// Its value afterwards.
        after: Value,
    },
    /// A replacement left a member as it was that it does not have.
    Kept {
        /// JSON pointer into the response body.
        at: String,
        /// The value.
        value: Value,
    },
    /// The same request again changed something.
    Repeated {
        /// JSON pointer into the response body; none where only the status tells.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// The value, or the status, of the first one.
        before: Value,
        /// The value, or the status, of the second one.
        after: Value,
    },
    /// Something that was deleted is still there.
    Remains {
        /// The evidence of it.
        by: Trace,
        /// The status of the response.
        status: u16,
    },
    /// A second deletion is answered as if there was something to delete.
    DeletedAgain {
        /// The status of the response.
        status: u16,
        /// The documented statuses that say that there is nothing.
        documented: Vec<String>,
    },
    /// Somebody else has access to what was created.
    Foreign {
        /// The kind of access.
        access: Access,
        /// The status of the response.
        status: u16,
    },
    /// Paging gives items several times.
    PageRepeats {
        /// How many items.
        items: usize,
        /// On how many pages.
        pages: usize,
    },
    /// Paging leaves out items.
    PageSkips {
        /// How many items.
        items: usize,
        /// Of how many that are known.
        of: usize,
    },
    /// Paging does not end.
    PageEndless {
        /// How many pages were read.
        pages: usize,
    },
    /// A page does not tell the truth of whether there are more.
    More {
        /// Whether it says so.
        said: bool,
        /// How many more items there are.
        items: usize,
    },
    /// Without a query parameter the response is another one than with its documented default.
    NotDefault {
        /// The name of the parameter.
        parameter: String,
        /// The query with the default.
        asked: String,
        /// How many items a list has without it, and with the default, where that differs.
        #[serde(skip_serializing_if = "Option::is_none")]
        items: Option<(usize, usize)>,
    },
    /// A page has more items than were asked for.
    PageSize {
        /// The size that was asked for.
        asked: u64,
        /// The number of items.
        found: usize,
    },
    /// The stated total is not the number of items.
    Total {
        /// Where it is stated: a JSON pointer into the response body, or a header.
        at: String,
        /// The stated number.
        stated: u64,
        /// How many items paging gave.
        counted: u64,
        /// The query that asked for some of the items.
        #[serde(skip_serializing_if = "Option::is_none")]
        asked: Option<String>,
    },
    /// The stated number of pages is not that of the pages that there are.
    TotalPages {
        /// JSON pointer into the response body.
        at: String,
        /// The stated number.
        stated: u64,
        /// How many pages have items.
        counted: usize,
    },
    /// A list that was asked for the items with a value has others, or lacks one that has it.
    Unfiltered {
        /// The query.
        asked: String,
        /// JSON pointer into the item.
        at: String,
        /// The value of an item that has another one; none where the item that was created is missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<Value>,
    },
    /// A list is not in the order that it was asked for.
    Unsorted {
        /// The query.
        asked: String,
        /// JSON pointer into the item.
        at: String,
        /// The value of an item.
        before: Value,
        /// The value of the next one.
        after: Value,
    },
    /// A request that was refused had an effect.
    Effect {
        /// The status of the refusal.
        status: u16,
        /// JSON pointer into the response body; none where the list has more items.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// The value, or the number of items, before.
        before: Value,
        /// The value, or the number of items, afterwards.
        after: Value,
    },
    /// A request was accepted although its condition is not met.
    Unconditional {
        /// The header that has the condition.
        header: String,
        /// The status of the response.
        status: u16,
    },
    /// Something was created with an id that there was already.
    CreatedAgain {
        /// JSON pointer of the id into the request body.
        at: String,
        /// The status of the response.
        status: u16,
    },
    /// Something is found below another thing than that it was created below.
    Elsewhere {
        /// The resource that it is below.
        parent: String,
        /// The status of the response.
        status: u16,
    },
    /// Two requests with the same idempotency key created two things.
    CreatedTwice {
        /// The header.
        header: String,
    },
    /// A step of a workflow did not meet a criterion.
    Criterion {
        /// The id of the workflow.
        workflow: String,
        /// The id of the step.
        step: String,
        /// The condition.
        condition: String,
        /// The status of the response.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// A step of a workflow could not be carried out.
    Step {
        /// The id of the workflow.
        workflow: String,
        /// The id of the step.
        step: String,
        /// Why not.
        cause: String,
    },
}

/// Why a flow was not observed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum NotObserved {
    /// The server refused what it depends on.
    Refused {
        /// How.
        failure: StepFailure,
        /// How the response begins.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// The response does not have the id of what was created.
    NoId {
        /// The path parameter that takes it.
        parameter: String,
    },
    /// There is no sample, and no request could be made of the schemas.
    NoRequest,
    /// Nothing is known to be above it.
    NoParent {
        /// The resource above it.
        parent: String,
    },
    /// No update was accepted.
    NoUpdate {
        /// The status of the last response.
        status: u16,
        /// How it begins.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// The server does not accept the second user's credentials.
    SecondUser {
        /// The status of the response.
        status: u16,
    },
}

/// How a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writing {
    /// It was sent with the creation.
    Create,
    /// It was left out, and the document has a default for it.
    Default,
    /// It was sent with an update of some members.
    Update,
    /// It was sent with a replacement.
    Replace,
}

/// Evidence that something is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trace {
    /// It can be read.
    Read,
    /// The list has it.
    List,
    /// It can be updated.
    Update,
}

/// A kind of access to the things of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Reads it.
    Read,
    /// Finds it in a list.
    List,
    /// Updates it; the response says so, or it is read afterwards.
    Update,
    /// Deletes it; the response says so, or it is gone afterwards.
    Delete,
}

impl FlowFault {
    /// Returns the parts that stay the same when the same fault is found again: not the values, which differ from run to run.
    pub fn identity(&self) -> Value {
        const LASTING: [&str; 10] = [
            "kind",
            "by",
            "access",
            "header",
            "workflow",
            "step",
            "condition",
            "parent",
            "parameter",
            "said",
        ];
        let value = serde_json::to_value(self).unwrap_or_default();
        let members = value.as_object().cloned().unwrap_or_default();
        let mut kept: Map<String, Value> = members
            .into_iter()
            .filter(|(name, _)| LASTING.contains(&name.as_str()) || name == "at")
            .collect();
        if let Self::Unobserved { reason } = self {
            let reason = serde_json::to_value(reason).unwrap_or_default();
            kept.insert(
                "reason".to_owned(),
                reason.get("kind").cloned().unwrap_or_default(),
            );
        }
        Value::Object(kept)
    }

    /// Replaces secrets in everything that came from a server or was sent to it.
    pub(super) fn redact(&mut self, hide: &dyn Fn(&str) -> String) {
        match self {
            Self::Written { sent, found, .. } => {
                super::redaction::redact(sent, hide);
                found
                    .iter_mut()
                    .for_each(|found| super::redaction::redact(found, hide));
            }
            Self::Unstable { before, after, .. }
            | Self::Changed { before, after, .. }
            | Self::TimeStill { before, after, .. }
            | Self::Unsorted { before, after, .. }
            | Self::Effect { before, after, .. }
            | Self::Replaced { before, after, .. }
            | Self::Repeated { before, after, .. } => {
                super::redaction::redact(before, hide);
                super::redaction::redact(after, hide);
            }
            Self::Answered { found, after, .. } | Self::Listed { found, after, .. } => {
                super::redaction::redact(found, hide);
                super::redaction::redact(after, hide);
            }
            Self::TagStill {
                tag, before, after, ..
            } => {
                *tag = hide(tag);
                super::redaction::redact(before, hide);
                super::redaction::redact(after, hide);
            }
            Self::Kept { value, .. } => super::redaction::redact(value, hide),
            Self::Unfiltered { found, .. } => {
                let found = found.iter_mut();
                found.for_each(|found| super::redaction::redact(found, hide));
            }
            Self::Unobserved {
                reason: NotObserved::Refused { words, .. } | NotObserved::NoUpdate { words, .. },
            } => words.iter_mut().for_each(|words| *words = hide(words)),
            Self::Step { cause, .. } => *cause = hide(cause),
            Self::Unobserved { .. }
            | Self::Unreadable { .. }
            | Self::Location { .. }
            | Self::Unlisted { .. }
            | Self::Remains { .. }
            | Self::DeletedAgain { .. }
            | Self::Foreign { .. }
            | Self::PageRepeats { .. }
            | Self::PageSkips { .. }
            | Self::PageEndless { .. }
            | Self::More { .. }
            | Self::NotDefault { .. }
            | Self::PageSize { .. }
            | Self::Total { .. }
            | Self::TotalPages { .. }
            | Self::Unconditional { .. }
            | Self::CreatedAgain { .. }
            | Self::Elsewhere { .. }
            | Self::CreatedTwice { .. }
            | Self::Criterion { .. } => {}
        }
    }
}

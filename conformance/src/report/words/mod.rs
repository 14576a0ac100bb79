//! The sentences of reports. Findings are data; their words are made here and nowhere else.
//!
//! A sentence has no capital at its beginning and no period at its end, as it follows a place or a rule. Advice is apart from it:
//! between two versions there is none, since they differ on purpose.

mod baseline;
mod document;
mod replay;
mod schema;

pub use replay::progress;

use serde_json::Value;

use crate::finding::{Comparison, Effect, Finding, Message, Severity, Side, Undecided};

/// All that a sentence needs to know besides the message.
#[derive(Debug, Clone, Copy)]
pub struct Context<'f> {
    /// What the documents are to each other.
    pub comparison: Comparison,
    /// The name of the old document: `old`, or `documented`.
    pub old: &'static str,
    /// The name of the new document: `new`, or `emitted`.
    pub new: &'static str,
    /// The rule of the finding.
    pub rule: &'static str,
    /// The severity of the finding.
    pub severity: Severity,
    /// Who is affected, and how.
    pub effect: Option<Effect>,
    /// Why it is not known whether anybody is.
    pub undecided: Option<&'f Undecided>,
}

impl<'f> Context<'f> {
    /// The context of a finding.
    pub fn of(finding: &'f Finding, comparison: Comparison) -> Self {
        Self {
            comparison,
            old: side(Side::Old, comparison),
            new: side(Side::New, comparison),
            rule: finding.rule,
            severity: finding.severity,
            effect: finding.effect,
            undecided: finding.undecided.as_ref(),
        }
    }

    /// Whether the documents must agree, so that there is advice.
    pub fn advises(&self) -> bool {
        self.comparison == Comparison::Lockstep
    }
}

/// The name of a document of a comparison.
pub fn side(side: Side, comparison: Comparison) -> &'static str {
    match (comparison, side) {
        (Comparison::Versions, Side::Old) => "old",
        (Comparison::Versions, Side::New) => "new",
        (Comparison::Lockstep, Side::Old) => "documented",
        (Comparison::Lockstep, Side::New) => "emitted",
        (Comparison::Single, _) => "at",
    }
}

/// The sentence for a message: what differs, who is affected and why.
pub fn sentence(message: &Message, context: &Context<'_>) -> String {
    let said = match message {
        Message::Text(text) => text.clone(),
        Message::Schema(change) => schema::sentence(change, context),
        Message::Document(change) => document::sentence(change, context),
        Message::Replay(fault) => replay::sentence(fault, context),
        Message::Baseline(fault) => baseline::sentence(fault),
    };
    match context.undecided {
        Some(reason) => format!("{said}; {}", schema::undecided(reason)),
        None => said,
    }
}

/// The most characters of a value that a sentence shows.
const VALUE_SHOWN: usize = 60;

/// A value in a sentence.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The sentence for a finding.
pub fn of(finding: &Finding, comparison: Comparison) -> String {
    sentence(&finding.message, &Context::of(finding, comparison))
}

/// What to do about a finding, where the documents must agree.
pub fn advice(message: &Message, context: &Context<'_>) -> Option<String> {
    if !context.advises() {
        return None;
    }
    match message {
        Message::Schema(change) => Some(schema::advice(change)),
        Message::Document(change) => document::advice(change, context),
        Message::Text(_) | Message::Replay(_) | Message::Baseline(_) => None,
    }
}

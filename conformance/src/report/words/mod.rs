//! The sentences of reports. Findings are data; their words are made here and nowhere else.
//!
//! A sentence says what differs, who is affected and why. It has no capital at its beginning and no period at its end, as it follows
//! a place or a rule. Advice is apart from it: between two versions there is none, since they differ on purpose.

mod baseline;
mod condition;
mod delivery;
mod document;
mod effect;
mod flow;
mod hint;
mod keyword;
mod part;
mod progress;
mod receiver;
mod replay;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod unchecked;
mod undecided;
mod value;
mod violation;

use crate::document::pointer;
use crate::finding::{
    Comparison, Effect, Finding, Message, Place, Sender, Side, Turned, Undecided,
};

pub use progress::progress;
pub(crate) use unchecked::unchecked;
pub(crate) use value::{Quote, contrasted, list, name, quoted, reference, shown, told_apart};
pub(super) use value::{elided, without_bundles};

/// All that a sentence needs to know besides the message.
#[derive(Debug, Clone, Copy)]
pub struct Context<'f> {
    /// The relation of the documents.
    pub comparison: Comparison,
    /// The name of the old document: `old`, or `documented`.
    pub old: &'static str,
    /// The name of the new document: `new`, or `emitted`.
    pub new: &'static str,
    /// The rule of the finding.
    pub rule: &'static str,
    /// The people affected, and how.
    pub effect: Option<Effect>,
    /// How a change comes to have this effect.
    pub turned: Turned,
    /// Why it is not known whether anybody is.
    pub undecided: Option<&'f Undecided>,
    /// Whether the server calls the other side: webhooks and callbacks.
    pub webhook: bool,
    /// JSON pointer of the place.
    pub pointer: &'f str,
    /// The places in both documents.
    pub places: [Option<&'f Place>; 2],
    /// The parameter or header that the place is in, such as ``query parameter `limit` ``.
    pub part: Option<&'f str>,
}

impl<'f> Context<'f> {
    /// The context of a finding.
    pub fn of(finding: &'f Finding, comparison: Comparison) -> Self {
        Self {
            comparison,
            old: side(Side::Old, comparison),
            new: side(Side::New, comparison),
            rule: finding.rule,
            effect: finding.effect,
            turned: finding.turned,
            undecided: finding.undecided.as_ref(),
            webhook: is_webhook(finding),
            pointer: finding
                .old
                .as_ref()
                .or(finding.new.as_ref())
                .map_or("", |place| place.pointer.as_str()),
            places: [finding.old.as_ref(), finding.new.as_ref()],
            part: finding.part.as_deref(),
        }
    }

    /// The property, parameter or header whose schema the place is in, such as `` `status` ``, ``items of `tags` `` or
    /// ``the query parameter `limit` ``, or the component that it is in; none outside of these.
    fn property(&self) -> Option<String> {
        let [old, new] = self.places;
        let pointers = |place: Option<&'f Place>| place.map(|place| [&place.pointer, &place.node]);
        let all = [old, new].into_iter().filter_map(pointers);
        let all: Vec<&str> = all.flatten().map(String::as_str).collect();
        let own = std::iter::once(self.pointer).chain(all);
        let found: Vec<(String, bool)> = own.filter_map(|at| self.property_at(at)).collect();
        let member = found.iter().find(|(_, is_member)| *is_member);
        member.or(found.first()).map(|(name, _)| name.clone())
    }

    /// As [`Self::property`], for one pointer; whether it is more than a component.
    fn property_at(&self, at: &str) -> Option<(String, bool)> {
        let part = self.part.map(|part| format!("the {part}"));
        let mut is_member = part.is_some();
        let mut known = part.clone();
        let mut tokens = pointer::tokens(at).peekable();
        while let Some(token) = tokens.next() {
            known = match token.as_str() {
                "properties" => {
                    let property = name(&tokens.next()?);
                    is_member = true;
                    Some(match &part {
                        Some(part) => format!("{property} of {part}"),
                        None => property,
                    })
                }
                "components" | "definitions" if known.is_none() => {
                    tokens.next_if(|kind| token == "components" && kind == "schemas");
                    tokens.next().map(|component| name(&component))
                }
                "items" | "prefixItems" => {
                    Some(known.map_or("items".to_owned(), |of| items_of(&of)))
                }
                "additionalProperties" | "patternProperties" if tokens.peek().is_some() => {
                    Some(known.map_or("members".to_owned(), |of| format!("members of {of}")))
                }
                _ => known,
            };
        }
        Some((known?, is_member))
    }

    /// Whether the documents must agree, so that there is advice.
    pub fn advises(&self) -> bool {
        self.comparison == Comparison::Lockstep
    }

    /// Those who talk to the server: `clients`, or `subscribers` where the server calls them.
    pub fn people(&self) -> &'static str {
        if self.webhook {
            "subscribers"
        } else {
            "clients"
        }
    }
}

/// The items of a list, which may be the items of another one.
fn items_of(list: &str) -> String {
    match list.strip_prefix("items of ") {
        None if list == "items" => "items of inner lists".to_owned(),
        None => format!("items of {list}"),
        Some(inner) if inner.starts_with("the nested lists in ") => list.to_owned(),
        Some(inner) => match inner.strip_prefix("the lists in ") {
            Some(outer) => format!("items of the nested lists in {outer}"),
            None => format!("items of the lists in {inner}"),
        },
    }
}

/// Whether the server calls the other side. A schema that is used both ways belongs to the direction that the effect is about.
fn is_webhook(finding: &Finding) -> bool {
    let is_response = |part: &str| part.starts_with("answer") || part.starts_with("response");
    let uses = finding.used_by.tree.iter().flat_map(|user| &user.uses);
    let used = uses.map(|one| one.part.as_str());
    let shown = finding.proof.as_ref().map(|proof| proof.part.as_str());
    let mut parts: Vec<&str> = match shown {
        Some(part) => vec![part],
        None => used.collect(),
    };
    // A header may be of either message: where it stands says more.
    parts.retain(|part| !part.is_empty() && !part.starts_with("header "));
    match finding.effect {
        Some(effect) if !parts.is_empty() => {
            let responds = effect.sender == Sender::Server;
            parts.iter().all(|part| is_response(part) != responds)
        }
        _ => [&finding.old, &finding.new]
            .into_iter()
            .flatten()
            .any(|Place { pointer, .. }| {
                pointer.starts_with("/webhooks/") || pointer.contains("/callbacks/")
            }),
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
        Message::Schema(change) => schema::sentence(change, context),
        Message::Document(change) => document::sentence(change, context),
        Message::Replay(fault) => replay::sentence(fault, context),
        Message::Flow(fault) => flow::sentence(fault),
        Message::Delivery(fault) => delivery::sentence(fault),
        Message::Receiver(fault) => receiver::sentence(fault),
        Message::Baseline(fault) => baseline::sentence(fault),
    };
    match context.undecided {
        Some(reason) => format!("{said}; {}", undecided::undecided(message, reason, context)),
        None => said,
    }
}

/// The sentence for a finding.
pub fn of(finding: &Finding, comparison: Comparison) -> String {
    sentence(&finding.message, &Context::of(finding, comparison))
}

/// Advice on a finding, where the documents must agree.
pub fn advice(message: &Message, context: &Context<'_>) -> Option<String> {
    if !context.advises() || context.undecided.is_some() {
        return None;
    }
    match message {
        Message::Schema(change) => Some(schema::advice(change).to_owned()),
        Message::Document(change) => document::advice(change),
        Message::Replay(_)
        | Message::Flow(_)
        | Message::Delivery(_)
        | Message::Receiver(_)
        | Message::Baseline(_) => None,
    }
}

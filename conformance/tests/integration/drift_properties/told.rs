//! The content of a comparison's findings, in lines that can be compared whatever the names are.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Message, Place, SchemaChange};

use super::change::Case;
use super::model::{Api, Rendered};

/// Two versions as documents, and what was found.
pub(crate) struct Compared {
    pub(crate) old: Rendered,
    pub(crate) new: Rendered,
    pub(crate) findings: Vec<Finding>,
}

/// Compares two versions, whose members have those names.
pub(crate) fn compared(old: &Api, new: &Api, names: &[String]) -> Compared {
    let (old, new) = (old.render(names), new.render(names));
    let findings = differences(&old.text(), &new.text());
    Compared { old, new, findings }
}

/// Compares two texts.
pub(crate) fn differences(old: &str, new: &str) -> Vec<Finding> {
    let parsed = |name: &str, text: &str| {
        Document::parse(name, text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    compare(
        &parsed("old", old),
        &parsed("new", new),
        &Options::default(),
    )
}

impl Compared {
    /// All findings: rule, severity, places, and what is said.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .findings
            .iter()
            .map(|found| self.line(found, &format!("{:?}", found.message)))
            .collect();
        lines.sort();
        lines
    }

    /// What is found where, and how grave it is.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let mut verdicts: Vec<String> = self
            .findings
            .iter()
            .map(|found| self.line(found, &format!("{:?}", found.effect)))
            .collect();
        verdicts.sort();
        verdicts
    }

    /// The same without names.
    pub(crate) fn nameless_lines(&self, case: &Case) -> Vec<String> {
        let mut lines: Vec<String> = self
            .findings
            .iter()
            .map(|found| self.line(found, &nameless(&found.message, &case.names)))
            .collect();
        lines.sort();
        lines
    }

    fn line(&self, found: &Finding, said: &str) -> String {
        let place = |rendered: &Rendered, place: &Option<Place>| {
            let pointer = place.as_ref().map(|place| place.pointer.as_str());
            pointer.map_or("-".to_owned(), |pointer| rendered.place(pointer))
        };
        format!(
            "{} {} at {} and {}: {said}",
            found.severity.word(),
            found.rule,
            place(&self.old, &found.old),
            place(&self.new, &found.new),
        )
    }

    /// The place of a finding in the words of the model, from the side that has it.
    pub(crate) fn places(&self, found: &Finding) -> [String; 2] {
        [(&self.old, &found.old), (&self.new, &found.new)].map(|(rendered, place)| {
            let pointer = place.as_ref().map_or("", |place| &place.pointer);
            rendered.place(pointer)
        })
    }
}

/// How two schemas differ, where that is what a finding says.
pub(crate) fn change(found: &Finding) -> Option<&SchemaChange> {
    match &found.message {
        Message::Schema(change) => Some(change),
        _ => None,
    }
}

/// Returns the text of a message, with members numbered as their names are.
fn nameless(message: &Message, names: &[String]) -> String {
    let numbered = |name: &mut String| {
        if let Some(id) = names.iter().position(|one| one == name) {
            *name = format!("member {id}");
        }
    };
    let mut message = message.clone();
    if let Message::Schema(
        SchemaChange::PropertyAdded { name, .. }
        | SchemaChange::PropertyRemoved { name, .. }
        | SchemaChange::RequiredAdded { name }
        | SchemaChange::RequiredRemoved { name },
    ) = &mut message
    {
        numbered(name);
    }
    format!("{message:?}")
}

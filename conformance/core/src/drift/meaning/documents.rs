//! Both documents as sources of values, for each sender.

use std::cell::Cell;

use super::edit::Edit;
use super::generate::Maker;
use super::plain::Edits;
use super::source::Source;
use super::stand_in::StandIns;
use crate::document::Document;
use crate::finding::Sender;

/// Both documents as sources of values.
pub(in super::super) struct Meaning<'a> {
    /// By who sends the value: a client, the server.
    old: [Maker<'a>; 2],
    new: [Maker<'a>; 2],
    /// Both documents with their own numbers, where others stand in for some of them.
    real: Option<Box<[[Source<'a>; 2]; 2]>>,
    /// Whether it makes no difference who sends.
    same: bool,
    spent: &'a Cell<usize>,
}

impl<'a> Meaning<'a> {
    /// `flagged` says whether any schema has `readOnly` or `writeOnly` members.
    /// `spent` counts the schemas that values were held against.
    pub(in super::super) fn new(
        old: &'a Document,
        new: &'a Document,
        flagged: bool,
        stand_ins: &'a StandIns,
        spent: &'a Cell<usize>,
    ) -> Self {
        let sources = |document: &'a Document| {
            [Sender::Client, Sender::Server]
                .map(|sender| Source::of(document, sender, flagged, spent))
        };
        let makers = |document: &'a Document| {
            sources(document).map(|source| Maker::presuming(source.with(stand_ins)))
        };
        let real = (!stand_ins.is_empty()).then(|| Box::new([old, new].map(sources)));
        Self {
            old: makers(old),
            new: makers(new),
            real,
            same: !flagged,
            spent,
        }
    }

    /// Whether it makes a difference who sends a value.
    pub(in super::super) fn is_flagged(&self) -> bool {
        !self.same
    }

    /// How many schemas values were held against so far.
    pub(in super::super) fn spent(&self) -> usize {
        self.spent.get()
    }

    pub(super) fn makers(&self, sender: Sender) -> (&Maker<'a>, &Maker<'a>) {
        let index = self.index(sender);
        (&self.old[index], &self.new[index])
    }

    /// The schemas of both documents, for questions that do not depend on who sends.
    pub(super) fn sources(&self) -> (&Source<'a>, &Source<'a>) {
        (&self.old[0].source, &self.new[0].source)
    }

    /// Both documents with their own numbers; `None` where no others stand in for them.
    pub(super) fn real(&self, sender: Sender) -> Option<[&Source<'a>; 2]> {
        let index = self.index(sender);
        let real = self.real.as_ref()?;
        Some(real.each_ref().map(|sources| &sources[index]))
    }

    fn index(&self, sender: Sender) -> usize {
        // Without flags both directions share what was found out.
        usize::from(sender == Sender::Server && !self.same)
    }

    pub(super) fn edits<'e>(&'e self, sender: Sender, edits: &'e [&'e Edit]) -> Edits<'e, 'a> {
        let new = &self.makers(sender).1.source;
        Edits { new, edits }
    }
}

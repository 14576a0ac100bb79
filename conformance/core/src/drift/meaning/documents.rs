//! Both documents as sources of values, for each sender.

use std::cell::RefCell;

use super::edit::Edit;
use super::frame::Frames;
use super::generate::Maker;
use super::judge::Judge;
use super::plain::Edits;
use super::source::Source;
use super::stand_in::StandIns;
use crate::document::Document;
use crate::finding::Sender;

/// Both documents as sources of values.
pub(in super::super) struct Meaning<'a> {
    /// For values that a client sends, and for values that the server sends.
    old: [Maker<'a>; 2],
    new: [Maker<'a>; 2],
    /// Both documents with the numbers as written; `None` where none had to be replaced.
    real: Option<Box<[[Source<'a>; 2]; 2]>>,
    /// Whether schemas mean the same for client and server.
    same: bool,
    judge: &'a Judge,
    /// The values around schemas.
    pub(super) frames: RefCell<Frames>,
}

impl<'a> Meaning<'a> {
    /// `flagged` says whether any schema has `readOnly` or `writeOnly` members. `judge` is what validates them.
    pub(in super::super) fn new(
        old: &'a Document,
        new: &'a Document,
        flagged: bool,
        stand_ins: &'a StandIns,
        judge: &'a Judge,
    ) -> Self {
        let sources = |document: &'a Document| {
            [Sender::Client, Sender::Server]
                .map(|sender| Source::of(document, sender, flagged, judge))
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
            judge,
            frames: RefCell::default(),
        }
    }

    /// Whether schemas may mean different things for client and server.
    pub(in super::super) fn is_flagged(&self) -> bool {
        !self.same
    }

    /// The effort spent on validation so far, as the number of schemas applied.
    pub(in super::super) fn spent(&self) -> usize {
        self.judge.spent()
    }

    pub(super) fn makers(&self, sender: Sender) -> (&Maker<'a>, &Maker<'a>) {
        let index = self.index(sender);
        (&self.old[index], &self.new[index])
    }

    /// The schemas of both documents, for questions whose answer is the same for both senders.
    pub(super) fn sources(&self) -> (&Source<'a>, &Source<'a>) {
        (&self.old[0].source, &self.new[0].source)
    }

    /// Both documents with the numbers as written; `None` where none had to be replaced.
    pub(super) fn real(&self, sender: Sender) -> Option<[&Source<'a>; 2]> {
        let index = self.index(sender);
        let real = self.real.as_ref()?;
        Some(real.each_ref().map(|sources| &sources[index]))
    }

    fn index(&self, sender: Sender) -> usize {
        // If schemas mean the same for both senders, results for one are reused for the other.
        usize::from(sender == Sender::Server && !self.same)
    }

    pub(super) fn edits<'e>(&'e self, sender: Sender, edits: &'e [&'e Edit]) -> Edits<'e, 'a> {
        let new = &self.makers(sender).1.source;
        Edits { new, edits }
    }
}

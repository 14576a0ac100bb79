//! The trials of differences: each is made once, and all at one place make a limited effort.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::super::meaning::{Edit, Focus, Meaning, Spot, Trial};
use super::super::site::Text;
use super::differences::Difference;
use crate::document::pointer;
use crate::finding::{Sender, Undecided};

/// How many schemas values are held against for all differences of one schema. Unions of a hundred alternatives that all change stay
/// below a tenth of it.
const EFFORT: usize = 4_000_000;

/// Key of the trials that were already made: the place, the difference and the direction.
type Key = (usize, *const Difference, Sender, Text);

/// The trials that were made so far.
pub(super) struct Trials<'d, 'a> {
    meaning: &'d Meaning<'a>,
    known: HashMap<Key, Result<Trial, Undecided>>,
    /// How much was tried at each place.
    spent: HashMap<usize, usize>,
}

impl<'d, 'a> Trials<'d, 'a> {
    pub(super) fn new(meaning: &'d Meaning<'a>) -> Self {
        Self {
            meaning,
            known: HashMap::default(),
            spent: HashMap::default(),
        }
    }

    /// Tries a difference at `place`, with values that are about it.
    pub(super) fn make(
        &mut self,
        place: usize,
        difference: &'d Difference,
        spot: Spot<'_>,
        is_harmless: bool,
    ) -> Result<Trial, Undecided> {
        let key = (
            place,
            std::ptr::from_ref(difference),
            spot.sender,
            spot.text,
        );
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let spent = self.spent.entry(place).or_default();
        if *spent > EFFORT {
            return Err(Undecided::NotFound {
                keyword: difference.keyword.clone(),
            });
        }
        let before = self.meaning.spent();
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let members: Option<BTreeSet<String>> = match &difference.edits[..] {
            [Edit::Flag { schema, .. }] => pointer::tokens(schema)
                .last()
                .map(|name| BTreeSet::from([name])),
            edits => edits
                .iter()
                .map(|edit| edit.member().map(str::to_owned))
                .collect(),
        };
        let focus = match members {
            Some(members) if !members.is_empty() => Focus::Members(members),
            _ => Focus::All(BTreeSet::new()),
        };
        let trial = self.meaning.trial_of(spot, &edits, &focus, is_harmless);
        *spent += self.meaning.spent() - before;
        self.known.insert(key, trial.clone());
        trial
    }
}

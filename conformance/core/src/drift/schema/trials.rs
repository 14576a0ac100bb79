//! The trials of differences: each is made once, and all at one place make a limited effort.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::super::meaning::{Edit, Focus, Meaning, Spot, Trial};
use super::super::site::Text;
use super::differences::Difference;
use super::within::Within;
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

    /// Tries a difference at `place`, with values that are about it. An alternative that `is_alone` excludes all others.
    pub(super) fn make(
        &mut self,
        place: usize,
        difference: &'d Difference,
        spot: Spot<'_>,
        is_harmless: bool,
        within: Option<&Within<'_>>,
        is_alone: bool,
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
        if is_alone {
            let edits: Vec<&Edit> = difference.edits.iter().collect();
            let trial = self.meaning.trial_of_branches(spot, &edits)?;
            if trial != Trial::default() {
                self.known.insert(key, Ok(trial.clone()));
                return Ok(trial);
            }
        }
        let narrow = match within {
            Some(within) => self.narrow(difference, spot, is_harmless, within)?,
            None => Narrow::default(),
        };
        let is_shown = narrow.trial.rejected.iter().any(|tried| tried.documented);
        if narrow.is_all || is_shown {
            self.known.insert(key, Ok(narrow.trial.clone()));
            return Ok(narrow.trial);
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
        let trial = match self.meaning.trial_of(spot, &edits, &focus, is_harmless) {
            Ok(wide) => Ok(wide.with(narrow.trial)),
            Err(_) if narrow.trial != Trial::default() => Ok(narrow.trial),
            Err(reason) => Err(reason),
        };
        *spent += self.meaning.spent() - before;
        self.known.insert(key, trial.clone());
        trial
    }

    /// Tries a difference in the alternative that it is in, and what tells it there at the place of `spot`.
    fn narrow(
        &mut self,
        difference: &'d Difference,
        spot: Spot<'_>,
        is_harmless: bool,
        within: &Within<'_>,
    ) -> Result<Narrow, Undecided> {
        let inner = Spot {
            at: within.at,
            ..spot
        };
        let Ok(own) = self.make(within.place, difference, inner, is_harmless, None, false) else {
            return Ok(Narrow::default());
        };
        if within.is_apart && within.is_all && own != Trial::default() {
            return Ok(Narrow {
                trial: own,
                is_all: true,
            });
        }
        let values = own.values();
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let shows = |found: &Trial| {
            (own.rejected.is_empty() || !found.rejected.is_empty())
                && (own.unsent.is_empty() || !found.unsent.is_empty())
        };
        let mut trial = self.meaning.sort_out(spot, &edits, values.clone())?;
        if !shows(&trial) {
            let lifted = self.meaning.lift(values, &within.levels, inner);
            let spoiled = self.meaning.spoiled(&lifted, spot);
            trial = trial.with(self.meaning.sort_out(spot, &edits, lifted)?);
            if !shows(&trial) {
                trial = trial.with(self.meaning.sort_out(spot, &edits, spoiled)?);
            }
        }
        Ok(Narrow {
            is_all: within.is_apart && shows(&trial),
            trial,
        })
    }
}

/// What the trials within the alternative that holds a difference have shown.
#[derive(Default)]
struct Narrow {
    trial: Trial,
    /// Whether there is nothing else to find.
    is_all: bool,
}

//! The trials of differences: each is made once, and all at one place make a limited effort.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::super::meaning::{Edit, Focus, Meaning, Spot, Trial};
use super::super::site::Text;
use super::differences::Difference;
use super::within::Within;
use crate::finding::{Sender, Undecided};

/// How many schemas values are held against for all differences of one schema. Unions of a hundred alternatives that all change stay
/// below a tenth of it.
const EFFORT: usize = 4_000_000;

/// Key of the trials that were already made: the place, the difference, the member that it is in, and the direction.
type Key = (usize, *const Difference, Option<String>, Sender, Text);

/// What is asked of a difference.
#[derive(Clone, Copy)]
pub(super) struct Asked<'q, 'p> {
    /// The pair of the schema that it is tried in.
    pub(super) place: usize,
    pub(super) spot: Spot<'q>,
    /// The member that the difference is in, of the objects at that place.
    pub(super) member: Option<&'q str>,
    /// Whether it is known to do no harm.
    pub(super) is_harmless: bool,
    /// The alternative that it is in.
    pub(super) within: Option<&'q Within<'p>>,
    /// Whether that alternative excludes all others.
    pub(super) is_alone: bool,
}

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

    /// Tries a difference, with values that are about it.
    pub(super) fn make(
        &mut self,
        difference: &'d Difference,
        asked: Asked<'_, '_>,
    ) -> Result<Trial, Undecided> {
        let Asked {
            place,
            spot,
            member,
            is_harmless,
            within,
            is_alone,
        } = asked;
        let key = (
            place,
            std::ptr::from_ref(difference),
            member.map(str::to_owned),
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
            Some(within) => self.narrow(difference, asked, within)?,
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
            [Edit::Flag { .. }] => member.map(|name| BTreeSet::from([name.to_owned()])),
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
        asked: Asked<'_, '_>,
        within: &Within<'_>,
    ) -> Result<Narrow, Undecided> {
        let spot = asked.spot;
        let inner = Spot {
            at: within.at,
            ..spot
        };
        let own = Asked {
            place: within.place,
            spot: inner,
            within: None,
            is_alone: false,
            ..asked
        };
        let Ok(own) = self.make(difference, own) else {
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

//! The effect of each difference by itself, and the value that shows it.
//!
//! A difference is judged on the old schema with only this difference applied. It is breaking where the sender may send a value that
//! the receiver rejects: a client sends by the old document and the server receives by the new one, the server sends by the new one and
//! a client receives by the old one. It is a warning where the receiver accepts more than is sent, or where the value needs members that
//! the sender does not document. It is no finding where nothing changes for any value, and undecided where neither a value nor a proof
//! was found. The place of the judgment is the smallest schema that the whole value has to meet there: branches of `allOf`, `oneOf` and
//! the like are judged in the schema that has them. An effect that no difference of such a schema has alone is a finding of all of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashSet};
use serde_json::Value;

use super::super::meaning::{Edit, Focus, Meaning, Spot, Step, Trial, of_schema};
use super::super::site::Text;
use super::compare::{Root, Walk};
use super::differences::Difference;
use super::effect::{self, Effect};
use super::nothing;
use super::shown::{Outcome, Shown};
use super::structure::{blind, is_null, is_open, is_open_format, is_plain_bound};
use super::texts;
use super::together::{Group, Member};
use super::users::{self, Senders};
use super::vacant::{Vacancy, count, number};
use super::view::View;
use super::ways::Use;
use crate::document::pointer;
use crate::finding::{Impact, SchemaChange, Sender, Severity, Undecided};

/// How many schemas values are held against for all differences of one schema. Unions of a hundred alternatives that all change stay
/// below a tenth of it.
const EFFORT: usize = 4_000_000;

/// The effect of a difference in one direction.
pub(super) enum Verdict {
    /// Nothing, for certain.
    None,
    /// The receiver rejects what is sent, or gets what it reads no more.
    Breaks(Impact, Option<Shown>),
    /// Only who relies on more than is documented notices.
    Harmless(Impact, Option<Shown>),
    /// It could not be found out.
    Undecided(Undecided),
}

impl Verdict {
    pub(super) fn severity(&self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Breaks(..) => Some(Severity::Breaking),
            Self::Harmless(..) => Some(Severity::Warning),
            Self::Undecided(_) => Some(Severity::Undecided),
        }
    }
}

/// Key of the trials that were already made: the place, the difference and the direction.
type TrialKey = (usize, *const Difference, Sender, Text);

pub(super) struct Decider<'d, 'w, 'a> {
    pub(super) walk: &'d Walk<'w>,
    pub(super) roots: &'d [Root<'w>],
    pub(super) meaning: &'d Meaning<'a>,
    trials: HashMap<TrialKey, Result<Trial, Undecided>>,
    pub(super) groups: BTreeMap<(usize, Sender, Text), Group<'d>>,
    /// How much was tried at each place.
    spent: HashMap<usize, usize>,
    /// Whether the old schema is included in the new one, and the reverse.
    pub(super) relations: RefCell<HashMap<(usize, Sender), (bool, bool)>>,
    pub(super) equal: Vec<bool>,
    /// The differences that are findings by themselves.
    pub(super) told: HashSet<(usize, *const Difference)>,
    senders: Vec<Senders>,
    /// Which places no value of each document comes to.
    pub(super) vacant: (Vacancy<'d, 'w>, Vacancy<'d, 'w>),
}

impl<'d, 'w, 'a> Decider<'d, 'w, 'a> {
    pub(super) fn new(walk: &'d Walk<'w>, roots: &'d [Root<'w>], meaning: &'d Meaning<'a>) -> Self {
        Self {
            walk,
            roots,
            meaning,
            trials: HashMap::default(),
            groups: BTreeMap::new(),
            relations: RefCell::default(),
            spent: HashMap::default(),
            equal: vec![false; walk.pairs.len()],
            told: HashSet::default(),
            senders: users::senders(walk, roots),
            vacant: (
                Vacancy::new(&walk.sides.old, meaning.is_flagged()),
                Vacancy::new(&walk.sides.new, meaning.is_flagged()),
            ),
        }
    }

    pub(super) fn views(&self, id: usize) -> (&'d View, &'d View) {
        self.walk.views(id)
    }

    pub(super) fn at(&self, id: usize) -> (&'d str, &'d str) {
        let pair = &self.walk.pairs[id];
        (&pair.old, &pair.new)
    }

    /// Returns the senders of a pair's values.
    pub(super) fn senders(&self, id: usize) -> impl Iterator<Item = Sender> + use<> {
        let senders = self.senders[id];
        [Sender::Client, Sender::Server]
            .into_iter()
            .filter(move |sender| senders[*sender as usize])
    }

    pub(super) fn direction(
        &mut self,
        id: usize,
        difference: &'d Difference,
        sender: Sender,
    ) -> Verdict {
        let mut worst = Verdict::None;
        let unreadable = self.unreadable(difference);
        for one in self.uses(id, sender) {
            let verdict = self.in_use(id, difference, sender, &one);
            let verdict = unreadable.qualify(verdict, sender);
            let graver = match (verdict.severity(), worst.severity()) {
                (Some(new), Some(known)) => new < known,
                (new, known) => new.is_some() && known.is_none(),
            };
            if graver {
                worst = verdict;
            }
            if worst.severity() == Some(Severity::Breaking) {
                break;
            }
        }
        worst
    }

    fn in_use(
        &mut self,
        id: usize,
        difference: &'d Difference,
        sender: Sender,
        one: &Use,
    ) -> Verdict {
        if one
            .around
            .iter()
            .any(|(_, keyword, _)| keyword == "contentSchema")
        {
            return Verdict::Undecided(Undecided::NotEnforced {
                keyword: "contentSchema".to_owned(),
            });
        }
        let inside = Self::in_place(difference, &one.around);
        let text = self.text_at(&one.around[inside..], one.root);
        if text == Text::No {
            if self.is_void(id) {
                return Verdict::None;
            }
            if let Some((dead_end, may_open)) = self.out_of_reach(&one.around) {
                if may_open {
                    self.join_quietly(dead_end, id, difference, sender, one);
                }
                return Verdict::None;
            }
        }
        let place = match inside {
            0 => id,
            count => one.around[count - 1].0,
        };
        let spot = Spot {
            at: self.at(place),
            sender,
            text,
        };
        // Where no object may have the member, it still matters whether it is required.
        let mut edits = difference.edits.iter();
        let is_required = edits.any(|edit| matches!(edit, Edit::Required { .. }));
        if let SchemaChange::PropertyAdded { name, .. } | SchemaChange::PropertyRemoved { name, .. } =
            &difference.change
            && (self.is_never_sent(id, sender, name) || !is_required && self.neither_has(id, name))
        {
            if !self.meaning.has_object(self.at(id).0, sender) {
                self.join_quietly(id, id, difference, sender, one);
            }
            return Verdict::None;
        }
        if self.is_unrequired(id, difference, sender) {
            return Verdict::None;
        }
        if spot.text != Text::No
            && (inside == 0 && self.are_same_texts(id, difference) || is_null(difference))
        {
            return Verdict::None;
        }
        let flag = match difference.edits.first() {
            Some(Edit::Flag { flag, .. }) => Some(flag),
            _ => None,
        };
        // A flag says nothing of what the other side sends.
        if flag.is_some_and(|flag| (flag == "readOnly") != (sender == Sender::Client)) {
            return Verdict::None;
        }
        let around = if flag.is_some() {
            &one.around[inside..]
        } else {
            &one.around
        };
        if self.is_hidden(around, sender) {
            return Verdict::None;
        }
        // A difference that no value shows, such as in digits that no 64-bit number holds, is judged by the keyword alone.
        if difference.edits.is_empty() {
            let effect = self.effect(id, difference, spot, &one.around[..inside], false);
            let harms = match sender {
                Sender::Client => effect.narrows,
                Sender::Server => effect.widens,
            };
            return match harms {
                true => Verdict::Breaks(Impact::Rejected, None),
                false => Verdict::Harmless(Impact::Compatible, None),
            };
        }
        let is_harmless = self.only_narrows(id, difference, sender, &one.around[..inside]);
        let mut trial = match self.trial(place, difference, spot, is_harmless) {
            Ok(trial) => trial,
            Err(reason) => return Verdict::Undecided(reason),
        };
        // Where schemas around turn what is inside of them, or count it, the difference is judged there.
        let (mut inside, mut place, mut spot) = (inside, place, spot);
        if let Some(outer) = self.turned(&one.around, inside) {
            if self.changes_nothing(id, difference, &trial, spot, &one.around) {
                let outer = one.around[outer - 1].0;
                let member = Member::quiet(id, difference, Vec::new());
                self.join(outer, sender, self.text_around(outer, one), member);
                return Verdict::None;
            }
            let mut levels = self.levels(&one.around[inside..], one.root);
            levels.truncate(outer - inside);
            (inside, place) = (outer, one.around[outer - 1].0);
            let inner = spot;
            spot.at = self.at(place);
            spot.text = self.text_at(&one.around[inside..], one.root);
            trial = match self.turned_trial(difference, &trial, &levels, inner, spot) {
                Ok(trial) => trial,
                Err(reason) => return Verdict::Undecided(reason),
            };
        }
        let mut made_up = self.drop_made_up(place, sender, &mut trial);
        let rest = &one.around[inside..];
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let rejected = self.raised(&edits, &trial, rest, one.root, spot, true);
        let empties = self.is_emptied(spot, &edits, &trial, rest);
        let own = Member {
            id,
            difference,
            breaks: empties || matches!(rejected, Outcome::Found(true, _)),
            empties,
            values: trial.values(),
        };
        self.join(place, sender, spot.text, own);
        let mut lost = None;
        if empties {
            let shown = match sender {
                Sender::Client => rejected,
                Sender::Server => self.raised(&edits, &trial, rest, one.root, spot, false),
            };
            return Verdict::Breaks(Impact::Emptied, shown.shown());
        }
        match rejected {
            Outcome::Found(true, shown) => return Verdict::Breaks(Impact::Rejected, shown),
            // A value that has the member does not show that it is missing.
            Outcome::Found(false, _) if self.is_withdrawn(id, difference, sender) => {
                return Verdict::Breaks(Impact::Withdrawn, None);
            }
            Outcome::Found(false, shown) => return Verdict::Harmless(Impact::Undocumented, shown),
            Outcome::Lost(place, values) => {
                lost = Some(place);
                let member = Member::quiet(id, difference, values);
                self.join(place, sender, self.text_around(place, one), member);
            }
            Outcome::MadeUp => made_up.0 = true,
            Outcome::None => {}
        }
        if self.is_withdrawn(id, difference, sender) {
            let unsent = self.raised(&edits, &trial, rest, one.root, spot, false);
            return Verdict::Breaks(Impact::Withdrawn, unsent.shown());
        }
        self.without_harm(id, difference, spot, one, inside, (&trial, lost, made_up))
    }

    /// Whether no value is left of a body, a parameter or a member with these edits, which the trial is of.
    fn is_emptied(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        trial: &Trial,
        rest: &[(usize, String, Step)],
    ) -> bool {
        let lost = match spot.sender {
            Sender::Client => &trial.rejected,
            Sender::Server => &trial.unsent,
        };
        let (mut spot, mut rest) = (spot, rest);
        while !lost.is_empty() && self.meaning.leaves_nothing(spot, edits) {
            let Some((_, _, step)) = rest.first() else {
                return true;
            };
            if let Step::Member(_) = step {
                return true;
            }
            // A list may be empty where no item is left.
            let more = rest[1..].iter();
            let outer = more.take_while(|(.., step)| step.is_in_place()).count();
            spot.at = self.at(rest[outer].0);
            rest = &rest[outer + 1..];
        }
        false
    }

    /// Whether the schema that a difference is judged in certainly accepts the same with and without it.
    fn changes_nothing(
        &self,
        id: usize,
        difference: &Difference,
        trial: &Trial,
        spot: Spot<'_>,
        around: &[(usize, String, Step)],
    ) -> bool {
        let unevaluated = |view: &View| {
            ["unevaluatedProperties", "unevaluatedItems"]
                .iter()
                .any(|keyword| view.parts.contains_key(*keyword))
        };
        let counted = effect::names_members(&difference.keyword)
            && around.iter().any(|(pair, ..)| {
                let (old, new) = self.views(*pair);
                unevaluated(old) || unevaluated(new)
            });
        if !trial.rejected.is_empty() || !trial.unsent.is_empty() || counted {
            return false;
        }
        if blind(difference, self.views(id)).is_some() {
            return false;
        }
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let relation = self.meaning.proof(spot.at, spot.sender, &edits);
        relation.old_in_new && relation.new_in_old
    }

    /// Judges a difference for which no value was found that the receiver rejects.
    fn without_harm(
        &self,
        id: usize,
        difference: &Difference,
        spot: Spot<'_>,
        one: &Use,
        inside: usize,
        (trial, lost, made_up): (&Trial, Option<usize>, (bool, bool)),
    ) -> Verdict {
        let views = self.views(id);
        if let Some(reason) = blind(difference, views) {
            return Verdict::Undecided(reason);
        }
        let rest = &one.around[inside..];
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let harmless = || match self.raised(&edits, trial, rest, one.root, spot, false) {
            Outcome::MadeUp => Verdict::None,
            outcome => Verdict::Harmless(Impact::Compatible, outcome.shown()),
        };
        // Where a difference does not show is judged where it would.
        let spot = Spot {
            at: lost.map_or(spot.at, |place| self.at(place)),
            ..spot
        };
        // Formats such as `double` and `password` tell a reader something, and reject no value.
        if difference.keyword == "format"
            && trial.unsent.is_empty()
            && (is_open_format(views) || self.is_proven_safe(spot, &edits))
        {
            return harmless();
        }
        let inside = match lost {
            Some(place) => one.around.iter().position(|(pair, ..)| *pair == place),
            None => inside.checked_sub(1),
        };
        let effect = self.effect(
            id,
            difference,
            spot,
            &one.around[..inside.map_or(0, |index| index + 1)],
            !trial.unsent.is_empty(),
        );
        let (harms, helps) = match spot.sender {
            Sender::Client => (effect.narrows, effect.widens),
            Sender::Server => (effect.widens, effect.narrows),
        };
        let (harms, helps) = (harms && !made_up.0, helps && !made_up.1);
        let unsent = !trial.unsent.is_empty();
        match (harms, helps || unsent) {
            (false, false) => return self.of_others(difference, views, spot, &edits),
            (false, true) if unsent => return harmless(),
            _ => {}
        }
        let relation = self.meaning.proof(spot.at, spot.sender, &edits);
        let (safe, same) = match spot.sender {
            Sender::Client => (relation.old_in_new, relation.new_in_old),
            Sender::Server => (relation.new_in_old, relation.old_in_new),
        };
        if !harms || safe {
            return match (unsent, !helps || same) {
                (false, true) => Verdict::None,
                _ => harmless(),
            };
        }
        if lost.is_some() {
            let relation = self.meaning.relation(spot.at, spot.sender);
            return match relation.is_safe(spot.sender) {
                true => harmless(),
                false => Verdict::Undecided(Undecided::NotFound {
                    keyword: difference.keyword.clone(),
                }),
            };
        }
        // The values that the algebra says are lost are often those that were not thought of.
        let mut values: Vec<Value> = relation.lost.iter().flat_map(of_schema).collect();
        values.extend(self.meaning.refused(spot.at, spot.sender, &edits));
        if let Ok(more) = self.meaning.sort_out(spot, &edits, values) {
            match self.raised(&edits, &more, rest, one.root, spot, true) {
                Outcome::Found(true, shown) => return Verdict::Breaks(Impact::Rejected, shown),
                Outcome::Found(false, shown) => {
                    return Verdict::Harmless(Impact::Undocumented, shown);
                }
                Outcome::MadeUp => return harmless(),
                Outcome::Lost(..) | Outcome::None => {}
            }
        }
        if self.is_covered(difference, spot.sender) || self.is_taken_over(id, &one.around) {
            return harmless();
        }
        if is_plain_bound(difference, views) && self.reaches_out(id, &one.around, spot.sender) {
            return Verdict::Breaks(Impact::Rejected, None);
        }
        Verdict::Undecided(Undecided::NotFound {
            keyword: difference.keyword.clone(),
        })
    }

    /// Whether the receiver certainly accepts all that is sent, with and without a difference.
    fn is_proven_safe(&self, spot: Spot<'_>, edits: &[&Edit]) -> bool {
        let relation = self.meaning.proof(spot.at, spot.sender, edits);
        relation.is_safe(spot.sender)
    }

    /// Judges a difference that documented members do not show: it may be about undocumented ones.
    fn of_others(
        &self,
        difference: &Difference,
        views: (&View, &View),
        spot: Spot<'_>,
        edits: &[&Edit],
    ) -> Verdict {
        let others = ["additionalProperties", "unevaluatedProperties"];
        if !others.contains(&difference.keyword.as_str()) || !is_open(difference, views) {
            return Verdict::None;
        }
        let relation = self.meaning.proof(spot.at, spot.sender, edits);
        if relation.old_in_new && relation.new_in_old {
            return Verdict::None;
        }
        let harms = match spot.sender {
            Sender::Client => difference.effect.narrows,
            Sender::Server => difference.effect.widens,
        };
        let impact = match harms {
            true => Impact::Undocumented,
            false => Impact::Compatible,
        };
        Verdict::Harmless(impact, None)
    }

    /// Whether the difference adds a property that the old document has elsewhere, such as in an alternative.
    fn is_known_member(&self, id: usize, difference: &Difference) -> bool {
        match &difference.change {
            SchemaChange::PropertyAdded { name, .. } => self.documented(id, name).0,
            _ => false,
        }
    }

    /// Returns the possible effect of a difference on the values of the schema that it is judged in. Branches of `oneOf` are assumed to
    /// exclude each other, because values that show an overlap were tried before. For the `oneOf` directly around the difference, this is
    /// assumed only if values were `seen` that only the receiver accepts.
    fn effect(
        &self,
        id: usize,
        difference: &Difference,
        spot: Spot<'_>,
        around: &[(usize, String, Step)],
        seen: bool,
    ) -> Effect {
        let views = self.views(id);
        let plain = around.is_empty();
        // Among alternatives as well, a member more is one that senders of old do not document.
        let united = around.iter().all(|(_, keyword, step)| {
            let covariant = ["oneOf", "anyOf", "allOf", "$ref", "properties", "items"];
            covariant.contains(&keyword.as_str()) || *step == Step::Rest
        });
        if united && is_open(difference, views) && !self.is_known_member(id, difference) {
            return Effect::NONE;
        }
        if plain && spot.text != Text::No && difference.keyword == "type" {
            let exploded = spot.text == Text::Exploded;
            return effect::of_texts(difference.effect, views, exploded);
        }
        if plain && self.is_below_text(spot.text, difference, views) {
            return Effect::NONE;
        }
        let own = match plain {
            true => nothing::of_bounds(&difference.keyword, views).unwrap_or(difference.effect),
            false => difference.effect,
        };
        let least = u64::from(plain && spot.text == Text::Segment);
        let own = texts::effect(&difference.keyword, views, least).unwrap_or(own);
        let own = match &difference.edits[..] {
            [Edit::Flag { set, .. }] => self.of_flag(id, *set, around),
            [
                Edit::Branch {
                    keyword, old, new, ..
                },
            ] if keyword == "oneOf" => {
                // Where it excludes all others, it is as one of `anyOf`.
                match self.is_apart(id, old.is_some(), old.as_ref().or(new.as_ref())) {
                    true => effect::of_branch("anyOf", old.is_some()),
                    false => own,
                }
            }
            _ => own,
        };
        let mut names = effect::names_members(&difference.keyword);
        let mut variance = 1;
        let mut in_place = true;
        let mut inner = id;
        for (pair, keyword, step) in around {
            in_place &= step.is_in_place();
            let (old, new) = self.at(std::mem::replace(&mut inner, *pair));
            variance *= match keyword.as_str() {
                "oneOf" if seen || !in_place => 1,
                "oneOf"
                    if self.is_apart(*pair, true, Some(&old.to_owned()))
                        && self.is_apart(*pair, false, Some(&new.to_owned())) =>
                {
                    1
                }
                keyword => effect::variance(keyword, names, self.views(*pair)),
            };
            names &= *step == Step::Same;
        }
        match variance {
            1 => own,
            -1 => own.reversed(),
            _ => Effect::ANY,
        }
    }

    /// Whether a bound changes below what every text has: a list has an item, and a segment of a path a character.
    fn is_below_text(&self, text: Text, difference: &Difference, views: (&View, &View)) -> bool {
        let keyword = match text {
            Text::Scalar | Text::Exploded => "minItems",
            Text::Segment if difference.keyword == "minItems" => "minItems",
            Text::Segment => "minLength",
            Text::No | Text::Form => return false,
        };
        let one = count(1);
        let is_low = |view| number(view, keyword).is_none_or(|least| least <= one);
        difference.keyword == keyword && is_low(views.0) && is_low(views.1)
    }

    /// Returns the effect of a flag on the object that has the member: it may not have it any more, and need not.
    fn of_flag(&self, id: usize, set: bool, around: &[(usize, String, Step)]) -> Effect {
        let holder = around.iter().find_map(|(_, _, step)| match step {
            Step::Member(name) => Some(name),
            _ => None,
        });
        let whole = around.last().map_or(id, |(pair, ..)| *pair);
        let is_required = holder.is_none_or(|name| self.meaning.requires(self.at(whole), name));
        Effect {
            narrows: set || is_required,
            widens: !set || is_required,
        }
    }

    /// Whether no value of the alternative at `branch` matches another one of the `oneOf` of the old or the new schema of a pair.
    fn is_apart(&self, id: usize, in_old: bool, branch: Option<&String>) -> bool {
        let (view, vacancy) = match in_old {
            true => (self.views(id).0, &self.vacant.0),
            false => (self.views(id).1, &self.vacant.1),
        };
        let known = |at: &str| vacancy.side.known_as(at);
        let Some(own) = branch.map(|at| known(at)) else {
            return false;
        };
        let branches = view.branches("oneOf");
        let others = branches.iter().filter(|at| known(at) != own);
        let all: Vec<&String> = others.collect();
        all.len() + 1 == branches.len() && all.iter().all(|at| vacancy.are_apart(&own, at))
    }

    /// Whether a difference adds a member that a server need not send, to one of alternatives that accept more where the alternative
    /// does: then it sends less than before, or the same.
    fn only_narrows(
        &self,
        id: usize,
        difference: &Difference,
        sender: Sender,
        around: &[(usize, String, Step)],
    ) -> bool {
        let is_passed_on = |keyword: &str, pair: usize| {
            let keyword = if keyword == "$ref" { "anyOf" } else { keyword };
            effect::variance(keyword, true, self.views(pair)) == 1
        };
        sender == Sender::Server
            && is_open(difference, self.views(id))
            && matches!(difference.change, SchemaChange::PropertyAdded { .. })
            && !self.is_known_member(id, difference)
            && around
                .iter()
                .all(|(pair, keyword, _)| is_passed_on(keyword, *pair))
    }

    /// Tries a difference at `place`, with values that are about it.
    pub(super) fn trial(
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
        if let Some(known) = self.trials.get(&key) {
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
        self.trials.insert(key, trial.clone());
        trial
    }
}

//! What each difference does by itself, and which value shows it.
//!
//! A difference is judged on the old schema with only this difference applied. It is breaking where the sender may send a value that
//! the receiver rejects: a client sends by the old document and the server receives by the new one, the server sends by the new one and
//! a client receives by the old one. It is a warning where the receiver accepts more than is sent, or where the value needs members that
//! the sender does not document. It is no finding where nothing changes for any value, and undecided where neither a value nor a proof
//! was found. The place of the judgment is the smallest schema that the whole value has to meet there: branches of `allOf`, `oneOf` and
//! the like are judged in the schema that has them. What no difference of such a schema does alone is a finding of all of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::super::ledger::{Ledger, Pair, SchemaEntry, Text};
use super::super::meaning::{Around, Edit, Focus, Meaning, Spot, Step, Trial, is_held, of_schema};
use super::super::rules;
use super::compare::{From, Root, Visit, Walk};
use super::differences::Difference;
use super::effect::{self, Effect};
use super::reach;
use super::shown::{Outcome, Shown};
use super::together::Group;
use super::told;
use super::users::{self, Search, Senders};
use super::vacant::Vacancy;
use super::view::View;
use super::ways::Use;
use crate::document::pointer;
use crate::finding::{self, Impact, Message, SchemaChange, Sender, Severity, Side, Undecided};

/// How many schemas values are held against for all differences of one schema. Unions of a hundred alternatives that all change stay
/// below a tenth of it.
const EFFORT: usize = 1_000_000;

/// Enters what the differences of all pairs come to.
pub(super) fn enter<'w>(
    walk: &Walk<'w>,
    ledger: &mut Ledger<'_>,
    roots: &[Root<'w>],
    meaning: &Meaning<'_>,
) {
    let mut decider = Decider {
        walk,
        roots,
        meaning,
        trials: HashMap::new(),
        groups: BTreeMap::new(),
        relations: RefCell::default(),
        spent: HashMap::new(),
        equal: vec![false; walk.pairs.len()],
        senders: users::senders(walk, roots),
        vacant: (
            Vacancy::new(&walk.sides.old, meaning.is_flagged()),
            Vacancy::new(&walk.sides.new, meaning.is_flagged()),
        ),
    };
    let mut search = Search::new(walk, roots);
    ledger
        .options
        .progress
        .expect("schemas that differ", walk.pairs.len());
    for (id, pair) in walk.pairs.iter().enumerate() {
        ledger.options.progress.step();
        enter_unresolved(pair, &mut search, id, ledger, roots);
        // What two equal schemas have inside is spelled differently and comes to the same.
        decider.equal[id] = pair.from.iter().all(|from| match from {
            From::Root(_) => false,
            From::Pair(around, ..) => decider.equal[*around],
        });
        if decider.equal[id] || pair.differences.is_empty() {
            continue;
        }
        let mut entries = Vec::new();
        for difference in &pair.differences {
            entries.extend(decider.entry(id, difference));
        }
        if entries.is_empty() {
            decider.equal[id] = [Sender::Client, Sender::Server].iter().all(|sender| {
                let relation = meaning.relation(decider.at(id), *sender);
                relation.old_in_new && relation.new_in_old
            });
            continue;
        }
        let (subjects, users) = search.users(id);
        for entry in entries {
            ledger.add_schema(entry, &subjects, &users);
        }
    }
    for (id, entry) in decider.together() {
        let (subjects, users) = search.users(id);
        ledger.add_schema(entry, &subjects, &users);
    }
}

/// Enters the references of a pair that lead nowhere.
fn enter_unresolved(
    pair: &Visit<'_>,
    search: &mut Search<'_, '_>,
    id: usize,
    ledger: &mut Ledger<'_>,
    roots: &[Root<'_>],
) {
    for (side, at) in &pair.unresolved {
        let subject = search.users(id).1.into_iter().next();
        let subject = subject.map_or_else(String::new, |user| user.subject);
        let whole = pair.from.iter().find_map(|from| match from {
            From::Root(root) => Some(roots[*root].at.clone()),
            From::Pair(..) => None,
        });
        let mut place = whole.unwrap_or_else(|| Pair::new(pair.old.as_str(), pair.new.as_str()));
        match side {
            Side::Old => place.old.clone_from(at),
            Side::New => place.new.clone_from(at),
        }
        ledger.unresolved(&subject, *side, &place);
    }
}

/// What a difference does in one direction.
enum Verdict {
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
    fn severity(&self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Breaks(..) => Some(Severity::Breaking),
            Self::Harmless(..) => Some(Severity::Warning),
            Self::Undecided(_) => Some(Severity::Undecided),
        }
    }
}

/// What was tried already: the place, the difference and the direction.
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
    senders: Vec<Senders>,
    /// Which places no value of each document comes to.
    pub(super) vacant: (Vacancy<'d, 'w>, Vacancy<'d, 'w>),
}

impl<'d> Decider<'d, '_, '_> {
    pub(super) fn views(&self, id: usize) -> (&'d View, &'d View) {
        self.walk.views(id)
    }

    pub(super) fn at(&self, id: usize) -> (&'d str, &'d str) {
        let pair = &self.walk.pairs[id];
        (&pair.old, &pair.new)
    }

    /// Who sends values of a pair.
    fn senders(&self, id: usize) -> impl Iterator<Item = Sender> + use<> {
        let senders = self.senders[id];
        [Sender::Client, Sender::Server]
            .into_iter()
            .filter(move |sender| senders[*sender as usize])
    }

    /// What is to be entered for a difference, if anything.
    fn entry(&mut self, id: usize, difference: &'d Difference) -> Option<SchemaEntry> {
        let mut entry = SchemaEntry {
            rule: difference.rule,
            severity: difference.severity,
            at: difference.at.clone(),
            message: Message::Schema(difference.change.clone()),
            effect: None,
            undecided: None,
            witness: None,
            proof: None,
        };
        let told = [
            &rules::SCHEMA_PROSE_CHANGED,
            &rules::SCHEMA_ANNOTATION_CHANGED,
            // A discriminator is a hint: it never decides whether a value is valid (OpenAPI 3.1.1, Discriminator Object).
            &rules::SCHEMA_DISCRIMINATOR_CHANGED,
        ];
        if told.iter().any(|rule| rule.id == difference.rule.id) {
            return Some(entry);
        }
        let mut worst: Option<(Severity, Sender, Verdict)> = None;
        for sender in self.senders(id) {
            let verdict = match self.direction(id, difference, sender) {
                Verdict::None if self.is_worth_saying(id, difference) => {
                    Verdict::Harmless(Impact::Compatible, None)
                }
                verdict => verdict,
            };
            let Some(severity) = verdict.severity() else {
                continue;
            };
            if worst.as_ref().is_none_or(|(known, ..)| severity < *known) {
                worst = Some((severity, sender, verdict));
            }
        }
        let (severity, sender, verdict) = worst?;
        entry.severity = severity;
        let (impact, shown) = match verdict {
            Verdict::Breaks(impact, shown) | Verdict::Harmless(impact, shown) => (impact, shown),
            Verdict::Undecided(reason) => {
                entry.undecided = Some(told::reason(reason, difference));
                return Some(entry);
            }
            Verdict::None => return None,
        };
        entry.effect = Some(finding::Effect { sender, impact });
        if let Some(shown) = shown {
            entry.proof = Some(self.proof(&shown));
            entry.witness = Some(shown.value);
        }
        Some(entry)
    }

    /// Whether a reader should know of a difference that does nothing to values.
    fn is_worth_saying(&self, id: usize, difference: &Difference) -> bool {
        match &difference.change {
            SchemaChange::PropertyAdded { name, .. }
            | SchemaChange::PropertyRemoved { name, .. } => {
                let (old, new) = self.documented(id, name);
                old != new
                    && self
                        .senders(id)
                        .any(|sender| !self.is_never_sent(id, sender, name))
            }
            _ => ["readOnly", "writeOnly"].contains(&difference.keyword.as_str()),
        }
    }

    /// Whether neither document has the member sent in this direction.
    fn is_never_sent(&self, id: usize, sender: Sender, name: &str) -> bool {
        let (old, new) = self.meaning.hides(self.at(id), sender, name);
        let (in_old, in_new) = self.documented(id, name);
        old && (new || !in_new) || new && !in_old
    }

    fn direction(&mut self, id: usize, difference: &'d Difference, sender: Sender) -> Verdict {
        let mut worst = Verdict::None;
        for one in self.uses(id, sender) {
            let verdict = self.in_use(id, difference, sender, &one);
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

    /// How many of the schemas around a difference are met by the same value; for a flag of a member, by the object that has it.
    fn in_place(difference: &Difference, around: &[(usize, String, Step)]) -> usize {
        let same = |from: usize| {
            let rest = around[from..].iter();
            from + rest.take_while(|(.., step)| step.is_in_place()).count()
        };
        let own = same(0);
        let flag = matches!(difference.edits.first(), Some(Edit::Flag { .. }));
        match around.get(own) {
            Some((_, _, Step::Member(_))) if flag => same(own + 1),
            _ => own,
        }
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
        let text = self.roots[one.root].text;
        if text == Text::No && self.is_out_of_reach(&one.around) {
            return Verdict::None;
        }
        let inside = Self::in_place(difference, &one.around);
        let place = match inside {
            0 => id,
            count => one.around[count - 1].0,
        };
        let spot = Spot {
            at: self.at(place),
            sender,
            text,
        };
        if let SchemaChange::PropertyAdded { name, .. } | SchemaChange::PropertyRemoved { name, .. } =
            &difference.change
            && self.is_never_sent(id, sender, name)
        {
            return Verdict::None;
        }
        // Digits that no 64-bit number holds are judged by arithmetic.
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
        let flag = matches!(difference.edits.first(), Some(Edit::Flag { .. }));
        let around = if flag {
            &one.around[inside..]
        } else {
            &one.around
        };
        if self.is_hidden(around, sender) {
            return Verdict::None;
        }
        let mut trial = match self.trial(place, difference, spot) {
            Ok(trial) => trial,
            Err(reason) => return Verdict::Undecided(reason),
        };
        // Where schemas around turn what is inside of them, or count it, the difference is judged there.
        let (mut inside, mut place, mut spot) = (inside, place, spot);
        if let Some(outer) = self.turned(&one.around, inside) {
            if self.changes_nothing(id, difference, &trial, spot, &one.around) {
                return Verdict::None;
            }
            let levels = self.levels(&one.around[inside..outer]);
            (inside, place) = (outer, one.around[outer - 1].0);
            let inner = spot;
            spot.at = self.at(place);
            trial = match self.turned_trial(difference, &trial, &levels, inner, spot) {
                Ok(trial) => trial,
                Err(reason) => return Verdict::Undecided(reason),
            };
        }
        let mut made_up = self.drop_made_up(place, sender, &mut trial);
        let rest = &one.around[inside..];
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let rejected = self.raised(&edits, &trial, rest, one.root, spot, true);
        let breaks = matches!(rejected, Outcome::Found(true, _));
        self.join(place, spot, id, difference, breaks);
        let mut lost = None;
        match rejected {
            Outcome::Found(true, shown) => return Verdict::Breaks(Impact::Rejected, shown),
            Outcome::Found(false, shown) if self.is_withdrawn(id, difference, sender) => {
                return Verdict::Breaks(Impact::Withdrawn, shown);
            }
            Outcome::Found(false, shown) => return Verdict::Harmless(Impact::Undocumented, shown),
            Outcome::Lost(place) => lost = Some(place),
            Outcome::MadeUp => made_up.0 = true,
            Outcome::None => {}
        }
        if self.is_withdrawn(id, difference, sender) {
            let unsent = self.raised(&edits, &trial, rest, one.root, spot, false);
            return Verdict::Breaks(Impact::Withdrawn, unsent.shown());
        }
        self.without_harm(id, difference, spot, one, inside, (&trial, lost, made_up))
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

    /// Whether a value lies in a member that is not sent in this direction.
    fn is_hidden(&self, around: &[(usize, String, Step)], sender: Sender) -> bool {
        around.iter().any(|(pair, _, step)| match step {
            Step::Member(name) => self.meaning.hides(self.at(*pair), sender, name).0,
            _ => false,
        })
    }

    /// What is left where no value was found that the receiver rejects.
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
        if difference.keyword == "format" && trial.unsent.is_empty() {
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
            (false, false) => return Verdict::None,
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
            let safe = match spot.sender {
                Sender::Client => relation.old_in_new,
                Sender::Server => relation.new_in_old,
            };
            return match safe {
                true => harmless(),
                false => Verdict::Undecided(Undecided::NotFound {
                    keyword: difference.keyword.clone(),
                }),
            };
        }
        // What the algebra says is lost is often what was not thought of.
        let values: Vec<Value> = relation.lost.iter().flat_map(of_schema).collect();
        if let Ok(more) = self.meaning.sort_out(spot, &edits, values) {
            match self.raised(&edits, &more, rest, one.root, spot, true) {
                Outcome::Found(true, shown) => return Verdict::Breaks(Impact::Rejected, shown),
                Outcome::Found(false, shown) => {
                    return Verdict::Harmless(Impact::Undocumented, shown);
                }
                Outcome::MadeUp => return harmless(),
                Outcome::Lost(_) | Outcome::None => {}
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

    /// Whether an alternative that comes, or goes, accepts nothing documented that none of the others does.
    fn is_covered(&self, difference: &Difference, sender: Sender) -> bool {
        let sides = &self.walk.sides;
        let (Difference { at, keyword, .. }, [Edit::Branch { old, new, .. }]) =
            (difference, &difference.edits[..])
        else {
            return false;
        };
        let others = |side: Side, list: &str| -> Vec<String> {
            let branches = match side {
                Side::Old => sides.old.value(list),
                Side::New => sides.new.value(list),
            };
            let count = branches.and_then(Value::as_array).map_or(0, Vec::len);
            (0..count)
                .map(|index| pointer::index(list, index))
                .collect()
        };
        if keyword != "anyOf" && keyword != "oneOf" {
            return false;
        }
        match (old, new, sender) {
            (None, Some(new), Sender::Server) => others(Side::Old, &at.old)
                .iter()
                .any(|old| sides.covers((Side::Old, old), (Side::New, new))),
            (Some(old), None, Sender::Client) => others(Side::New, &at.new)
                .iter()
                .any(|new| sides.covers((Side::New, new), (Side::Old, old))),
            _ => false,
        }
    }

    /// What a difference may do to the values of the schema that it is judged in. Branches of `oneOf` are assumed to exclude each other,
    /// because values that show an overlap were tried before. For the `oneOf` directly around the difference, this is assumed only if
    /// values were `seen` that only the receiver accepts.
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
        if united && effect::is_open(&difference.keyword, difference.effect, views) {
            return Effect::NONE;
        }
        if plain && spot.text != Text::No && difference.keyword == "type" {
            let exploded = spot.text == Text::Exploded;
            return effect::of_texts(difference.effect, views, exploded);
        }
        let mut names = effect::names_members(&difference.keyword);
        let mut variance = 1;
        let mut own = true;
        for (pair, keyword, step) in around {
            own &= step.is_in_place();
            variance *= match keyword.as_str() {
                "oneOf" if seen || !own => 1,
                keyword => effect::variance(keyword, names, self.views(*pair)),
            };
            names &= *step == Step::Same;
        }
        match variance {
            1 => difference.effect,
            -1 => difference.effect.reversed(),
            _ => Effect::ANY,
        }
    }

    /// How many of the schemas around a difference there are up to the outermost one that does not simply accept more where the inner
    /// one does: `not`, `if`, `oneOf`, `contains` with a limit, and the like.
    fn turned(&self, around: &[(usize, String, Step)], inside: usize) -> Option<usize> {
        let turns = |index: &usize| {
            let (pair, keyword, step) = &around[*index];
            effect::variance(keyword, step.is_in_place(), self.views(*pair)) != 1
        };
        let last = (inside..around.len()).rev().find(turns)?;
        let rest = around[last + 1..].iter();
        Some(last + 1 + rest.take_while(|(.., step)| step.is_in_place()).count())
    }

    /// The schemas around others, for values to be put into them.
    pub(super) fn levels<'p>(&'p self, around: &'p [(usize, String, Step)]) -> Vec<Around<'p>> {
        let level = |(pair, _, step): &'p (usize, String, Step)| Around {
            at: self.at(*pair),
            step,
        };
        around.iter().map(level).collect()
    }

    /// What a difference does in a schema around, which the values of `inner` are put into.
    fn turned_trial(
        &self,
        difference: &Difference,
        inner: &Trial,
        levels: &[Around<'_>],
        from: Spot<'_>,
        spot: Spot<'_>,
    ) -> Result<Trial, Undecided> {
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let all = inner
            .rejected
            .iter()
            .take(4)
            .chain(inner.unsent.iter().take(4));
        let values = all.map(|tried| tried.value.clone()).collect();
        let lifted = self.meaning.lift(values, levels, from);
        let trial = self.meaning.sort_out(spot, &edits, lifted)?;
        if !trial.rejected.is_empty() {
            return Ok(trial);
        }
        let names = levels.iter().filter_map(|level| match level.step {
            Step::Member(name) => Some(name.clone()),
            _ => None,
        });
        let focus = Focus::All(names.collect());
        let mut more = self.meaning.trial(spot, &edits, &focus)?;
        more.unsent.extend(trial.unsent);
        Ok(more)
    }

    /// What a difference does at `place`, with values that are about it.
    fn trial(
        &mut self,
        place: usize,
        difference: &'d Difference,
        spot: Spot<'_>,
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
        let trial = self.meaning.trial(spot, &edits, &focus);
        *spent += self.meaning.spent() - before;
        self.trials.insert(key, trial.clone());
        trial
    }

    /// Whether the server stops sending a member that was documented.
    fn is_withdrawn(&self, id: usize, difference: &Difference, sender: Sender) -> bool {
        if sender == Sender::Client {
            return false;
        }
        match &difference.change {
            SchemaChange::PropertyRemoved { name, .. } => {
                !self.documented(id, name).1
                    && !self.is_never_sent(id, sender, name)
                    && !self.never_has(id, name)
            }
            SchemaChange::KeywordAdded(told) => told.keyword == "writeOnly",
            _ => false,
        }
    }

    /// Whether the old and the new schema speak of the member `name` of the value that a pair is about.
    fn documented(&self, id: usize, name: &str) -> (bool, bool) {
        let mut whole = id;
        let mut seen = BTreeSet::from([id]);
        // Other branches may speak of it as well.
        while let Some(From::Pair(around, _, Step::Same)) = self.walk.pairs[whole].from.first() {
            if !seen.insert(*around) {
                break;
            }
            whole = *around;
        }
        self.meaning.names(self.at(whole), name)
    }
}

/// Why the validator cannot tell what a difference does.
fn blind(difference: &Difference, views: (&View, &View)) -> Option<Undecided> {
    let keyword = difference.keyword.as_str();
    let flag = ["readOnly", "writeOnly"].contains(&keyword);
    if !keyword.is_empty() && !flag && !is_held(keyword) {
        let keyword = keyword.to_owned();
        return Some(Undecided::NotEnforced { keyword });
    }
    if keyword == "format"
        && let Some(format) = effect::unknown_format(views)
    {
        return Some(Undecided::UnknownFormat { format });
    }
    let broken = |view: &View| view.parts.contains_key("not-a-schema");
    (broken(views.0) || broken(views.1)).then_some(Undecided::NotASchema)
}

/// Whether a difference is that of a bound, and nothing beside it keeps values from reaching the bound.
fn is_plain_bound(difference: &Difference, views: (&View, &View)) -> bool {
    const BOUNDS: [&str; 6] = [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    let plain = |view: &View| reach::is_plain(view) && !view.closed;
    BOUNDS.contains(&difference.keyword.as_str()) && plain(views.0) && plain(views.1)
}

//! Entering what the differences of all pairs come to.

use super::super::ledger::{Ledger, SchemaEntry};
use super::super::meaning::Meaning;
use super::super::pair::Pair;
use super::super::rules;
use super::compare::{From, Root, Visit, Walk};
use super::decider::Decider;
use super::differences::Difference;
use super::effect::Effect;
use super::structure::is_open;
use super::told;
use super::users::{Found, Search};
use super::verdict::Verdict;
use crate::finding::{self, Impact, Message, SchemaChange, Sender, Severity, Side, Turned};

/// Enters what the differences of all pairs come to.
pub(super) fn enter<'w>(
    walk: &Walk<'w>,
    ledger: &mut Ledger<'_>,
    roots: &[Root<'w>],
    meaning: &Meaning<'_>,
) {
    let mut decider = Decider::new(walk, roots, meaning);
    let mut search = Search::new(walk, roots);
    ledger
        .options
        .progress
        .expect("schemas that differ", walk.pairs.len());
    for (id, pair) in walk.pairs.iter().enumerate() {
        ledger.options.progress.step();
        enter_unresolved(pair, &mut search, id, ledger, roots);
        // The schemas inside two equal schemas may be spelled differently, but mean the same.
        decider.equal[id] = pair.from.iter().all(|from| match from {
            From::Root(_) => false,
            From::Pair(around, ..) => decider.equal[*around],
        });
        if decider.equal[id] || pair.differences.is_empty() {
            continue;
        }
        let mut entries = Vec::new();
        for difference in &pair.differences {
            if let Some(entry) = decider.entry(id, difference) {
                decider.told.insert((id, std::ptr::from_ref(difference)));
                entries.push(entry);
            }
        }
        if entries.is_empty() {
            decider.equal[id] = [Sender::Client, Sender::Server].iter().all(|sender| {
                let relation = meaning.relation(decider.at(id), *sender);
                relation.old_in_new && relation.new_in_old
            });
            continue;
        }
        search.search(id);
        // Who only has values of the other direction does not notice.
        let mut known: Vec<(Option<Sender>, Found)> = Vec::new();
        for entry in entries {
            let sender = entry.effect.map(|effect| effect.sender);
            let affected = sender.and_then(|sender| search.affected(sender));
            if known.iter().all(|(one, _)| *one != sender) {
                known.push((sender, search.found(id, sender)));
            }
            let users = known.iter().find(|(one, _)| *one == sender);
            if let Some((_, (subjects, users))) = users {
                ledger.add_schema(entry, subjects, users, affected);
            }
        }
    }
    for (id, entry) in decider.together() {
        search.search(id);
        let (subjects, users) = search.found(id, entry.effect.map(|effect| effect.sender));
        let affected = entry
            .effect
            .and_then(|effect| search.affected(effect.sender));
        ledger.add_schema(entry, &subjects, &users, affected);
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

impl<'d> Decider<'d, '_, '_> {
    /// Returns the entry for a difference, if any.
    fn entry(&mut self, id: usize, difference: &'d Difference) -> Option<SchemaEntry> {
        let mut entry = SchemaEntry {
            rule: difference.rule,
            severity: difference.severity,
            at: difference.at.clone(),
            message: Message::Schema(difference.change.clone()),
            effect: None,
            turned: Turned::No,
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
                    Verdict::Harmless(self.impact_of_none(id, difference, sender), None)
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
        let root = shown.as_ref().map(|shown| shown.root);
        entry.turned = self.is_turned(id, difference, (sender, impact), root);
        if let Some(shown) = shown {
            entry.proof = Some(self.proof(&shown));
            entry.witness = Some(shown.value);
        }
        Some(entry)
    }

    /// How a difference comes to have its effect: under `not` the other way round, and in alternatives also by what overlaps. `root` is
    /// the body or parameter of the value that shows it.
    fn is_turned(
        &self,
        id: usize,
        difference: &Difference,
        (sender, impact): (Sender, Impact),
        root: Option<usize>,
    ) -> Turned {
        let uses = self.uses(id, sender);
        let of_root = uses.iter().find(|one| Some(one.root) == root);
        let Some(one) = of_root.or(uses.first()) else {
            return Turned::No;
        };
        let count = |name: &str| {
            one.around
                .iter()
                .filter(|(_, keyword, _)| keyword == name)
                .count()
        };
        if count("if") > 0 {
            return Turned::Conditional;
        }
        let is_negated = count("not") % 2 == 1;
        let harms = matches!(impact, Impact::Compatible) == (sender == Sender::Server);
        let narrows = harms || matches!(impact, Impact::Withdrawn | Impact::Emptied);
        let Effect {
            narrows: may_narrow,
            widens: may_widen,
        } = difference.effect;
        match (may_narrow, may_widen) {
            (true, true) if is_negated => Turned::Negated,
            (true, true) => Turned::No,
            (natural, _) if natural == narrows => Turned::No,
            _ if is_negated => Turned::Negated,
            _ if count("oneOf") > 0 => Turned::Overlapping,
            _ => Turned::No,
        }
    }

    /// The impact of a difference that does nothing to documented values. A member more of an open object matters to clients that sent
    /// it before, if to anybody.
    fn impact_of_none(&self, id: usize, difference: &Difference, sender: Sender) -> Impact {
        let is_new = matches!(difference.change, SchemaChange::PropertyAdded { .. });
        match is_new && sender == Sender::Client && is_open(difference, self.views(id)) {
            true => Impact::Undocumented,
            false => Impact::Compatible,
        }
    }

    /// Whether a reader should know of a difference that does nothing to values.
    fn is_worth_saying(&self, id: usize, difference: &Difference) -> bool {
        match &difference.change {
            SchemaChange::PropertyAdded { name, .. }
            | SchemaChange::PropertyRemoved { name, .. } => {
                let (old, new) = self.documented(id, name);
                old != new
                    && !self.neither_has(id, name)
                    && self
                        .senders(id)
                        .any(|sender| !self.is_never_sent(id, sender, name))
            }
            _ => ["readOnly", "writeOnly"].contains(&difference.keyword.as_str()),
        }
    }
}

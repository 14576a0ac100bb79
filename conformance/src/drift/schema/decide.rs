//! What each difference does: who breaks, and which value shows it.
//!
//! A difference is breaking where a value that the sender may write is refused by the receiver: a client writes by theirs and the
//! server reads by ours, the server writes by ours and a client reads by theirs. It is a warning where only the receiver takes more
//! than is sent, or where the value needs members that the sender does not document. It is no finding where both sides accept
//! the same values, and undecided where neither a value nor a proof was found.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::super::ledger::{Ledger, Pair, SchemaEntry, unresolved};
use super::super::meaning::{Apart, Around, Keyword, Meaning, Step, is_held};
use super::super::rules;
use super::compare::{From, Root, Visit, Walk};
use super::differences::Difference;
use super::effect::{self, Effect};
use super::users::{self, Directions, Search};
use super::view::View;
use super::ways::Use;
use crate::document::pointer;
use crate::finding::{Proof, Severity, Side, Undecided};

/// How deep a difference may lie below a body or parameter to be looked for there.
const LEVELS: usize = 60;

/// Enters what the differences of all pairs come to.
pub(super) fn enter(
    walk: &Walk<'_>,
    ledger: &mut Ledger<'_>,
    roots: &[Root],
    meaning: &Meaning<'_>,
) {
    let mut decider = Decider {
        walk,
        roots,
        meaning,
        searched: HashMap::new(),
        blames: true,
        equal: vec![false; walk.pairs.len()],
        directions: users::directions(walk, roots),
    };
    let mut search = Search::new(walk, roots);
    ledger.options.progress.expect(walk.pairs.len());
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
        if decider.is_untold(id, &entries) {
            decider.blame_together(id, &mut entries);
        }
        if entries.is_empty() {
            decider.equal[id] = [false, true].iter().all(|from_server| {
                let proven = meaning.relate(decider.at(id), *from_server);
                proven.theirs_in_ours && proven.ours_in_theirs
            });
            continue;
        }
        let (subjects, users) = search.users(id);
        for entry in entries {
            ledger.add_schema(entry, &subjects, &users);
        }
    }
}

/// Enters the references of a pair that lead nowhere.
fn enter_unresolved(
    pair: &Visit<'_>,
    search: &mut Search<'_, '_>,
    id: usize,
    ledger: &mut Ledger<'_>,
    roots: &[Root],
) {
    for (side, at, reference) in &pair.unresolved {
        let subject = search.users(id).1.into_iter().next();
        let subject = subject.map_or_else(String::new, |user| user.subject);
        let whole = pair.from.iter().find_map(|from| match from {
            From::Root(root) => Some(roots[*root].at.clone()),
            From::Pair(..) => None,
        });
        let mut place =
            whole.unwrap_or_else(|| Pair::new(pair.theirs.as_str(), pair.ours.as_str()));
        match *side {
            "theirs" => place.theirs.clone_from(at),
            _ => place.ours.clone_from(at),
        }
        let message = unresolved(side, &format!("`{reference}`"));
        ledger.add(&rules::REFERENCE_UNRESOLVED, &subject, &place, message);
    }
}

/// What a difference does in one direction.
enum Effects {
    /// Nothing, for certain.
    None,
    /// The receiver refuses this value.
    Breaks(Shown),
    /// Only who holds to more than is documented notices, by this value.
    Harmless(Option<Shown>),
    /// It could not be found out, for this reason.
    Undecided(String),
}

/// A value of a whole body or parameter.
struct Shown {
    value: Value,
    root: usize,
    theirs_accepts: bool,
}

pub(super) struct Decider<'d, 'w, 'a> {
    pub(super) walk: &'d Walk<'w>,
    pub(super) roots: &'d [Root],
    meaning: &'d Meaning<'a>,
    searched: HashMap<(usize, bool), Result<Apart, String>>,
    /// Whether a difference answers only for the values that are refused because of it.
    blames: bool,
    equal: Vec<bool>,
    directions: Vec<Directions>,
}

impl<'d> Decider<'d, '_, '_> {
    fn views(&self, id: usize) -> (&'d View, &'d View) {
        self.walk.views(id)
    }

    fn at(&self, id: usize) -> (&'d str, &'d str) {
        let pair = &self.walk.pairs[id];
        (&pair.theirs, &pair.ours)
    }

    /// Whether the server sends values of a pair, for each of the directions that they travel in.
    fn used_directions(&self, id: usize) -> impl Iterator<Item = bool> + use<> {
        let Directions {
            from_client,
            from_server,
        } = self.directions[id];
        let directions = [(from_client, false), (from_server, true)];
        let used = directions.into_iter().filter(|(used, _)| *used);
        used.map(|(_, from_server)| from_server)
    }

    /// Whether values were found that a reader refuses, and none of the differences answers for them.
    fn is_untold(&mut self, id: usize, entries: &[SchemaEntry]) -> bool {
        let grave = |entry: &SchemaEntry| entry.severity <= Severity::Undecided;
        if self.walk.pairs[id].differences.len() < 2 || entries.iter().any(grave) {
            return false;
        }
        self.used_directions(id).any(|from_server| {
            self.search(id, from_server).is_ok_and(|apart| {
                let harmful = if from_server {
                    apart.ours_only
                } else {
                    apart.theirs_only
                };
                !harmful.is_empty()
            })
        })
    }

    /// Lets one of several differences answer for what they do together and none of them does alone.
    fn blame_together(&mut self, id: usize, entries: &mut Vec<SchemaEntry>) {
        self.blames = false;
        let mut differences: Vec<&Difference> = self.walk.pairs[id].differences.iter().collect();
        // The sort keeps the order of the others.
        differences.sort_by_key(|one| one.rule.id != rules::SCHEMA_PROPERTY_ADDED.id);
        let grave = differences.into_iter().find_map(|difference| {
            let entry = self.entry(id, difference)?;
            (entry.severity == Severity::Breaking).then_some(entry)
        });
        self.blames = true;
        if let Some(grave) = grave {
            entries.retain(|entry| entry.message != grave.message);
            entries.push(grave);
        }
    }

    /// What is to be entered for a difference, if anything.
    fn entry(&mut self, id: usize, difference: &'d Difference) -> Option<SchemaEntry> {
        let mut entry = SchemaEntry {
            rule: difference.rule,
            severity: difference.severity,
            at: difference.at.clone(),
            message: difference.message.clone().into(),
            effect: None,
            undecided: None,
            witness: None,
            proof: None,
        };
        let told = [
            &rules::SCHEMA_PROSE_CHANGED,
            &rules::SCHEMA_ANNOTATION_CHANGED,
        ];
        if told.iter().any(|rule| rule.id == difference.rule.id) {
            return Some(entry);
        }
        let mut worst: Option<(Severity, Option<Shown>, String)> = None;
        for from_server in self.used_directions(id) {
            let (severity, shown, reason) = match self.direction(id, difference, from_server) {
                // Whoever reads a discriminator reads another one, even if the same values are accepted.
                Effects::None | Effects::Undecided(_)
                    if difference.keyword.starts_with("discriminator")
                        && !self.discriminates(id) =>
                {
                    (Severity::Warning, None, String::new())
                }
                Effects::None if self.is_worth_saying(id, difference) => {
                    (Severity::Warning, None, String::new())
                }
                Effects::None => continue,
                Effects::Breaks(shown) => (Severity::Breaking, Some(shown), String::new()),
                Effects::Harmless(shown) => (Severity::Warning, shown, String::new()),
                Effects::Undecided(reason) => (Severity::Undecided, None, reason),
            };
            if worst.as_ref().is_none_or(|(known, ..)| severity < *known) {
                worst = Some((severity, shown, reason));
            }
        }
        let (severity, shown, reason) = worst?;
        entry.severity = severity;
        entry.undecided = (!reason.is_empty()).then_some(Undecided::Text { reason });
        if let Some(shown) = shown {
            let root = &self.roots[shown.root];
            let accepted_by = if shown.theirs_accepts {
                Side::Old
            } else {
                Side::New
            };
            let at = String::new();
            entry.proof = Some(Proof::new(&root.subject, &root.part, accepted_by, at));
            entry.witness = Some(shown.value);
        }
        Some(entry)
    }

    /// Whether a reader should know of a difference that does nothing to values.
    fn is_worth_saying(&self, id: usize, difference: &Difference) -> bool {
        match difference.keyword.as_str() {
            "readOnly" | "writeOnly" | "discriminator" | "discriminator mapping" => true,
            "properties" => {
                let at = if difference.rule.id == rules::SCHEMA_PROPERTY_REMOVED.id {
                    &difference.at.theirs
                } else {
                    &difference.at.ours
                };
                let name = pointer::tokens(at).last().unwrap_or_default();
                let (theirs, ours) = self.documented(id, &name);
                theirs != ours
            }
            _ => false,
        }
    }

    /// Whether a discriminator has a say in which values are accepted.
    fn discriminates(&self, id: usize) -> bool {
        self.meaning.discriminates(self.at(id))
    }

    fn direction(&mut self, id: usize, difference: &'d Difference, from_server: bool) -> Effects {
        let flag = ["readOnly", "writeOnly"].contains(&difference.keyword.as_str());
        let (place, member) = match (flag, self.holder(id)) {
            (true, Some((holder, member))) => (holder, Some(member)),
            _ => (id, None),
        };
        let uses = self.uses(place, from_server);
        let content = uses.iter().all(|one| {
            one.around
                .iter()
                .any(|(_, keyword, _)| keyword == "contentSchema")
        });
        if content && !uses.is_empty() {
            return Effects::Undecided("values are not held to what their content is".to_owned());
        }
        let found = match self.search(place, from_server) {
            Ok(found) => found,
            Err(reason) => return Effects::Undecided(reason),
        };
        let at = self.at(place);
        let keyword = self.keyword(id, difference);
        let several = self.blames && self.walk.pairs[id].differences.len() > 1;
        let blamed = match (&keyword, several, &member) {
            (_, _, Some(member)) => with_member(found, member),
            (Some(keyword), true, None) => {
                match self.meaning.blamed(at, from_server, &found, keyword) {
                    Ok(blamed) => blamed,
                    Err(reason) => return Effects::Undecided(reason),
                }
            }
            _ => found,
        };
        let judge = keyword.as_ref().filter(|_| several && member.is_none());
        let small = self.meaning.smallest(at, from_server, &blamed, judge);
        let mut harmless = None;
        let mut trouble = None;
        for one in &uses {
            match self.lifted(place, one, from_server, &small) {
                Ok((Some(shown), _)) => return Effects::Breaks(shown),
                Ok((None, other)) => harmless = harmless.or(other),
                Err(reason) => trouble = Some(reason),
            }
        }
        // A client that reads a member gets nothing any more.
        let lost = difference.rule.id == rules::SCHEMA_PROPERTY_REMOVED.id && from_server;
        if lost && let Some(shown) = harmless {
            return if shown.theirs_accepts {
                Effects::Harmless(Some(shown))
            } else {
                Effects::Breaks(shown)
            };
        }
        self.without_harm(id, difference, from_server, &uses, harmless, trouble)
    }

    /// What is left where no value was found that the receiver refuses.
    fn without_harm(
        &self,
        id: usize,
        difference: &Difference,
        from_server: bool,
        uses: &[Use],
        harmless: Option<Shown>,
        trouble: Option<String>,
    ) -> Effects {
        let views = self.views(id);
        let blind = self.blind(difference, views);
        if let Some(reason) = blind {
            return Effects::Undecided(reason);
        }
        // Formats such as `float` and `double` tell a reader something, and no value.
        if difference.keyword == "format" && harmless.is_none() && trouble.is_none() {
            return Effects::Harmless(None);
        }
        let proven = self.meaning.relate(self.at(id), from_server);
        let mut safe = true;
        let mut same = true;
        for one in uses {
            let variance = self.variance(one, difference);
            let open = effect::is_open(&difference.keyword, difference.effect, views)
                && one
                    .around
                    .first()
                    .is_none_or(|(_, _, step)| *step != Step::Same);
            let written = one.around.iter().all(|(_, keyword, _)| {
                ["items", "prefixItems", "properties", "additionalProperties"]
                    .contains(&keyword.as_str())
            });
            let text = self.roots[one.root].as_text && written && difference.keyword == "type";
            let effect = match () {
                () if open => Effect::NONE,
                () if text => effect::of_texts(difference.effect, views.0, views.1),
                () if variance < 0 => difference.effect.reversed(),
                () => difference.effect,
            };
            // What is true of the inner schemas is true of the whole, unless something in between turns it or hides it.
            let known = |narrows: bool| match (variance, narrows) {
                (1, true) => proven.theirs_in_ours || !effect.narrows,
                (1, false) => proven.ours_in_theirs || !effect.widens,
                (-1, true) => proven.ours_in_theirs || !effect.narrows,
                (-1, false) => proven.theirs_in_ours || !effect.widens,
                _ => proven.theirs_in_ours && proven.ours_in_theirs,
            };
            let root = || {
                let last = one.around.last().map_or(id, |(pair, ..)| *pair);
                self.meaning.relate(self.at(last), from_server)
            };
            let harm = known(!from_server)
                || if from_server {
                    root().ours_in_theirs
                } else {
                    root().theirs_in_ours
                };
            let rest = known(from_server)
                || if from_server {
                    root().theirs_in_ours
                } else {
                    root().ours_in_theirs
                };
            safe &= harm;
            same &= rest;
        }
        match (safe, same, harmless) {
            (true, _, Some(shown)) => Effects::Harmless(Some(shown)),
            (true, true, None) => Effects::None,
            (true, false, None) => Effects::Harmless(None),
            (false, _, shown) => {
                let reason = trouble.unwrap_or_else(|| match shown {
                    Some(shown) => format!(
                        "`{}` is accepted by {} only, but whether the other side accepts all else is not known",
                        super::super::equal::shown(&shown.value),
                        if shown.theirs_accepts { "theirs" } else { "ours" },
                    ),
                    None => "no value was found that only one side accepts, and no proof that there is none".to_owned(),
                });
                Effects::Undecided(reason)
            }
        }
    }

    /// Why the validator cannot tell what a difference does.
    fn blind(&self, difference: &Difference, views: (&View, &View)) -> Option<String> {
        let keyword = difference.keyword.as_str();
        let flag = ["readOnly", "writeOnly"].contains(&keyword);
        if !keyword.is_empty() && !flag && !is_held(keyword) {
            return Some(format!("values are not held to `{keyword}`"));
        }
        if keyword == "format" && !effect::formats_known(views) {
            return Some("values are not held to a format of this name".to_owned());
        }
        ["not-a-schema"]
            .iter()
            .find(|part| views.0.parts.contains_key(**part) || views.1.parts.contains_key(**part))
            .map(|_| "what stands there is no schema".to_owned())
    }

    fn search(&mut self, id: usize, from_server: bool) -> Result<Apart, String> {
        let key = (id, from_server && !self.meaning.is_same_both_ways());
        if let Some(known) = self.searched.get(&key) {
            return known.clone();
        }
        let found = self.meaning.search(self.at(id), from_server);
        self.searched.insert(key, found.clone());
        found
    }

    /// The pair that has `id` as one of its members, and the name of the member.
    fn holder(&self, id: usize) -> Option<(usize, String)> {
        self.walk.pairs[id].from.iter().find_map(|from| match from {
            From::Pair(around, _, Step::Member(name)) => Some((*around, name.clone())),
            _ => None,
        })
    }

    /// Values of a body or parameter: one that breaks, and one that does not.
    fn lifted(
        &self,
        id: usize,
        one: &Use,
        from_server: bool,
        small: &Apart,
    ) -> Result<(Option<Shown>, Option<Shown>), String> {
        if one.around.len() > LEVELS {
            return Err("it lies too deep for values to be made".to_owned());
        }
        let root = &self.roots[one.root];
        let around: Vec<_> = one
            .around
            .iter()
            .map(|(pair, _, step)| Around {
                at: self.at(*pair),
                step,
                alone: self.walk.pairs[*pair].differences.is_empty(),
            })
            .collect();
        let whole = one
            .around
            .last()
            .map_or(self.at(id), |(pair, ..)| self.at(*pair));
        let apart = self
            .meaning
            .lift(small, self.at(id), &around, from_server, root.as_text)?;
        let part: Vec<Value> = small
            .theirs_only
            .iter()
            .chain(&small.ours_only)
            .cloned()
            .collect();
        let shown = |value: &Value, theirs_accepts: bool| Shown {
            value: self
                .meaning
                .shortened(whole, from_server, root.as_text, value.clone(), &part),
            root: one.root,
            theirs_accepts,
        };
        let (harmful, other) = if from_server {
            (&apart.ours_only, &apart.theirs_only)
        } else {
            (&apart.theirs_only, &apart.ours_only)
        };
        let breaks = harmful
            .iter()
            .find(|value| self.meaning.documents(whole, from_server, value));
        if let Some(value) = breaks {
            return Ok((Some(shown(value, !from_server)), None));
        }
        let harmless = match (other.first(), harmful.first()) {
            (_, Some(value)) => Some(shown(value, !from_server)),
            (Some(value), None) => Some(shown(value, from_server)),
            (None, None) => None,
        };
        Ok((None, harmless))
    }

    /// How the whole value depends on the inner one.
    fn variance(&self, one: &Use, difference: &Difference) -> i8 {
        let mut names = effect::names_members(&difference.keyword);
        let mut variance = 1;
        for (pair, keyword, step) in &one.around {
            variance *= effect::variance(keyword, names, self.views(*pair));
            names &= *step == Step::Same;
        }
        variance
    }

    /// Whether theirs and ours speak of the member `name` of the value that a pair is about.
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

    /// The keyword of a difference where it stands in both documents.
    fn keyword(&self, id: usize, difference: &Difference) -> Option<Keyword> {
        // A discriminator says nothing without the branches that it stands beside.
        if difference.keyword.is_empty() || difference.keyword.starts_with("discriminator") {
            return None;
        }
        let (theirs, ours) = self.views(id);
        let place = |view: &View| {
            let part = view.parts.get(&difference.keyword)?;
            let name = pointer::tokens(&part.pointer).last()?;
            Some((pointer::parent(&part.pointer).to_owned(), name))
        };
        let keyword = Keyword {
            theirs: place(theirs),
            ours: place(ours),
            ours_schema: ours.pointer.clone(),
        };
        (keyword.theirs.is_some() || keyword.ours.is_some()).then_some(keyword)
    }
}

/// The values that have the member.
fn with_member(found: Apart, member: &str) -> Apart {
    let having = |values: Vec<Value>| -> Vec<Value> {
        let has = |value: &&Value| value.get(member).is_some();
        let some: Vec<Value> = values.iter().filter(has).cloned().collect();
        if some.is_empty() { values } else { some }
    };
    Apart {
        theirs_only: having(found.theirs_only),
        ours_only: having(found.ours_only),
    }
}

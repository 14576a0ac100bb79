//! Values that meet one alternative and none of the others, for schemas with too many alternatives or members to combine them all.
//!
//! [`super::combined`] tries all combinations, and stops where there are many. Here an alternative that an edit changes is the goal:
//! each member gets the value that the most of the other alternatives reject and the goal accepts, until none of them is left. The work
//! grows with the number of alternatives times that of their members, so the width of a schema decides nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use foldhash::{HashMap, HashSet};
use serde_json::{Map, Value};

use super::combined::Alternative;
use super::cover::{Kind, Member, Numbers, chosen};
use super::edit::Edit;
use super::facts::{Facts, ways_up_to};
use super::generate::{Maker, generic};
use super::prints::Prints;
use super::source::Source;
use super::spoken::Documented;
use super::tried::{distinct, size};
use super::{Meaning, Spot, judge, text};

/// How many alternatives of one side are told apart.
const ALTERNATIVES: usize = 1_500;

/// How many alternatives times members are looked at.
const LARGEST: usize = 2_000_000;

/// How many schemas a schema with alternatives may have.
const SCHEMAS: usize = 20_000;

/// How many alternatives of one side are goals.
const GOALS: usize = 8;

/// How many alternatives may overlap with a goal, one at a time.
const OVERLAPS: usize = 24;

/// From how many schemas of a member values are taken, in addition to the schema of the goal.
const OTHERS: usize = 6;

/// How many values one schema of a member gives.
const EACH: usize = 80;

/// How many values of a goal are tried as they are.
const OWN: usize = 60;

/// The cost of a member that only the values of others have.
const MOST_COSTLY: usize = 2;

/// What one member may be.
type Kinds = Rc<Vec<Kind>>;

/// The alternatives of both sides.
struct Union<'m, 'a> {
    all: Vec<Alternative<'m, 'a>>,
    /// How many of them are those of the first side.
    count: usize,
    /// What tells each of them from others.
    own: Vec<u64>,
    prints: [Prints<'m, 'a>; 2],
    names: BTreeSet<String>,
    /// The alternatives that say something of the member of a name, and those that say something of any.
    speaking: HashMap<String, Vec<usize>>,
    of_any: Vec<usize>,
    edges: RefCell<HashMap<u64, Rc<Vec<Value>>>>,
    /// What members may be in values of alternatives that have no schema for them, by their names and whether they are required.
    kinds: RefCell<HashMap<(String, bool), Kinds>>,
    /// How many times a value was checked against a schema.
    judged: Cell<usize>,
}

impl Meaning<'_> {
    /// Values that an alternative which `edits` change accepts, and no alternative of the other side; with `overlapping`, those that one
    /// more alternative of both sides accepts.
    pub(super) fn directed(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        overlapping: bool,
    ) -> Vec<Value> {
        let (old, _) = self.makers(spot.sender);
        let Ok([(one, first), (other, second)]) = self.before_and_after(spot, edits, SCHEMAS)
        else {
            return Vec::new();
        };
        if overlapping && !has_one_of(&one) && !has_one_of(&other) {
            return Vec::new();
        }
        let [one, other] =
            [&one, &other].map(|schema| Maker::new(Source::alone(schema, old.source.judge)));
        let documented = self.documented(spot);
        let cost = |name: &str| match documented(name) {
            Documented::Now => 0,
            Documented::Before => 1,
            Documented::No => MOST_COSTLY,
        };
        let union = Union::new(&one, &other);
        let found = union.values(overlapping, &cost);
        let judged = union.judged.get();
        old.source.spend(first / 8 + second / 8 + judged);
        found
    }
}

impl<'m, 'a> Union<'m, 'a> {
    fn new(one: &'m Maker<'a>, other: &'m Maker<'a>) -> Self {
        let of = |maker: &'m Maker<'a>| {
            let ways = ways_up_to(&maker.source, &[String::new()], ALTERNATIVES);
            let ways = ways.into_iter().filter(|facts| !facts.never);
            let ways = ways.map(|facts| Alternative { maker, facts });
            ways.collect::<Vec<_>>()
        };
        let mut all = of(one);
        let count = all.len();
        all.extend(of(other));
        let prints = [Prints::of(one), Prints::of(other)];
        let mut names = BTreeSet::new();
        for Alternative { facts, .. } in &all {
            names.extend(facts.properties.keys().cloned());
            names.extend(facts.required.iter().cloned());
            for (pattern, _) in &facts.by_pattern {
                names.extend(text::of_pattern(pattern).into_iter().take(2));
            }
        }
        let free = all.first().map(|one| one.maker.free_name(&one.facts, 0));
        names.extend(free);
        let mut speaking: HashMap<String, Vec<usize>> = HashMap::default();
        let mut of_any = Vec::new();
        for (index, Alternative { facts, .. }) in all.iter().enumerate() {
            if says_of_any(facts) {
                of_any.push(index);
                continue;
            }
            let hidden = facts.hidden.iter();
            let said: BTreeSet<&String> = facts
                .properties
                .keys()
                .chain(&facts.required)
                .chain(hidden)
                .collect();
            for name in said {
                speaking.entry(name.clone()).or_default().push(index);
            }
        }
        let own = all.iter().enumerate();
        let own = own.map(|(index, one)| prints[usize::from(index >= count)].facts(&one.facts));
        Self {
            own: own.collect(),
            all,
            count,
            prints,
            names,
            speaking,
            of_any,
            edges: RefCell::default(),
            kinds: RefCell::default(),
            judged: Cell::default(),
        }
    }

    /// Values of the alternatives that the other side does not have.
    fn values(&self, overlapping: bool, cost: &dyn Fn(&str) -> usize) -> Vec<Value> {
        if self.all.len() == 2 || self.all.len() * self.names.len() > LARGEST {
            return Vec::new();
        }
        let mut found = Vec::new();
        let sides = [0..self.count, self.count..self.all.len()];
        for (own, opposite) in [(0, 1), (1, 0)] {
            let twins = sides[opposite]
                .clone()
                .map(|index| (self.own[index], index));
            let twins: HashMap<u64, usize> = twins.collect();
            let twin = |index: &usize| twins.get(&self.own[*index]).copied();
            let goals = sides[own].clone().filter(|index| twin(index).is_none());
            for goal in goals.take(GOALS) {
                if !overlapping {
                    let Alternative { maker, facts } = &self.all[goal];
                    found.extend(maker.near(facts, OWN));
                }
                if !self.takes_objects(goal) {
                    continue;
                }
                let members = self.members(goal, cost);
                let targets = |kept: &[usize], sides: &[Range<usize>]| {
                    let mut targets = Numbers::none(self.all.len());
                    let all = sides.iter().cloned().flatten();
                    let all = all.filter(|index| *index != goal && !kept.contains(index));
                    let all = all.filter(|index| self.takes_objects(*index));
                    all.for_each(|index| targets.insert(index));
                    targets
                };
                if overlapping {
                    let both = sides[own]
                        .clone()
                        .filter(|index| self.takes_objects(*index));
                    let both = both.filter_map(|index| Some([index, twin(&index)?]));
                    for kept in both.take(OVERLAPS) {
                        let targets = targets(&kept, &sides);
                        found.extend(self.object(goal, &kept, &members, &targets));
                    }
                } else {
                    let alone = self.object(goal, &[], &members, &targets(&[], &sides));
                    let only = || {
                        let targets = targets(&[], &sides[opposite..=opposite]);
                        self.object(goal, &[], &members, &targets)
                    };
                    found.extend(alone.or_else(only));
                }
            }
        }
        found
    }

    fn takes_objects(&self, index: usize) -> bool {
        let facts = &self.all[index].facts;
        let types = facts.types.as_ref();
        types.is_none_or(|types| types.contains("object"))
            && facts
                .values
                .as_ref()
                .is_none_or(|all| all.iter().any(Value::is_object))
    }

    /// What each member may be in values of the goal.
    fn members(&self, goal: usize, cost: &dyn Fn(&str) -> usize) -> Vec<Member<'_>> {
        let member = |name| Member {
            name,
            cost: cost(name),
            kinds: self.kinds(goal, name),
        };
        self.names.iter().map(member).collect()
    }

    /// What the member `name` may be in values of the goal. Only alternatives that say something of it are looked at, so that all members
    /// together take as long as there is to read.
    fn kinds(&self, goal: usize, name: &String) -> Kinds {
        let said = |index: usize| {
            let Alternative { maker, facts } = &self.all[index];
            maker.member(facts, name)
        };
        let own = said(goal);
        let is_silent = own.is_empty() && !self.of_any.contains(&goal);
        let is_required = self.all[goal].facts.required.contains(name);
        let key = (name.clone(), is_required);
        if is_silent && let Some(known) = self.kinds.borrow().get(&key) {
            return known.clone();
        }
        let found = Rc::new(self.kinds_of(goal, name, &own));
        if is_silent {
            self.kinds.borrow_mut().insert(key, found.clone());
        }
        found
    }

    fn kinds_of(&self, goal: usize, name: &String, own: &[String]) -> Vec<Kind> {
        let speaking = self.speaking.get(name).into_iter().flatten();
        let mut speaking: Vec<usize> = speaking.chain(&self.of_any).copied().collect();
        speaking.sort_unstable();
        let lists = speaking.iter().map(|index| {
            let Alternative { maker, facts } = &self.all[*index];
            (*index, maker.member(facts, name))
        });
        let lists: Vec<(usize, Vec<String>)> = lists.collect();
        let mut values = generic().to_vec();
        values.extend(self.edges(goal, own).iter().cloned());
        let mut seen = HashSet::default();
        seen.insert(self.list(goal, own));
        for (index, list) in &lists {
            if !list.is_empty() && seen.len() <= OTHERS && seen.insert(self.list(*index, list)) {
                values.extend(self.edges(*index, list).iter().cloned());
            }
        }
        let mut values = distinct(values, (1 + OTHERS) * EACH);
        values.sort_by_cached_key(size);
        let mut known = HashMap::default();
        let accepted = self.accepted(goal, own, &values, &mut known);
        let named = |index: usize| {
            let Alternative { maker, facts } = &self.all[index];
            let name = [Value::from(name.as_str())];
            let takes = |at: &String| {
                judge::accepted(&maker.source, at, &name, None).is_ok_and(|all| all[0])
            };
            facts.names.iter().all(takes)
        };
        let mut present = Numbers::none(self.all.len());
        let mut absent = Numbers::none(self.all.len());
        for index in speaking {
            if !named(index) {
                present.insert(index);
            }
            if self.all[index].facts.required.contains(name) {
                absent.insert(index);
            }
        }
        let mut kinds = Vec::new();
        if !absent.contains(goal) {
            kinds.push(Kind {
                value: None,
                rejected_by: absent,
            });
        }
        if present.contains(goal) {
            return kinds;
        }
        let mut rejected = vec![present; values.len()];
        for (index, list) in lists {
            if list.is_empty() {
                continue;
            }
            let accepted = self.accepted(index, &list, &values, &mut known);
            let all = rejected.iter_mut().zip(accepted.iter());
            all.filter(|(_, accepted)| !**accepted)
                .for_each(|(rejected, _)| rejected.insert(index));
        }
        let all = values.into_iter().zip(rejected).zip(accepted.iter());
        for ((value, rejected_by), accepted) in all {
            let is_new = |kind: &Kind| kind.value.is_none() || kind.rejected_by != rejected_by;
            if *accepted && kinds.iter().all(is_new) {
                kinds.push(Kind {
                    value: Some(value),
                    rejected_by,
                });
            }
        }
        kinds
    }

    /// Which values all schemas of a list accept.
    fn accepted(
        &self,
        index: usize,
        list: &[String],
        values: &[Value],
        known: &mut HashMap<u64, Rc<Vec<bool>>>,
    ) -> Rc<Vec<bool>> {
        let key = self.list(index, list);
        if let Some(known) = known.get(&key) {
            return known.clone();
        }
        let mut all = vec![true; values.len()];
        for at in list {
            self.judged.set(self.judged.get() + 1 + values.len() / 8);
            let source = &self.all[index].maker.source;
            let one = judge::accepted(source, at, values, None);
            let one = one.unwrap_or_else(|_| vec![false; values.len()]);
            all.iter_mut().zip(one).for_each(|(all, one)| *all &= one);
        }
        let all = Rc::new(all);
        known.insert(key, all.clone());
        all
    }

    /// What tells the schemas of a list from others.
    fn list(&self, index: usize, list: &[String]) -> u64 {
        self.prints[usize::from(index >= self.count)].list(list)
    }

    /// Values that the schemas of a list accept, and values at their edges.
    fn edges(&self, index: usize, list: &[String]) -> Rc<Vec<Value>> {
        let key = self.list(index, list);
        if let Some(known) = self.edges.borrow().get(&key) {
            return known.clone();
        }
        let mut found = self.all[index].maker.edges(list);
        found.truncate(EACH);
        let found = Rc::new(found);
        self.edges.borrow_mut().insert(key, found.clone());
        found
    }

    /// An object of the goal that the alternatives in `kept` accept as well and none of `targets` does.
    fn object(
        &self,
        goal: usize,
        kept: &[usize],
        members: &[Member<'_>],
        targets: &Numbers,
    ) -> Option<Value> {
        let chosen = (0..=MOST_COSTLY).find_map(|cost| {
            let members = members.iter().filter(|member| member.cost <= cost);
            let members: Vec<&Member<'_>> = members.collect();
            chosen(kept, &members, targets)
        })?;
        let mut object = Map::new();
        for (name, value) in chosen {
            object.insert(name.clone(), value.clone());
        }
        for member in members {
            if object.contains_key(member.name) {
                continue;
            }
            let allowed = member.kinds.iter().filter(|kind| kind.is_allowed(kept));
            let mut values = allowed.map(|kind| kind.value.as_ref());
            // Absent comes first.
            if let Some(Some(value)) = values.next() {
                object.insert(member.name.clone(), value.clone());
            }
        }
        let Alternative { maker, facts } = &self.all[goal];
        maker.complete_object(facts, &mut object, 0);
        Some(Value::Object(object))
    }
}

/// Whether an alternative says something of members that it does not name.
fn says_of_any(facts: &Facts) -> bool {
    !(facts.by_pattern.is_empty() && facts.additional.is_empty() && facts.names.is_empty())
}

/// Whether a `oneOf` stands anywhere in a schema.
fn has_one_of(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.contains_key("oneOf") || members.values().any(has_one_of),
        Value::Array(items) => items.iter().any(has_one_of),
        _ => false,
    }
}

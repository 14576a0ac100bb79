//! Objects by all combinations of what their members may be, for schemas with alternatives.
//!
//! Which alternatives an object meets depends on what each of its members is: absent, or a value that some of the member's schemas accept
//! and others reject. Values that the same alternatives accept are of one kind. Combinations are followed member by member, and one is
//! kept of those that meet the same alternatives, so neither the names of members nor their order decide what is found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::edit::Edit;
use super::facts::{Facts, ways_up_to};
use super::generate::{Maker, generic};
use super::source::Source;
use super::spoken::Documented;
use super::tried::{distinct, size};
use super::{Meaning, Spot, judge, lists, text};

/// Of how many schemas of one member objects are merged.
const MERGED: usize = 6;

/// How many objects at the edges of one schema are merged with others.
const EDGES: usize = 24;

/// How many alternatives of one side are told apart.
const ALTERNATIVES: usize = 50;

/// How many members are followed that others depend on, or that depend on others.
const DEPENDENT: usize = 28;

/// How many members are combined.
const MEMBERS: usize = 60;

/// How many sets of alternatives are followed from one member to the next.
const SETS: usize = 2_000;

/// How many values are tried for one member.
const VALUES: usize = 400;

/// How many objects or arrays are made.
const FOUND: usize = 200;

/// How many schemas a schema with alternatives may have.
const SCHEMAS: usize = 400;

/// A set of alternatives, one bit for each, and of members of [`DEPENDENT`] that an object has.
pub(super) type Set = u128;

/// One way of choosing alternatives, by the schemas of one side.
pub(super) struct Alternative<'m, 'a> {
    pub(super) maker: &'m Maker<'a>,
    pub(super) facts: Facts,
}

/// A kind of member: absent or a value, and the alternatives that allow it.
struct Kind {
    value: Option<Value>,
    meets: Set,
}

/// A combination of kinds: the last of them, by its member, and the combination before.
struct Step<'k> {
    before: usize,
    member: &'k str,
    value: &'k Value,
}

impl Meaning<'_> {
    /// Objects and arrays that match different alternatives with `edits` and without them, and whether all combinations were tried.
    /// Those whose members the sender documents come first. Empty if there are no alternatives, or too many schemas.
    pub(super) fn combined(&self, spot: Spot<'_>, edits: &[&Edit]) -> (Vec<Value>, bool) {
        let (old, new) = self.makers(spot.sender);
        let sides = [(old, spot.at.0), (new, spot.at.1)];
        let has_one_way = |(maker, at): (&Maker<'_>, &str)| {
            let ways = maker.ways(at);
            ways.len() == 1 && ways[0].refused.is_empty()
        };
        if sides.into_iter().all(has_one_way) {
            return (Vec::new(), true);
        }
        let Ok([(one, first), (other, second)]) = self.before_and_after(spot, edits, SCHEMAS)
        else {
            return (Vec::new(), false);
        };
        let [one, other] =
            [&one, &other].map(|schema| Maker::new(Source::alone(schema, old.source.judge)));
        let documented = self.documented(spot);
        let cost = |name: &str| match documented(name) {
            Documented::Now => 0,
            Documented::Before => 1_000,
            Documented::No => 1_000_000,
        };
        let (mut found, objects, is_complete) = differing(&one, &other, cost);
        let (lists, items) = lists::differing(&one, &other);
        found.extend(lists);
        old.source.spend(first + second + objects + items);
        (found, is_complete)
    }

    /// Whether the edits are a member more of an open object, which senders of the old schema do not document. It may keep an
    /// alternative from accepting what another one accepts, too, but nobody sends such values because of it.
    pub(super) fn only_adds_member(&self, spot: Spot<'_>, edits: &[&Edit]) -> bool {
        let (old, _) = self.makers(spot.sender);
        let is_open = |schema: &str| {
            old.source.schemas.object(schema).is_some_and(|schema| {
                let closing = ["additionalProperties", "unevaluatedProperties"];
                closing.iter().all(|keyword| !schema.contains_key(*keyword))
            })
        };
        matches!(edits, [Edit::Entry { schema, keyword, new: Some(_), .. }] if keyword == "properties" && is_open(schema))
    }
}

/// Objects that meet other alternatives of one schema than of the other, the most telling ones first, how many schemas values were held
/// against, and whether all combinations were tried. `cost` says how much worse an object with the member `name` is as an example.
fn differing(
    one: &Maker<'_>,
    other: &Maker<'_>,
    cost: impl Fn(&str) -> usize,
) -> (Vec<Value>, usize, bool) {
    let (alternatives, count, are_all) = alternatives(one, other, "object");
    if alternatives.len() < 3 {
        return (Vec::new(), 0, are_all);
    }
    let names = names(&alternatives);
    if names.len() > MEMBERS {
        return (Vec::new(), 0, false);
    }
    let mut judged = 0;
    let dependent = dependent(&alternatives);
    let presence = |name: &str| {
        let index = dependent.iter().position(|known| *known == name);
        index.map_or(0, |index| 1 << (alternatives.len() + index))
    };
    let all_present: Set = dependent.iter().fold(0, |set, name| set | presence(name));
    let mut kinds_of = |name| {
        let mut kinds = kinds(&alternatives, name, &mut judged);
        for kind in &mut kinds {
            kind.meets |= match kind.value {
                Some(_) => all_present,
                None => all_present & !presence(name),
            };
        }
        (name, kinds)
    };
    let kinds: Vec<(&str, Vec<Kind>)> = names.iter().map(|name| kinds_of(name)).collect();
    let all = all_present | ((1 << alternatives.len()) - 1);
    let (reached, steps, is_complete) = followed(&kinds, all, cost);
    let lacks = |set: Set, name: &str| presence(name) != 0 && set & presence(name) == 0;
    // Alternatives whose members lack what they need are not met.
    let met = |set: Set| {
        let is_unmet = |one: &Alternative<'_, '_>| {
            let mut needs = one.facts.dependent.iter();
            needs.any(|(name, needs)| {
                set & presence(name) != 0 && needs.iter().any(|need| lacks(set, need))
            })
        };
        let unmet = alternatives.iter().map(is_unmet).enumerate();
        unmet.fold(set & !all_present, |set, (index, unmet)| {
            set & !(Set::from(unmet) << index)
        })
    };
    let mut cheapest: BTreeMap<Set, (usize, usize)> = BTreeMap::new();
    for (set, found) in reached {
        let best = cheapest.entry(met(set)).or_insert(found);
        *best = found.min(*best);
    }
    let objects = most_telling(cheapest, count).into_iter().map(|last| {
        let mut members = Map::new();
        let mut next = last;
        while let Some(step) = steps.get(next) {
            members.insert(step.member.to_owned(), step.value.clone());
            next = step.before;
        }
        Value::Object(members)
    });
    (objects.collect(), judged, are_all && is_complete)
}

/// What meets other alternatives of the first `count` than of the others, the most telling and cheapest first.
pub(super) fn most_telling<T>(cheapest: BTreeMap<Set, (usize, T)>, count: usize) -> Vec<T> {
    let mut found: Vec<_> = cheapest.into_iter().collect();
    found.sort_by_key(|(set, (cost, _))| {
        let (one, other) = (set & ((1 << count) - 1), set >> count);
        let counts = [one, other].map(|half| half.count_ones().min(2));
        (one == other, counts[0] == counts[1], *cost)
    });
    found.truncate(FOUND);
    found.into_iter().map(|(_, (_, one))| one).collect()
}

/// All combinations of kinds, member by member: the cheapest that meets each set, by its last step. Says whether none was left out.
fn followed<'k>(
    kinds: &'k [(&str, Vec<Kind>)],
    all: Set,
    cost: impl Fn(&str) -> usize,
) -> (BTreeMap<Set, (usize, usize)>, Vec<Step<'k>>, bool) {
    let mut is_complete = true;
    let mut steps: Vec<Step<'k>> = Vec::new();
    let mut reached: BTreeMap<Set, (usize, usize)> = BTreeMap::from([(all, (0, usize::MAX))]);
    for (name, kinds) in kinds {
        let unspoken = cost(name);
        let mut next: BTreeMap<Set, (usize, usize, Option<&'k Value>)> = BTreeMap::new();
        for (set, (known, last)) in &reached {
            for kind in kinds {
                let more = kind
                    .value
                    .as_ref()
                    .map_or(0, |value| unspoken + size(value));
                let found = (known.saturating_add(more), *last, kind.value.as_ref());
                let best = next.entry(set & kind.meets).or_insert(found);
                if found.0 < best.0 {
                    *best = found;
                }
            }
        }
        let mut next: Vec<_> = next.into_iter().collect();
        if next.len() > SETS {
            is_complete = false;
            next.sort_by_key(|(_, (cost, ..))| *cost);
            next.truncate(SETS);
        }
        reached = next
            .into_iter()
            .map(|(set, (cost, before, value))| {
                let last = value.map_or(before, |value| {
                    steps.push(Step {
                        before,
                        member: name,
                        value,
                    });
                    steps.len() - 1
                });
                (set, (cost, last))
            })
            .collect();
    }
    (reached, steps, is_complete)
}

/// The members that the alternatives speak of, and one that none does.
fn names(alternatives: &[Alternative<'_, '_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for Alternative { facts, .. } in alternatives {
        names.extend(facts.properties.keys().cloned());
        names.extend(facts.required.iter().cloned());
        for (name, needs) in &facts.dependent {
            names.insert(name.clone());
            names.extend(needs.iter().cloned());
        }
        for (pattern, _) in &facts.by_pattern {
            names.extend(text::of_pattern(pattern).into_iter().take(2));
        }
    }
    let free = |one: &Alternative<'_, '_>| {
        let mut all = (0..=names.len() as u64).map(|index| one.maker.free_name(&one.facts, index));
        all.find(|name| !names.contains(name))
    };
    let free: BTreeSet<String> = alternatives.iter().filter_map(free).collect();
    names.extend(free);
    names
}

/// The alternatives of both sides that values of the type `name` may meet, how many of them are those of the first, and whether there are
/// no others.
pub(super) fn alternatives<'m, 'a>(
    one: &'m Maker<'a>,
    other: &'m Maker<'a>,
    name: &str,
) -> (Vec<Alternative<'m, 'a>>, usize, bool) {
    let mut are_all = true;
    let mut of = |maker: &'m Maker<'a>| {
        let root = [String::new()];
        let ways = ways_up_to(&maker.source, &root, ALTERNATIVES);
        let refused: BTreeSet<String> = ways
            .iter()
            .flat_map(|facts| facts.refused.iter().cloned())
            .collect();
        let refused = refused
            .into_iter()
            .flat_map(|at| ways_up_to(&maker.source, &[at], 3));
        let mut all: Vec<Facts> = ways.into_iter().chain(refused).collect();
        are_all &= all.len() < ALTERNATIVES;
        all.truncate(ALTERNATIVES);
        let all = all.into_iter().filter(|facts| {
            let types = facts.types.as_ref();
            !facts.never && types.is_none_or(|types| types.contains(name))
        });
        all.map(|facts| Alternative { maker, facts })
            .collect::<Vec<_>>()
    };
    let mut all = of(one);
    let count = all.len();
    all.extend(of(other));
    (all, count, are_all)
}

/// The members that others depend on, or that depend on others.
fn dependent<'f>(alternatives: &'f [Alternative<'_, '_>]) -> Vec<&'f String> {
    let all = alternatives.iter().flat_map(|one| &one.facts.dependent);
    let needing = all.filter(|(_, needs)| !needs.is_empty());
    let names: BTreeSet<&String> = needing
        .flat_map(|(name, needs)| std::iter::once(name).chain(needs))
        .collect();
    names.into_iter().take(DEPENDENT).collect()
}

/// Returns the kinds of the member `name`, with the smallest value of each. Adds to `judged` the number of schemas that values were checked
/// against.
fn kinds(alternatives: &[Alternative<'_, '_>], name: &str, judged: &mut usize) -> Vec<Kind> {
    let lists: Vec<Vec<String>> = alternatives
        .iter()
        .map(|one| one.maker.member(&one.facts, name))
        .collect();
    let values = values(alternatives, &lists);
    let mut meets = meets(alternatives, &lists, &values, judged);
    for (index, one) in alternatives.iter().enumerate() {
        let takes = |at: &String| {
            let name = [Value::from(name)];
            judge::accepted(&one.maker.source, at, &name, None).is_ok_and(|all| all[0])
        };
        if !one.facts.names.iter().all(takes) {
            meets.iter_mut().for_each(|meets| *meets &= !(1 << index));
        }
    }
    let absent = alternatives.iter().enumerate();
    let absent = absent.fold(0, |set, (index, one)| {
        set | Set::from(!one.facts.required.contains(name)) << index
    });
    let mut kinds = vec![Kind {
        value: None,
        meets: absent,
    }];
    for (value, meets) in values.into_iter().zip(meets) {
        if kinds.iter().all(|known| known.meets != meets) {
            kinds.push(Kind {
                value: Some(value),
                meets,
            });
        }
    }
    kinds
}

/// The alternatives that accept each of `values` where each has these schemas for it. Adds to `judged` as [`kinds`] does.
pub(super) fn meets(
    alternatives: &[Alternative<'_, '_>],
    lists: &[Vec<String>],
    values: &[Value],
    judged: &mut usize,
) -> Vec<Set> {
    let mut known: Vec<(&Value, bool, usize, Vec<bool>)> = Vec::new();
    let mut meets: Vec<Set> = vec![0; values.len()];
    for (index, (one, list)) in alternatives.iter().zip(lists).enumerate() {
        let mut accepted = vec![true; values.len()];
        let source = std::ptr::from_ref(one.maker).addr();
        for at in list {
            let Some(schema) = one.maker.source.schemas.at(at) else {
                continue;
            };
            let same = known.iter().position(|(other, refers, side, _)| {
                *other == schema && (!refers || *side == source)
            });
            let place = same.unwrap_or_else(|| {
                *judged += 1 + values.len() / 8;
                let found = judge::accepted(&one.maker.source, at, values, None);
                let found = found.unwrap_or_else(|_| vec![false; values.len()]);
                known.push((schema, refers(schema), source, found));
                known.len() - 1
            });
            let found = known[place].3.iter();
            accepted
                .iter_mut()
                .zip(found)
                .for_each(|(one, other)| *one &= *other);
        }
        for (meets, accepted) in meets.iter_mut().zip(accepted) {
            *meets |= Set::from(accepted) << index;
        }
    }
    meets
}

/// Values to tell the kinds of a member or an item by, whose schemas are those of each list, the small ones first.
pub(super) fn values(alternatives: &[Alternative<'_, '_>], lists: &[Vec<String>]) -> Vec<Value> {
    let mut values = generic().to_vec();
    let mut seen: Vec<(&Maker<'_>, &[String])> = Vec::new();
    let mut known: Vec<Vec<Option<&Value>>> = Vec::new();
    for (one, list) in alternatives.iter().zip(lists) {
        let schemas = list.iter().map(|at| one.maker.source.schemas.at(at));
        let schemas: Vec<Option<&Value>> = schemas.collect();
        if known.contains(&schemas) {
            continue;
        }
        values.extend(one.maker.edges(list));
        for (maker, other) in &seen {
            if std::ptr::eq(*maker, one.maker) {
                values.extend(maker.accepted_by_all(&[*other, list].concat()));
            }
        }
        seen.push((one.maker, list));
        known.push(schemas);
    }
    if seen.len() <= MERGED {
        values.extend(merged(&seen));
    }
    let mut values = distinct(values, VALUES);
    values.sort_by_cached_key(size);
    values
}

/// Objects of one schema with the members of objects at the edges of another one: what the first accepts of them, the other may reject.
fn merged(lists: &[(&Maker<'_>, &[String])]) -> Vec<Value> {
    let objects = |values: Vec<Value>| {
        let all = values.into_iter().filter_map(|value| match value {
            Value::Object(members) if !members.is_empty() => Some(members),
            _ => None,
        });
        all.take(EDGES).collect::<Vec<_>>()
    };
    let samples: Vec<_> = lists
        .iter()
        .map(|(maker, list)| objects(maker.accepted_by_all(list)))
        .collect();
    let mut found = Vec::new();
    for (index, (maker, list)) in lists.iter().enumerate() {
        let edges = objects(maker.edges(list));
        for (other, sample) in samples.iter().enumerate() {
            for base in sample.iter().take(usize::from(other != index)) {
                found.extend(edges.iter().map(|edge| {
                    let mut members = base.clone();
                    members.extend(edge.clone());
                    Value::Object(members)
                }));
            }
        }
    }
    found
}

/// Whether a schema refers to others.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(refers),
        Value::Object(members) => members.contains_key("$ref") || members.values().any(refers),
        _ => false,
    }
}

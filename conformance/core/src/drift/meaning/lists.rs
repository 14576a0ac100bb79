//! Arrays by all combinations of what their items may be, for schemas with alternatives; as [`super::combined`] makes objects.
//!
//! An array meets an alternative where each of its items does and their number fits. So items of one kind, those that the same alternatives
//! accept, are as good as one another, and so are arrays whose items together meet the same alternatives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::combined::{Alternative, Set, alternatives, meets, most_telling, values};
use super::facts::Facts;
use super::generate::{FILL, Maker};
use super::judge;
use super::scalars::around;
use super::tried::size;

/// How many first items have kinds of their own.
const TUPLE: usize = 6;

/// How many items are combined besides these.
const ITEMS: usize = 3;

/// How many `contains` are followed.
const CONTAINED: usize = 24;

/// How many values of one kind are kept, for arrays whose items are unique.
const EACH: usize = 8;

/// How many combinations are followed from one item to the next.
const SETS: usize = 500;

/// Items that the same alternatives accept.
struct Kind {
    values: Vec<Value>,
    meets: Set,
}

/// The cheapest items that meet a set of alternatives, by the places of their kinds.
type Reached = BTreeMap<Set, (usize, Vec<usize>)>;

/// Arrays that match different alternatives of the two schemas, the most telling ones first, and how many times a value was checked against
/// a schema.
pub(super) fn differing(one: &Maker<'_>, other: &Maker<'_>) -> (Vec<Value>, usize) {
    let (alternatives, count, _) = alternatives(one, other, "array");
    if alternatives.len() < 3 {
        return (Vec::new(), 0);
    }
    let mut judged = 0;
    let facts = || alternatives.iter().map(|one| &one.facts);
    let tuple = facts().map(|one| one.tuple.len()).max();
    let tuple = tuple.unwrap_or_default().min(TUPLE);
    let contained = contained(&alternatives);
    let positions = 0..=tuple;
    let positions = positions.map(|index| kinds(&alternatives, index, &contained, &mut judged));
    let positions: Vec<Vec<Kind>> = positions.collect();
    let longest = tuple + ITEMS;
    let counts: BTreeSet<u64> = facts().flat_map(|one| one.counts.iter().copied()).collect();
    let counts: BTreeSet<u64> = around(&counts, &BTreeSet::new());
    let longer = counts.into_iter().filter(|count| *count <= FILL);
    let longer = longer.filter_map(|count| usize::try_from(count).ok());
    let longer: Vec<usize> = longer.filter(|count| *count > longest).collect();
    let at = |index: usize| &positions[index.min(tuple)];
    let mut reached: Reached = BTreeMap::from([(Set::MAX, (0, Vec::new()))]);
    let mut cheapest: BTreeMap<Set, (usize, (Vec<usize>, usize))> = BTreeMap::new();
    for length in 0..=longest {
        for (set, (cost, items)) in &reached {
            let more = longer.iter().filter(|_| length == longest);
            for total in std::iter::once(&length).chain(more) {
                let met = met(&alternatives, &contained, *set, *total);
                let found = (cost + total, (items.clone(), *total));
                let best = cheapest.entry(met).or_insert_with(|| found.clone());
                if found.0 < best.0 {
                    *best = found;
                }
            }
        }
        reached = followed(&reached, at(length));
    }
    let array = |(items, total): (Vec<usize>, usize)| {
        let mut used: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let item = |index: usize| {
            let place = index.min(tuple);
            let kind = *items.get(index).or(items.last())?;
            let values = &at(place)[kind].values;
            let next = used.entry((place, kind)).or_default();
            *next += 1;
            values.get((*next - 1) % values.len().max(1)).cloned()
        };
        (0..total).map_while(item).collect()
    };
    let found = most_telling(cheapest, count).into_iter().map(array);
    (found.collect(), judged)
}

/// The schemas of the item at `index`.
fn item(facts: &Facts, index: usize) -> &[String] {
    facts.tuple.get(index).unwrap_or(&facts.items)
}

/// The alternatives that ask for an item, with the schema that it has to match.
fn contained<'f>(alternatives: &'f [Alternative<'_, '_>]) -> Vec<(usize, &'f String)> {
    let all = alternatives.iter().enumerate();
    let all =
        all.flat_map(|(index, one)| one.facts.contains.iter().map(move |(at, _)| (index, at)));
    all.take(CONTAINED).collect()
}

/// The kinds of the item at `index`. Beside the alternatives that accept it, a kind says which `contained` schemas it does not match.
fn kinds(
    alternatives: &[Alternative<'_, '_>],
    index: usize,
    contained: &[(usize, &String)],
    judged: &mut usize,
) -> Vec<Kind> {
    let lists = alternatives
        .iter()
        .map(|one| item(&one.facts, index).to_vec());
    let lists: Vec<Vec<String>> = lists.collect();
    let mut all = values(alternatives, &lists);
    for (one, at) in contained {
        all.extend(alternatives[*one].maker.edges(std::slice::from_ref(*at)));
    }
    let mut meets = meets(alternatives, &lists, &all, judged);
    for (place, (one, at)) in contained.iter().enumerate() {
        let source = &alternatives[*one].maker.source;
        let found = judge::accepted(source, at, &all, None).unwrap_or_default();
        let bit = 1 << (alternatives.len() + place);
        for (set, matches) in meets.iter_mut().zip(found) {
            *set |= if matches { 0 } else { bit };
        }
    }
    let mut kinds: Vec<Kind> = Vec::new();
    for (value, meets) in all.into_iter().zip(meets) {
        match kinds.iter_mut().find(|kind| kind.meets == meets) {
            Some(kind) if kind.values.len() < EACH => kind.values.push(value),
            Some(_) => {}
            None => kinds.push(Kind {
                values: vec![value],
                meets,
            }),
        }
    }
    kinds
}

/// All combinations with one item more.
fn followed(reached: &Reached, kinds: &[Kind]) -> Reached {
    let mut next = Reached::new();
    for (set, (cost, items)) in reached {
        for (index, kind) in kinds.iter().enumerate() {
            let cost = cost + size(&kind.values[0]);
            let best = next.get(&(set & kind.meets));
            if best.is_none_or(|(known, _)| cost < *known) && next.len() < SETS {
                let items = items.iter().copied().chain([index]).collect();
                next.insert(set & kind.meets, (cost, items));
            }
        }
    }
    next
}

/// The alternatives that an array of `length` items meets which meet `set`.
fn met(
    alternatives: &[Alternative<'_, '_>],
    contained: &[(usize, &String)],
    set: Set,
    length: usize,
) -> Set {
    let fits = |index: usize, facts: &Facts| {
        let lacks = |place: usize| set & (1 << (alternatives.len() + place)) != 0;
        let mut own = contained.iter().enumerate();
        let count = length as u64;
        count >= facts.min_items
            && facts.max_items.is_none_or(|most| count <= most)
            && !own.any(|(place, (one, _))| *one == index && lacks(place))
    };
    let all = alternatives.iter().enumerate();
    let fitting = all.filter(|(index, one)| fits(*index, &one.facts));
    fitting.fold(0, |found, (index, _)| found | set & (1 << index))
}

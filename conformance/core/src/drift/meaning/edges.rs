//! Values at the edges of what schemas say, for telling two of them apart.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use super::facts::{Facts, ways, ways_up_to};
use super::generate::{FILL, Maker, WIDE, generic};
use super::hints::Hints;
use super::judge::Judge;
use super::scalars::{around, edge_strings, numbers};
use super::source::Source;
use super::text;
use super::tried::{Values, distinct};

/// How many values are tried for one schema.
const CANDIDATES: usize = 500;

/// How deep in arrays items at the edges are tried.
const ITEMS: usize = 2;

/// How many of the values that a member's schema lists are tried.
const LISTED: usize = 8;

/// How many optional members are tried one by one.
const MEMBERS: usize = 40;

/// Which values are wanted.
#[derive(Debug, Clone)]
pub(in super::super) enum Focus {
    /// Objects that have one of these members or not.
    Members(BTreeSet<String>),
    /// Any values. Of objects, those that have one of these members or not come first.
    All(BTreeSet<String>),
}

impl Maker<'_> {
    /// Values that all of the schemas accept, and values at the edges of what they say.
    pub(super) fn edges(&self, schemas: &[String]) -> Vec<Value> {
        self.edges_within(schemas, ITEMS)
    }

    /// As [`Self::edges`]; of arrays within arrays, `depth` many are of items at the edges.
    fn edges_within(&self, schemas: &[String], depth: usize) -> Vec<Value> {
        let ways = ways(&self.source, schemas);
        let hints = Hints::of(ways.iter());
        let mut all = Values::distinct(5 * WIDE);
        all.extend(self.accepted_by_all(schemas));
        for facts in ways.iter().take(4) {
            if let Some(depth) = depth.checked_sub(1) {
                all.extend(self.lists_of_edges(facts, depth));
            }
            self.variations(facts, &hints, &BTreeSet::new(), &mut all);
        }
        all.into_vec()
    }

    /// Values that meet these demands, and values at the edges of what they say.
    pub(super) fn near(&self, facts: &Facts, limit: usize) -> Vec<Value> {
        let hints = Hints::of(std::iter::once(facts));
        let mut all = Values::distinct(limit);
        self.variations(facts, &hints, &BTreeSet::new(), &mut all);
        all.into_vec()
    }

    /// Arrays of items at the edges of what is said of them.
    fn lists_of_edges(&self, facts: &Facts, depth: usize) -> Vec<Value> {
        let may = |types: &BTreeSet<String>| types.contains("array");
        if facts.items.is_empty() || !facts.types.as_ref().is_none_or(may) {
            return Vec::new();
        }
        let mut items = self.edges_within(&facts.items, depth);
        items.retain(|item| !generic().contains(item));
        let tuple = facts.tuple.len() as u64;
        let list = |item: Value| {
            let Value::Array(mut items) = self.array(facts, &[], tuple, 0) else {
                return Value::Null;
            };
            let count = facts.min_items.saturating_sub(tuple).clamp(1, FILL);
            let count = usize::try_from(count).unwrap_or(1);
            items.extend(std::iter::repeat_n(item, count));
            Value::Array(items)
        };
        items.into_iter().take(2 * WIDE).map(list).collect()
    }

    /// Values at the edges of what these demands and those of the other side say.
    fn variations(&self, facts: &Facts, hints: &Hints, first: &BTreeSet<String>, all: &mut Values) {
        all.extend(facts.values.iter().flatten().take(300).cloned());
        all.extend(hints.literals.iter().take(300).cloned());
        all.extend(self.simple(facts, 0));
        all.extend(generic());
        let may = |name: &str| {
            facts
                .types
                .as_ref()
                .is_none_or(|types| types.contains(name))
        };
        if may("integer") || may("number") {
            all.extend(numbers(facts, hints));
        }
        if may("string") {
            all.extend(edge_strings(facts, hints).into_iter().map(Value::from));
        }
        if may("object") {
            self.objects(facts, hints, first, all);
        }
        if may("array") && !all.is_full() {
            self.arrays(facts, hints, all);
        }
    }

    /// Objects that have one of the members `names` or not; `pools` are values of a member.
    fn having(
        &self,
        facts: &Facts,
        names: &BTreeSet<String>,
        pools: &dyn Fn(&str) -> Vec<Value>,
        all: &mut Values,
    ) {
        let base = self.object(facts, None, 0);
        let Value::Object(base) = base else { return };
        for name in names {
            if all.is_full() {
                return;
            }
            let mut less = base.clone();
            less.shift_remove(name);
            all.push(Value::Object(less));
            let few = [json!(0), json!("a"), json!({}), json!(null)];
            for value in distinct(pools(name).into_iter().chain(few).collect(), WIDE + LISTED) {
                let mut more = base.clone();
                more.insert(name.clone(), value);
                if !facts.dependent.is_empty() {
                    all.push(Value::Object(more.clone()));
                    self.complete_object(facts, &mut more, 0);
                }
                all.push(Value::Object(more));
            }
        }
        all.push(Value::Object(base));
    }

    fn objects(&self, facts: &Facts, hints: &Hints, first: &BTreeSet<String>, all: &mut Values) {
        let base = self.object(facts, None, 0);
        let Value::Object(base) = base else { return };
        for name in hints.names.iter().chain(&facts.required).take(2 * MEMBERS) {
            if base.contains_key(name) {
                let mut less = base.clone();
                less.shift_remove(name);
                all.push(Value::Object(less));
            }
        }
        let own: BTreeSet<&String> = facts.properties.keys().collect();
        let names: BTreeSet<&String> = own.iter().copied().chain(&hints.names).collect();
        let few = names.len() <= 12;
        let with = |name: &str, value: Value| {
            let mut more = base.clone();
            more.insert(name.to_owned(), value);
            self.complete_object(facts, &mut more, 0);
            Value::Object(more)
        };
        // A member that needs no other, in an object that is complete without it, is all that there is to add.
        let complete = facts.dependent.is_empty() && base.len() as u64 >= facts.min_properties;
        let rest = names.iter().copied().filter(|name| !first.contains(*name));
        for name in first.iter().chain(rest).take(2 * MEMBERS) {
            if all.is_full() {
                return;
            }
            let pool = self.pool(&self.member(facts, name), 1);
            for value in pool.iter().take(2) {
                all.push(with(name, value.clone()));
                if !(complete && all.is_distinct()) {
                    let mut alone = base.clone();
                    alone.insert(name.clone(), value.clone());
                    all.push(Value::Object(alone));
                }
            }
            if few || first.contains(name) || !own.contains(name) {
                for value in generic() {
                    all.push(with(name, value));
                }
            }
        }
        let mut unknown = vec![self.free_name(facts, 0)];
        for (pattern, _) in &facts.by_pattern {
            unknown.extend(text::of_pattern(pattern).into_iter().take(2));
        }
        unknown.extend(hints.strings.iter().take(6).cloned());
        unknown.extend(["a", "A", "0", "a b"].map(str::to_owned));
        for name in &unknown {
            if all.is_full() {
                return;
            }
            let pool = self.pool(&self.member(facts, name), 1);
            for value in pool.iter().take(1).cloned().chain(generic()) {
                all.push(with(name, value));
            }
        }
        // All optional members at once.
        let mut full = base.clone();
        for name in own.iter().take(200) {
            if !full.contains_key(*name)
                && !facts.hidden.contains(*name)
                && let Some(value) = self.sample(&self.member(facts, name), 1)
            {
                full.insert((*name).clone(), value);
            }
        }
        all.push(Value::Object(full));
        for count in around(&hints.counts, &facts.counts) {
            let mut filled = base.clone();
            self.fill(facts, &mut filled, count, 0);
            all.push(Value::Object(filled));
        }
    }

    fn arrays(&self, facts: &Facts, hints: &Hints, all: &mut Values) {
        let mut keep = |given: &[Value], count: u64| all.push(self.array(facts, given, count, 0));
        for count in around(&hints.counts, &facts.counts) {
            keep(&[], count);
            // The same item again and again.
            let pool = self.pool(&facts.items, 1);
            if let Some(item) = pool.first()
                && count <= FILL
            {
                let count = usize::try_from(count).unwrap_or_default();
                keep(&vec![item.clone(); count], 0);
            }
        }
        let tuple = facts.tuple.len() as u64;
        keep(&[], tuple);
        keep(&[], tuple + 1);
        let pool = self.pool(&facts.items, 1);
        if let Some(item) = pool.first() {
            keep(&[item.clone(), item.clone()], facts.min_items);
        }
        if let Some(item) = pool.get(1) {
            keep(std::slice::from_ref(item), facts.min_items);
            keep(&[item.clone(), item.clone()], facts.min_items);
        }
        for value in generic() {
            keep(std::slice::from_ref(&value), facts.min_items);
            let Value::Array(mut items) = self.array(facts, &[], tuple.max(facts.min_items), 0)
            else {
                continue;
            };
            items.push(value);
            keep(&items, 0);
        }
        for (at, _) in &facts.contains {
            let pool = self.pool(std::slice::from_ref(at), 1);
            if let Some(item) = pool.first() {
                for count in around(&hints.counts, &facts.counts) {
                    if count <= FILL {
                        let count = usize::try_from(count).unwrap_or_default();
                        keep(&vec![item.clone(); count], facts.min_items);
                    }
                }
            }
        }
    }
}

/// Whether members that are not named may be any, or must not be there.
fn says_little(maker: &Maker<'_>, ways: &[Facts]) -> bool {
    let mut additional = ways.iter().flat_map(|facts| &facts.additional);
    let is_bool = |at: &String| maker.source.schemas.at(at).is_none_or(Value::is_boolean);
    additional.all(is_bool) && ways.iter().all(|facts| facts.by_pattern.is_empty())
}

/// Objects of two schemas that have one of the members `names` or not, by the first `count` ways of choosing branches.
pub(super) fn having(
    one: (&Maker<'_>, &str),
    other: (&Maker<'_>, &str),
    names: &BTreeSet<String>,
    count: usize,
) -> Vec<Value> {
    let sides = [one, other].map(|(maker, at)| (maker, maker.ways(at)));
    let pools = |name: &str| {
        let found = sides.iter().flat_map(|(maker, ways)| {
            ways.iter().take(4).flat_map(|facts| {
                let schemas = maker.member(facts, name);
                let pool = maker.pool(&schemas, 1);
                // The values that only one side lists may be any of them.
                let listed = ways_up_to(&maker.source, &schemas, 1).into_iter();
                let listed = listed.flat_map(|facts| facts.values.unwrap_or_default());
                let first = pool.iter().take(2).cloned();
                first.chain(listed.take(LISTED)).collect::<Vec<_>>()
            })
        });
        let mut pools: Vec<Value> = found.collect();
        // Only where nothing else speaks of the member, whose values a presumed one is not.
        if pools.is_empty() && sides.iter().all(|(maker, ways)| says_little(maker, ways)) {
            let presumed = |(maker, ways): &(&Maker<'_>, Rc<Vec<Facts>>)| {
                let schemas = maker.member(ways.first()?, name);
                maker.presumed(&schemas, 1, 0)
            };
            pools.extend(sides.iter().find_map(presumed));
        }
        pools
    };
    let mut all = Values::distinct(CANDIDATES);
    for (maker, ways) in &sides {
        for facts in ways.iter().take(count) {
            maker.having(facts, names, &pools, &mut all);
        }
    }
    all.into_vec()
}

/// Values worth trying on two schemas, the simple ones first.
pub(super) fn candidates(
    one: (&Maker<'_>, &str),
    other: (&Maker<'_>, &str),
    focus: &Focus,
) -> Vec<Value> {
    let facts = (one.0.ways(one.1), other.0.ways(other.1));
    let first = match focus {
        Focus::Members(names) => return having(one, other, names, usize::MAX),
        Focus::All(first) => first,
    };
    let refused = |maker: &Maker<'_>, all: &[Facts]| -> Vec<Facts> {
        let schemas = all.iter().flat_map(|facts| facts.refused.clone());
        schemas
            .take(6)
            .flat_map(|at| ways(&maker.source, &[at]).into_iter().take(3))
            .collect()
    };
    let not = (refused(one.0, &facts.0), refused(other.0, &facts.1));
    let hints = Hints::of(
        facts
            .0
            .iter()
            .chain(facts.1.iter())
            .chain(&not.0)
            .chain(&not.1),
    );
    let mut all = Values::distinct(CANDIDATES);
    for index in 0..facts.0.len().max(facts.1.len()) {
        for (maker, ways) in [(one.0, &facts.0), (other.0, &facts.1)] {
            if let Some(facts) = ways.get(index)
                && !all.is_full()
            {
                maker.variations(facts, &hints, first, &mut all);
            }
        }
    }
    for (maker, ways) in [(one.0, &not.0), (other.0, &not.1)] {
        for facts in ways {
            all.extend(maker.simple(facts, 0));
        }
    }
    all.into_vec()
}

/// Values that a schema with its own `$defs` probably accepts.
pub(in super::super) fn of_schema(schema: &Value) -> Vec<Value> {
    let judge = Judge::default();
    let maker = Maker::new(Source::alone(schema, &judge));
    let ways = ways(&maker.source, &[String::new()]);
    let hints = Hints::of(ways.iter());
    let mut all = Vec::new();
    for facts in ways.iter().take(6) {
        all.extend(maker.simple(facts, 0));
        let mut some = Values::first(60);
        maker.variations(facts, &hints, &BTreeSet::new(), &mut some);
        all.extend(some.into_vec());
    }
    distinct(all, 120)
}

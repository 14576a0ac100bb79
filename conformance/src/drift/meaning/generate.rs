//! Values that are worth trying: those that a schema accepts, and those at the edges of what it says.
//!
//! Nothing here is proven; the validator decides about every value.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::facts::{Facts, ways};
use super::hints::Hints;
use super::judge;
use super::scalars::{around, edge_strings, numbers, strings};
use super::source::Source;
use super::text;
use super::tried::{Values, distinct};

/// How deep values nest below a required member.
const DEPTH: usize = 8;

/// How many values are tried for one schema.
const CANDIDATES: usize = 500;

/// How many members or items a value may be given to reach a count.
const FILL: u64 = 600;

/// How many values of one kind are taken of a schema that comes or goes.
const WIDE: usize = 12;

/// How many optional members are tried one by one.
const MEMBERS: usize = 40;

/// One of each type.
fn generic() -> [Value; 9] {
    [
        json!("a"),
        json!(0),
        json!(true),
        json!(null),
        json!({}),
        json!([]),
        json!(0.5),
        json!(1),
        json!(""),
    ]
}

type Pool = Rc<Vec<Value>>;

/// Which values are wanted.
#[derive(Debug, Clone)]
pub(in super::super) enum Focus {
    /// Objects that have one of these members or not.
    Members(BTreeSet<String>),
    /// Any values. Of objects, those that have one of these members or not come first.
    All(BTreeSet<String>),
}

/// Makes values for the schemas of one source.
pub(super) struct Maker<'a> {
    pub(super) source: Source<'a>,
    pools: RefCell<HashMap<String, Option<Pool>>>,
    ways: RefCell<HashMap<String, Rc<Vec<Facts>>>>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            pools: RefCell::default(),
            ways: RefCell::default(),
        }
    }

    /// What the schema at `at` demands, by the ways of choosing its branches.
    pub(super) fn ways(&self, at: &str) -> Rc<Vec<Facts>> {
        if let Some(known) = self.ways.borrow().get(at) {
            return known.clone();
        }
        let found = Rc::new(ways(&self.source, &[at.to_owned()]));
        self.ways.borrow_mut().insert(at.to_owned(), found.clone());
        found
    }

    /// Values that the schema at `at` accepts, of each of its kinds.
    pub(super) fn examples(&self, at: &str) -> Vec<Value> {
        let ways = self.ways(at);
        let mut all = self.pool(&[at.to_owned()], 0).to_vec();
        all.truncate(WIDE);
        all.extend(
            ways.iter()
                .flat_map(|facts| self.simple(facts, 0).into_iter().take(WIDE)),
        );
        distinct(all, 4 * WIDE)
    }

    /// The properties of the schema at `at` whose names match `pattern`, with the first of their schemas.
    pub(super) fn named_like(&self, at: &str, pattern: &str) -> Vec<(String, String)> {
        let ways = self.ways(at);
        let all = ways.iter().flat_map(|facts| &facts.properties);
        let named = all.filter(|(name, _)| text::matches(pattern, name));
        let mut found: Vec<(String, String)> = named
            .filter_map(|(name, schemas)| Some((name.clone(), schemas.first()?.clone())))
            .collect();
        found.dedup();
        found
    }

    /// A value that all of the schemas accept, a simple one first; none where none was found.
    pub(super) fn sample(&self, schemas: &[String], depth: usize) -> Option<Value> {
        self.pool(schemas, depth).first().cloned()
    }

    /// Values that all of the schemas accept.
    fn pool(&self, schemas: &[String], depth: usize) -> Pool {
        if schemas.is_empty() {
            return Rc::new(generic().to_vec());
        }
        if depth > DEPTH {
            return Rc::new(Vec::new());
        }
        let key = schemas.join("\n");
        if let Some(known) = self.pools.borrow().get(&key) {
            // A schema that is being looked at requires itself: this way there is no value.
            return known.clone().unwrap_or_default();
        }
        self.pools.borrow_mut().insert(key.clone(), None);
        let ways = ways(&self.source, schemas);
        let mut found = Vec::new();
        for facts in ways.iter().take(8) {
            found.extend(self.simple(facts, depth));
        }
        let mut found = distinct(found, 80);
        for at in schemas {
            match judge::accepted(&self.source, at, &found, None) {
                Ok(accepted) => {
                    let mut accepted = accepted.into_iter();
                    found.retain(|_| accepted.next().unwrap_or(false));
                }
                Err(_) => found.clear(),
            }
        }
        let pool = Rc::new(found);
        if depth <= DEPTH {
            self.pools.borrow_mut().insert(key, Some(pool.clone()));
        }
        pool
    }

    /// Values that probably meet the demands.
    fn simple(&self, facts: &Facts, depth: usize) -> Vec<Value> {
        if let Some(values) = &facts.values {
            return values.iter().take(40).cloned().collect();
        }
        let may = |name: &str| {
            facts
                .types
                .as_ref()
                .is_none_or(|types| types.contains(name))
        };
        let mut all = Vec::new();
        let object_like = !facts.required.is_empty() || !facts.properties.is_empty();
        if object_like && may("object") {
            all.push(self.object(facts, None, depth));
        }
        if (!facts.tuple.is_empty() || !facts.items.is_empty()) && may("array") {
            all.push(self.array(facts, &[], facts.min_items.max(1), depth));
        }
        if may("string") {
            all.extend(strings(facts).into_iter().map(Value::from));
        }
        if may("integer") || may("number") {
            all.extend(numbers(facts, &Hints::default()));
        }
        if may("boolean") {
            all.extend([json!(true), json!(false)]);
        }
        if may("object") && !object_like {
            all.push(self.object(facts, None, depth));
        }
        if may("array") {
            all.push(self.array(facts, &[], facts.min_items, depth));
        }
        if may("null") {
            all.push(Value::Null);
        }
        all
    }

    /// The schemas of the member `name`.
    fn member(&self, facts: &Facts, name: &str) -> Vec<String> {
        let mut schemas = facts.properties.get(name).cloned().unwrap_or_default();
        for (pattern, at) in &facts.by_pattern {
            if text::matches(pattern, name) {
                schemas.push(at.clone());
            }
        }
        if schemas.is_empty() {
            schemas.clone_from(&facts.additional);
        }
        schemas
    }

    /// An object with what is required, and with `extra`.
    pub(super) fn object(
        &self,
        facts: &Facts,
        extra: Option<(&str, &Value)>,
        depth: usize,
    ) -> Value {
        let mut members = Map::new();
        if let Some((name, value)) = extra {
            members.insert(name.to_owned(), value.clone());
        }
        self.complete_object(facts, &mut members, depth);
        Value::Object(members)
    }

    /// Adds what is required.
    pub(super) fn complete_object(
        &self,
        facts: &Facts,
        members: &mut Map<String, Value>,
        depth: usize,
    ) {
        let mut wanted: Vec<String> = facts.required.iter().cloned().collect();
        for (name, needs) in &facts.dependent {
            if members.contains_key(name) || facts.required.contains(name) {
                wanted.extend(needs.iter().cloned());
            }
        }
        for name in wanted {
            if !members.contains_key(&name) {
                let value = self.sample(&self.member(facts, &name), depth + 1);
                members.insert(name, value.unwrap_or(json!("a")));
            }
        }
        self.fill(facts, members, facts.min_properties, depth);
    }

    /// Adds members until there are `count`.
    fn fill(&self, facts: &Facts, members: &mut Map<String, Value>, count: u64, depth: usize) {
        let known = facts.properties.keys().cloned();
        let fillers = (0..count.min(FILL)).map(|index| self.free_name(facts, index));
        for name in known.chain(fillers) {
            if members.len() as u64 >= count.min(FILL) {
                return;
            }
            if !members.contains_key(&name)
                && !facts.hidden.contains(&name)
                && let Some(value) = self.sample(&self.member(facts, &name), depth + 1)
            {
                members.insert(name, value);
            }
        }
    }

    /// A name that no schema mentions, and that is allowed where names are constrained.
    pub(super) fn free_name(&self, facts: &Facts, index: u64) -> String {
        if !facts.names.is_empty() {
            let pool = self.pool(&facts.names, 1);
            let mut names = pool
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| !facts.properties.contains_key(*name));
            let index = usize::try_from(index).unwrap_or_default();
            if let Some(name) = names.nth(index) {
                return name.to_owned();
            }
        }
        const NAMES: [&str; 4] = ["x", "other", "zz", "unknown"];
        let free = |name: &&&str| {
            !facts.properties.contains_key(**name)
                && !facts
                    .by_pattern
                    .iter()
                    .any(|(pattern, _)| text::matches(pattern, name))
        };
        let start = NAMES.iter().find(free).copied().unwrap_or("x");
        if index == 0 {
            start.to_owned()
        } else {
            format!("{start}{index}")
        }
    }

    /// An array that starts with `given` and has `count` items.
    pub(super) fn array(&self, facts: &Facts, given: &[Value], count: u64, depth: usize) -> Value {
        let mut items = given.to_vec();
        let count = usize::try_from(count.min(FILL)).unwrap_or_default();
        for (at, times) in &facts.contains {
            // It has to be an item like the others, too.
            let both: Vec<String> = facts.items.iter().chain([at]).cloned().collect();
            let mut pool = self.pool(&both, depth + 1);
            if pool.is_empty() {
                pool = self.pool(std::slice::from_ref(at), depth + 1);
            }
            let times = usize::try_from((*times).min(FILL)).unwrap_or_default();
            let missing = times.saturating_sub(items.len());
            if !facts.unique {
                items.extend(pool.iter().cycle().take(missing).cloned());
            } else {
                let fresh = pool.iter().filter(|one| !items.contains(one));
                let fresh: Vec<Value> = fresh.take(missing).cloned().collect();
                items.extend(fresh);
            }
        }
        let rest = self.pool(&facts.items, depth + 1);
        while items.len() < count {
            let index = items.len();
            let pool = match facts.tuple.get(index) {
                Some(schemas) => self.pool(schemas, depth + 1),
                None => rest.clone(),
            };
            let next = if facts.unique {
                pool.iter().find(|one| !items.contains(one)).cloned()
            } else {
                pool.first().cloned()
            };
            match next {
                Some(next) => items.push(next),
                // Numbers and strings can be told apart without end.
                None => match pool.first() {
                    Some(Value::String(_)) => items.push(json!(format!("a{index}"))),
                    Some(Value::Number(_)) => items.push(json!(index)),
                    Some(other) => items.push(other.clone()),
                    None => break,
                },
            }
        }
        Value::Array(items)
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
            for value in distinct(pools(name).into_iter().chain(few).collect(), WIDE) {
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

/// Objects of two schemas that have one of the members `names` or not, by the first `count` ways of choosing branches.
pub(super) fn having(
    one: (&Maker<'_>, &str),
    other: (&Maker<'_>, &str),
    names: &BTreeSet<String>,
    count: usize,
) -> Vec<Value> {
    let sides = [one, other].map(|(maker, at)| (maker, maker.ways(at)));
    let pools = |name: &str| {
        let sides = sides.iter();
        let pools = sides.flat_map(|(maker, ways)| {
            ways.iter().take(4).flat_map(|facts| {
                let pool = maker.pool(&maker.member(facts, name), 1);
                pool.iter().take(2).cloned().collect::<Vec<_>>()
            })
        });
        pools.collect()
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
    let maker = Maker::new(Source::alone(schema));
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

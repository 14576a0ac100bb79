//! Values that schemas probably accept.
//!
//! Nothing here is proven; the validator decides about every value.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashSet};
use serde_json::{Map, Value, json};

use super::facts::{Facts, ways};
use super::hints::Hints;
use super::scalars::{numbers, strings};
use super::source::Source;
use super::text;
use super::tried::distinct;
use super::{algebra, judge, presumed, whole};

/// How deep values nest below a required member.
const DEPTH: usize = 8;

/// How many members or items a value may be given to reach a count.
pub(super) const FILL: u64 = 600;

/// How many listed values are tried.
const LISTED: usize = 40;

/// How many values of one kind are taken of a schema that comes or goes.
pub(super) const WIDE: usize = 12;

/// One of each type.
pub(super) fn generic() -> [Value; 9] {
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

/// Makes values for the schemas of one source.
pub(super) struct Maker<'a> {
    pub(super) source: Source<'a>,
    pools: RefCell<HashMap<String, Option<Pool>>>,
    ways: RefCell<HashMap<String, Rc<Vec<Facts>>>>,
    /// Whether a value is presumed where none was found, see [`presumed`].
    presumes: bool,
    /// How often looking for values was given up: too deep, or within the same schemas.
    given_up: Cell<usize>,
    /// The schemas of which no value was found because of that.
    cut: RefCell<HashSet<String>>,
    /// Whether the schemas of which no value was found may accept one.
    unknown: RefCell<HashMap<String, bool>>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            pools: RefCell::default(),
            ways: RefCell::default(),
            presumes: false,
            given_up: Cell::default(),
            cut: RefCell::default(),
            unknown: RefCell::default(),
        }
    }

    /// As [`Self::new`], with presumed values for members and items of which no value is found.
    pub(super) fn presuming(source: Source<'a>) -> Self {
        Self {
            presumes: true,
            ..Self::new(source)
        }
    }

    /// Returns the constraints of the schema at `at`, by the ways of choosing its branches.
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

    /// A value that all of the schemas accept, a simple one first, or a presumed one; none where there is none.
    pub(super) fn sample(&self, schemas: &[String], depth: usize) -> Option<Value> {
        let found = self.pool(schemas, depth).first().cloned();
        found.or_else(|| self.presumed(schemas, depth, 0))
    }

    /// A presumed value of schemas of which no value was found; none where it is known that there is none.
    pub(super) fn presumed(&self, schemas: &[String], depth: usize, index: usize) -> Option<Value> {
        let key = schemas.join("\n");
        let is_cut = self.cut.borrow().contains(&key);
        // Nor is one presumed of a schema that is being looked at.
        let is_open = matches!(self.pools.borrow().get(&key), Some(None));
        if !self.presumes || depth > DEPTH || is_cut || is_open {
            return None;
        }
        let known = self.unknown.borrow().get(&key).copied();
        let is_unknown = known.unwrap_or_else(|| self.may_accept(schemas));
        self.unknown.borrow_mut().insert(key, is_unknown);
        let content = schemas.iter().filter_map(|at| self.source.schemas.at(at));
        is_unknown.then(|| presumed::value(content, index))
    }

    /// Whether schemas of which no value was found may accept one all the same.
    fn may_accept(&self, schemas: &[String]) -> bool {
        let ways = ways(&self.source, schemas);
        let is_empty = |facts: &Facts| {
            facts.never
                || facts.types.as_ref().is_some_and(BTreeSet::is_empty)
                || facts.values.as_ref().is_some_and(Vec::is_empty)
        };
        // All of a few listed values were tried.
        let is_listed = |facts: &Facts| {
            let values = facts.values.as_ref();
            values.is_some_and(|values| values.len() <= LISTED)
        };
        let is_tried = matches!(&ways[..], [only] if is_empty(only) || is_listed(only));
        let has_none = || {
            let whole = whole::all_of(&self.source, schemas);
            whole.is_ok_and(|whole| algebra::accepts_nothing(&whole))
        };
        !is_tried && !has_none()
    }

    /// Values that all of the schemas accept.
    pub(super) fn pool(&self, schemas: &[String], depth: usize) -> Pool {
        if schemas.is_empty() {
            return Rc::new(generic().to_vec());
        }
        if depth > DEPTH {
            self.give_up();
            return Rc::new(Vec::new());
        }
        let key = schemas.join("\n");
        if let Some(known) = self.pools.borrow().get(&key) {
            // A schema that is being looked at requires itself: this way there is no value.
            if known.is_none() || self.cut.borrow().contains(&key) {
                self.give_up();
            }
            return known.clone().unwrap_or_default();
        }
        self.pools.borrow_mut().insert(key.clone(), None);
        let before = self.given_up.get();
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
        // What has members that nothing documents only fills up to a number of them.
        if found
            .first()
            .is_some_and(|first| !self.speaks_of(schemas, first))
        {
            found.sort_by_cached_key(|value| !self.speaks_of(schemas, value));
        }
        if found.is_empty() && self.given_up.get() > before {
            self.cut.borrow_mut().insert(key.clone());
        }
        let pool = Rc::new(found);
        self.pools.borrow_mut().insert(key, Some(pool.clone()));
        pool
    }

    /// Whether the schemas speak of all members in a value.
    fn speaks_of(&self, schemas: &[String], value: &Value) -> bool {
        match value {
            Value::Object(members) => {
                let all = self.source.schemas.in_place(schemas);
                members.iter().all(|(name, member)| {
                    let below = self.source.member(&all, name);
                    below.is_some_and(|below| below.is_empty() || self.speaks_of(&below, member))
                })
            }
            Value::Array(items) => {
                let all = self.source.schemas.in_place(schemas);
                items.iter().enumerate().all(|(index, item)| {
                    let below = self.source.schemas.item(&all, index);
                    below.is_empty() || self.speaks_of(&below, item)
                })
            }
            _ => true,
        }
    }

    fn give_up(&self) {
        self.given_up.set(self.given_up.get() + 1);
    }

    /// Values that probably meet the demands.
    pub(super) fn simple(&self, facts: &Facts, depth: usize) -> Vec<Value> {
        if let Some(values) = &facts.values {
            return values.iter().take(LISTED).cloned().collect();
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

    /// Some values that all of the schemas accept.
    pub(super) fn accepted_by_all(&self, schemas: &[String]) -> Vec<Value> {
        self.pool(schemas, 1).iter().take(WIDE).cloned().collect()
    }

    /// The schemas of the member `name`.
    pub(super) fn member(&self, facts: &Facts, name: &str) -> Vec<String> {
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
    pub(super) fn fill(
        &self,
        facts: &Facts,
        members: &mut Map<String, Value>,
        count: u64,
        depth: usize,
    ) {
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
            let times = usize::try_from((*times).min(FILL)).unwrap_or_default();
            let missing = times.saturating_sub(items.len());
            if pool.is_empty() {
                let presumed =
                    (0..missing).map_while(|index| self.presumed(&both, depth + 1, index));
                pool = Rc::new(presumed.collect());
            }
            if pool.is_empty() {
                pool = self.pool(std::slice::from_ref(at), depth + 1);
            }
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
            if facts.unique && index >= facts.tuple.len() {
                let more = self.different(&facts.items, count - index, &items, depth + 1);
                if !more.is_empty() {
                    items.extend(more);
                    continue;
                }
            }
            let (schemas, pool) = match facts.tuple.get(index) {
                Some(schemas) => (schemas, self.pool(schemas, depth + 1)),
                None => (&facts.items, rest.clone()),
            };
            let next = if facts.unique {
                pool.iter().find(|one| !items.contains(one)).cloned()
            } else {
                pool.first().cloned()
            };
            let presumed = || self.presumed(schemas, depth + 1, index);
            let next = next.or_else(|| pool.is_empty().then(presumed).flatten());
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
}

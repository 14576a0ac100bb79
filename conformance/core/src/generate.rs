//! Generated cases: requests that the document allows, and requests that it does not allow.
//!
//! Called by the run, which sends them after the documented samples. Two kinds: coverage, which is the same at each run, and random
//! ones, which depend on a seed. Coverage has each constraint of a body and of a parameter at its bound, just inside and just outside;
//! each value of an `enum`; each member left out and added; each alternative; wrong types, formats and patterns; unknown members;
//! malformed bodies and parameters; other content types; missing and wrong credentials; methods that the document does not have.
//!
//! A request counts as invalid only if no reading of its bytes breaks no rule: what stands as text is read by its schema, as a
//! server does (see [`wire`]). It counts as valid only if the validator accepts the value, and a server reads that same value.
//! XML and binary bodies are written, and broken as a whole: which of their values are wrong is not known to a reader of text.
//!
//! Not generated: flows over several operations, values that depend on what the server has.

mod base;
mod binary;
mod body;
mod case_name;
mod credential;
mod edge;
mod faults;
mod list;
mod markup;
mod number;
mod object;
mod parameter;
mod protocol;
mod query_string;
mod random;
mod recorded;
mod span;
mod text;
mod walk;
mod wire;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use serde_json::Value;

use crate::case::key::{Part, RunId};
use crate::case::{Case, Intent};
use crate::document::{Document, Operation};
use crate::drift::{different_values, example_values};
use crate::finding::{Finding, Sender};
use crate::schema::Schemas;

use base::Base;

pub use recorded::Sent;

/// Prefix of the names of generated cases.
pub const GENERATED: &str = "generated: ";

/// Prefix of the names of random cases.
pub const RANDOM: &str = "generated: random ";

/// Makes cases for the operations of one document.
pub struct Generator<'a> {
    document: &'a Document,
    schemas: &'a Schemas<'a>,
    run: RunId,
    /// Valid values, by schema and sender.
    examples: RefCell<Examples>,
}

type Examples = HashMap<(String, Sender), Rc<Vec<Value>>>;

impl<'a> Generator<'a> {
    /// A generator of cases; makes nothing yet.
    #[must_use]
    pub fn new(document: &'a Document, schemas: &'a Schemas<'a>) -> Self {
        Self {
            document,
            schemas,
            run: RunId::default(),
            examples: RefCell::default(),
        }
    }

    /// Makes idempotency keys of this run.
    #[must_use]
    pub fn of_run(mut self, run: RunId) -> Self {
        self.run = run;
        self
    }

    /// The cases of an operation that are the same at each run, at most `limit`, in a fixed order. They start from the first of
    /// `samples` that is documented to succeed, or from generated values where there is none, or it is not valid itself.
    #[must_use]
    pub fn cases(&self, operation: &Operation<'_>, samples: &[Case], limit: usize) -> Vec<Case> {
        self.stream(operation, samples, limit).collect()
    }

    /// The same one by one: each is made when it is asked for.
    pub fn stream<'s>(
        &'s self,
        operation: &'s Operation<'s>,
        samples: &[Case],
        limit: usize,
    ) -> impl Iterator<Item = Case> + use<'s, 'a> {
        let source = self.source(operation);
        let base = source.base(samples).map(Rc::new);
        base.into_iter()
            .flat_map(move |base| source.coverage(base, limit))
    }

    /// A valid request of an operation, of generated values; none where they were not found.
    #[must_use]
    pub fn plain(&self, operation: &Operation<'_>) -> Option<Case> {
        self.source(operation).base(&[]).map(|base| base.case)
    }

    /// `count` cases of an operation that depend on `seed`: valid ones, and ones with one or two flaws.
    #[must_use]
    pub fn random(
        &self,
        operation: &Operation<'_>,
        samples: &[Case],
        seed: u64,
        count: usize,
    ) -> Vec<Case> {
        let source = self.source(operation);
        let base = source.base(samples);
        let cases = base.map_or_else(Vec::new, |base| source.random(&base, seed, count));
        let cases = distinct(cases.into_iter(), count);
        source.keyed(cases, Part::Random).collect()
    }

    /// Whether the parameters and the body of a sample are what their schemas say.
    #[must_use]
    pub fn is_valid(&self, operation: &Operation<'_>, sample: &Case) -> bool {
        self.source(operation).is_valid(sample)
    }

    /// Why no cases can be generated for an operation, where that is so.
    #[must_use]
    pub fn faults(&self, operation: &Operation<'_>, samples: &[Case]) -> Vec<Finding> {
        self.source(operation).faults(samples)
    }

    fn source<'s>(&'s self, operation: &'s Operation<'s>) -> Source<'s> {
        Source {
            document: self.document,
            schemas: self.schemas,
            run: self.run,
            examples: &self.examples,
            operation,
        }
    }
}

/// The inputs for the cases of one operation.
#[derive(Clone, Copy)]
struct Source<'a> {
    document: &'a Document,
    schemas: &'a Schemas<'a>,
    run: RunId,
    examples: &'a RefCell<Examples>,
    operation: &'a Operation<'a>,
}

impl<'a> Source<'a> {
    /// The cases that are the same at each run.
    fn coverage(self, base: Rc<Base>, limit: usize) -> impl Iterator<Item = Case> + use<'a> {
        let whole = base.is_new.then(|| base.case.clone());
        let first = whole.into_iter().chain(self.protocol(&base));
        let parameters = self.parameters(&base).into_iter();
        let parts = turns(self.bodies(base), parameters);
        self.keyed(distinct(first.chain(parts), limit), Part::Coverage)
    }

    /// Returns the sender of the operation's requests: the API itself, where the operation is a webhook or a callback.
    fn sender(&self) -> Sender {
        let pointer = &self.operation.pointer;
        match pointer.starts_with("/webhooks/") || pointer.contains("/callbacks/") {
            true => Sender::Server,
            false => Sender::Client,
        }
    }

    /// Values that the schema accepts from the sender of the requests, the simple ones first.
    fn examples(&self, schema: &str) -> Rc<Vec<Value>> {
        let key = (schema.to_owned(), self.sender());
        if let Some(known) = self.examples.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut values = match self.document.at(schema) {
            Some(_) => {
                let flagged = self.schemas.is_flagged();
                example_values(self.document, schema, self.sender(), flagged)
            }
            None => Vec::new(),
        };
        values.retain(|value| self.accepts(schema, value));
        // A server knows the documented examples of members rather than any text.
        if let Some(first) = values.first() {
            let mut told = first.clone();
            self.tell(&[schema.to_owned()], &mut told, 0);
            if told != *first && self.accepts(schema, &told) {
                values.retain(|value| *value != told);
                values.insert(0, told);
            }
        }
        let values = Rc::new(values);
        let mut examples = self.examples.borrow_mut();
        examples.insert(key, Rc::clone(&values));
        values
    }

    /// Puts the examples that schemas document in the places of the values that have them.
    fn tell(&self, schemas: &[String], value: &mut Value, depth: usize) {
        const DEPTH: usize = 8;
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(schemas);
        let documented = all.iter().filter_map(|at| subschemas.object(at));
        let documented = documented.flat_map(|schema| {
            let several = schema.get("examples").and_then(Value::as_array);
            let single = schema.get("example").into_iter();
            several.into_iter().flatten().chain(single)
        });
        let fits = |example: &&Value| schemas.iter().all(|at| self.accepts(at, example));
        if let Some(example) = documented.into_iter().find(fits) {
            value.clone_from(example);
            return;
        }
        if depth == DEPTH {
            return;
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let below = subschemas.member(&all, name).schemas();
                    self.tell(&below, member, depth + 1);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.tell(&subschemas.item(&all, index), item, depth + 1);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Up to `count` different values that all of the schemas accept.
    fn different(&self, schemas: &[String], count: usize) -> Vec<Value> {
        let flagged = self.schemas.is_flagged();
        let mut values = different_values(self.document, schemas, self.sender(), flagged, count);
        values.retain(|value| schemas.iter().all(|at| self.accepts(at, value)));
        values
    }

    /// A value that all of the schemas accept.
    fn example(&self, schemas: &[String]) -> Option<Value> {
        let first = schemas.first()?;
        let fits = |value: &&Value| schemas[1..].iter().all(|at| self.accepts(at, value));
        self.examples(first).iter().find(fits).cloned()
    }

    /// Whether the schema accepts a value from the sender of the requests.
    fn accepts(&self, schema: &str, value: &Value) -> bool {
        let accepted = self.schemas.accepts(schema, value, Some(self.sender()));
        accepted.unwrap_or(false)
    }
}

/// A case that is `base` with something changed.
fn derived(base: &Base, name: &str, intent: Intent) -> Case {
    Case {
        sample: format!("{GENERATED}{name}"),
        at: base.case.pointer.clone(),
        intent,
        ..base.case.clone()
    }
}

/// The cases of both by turns, so that a limit leaves some of each.
fn turns(
    mut one: impl Iterator<Item = Case>,
    mut other: impl Iterator<Item = Case>,
) -> impl Iterator<Item = Case> {
    std::iter::from_fn(move || {
        let pair = [one.next(), other.next()];
        pair.iter().any(Option::is_some).then_some(pair)
    })
    .flat_map(|pair| pair.into_iter().flatten())
}

/// The first `limit` cases that differ in what is sent. Names are told apart by numbers.
fn distinct(all: impl Iterator<Item = Case>, limit: usize) -> impl Iterator<Item = Case> {
    let mut sent = HashSet::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    let named = all.filter_map(move |mut case| {
        let mut hash = DefaultHasher::new();
        for value in &case.path {
            value.literal.hash(&mut hash);
        }
        (&case.method, &case.query, &case.headers).hash(&mut hash);
        (&case.overrides, &case.changes, case.anonymous).hash(&mut hash);
        if let Some(body) = &case.body {
            (&body.content_type, &body.bytes).hash(&mut hash);
        }
        if !sent.insert(hash.finish()) {
            return None;
        }
        let count = names.entry(case.sample.clone()).or_default();
        *count += 1;
        if *count > 1 {
            case.sample = format!("{} ({count})", case.sample);
        }
        Some(case)
    });
    named.take(limit)
}

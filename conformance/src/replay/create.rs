//! Ids for path parameters: the run creates what a path names, by links or by the POST of the parent collection.

use serde_json::Value;

use super::creator::Source;
use super::keep::{bare_case, step_failure};
use super::refusals::Refusal;
use super::unit::Unit;
use crate::case::form::Encodings;
use crate::case::serialize::{self, encode};
use crate::case::{Case, Intent, PathValue, key};
use crate::exchange::Exchange;
use crate::finding::{StepFailure, Users};
use crate::flows::renewed_body;
use crate::generate::Generator;
use crate::samples::template_names;
use crate::session::identity::{evaluate, id_in, id_in_list};
use crate::session::template::{expand, prefix, same_shape};
use crate::session::{PathValues, is_safe};

/// The result for one path parameter.
enum Made {
    Value(String),
    /// The API has nothing to create it with.
    Impossible,
    /// It should have worked; the reason is kept as a refusal.
    Refused,
}

/// How often other values are tried where a server has something like what is to be created.
const RENEWALS: u64 = 2;

fn is_conflict(exchange: &Exchange) -> bool {
    let response = exchange.response.as_ref();
    response.is_some_and(|response| response.status == 409)
}

/// Whether a documented answer is a list with items, or has one.
fn has_items(answer: &Value) -> bool {
    match answer {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members
            .values()
            .any(|member| member.as_array().is_some_and(|items| !items.is_empty())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

impl Unit<'_> {
    /// The path values of a case, creating what is needed. The error is the parameter that has no value; none when that is told by a
    /// refusal already.
    pub(super) async fn path(
        &mut self,
        operation: usize,
        case: &Case,
    ) -> Result<PathValues, Option<String>> {
        let mut values = PathValues::new();
        // What things are created below: a value that a case puts in the place of an id may be that of nothing.
        let mut above = PathValues::new();
        let names = template_names(&case.template);
        let last = names.len().saturating_sub(1);
        for (place, name) in names.into_iter().enumerate() {
            let parameter = case.path.iter().find(|parameter| parameter.name == name);
            let create = parameter.is_none_or(|parameter| parameter.create);
            let literal = parameter.and_then(|PathValue { literal, .. }| literal.clone());
            let made = match create || place < last {
                true => self.make(operation, &name, &above, case).await,
                false => Made::Impossible,
            };
            let (value, owner) = match (made, literal) {
                (Made::Refused, _) => return Err(None),
                (Made::Value(value), Some(literal)) if !create => (literal, value),
                (Made::Value(value), _) => (value.clone(), value),
                (Made::Impossible, Some(literal)) => (literal.clone(), literal),
                (Made::Impossible, None) => return Err(Some(name)),
            };
            above.push((name.clone(), owner));
            values.push((name, value));
        }
        Ok(values)
    }

    /// Puts something into a collection before a list of it is read that the document shows with items: an empty list says nothing
    /// about its items. Not more than tried: whether creating works is judged where it is documented.
    pub(super) async fn stock(&mut self, operation: usize, case: &Case, path: &PathValues) {
        let session = self.session;
        let collection = session.operations[operation].path;
        let shows_items = case
            .answer
            .as_ref()
            .is_some_and(|answer| has_items(&answer.value));
        if case.method != "GET" || !case.succeeds() || !shows_items {
            return;
        }
        let within = format!("{collection}/");
        if self
            .existing()
            .any(|kept| kept.template.starts_with(&within))
        {
            return;
        }
        let creator = session
            .operations
            .iter()
            .position(|one| one.method == "POST" && one.path == collection);
        let sample = creator.and_then(|creator| {
            let cases = &session.plans[creator].cases;
            Some((
                creator,
                cases
                    .iter()
                    .find(|case| case.succeeds() && !case.anonymous)?,
            ))
        });
        let Some((creator, sample)) = sample else {
            return;
        };
        let sample = self.keyed(creator, key::Part::SetUp, sample);
        if let Ok(exchange) = session
            .send(Some(creator), session.request(&sample, path))
            .await
        {
            session.tell_exchange(creator, "set-up", &exchange, &[]);
            self.keep_track(creator, path, &exchange, Intent::Valid);
        }
    }

    /// Creates what the parameter `name` of an operation names; `before` are the values of the parameters to its left.
    async fn make(
        &mut self,
        operation: usize,
        name: &str,
        before: &PathValues,
        case: &Case,
    ) -> Made {
        let session = self.session;
        let template = session.operations[operation].path;
        let item = prefix(template, name, true);
        // One thing serves all cases that leave it as it is.
        let lasting = !matches!(case.intent, Intent::Valid | Intent::Open) || is_safe(&case.method);
        let key = expand(&item, before);
        let known = self.reusable.as_ref().filter(|_| lasting);
        if let Some(value) = known.and_then(|known| known.get(&key)) {
            return value.clone().map_or(Made::Impossible, Made::Value);
        }
        let mut made = self.made(operation, name, &item, before, case).await;
        // Things that the run did not create are only read.
        if matches!(made, Made::Impossible)
            && case.intent != Intent::Sample
            && is_safe(&session.operations[operation].method)
        {
            let listed = self.listed(name, &item, before).await;
            made = listed.map_or(Made::Impossible, Made::Value);
        }
        if let Some(known) = self.reusable.as_mut().filter(|_| lasting) {
            match &made {
                Made::Value(value) => known.insert(key, Some(value.clone())),
                Made::Impossible => known.insert(key, None),
                Made::Refused => None,
            };
        }
        made
    }

    /// The id of a thing that the server has, from the list of the collection.
    async fn listed(&mut self, name: &str, item: &str, before: &PathValues) -> Option<String> {
        let session = self.session;
        let collection = prefix(item, name, false);
        let lists = |one: &crate::document::Operation<'_>| {
            one.method == "GET" && same_shape(one.path, &collection)
        };
        let list = session.operations.iter().position(lists)?;
        let samples = session.plans[list].cases.iter();
        let mut samples = samples.filter(|case| case.succeeds() && !case.anonymous);
        let sample = samples.next().cloned().or_else(|| self.base(list));
        let case = sample.unwrap_or_else(|| bare_case(&session.operations[list]));
        let request = session.request(&case, before);
        let exchange = session.send(Some(list), request).await.ok()?;
        session.tell_exchange(list, "set-up", &exchange, &[]);
        id_in_list(&exchange, name).map(|id| encode(&id))
    }

    async fn made(
        &mut self,
        operation: usize,
        name: &str,
        item: &str,
        before: &PathValues,
        case: &Case,
    ) -> Made {
        let session = self.session;
        let Some((creator, source)) = self.creator(operation, name, before) else {
            return Made::Impossible;
        };
        let samples = session.plans[creator].cases.iter();
        let mut samples = samples.filter(|case| case.succeeds() && !case.anonymous);
        // Without a sample a generated request creates, where requests are generated.
        let sample = match samples.next() {
            Some(sample) => sample.clone(),
            None if session.options.generate.is_none() => return Made::Impossible,
            None => match self.base(creator) {
                Some(base) => base,
                None => return Made::Impossible,
            },
        };
        let names = template_names(session.operations[creator].path);
        let path: PathValues = match names.len() > before.len() {
            // A resource that is created below another one may have a path of its own.
            true => match Box::pin(self.path(creator, &sample)).await {
                Ok(path) => path,
                Err(None) => return Made::Refused,
                Err(Some(_)) => return Made::Impossible,
            },
            false => names
                .into_iter()
                .zip(before.iter().map(|(_, value)| value.clone()))
                .collect(),
        };
        // Generated requests of an operation count as one user.
        let user = match case.intent {
            Intent::Sample => format!("{}, {}", case.operation, case.title()),
            _ => format!("{}, generated requests", case.operation),
        };
        let of_creator = |known: &&mut Refusal| known.operation == creator;
        if let Some(known) = self.refusals.iter_mut().find(of_creator) {
            known.add(user);
            return Made::Refused;
        }
        let before = self.refused_before.iter();
        if let Some(known) = before.clone().find(|known| known.operation == creator) {
            let mut own = known.clone();
            own.used_by = Users::default();
            own.add(user);
            self.refusals.push(own);
            return Made::Refused;
        }
        let mut sample = self.keyed(creator, key::Part::SetUp, &sample);
        let mut renewals = 0;
        let sent = loop {
            let request = session.request(&sample, &path);
            let sent = session.send(Some(creator), request).await;
            let Ok(exchange) = &sent else { break sent };
            session.tell_exchange(creator, "set-up", exchange, &[]);
            let is_conflict = is_conflict(exchange);
            if !is_conflict || renewals == RENEWALS || self.alike(item).is_some() {
                break sent;
            }
            renewals += 1;
            let Some(other) = self.renewed(operation, creator, &sample, renewals) else {
                break sent;
            };
            sample = self.keyed(creator, key::Part::SetUp, &other);
        };
        let (exchange, reason) = match sent {
            Err(reason) => (None, StepFailure::Unwritable { reason }),
            Ok(exchange) => match step_failure(&exchange) {
                Some(reason) => {
                    // A server that refuses a second one like it has the first one still.
                    let like = self.alike(item).filter(|_| is_conflict(&exchange));
                    if let Some(value) = like {
                        return Made::Value(value);
                    }
                    (Some(exchange), reason)
                }
                None => {
                    self.keep_track(creator, &path, &exchange, Intent::Valid);
                    let found = match source {
                        Source::Link(expression) => evaluate(&expression, &exchange, &path),
                        Source::Member => id_in(&exchange, name),
                    };
                    if let Some(value) = found {
                        return Made::Value(encode(&value));
                    }
                    let name = name.to_owned();
                    (Some(exchange), StepFailure::NoId { name })
                }
            },
        };
        let mut refusal = Refusal {
            operation: creator,
            sample,
            path,
            reason,
            exchange,
            used_by: Users::default(),
        };
        refusal.add(user);
        self.refusals.push(refusal);
        Made::Refused
    }

    /// The id of the newest thing of a path that there is.
    fn alike(&self, item: &str) -> Option<String> {
        let mut existing = self.existing().rev();
        let kept = existing.find(|kept| same_shape(&kept.template, item))?;
        kept.values.last().map(|(_, value)| value.clone())
    }

    /// The request of a creation with other values, for a server that takes some of them once only. `number` counts the tries of one
    /// creation for `operation`: the last one has values that no other run has.
    fn renewed(
        &self,
        operation: usize,
        creator: usize,
        sample: &Case,
        number: u64,
    ) -> Option<Case> {
        let session = self.session;
        let body = sample.body.as_ref()?;
        let count = match number {
            RENEWALS => session.options.run_id().number() % 900_000 + 1000 + self.keys,
            _ => u64::try_from(operation).unwrap_or_default() * 1000 + self.keys,
        };
        let value = renewed_body(session, creator, body.value.as_ref()?, count)?;
        let content_type = body.content_type.as_deref()?;
        let written = serialize::body(content_type, &value, &Encodings::default()).ok();
        let body = written.filter(|_| serialize::is_json(content_type))?;
        Some(Case {
            body: Some(body),
            ..sample.clone()
        })
    }

    /// A generated request of an operation that has no sample.
    pub(super) fn base(&mut self, operation: usize) -> Option<Case> {
        let session = self.session;
        let make = || {
            let (document, schemas) = (session.document, session.judge.schemas);
            let one = &session.operations[operation];
            let generator = Generator::new(document, schemas);
            let first = generator.stream(one, &[], 1).next();
            first.filter(|case| case.intent == Intent::Valid)
        };
        self.bases.entry(operation).or_insert_with(make).clone()
    }
}

//! Creating things, and what is above them.

use serde_json::Value;

use super::driver::{Answer, Call, Driver, Live, Stopped, User};
use super::list::same_origin;
use super::resource::{request_schema, response_schema};
use super::shape;
use crate::case::key::Part;
use crate::case::serialize::{decode, encode, text};
use crate::finding::{FlowFault, NotObserved};
use crate::rule::flows as rules;
use crate::samples::template_names;
use crate::session::identity::evaluate;

/// Something that was created.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    /// The values of the path parameters of the item, percent-encoded.
    pub(super) path: Vec<String>,
    /// The id as it stands in bodies.
    pub(super) id: String,
    /// Other values that may be the id.
    pub(super) others: Vec<String>,
    /// The body that was sent.
    pub(super) sent: Option<Value>,
    pub(super) answer: Answer,
}

impl Driver<'_> {
    /// The path values of the collection of a resource: ids of things above it, which are created, and documented values.
    pub(super) async fn above(&mut self, index: usize) -> Result<Option<Vec<String>>, Stopped> {
        let resource = &self.resources[index];
        let mut values = match resource.parent {
            None => Vec::new(),
            Some(parent) => {
                let Some(values) = self.instance(parent).await? else {
                    let parent = self.resources[parent].name.clone();
                    if let Some(operation) = resource.create.or(resource.list) {
                        let reason = NotObserved::NoParent { parent };
                        self.note(
                            rules::FLOW_NOT_OBSERVED,
                            operation,
                            FlowFault::Unobserved { reason },
                            None,
                        );
                    }
                    return Ok(None);
                };
                values
            }
        };
        for name in template_names(&resource.collection)
            .into_iter()
            .skip(values.len())
        {
            let mut literal = None;
            for operation in resource.operations() {
                let case = self.case(operation);
                literal = literal.or_else(|| {
                    case?
                        .path
                        .iter()
                        .find(|known| known.name == name)?
                        .literal
                        .clone()
                });
            }
            let Some(literal) = literal else {
                return Ok(None);
            };
            values.push(literal);
        }
        Ok(Some(values))
    }

    /// A thing for others to be below: created for that, or the first of the list.
    pub(super) async fn instance(&mut self, index: usize) -> Result<Option<Vec<String>>, Stopped> {
        if let Some(known) = self.instances.get(&index) {
            return Ok(known.clone());
        }
        let mut found = None;
        if let Some(above) = Box::pin(self.above(index)).await? {
            let resource = &self.resources[index];
            if resource.create.is_some() && !self.settings.safe {
                found = self.create(index, &above).await?.map(|thing| thing.path);
            }
            if found.is_none()
                && let Some(walk) = self
                    .walk((index, &above), (None, 1), User::First, None, &[])
                    .await?
            {
                let first = walk.items.first().filter(|(_, item)| item.is_object());
                found = first.map(|(id, _)| [above.clone(), vec![encode(id)]].concat());
            }
        }
        self.instances.insert(index, found.clone());
        Ok(found)
    }

    /// Creates a thing; notes why it could not.
    pub(super) async fn create(
        &mut self,
        index: usize,
        above: &[String],
    ) -> Result<Option<Thing>, Stopped> {
        let resource = &self.resources[index];
        let Some(create) = resource.create else {
            return Ok(None);
        };
        let Some(case) = self.case(create) else {
            let reason = NotObserved::NoRequest;
            self.note(
                rules::FLOW_NOT_OBSERVED,
                create,
                FlowFault::Unobserved { reason },
                None,
            );
            return Ok(None);
        };
        let schema = request_schema(self.session.document, self.operation(create));
        let base = case.body.as_ref().and_then(|body| body.value.clone());
        let count = self.creations;
        let mut bodies: Vec<Option<Value>> = match (&schema, &base) {
            (Some(schema), Some(base)) => {
                let bodies = self.bodies.creations(schema, base, count);
                let bodies = self.of_course(schema, bodies).into_iter();
                let renews = self.renewing.contains(&index);
                let renewed = |body: Value| match renews {
                    true => self.bodies.renewed(schema, &body, count),
                    false => body,
                };
                bodies.map(renewed).map(Some).collect()
            }
            _ => vec![None],
        };
        let skipped = self
            .refused
            .get(&index)
            .copied()
            .unwrap_or_default()
            .min(bodies.len() - 1);
        bodies.drain(..skipped);
        self.create_one_of(index, above, bodies, skipped).await
    }

    /// A body like one that was accepted, for another creation.
    pub(super) fn another(&self, index: usize, schema: &str, sent: &Value) -> Value {
        match self.renewing.contains(&index) {
            true => self.bodies.renewed(schema, sent, self.creations),
            false => self.bodies.varied(schema, sent, self.creations),
        }
    }

    /// Creates a thing with the members that are required, where others have a documented default.
    pub(super) async fn create_least(
        &mut self,
        index: usize,
        above: &[String],
    ) -> Result<Option<Thing>, Stopped> {
        let resource = &self.resources[index];
        let create = resource.create.filter(|_| !resource.creates_by_put());
        let case = create.and_then(|create| self.case(create));
        let base = case.and_then(|case| case.body?.value);
        let schema = create.and_then(|create| self.schemas_of(create).0);
        let (Some(base), Some(schema)) = (base, schema) else {
            return Ok(None);
        };
        let bodies = self.bodies.least(&schema, &base, self.creations);
        if bodies.is_empty() {
            return Ok(None);
        }
        self.create_another(index, above, bodies).await
    }

    /// Creates a thing with the first of the bodies that is accepted. That all are refused is not noted: they are not those that show that
    /// the server creates.
    pub(super) async fn create_another(
        &mut self,
        index: usize,
        above: &[String],
        bodies: Vec<Value>,
    ) -> Result<Option<Thing>, Stopped> {
        let bodies = bodies.into_iter().map(Some).collect();
        let (refused, findings) = (self.refused.get(&index).copied(), self.findings.len());
        let made = self.create_one_of(index, above, bodies, 0).await?;
        self.forget_refusals(findings);
        self.refused.extend(refused.map(|refused| (index, refused)));
        Ok(made)
    }

    /// Forgets what was not observed since there were so many findings.
    pub(super) fn forget_refusals(&mut self, findings: usize) {
        let mut index = 0;
        self.findings.retain(|finding| {
            index += 1;
            index <= findings || finding.rule != rules::FLOW_NOT_OBSERVED
        });
    }

    /// Creates a thing with the first of the bodies that is accepted; `skipped` were refused before.
    async fn create_one_of(
        &mut self,
        index: usize,
        above: &[String],
        bodies: Vec<Option<Value>>,
        skipped: usize,
    ) -> Result<Option<Thing>, Stopped> {
        let resource = &self.resources[index];
        let Some(create) = resource.create else {
            return Ok(None);
        };
        let count = self.creations;
        self.creations += 1;
        let schema = self.schemas_of(create).0;
        let base = bodies.last().cloned().flatten();
        let mut path = above.to_vec();
        if resource.creates_by_put() {
            // The same in each run, so that findings are, too.
            path.push(self.chosen(create, &resource.parameter, count, self.settings.seed));
        }
        let mut last: Option<Answer> = None;
        let mut fresh = false;
        let mut open: std::collections::VecDeque<Option<Value>> = bodies.into();
        let mut refused = skipped;
        while let Some(body) = open.pop_front() {
            let mut call = Call::new(create, &path);
            call.body.clone_from(&body);
            call.headers.extend(self.fresh_key(create, true));
            let answer = self.send(call).await?;
            if answer.is_ok() {
                self.refused.insert(index, refused);
                return Ok(self.thing(index, &path, body, answer));
            }
            // It may be the second one like it: on this server, or of this run.
            if answer.status == 409 && !fresh && (!resource.creates_by_put() || open.is_empty()) {
                fresh = true;
                let nonce = self.session.options.run_id().number() % 900_000 + 1000;
                if resource.creates_by_put() {
                    path.pop();
                    path.push(self.chosen(create, &resource.parameter, count, nonce));
                }
                if let (Some(schema), Some(base)) = (&schema, &base) {
                    let renewed = |body: &Option<Value>, number: u64| {
                        let body = body.as_ref()?;
                        Some(self.bodies.renewed(schema, body, number))
                    };
                    // The same in each run first, so that findings are, too; none that another creation has.
                    let number = 500_000 + count + 1000 * u64::try_from(index).unwrap_or_default();
                    let all = std::iter::once(&body).chain(&open);
                    let mut again: std::collections::VecDeque<Option<Value>> =
                        all.map(|body| renewed(body, number)).collect();
                    again.push_back(renewed(&Some(base.clone()), nonce + count));
                    open = again;
                    self.renewing.insert(index);
                }
            } else {
                refused += 1;
            }
            last = Some(answer);
        }
        if let Some(answer) = last {
            self.unobserved(create, &answer);
        }
        Ok(None)
    }

    /// The id that a client chooses for a thing, percent-encoded. `number` tells one run from another.
    fn chosen(&mut self, create: usize, parameter: &str, count: u64, number: u64) -> String {
        let operation = self.operation(create);
        let case = self.case(create);
        let known = case
            .as_ref()
            .and_then(|case| case.path.iter().find(|known| known.name == parameter));
        let documented = known
            .and_then(|known| known.documented.clone())
            .unwrap_or_else(|| Value::from("conformance"));
        let parameters = operation.parameters(self.session.document);
        let own = parameters
            .iter()
            .find(|one| one.value.get("name").and_then(Value::as_str) == Some(parameter));
        let schema = own.map(|one| crate::document::pointer::join(&one.pointer, "schema"));
        let schema = schema.filter(|at| self.session.document.at(at).is_some());
        let simple = Value::from(format!("conformance-{number}-{count}"));
        let mut values = vec![simple];
        if let Some(schema) = &schema {
            values.extend(self.bodies.others(
                std::slice::from_ref(schema),
                &documented,
                parameter,
                count + number % 1000,
            ));
        }
        values.push(documented);
        let valid = |value: &&Value| {
            schema
                .as_ref()
                .is_none_or(|schema| self.bodies.is_valid(schema, value))
        };
        encode(&values.iter().find(valid).map(text).unwrap_or_default())
    }

    /// A new idempotency key, where the operation needs one; `required` leaves it out where it is optional.
    pub(super) fn fresh_key(
        &mut self,
        operation: usize,
        required: bool,
    ) -> Option<(String, String)> {
        let key = self.session.key(operation, Part::Flow, self.keys)?;
        self.keys += 1;
        (!required || key.required).then_some((key.name, key.value))
    }

    /// Reads what was created from the answer, and remembers to delete it.
    pub(super) fn thing(
        &mut self,
        index: usize,
        path: &[String],
        sent: Option<Value>,
        answer: Answer,
    ) -> Option<Thing> {
        let resource = &self.resources[index];
        let create = resource.create?;
        if resource.creates_by_put() {
            let id = path.last().map(|id| decode(id)).unwrap_or_default();
            self.live.push(Live {
                resource: index,
                path: path.to_vec(),
            });
            return Some(Thing {
                path: path.to_vec(),
                id,
                others: Vec::new(),
                sent,
                answer,
            });
        }
        let mut ids: Vec<String> = Vec::new();
        let names = template_names(self.operation(create).path);
        let known = names.into_iter().zip(path.iter().cloned()).collect();
        let linked = resource
            .link
            .as_ref()
            .and_then(|link| evaluate(&Value::from(link.as_str()), &answer.exchange, &known));
        ids.extend(linked);
        let of = |body: &Value| -> Vec<String> {
            let found = shape::ids(body, &resource.parameter, &resource.singular());
            found
                .iter()
                .filter_map(|at| body.pointer(at).filter(|id| !id.is_null()))
                .map(text)
                .collect()
        };
        ids.extend(answer.body.iter().flat_map(&of));
        let located = answer
            .header("location")
            .into_iter()
            .next()
            .and_then(|location| {
                let location = location
                    .split(['?', '#'])
                    .next()?
                    .trim_end_matches('/')
                    .to_owned();
                Some(decode(location.rsplit('/').next()?)).filter(|id| !id.is_empty())
            });
        // Judged by itself: it may lead to something else.
        if ids.is_empty() {
            ids.extend(located);
        }
        ids.extend(sent.iter().flat_map(&of));
        let mut distinct: Vec<String> = Vec::new();
        for id in ids {
            if !distinct.contains(&id) && !id.is_empty() {
                distinct.push(id);
            }
        }
        if distinct.is_empty() {
            let parameter = match resource.parameter.is_empty() {
                true => "id".to_owned(),
                false => resource.parameter.clone(),
            };
            let reason = NotObserved::NoId { parameter };
            self.note(
                rules::FLOW_NOT_OBSERVED,
                create,
                FlowFault::Unobserved { reason },
                Some(&answer),
            );
            return None;
        }
        let id = distinct.remove(0);
        let path = [path.to_vec(), vec![encode(&id)]].concat();
        self.live.push(Live {
            resource: index,
            path: path.clone(),
        });
        Some(Thing {
            path,
            id,
            others: distinct,
            sent,
            answer,
        })
    }

    /// Takes another value for the id of a thing.
    pub(super) fn rename(&mut self, thing: &mut Thing, id: String) {
        let mut path = thing.path.clone();
        if let Some(last) = path.last_mut() {
            *last = encode(&id);
        }
        for live in &mut self.live {
            if live.path == thing.path {
                live.path.clone_from(&path);
            }
        }
        thing.others.retain(|other| *other != id);
        thing.others.push(std::mem::replace(&mut thing.id, id));
        thing.path = path;
    }

    /// Follows the `Location` of a creation.
    pub(super) async fn location(&mut self, index: usize, thing: &Thing) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let (Some(create), Some(read), status @ (201 | 202)) =
            (resource.create, resource.read, thing.answer.status)
        else {
            return Ok(());
        };
        // That of work that is not done yet may name what tells how far it is.
        let is_done = status == 201;
        let Some(location) = thing.answer.header("location").into_iter().next() else {
            return Ok(());
        };
        // On another host it may be what the world calls the server that is tested here by another name.
        let Some(target) = same_origin(&thing.answer.exchange.request.url, &location) else {
            return Ok(());
        };
        let mut call = Call::new(read, &thing.path);
        call.url = Some(target);
        let answer = self.send(call).await?;
        let ids: Vec<String> = answer
            .body
            .iter()
            .flat_map(|body| {
                let found = shape::ids(body, &resource.parameter, &resource.singular());
                found
                    .into_iter()
                    .filter_map(|at| body.pointer(&at).filter(|id| !id.is_null()).map(text))
                    .collect::<Vec<_>>()
            })
            .collect();
        let is_known = |id: &String| *id == thing.id || thing.others.contains(id);
        let fault = if !is_done && !answer.is_gone() {
            None
        } else if !answer.is_ok() {
            // Reading as such is judged where it is read by its id.
            let readable = self.send(Call::new(read, &thing.path)).await?.is_ok();
            readable.then_some(FlowFault::Location {
                status: Some(answer.status),
            })
        } else if !ids.is_empty() && !ids.iter().any(is_known) {
            Some(FlowFault::Location { status: None })
        } else {
            None
        };
        if let Some(fault) = fault {
            self.note(rules::LOCATION_RESOLVES, create, fault, Some(&answer));
        }
        Ok(())
    }

    /// The schema of what an operation answers, and that of what it takes.
    pub(super) fn schemas_of(&self, operation: usize) -> (Option<String>, Option<String>) {
        let (document, operation) = (self.session.document, self.operation(operation));
        (
            request_schema(document, operation),
            response_schema(document, operation),
        )
    }
}

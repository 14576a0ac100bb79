//! Each sample against its own schema: a sample that breaks it is a fault of the document.

use std::collections::HashSet;

use serde_json::Value;

use super::collect::{self, Sample};
use super::recipe;
use crate::case::serialize::is_json;
use crate::document::keyword::{Holds, holds};
use crate::document::{Document, Located, Operation, pointer};
use crate::finding::{Finding, Place, ReplayFault, Sender, Severity, Undecided};
use crate::rule::replay as rules;
use crate::schema::{Fault, Schemas};

/// Callbacks inside callbacks inside ...: deeper ones are left out.
const CALLBACK_DEPTH: usize = 4;

/// Findings of the samples of the wanted operations, in document order.
pub(super) fn check(
    document: &Document,
    schemas: &Schemas<'_>,
    wanted: &dyn Fn(&Operation<'_>) -> bool,
) -> Vec<Finding> {
    let mut keeper = Keeper {
        document,
        schemas,
        seen: HashSet::new(),
        findings: Vec::new(),
    };
    let mut all = true;
    for (operations, sender) in [
        (document.operations(), Sender::Client),
        (document.webhooks(), Sender::Server),
    ] {
        for operation in operations {
            if wanted(&operation) {
                keeper.operation(&operation, sender, 0);
            } else {
                all = false;
            }
        }
    }
    if all {
        keeper.tree("", document.value());
    }
    keeper.findings
}

/// How a value stands in its schema.
enum Spelling {
    /// As a JSON value.
    Json,
    /// As the text of a body, or as a JSON value.
    Body,
    /// As the text of a parameter or header, or as a JSON value.
    Text { explode: bool },
}

struct Keeper<'d> {
    document: &'d Document,
    schemas: &'d Schemas<'d>,
    /// Samples in shared components are reached by many operations and checked once.
    seen: HashSet<(String, String)>,
    findings: Vec<Finding>,
}

impl Keeper<'_> {
    /// `sender` sends the requests.
    fn operation(&mut self, operation: &Operation<'_>, sender: Sender, depth: usize) {
        let receiver = match sender {
            Sender::Client => Sender::Server,
            Sender::Server => Sender::Client,
        };
        let (requests, answers) = (Some(sender), Some(receiver));
        let subject = operation.subject();
        let responses = operation.responses(self.document);
        let refused = self.refused(&responses);
        for parameter in operation.parameters(self.document) {
            let what = parameter
                .value
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let what = format!("{subject}, parameter `{what}`");
            self.parameter(&what, &parameter, &refused, requests);
        }
        if let Some(body) = operation.request_body(self.document) {
            self.content(&format!("{subject}, request"), &body, &refused, requests);
        }
        for (status, response) in &responses {
            self.content(
                &format!("{subject}, answer {status}"),
                response,
                &[],
                answers,
            );
            for (name, header) in members(self.document, response, "headers") {
                self.parameter(
                    &format!("{subject}, answer {status}, header `{name}`"),
                    &header,
                    &[],
                    answers,
                );
            }
        }
        if depth < CALLBACK_DEPTH {
            let owner = Located {
                pointer: operation.pointer.clone(),
                value: operation.value,
            };
            for (_, callback) in members(self.document, &owner, "callbacks") {
                for inner in self.document.operations_below(&callback.pointer) {
                    self.operation(&inner, receiver, depth + 1);
                }
            }
        }
    }

    /// Names of answers that refuse: the request sample of that name may break its schema, that is its point.
    fn refused(&self, responses: &[(String, Located<'_>)]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for refuses in [true, false] {
            for (_, response) in responses
                .iter()
                .filter(|(status, _)| status.starts_with('4') == refuses)
            {
                let samples = collect::of_content(self.document, response).into_iter();
                // A sample that `x-replay` derives has a request of its own.
                let paired = samples
                    .filter(|sample| recipe::of(self.document, sample).is_none())
                    .filter_map(|sample| sample.name);
                if refuses {
                    names.extend(paired);
                } else {
                    // The same name under a success is the pair.
                    let kept: Vec<String> = paired.collect();
                    names.retain(|name| !kept.contains(name));
                }
            }
        }
        names
    }

    fn content(
        &mut self,
        subject: &str,
        owner: &Located<'_>,
        exempt: &[String],
        sender: Option<Sender>,
    ) {
        for (media_type, media) in collect::media_types(self.document, owner) {
            let schema = pointer::join(&media.pointer, "schema");
            for sample in collect::examples(self.document, &media) {
                // Text of a media type that JSON cannot show, such as XML, has no JSON value to check.
                let opaque =
                    !is_json(&media_type) && sample.value.as_ref().is_some_and(Value::is_string);
                let textual = media_type.starts_with("text/");
                if (!opaque || textual) && !exempted(&sample, exempt) {
                    let spelling = match textual {
                        true => Spelling::Body,
                        false => Spelling::Json,
                    };
                    self.sample(subject, &sample, &schema, &spelling, sender);
                }
            }
        }
    }

    fn parameter(
        &mut self,
        subject: &str,
        parameter: &Located<'_>,
        exempt: &[String],
        sender: Option<Sender>,
    ) {
        let explode = parameter
            .value
            .get("explode")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let schema = pointer::join(&parameter.pointer, "schema");
        for sample in collect::examples(self.document, parameter) {
            if !exempted(&sample, exempt) {
                self.sample(
                    subject,
                    &sample,
                    &schema,
                    &Spelling::Text { explode },
                    sender,
                );
            }
        }
        self.content(subject, parameter, exempt, sender);
    }

    /// The examples that schemas give of themselves, anywhere in the document.
    fn tree(&mut self, at: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    let below = pointer::join(at, key);
                    match (key.as_str(), value) {
                        ("example" | "examples", _) => {}
                        ("schema", _) => self.schema(&below, value),
                        ("schemas", Value::Object(schemas)) if at == "/components" => {
                            for (name, schema) in schemas {
                                self.schema(&pointer::join(&below, name), schema);
                            }
                        }
                        (key, _) if key.starts_with("x-") => {}
                        _ => self.tree(&below, value),
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.tree(&pointer::index(at, index), item);
                }
            }
            _ => {}
        }
    }

    fn schema(&mut self, at: &str, schema: &Value) {
        let Value::Object(members) = schema else {
            return;
        };
        let subject = format!("schema {at}");
        let sender = None;
        if let Some(value) = members.get("example") {
            self.value(
                &subject,
                value,
                &pointer::join(at, "example"),
                at,
                &Spelling::Json,
                sender,
                Severity::Breaking,
            );
        }
        if let Some(Value::Array(values)) = members.get("examples") {
            let below = pointer::join(at, "examples");
            for (index, value) in values.iter().enumerate() {
                let place = pointer::index(&below, index);
                self.value(
                    &subject,
                    value,
                    &place,
                    at,
                    &Spelling::Json,
                    sender,
                    Severity::Breaking,
                );
            }
        }
        if let Some(value) = members.get("default") {
            // Generators write `default: null` for "no default"; nobody sends it.
            self.value(
                &subject,
                value,
                &pointer::join(at, "default"),
                at,
                &Spelling::Json,
                sender,
                Severity::Warning,
            );
        }
        for (keyword, value) in members {
            let below = pointer::join(at, keyword);
            match (holds(keyword), value) {
                (Holds::Map, Value::Object(inner)) => {
                    for (name, schema) in inner {
                        self.schema(&pointer::join(&below, name), schema);
                    }
                }
                (Holds::List, Value::Array(inner)) => {
                    for (index, schema) in inner.iter().enumerate() {
                        self.schema(&pointer::index(&below, index), schema);
                    }
                }
                (Holds::Schema, _) => self.schema(&below, value),
                _ => {}
            }
        }
    }

    fn sample(
        &mut self,
        subject: &str,
        sample: &Sample,
        schema: &str,
        spelling: &Spelling,
        sender: Option<Sender>,
    ) {
        let subject = match &sample.name {
            Some(name) => format!("{subject}, sample `{name}`"),
            None => format!("{subject}, example"),
        };
        if let Some(value) = &sample.value {
            self.value(
                &subject,
                value,
                &sample.pointer,
                schema,
                spelling,
                sender,
                Severity::Breaking,
            );
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one value, its place, its schema and how to judge it"
    )]
    fn value(
        &mut self,
        subject: &str,
        value: &Value,
        at: &str,
        schema: &str,
        spelling: &Spelling,
        sender: Option<Sender>,
        severity: Severity,
    ) {
        if self.document.at(schema).is_none()
            || !self.seen.insert((at.to_owned(), schema.to_owned()))
        {
            return;
        }
        let faults = match spelling {
            Spelling::Json => self.schemas.faults(schema, value, sender),
            Spelling::Body => match value {
                Value::String(text) => {
                    let read = self.schemas.body_text(schema, text, sender);
                    read.map(|(_, faults)| faults)
                }
                value => self.schemas.faults(schema, value, sender),
            },
            Spelling::Text { explode } => self.spelled(schema, value, *explode, sender),
        };
        match faults {
            Ok(faults) => {
                for fault in faults {
                    self.report(subject, at, value, fault, severity);
                }
            }
            Err(reason) => self.unusable(schema, reason),
        }
    }

    /// A value may be given as the text that goes over the wire.
    fn spelled(
        &self,
        schema: &str,
        value: &Value,
        explode: bool,
        sender: Option<Sender>,
    ) -> Result<Vec<Fault>, Undecided> {
        let faults = self.schemas.faults(schema, value, sender)?;
        // A number where a string is asked for is another one than was written: YAML reads `01234` as 1234.
        match value {
            Value::String(text) if !faults.is_empty() => {
                self.schemas.text_faults(schema, text, explode, sender)
            }
            _ => Ok(faults),
        }
    }

    fn report(&mut self, subject: &str, at: &str, value: &Value, fault: Fault, severity: Severity) {
        let Fault { violation, .. } = fault;
        let place = Place::of(self.document, &format!("{at}{}", violation.at));
        let witness = value.pointer(&violation.at).cloned();
        let fault = ReplayFault::Sample { violation };
        self.findings.push(Finding {
            old: Some(place),
            witness,
            ..Finding::new(rules::SAMPLE_OWN_SCHEMA, severity, subject, fault)
        });
    }

    fn unusable(&mut self, schema: &str, reason: Undecided) {
        if !self.seen.insert((schema.to_owned(), "unusable".to_owned())) {
            return;
        }
        let subject = format!("schema {schema}");
        let fault = ReplayFault::UnusableSchema { reason };
        self.findings.push(Finding {
            old: Some(Place::of(self.document, schema)),
            ..Finding::new(rules::SCHEMA_UNUSABLE, Severity::Undecided, subject, fault)
        });
    }
}

fn exempted(sample: &Sample, exempt: &[String]) -> bool {
    sample
        .name
        .as_ref()
        .is_some_and(|name| exempt.contains(name))
}

/// The members of a map inside an object, references followed.
fn members<'a>(
    document: &'a Document,
    owner: &Located<'a>,
    map: &str,
) -> Vec<(String, Located<'a>)> {
    let below = pointer::join(&owner.pointer, map);
    let keys = owner.value.get(map).and_then(Value::as_object);
    let find = |key: &String| {
        let (pointer, value) = document.resolve(&pointer::join(&below, key))?;
        Some((key.clone(), Located { pointer, value }))
    };
    keys.into_iter()
        .flat_map(|keys| keys.keys())
        .filter_map(find)
        .collect()
}

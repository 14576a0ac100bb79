//! The events of a document: its webhooks and callbacks, each with what is said of its deliveries and with payloads to send. Pure.

use serde_json::Value;

use super::{Options, ReceiverError};
use crate::case::{Case, Intent};
use crate::document::{Document, Operation, pointer};
use crate::finding::{Place, Sender};
use crate::generate::Generator;
use crate::hooks::{self, Carrier, Description, Known, Location, Message, Secrets, Signing};
use crate::samples::{self, media_types};
use crate::schema::Schemas;

/// A payload to send, not yet signed.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// How findings name it.
    pub(super) name: String,
    pub(super) message: Message,
}

/// An operation that a handler serves.
pub(super) struct Event<'d> {
    pub(super) operation: Operation<'d>,
    /// How findings name it.
    pub(super) subject: String,
    pub(super) place: Place,
    pub(super) description: Description,
    /// The keys to sign with.
    pub(super) secrets: Secrets,
    document: &'d Document,
    schemas: &'d Schemas<'d>,
    /// The schema of the body, where there is one.
    schema: Option<String>,
    /// Payloads of the document; a generated one where it has none.
    pub(super) samples: Vec<Draft>,
    /// Payloads with other values that the document allows.
    pub(super) generated: Vec<Draft>,
}

/// The webhooks and callbacks of a document, in document order.
pub(super) fn operations(document: &Document) -> Vec<Operation<'_>> {
    let deliveries = hooks::deliveries(document).into_iter();
    let mut all: Vec<_> = deliveries.map(|(_, operation)| operation).collect();
    // A callback that several operations refer to is one.
    let mut seen = std::collections::HashSet::new();
    all.retain(|one| seen.insert(one.pointer.clone()));
    all
}

/// The selected events, with payloads for a target.
///
/// # Errors
/// When what the document says of deliveries cannot be read, or a secret is not a key.
pub(super) fn collect<'d>(
    document: &'d Document,
    schemas: &'d Schemas<'d>,
    options: &Options,
) -> Result<Vec<Event<'d>>, ReceiverError> {
    let generator = Generator::new(document, schemas);
    let selection = options.selection();
    let mut events = Vec::new();
    for operation in operations(document) {
        if !selection.selects(&operation) {
            continue;
        }
        let mut description = Description::of(document, &operation.pointer).map_err(|faults| {
            let first = faults.into_iter().next();
            ReceiverError::Description(first.map_or_else(String::new, |fault| {
                format!("{} at {}", fault.problem, fault.at)
            }))
        })?;
        let known = Known {
            given: &options.secrets,
            signs: true,
            ..Known::default()
        };
        let secrets = match &mut description.signing {
            Some(signing) => {
                let secrets = signing.secrets(&known).map_err(ReceiverError::Secret)?;
                let (used, secrets) = signing.in_use(&secrets);
                // Where nothing signs, that is what is said of the document.
                if !used.schemes.is_empty() {
                    *signing = used;
                }
                secrets
            }
            None => Secrets::default(),
        };
        let mut cases = samples::plan(document, &operation).cases;
        cases.retain(|case| case.body.is_some() && case.overrides.is_empty());
        let mut samples: Vec<Draft> = cases.iter().map(|case| draft(case, options)).collect();
        if samples.is_empty() {
            let made = generator.plain(&operation);
            samples.extend(made.iter().map(|case| draft(case, options)));
        }
        let mut generated = Vec::new();
        if options.recorded.is_empty() {
            let mut seen: Vec<Vec<u8>> =
                samples.iter().map(|one| one.message.body.clone()).collect();
            let cases = generator
                .cases(&operation, &cases, options.max_cases)
                .into_iter()
                .chain(generator.random(&operation, &cases, options.seed, options.random));
            for case in cases.filter(|case| is_payload(case, &operation)) {
                let draft = draft(&case, options);
                if !seen.contains(&draft.message.body) {
                    seen.push(draft.message.body.clone());
                    generated.push(draft);
                }
            }
        }
        let mut event = Event {
            subject: operation.subject(),
            place: Place::of(document, &operation.pointer),
            schema: None,
            operation,
            description,
            secrets,
            document,
            schemas,
            samples,
            generated,
        };
        event.schema = event.find_schema();
        events.push(event);
    }
    Ok(events)
}

/// Whether a case is a request that the document allows, and not one about headers.
fn is_payload(case: &Case, operation: &Operation<'_>) -> bool {
    case.intent == Intent::Valid
        && case.method == operation.method
        && case.body.is_some()
        && case.overrides.is_empty()
        && case.changes.is_empty()
}

fn draft(case: &Case, options: &Options) -> Draft {
    let mut message = Message {
        method: case.method.clone(),
        url: options.target.clone(),
        headers: case.headers.clone(),
        body: case
            .body
            .as_ref()
            .map(|body| body.bytes.clone())
            .unwrap_or_default(),
    };
    let content_type = case
        .body
        .as_ref()
        .and_then(|body| body.content_type.clone());
    if let Some(content_type) = content_type {
        message.set_header("content-type", content_type);
    }
    let known = case.sample.strip_prefix(crate::generate::GENERATED);
    Draft {
        name: match known {
            Some(known) => format!("a generated payload ({known})"),
            None => format!("the sample `{}`", case.sample),
        },
        message,
    }
}

impl<'d> Event<'d> {
    /// How deliveries are signed, where there is a key to sign with.
    pub(super) fn signing(&self) -> Option<&Signing> {
        let signing = self.description.signing.as_ref();
        signing.filter(|_| !self.secrets.is_empty())
    }

    /// Whether a response with this status says that the delivery was accepted.
    pub(super) fn accepts(&self, status: u16) -> bool {
        let success = &self.description.promise.success;
        success.iter().any(|range| range.contains(status))
    }

    fn find_schema(&self) -> Option<String> {
        let media_type = self.samples.first()?.message.media_type();
        let body = self.operation.request_body(self.document)?;
        let (_, media) = media_types(self.document, &body)
            .into_iter()
            .find(|(name, _)| name.split(';').next().unwrap_or_default().trim() == media_type)?;
        let schema = pointer::join(&media.pointer, "schema");
        self.document.at(&schema).is_some().then_some(schema)
    }

    /// Whether the document allows a body; it does where it has no schema for it.
    pub(super) fn allows_body(&self, body: &Value) -> bool {
        let accepted = self
            .schema
            .as_ref()
            .map(|schema| self.schemas.accepts(schema, body, Some(Sender::Server)));
        match accepted {
            Some(accepted) => accepted.unwrap_or(false),
            None => true,
        }
    }

    /// Whether an id may be where a message has it now.
    pub(super) fn allows(&self, message: &Message, location: &Location, id: &str) -> bool {
        match &location.carrier {
            Carrier::Member(_) => {
                // A sample that is wrong itself does not say which ids are right.
                let known = self.samples.first().and_then(|one| one.message.json());
                let judged = known.is_some_and(|known| self.allows_body(&known));
                !judged || message.json().is_some_and(|body| self.allows_body(&body))
            }
            Carrier::Header(name) => {
                let parameters = self.operation.parameters(self.document);
                let own = parameters.iter().find(|one| {
                    let named = one.value.get("name").and_then(Value::as_str);
                    named.is_some_and(|named| named.eq_ignore_ascii_case(name))
                });
                let schema = own.map(|own| pointer::join(&own.pointer, "schema"));
                let schema = schema.filter(|schema| self.document.at(schema).is_some());
                schema.is_none_or(|schema| {
                    let id = Value::from(id);
                    let accepted = self.schemas.accepts(&schema, &id, Some(Sender::Server));
                    accepted.unwrap_or(true)
                })
            }
            Carrier::Query(_) | Carrier::Claim(_) => true,
        }
    }

    /// JSON pointers of the members of the body that are part of the protocol: the id, the signature and its time.
    pub(super) fn protocol_members(&self) -> Vec<String> {
        let schemes = self.description.signing.iter().flat_map(|one| &one.schemes);
        let of_schemes = schemes.flat_map(|scheme| {
            let time = scheme
                .timestamp
                .as_ref()
                .and_then(|time| time.location.as_ref());
            let digest = scheme.digest.as_ref().map(|digest| &digest.location);
            let own = [
                Some(&scheme.signature.location),
                time,
                scheme.id.as_ref(),
                digest,
            ];
            own.into_iter().flatten()
        });
        let all = of_schemes.chain(self.description.promise.id.as_ref());
        all.filter_map(|location| match &location.carrier {
            Carrier::Member(pointer) => Some(pointer.clone()),
            _ => None,
        })
        .collect()
    }
}

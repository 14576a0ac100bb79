//! Registering webhooks and triggering events: what is sent to the server. [`mod@super::change`] changes and deletes webhooks.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use super::api::Api;
use super::event::Event;
use super::receiver::Receiver;
use super::reply::{Reply, Script};
use super::settings::Settings;
use super::trigger::{self, Trigger};
use crate::case::serialize::{self, encode};
use crate::case::{Case, Intent};
use crate::document::pointer;
use crate::exchange::{Client, Exchange, Request};
use crate::finding::{Failure, ReplayStep, Untested};
use crate::generate::{GENERATED, Generator};
use crate::hooks::{Certificates, KeySource, Promise, Secrets, Signing};
use crate::samples::template_names;
use crate::session::Session;
use crate::session::identity::id_in;

/// A registered webhook.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) slot: String,
    pub(super) id: Option<String>,
    /// The event types that it subscribed to.
    pub(super) events: Vec<String>,
    /// Its keys for each of the signings of the document.
    pub(super) secrets: Vec<Secrets>,
    /// The texts of its secrets.
    pub(super) texts: Vec<SecretText>,
    /// Whether the second user owns it.
    pub(super) foreign: bool,
    /// What it was registered with.
    pub(super) body: Value,
}

/// The text of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretText {
    pub(super) text: String,
    /// Whether it is what deliveries carry in place of a signature.
    pub(super) is_token: bool,
}

impl Hook {
    /// The keys that sign the deliveries of an event type.
    pub(super) fn secrets(&self, event: &Event<'_>) -> &Secrets {
        static NONE: Secrets = Secrets::NONE;
        self.secrets.get(event.signing).unwrap_or(&NONE)
    }
}

/// The user whose credentials a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    First,
    Second,
}

pub(super) struct Hooks<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) settings: &'a Settings,
    pub(super) receiver: &'a Receiver,
    pub(super) promise: &'a Promise,
    /// The ways in which the webhooks of the document are signed.
    pub(super) signings: &'a [Signing],
    pub(super) api: Option<&'a Api>,
    pub(super) trigger: &'a Trigger,
    pub(super) nonce: u64,
    /// The sets of JSON Web Keys by their URLs; an error says which one cannot be had.
    pub(super) fetched: Result<Vec<(String, String)>, String>,
    /// The certificates that deliveries name.
    pub(super) certificates: Certificates,
    /// Fetches them.
    pub(super) client: Client,
    /// The webhooks that are registered.
    pub(super) live: RefCell<Vec<(String, User)>>,
    pub(super) registered: Cell<u64>,
    pub(super) requests: Cell<usize>,
    /// Registrations that were sent and not answered yet.
    pub(super) registering: Cell<usize>,
    /// Nothing more is to be registered.
    pub(super) is_stopping: Cell<bool>,
}

/// Why a webhook could not be registered, with the exchange.
pub(super) type Refused = Box<(Untested, Option<Exchange>)>;

impl<'a> Hooks<'a> {
    pub(super) fn new(
        session: &'a Session<'a>,
        settings: &'a Settings,
        receiver: &'a Receiver,
        (promise, signings): (&'a Promise, &'a [Signing]),
        (api, trigger): (Option<&'a Api>, &'a Trigger),
        (fetched, client): (Result<Vec<(String, String)>, String>, Client),
        nonce: u64,
    ) -> Self {
        Self {
            session,
            settings,
            receiver,
            promise,
            signings,
            api,
            trigger,
            nonce,
            fetched,
            certificates: Certificates::default(),
            client,
            live: RefCell::default(),
            registered: Cell::new(0),
            requests: Cell::new(0),
            registering: Cell::new(0),
            is_stopping: Cell::new(false),
        }
    }

    /// The plain call of an operation: its first successful sample, or generated values.
    fn case(&self, index: usize) -> Case {
        let session = self.session;
        let operation = &session.operations[index];
        let mut samples = session.plans[index].cases.iter();
        let sample =
            samples.find(|case| case.succeeds() && !case.anonymous && case.overrides.is_empty());
        let generated = || Generator::new(session.document, session.judge.schemas).plain(operation);
        let bare = || Case::new(operation, String::new(), "2XX");
        let mut case = sample.cloned().or_else(generated).unwrap_or_else(bare);
        case.sample = format!("{GENERATED}for deliveries");
        case.intent = Intent::Valid;
        case.answer = None;
        case
    }

    /// Calls an operation. The last path parameter is `id`, where there is one.
    pub(super) async fn call(
        &self,
        index: usize,
        id: Option<&str>,
        body: Option<&Value>,
        user: User,
    ) -> Exchange {
        let mut case = self.case(index);
        match body {
            Some(body) => {
                let media = case
                    .body
                    .as_ref()
                    .and_then(|body| body.content_type.clone());
                let media = media.unwrap_or_else(|| "application/json".to_owned());
                let written = serialize::body(&media, body, &Default::default());
                case.body = written.ok().or(case.body);
            }
            None if matches!(case.method.as_str(), "DELETE" | "GET") => case.body = None,
            None => {}
        }
        let names = template_names(&case.template);
        let last = names.len().saturating_sub(1);
        let path: Vec<(String, String)> = names
            .into_iter()
            .enumerate()
            .map(|(place, name)| {
                let known = case.path.iter().find(|one| one.name == name);
                let sample = known
                    .and_then(|one| one.literal.clone())
                    .unwrap_or_default();
                let value = id.filter(|_| place == last).map_or(sample, encode);
                (name, value)
            })
            .collect();
        let mut request = self.session.request(&case, &path);
        if user == User::Second {
            let second = &self.settings.second.headers;
            let secrets = self.session.judge.secrets;
            request.headers.retain(|(name, _)| {
                !secrets.is_credential(name)
                    && !second
                        .iter()
                        .any(|(known, _)| known.eq_ignore_ascii_case(name))
            });
            request.headers.extend(second.iter().cloned());
        }
        self.send(Some(index), request).await
    }

    async fn send(&self, index: Option<usize>, request: Request) -> Exchange {
        self.requests.set(self.requests.get() + 1);
        let sent = request.clone();
        self.session
            .send(index, request)
            .await
            .unwrap_or_else(|reason| Exchange {
                request: sent,
                response: None,
                failure: Some(Failure::Broken {
                    cause: reason.to_string(),
                }),
                duration: std::time::Duration::ZERO,
            })
    }

    /// A path for a webhook that nobody had before.
    pub(super) fn slot(&self, script: Script) -> String {
        let number = self.registered.get();
        self.registered.set(number + 1);
        let slot = format!("hook-{:x}-{number}", self.nonce);
        let handshakes = &self.promise.handshake;
        self.receiver
            .slot(&slot, script, handshakes, self.signings.first());
        slot
    }

    /// Registers webhooks for these event types: one, or one for each type where the API has it so.
    pub(super) async fn register(
        &self,
        events: &[String],
        script: &Script,
        user: User,
    ) -> Result<Vec<Hook>, Refused> {
        let many = match self.api {
            Some(api) => api.events.as_ref().is_none_or(|events| events.many),
            // Where the trigger is told the URL, it tells the event type.
            None => matches!(self.trigger, Trigger::None),
        };
        let groups: Vec<Vec<String>> = if many {
            vec![events.to_vec()]
        } else {
            events.iter().map(|event| vec![event.clone()]).collect()
        };
        let mut hooks = Vec::new();
        for group in groups {
            hooks.push(self.register_one(group, script.clone(), user).await?);
        }
        Ok(hooks)
    }

    async fn register_one(
        &self,
        events: Vec<String>,
        script: Script,
        user: User,
    ) -> Result<Hook, Refused> {
        let slot = self.slot(script);
        let mut hook = Hook {
            slot: slot.clone(),
            id: None,
            events,
            secrets: Vec::new(),
            texts: Vec::new(),
            foreign: user == User::Second,
            body: Value::Null,
        };
        let Some(api) = self.api else {
            self.keys(&mut hook, None, None)?;
            if matches!(self.trigger, Trigger::None) {
                self.session.tell(ReplayStep::Waiting {
                    url: self.receiver.url(&slot),
                    seconds: self.settings.wait,
                });
            }
            return Ok(hook);
        };
        let mut body = self
            .case(api.register)
            .body
            .and_then(|body| body.value)
            .unwrap_or_else(|| json!({}));
        set(&mut body, &api.url, json!(self.receiver.url(&slot)));
        if let Some(place) = &api.events {
            let value = if place.many {
                json!(hook.events)
            } else {
                json!(hook.events[0])
            };
            set(&mut body, &place.at, value);
        }
        self.choose(&mut body);
        if let Some(Value::Object(own)) = &self.settings.how.register_body {
            for (name, value) in own {
                match (value, &mut body) {
                    (Value::Null, Value::Object(members)) => {
                        members.shift_remove(name);
                    }
                    _ => set(&mut body, &pointer::join("", name), value.clone()),
                }
            }
        }
        if self.is_stopping.get() {
            return std::future::pending().await;
        }
        self.registering.set(self.registering.get() + 1);
        let exchange = self.call(api.register, None, Some(&body), user).await;
        self.registering.set(self.registering.get() - 1);
        let status = exchange.response.as_ref().map(|response| response.status);
        if !status.is_some_and(|status| (200..300).contains(&status)) {
            let words = match &exchange.response {
                Some(response) => beginning(&response.body),
                None => "no response".to_owned(),
            };
            let what = Untested::Registration { status, words };
            return Err(Box::new((what, Some(exchange))));
        }
        let names = api
            .unregister
            .or(api.read)
            .map(|index| template_names(self.session.operations[index].path));
        let name = names
            .and_then(|names| names.last().cloned())
            .unwrap_or_else(|| "id".to_owned());
        hook.id = id_in(&exchange, &name);
        if let Some(id) = &hook.id {
            self.live.borrow_mut().push((id.clone(), user));
        }
        let mut response = json_of(&exchange);
        let lacks = |response: &Option<Value>| {
            let schemes = self.signings.iter().flat_map(|signing| &signing.schemes);
            schemes.into_iter().any(|scheme| match &scheme.key.from {
                KeySource::Response(at) => response
                    .as_ref()
                    .and_then(|value| value.pointer(at))
                    .is_none(),
                _ => false,
            })
        };
        // Some APIs show the secret only when the webhook is read.
        if lacks(&response)
            && let (Some(read), Some(id)) = (api.read, &hook.id)
        {
            let read = self.call(read, Some(id), None, user).await;
            response = json_of(&read).or(response);
        }
        self.keys(&mut hook, Some(&body), response.as_ref())?;
        hook.body = body;
        Ok(hook)
    }

    /// Asks the server for an event.
    ///
    /// # Errors
    /// Why it did not happen.
    pub(super) async fn fire(&self, event: &str, url: &str) -> Result<(), String> {
        let exchange = match self.trigger {
            Trigger::None => return Ok(()),
            Trigger::Command(command) => {
                self.requests.set(self.requests.get() + 1);
                return trigger::run(command, event, url).await;
            }
            Trigger::Request(template) => self.send(None, template.request(event, url)).await,
            Trigger::Operation(index) => {
                let place = super::api::events_of(
                    self.session.document,
                    &self.session.operations[*index],
                    event,
                );
                let mut body = self.case(*index).body.and_then(|body| body.value);
                if let Some(place) = place {
                    let value = if place.many {
                        json!([event])
                    } else {
                        json!(event)
                    };
                    set(body.get_or_insert_with(|| json!({})), &place.at, value);
                }
                self.call(*index, None, body.as_ref(), User::First).await
            }
        };
        match (&exchange.response, &exchange.failure) {
            (Some(response), _) if (200..300).contains(&response.status) => Ok(()),
            (Some(response), _) => Err(format!(
                "{} answered {}: {}",
                exchange.request.url,
                response.status,
                beginning(&response.body)
            )),
            (None, _) => Err(format!("{} did not answer", exchange.request.url)),
        }
    }

    /// A webhook that answers 204.
    pub(super) fn willing() -> Script {
        Script::always(Reply::status(204))
    }
}

pub(super) fn json_of(exchange: &Exchange) -> Option<Value> {
    serde_json::from_slice(&exchange.response.as_ref()?.body).ok()
}

/// How a body begins, in one line.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(800)]).into_owned();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(200)
        .collect()
}

/// Sets a member, with the objects above it.
pub(super) fn set(body: &mut Value, at: &str, new: Value) {
    let mut node = body;
    for token in pointer::tokens(at) {
        if !node.is_object() {
            *node = json!({});
        }
        node = &mut node[token];
    }
    *node = new;
}

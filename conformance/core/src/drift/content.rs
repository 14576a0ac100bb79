//! Comparing request bodies, media types and samples.

use serde_json::{Map, Value};

use super::equal::identity;
use super::pair::Pair;
use super::rules::{self, Rule};
use super::site::{Site, Text};
use super::walk::{Entry, Met, walk, walk_wider};
use super::{Drift, media, users};
use crate::document::{Document, pointer};
use crate::finding::{DocumentChange, Impact, Part, Sender, first_difference};

impl Drift<'_> {
    pub(super) fn request_body(&mut self, site: Site<'_>, operation: &Pair) {
        let at = operation.member("requestBody");
        let present = (
            self.ledger.old.at(&at.old).is_some(),
            self.ledger.new.at(&at.new).is_some(),
        );
        match present {
            (false, false) => return,
            (true, false) => {
                let impact = Impact::of_removal(site.sender);
                let change = DocumentChange::removed(Part::RequestBody);
                let rule = &rules::REQUEST_BODY_REMOVED;
                let effect = site.effect(impact);
                return self.ledger.affect(rule, effect, site.subject, &at, change);
            }
            (false, true) => {
                let required = self
                    .ledger
                    .new
                    .resolve(&at.new)
                    .is_some_and(|(_, body)| body.get("required") == Some(&Value::Bool(true)));
                let impact = if required || site.sender == Sender::Server {
                    Impact::Rejected
                } else {
                    Impact::Compatible
                };
                let change = DocumentChange::Added {
                    part: Part::RequestBody,
                    required,
                };
                let rule = &rules::REQUEST_BODY_ADDED;
                let effect = site.effect(impact);
                return self.ledger.affect(rule, effect, site.subject, &at, change);
            }
            (true, true) => {}
        }
        let Some(at) = self.ledger.resolve(site.subject, &at) else {
            return;
        };
        // A form of OpenAPI 2.0 is required where one of its members is, which is told of that one.
        let is_form = |document: &Document, at: &str| {
            let content = document.at(&pointer::join(at, "content"));
            let mut names = content.and_then(Value::as_object).into_iter().flatten();
            document.written_in() == "2.0"
                && names.any(|(name, _)| media::is_multipart(name) || media::is_urlencoded(name))
        };
        if !(is_form(self.ledger.old, &at.old) && is_form(self.ledger.new, &at.new)) {
            let rule = &rules::REQUEST_BODY_REQUIRED_CHANGED;
            self.required(site, rule, Part::RequestBody, &at);
        }
        self.content(site, &at.member("content"), Carrier::Request);
        self.ledger
            .rest(site.subject, &at, &["required", "content"]);
    }

    /// Compares the media types of a body.
    pub(super) fn content(&mut self, site: Site<'_>, at: &Pair, carrier: Carrier<'_>) {
        let (old, new) = self.ledger.objects(at);
        let (old, new) = (media_types(old), media_types(new));
        // The findings of a component are told once, whatever uses it.
        let is_own = users::holder(&at.old)
            .or_else(|| users::holder(&at.new))
            .is_none();
        if let Carrier::Response(status) = carrier {
            let names = |entries: &[Entry]| entries.iter().map(|one| one.name.clone()).collect();
            let status = is_own.then(|| status.to_owned());
            match (old.first(), new.first()) {
                (None, Some(first)) => {
                    let at = &at.member(&first.name);
                    let types = names(&new);
                    let change = DocumentChange::BodyAdded { status, types };
                    let effect = site.effect(Impact::of_addition(site.sender));
                    let rule = &rules::MEDIA_TYPE_ADDED;
                    return self.ledger.affect(rule, effect, site.subject, at, change);
                }
                (Some(first), None) => {
                    let at = &at.member(&first.name);
                    let types = names(&old);
                    let change = DocumentChange::BodyRemoved { status, types };
                    let effect = site.effect(Impact::of_removal(site.sender));
                    let rule = &rules::MEDIA_TYPE_REMOVED;
                    return self.ledger.affect(rule, effect, site.subject, at, change);
                }
                _ => {}
            }
        }
        for met in walk_wider(&old, &new, media::wider) {
            let (one, other) = match met {
                Met::Old(one) => (one, one),
                Met::New(other) => (other, other),
                Met::Both(one, other) | Met::OldWithin(one, other) | Met::NewWithin(one, other) => {
                    (one, other)
                }
            };
            let place = Pair {
                old: at.member(&one.name).old,
                new: at.member(&other.name).new,
            };
            let narrow = match met {
                Met::NewWithin(..) => other,
                _ => one,
            };
            if !matches!(met, Met::Old(_) | Met::New(_))
                && let Some(pair) = self.ledger.resolve(site.subject, &place)
            {
                self.media_type(site, &pair, &narrow.key);
            }
            let part = || Part::MediaType {
                name: narrow.name.clone(),
                of: is_own.then(|| site.part.to_owned()),
            };
            let (rule, impact, change) = match met {
                Met::Both(..) => continue,
                Met::Old(_) => {
                    let impact = match (site.sender, carrier) {
                        // A client may ask for an answer of this type; what the server sends of itself it only sends less of.
                        (Sender::Server, Carrier::Request) => Impact::Compatible,
                        (Sender::Server, Carrier::Response(_)) => Impact::Withdrawn,
                        (Sender::Client, _) => Impact::Rejected,
                    };
                    let change = DocumentChange::removed(part());
                    (&rules::MEDIA_TYPE_REMOVED, impact, change)
                }
                Met::OldWithin(_, wider) => {
                    let change = DocumentChange::NowWithin {
                        part: part(),
                        wider: wider.name.clone(),
                    };
                    (&rules::MEDIA_TYPE_REMOVED, Impact::Compatible, change)
                }
                Met::New(_) => {
                    let impact = Impact::of_addition(site.sender);
                    let change = DocumentChange::added(part());
                    (&rules::MEDIA_TYPE_ADDED, impact, change)
                }
                Met::NewWithin(wider, _) => {
                    let change = DocumentChange::WasWithin {
                        part: part(),
                        wider: wider.name.clone(),
                    };
                    (&rules::MEDIA_TYPE_ADDED, Impact::Compatible, change)
                }
            };
            let effect = site.effect(impact);
            self.ledger
                .affect(rule, effect, site.subject, &place, change);
        }
    }

    /// Compares two Media Type Objects of the normalized media type `name`.
    pub(super) fn media_type(&mut self, site: Site<'_>, at: &Pair, name: &str) {
        let site = match media::is_multipart(name) || media::is_urlencoded(name) {
            true => Site {
                as_text: Text::Form,
                ..site
            },
            false => site,
        };
        let bytes = is_bytes(self.ledger.old, &at.old) && is_bytes(self.ledger.new, &at.new);
        if !bytes {
            self.schema(site, &at.member("schema"));
        }
        self.schema(site, &at.member("itemSchema"));
        if self.has_other(at, "encoding") {
            self.encoding(site, at, name);
        }
        if self.is_same_outside(at) && !self.has_other(at, "examples") {
            return;
        }
        self.examples(site.subject, at);
        self.ledger.rest(
            site.subject,
            at,
            &["schema", "itemSchema", "example", "examples", "encoding"],
        );
    }

    /// Compares the schemas at `at`, one of which may be missing.
    pub(super) fn schema(&mut self, site: Site<'_>, at: &Pair) {
        // No schema is one that accepts everything.
        let (old, new) = self.ledger.nodes(at);
        if !self.same.schema(old, new) {
            self.schemas.add(&mut self.ledger, site, at, (old, new));
        }
    }

    /// Compares samples by name and value, `x-replay` included.
    pub(super) fn examples(&mut self, subject: &str, at: &Pair) {
        let (single, named) = (at.member("example"), at.member("examples"));
        let (one, other) = self.ledger.nodes(&single);
        let rule = match (one, other) {
            (Some(_), None) => &rules::EXAMPLE_REMOVED,
            (None, _) => &rules::EXAMPLE_ADDED,
            _ => &rules::EXAMPLE_CHANGED,
        };
        self.sample(subject, rule, None, "example", &single);
        let (old, new) = self.ledger.objects(&named);
        let (old, new) = (entries(old), entries(new));
        for met in walk(&old, &new) {
            match met {
                Met::Both(one, _) | Met::OldWithin(one, _) | Met::NewWithin(one, _) => {
                    let here = named.member(&one.name);
                    if let Some(pair) = self.ledger.resolve(subject, &here) {
                        self.example(subject, &one.name, &pair);
                    }
                }
                Met::Old(one) => {
                    let name = one.name.clone();
                    let here = named.member(&name);
                    let change = DocumentChange::removed(Part::Example { name });
                    self.ledger
                        .add(&rules::EXAMPLE_REMOVED, subject, &here, change);
                }
                Met::New(other) => {
                    let name = other.name.clone();
                    let here = named.member(&name);
                    let change = DocumentChange::added(Part::Example { name });
                    self.ledger
                        .add(&rules::EXAMPLE_ADDED, subject, &here, change);
                }
            }
        }
    }

    fn example(&mut self, subject: &str, name: &str, at: &Pair) {
        const MEMBERS: [&str; 5] = [
            "value",
            "dataValue",
            "serializedValue",
            "externalValue",
            "x-replay",
        ];
        for key in MEMBERS {
            let here = at.member(key);
            self.sample(subject, &rules::EXAMPLE_CHANGED, Some(name), key, &here);
        }
        self.ledger.rest(subject, at, &MEMBERS);
    }

    /// Compares the member `key` of a sample, which is at `at`.
    fn sample(
        &mut self,
        subject: &str,
        rule: &'static Rule,
        name: Option<&str>,
        key: &str,
        at: &Pair,
    ) {
        let (old, new) = (
            self.ledger.old.literal(&at.old),
            self.ledger.new.literal(&at.new),
        );
        if old.as_ref().map(identity) == new.as_ref().map(identity) {
            return;
        }
        let (inside, old, new) = first_difference(old.as_ref(), new.as_ref());
        let change = DocumentChange::ExampleChanged {
            name: name.map(str::to_owned),
            key: key.to_owned(),
            at: inside,
            old,
            new,
        };
        self.ledger.add(rule, subject, at, change);
    }
}

/// The carrier of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier<'s> {
    /// A request.
    Request,
    /// The response of this status.
    Response(&'s str),
}

/// The members of an object, known by their names.
pub(super) fn entries(object: Option<&Map<String, Value>>) -> Vec<Entry> {
    let all = object.into_iter().flat_map(Map::keys);
    all.map(|name| Entry::plain(name)).collect()
}

/// The media types of a `content`, known by what their names mean.
pub(super) fn media_types(content: Option<&Map<String, Value>>) -> Vec<Entry> {
    let all = content.into_iter().flat_map(Map::keys);
    all.map(|name| Entry::of(name, media::normalized(name)))
        .collect()
}

/// Whether a media type is any bytes: 3.0 writes `format: binary`, 3.1 leaves the schema out.
fn is_bytes(document: &Document, at: &str) -> bool {
    let name = pointer::tokens(at).last().unwrap_or_default();
    let textual = ["json", "xml", "text/", "form", "*"];
    if textual
        .iter()
        .any(|word| name.to_lowercase().contains(word))
    {
        return false;
    }
    match document.resolve(&pointer::join(at, "schema")) {
        None => document.at(&pointer::join(at, "schema")).is_none(),
        Some((_, Value::Object(schema))) => {
            schema.iter().all(|(key, value)| match key.as_str() {
                "type" => value == "string",
                "format" => value == "binary",
                "contentMediaType" => value == "application/octet-stream",
                "description" | "title" => true,
                _ => false,
            }) && (schema.is_empty() || schema.len() > 1)
        }
        Some((_, other)) => *other == Value::Bool(true),
    }
}

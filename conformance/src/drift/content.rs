//! Comparing request bodies, media types and samples.

use serde_json::{Map, Value};

use super::Drift;
use super::equal::{canonical, canonical_without_provenance, shown};
use super::ledger::{Pair, Site, contrast, one_sided};
use super::rules;
use crate::document::{Document, pointer};
use crate::finding::Severity;

impl Drift<'_> {
    pub(super) fn request_body(&mut self, site: Site<'_>, operation: &Pair) {
        let at = operation.member("requestBody");
        let present = (
            self.ledger.theirs.at(&at.theirs).is_some(),
            self.ledger.ours.at(&at.ours).is_some(),
        );
        match present {
            (false, false) => return,
            (true, false) => {
                return self.ledger.add(
                    &rules::REQUEST_BODY_REMOVED,
                    site.subject,
                    &at,
                    one_sided("a request body", true),
                );
            }
            (false, true) => {
                let required = self
                    .ledger
                    .ours
                    .resolve(&at.ours)
                    .is_some_and(|(_, body)| body.get("required") == Some(&Value::Bool(true)));
                let severity = if required || site.from_server {
                    Severity::Breaking
                } else {
                    Severity::Warning
                };
                let message = one_sided("a request body", false);
                return self.ledger.add_as(
                    &rules::REQUEST_BODY_ADDED,
                    severity,
                    site.subject,
                    &at,
                    message,
                );
            }
            (true, true) => {}
        }
        let Some(at) = self.ledger.resolve(site.subject, &at) else {
            return;
        };
        self.required(
            site,
            &rules::REQUEST_BODY_REQUIRED_CHANGED,
            "the request body",
            &at,
        );
        self.content(site, &at.member("content"));
        self.ledger
            .rest(site.subject, &at, &["required", "content"]);
    }

    /// Compares media types: their names in any case and without spaces.
    pub(super) fn content(&mut self, site: Site<'_>, at: &Pair) {
        let names = |object: Option<&Map<String, Value>>| {
            let all = object.into_iter().flat_map(Map::keys);
            all.map(|name| (name.to_lowercase().replace(' ', ""), name.clone()))
                .collect::<Vec<_>>()
        };
        let (theirs, ours) = self.ledger.objects(at);
        let (theirs, ours) = (names(theirs), names(ours));
        for (plain, name) in &theirs {
            let found = covering(&ours, plain, &wider_media_types(plain));
            let place = Pair {
                theirs: at.member(name).theirs,
                ours: at.member(found.map_or(name, |(_, other)| other)).ours,
            };
            if found.is_some()
                && let Some(pair) = self.ledger.resolve(site.subject, &place)
            {
                self.media_type(site, &pair);
            }
            let exact = found.is_some_and(|(other, _)| other == plain);
            if !exact {
                // A client may ask for an answer of this type; what the server sends of itself it only sends less of.
                let sent = site.from_server && site.part == "request body";
                let severity = if sent || found.is_some() {
                    Severity::Warning
                } else {
                    Severity::Breaking
                };
                let message = one_sided(&format!("the media type `{name}`"), true);
                self.ledger.add_as(
                    &rules::MEDIA_TYPE_REMOVED,
                    severity,
                    site.subject,
                    &place,
                    message,
                );
            }
        }
        for (plain, name) in &ours {
            if theirs.iter().any(|(other, _)| other == plain) {
                continue;
            }
            let found = covering(&theirs, plain, &wider_media_types(plain));
            let place = Pair {
                theirs: at.member(found.map_or(name, |(_, other)| other)).theirs,
                ours: at.member(name).ours,
            };
            if found.is_some()
                && let Some(pair) = self.ledger.resolve(site.subject, &place)
            {
                self.media_type(site, &pair);
            }
            let severity = if site.from_server && found.is_none() {
                Severity::Breaking
            } else {
                Severity::Warning
            };
            let message = one_sided(&format!("the media type `{name}`"), false);
            self.ledger.add_as(
                &rules::MEDIA_TYPE_ADDED,
                severity,
                site.subject,
                &place,
                message,
            );
        }
    }

    fn media_type(&mut self, site: Site<'_>, at: &Pair) {
        let bytes =
            is_bytes(self.ledger.theirs, &at.theirs) && is_bytes(self.ledger.ours, &at.ours);
        if !bytes {
            self.schema(site, at);
        }
        self.schema_member(site, at, "itemSchema");
        if self.has_other(at, "encoding") {
            self.encoding(site, &at.member("encoding"));
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

    /// Compares the `schema` of parameters, headers and media types.
    pub(super) fn schema(&mut self, site: Site<'_>, at: &Pair) {
        self.schema_member(site, at, "schema");
    }

    fn schema_member(&mut self, site: Site<'_>, at: &Pair, key: &str) {
        let at = at.member(key);
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        // No schema is one that accepts everything.
        let (theirs, ours) = (theirs.at(&at.theirs), ours.at(&at.ours));
        if !self.same.schema(theirs, ours) {
            self.schemas.add(&mut self.ledger, site, &at);
        }
    }

    fn encoding(&mut self, site: Site<'_>, at: &Pair) {
        let (theirs, ours) = self.ledger.objects(at);
        let empty = Map::new();
        let (theirs, ours) = (theirs.unwrap_or(&empty), ours.unwrap_or(&empty));
        let only_ours = ours.keys().filter(|name| !theirs.contains_key(*name));
        for name in theirs.keys().chain(only_ours) {
            let here = at.member(name);
            let plain = |value: Option<&Value>| {
                let mut members = value
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default();
                members.remove("headers");
                // `false` is what holds without the member; the default of `explode` depends on the style.
                members
                    .retain(|key, value| !(key == "allowReserved" && *value == Value::Bool(false)));
                Value::Object(members)
            };
            let (one, other) = (theirs.get(name), ours.get(name));
            if canonical_without_provenance(&plain(one))
                != canonical_without_provenance(&plain(other))
            {
                self.ledger.add(
                    &rules::ENCODING_CHANGED,
                    site.subject,
                    &here,
                    contrast(name, one, other),
                );
            }
            self.headers(site, &here.member("headers"));
        }
    }

    /// Compares samples by name and value, `x-replay` included.
    pub(super) fn examples(&mut self, subject: &str, at: &Pair) {
        let (single, named) = (at.member("example"), at.member("examples"));
        let (one, other) = (
            self.ledger.theirs.at(&single.theirs),
            self.ledger.ours.at(&single.ours),
        );
        if one.is_some() || other.is_some() {
            let rule = match (one, other) {
                (Some(_), None) => &rules::EXAMPLE_REMOVED,
                (None, _) => &rules::EXAMPLE_ADDED,
                _ => &rules::EXAMPLE_CHANGED,
            };
            if one.map(canonical) != other.map(canonical) {
                self.ledger
                    .add(rule, subject, &single, contrast("example", one, other));
            }
        }
        let (theirs, ours) = self.ledger.objects(&named);
        let empty = Map::new();
        let (theirs, ours) = (theirs.unwrap_or(&empty), ours.unwrap_or(&empty));
        for name in theirs.keys() {
            let here = named.member(name);
            if !ours.contains_key(name) {
                self.ledger.add(
                    &rules::EXAMPLE_REMOVED,
                    subject,
                    &here,
                    one_sided(&format!("the sample `{name}`"), true),
                );
                continue;
            }
            let Some(pair) = self.ledger.resolve(subject, &here) else {
                continue;
            };
            self.example(subject, name, &pair);
        }
        for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
            let message = one_sided(&format!("the sample `{name}`"), false);
            self.ledger
                .add(&rules::EXAMPLE_ADDED, subject, &named.member(name), message);
        }
    }

    fn example(&mut self, subject: &str, name: &str, at: &Pair) {
        for key in [
            "value",
            "dataValue",
            "serializedValue",
            "externalValue",
            "x-replay",
        ] {
            let here = at.member(key);
            let (one, other) = (
                self.ledger.theirs.at(&here.theirs),
                self.ledger.ours.at(&here.ours),
            );
            if one.map(canonical) != other.map(canonical) {
                let message = difference(one, other).map_or_else(
                    || contrast(key, one, other),
                    |inside| {
                        format!(
                            "the sample `{name}` differs {inside}; make ours say what theirs says"
                        )
                    },
                );
                self.ledger
                    .add(&rules::EXAMPLE_CHANGED, subject, &here, message);
            }
        }
        self.ledger.rest(
            subject,
            at,
            &[
                "value",
                "dataValue",
                "serializedValue",
                "externalValue",
                "x-replay",
            ],
        );
    }
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

/// The entry of `list` that speaks for `key`: its own, or the narrowest of the `wider` ones.
pub(super) fn covering<'l>(
    list: &'l [(String, String)],
    key: &str,
    wider: &[String],
) -> Option<&'l (String, String)> {
    let keys = std::iter::once(key).chain(wider.iter().map(String::as_str));
    keys.filter_map(|key| list.iter().find(|(other, _)| other == key))
        .next()
}

/// What speaks for a media type that has no entry of its own: the type without parameters, then its ranges.
fn wider_media_types(name: &str) -> Vec<String> {
    let plain = name.split(';').next().unwrap_or_default();
    let kind = plain.split('/').next().unwrap_or_default();
    vec![plain.to_owned(), format!("{kind}/*"), "*/*".to_owned()]
}

/// Where two values first differ, in words, so that a long sample need not be read twice.
fn difference(theirs: Option<&Value>, ours: Option<&Value>) -> Option<String> {
    let (mut theirs, mut ours) = (theirs?, ours?);
    let mut at = String::new();
    loop {
        let key = match (theirs, ours) {
            (Value::Object(one), Value::Object(other)) => {
                let text = |value: Option<&Value>| value.map(canonical);
                one.keys()
                    .chain(other.keys())
                    .find(|key| text(one.get(*key)) != text(other.get(*key)))
                    .cloned()
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
                .iter()
                .zip(other)
                .position(|(a, b)| canonical(a) != canonical(b))
                .map(|index| index.to_string()),
            _ => None,
        };
        let Some(key) = key else {
            return Some(format!(
                "at `{at}`: theirs says {}, ours {}",
                shown(theirs),
                shown(ours)
            ));
        };
        at = pointer::join(&at, &key);
        let child = |value: &'_ Value| match value {
            Value::Object(_) | Value::Array(_) => value.pointer(&pointer::join("", &key)).is_some(),
            _ => false,
        };
        match (child(theirs), child(ours)) {
            (true, true) => {
                let step = pointer::join("", &key);
                theirs = theirs.pointer(&step)?;
                ours = ours.pointer(&step)?;
            }
            (true, false) => return Some(format!("at `{at}`, which only theirs has")),
            _ => return Some(format!("at `{at}`, which only ours has")),
        }
    }
}

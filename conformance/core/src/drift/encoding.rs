//! How the properties of a form are encoded: Encoding Objects by what they mean.
//!
//! An entry counts where its property is in the schema, and only for forms: `multipart/*` and `application/x-www-form-urlencoded`
//! (OpenAPI, Media Type Object). A member that an entry omits has the default of its property's type (Encoding Object, `contentType`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Drift;
use super::pair::Pair;
use super::site::Site;
use super::{media, rules, types};
use crate::document::{Document, Version, pointer};
use crate::finding::{DocumentChange, Format, Impact, Sender};

/// The members of an Encoding Object that are compared here.
const MEMBERS: [&str; 5] = [
    "contentType",
    "headers",
    "style",
    "explode",
    "allowReserved",
];

/// How deep the properties of a schema are looked for in the branches of others.
const DEPTH: usize = 20;

impl Drift<'_> {
    /// Compares the `encoding` of the media type `form`; `at` is that of the Media Type Objects.
    pub(super) fn encoding(&mut self, site: Site<'_>, at: &Pair, form: &str) {
        if !media::is_multipart(form) && !media::is_urlencoded(form) {
            return;
        }
        let entries = at.member("encoding");
        let (old, new) = self.ledger.objects(&entries);
        let names: BTreeSet<&String> = [old, new]
            .into_iter()
            .flatten()
            .flat_map(Map::keys)
            .collect();
        for name in names {
            let (one, other) = (
                encoding(self.ledger.old, &at.old, name, form),
                encoding(self.ledger.new, &at.new, name, form),
            );
            // An entry for no property means nothing.
            let (Some(one), Some(other)) = (one, other) else {
                continue;
            };
            let here = entries.member(name);
            if one != other {
                let (sent, read) = match site.sender {
                    Sender::Client => (&one, &other),
                    Sender::Server => (&other, &one),
                };
                let impact = if is_covered(sent, read) {
                    Impact::Compatible
                } else {
                    Impact::Rejected
                };
                let change = DocumentChange::EncodingChanged {
                    property: name.clone(),
                    old: one,
                    new: other,
                };
                let rule = &rules::ENCODING_CHANGED;
                self.ledger
                    .affect(rule, site.effect(impact), site.subject, &here, change);
            }
            if media::is_multipart(form) {
                self.headers(site, &here.member("headers"));
            }
            self.ledger.rest(site.subject, &here, &MEMBERS);
        }
    }
}

/// How the property `name` of the media type at `at` is encoded; nothing where the schema has no such property.
fn encoding(document: &Document, at: &str, name: &str, form: &str) -> Option<Format> {
    let property = property(document, &pointer::join(at, "schema"), name, DEPTH)?;
    let entry = document.at(&pointer::join(&pointer::join(at, "encoding"), name));
    let get = |key: &str| entry.and_then(|entry| entry.get(key));
    let styled = ["style", "explode", "allowReserved"]
        .iter()
        .any(|key| get(key).is_some());
    let kinds = types::of(document, &property);
    // Styles are of the query-like form, and since 3.1 of `multipart/form-data`.
    if styled && (media::is_urlencoded(form) || document.version() != Version::V30) {
        let style = get("style").and_then(Value::as_str).unwrap_or("form");
        let flag = |key: &str, default: bool| get(key).and_then(Value::as_bool).unwrap_or(default);
        let explode = flag("explode", style == "form");
        let reserved = flag("allowReserved", false);
        let repeated = kinds.as_ref().is_some_and(|kinds| {
            types::are_scalar(kinds) || explode && types::is_list_of_scalars(document, &property)
        });
        // `a=1&a=2` is the form without any style as well.
        if !(style == "form" && !reserved && repeated) {
            return Some(Format::Style {
                style: style.to_owned(),
                explode,
                reserved,
            });
        }
    }
    let said = get("contentType")
        .filter(|_| !styled)
        .and_then(Value::as_str);
    let names: BTreeSet<String> = match said {
        Some(list) => list
            .split(',')
            .map(media::normalized)
            .filter(|name| !name.is_empty())
            .collect(),
        None => default_types(document, &property, DEPTH),
    };
    Some(Format::Types {
        names: names.into_iter().collect(),
    })
}

/// The media types that a property has by its type: several where its type is left open.
fn default_types(document: &Document, property: &str, depth: usize) -> BTreeSet<String> {
    const BYTES: &str = "application/octet-stream";
    let schema = document.resolve(property);
    let has = |key: &str| {
        schema
            .as_ref()
            .is_some_and(|(_, schema)| schema.get(key).is_some())
    };
    let format = schema
        .as_ref()
        .and_then(|(_, schema)| schema.get("format")?.as_str());
    let binary = matches!(format, Some("binary" | "byte"))
        || has("contentEncoding")
        || has("contentMediaType");
    let Some(kinds) = types::of(document, property) else {
        return BTreeSet::from([BYTES.to_owned()]);
    };
    let mut all = BTreeSet::new();
    for kind in kinds {
        match kind.as_str() {
            "object" => all.insert("application/json".to_owned()),
            "string" if binary => all.insert(BYTES.to_owned()),
            "array" if depth > 0 => {
                let items = schema.as_ref().map(|(at, _)| pointer::join(at, "items"));
                let inner = items.map(|at| default_types(document, &at, depth - 1));
                all.extend(inner.into_iter().flatten());
                false
            }
            "array" => false,
            _ => all.insert("text/plain".to_owned()),
        };
    }
    all
}

/// Whether a receiver takes every encoding that a sender may choose.
fn is_covered(sent: &Format, read: &Format) -> bool {
    let (Format::Types { names: sent }, Format::Types { names: read }) = (sent, read) else {
        return false;
    };
    sent.iter()
        .all(|one| read.contains(one) || media::wider(one).iter().any(|range| read.contains(range)))
}

/// Where the property `name` of the schema at `at` is described.
fn property(document: &Document, at: &str, name: &str, depth: usize) -> Option<String> {
    let (at, schema) = document.resolve(at)?;
    let own = pointer::join(&pointer::join(&at, "properties"), name);
    if document.at(&own).is_some() {
        return Some(own);
    }
    let depth = depth.checked_sub(1)?;
    ["allOf", "oneOf", "anyOf"].iter().find_map(|keyword| {
        let count = schema.get(keyword)?.as_array()?.len();
        let list = pointer::join(&at, keyword);
        (0..count).find_map(|index| property(document, &format!("{list}/{index}"), name, depth))
    })
}

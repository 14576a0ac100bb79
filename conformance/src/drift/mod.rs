//! Drift: where two documents of one API differ. Pure: documents in, findings out.
//!
//! *Theirs* is the source document, what must be true; *ours* is what a server says of itself. They are meant to say the same, so
//! every difference is reported, and how grave it is depends on who writes the content and who reads it:
//!
//! - Schemas are compared by the values that they accept. A client writes what theirs accepts and the server reads by ours; the
//!   server writes what ours accepts and a client reads by theirs; for webhooks and callbacks it is the other way round, and once
//!   more for a callback of a callback. What the reader refuses is `breaking`, and a finding shows such a value, its *witness*.
//!   What the reader takes besides is a `warning`. Equal sets of values are no difference, however they are spelled; where neither a value nor
//!   a proof is found, the difference is `undecided`, with the reason. `readOnly` members are not written by clients, `writeOnly`
//!   members not by the server.
//! - Who writes sends members that its own document names, so a value with others proves a `warning` only: an optional property of
//!   a request in addition breaks nobody. A property of theirs that the server does not write any more is breaking all the same.
//! - What no value can tell (`default`, `deprecated`, `examples`, `discriminator`, extensions) is a warning.
//! - Elsewhere the direction decides. What ours lacks is breaking, except for an answer that the server gives no more. What ours has
//!   besides is breaking where a client is confronted with it (an answer, a media type, a required member of a request) and a warning
//!   where it may ignore it. For the requests of webhooks and callbacks, which the server sends, both directions are reversed.
//!   Statuses are covered by their range and by `default`, media types by their ranges, and are compared with what covers them.
//! - Who was let in is to be let in again: security is breaking where credentials that sufficed suffice no more.
//! - Samples, servers, tags and extensions are warnings; `x-webhook-signature` is breaking.
//! - Text for readers is compared on request only, as `info`.
//!
//! Components are compared through their use; what is in use nowhere is not compared. Names of components and security schemes do
//! not count, what they say does. Provenance extensions (`x-decision`, `x-documented-defects`, `x-documented-names`) never count.
//!
//! A `discriminator` beside `oneOf` or `anyOf` is part of what the branches accept: the member has the names of its branch, those of
//! the mapping or that of the component, where the branch itself leaves them open. Elsewhere it is for readers, as a warning.
//!
//! Not compared: the `openapi` version, descriptions of responses, references to other documents that were not loaded (reported as
//! undecided). A `$dynamicRef` that may lead to several schemas, by the way one came to it, is undecided where something differs.

mod answers;
mod content;
mod equal;
pub mod examples;
mod ledger;
mod meaning;
mod operations;
mod parameters;
mod progress;
pub mod rules;
mod same;
mod schema;
mod security;
mod users;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::{Document, Selection};
use crate::finding::Finding;

pub use progress::Progress;

use equal::canonical_without_provenance;
use ledger::{Ledger, Pair, contrast, one_sided};
use same::Same;
use schema::Schemas;

/// How findings name what belongs to no operation.
const DOCUMENT: &str = "document";

/// What is compared.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether text for readers is compared.
    pub prose: bool,
    /// Which operations are compared. With an include pattern, only they are: nothing of the document besides.
    pub selection: Selection,
    /// Counts how far the comparison has come.
    pub progress: Progress,
}

/// What was compared and what differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The differences, by subject in document order, then by place.
    pub findings: Vec<Finding>,
    /// How many of theirs were compared, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
}

/// Compares two documents; see [`compare_counted`] for how much was compared.
pub fn compare(theirs: &Document, ours: &Document, options: &Options) -> Vec<Finding> {
    compare_counted(theirs, ours, options).findings
}

/// Compares two documents.
pub fn compare_counted(theirs: &Document, ours: &Document, options: &Options) -> Comparison {
    let mut drift = Drift {
        ledger: Ledger::new(theirs, ours, options),
        schemas: Schemas::default(),
        same: Same::new(theirs, ours, options.prose),
        same_around: None,
        operations: 0,
        webhooks: 0,
        visited: std::collections::HashSet::new(),
    };
    drift.ledger.open(DOCUMENT);
    if !options.selection.is_partial() {
        drift.root();
    }
    drift.paths();
    drift.all_webhooks();
    let Drift {
        mut ledger,
        schemas,
        same,
        operations,
        webhooks,
        ..
    } = drift;
    let checked = BTreeMap::from([
        ("operations", operations),
        ("webhooks", webhooks),
        ("schemas", same.schemas()),
    ]);
    schemas.compare(same, &mut ledger);
    Comparison {
        findings: ledger.close(),
        checked,
    }
}

/// A comparison under way.
struct Drift<'a> {
    ledger: Ledger<'a>,
    schemas: Schemas,
    /// What need not be looked into.
    same: Same<'a>,
    /// Whether what holds for all operations is the same, once it was asked.
    same_around: Option<bool>,
    operations: usize,
    webhooks: usize,
    /// Path Items of callbacks that were compared, with their direction: callbacks may contain themselves.
    visited: std::collections::HashSet<(String, String, bool)>,
}

impl<'a> Drift<'a> {
    /// Compares what belongs to no operation.
    fn root(&mut self) {
        let root = Pair::new("", "");
        self.ledger.rest(
            DOCUMENT,
            &root,
            &[
                "openapi",
                "info",
                "servers",
                "tags",
                "paths",
                "webhooks",
                "components",
                "security",
                "$self",
                "x-bundled",
            ],
        );
        let info = Pair::new("/info", "/info");
        for key in ["title", "version"] {
            self.ledger.with_default(
                &rules::INFO_CHANGED,
                DOCUMENT,
                &info,
                key,
                (Value::Null, Value::Null),
            );
        }
        self.ledger.rest(DOCUMENT, &info, &["title", "version"]);
        self.ledger.rest(
            DOCUMENT,
            &Pair::new("/paths", "/paths"),
            &self.keys(&["/paths"]),
        );
        self.ledger.rest(
            DOCUMENT,
            &Pair::new("/components", "/components"),
            &self.keys(&["/components"]),
        );
        self.servers(DOCUMENT, &Pair::new("/servers", "/servers"));
        self.tags();
    }

    /// Whether the objects at `at` say the same in the same words, so that there is nothing to compare.
    fn is_same(&mut self, at: &Pair) -> bool {
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        self.same
            .object(theirs.at(&at.theirs), ours.at(&at.ours), at.name())
    }

    /// Whether either of the objects at `at` has the member `key`, and both do not say the same there.
    fn has_other(&mut self, at: &Pair, key: &str) -> bool {
        let (theirs, ours) = self.ledger.objects(at);
        let theirs = theirs.and_then(|object| object.get(key));
        let ours = ours.and_then(|object| object.get(key));
        !self.same.object(theirs, ours, key)
    }

    /// Whether the objects at `at` say the same themselves, whatever their schemas and references come to.
    fn is_same_outside(&mut self, at: &Pair) -> bool {
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        match (theirs.at(&at.theirs), ours.at(&at.ours)) {
            (Some(theirs), Some(ours)) => {
                let name = at.name();
                self.same.object(Some(theirs), Some(ours), name)
                    || self.same.outside(theirs, ours, name)
            }
            (theirs, ours) => theirs.is_none() && ours.is_none(),
        }
    }

    /// The members of the objects at these places that are no extensions.
    fn keys(&self, pointers: &[&str]) -> Vec<&'a str> {
        let (theirs, ours) = (self.ledger.theirs, self.ledger.ours);
        let objects = pointers
            .iter()
            .flat_map(|at| [theirs.at(at), ours.at(at)])
            .flatten()
            .filter_map(Value::as_object);
        objects
            .flat_map(Map::keys)
            .map(String::as_str)
            .filter(|key| !key.starts_with("x-"))
            .collect()
    }

    /// Compares lists of servers: order, URLs and variables.
    fn servers(&mut self, subject: &str, at: &Pair) {
        /// No servers means the server that the document came from.
        fn list(value: Option<&Value>, prose: bool) -> Vec<Value> {
            let default = || vec![serde_json::json!({"url": "/"})];
            let Some(Value::Array(servers)) = value else {
                return default();
            };
            if servers.is_empty() {
                return default();
            }
            let clean = |server: &Value| {
                let mut server = server.clone();
                if let (Value::Object(members), false) = (&mut server, prose) {
                    members.remove("description");
                    if let Some(Value::Object(variables)) = members.get_mut("variables") {
                        variables
                            .values_mut()
                            .filter_map(Value::as_object_mut)
                            .for_each(|one| {
                                one.remove("description");
                            });
                    }
                }
                server
            };
            servers.iter().map(clean).collect()
        }
        let prose = self.ledger.options.prose;
        let theirs = Value::Array(list(self.ledger.theirs.at(&at.theirs), prose));
        let ours = Value::Array(list(self.ledger.ours.at(&at.ours), prose));
        if canonical_without_provenance(&theirs) != canonical_without_provenance(&ours) {
            let message = contrast("servers", Some(&theirs), Some(&ours));
            self.ledger
                .add(&rules::SERVERS_CHANGED, subject, at, message);
        }
    }

    /// Compares the declared tags by name.
    fn tags(&mut self) {
        fn named(document: &Document) -> Vec<(&str, String)> {
            let Some(Value::Array(tags)) = document.at("/tags") else {
                return Vec::new();
            };
            let name = |(index, tag): (usize, &'_ Value)| {
                tag.get("name").and_then(Value::as_str).map(|_| index)
            };
            let indexes: Vec<usize> = tags.iter().enumerate().filter_map(name).collect();
            indexes
                .into_iter()
                .filter_map(|index| {
                    Some((
                        tags.get(index)?.get("name")?.as_str()?,
                        format!("/tags/{index}"),
                    ))
                })
                .collect()
        }
        let (theirs, ours) = (named(self.ledger.theirs), named(self.ledger.ours));
        let find = |list: &[(&str, String)], name: &str| {
            list.iter()
                .find(|(other, _)| *other == name)
                .map(|(_, at)| at.clone())
        };
        for (name, at) in &theirs {
            match find(&ours, name) {
                Some(other) => {
                    self.ledger
                        .rest(DOCUMENT, &Pair::new(at.as_str(), other), &["name"]);
                }
                None => {
                    let message = one_sided(&format!("the tag `{name}`"), true);
                    self.ledger.add(
                        &rules::TAG_REMOVED,
                        DOCUMENT,
                        &Pair::new(at.as_str(), "/tags"),
                        message,
                    );
                }
            }
        }
        for (name, at) in &ours {
            if find(&theirs, name).is_none() {
                let message = one_sided(&format!("the tag `{name}`"), false);
                self.ledger.add(
                    &rules::TAG_ADDED,
                    DOCUMENT,
                    &Pair::new("/tags", at.as_str()),
                    message,
                );
            }
        }
    }
}

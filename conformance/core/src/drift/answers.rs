//! Comparing answers: their statuses, headers and links.

use serde_json::{Map, Value};

use super::content::{Carrier, entries};
use super::pair::Pair;
use super::site::Site;
use super::walk::{Entry, Met, walk, walk_wider};
use super::{Drift, rules};
use crate::finding::{DocumentChange, Impact, Part, Sender};

impl Drift<'_> {
    /// Compares the answers of an operation by status; what is on one side only, with the range or `default` that covers it.
    pub(super) fn responses(&mut self, site: Site<'_>, operation: &Pair) {
        let at = operation.member("responses");
        let statuses = |object: Option<&Map<String, Value>>| {
            let all = object.into_iter().flat_map(Map::keys);
            all.filter(|key| !key.starts_with("x-"))
                .map(|key| Entry::of(key, key.to_uppercase()))
                .collect::<Vec<_>>()
        };
        let (old, new) = self.ledger.objects(&at);
        let (old, new) = (statuses(old), statuses(new));
        for met in walk_wider(&old, &new, wider_statuses) {
            let response = |one: &Entry| Part::Response {
                status: one.name.clone(),
            };
            let keys = match met {
                Met::Old(one) => (one, one),
                Met::New(other) => (other, other),
                Met::Both(one, other) | Met::OldWithin(one, other) | Met::NewWithin(one, other) => {
                    (one, other)
                }
            };
            let place = Pair {
                old: at.member(&keys.0.name).old,
                new: at.member(&keys.1.name).new,
            };
            let (rule, impact, change) = match met {
                Met::Both(one, _) => {
                    self.answers(site, &place, &one.name);
                    continue;
                }
                Met::Old(one) => {
                    let impact = match site.sender {
                        Sender::Client => Impact::Rejected,
                        // The server answers less.
                        Sender::Server => Impact::Compatible,
                    };
                    let change = DocumentChange::removed(response(one));
                    (&rules::RESPONSE_STATUS_REMOVED, impact, change)
                }
                Met::OldWithin(one, wider) => {
                    self.answers(site, &place, &one.name);
                    let change = DocumentChange::NowWithin {
                        part: response(one),
                        wider: wider.name.clone(),
                    };
                    (&rules::RESPONSE_STATUS_REMOVED, Impact::Compatible, change)
                }
                Met::New(other) => {
                    let impact = Impact::of_addition(site.sender);
                    let change = DocumentChange::added(response(other));
                    (&rules::RESPONSE_STATUS_ADDED, impact, change)
                }
                Met::NewWithin(wider, other) => {
                    self.answers(site, &place, &other.name);
                    let change = DocumentChange::WasWithin {
                        part: response(other),
                        wider: wider.name.clone(),
                    };
                    (&rules::RESPONSE_STATUS_ADDED, Impact::Compatible, change)
                }
            };
            let effect = site.effect(impact);
            self.ledger
                .affect(rule, effect, site.subject, &place, change);
        }
        let handled: Vec<&str> = old
            .iter()
            .chain(&new)
            .map(|one| one.name.as_str())
            .collect();
        self.ledger.rest(site.subject, &at, &handled);
    }

    /// Compares two answers.
    fn answers(&mut self, site: Site<'_>, at: &Pair, status: &str) {
        if self.is_same(at) {
            return;
        }
        if let Some(pair) = self.ledger.resolve(site.subject, at) {
            let part = format!("answer {status}");
            let site = Site {
                part: &part,
                ..site
            };
            self.response(site, &pair, status);
        }
    }

    fn response(&mut self, site: Site<'_>, at: &Pair, status: &str) {
        if self.has_other(at, "headers") {
            self.headers(site, &at.member("headers"));
        }
        self.content(site, &at.member("content"), Carrier::Response(status));
        if self.has_other(at, "links") {
            self.links(site.subject, &at.member("links"));
        }
        if !self.is_same_outside(at) {
            self.ledger
                .rest(site.subject, at, &["headers", "content", "links"]);
        }
    }

    fn links(&mut self, subject: &str, at: &Pair) {
        const MEMBERS: [&str; 5] = [
            "operationId",
            "operationRef",
            "parameters",
            "requestBody",
            "server",
        ];
        let (old, new) = self.ledger.objects(at);
        let (old, new) = (entries(old), entries(new));
        for met in walk(&old, &new) {
            let (rule, name, change) = match met {
                Met::Both(one, _) | Met::OldWithin(one, _) | Met::NewWithin(one, _) => {
                    let here = at.member(&one.name);
                    let Some(pair) = self.ledger.resolve(subject, &here) else {
                        continue;
                    };
                    for key in MEMBERS {
                        let rule = &rules::LINK_CHANGED;
                        self.ledger.with_default(rule, subject, &pair, key, None);
                    }
                    self.ledger.rest(subject, &pair, &MEMBERS);
                    continue;
                }
                Met::Old(one) => {
                    let name = one.name.clone();
                    let change = DocumentChange::removed(Part::Link { name });
                    (&rules::LINK_REMOVED, &one.name, change)
                }
                Met::New(other) => {
                    let name = other.name.clone();
                    let change = DocumentChange::added(Part::Link { name });
                    (&rules::LINK_ADDED, &other.name, change)
                }
            };
            self.ledger.add(rule, subject, &at.member(name), change);
        }
    }
}

/// The entries that speak for a status without one of its own: its range, then `default`.
fn wider_statuses(status: &str) -> Vec<String> {
    let range = status
        .chars()
        .next()
        .filter(|first| first.is_ascii_digit() && !status.ends_with("XX"));
    let range = range.map(|first| format!("{first}XX"));
    range.into_iter().chain(["DEFAULT".to_owned()]).collect()
}

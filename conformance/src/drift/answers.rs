//! Comparing answers: their statuses, headers and links.

use serde_json::{Map, Value};

use super::Drift;
use super::content::covering;
use super::equal::canonical_without_provenance;
use super::ledger::{Pair, Site, contrast, one_sided};
use super::rules;
use crate::finding::Severity;

impl Drift<'_> {
    /// Compares the answers of an operation by status; what is on one side only, with the range or `default` that covers it.
    pub(super) fn responses(&mut self, site: Site<'_>, operation: &Pair) {
        let at = operation.member("responses");
        let statuses = |object: Option<&Map<String, Value>>| {
            let all = object.into_iter().flat_map(Map::keys);
            all.filter(|key| !key.starts_with("x-"))
                .map(|key| (key.to_uppercase(), key.clone()))
                .collect::<Vec<_>>()
        };
        let (theirs, ours) = self.ledger.objects(&at);
        let (theirs, ours) = (statuses(theirs), statuses(ours));
        for (upper, status) in &theirs {
            let found = covering(&ours, upper, &wider_statuses(upper));
            if let Some((_, other)) = found {
                self.answers(site, &at, (status, other), status);
            }
            let exact = found.is_some_and(|(other, _)| other == upper);
            if !exact {
                // The server answers less, or its client's answer is still taken.
                let severity = if site.from_server || found.is_some() {
                    Severity::Warning
                } else {
                    Severity::Breaking
                };
                let message = one_sided(&format!("the answer {status}"), true);
                let place = Pair {
                    theirs: at.member(status).theirs,
                    ours: at.member(found.map_or(status, |(_, other)| other)).ours,
                };
                self.ledger.add_as(
                    &rules::RESPONSE_STATUS_REMOVED,
                    severity,
                    site.subject,
                    &place,
                    message,
                );
            }
        }
        for (upper, status) in &ours {
            if theirs.iter().any(|(other, _)| other == upper) {
                continue;
            }
            let found = covering(&theirs, upper, &wider_statuses(upper));
            if let Some((_, other)) = found {
                self.answers(site, &at, (other, status), status);
            }
            let severity = if site.from_server && found.is_none() {
                Severity::Breaking
            } else {
                Severity::Warning
            };
            let message = one_sided(&format!("the answer {status}"), false);
            let place = Pair {
                theirs: at.member(found.map_or(status, |(_, other)| other)).theirs,
                ours: at.member(status).ours,
            };
            self.ledger.add_as(
                &rules::RESPONSE_STATUS_ADDED,
                severity,
                site.subject,
                &place,
                message,
            );
        }
        let handled: Vec<&str> = theirs
            .iter()
            .chain(&ours)
            .map(|(_, status)| status.as_str())
            .collect();
        self.ledger.rest(site.subject, &at, &handled);
    }

    /// Compares an answer of theirs with one of ours, by their keys below `responses`.
    fn answers(&mut self, site: Site<'_>, at: &Pair, keys: (&str, &str), status: &str) {
        let pair = Pair {
            theirs: at.member(keys.0).theirs,
            ours: at.member(keys.1).ours,
        };
        if self.is_same(&pair) {
            return;
        }
        if let Some(pair) = self.ledger.resolve(site.subject, &pair) {
            let part = format!("answer {status}");
            let site = Site {
                part: &part,
                ..site
            };
            self.response(site, &pair);
        }
    }

    fn response(&mut self, site: Site<'_>, at: &Pair) {
        if self.has_other(at, "headers") {
            self.headers(site, &at.member("headers"));
        }
        self.content(site, &at.member("content"));
        if self.has_other(at, "links") {
            self.links(site.subject, &at.member("links"));
        }
        if !self.is_same_outside(at) {
            self.ledger
                .rest(site.subject, at, &["headers", "content", "links"]);
        }
    }

    fn links(&mut self, subject: &str, at: &Pair) {
        let (theirs, ours) = self.ledger.objects(at);
        let names = |object: Option<&Map<String, Value>>| {
            object
                .into_iter()
                .flat_map(Map::keys)
                .cloned()
                .collect::<Vec<_>>()
        };
        let (theirs, ours) = (names(theirs), names(ours));
        for name in &theirs {
            let here = at.member(name);
            if !ours.contains(name) {
                self.ledger.add(
                    &rules::LINK_REMOVED,
                    subject,
                    &here,
                    one_sided(&format!("the link `{name}`"), true),
                );
                continue;
            }
            let Some(pair) = self.ledger.resolve(subject, &here) else {
                continue;
            };
            const MEMBERS: [&str; 5] = [
                "operationId",
                "operationRef",
                "parameters",
                "requestBody",
                "server",
            ];
            for key in MEMBERS {
                let place = pair.member(key);
                let (one, other) = (
                    self.ledger.theirs.at(&place.theirs),
                    self.ledger.ours.at(&place.ours),
                );
                if one.map(canonical_without_provenance) != other.map(canonical_without_provenance)
                {
                    self.ledger.add(
                        &rules::LINK_CHANGED,
                        subject,
                        &place,
                        contrast(key, one, other),
                    );
                }
            }
            self.ledger.rest(subject, &pair, &MEMBERS);
        }
        for name in ours.iter().filter(|name| !theirs.contains(name)) {
            let message = one_sided(&format!("the link `{name}`"), false);
            self.ledger
                .add(&rules::LINK_ADDED, subject, &at.member(name), message);
        }
    }
}

/// What speaks for a status that has no entry of its own: its range, then `default`.
fn wider_statuses(status: &str) -> Vec<String> {
    let range = status
        .chars()
        .next()
        .filter(|first| first.is_ascii_digit() && !status.ends_with("XX"));
    let range = range.map(|first| format!("{first}XX"));
    range.into_iter().chain(["DEFAULT".to_owned()]).collect()
}

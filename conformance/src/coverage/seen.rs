//! The observations from the exchanges of one operation.

use std::collections::BTreeMap;

use super::Keywords;
use crate::case::serialize::decode;
use crate::exchange::Exchange;

/// How many names and types are kept of each kind; a server may send ever new ones.
const LIMIT: usize = 1_000;

/// How many requests had something, and how many of these were accepted.
type Uses = BTreeMap<String, (usize, usize)>;

/// The observations from the exchanges of one operation, without the exchanges.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many requests were sent.
    pub requests: usize,
    /// How many responses were 2xx or 3xx.
    pub accepted: usize,
    /// How many responses were 4xx or 5xx.
    pub refused: usize,
    /// How many responses were 401 or 403.
    pub unauthorized: usize,
    /// Keywords that values in requests met.
    pub sent_keywords: Keywords,
    /// Keywords that values in responses met.
    pub received_keywords: Keywords,
    queries: Uses,
    headers: Uses,
    cookies: Uses,
    request_types: Uses,
    /// By status and content type, which is empty where there is none.
    responses: BTreeMap<(u16, String), usize>,
    /// How many of the requests were not for the operation itself.
    other_requests: usize,
    /// Responses to these, by status.
    others: BTreeMap<u16, usize>,
}

impl Seen {
    /// Takes note of an exchange. `own` is whether the response is one of the operation: what a method that the path does not have is
    /// answered with is not.
    pub fn note(&mut self, exchange: &Exchange, own: bool) {
        self.requests += 1;
        let status = exchange.response.as_ref().map(|response| response.status);
        let request = &exchange.request;
        if !own {
            self.other_requests += 1;
            if let Some(status) = status {
                *self.others.entry(status).or_default() += 1;
            }
            return;
        }
        let accepted = status.is_some_and(|status| (200..400).contains(&status));
        self.accepted += usize::from(accepted);
        self.refused += usize::from(status.is_some_and(|status| status >= 400));
        self.unauthorized += usize::from(matches!(status, Some(401 | 403)));
        let query = request.url.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            count(&mut self.queries, name, accepted);
        }
        for (name, value) in &request.headers {
            count(&mut self.headers, name, accepted);
            if name.eq_ignore_ascii_case("content-type") {
                count(&mut self.request_types, essence(value), accepted);
            } else if name.eq_ignore_ascii_case("cookie") {
                for cookie in value.split(';') {
                    let name = cookie.split_once('=').map_or(cookie, |(name, _)| name);
                    count(&mut self.cookies, name.trim(), accepted);
                }
            }
        }
        if let Some(response) = &exchange.response {
            let content_type = response.header("content-type").next();
            let content_type = content_type.and_then(|value| std::str::from_utf8(value).ok());
            let key = (
                response.status,
                essence(content_type.unwrap_or_default()).to_owned(),
            );
            if self.responses.len() < LIMIT || self.responses.contains_key(&key) {
                *self.responses.entry(key).or_default() += 1;
            }
        }
    }

    /// Adds what later exchanges show.
    pub fn add(&mut self, later: Self) {
        self.requests += later.requests;
        self.other_requests += later.other_requests;
        self.accepted += later.accepted;
        self.refused += later.refused;
        self.unauthorized += later.unauthorized;
        self.sent_keywords.add(later.sent_keywords);
        self.received_keywords.add(later.received_keywords);
        for (own, more) in [
            (&mut self.queries, later.queries),
            (&mut self.headers, later.headers),
            (&mut self.cookies, later.cookies),
            (&mut self.request_types, later.request_types),
        ] {
            for (name, (sent, accepted)) in more {
                let uses = own.entry(name).or_default();
                uses.0 += sent;
                uses.1 += accepted;
            }
        }
        for (key, count) in later.responses {
            *self.responses.entry(key).or_default() += count;
        }
        for (status, count) in later.others {
            *self.others.entry(status).or_default() += count;
        }
    }

    /// Whether a response had this status, whatever the method was.
    #[must_use]
    pub fn has_status(&self, status: u16) -> bool {
        self.all_statuses().any(|known| known == status)
    }

    /// The statuses of all responses, whatever the method was; some of them several times.
    pub fn all_statuses(&self) -> impl Iterator<Item = u16> {
        self.own_statuses().chain(self.others.keys().copied())
    }

    /// The statuses of the responses that are of the operation.
    pub fn own_statuses(&self) -> impl Iterator<Item = u16> {
        self.responses.keys().map(|(status, _)| *status)
    }

    /// How many requests had a parameter, and how many of these were accepted.
    pub(super) fn parameter(&self, place: &str, name: &str) -> (usize, usize) {
        let sum = |uses: &Uses, is_it: &dyn Fn(&str) -> bool| {
            let own = uses.iter().filter(|(known, _)| is_it(known));
            own.fold((0, 0), |sum, (_, uses)| (sum.0 + uses.0, sum.1 + uses.1))
        };
        match place {
            // An object is spread over `name[member]`.
            "query" => sum(&self.queries, &|known| {
                let known = decode(known);
                known == name
                    || known
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('['))
            }),
            "header" => sum(&self.headers, &|known| known.eq_ignore_ascii_case(name)),
            "cookie" => sum(&self.cookies, &|known| known == name),
            "querystring" if self.queries.is_empty() => (0, 0),
            // Every request has those of its path.
            _ => (self.requests - self.other_requests, self.accepted),
        }
    }

    /// How many requests had a body of a media type or range, and how many of these were accepted.
    pub(super) fn request_type(&self, documented: &str) -> (usize, usize) {
        let own = self.request_types.iter();
        let own = own.filter(|(given, _)| is_of(given, documented));
        own.fold((0, 0), |sum, (_, uses)| (sum.0 + uses.0, sum.1 + uses.1))
    }

    /// How many responses had such a status and, where one is given, this content type.
    pub(super) fn responses(&self, is_it: &dyn Fn(u16) -> bool, documented: Option<&str>) -> usize {
        let own = self.responses.iter().filter(|((status, given), _)| {
            is_it(*status) && documented.is_none_or(|documented| is_of(given, documented))
        });
        own.map(|(_, count)| count).sum()
    }

    /// Each status, with how many responses had it.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (u16, usize)> {
        let mut all: BTreeMap<u16, usize> = BTreeMap::new();
        for ((status, _), count) in &self.responses {
            *all.entry(*status).or_default() += count;
        }
        all.into_iter()
    }
}

fn count(uses: &mut Uses, name: &str, accepted: bool) {
    if !uses.contains_key(name) {
        if uses.len() >= LIMIT {
            return;
        }
        uses.insert(name.to_owned(), (0, 0));
    }
    let Some(one) = uses.get_mut(name) else {
        return;
    };
    one.0 += 1;
    one.1 += usize::from(accepted);
}

/// A media type without its parameters.
pub(super) fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether a media type is a documented one, or in a documented range.
pub(super) fn is_of(given: &str, documented: &str) -> bool {
    let documented = essence(documented);
    let range = documented
        .strip_suffix('*')
        .filter(|range| range.ends_with('/'));
    match range {
        Some("*/") => !given.is_empty(),
        Some(range) => given
            .get(..range.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(range)),
        None => given.eq_ignore_ascii_case(documented),
    }
}

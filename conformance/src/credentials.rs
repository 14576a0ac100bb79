//! Credentials of live checks: what the user gives, put into each request as the security schemes of the document say.
//!
//! A [`Given`] credential belongs to a *user* (`user-a` unless it names one) and to a security scheme. [`Credentials`] holds, for each
//! operation, the parts of its first security requirement for which all credentials are there. Tokens that have to be fetched are those of
//! OAuth 2.0 client credentials, one for each set of scopes, and those that a command prints; both are renewed before they end, and when
//! the server answers 401. The answer to a digest challenge is made for each request when it is sent. Called by the session; it judges
//! nothing.

mod command;
mod digest;
mod given;
mod known;
mod oauth;
mod scheme;
mod token;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::case::serialize::encode;
use crate::document::{Document, Operation, pointer};
use crate::exchange::{self, Client, Exchange, Request, Secrets};

pub(crate) use command::output;
pub use given::{ClientCredentials, Given, Origin};
pub use known::Beside;

use digest::Challenges;
use known::{Held, Known, hold};
use scheme::Carrier;
use token::Tokens;

/// The user of credentials that name none.
pub const FIRST_USER: &str = "user-a";

/// A credential that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialError {
    #[error("{from}: the document has no security scheme `{scheme}`{hint}")]
    UnknownScheme {
        from: String,
        scheme: String,
        hint: String,
    },
    #[error("{from}: {problem}")]
    Unfit { from: String, problem: String },
    #[error("{from}: no token: {problem}")]
    NoToken { from: String, problem: String },
}

/// Where the value of a credential comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// By index into the fixed values.
    Fixed(usize),
    /// By index into the tokens.
    Token(usize),
}

/// A credential in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    carrier: Carrier,
    source: Source,
}

/// One way to satisfy an operation: schemes with their scopes, all of them needed.
type Alternative<'d> = Vec<(&'d str, Vec<String>)>;

/// The credentials of a run, by user and operation.
#[derive(Default)]
pub struct Credentials {
    users: Vec<String>,
    values: Vec<String>,
    tokens: Tokens,
    challenges: Challenges,
    /// By user, then by pointer of the operation.
    parts: Vec<BTreeMap<String, Vec<Part>>>,
    /// Ways to give what the first user lacks, by pointer of the operation.
    lacking: BTreeMap<String, Vec<String>>,
    /// Operations that refused a token which had just been fetched.
    settled: RefCell<HashSet<Option<usize>>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("users", &self.users)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Assigns credentials to operations; sends nothing. `base` is what relative token URLs are relative to.
    ///
    /// # Errors
    /// When a scheme is unknown, or a credential does not fit its scheme.
    pub fn new(
        document: &Document,
        operations: &[Operation<'_>],
        given: &[Given],
        base: &str,
        beside: Beside<'_>,
    ) -> Result<Self, CredentialError> {
        let schemes = scheme::all(document);
        let mut held = Vec::new();
        for one in given {
            held.extend(hold(one, &schemes)?);
        }
        let mut users: Vec<String> = Vec::new();
        for one in &held {
            if !users.contains(&one.user) {
                users.push(one.user.clone());
            }
        }
        // Headers, cookies and query parameters belong to the first user, in whatever order the options are given.
        let is_beside = schemes.iter().any(|scheme| beside.has(&scheme.carrier));
        let place = users.iter().position(|user| user == FIRST_USER);
        if let Some(place) = place {
            users.remove(place);
        }
        if users.is_empty() || place.is_some() || is_beside {
            users.insert(0, FIRST_USER.to_owned());
        }
        let known = Known {
            first: users[0].clone(),
            held,
            schemes,
            base,
            beside,
        };
        let mut credentials = Self {
            users,
            ..Self::default()
        };
        let required = |operation: &Operation<'_>| alternatives(document, &operation.pointer);
        // A document that asks for nothing anywhere does not tell where credentials belong.
        let silent = operations
            .iter()
            .all(|operation| required(operation).is_none());
        for user in credentials.users.clone() {
            let mut parts = BTreeMap::new();
            for operation in operations {
                let alternatives = match required(operation) {
                    None if silent => {
                        let all = known.schemes.iter();
                        vec![all.map(|scheme| (scheme.name, Vec::new())).collect()]
                    }
                    required => required.unwrap_or_default(),
                };
                let chosen = credentials.choose(&user, &known, &alternatives)?;
                parts.insert(operation.pointer.clone(), chosen);
            }
            credentials.parts.push(parts);
        }
        for operation in operations {
            let lacks = known.lacking(&required(operation).unwrap_or_default());
            if !lacks.is_empty() {
                credentials.lacking.insert(operation.pointer.clone(), lacks);
            }
        }
        Ok(credentials)
    }

    /// The parts of the first alternative for which the user has all credentials; else of the one for which it has some.
    fn choose(
        &mut self,
        user: &str,
        known: &Known<'_, '_>,
        alternatives: &[Alternative<'_>],
    ) -> Result<Vec<Part>, CredentialError> {
        // With nothing of its own a user would be another.
        let some = |alternative: &&Alternative<'_>| {
            let mut schemes = alternative.iter();
            schemes.any(|(scheme, _)| known.own(user, scheme).is_some())
        };
        let complete = |alternative: &&Alternative<'_>| {
            let mut schemes = alternative.iter();
            schemes.all(|(scheme, _)| known.has(user, scheme))
        };
        let usable = || alternatives.iter().filter(some);
        let chosen = usable().find(complete).or_else(|| usable().next());
        let mut parts = Vec::new();
        for (scheme, scopes) in chosen.into_iter().flatten() {
            if let Some(one) = known.of(user, scheme) {
                parts.push(self.part(one, scopes, known.base)?);
            }
        }
        // Those that belong to no scheme go with every request.
        let everywhere = known.held.iter();
        for one in everywhere.filter(|one| one.scheme.is_none() && one.user == user) {
            parts.push(self.part(one, &[], known.base)?);
        }
        Ok(parts)
    }

    fn part(
        &mut self,
        held: &Held<'_>,
        scopes: &[String],
        base: &str,
    ) -> Result<Part, CredentialError> {
        let unfit = |problem: String| CredentialError::Unfit {
            from: held.given.from.clone(),
            problem,
        };
        let carrier = match (&held.scheme, &held.given.origin) {
            (Some(scheme), _) => scheme.carrier.clone(),
            (None, Origin::Password { .. }) => Carrier::Authorization("Basic".to_owned()),
            (None, _) => Carrier::Authorization("Bearer".to_owned()),
        };
        let source = match &held.given.origin {
            Origin::Value(value) if carrier == Carrier::Digest => {
                if !value.contains(':') {
                    return Err(unfit("write it as USER:PASSWORD".to_owned()));
                }
                self.fixed(value.clone())
            }
            Origin::Password { username, password } if carrier == Carrier::Digest => {
                self.fixed(format!("{username}:{password}"))
            }
            Origin::Value(value) if carrier.is_basic() => {
                let (user, password) = value
                    .split_once(':')
                    .ok_or_else(|| unfit("write it as USER:PASSWORD".to_owned()))?;
                self.fixed(basic(user, password))
            }
            Origin::Value(value) => self.fixed(value.clone()),
            Origin::Password { username, password } => self.fixed(basic(username, password)),
            Origin::Command(line) => {
                Source::Token(self.tokens.command(&held.given.from, line.clone()))
            }
            Origin::Client(client) => {
                let scopes = client.scopes.as_deref().unwrap_or(scopes);
                let from = &held.given.from;
                let place = held
                    .scheme
                    .as_ref()
                    .and_then(|scheme| scheme.tokens.as_ref());
                let endpoint = oauth::Endpoint::of(client, place, base).map_err(unfit)?;
                Source::Token(self.tokens.client(from, client, endpoint, scopes))
            }
        };
        if let Source::Fixed(index) = source {
            carrier.check(&self.values[index]).map_err(unfit)?;
        }
        Ok(Part { carrier, source })
    }

    fn fixed(&mut self, value: String) -> Source {
        let known = self.values.iter().position(|known| *known == value);
        Source::Fixed(known.unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        }))
    }

    /// The users, the first one first: requests are theirs unless said otherwise.
    #[must_use]
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// Whether a user has credentials of its own for an operation.
    #[must_use]
    pub fn is_known(&self, user: usize, operation: &str) -> bool {
        let parts = self.parts.get(user).and_then(|parts| parts.get(operation));
        parts.is_some_and(|parts| !parts.is_empty())
    }

    /// How to give what an operation needs and the first user does not have.
    #[must_use]
    pub fn lacking(&self, operation: &str) -> &[String] {
        self.lacking.get(operation).map_or(&[], Vec::as_slice)
    }

    /// Fetches all tokens that are needed.
    ///
    /// # Errors
    /// When there is no token.
    pub async fn open(
        &self,
        client: &Client,
        secrets: &Secrets,
        patience: Duration,
    ) -> Result<(), CredentialError> {
        self.tokens.open(client, secrets, patience).await
    }

    /// Puts the credentials of a user into a request. `operation` is its pointer, values of the query are encoded.
    pub fn apply(
        &self,
        user: usize,
        operation: &str,
        query: &mut Vec<(String, String)>,
        headers: &mut Vec<(String, String)>,
    ) {
        let parts = self.parts.get(user).and_then(|parts| parts.get(operation));
        for part in parts.into_iter().flatten() {
            let value = match part.source {
                Source::Fixed(index) if part.carrier == Carrier::Digest => digest::pending(index),
                Source::Fixed(index) => self.values[index].clone(),
                Source::Token(index) => self.tokens.value(index),
            };
            part.carrier.put(&value, query, headers);
        }
    }

    /// Renews tokens that are about to end, and puts the newest ones into a request that was made with older ones.
    pub async fn refresh(&self, request: &mut Request, client: &Client, secrets: &Secrets) {
        if !self.tokens.is_empty() {
            self.tokens.renew_old(client, secrets).await;
            self.tokens.replace_old(request);
        }
    }

    /// The request with new tokens, where the server answered 401 to one with tokens that were fetched.
    pub async fn renewed(
        &self,
        operation: Option<usize>,
        exchange: &Exchange,
        client: &Client,
        secrets: &Secrets,
    ) -> Option<Request> {
        let status = exchange.response.as_ref()?.status;
        if status != 401 || self.tokens.is_empty() || self.settled.borrow().contains(&operation) {
            return None;
        }
        let mut request = exchange.request.clone();
        let used = self.tokens.used(&request);
        if used.is_empty() {
            return None;
        }
        // One new token for each operation that refuses: what refuses that too refuses for another reason.
        self.settled.borrow_mut().insert(operation);
        for (index, value) in used {
            self.tokens.renew(index, &value, client, secrets).await;
        }
        self.tokens.replace_old(&mut request).then_some(request)
    }

    /// Whether requests keep the credentials that they are made with: none is a token that ends, or the answer to a challenge.
    #[must_use]
    pub fn are_fixed(&self) -> bool {
        let mut parts = self.parts.iter().flat_map(BTreeMap::values).flatten();
        self.tokens.is_empty() && parts.all(|part| part.carrier != Carrier::Digest)
    }

    /// Answers the newest digest challenge in a request that is about to be sent. Returns whether the request needs an answer.
    pub fn answer_challenge(&self, request: &mut Request) -> bool {
        self.challenges.answer(request, &self.values)
    }

    /// Takes the digest challenge of a 401; returns whether there is a new one, so that the request has to be sent again.
    pub fn take_challenge(&self, exchange: &Exchange) -> bool {
        self.challenges.take(exchange)
    }

    /// Notes that an operation accepts the tokens that it gets.
    pub fn note_accepted(&self, operation: Option<usize>) {
        self.settled.borrow_mut().remove(&operation);
    }

    /// Why tokens could not be renewed, if so.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.tokens.problem()
    }
}

/// User and password as `Authorization: Basic` has them.
fn basic(user: &str, password: &str) -> String {
    let whole = exchange::basic(user, password);
    whole.trim_start_matches("Basic ").to_owned()
}

/// The security requirements of an operation, its own or those of the document; none where neither has any.
fn alternatives<'d>(document: &'d Document, operation: &str) -> Option<Vec<Alternative<'d>>> {
    let own = pointer::join(operation, "security");
    let security = document.at(&own).or_else(|| document.at("/security"))?;
    let alternatives = security.as_array()?.iter().filter_map(Value::as_object);
    let alternative = |one: &'d serde_json::Map<String, Value>| {
        let scopes = |scopes: &Value| -> Vec<String> {
            let scopes = scopes.as_array().into_iter().flatten();
            scopes
                .filter_map(|scope| scope.as_str().map(str::to_owned))
                .collect()
        };
        one.iter()
            .map(|(scheme, needed)| (scheme.as_str(), scopes(needed)))
            .collect()
    };
    Some(alternatives.map(alternative).collect())
}

/// Adds a pair of decoded name and encoded value to the query, in place of others of its name.
pub(crate) fn set_query(query: &mut Vec<(String, String)>, name: &str, value: &str) {
    query.retain(|(known, _)| known != name);
    query.push((name.to_owned(), encode(value)));
}

/// Adds a cookie to the `Cookie` header, in place of others of its name.
pub(crate) fn set_cookie(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    let mut cookies: Vec<String> = Vec::new();
    headers.retain(|(header, value)| {
        let is_cookie = header.eq_ignore_ascii_case("cookie");
        if is_cookie {
            cookies.extend(value.split(';').map(|one| one.trim().to_owned()));
        }
        !is_cookie
    });
    let same = |cookie: &String| cookie.split('=').next() == Some(name);
    cookies.retain(|cookie| !cookie.is_empty() && !same(cookie));
    cookies.push(format!("{name}={value}"));
    headers.push(("Cookie".to_owned(), cookies.join("; ")));
}

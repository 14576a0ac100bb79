//! Tokens that are fetched: kept by where they come from and by scopes, renewed before they end.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::given::ClientCredentials;
use super::oauth::Endpoint;
use super::{CredentialError, command, oauth};
use crate::case::serialize::encode;
use crate::exchange::{Client, Request, Secrets};

/// A token is renewed this long before it ends, or after nine tenths of its life where that is later.
const MARGIN: Duration = Duration::from_secs(30);

/// How long a command may take unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// A token as it was given out.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) value: String,
    pub(super) lifetime: Option<Duration>,
}

impl Fetched {
    /// The members `access_token` and `expires_in` (seconds) of an answer, RFC 6749 section 5.1.
    pub(super) fn of_json(value: &Value) -> Option<Self> {
        let token = value.get("access_token")?.as_str()?;
        let visible = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        // Some servers write the number as a string.
        let seconds = value
            .get("expires_in")
            .and_then(|seconds| seconds.as_f64().or_else(|| seconds.as_str()?.parse().ok()));
        visible.then(|| Self {
            value: token.to_owned(),
            lifetime: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        })
    }

    fn renewal(&self, now: Instant) -> Option<Instant> {
        let lifetime = self.lifetime?;
        let margin = MARGIN.min(lifetime / 10);
        now.checked_add(lifetime.saturating_sub(margin))
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Way {
    Command(String),
    Client {
        client: ClientCredentials,
        endpoint: Endpoint,
        scopes: Vec<String>,
    },
}

#[derive(Default)]
struct State {
    value: String,
    renew_at: Option<Instant>,
    /// Former values: requests that were made with them may still wait.
    former: Vec<String>,
}

struct Token {
    from: String,
    way: Way,
    state: RefCell<State>,
    /// Held while it is fetched, so that many requests fetch it once.
    fetching: Mutex<()>,
}

/// All tokens of a run.
#[derive(Default)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    patience: RefCell<Option<Duration>>,
    problem: RefCell<Option<String>>,
}

impl Tokens {
    pub(super) fn command(&mut self, from: &str, line: String) -> usize {
        self.add(from, Way::Command(line))
    }

    pub(super) fn client(
        &mut self,
        from: &str,
        client: &ClientCredentials,
        endpoint: Endpoint,
        scopes: &[String],
    ) -> usize {
        let mut scopes = scopes.to_vec();
        scopes.sort();
        scopes.dedup();
        let way = Way::Client {
            client: client.clone(),
            endpoint,
            scopes,
        };
        self.add(from, way)
    }

    fn add(&mut self, from: &str, way: Way) -> usize {
        let known = self.tokens.iter().position(|token| token.way == way);
        known.unwrap_or_else(|| {
            self.tokens.push(Token {
                from: from.to_owned(),
                way,
                state: RefCell::default(),
                fetching: Mutex::default(),
            });
            self.tokens.len() - 1
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) fn value(&self, index: usize) -> String {
        self.tokens[index].state.borrow().value.clone()
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.problem.borrow().clone()
    }

    /// Fetches all tokens.
    pub(super) async fn open(
        &self,
        client: &Client,
        secrets: &Secrets,
        patience: Duration,
    ) -> Result<(), CredentialError> {
        *self.patience.borrow_mut() = Some(patience);
        for token in &self.tokens {
            self.fetch(token, client, secrets).await?;
        }
        Ok(())
    }

    async fn fetch(
        &self,
        token: &Token,
        client: &Client,
        secrets: &Secrets,
    ) -> Result<(), CredentialError> {
        let patience = self.patience.borrow().unwrap_or(PATIENCE);
        let fetched = match &token.way {
            Way::Command(line) => command::run(line, patience).await,
            Way::Client {
                client: credentials,
                endpoint,
                scopes,
            } => oauth::fetch(credentials, endpoint, scopes, client, secrets).await,
        };
        let fetched = fetched.map_err(|problem| CredentialError::NoToken {
            from: token.from.clone(),
            problem,
        })?;
        secrets.remember(&fetched.value);
        secrets.know_token(&fetched.value);
        let mut state = token.state.borrow_mut();
        state.renew_at = fetched.renewal(Instant::now());
        if state.value != fetched.value {
            let former = std::mem::replace(&mut state.value, fetched.value);
            if !former.is_empty() {
                state.former.push(former);
            }
        }
        Ok(())
    }

    /// Renews a token, unless it is no longer `value`.
    pub(super) async fn renew(
        &self,
        index: usize,
        value: &str,
        client: &Client,
        secrets: &Secrets,
    ) {
        let token = &self.tokens[index];
        let _one = token.fetching.lock().await;
        if token.state.borrow().value == value {
            self.try_fetch(token, client, secrets).await;
        }
    }

    /// Renews the tokens that are about to end.
    pub(super) async fn renew_old(&self, client: &Client, secrets: &Secrets) {
        let is_old = |token: &Token| {
            let end = token.state.borrow().renew_at;
            end.is_some_and(|end| end <= Instant::now())
        };
        for token in self.tokens.iter().filter(|token| is_old(token)) {
            let _one = token.fetching.lock().await;
            if is_old(token) {
                self.try_fetch(token, client, secrets).await;
            }
        }
    }

    async fn try_fetch(&self, token: &Token, client: &Client, secrets: &Secrets) {
        if let Err(error) = self.fetch(token, client, secrets).await {
            // The old token is used on; what the server says of it is in the report.
            token.state.borrow_mut().renew_at = None;
            *self.problem.borrow_mut() = Some(error.to_string());
        }
    }

    /// The tokens that a request has, with their values.
    pub(super) fn used(&self, request: &Request) -> Vec<(usize, String)> {
        let values = (0..self.tokens.len()).map(|index| (index, self.value(index)));
        values
            .filter(|(_, value)| !value.is_empty() && has(request, value))
            .collect()
    }

    /// Replaces former values of tokens in a request; returns whether there were some.
    pub(super) fn replace_old(&self, request: &mut Request) -> bool {
        let mut replaced = false;
        for token in &self.tokens {
            let state = token.state.borrow();
            for former in &state.former {
                if has(request, former) {
                    replace(request, former, &state.value);
                    replaced = true;
                }
            }
        }
        replaced
    }
}

/// Whether a request carries a token whole: one that was tampered with is another one.
fn has(request: &Request, token: &str) -> bool {
    let in_header = request
        .headers
        .iter()
        .any(|(_, value)| words(value).any(|word| word == token));
    in_header || in_query(&request.url, token)
}

fn in_query(url: &str, token: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let encoded = encode(token);
    query.split('&').any(|pair| {
        pair.split_once('=')
            .is_some_and(|(_, value)| value == encoded)
    })
}

/// The words of a header's value: `Bearer TOKEN`, or `a=TOKEN; b=c` of cookies.
fn words(value: &str) -> impl Iterator<Item = &str> {
    let parts = value.split([' ', ';']);
    let cookie = |part: &'_ str| {
        part.split_once('=')
            .map_or(usize::MAX, |(name, _)| name.len())
    };
    std::iter::once(value).chain(parts.flat_map(move |part| {
        let behind = part.get(cookie(part).saturating_add(1)..);
        std::iter::once(part).chain(behind)
    }))
}

fn replace(request: &mut Request, former: &str, value: &str) {
    for (_, header) in &mut request.headers {
        if words(header).any(|word| word == former) {
            *header = header.replace(former, value);
        }
    }
    if in_query(&request.url, former) {
        request.url = request.url.replace(&encode(former), &encode(value));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(headers: &[(&str, &str)], url: &str) -> Request {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(pair).collect(),
            body: None,
        }
    }

    #[test]
    fn a_token_is_found_whole_wherever_a_scheme_may_put_it() {
        let url = "http://h/a";
        for request in [
            request(&[("Authorization", "Bearer t0ken")], url),
            request(&[("X-Key", "t0ken")], url),
            request(&[("Cookie", "a=b; session=t0ken; c=d")], url),
            request(&[], "http://h/a?b=c&key=t0ken"),
        ] {
            assert!(has(&request, "t0ken"), "{request:?}");
            let mut newer = request.clone();
            replace(&mut newer, "t0ken", "newer");
            assert!(has(&newer, "newer") && !has(&newer, "t0ken"), "{newer:?}");
        }
        for request in [
            request(&[("Authorization", "Bearer t0kenx")], url),
            request(&[("Cookie", "a=xt0ken")], url),
            request(&[], "http://h/t0ken"),
        ] {
            assert!(!has(&request, "t0ken"), "{request:?}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let now = Instant::now();
        let renewal = |lifetime: Value| {
            let answer = json!({"access_token": "t", "expires_in": lifetime});
            Fetched::of_json(&answer).unwrap().renewal(now)
        };
        assert_eq!(renewal(json!(3600)), Some(now + Duration::from_secs(3570)));
        assert_eq!(renewal(json!("100")), Some(now + Duration::from_secs(90)));
        assert_eq!(renewal(Value::Null), None);
        assert_eq!(renewal(json!(-1)), None);
        assert_eq!(renewal(json!(1e300)), None);
        for odd in [json!("a b"), json!(1), json!("")] {
            assert!(Fetched::of_json(&json!({"access_token": odd})).is_none());
        }
    }
}

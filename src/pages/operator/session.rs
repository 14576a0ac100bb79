//! Sessions in memory, which end with the process, by signing out, after a time without use, or with their key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::domain::{Fingerprint, Secret};
use crate::entropy;

/// How long a session lasts without a request.
const IDLE: Duration = Duration::from_hours(8);

/// How many sessions there may be; the one that was not used for longest ends first.
const MOST: usize = 1_000;

/// The sessions of this process.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

/// One browser that signed in.
#[derive(Clone)]
pub(super) struct Session {
    /// The key that it signed in with, which is asked about at every request: a revoked one ends its sessions.
    pub(super) key: Secret,
    /// The token that each form of this session has to send back.
    pub(super) form_token: String,
    used: Instant,
}

impl Session {
    /// Whether a form was made for this session.
    pub(super) fn made(&self, token: &str) -> bool {
        self.form_token.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl Sessions {
    /// Begins a session; gives the token that names it.
    pub(super) fn begin(&self, key: Secret, now: Instant) -> String {
        let token = token();
        let mut sessions = self.lock();
        sessions.retain(|_, session| is_alive(session, now));
        if sessions.len() >= MOST
            && let Some(oldest) = sessions
                .iter()
                .min_by_key(|(_, session)| session.used)
                .map(|(name, _)| *name)
        {
            sessions.remove(&oldest);
        }
        let session = Session {
            key,
            form_token: self::token(),
            used: now,
        };
        sessions.insert(name(&token), session);
        token
    }

    /// The session that a token names, whose idle time goes on.
    pub(super) fn peek(&self, token: &str, now: Instant) -> Option<Session> {
        let sessions = self.lock();
        let session = sessions.get(&name(token))?;
        is_alive(session, now).then(|| session.clone())
    }

    /// The session that a token names, whose idle time begins again.
    pub(super) fn find(&self, token: &str, now: Instant) -> Option<Session> {
        let mut sessions = self.lock();
        let session = sessions
            .get_mut(&name(token))
            .filter(|session| is_alive(session, now))?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends the session that a token names.
    pub(super) fn end(&self, token: &str) {
        self.lock().remove(&name(token));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_alive(session: &Session, now: Instant) -> bool {
    now.duration_since(session.used) < IDLE
}

/// Sessions are found by a hash, whose comparison tells nothing of the token.
fn name(token: &str) -> [u8; 32] {
    *Fingerprint::of(token.as_bytes()).as_bytes()
}

/// 256 random bits.
fn token() -> String {
    BASE64URL_NOPAD.encode(&entropy::bytes::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn a_session_is_found_by_its_token_until_it_ends() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let (first, second) = (sessions.begin(key("a"), now), sessions.begin(key("b"), now));
        assert_ne!(first, second);
        assert_eq!(sessions.find(&first, now).unwrap().key.expose(), "a");
        sessions.end(&first);
        assert!(sessions.find(&first, now).is_none());
        assert!(sessions.find("", now).is_none());
        assert!(sessions.find(&second, now).is_some());
    }

    #[test]
    fn a_session_ends_when_it_was_not_used_for_long() {
        let (sessions, began) = (Sessions::default(), Instant::now());
        let token = sessions.begin(key("a"), began);
        let later = began + IDLE - Duration::from_secs(1);
        assert!(sessions.find(&token, later).is_some());
        assert!(sessions.find(&token, later + IDLE).is_none());
    }

    #[test]
    fn a_page_that_refreshes_itself_does_not_keep_its_session() {
        let (sessions, began) = (Sessions::default(), Instant::now());
        let token = sessions.begin(key("a"), began);
        let later = began + IDLE - Duration::from_secs(1);
        assert!(sessions.peek(&token, later).is_some());
        assert!(sessions.peek(&token, began + IDLE).is_none());
        assert!(sessions.find(&token, began + IDLE).is_none());
    }

    #[test]
    fn there_are_never_more_sessions_than_the_most() {
        let (sessions, began) = (Sessions::default(), Instant::now());
        let first = sessions.begin(key("a"), began);
        for number in 1..=MOST {
            let _ = sessions.begin(
                key("b"),
                began + Duration::from_millis(u64::try_from(number).unwrap()),
            );
        }
        assert_eq!(sessions.lock().len(), MOST);
        assert!(sessions.find(&first, began).is_none());
    }

    #[test]
    fn a_form_of_one_session_is_none_of_another() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let [first, second] = ["a", "b"].map(|text| {
            let token = sessions.begin(key(text), now);
            sessions.find(&token, now).unwrap()
        });
        assert!(
            first.made(&first.form_token) && !first.made(&second.form_token) && !first.made("")
        );
    }
}

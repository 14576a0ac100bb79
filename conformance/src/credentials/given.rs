//! A credential as the user gives it.

use std::fmt;

use crate::exchange::{BASIC, TOKEN, variable};

/// A credential as the user gives it. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// The option or the place in the settings, for messages.
    pub from: String,
    /// The user that the credential belongs to; `user-a` where it names none.
    pub user: Option<String>,
    /// The security scheme; all that fit where it names none.
    pub scheme: Option<String>,
    pub origin: Origin,
}

/// The value of a credential, or how to get it.
#[derive(Clone, PartialEq, Eq)]
pub enum Origin {
    /// An API key, or a token. For a scheme of basic authentication `USER:PASSWORD`.
    Value(String),
    Password {
        username: String,
        password: String,
    },
    /// OAuth 2.0 client credentials.
    Client(ClientCredentials),
    /// A command line that prints a token.
    Command(String),
}

/// OAuth 2.0 client credentials, RFC 6749 section 4.4.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    pub id: String,
    pub secret: String,
    /// Where tokens are given out; the document's token URL where there is none.
    pub token_url: Option<String>,
    /// The scopes that are asked for; those that each operation needs where there are none.
    pub scopes: Option<Vec<String>>,
    /// The API that the token is for, which some servers ask for as `audience`.
    pub audience: Option<String>,
}

impl Given {
    /// A bearer token, for all schemes that take one.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self::unnamed("bearer token", Origin::Value(token.to_owned()))
    }

    /// A user and a password, for all schemes of basic authentication.
    #[must_use]
    pub fn basic(username: &str, password: &str) -> Self {
        let origin = Origin::Password {
            username: username.to_owned(),
            password: password.to_owned(),
        };
        Self::unnamed("basic credentials", origin)
    }

    /// An API key or a token, for one security scheme.
    #[must_use]
    pub fn scheme(scheme: &str, value: &str) -> Self {
        Self {
            scheme: Some(scheme.to_owned()),
            ..Self::unnamed(
                &format!("credential of `{scheme}`"),
                Origin::Value(value.to_owned()),
            )
        }
    }

    /// The same for another user, such as `user-b`.
    #[must_use]
    pub fn of_user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    pub(crate) fn unnamed(from: &str, origin: Origin) -> Self {
        Self {
            from: from.to_owned(),
            user: None,
            scheme: None,
            origin,
        }
    }

    /// Returns the names of the credential in reports, each with its value.
    pub(crate) fn named(&self) -> Vec<(String, String)> {
        let user = self.user.as_deref();
        let user = user.filter(|user| *user != super::FIRST_USER);
        let suffix = user.map_or_else(String::new, |user| format!("_{}", variable(user)));
        let scheme = self.scheme.as_deref().map(variable);
        let name = |other: &str| scheme.clone().unwrap_or_else(|| other.to_owned());
        let named = |name: String, value: &str| (format!("{name}{suffix}"), value.to_owned());
        match &self.origin {
            Origin::Value(value) => vec![named(name(TOKEN), value)],
            Origin::Password { username, password } => vec![
                named(name(BASIC), &format!("{username}:{password}")),
                named(format!("{}_PASSWORD", name(BASIC)), password),
            ],
            Origin::Client(client) => {
                vec![named(format!("{}_SECRET", name("CLIENT")), &client.secret)]
            }
            Origin::Command(_) => Vec::new(),
        }
    }

    /// The texts that no report may show.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        match &self.origin {
            // Of `USER:PASSWORD` the password alone is as secret as the whole.
            Origin::Value(value) => {
                let password = value
                    .split_once(':')
                    .map(|(_, password)| password.to_owned());
                let encoded = value
                    .split_once(':')
                    .map(|(user, password)| super::basic(user, password));
                [Some(value.clone()), password, encoded]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Origin::Password { username, password } => {
                vec![password.clone(), super::basic(username, password)]
            }
            Origin::Client(client) => {
                vec![
                    client.secret.clone(),
                    super::basic(&client.id, &client.secret),
                ]
            }
            Origin::Command(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Given")
            .field("from", &self.from)
            .field("user", &self.user)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

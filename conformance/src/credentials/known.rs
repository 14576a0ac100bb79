//! The credentials that are known before requests are made: who has which, for which scheme.

use super::given::Given;
use super::scheme::{Carrier, Scheme};
use super::{Alternative, CredentialError, FIRST_USER};
use crate::near;

/// A credential of a user for a scheme, or for every request where it has none.
pub(super) struct Held<'d> {
    pub(super) user: String,
    pub(super) scheme: Option<Scheme<'d>>,
    pub(super) given: Given,
}

/// Further parts that requests carry, whatever the document says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    pub headers: &'a [(String, String)],
    pub queries: &'a [(String, String)],
    pub cookies: &'a [(String, String)],
    /// Whether a client certificate is shown.
    pub certificate: bool,
}

impl Beside<'_> {
    /// Whether something stands where a scheme has its credential.
    pub(super) fn has(&self, carrier: &Carrier) -> bool {
        let header = |name: &str| {
            let mut headers = self.headers.iter();
            headers.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let named =
            |pairs: &[(String, String)], name: &str| pairs.iter().any(|(known, _)| known == name);
        match carrier {
            Carrier::Header(name) => header(name),
            Carrier::Query(name) => named(self.queries, name),
            Carrier::Cookie(name) => named(self.cookies, name) || header("Cookie"),
            Carrier::Authorization(_) | Carrier::Digest | Carrier::Unsupported(_) => {
                header("Authorization")
            }
            Carrier::Certificate => self.certificate,
        }
    }
}

/// The credentials that are known before requests are made.
pub(super) struct Known<'d, 'b> {
    pub(super) first: String,
    pub(super) held: Vec<Held<'d>>,
    pub(super) schemes: Vec<Scheme<'d>>,
    pub(super) base: &'b str,
    pub(super) beside: Beside<'b>,
}

impl<'d> Known<'d, '_> {
    pub(super) fn own(&self, user: &str, scheme: &str) -> Option<&Held<'d>> {
        let named = |one: &&Held<'_>| one.scheme.as_ref().is_some_and(|own| own.name == scheme);
        self.held.iter().filter(named).find(|one| one.user == user)
    }

    /// The credential of a user for a scheme: its own, or that of the first user, as an API key may be that of an application.
    pub(super) fn of(&self, user: &str, scheme: &str) -> Option<&Held<'d>> {
        self.own(user, scheme)
            .or_else(|| self.own(&self.first, scheme))
    }

    pub(super) fn has(&self, user: &str, scheme: &str) -> bool {
        let known = self.schemes.iter().find(|known| known.name == scheme);
        match known.map(|known| &known.carrier) {
            Some(Carrier::Certificate) => self.beside.certificate,
            _ => self.of(user, scheme).is_some(),
        }
    }

    /// The ways to give what the first user lacks for the first alternative; nothing where some alternative is satisfied.
    pub(super) fn lacking(&self, alternatives: &[Alternative<'_>]) -> Vec<String> {
        let there = |name: &str| {
            let scheme = self.schemes.iter().find(|scheme| scheme.name == name);
            self.has(&self.first, name)
                || scheme.is_some_and(|scheme| self.beside.has(&scheme.carrier))
        };
        let satisfied = |one: &Alternative<'_>| one.iter().all(|(scheme, _)| there(scheme));
        if alternatives.iter().any(satisfied) {
            return Vec::new();
        }
        let first = alternatives.first().into_iter().flatten();
        let lacked = first.filter(|(scheme, _)| !there(scheme));
        let way = |name: &str| {
            let scheme = self.schemes.iter().find(|scheme| scheme.name == name)?;
            Some(format!("`{name}` ({})", scheme.way()))
        };
        lacked.filter_map(|(name, _)| way(name)).collect()
    }
}

/// The schemes that a credential is for.
pub(super) fn hold<'d>(
    given: &Given,
    schemes: &[Scheme<'d>],
) -> Result<Vec<Held<'d>>, CredentialError> {
    let user = given.user.clone().unwrap_or_else(|| FIRST_USER.to_owned());
    let one = |scheme: Option<&Scheme<'d>>| Held {
        user: user.clone(),
        scheme: scheme.cloned(),
        given: given.clone(),
    };
    if let Some(name) = &given.scheme {
        let scheme = schemes.iter().find(|scheme| scheme.name == name);
        let scheme = scheme.ok_or_else(|| CredentialError::UnknownScheme {
            from: given.from.clone(),
            scheme: name.clone(),
            hint: match schemes.is_empty() {
                true => "; it has none: give a header".to_owned(),
                false => near::nearest(name, schemes.iter().map(|scheme| scheme.name)).map_or_else(
                    || {
                        let names = schemes.iter().map(|scheme| format!("`{}`", scheme.name));
                        format!("; it has {}", names.collect::<Vec<_>>().join(", "))
                    },
                    |near| format!("; did you mean `{near}`?"),
                ),
            },
        })?;
        scheme
            .takes(&given.origin)
            .map_err(|problem| CredentialError::Unfit {
                from: given.from.clone(),
                problem,
            })?;
        return Ok(vec![one(Some(scheme))]);
    }
    let fitting = schemes.iter().filter(|scheme| scheme.fits(&given.origin));
    let held: Vec<_> = fitting.map(|scheme| one(Some(scheme))).collect();
    Ok(match held.is_empty() {
        true => vec![one(None)],
        false => held,
    })
}

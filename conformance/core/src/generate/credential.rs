//! Credentials that are missing or wrong, for each scheme and each member of schemes that are needed together.

use serde_json::{Map, Value};

use super::base::Base;
use super::{Source, derived};
use crate::case::{Case, Change, Intent, Place, Refusal, Tamper};
use crate::document::pointer;

/// A security scheme that an operation needs.
struct Scheme {
    name: String,
    place: Place,
}

/// The place of the security schemes.
const SCHEMES: &str = "/components/securitySchemes";

/// The changes to each credential.
const TAMPERS: [Tamper; 5] = [
    Tamper::Unknown,
    Tamper::Alter,
    Tamper::Shorten,
    Tamper::Lengthen,
    Tamper::OtherCase,
];

impl Source<'_> {
    /// The requests whose credentials are missing or wrong, where the operation needs some.
    pub(super) fn credentials(&self, base: &Base) -> Vec<Case> {
        let own = pointer::join(&self.operation.pointer, "security");
        let security = self
            .document
            .at(&own)
            .or_else(|| self.document.at("/security"));
        let Some(alternatives) = security.and_then(Value::as_array) else {
            return Vec::new();
        };
        let alternatives: Vec<&Map<String, Value>> =
            alternatives.iter().filter_map(Value::as_object).collect();
        if alternatives.is_empty() || alternatives.iter().any(|one| one.is_empty()) {
            return Vec::new();
        }
        let mut cases = vec![Case {
            anonymous: true,
            ..derived(
                base,
                "without credentials",
                Intent::Refused(Refusal::Credentials),
            )
        }];
        // A scheme that is not in the request itself, such as a client certificate, stays as it is.
        let known: Option<Vec<Vec<Scheme>>> = alternatives
            .iter()
            .map(|one| one.keys().map(|name| self.scheme(name)).collect())
            .collect();
        let Some(known) = known else {
            return cases;
        };
        for (index, schemes) in known.iter().enumerate() {
            for scheme in schemes {
                cases.extend(self.of_scheme(base, scheme, index, &known));
            }
        }
        cases
    }

    /// The requests in which one credential is missing or wrong, and all others of its alternative are there.
    fn of_scheme(
        &self,
        base: &Base,
        scheme: &Scheme,
        index: usize,
        known: &[Vec<Scheme>],
    ) -> Vec<Case> {
        let own = &known[index];
        let places: Vec<&Place> = own.iter().map(|one| &one.place).collect();
        // Whatever else would let the request in.
        let others = known
            .iter()
            .flatten()
            .filter(|other| !places.contains(&&other.place) && !shares(&other.place, &places));
        let removed: Vec<Change> = others
            .map(|other| Change::Credential {
                place: other.place.clone(),
                tamper: Tamper::Remove,
            })
            .collect();
        let rest: Vec<&str> = own
            .iter()
            .map(|one| one.name.as_str())
            .filter(|name| *name != scheme.name)
            .collect();
        let is_enough = known
            .iter()
            .any(|other| other.iter().all(|one| rest.contains(&one.name.as_str())));
        let with = |tamper: Tamper, refusal| {
            let mut changes = removed.clone();
            changes.push(Change::Credential {
                place: scheme.place.clone(),
                tamper,
            });
            let name = format!("with the credential `{}` {}", scheme.name, tamper.words());
            let case = derived(base, &name, Intent::Refused(refusal));
            // How a credential is checked is most often the same for all operations.
            let at = match refusal {
                Refusal::WrongCredentials => pointer::join(SCHEMES, &scheme.name),
                _ => case.at.clone(),
            };
            Case {
                changes,
                at,
                ..case
            }
        };
        let mut cases = Vec::new();
        if is_enough {
            return cases;
        }
        if own.len() > 1 {
            cases.push(with(Tamper::Remove, Refusal::Credentials));
        }
        for tamper in TAMPERS {
            cases.push(with(tamper, Refusal::WrongCredentials));
        }
        if matches!(scheme.place, Place::Authorization(_)) && own.len() == 1 {
            cases.push(with(Tamper::OtherScheme, Refusal::WrongCredentials));
        }
        cases
    }

    /// The scheme of a name; none where a request does not show it.
    fn scheme(&self, name: &str) -> Option<Scheme> {
        let at = pointer::join(SCHEMES, name);
        let (_, scheme) = self.document.resolve(&at)?;
        let text = |member: &str| scheme.get(member).and_then(Value::as_str);
        let place = match (text("type")?, text("in")) {
            ("apiKey", Some("header")) => Place::Header(text("name")?.to_owned()),
            ("apiKey", Some("query")) => Place::Query(text("name")?.to_owned()),
            ("apiKey", Some("cookie")) => Place::Cookie(text("name")?.to_owned()),
            ("http", _) => match text("scheme")?.to_ascii_lowercase().as_str() {
                "basic" => Place::Authorization("Basic".to_owned()),
                "bearer" => Place::Authorization("Bearer".to_owned()),
                // Digest and the like are made anew for each request.
                _ => return None,
            },
            ("oauth2" | "openIdConnect", _) => Place::Authorization("Bearer".to_owned()),
            _ => return None,
        };
        // A header that is given in other words, such as `Authorization: ApiKey ..` as an API key, is one value.
        Some(Scheme {
            name: name.to_owned(),
            place,
        })
    }

    /// Whether a parameter is a credential of some security scheme.
    pub(super) fn is_credential(&self, place: &str, name: &str) -> bool {
        let schemes = self.document.at(SCHEMES);
        let names = schemes
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::keys);
        names
            .filter_map(|name| self.scheme(name))
            .any(|scheme| match (&scheme.place, place) {
                (Place::Header(known), "header") => known.eq_ignore_ascii_case(name),
                (Place::Query(known), "query") | (Place::Cookie(known), "cookie") => known == name,
                (Place::Authorization(_), "header") => name.eq_ignore_ascii_case("authorization"),
                _ => false,
            })
    }
}

/// Whether a credential stands in the same header as one that has to stay.
fn shares(place: &Place, kept: &[&Place]) -> bool {
    matches!(place, Place::Authorization(_))
        && kept
            .iter()
            .any(|one| matches!(one, Place::Authorization(_)))
}

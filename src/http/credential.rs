//! Reads the header of a credential, which must be sent once only.
//!
//! Of two, a proxy may read the one and this server the other, so a request with both is refused.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

/// A credential as a request has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The header's value.
    Given(Vec<u8>),
    /// There is no such header.
    Missing,
    /// There is more than one.
    Repeated,
}

/// The credential in the header `name`.
pub(crate) fn credential(request: &HttpRequest, name: HeaderName) -> Credential {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Credential::Missing,
        (Some(value), None) => Credential::Given(value.as_bytes().to_vec()),
        (Some(_), Some(_)) => Credential::Repeated,
    }
}

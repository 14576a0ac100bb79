//! The way in of every request before it is routed (the check of its host, the base path, `HEAD`), and the way out of every answer.

use std::sync::Arc;

use actix_http::ConnectionType;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

use super::{Slices, problem};
use crate::domain::HostNames;

const MISDIRECTED: &str = "This server is in sandbox mode, where the credentials are public, and answers only to loopback names and \
    addresses, and to names given with --allow-host NAME.";

/// How requests may come in.
#[derive(Debug, Clone)]
pub(crate) struct Entrance {
    /// By which names; by any without.
    pub(crate) hosts: Option<HostNames>,
    /// The path that stands before every other where a proxy passes it on; empty, or with a leading and without a trailing slash.
    pub(crate) base_path: Arc<str>,
}

impl Entrance {
    /// Refuses a request that is not for this server (421) and passes every other on: without the base path, and `HEAD` as `GET`, of
    /// whose answer the connection sends no body.
    pub(crate) async fn pass<B: MessageBody + Unpin>(
        &self,
        mut request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<EitherBody<Slices<B>>>, actix_web::Error> {
        if let Some(hosts) = &self.hosts
            && !named(&request).all(|host| hosts.accept(host))
        {
            let refusal = problem(StatusCode::MISDIRECTED_REQUEST, MISDIRECTED, request.path());
            return Ok(request.into_response(refusal).map_into_right_body());
        }
        if let Some(uri) = without_base(request.uri(), &self.base_path) {
            request.match_info_mut().get_mut().update(&uri);
            request.head_mut().uri = uri;
        }
        if request.method() == Method::HEAD {
            request.head_mut().method = Method::GET;
        }
        let upgrades = request.head().connection_type() == ConnectionType::Upgrade;
        let mut response = next.call(request).await?;
        if upgrades {
            // As Java's client does for HTTP/2. actix-http closes such a connection behind the answer: a client that is not told would
            // send its next request into that.
            let head = response.response_mut().head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        allow_head(response.headers_mut());
        Ok(response
            .map_body(|_, body| Slices::of(body))
            .map_into_left_body())
    }
}

/// Lists `HEAD` in `Allow` wherever `GET` is listed: handlers see one as the other.
fn allow_head(headers: &mut HeaderMap) {
    let allow = headers
        .get(header::ALLOW)
        .and_then(|value| value.to_str().ok());
    let Some(allow) = allow else { return };
    let methods: Vec<&str> = allow.split(", ").collect();
    let Some(get) = methods.iter().position(|method| *method == "GET") else {
        return;
    };
    let methods = [&methods[..=get], &["HEAD"], &methods[get + 1..]].concat();
    let methods = HeaderValue::try_from(methods.join(", ")).expect("methods are tokens");
    headers.insert(header::ALLOW, methods);
}

/// The hosts that a request names: in `Host`, and in its target where that is a whole URL. HTTP/1.0 may name none, but no browser does.
fn named(request: &ServiceRequest) -> impl Iterator<Item = &str> {
    let target = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let hosts = request.headers().get_all(header::HOST);
    // A value that is not text is not a name either.
    target
        .into_iter()
        .chain(hosts.map(|host| host.to_str().unwrap_or_default()))
}

/// The target without the base path; none where it does not begin with it.
fn without_base(uri: &Uri, base: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(base)?;
    let rest = match rest.chars().next() {
        _ if base.is_empty() => return None,
        Some('/') => rest.to_owned(),
        Some('?') | None => format!("/{rest}"),
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(rest).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_taken_away_once_and_only_as_a_whole() {
        for (target, expected) in [
            ("/hooks/docs/?a=b", Some("/docs/?a=b")),
            ("/hooks", Some("/")),
            ("/hooks/", Some("/")),
            ("/hooks?a", Some("/?a")),
            ("/hooks/hooks/a", Some("/hooks/a")),
            ("/hooks//a", Some("//a")),
            ("/hooksa", None),
            ("/a/hooks", None),
            ("/", None),
            ("*", None),
            ("http://localhost/hooks/a", Some("http://localhost/a")),
        ] {
            let found = without_base(&target.parse().unwrap(), "/hooks");
            assert_eq!(
                found.map(|uri| uri.to_string()).as_deref(),
                expected,
                "{target}"
            );
        }
        assert_eq!(without_base(&"/a".parse().unwrap(), ""), None);
    }
}

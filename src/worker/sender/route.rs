//! Where URLs lead to, kept in the form that requests need: a webhook's URL is used again and again.
//!
//! A route follows from its URL alone, so none is ever out of date.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::PathAndQuery;

use super::destination::{DestinationFault, destination};

/// How many routes are kept, of some hundred bytes each.
const KEPT: usize = 4_096;

/// The way to a URL.
pub(super) struct Route {
    /// The address to connect to, and the target of an HTTP/2 request.
    pub(super) uri: Uri,
    /// The target of an HTTP/1.1 request, whose host is in a header.
    pub(super) path: Uri,
    pub(super) host: HeaderValue,
    /// The key that connections are shared by: scheme, host and port.
    pub(super) origin: Arc<str>,
}

/// Routes that were needed.
#[derive(Default)]
pub(super) struct Routes(Mutex<HashMap<String, Arc<Route>>>);

impl Routes {
    /// The way to `url`.
    ///
    /// # Errors
    /// [`DestinationFault`] says why nothing is sent there.
    pub(super) fn to(&self, url: &str, http: bool) -> Result<Arc<Route>, DestinationFault> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = kept.get(url) {
            return Ok(route.clone());
        }
        let route = Arc::new(Route::of(destination(url, http)?));
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(url.to_owned(), route.clone());
        Ok(route)
    }
}

impl Route {
    fn of(uri: Uri) -> Self {
        let path = uri.path_and_query().cloned();
        let host = uri.authority().map(|host| host.as_str());
        let host = host.unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        Self {
            path: Uri::from(path.unwrap_or(PathAndQuery::from_static("/"))),
            host: HeaderValue::from_str(host)
                .expect("a URI has only characters that a header may have"),
            origin: format!("{scheme}://{host}").into(),
            uri,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_what_each_version_of_http_asks_for_and_is_kept() {
        let routes = Routes::default();
        let route = routes
            .to("https://u@example.com:8443/a?b#c", false)
            .unwrap();
        assert_eq!(route.uri, "https://example.com:8443/a?b");
        assert_eq!(
            (&route.path, &route.host),
            (
                &Uri::from_static("/a?b"),
                &HeaderValue::from_static("example.com:8443")
            )
        );
        assert_eq!(&*route.origin, "https://example.com:8443");
        let again = routes
            .to("https://u@example.com:8443/a?b#c", false)
            .unwrap();
        assert!(Arc::ptr_eq(&route, &again));
        assert!(routes.to("http://example.com/", false).is_err());
    }

    #[test]
    fn no_more_routes_are_kept_than_are_worth_their_memory() {
        let routes = Routes::default();
        for number in 0..=KEPT {
            routes
                .to(&format!("https://example.com/{number}"), false)
                .unwrap();
        }
        assert_eq!(routes.0.lock().unwrap().len(), 1);
    }
}

//! The page at `/`: what runs here and in which mode, where the documents are and, in a sandbox, credentials and commands to copy.
//!
//! It needs nothing from elsewhere and runs no script; its policy forbids both.

use actix_web::http::header;
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, HttpResponse};

use crate::config::Mode;

const PAGE: &str = include_str!("landing.html");
const SANDBOX: &str = include_str!("sandbox.html");

/// What a browser lets the page do: show its own style and the icon.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Answers `GET /`.
pub(crate) fn landing(mode: Mode, request: &HttpRequest) -> HttpResponse {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let local = request.app_config().local_addr().to_string();
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        // The commands name the host that was asked for.
        .insert_header((header::VARY, "Host"))
        .body(page(mode, host, &local))
}

/// The page, with commands for `host`; for `local` where the client gave none, or none that may stand in a command.
fn page(mode: Mode, host: Option<&str>, local: &str) -> String {
    let (mode, sandbox) = match mode {
        Mode::Sandbox => {
            let host = host.filter(|host| is_plain(host)).unwrap_or(local);
            let origin = format!("http://{host}");
            ("sandbox", SANDBOX.replace("{origin}", &origin))
        }
        Mode::Production => ("production", String::new()),
    };
    PAGE.replace("{mode}", mode)
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{sandbox}", &sandbox)
}

/// Whether it is a host, with or without a port, that means itself in HTML and to a shell: what is copied is run.
fn is_plain(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    host.bytes().all(plain) && host.parse::<Authority>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_no_plain_host_does_not_reach_the_page() {
        for host in [
            "truehook.test:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost",
        ] {
            let page = page(Mode::Sandbox, Some(host), "127.0.0.1:1");
            assert_eq!(page.matches(&format!("curl http://{host}/")).count(), 3);
        }
        for host in [
            "<script>alert(1)</script>",
            "a'; rm -rf ~ #",
            "$(reboot)",
            "a&b",
            "user@host",
            "a b",
            "host:port:1",
            "",
        ] {
            let page = page(Mode::Sandbox, Some(host), "127.0.0.1:1");
            assert_eq!(
                page.matches("curl http://127.0.0.1:1/").count(),
                3,
                "{host}"
            );
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in_and_production_gives_no_credentials() {
        for mode in [Mode::Sandbox, Mode::Production] {
            let page = page(mode, None, "127.0.0.1:8080");
            for name in ["{mode}", "{version}", "{sandbox}", "{origin}"] {
                assert!(!page.contains(name), "{name}");
            }
            let sandbox = mode == Mode::Sandbox;
            assert_eq!(page.contains("sandbox"), sandbox, "{page}");
            assert_eq!(page.contains("production mode"), !sandbox);
        }
    }
}

//! The page at `/`: what runs here and in which mode, where the documents are and, in a sandbox, credentials and commands to copy.
//!
//! It needs nothing from elsewhere: its policy lets it load the style, the script and the icon of this server only.

use std::net::SocketAddr;

use actix_web::http::header;
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, HttpResponse};

use super::guarded;
use crate::config::Mode;

const PAGE: &str = include_str!("landing.html");
const SANDBOX: &str = include_str!("sandbox.html");

/// The policy of the page: it may load the style, the script and the icon of this server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Answers `GET /` on the port at `local`, with links below the path `base`.
pub(crate) fn landing(
    mode: Mode,
    base: &str,
    local: SocketAddr,
    request: &HttpRequest,
) -> HttpResponse {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    guarded(POLICY)
        .content_type("text/html; charset=utf-8")
        // The commands name the host that was asked for.
        .insert_header((header::VARY, "Host"))
        .body(page(mode, base, host, local))
}

/// The page, with commands for `host`; for `local` where the client gave none, or none that may stand in a command.
fn page(mode: Mode, base: &str, host: Option<&str>, local: SocketAddr) -> String {
    let (mode, sandbox) = match mode {
        Mode::Sandbox => {
            let host = host.filter(|host| is_plain(host)).map(str::to_owned);
            let host = host.unwrap_or_else(|| local.to_string());
            let origin = format!("http://{host}{base}");
            let reach = if local.ip().is_loopback() {
                "it listens on loopback only"
            } else {
                "it listens beyond loopback"
            };
            let sandbox = SANDBOX.replace("{origin}", &origin);
            ("sandbox", sandbox.replace("{reach}", reach))
        }
        Mode::Production => ("production", String::new()),
    };
    PAGE.replace("{mode}", mode)
        .replace("{base}", base)
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

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn base_paths_are_listed_below_the_path_of_the_proxy() {
        let page = page(Mode::Production, "/hooks", None, address("127.0.0.1:1"));
        for path in ["/conduit", "/equals-money", "/operator/v1"] {
            assert!(
                page.contains(&format!("<code>/hooks{path}</code>")),
                "{page}"
            );
        }
    }

    #[test]
    fn a_sandbox_says_that_it_listens_on_loopback_only_where_it_does() {
        for (local, only) in [
            ("127.0.0.1:80", true),
            ("[::1]:80", true),
            ("0.0.0.0:80", false),
            ("10.0.0.1:80", false),
        ] {
            let page = page(Mode::Sandbox, "", Some("box"), address(local));
            assert_eq!(page.contains("listens on loopback only"), only, "{local}");
            assert_eq!(page.contains("listens beyond loopback"), !only, "{local}");
        }
    }

    #[test]
    fn a_host_that_is_no_plain_host_does_not_reach_the_page() {
        for host in [
            "truehook.test:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost",
        ] {
            let page = page(Mode::Sandbox, "", Some(host), address("127.0.0.1:1"));
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
            let page = page(Mode::Sandbox, "", Some(host), address("127.0.0.1:1"));
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
            let page = page(mode, "/hooks", None, address("127.0.0.1:8080"));
            for name in [
                "{mode}",
                "{base}",
                "{version}",
                "{sandbox}",
                "{origin}",
                "{reach}",
            ] {
                assert!(!page.contains(name), "{name}");
            }
            assert_eq!(
                page.matches("href=\"/").count(),
                page.matches("href=\"/hooks/").count()
            );
            let sandbox = mode == Mode::Sandbox;
            assert_eq!(page.contains("sandbox"), sandbox, "{page}");
            assert_eq!(page.contains("production mode"), !sandbox);
        }
    }
}

//! The page at `/`: what runs here and in which mode, where the documents are and, in a sandbox, credentials and commands to copy.
//!
//! It needs nothing from elsewhere: its policy lets it load the style, the script and the icon of this server only.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, HttpResponse};

use maud::{Markup, html};
use serde_json::Value;

use super::{Api, guarded};
use crate::config::Mode;

const PAGE: &str = include_str!("landing.html");
const SANDBOX: &str = include_str!("sandbox.html");

/// The policy of the page: it may load the style, the script and the icon of this server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The first page of a server, with a row for each of its APIs.
pub(crate) struct Landing {
    mode: Mode,
    base: String,
    apis: String,
    credentials: String,
}

impl Landing {
    /// Makes the page of these APIs for a server whose paths begin with `base` for those who call it.
    pub(crate) fn new(mode: Mode, base: &str, apis: &[Api]) -> Arc<Self> {
        let rows = html! { @for api in apis { (place(base, api)) "\n" } };
        let credentials = html! { @for api in apis { (credentials(api)) "\n" } };
        Arc::new(Self {
            mode,
            base: base.to_owned(),
            apis: rows.into_string().trim_end().to_owned(),
            credentials: credentials.into_string().trim_end().to_owned(),
        })
    }

    /// Answers `GET /` on the port at `local`.
    pub(crate) fn answer(&self, local: SocketAddr, request: &HttpRequest) -> HttpResponse {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        guarded(POLICY)
            .content_type("text/html; charset=utf-8")
            // The commands name the host that was asked for.
            .insert_header((header::VARY, "Host"))
            .body(self.page(host, local))
    }

    /// The page, with commands for `host`; for `local` where the client gave none, or none that may stand in a command.
    fn page(&self, host: Option<&str>, local: SocketAddr) -> String {
        let base = &self.base;
        let (mode, sandbox) = match self.mode {
            Mode::Sandbox => {
                let host = host.filter(|host| is_plain(host)).map(str::to_owned);
                let host = host.unwrap_or_else(|| local.to_string());
                let origin = format!("http://{host}{base}");
                let reach = if local.ip().is_loopback() {
                    "it listens on loopback only"
                } else {
                    "it listens beyond loopback"
                };
                let sandbox = SANDBOX
                    .replace("{origin}", &origin)
                    .replace("{reach}", reach)
                    .replace("{credentials}", &self.credentials);
                ("sandbox", sandbox)
            }
            Mode::Production => ("production", String::new()),
        };
        PAGE.replace("{mode}", mode)
            .replace("{base}", base)
            .replace("{version}", env!("CARGO_PKG_VERSION"))
            .replace("{apis}", &self.apis)
            .replace("{sandbox}", &sandbox)
    }
}

/// Where an API is, and its document.
fn place(base: &str, api: &Api) -> Markup {
    let text = |pointer: &str| api.document.pointer(pointer).and_then(Value::as_str);
    let version = text("/info/version").unwrap_or_default();
    let path = text("/servers/0/url").unwrap_or_default();
    let file = format!("{}.json", api.name);
    html! {
        tr {
            td { (api.title) " " span.version { (version) } }
            td { code { (base) (path) } }
            td { a href=(format!("{base}/openapi/{file}")) { (file) } }
        }
    }
}

/// The headers that sandbox mode accepts, as the security schemes of the document have them.
fn credentials(api: &Api) -> Markup {
    let schemes = api.document.pointer("/components/securitySchemes");
    let header = |name: &str, value: &str| {
        let scheme = schemes.and_then(|schemes| schemes.get(name));
        let of_key = scheme.filter(|scheme| scheme["type"] == "apiKey");
        match of_key.and_then(|scheme| scheme["name"].as_str()) {
            Some(header) => format!("{header}: {value}"),
            None => format!("Authorization: Bearer {value}"),
        }
    };
    let headers = api.sandbox.iter().map(|(name, value)| header(name, value));
    html! {
        tr {
            td { (api.title) }
            td {
                @for (index, header) in headers.enumerate() {
                    @if index > 0 { br; }
                    code { (header) }
                }
            }
        }
    }
}

/// Whether it is a host, with or without a port, that means itself in HTML and to a shell: what is copied is run.
fn is_plain(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    host.bytes().all(plain) && host.parse::<Authority>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ProviderName;
    use crate::provider::conduit;

    fn page(mode: Mode, base: &str, host: Option<&str>, local: SocketAddr) -> String {
        let document = |path: &str, scheme: Value| {
            let info = json!({ "title": "t", "version": "2.1" });
            let document = json!({
                "info": info, "servers": [{ "url": path }], "components": { "securitySchemes": { "Key": scheme } },
            });
            Arc::new(document)
        };
        let key = json!({ "type": "apiKey", "in": "header", "name": "X-Key" });
        let bearer = json!({ "type": "http", "scheme": "bearer" });
        let api = |title, name, document| Api {
            title,
            name,
            document,
            sandbox: &[("Key", "k & y")],
            failures: Vec::new(),
        };
        let apis = [
            api("A & B", conduit::NAME, document("/conduit", key)),
            api(
                "Own",
                ProviderName::OPERATOR,
                document("/operator/v1", bearer),
            ),
        ];
        Landing::new(mode, base, &apis).page(host, local)
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_api_is_listed_with_its_version_its_path_its_document_and_its_credentials() {
        let listed = page(Mode::Production, "/hooks", None, address("127.0.0.1:1"));
        for part in [
            "<td>A &amp; B <span class=\"version\">2.1</span></td><td><code>/hooks/conduit</code></td>",
            "<a href=\"/hooks/openapi/conduit.json\">conduit.json</a>",
            "<td>Own <span class=\"version\">2.1</span></td><td><code>/hooks/operator/v1</code></td>",
        ] {
            assert!(listed.contains(part), "{listed}");
        }
        assert!(!listed.contains("X-Key"), "{listed}");
        let listed = page(Mode::Sandbox, "", None, address("127.0.0.1:1"));
        for part in [
            "<td>A &amp; B</td><td><code>X-Key: k &amp; y</code></td>",
            "<td>Own</td><td><code>Authorization: Bearer k &amp; y</code></td>",
        ] {
            assert!(listed.contains(part), "{listed}");
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
                "{apis}",
                "{credentials}",
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

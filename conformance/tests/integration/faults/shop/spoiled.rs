//! The faults that are in the answer alone.

use super::*;

impl Shop {
    /// The faults that are in the answer alone.
    pub(super) fn spoiled(&self, request: &Request, reply: Reply) -> Reply {
        let (method, path) = (request.method.as_str(), request.path.as_str());
        let (ok, of) = (reply.status == 200, |wanted: &str| {
            path == wanted && method == "GET"
        });
        match self.0 {
            "status" if of("/ping") && ok => Reply {
                status: 203,
                ..reply
            },
            "error-status" if of("/orders") && reply.status == 400 => Reply {
                status: 422,
                ..reply
            },
            "server-error" if of("/ping") && ok => Reply {
                status: 503,
                ..reply
            },
            "success-as-redirection" if of("/ping") && ok => Reply {
                status: 307,
                ..reply
            }
            .header("Location", "/elsewhere"),
            "content-type" if of("/ping") && ok => reply.header("Content-Type", "text/html"),
            "content-type-missing" if of("/ping") && ok => reply.without("Content-Type"),
            "content-type-twice" if of("/ping") && ok => also(reply, "Content-Type", "text/html"),
            "content-type-broken" if of("/ping") && ok => reply.header("Content-Type", "json"),
            "error-content-type" if of("/orders") && reply.status == 400 => {
                reply.header("Content-Type", "text/html")
            }
            "error-body" if of("/orders") && reply.status == 400 => {
                reply.body(b"{\"message\": \"no\"}")
            }
            "error-empty" if of("/orders") && reply.status == 400 => reply.body(b""),
            "header-absent" if of("/orders") && ok => reply.without("X-Total"),
            "header-type" if of("/orders") && ok => reply.header("X-Total", "many"),
            "header-minimum" if of("/orders") && ok => reply.header("X-Total", "-1"),
            "header-second" if of("/orders") && ok => also(reply, "X-Mark", "z"),
            "header-uuid" if method == "POST" && path == "/orders" && reply.status == 201 => {
                reply.header("X-Request-Id", "17")
            }
            "location-broken" if of("/moved") && reply.status == 302 => {
                reply.header("Location", "http://[bad")
            }
            "location-twice" if of("/moved") && reply.status == 302 => {
                also(reply, "Location", "/pong")
            }
            "location-missing" if of("/moved") && reply.status == 302 => reply.without("Location"),
            "location-absent" if method == "POST" && path == "/orders" => reply.without("Location"),
            "body-required" if of("/ping") && ok => reply.body(b"{}"),
            "body-type" if of("/ping") && ok => reply.body(b"{\"ok\": \"yes\"}"),
            "body-null" if of("/both") && ok => reply.edit(|body| body["name"] = json!(null)),
            "body-minimum" if of("/both") && ok => reply.edit(|body| body["id"] = json!(0)),
            "body-fraction" if of("/both") && ok => reply.edit(|body| body["id"] = json!(1.5)),
            "body-min-length" if of("/both") && ok => reply.edit(|body| body["name"] = json!("")),
            "body-format" if of("/both") && ok => {
                reply.edit(|body| body["at"] = json!("yesterday"))
            }
            "body-enum" if of("/both") && ok => reply.edit(|body| body["kind"] = json!("huge")),
            "body-unknown" if of("/orders") && ok => {
                reply.edit(|body| body[1]["internal"] = json!(1))
            }
            "body-pattern" if of("/orders") && ok => reply.edit(|body| body[1]["id"] = json!("2")),
            "body-unique" if of("/orders") && ok => {
                reply.edit(|body| body[0]["tags"] = json!(["a", "a"]))
            }
            "body-branch" if of("/orders") && ok => {
                reply.edit(|body| body[0]["by"] = json!({"name": "x"}))
            }
            "body-list" if of("/orders") && ok => reply.body(b"{\"data\": []}"),
            "body-missing" if of("/ping") && ok => reply.body(b""),
            "body-not-json" if of("/ping") && ok => reply.body(b"{\"ok\": true"),
            "body-html" if of("/ping") && ok => reply.body(b"<html>busy</html>"),
            "body-not-utf8" if of("/ping") && ok => reply.body(b"{\"ok\": true, \"n\": \"\xff\"}"),
            "body-mark" if of("/ping") && ok => reply.body(b"\xef\xbb\xbf{\"ok\": true}"),
            "body-charset" if of("/ping") && ok => reply
                .header("Content-Type", "application/json; charset=iso-8859-1")
                .body("{\"ok\": true, \"n\": \"é\"}".as_bytes()),
            "text-charset" if of("/text") && ok => reply
                .header("Content-Type", "text/plain; charset=utf-16")
                .body(b"odd"),
            "text-short" if of("/text") && ok => reply.body(b"a"),
            "text-pattern" if path == "/colors/.red" && ok => reply.body(b"red"),
            "gzip" if of("/ping") && ok => reply
                .header("Content-Encoding", "gzip")
                .body(b"\x1f\x8b\x08\x00\x00"),
            "gzip-unsaid" if of("/ping") && ok => reply.body(b"\x1f\x8b\x08\x00\x00"),
            "body-of-204" if path == "/forms" && reply.status == 204 => reply.body(b"{}"),
            "endless" if of("/ping") && ok => reply.wire(Wire::Endless),
            "cut-off" if of("/ping") && ok => reply.wire(Wire::Truncated),
            "closed" if of("/ping") && ok => reply.wire(Wire::Closed),
            "hangs" if of("/ping") && ok => reply.wire(Wire::Late(Duration::from_secs(9))),
            "slow" if of("/ping") && ok => reply.wire(Wire::Late(Duration::from_millis(1_200))),
            "extra-member" if of("/both") && ok => reply.edit(|body| body["internal"] = json!(1)),
            "allow-missing" if reply.status == 405 && path == "/ping" => reply.without("Allow"),
            "allow-lacks" if reply.status == 405 && path == "/orders" => {
                reply.header("Allow", "GET")
            }
            "allow-lies" if reply.status == 405 && path == "/ping" => {
                reply.header("Allow", "GET, DELETE")
            }
            "method-404" if reply.status == 405 && path == "/ping" => problem(404),
            "method-accepted" if reply.status == 405 && path == "/ping" && method == "DELETE" => {
                Reply::json(200, &json!({"ok": true}))
            }
            "method-crash" if reply.status == 405 && path == "/ping" => {
                Reply::json(500, &json!({"error": "stack"}))
            }
            "head-404" if method == "HEAD" && path == "/ping" => problem(404),
            "head-headers" if method == "HEAD" && path == "/orders" && ok => {
                reply.without("X-Total")
            }
            "head-crash" if method == "HEAD" && path == "/ping" => {
                Reply::json(500, &json!({"error": "stack"}))
            }
            "options-crash" if method == "OPTIONS" && path == "/ping" => {
                Reply::json(500, &json!({"error": "stack"}))
            }
            "options-allow" if method == "OPTIONS" && path == "/orders" => {
                reply.header("Allow", "GET")
            }
            "refuses-all" if path == "/ping" && (ok || reply.status == 401) => problem(401),
            "post-405" if path == "/forms" && method == "POST" && reply.status == 204 => {
                problem(405).header("Allow", "POST")
            }
            "refuses-type" if path == "/forms" && reply.status == 204 => problem(415),
            _ => reply,
        }
    }
}

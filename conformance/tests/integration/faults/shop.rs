//! A shop over real sockets that does what its document says, except for one fault that is switched on. It shares nothing with the tool:
//! requests are read and checked here by hand.

mod order;
mod spoiled;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::replay::server::{Reply, Request, Wire};

pub(super) const BEARER: &str = "tok-4f9a1c77e2d8";
pub(super) const KEY: &str = "key-aa10";
pub(super) const SECRET: &str = "sec-bb20";
pub(super) const SESSION: &str = "s-1f2e3d";
/// `me:swordfish`.
pub(super) const BASIC: &str = "bWU6c3dvcmRmaXNo";

/// The server with one fault, or with none where its name is empty.
pub(super) struct Shop(pub(super) &'static str);

impl Shop {
    fn has(&self, fault: &str) -> bool {
        self.0 == fault
    }

    pub(super) fn answer(&self, request: &Request) -> Reply {
        let reply = self.right(request);
        self.spoiled(request, reply)
    }

    fn right(&self, request: &Request) -> Reply {
        let segments: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let allowed: &[&str] = match segments.as_slice() {
            ["ping" | "moved" | "both" | "session" | "basic"] => &["GET"],
            ["orders"] => &["GET", "POST"],
            ["items" | "colors", _] => &["GET"],
            ["forms" | "uploads"] => &["POST"],
            ["text"] => &["GET", "PUT"],
            _ => return problem(404),
        };
        let method = match request.method.as_str() {
            "HEAD" if allowed.contains(&"GET") => "GET",
            method => method,
        };
        if method == "OPTIONS" {
            return Reply::new(204).header("Allow", &allowed.join(", "));
        }
        if !allowed.contains(&method) {
            return problem(405).header("Allow", &allowed.join(", "));
        }
        if !self.enters(request, segments[0]) {
            return problem(401);
        }
        match (method, segments.as_slice()) {
            ("GET", ["ping"]) => Reply::json(200, &json!({"ok": true})),
            ("GET", ["moved"]) => Reply::new(302).header("Location", "/ping"),
            ("GET", ["both" | "session" | "basic"]) => Reply::json(200, &item(1)),
            ("GET", ["items", id]) => self.item(request, id),
            ("GET", ["colors", color]) => self.color(color),
            ("GET", ["text"]) => text("hello"),
            ("PUT", ["text"]) => self.put_text(request),
            ("GET", ["orders"]) => self.list(request),
            ("POST", ["orders"]) => self.create(request),
            ("POST", ["forms"]) => self.form(request),
            _ => self.upload(request),
        }
    }

    fn enters(&self, request: &Request, area: &str) -> bool {
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .map(String::as_str)
                .unwrap_or_default()
        };
        match area {
            "both" => {
                let key = header("x-key");
                let secret = header("x-secret");
                let key_is_right = match self.0 {
                    "and-first-ignored" => true,
                    "and-first-present-only" => !key.is_empty(),
                    _ => key == KEY,
                };
                let secret_is_right = match self.0 {
                    "and-second-ignored" => true,
                    "and-second-prefix" => secret.starts_with("sec") || secret.starts_with(SECRET),
                    _ => secret == SECRET,
                };
                key_is_right && secret_is_right
            }
            "session" => {
                let mut pairs = header("cookie").split(';').map(str::trim);
                let sid = pairs.find_map(|pair| pair.strip_prefix("sid="));
                match self.0 {
                    "cookie-present-only" => sid.is_some(),
                    "cookie-ignored" => true,
                    _ => sid == Some(SESSION),
                }
            }
            "basic" => {
                let given = header("authorization");
                let Some(given) = given.strip_prefix("Basic ") else {
                    return self.has("basic-ignored");
                };
                match self.0 {
                    "basic-user-only" => given.starts_with("bWU6"),
                    "basic-ignored" => true,
                    _ => given == BASIC,
                }
            }
            "ping" if self.has("public") => true,
            _ => {
                let given = header("authorization");
                let Some((scheme, token)) = given.split_once(' ') else {
                    return false;
                };
                match self.0 {
                    "any-token" if area == "ping" => scheme == "Bearer",
                    "token-prefix" if area == "ping" => {
                        scheme == "Bearer" && token.starts_with(BEARER)
                    }
                    "token-start" if area == "ping" => {
                        scheme == "Bearer"
                            && token.len() > 6
                            && BEARER.starts_with(&token[..6.min(token.len())])
                    }
                    "token-length" if area == "ping" => {
                        scheme == "Bearer" && token.len() == BEARER.len()
                    }
                    "token-case" if area == "ping" => {
                        scheme == "Bearer" && token.eq_ignore_ascii_case(BEARER)
                    }
                    "any-scheme" if area == "ping" => token == BEARER,
                    _ => scheme == "Bearer" && token == BEARER,
                }
            }
        }
    }

    fn item(&self, request: &Request, id: &str) -> Reply {
        if self.has("path-encoding") && decoded(id).is_none() {
            return Reply::json(500, &json!({"error": "stack"}));
        }
        let Some(id) = decoded(id).and_then(|id| id.parse::<i64>().ok()) else {
            return match self.0 {
                "path-type" => Reply::json(200, &item(1)),
                "path-crash" => Reply::json(500, &json!({"error": "stack"})),
                _ => problem(400),
            };
        };
        if !(1..=1000).contains(&id) && !self.has("path-bound") {
            return problem(400);
        }
        if id > 100 && id <= 1000 {
            return problem(404);
        }
        let id = id.max(1);
        let accept = request.headers.get("accept").map(String::as_str);
        match accept {
            Some("text/csv") if !self.has("accept-ignored") => Reply::new(200)
                .header("Content-Type", "text/csv")
                .body(b"id,name\n1,n\n"),
            Some("application/x-conformance") => problem(406),
            _ => Reply::json(200, &item(id)),
        }
    }

    fn color(&self, color: &str) -> Reply {
        match decoded(color).as_deref() {
            Some(".red") => text("#ff0000"),
            Some(".green") => text("#00ff00"),
            _ if self.has("path-enum") => text("#000000"),
            _ => problem(404),
        }
    }

    fn put_text(&self, request: &Request) -> Reply {
        if !is_type(request, "text/plain") && !self.has("text-type") {
            return problem(415);
        }
        let Ok(text) = std::str::from_utf8(&request.body) else {
            return problem(400);
        };
        let length = text.chars().count();
        match (1..=12).contains(&length) || self.has("text-length") && length > 0 {
            true => Reply::new(204),
            false => problem(400),
        }
    }

    fn list(&self, request: &Request) -> Reply {
        let Some(pairs) = pairs(request.query.trim_start_matches('?')) else {
            return problem(400);
        };
        match self.list_is_right(request, &pairs) {
            true => Reply::json(200, &json!([order(2), order(3)]))
                .header("X-Total", "2")
                .header("X-Mark", "a"),
            false => problem(400),
        }
    }

    fn list_is_right(&self, request: &Request, pairs: &[(String, String)]) -> bool {
        let of = |name: &str| -> Vec<&str> {
            let own = pairs.iter().filter(|(known, _)| known == name);
            own.map(|(_, value)| value.as_str()).collect()
        };
        let limit = match of("limit").first() {
            None => self.has("query-missing"),
            Some(text) => match text.parse::<i64>() {
                Err(_) => self.has("query-type"),
                Ok(number) => {
                    number >= 1 && (number <= 50 || self.has("query-maximum"))
                        || number < 1 && self.has("query-minimum")
                }
            },
        };
        let kind = of("kind")
            .iter()
            .all(|kind| ["small", "large"].contains(kind) || self.has("query-enum"));
        let tags = of("tags");
        let unique: std::collections::BTreeSet<&&str> = tags.iter().collect();
        let tags_are_right = (tags.len() <= 3 || self.has("query-max-items"))
            && (unique.len() == tags.len() || self.has("query-unique"))
            && tags
                .iter()
                .all(|tag| tag.chars().count() >= 2 || self.has("query-item"));
        let ids = of("ids").iter().all(|list| {
            list.split(',').all(|id| id.parse::<i64>().is_ok()) || self.has("query-list-type")
        });
        let members: Vec<(&str, &str)> = pairs
            .iter()
            .filter_map(|(name, value)| {
                Some((
                    name.strip_prefix("filter[")?.strip_suffix(']')?,
                    value.as_str(),
                ))
            })
            .collect();
        let min = members.iter().find(|(name, _)| *name == "min");
        let filter = match min {
            None => members.is_empty() || self.has("deep-required"),
            Some((_, text)) => text
                .parse::<i64>()
                .map_or(self.has("deep-type"), |min| min >= 0),
        };
        let stray = pairs
            .iter()
            .any(|(name, _)| name == "filter" || name == "filter[a");
        let where_is_right = of("where").iter().all(|text| {
            let read = serde_json::from_str::<Value>(text);
            match read {
                Err(_) => self.has("json-parameter"),
                Ok(read) => {
                    read.is_object() && whole(&read["a"]).is_some()
                        || self.has("json-parameter-schema")
                }
            }
        });
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        let trace =
            header("x-trace").is_none_or(|trace| is_uuid(trace) || self.has("header-format"));
        let tenant = match header("x-tenant") {
            None => self.has("header-missing"),
            Some(tenant) => ["north", "south"].contains(&tenant) || self.has("header-enum"),
        };
        let mut cookies = header("cookie")
            .unwrap_or_default()
            .split(';')
            .map(str::trim);
        let theme = cookies.find_map(|pair| pair.strip_prefix("theme="));
        let theme =
            theme.is_none_or(|theme| ["light", "dark"].contains(&theme) || self.has("cookie-enum"));
        limit
            && kind
            && tags_are_right
            && ids
            && filter
            && !stray
            && where_is_right
            && trace
            && tenant
            && theme
    }

    fn form(&self, request: &Request) -> Reply {
        if !is_type(request, "application/x-www-form-urlencoded") && !self.has("form-type") {
            return problem(415);
        }
        let pairs = std::str::from_utf8(&request.body).ok().and_then(pairs);
        let Some(pairs) = pairs else {
            return problem(400);
        };
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in &pairs {
            fields.entry(name).or_default().push(value);
        }
        let of = |name: &str| fields.get(name).and_then(|values| values.first()).copied();
        let known = ["name", "age", "kind", "list"];
        let right = fields
            .keys()
            .all(|name| known.contains(name) || self.has("form-unknown"))
            && of("name").map_or(self.has("form-required"), |name| {
                (2..=10).contains(&name.chars().count()) || self.has("form-length")
            })
            && of("age").is_some_and(|age| {
                age.parse::<i64>().map_or(self.has("form-integer"), |age| {
                    (0..=150).contains(&age) || self.has("form-maximum") && age > 150
                })
            })
            && of("kind").is_none_or(|kind| ["small", "large"].contains(&kind))
            && fields
                .get("list")
                .is_none_or(|list| list.len() <= 2 || self.has("form-items"));
        match right {
            true => Reply::new(204),
            false => problem(400),
        }
    }

    fn upload(&self, request: &Request) -> Reply {
        let content_type = request
            .headers
            .get("content-type")
            .map_or("", String::as_str);
        if !content_type.starts_with("multipart/form-data") {
            return problem(415);
        }
        let Some(fields) = parts(content_type, &request.body) else {
            return problem(400);
        };
        let title = match fields.get("title") {
            None => self.has("part-required"),
            Some(title) => title.chars().count() <= 8 || self.has("part-length"),
        };
        let count = fields.get("count").is_none_or(|count| {
            count
                .parse::<i64>()
                .is_ok_and(|count| count >= 1 || self.has("part-minimum"))
        });
        match title && count && (fields.contains_key("file") || self.has("part-file")) {
            true => Reply::new(204),
            false => problem(400),
        }
    }
}

fn also(mut reply: Reply, name: &str, value: &str) -> Reply {
    reply.headers.push((name.to_owned(), value.to_owned()));
    reply
}

fn problem(status: u16) -> Reply {
    Reply::json(status, &json!({"error": "no"})).header("Content-Type", "application/json")
}

fn text(text: &str) -> Reply {
    Reply::new(200)
        .header("Content-Type", "text/plain; charset=utf-8")
        .body(text.as_bytes())
}

fn item(id: i64) -> Value {
    json!({"id": id, "name": "n", "at": "2026-01-02T03:04:05Z", "kind": "small"})
}

fn order(number: u32) -> Value {
    json!({"id": format!("o{number}"), "qty": 2, "state": "open", "tags": ["a", "b"], "by": null})
}

/// A whole number, which JSON may write as `2.0`.
fn whole(value: &Value) -> Option<i64> {
    let float = value
        .as_f64()
        .filter(|float| float.fract() == 0.0 && float.abs() < 1e18);
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    value.as_i64().or(float.map(|float| float as i64))
}

fn is_type(request: &Request, wanted: &str) -> bool {
    request
        .headers
        .get("content-type")
        .is_some_and(|given| given == wanted)
}

fn is_sku(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 8
        && bytes[..3].iter().all(u8::is_ascii_uppercase)
        && bytes[3] == b'-'
        && bytes[4..].iter().all(u8::is_ascii_digit)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_time(text: &str) -> bool {
    text.contains('T') && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// The pairs of a query or a form; none where they cannot be read.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The parts of a form with their contents.
fn parts(content_type: &str, body: &[u8]) -> Option<BTreeMap<String, String>> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let text = std::str::from_utf8(body).ok()?;
    let close = format!("--{boundary}--\r\n");
    let text = text.strip_suffix(&close)?;
    let mut fields = BTreeMap::new();
    for part in text
        .split(&format!("--{boundary}\r\n"))
        .filter(|part| !part.is_empty())
    {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, _) = name.split_once('"')?;
        fields.insert(name.to_owned(), content.strip_suffix("\r\n")?.to_owned());
    }
    Some(fields)
}

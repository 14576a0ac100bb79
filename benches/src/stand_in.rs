//! A stand-in for `svix-server` in tests: the part of its HTTP API that a load uses, with the answers that its documentation has. It
//! delivers each message to every endpoint of its application, once.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::connection::Connection;
use crate::message;
use crate::peer::PeerProgram;

/// An answer in place of the right one, to requests whose path ends so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) path_end: &'static str,
    pub(crate) status: u16,
    pub(crate) body: &'static str,
}

/// A listening stand-in.
pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    token: String,
    refusal: Option<Refusal>,
    /// Method and path of each request with a token.
    requests: Mutex<Vec<String>>,
    /// The payloads for each endpoint of each application.
    applications: Mutex<Vec<Vec<mpsc::UnboundedSender<String>>>>,
}

impl StandIn {
    pub(crate) async fn start(token: &str, refusal: Option<Refusal>) -> Self {
        Self::listen("127.0.0.1:0", token, refusal).await
    }

    async fn listen(address: &str, token: &str, refusal: Option<Refusal>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let state = Arc::new(State {
            token: token.to_owned(),
            refusal,
            requests: Mutex::default(),
            applications: Mutex::default(),
        });
        let address = listener.local_addr().unwrap();
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, accepting.clone()));
            }
        });
        Self { address, state }
    }

    /// Method and path of each request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    loop {
        let frame = loop {
            if let Some(frame) = message::frame(&buffer).unwrap() {
                break frame;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or_default() == 0 {
                return;
            }
        };
        let head = String::from_utf8(buffer[..frame.head].to_vec()).unwrap();
        let (status, body) = state.answer(&head, &buffer[frame.head..frame.total]);
        buffer.drain(..frame.total);
        let answer = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl State {
    fn answer(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        if (method, target) == ("GET", "/api/v1/health/") {
            let ok = json!({"status": "Ok"});
            let report = json!({"database": ok, "queue": ok, "cache": ok});
            return (200, report.to_string());
        }
        if !head.contains(&format!("\r\nauthorization: Bearer {}\r\n", self.token)) {
            return error(401, "authentication_failed", "Invalid token");
        }
        let request = format!("{method} {target}");
        self.requests.lock().unwrap().push(request);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some(refusal) = self.refusal.filter(|it| path.ends_with(it.path_end)) {
            return (refusal.status, refusal.body.to_owned());
        }
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return error(400, "invalid_json", "Not JSON");
        };
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, &*parts) {
            ("POST", ["api", "v1", "app"]) => self.create_application(&body),
            ("POST", ["api", "v1", "app", id, "endpoint"]) => self.create_endpoint(id, &body),
            ("POST", ["api", "v1", "app", id, "msg"]) => {
                self.create_message(id, &body, query != "with_content=false")
            }
            _ => error(404, "not_found", "No such path"),
        }
    }

    fn create_application(&self, body: &Value) -> (u16, String) {
        if body["name"].as_str().is_none_or(str::is_empty) {
            return invalid("name");
        }
        let mut applications = self.applications.lock().unwrap();
        let id = format!("app_{:027}", applications.len());
        applications.push(Vec::new());
        let answer = json!({
            "uid": null, "name": body["name"], "rateLimit": null, "metadata": {}, "id": id,
            "createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:00:00Z",
        });
        (201, answer.to_string())
    }

    fn create_endpoint(&self, application: &str, body: &Value) -> (u16, String) {
        let mut applications = self.applications.lock().unwrap();
        let Some(endpoints) = find(&mut applications, application) else {
            return error(404, "not_found", "Entity not found");
        };
        let url = body["url"].as_str().unwrap_or_default();
        let Some((authority, path)) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
        else {
            return invalid("url");
        };
        let (sender, payloads) = mpsc::unbounded_channel();
        let receiver = authority.parse().unwrap();
        tokio::spawn(deliver(receiver, format!("/{path}"), payloads));
        let answer = json!({
            "description": "", "rateLimit": null, "uid": null, "url": url, "version": 1,
            "disabled": false, "filterTypes": null, "channels": null, "metadata": {},
            "id": format!("ep_{:027}", endpoints.len()),
            "createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:00:00Z",
        });
        endpoints.push(sender);
        (201, answer.to_string())
    }

    fn create_message(&self, application: &str, body: &Value, with_content: bool) -> (u16, String) {
        let mut applications = self.applications.lock().unwrap();
        let Some(endpoints) = find(&mut applications, application) else {
            return error(404, "not_found", "Application not found");
        };
        if !body["eventType"].is_string() {
            return invalid("eventType");
        }
        if !body["payload"].is_object() {
            return invalid("payload");
        }
        for endpoint in endpoints {
            // An endpoint whose receiver is gone gets nothing.
            let _ = endpoint.send(body["payload"].to_string());
        }
        let payload = if with_content {
            body["payload"].clone()
        } else {
            json!({})
        };
        let answer = json!({
            "eventId": null, "eventType": body["eventType"], "payload": payload, "channels": null,
            "id": "msg_000000000000000000000000000", "timestamp": "2026-11-01T00:00:00Z",
        });
        (202, answer.to_string())
    }
}

type Endpoints = Vec<mpsc::UnboundedSender<String>>;

fn find<'a>(applications: &'a mut [Endpoints], id: &str) -> Option<&'a mut Endpoints> {
    let number: usize = id.strip_prefix("app_")?.parse().ok()?;
    applications.get_mut(number)
}

fn error(status: u16, code: &str, detail: &str) -> (u16, String) {
    (status, json!({"code": code, "detail": detail}).to_string())
}

fn invalid(member: &str) -> (u16, String) {
    let detail = json!([{"loc": ["body", member], "msg": "invalid", "type": "value_error"}]);
    (422, json!({"detail": detail}).to_string())
}

async fn deliver(
    receiver: SocketAddr,
    path: String,
    mut payloads: mpsc::UnboundedReceiver<String>,
) {
    let mut connection = Connection::open(receiver).await.unwrap();
    while let Some(payload) = payloads.recv().await {
        let headers =
            "svix-id: msg_000000000000000000000000000\r\ncontent-type: application/json\r\n";
        let request = message::request("POST", &path, headers, &payload);
        if connection.exchange(&request).await.is_err() {
            return;
        }
    }
}

/// What the program of the test does when it is started to serve: it runs [`serve_as_svix_server`].
pub(crate) const SERVE: &str =
    "exec \"$TESTS\" --exact stand_in::serve_as_svix_server --ignored --nocapture";

/// A program that is called like `svix-server`, uses the PostgreSQL and the Redis that it is given, and serves as the script `serve` does.
pub(crate) fn program(folder: &Path, serve: &str) -> PeerProgram {
    let path = folder.join("svix-server");
    let tests = std::env::current_exe().unwrap();
    let script = format!(
        r#"#!/bin/sh
set -eu
TESTS='{tests}'
case $* in
migrate)
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --command 'CREATE TABLE application (id text)' "$SVIX_DB_DSN"
  redis-cli -u "$SVIX_REDIS_DSN" ping | grep --quiet PONG
  ;;
'jwt generate') echo "Token (Bearer): token-of-$SVIX_JWT_SECRET" ;;
'')
  psql --no-psqlrc --quiet --command 'SELECT id FROM application' "$SVIX_DB_DSN"
  [ "$SVIX_QUEUE_TYPE $SVIX_WHITELIST_SUBNETS" = 'redis ["127.0.0.0/8"]' ]
  {serve}
  ;;
*) exit 2 ;;
esac
"#,
        tests = tests.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("svix={}", path.display()).parse().unwrap()
}

#[tokio::test]
#[ignore = "not a test: what the program of other tests runs"]
async fn serve_as_svix_server() {
    let variable = |name| std::env::var(name).expect("set by benches/peers/svix");
    let token = format!("token-of-{}", variable("SVIX_JWT_SECRET"));
    let _stand_in = StandIn::listen(&variable("SVIX_LISTEN_ADDRESS"), &token, None).await;
    std::future::pending::<()>().await;
}

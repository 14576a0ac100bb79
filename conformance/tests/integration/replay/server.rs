//! A notes API over real sockets: right by itself, wrong where a test plants a fault.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// The credential that the server asks for.
pub(crate) const TOKEN: &str = "s3cr3t-token-42";

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// How an answer goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    /// Nothing is answered, the connection ends.
    Closed,
    /// Half of the body that was announced.
    Truncated,
    /// A body without end.
    Endless,
    /// The answer comes after this time.
    Late(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) wire: Wire,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            wire: Wire::Whole,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let media_type = if status < 400 {
            "application/json"
        } else {
            "application/problem+json"
        };
        Self::new(status)
            .header("Content-Type", media_type)
            .body(body.to_string().as_bytes())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Whether nothing can follow on the same connection.
    fn ends_connection(&self) -> bool {
        let is_whole = matches!(self.wire, Wire::Whole | Wire::Late(_));
        !is_whole || self.status == 204 && !self.body.is_empty()
    }

    pub(crate) fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Changes the JSON body.
    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut value = serde_json::from_slice(&self.body).expect("the reply is JSON");
        edit(&mut value);
        self.body = value.to_string().into_bytes();
        self
    }
}

/// Changes a right reply to a wrong one.
pub(crate) type Tamper = Box<dyn Fn(&Request, Reply) -> Reply + Send + Sync>;

#[derive(Default)]
struct Notes {
    serial: u32,
    notes: BTreeMap<String, Value>,
    comments: BTreeMap<String, Value>,
}

/// The running server; its thread ends with the test process.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Request>>>,
    notes: Arc<Mutex<Notes>>,
}

impl Server {
    pub(crate) fn start(tamper: Tamper) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!(
            "http://{}",
            listener.local_addr().expect("the listener has an address")
        );
        let notes = Arc::new(Mutex::new(Notes::default()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tamper = Arc::new(tamper);
        let (log, kept) = (Arc::clone(&seen), Arc::clone(&notes));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (notes, tamper, log) =
                    (Arc::clone(&notes), Arc::clone(&tamper), Arc::clone(&log));
                thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    while let Some(request) = read(&mut reader) {
                        log.lock().expect("no thread panics").push(request.clone());
                        let reply = notes.lock().expect("no thread panics").answer(&request);
                        let reply = tamper(&request, reply);
                        let written = write(&stream, &request, &reply);
                        if written.is_err() || reply.ends_connection() {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            url,
            seen,
            notes: kept,
        }
    }

    /// How many notes there are.
    pub(crate) fn notes(&self) -> usize {
        self.notes.lock().expect("no thread panics").notes.len()
    }

    /// Method and path with query of all requests, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("no thread panics");
        let line =
            |request: &Request| format!("{} {}{}", request.method, request.path, request.query);
        seen.iter().map(line).collect()
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), format!("?{query}")),
        None => (target, String::new()),
    };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        query,
        headers,
        body,
    })
}

fn write(mut stream: &TcpStream, request: &Request, reply: &Reply) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    if let Wire::Late(time) = reply.wire {
        thread::sleep(time);
    }
    if reply.wire == Wire::Closed {
        return Ok(());
    }
    let mut head = format!("HTTP/1.1 {} Status\r\n", reply.status);
    if reply.ends_connection() {
        head += "Connection: close\r\n";
    }
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if reply.wire == Wire::Endless {
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        let chunk = vec![b' '; 64 * 1024];
        loop {
            stream.write_all(&chunk)?;
        }
    }
    if reply.status != 204 || !reply.body.is_empty() {
        head += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    let mut whole = format!("{head}\r\n").into_bytes();
    let body = if reply.wire == Wire::Truncated {
        &reply.body[..reply.body.len() / 2]
    } else {
        &reply.body[..]
    };
    if request.method != "HEAD" {
        whole.extend_from_slice(body);
    }
    stream.write_all(&whole)
}

fn problem(status: u16, title: &str) -> Reply {
    Reply::json(status, &json!({"status": status, "title": title}))
}

impl Notes {
    fn answer(&mut self, request: &Request) -> Reply {
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let Some(("api", rest)) = segments.split_first().map(|(first, rest)| (*first, rest)) else {
            return problem(404, "no such path");
        };
        if let ["colors", name] = rest {
            return Reply::json(200, &json!({"name": name}));
        }
        if request
            .headers
            .get("x-token")
            .is_none_or(|token| token != TOKEN)
        {
            return problem(401, "no token");
        }
        match (request.method.as_str(), rest) {
            ("POST", ["notes"]) => self.create(request),
            ("GET", ["notes"]) => self.list(request),
            (_, ["notes", id, ..]) if !self.notes.contains_key(*id) => problem(404, "no such note"),
            ("GET", ["notes", id]) => Reply::json(200, &self.notes[*id]),
            ("PATCH", ["notes", id]) => self.update(id, request),
            ("DELETE", ["notes", id]) => {
                self.notes.remove(*id);
                Reply::new(204)
            }
            ("POST", ["notes", _, "comments"]) => {
                let Ok(mut comment @ Value::Object(_)) = serde_json::from_slice(&request.body)
                else {
                    return problem(400, "the body is not an object");
                };
                self.serial += 1;
                let id = format!("c-{}", self.serial);
                comment["commentId"] = json!(id);
                self.comments.insert(id, comment.clone());
                Reply::json(201, &comment)
            }
            ("GET", ["notes", _, "comments", id]) => match self.comments.get(*id) {
                Some(comment) => Reply::json(200, comment),
                None => problem(404, "no such comment"),
            },
            _ => problem(404, "no such path"),
        }
    }

    fn create(&mut self, request: &Request) -> Reply {
        if request
            .headers
            .get("content-type")
            .is_none_or(|kind| kind != "application/json")
        {
            return problem(415, "send JSON");
        }
        let Ok(Value::Object(given)) = serde_json::from_slice(&request.body) else {
            return problem(400, "the body is not JSON");
        };
        if !given.contains_key("title") {
            return problem(400, "title is required");
        }
        self.serial += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.serial);
        let mut note = Map::new();
        note.insert("id".into(), json!(id));
        let defaults = json!({"title": "", "tags": [], "color": null, "dueAt": null, "size": 0});
        for (name, default) in defaults.as_object().expect("an object") {
            note.insert(name.clone(), given.get(name).unwrap_or(default).clone());
        }
        note.insert("createdAt".into(), json!("2026-03-04T05:06:07.089Z"));
        self.notes.insert(id.clone(), Value::Object(note.clone()));
        Reply::json(201, &Value::Object(note))
            .header("Location", &format!("/api/notes/{id}"))
            .header("X-RateLimit-Remaining", "41")
            .header("X-Features", "1, 2,3")
    }

    fn list(&self, request: &Request) -> Reply {
        if request.query.contains("page%5Bsize%5D=0") {
            return problem(400, "the page size is from 1 to 100");
        }
        let red = request.query.contains("color=red");
        let fits = |note: &&Value| !red || note["color"] == json!("red");
        let data: Vec<&Value> = self.notes.values().filter(fits).collect();
        let next = request.query.contains("page%5Bsize%5D").then_some("abc");
        Reply::json(200, &json!({"data": data, "next": next}))
    }

    fn update(&mut self, id: &str, request: &Request) -> Reply {
        let Ok(given @ Value::Object(_)) = serde_json::from_slice::<Value>(&request.body) else {
            return problem(400, "the body is not an object");
        };
        if given["title"] == json!("") {
            return problem(400, "the title is empty");
        }
        let note = self.notes.get_mut(id).expect("checked before");
        for (name, value) in given.as_object().into_iter().flatten() {
            note[name] = value.clone();
        }
        Reply::json(200, note)
    }
}

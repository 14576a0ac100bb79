//! A library over real sockets: right by itself, wrong where a fault is switched on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Map, Value, json};

pub(crate) const FIRST: &str = "token-of-the-first-user";
pub(crate) const SECOND: &str = "token-of-the-second-user";

/// A fault of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    NotStored,
    StoredTruncated,
    StoredInUpperCase,
    NumberRounded,
    MemberLost,
    NestedMemberLost,
    DefaultLost,
    DefaultOther,
    NewestNotListed,
    ReadCounts,
    UpdateIgnored,
    UpdateOfOneMemberIgnored,
    UpdateOverwritesAnother,
    UpdateResetsWhatIsNotSent,
    UpdateChangesCreationTime,
    UpdateTimeStill,
    UpdateTimeBack,
    UpdateTagStill,
    UpdateWeakTagStill,
    UpdatesRefused,
    PutMerges,
    PutStoresTruncated,
    PutAppends,
    PutRefusedTheSecondTime,
    DeleteDoesNothing,
    DeletedStillListed,
    DeletedStillUpdated,
    SecondDeleteSucceeds,
    DeleteRefused,
    ForeignRead,
    ForeignList,
    ForeignUpdate,
    ForeignDelete,
    ForeignUpdateDespiteRefusal,
    ForeignDeleteDespiteRefusal,
    LocationLost,
    LocationOfAnother,
    KeyIgnored,
    PageSkipsOne,
    PageRepeatsOne,
    PagesRestart,
    PagesNeverEnd,
    PageTooLarge,
    TotalOneMore,
    TotalOfPage,
    OffsetIgnored,
    OffsetSkips,
    HeaderTotalWrong,
    CreationRefused,
    NoId,
    NoteNotStored,
    ListedNotReadable,
    ErrorAfterUpdate,
}

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

struct Book {
    id: String,
    owner: String,
    members: Map<String, Value>,
    deleted: bool,
    updated: bool,
}

struct Note {
    id: u64,
    book: String,
    text: Value,
}

#[derive(Default)]
pub(crate) struct Library {
    serial: u64,
    time: u64,
    books: Vec<Book>,
    notes: Vec<Note>,
    keys: BTreeMap<String, (String, Value)>,
    last_put: Option<Value>,
}

/// The running server; its threads end with the test process.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    library: Arc<Mutex<Library>>,
}

impl Server {
    pub(crate) fn start(fault: Fault) -> Self {
        Self::with(fault, |_| {})
    }

    /// Calls `before` before each answer.
    pub(crate) fn with(fault: Fault, before: impl Fn(&Request) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut library = Library::default();
        for owner in [FIRST, SECOND] {
            library.add(owner, &json!({"title": "There before"}), Fault::None);
        }
        let library = Arc::new(Mutex::new(library));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (kept, log, before) = (Arc::clone(&library), Arc::clone(&lines), Arc::new(before));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (library, log, before) =
                    (Arc::clone(&library), Arc::clone(&log), Arc::clone(&before));
                thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    while let Some(request) = read(&mut reader) {
                        before(&request);
                        log.lock()
                            .expect("no panic")
                            .push(format!("{} {}", request.method, request.path));
                        let reply = library.lock().expect("no panic").answer(&request, fault);
                        if write(&stream, &reply).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            url,
            lines,
            library: kept,
        }
    }

    /// The titles of the books that there are.
    pub(crate) fn titles(&self) -> Vec<String> {
        let library = self.library.lock().expect("no panic");
        let there = library.books.iter().filter(|book| !book.deleted);
        there
            .map(|book| {
                book.members["title"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    }

    pub(crate) fn notes(&self) -> usize {
        self.library.lock().expect("no panic").notes.len()
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = query
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
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
        path: path.to_owned(),
        query,
        headers,
        body,
    })
}

fn write(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut text = format!("HTTP/1.1 {} Status\r\n", reply.status);
    for (name, value) in &reply.headers {
        text += &format!("{name}: {value}\r\n");
    }
    let body = reply
        .body
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    if reply.body.is_some() {
        let kind = if reply.status < 400 {
            "application/json"
        } else {
            "application/problem+json"
        };
        text += &format!("Content-Type: {kind}\r\n");
    }
    if reply.status != 204 {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes())
}

fn json_reply(status: u16, body: Value) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Some(body),
    }
}

fn problem(status: u16, title: &str) -> Reply {
    json_reply(status, json!({"status": status, "title": title}))
}

impl Library {
    fn now(&mut self, step: u64) -> Value {
        self.time += step;
        json!(format!(
            "2026-01-01T00:{:02}:{:02}.{:03}Z",
            self.time / 60_000 % 60,
            self.time / 1000 % 60,
            self.time % 1000
        ))
    }

    /// The members of a book that a client gave, with those that it left out.
    fn whole(given: &Value, fault: Fault) -> Map<String, Value> {
        let mut members = Map::new();
        let language = match fault {
            Fault::DefaultLost => Value::Null,
            Fault::DefaultOther => json!("de"),
            _ => json!("en"),
        };
        let defaults = json!({"title": "", "subtitle": null, "language": language, "price": null, "pages": null, "tags": [], "lent": false, "author": null});
        for (name, default) in defaults.as_object().expect("an object") {
            members.insert(name.clone(), given.get(name).unwrap_or(default).clone());
        }
        members
    }

    fn add(&mut self, owner: &str, given: &Value, fault: Fault) -> String {
        self.serial += 1;
        let id = format!("book-{}", self.serial);
        let mut members = Self::whole(given, fault);
        match fault {
            Fault::StoredTruncated => truncate(&mut members),
            Fault::StoredInUpperCase => {
                let title = members["title"].as_str().unwrap_or_default().to_uppercase();
                members["title"] = json!(title);
            }
            Fault::NumberRounded => {
                members["price"] = members["price"]
                    .as_f64()
                    .map_or(Value::Null, |price| json!((price / 10.0).floor() * 10.0));
            }
            Fault::MemberLost => members["tags"] = json!([]),
            Fault::NestedMemberLost => {
                if let Some(author) = members["author"].as_object_mut() {
                    author.remove("born");
                    author.insert("name".to_owned(), json!("somebody"));
                }
            }
            _ => {}
        }
        let now = self.now(7);
        members.insert("createdAt".to_owned(), now.clone());
        members.insert("updatedAt".to_owned(), now);
        members.insert("id".to_owned(), json!(id));
        self.books.push(Book {
            id: id.clone(),
            owner: owner.to_owned(),
            members,
            deleted: false,
            updated: false,
        });
        id
    }

    fn answer(&mut self, request: &Request, fault: Fault) -> Reply {
        let user = request.headers.get("x-token").cloned().unwrap_or_default();
        if user != FIRST && user != SECOND {
            return problem(401, "who are you?");
        }
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), &segments[..]) {
            ("POST", ["api", "books"]) => self.create(request, &user, &body, fault),
            ("GET", ["api", "books"]) => self.list(request, &user, fault),
            (_, ["api", "books", id]) => self.one(request, &user, id, &body, fault),
            (method, ["api", "books", id, "notes", rest @ ..]) => {
                let is_own = self
                    .books
                    .iter()
                    .any(|book| book.id == *id && book.owner == user && !book.deleted);
                match is_own {
                    true => self.notes_of(method, request, id, rest, &body, fault),
                    false => problem(404, "no such book"),
                }
            }
            _ => problem(404, "no such path"),
        }
    }

    fn create(&mut self, request: &Request, user: &str, body: &Value, fault: Fault) -> Reply {
        if fault == Fault::CreationRefused {
            return problem(403, "the quota of this plan is used up");
        }
        if !body.get("title").is_some_and(|title| {
            title
                .as_str()
                .is_some_and(|title| !title.is_empty() && title.chars().count() <= 200)
        }) {
            return problem(400, "a title is needed");
        }
        if let Some(known) = body
            .as_object()
            .and_then(|members| members.keys().find(|name| !is_known(name)))
        {
            return problem(400, &format!("unknown member {known}"));
        }
        let key = request
            .headers
            .get("idempotency-key")
            .filter(|_| !matches!(fault, Fault::KeyIgnored | Fault::NotStored))
            .cloned();
        let id = match key.as_ref().and_then(|key| self.keys.get(key)) {
            Some((_, known)) if known != body => return problem(409, "another body with this key"),
            Some((id, _)) => id.clone(),
            None => self.add(user, body, fault),
        };
        if let Some(key) = key {
            self.keys.insert(key, (id.clone(), body.clone()));
        }
        let book = self
            .books
            .iter()
            .find(|book| book.id == id)
            .expect("it was just added");
        let mut shown = Value::Object(book.members.clone());
        // The answer is what was sent, whatever was stored.
        for (name, value) in Self::whole(body, Fault::None) {
            shown[&name] = value;
        }
        let mut location = format!("/api/books/{id}");
        match fault {
            Fault::NotStored => self.books.retain(|book| book.id != id),
            Fault::LocationLost => location = format!("/api/book/{id}"),
            Fault::LocationOfAnother => location = "/api/books/book-1".to_owned(),
            Fault::NoId => {
                shown.as_object_mut().expect("an object").remove("id");
                location = "/".to_owned();
            }
            _ => {}
        }
        let mut reply = json_reply(201, shown);
        reply.headers.push(("Location".to_owned(), location));
        reply
    }

    fn list(&mut self, request: &Request, user: &str, fault: Fault) -> Reply {
        let limit: usize = request
            .query
            .get("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(20);
        let all: Vec<&Book> = self
            .books
            .iter()
            .filter(|book| book.owner == user || fault == Fault::ForeignList)
            .filter(|book| !book.deleted || fault == Fault::DeletedStillListed)
            .collect();
        let all = match fault {
            Fault::NewestNotListed => &all[..all.len().saturating_sub(1)],
            _ => &all[..],
        };
        let start: usize = request
            .query
            .get("cursor")
            .and_then(|cursor| cursor.trim_start_matches('c').parse().ok())
            .unwrap_or(0);
        let end = (start + limit + usize::from(fault == Fault::PageTooLarge)).min(all.len());
        let page = all.get(start..end).unwrap_or_default();
        let next = match fault {
            Fault::PageSkipsOne if end + 1 < all.len() => Some(end + 1),
            Fault::PageRepeatsOne if end < all.len() && limit > 1 => Some(end - 1),
            Fault::PagesRestart if end == all.len() => Some(0),
            Fault::PagesNeverEnd => Some(end.max(start + 1)),
            _ => Some(end).filter(|end| *end < all.len()),
        };
        let total = match fault {
            Fault::TotalOneMore => all.len() + 1,
            Fault::TotalOfPage => page.len(),
            _ => all.len(),
        };
        let data: Vec<Value> = page
            .iter()
            .map(|book| Value::Object(book.members.clone()))
            .collect();
        json_reply(
            200,
            json!({"data": data, "next": next.map(|next| format!("c{next}")), "total": total}),
        )
    }

    fn one(
        &mut self,
        request: &Request,
        user: &str,
        id: &str,
        body: &Value,
        fault: Fault,
    ) -> Reply {
        let now = match fault {
            Fault::UpdateTimeBack => json!("2025-12-31T00:00:00.001Z"),
            _ => self.now(7),
        };
        let last_put = self.last_put.clone();
        let Some(book) = self.books.iter_mut().find(|book| book.id == id) else {
            return problem(404, "no such book");
        };
        let method = request.method.as_str();
        let is_foreign = book.owner != user;
        let is_allowed = matches!(
            (method, fault),
            ("GET", Fault::ForeignRead)
                | ("PATCH" | "PUT", Fault::ForeignUpdate)
                | ("DELETE", Fault::ForeignDelete)
        );
        if is_foreign && !is_allowed {
            match (method, fault) {
                ("PATCH", Fault::ForeignUpdateDespiteRefusal) => {
                    book.members["title"] = json!("changed by somebody else");
                }
                ("DELETE", Fault::ForeignDeleteDespiteRefusal) => book.deleted = true,
                _ => {}
            }
            return problem(404, "no such book");
        }
        if book.deleted {
            return match (method, fault) {
                ("PATCH", Fault::DeletedStillUpdated) => {
                    json_reply(200, Value::Object(book.members.clone()))
                }
                ("DELETE", Fault::SecondDeleteSucceeds) => Reply {
                    status: 204,
                    headers: Vec::new(),
                    body: None,
                },
                _ => problem(404, "no such book"),
            };
        }
        match method {
            "GET" => {
                match fault {
                    Fault::ReadCounts => {
                        book.members["pages"] =
                            json!(book.members["pages"].as_u64().unwrap_or(0) + 1);
                    }
                    Fault::ListedNotReadable => return problem(404, "no such book"),
                    Fault::ErrorAfterUpdate if book.updated => return problem(500, "oh"),
                    _ => {}
                }
                let tag = match fault {
                    Fault::UpdateTagStill => format!("\"{id}\""),
                    Fault::UpdateWeakTagStill => format!("W/\"{id}\""),
                    _ => format!("\"{}\"", hash(&book.members)),
                };
                let mut reply = json_reply(200, Value::Object(book.members.clone()));
                reply.headers.push(("ETag".to_owned(), tag));
                reply
            }
            "PATCH" => {
                if fault == Fault::UpdatesRefused {
                    return problem(422, "this book cannot be changed");
                }
                let Some(given) = body
                    .as_object()
                    .filter(|given| !given.is_empty() && given.keys().all(|name| is_known(name)))
                else {
                    return problem(400, "nothing to change");
                };
                let created = book.members["createdAt"].clone();
                let updated = book.members["updatedAt"].clone();
                let before = book.members.clone();
                if fault == Fault::UpdateResetsWhatIsNotSent {
                    for (name, value) in
                        Self::whole(&json!({"title": before["title"]}), Fault::None)
                    {
                        book.members[&name] = value;
                    }
                }
                for (name, value) in given {
                    book.members[name] = value.clone();
                }
                book.members["updatedAt"] = now.clone();
                let shown = book.members.clone();
                match fault {
                    Fault::UpdateIgnored => {
                        book.members = before;
                        book.members["updatedAt"] = now;
                    }
                    Fault::UpdateOfOneMemberIgnored => {
                        book.members["subtitle"] = before["subtitle"].clone();
                    }
                    Fault::UpdateOverwritesAnother if given.contains_key("title") => {
                        book.members["tags"] = json!([]);
                    }
                    Fault::UpdateChangesCreationTime => book.members["createdAt"] = now,
                    Fault::UpdateTimeStill => book.members["updatedAt"] = updated,
                    _ => book.members["createdAt"] = created,
                }
                book.updated = true;
                json_reply(200, Value::Object(shown))
            }
            "PUT" => {
                if body.get("title").is_none() {
                    return problem(400, "a title is needed");
                }
                let is_again = last_put.as_ref() == Some(body);
                if fault == Fault::PutRefusedTheSecondTime && is_again {
                    return problem(400, "nothing changed");
                }
                let mut members = Self::whole(body, Fault::None);
                match fault {
                    Fault::PutMerges => {
                        for (name, value) in &book.members {
                            if body.get(name).is_none() {
                                members.insert(name.clone(), value.clone());
                            }
                        }
                    }
                    Fault::PutStoresTruncated => truncate(&mut members),
                    Fault::PutAppends if is_again => {
                        let mut tags = members["tags"].as_array().cloned().unwrap_or_default();
                        tags.push(json!("once more"));
                        members["tags"] = json!(tags);
                    }
                    _ => {}
                }
                for (name, value) in members {
                    book.members[&name] = value;
                }
                book.members["updatedAt"] = now;
                let shown = book.members.clone();
                self.last_put = Some(body.clone());
                json_reply(200, Value::Object(shown))
            }
            "DELETE" => {
                match fault {
                    Fault::DeleteRefused => return problem(409, "it is lent"),
                    Fault::DeleteDoesNothing => {}
                    _ => book.deleted = true,
                }
                Reply {
                    status: 204,
                    headers: Vec::new(),
                    body: None,
                }
            }
            _ => problem(405, "no such method"),
        }
    }

    fn notes_of(
        &mut self,
        method: &str,
        request: &Request,
        book: &str,
        rest: &[&str],
        body: &Value,
        fault: Fault,
    ) -> Reply {
        match (method, rest) {
            ("POST", []) => {
                let Some(text) = body.get("text").filter(|text| text.is_string()) else {
                    return problem(400, "a text is needed");
                };
                self.serial += 1;
                let id = self.serial;
                if fault != Fault::NoteNotStored {
                    self.notes.push(Note {
                        id,
                        book: book.to_owned(),
                        text: text.clone(),
                    });
                }
                json_reply(201, json!({"data": {"id": id, "text": text}}))
            }
            ("GET", []) => {
                let number = |name: &str, other| {
                    request
                        .query
                        .get(name)
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(other)
                };
                let (limit, offset): (usize, usize) = (number("limit", 20), number("offset", 0));
                let all: Vec<Value> = self
                    .notes
                    .iter()
                    .filter(|note| note.book == book)
                    .map(|note| json!({"id": note.id, "text": note.text}))
                    .collect();
                let start = match fault {
                    Fault::OffsetIgnored => 0,
                    Fault::OffsetSkips if offset > 0 => offset + 1,
                    _ => offset,
                };
                let page: Vec<Value> = all.iter().skip(start).take(limit).cloned().collect();
                let total = all.len() + usize::from(fault == Fault::HeaderTotalWrong);
                let mut reply = json_reply(200, json!(page));
                reply
                    .headers
                    .push(("X-Total-Count".to_owned(), total.to_string()));
                reply
            }
            ("GET", [id]) => match self
                .notes
                .iter()
                .find(|note| note.book == book && note.id.to_string() == *id)
            {
                Some(note) => json_reply(200, json!({"data": {"id": note.id, "text": note.text}})),
                None => problem(404, "no such note"),
            },
            ("DELETE", [id]) => {
                let before = self.notes.len();
                self.notes
                    .retain(|note| !(note.book == book && note.id.to_string() == *id));
                match self.notes.len() < before {
                    true => Reply {
                        status: 204,
                        headers: Vec::new(),
                        body: None,
                    },
                    false => problem(404, "no such note"),
                }
            }
            _ => problem(404, "no such path"),
        }
    }
}

fn is_known(name: &str) -> bool {
    [
        "title", "subtitle", "language", "price", "pages", "tags", "lent", "author", "pin",
    ]
    .contains(&name)
}

fn hash(members: &Map<String, Value>) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(members, &mut hasher);
    std::hash::Hasher::finish(&hasher)
}

/// As a column of 40 characters does.
fn truncate(members: &mut Map<String, Value>) {
    let title: String = members["title"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(40)
        .collect();
    members["title"] = json!(title);
}

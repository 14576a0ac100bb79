//! The server under test: answers each operation of a document with one response that the document allows, whatever the request is.
//!
//! It accepts what it should refuse, so most invalid requests are findings: more work for the program that is measured than a correct
//! server makes. It only knows what was deleted, so that nobody waits for a deletion to show.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Context;
use conformance::document::{Document, Operation};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::message;
use crate::value;

/// A running stub; it ends with the process.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    served: Arc<AtomicU64>,
    routes: Arc<Routes>,
}

/// The responses of a document.
struct Routes {
    /// By method and number of segments.
    known: HashMap<(String, usize), Vec<Route>>,
    /// Paths of what was deleted.
    deleted: Mutex<BTreeSet<String>>,
}

struct Route {
    /// Segments of the path; none stands for a parameter.
    segments: Vec<Option<String>>,
    response: Vec<u8>,
    /// The same with empty lists.
    empty: Vec<u8>,
}

impl Stub {
    /// Serves the operations of a document on a free port of loopback, from a thread of its own.
    ///
    /// # Errors
    /// When no thread or port is free.
    pub(crate) fn start(document: &Document) -> anyhow::Result<Self> {
        let routes = Arc::new(Routes::of(document));
        let served = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&served);
        let serving = Arc::clone(&routes);
        let (tell, told) = std::sync::mpsc::channel();
        let serve = async move {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            // The receiver waits for it.
            let _ = tell.send(listener.local_addr()?);
            loop {
                let (stream, _) = listener.accept().await?;
                let (routes, served) = (Arc::clone(&serving), Arc::clone(&counted));
                // A connection that breaks is the client's affair: it counts the answers that it got.
                tokio::spawn(async move {
                    let _ = talk(stream, &routes, &served).await;
                });
            }
        };
        thread::Builder::new().spawn(move || -> io::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build()?;
            runtime.block_on(serve)
        })?;
        let address = told.recv().context("the stub did not start")?;
        Ok(Self {
            address,
            served,
            routes,
        })
    }

    /// Forgets what was deleted and how many requests were answered: each run meets the same server.
    pub(crate) fn begin(&self) {
        self.served.store(0, Ordering::Relaxed);
        self.routes.deleted().clear();
    }

    /// How many requests were answered since the beginning.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}

async fn talk(mut stream: TcpStream, routes: &Routes, served: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let frame = loop {
            match message::frame(&buffer) {
                Ok(Some(frame)) => break frame,
                Ok(None) => {}
                // Deliberately malformed requests are part of a run.
                Err(_) => return stream.write_all(REFUSED).await,
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        served.fetch_add(1, Ordering::Relaxed);
        let response = routes.answer(&buffer[..frame.head]);
        let is_head = buffer.starts_with(b"HEAD ");
        let end = match is_head {
            true => message::find(response, b"\r\n\r\n").map_or(response.len(), |end| end + 4),
            false => response.len(),
        };
        stream.write_all(&response[..end]).await?;
        buffer.drain(..frame.total);
    }
}

const REFUSED: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const NOT_ALLOWED: &[u8] = b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n";

impl Routes {
    fn of(document: &Document) -> Self {
        let mut routes = Self {
            known: HashMap::new(),
            deleted: Mutex::default(),
        };
        for operation in document.operations() {
            let segments: Vec<Option<String>> = segments(operation.path)
                .map(|segment| (!segment.contains('{')).then(|| segment.to_owned()))
                .collect();
            let key = (operation.method.clone(), segments.len());
            let below = routes.known.entry(key).or_default();
            below.push(Route {
                segments,
                response: response(document, &operation, false),
                empty: response(document, &operation, true),
            });
        }
        for below in routes.known.values_mut() {
            // A literal path comes before one with parameters.
            below.sort_by_key(|route| route.segments.iter().filter(|one| one.is_none()).count());
        }
        routes
    }

    fn deleted(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, head: &[u8]) -> &[u8] {
        let method = head.split(|byte| *byte == b' ').next().unwrap_or_default();
        let method = match method {
            b"HEAD" => "GET",
            other => std::str::from_utf8(other).unwrap_or_default(),
        };
        let target = message::path(head).unwrap_or_default();
        let path = target.split(|byte| *byte == b'?').next();
        let path = std::str::from_utf8(path.unwrap_or_default()).unwrap_or_default();
        let below = self.known.get(&(method.to_owned(), segments(path).count()));
        let fits = |route: &&Route| {
            let pairs = route.segments.iter().zip(segments(path));
            pairs
                .into_iter()
                .all(|(own, given)| own.as_ref().is_none_or(|own| own == given))
        };
        let Some(below) = below else {
            return NOT_ALLOWED;
        };
        let Some(route) = below.iter().find(fits) else {
            return NOT_FOUND;
        };
        let path = path.trim_end_matches('/');
        let mut deleted = self.deleted();
        if deleted.contains(path) {
            return NOT_FOUND;
        }
        let within = format!("{path}/");
        let is_within = |known: &String| known.starts_with(&within);
        match method {
            "POST" => deleted.retain(|known| !is_within(known)),
            "DELETE" => {
                deleted.insert(path.to_owned());
            }
            "GET"
                if deleted
                    .range(within.clone()..)
                    .next()
                    .is_some_and(is_within) =>
            {
                return &route.empty;
            }
            _ => {}
        }
        &route.response
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

/// The first documented response of success, with a body that its schema describes.
fn response(document: &Document, operation: &Operation<'_>, empty: bool) -> Vec<u8> {
    let responses = operation.responses(document);
    let found = responses.iter().find(|(status, _)| status.starts_with('2'));
    let Some((status, response)) = found.or_else(|| responses.first()) else {
        return NOT_FOUND.to_vec();
    };
    let status = status.parse().unwrap_or(200_u16);
    let mut head = format!("HTTP/1.1 {status} OK\r\n");
    let content = response
        .value
        .get("content")
        .and_then(|content| content.as_object());
    let first = content.and_then(|content| content.iter().next());
    let mut body = Vec::new();
    if let Some((media_type, media)) = first {
        head += &format!("content-type: {media_type}\r\n");
        let mut value = value::of_media(document, media);
        if empty {
            clear(&mut value);
        }
        body = match value.as_str() {
            Some(text) if !media_type.contains("json") => text.as_bytes().to_vec(),
            _ => value.to_string().into_bytes(),
        };
    }
    let headers = response
        .value
        .get("headers")
        .and_then(|headers| headers.as_object());
    for (name, header) in headers.into_iter().flatten() {
        if let Some(schema) = header.get("schema") {
            let value = value::of_schema(document, schema);
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            head += &format!("{name}: {value}\r\n");
        }
    }
    if status != 204 {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let mut bytes = format!("{head}\r\n").into_bytes();
    bytes.extend(body);
    bytes
}

/// Empties the lists of a value.
fn clear(value: &mut Value) {
    match value {
        Value::Array(items) => items.clear(),
        Value::Object(members) => members.values_mut().for_each(clear),
        _ => {}
    }
}

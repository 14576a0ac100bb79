//! A library over real sockets: right by itself, wrong where a fault is switched on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::library::Library;

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
    CreationAnswersOther,
    UpdateAnswersOld,
    PutAnswersOld,
    FirstReplaced,
    FirstForgotten,
    ListShowsFirst,
    LimitDefaultOther,
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
    TotalPagesWrong,
    MoreDenied,
    MoreBehindTheLast,
    OffsetIgnored,
    OffsetSkips,
    HeaderTotalWrong,
    FilterIgnored,
    FilterLosesOne,
    FilterTotal,
    TimeIgnored,
    TimeReversed,
    TimeLosesOne,
    OrderIgnored,
    ZeroLost,
    LettersLost,
    OffsetDropped,
    PairSwapped,
    UpdateToFalseIgnored,
    UpdateToNullIgnored,
    UpdateToEmptyIgnored,
    RefusedCreationStored,
    RefusedUpdateApplied,
    ConditionIgnored,
    ReadNeverModified,
    IdTakenTwice,
    NoteBelowAnyBook,
    DeletedStillReplaced,
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

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Value>,
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

    /// Adds books of the first user.
    pub(crate) fn stock(&self, count: usize) {
        let mut library = self.library.lock().expect("no panic");
        for _ in 0..count {
            library.add(FIRST, &json!({"title": "There before"}), Fault::None);
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

pub(super) fn json_reply(status: u16, body: Value) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Some(body),
    }
}

pub(super) fn no_content() -> Reply {
    Reply {
        status: 204,
        headers: Vec::new(),
        body: None,
    }
}

pub(super) fn problem(status: u16, title: &str) -> Reply {
    json_reply(status, json!({"status": status, "title": title}))
}

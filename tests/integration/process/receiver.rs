//! A receiver on loopback: one thread for each connection, and answers as the test says.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::PATIENCE;

/// Message that the test itself sends to see that all connections before its own were accepted.
const FENCE: &str = "FENCE\r\n";

/// Listens until the test binary ends.
pub(crate) struct Receiver {
    /// Where to send.
    pub(crate) url: String,
    address: SocketAddr,
    open: Arc<Open>,
}

/// A request that came, whole.
#[derive(Debug)]
pub(crate) struct Request {
    head: Vec<String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// How many connections are open.
#[derive(Default)]
struct Open {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The id of the delivery (C-47).
    #[track_caller]
    pub(crate) fn delivery(&self) -> String {
        let key = self.header("conduit-webhook-idempotency-key");
        key.unwrap_or_else(|| panic!("no idempotency key: {self:?}"))
            .to_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Receiver {
    /// Listens on a free port. `answer` writes what it likes; an error closes the connection.
    pub(crate) fn start(
        answer: impl Fn(&Request, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let open = Arc::new(Open::default());
        let (answer, counter) = (Arc::new(answer), open.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a connection");
                let (answer, counter) = (answer.clone(), counter.clone());
                counter.add();
                std::thread::spawn(move || {
                    let _open = Guard(counter);
                    // The other side may close at any time; what it did not get is its own business.
                    let _ = serve(stream, &*answer);
                });
            }
        });
        Self {
            url: format!("http://{address}/hook"),
            address,
            open,
        }
    }

    /// Waits until all that was sent over connections that are closed by now has been read.
    pub(crate) fn drain(&self) {
        let mut fence = TcpStream::connect(self.address).expect("the receiver listens");
        fence
            .write_all(FENCE.as_bytes())
            .expect("the fence is sent");
        // Connections are accepted in their order: with the answer, all before this one are counted.
        fence.read_exact(&mut [0]).expect("the fence is answered");
        drop(fence);
        let count = self.open.count.lock().expect("nobody panicked");
        let waited = self
            .open
            .changed
            .wait_timeout_while(count, PATIENCE, |count| *count > 0)
            .expect("nobody panicked");
        assert!(!waited.1.timed_out(), "a connection stays open");
    }
}

/// Answers 200.
///
/// # Errors
/// When the connection is gone.
pub(crate) fn accept(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

/// Answers 500.
///
/// # Errors
/// When the connection is gone.
pub(crate) fn fail(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
}

/// Answers nothing until the other side gives up.
///
/// # Errors
/// Always: the connection is of no more use.
pub(crate) fn hang(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(None)?;
    while stream.read(&mut [0])? > 0 {}
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// A gate that holds answers back until it is opened.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// Lets all through, for good.
    pub(crate) fn open(&self) {
        *self.open.lock().expect("nobody panicked") = true;
        self.changed.notify_all();
    }

    /// Waits until it is open.
    pub(crate) fn pass(&self) {
        let open = self.open.lock().expect("nobody panicked");
        let waited =
            self.changed
                .wait_timeout_while(open, PATIENCE + Duration::from_secs(60), |open| !*open);
        drop(waited.expect("nobody panicked"));
    }
}

impl Open {
    fn add(&self) {
        *self.count.lock().expect("nobody panicked") += 1;
    }
}

struct Guard(Arc<Open>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Ok(mut count) = self.0.count.lock() {
            *count -= 1;
        }
        self.0.changed.notify_all();
    }
}

fn serve(
    stream: TcpStream,
    answer: &dyn Fn(&Request, &mut TcpStream) -> io::Result<()>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == FENCE {
                return stream.get_mut().write_all(b"+");
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            head.push(line.to_owned());
        }
        let mut request = Request {
            head,
            body: Vec::new(),
        };
        let length = request
            .header("content-length")
            .and_then(|length| length.parse().ok());
        request
            .body
            .resize(length.expect("a request says its length"), 0);
        stream.read_exact(&mut request.body)?;
        answer(&request, stream.get_mut())?;
    }
}

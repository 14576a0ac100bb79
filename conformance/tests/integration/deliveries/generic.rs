//! A sender for any document: it sends the documented sample of a webhook, or a generated payload, to the URL that it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use conformance::document::Document;
use conformance::generate::Generator;
use conformance::schema::Schemas;
use serde_json::{Value, json};

/// Starts the sender; gives its URL, and how many webhooks the document has.
pub(crate) fn start(text: &str) -> (String, usize) {
    let document = Document::parse("document", text).expect("the document parses");
    let count = document.webhooks().len();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection without a request only asks whether somebody listens.
            let Some(request) = request(&stream) else {
                continue;
            };
            send(&document, &request);
            let _ = (&stream).write_all(
                b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    (url, count)
}

/// The JSON body of a request.
fn request(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn send(document: &Document, request: &Value) {
    let webhooks = document.webhooks();
    let webhook = webhooks
        .iter()
        .find(|one| one.path == request["event"])
        .expect("a webhook of the document");
    let media = document.at(&format!(
        "{}/requestBody/content/application~1json",
        webhook.pointer
    ));
    let examples = media
        .and_then(|media| media.get("examples"))
        .and_then(Value::as_object);
    let sample = examples.and_then(|map| {
        let (name, _) = map.iter().next()?;
        let at = format!(
            "{}/requestBody/content/application~1json/examples/{name}",
            webhook.pointer
        );
        document.resolve(&at)?.1.get("value").cloned()
    });
    let sample = sample.filter(|_| request["generated"] == json!(false));
    let body = sample.unwrap_or_else(|| {
        let schemas = Schemas::new(document);
        let case = Generator::new(document, &schemas).plain(webhook);
        case.and_then(|case| case.body)
            .and_then(|body| body.value)
            .unwrap_or_else(|| json!({}))
    });
    let url = url::Url::parse(request["url"].as_str().expect("a URL")).expect("a URL");
    let address = format!(
        "{}:{}",
        url.host_str().expect("a host"),
        url.port().expect("a port")
    );
    let body = body.to_string();
    let mut stream = TcpStream::connect(&address).expect("the receiver");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        url.path(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a request");
    stream.write_all(body.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
}

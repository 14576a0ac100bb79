//! HTTP as the sender speaks it: with its own code, so that it shares nothing with what judges it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub(super) struct Message {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Reads a request or a response, whose body has a length; of others the body is left.
pub(super) fn read(stream: &TcpStream) -> Option<Message> {
    read_from(&mut BufReader::new(stream))
}

fn read_from(reader: &mut BufReader<&TcpStream>) -> Option<Message> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader
            .read_line(&mut header)
            .ok()
            .filter(|read| *read > 0)?;
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length.min(1 << 20)];
    reader.read_exact(&mut body).ok()?;
    Some(Message {
        line,
        headers,
        body,
    })
}

impl Message {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Sends a request and reads the head of the answer; none where there is none in time. With `to_end` the rest of the answer is read too,
/// however long it takes.
pub(super) fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
    limit: f64,
    to_end: bool,
) -> Option<Message> {
    let url = url::Url::parse(url).ok()?;
    let address = format!("{}:{}", url.host_str()?, url.port()?);
    let mut stream = TcpStream::connect(&address).ok()?;
    let end = Instant::now() + Duration::from_secs_f64(limit);
    let mut head = format!(
        "{method} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n",
        url.path()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    stream
        .set_read_timeout(Some(
            end.saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1)),
        ))
        .ok()?;
    let mut reader = BufReader::new(&stream);
    let answer = read_from(&mut reader)?;
    if to_end && answer.header("transfer-encoding").is_some() {
        stream.set_read_timeout(None).ok()?;
        std::io::copy(&mut reader, &mut std::io::sink()).ok()?;
    }
    Some(answer)
}

//! Asking a proxy for a connection: CONNECT of HTTP, and SOCKS 5 (RFC 1928, RFC 1929).

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connector::Stream;
use super::transport::Proxy;

/// Largest head of a proxy's answer that is read, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// Longest host name, user and password that SOCKS can carry, in bytes.
const LONGEST: usize = 255;

/// Asks an HTTP proxy for a connection to a host, an IPv6 address in brackets, and a port.
///
/// # Errors
/// Returns what the proxy says, or does, instead.
pub(super) async fn connect(
    stream: &mut Box<dyn Stream>,
    proxy: &Proxy,
    (host, port): (&str, u16),
) -> Result<(), String> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request += &format!("Proxy-Authorization: {authorization}\r\n");
    }
    request += "\r\n";
    let written = stream.write_all(request.as_bytes()).await;
    written.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    // One byte at a time, so that nothing of what follows the head is taken.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_LIMIT {
            return Err("its answer has no end".to_owned());
        }
        head.push(stream.read_u8().await.map_err(ended)?);
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    match status {
        "200" => Ok(()),
        "407" => {
            Err("asks for a user and a password; write http://USER:PASSWORD@HOST:PORT".to_owned())
        }
        _ if head.starts_with("HTTP/1.") => Err(format!(
            "answered {} to CONNECT {host}:{port}",
            head.lines().next().unwrap_or_default().trim()
        )),
        _ => Err("does not answer as an HTTP proxy does".to_owned()),
    }
}

/// Asks a SOCKS 5 proxy for a connection to a host and a port. The proxy looks up the name.
///
/// # Errors
/// Returns what the proxy says, or does, instead.
pub(super) async fn socks(
    stream: &mut Box<dyn Stream>,
    proxy: &Proxy,
    (host, port): (&str, u16),
) -> Result<(), String> {
    const VERSION: u8 = 5;
    const NONE: u8 = 0;
    const PASSWORD: u8 = 2;
    let odd = || "does not answer as a SOCKS 5 proxy does".to_owned();
    let user = proxy.user();
    let methods: &[u8] = match user {
        Some(_) => &[VERSION, 2, NONE, PASSWORD],
        None => &[VERSION, 1, NONE],
    };
    send(stream, methods).await?;
    match (receive::<2>(stream).await?, user) {
        ([VERSION, NONE], _) => {}
        ([VERSION, PASSWORD], Some((name, password))) => {
            let mut login = vec![1];
            for text in [name, password] {
                login.push(length(&text).ok_or("user and password may have 255 bytes each")?);
                login.extend_from_slice(text.as_bytes());
            }
            send(stream, &login).await?;
            if receive::<2>(stream).await?[1] != 0 {
                return Err("refuses the user and the password".to_owned());
            }
        }
        ([VERSION, 0xff], None) => {
            return Err(
                "asks for a user and a password; write socks5://USER:PASSWORD@HOST:PORT".to_owned(),
            );
        }
        ([VERSION, 0xff], Some(_)) => return Err("refuses the user and the password".to_owned()),
        _ => return Err(odd()),
    }
    let mut request = vec![VERSION, 1, 0];
    match host.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(3);
            request.push(length(host).ok_or("the host name is longer than 255 bytes")?);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    send(stream, &request).await?;
    let [version, status, _, kind] = receive::<4>(stream).await?;
    if version != VERSION {
        return Err(odd());
    }
    if status != 0 {
        return Err(format!("{} ({host}:{port})", refusal(status)));
    }
    // The address that it uses itself.
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(ended)?),
        _ => return Err(odd()),
    };
    let mut address = vec![0; rest + 2];
    stream.read_exact(&mut address).await.map_err(ended)?;
    Ok(())
}

fn length(text: &str) -> Option<u8> {
    u8::try_from(text.len())
        .ok()
        .filter(|_| text.len() <= LONGEST)
}

/// The reasons of RFC 1928, section 6.
fn refusal(status: u8) -> &'static str {
    match status {
        2 => "does not allow the connection",
        3 => "says that the network is unreachable",
        4 => "says that the host is unreachable",
        5 => "says that the connection was refused",
        6 => "says that the connection took too long",
        8 => "does not know this kind of address",
        _ => "failed to connect",
    }
}

async fn send(stream: &mut Box<dyn Stream>, bytes: &[u8]) -> Result<(), String> {
    let written = stream.write_all(bytes).await;
    written.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())
}

async fn receive<const N: usize>(stream: &mut Box<dyn Stream>) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(ended)?;
    Ok(bytes)
}

fn ended(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "ends the connection without an answer".to_owned(),
        _ => error.to_string(),
    }
}

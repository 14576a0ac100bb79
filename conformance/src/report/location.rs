//! Where a finding is shown by programs that show one place: which side, and under which URI.

use std::fmt::Write;

use crate::document::is_url;
use crate::finding::Place;
use crate::fingerprint::Entry;
use crate::git::is_revision;

/// The place that a reader is led to, and the other one. Files come before URLs and old revisions, and the new document before the
/// old one, since the new one is what can still be changed.
pub(super) fn ranked(entry: &Entry) -> Vec<(&'static str, &Place)> {
    let mut places = super::places(entry);
    places.reverse();
    places.sort_by_key(|(_, place)| !is_file(&place.document));
    places
}

/// Whether the name of a document is that of a file in the working tree.
pub(super) fn is_file(name: &str) -> bool {
    !is_url(name) && !is_revision(name)
}

/// A URI reference for the name of a document: relative for a relative path, `file:` for an absolute one.
pub(super) fn uri(name: &str) -> String {
    if !is_file(name) {
        return encoded(name, b":/?#[]@!$&'()*+,;=%");
    }
    let path = name.strip_prefix("./").unwrap_or(name);
    let path = encoded(path, b"/@!$&'()*+,;=");
    if path.starts_with('/') {
        format!("file://{path}")
    } else {
        path
    }
}

fn encoded(text: &str, kept: &[u8]) -> String {
    let mut uri = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_uri() {
        for (name, expected) in [
            ("openapi/a.yaml", "openapi/a.yaml"),
            ("./a.yaml", "a.yaml"),
            ("../a b#c?.yaml", "../a%20b%23c%3F.yaml"),
            ("a:b.yaml", "a%3Ab.yaml"),
            ("100%.yaml", "100%25.yaml"),
            ("/tmp/ü.yaml", "file:///tmp/%C3%BC.yaml"),
            ("https://a/b?c=%20d", "https://a/b?c=%20d"),
            ("http://a/<b>", "http://a/%3Cb%3E"),
        ] {
            assert_eq!(uri(name), expected);
        }
    }
}

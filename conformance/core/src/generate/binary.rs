//! Bodies of bytes: the smallest files of known kinds, and any bytes where the document takes any.

use serde_json::{Map, Value};

use super::Source;
use super::markup::is_xml;
use crate::case::Body;
use crate::case::serialize::is_json;
use crate::document::{Located, pointer};

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
/// An archive without files.
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// Nothing, compressed.
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
const PDF: &[u8] = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// Bytes that are not text.
const BYTES: &[u8] = b"\x00\x01\x7f\x80\xfe\xffconformance\r\n";

impl Source<'_> {
    /// A body of bytes, where a media type is neither text nor a form and its schema says nothing of its content; and whether a server has
    /// to take it, as the bytes are of that kind.
    pub(super) fn binary_body(
        &self,
        media_type: &str,
        media: &Located<'_>,
    ) -> Option<(Body, bool)> {
        let essence = media_type.split(';').next()?.trim().to_ascii_lowercase();
        let is_text = is_json(&essence)
            || is_xml(&essence)
            || essence.starts_with("text/")
            || essence.starts_with("multipart/")
            || essence == "application/x-www-form-urlencoded"
            || essence.contains('*');
        if is_text || !self.is_binary(media) {
            return None;
        }
        let (bytes, is_sure) = match essence.as_str() {
            "image/png" => (PNG, true),
            "image/gif" => (GIF, true),
            "application/pdf" => (PDF, true),
            "application/zip" => (ZIP, true),
            "application/gzip" => (GZIP, true),
            "application/octet-stream" => (BYTES, true),
            _ => (BYTES, false),
        };
        let body = Body {
            content_type: Some(media_type.to_owned()),
            bytes: bytes.to_vec(),
            value: None,
        };
        Some((body, is_sure))
    }

    /// Whether a schema leaves open what the bytes are.
    fn is_binary(&self, media: &Located<'_>) -> bool {
        const SILENT: [&str; 11] = [
            "type",
            "format",
            "contentEncoding",
            "contentMediaType",
            "title",
            "description",
            "nullable",
            "minLength",
            "maxLength",
            "$comment",
            "deprecated",
        ];
        let schema = pointer::join(&media.pointer, "schema");
        let Some((_, schema)) = self.document.resolve(&schema) else {
            return true;
        };
        let Some(members) = schema.as_object() else {
            return *schema == Value::Bool(true);
        };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let is_plain = |members: &Map<String, Value>| {
            let mut names = members.keys();
            names.all(|name| SILENT.contains(&name.as_str()) || name.starts_with("x-"))
        };
        let is_bytes = text("type").is_none_or(|kind| matches!(kind, "string" | "file"))
            && text("format").is_none_or(|format| format == "binary")
            && text("contentEncoding").is_none();
        let length = u64::try_from(BYTES.len()).unwrap_or(u64::MAX);
        let at_least = members.get("minLength").and_then(Value::as_u64);
        let at_most = members.get("maxLength").and_then(Value::as_u64);
        is_plain(members)
            && is_bytes
            && at_least.is_none_or(|least| least <= length)
            && at_most.is_none_or(|most| length <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum of PNG and gzip.
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 {
                    crc >> 1 ^ 0xedb8_8320
                } else {
                    crc >> 1
                }
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }

    #[test]
    fn the_picture_is_well_formed() {
        let mut rest = &PNG[8..];
        let mut kinds = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
            let (chunk, after) = after.split_at(length + 4);
            let (crc, after) = after.split_first_chunk::<4>().unwrap();
            kinds.push(String::from_utf8_lossy(&chunk[..4]).into_owned());
            assert_eq!(u32::from_be_bytes(*crc), crc32(chunk), "{kinds:?}");
            rest = after;
        }
        assert_eq!(kinds, ["IHDR", "IDAT", "IEND"]);
    }
}

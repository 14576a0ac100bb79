//! Words for a keyword with its value.

use serde_json::Value;

use super::effect::Values;
use super::shape::outside;
use super::{name, shown};
use crate::document::Literal;
use crate::document::media::is_text;
use crate::finding::Keyword;

/// A keyword with its value, as the document has it.
pub(super) fn member_of(told: &Keyword) -> String {
    let keyword = &told.keyword;
    let Some(literal) = &told.value else {
        return name(keyword);
    };
    let value = match literal.value() {
        Value::String(text) => text.clone(),
        _ => shown(literal),
    };
    match &told.flag {
        Some(flag) => name(&format!("{keyword}: {value}, {flag}: true")),
        None => name(&format!("{keyword}: {value}")),
    }
}

/// The values that a keyword rejects.
pub(super) fn refused(told: &Keyword) -> Option<Values> {
    // A bound with a flag beside it excludes itself.
    if let (Some(flag), Some(value)) = (&told.flag, &told.value) {
        return outside(flag, Some(value.value())).map(Values::Of);
    }
    if let Some(bytes) = bytes(told).filter(|_| told.keyword != "contentMediaType") {
        return Some(Values::Of(format!("text that is not {bytes}")));
    }
    let value = told.value.as_ref().map(Literal::value);
    outside(&told.keyword, value).map(Values::Of)
}

/// How bytes are written by a keyword that says so.
pub(super) fn bytes(told: &Keyword) -> Option<String> {
    let value = told.value.as_ref()?.value().as_str()?;
    match (told.keyword.as_str(), value) {
        ("contentEncoding", encoding) => Some(format!("written in {}", name(encoding))),
        ("format", "byte") => Some(format!("written in {}", name("base64"))),
        ("contentMediaType", _) | ("format", "binary") | ("type", "file") => {
            Some("written as they are".to_owned())
        }
        _ => None,
    }
}

/// Words for the values that bytes may have and text may not.
pub(super) const NO_TEXT: &str = "bytes that are not text";

/// Whether a keyword says that values are bytes as they are, which need not be text.
pub(super) fn is_raw(told: &Keyword) -> bool {
    let value = told.value.as_ref().and_then(|one| one.value().as_str());
    match (told.keyword.as_str(), value) {
        ("contentMediaType", Some(media)) => !is_text(media),
        ("format", Some("binary")) | ("type", Some("file")) => true,
        _ => false,
    }
}

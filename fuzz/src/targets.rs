//! What is fuzzed: any bytes are loaded or refused in one line, and any two documents are compared.

use conformance::document::Document;
use conformance::drift::{Options, compare};

/// Stands between the two documents of a comparison; no UTF-8 text has it.
pub(crate) const SEPARATOR: u8 = 0xff;

/// Loads any bytes, and asks for everything that a document can tell.
pub(crate) fn loader(bytes: &[u8]) {
    match Document::from_bytes("fuzz", bytes.to_vec()) {
        Ok(document) => {
            for operation in document.operations().iter().chain(&document.webhooks()) {
                document.position(&operation.pointer);
                operation.parameters(&document);
                operation.request_body(&document);
                operation.responses(&document);
            }
            for key in document.merge_keys() {
                assert!(key.position.line > 0, "{key:?}");
            }
            document.told_value(document.value());
            let _ = document.literal("");
            if let Err(error) = document.check_references() {
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
            }
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
}

/// Compares two documents, where the bytes are two.
pub(crate) fn comparison(bytes: &[u8]) {
    let mut halves = bytes.splitn(2, |byte| *byte == SEPARATOR);
    let (Some(one), Some(other)) = (halves.next(), halves.next()) else {
        return;
    };
    let parse = |bytes: &[u8]| Document::from_bytes("fuzz", bytes.to_vec()).ok();
    let (Some(one), Some(other)) = (parse(one), parse(other)) else {
        return;
    };
    let findings = compare(&one, &other, &Options::default());
    // The same result every time.
    assert_eq!(findings, compare(&one, &other, &Options::default()));
    for finding in compare(&one, &one, &Options::default()) {
        // A document differs from itself only where it is not known what it says.
        assert_eq!(finding.rule, "reference-unresolved", "{finding:?}");
    }
}

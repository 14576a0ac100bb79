//! Bytes are written as text or as they are, and each version of OpenAPI has its own words for that.

use conformance::drift::{Options, compare};
use conformance::finding::{Comparison, Finding, Severity};
use conformance::report::words;
use serde_json::{Value, json};

use crate::drift_support::carrier::api;
use crate::drift_support::document;

fn found(sent: bool, old: (&str, &Value), new: (&str, &Value)) -> Vec<Finding> {
    let typed = |(version, schema): (&str, &Value)| {
        let schema = json!({"type": "object", "properties": {"f": schema}});
        let mut value = api(sent, &schema);
        value["openapi"] = json!(version);
        document("d", &value)
    };
    compare(&typed(old), &typed(new), &Options::default())
}

#[test]
fn bytes_that_become_text_are_other_bytes_for_everybody() {
    let base64 = [
        ("3.0.3", json!({"type": "string", "format": "byte"})),
        (
            "3.1.0",
            json!({"type": "string", "contentEncoding": "base64"}),
        ),
    ];
    let raw = [
        ("3.0.3", json!({"type": "string", "format": "binary"})),
        (
            "3.1.0",
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
        ),
        (
            "3.1.0",
            json!({"contentMediaType": "application/octet-stream"}),
        ),
        (
            "3.1.0",
            json!({"type": "string", "contentMediaType": "image/png"}),
        ),
    ];
    for (text_in, text) in &base64 {
        for (raw_in, raw) in &raw {
            for sent in [true, false] {
                let (text, raw) = ((*text_in, text), (*raw_in, raw));
                for (old, new) in [(text, raw), (raw, text)] {
                    let findings = found(sent, old, new);
                    let [finding] = &findings[..] else {
                        panic!("{old:?} to {new:?}: {findings:?}");
                    };
                    assert_eq!(finding.severity, Severity::Breaking, "{old:?} to {new:?}");
                    assert_eq!(finding.rule, "schema-keyword-changed");
                }
            }
        }
    }
    let (byte, binary) = (("3.0.3", &base64[0].1), ("3.0.3", &raw[0].1));
    let said = |sent| words::of(&found(sent, byte, binary)[0], Comparison::Versions);
    assert_eq!(
        said(true),
        "`format: byte` of `f` is now `format: binary`: clients that send bytes written in `base64` are now refused"
    );
    assert_eq!(
        said(false),
        "`format: byte` of `f` is now `format: binary`: new may answer bytes written as they are, which clients of old do not expect"
    );
}

#[test]
fn one_way_to_write_bytes_is_the_same_in_all_versions() {
    for (old, new) in [
        (
            ("3.0.3", json!({"type": "string", "format": "byte"})),
            (
                "3.1.0",
                json!({"type": "string", "contentEncoding": "base64"}),
            ),
        ),
        (
            ("3.0.3", json!({"type": "string", "format": "binary"})),
            (
                "3.1.0",
                json!({"contentMediaType": "application/octet-stream"}),
            ),
        ),
    ] {
        for sent in [true, false] {
            assert_eq!(found(sent, (old.0, &old.1), (new.0, &new.1)), []);
            assert_eq!(found(sent, (new.0, &new.1), (old.0, &old.1)), []);
        }
    }
}

/// Compares `one` with plain text in both directions and both ways, and gives what is said of each.
fn beside_text(version: &str, one: &Value) -> [(Severity, String); 4] {
    let plain = json!({"type": "string"});
    let told = |sent, old, new| {
        let findings = found(sent, (version, old), (version, new));
        let [finding] = &findings[..] else {
            panic!("{old} to {new}: {findings:?}");
        };
        let said = words::of(finding, Comparison::Versions);
        (finding.severity, said)
    };
    [
        told(true, &plain, one),
        told(true, one, &plain),
        told(false, one, &plain),
        told(false, &plain, one),
    ]
}

#[test]
fn text_is_bytes_and_not_all_bytes_are_text() {
    for (version, bytes, spelled) in [
        (
            "3.0.3",
            json!({"type": "string", "format": "binary"}),
            "`format: binary` of `f`",
        ),
        (
            "3.1.0",
            json!({"contentMediaType": "application/octet-stream"}),
            "`contentMediaType: application/octet-stream` of `f`",
        ),
        (
            "3.1.0",
            json!({"type": "string", "contentMediaType": "image/png"}),
            "`contentMediaType: image/png` of `f`",
        ),
    ] {
        let expected = [
            (
                Severity::Warning,
                "is new: clients may now send bytes that are not text",
            ),
            (
                Severity::Breaking,
                "was removed: clients that send bytes that are not text are now refused",
            ),
            (
                Severity::Warning,
                "was removed: new no longer answers bytes that are not text, which is safe for clients",
            ),
            (
                Severity::Breaking,
                "is new: new may answer bytes that are not text, which clients of old do not expect",
            ),
        ];
        let expected = expected.map(|(severity, said)| (severity, format!("{spelled} {said}")));
        assert_eq!(beside_text(version, &bytes), expected);
    }
}

#[test]
fn text_of_a_media_type_is_text_of_one_kind() {
    for media in ["text/html", "application/json", "image/svg+xml"] {
        let one = json!({"type": "string", "contentMediaType": media});
        let severities = beside_text("3.1.0", &one).map(|(severity, _)| severity);
        assert_eq!(
            severities,
            [
                Severity::Breaking,
                Severity::Warning,
                Severity::Breaking,
                Severity::Warning
            ],
            "{media}"
        );
    }
}

#[test]
fn any_value_may_be_what_bytes_are_and_more() {
    let bytes = json!({"contentMediaType": "application/octet-stream"});
    for (sent, old, new, severity) in [
        (true, &bytes, &json!({}), Severity::Warning),
        (true, &json!({}), &bytes, Severity::Breaking),
        (false, &bytes, &json!({}), Severity::Breaking),
        (false, &json!({}), &bytes, Severity::Warning),
    ] {
        let findings = found(sent, ("3.1.0", old), ("3.1.0", new));
        let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [severity], "{old} to {new}");
    }
}

#[test]
fn base64_is_text_of_one_kind() {
    let plain = json!({"type": "string"});
    for (version, bytes, spelled) in [
        (
            "3.0.3",
            json!({"type": "string", "format": "byte"}),
            "`format: byte` of `f`",
        ),
        (
            "3.1.0",
            json!({"type": "string", "contentEncoding": "base64"}),
            "`contentEncoding: base64` of `f`",
        ),
    ] {
        for (sent, old, new, severity, said) in [
            (
                true,
                &plain,
                &bytes,
                Severity::Breaking,
                "is new: clients that send text that is not written in `base64` are now refused",
            ),
            (
                true,
                &bytes,
                &plain,
                Severity::Warning,
                "was removed: clients may now send text that is not written in `base64`",
            ),
            (
                false,
                &bytes,
                &plain,
                Severity::Breaking,
                "was removed: new may answer text that is not written in `base64`, which clients of old do not expect",
            ),
            (
                false,
                &plain,
                &bytes,
                Severity::Warning,
                "is new: new no longer answers text that is not written in `base64`, which is safe for clients",
            ),
        ] {
            let findings = found(sent, (version, old), (version, new));
            let [finding] = &findings[..] else {
                panic!("{old} to {new}: {findings:?}");
            };
            assert_eq!(finding.severity, severity, "{old} to {new}");
            let words = words::of(finding, Comparison::Versions);
            assert_eq!(words, format!("{spelled} {said}"));
        }
    }
}

#[test]
fn an_image_as_text_is_not_an_image() {
    let raw = json!({"type": "string", "contentMediaType": "image/png"});
    let text =
        json!({"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"});
    for sent in [true, false] {
        for (old, new) in [(&raw, &text), (&text, &raw)] {
            let findings = found(sent, ("3.1.0", old), ("3.1.0", new));
            let severities: Vec<Severity> =
                findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(severities, [Severity::Breaking], "{old} to {new}");
        }
    }
}

//! Findings quote keywords as their file has them, whatever they became when the document was read.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::Comparison;
use conformance::report::words;

/// A document with a schema that clients send.
fn document(version: &str, schema: &str) -> Document {
    let text = match version {
        "2.0" => format!(
            "swagger: '2.0'\ninfo: {{title: t, version: '1'}}\npaths: {{/a: {{post: {{consumes: [application/json], parameters: [{{in: body, name: b, schema: {{properties: {{p: {schema}}}}}}}], responses: {{'200': {{description: d}}}}}}}}}}\n"
        ),
        _ => format!(
            "openapi: {version}\ninfo: {{title: t, version: '1'}}\npaths: {{/a: {{post: {{requestBody: {{content: {{application/json: {{schema: {{properties: {{p: {schema}}}}}}}}}}}, responses: {{'200': {{description: d}}}}}}}}}}\n"
        ),
    };
    Document::parse("d", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Returns the sentences of the findings between two documents.
fn sentences(old: &Document, new: &Document) -> Vec<String> {
    let findings = compare(old, new, &Options::default());
    let all = findings.iter();
    all.map(|finding| words::of(finding, Comparison::Versions))
        .collect()
}

/// Compares two schemas, each with its version, and returns the sentences of the findings.
fn told(old: (&str, &str), new: (&str, &str)) -> Vec<String> {
    sentences(&document(old.0, old.1), &document(new.0, new.1))
}

/// As [`told`], for two schemas of OpenAPI 3.1.
pub(crate) fn told_in_3_1(old: &str, new: &str) -> Vec<String> {
    told(("3.1.0", old), ("3.1.0", new))
}

#[test]
fn a_keyword_is_quoted_as_its_file_has_it() {
    let table = [
        // Version, a schema without, one with, another one with; then what is said of adding, changing and removing it.
        (
            "3.0.3",
            [
                "{type: integer}",
                "{type: integer, minimum: 5, exclusiveMinimum: true}",
                "{type: integer, minimum: 6, exclusiveMinimum: true}",
            ],
            [
                "`minimum: 5, exclusiveMinimum: true` of `p` is new: clients that send numbers not above 5 are now refused",
                "`minimum` of `p` was 5, is now 6: clients that send smaller numbers are now refused",
                "`minimum: 5, exclusiveMinimum: true` of `p` was removed: clients may now send numbers not above 5",
            ],
        ),
        (
            "3.0.3",
            [
                "{type: integer, maximum: 5}",
                "{type: integer, maximum: 5, exclusiveMaximum: true}",
                "{type: integer, maximum: 4, exclusiveMaximum: true}",
            ],
            [
                "`maximum: 5` of `p` is now `maximum: 5, exclusiveMaximum: true`: clients that send 5 are now refused",
                "`maximum` of `p` was 5, is now 4: clients that send larger numbers are now refused",
                "`maximum: 5, exclusiveMaximum: true` of `p` is now `maximum: 5`: clients may now send 5",
            ],
        ),
        (
            "3.1.0",
            [
                "{type: integer, maximum: 5}",
                "{type: integer, exclusiveMaximum: 5}",
                "{type: integer, exclusiveMaximum: 4}",
            ],
            [
                "`maximum: 5` of `p` is now `exclusiveMaximum: 5`: clients that send 5 are now refused",
                "`exclusiveMaximum` of `p` was 5, is now 4: clients that send numbers not below 4 are now refused",
                "`exclusiveMaximum: 5` of `p` is now `maximum: 5`: clients may now send 5",
            ],
        ),
        (
            "3.0.3",
            [
                "{type: string}",
                "{type: string, example: a}",
                "{type: string, example: b}",
            ],
            [
                "`example: a` of `p` is new",
                "`example` of `p` was `a`, is now `b`",
                "`example: a` of `p` was removed",
            ],
        ),
        (
            "3.0.3",
            [
                "{type: string}",
                "{type: string, x-examples: [a]}",
                "{type: string, x-examples: [b]}",
            ],
            [
                "`x-examples: [\"a\"]` of `p` is new",
                "`x-examples` of `p` was `[\"a\"]`, is now `[\"b\"]`",
                "`x-examples: [\"a\"]` of `p` was removed",
            ],
        ),
        (
            "3.1.0",
            [
                "{type: string}",
                "{type: string, example: a}",
                "{type: string, example: b}",
            ],
            [
                "`example: a` of `p` is new",
                "`example` of `p` was `a`, is now `b`",
                "`example: a` of `p` was removed",
            ],
        ),
        (
            "3.1.0",
            [
                "{type: string}",
                "{type: string, const: a}",
                "{type: string, const: b}",
            ],
            [
                "`const: a` of `p` is new: clients that send other values are now refused",
                "`const` of `p` was `a`, is now `b`: clients that send other values are now refused",
                "`const: a` of `p` was removed: clients may now send other values",
            ],
        ),
        (
            "3.0.3",
            [
                "{type: string}",
                "{type: string, format: byte}",
                "{type: string, format: byte, minLength: 1}",
            ],
            [
                "`format: byte` of `p` is new: clients that send text that is not written in `base64` are now refused",
                "`minLength: 1` of `p` is new: clients that send shorter values are now refused",
                "`format: byte` of `p` was removed: clients may now send text that is not written in `base64`",
            ],
        ),
        (
            "3.0.3",
            [
                "{type: string}",
                "{type: string, nullable: true}",
                "{type: integer, nullable: true}",
            ],
            [
                "clients may now send null for `p`",
                "`p` was a string or null, is now an integer or null: clients that send a string are now refused",
                "new no longer allows null for `p`: clients that send null for `p` are now refused",
            ],
        ),
        (
            "2.0",
            [
                "{type: string}",
                "{type: string, x-nullable: true}",
                "{type: string, x-nullable: true, minLength: 1}",
            ],
            [
                "clients may now send null for `p`",
                "`minLength: 1` of `p` is new: clients that send shorter values are now refused",
                "new no longer allows null for `p`: clients that send null for `p` are now refused",
            ],
        ),
        (
            "2.0",
            [
                "{type: number}",
                "{type: number, minimum: 1, exclusiveMinimum: true}",
                "{type: number, minimum: 2, exclusiveMinimum: true}",
            ],
            [
                "`minimum: 1, exclusiveMinimum: true` of `p` is new: clients that send numbers not above 1 are now refused",
                "`minimum` of `p` was 1, is now 2: clients that send smaller numbers are now refused",
                "`minimum: 1, exclusiveMinimum: true` of `p` was removed: clients may now send numbers not above 1",
            ],
        ),
        (
            "2.0",
            [
                "{type: object}",
                "{type: object, discriminator: a}",
                "{type: object, discriminator: b}",
            ],
            [
                "`discriminator: a` of `p` is new: no value becomes invalid, but generated code may read it as another type",
                "`discriminator` of `p` was `a`, is now `b`: no value becomes invalid, but generated code may read it as another type",
                "`discriminator: a` of `p` was removed: no value becomes invalid, but generated code may read it as another type",
            ],
        ),
        (
            "2.0",
            [
                "{type: string}",
                "{type: string, example: 1}",
                "{type: string, example: 2}",
            ],
            [
                "`example: 1` of `p` is new",
                "`example` of `p` was 1, is now 2",
                "`example: 1` of `p` was removed",
            ],
        ),
    ];
    let mut faults = Vec::new();
    for (version, [without, with, other], expected) in table {
        let ways = [(without, with), (with, other), (with, without)];
        for ((old, new), expected) in ways.into_iter().zip(expected) {
            let said = told((version, old), (version, new)).join("\n");
            let rest = said.strip_prefix(expected);
            let right =
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("; look at it"));
            if !right {
                faults.push(format!("{version}: {old} to {new}\n  {said}\n  {expected}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn two_spellings_are_quoted_as_each_file_has_its_own() {
    for (old, new, expected) in [
        (
            (
                "3.0.3",
                "{type: number, minimum: 5, exclusiveMinimum: true}",
            ),
            ("3.1.0", "{type: number, exclusiveMinimum: 6}"),
            "`minimum: 5, exclusiveMinimum: true` of `p` is now `exclusiveMinimum: 6`: clients that send numbers not above 6 are now refused",
        ),
        (
            ("3.0.3", "{type: string, example: a}"),
            ("3.1.0", "{type: string, examples: [b, c]}"),
            "`example: a` of `p` is now `examples: [\"b\",\"c\"]`",
        ),
        (
            ("3.0.3", "{type: string, format: byte}"),
            ("3.1.0", "{type: string, contentEncoding: base32}"),
            "`format: byte` of `p` is now `contentEncoding: base32`",
        ),
    ] {
        let said = told(old, new).join("\n");
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
    // Spelled otherwise, and the same.
    for (old, new) in [
        (
            (
                "3.0.3",
                "{type: number, minimum: 5, exclusiveMinimum: true}",
            ),
            ("3.1.0", "{type: number, exclusiveMinimum: 5}"),
        ),
        (
            ("3.0.3", "{type: string, example: a}"),
            ("3.1.0", "{type: string, examples: [a]}"),
        ),
        (
            ("3.0.3", "{type: string, format: byte}"),
            ("3.1.0", "{type: string, contentEncoding: base64}"),
        ),
        (
            ("3.0.3", "{type: string, nullable: true}"),
            ("3.1.0", "{type: [string, 'null']}"),
        ),
        (
            ("2.0", "{type: string, x-nullable: true}"),
            ("3.0.3", "{type: string, nullable: true}"),
        ),
    ] {
        assert_eq!(told(old, new), [""; 0], "{old:?} {new:?}");
    }
}

#[test]
fn the_shape_of_a_schema_has_the_keywords_of_its_file() {
    let said = told(
        (
            "3.0.3",
            "{type: number, minimum: 5, exclusiveMinimum: true}",
        ),
        (
            "3.0.3",
            "{allOf: [{type: number}, {type: number, minimum: 5, exclusiveMinimum: true}, {maximum: 7, exclusiveMaximum: true}]}",
        ),
    );
    let said = said.join("\n");
    assert!(!said.is_empty() && !said.contains("`exclusiveM"), "{said}");
}

#[test]
fn numbers_outside_of_schemas_are_quoted_as_their_file_has_them() {
    let document = |version: &str, size: &str| {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: {version}, x-size: {size}}}\npaths: {{/a: {{get: {{responses: {{'200': {{description: d}}}}}}}}}}\n"
        );
        Document::parse("d", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    };
    let told = sentences(&document("1.10", "1.0"), &document("1.20", "2.50"));
    for number in ["1.10", "1.20", "1.0", "2.50"] {
        assert!(
            told.iter().any(|one| one.contains(number)),
            "{number}: {told:?}"
        );
    }
}

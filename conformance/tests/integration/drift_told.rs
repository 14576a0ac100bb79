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
fn told_in_3_1(old: &str, new: &str) -> Vec<String> {
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
fn what_read_only_and_write_only_do_is_told_truly() {
    // The cases: whether the member is in a request or a response, whether it is required, the flag, and the sentences on adding and
    // removing it.
    let object = |flag: &str, required: bool| {
        let required = if required { ", required: [a]" } else { "" };
        format!("{{type: object, properties: {{a: {{type: string{flag}}}}}{required}}}")
    };
    let document = |sent: bool, schema: &str| {
        let content = format!("content: {{application/json: {{schema: {schema}}}}}");
        let (body, answer) = match sent {
            true => (format!("requestBody: {{{content}}}, "), String::new()),
            false => (String::new(), format!(", {content}")),
        };
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{/a: {{post: {{{body}responses: {{'200': {{description: d{answer}}}}}}}}}}}\n"
        );
        Document::parse("d", &text).expect("a document")
    };
    for (sent, required, flag, added, removed) in [
        (
            true,
            false,
            "readOnly",
            "clients that send it are now refused",
            "clients may now send it",
        ),
        (
            true,
            true,
            "readOnly",
            "clients that send it are now refused",
            "clients that omit it are now refused",
        ),
        (
            true,
            false,
            "writeOnly",
            "clients may send it as before",
            "clients may send it as before",
        ),
        (
            true,
            true,
            "writeOnly",
            "clients may send it as before",
            "clients may send it as before",
        ),
        (
            false,
            false,
            "readOnly",
            "clients get it as before",
            "clients get it as before",
        ),
        (
            false,
            true,
            "readOnly",
            "clients get it as before",
            "clients get it as before",
        ),
        (
            false,
            false,
            "writeOnly",
            "clients that read it get nothing",
            "new may answer it, which clients of old do not expect",
        ),
        (
            false,
            true,
            "writeOnly",
            "clients that read it get nothing",
            "new may answer it, which clients of old do not expect",
        ),
    ] {
        let without = document(sent, &object("", required));
        let with = document(sent, &object(&format!(", {flag}: true"), required));
        for (old, new, is, expected) in [
            (&without, &with, "is new", added),
            (&with, &without, "was removed", removed),
        ] {
            let findings = compare(old, new, &Options::default());
            let said: Vec<String> = findings
                .iter()
                .map(|finding| words::of(finding, Comparison::Versions))
                .collect();
            let expected = format!("`{flag}: true` of `a` {is}: {expected}");
            assert_eq!(said, [expected], "{sent} {required}");
        }
    }
}

#[test]
fn a_change_under_a_condition_is_told_with_it() {
    let whole = |keywords: &str| {
        format!(
            "{{type: object, properties: {{k: {{type: string}}, a: {{type: string}}}}, {keywords}}}"
        )
    };
    let is_x = "if: {required: [k], properties: {k: {const: x}}}";
    let limit = |keyword: &str, most: u32| {
        format!("{keyword}: {{properties: {{a: {{maxLength: {most}}}}}}}")
    };
    let table = [
        (
            format!("{is_x}, {}", limit("then", 5)),
            format!("{is_x}, {}", limit("then", 3)),
            "where `if` matches, `maxLength` of `a` was 5, is now 3: clients that send longer values are now refused",
        ),
        (
            format!("{is_x}, {}", limit("else", 5)),
            format!("{is_x}, {}", limit("else", 3)),
            "where `if` does not match, `maxLength` of `a` was 5, is now 3: clients that send longer values are now refused",
        ),
        (
            format!("{}, then: {{required: [k]}}", limit("if", 3)),
            format!("{}, then: {{required: [k]}}", limit("if", 5)),
            "in `if`, `maxLength` of `a` was 3, is now 5: some values that clients of old send are now refused",
        ),
        (
            format!("{}, then: {{required: [k]}}", limit("if", 5)),
            format!("{}, then: {{required: [k]}}", limit("if", 3)),
            "in `if`, `maxLength` of `a` was 5, is now 3: new still accepts everything that clients of old send",
        ),
        (
            "not: {required: [a], properties: {a: {maxLength: 3}}}".to_owned(),
            "not: {required: [a], properties: {a: {maxLength: 5}}}".to_owned(),
            "under `not`, `maxLength` of `a` was 3, is now 5: clients that send longer values are now refused",
        ),
        (
            format!(
                "dependentSchemas: {{k: {{{}}}}}",
                "properties: {a: {maxLength: 5}}"
            ),
            format!(
                "dependentSchemas: {{k: {{{}}}}}",
                "properties: {a: {maxLength: 3}}"
            ),
            "where `k` is present, `maxLength` of `a` was 5, is now 3: clients that send longer values are now refused",
        ),
    ];
    for (old, new, expected) in &table {
        let (old, new) = (whole(old), whole(new));
        assert_eq!(told_in_3_1(&old, &new), [*expected], "{old} {new}");
    }
}

#[test]
fn a_new_item_of_a_tuple_is_told_as_one() {
    let (one, two) = (
        "{type: array, prefixItems: [{type: string}]}",
        "{type: array, prefixItems: [{type: string}, {type: integer}]}",
    );
    assert_eq!(
        told_in_3_1(one, two),
        [
            "`prefixItems` describes one more item: an integer: clients that send values that do not match it are now refused"
        ]
    );
    assert_eq!(
        told_in_3_1(two, one),
        [
            "`prefixItems` no longer describes its last item, an integer: clients may now send values that do not match it"
        ]
    );
}

#[test]
fn a_member_that_was_required_already_is_not_told_as_newly_required() {
    let (bare, described) = (
        "{type: object, required: [xa]}",
        "{type: object, required: [xa], properties: {xa: {type: string}}}",
    );
    assert_eq!(
        told_in_3_1(bare, described),
        ["new adds `xa` to the request: clients that already send another value there are refused"]
    );
}

#[test]
fn a_member_more_of_an_open_alternative_is_not_told_as_one_that_could_not_be_sent() {
    let (less, more) = (
        "{anyOf: [{type: object, properties: {x: {type: string}}}, {type: object, properties: {y: {type: string}}}]}",
        "{anyOf: [{type: object, properties: {x: {type: string}}}, {type: object, properties: {y: {type: string}, b: {type: string}}}]}",
    );
    assert_eq!(
        told_in_3_1(less, more),
        [
            "new adds `b` to the request: only clients that already send an undocumented `b` are affected"
        ]
    );
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

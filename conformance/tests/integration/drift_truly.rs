//! Findings say what a difference does, and no more.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::Comparison;
use conformance::report::words;

use super::drift_told::told_in_3_1;

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

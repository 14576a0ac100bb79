//! Numbers are compared and told by all their digits, wherever they stand and whatever 64 bits hold.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Comparison, Finding, Severity};
use conformance::report::words;

use crate::drift_support::random::Random;

/// Schemas with a number at `N`.
const SCHEMAS: [&str; 22] = [
    "{minimum: N}",
    "{maximum: N}",
    "{exclusiveMinimum: N}",
    "{exclusiveMaximum: N}",
    "{multipleOf: N}",
    "{const: N}",
    "{enum: [N]}",
    "{enum: [1, N, 'N']}",
    "{const: {a: [N]}}",
    "{enum: [{a: {b/c: N}}, 3]}",
    "{type: [number, 'null'], enum: [null, N]}",
    "{default: N}",
    "{default: {a: [1, N]}}",
    "{example: N}",
    "{examples: [N]}",
    "{examples: [1, {a: N}]}",
    "{x-limit: N}",
    "{x-limits: [{a: N}]}",
    "{properties: {a: {items: {maximum: N}}}}",
    "{anyOf: [{type: string}, {type: number, maximum: N}]}",
    "{allOf: [{type: number}, {minimum: N}]}",
    "{properties: {a: {$ref: '#/components/schemas/Other'}}}",
];

/// Schemas that 3.0 says in its own words.
const SCHEMAS_3_0: [&str; 6] = [
    "{minimum: N, exclusiveMinimum: true}",
    "{maximum: N, exclusiveMaximum: true}",
    "{example: N}",
    "{example: {a: [N]}}",
    "{type: number, nullable: true, enum: [N, null]}",
    "{allOf: [{minimum: N, exclusiveMinimum: true}], nullable: true}",
];

/// Places outside of schemas.
const PLACES: [&str; 7] = [
    "info: {title: t, version: '1', x-limit: N}\npaths: {}\n",
    "info: {title: t, version: '1'}\npaths: {/a: {get: {x-limit: [N], responses: {'200': {description: d}}}}}\n",
    "info: {title: t, version: '1'}\npaths: {/a: {get: {parameters: [{in: query, name: q, schema: {}, example: N}], responses: {'200': {description: d}}}}}\n",
    "info: {title: t, version: '1'}\npaths: {/a: {get: {parameters: [{in: query, name: q, schema: {}, examples: {one: {value: {a: N}}}}], responses: {'200': {description: d}}}}}\n",
    "info: {title: t, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: d, content: {application/json: {example: {a: N}}}}}}}}\n",
    "info: {title: t, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: d, content: {application/json: {examples: {one: {value: [N]}}}}}}}}}\n",
    "info: {title: t, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: d, headers: {X-A: {schema: {maximum: N}}}}}}}}\n",
];

fn with_schema(version: &str, schema: &str) -> String {
    let schema = schema.replace('N', "NUMBER");
    format!(
        "openapi: {version}\ninfo: {{title: t, version: '1'}}\npaths:\n  /a:\n    post:\n      requestBody: {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/Body'}}}}}}}}\n      responses: {{'200': {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Body'}}}}}}}}}}\ncomponents: {{schemas: {{Body: {schema}, Other: {{const: NUMBER}}}}}}\n"
    )
}

/// Documents with a number at `NUMBER`.
fn templates() -> Vec<String> {
    let of_3_1 = SCHEMAS.iter().map(|schema| with_schema("3.1.0", schema));
    let of_3_0 = SCHEMAS_3_0
        .iter()
        .map(|schema| with_schema("3.0.3", schema));
    let others = PLACES
        .iter()
        .map(|place| format!("openapi: 3.1.0\n{}", place.replace("N", "NUMBER")));
    let of_2_0 = "swagger: '2.0'\ninfo: {title: t, version: '1'}\npaths: {/a: {get: {parameters: [{in: query, name: q, type: number, maximum: NUMBER, exclusiveMaximum: true}], responses: {'200': {description: d}}}}}\n";
    of_3_1
        .chain(of_3_0)
        .chain(others)
        .chain([of_2_0.to_owned()])
        .collect()
}

/// Two texts of numbers that differ in the last digit, in a size at which 64 bits may lose it.
fn neighbors(random: &mut Random) -> (String, String) {
    let whole = [
        "9007199254740992",
        "9223372036854775807",
        "18446744073709551615",
        "100000000000000000000000000000",
        "3",
    ][random.below(5)];
    let mut digits = whole.to_owned();
    for _ in 0..random.below(8) {
        digits.push(char::from(
            b'0' + u8::try_from(random.below(10)).expect("a digit"),
        ));
    }
    if random.below(2) == 0 {
        digits.push_str(".1234567890123456789");
    }
    let last = |digit: char| format!("{digits}{digit}");
    let digit = random.below(8);
    let digit = |more: usize| char::from(b'1' + u8::try_from(digit + more).expect("a digit"));
    (last(digit(0)), last(digit(1)))
}

/// The same number in another spelling.
fn respelled(random: &mut Random, number: &str) -> String {
    match (random.below(2), number.contains('.')) {
        (0, false) => format!("{number}.0"),
        (0, true) => format!("{number}0"),
        (_, false) => format!("{number}0e-1"),
        (_, true) => format!("{number}e0"),
    }
}

fn found(old: &str, new: &str) -> Vec<Finding> {
    let parse = |text: &str| Document::parse("d", text).unwrap_or_else(|error| panic!("{error}"));
    compare(&parse(old), &parse(new), &Options::default())
}

/// The document as JSON.
fn json(text: &str) -> String {
    let quoted = text
        .replace("'NUMBER'", "'text'")
        .replace("NUMBER", "'NUMBER'");
    let value: serde_json::Value = yaml_serde::from_str(&quoted).expect("YAML");
    value.to_string().replace("\"NUMBER\"", "NUMBER")
}

#[test]
fn numbers_differ_by_all_their_digits_and_are_told_with_them() {
    let mut random = Random::new(11);
    let mut told = 0;
    for template in templates() {
        for text in [template.clone(), json(&template)] {
            for _ in 0..6 {
                let (one, other) = neighbors(&mut random);
                let of = |number: &str| text.replace("NUMBER", number);
                let again = respelled(&mut random, &one);
                // A string is another value in another spelling.
                if !text.contains("'NUMBER'") {
                    let same = found(&of(&one), &of(&again));
                    assert_eq!(same, [], "{one} and {again} in {text}");
                }
                // Integers and fractions are compared with each other, too.
                let spelled = match random.below(2) {
                    0 => other.clone(),
                    _ => respelled(&mut random, &other),
                };
                let differ = found(&of(&one), &of(&spelled));
                let sentences: Vec<String> = differ
                    .iter()
                    .map(|finding| words::of(finding, Comparison::Versions))
                    .collect();
                let all = sentences.join("\n");
                // A long number is reported where it differs.
                let end = |number: &str| number[number.len().saturating_sub(12)..].to_owned();
                assert!(
                    all.contains(&end(&one)) && all.contains(&end(&other)),
                    "{one} and {other} in {text}: {all}"
                );
                told += 1;
            }
        }
    }
    assert!(told > 400, "{told}");
}

#[test]
fn what_is_added_to_an_enum_is_only_that() {
    let (big, bigger) = ("18446744073709551616", "18446744073709551617");
    let of = |values: &str| with_schema("3.1.0", &format!("{{enum: [{values}]}}"));
    let one = of(&format!("1, {big}"));
    assert_eq!(found(&one, &of(&format!("{big}, 1"))), []);
    assert_eq!(found(&one, &of(&format!("1, {big}, {big}"))), []);
    for more in [bigger, "2", "\"18446744073709551616\""] {
        let findings = found(&one, &of(&format!("{more}, {big}, 1")));
        let [finding] = &findings[..] else {
            panic!("{findings:?}");
        };
        let shown = if more.starts_with('"') {
            format!("`{more}`")
        } else {
            more.to_owned()
        };
        assert_eq!(
            words::of(finding, Comparison::Versions),
            format!("new may answer {shown} for `Body`, which clients of old do not know")
        );
        let back = found(&of(&format!("{more}, {big}, 1")), &one);
        assert_eq!(back.len(), 1, "{back:?}");
    }
}

/// The severities of what is found where a client sends the value, and where the server does.
fn severities(old: &str, new: &str) -> [Vec<Severity>; 2] {
    let body = |schema: &str| format!("{{content: {{application/json: {{schema: {schema}}}}}}}");
    let document = |schema: &str, sent: bool| {
        let (request, response) = match sent {
            true => (
                format!("requestBody: {},", body(schema)),
                "{description: d}".to_owned(),
            ),
            false => (
                String::new(),
                format!("{{description: d, content: {{application/json: {{schema: {schema}}}}}}}"),
            ),
        };
        format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{/a: {{post: {{{request} responses: {{'200': {response}}}}}}}}}\n"
        )
    };
    [true, false].map(|sent| {
        let findings = found(&document(old, sent), &document(new, sent));
        findings.iter().map(|finding| finding.severity).collect()
    })
}

#[test]
fn numbers_that_64_bits_do_not_hold_are_judged_like_others() {
    use Severity::{Breaking, Warning};
    for (old, new, client, server) in [
        (
            "{const: 1}",
            "{const: 18446744073709551616}",
            &[Breaking][..],
            &[Breaking][..],
        ),
        (
            "{const: 0.1}",
            "{const: 0.10000000000000000000001}",
            &[Breaking],
            &[Breaking],
        ),
        (
            "{const: {a: 0.1}}",
            "{const: {a: 0.10000000000000000000001}}",
            &[Breaking],
            &[Breaking],
        ),
        (
            "{enum: [1]}",
            "{enum: [1, 18446744073709551616]}",
            &[Warning],
            &[Breaking],
        ),
        (
            "{type: integer, multipleOf: 36893488147419103232}",
            "{type: integer, multipleOf: 18446744073709551616}",
            &[Warning],
            &[Breaking],
        ),
        (
            "{type: number, multipleOf: 2e-20}",
            "{type: number, multipleOf: 1e-20}",
            &[Warning],
            &[Breaking],
        ),
        (
            "{type: number, multipleOf: 0.3}",
            "{type: number, multipleOf: 0.1}",
            &[Warning],
            &[Breaking],
        ),
        (
            "{type: number, multipleOf: 0.1}",
            "{type: number, multipleOf: 0.10000000000000000000001}",
            &[Breaking],
            &[Breaking],
        ),
        // 9007199254740993 is three times 3002399751580331, and no float.
        (
            "{type: integer, multipleOf: 9007199254740993}",
            "{type: integer, multipleOf: 3}",
            &[Warning],
            &[Breaking],
        ),
        (
            "{anyOf: [{const: 18446744073709551616}, {const: 18446744073709551617}]}",
            "{anyOf: [{const: 18446744073709551616}, {const: 18446744073709551618}]}",
            &[Breaking],
            &[Breaking],
        ),
        (
            "{allOf: [{maximum: 18446744073709551617}, {type: integer}]}",
            "{allOf: [{maximum: 18446744073709551616}, {type: integer}]}",
            &[Breaking],
            &[Warning],
        ),
        (
            "{not: {minimum: 18446744073709551616}}",
            "{not: {minimum: 18446744073709551617}}",
            &[Warning],
            &[Breaking],
        ),
    ] {
        let found = severities(old, new);
        assert_eq!(found, [client.to_vec(), server.to_vec()], "{old} to {new}");
    }
}

#[test]
fn a_witness_is_written_with_all_its_digits() {
    let of = |schema: &str| with_schema("3.1.0", schema);
    for (old, new) in [
        (
            "{type: integer}",
            "{type: integer, minimum: -9223372036854775808}",
        ),
        (
            "{type: integer}",
            "{type: integer, maximum: 18446744073709551615}",
        ),
        ("{type: integer, format: int64}", "{type: integer}"),
        ("{type: integer, format: uint64}", "{type: integer}"),
        ("{const: 1}", "{const: 18446744073709551616}"),
        (
            "{type: integer, multipleOf: 9007199254740993}",
            "{type: integer, multipleOf: 3}",
        ),
        (
            "{type: integer, maximum: 18446744073709551615}",
            "{type: integer, maximum: 18446744073709551614}",
        ),
    ] {
        for (old, new) in [(old, new), (new, old)] {
            for finding in found(&of(old), &of(new)) {
                let Some(shown) = finding.witness else {
                    continue;
                };
                let digits = shown.to_string();
                let digits = digits.split(['e', '.']).next().unwrap_or_default();
                assert!(
                    shown.is_i64() || shown.is_u64() || digits.len() < 5,
                    "{shown}"
                );
            }
        }
    }
}

#[test]
fn numbers_are_quoted_as_they_are_written() {
    let said = |text: &str, other: &str| {
        let document = |text: &str| Document::parse("d", text).expect("a document");
        let findings = compare(&document(text), &document(other), &Options::default());
        let said: Vec<String> = findings
            .iter()
            .map(|finding| words::of(finding, Comparison::Versions))
            .collect();
        said.join("\n")
    };
    let yaml = |schema: &str| with_schema("3.1.0", schema);
    let json = |schema: &str| {
        format!(
            r#"{{"openapi": "3.1.0", "info": {{"title": "t", "version": "1"}}, "paths": {{"/a": {{"post": {{"requestBody": {{"content": {{"application/json": {{"schema": {schema}}}}}}}, "responses": {{"200": {{"description": "d"}}}}}}}}}}}}"#
        )
    };
    for (old, new, written) in [
        (yaml("{maximum: 1e3}"), yaml("{maximum: 20}"), ["1e3", "20"]),
        (
            yaml("{'maximum': 1E+3}"),
            yaml("{maximum: 1.50}"),
            ["1E+3", "1.50"],
        ),
        (
            json(r#"{"maximum": 1e3}"#),
            json(r#"{"maximum" : 2.0e1}"#),
            ["1e3", "2.0e1"],
        ),
        (
            json(r#"{"enum": [1, 1e3]}"#),
            json(r#"{"enum": [1]}"#),
            ["1e3", ""],
        ),
        (
            json(r#"{"type": "number", "enum": [1]}"#),
            json(r#"{"type": "number", "enum": [1,5e2 ]}"#),
            ["5e2", ""],
        ),
    ] {
        let said = said(&old, &new);
        for written in written {
            assert!(said.contains(written), "{old} to {new}: {said}");
        }
    }
}

//! False alarms that another tool had to mend, as cases here. The numbers are those of the entries in the list of schemathesis' changelog
//! of 2026-08-22 (MIT licence), the newest first: 141 in all.
//!
//! Each is a case in [`ENTRIES`], a test of a server or of samples below, or belongs to one of the classes in [`NOT_HERE`], which are
//! about what is not done, or only elsewhere.

use conformance::case::{Intent, Refusal};
use conformance::document::Document;
use conformance::finding::{Comparison, Severity};
use conformance::generate::Generator;
use conformance::replay::{self, Generate, Options};
use conformance::report::words;
use conformance::samples;
use conformance::schema::Schemas;
use serde_json::{Value, json};

use super::hold;
use super::reader::Place;
use crate::replay::server::{Reply, Request, Server};

/// A schema in a place, with the entries that it is from.
struct Entry {
    numbers: &'static [u16],
    place: Place,
    schema: &'static str,
}

const fn entry(numbers: &'static [u16], place: Place, schema: &'static str) -> Entry {
    Entry {
        numbers,
        place,
        schema,
    }
}

const LIST: Place = Place::Query { explode: true };
const COMMAS: Place = Place::Query { explode: false };

/// Entries that have tests of their own below.
const TESTED_BELOW: &[u16] = &[
    4, 6, 15, 20, 22, 25, 37, 41, 43, 46, 47, 48, 49, 51, 52, 53, 54, 57, 64, 68, 102, 104, 131,
    133, 139, 141,
];

/// Entries that do not apply, by class.
const NOT_HERE: &[(&str, &[u16])] = &[
    (
        "flows over several operations, which are tested there",
        &[36, 38, 39, 105, 108, 132, 134, 137, 138],
    ),
    (
        "hooks, authentication handlers and pools of values of that tool",
        &[17, 26, 27, 34, 50, 103, 122, 123, 140],
    ),
    (
        "XML bodies and bodies of bytes, which are not generated",
        &[106, 109, 121],
    ),
    ("errors of its own", &[124, 125, 126, 135, 136]),
];

/// Schemas that the others may refer to.
const COMPONENTS: &str = "{
    Name: {type: string, maxLength: 4},
    Base: {type: object, required: [id], properties: {id: {type: string, minLength: 1}}},
    Closed: {type: object, properties: {a: {type: string, pattern: '^[a-z]+$', minLength: 2, maxLength: 4}}, additionalProperties: false},
    Cat: {allOf: [{$ref: '#/components/schemas/Base'}, {$ref: '#/components/schemas/Kind'}, {properties: {kind: {const: cat}}}]},
    Dog: {allOf: [{$ref: '#/components/schemas/Base'}, {$ref: '#/components/schemas/Kind'}, {properties: {kind: {const: dog}}}]},
    Kind: {type: object, required: [kind], properties: {kind: {type: string}}},
    Pet: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind}}
}";

const ENTRIES: &[Entry] = &[
    entry(
        &[1, 78],
        Place::Json,
        "{type: object, required: [at], properties: {at: {type: string, format: date-time}, n: {type: integer}}}",
    ),
    entry(
        &[2, 33],
        Place::Json,
        "{type: object, properties: {a: {type: string, minLength: 1}, b: {type: integer}}, anyOf: [{required: [a]}, {required: [b]}]}",
    ),
    entry(
        &[3],
        Place::Json,
        "{type: object, properties: {a: {type: string}, b: {type: string}}, not: {required: [a, b]}}",
    ),
    entry(
        &[5],
        Place::Json,
        "{type: object, properties: {a: {not: {$ref: '#/components/schemas/Name'}}}}",
    ),
    entry(&[7], LIST, "{type: array, items: {type: string}}"),
    entry(
        &[8, 56],
        Place::Json,
        "{type: object, additionalProperties: false, properties: {a: {type: string}}}",
    ),
    entry(
        &[9],
        Place::Json,
        "{type: array, items: {type: integer, enum: [1, two, 3]}}",
    ),
    entry(
        &[10],
        Place::Json,
        "{type: array, items: {type: integer}, contains: {minimum: 5}, minContains: 2, maxContains: 3}",
    ),
    entry(
        &[11],
        Place::Json,
        "{type: object, properties: {a: {}, b: {type: integer}}, dependentRequired: {a: [b]}, dependentSchemas: {b: {properties: {c: {type: string}}, required: [c]}}}",
    ),
    entry(
        &[12],
        Place::Json,
        "{type: object, patternProperties: {'^x-': {type: integer}}, additionalProperties: {type: string}}",
    ),
    entry(&[13, 111], Place::Path, "{type: integer, minimum: 1}"),
    entry(
        &[14],
        Place::Json,
        "{type: object, propertyNames: {pattern: '^[a-z]+$'}, properties: {a: {const: 1}}}",
    ),
    entry(&[16, 19, 21], LIST, "{type: boolean}"),
    entry(&[19, 21], Place::Path, "{type: boolean}"),
    entry(
        &[18],
        Place::Json,
        "{type: number, format: float, exclusiveMinimum: 0, exclusiveMaximum: 1}",
    ),
    entry(
        &[23],
        COMMAS,
        "{type: array, minItems: 1, items: {type: string, minLength: 1}}",
    ),
    entry(
        &[24],
        Place::Path,
        "{type: array, items: {type: string, maxLength: 3}}",
    ),
    entry(&[28], Place::Json, "{type: integer, enum: [1, 2]}"),
    entry(&[28], LIST, "{type: integer, enum: [1, 2]}"),
    entry(
        &[29],
        Place::Json,
        "{allOf: [{type: object, additionalProperties: false, properties: {a: {}, b: {}}}, {required: [a], properties: {a: {type: string}}}]}",
    ),
    entry(
        &[30],
        Place::Json,
        "{type: object, properties: {l: {type: array, maxItems: 0, items: {type: string}}}}",
    ),
    entry(
        &[31],
        Place::Json,
        "{type: string, minLength: 3, not: {pattern: '^a'}}",
    ),
    entry(&[32], Place::Json, "{$ref: '#/components/schemas/Pet'}"),
    entry(
        &[35],
        Place::Json,
        "{type: object, properties: {a: {type: integer}}}",
    ),
    entry(&[40, 95, 98], LIST, "{type: integer}"),
    entry(&[40], LIST, "{type: array, items: {type: integer}}"),
    entry(
        &[42],
        Place::Json,
        "{$ref: '#/components/schemas/Base', properties: {more: {type: integer}}}",
    ),
    entry(
        &[44],
        Place::Multipart,
        "{type: object, required: [a], properties: {a: {type: string}, b: {type: integer}}}",
    ),
    entry(
        &[45, 119],
        Place::Json,
        "{type: object, properties: {a: {type: string, format: byte}, b: {type: string, format: binary}}}",
    ),
    entry(
        &[55, 94],
        Place::Json,
        "{type: array, minItems: 2, maxItems: 3, items: {type: object, required: [id], properties: {id: {type: integer}, l: {type: array, items: {type: object, properties: {x: {type: string}}}}}}}",
    ),
    entry(
        &[58, 62],
        Place::Json,
        "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}",
    ),
    entry(
        &[59],
        Place::Json,
        "{oneOf: [{type: object, properties: {a: {type: string}}}, {type: object, required: [b], properties: {b: {type: string}}}]}",
    ),
    entry(
        &[60],
        Place::Json,
        "{type: object, properties: {a: {type: string}, b: {type: integer}}, oneOf: [{required: [a]}, {required: [b]}]}",
    ),
    entry(
        &[61],
        Place::Json,
        "{type: string, anyOf: [{const: null}, {minLength: 2}]}",
    ),
    entry(&[63], Place::Json, "{$ref: '#/components/schemas/Closed'}"),
    entry(
        &[65, 91],
        Place::Json,
        "{type: object, properties: {a: {type: string, enum: [long text, x], maxLength: 3}}}",
    ),
    entry(
        &[66, 67],
        Place::Json,
        "{type: object, properties: {a: {type: string, enum: [yes, false, 'no']}}}",
    ),
    entry(
        &[69, 70],
        Place::Json,
        "{type: object, required: [a, hidden], properties: {a: {type: object, required: [deep], properties: {b: {}}}}}",
    ),
    entry(
        &[71],
        Place::Json,
        "{type: object, properties: {a: {type: object, items: {type: string}}}}",
    ),
    entry(
        &[72],
        Place::Json,
        "{type: object, properties: {a: false, b: {type: string}}}",
    ),
    entry(
        &[73],
        Place::Json,
        "{type: object, properties: {a: {type: string, properties: {}}}}",
    ),
    entry(&[74], LIST, "{type: string, pattern: '^([a-z]|-[a-z])*$'}"),
    entry(
        &[75],
        Place::Json,
        "{type: string, format: uuid, pattern: '^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$'}",
    ),
    entry(
        &[76],
        Place::Json,
        "{type: object, properties: {a: {type: number, pattern: '^[0-9]+$'}}}",
    ),
    entry(
        &[77],
        Place::Json,
        "{type: object, propertyNames: {pattern: '^[a-z]{1,3}$'}, additionalProperties: {type: integer}}",
    ),
    entry(
        &[79],
        Place::Json,
        "{type: string, pattern: '[a-z]+', maxLength: 5}",
    ),
    entry(
        &[80],
        Place::Json,
        "{type: string, pattern: '^[a-z]([-a-z]*[a-z])?$', maxLength: 6}",
    ),
    entry(
        &[81],
        Place::Json,
        "{type: string, pattern: '^a(b+c*)?$', maxLength: 4}",
    ),
    entry(
        &[82],
        Place::Json,
        "{type: string, pattern: '^([a-z]{1,3}-){1,2}x$', minLength: 4, maxLength: 6}",
    ),
    entry(
        &[83],
        Place::Json,
        "{type: string, pattern: '^[^x]*$', maxLength: 5}",
    ),
    entry(
        &[84, 120, 128],
        Place::Form,
        "{type: object, required: [a], properties: {a: {type: string}, b: {type: integer}}}",
    ),
    entry(
        &[85],
        Place::Form,
        "{type: object, properties: {a: {$ref: '#/components/schemas/Name'}}}",
    ),
    entry(
        &[86],
        Place::Form,
        "{type: object, properties: {a: {type: array, items: {type: string}}, b: {type: string}}}",
    ),
    entry(
        &[87],
        Place::Json,
        "{type: object, required: [a, b], properties: {a: {type: string}, b: {type: string}}, additionalProperties: {type: integer}}",
    ),
    entry(
        &[88],
        Place::Json,
        "{type: object, required: [a, b], properties: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {}, j: {}, k: {}, l: {}, m: {}, n: {}, o: {}}}",
    ),
    entry(
        &[89],
        Place::Json,
        "{type: object, properties: {a: {type: integer}}, additionalProperties: {}}",
    ),
    entry(
        &[90],
        Place::Json,
        "{type: object, properties: {a: {type: [string, 'null'], minLength: 2, maxLength: 3}, b: {type: [string, 'null'], format: date}}}",
    ),
    entry(
        &[92],
        Place::Json,
        "{type: object, properties: {a: {type: integer, minLength: 3, maxLength: 5}}}",
    ),
    entry(
        &[93],
        Place::Multipart,
        "{type: object, properties: {f: {type: [string, 'null'], format: binary}, t: {type: string, maxLength: 3}}}",
    ),
    entry(
        &[96],
        Place::Json,
        "{type: array, uniqueItems: true, minItems: 2, items: {enum: [a, b, c]}}",
    ),
    entry(
        &[97],
        Place::Json,
        "{type: object, properties: {a: {type: number}}}",
    ),
    entry(&[99], Place::Header, "{type: string, maxLength: 9}"),
    entry(&[100, 129, 130], Place::Path, "{type: string}"),
    entry(&[101], Place::Path, "{type: string, minLength: 3}"),
    entry(
        &[107],
        Place::Json,
        "{type: object, properties: {h: {type: string, format: hostname}}}",
    ),
    entry(&[110, 113], Place::Path, "{type: number}"),
    entry(
        &[112],
        Place::Json,
        "{type: object, properties: {p: {type: string, format: password}, q: {type: string, format: no-such-format}}}",
    ),
    entry(
        &[114],
        Place::Json,
        "{type: object, minProperties: 1, maxProperties: 2, required: [a], properties: {a: {type: string, minLength: 2, maxLength: 3}, b: {type: integer}}}",
    ),
    entry(
        &[115],
        LIST,
        "{type: array, items: {type: string}, maxItems: 2}",
    ),
    entry(
        &[115],
        Place::Header,
        "{type: array, items: {type: string}, maxItems: 2}",
    ),
    entry(
        &[116, 117],
        Place::Form,
        "{type: object, properties: {a: {type: string}}}",
    ),
    entry(&[118], Place::Text, "{type: string, maxLength: 9}"),
    entry(&[127], LIST, "{type: array, items: {type: string}}"),
];

fn yaml(text: &str) -> Value {
    yaml_serde::from_str(text).expect("YAML")
}

#[test]
fn what_gave_false_alarms_elsewhere_is_what_it_is_made_for() {
    let components = yaml(COMPONENTS);
    let mut wrong = Vec::new();
    for Entry {
        numbers,
        place,
        schema,
    } in ENTRIES
    {
        let (counts, found) = hold(*place, &yaml(schema), &components, 7);
        wrong.extend(
            found
                .into_iter()
                .take(3)
                .map(|one| format!("{numbers:?} {one}")),
        );
        // An entry that gives no cases would prove nothing.
        if counts.valid + counts.refused == 0 {
            wrong.push(format!("{numbers:?}: no case says anything"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_optional_member_that_no_value_satisfies_is_a_warning_and_the_rest_is_sent() {
    let faults = |schema: &str| {
        let text = super::document(Place::Json, &yaml(schema), &json!({})).to_string();
        let document = Document::parse("t.json", &text).expect("the document parses");
        let schemas = Schemas::new(&document);
        let generator = Generator::new(&document, &schemas);
        let operation = &document.operations()[0];
        assert!(!generator.cases(operation, &[], 100).is_empty(), "{schema}");
        let faults = generator.faults(operation, &[]);
        let told = faults.iter().map(|one| {
            let sentence =
                conformance::report::words::of(one, conformance::finding::Comparison::Single);
            format!("{} {}: {sentence}", one.severity.word(), one.rule)
        });
        told.collect::<Vec<String>>()
    };
    let found = faults(
        "{type: object, properties: {a: {type: object, properties: {zip: {type: string, minLength: 6, maxLength: 5}}}, b: {type: string}}}",
    );
    let [one] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(one.starts_with("warning request-unsatisfiable: "), "{one}");
    assert!(one.contains("member `/a/zip` of the body"), "{one}");
    // Members that are meant to be absent, and members that only look odd.
    for schema in [
        "{type: object, properties: {a: false, b: {not: {}}}}",
        "{type: object, properties: {a: {type: string, minLength: 5, maxLength: 5}, b: {type: integer, enum: [1, x]}}}",
    ] {
        assert_eq!(faults(schema), Vec::<String>::new(), "{schema}");
    }
}

/// 46, 57, 64, 68: where no value is valid, nothing is sent, and it is said.
#[test]
fn a_schema_that_no_value_satisfies_is_a_finding_and_nothing_is_sent() {
    for (schema, proven) in [
        ("{type: integer, minimum: 5, maximum: 1}", true),
        (
            "{type: array, minItems: 1, items: {type: integer, enum: [a]}}",
            true,
        ),
        (
            "{type: object, required: [a], properties: {a: {type: string, minLength: 3, maxLength: 1}}}",
            true,
        ),
        (
            "{type: object, required: [a], properties: {a: {type: object, required: [b], properties: {b: false}}}}",
            true,
        ),
        ("{type: string, pattern: '^(?=.*a)(?=b).{8}(?<=c)$'}", false),
    ] {
        let text = super::document(Place::Json, &yaml(schema), &json!({})).to_string();
        let document = Document::parse("t.json", &text).expect("the document parses");
        let schemas = Schemas::new(&document);
        let generator = Generator::new(&document, &schemas);
        let operation = &document.operations()[0];
        let rules: Vec<&str> = generator
            .faults(operation, &[])
            .iter()
            .map(|one| one.rule)
            .collect();
        let expected = if proven {
            "request-unsatisfiable"
        } else {
            "cases-not-generated"
        };
        assert_eq!(rules, [expected], "{schema}");
        assert!(generator.cases(operation, &[], 100).is_empty(), "{schema}");
    }
    let escape = yaml("{type: string, pattern: '^[\\p{L}_]+$'}");
    let (counts, wrong) = hold(Place::Json, &escape, &json!({}), 1);
    assert!(
        wrong.is_empty() && counts.valid > 0 && counts.refused > 0,
        "{wrong:?}"
    );
}

/// 47 to 49, 52 to 54, 56, 104: a sample that is not valid itself is reported, and nothing starts from it.
#[test]
fn cases_do_not_start_from_samples_that_are_not_valid() {
    for (schema, example) in [
        (
            "{type: object, required: [at], properties: {at: {type: string, format: date-time}}}",
            "{at: '2026-01-01T00:00:00'}",
        ),
        (
            "{type: object, required: [n], properties: {n: {type: integer}}}",
            "{n: five}",
        ),
        (
            "{type: object, required: [n], properties: {n: {oneOf: [{const: 1}, {const: 2}]}}}",
            "{n: 3}",
        ),
        (
            "{allOf: [{type: object, additionalProperties: false, properties: {a: {}}}, {properties: {b: {}}}]}",
            "{a: 1, b: 2}",
        ),
    ] {
        let mut whole = super::document(Place::Json, &yaml(schema), &json!({}));
        whole["paths"]["/a"]["post"]["requestBody"]["content"]["application/json"]["example"] =
            yaml(example);
        let document = Document::parse("t.json", &whole.to_string()).expect("the document parses");
        let schemas = Schemas::new(&document);
        let generator = Generator::new(&document, &schemas);
        let operation = &document.operations()[0];
        let samples = samples::plan(&document, operation).cases;
        assert!(!samples.is_empty(), "{schema}");
        let cases = generator.cases(operation, &samples, 1_000);
        let valid: Vec<_> = cases
            .iter()
            .filter(|case| case.intent == Intent::Valid)
            .collect();
        assert!(!valid.is_empty(), "{schema}");
        for case in valid {
            let body = case.body.as_ref().and_then(|body| body.value.clone());
            assert_ne!(body, Some(yaml(example)), "{}", case.sample);
        }
    }
}

/// Returns the findings of a run on a server that answers by `answer`, from the gravest to warnings.
fn found(
    document: &str,
    headers: &[(&str, &str)],
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Vec<String> {
    let server = Server::start(Box::new(move |request: &Request, _| answer(request)));
    let mut options = Options::new(&server.url);
    options.generate = Some(Generate::default());
    options.headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let document = Document::parse("t.yaml", document).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(replay::run(&options, &document, &mut |_| {}));
    let findings = outcome.expect("the server can be checked").findings;
    findings
        .iter()
        .filter(|one| one.severity <= Severity::Warning)
        .map(|one| format!("{}: {}", one.rule, words::of(one, Comparison::Single)))
        .collect()
}

fn ok() -> Reply {
    Reply::json(200, &json!({}))
}

fn no(status: u16) -> Reply {
    Reply::new(status)
}

/// A document with one path.
fn api(path: &str, item: &str, rest: &str) -> String {
    format!(
        "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{'{path}': {item}}}\n{rest}\n"
    )
}

/// 4, 41: below a path parameter, 404 is an answer to a method; elsewhere routing says 405.
#[test]
fn a_thing_that_is_not_there_has_no_methods() {
    let item = "{get: {parameters: [{in: path, name: id, required: true, schema: {type: string}}], responses: {'200': {description: d}, '404': {description: d}}}}";
    let findings = found(&api("/a/{id}", item, ""), &[], |request| {
        match request.method.as_str() {
            "GET" | "HEAD" => no(200),
            _ => no(404),
        }
    });
    assert!(findings.is_empty(), "{findings:#?}");
}

/// 6: who asks for a token with a made-up password may be refused.
#[test]
fn credentials_in_a_body_may_be_wrong() {
    let item = "{post: {requestBody: {required: true, content: {application/json: {schema: {type: object, required: [user, password], properties: {user: {type: string}, password: {type: string}}}, example: {user: me, password: right}}}}, responses: {'200': {description: d}, '400': {description: d}}}}";
    let findings = found(&api("/login", item, ""), &[], |request| {
        let read: Result<Value, _> = serde_json::from_slice(&request.body);
        let right = json!({"user": "me", "password": "right"});
        let is_json = request
            .headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/json");
        match request.method.as_str() {
            "POST" if is_json && read.is_ok_and(|read| read == right) => no(200),
            "POST" => no(400),
            _ => no(405).header("Allow", "POST"),
        }
    });
    assert!(findings.is_empty(), "{findings:#?}");
}

/// 20, 139: a key in the query is a credential, and not a parameter to be changed.
#[test]
fn a_key_that_is_documented_as_a_parameter_too_is_not_changed_as_one() {
    let item = "{get: {parameters: [{in: header, name: X-Key, required: true, schema: {type: string, minLength: 3}}], responses: {'200': {description: d}, '401': {description: d}}}}";
    let rest = "security: [{key: []}]\ncomponents: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}";
    let findings = found(
        &api("/a", item, rest),
        &[("X-Key", "right-key")],
        |request| {
            let right = request
                .headers
                .get("x-key")
                .is_some_and(|key| key == "right-key");
            match request.method.as_str() {
                "GET" | "HEAD" if right => no(200),
                "GET" | "HEAD" => no(401),
                _ => no(405).header("Allow", "GET"),
            }
        },
    );
    assert!(findings.is_empty(), "{findings:#?}");
}

/// 22: an answer may be null where an enum and a type say so.
#[test]
fn an_enum_that_may_be_null_may_be_null() {
    let item = "{get: {responses: {'200': {description: d, content: {application/json: {schema: {type: object, properties: {a: {type: [string, 'null'], enum: [x, null]}}}}}}}}}";
    let findings = found(&api("/a", item, ""), &[], |request| {
        match request.method.as_str() {
            "GET" | "HEAD" => Reply::json(200, &json!({"a": null})),
            _ => no(405).header("Allow", "GET"),
        }
    });
    assert!(findings.is_empty(), "{findings:#?}");
}

/// 43: a list in a header of OpenAPI 2.0 is written as its `collectionFormat` says.
#[test]
fn a_list_in_a_header_of_openapi_2_is_read() {
    let document = "swagger: '2.0'\ninfo: {title: t, version: '1'}\nproduces: [application/json]\npaths: {/a: {get: {responses: {'200': {description: d, schema: {type: object}, headers: {X-List: {type: array, items: {type: integer}, collectionFormat: csv}}}}}}}\n";
    let findings = found(document, &[], |request| match request.method.as_str() {
        "GET" | "HEAD" => ok().header("X-List", "1,2,3"),
        _ => no(405).header("Allow", "GET"),
    });
    assert!(findings.is_empty(), "{findings:#?}");
}

/// 102: a required header is missed even where the body has flaws of its own to offer.
#[test]
fn a_required_header_is_missed_with_a_valid_body() {
    let item = "{post: {parameters: [{in: header, name: X-Need, required: true, schema: {type: string}}], requestBody: {required: true, content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}}}}, responses: {'200': {description: d}, '400': {description: d}, '415': {description: d}}}}";
    let findings = found(&api("/a", item, ""), &[], |request| {
        let is_json = request
            .headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/json");
        let read: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match request.method.as_str() {
            "POST" if is_json && read["n"].as_f64().is_some_and(|n| n.fract() == 0.0) => no(200),
            "POST" => no(400),
            _ => no(405).header("Allow", "POST"),
        }
    });
    assert!(
        findings.len() == 1 && findings[0].contains("without the header parameter `X-Need`"),
        "{findings:#?}"
    );
}

/// 131: where no credentials are needed, none are missing.
#[test]
fn optional_credentials_may_be_missing_or_wrong() {
    let item = "{get: {security: [{}, {key: []}], responses: {'200': {description: d}}}}";
    let rest = "components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}";
    let findings = found(&api("/a", item, rest), &[], |request| {
        match request.method.as_str() {
            "GET" | "HEAD" => no(200),
            _ => no(405).header("Allow", "GET"),
        }
    });
    assert!(findings.is_empty(), "{findings:#?}");
}

/// 133, 141: a header of the command line does not hide the flaw of a case.
#[test]
fn a_header_that_is_given_does_not_mend_a_case_about_it() {
    let item = "{get: {parameters: [{in: header, name: X-Mode, required: true, schema: {enum: [a, b]}}], responses: {'200': {description: d}, '400': {description: d}}}}";
    let findings = found(&api("/a", item, ""), &[("X-Mode", "a")], |request| {
        let mode = request.headers.get("x-mode").map(String::as_str);
        match request.method.as_str() {
            "GET" | "HEAD" if matches!(mode, Some("a" | "b")) => no(200),
            "GET" | "HEAD" => no(400),
            _ => no(405).header("Allow", "GET"),
        }
    });
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(Refusal::Method.statuses(), [405]);
}

/// 25, 141: what the command line gives for every request is what is taken away and changed, and nothing else is.
#[test]
fn credentials_that_are_given_as_a_header_are_the_ones_that_are_missed() {
    let item = "{get: {security: [{key: []}], responses: {'200': {description: d}, '401': {description: d}}}}";
    for (scheme, name, given, right) in [
        (
            "{type: http, scheme: basic}",
            "Authorization",
            "Basic bWU6c3dvcmRmaXNo",
            "Basic bWU6c3dvcmRmaXNo",
        ),
        (
            "{type: apiKey, in: header, name: X-Sig}",
            "X-Sig",
            "sig-123456",
            "sig-123456",
        ),
        (
            "{type: apiKey, in: cookie, name: sid}",
            "Cookie",
            "sid=s-1f2e3d; lang=en",
            "sid=s-1f2e3d",
        ),
    ] {
        let rest = format!("components: {{securitySchemes: {{key: {scheme}}}}}");
        let document = api("/a", item, &rest);
        for is_careless in [false, true] {
            let lower = name.to_ascii_lowercase();
            let findings = found(&document, &[(name, given)], move |request| {
                let sent = request.headers.get(&lower).map_or("", String::as_str);
                let is_right = sent.split("; ").any(|one| one == right);
                match request.method.as_str() {
                    "GET" | "HEAD" if is_right || is_careless => no(200),
                    "GET" | "HEAD" => no(401),
                    _ => no(405).header("Allow", "GET, HEAD"),
                }
            });
            let is_found = findings
                .iter()
                .any(|one| one.starts_with("credentials-required"));
            assert_eq!(is_found, is_careless, "{name}: {findings:#?}");
            assert!(is_careless || findings.is_empty(), "{name}: {findings:#?}");
        }
    }
}

/// A server of people, whose lists lack a member that a creation requires.
fn people(by_put: bool, document: &str) -> Vec<String> {
    let kept: std::sync::Mutex<(u64, std::collections::BTreeMap<String, Value>)> =
        std::sync::Mutex::default();
    let answer = move |request: &Request| {
        let mut kept = kept.lock().expect("no thread panics");
        let id = request.path.strip_prefix("/people/").map(str::to_owned);
        let allowed: &[&str] = match (&id, by_put) {
            (Some(_), true) => &["GET", "HEAD", "PUT", "DELETE"],
            (Some(_), false) => &["GET", "HEAD", "DELETE"],
            (None, true) => &["GET", "HEAD"],
            (None, false) => &["GET", "HEAD", "POST"],
        };
        let method = request.method.as_str();
        if !allowed.contains(&method) {
            return no(405).header("Allow", &allowed.join(", "));
        }
        if matches!(method, "POST" | "PUT") {
            let is_json = request
                .headers
                .get("content-type")
                .is_some_and(|kind| kind == "application/json");
            let read: Option<Value> = serde_json::from_slice(&request.body).ok();
            let is_right = |person: &Value| {
                let text = |name: &str| person.get(name).and_then(Value::as_str);
                let fits = |name: &str| text(name).is_some_and(|one| one.chars().count() <= 9);
                person.as_object().is_some_and(|all| all.len() == 2) && fits("name") && fits("mail")
            };
            let Some(mut person) = read.filter(|read| is_json && is_right(read)) else {
                return no(if is_json { 400 } else { 415 });
            };
            kept.0 += 1;
            // Not what the path parameter's schema says where that is a UUID.
            let own = id.unwrap_or_else(|| format!("p{}", kept.0));
            person["id"] = own.as_str().into();
            let is_new = kept.1.insert(own, person.clone()).is_none();
            return Reply::json(if is_new { 201 } else { 200 }, &person);
        }
        match id {
            None => {
                let short = kept
                    .1
                    .values()
                    .map(|person| json!({"id": person["id"], "name": person["name"]}));
                Reply::json(200, &Value::from_iter(short))
            }
            Some(id) if method == "DELETE" => no(if kept.1.remove(&id).is_some() {
                204
            } else {
                404
            }),
            Some(id) => kept
                .1
                .get(&id)
                .map_or_else(|| no(404), |person| Reply::json(200, person)),
        }
    };
    let server = Server::start(Box::new(move |request: &Request, _| answer(request)));
    let mut options = Options::new(&server.url);
    options.generate = Some(Generate::default());
    options.flows = Some(conformance::session::FlowSettings::default());
    let document = Document::parse("t.yaml", document).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(replay::run(&options, &document, &mut |_| {}));
    let findings = outcome.expect("the server can be checked").findings;
    let graver = findings
        .iter()
        .filter(|one| one.severity <= Severity::Warning);
    graver
        .map(|one| format!("{}: {}", one.rule, words::of(one, Comparison::Single)))
        .collect()
}

/// 15, 37, 51: what is put again after it was deleted is there again; lists that have less than a creation needs; ids that are not of the
/// format that the document says of them.
#[test]
fn things_that_come_again_and_things_of_which_little_is_shown_are_no_faults() {
    for (by_put, id) in [
        (true, "{type: string}"),
        (false, "{type: string}"),
        (false, "{type: string, format: uuid}"),
    ] {
        let write = "requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name, mail], additionalProperties: false, properties: {name: {type: string, maxLength: 9}, mail: {type: string, maxLength: 9}}}}}}, responses: {'200': {$ref: '#/components/responses/One'}, '201': {$ref: '#/components/responses/One'}, '400': {description: d}, '415': {description: d}}";
        let (of_all, of_one) = match by_put {
            true => (String::new(), format!("    put: {{{write}}}\n")),
            false => (format!("    post: {{{write}}}\n"), String::new()),
        };
        let document = format!(
            "openapi: 3.1.0
info: {{title: t, version: '1'}}
paths:
  /people:
{of_all}    get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {{type: array, items: {{$ref: '#/components/schemas/Person'}}}}}}}}}}}}}}
  /people/{{id}}:
    parameters: [{{in: path, name: id, required: true, schema: {id}}}]
{of_one}    get: {{responses: {{'200': {{$ref: '#/components/responses/One'}}, '404': {{description: d}}}}}}
    delete: {{responses: {{'204': {{description: d}}, '404': {{description: d}}}}}}
components:
  responses: {{One: {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Person'}}}}}}}}}}
  schemas: {{Person: {{type: object, required: [id, name], properties: {{id: {{type: string}}, name: {{type: string}}, mail: {{type: string}}}}}}}}
"
        );
        let findings = people(by_put, &document);
        assert!(findings.is_empty(), "{by_put} {id}: {findings:#?}");
    }
}

#[test]
fn every_entry_of_the_list_is_a_case_or_belongs_to_a_class() {
    let of_entries = ENTRIES.iter().flat_map(|entry| entry.numbers);
    let elsewhere = NOT_HERE.iter().flat_map(|(_, numbers)| *numbers);
    let mut known: Vec<u16> = of_entries
        .chain(elsewhere)
        .chain(TESTED_BELOW)
        .copied()
        .collect();
    known.sort_unstable();
    known.dedup();
    let missing: Vec<u16> = (1..=141).filter(|number| !known.contains(number)).collect();
    assert!(missing.is_empty() && known.len() == 141, "{missing:?}");
}

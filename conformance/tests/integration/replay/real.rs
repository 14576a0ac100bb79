//! Documents and servers as they really are: forms and their encodings, text, charsets, sequences, numeric formats, redirections.

use super::*;

/// A server's response to one path: the status, headers and body.
type Answer = (u16, &'static [(&'static str, &'static str)], &'static [u8]);

/// Replays a document of `GET` operations below `paths` against these answers; gives the grave findings of each path.
fn answered(version: &str, operations: &[(&str, &str, Answer)]) -> Vec<(String, Vec<String>)> {
    let paths: String = operations
        .iter()
        .map(|(path, responses, _)| format!("  {path}: {{get: {{responses: {responses}}}}}\n"))
        .collect();
    let text = format!("openapi: {version}\ninfo: {{title: T, version: '1'}}\npaths:\n{paths}");
    let answers: Vec<(String, Answer)> = operations
        .iter()
        .map(|(path, _, answer)| ((*path).to_owned(), *answer))
        .collect();
    let server = Server::start(Box::new(move |request: &Request, _| {
        let known = answers.iter().find(|(path, _)| *path == request.path);
        let (status, headers, body) = known.expect("a documented path").1;
        let reply = Reply::new(status).body(body);
        headers
            .iter()
            .fold(reply.without("content-type"), |reply, (name, value)| {
                reply.header(name, value)
            })
    }));
    let findings = replayed(&text, &server).0.findings;
    let of = |path: &str| {
        let own = findings
            .iter()
            .filter(|finding| finding.severity <= Severity::Undecided)
            .filter(|finding| finding.subject == format!("GET {path}"));
        own.map(said).collect()
    };
    operations
        .iter()
        .map(|(path, ..)| ((*path).to_owned(), of(path)))
        .collect()
}

/// Wants one finding with this part for each path, or none where the part is empty.
#[track_caller]
fn judged(version: &str, cases: &[(&str, &str, Answer, &str)]) {
    let operations: Vec<(&str, &str, Answer)> = cases
        .iter()
        .map(|(path, responses, answer, _)| (*path, *responses, *answer))
        .collect();
    let found = answered(version, &operations);
    for ((path, said), (.., part)) in found.iter().zip(cases) {
        match part.is_empty() {
            true => assert!(said.is_empty(), "{path}: {said:?}"),
            false => {
                assert_eq!(said.len(), 1, "{path}: {said:?}");
                assert!(said[0].contains(part), "{path}: {said:?}");
            }
        }
    }
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const PLAIN: &[(&str, &str)] = &[("content-type", "text/plain")];

#[test]
fn properties_of_forms_are_sent_as_their_encodings_say() {
    let form = |path: &str, encoding: &str| {
        format!(
            "  /{path}: {{post: {{requestBody: {{required: true, content: {{application/x-www-form-urlencoded: {{schema: {{type: object, properties: {{l: {{type: array, items: {{type: string}}}}, o: {{type: object}}}}}}, encoding: {encoding}, example: {{l: [a, b], o: {{k: 1}}}}}}}}}}, responses: {{'204': {{description: d}}}}}}}}\n"
        )
    };
    let multipart = "  /parts: {post: {requestBody: {required: true, content: {multipart/form-data: {schema: {type: object, properties: {f: {type: string, format: binary}, o: {type: object}}}, encoding: {f: {contentType: 'image/png, image/jpeg', headers: {X-Part: {schema: {type: integer, default: 7}}}}}, example: {f: PNG, o: {k: 1}}}}}, responses: {'204': {description: d}}}}\n";
    let text = format!(
        "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths:\n{}{}{}{multipart}",
        form("spaces", "{l: {style: spaceDelimited, explode: false}}"),
        form("deep", "{o: {style: deepObject, explode: true}}"),
        form("json", "{l: {contentType: application/json}}"),
    );
    let server = Server::start(Box::new(|_, _| Reply::new(204)));
    let (outcome, _) = replayed(&text, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    let seen = server.seen.lock().expect("no panic");
    let bodies: Vec<String> = seen
        .iter()
        .map(|request| String::from_utf8_lossy(&request.body).into_owned())
        .collect();
    assert_eq!(bodies[0], "l=a%20b&o=%7B%22k%22%3A1%7D");
    assert_eq!(bodies[1], "l=a&l=b&o%5Bk%5D=1");
    assert_eq!(bodies[2], "l=%5B%22a%22%2C%22b%22%5D&o=%7B%22k%22%3A1%7D");
    let parts = &bodies[3];
    for part in [
        "name=\"f\"; filename=\"f\"\r\nContent-Type: image/png\r\nX-Part: 7\r\n\r\nPNG\r\n",
        "name=\"o\"\r\nContent-Type: application/json\r\n\r\n{\"k\":1}\r\n",
    ] {
        assert!(parts.contains(part), "{parts}");
    }
}

#[test]
fn text_is_read_as_its_schema_asks_for() {
    const INTEGER: &str = "{'200': {description: d, content: {text/plain: {schema: {type: integer, minimum: 5}, example: 7}}}}";
    const UUID: &str = "{'200': {description: d, content: {text/plain: {schema: {type: string, format: uuid}, example: 6d3f2c1e-0000-4000-8000-000000000000}}}}";
    const OBJECT: &str =
        "{'200': {description: d, content: {text/plain: {schema: {type: object}, example: {}}}}}";
    const TEXT: &str =
        "{'200': {description: d, content: {text/plain: {schema: {type: integer}, example: '7'}}}}";
    judged(
        "3.0.3",
        &[
            ("/a", INTEGER, (200, PLAIN, b"9"), ""),
            ("/b", INTEGER, (200, PLAIN, b"9\n"), ""),
            ("/c", INTEGER, (200, PLAIN, b"4"), "`minimum`"),
            ("/d", INTEGER, (200, PLAIN, b"nine"), "`type`"),
            (
                "/e",
                UUID,
                (200, PLAIN, b"6d3f2c1e-0000-4000-8000-000000000001\r\n"),
                "",
            ),
            ("/f", UUID, (200, PLAIN, b"6d3f2c1e"), "`format`"),
            ("/g", OBJECT, (200, PLAIN, b"{\"k\": 1}"), ""),
            ("/h", OBJECT, (200, PLAIN, b"k=1"), "`type`"),
            ("/i", TEXT, (200, PLAIN, b"8"), ""),
        ],
    );
}

#[test]
fn text_is_decoded_in_its_charset() {
    const TEXT: &str = "{'200': {description: d, content: {text/plain: {schema: {type: string, maxLength: 5}, example: hallo}}}}";
    judged(
        "3.0.3",
        &[
            (
                "/a",
                TEXT,
                (
                    200,
                    &[("content-type", "text/plain; charset=ISO-8859-1")],
                    b"h\xe9llo",
                ),
                "",
            ),
            (
                "/b",
                TEXT,
                (
                    200,
                    &[("content-type", "text/plain; charset=utf-16")],
                    b"\xff\xfeh\0\xe9\0",
                ),
                "",
            ),
            ("/c", TEXT, (200, PLAIN, b"h\xe9llo"), "not UTF-8 at byte 1"),
            (
                "/d",
                TEXT,
                (
                    200,
                    &[("content-type", "text/plain; charset=utf-8")],
                    b"h\xe9llo",
                ),
                "not valid utf-8",
            ),
            (
                "/e",
                TEXT,
                (
                    200,
                    &[("content-type", "text/plain; charset=klingon")],
                    b"hello",
                ),
                "unknown charset `klingon`",
            ),
        ],
    );
}

#[test]
fn why_a_body_is_not_json_is_said() {
    const OBJECT: &str = "{'200': {description: d, content: {application/json: {schema: {type: object, required: [a]}, example: {a: 1}}}}}";
    judged(
        "3.0.3",
        &[
            ("/a", OBJECT, (200, JSON, b"\n\n{\"a\": 1}\r\n"), ""),
            (
                "/b",
                OBJECT,
                (200, JSON, b"\xef\xbb\xbf{\"a\": 1}"),
                "byte order mark",
            ),
            ("/c", OBJECT, (200, JSON, b"\xff\xfe{\0}\0"), "UTF-16"),
            (
                "/d",
                OBJECT,
                (200, JSON, b"<!DOCTYPE html><p>Oops"),
                "begins with `<!DOCTYPE html><p>Oops`",
            ),
            (
                "/e",
                OBJECT,
                (200, JSON, b"{\"a\": 1} more"),
                "trailing characters",
            ),
        ],
    );
}

#[test]
fn items_of_a_sequence_are_validated_one_by_one() {
    const LINES: &str = "{'200': {description: d, content: {application/x-ndjson: {itemSchema: {type: object, required: [k], properties: {k: {type: integer}}}, example: \"{}\"}}}}";
    const RECORDS: &str = "{'200': {description: d, content: {application/json-seq: {itemSchema: {type: object, required: [k]}, example: x}}}}";
    const EVENTS: &str = "{'200': {description: d, content: {text/event-stream: {itemSchema: {type: object, required: [data, id]}, example: x}}}}";
    // As the specification describes events (OpenAPI 3.2.0, 4.14.3).
    const TYPED: &str = "{'200': {description: d, content: {text/event-stream: {itemSchema: {type: object, required: [data], properties: {data: {type: string, contentMediaType: application/json, contentSchema: {type: object, properties: {n: {type: integer}}}}}}, example: x}}}}";
    const OF_LINES: &[(&str, &str)] = &[("content-type", "application/x-ndjson")];
    const OF_RECORDS: &[(&str, &str)] = &[("content-type", "application/json-seq")];
    const OF_EVENTS: &[(&str, &str)] = &[("content-type", "text/event-stream")];
    judged(
        "3.2.0",
        &[
            (
                "/a",
                LINES,
                (200, OF_LINES, b"{\"k\":1}\n\n{\"k\":2}\n"),
                "",
            ),
            (
                "/b",
                LINES,
                (200, OF_LINES, b"{\"k\":1}\n{\"k\":\"no\"}\n"),
                "/1/k",
            ),
            (
                "/c",
                LINES,
                (200, OF_LINES, b"{\"k\":1}\nnot json\n"),
                "item 2",
            ),
            (
                "/d",
                RECORDS,
                (200, OF_RECORDS, b"\x1e{\"k\":1}\n\x1e{\"z\":1}\n"),
                "/1",
            ),
            ("/e", EVENTS, (200, OF_EVENTS, b"id: 1\ndata: x\n\n"), ""),
            ("/f", EVENTS, (200, OF_EVENTS, b"data: x\n\n"), "`id`"),
            (
                "/g",
                TYPED,
                (200, OF_EVENTS, b"data: {\"n\":1}\n\ndata: {\"n\":2}\n\n"),
                "",
            ),
            (
                "/h",
                TYPED,
                (
                    200,
                    OF_EVENTS,
                    b"data: {\"n\":1}\n\ndata: {\"n\":\"x\"}\n\n",
                ),
                "/1/data/n",
            ),
            (
                "/i",
                TYPED,
                (200, OF_EVENTS, b"data: {\"n\":\n\n"),
                "/0/data",
            ),
        ],
    );
}

#[test]
fn numeric_formats_are_bounds() {
    let schema = |kind: &str, format: &str| {
        format!(
            "{{'200': {{description: d, content: {{application/json: {{schema: {{type: {kind}, format: {format}}}, example: 1}}}}}}}}"
        )
    };
    for (kind, format, inside, outside) in [
        ("integer", "int8", "-128", "-129"),
        ("integer", "int32", "2147483647", "2147483648"),
        (
            "integer",
            "int64",
            "9223372036854775807",
            "9223372036854775808",
        ),
        ("integer", "uint8", "255", "256"),
        ("integer", "uint64", "18446744073709551615", "-1"),
        ("number", "float", "3.4e38", "3.5e38"),
    ] {
        for (number, part) in [(inside, ""), (outside, "`format`")] {
            let responses = schema(kind, format);
            let answer: Answer = (200, JSON, number.as_bytes());
            judged("3.1.0", &[("/a", &responses, answer, part)]);
        }
    }
}

#[test]
fn a_redirection_or_a_default_answer_is_what_a_request_is_promised() {
    const MOVED: &str = "{'302': {description: d, headers: {Location: {required: true, schema: {type: string, format: uri}}}}}";
    const DEFAULT: &str = "{default: {description: d, content: {application/json: {schema: {type: object, required: [v]}, example: {v: 1}}}}}";
    judged(
        "3.0.3",
        &[
            ("/d", DEFAULT, (200, JSON, b"{\"v\": 2}"), ""),
            ("/e", DEFAULT, (200, JSON, b"{}"), "`v`"),
        ],
    );
    let text = format!(
        "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths:\n  /r: {{get: {{parameters: [{{in: query, name: x, example: a, schema: {{type: string}}}}], responses: {MOVED}}}}}\n"
    );
    for (location, count) in [(Some("http://localhost/b"), 0), (None, 1)] {
        let server = Server::start(Box::new(move |_, _| {
            let reply = Reply::new(302);
            match location {
                Some(location) => reply.header("location", location),
                None => reply,
            }
        }));
        let (outcome, _) = replayed(&text, &server);
        assert_eq!(server.lines().len(), 1, "the redirection is not followed");
        assert_eq!(
            grave(&outcome.findings).len(),
            count,
            "{:?}",
            grave(&outcome.findings)
        );
    }
}

#[test]
fn a_number_that_yaml_made_of_a_text_is_told_in_parameters_too() {
    let text = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n  /p: {get: {parameters: [{in: query, name: zip, schema: {type: string}, example: 01234}, {in: query, name: n, schema: {type: integer}, example: '5'}], responses: {'204': {description: d}}}}\n";
    let server = Server::start(Box::new(|_, _| Reply::new(204)));
    let (outcome, _) = replayed(text, &server);
    let grave = grave(&outcome.findings);
    assert_eq!(grave.len(), 1, "{grave:?}");
    assert!(
        grave[0].contains("`zip`") && grave[0].contains("write it in quotes"),
        "{grave:?}"
    );
}

#[test]
fn another_alternative_than_that_of_the_sample_is_no_fault() {
    const EITHER: &str = "{'200': {description: d, content: {application/json: {schema: {oneOf: [{type: object, required: [card], properties: {card: {type: string}, brand: {type: string}}}, {type: object, required: [iban], properties: {iban: {type: string}}}]}, example: {card: '1', brand: v}}}}}";
    judged(
        "3.0.3",
        &[
            ("/a", EITHER, (200, JSON, b"{\"iban\": \"2\"}"), ""),
            ("/b", EITHER, (200, JSON, b"{\"card\": \"2\"}"), "`brand`"),
        ],
    );
}

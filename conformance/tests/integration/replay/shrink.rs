//! The smallest requests that still show a fault.

use conformance::replay::Generate;

use super::*;

/// Orders with many members, parameters and headers.
const ORDERS: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /api/orders:
    post:
      parameters:
        - {in: query, name: verbose, schema: {type: boolean}, example: true}
        - {in: query, name: page, schema: {type: integer}, example: 12345}
        - {in: header, name: X-Trace, schema: {type: string}, example: abcdef}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [note, items]
              properties:
                note: {type: string, maxLength: 50}
                items: {type: array, items: {type: object, properties: {count: {type: integer, maximum: 9}, name: {type: string}}}}
                address: {type: object, properties: {street: {type: string}, city: {type: string}}}
            example:
              note: a long note about this order
              items: [{count: 1, name: apple}, {count: 2, name: pear}]
              address: {street: Main Street, city: Springfield}
      responses:
        '201': {description: d}
        '400': {description: d}
";

/// Runs against a server that crashes where `crashes` says so.
fn run(crashes: fn(&Request) -> bool, change: impl Fn(&mut Options)) -> (Outcome, Server) {
    let server = Server::start(Box::new(move |request: &Request, _| {
        Reply::new(if crashes(request) { 500 } else { 201 })
    }));
    let mut options = Options::new(&server.url);
    options.generate = Some(Generate {
        random: 0,
        ..Generate::default()
    });
    change(&mut options);
    let outcome = replay_with(ORDERS, &options).0;
    (outcome.expect("the server can be checked"), server)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

/// The finding about the crash.
#[track_caller]
fn crash(outcome: &Outcome) -> &Finding {
    let mut found = outcome.findings.iter();
    let found = found.find(|one| one.rule == "no-server-error");
    found.expect("the crash is found")
}

#[test]
fn a_request_loses_all_that_does_not_matter_and_keeps_what_does() {
    // Sixteen characters are too many.
    let crashes = |request: &Request| {
        body(request)["note"]
            .as_str()
            .is_some_and(|note| note.chars().count() > 15)
    };
    let (outcome, _) = run(crashes, |_| {});
    let finding = crash(&outcome);
    let smallest = finding.exchange.as_ref().expect("has a request");
    assert!(finding.original.is_some());
    let value: Value =
        serde_json::from_str(smallest.sent.body.as_deref().expect("a body")).expect("is JSON");
    let members: Vec<&String> = value.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["note"], "{value}");
    let length = value["note"].as_str().expect("a text").chars().count();
    assert_eq!(length, 16, "{value}");
    assert!(!smallest.sent.url.contains('?'), "{}", smallest.sent.url);
    let has_trace = smallest
        .sent
        .headers
        .iter()
        .any(|header| header.name == "X-Trace");
    assert!(!has_trace, "{:?}", smallest.sent.headers);
    assert!(smallest.curl.contains("{\"note\":\"a long note abou\"}"));
}

#[test]
fn a_list_loses_its_items_and_a_number_its_digits() {
    let crashes = |request: &Request| {
        let body = body(request);
        let items = body["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .any(|item| item["count"].as_i64().is_some_and(|count| count > 1))
    };
    let (outcome, _) = run(crashes, |_| {});
    let smallest = crash(&outcome).exchange.as_ref().expect("has a request");
    assert_eq!(
        smallest.sent.body.as_deref(),
        Some("{\"items\":[{\"count\":2}]}")
    );
}

#[test]
fn what_is_ignored_stays_broken_and_what_is_refused_stays_valid() {
    // Whatever is sent is accepted.
    let (outcome, _) = run(|_| false, |_| {});
    let ignored = outcome
        .findings
        .iter()
        .filter(|one| one.rule == "invalid-refused");
    let ignored: Vec<&Finding> = ignored.filter(|one| said(one).contains("note")).collect();
    assert!(!ignored.is_empty());
    for finding in ignored {
        let exchange = finding.exchange.as_ref().expect("has a request");
        let text = exchange.sent.body.as_deref().unwrap_or_default();
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let note = &value["note"];
        let is_broken = note.as_str().is_none_or(|note| note.chars().count() > 50);
        assert!(is_broken, "{}: {text}", said(finding));
    }
    // Nothing that has an address is accepted.
    let refusing = Server::start(Box::new(|request: &Request, _| {
        Reply::new(if body(request)["address"].is_object() {
            400
        } else {
            201
        })
    }));
    let mut options = Options::new(&refusing.url);
    options.generate = Some(Generate::default());
    let outcome = replay_with(ORDERS, &options)
        .0
        .expect("the server can be checked");
    let refused = outcome
        .findings
        .iter()
        .filter(|one| one.rule == "valid-accepted");
    for finding in refused {
        let exchange = finding.exchange.as_ref().expect("has a request");
        let value: Value =
            serde_json::from_str(exchange.sent.body.as_deref().expect("a body")).expect("is JSON");
        assert!(
            value["note"].is_string() && value["items"].is_array(),
            "{value}"
        );
        assert!(value["address"].is_object(), "{value}");
    }
}

#[test]
fn the_same_server_gives_the_same_requests_and_0_leaves_them_as_they_are() {
    let crashes = |request: &Request| body(request)["note"].is_string();
    let sent = |outcome: &Outcome| {
        let mut sent = crash(outcome).exchange.clone().expect("has a request").sent;
        sent.url = sent.url.split_once("/api").expect("a path").1.to_owned();
        sent
    };
    let first = sent(&run(crashes, |_| {}).0);
    let second = sent(&run(crashes, |options| options.workers = 1).0);
    assert_eq!(first, second);
    let (outcome, server) = run(crashes, |options| {
        options.generate.as_mut().expect("is set").shrink_time = 0.0;
    });
    assert!(outcome.findings.iter().all(|one| one.original.is_none()));
    let without = server.lines().len();
    let (_, server) = run(crashes, |_| {});
    assert!(server.lines().len() > without);
}

/// Orders as a form, or as text.
const FORMS: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /api/forms:
    post:
      requestBody:
        required: true
        content:
          MEDIA:
            schema:
              type: object
              required: [name, street]
              properties:
                name: {type: string, maxLength: 30}
                street: {type: string}
                city: {type: string}
            example: {name: Ada & Charles, street: Main Street, city: Springfield}
      responses:
        '201': {description: d}
        '400': {description: d}
  /api/texts:
    post:
      requestBody: {required: true, content: {text/plain: {schema: {type: string}, example: a text that has a nut in it}}}
      responses: {'201': {description: d}}
";

#[test]
fn a_form_loses_its_fields_and_a_text_its_end() {
    for media_type in ["application/x-www-form-urlencoded", "multipart/form-data"] {
        let server = Server::start(Box::new(|request: &Request, _| {
            let text = String::from_utf8_lossy(&request.body).replace("%20", " ");
            let breaks = text.contains("Main S") || text.contains("a nut");
            Reply::new(if breaks { 500 } else { 201 })
        }));
        let mut options = Options::new(&server.url);
        options.generate = Some(Generate::default());
        let document = FORMS.replace("MEDIA", media_type);
        let outcome = replay_with(&document, &options).0;
        let outcome = outcome.expect("the server can be checked");
        let crashes = outcome.findings.iter();
        let crashes: Vec<&str> = crashes
            .filter(|one| one.rule == "no-server-error")
            .map(|one| one.exchange.as_ref().expect("has a request"))
            .map(|exchange| exchange.sent.body.as_deref().expect("a body"))
            .collect();
        // Others are about the content type, without which a form is a text.
        let [form, text, ..] = crashes.as_slice() else {
            panic!("{crashes:?}");
        };
        assert_eq!(*text, "a text that has a nut");
        assert!(
            !form.contains("Ada") && !form.contains("Springfield"),
            "{form}"
        );
        assert!(form.contains("Main"), "{form}");
        assert!(!form.contains("Street") && !form.contains("St"), "{form}");
    }
}

#[test]
fn a_field_that_is_too_long_stays_so_and_json_that_cannot_be_read_stays_unreadable() {
    // Whatever is sent is accepted.
    for media_type in ["application/x-www-form-urlencoded", "application/json"] {
        let server = Server::start(Box::new(|_: &Request, _| Reply::new(201)));
        let mut options = Options::new(&server.url);
        options.generate = Some(Generate::default());
        let document = FORMS.replace("MEDIA", media_type);
        let outcome = replay_with(&document, &options).0;
        let outcome = outcome.expect("the server can be checked");
        let ignored = outcome.findings.iter();
        let ignored: Vec<&Finding> = ignored
            .filter(|one| one.rule == "invalid-refused" && one.subject.contains("/api/forms"))
            .collect();
        let sent = |wanted: &str| {
            let finding = ignored.iter().find(|one| said(one).contains(wanted));
            let finding = finding.unwrap_or_else(|| {
                panic!(
                    "{wanted}: {:#?}",
                    ignored.iter().map(|one| said(one)).collect::<Vec<_>>()
                )
            });
            let sent = &finding.exchange.as_ref().expect("has a request").sent;
            sent.body.clone().unwrap_or_default()
        };
        match media_type {
            "application/json" => {
                let body = sent("body that ends too early");
                assert!(!body.is_empty());
                assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
            }
            _ => {
                let body = sent("one character above its maximum length");
                let name = body.split('&').find_map(|pair| pair.strip_prefix("name="));
                let name = name.expect("the name is sent").replace("%20", " ");
                assert_eq!(name.replace("%26", "&").chars().count(), 31, "{body}");
                assert!(!body.contains("city"), "{body}");
                assert!(body.contains("street="), "{body}");
            }
        }
    }
}

#[test]
fn a_request_that_is_never_answered_is_made_smaller_where_there_is_time() {
    let late = |time: f64| {
        let server = Server::start(Box::new(
            |request: &Request, reply| match body(request)["note"].is_string() {
                true => reply.wire(Wire::Late(std::time::Duration::from_secs(3))),
                false => Reply::new(201),
            },
        ));
        let mut options = Options::new(&server.url);
        options.timeout = 0.3;
        options.generate = Some(Generate {
            random: 0,
            max_cases: 2,
            shrink_time: time,
            ..Generate::default()
        });
        let outcome = replay_with(ORDERS, &options).0;
        let outcome = outcome.expect("the server can be checked");
        let mut found = outcome.findings.into_iter();
        let found = found.find(|one| one.rule == "answer-complete");
        found.expect("the time-out is found")
    };
    let finding = late(20.0);
    assert!(finding.original.is_some());
    let sent = &finding.exchange.as_ref().expect("has a request").sent;
    assert_eq!(sent.body.as_deref(), Some("{\"note\":\"\"}"));
    // The time is not enough for one such request.
    assert!(late(0.2).original.is_none());
}

//! How the extensions are read: what is wrong is said with its place, and other tools' extensions are understood.

use conformance::document::Document;
use conformance::drift;
use conformance::hooks::{self, Description, Known, Message, Signing, Verdict};
use serde_json::{Value, json};

fn document(extensions: &str) -> Document {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\nwebhooks:\n  paid:\n    post: {{operationId: onPaid, responses: {{}}}}\n{extensions}"
    );
    Document::parse("hooks.yaml", &text).expect("a document")
}

fn faults(extensions: &str) -> Vec<(String, String)> {
    let faults = hooks::faults(&document(extensions));
    faults
        .into_iter()
        .map(|fault| (fault.at, fault.problem))
        .collect()
}

#[test]
fn each_fault_of_a_description_has_its_place() {
    let good = "algorithm: hmac-sha256, signature: {header: x, encoding: hex}, signed: '{body}'";
    assert_eq!(faults(&format!("x-webhook-signature: {{{good}}}")), []);
    let cases = [
        ("x-webhook-signature: 7", "", "expected an object"),
        ("x-webhook-signature: []", "", "has no scheme"),
        (
            "x-webhook-signature: {algorithm: hmac-sha257, signature: {header: x, encoding: hex}, signed: ''}",
            "/algorithm",
            "did you mean `hmac-sha256`?",
        ),
        (
            "x-webhook-signature: {GOOD, tolerence: 1}",
            "/tolerence",
            "unknown member `tolerence`",
        ),
        (
            "x-webhook-signature: {GOOD, version: 2}",
            "/version",
            "version 2 is not known",
        ),
        (
            "x-webhook-signature: {GOOD, timestamp: {tolerance: 1}}",
            "/timestamp",
            "must say where the value is",
        ),
        (
            "x-webhook-signature: {GOOD, timestamp: {header: t, tolerance: -1}}",
            "/timestamp/tolerance",
            "must not be negative",
        ),
        (
            "x-webhook-signature: {GOOD, timestamp: {header: t, format: unix}}",
            "/timestamp/format",
            "unknown value `unix`",
        ),
        (
            "x-webhook-signature: {GOOD, key: {request: secret}}",
            "/key/request",
            "must begin with `/`",
        ),
        (
            "x-webhook-signature: {GOOD, key: {request: /a, response: /a}}",
            "/key",
            "only one of",
        ),
        (
            "x-webhook-signature: {GOOD, key: {form: utf-8}}",
            "/key/form",
            "unknown member `form`",
        ),
        (
            "x-webhook-signature: {GOOD, required: sometimes}",
            "/required",
            "unknown value",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {header: x, encoding: hex}}",
            "",
            "`signed` is missing",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {header: x, encoding: hex}, signed: '{timestamp}.{body}'}",
            "/signed",
            "`timestamp` does not say where",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {header: x, encoding: hex}, signed: '{boddy}'}",
            "/signed",
            "unknown placeholder",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {header: x, encoding: hex}, signed: '{body|sha9}'}",
            "/signed",
            "unknown filter",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {header: 'x y', encoding: hex}, signed: '{body}'}",
            "/signature/header",
            "not a header name",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {header: x, separator: ';', encoding: hex}, signed: '{body}'}",
            "/signature/separator",
            "no effect without `field`",
        ),
        (
            "x-webhook-signature: {algorithm: hmac-sha256, signature: {member: /sig, encoding: hex}, signed: '{body}'}",
            "/signed",
            "contains the signature",
        ),
        (
            "x-webhook-signature: {algorithm: jws, signature: {header: x}, accept: [none]}",
            "/accept/0",
            "unknown algorithm `none`",
        ),
        (
            "x-webhook-signature: {algorithm: http-message-signature, accept: [ed25519]}",
            "",
            "`components` is missing",
        ),
        (
            "x-webhook-signature: {GOOD, testVectors: [{key: k, body: b, signature: '00'}]}",
            "/testVectors/0",
            "does not verify: the signature in header `x`",
        ),
        (
            "x-webhook-signature: {GOOD, testVectors: [{key: k, body: b, time: '1'}]}",
            "/testVectors/0/time",
            "unknown member",
        ),
        (
            "x-webhook-delivery: {retry: {offsets: [60, 50]}}",
            "/retry/offsets",
            "must rise",
        ),
        (
            "x-webhook-delivery: {retry: {offsets: [60], every: 5}}",
            "/retry",
            "only one of",
        ),
        ("x-webhook-delivery: {retry: {}}", "/retry", "must say when"),
        (
            "x-webhook-delivery: {retry: {every: 0}}",
            "/retry/every",
            "more than 0",
        ),
        (
            "x-webhook-delivery: {retry: {every: 5, jitter: {earlier: 2}}}",
            "/retry/jitter/earlier",
            "from 0 to 1",
        ),
        (
            "x-webhook-delivery: {success: [2xy]}",
            "/success/0",
            "not a status",
        ),
        (
            "x-webhook-delivery: {sucess: [2XX]}",
            "/sucess",
            "did you mean `success`?",
        ),
        (
            "x-webhook-delivery: {handshake: [{status: 200}]}",
            "/handshake/0",
            "must say how",
        ),
        (
            "x-webhook-delivery: {handshake: [{method: GET, body: '{query.}'}]}",
            "/handshake/0/body",
            "unknown placeholder",
        ),
    ];
    for (text, at, problem) in cases {
        let found = faults(&text.replace("GOOD", good));
        let name = text.split_once(':').expect("a member").0;
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, format!("/{name}{at}"), "{text}");
        assert!(found[0].1.contains(problem), "{text}: {}", found[0].1);
    }
}

#[test]
fn drift_reports_what_cannot_be_read_with_its_place() {
    let good = document("x-webhook-delivery: {deadline: 10}\n");
    let bad = document("x-webhook-delivery: {dead-line: 10}\n");
    let findings = drift::compare(&good, &bad, &drift::Options::default());
    let places: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.rule == "extension-invalid")
        .filter_map(|finding| finding.new.as_ref())
        .map(|place| place.pointer.as_str())
        .collect();
    assert_eq!(places, ["/x-webhook-delivery/dead-line"]);
}

#[test]
fn members_that_begin_with_x_are_left_alone() {
    assert_eq!(
        faults(
            "x-webhook-signature: {preset: github, x-decision: C-1}\nx-webhook-delivery: {x-note: n}"
        ),
        []
    );
}

#[test]
fn a_webhook_may_have_a_description_of_its_own() {
    let text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\nwebhooks:\n  a: {post: {x-webhook-signature: {preset: github}, x-webhook-delivery: {deadline: 5}}}\n  b: {post: {}}\nx-webhook-signature: {preset: stripe}\n";
    let document = Document::parse("own.yaml", text).expect("a document");
    let of = |pointer| Description::of(&document, pointer).expect("a description");
    let header = |description: &Description| {
        let signing = description.signing.as_ref().expect("signed");
        signing.schemes[0].signature.location.name()
    };
    let own = of("/webhooks/a/post");
    assert_eq!(
        (header(&own).as_str(), own.promise.deadline),
        ("header `x-hub-signature-256`", Some(5.0))
    );
    let shared = of("/webhooks/b/post");
    assert_eq!(
        (header(&shared).as_str(), shared.promised),
        ("header `stripe-signature`, field `v1`", false)
    );
    let text = text.replace("{preset: github}", "{preset: githb}");
    let faults = hooks::faults(&Document::parse("own.yaml", &text).expect("a document"));
    assert_eq!(faults[0].at, "/webhooks/a/post/x-webhook-signature/preset");
}

#[test]
fn callbacks_are_deliveries_too() {
    let text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /subscriptions:\n    post:\n      callbacks: {paid: {'{$request.body#/url}': {post: {x-webhook-signature: {preset: nope}}}}}\n";
    let document = Document::parse("callbacks.yaml", text).expect("a document");
    let found = hooks::deliveries(&document);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "paid");
    assert!(
        hooks::faults(&document)[0]
            .at
            .starts_with("/paths/~1subscriptions/post/callbacks/paid/")
    );
}

fn verifies(extensions: &str, headers: &[(&str, &str)], key: &str, body: &str) {
    let description =
        Description::of(&document(extensions), "/webhooks/paid/post").expect("a description");
    let signing = description.signing.expect("signed");
    let given = [key.to_owned()];
    let known = Known {
        given: &given,
        ..Known::default()
    };
    let secrets = signing.secrets(&known).expect("a key");
    let mut message = Message::post("https://example.com/", body);
    for (name, value) in headers {
        message.set_header(name, *value);
    }
    assert_eq!(signing.verify(&secrets, &message, None), Verdict::Verified);
}

#[test]
fn the_extensions_of_other_tools_are_read_where_ours_is_missing() {
    // Both computed with Python's hmac: "{timestamp}.{body}" and "{body}" under the key `s3cret`.
    let fern = "x-fern-webhook-signature:\n  type: hmac\n  header: x-sig\n  algorithm: sha256\n  encoding: hex\n  signature-prefix: 'sha256='\n  payload-format: {components: [timestamp, body], delimiter: '.'}\n  timestamp: {header: x-time, format: unix-seconds, tolerance: 300}\n";
    verifies(
        fern,
        &[
            (
                "x-sig",
                "sha256=29ee05578fef21788e25d00ee3270df92a9e454a1fb82bc2c22d2269c729892b",
            ),
            ("x-time", "1767225600"),
        ],
        "s3cret",
        "{}",
    );
    let speakeasy = "x-speakeasy-webhooks:\n  security: {type: signature, headerName: x-signature, signatureTextEncoding: base64, algorithm: hmac-sha256}\n";
    verifies(
        speakeasy,
        &[(
            "x-signature",
            "rb3hzkDInBQhVofV12Kkffbfrvz61h4uhnGP/ISYVxs=",
        )],
        "s3cret",
        "{}",
    );
    let found = faults("x-fern-webhook-signature: {type: hmac, header: h, algorithm: md5}\n");
    assert_eq!(found[0].0, "/x-fern-webhook-signature");
    assert!(found[0].1.contains("no counterpart"), "{found:?}");
    // Ours wins.
    assert_eq!(
        faults("x-fern-webhook-signature: {type: odd}\nx-webhook-signature: {preset: github}\n"),
        []
    );
}

#[test]
fn the_same_meaning_in_another_spelling_is_the_same() {
    let same = [
        (
            json!({ "preset": "github" }),
            json!({ "algorithm": "hmac-sha256", "signature": { "header": "x-hub-signature-256", "prefix": "sha256=", "encoding": "hex" }, "signed": "{body}" }),
        ),
        (
            json!({ "preset": "github" }),
            json!([{ "preset": "github", "version": 1, "required": "always", "x-decision": "C-1" }]),
        ),
    ];
    for (one, other) in same {
        assert_eq!(
            hooks::meaning(hooks::SIGNATURE, &one),
            hooks::meaning(hooks::SIGNATURE, &other)
        );
    }
    let promises = [
        json!({}),
        json!({ "version": 1, "success": ["2XX"], "redirects": "fail", "duplicates": true }),
    ];
    assert_eq!(
        hooks::meaning(hooks::DELIVERY, &promises[0]),
        hooks::meaning(hooks::DELIVERY, &promises[1])
    );
    assert_ne!(
        hooks::meaning(hooks::DELIVERY, &promises[0]),
        hooks::meaning(hooks::DELIVERY, &json!({ "deadline": 5 }))
    );
}

/// The two schemas say the same as the strict reading, about members and their values.
#[test]
fn the_published_schemas_accept_and_refuse_what_is_read_and_refused() {
    let compile = |text: &str| {
        jsonschema::validator_for(&serde_json::from_str(text).expect("JSON")).expect("a schema")
    };
    let signature = compile(hooks::SIGNATURE_SCHEMA);
    let fixtures: Vec<Value> =
        serde_json::from_str(include_str!("../../hooks/signatures.json")).expect("JSON");
    let mut schemes: Vec<Value> = fixtures.iter().map(|one| one["scheme"].clone()).collect();
    schemes.extend(
        hooks::preset::names().map(|name| hooks::preset::find(name).expect("a preset").clone()),
    );
    let mut tried = 0;
    for scheme in schemes {
        assert!(
            signature.is_valid(&scheme),
            "{scheme}: {:?}",
            signature
                .iter_errors(&scheme)
                .map(|error| error.to_string())
                .collect::<Vec<_>>()
        );
        for (at, changed) in spoiled(&scheme) {
            let read = Signing::read(&changed, "").is_ok();
            assert!(
                !read && !signature.is_valid(&changed),
                "{at} of {changed}: read {read}"
            );
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
    let delivery = compile(hooks::DELIVERY_SCHEMA);
    let promise = json!({
        "version": 1, "success": ["2XX", "304"], "redirects": "follow", "deadline": 10, "id": { "header": "x-id" },
        "retry": { "offsets": [1, 2], "count": 2, "until": 5, "jitter": { "earlier": 0.1, "later": 0.2 }, "signature": "same", "retryAfter": true, "never": ["410"] },
        "order": "per-webhook", "afterDisable": "pause", "afterDelete": "continue", "duplicates": false, "gone": "disable", "grace": 5, "overlap": 60,
        "handshake": [{ "method": "GET", "when": { "query": "mode", "equals": "subscribe" }, "status": 200, "headers": { "a": "b" }, "body": "{query.challenge}" }],
    });
    assert!(
        delivery.is_valid(&promise),
        "{:?}",
        delivery
            .iter_errors(&promise)
            .map(|error| error.to_string())
            .collect::<Vec<_>>()
    );
    let read = |value: &Value| hooks::meaning(hooks::DELIVERY, value).is_some();
    assert!(read(&promise));
    for (at, changed) in spoiled(&promise) {
        assert!(
            !read(&changed) && !delivery.is_valid(&changed),
            "{at}: {changed}"
        );
    }
}

/// The value with an unknown member in each of its objects, and with each of its members of another type.
fn spoiled(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut places = vec![String::new()];
    while let Some(at) = places.pop() {
        let Some(Value::Object(members)) = value.pointer(&at) else {
            if let Some(Value::Array(items)) = value.pointer(&at) {
                places.extend((0..items.len()).map(|index| format!("{at}/{index}")));
            }
            continue;
        };
        // The headers of an answer have names of their own.
        if !at.ends_with("/headers") {
            let mut more = value.clone();
            more.pointer_mut(&at).expect("it is there")["unknownMember"] = json!(1);
            found.push((format!("{at}/unknownMember"), more));
        }
        for name in members.keys() {
            let inner = format!("{at}/{name}");
            let mut other = value.clone();
            *other.pointer_mut(&inner).expect("it is there") = json!(null);
            found.push((inner.clone(), other));
            places.push(inner);
        }
    }
    found
}

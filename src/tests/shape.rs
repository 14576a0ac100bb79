//! Assertions that the tests of both providers share: status, type, members and formats of an answer, and the hostile inputs for both.
//! Called by the test files beside it; never starts a server.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::app::{Answer, CONDUIT_CLIENT, Client, TestApp};

/// The body limit of both APIs in bytes; the last size that is taken.
pub(crate) const MAX_BODY_BYTES: usize = 262_144;

// Answers.

/// The answer, which is not a 5xx whatever was sent.
#[track_caller]
pub(crate) fn sound(answer: Answer) -> Answer {
    assert!(
        answer.status < 500,
        "a {} for a bad request: {}",
        answer.status,
        answer.text()
    );
    answer
}

/// The answer, which has this status; with 204 neither a body nor a type, otherwise JSON.
#[track_caller]
pub(crate) fn expect(answer: Answer, status: u16) -> Answer {
    expect_one_of(answer, &[status])
}

/// The answer, which has one of these statuses: for input that the contract leaves open.
#[track_caller]
pub(crate) fn expect_one_of(answer: Answer, statuses: &[u16]) -> Answer {
    let answer = sound(answer);
    assert!(
        statuses.contains(&answer.status),
        "{} instead of {statuses:?}: {}",
        answer.status,
        answer.text()
    );
    if answer.status == 204 {
        assert!(
            answer.body.is_empty(),
            "a 204 with a body: {}",
            answer.text()
        );
        assert_eq!(answer.header("content-type"), None, "a 204 with a type");
    } else {
        assert_json(&answer);
    }
    answer
}

/// The answer says that it is JSON, and is.
#[track_caller]
pub(crate) fn assert_json(answer: &Answer) {
    let content_type = answer.header("content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    assert_eq!(
        essence,
        "application/json",
        "{}: {}",
        answer.status,
        answer.text()
    );
    assert!(
        serde_json::from_slice::<Value>(&answer.body).is_ok(),
        "not JSON: {}",
        answer.text()
    );
}

/// The header `Allow` names at least these methods, and not the one that was refused.
#[track_caller]
pub(crate) fn assert_allows(answer: &Answer, methods: &[&str], refused: &str) {
    let allow = answer.header("allow").expect("a 405 has the header Allow");
    let allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
    for method in methods {
        assert!(allowed.contains(method), "Allow: {allow} lacks {method}");
    }
    assert!(
        !allowed.contains(&refused),
        "Allow: {allow} names the refused {refused}"
    );
}

/// The reason phrases of a status in RFC 9110 and, where it changed the phrase, in RFC 7231.
fn reason_phrases(status: u16) -> &'static [&'static str] {
    match status {
        400 => &["Bad Request"],
        401 => &["Unauthorized"],
        403 => &["Forbidden"],
        404 => &["Not Found"],
        405 => &["Method Not Allowed"],
        413 => &["Content Too Large", "Payload Too Large"],
        415 => &["Unsupported Media Type"],
        429 => &["Too Many Requests"],
        _ => panic!("no test expects an error with status {status}"),
    }
}

/// The member names of an object, in order.
#[track_caller]
pub(crate) fn member_names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("not an object: {value}"))
        .keys()
        .map(String::as_str)
        .collect()
}

/// The object has exactly these members, in any order.
#[track_caller]
pub(crate) fn assert_members(value: &Value, names: &[&str]) {
    let (mut found, mut wanted) = (member_names(value), names.to_vec());
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{value}");
}

/// The pointers of an error, sorted, are exactly these.
#[track_caller]
fn assert_pointers(answer: &Answer, pointers: &[&str]) {
    let mut wanted = pointers.to_vec();
    wanted.sort_unstable();
    assert_eq!(answer.pointers(), wanted, "{}", answer.text());
}

#[track_caller]
fn assert_text(value: &Value) {
    assert!(
        value.as_str().is_some_and(|text| !text.trim().is_empty()),
        "not a text: {value}"
    );
}

// Formats.

/// `prefix`, an underscore and a KSUID: 27 base62 characters of 20 bytes, the first four a time after the documented samples.
#[track_caller]
pub(crate) fn assert_ksuid(prefix: &str, id: &str) {
    let ksuid = id
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    let ksuid = ksuid.unwrap_or_else(|| panic!("{id} does not begin with {prefix}_"));
    assert_eq!(ksuid.len(), 27, "{id}");
    assert!(
        ksuid_seconds(ksuid) > 1_731_000_000,
        "{id} was made before November 2024"
    );
}

/// The Unix seconds of a KSUID.
#[track_caller]
pub(crate) fn ksuid_seconds(ksuid: &str) -> u64 {
    const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut limbs = [0_u64; 5]; // 160 bits, the lowest 32 first
    for character in ksuid.chars() {
        let mut carry = ALPHABET
            .find(character)
            .unwrap_or_else(|| panic!("{ksuid} is not base62")) as u64;
        for limb in &mut limbs {
            let sum = *limb * 62 + carry;
            *limb = sum & 0xffff_ffff;
            carry = sum >> 32;
        }
        assert_eq!(carry, 0, "{ksuid} has more than 20 bytes");
    }
    limbs[4] + 1_400_000_000
}

/// A hyphenated lower-case UUID of version 4 and the usual variant.
#[track_caller]
pub(crate) fn assert_uuid_v4(id: &str) {
    assert_eq!(id.len(), 36, "{id}");
    for (at, character) in id.char_indices() {
        match at {
            8 | 13 | 18 | 23 => assert_eq!(character, '-', "{id}"),
            14 => assert_eq!(character, '4', "{id} is not of version 4"),
            19 => assert!(
                matches!(character, '8' | '9' | 'a' | 'b'),
                "{id} is of another variant"
            ),
            _ => assert!(matches!(character, '0'..='9' | 'a'..='f'), "{id}"),
        }
    }
}

/// 64 lower-case hexadecimal digits.
#[track_caller]
pub(crate) fn assert_secret(value: &Value) {
    let secret = value
        .as_str()
        .unwrap_or_else(|| panic!("not a secret: {value}"));
    assert_eq!(secret.len(), 64, "{secret}");
    assert!(
        secret
            .chars()
            .all(|character| matches!(character, '0'..='9' | 'a'..='f')),
        "{secret}"
    );
}

/// `2024-01-09T10:33:33.095Z`: UTC with exactly three digits of milliseconds.
#[track_caller]
pub(crate) fn assert_millis(value: &Value) {
    let time = value
        .as_str()
        .unwrap_or_else(|| panic!("not a time: {value}"));
    let shape: String = time
        .chars()
        .map(|character| {
            if character.is_ascii_digit() {
                '0'
            } else {
                character
            }
        })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{time}");
}

/// `2024-01-09T10:33:33.000Z`.
#[track_caller]
pub(crate) fn assert_whole_second(value: &Value) {
    assert_millis(value);
    assert!(value.as_str().unwrap().ends_with(".000Z"), "{value}");
}

/// The time without its milliseconds.
#[track_caller]
pub(crate) fn cut_to_second(value: &Value) -> Value {
    assert_millis(value);
    json!(format!("{}.000Z", &value.as_str().unwrap()[..19]))
}

// Requests.

/// `body` with `member` set.
pub(crate) fn with(body: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut body = body.clone();
    body[member] = value.into();
    body
}

/// `body` without `member`.
pub(crate) fn without(body: &Value, member: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove(member).unwrap();
    body
}

/// Everything but letters, digits and `-._~` percent-encoded.
pub(crate) fn encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if keep(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The JSON text of `body`, filled up with spaces to `length` bytes.
pub(crate) fn padded(body: &Value, length: usize) -> Vec<u8> {
    let mut bytes = body.to_string().into_bytes();
    assert!(bytes.len() <= length);
    bytes.resize(length, b' ');
    bytes
}

/// The request as these bytes on a connection of its own, for what an HTTP client refuses to send: status and whole answer.
pub(crate) async fn send_raw(app: &TestApp, request: Vec<u8>) -> (u16, String) {
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = actix_web::rt::task::spawn_blocking(exchange).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    (
        status.unwrap_or_else(|| panic!("not an HTTP answer: {answer}")),
        answer,
    )
}

/// Bodies that are not JSON text: a fault of the body as a whole.
pub(crate) fn malformed_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let utf16: Vec<u8> = "{\"url\":\"https://example.com/\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    vec![
        ("empty", Vec::new()),
        ("spaces", b" \r\n\t ".to_vec()),
        ("cut after the brace", b"{".to_vec()),
        ("only a closing brace", b"}".to_vec()),
        ("cut in a name", b"{\"url".to_vec()),
        ("cut after the name", b"{\"url\"".to_vec()),
        ("cut after the colon", b"{\"url\":".to_vec()),
        ("no value", b"{\"url\":}".to_vec()),
        ("no colon", b"{\"url\" \"https://example.com/\"}".to_vec()),
        (
            "trailing comma",
            b"{\"url\":\"https://example.com/\",}".to_vec(),
        ),
        (
            "trailing comma in an array",
            b"{\"events\":[\"customer.active\",]}".to_vec(),
        ),
        (
            "leading comma",
            b"{,\"url\":\"https://example.com/\"}".to_vec(),
        ),
        ("two values", b"{} {}".to_vec()),
        ("garbage after the value", b"{}x".to_vec()),
        ("a comment", b"{/* url */}".to_vec()),
        ("single quotes", b"{'url':'https://example.com/'}".to_vec()),
        ("no quotes", b"{url:1}".to_vec()),
        ("cut literal", b"{\"url\":nul}".to_vec()),
        ("literal in capitals", b"{\"enabled\":True}".to_vec()),
        ("not a number", b"{\"url\":NaN}".to_vec()),
        ("infinity", b"{\"url\":-Infinity}".to_vec()),
        ("leading zero", b"{\"x\":01}".to_vec()),
        ("no fraction", b"{\"x\":1.}".to_vec()),
        ("no integer", b"{\"x\":.5}".to_vec()),
        ("plus sign", b"{\"x\":+1}".to_vec()),
        ("unknown escape", b"{\"url\":\"\\x41\"}".to_vec()),
        ("cut escape", b"{\"url\":\"\\u12\"}".to_vec()),
        (
            "line break in a string",
            b"{\"url\":\"https://example.com/\n\"}".to_vec(),
        ),
        (
            "NUL in a string",
            b"{\"url\":\"https://example.com/\0\"}".to_vec(),
        ),
        ("NUL after the value", b"{}\0".to_vec()),
        (
            "invalid UTF-8",
            b"{\"url\":\"https://example.com/\xff\"}".to_vec(),
        ),
        (
            "overlong UTF-8",
            b"{\"url\":\"https://example.com/\xc0\xaf\"}".to_vec(),
        ),
        (
            "UTF-8 of a surrogate",
            b"{\"url\":\"https://example.com/\xed\xa0\x80\"}".to_vec(),
        ),
        (
            "cut UTF-8",
            b"{\"url\":\"https://example.com/\xf0\x9f".to_vec(),
        ),
        (
            "invalid UTF-8 in an unknown member",
            b"{\"x\":\"\xff\"}".to_vec(),
        ),
        ("UTF-16", utf16),
        (
            "a form",
            b"url=https%3A%2F%2Fexample.com%2F&enabled=true".to_vec(),
        ),
        ("XML", b"<url>https://example.com/</url>".to_vec()),
        (
            "compressed",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00".to_vec(),
        ),
        ("brackets without end", vec![b'['; 100_000]),
        ("objects without end", b"{\"a\":".repeat(40_000)),
    ]
}

/// JSON texts that are not objects: a fault of the body as a whole.
pub(crate) const OTHER_THAN_OBJECTS: &[&str] = &[
    "[]",
    "[{}]",
    "[\"customer.active\"]",
    "\"\"",
    "\"url\"",
    "0",
    "-1.5",
    "true",
    "false",
    "null",
];

/// Bodies deeper than any parser likes.
pub(crate) fn deep_bodies() -> Vec<Vec<u8>> {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    vec![
        nested("[", "", "]", 129),
        nested("[", "", "]", 100_000),
        nested("{\"a\":", "1", "}", 129),
        nested("{\"a\":", "1", "}", 40_000),
        nested("{\"url\":", "{}", "}", 25_000),
        nested("[{\"a\":", "1", "}]", 30_000),
    ]
}

/// Content types that are not `application/json`.
pub(crate) const OTHER_TYPES: &[&str] = &[
    "text/plain",
    "text/plain; charset=utf-8",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/octet-stream",
    "application/vnd.api+json",
    "application/merge-patch+json",
    "application/problem+json",
    "application/jsonp",
    "application/x-json",
    "text/plain; application/json",
    "json",
];

/// Ways to write `application/json`.
pub(crate) const JSON_TYPES: &[&str] = &[
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "application/json; charset=\"utf-8\"",
    "application/json ; profile=x",
    "Application/JSON",
    "APPLICATION/JSON; CHARSET=UTF-8",
];

/// Absolute URLs with a host that both APIs take in sandbox mode; none of the hosts is asked anything.
pub(crate) const GOOD_URLS: &[&str] = &[
    "https://example.com",
    "https://example.com/",
    "https://www.example.com/webhooks",
    "http://example.com/webhooks",
    "https://example.com:8443/a/b?c=d&e=f#g",
    "HTTPS://EXAMPLE.COM/Path",
    "http://localhost:9999/",
    "http://127.0.0.1:9/webhooks",
    "https://[::1]:8443/",
    "https://[2001:db8::1]/",
    "https://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "https://does-not-exist.invalid/",
    "https://xn--bcher-kva.example/",
    "https://example.com/%F0%9F%98%80?q=%00",
    "https://example.com/?q=';DROP%20TABLE%20webhooks;--",
];

/// Strings that are not absolute `http` or `https` URLs with a host.
pub(crate) const BAD_URLS: &[&str] = &[
    "",
    " ",
    "example.com",
    "example.com/webhooks",
    "/webhooks",
    "//example.com/webhooks",
    "?q",
    "https",
    "https:",
    "https:/",
    "https://",
    "https:///webhooks",
    "https://?q",
    "https://#f",
    "https://:443/",
    "https://user@/",
    "https://user:secret@example.com/",
    "https://user@example.com/",
    "https://bücher.example/",
    "https://example.com/é",
    "https://example.com/?q=é",
    "https://example.com/%zz",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://a..example.com/",
    "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com/",
    "https:example.com",
    "https:/example.com/webhooks",
    "https:\\\\example.com\\webhooks",
    "ftp://example.com/",
    "file:///etc/passwd",
    "file://example.com/etc/passwd",
    "javascript:alert(1)",
    "data:text/plain,x",
    "mailto:someone@example.com",
    "ws://example.com/",
    "wss://example.com/",
    "gopher://example.com/",
    "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
    "about:blank",
    "httpss://example.com/",
    "ht tp://example.com/",
    "https://exa mple.com/",
    "https://example.com/a b",
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com/\n",
    "https://exam\nple.com/",
    "https://example.com/\r\nX-Injected: 1",
    "https://example.com/\tx",
    "https://example.com/\0",
    "https://exa\0mple.com/",
    "https://[::1/",
    "https://[not-an-address]/",
    "https://exa<mple>.com/",
    "https://example.com:port/",
    "YOUR_WEBHOOK_URL",
    "<string>",
];

/// A URL of exactly `length` characters.
pub(crate) fn url_of_length(length: usize) -> String {
    let start = "https://example.com/";
    format!("{start}{}", "a".repeat(length - start.len()))
}

// Conduit.

/// The 28 events of the source document, in its order.
pub(crate) const CONDUIT_EVENTS: [&str; 28] = [
    "counterparty.active",
    "counterparty.compliance_rejected",
    "counterparty.deleted",
    "counterparty.in_compliance_review",
    "customer.active",
    "customer.in_compliance_review",
    "customer.compliance_rejected",
    "customer.created",
    "customer.kyb_in_progress",
    "customer.kyb_expired",
    "customer.kyb_missing_information",
    "customer.account_onboarding_pending",
    "transaction.initializing",
    "transaction.created",
    "transaction.compliance_approved",
    "transaction.compliance_rejected",
    "transaction.completed",
    "transaction.awaiting_funds",
    "transaction.funds_received",
    "transaction.cancelled",
    "transaction.in_compliance_review",
    "transaction.awaiting_compliance_review",
    "transaction.processing_withdrawal",
    "transaction.withdrawal_processed",
    "transaction.processing_settlement",
    "transaction.settlement_processed",
    "transaction.processing_payment",
    "transaction.payment_processed",
];

/// A create body with what is required.
pub(crate) fn conduit_body() -> Value {
    json!({ "url": "https://www.example.com/webhooks", "events": ["counterparty.active"], "status": "enabled" })
}

/// A create body with this URL.
pub(crate) fn conduit_body_to(url: &str) -> Value {
    with(&conduit_body(), "url", url)
}

/// Creates a webhook and returns the answer's object.
pub(crate) async fn create_conduit(client: &Client, body: Value) -> Value {
    let created = expect(client.post("/webhooks", body).await, 201).json();
    assert_conduit_webhook(&created, false);
    created
}

/// The webhook as `GET /webhooks/{id}` shows it, secret included.
pub(crate) async fn read_conduit(client: &Client, id: &str) -> Value {
    let read = expect(client.get(&format!("/webhooks/{id}")).await, 200).json();
    assert_conduit_webhook(&read, true);
    read
}

/// The ids of all webhooks of the client, in the order of the list.
pub(crate) async fn conduit_ids(client: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    let mut query = "?page[size]=100".to_owned();
    loop {
        let page = expect(client.get(&format!("/webhooks{query}")).await, 200).json();
        ids.extend(page["data"].as_array().unwrap().iter().map(id_of));
        match page["pagination"]["next"].as_str() {
            Some(cursor) => query = format!("?page[size]=100&page[after]={}", encode(cursor)),
            None => return ids,
        }
    }
}

/// The member `id`.
#[track_caller]
pub(crate) fn id_of(webhook: &Value) -> String {
    webhook["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {webhook}"))
        .to_owned()
}

/// A webhook of the sandbox's client with exactly the documented members; `secret` in the answer to GET only.
#[track_caller]
pub(crate) fn assert_conduit_webhook(webhook: &Value, secret: bool) {
    if secret {
        assert_members(
            webhook,
            &["url", "events", "status", "id", "organizationId", "secret"],
        );
        assert_secret(&webhook["secret"]);
    } else {
        assert_members(
            webhook,
            &["url", "events", "status", "id", "organizationId"],
        );
    }
    assert_ksuid("whk", &id_of(webhook));
    let organization = webhook["organizationId"].as_str().unwrap();
    let characters = organization
        .strip_prefix("client_")
        .unwrap_or_else(|| panic!("{webhook}"));
    assert!(
        characters.len() == 27 && characters.chars().all(|c| c.is_ascii_alphanumeric()),
        "{webhook}"
    );
    assert!(
        matches!(webhook["status"].as_str(), Some("enabled" | "disabled")),
        "{webhook}"
    );
    let events = webhook["events"].as_array().unwrap();
    assert!(!events.is_empty(), "{webhook}");
    assert!(
        events
            .iter()
            .all(|event| CONDUIT_EVENTS.contains(&event.as_str().unwrap())),
        "{webhook}"
    );
}

/// The webhook belongs to the sandbox's client.
#[track_caller]
pub(crate) fn assert_own(webhook: &Value) {
    assert_eq!(webhook["organizationId"], CONDUIT_CLIENT, "{webhook}");
}

/// A 400 for the body, one item per fault, at exactly these pointers.
#[track_caller]
pub(crate) fn assert_conduit_invalid(answer: Answer, pointers: &[&str]) {
    assert_conduit_bad_request(answer, "Request body validation failed", pointers);
}

/// A 400 for the query, one item per fault, at exactly these parameters.
#[track_caller]
pub(crate) fn assert_conduit_invalid_query(answer: Answer, pointers: &[&str]) {
    assert_conduit_bad_request(answer, "Request query validation failed", pointers);
}

#[track_caller]
fn assert_conduit_bad_request(answer: Answer, title: &str, pointers: &[&str]) {
    let answer = expect(answer, 400);
    assert_pointers(&answer, pointers);
    let error = answer.json();
    assert_members(&error, &["title", "errors"]);
    assert_eq!(error["title"], title, "{error}");
    for item in error["errors"].as_array().unwrap() {
        assert_members(item, &["details", "pointer"]);
        assert_text(&item["details"]);
    }
}

/// A 400 for the body at whatever pointers.
#[track_caller]
pub(crate) fn assert_conduit_refused(answer: Answer) {
    let pointers = answer.pointers();
    assert!(!pointers.is_empty(), "{}", answer.text());
    assert_conduit_invalid(
        answer,
        &pointers.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

/// An error other than 400, with `title` or, without, the reason phrase of the status.
#[track_caller]
pub(crate) fn assert_conduit_error(answer: Answer, status: u16, title: Option<&str>) -> Answer {
    let answer = expect(answer, status);
    let error = answer.json();
    assert_members(&error, &["title", "message"]);
    assert_text(&error["message"]);
    let found = error["title"].as_str().unwrap();
    match title {
        Some(title) => assert_eq!(found, title, "{error}"),
        None => assert!(reason_phrases(status).contains(&found), "{error}"),
    }
    answer
}

/// The 404 of a webhook that is not there.
#[track_caller]
pub(crate) fn assert_conduit_not_found(answer: Answer) -> Answer {
    assert_conduit_error(answer, 404, Some("Webhook not found"))
}

// Equals Money.

/// The 11 members of a webhook in the order of GET, list rows and PATCH.
pub(crate) const EQUALS_MEMBERS: [&str; 11] = [
    "id",
    "productId",
    "accountId",
    "webhookEventTypeId",
    "url",
    "enabled",
    "authorizationHeader",
    "sharedSecret",
    "createdAt",
    "updatedAt",
    "webhookEventTypeName",
];

/// The 9 members that every create response has, in its order.
pub(crate) const EQUALS_CREATED_MEMBERS: [&str; 9] = [
    "id",
    "enabled",
    "accountId",
    "url",
    "productId",
    "webhookEventTypeId",
    "updatedAt",
    "createdAt",
    "webhookEventTypeName",
];

/// A create body with what is required.
pub(crate) fn equals_body() -> Value {
    json!({ "url": "https://api.url.com", "enabled": true, "webhookEventTypeName": "BoxCredited" })
}

/// A create body with every member, as on the source page.
pub(crate) fn equals_full_body() -> Value {
    json!({
        "sharedSecret": "123e4567-e89b-12d3-a456-426614174100", "enabled": true, "accountId": "F12345",
        "webhookEventTypeName": "AccountActivated", "url": "https://api.url.com",
        "authorizationHeader": "Basic AXVubzpwQDU1dzByYM==",
    })
}

/// Creates a webhook and returns the answer's object.
pub(crate) async fn create_equals(client: &Client, body: Value) -> Value {
    let answer = expect(client.post("/v2/webhooks", body).await, 201);
    let created = answer.json();
    assert_eq!(
        member_names(&created)[..9],
        EQUALS_CREATED_MEMBERS,
        "{created}"
    );
    assert_uuid_v4(&id_of(&created));
    assert_millis(&created["createdAt"]);
    assert_eq!(created["createdAt"], created["updatedAt"], "{created}");
    created
}

/// The webhook as `GET /v2/webhooks/{webhookId}` shows it.
pub(crate) async fn read_equals(client: &Client, id: &str) -> Value {
    let read = expect(client.get(&format!("/v2/webhooks/{id}")).await, 200).json();
    assert_equals_row(&read);
    read
}

/// The answer of the list to this query, with its shape checked.
pub(crate) async fn list_equals(client: &Client, query: &str) -> Value {
    let answer = expect(client.get(&format!("/v2/webhooks{query}")).await, 200);
    assert_eq!(
        answer.keys(),
        ["count", "limit", "offset", "rows"],
        "{}",
        answer.text()
    );
    let list = answer.json();
    list["rows"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(assert_equals_row);
    list
}

/// The ids of the rows of a list, in order.
#[track_caller]
pub(crate) fn row_ids(list: &Value) -> Vec<String> {
    list["rows"].as_array().unwrap().iter().map(id_of).collect()
}

/// All 11 members in their order, with times to the second: a GET answer or a row of the list.
#[track_caller]
pub(crate) fn assert_equals_row(webhook: &Value) {
    assert_eq!(member_names(webhook), EQUALS_MEMBERS);
    assert_uuid_v4(&id_of(webhook));
    assert_whole_second(&webhook["createdAt"]);
    assert_whole_second(&webhook["updatedAt"]);
    assert!(webhook["enabled"].is_boolean(), "{webhook}");
}

/// An error of this status whose details are at exactly these pointers.
#[track_caller]
pub(crate) fn assert_equals_error(answer: Answer, status: u16, pointers: &[&str]) -> Answer {
    let answer = expect(answer, status);
    assert_pointers(&answer, pointers);
    let error = answer.json();
    assert_members(&error, &["statusCode", "error", "message", "details"]);
    assert_eq!(error["statusCode"], status, "{error}");
    assert!(
        reason_phrases(status).contains(&error["error"].as_str().unwrap()),
        "{error}"
    );
    assert_text(&error["message"]);
    for detail in error["details"].as_array().unwrap() {
        assert_members(detail, &["pointer", "message"]);
        assert_text(&detail["message"]);
    }
    answer
}

/// A 400 at one or more of these pointers, where the contract does not say which.
#[track_caller]
pub(crate) fn assert_equals_refused(answer: Answer, among: &[&str]) {
    let pointers = answer.pointers();
    assert!(
        !pointers.is_empty()
            && pointers
                .iter()
                .all(|pointer| among.contains(&pointer.as_str())),
        "{}",
        answer.text()
    );
    assert_equals_error(
        answer,
        400,
        &pointers.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

/// C-30: the documented ids are KSUIDs of the times that the contract calculates from them.
#[test]
fn documented_ids_are_ksuids() {
    assert_ksuid("whk", "whk_2ofTA13AD0xBtbEvBl20aEb1hEu");
    assert_ksuid("client", "client_2ofTA13AD0xBtbEvBl20aEb1hEu");
    assert_eq!(ksuid_seconds("2ofTA13AD0xBtbEvBl20aEb1hEu"), 1_731_259_482);
    assert_eq!(ksuid_seconds("31BbTJ0ORWosbmona9WP0ThJYT5"), 1_755_000_418);
}

/// C-30: 27 base62 characters may be more than 20 bytes, and then are not KSUIDs.
#[test]
#[should_panic(expected = "more than 20 bytes")]
fn the_largest_base62_text_is_no_ksuid() {
    assert_ksuid("whk", "whk_zzzzzzzzzzzzzzzzzzzzzzzzzzz");
}

/// E-34: cutting to the second never rounds up.
#[test]
fn cutting_does_not_round() {
    assert_eq!(
        cut_to_second(&json!("2024-01-09T10:33:33.995Z")),
        "2024-01-09T10:33:33.000Z"
    );
    assert_eq!(
        cut_to_second(&json!("2024-01-09T10:33:33.095Z")),
        "2024-01-09T10:33:33.000Z"
    );
}

/// The refused lists hold nothing that the taken lists hold, and the strings have the length that they promise.
#[test]
fn the_hostile_inputs_are_what_they_say() {
    assert!(GOOD_URLS.iter().all(|url| !BAD_URLS.contains(url)));
    assert!(
        JSON_TYPES
            .iter()
            .all(|content_type| !OTHER_TYPES.contains(content_type))
    );
    assert_eq!(url_of_length(512).chars().count(), 512);
    assert_eq!(
        padded(&conduit_body(), MAX_BODY_BYTES).len(),
        MAX_BODY_BYTES
    );
    assert!(
        deep_bodies()
            .iter()
            .chain(malformed_bodies().iter().map(|(_, body)| body))
            .all(|body| body.len() <= MAX_BODY_BYTES)
    );
    assert!(
        malformed_bodies()
            .iter()
            .all(|(_, body)| serde_json::from_slice::<Value>(body).is_err())
    );
    assert!(malformed_bodies().iter().all(|(name, _)| !name.is_empty()));
}

//! Generated requests against a right server, and against one with planted faults.

use conformance::replay::Generate;

use super::*;

const ORDERS: &str = include_str!("../../cases/replay/orders.yaml");

/// A fault of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Required,
    Unknown,
    Type,
    Enum,
    Maximum,
    Length,
    Format,
    Limit,
    LimitMissing,
    Credentials,
    Methods,
    Deletes,
    Malformed,
    Crash,
    ContentType,
    RefusesMaximum,
    Undocumented,
    Problem,
    RefusesAll,
}

fn answer(wrong: Wrong, request: &Request) -> Reply {
    let refuse = |status: u16| {
        let reply = match wrong {
            Wrong::Undocumented if status == 400 => Reply::json(418, &json!({"error": "tea"})),
            Wrong::Problem if status == 400 => Reply::json(400, &json!({"message": "no"})),
            _ => Reply::json(status, &json!({"error": "no"})),
        };
        reply.header("content-type", "application/json")
    };
    if wrong == Wrong::RefusesAll {
        return refuse(401);
    }
    let known = request
        .headers
        .get("x-token")
        .is_some_and(|token| token == TOKEN);
    if !known && wrong != Wrong::Credentials {
        return refuse(401);
    }
    match request.method.as_str() {
        "GET" => {
            let pairs = request
                .query
                .trim_start_matches('?')
                .split('&')
                .filter_map(|pair| pair.split_once('='));
            let limit = pairs
                .filter(|(name, _)| *name == "limit")
                .map(|(_, value)| value)
                .next();
            let right = match limit {
                None => wrong == Wrong::LimitMissing,
                Some(text) => {
                    let number = text
                        .parse::<f64>()
                        .ok()
                        .filter(|number| number.fract() == 0.0);
                    number.is_some_and(|number| (1.0..=50.0).contains(&number))
                        || wrong == Wrong::Limit
                }
            };
            match right {
                true => Reply::json(200, &json!([{"id": "o1", "qty": 2}])),
                false => refuse(400),
            }
        }
        "POST" => {
            let content_type = request.headers.get("content-type").map(String::as_str);
            if content_type != Some("application/json") && wrong != Wrong::ContentType {
                return refuse(400);
            }
            let Ok(order) = serde_json::from_slice::<Value>(&request.body) else {
                return match wrong {
                    Wrong::Malformed => Reply::json(201, &json!({"id": "o1", "qty": 1})),
                    Wrong::Crash => Reply::json(500, &json!({"error": "stack trace"})),
                    _ => refuse(400),
                };
            };
            match is_right(wrong, &order) {
                true => Reply::json(
                    201,
                    &json!({"id": "o1", "qty": order["qty"].as_i64().unwrap_or(1)}),
                ),
                false => refuse(400),
            }
        }
        "DELETE" if wrong == Wrong::Deletes => Reply::json(200, &json!({})),
        _ if wrong == Wrong::Methods => refuse(404),
        _ => Reply::new(405).header("allow", "GET, POST"),
    }
}

fn is_right(wrong: Wrong, order: &Value) -> bool {
    let Some(members) = order.as_object() else {
        return false;
    };
    let greatest = match wrong {
        Wrong::RefusesMaximum => 9,
        Wrong::Maximum => 1_000,
        _ => 10,
    };
    let text = |name: &str, fits: &dyn Fn(&str) -> bool| match members.get(name) {
        None => true,
        Some(value) => value.as_str().is_some_and(fits),
    };
    let known = ["qty", "kind", "note", "day"];
    let qty = match &members.get("qty") {
        None => wrong == Wrong::Required,
        Some(Value::String(_)) => wrong == Wrong::Type,
        Some(qty) => qty.as_f64().is_some_and(|number| {
            number.fract() == 0.0 && number >= 1.0 && number <= f64::from(greatest)
        }),
    };
    let kind = text("kind", &|kind| {
        ["small", "large"].contains(&kind) || wrong == Wrong::Enum
    });
    let note = text("note", &|note| {
        let length = note.chars().count();
        length >= 2 && (length <= 20 || wrong == Wrong::Length)
    });
    let is_date = |day: &str| {
        let parts: Vec<Option<u32>> = day.split('-').map(|part| part.parse().ok()).collect();
        let [Some(year), Some(month), Some(day)] = parts[..] else {
            return false;
        };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=last).contains(&day)
    };
    let day = text("day", &|day| is_date(day) || wrong == Wrong::Format);
    let closed = members.keys().all(|name| known.contains(&name.as_str()));
    qty && kind
        && members.contains_key("kind")
        && note
        && day
        && (closed || wrong == Wrong::Unknown)
}

/// The rules and sentences of what is found, warnings included.
fn found(wrong: Wrong) -> Vec<(String, Severity, String)> {
    let server = Server::start(Box::new(move |request: &Request, _| answer(wrong, request)));
    let mut options = options(&server);
    options.generate = Some(Generate::default());
    let (outcome, _) = replay_with(ORDERS, &options);
    let findings = outcome.expect("the server can be checked").findings;
    let told = findings
        .into_iter()
        .filter(|one| one.severity <= Severity::Warning);
    told.map(|one| (one.rule.to_owned(), one.severity, said(&one)))
        .collect()
}

#[test]
fn a_right_server_gets_no_finding() {
    let found = found(Wrong::Nothing);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_fault_is_found_by_its_rule() {
    use Severity::{Breaking, Undecided, Warning};
    for (wrong, rule, severity, part) in [
        (
            Wrong::Required,
            "invalid-refused",
            Breaking,
            "body without `qty`",
        ),
        (
            Wrong::Unknown,
            "invalid-refused",
            Breaking,
            "unknown member",
        ),
        (
            Wrong::Type,
            "invalid-refused",
            Breaking,
            "`qty` is a string, not a number",
        ),
        (
            Wrong::Enum,
            "invalid-refused",
            Breaking,
            "`kind` outside its enum",
        ),
        (
            Wrong::Maximum,
            "invalid-refused",
            Breaking,
            "`qty` one above its maximum",
        ),
        (
            Wrong::Length,
            "invalid-refused",
            Breaking,
            "`note` one character above its maximum length",
        ),
        (
            Wrong::Format,
            "invalid-refused",
            Breaking,
            "`day` is not a valid date",
        ),
        (
            Wrong::Limit,
            "invalid-refused",
            Breaking,
            "query parameter `limit` one above",
        ),
        (
            Wrong::LimitMissing,
            "invalid-refused",
            Breaking,
            "without the query parameter `limit`",
        ),
        (
            Wrong::Credentials,
            "credentials-required",
            Breaking,
            "without credentials",
        ),
        (
            Wrong::Methods,
            "method-refused",
            Warning,
            "refused with 404, expected 405",
        ),
        (
            Wrong::Deletes,
            "method-refused",
            Breaking,
            "with the method DELETE",
        ),
        (
            Wrong::Malformed,
            "invalid-refused",
            Breaking,
            "ends too early",
        ),
        (Wrong::Crash, "no-server-error", Breaking, "got 500"),
        (
            Wrong::ContentType,
            "media-type-refused",
            Breaking,
            "`text/plain`",
        ),
        (
            Wrong::RefusesMaximum,
            "valid-accepted",
            Warning,
            "at its maximum",
        ),
        (
            Wrong::Undocumented,
            "status-documented",
            Breaking,
            "got 418",
        ),
        (Wrong::Problem, "body-schema", Breaking, "`error`"),
        (Wrong::RefusesAll, "never-accepted", Undecided, "none of"),
    ] {
        let found = found(wrong);
        let told = found
            .iter()
            .any(|(id, how, said)| id == rule && *how == severity && said.contains(part));
        assert!(told, "{wrong:?}: {found:#?}");
    }
}

#[test]
fn one_cause_is_one_finding() {
    let found = found(Wrong::Problem);
    let of_bodies = found.iter().filter(|(id, ..)| id == "body-schema");
    // Both operations answer with the schema that is broken.
    assert_eq!(of_bodies.count(), 1, "{found:#?}");
}

#[test]
fn the_same_document_gives_the_same_requests_and_safe_ones_are_get() {
    let requests = |safe: bool| {
        let server = Server::start(Box::new(|request: &Request, _| {
            answer(Wrong::Nothing, request)
        }));
        let mut options = options(&server);
        options.generate = Some(Generate {
            safe,
            ..Generate::default()
        });
        replay_with(ORDERS, &options)
            .0
            .expect("the server can be checked");
        // Requests that change nothing are sent at the same time.
        let mut lines = server.lines();
        lines.sort();
        lines
    };
    let all = requests(false);
    assert_eq!(all, requests(false));
    assert!(all.len() > 50, "{}", all.len());
    let safe = requests(true);
    let is_safe = |line: &String| {
        ["GET ", "HEAD ", "OPTIONS "]
            .iter()
            .any(|one| line.starts_with(one))
    };
    assert!(safe.iter().all(is_safe), "{safe:?}");
    assert!(safe.len() > 5, "{}", safe.len());
}

#[test]
fn the_findings_are_the_same_whatever_the_number_of_workers_is() {
    for wrong in [Wrong::Limit, Wrong::Problem, Wrong::Crash, Wrong::Methods] {
        let found = |workers: usize| {
            let server =
                Server::start(Box::new(move |request: &Request, _| answer(wrong, request)));
            let mut options = options(&server);
            options.workers = workers;
            options.generate = Some(Generate::default());
            let outcome = replay_with(ORDERS, &options).0;
            let outcome = outcome.expect("the server can be checked");
            // Each server has a port of its own.
            let findings = format!("{:#?}", outcome.findings).replace(&server.url, "SERVER");
            (findings, outcome.checked, outcome.sent)
        };
        let alone = found(1);
        for workers in [4, 16] {
            assert_eq!(found(workers), alone, "{wrong:?}, {workers} workers");
        }
    }
}

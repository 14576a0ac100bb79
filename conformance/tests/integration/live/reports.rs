//! Reports of live runs in every format: read by a parser of that format, and without secrets.

use std::collections::BTreeMap;
use std::fs;

use data_encoding::BASE64;
use roxmltree::ParsingOptions;
use serde_json::Value;

use super::server::{Live, Seen, json};
use super::*;

/// A document with faults to find, and a credential of each kind.
const VAULT: &str = "openapi: 3.1.0
info: {title: Vault, version: '1'}
security: [{key: [], query: [], cookie: [], basic: []}]
paths:
  /vaults/{vault}:
    post:
      operationId: open
      parameters:
        - {in: path, name: vault, required: true, schema: {type: string}, example: 'extra-s3cret#[]'}
        - {in: query, name: limit, schema: {type: integer, maximum: 9}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [note], properties: {note: {type: string, maxLength: 40}}}
            examples: {ok: {value: {note: 'query-s3cret&+ \u{e4}'}}}
      responses:
        '200':
          description: OK
          headers: {X-Count: {required: true, schema: {type: integer}}}
          content:
            application/json:
              schema: {type: object, required: [opened], properties: {opened: {type: boolean}, echo: {type: string}}}
              examples: {ok: {value: {opened: true}}}
        '401': {description: No}
  /never:
    get:
      operationId: never
      responses: {'200': {description: OK}, '404': {description: None}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Vault-Key}
    query: {type: apiKey, in: query, name: vault_key}
    cookie: {type: apiKey, in: cookie, name: sid}
    basic: {type: http, scheme: basic}
";

/// The secrets, each with characters that are percent-encoded in a URL and escaped in JSON.
const SECRETS: [(&str, &str); 5] = [
    ("header", "header-s3cret+/=\"x"),
    ("query", "query-s3cret&+ \u{e4}"),
    ("cookie", "cookie-s3cret%3D"),
    ("password", "basic-s3cret:/?\""),
    ("extra", "extra-s3cret#[]"),
];

/// Repeats every part of the request, in several spellings, in headers and in the body.
fn leak(seen: &Seen) -> Vec<u8> {
    let everything = format!(
        "{} {:?} {}",
        seen.target,
        seen.headers,
        String::from_utf8_lossy(&seen.body)
    );
    let plain: Vec<&str> = SECRETS.iter().map(|(_, secret)| *secret).collect();
    let echo = Value::from(format!("{everything} {}", plain.join(" ")));
    let mut bytes = json(
        200,
        &format!(
            "{{\"opened\": 1, \"echo\": {echo}, \"{}\": 2}}",
            "header-s3cret+/="
        ),
    );
    let base64 = BASE64.encode(SECRETS[0].1.as_bytes());
    let head = format!(
        "HTTP/1.1 200 OK\r\nX-Count: {base64}\r\nX-Echo: {}\r\n",
        SECRETS[4].1
    );
    let rest = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a first line")
        + 1;
    bytes.splice(..rest, head.bytes());
    bytes
}

/// Returns the output of a run: each report by its format, `har`, and the printed text.
fn reports(arguments: &[&str]) -> BTreeMap<String, String> {
    let server = Live::http(leak);
    let place = Place::new(VAULT);
    let formats = [
        "text", "oneline", "json", "ndjson", "junit", "sarif", "html", "markdown", "github",
    ];
    let targets: Vec<String> = formats
        .iter()
        .map(|format| format!("{format}=report.{format}"))
        .collect();
    let url = server.url();
    let [header, query, cookie, password, extra] = SECRETS.map(|(_, secret)| secret);
    let credentials = [
        format!("key={header}"),
        format!("query={query}"),
        format!("cookie={cookie}"),
        format!("basic=user:{password}"),
    ];
    let extra = format!("X-Extra-Token: {extra}");
    let mut all = vec![
        "run",
        "api.yaml",
        "--server",
        url.as_str(),
        "--header",
        extra.as_str(),
        "--har",
        "report.har",
        "--verbose",
    ];
    for credential in &credentials {
        all.extend(["--credential", credential.as_str()]);
    }
    for target in &targets {
        all.extend(["--report", target.as_str()]);
    }
    all.extend(arguments);
    let run = place.run(&all, &[]);
    assert_eq!(run.code, 1, "{run:?}");
    let mut written = BTreeMap::from([
        ("output".to_owned(), run.out),
        ("error".to_owned(), run.error),
    ]);
    for format in formats.iter().chain(&["har"]) {
        let path = place.0.path().join(format!("report.{format}"));
        written.insert(
            (*format).to_owned(),
            fs::read_to_string(path).expect("is written"),
        );
    }
    written
}

/// Each way in which a secret may be written.
fn spellings(secret: &str) -> Vec<String> {
    let mut percent = String::new();
    for byte in secret.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => percent.push(char::from(byte)),
            false => percent += &format!("%{byte:02X}"),
        }
    }
    let json = Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let mut all = vec![
        secret.to_owned(),
        percent.to_lowercase(),
        percent,
        json,
        BASE64.encode(secret.as_bytes()),
    ];
    all.sort();
    all.dedup();
    all
}

#[test]
fn no_format_has_a_secret_in_any_spelling() {
    let written = reports(&[]);
    let mut wrong = Vec::new();
    for (format, text) in &written {
        for (name, secret) in SECRETS {
            let mut forms = spellings(secret);
            if name == "password" {
                forms.push(BASE64.encode(format!("user:{secret}").as_bytes()));
            }
            for form in forms.iter().filter(|form| text.contains(form.as_str())) {
                let at = text.find(form.as_str()).expect("is there");
                let start = text[..at]
                    .char_indices()
                    .rev()
                    .nth(60)
                    .map_or(0, |(start, _)| start);
                wrong.push(format!(
                    "{format} has the {name} as `{form}`: {}",
                    &text[start..at]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(written["har"].contains("[redacted]") && written["json"].contains("[redacted]"));
}

#[test]
fn the_reports_of_a_live_run_are_what_their_formats_ask_for() {
    let written = reports(&["--show-secrets"]);
    let json: Value = serde_json::from_str(&written["json"]).expect("is JSON");
    let schema: Value = serde_json::from_str(conformance::report::SCHEMA).expect("is JSON");
    let validator = jsonschema::validator_for(&schema).expect("is a schema");
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let findings = json["findings"].as_array().expect("a list");
    assert!(findings.len() > 3, "{json:#}");

    let operations = json["coverage"].as_array().expect("a list");
    assert_eq!(operations.len(), 2);
    assert!(
        operations
            .iter()
            .all(|one| one["requests"].as_u64() > Some(0))
    );
    assert_eq!(json["summary"]["coverage"]["operations"]["observed"], 2);

    // NDJSON: the same findings, after a line for each exchange.
    let lines: Vec<Value> = written["ndjson"]
        .lines()
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(of("finding"), findings.len());
    assert_eq!((of("run"), of("coverage"), of("summary")), (1, 2, 1));
    let requests: u64 = operations
        .iter()
        .filter_map(|one| one["requests"].as_u64())
        .sum();
    assert!(
        of("exchange") as u64 >= requests,
        "{} of {requests}",
        of("exchange")
    );
    assert!(lines.iter().any(|line| line["faults"].is_array()));
    let mut line_schema = schema.clone();
    let root = line_schema.as_object_mut().expect("an object");
    root.retain(|key, _| key == "$defs" || key == "$schema");
    root.insert("$ref".to_owned(), Value::from("#/$defs/line"));
    let line_validator = jsonschema::validator_for(&line_schema).expect("is a schema");
    for line in &lines {
        assert!(line_validator.is_valid(line), "{line:#}");
    }

    // JUnit: a case for each exchange of a sample or a generated request, and its numbers are right.
    let junit = roxmltree::Document::parse(&written["junit"]).expect("is XML");
    let count = |name: &str| {
        junit
            .descendants()
            .filter(|node| node.has_tag_name(name))
            .count()
    };
    let root = junit.root_element();
    assert_eq!(
        root.attribute("tests").expect("a number"),
        count("testcase").to_string()
    );
    assert_eq!(
        root.attribute("failures").expect("a number"),
        count("failure").to_string()
    );
    let sent = json["summary"]["checked"]["generated requests"]
        .as_u64()
        .expect("a number");
    assert!(
        count("testcase") as u64 >= sent,
        "{} of {sent}",
        count("testcase")
    );

    // SARIF: valid, and each result at its line of the document.
    let sarif: Value = serde_json::from_str(&written["sarif"]).expect("is JSON");
    assert_valid_sarif(&sarif);
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    assert_eq!(results.len(), findings.len());
    let lines_of_document: Vec<&str> = VAULT.lines().collect();
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "api.yaml", "{result:#}");
        let line = place["region"]["startLine"].as_u64().expect("a line");
        let line = usize::try_from(line).expect("fits");
        assert!((1..=lines_of_document.len()).contains(&line), "{line}");
    }
    let opened = results
        .iter()
        .find(|result| result["ruleId"] == "body-schema")
        .expect("a fault of a body");
    let line = opened["locations"][0]["physicalLocation"]["region"]["startLine"]
        .as_u64()
        .expect("a line");
    let line = lines_of_document[usize::try_from(line).expect("fits") - 1];
    assert!(line.contains("opened: {type: boolean}"), "{line}");

    // HTML: well-formed, with the exchange of a finding.
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let html =
        roxmltree::Document::parse_with_options(&written["html"], options).expect("is well-formed");
    let articles = html
        .descendants()
        .filter(|node| node.has_tag_name("article"))
        .count();
    assert_eq!(articles, findings.len());
    assert!(
        html.descendants()
            .any(|node| node.attribute("class") == Some("exchange"))
    );

    // Markdown: a table row for each finding, as far as a comment may be long.
    let markdown = &written["markdown"];
    let rows: Vec<&str> = markdown
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    assert!(rows.iter().all(|line| line.matches('|').count() == 4));
    let more = markdown
        .lines()
        .find_map(|line| line.strip_prefix("and ")?.split(' ').next()?.parse().ok());
    assert_eq!(rows.len() - 2 + more.unwrap_or(0), findings.len());
    assert!(markdown.len() < 65_536 && !markdown.contains("://"));

    // GitHub: as the runner reads commands, each finding is one, at its line.
    let commands = written["github"]
        .lines()
        .filter(|line| line.starts_with("::"));
    let mut annotations = 0;
    for line in commands {
        let (command, message) = line[2..].split_once("::").expect("a message");
        let (level, properties) = command.split_once(' ').expect("properties");
        assert!(["error", "warning", "notice"].contains(&level), "{line}");
        assert!(properties.starts_with("file=api.yaml,line="), "{line}");
        assert!(!message.is_empty());
        annotations += 1;
    }
    assert_eq!(annotations, findings.len());
}

fn assert_valid_sarif(log: &Value) {
    let mut schema: Value =
        serde_json::from_str(include_str!("../../meta/sarif-2.1.0.json")).expect("is JSON");
    // A pattern of it is not a regular expression of ECMA-262; no log of ours has these members.
    for owner in ["run", "toolComponent"] {
        let at = format!("/definitions/{owner}/properties/language");
        let language = schema.pointer_mut(&at).and_then(Value::as_object_mut);
        language.expect("an object").shift_remove("pattern");
    }
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("is a schema");
    let errors: Vec<String> = validator
        .iter_errors(log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_stream_has_each_line_while_the_run_goes_on() {
    // The server holds back its second answer until the test has read of the first one.
    let (told, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = Live::http(move |_| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            let wait = wait.lock().expect("no thread panics");
            wait.recv_timeout(std::time::Duration::from_secs(60))
                .expect("the first line was read");
        }
        json(200, "{\"pong\": true}")
    });
    let place = Place::new(PING);
    let url = server.url();
    let mut child = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args([
            "run",
            "api.yaml",
            "--server",
            url.as_str(),
            "--format",
            "ndjson",
        ])
        .current_dir(place.0.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("runs");
    let out = child.stdout.take().expect("is piped");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    let mut next = || -> Option<Value> {
        let line = lines.next()?.expect("is text");
        Some(serde_json::from_str(&line).expect("is JSON"))
    };
    assert_eq!(next().expect("a line")["kind"], "run");
    let first = next().expect("a line");
    assert_eq!(
        (&first["kind"], &first["status"]),
        (&Value::from("exchange"), &Value::from(200))
    );
    told.send(()).expect("the server waits");
    let mut last = first;
    while let Some(line) = next() {
        last = line;
    }
    assert_eq!(last["kind"], "summary");
    assert!(
        child
            .wait()
            .expect("ends")
            .code()
            .is_some_and(|code| code < 2)
    );
}

//! `conformance.toml`, baselines and `conformance rules`, through the program.

use serde_json::Value;

use crate::program::{Folder, Run};

const OLD: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      operationId: listOrders
      responses:
        '200':
          description: The orders
          content:
            application/json:
              schema: {type: array, maxItems: 9, items: {enum: [a, b]}}
";

/// A folder with two documents, of which the second has another list of values.
fn folder() -> Folder {
    let new = OLD.replace("[a, b]", "[a, b, c]");
    Folder::with(&[("old.yaml", OLD), ("new.yaml", &new)])
}

const DRIFT: &str = "drift old.yaml new.yaml";

fn fails(run: &Run, parts: &[&str]) {
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
    assert_eq!(run.error.lines().count(), 1, "{run:?}");
    for part in parts {
        assert!(run.error.contains(part), "{part}: {run:?}");
    }
}

/// The findings of a JSON report, as rule and severity.
fn found(run: &Run) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&run.out).expect("is JSON");
    let text = |finding: &Value, key: &str| finding[key].as_str().expect(key).to_owned();
    report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| (text(finding, "rule"), text(finding, "severity")))
        .collect()
}

#[test]
fn a_rule_is_turned_off_or_given_another_severity() {
    let folder = folder();
    let before = found(&folder.run("drift old.yaml new.yaml --format json"));
    assert_eq!(before.len(), 1, "{before:?}");
    let (rule, severity) = &before[0];
    assert_eq!(severity, "breaking");
    for (word, code, severity) in [
        ("off", 0, None),
        ("info", 0, Some("info")),
        ("warning", 0, Some("warning")),
        ("undecided", 1, Some("undecided")),
        ("breaking", 1, Some("breaking")),
    ] {
        folder.write("conformance.toml", &format!("[rules]\n{rule} = '{word}'\n"));
        let run = folder.run("drift old.yaml new.yaml --format json");
        assert_eq!(run.code, code, "{word}");
        let after: Vec<String> = found(&run)
            .into_iter()
            .map(|(_, severity)| severity)
            .collect();
        assert_eq!(after, severity.into_iter().collect::<Vec<_>>());
    }
    folder.write("conformance.toml", "[rules]\nenum-changed = 'off'\n");
    fails(
        &folder.run(DRIFT),
        &["conformance.toml:2:1: unknown rule `enum-changed`; did you mean `schema-enum-changed`?"],
    );
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let folder = folder();
    assert!(folder.run(DRIFT).out.starts_with("breaking  GET /orders"));
    folder.write(
        "conformance.toml",
        "format = 'github'\nexclude = ['listOrders']\n",
    );
    let run = folder.run(DRIFT);
    // The only operation is excluded.
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.error.starts_with("nothing checked: "), "{run:?}");
    let run = folder.run("drift old.yaml new.yaml --exclude method:post");
    fails(&run, &["`method:post`"]);
    folder.write(
        "conformance.toml",
        "format = 'github'\nfail-on = 'breaking'\n",
    );
    assert!(
        folder
            .run(DRIFT)
            .out
            .starts_with("::error file=new.yaml,line=12,")
    );
    let run = folder.run("drift old.yaml new.yaml --format ndjson");
    assert!(run.out.starts_with("{\"kind\":\"run\""), "{run:?}");
    folder.write("other.toml", "format = 'json'\ncolor = 'always'");
    let run = folder.run("drift old.yaml new.yaml --config other.toml");
    assert!(run.out.starts_with('{'), "{run:?}");
    let run = folder.run("drift old.yaml new.yaml --config other.toml --format text");
    assert!(run.out.contains("\u{1b}["), "{run:?}");
    fails(
        &folder.run("drift old.yaml new.yaml --config none.toml"),
        &["none.toml: cannot be read"],
    );
    folder.write("conformance.toml", "formt = 'json'\n");
    fails(
        &folder.run(DRIFT),
        &["conformance.toml:1:1: unknown key `formt`; did you mean `format`?"],
    );
    folder.write("conformance.toml", "\u{0}");
    fails(&folder.run(DRIFT), &["conformance.toml:1:2: "]);
}

#[test]
fn headers_come_from_the_environment_and_are_never_printed() {
    let folder = folder();
    folder.write(
        "conformance.toml",
        "header = ['X-Key: ${CONFORMANCE_TEST_KEY}', 'X-Other: ${CONFORMANCE_NOT_SET}']\n",
    );
    assert_eq!(folder.run(DRIFT).code, 1);
    let replay = "replay old.yaml --server http://127.0.0.1:9";
    fails(
        &folder.run(replay),
        &["conformance.toml:1:45: the environment variable CONFORMANCE_NOT_SET is not set"],
    );
    folder.write(
        "conformance.toml",
        "header = ['X-Key ${CONFORMANCE_TEST_KEY}']\n",
    );
    let run = folder.run(replay);
    fails(&run, &["conformance.toml:1:11: ", "colon"]);
    assert!(!run.error.contains("hunter22"));
}

#[test]
fn a_baseline_is_written_filled_in_and_followed() {
    let folder = folder();
    let run = folder.run("drift old.yaml new.yaml --write-baseline accepted.toml");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.error
            .contains("accepted.toml: 1 accepted findings; fill in the reasons"),
        "{run:?}"
    );
    let with = "drift old.yaml new.yaml --baseline accepted.toml";
    fails(
        &folder.run(with),
        &["accepted.toml:6:10: the reason is empty"],
    );
    let filled = folder
        .read("accepted.toml")
        .replace("reason = \"\"", "reason = \"known\"");
    folder.write("accepted.toml", &filled);
    let run = folder.run(with);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out
            .ends_with("nothing found; 1 accepted by the baseline\n"),
        "{run:?}"
    );
    // Writing it anew keeps what was filled in.
    assert_eq!(
        folder
            .run("drift old.yaml new.yaml --write-baseline accepted.toml")
            .code,
        1
    );
    assert_eq!(folder.read("accepted.toml"), filled);

    // Moved lines and another file name change nothing.
    let moved = format!("# A comment.\n\n{}", folder.read("new.yaml"));
    folder.write("renamed.yaml", &moved);
    assert_eq!(
        folder
            .run("drift old.yaml renamed.yaml --baseline accepted.toml")
            .code,
        0
    );

    // Another difference is not accepted.
    folder.write("other.yaml", &OLD.replace("maxItems: 9", "maxItems: 8"));
    let run = folder.run("drift old.yaml other.yaml --baseline accepted.toml --format json");
    let rules: Vec<String> = found(&run).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!((run.code, rules.len()), (1, 2), "{run:?}");
    assert!(rules.contains(&"baseline-stale".to_owned()), "{rules:?}");
}

#[test]
fn an_entry_that_is_stale_or_expired_fails_whatever_the_threshold_is() {
    let folder = folder();
    let write = "drift old.yaml new.yaml --write-baseline accepted.toml --reason known";
    assert_eq!(folder.run(write).code, 1);
    let run = folder.run("drift old.yaml old.yaml --baseline accepted.toml --fail-on breaking");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.out.contains("baseline-stale") && run.out.contains("accepted.toml:5:15"),
        "{run:?}"
    );
    // A finding outside the selection is not missing.
    let run = folder.run("drift old.yaml old.yaml --baseline accepted.toml --include listOrders");
    assert_eq!(run.code, 0, "{run:?}");
    let text = folder.read("accepted.toml");
    for (expires, code, rule) in [
        ("2999-12-31", 0, None),
        ("2000-01-01", 1, Some("baseline-expired")),
    ] {
        folder.write(
            "accepted.toml",
            &text.replace("reason =", &format!("expires = {expires}\nreason =")),
        );
        let run = folder.run("drift old.yaml new.yaml --baseline accepted.toml --format json");
        assert_eq!(run.code, code, "{run:?}");
        let found = found(&run);
        assert!(rule.is_none_or(|rule| found.iter().any(|(one, _)| one == rule)));
    }
    let both = "drift old.yaml new.yaml --baseline accepted.toml --write-baseline accepted.toml";
    assert_eq!(folder.run(both).code, 2);
    assert_eq!(folder.run("drift old.yaml new.yaml --reason known").code, 2);
}

#[test]
fn every_rule_is_listed() {
    let folder = Folder::with(&[]);
    let list: Value =
        serde_json::from_str(&folder.run("rules --format json").out).expect("is JSON");
    let list = list.as_array().expect("a list");
    assert!(list.len() > 60, "{}", list.len());
    let text = folder.run("rules").out;
    for rule in list {
        let id = rule["id"].as_str().expect("an id");
        assert!(text.contains(&format!("  {id}\n")), "{id}");
        assert_ne!(rule["example"]["before"], rule["example"]["after"], "{id}");
        assert!(
            rule["meaning"]
                .as_str()
                .is_some_and(|meaning| meaning.ends_with('.')),
            "{id}"
        );
    }
    for command in ["drift", "replay", "baseline"] {
        assert!(
            list.iter().any(|rule| rule["command"] == command),
            "{command}"
        );
    }
}

#[test]
fn the_examples_of_the_documentation_are_accepted() {
    let page = include_str!("../../CONFIGURATION.md");
    let blocks: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let [settings, baseline] = blocks[..] else {
        panic!("{blocks:?}")
    };
    let document = OLD.replace("      responses:", "      tags: [Orders]\n      responses:");
    let folder = Folder::with(&[
        ("conformance.toml", settings),
        ("accepted.toml", ""),
        ("changes.toml", ""),
        ("openapi/orders.yaml", &document),
        ("target/orders.json", &document),
    ]);
    let run = folder.run("check");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    let folder = self::folder();
    folder.write("accepted.toml", baseline);
    let run = folder.run("drift old.yaml new.yaml --baseline accepted.toml");
    assert!(run.out.contains("baseline-stale"), "{run:?}");
}

#[test]
fn a_first_configuration_is_written_and_never_overwritten_unasked() {
    let folder = Folder::with(&[
        ("openapi.yaml", OLD),
        (
            "docs/orders.v2.json",
            "{\"openapi\": \"3.0.0\", \"info\": {}, \"paths\": {}}",
        ),
        ("docs/notes.yaml", "openapi: [a page about openapi\n"),
        ("package.json", "{\"name\": \"swagger\"}"),
        ("elsewhere/openapi.yaml", OLD),
    ]);
    let run = folder.run("init");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    let written = folder.read("conformance.toml");
    let pairs: Vec<&str> = written
        .lines()
        .filter(|line| line.starts_with("document") || line.starts_with("name"))
        .collect();
    assert_eq!(
        pairs,
        [
            "name = \"openapi\"",
            "document = \"openapi.yaml\"",
            "name = \"orders\"",
            "document = \"docs/orders.v2.json\""
        ]
    );
    // The configuration that was written can be read.
    let run = folder.run("check");
    assert!(run.out.contains("add --base REV"), "{run:?}");
    fails(
        &folder.run("init"),
        &["conformance.toml exists already; --force overwrites it"],
    );
    folder.write("conformance.toml", "nothing");
    assert_eq!(folder.run("init --force").code, 0);
    assert_eq!(folder.read("conformance.toml"), written);

    let empty = Folder::with(&[]);
    let run = empty.run("init");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("found no OpenAPI document"), "{run:?}");
    fails(&empty.run("check"), &["there is no pair to compare"]);
}

#[test]
fn the_schema_of_the_configuration_is_printed() {
    let run = Folder::with(&[]).run("schema config");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    let schema: Value = serde_json::from_str(&run.out).expect("is JSON");
    assert!(schema["properties"]["pair"]["items"]["properties"]["document"].is_object());
}

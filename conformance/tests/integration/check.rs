//! `conformance check`: the pairs of a configuration, and their documents against the merge base in git.

use repository::{commit_all, git};
use serde_json::Value;

use crate::program::Folder;
use crate::program::git as repository;

const DOCUMENT: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      operationId: listOrders
      tags: [Orders]
      responses:
        '200': {description: The orders, content: {application/json: {schema: {type: array, maxItems: 9}}}}
    delete:
      operationId: deleteOrders
      responses:
        '204': {description: Gone}
";

const PAIR: &str =
    "[[pair]]\nname = 'orders'\ndocumented = 'documented.yaml'\nemitted = 'emitted.yaml'\n";

fn folder() -> Folder {
    Folder::with(&[
        ("documented.yaml", DOCUMENT),
        ("emitted.yaml", DOCUMENT),
        ("conformance.toml", PAIR),
    ])
}

/// As [`folder`], with everything committed on `main`.
fn repository() -> Folder {
    let folder = folder();
    commit_all(&folder);
    folder
}

#[test]
fn all_pairs_are_compared_in_one_report() {
    let folder = folder();
    let run = folder.run("check");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    assert!(
        run.out.starts_with("conforms: 2 documents, 2 operations"),
        "{run:?}"
    );
    folder.write("sub/documented.yaml", DOCUMENT);
    folder.write(
        "sub/emitted.yaml",
        &DOCUMENT.replace("maxItems: 9", "maxItems: 10"),
    );
    folder.write(
        "sub/pairs.toml",
        &format!(
            "{PAIR}{}",
            PAIR.replace("'orders'", "'other'")
                .replace("'emitted.yaml'", "'documented.yaml'")
        ),
    );
    // The files are beside the configuration, not in the working directory.
    let run = folder.run("check --config sub/pairs.toml");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.out
            .starts_with("orders\n\nbreaking  GET /orders (listOrders)\n"),
        "{run:?}"
    );
    assert!(
        run.out.contains("emitted     sub/emitted.yaml:9:"),
        "{run:?}"
    );
    assert!(run.out.contains("4 documents"), "{run:?}");
    assert_eq!(
        folder
            .run("check --config sub/pairs.toml --pair other")
            .code,
        0
    );
    for (arguments, part) in [
        (
            "check --config sub/pairs.toml --pair none",
            "there is no pair `none`; the pairs are orders, other",
        ),
        (
            "check --config sub/pairs.toml --pair order",
            "; did you mean `orders`?",
        ),
        (
            "check --config sub/none.toml",
            "sub/none.toml: cannot be read",
        ),
    ] {
        let run = folder.run(arguments);
        assert_eq!(
            (run.code, run.out.as_str(), run.error.lines().count()),
            (2, "", 1),
            "{run:?}"
        );
        assert!(run.error.contains(part), "{run:?}");
    }
}

#[test]
fn nothing_to_compare_is_an_error_and_so_is_a_document_that_cannot_be_read() {
    for (config, part) in [
        ("", "there is no pair to compare"),
        (
            &PAIR.replace("emitted.yaml", "none.yaml")[..],
            "pair orders: none.yaml: cannot be read",
        ),
        (
            &format!("{PAIR}include = ['nothing']\n")[..],
            "pair orders: no operation has",
        ),
    ] {
        let folder = folder();
        folder.write("conformance.toml", config);
        let run = folder.run("check");
        assert_eq!(
            (run.code, run.out.as_str(), run.error.lines().count()),
            (2, "", 1),
            "{run:?}"
        );
        assert!(run.error.contains(part), "{run:?}");
    }
}

#[test]
fn differences_are_allowed_in_the_pair_or_in_its_baseline() {
    let folder = folder();
    folder.write(
        "emitted.yaml",
        &DOCUMENT.replace("maxItems: 9", "maxItems: 10"),
    );
    let run = folder.run("check --format json");
    assert_eq!(run.code, 1);
    let report: Value = serde_json::from_str(&run.out).expect("is JSON");
    assert_eq!(report["findings"][0]["pair"], "orders");
    let fingerprint = report["findings"][0]["fingerprint"]
        .as_str()
        .expect("a fingerprint");
    let allow = format!("{PAIR}[[pair.allow]]\nfingerprint = '{fingerprint}'\nreason = 'known'\n");
    folder.write("conformance.toml", &allow);
    let run = folder.run("check");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("1 accepted by the baseline"), "{run:?}");
    // It is the fingerprint that drift gives.
    folder.run("drift documented.yaml emitted.yaml --write-baseline accepted.toml --reason known");
    assert!(folder.read("accepted.toml").contains(fingerprint));
    folder.write(
        "conformance.toml",
        &format!("{PAIR}baseline = 'accepted.toml'\n"),
    );
    assert_eq!(folder.run("check").code, 0);
    folder.write("conformance.toml", PAIR);
    assert_eq!(folder.run("check --baseline accepted.toml").code, 0);
    let two = format!("{PAIR}{}", PAIR.replace("'orders'", "'other'"));
    folder.write("conformance.toml", &two);
    assert_eq!(
        folder
            .run("check --write-baseline both.toml --reason known")
            .code,
        1
    );
    let run = folder.run("check --baseline both.toml");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("2 accepted by the baseline"), "{run:?}");
    let both = allow.replace(
        "[[pair.allow]]",
        "baseline = 'accepted.toml'\n[[pair.allow]]",
    );
    folder.write("conformance.toml", &both);
    let run = folder.run("check");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.error.contains("was given before, at accepted.toml:5"),
        "{run:?}"
    );
    folder.write("conformance.toml", &allow);
    folder.write("emitted.yaml", DOCUMENT);
    let run = folder.run("check");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.out.contains("baseline-stale") && run.out.contains("conformance.toml:6:15"),
        "{run:?}"
    );
}

#[test]
fn a_change_is_judged_against_the_merge_base() {
    let folder = repository();
    let run = folder.run("check --base main");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("2 revisions"), "{run:?}");
    // Documents in a folder are found there.
    folder.write("sub/documented.yaml", DOCUMENT);
    folder.write("sub/emitted.yaml", DOCUMENT);
    folder.write("sub/conformance.toml", PAIR);
    git(&folder, "add .");
    git(&folder, "commit -q -m sub");
    let run = folder.run("check --config sub/conformance.toml --base HEAD");
    assert_eq!(run.code, 0, "{run:?}");
    // Changes on the base branch after the branch was made do not count.
    git(&folder, "checkout -q -b topic");
    git(&folder, "checkout -q main");
    folder.write(
        "documented.yaml",
        &DOCUMENT.replace("listOrders", "getOrders"),
    );
    git(&folder, "commit -q -a -m two");
    git(&folder, "checkout -q topic");
    // Both documents lose an operation alike: they agree, yet the change breaks clients.
    let less = &DOCUMENT[..DOCUMENT.find("    delete:").expect("is there")];
    folder.write("documented.yaml", less);
    folder.write("emitted.yaml", less);
    assert_eq!(folder.run("check").code, 0);
    for revision in ["main", "HEAD", "main~1", "main~2", "topic"] {
        let run = folder.run(&format!("check --base {revision} --format json"));
        assert_eq!(run.code, 1, "{run:?}");
        let report: Value = serde_json::from_str(&run.out).expect("is JSON");
        let findings = report["findings"].as_array().expect("a list");
        let rules: Vec<&str> = findings
            .iter()
            .filter_map(|finding| finding["rule"].as_str())
            .collect();
        assert_eq!(rules, ["operation-removed", "operation-removed"], "{run:?}");
        let pair = findings[0]["pair"].as_str().expect("a pair");
        assert!(pair.starts_with("orders: documented since "), "{pair}");
        let before = findings[0]["old"]["document"].as_str().expect("a name");
        assert!(
            before.starts_with("git:") && before.ends_with(":documented.yaml"),
            "{before}"
        );
    }
    // The work tree is as it was.
    assert_eq!(folder.read("documented.yaml"), less);

    // Accepted changes, and pairs that are not judged.
    let run = folder.run("check --base main --format json");
    let report: Value = serde_json::from_str(&run.out).expect("is JSON");
    let fingerprint = report["findings"][0]["fingerprint"]
        .as_str()
        .expect("a fingerprint");
    // Both documents lost the same, so there is one entry.
    let run = folder.run_with(&[
        "check",
        "--base",
        "main",
        "--write-changes",
        "changes.toml",
        "--reason",
        "nobody used it",
    ]);
    assert_eq!(run.code, 1, "{run:?}");
    let written = folder.read("changes.toml");
    assert!(written.contains(fingerprint), "{written}");
    assert_eq!(written.matches("[[ignore]]").count(), 1, "{written}");
    assert_eq!(folder.run("check --write-changes changes.toml").code, 2);
    // One document at two times is old and new.
    assert!(run.out.contains("  old  git:"), "{run:?}");
    assert!(run.out.contains("  new  documented.yaml:"), "{run:?}");
    folder.write(
        "conformance.toml",
        &format!("{PAIR}changes = 'changes.toml'\n"),
    );
    let run = folder.run("check --base main");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("2 accepted by the baseline"), "{run:?}");
    git(&folder, "commit -q -a -m three");
    let run = folder.run("check --base HEAD");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("baseline-stale"), "{run:?}");
    folder.write("conformance.toml", &format!("{PAIR}base = false\n"));
    assert_eq!(folder.run("check --base main").code, 0);
    // Findings of the past lead nowhere in the working tree: the annotation is at the new file.
    folder.write("conformance.toml", PAIR);
    let run = folder.run("check --base main --format github");
    assert!(
        run.out.starts_with("::error file=documented.yaml,line="),
        "{run:?}"
    );
}

#[test]
fn what_git_cannot_say_exits_with_2_and_one_line() {
    let folder = repository();
    for revision in [
        "none",
        "--output=pwned",
        "-h",
        "--all",
        "HEAD:documented.yaml",
        "HEAD^{tree}",
        "main..HEAD",
        "",
        " ",
        "$(touch pwned)",
        "@{upstream}",
        "a\nb",
    ] {
        let run = folder.run_with(&["check", "--base", revision]);
        assert_eq!(
            (run.code, run.out.as_str(), run.error.lines().count()),
            (2, "", 1),
            "{revision:?} {run:?}"
        );
        assert!(run.error.contains("there is no commit `"), "{run:?}");
        let run = folder.run_with(&["check", &format!("--base={revision}")]);
        assert_eq!(run.code, 2, "{run:?}");
    }
    assert!(!folder.path().join("pwned").exists());
    let run = folder.run("check --base");
    assert_eq!(run.code, 2);

    folder.write("new.yaml", DOCUMENT);
    folder.write(
        "conformance.toml",
        &PAIR.replace("emitted.yaml", "new.yaml"),
    );
    let run = folder.run("check --base main");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.error.contains("new.yaml: not in the commit ") && run.error.contains("base = false"),
        "{run:?}"
    );

    // A file whose name looks like one of git's own spellings is a file.
    folder.write(":(top)--x.yaml", DOCUMENT);
    folder.write(
        "conformance.toml",
        &PAIR.replace("emitted.yaml", ":(top)--x.yaml"),
    );
    git(&folder, "add .");
    git(&folder, "commit -q -m two");
    assert_eq!(folder.run("check --base HEAD").code, 0);

    // Unrelated histories, and a document that was none.
    git(&folder, "checkout -q --orphan other");
    git(&folder, "commit -q -m other");
    let run = folder.run("check --base main");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.error.contains("no commit in common"), "{run:?}");
    folder.write("documented.yaml", "not: openapi\n");
    git(&folder, "commit -q -a -m broken");
    folder.write("documented.yaml", DOCUMENT);
    let run = folder.run("check --base HEAD");
    assert_eq!((run.code, run.error.lines().count()), (2, 1), "{run:?}");
    assert!(
        run.error
            .contains(":documented.yaml:1:1: this is not an OpenAPI document"),
        "{run:?}"
    );

    let outside = self::folder();
    let run = outside.run("check --base main");
    assert_eq!((run.code, run.error.lines().count()), (2, 1), "{run:?}");
    assert!(run.error.contains("not in a git repository"), "{run:?}");
}

#[test]
fn a_document_of_several_files_is_judged_with_the_files_of_the_merge_base() {
    let document = DOCUMENT.replace(
        "{type: array, maxItems: 9}",
        "{$ref: 'parts/list.yaml#/List'}",
    );
    let folder = Folder::with(&[
        ("api/documented.yaml", &document),
        ("api/emitted.yaml", &document),
        ("api/parts/list.yaml", "List: {type: array, maxItems: 9}\n"),
        (
            "conformance.toml",
            "[[pair]]\nname = 'orders'\ndocumented = 'api/documented.yaml'\nemitted = 'api/emitted.yaml'\n",
        ),
    ]);
    commit_all(&folder);
    let run = folder.run("check --base main");
    assert_eq!(run.code, 0, "{run:?}");
    folder.write(
        "api/parts/list.yaml",
        "Other: {}\nList: {type: array, maxItems: 12}\n",
    );
    let fingerprints = || -> Vec<String> {
        let run = folder.run("check --base main --format json");
        assert_eq!(run.code, 1, "{run:?}");
        let report: Value = serde_json::from_str(&run.out).expect("is JSON");
        let findings = report["findings"].as_array().expect("a list");
        for finding in findings {
            let document = finding["old"]["document"].as_str().expect("a place");
            assert!(document.starts_with("git:"), "{document}");
            assert!(document.ends_with(":api/parts/list.yaml"), "{document}");
            assert_eq!(finding["new"]["document"], "api/parts/list.yaml");
            assert_eq!(finding["new"]["pointer"], "/List/maxItems");
            assert_eq!(finding["rule"], "schema-keyword-changed");
        }
        findings
            .iter()
            .map(|finding| finding["fingerprint"].to_string())
            .collect()
    };
    let before = fingerprints();
    assert_eq!(before.len(), 2, "documented and emitted");
    // Another file in front of it changes no fingerprint.
    let more = "components: {schemas: {A: {$ref: 'parts/more.yaml#/A'}}}\n";
    let (start, rest) = document.split_once("paths:").expect("paths");
    for side in ["api/documented.yaml", "api/emitted.yaml"] {
        folder.write(side, &format!("{start}{more}paths:{rest}"));
    }
    folder.write("api/parts/more.yaml", "A: {type: string}\n");
    assert_eq!(fingerprints(), before);
    folder.write("api/parts/list.yaml", "Other: {}\n");
    let run = folder.run("check");
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn the_former_names_of_the_sides_are_still_read() {
    let folder = folder();
    folder.write(
        "conformance.toml",
        "[[pair]]\nname = 'orders'\ntheirs = 'documented.yaml'\nours = 'emitted.yaml'\n",
    );
    let run = folder.run("check");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
}

#[test]
fn a_pair_of_one_document_is_compared_with_its_merge_base_only() {
    let folder = folder();
    let one = "[[pair]]\nname = 'one'\ndocument = 'documented.yaml'\n";
    folder.write("conformance.toml", one);
    commit_all(&folder);
    let run = folder.run("check --base main");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    assert!(run.out.contains("2 operations, 1 revision"), "{run:?}");
    // Without a merge base there is nothing to compare it with.
    let run = folder.run("check");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.out.contains("add --base REV"), "{run:?}");
    // Beside a pair of two documents it waits for one.
    folder.write("conformance.toml", &format!("{one}{PAIR}"));
    let run = folder.run("check");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");

    folder.write("conformance.toml", one);
    folder.write(
        "documented.yaml",
        &DOCUMENT.replace("maxItems: 9", "maxItems: 10"),
    );
    let run = folder.run("check --base main --format json");
    assert_eq!(run.code, 1, "{run:?}");
    let report: Value = serde_json::from_str(&run.out).expect("is JSON");
    let pair = report["findings"][0]["pair"].as_str().expect("a pair");
    assert!(pair.starts_with("one since "), "{pair}");
    let run = folder.run_with(&[
        "check",
        "--base",
        "main",
        "--write-changes",
        "changes.toml",
        "--reason",
        "agreed",
    ]);
    assert_eq!(run.code, 1, "{run:?}");
    folder.write(
        "conformance.toml",
        &format!("{one}changes = 'changes.toml'\n"),
    );
    let run = folder.run("check --base main");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("1 accepted by the baseline"), "{run:?}");
}

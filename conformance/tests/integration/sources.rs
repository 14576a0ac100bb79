//! Where documents come from: files, standard input and files of git revisions. URLs are tested in `command_line.rs`.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use repository::{commit_all, git};

use crate::program::git as repository;
use crate::program::{Folder, Run};

const LIST: &str = "List: {type: array, maxItems: 9}\n";
const DOCUMENT: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      operationId: listOrders
      responses:
        '200': {description: The orders, content: {application/json: {schema: {$ref: 'parts/list.yaml#/List'}}}}
";

/// A repository with a document of two files in `api`, of which the second is then changed in the working tree.
fn repository() -> Folder {
    let folder = Folder::with(&[
        ("api/orders.yaml", DOCUMENT),
        ("api/parts/list.yaml", LIST),
        ("readme", ""),
    ]);
    commit_all(&folder);
    folder.write("api/parts/list.yaml", &LIST.replace('9', "12"));
    folder
}

fn fails(run: &Run, part: &str) {
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
    assert_eq!(run.error.lines().count(), 1, "{run:?}");
    assert!(run.error.contains(part), "{part}: {run:?}");
}

/// Runs the program in `subfolder` of a folder, with a text on standard input.
fn run_with_input(folder: &Folder, subfolder: &str, arguments: &str, text: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(arguments.split_whitespace())
        .current_dir(folder.path().join(subfolder))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that refuses its arguments does not read.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    Run {
        code: output.status.code().expect("exits"),
        out: text(output.stdout),
        error: text(output.stderr),
    }
}

#[test]
fn a_file_of_a_revision_is_read_with_the_files_it_refers_to_there() {
    let folder = repository();
    for old in [
        "main:api/orders.yaml",
        "HEAD:./api/orders.yaml",
        "HEAD^{/one}:api/orders.yaml",
        "main@{0}:api/../api/orders.yaml",
    ] {
        let run = folder.run(&format!("drift {old} api/orders.yaml"));
        assert_eq!((run.code, run.error.as_str()), (1, ""), "{run:?}");
        assert!(run.out.contains(":api/parts/list.yaml:1:"), "{run:?}");
        assert!(run.out.contains("old  git:"), "{run:?}");
    }
    let run = folder.run("drift main:api/orders.yaml main:api/orders.yaml");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
}

#[test]
fn a_path_of_a_revision_begins_at_the_root_or_in_the_working_directory() {
    let folder = repository();
    fs::create_dir(folder.path().join("api/deep")).expect("is made");
    for (subfolder, old, code) in [
        ("api", "main:api/orders.yaml", 1),
        ("api", "main:./orders.yaml", 1),
        ("api/deep", "main:../orders.yaml", 1),
        ("api", "main:orders.yaml", 2),
        ("api", "main:../../orders.yaml", 2),
        ("api", "main:/orders.yaml", 2),
    ] {
        let new = if subfolder == "api" {
            "orders.yaml"
        } else {
            "../orders.yaml"
        };
        let run = run_with_input(&folder, subfolder, &format!("drift {old} {new}"), "");
        assert_eq!(run.code, code, "{subfolder} {old}: {run:?}");
    }
}

#[test]
fn a_revision_that_cannot_be_read_exits_with_2_and_one_line() {
    let folder = repository();
    for (source, part) in [
        ("none:api/orders.yaml", "there is no commit `none`"),
        ("--all:api/orders.yaml", "unexpected argument"),
        ("main:none.yaml", "none.yaml: not in the commit "),
        ("main:api", "api: not in the commit "),
        ("main:readme", ":readme:1:1: "),
        (
            "file:///api/orders.yaml",
            "file:///api/orders.yaml: unsupported URL scheme `file`; use http or https",
        ),
        ("ftp://localhost/a", "unsupported URL scheme `ftp`"),
        ("main:", "main:: cannot be read"),
        (":api/orders.yaml", ":api/orders.yaml: cannot be read"),
        (r"C:\api\orders.yaml", r"C:\api\orders.yaml: cannot be read"),
    ] {
        let run = folder.run_with(&["drift", source, "api/orders.yaml"]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{source}: {run:?}");
        assert!(run.error.contains(part), "{source}: {run:?}");
    }
    let outside = Folder::with(&[("a.yaml", DOCUMENT)]);
    fails(
        &outside.run("drift main:a.yaml a.yaml"),
        "main:a.yaml: no such file, and not a file of a git revision: .: not in a git repository",
    );
}

#[cfg(unix)]
#[test]
fn a_file_whose_name_has_a_colon_is_a_file() {
    let folder = repository();
    folder.write("api/main:orders.yaml", DOCUMENT);
    folder.write("main:api/orders.yaml", "not: openapi\n");
    let run = folder.run("drift api/main:orders.yaml api/orders.yaml");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    fails(
        &folder.run("drift main:api/orders.yaml api/orders.yaml"),
        "main:api/orders.yaml:1:1: this is not an OpenAPI document",
    );
    git(&folder, "branch other");
    assert_eq!(
        folder
            .run("drift other:api/orders.yaml api/orders.yaml")
            .code,
        1
    );
    fails(
        &folder.run("drift ./other:api/orders.yaml api/orders.yaml"),
        "./other:api/orders.yaml: cannot be read",
    );
}

#[test]
fn standard_input_is_a_document_whose_files_are_in_the_working_directory() {
    let folder = repository();
    for arguments in ["drift - orders.yaml", "drift orders.yaml -"] {
        let text = folder.read("api/orders.yaml");
        let run = run_with_input(&folder, "api", arguments, &text);
        assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    }
    let inline = DOCUMENT.replace("$ref: 'parts/list.yaml#/List'", "maxItems: 9");
    let run = run_with_input(&folder, "api", "drift - orders.yaml", &inline);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("old  <stdin>:8:"), "{run:?}");
    for (text, part) in [
        ("", "<stdin>:1:1: the document is empty"),
        (
            "not: openapi",
            "<stdin>:1:1: this is not an OpenAPI document",
        ),
    ] {
        fails(
            &run_with_input(&folder, "api", "drift - orders.yaml", text),
            part,
        );
    }
    fails(
        &run_with_input(&folder, "api", "drift - -", DOCUMENT),
        "standard input can only be read once",
    );
    // A file of that name is named by its path.
    folder.write("api/-", DOCUMENT);
    assert_eq!(folder.run("drift api/- api/orders.yaml").code, 0);
}

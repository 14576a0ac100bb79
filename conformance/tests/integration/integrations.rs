//! The GitHub Action and the pre-commit hook: they parse, name commands and flags that exist, and run.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::program::Folder;

const DOCUMENT: &str = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: d}}}}}\n";
const PAIR: &str =
    "[[pair]]\nname = 'one'\ndocumented = 'documented.yaml'\nemitted = 'emitted.yaml'\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_owned()
}

fn yaml(name: &str) -> Value {
    let text = fs::read_to_string(root().join(name)).expect(name);
    yaml_serde::from_str(&text).expect(name)
}

/// Fails unless `words` begin with a subcommand and all flags among them are its own.
fn assert_known(words: &str) {
    let command = conformance::cli::command();
    let mut words = words.split_whitespace();
    let name = words.next().expect("a subcommand");
    let subcommand = command
        .find_subcommand(name)
        .unwrap_or_else(|| panic!("there is no subcommand {name}"));
    for flag in words.filter_map(|word| word.strip_prefix("--")) {
        let known = |argument: &clap::Arg| argument.get_long() == Some(flag);
        assert!(subcommand.get_arguments().any(known), "{name} --{flag}");
    }
}

#[test]
fn the_action_parses_and_names_what_there_is() {
    let action = yaml("action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    let inputs = action["inputs"].as_object().expect("inputs");
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let text = action["runs"].to_string();
    for name in inputs.keys() {
        assert!(
            text.contains(&format!("${{{{ inputs.{name} }}}}")),
            "{name} is not in use"
        );
    }
    for used in text.split("${{ inputs.").skip(1) {
        let name = used.split(' ').next().expect("a name");
        assert!(inputs.contains_key(name), "there is no input {name}");
    }
    assert_known(inputs["arguments"]["default"].as_str().expect("a default"));
    for step in steps {
        // An expression in a script would be read by the shell.
        let script = step["run"].as_str().expect("a script");
        assert!(!script.contains("${{"), "{script}");
        let path = script
            .trim_matches('"')
            .strip_prefix("$ACTION_PATH/")
            .expect("a script of emitted");
        assert!(root().join(path).is_file(), "{path}");
        assert!(step["shell"].is_string());
    }
    // The inputs that the script passes on.
    let script = fs::read_to_string(root().join("scripts/action")).expect("the script");
    for name in inputs.keys().filter(|name| *name != "working-directory") {
        assert!(
            script.contains(&format!("INPUT_{}", name.to_uppercase())),
            "{name}"
        );
    }
    for format in ["github", "sarif", "markdown"] {
        assert!(script.contains(format), "{format}");
    }
    assert_known("check --format --report");
}

#[test]
fn the_hooks_parse_and_name_what_there_is() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().expect("a list") {
        for key in ["id", "name", "entry", "language"] {
            assert!(hook[key].is_string(), "{key}");
        }
        let entry = hook["entry"].as_str().expect("an entry");
        let (script, words) = entry.split_once(' ').expect("a script and its arguments");
        assert!(root().join(script).is_file(), "{script}");
        assert_known(words);
    }
}

#[test]
fn the_commands_of_the_documentation_exist() {
    for page in [
        "conformance/CONFIGURATION.md",
        "README.md",
        "CONTRIBUTING.md",
    ] {
        let text = fs::read_to_string(root().join(page)).expect(page);
        for line in text.lines().map(str::trim_start) {
            let line = line.trim_start_matches("$ ");
            let words = line
                .strip_prefix("conformance ")
                .or_else(|| line.strip_prefix("arguments: "));
            if let Some(words) = words {
                assert_known(
                    words
                        .split(" #")
                        .next()
                        .unwrap_or_default()
                        .split('>')
                        .next()
                        .unwrap_or_default(),
                );
            }
        }
    }
}

/// Runs the script of the action in a folder, with its inputs.
fn act(folder: &Folder, arguments: &str) -> Output {
    Command::new(root().join("scripts/action"))
        .current_dir(folder.path())
        .env("CONFORMANCE", env!("CARGO_BIN_EXE_conformance"))
        .env("INPUT_ARGUMENTS", arguments)
        .env("INPUT_SARIF", "out.sarif")
        .env("INPUT_SUMMARY", "true")
        .env("GITHUB_STEP_SUMMARY", folder.path().join("summary.md"))
        .output()
        .expect("the script runs")
}

#[test]
fn the_action_annotates_sums_up_and_hands_on_the_exit_code() {
    let folder = Folder::with(&[
        ("documented.yaml", DOCUMENT),
        ("emitted.yaml", DOCUMENT),
        ("conformance.toml", PAIR),
        ("summary.md", "before\n"),
    ]);
    let run = folder.run("check --format github");
    assert_eq!((run.code, run.error.as_str()), (0, ""), "{run:?}");
    let output = act(&folder, "check");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, run.out.as_bytes());
    folder.write("emitted.yaml", &DOCUMENT.replace("'200'", "'201'"));
    let output = act(&folder, "check --pair one");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let out = String::from_utf8(output.stdout).expect("is text");
    assert!(
        out.starts_with("::error file=emitted.yaml,line=3,"),
        "{out}"
    );
    let summary = folder.read("summary.md");
    assert!(
        summary.starts_with("before\n### conformance check: conforms\n"),
        "{summary}"
    );
    assert!(
        summary.contains("### conformance check: deviates\n"),
        "{summary}"
    );
    let log: Value = serde_json::from_str(&folder.read("out.sarif")).expect("is JSON");
    assert_eq!(log["version"], "2.1.0");
    // Inputs are words and no commands.
    let output = act(&folder, "check --pair $(touch${IFS}pwned) `touch pwned` *");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!folder.path().join("pwned").exists());
}

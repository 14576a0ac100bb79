//! Holds the crate to its layers: a file imports only from modules that `lib.rs` lists above its own, and the library part of the crate
//! knows nothing of the command line or the network.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules that other programs may use as a library.
const LIBRARY: [&str; 5] = ["document", "finding", "drift", "schema", "report"];

/// Crates that the library part never names.
const KEPT_OUT: [&str; 4] = ["clap", "reqwest", "tokio", "rustls"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules of `lib.rs`, lowest first.
fn layers() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).expect("lib.rs");
    let modules = text.lines().filter_map(|line| {
        line.trim_start_matches("pub ")
            .strip_prefix("mod ")?
            .strip_suffix(';')
    });
    modules.map(str::to_owned).collect()
}

/// The files below a folder, with the module of the crate that each belongs to.
fn files(folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(source()).expect("below src");
            let first = relative.iter().next().and_then(|name| name.to_str());
            let module = first.expect("a name").trim_end_matches(".rs").to_owned();
            found.push((module, path));
        }
    }
}

fn all() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    assert!(found.len() > 100, "{}", found.len());
    found
}

/// The modules of the crate that a text names, as `crate::module` or in `crate::{module, ...}`.
fn imports(text: &str) -> Vec<&str> {
    fn name(rest: &str) -> &str {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    }
    let mut modules = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            modules.push(name(rest));
            continue;
        };
        let mut depth = 0_usize;
        let mut first = true;
        for (index, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => first = true,
                letter if first && !letter.is_whitespace() => {
                    modules.push(name(&list[index..]));
                    first = false;
                }
                _ => {}
            }
        }
    }
    modules
}

#[test]
fn a_file_imports_only_from_lower_layers() {
    let layers = layers();
    assert!(layers.len() > 15, "{layers:?}");
    let rank = |module: &str| layers.iter().position(|layer| layer == module);
    let mut wrong = Vec::new();
    for (module, path) in all() {
        let Some(own) = rank(&module) else { continue };
        let text = fs::read_to_string(&path).expect("a file");
        for other in imports(&text) {
            if rank(other).is_some_and(|other| other > own) {
                wrong.push(format!("{} imports crate::{other}", path.display()));
            }
        }
    }
    assert_eq!(
        wrong,
        Vec::<String>::new(),
        "layers, lowest first: {layers:?}"
    );
}

#[test]
fn imports_are_found_in_lists_too() {
    let text = "use crate::one::A;\nuse crate::{two, three::{self, B}, four};\nlet x = crate::five();\nuse super::six;";
    assert_eq!(imports(text), ["one", "two", "three", "four", "five"]);
}

#[test]
fn the_library_knows_nothing_of_the_command_line_and_the_network() {
    let layers = layers();
    for module in LIBRARY {
        assert!(layers.iter().any(|layer| layer == module), "{module}");
    }
    let mut wrong = Vec::new();
    for (module, path) in all() {
        if !LIBRARY.contains(&module.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file");
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if KEPT_OUT.contains(&word) {
                wrong.push(format!("{} names {word}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_library_stands_on_nothing_but_itself() {
    let layers = layers();
    let open: Vec<&str> = layers
        .iter()
        .map(String::as_str)
        .filter(|module| matches!(*module, "exchange" | "replay" | "config" | "cli" | "fetch"))
        .collect();
    let mut wrong = Vec::new();
    for (module, path) in all() {
        if LIBRARY.contains(&module.as_str()) {
            let text = fs::read_to_string(&path).expect("a file");
            let named = imports(&text)
                .into_iter()
                .filter(|other| open.contains(other));
            wrong.extend(named.map(|other| format!("{} imports crate::{other}", path.display())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_for() {
    for (_, path) in all() {
        let text = fs::read_to_string(&path).expect("a file");
        let has_doc = text.starts_with("//! ");
        assert!(has_doc, "{} has no module doc", path.display());
    }
}

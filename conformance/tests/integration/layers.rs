//! Holds both crates to their layers: a file imports only from modules that `lib.rs` lists above its own, and what compares documents knows
//! nothing of the command line or the network.

use std::fs;
use std::path::{Path, PathBuf};

/// The module on top of `conformance-core` that keeps to what that crate may use: other programs make reports of its findings.
const REPORT: &str = "report";

/// Crates that a library of comparisons never names.
const KEPT_OUT: [&str; 4] = ["clap", "reqwest", "tokio", "rustls"];

/// The sources of both crates, the lower one first.
fn sources() -> [PathBuf; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.join("core/src"), root.join("src")]
}

/// The modules of both `lib.rs`, lowest first.
fn layers() -> Vec<String> {
    let mut modules = Vec::new();
    for source in sources() {
        let text = fs::read_to_string(source.join("lib.rs")).expect("lib.rs");
        modules.extend(text.lines().filter_map(|line| {
            let line = line.trim_start_matches("pub ").strip_prefix("mod ")?;
            Some(line.strip_suffix(';')?.to_owned())
        }));
    }
    modules
}

/// The files below a folder, with the module of the crate that each belongs to.
fn files(source: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(source, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(source).expect("below src");
            let first = relative.iter().next().and_then(|name| name.to_str());
            let module = first.expect("a name").trim_end_matches(".rs").to_owned();
            found.push((module, path));
        }
    }
}

fn all() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for source in sources() {
        files(&source, &source, &mut found);
    }
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
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("core/Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("a manifest");
    assert!(manifest.contains("\n[dependencies]\n"), "{manifest}");
    for line in manifest.lines() {
        let name = line.split(['.', ' ']).next().unwrap_or_default();
        assert!(
            !KEPT_OUT.contains(&name),
            "conformance-core depends on {name}"
        );
    }
    let mut wrong = Vec::new();
    for (_, path) in all().iter().filter(|(module, _)| module == REPORT) {
        let text = fs::read_to_string(path).expect("a file");
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if KEPT_OUT.contains(&word) {
                wrong.push(format!("{} names {word}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn reports_stand_on_nothing_that_needs_a_server() {
    let open = ["exchange", "replay", "config", "cli", "fetch"];
    let layers = layers();
    for module in open.iter().chain([&REPORT]) {
        assert!(layers.iter().any(|layer| layer == module), "{module}");
    }
    let mut wrong = Vec::new();
    for (_, path) in all().iter().filter(|(module, _)| module == REPORT) {
        let text = fs::read_to_string(path).expect("a file");
        let named = imports(&text)
            .into_iter()
            .filter(|other| open.contains(other));
        wrong.extend(named.map(|other| format!("{} imports crate::{other}", path.display())));
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

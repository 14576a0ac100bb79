//! Holds every file to the order of layers: a file imports only from layers that stand above its own in `lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `lib.rs`, lowest first.
fn layers() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let modules = text.lines().filter_map(|line| {
        line.trim_start_matches("pub ")
            .strip_prefix("mod ")?
            .strip_suffix(';')
    });
    modules
        .filter(|module| *module != "tests")
        .map(str::to_owned)
        .collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of the crate that a text names as `crate::module`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn a_file_imports_only_from_lower_layers() {
    let layers = layers();
    let rank = |module: &str| layers.iter().position(|layer| layer == module);
    let mut all = Vec::new();
    files(&source(), &mut all);
    let mut wrong = Vec::new();
    for path in all {
        let relative = path.strip_prefix(source()).unwrap();
        let first = relative
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        let Some(own) = rank(first) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for module in imports(&text) {
            if rank(module).is_some_and(|other| other > own) {
                wrong.push(format!("{} imports crate::{module}", relative.display()));
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
fn providers_do_not_import_each_other() {
    let mut all = Vec::new();
    files(&source().join("provider"), &mut all);
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        for (own, other) in [
            ("provider/conduit/", "equals_money"),
            ("provider/equals_money/", "conduit"),
        ] {
            let inside = path.to_str().unwrap().contains(own);
            assert!(
                !(inside && text.contains(&format!("provider::{other}"))),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_for() {
    let mut all = Vec::new();
    files(&source(), &mut all);
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} has no module doc",
            path.display()
        );
    }
}

//! Holds every file to the order of layers: a file imports only from layers that stand above its own in `lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::provider::PROVIDERS;

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
    let folders: Vec<String> = fs::read_dir(source().join("provider"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        folders.len(),
        PROVIDERS.len(),
        "a folder for each provider: {folders:?}"
    );
    for own in &folders {
        let mut all = Vec::new();
        files(&source().join("provider").join(own), &mut all);
        for path in all {
            let text = fs::read_to_string(&path).unwrap();
            for other in folders.iter().filter(|other| *other != own) {
                assert!(
                    !text.contains(&format!("provider::{other}")),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

/// Files that may name a provider: its own folder, tests, steps of the schema that were released, and settings.
const MAY_NAME_PROVIDERS: [&str; 7] = [
    "provider/",
    "tests",
    "storage/contract/",
    "storage/sqlite/cost.rs",
    "operator/wire_types.rs",
    "storage/sqlite/migrations.rs",
    "config.rs",
];

#[test]
fn only_the_table_knows_the_names_of_providers() {
    let mut all = Vec::new();
    let mut found = Vec::new();
    files(&source(), &mut all);
    for path in all {
        let relative = path.strip_prefix(source()).unwrap();
        let text = relative.to_str().unwrap();
        if MAY_NAME_PROVIDERS.iter().any(|may| text.contains(may)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines() {
            let line = line.trim_start();
            let prose = line.starts_with("//") || line.starts_with("truehook ");
            for provider in PROVIDERS.iter().map(|provider| provider.name()) {
                let names = [
                    format!("\"{provider}\""),
                    format!("'{provider}'"),
                    provider.as_str().replace('-', "_") + "::",
                ];
                let named = names.iter().any(|name| line.contains(name.as_str()));
                if named && !prose {
                    found.push(format!("{}: {line}", relative.display()));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Files that cannot read the table, and would leave out a provider that they do not name.
const NAME_ALL_PROVIDERS: [&str; 8] = [
    "CONTRIBUTING.md",
    "packaging/nginx.conf",
    "deploy/kubernetes/network.yaml",
    "scripts/live",
    "scripts/deliveries",
    "scripts/schemathesis",
    "clients/run",
    "tests/browser/docs.mjs",
];

#[test]
fn files_that_name_providers_name_them_all() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let contributing = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    for file in NAME_ALL_PROVIDERS {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for provider in PROVIDERS.iter().map(|provider| provider.name()) {
            assert!(text.contains(provider.as_str()), "{file} lacks {provider}");
        }
        let is_told = file == "CONTRIBUTING.md" || contributing.contains(&format!("`{file}`"));
        assert!(
            is_told,
            "CONTRIBUTING.md does not say that {file} names providers"
        );
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

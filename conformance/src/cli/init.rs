//! `conformance init`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::config::DEFAULT_FILE;
use crate::document::{Document, SIZE_LIMIT};
use crate::toml_text::quoted;

pub(super) const HELP: &str = "OpenAPI documents are looked for in the working directory and in the folders openapi, api, apis, spec, specs, docs, doc,
swagger, static and public.

Examples:
  conformance init
  conformance init --force";

/// Folders that documents are usually in, besides the working directory.
const FOLDERS: [&str; 11] = [
    "", "openapi", "api", "apis", "spec", "specs", "docs", "doc", "swagger", "static", "public",
];

/// Settings for live checks, to be edited.
const SERVER: &str = "
# For live checks, such as `conformance run DOCUMENT`. Secrets never stand here: values name environment variables.
#
# [server]
# url = \"http://localhost:8080\"
#
# [[credential]]
# scheme = \"bearerAuth\"  # security scheme of the document
# value = \"${TOKEN}\"
#
# [[operation]]
# select = \"DELETE /orders/*\"
# skip = true
";

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Overwrite the file if it exists.
    #[arg(long)]
    force: bool,
}

/// Writes a first `conformance.toml` to the working directory and returns what to print about it.
pub(super) fn init(args: &InitArgs) -> Result<String> {
    let documents = find();
    write(args.force, &config(&documents))?;
    let mut text = format!("wrote {DEFAULT_FILE}\n");
    for document in &documents {
        let _ = writeln!(text, "  {document}");
    }
    text += if documents.is_empty() {
        "found no OpenAPI document, so the pair in it is an example: edit it, then run `conformance check`\n"
    } else {
        "next: `conformance check --base origin/main` compares each document with what it was there\n"
    };
    Ok(text)
}

fn write(force: bool, text: &str) -> Result<()> {
    let file = if force {
        File::create(DEFAULT_FILE)
    } else {
        File::create_new(DEFAULT_FILE)
    };
    match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{DEFAULT_FILE} exists already; --force overwrites it")
        }
        file => file
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {DEFAULT_FILE}")),
    }
}

/// The OpenAPI documents in the usual folders, by folder and then by name.
fn find() -> Vec<String> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(Path::new(".").join(folder)) else {
            continue;
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        for name in names {
            let path = match folder {
                "" => name,
                folder => format!("{folder}/{name}"),
            };
            if is_document(&path).unwrap_or_default() {
                found.push(path);
            }
        }
    }
    found
}

/// Whether a file is an OpenAPI document. Only what may be one is parsed.
fn is_document(path: &str) -> io::Result<bool> {
    let extension = Path::new(path).extension().unwrap_or_default();
    if !["yaml", "yml", "json"].iter().any(|one| extension == *one) {
        return Ok(false);
    }
    let about = fs::metadata(path)?;
    if !about.is_file() || about.len() > SIZE_LIMIT as u64 {
        return Ok(false);
    }
    let text = fs::read_to_string(path)?;
    let may_be = text.contains("openapi") || text.contains("swagger");
    Ok(may_be && Document::parse(path, &text).is_ok())
}

/// The configuration with a pair for each document.
fn config(documents: &[String]) -> String {
    let mut text = String::from(
        "# Settings of conformance: see `conformance check --help`. `conformance schema config` prints their JSON Schema for editors.

# Lowest severity that fails the run: breaking, undecided, warning or any.
fail-on = \"undecided\"

# `conformance check --base origin/main` compares the document of a pair with what it was at the merge base. For a server that emits a
# document of its own, write `documented` and `emitted` in place of `document`: the two must agree.
",
    );
    if documents.is_empty() {
        text += "#\n# [[pair]]\n# name = \"orders\"\n# document = \"openapi/orders.yaml\"\n";
    }
    for (name, document) in names(documents) {
        let _ = writeln!(
            text,
            "\n[[pair]]\nname = {}\ndocument = {}",
            quoted(&name),
            quoted(document)
        );
    }
    text += SERVER;
    text
}

/// A name for each document: its file up to the first dot, or its path without the extension where several have the same one.
fn names(documents: &[String]) -> Vec<(String, &str)> {
    let stem = |path: &str| {
        let file = path.rsplit('/').next().unwrap_or(path);
        let end = file.find('.').filter(|end| *end > 0);
        file[..end.unwrap_or(file.len())].to_owned()
    };
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for document in documents {
        *uses.entry(stem(document)).or_default() += 1;
    }
    let named = documents.iter().map(|document| {
        let name = stem(document);
        let path = document
            .rsplit_once('.')
            .map_or(document.as_str(), |(path, _)| path);
        let name = if uses[&name] > 1 {
            path.to_owned()
        } else {
            name
        };
        (name, document.as_str())
    });
    named.collect()
}

//! Pairs of real documents: those that are given, and releases of GitHub's description from npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use conformance::document::Document;
use serde_json::Value;

use crate::run::{Run, processor_time};

/// The head of the table.
pub(crate) const HEAD: &str = "\
| pair | text | processor time | `serde_json` | memory | breaking | undecided | warning | info | undecided share |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

/// Two versions of a document.
pub(crate) struct Pair {
    name: String,
    paths: [PathBuf; 2],
}

/// The pairs of `--pair`, each of which has a name and two files.
pub(crate) fn given(arguments: &[String]) -> Vec<Pair> {
    let pairs = arguments.as_chunks::<3>().0.iter();
    pairs
        .map(|[name, old, new]| Pair {
            name: name.clone(),
            paths: [old.into(), new.into()],
        })
        .collect()
}

/// Two pairs of releases of GitHub's description. Releases missing from `folder` are fetched with `npm pack`.
///
/// # Errors
/// When npm or tar are missing or fail.
pub(crate) fn github(folder: &Path) -> anyhow::Result<Vec<Pair>> {
    let pair = |old: &str, new: &str| {
        anyhow::Ok(Pair {
            name: format!("github/rest-api-description, `@octokit/openapi` {old} to {new}"),
            paths: [release(folder, old)?, release(folder, new)?],
        })
    };
    Ok(vec![pair("19.1.0", "20.0.0")?, pair("19.1.0", "23.0.2")?])
}

fn release(folder: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("github-{version}.json"));
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let package = format!("@octokit/openapi@{version}");
    eprintln!("fetching {package}");
    let packed = output(
        Command::new("npm")
            .args(["pack", "--silent", &package])
            .current_dir(folder),
    )
    .context("install npm, or leave GitHub out with --no-github")?;
    let archive = String::from_utf8(packed)?;
    let document = output(
        Command::new("tar")
            .args(["-xzOf", archive.trim()])
            .arg("package/generated/api.github.com.json")
            .current_dir(folder),
    )?;
    // Written whole or not at all, as a later run takes the file for the release.
    let partial = path.with_extension("partial");
    fs::write(&partial, document).with_context(|| partial.display().to_string())?;
    fs::rename(&partial, &path).with_context(|| path.display().to_string())?;
    fs::remove_file(folder.join(archive.trim())).context("the fetched package")?;
    Ok(path)
}

fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed: {}", said.trim());
    }
    Ok(output.stdout)
}

/// Measures one pair and gives its row of the table.
///
/// # Errors
/// When a document cannot be read, or the findings differ from run to run.
pub(crate) fn row(pair: &Pair, rounds: usize) -> anyhow::Result<String> {
    let texts = [json(&pair.paths[0])?, json(&pair.paths[1])?];
    let limit = limit(&texts, rounds)?;
    let bytes: usize = texts.iter().map(Vec::len).sum();
    drop(texts);
    let best = Run::best(&pair.paths, rounds).with_context(|| pair.name.clone())?;
    let [_, undecided, ..] = best.findings;
    let all: usize = best.findings.iter().sum();
    let counts = best.findings.map(|count| count.to_string()).join(" | ");
    Ok(format!(
        "| {} | {:.1} MB | {} ms | {:.1} ms | {} MB | {counts} | {:.1} % |",
        pair.name,
        bytes as f64 / 1e6,
        best.process.as_millis(),
        limit.as_secs_f64() * 1e3,
        best.memory / 1024,
        undecided as f64 / all.max(1) as f64 * 100.0
    ))
}

/// The text of a document as JSON. YAML is converted, because `serde_json` cannot read it.
fn json(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = || path.display().to_string();
    let text = fs::read(path).with_context(name)?;
    if text.trim_ascii_start().starts_with(b"{") {
        return Ok(text);
    }
    let document = Document::load(path.to_str().context("a path in UTF-8")?)?;
    serde_json::to_vec_pretty(document.value()).with_context(name)
}

/// The least processor time that parsing both texts takes: no tool that reads them can be faster.
fn limit(texts: &[Vec<u8>; 2], rounds: usize) -> anyhow::Result<Duration> {
    let times = (0..rounds.max(1)).map(|_| {
        let begun = processor_time()?;
        let values = texts
            .iter()
            .map(|text| serde_json::from_slice::<Value>(text))
            .collect::<Result<Vec<_>, _>>()?;
        let time = processor_time()? - begun;
        ensure!(
            values.iter().all(Value::is_object),
            "a document is an object"
        );
        Ok(time)
    });
    let times = times.collect::<anyhow::Result<Vec<_>>>()?;
    times.into_iter().min().context("a round")
}

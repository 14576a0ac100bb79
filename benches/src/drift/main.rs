//! Measures `conformance drift` on large documents: `benches/drift` builds this program and starts it.
//!
//! Documents are made by [`generate`], always the same for a size. Each pair is compared in a process of its own, so that the memory
//! is that of one comparison, and several times, so that a result that differs from run to run is seen.

mod generate;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use conformance::document::Document;
use conformance::drift::{Options, compare};

/// Measures how long two large documents take to compare, and how much memory: identical, with one edit, with a hundred.
#[derive(Debug, Parser)]
struct Arguments {
    /// Sizes of the documents, in megabytes.
    #[arg(long, value_delimiter = ',', default_value = "4,13")]
    sizes: Vec<usize>,
    /// How often each pair is compared; the best time counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A smoke run: one document of 1 MB, compared once.
    #[arg(long)]
    quick: bool,
    /// Compares two files once and prints one line; how this program calls itself.
    #[arg(long, num_args = 2, hide = true)]
    measure: Vec<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let [theirs, ours] = arguments.measure.as_slice() {
        return measure(theirs, ours);
    }
    let (sizes, rounds) = if arguments.quick {
        (vec![1], 1)
    } else {
        (arguments.sizes, arguments.rounds)
    };
    let folder = tempfile::tempdir().context("a folder for documents")?;
    say(
        "| document | edits | load | compare | in all | memory | findings |\n|---|---|---|---|---|---|---|",
    );
    for size in sizes {
        for edits in [0, 1, 100] {
            let (theirs, ours) = generate::pair(size * 1_000_000, edits);
            let paths = [
                folder.path().join("theirs.json"),
                folder.path().join("ours.json"),
            ];
            fs::write(&paths[0], theirs.to_string()).context("theirs")?;
            fs::write(&paths[1], ours.to_string()).context("ours")?;
            let bytes = fs::metadata(&paths[0]).context("theirs")?.len();
            let best = (0..rounds.max(1))
                .map(|_| run(&paths))
                .collect::<anyhow::Result<Vec<Run>>>()?;
            let same = best.iter().all(|run| run.result == best[0].result);
            ensure!(same, "the findings differ from run to run");
            let best = best
                .into_iter()
                .min_by_key(|run| run.load + run.compare)
                .context("a run")?;
            say(&format!(
                "| {:.1} MB | {edits} | {:.2?} | {:.2?} | {:.2?} | {} MB | {} |",
                bytes as f64 / 1e6,
                best.load,
                best.compare,
                best.load + best.compare,
                best.memory / 1024,
                best.findings
            ));
        }
    }
    Ok(())
}

/// What one comparison took.
struct Run {
    load: Duration,
    compare: Duration,
    /// The most memory that was in use, in kilobytes.
    memory: u64,
    findings: usize,
    /// A hash of all findings.
    result: String,
}

fn run(paths: &[PathBuf; 2]) -> anyhow::Result<Run> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--measure")
        .args(paths)
        .output()
        .context("the measured process")?;
    if !output.status.success() {
        bail!(
            "the comparison failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8(output.stdout)?;
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [load, compare, memory, findings, result] = parts.as_slice() else {
        bail!("the measured process said `{text}`");
    };
    Ok(Run {
        load: Duration::from_micros(load.parse()?),
        compare: Duration::from_micros(compare.parse()?),
        memory: memory.parse()?,
        findings: findings.parse()?,
        result: (*result).to_owned(),
    })
}

fn measure(theirs: &Path, ours: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    let load = |path: &Path| {
        Document::load(path.to_str().context("a path in UTF-8")?).map_err(anyhow::Error::from)
    };
    let (theirs, ours) = (load(theirs)?, load(ours)?);
    let loaded = start.elapsed();
    let start = Instant::now();
    let findings = compare(&theirs, &ours, &Options::default());
    let compared = start.elapsed();
    let mut hasher = DefaultHasher::new();
    format!("{findings:?}").hash(&mut hasher);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = peak
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("0");
    say(&format!(
        "{} {} {memory} {} {:x}",
        loaded.as_micros(),
        compared.as_micros(),
        findings.len(),
        hasher.finish()
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

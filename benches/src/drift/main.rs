//! Measures `conformance drift` on large documents: `benches/drift` builds this program and starts it.
//!
//! Documents are made by [`generate`], always the same for a size. Each pair is compared in a process of its own, so that the memory
//! is that of one comparison, and several times, so that a result that differs from run to run is seen.

mod generate;
#[path = "../machine.rs"]
mod machine;
#[path = "../section.rs"]
mod section;

use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::{Parser, ValueEnum};
use conformance::document::Document;
use conformance::drift::{Options, compare};

use generate::Kind;

/// Measures how long two large documents take to compare, and how much memory: identical, with one edit, with a hundred.
#[derive(Debug, Parser)]
struct Arguments {
    /// Sizes of the documents, in megabytes.
    #[arg(long, value_delimiter = ',', default_value = "4,13")]
    sizes: Vec<usize>,
    /// What the documents consist of [default: all].
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// How often each pair is compared; the best time counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A smoke run: one document of 1 MB, compared once.
    #[arg(long)]
    quick: bool,
    /// Replaces the part on drift of benches/README.md.
    #[arg(long)]
    write: bool,
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
    let kinds = match arguments.kinds.as_slice() {
        [] => Kind::value_variants(),
        kinds => kinds,
    };
    let folder = tempfile::tempdir().context("a folder for documents")?;
    eprintln!("others use {:.0} % of this machine", machine::Load::now());
    let load = machine::Load::begin();
    let mut table = String::from(
        "| document | edits | load | compare | in all | wall clock | memory | findings |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    say(table.trim_end());
    for kind in kinds {
        for size in &sizes {
            for edits in [0, 1, 100] {
                let line = row(*kind, *size, edits, rounds, folder.path())?;
                say(&line);
                writeln!(table, "{line}")?;
            }
        }
    }
    let machine = machine::describe(folder.path(), "of which a comparison uses one");
    let part = format!(
        "## Drift

Written by `benches/drift --write`, which makes pairs of documents and compares each in a process of its own. Others used {:.0} % of
the machine meanwhile.

{machine}
{table}
- *Mixed* documents are like those in practice; *recursion* has schemas that lead to each other in many ways; *all-of* has towers of
  {} levels, each of which contains the two below it.
- *Load* is for both documents, with their references checked. Times are those of the best of {rounds} runs, in processor time and by
  the clock on the wall, in which others take their turns; the memory is `VmHWM` of that run. The findings were the same in every run.
- The aim: 0.5 s and 300 MB for a pair of 4 MB, 1 s for a pair of 13 MB.
",
        load.others(),
        generate::HEIGHT,
    );
    if arguments.write {
        let old = fs::read_to_string(section::PATH).context("benches/README.md")?;
        let page = section::joined(&old, &format!("{}{part}", section::BEGIN));
        fs::write(section::PATH, page).context("benches/README.md")?;
    }
    Ok(())
}

/// Measures one pair of documents and gives its row of the table.
fn row(
    kind: Kind,
    size: usize,
    edits: usize,
    rounds: usize,
    folder: &Path,
) -> anyhow::Result<String> {
    let (theirs, ours) = generate::pair(kind, size * 1_000_000, edits);
    let paths = [folder.join("theirs.json"), folder.join("ours.json")];
    fs::write(&paths[0], theirs.to_string()).context("theirs")?;
    fs::write(&paths[1], ours.to_string()).context("ours")?;
    let bytes = fs::metadata(&paths[0]).context("theirs")?.len();
    let runs = (0..rounds.max(1))
        .map(|_| run(&paths))
        .collect::<anyhow::Result<Vec<Run>>>()?;
    let same = runs.iter().all(|run| run.result == runs[0].result);
    ensure!(same, "the findings differ from run to run");
    let best = runs
        .into_iter()
        .min_by_key(|run| run.load + run.compare)
        .context("a run")?;
    let name = kind.to_possible_value().context("a name")?;
    Ok(format!(
        "| {}, {:.1} MB | {edits} | {} ms | {} ms | {} ms | {} ms | {} MB | {} |",
        name.get_name(),
        bytes as f64 / 1e6,
        best.load.as_millis(),
        best.compare.as_millis(),
        (best.load + best.compare).as_millis(),
        best.wall.as_millis(),
        best.memory / 1024,
        best.findings
    ))
}

/// What one comparison took.
struct Run {
    load: Duration,
    compare: Duration,
    /// Both together by the clock on the wall; the others are processor time.
    wall: Duration,
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
    let [load, compare, wall, memory, findings, result] = parts.as_slice() else {
        bail!("the measured process said `{text}`");
    };
    Ok(Run {
        load: Duration::from_micros(load.parse()?),
        compare: Duration::from_micros(compare.parse()?),
        wall: Duration::from_micros(wall.parse()?),
        memory: memory.parse()?,
        findings: findings.parse()?,
        result: (*result).to_owned(),
    })
}

fn measure(theirs: &Path, ours: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    let load = |path: &Path| {
        let document = Document::load(path.to_str().context("a path in UTF-8")?)?;
        document.check_references()?;
        anyhow::Ok(document)
    };
    let (theirs, ours) = (load(theirs)?, load(ours)?);
    let loaded = processor_time()?;
    let findings = compare(&theirs, &ours, &Options::default());
    let compared = processor_time()? - loaded;
    let wall = start.elapsed();
    let mut hasher = DefaultHasher::new();
    format!("{findings:?}").hash(&mut hasher);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = peak
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("0");
    say(&format!(
        "{} {} {} {memory} {} {:x}",
        loaded.as_micros(),
        compared.as_micros(),
        wall.as_micros(),
        findings.len(),
        hasher.finish()
    ));
    Ok(())
}

/// What this process, which has one thread, used of a processor: on a busy machine it waits for one as well.
fn processor_time() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/self/schedstat").context("/proc/self/schedstat")?;
    let used = text.split_whitespace().next().context("a number")?;
    Ok(Duration::from_nanos(used.parse()?))
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

//! Measures `conformance drift` on large documents: `benches/drift` builds this program and starts it.
//!
//! Documents are made by [`generate`], always the same for a size, or are real ones, see [`real`]. Each pair is compared in a process of
//! its own, so that the memory is that of one comparison, and several times, so that a result that differs from run to run is seen.

mod generate;
#[path = "../machine.rs"]
mod machine;
mod real;
mod run;
#[path = "../section.rs"]
mod section;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, ValueEnum};

use generate::Kind;
use run::Run;

/// That of `conformance`, which is measured here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What `benches/drift` was given. The script prints the help, without building anything: a new option has its line there.
#[derive(Debug, Parser)]
#[command(disable_help_flag = true)]
struct Arguments {
    /// Sizes of the made documents, in megabytes.
    #[arg(long, value_delimiter = ',', default_value = "4,13")]
    sizes: Vec<usize>,
    /// What the made documents consist of.
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Real documents: a name and two files, each time.
    #[arg(long = "pair", num_args = 3)]
    pairs: Vec<String>,
    /// Whether GitHub's description is left out.
    #[arg(long)]
    no_github: bool,
    /// Whether documents are made at all.
    #[arg(long, conflicts_with_all = ["write", "quick"])]
    only_real: bool,
    /// How often each pair is compared; the best time counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A smoke run: one made document of each kind, of 1 MB, and no fetched ones, compared once.
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// Whether the part on drift of benches/README.md is replaced.
    #[arg(long)]
    write: bool,
    /// Two files to compare once, to print one line; how this program calls itself.
    #[arg(long, num_args = 2)]
    measure: Vec<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let [old, new] = arguments.measure.as_slice() {
        say(&run::measure(old, new)?);
        return Ok(());
    }
    let (sizes, rounds) = if arguments.quick {
        (vec![1], 1)
    } else {
        (arguments.sizes, arguments.rounds)
    };
    let kinds = match arguments.kinds.as_slice() {
        _ if arguments.only_real => &[],
        [] => Kind::value_variants(),
        kinds => kinds,
    };
    let mut pairs = real::given(&arguments.pairs);
    if !arguments.no_github && !arguments.quick {
        pairs.extend(real::github(&fetched()?)?);
    }
    let folder = tempfile::tempdir().context("a folder for documents")?;
    eprintln!("others use {:.0} % of this machine", machine::Load::now());
    let load = machine::Load::begin();
    let mut published = Lines::begin(real::HEAD);
    for pair in &pairs {
        published.add(real::row(pair, rounds)?)?;
    }
    let mut made = Lines::begin(HEAD);
    for kind in kinds {
        for size in &sizes {
            for edits in [0, 1, 100] {
                made.add(row(*kind, *size, edits, rounds, folder.path())?)?;
            }
        }
    }
    let machine = machine::describe(folder.path(), "of which a comparison uses one");
    let part = format!(
        "## Drift

Written by `benches/drift --write`, which compares each pair of documents in a process of its own, and does there what `conformance
drift OLD NEW --format json` does. Others used {:.0} % of the machine meanwhile.

{machine}
### Real documents

{}
- Two versions that were published, named by owner and repository. *Text* is the size of both.
- *Processor time* is that of the whole process, from its start to the last byte of the report; the best of {rounds} runs, whose reports
  were the same. *Memory* is `VmHWM` of that run.
- *`serde_json`* is the limit: the processor time that `serde_json::from_slice::<Value>` takes for both texts, the best of {rounds} in the
  same run of the benchmark. A document in YAML is written as JSON for it, and *text* is the size of that.
- The aims: 1.5 s and 300 MB for GitHub from 19.1.0 to 20.0.0; 0.2 s for Adyen's webhooks, 0.3 s for its management API, 0.2 s for Box,
  0.5 s for OpenAI; at most 2 % of the findings undecided.

### Made documents

{}
- *Mixed* documents are like those in practice; *recursion* has schemas that lead to each other in many ways; *all-of* has towers of
  {} levels, each of which contains the two below it.
- *Load* is for both documents, with their references checked; *in all* is for the whole process, with its report. Times are those of the
  best of {rounds} runs, in processor time and by the clock on the wall, in which others take their turns; the memory is `VmHWM` of that
  run. The findings were the same in every run.
- The aim: 0.5 s and 300 MB for a pair of 4 MB, 1 s for a pair of 13 MB.
",
        load.others(),
        published.text,
        made.text,
        generate::HEIGHT,
    );
    if arguments.write {
        section::replace("drift", &part).context("benches/README.md")?;
    }
    Ok(())
}

/// The head of the table of made documents.
const HEAD: &str = "\
| document | edits | load | compare | in all | wall clock | memory | findings |
|---|--:|--:|--:|--:|--:|--:|--:|";

/// A table that is printed while it grows.
struct Lines {
    text: String,
    /// Printed before the first row: a table without rows is not printed.
    head: Option<&'static str>,
}

impl Lines {
    fn begin(head: &'static str) -> Self {
        Self {
            text: format!("{head}\n"),
            head: Some(head),
        }
    }

    fn add(&mut self, line: String) -> anyhow::Result<()> {
        if let Some(head) = self.head.take() {
            say(head);
        }
        say(&line);
        writeln!(self.text, "{line}")?;
        Ok(())
    }
}

/// Where fetched documents are kept: beside the folder of this program, which is in cargo's target folder.
fn fetched() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("the target folder")?;
    Ok(target.join("real-documents"))
}

/// Measures one pair of made documents and gives its row of the table.
fn row(
    kind: Kind,
    size: usize,
    edits: usize,
    rounds: usize,
    folder: &Path,
) -> anyhow::Result<String> {
    let (old, new) = generate::pair(kind, size * 1_000_000, edits);
    let paths = [folder.join("old.json"), folder.join("new.json")];
    fs::write(&paths[0], old.to_string()).context("the old document")?;
    fs::write(&paths[1], new.to_string()).context("the new document")?;
    let bytes = fs::metadata(&paths[0]).context("the old document")?.len();
    let best = Run::best(&paths, rounds)?;
    let name = kind.to_possible_value().context("a name")?;
    Ok(format!(
        "| {}, {:.1} MB | {edits} | {} ms | {} ms | {} ms | {} ms | {} MB | {} |",
        name.get_name(),
        bytes as f64 / 1e6,
        best.load.as_millis(),
        best.compare.as_millis(),
        best.process.as_millis(),
        best.wall.as_millis(),
        best.memory / 1024,
        best.findings.iter().sum::<usize>()
    ))
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

//! Measures `conformance run` against a stub: `benches/live` builds this program and starts it.
//!
//! Documents are made by [`generate`], always the same for a size, or are given. Each run is a process of its own, so that its memory and
//! processor time are those of one run, and is repeated, so that findings that differ from run to run are seen.

mod beside;
mod generate;
mod limit;
#[path = "../machine.rs"]
mod machine;
#[path = "../message.rs"]
#[expect(
    dead_code,
    reason = "what the load of deliveries sends is not sent here"
)]
mod message;
mod run;
#[path = "../section.rs"]
mod section;
mod stub;
mod value;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use conformance::document::Document;

use beside::{Figures, Pair};
use run::Run;
use stub::Stub;

/// How long the bare client loop runs.
const LIMIT_TIME: Duration = Duration::from_secs(2);

/// For how many seconds a peer runs: it starts in a few, and then goes on as fast as it gets.
const PEER_TIME: &str = "60";

/// What `benches/live` was given. The script prints the help, without building anything: a new option has its line there.
#[derive(Debug, Parser)]
#[command(disable_help_flag = true)]
struct Arguments {
    /// Real documents: a name and a file, each time.
    #[arg(long = "document", num_args = 2)]
    documents: Vec<String>,
    /// Whether no document is made.
    #[arg(long, conflicts_with = "write")]
    only_real: bool,
    /// How often each document is run; the best counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A smoke run: each document once.
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// The program to measure.
    #[arg(long)]
    program: Option<PathBuf>,
    /// A peer that is run on the same documents: its name, which has to be `schemathesis`, and its program.
    #[arg(long, value_parser = peer, value_name = "NAME=PATH")]
    beside: Option<PathBuf>,
    /// Whether the part on live servers of benches/README.md is replaced.
    #[arg(long)]
    write: bool,
    /// A program and its arguments to run once, to print one line; how this program calls itself.
    #[arg(long, num_args = 1.., allow_hyphen_values = true)]
    measure: Vec<String>,
}

const HEAD: &str = "\
| document | requests | requests a second | bare client loop | processor time a request | in all | first finding | memory | findings |
|---|--:|--:|--:|--:|--:|--:|--:|--:|";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let [program, rest @ ..] = arguments.measure.as_slice() {
        say(&run::measure(program, rest)?);
        return Ok(());
    }
    let rounds = if arguments.quick {
        1
    } else {
        arguments.rounds.max(1)
    };
    let program = match arguments.program {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("conformance"),
    };
    let folder = tempfile::tempdir().context("a folder for documents")?;
    let mut documents = Vec::new();
    if !arguments.only_real {
        for resources in [1, 10] {
            let path = folder.path().join(format!("{resources}.json"));
            fs::write(&path, generate::document(resources).to_string())?;
            documents.push((format!("made, {} operations", 5 * resources), path));
        }
    }
    for pair in arguments.documents.chunks_exact(2) {
        documents.push((pair[0].clone(), PathBuf::from(&pair[1])));
    }
    eprintln!("others use {:.0} % of this machine", machine::Load::now());
    let load = machine::Load::begin();
    say(HEAD);
    let mut table = format!("{HEAD}\n");
    let mut pairs = Vec::new();
    for (name, path) in &documents {
        let (row, own) = row(&program, name, path, rounds)?;
        say(&row);
        writeln!(table, "{row}")?;
        if let Some(program) = &arguments.beside {
            let (row, peer) = peer_row(program, name, path)?;
            say(&row);
            writeln!(table, "{row}")?;
            pairs.push(Pair {
                document: name.clone(),
                own,
                peer,
            });
        }
    }
    if arguments.write {
        let page = fs::read_to_string(section::PATH).context("benches/README.md")?;
        let peer = match &arguments.beside {
            Some(program) => version(program)?,
            None => String::new(),
        };
        let beside = beside::item(&peer, &pairs, &page);
        let part = part(&table, &beside, rounds, load.others(), folder.path());
        section::replace("live", &part).context("benches/README.md")?;
    }
    Ok(())
}

/// Measures one document and gives its row of the table.
fn row(
    program: &Path,
    name: &str,
    path: &Path,
    rounds: usize,
) -> anyhow::Result<(String, Figures)> {
    let text = path.to_str().context("a path in UTF-8")?;
    let document = Document::load(text)?;
    let operations = document.operations();
    let literal = |path: &&str| !path.contains('{');
    let paths = || operations.iter().map(|operation| operation.path);
    let asked = paths().find(literal).or_else(|| paths().next());
    let asked = asked.context("the document has no operation")?;
    let stub = Stub::start(&document)?;
    let server = format!("http://{}/", stub.address);
    let arguments = [
        "run",
        text,
        "--server",
        &server,
        "--header",
        "X-Key: bench",
        "--format",
        "ndjson",
    ];
    let mut runs: Vec<(Run, u64)> = Vec::new();
    let mut limit = 0.0_f64;
    for _ in 0..rounds {
        limit = limit.max(limit::rate(
            stub.address,
            &asked.replace(['{', '}'], ""),
            LIMIT_TIME,
        )?);
        stub.begin();
        let run = run::measured(program, &arguments, Path::new("."))?;
        runs.push((run, stub.served()));
    }
    let same = runs
        .iter()
        .all(|(run, requests)| run.result == runs[0].0.result && *requests == runs[0].1);
    ensure!(same, "the findings of {name} differ from run to run");
    let best = runs.iter().min_by_key(|(run, _)| run.wall);
    let (best, requests) = best.context("a run")?;
    let figures = figures(best, *requests)?;
    let first = best.first_finding.map_or_else(
        || "none".to_owned(),
        |first| format!("{} ms", first.as_millis()),
    );
    let row = format!(
        "| {name}, {} operations | {requests} | {:.0} /s | {limit:.0} /s | {:.0} \u{b5}s | {:.2} s | {first} | {} MB | {} |",
        operations.len(),
        figures.rate,
        figures.processor,
        best.wall.as_secs_f64(),
        figures.memory,
        best.findings,
    );
    Ok((row, figures))
}

fn figures(run: &Run, requests: u64) -> anyhow::Result<Figures> {
    let count = f64::from(u32::try_from(requests)?);
    Ok(Figures {
        rate: count / run.wall.as_secs_f64(),
        processor: run.processor.as_secs_f64() * 1e6 / count,
        memory: run.memory / 1024,
    })
}

/// The program of `schemathesis=PATH`.
fn peer(text: &str) -> Result<PathBuf, String> {
    match text.split_once('=') {
        // It is started in another folder than this program.
        Some(("schemathesis", path)) => match path.contains('/') {
            true => fs::canonicalize(path).map_err(|error| format!("{path}: {error}")),
            false => Ok(PathBuf::from(path)),
        },
        _ => Err("the only peer that is known is schemathesis: schemathesis=PATH".to_owned()),
    }
}

/// Runs Schemathesis against a stub of its own, for [`PEER_TIME`] seconds, and gives its row of the table. It is told to keep its phases
/// to those that send requests of any kind one after the other, to go on after failures, to use all processors, and to make no failure
/// smaller. It leaves caches in the folder where it is started, so that is one of its own.
fn peer_row(program: &Path, name: &str, path: &Path) -> anyhow::Result<(String, Figures)> {
    let path = fs::canonicalize(path)?;
    let text = path.to_str().context("a path in UTF-8")?;
    let folder = tempfile::tempdir().context("a folder for the peer")?;
    let stub = Stub::start(&Document::load(text)?)?;
    let server = format!("http://{}", stub.address);
    let arguments = [
        "run",
        text,
        "--url",
        &server,
        "--workers",
        "auto",
        "--phases",
        "examples,coverage,fuzzing",
        "--max-time",
        PEER_TIME,
        "--continue-on-failure",
        "--no-shrink",
        "--suppress-health-check",
        "all",
        "--header",
        "X-Key: bench",
    ];
    let run = run::measured(program, &arguments, folder.path())?;
    let count = stub.served();
    ensure!(count > 0, "Schemathesis sent nothing");
    let figures = figures(&run, count)?;
    let row = format!(
        "| {name}, by Schemathesis | {count} | {:.0} /s | | {:.0} \u{b5}s | {:.2} s | | {} MB | |",
        figures.rate,
        figures.processor,
        run.wall.as_secs_f64(),
        figures.memory,
    );
    Ok((row, figures))
}

/// The name and version of the peer, as it tells them.
fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| program.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let number = said.split_whitespace().last().unwrap_or_default();
    Ok(format!("Schemathesis {number}").trim_end().to_owned())
}

fn part(table: &str, beside: &str, rounds: usize, others: f64, folder: &Path) -> String {
    let machine = machine::describe(folder, "one of which the run uses, the other one the stub");
    format!(
        "## Live servers

Written by `benches/live --write`, which runs `conformance run DOCUMENT --server URL --format ndjson` with its defaults, in a process of its
own, against a stub on the same machine. Others used {others:.0} % of the machine meanwhile.

{machine}
{table}
- The stub answers each operation with one documented response, whatever the request is: most invalid requests are findings, which cost
  more than the answers of a correct server do.
- *Requests a second* counts from the start of the process to its end: the document is read, requests are made, sent and judged, and the
  report is written meanwhile. *Bare client loop* is the limit: one thread that sends the same GET again and again, on 8 connections, with
  the same HTTP library, to the same stub, in the same run of the benchmark; it makes no request and judges no answer.
- *Processor time* is that of the process, *memory* the most that was resident, *first finding* the time from the start of the process to
  the first finding in the stream. The best of {rounds} runs by time; requests and findings were the same in each.
- The aims: above 3,000 requests a second on one core, under 60 MB; the first finding in under 1 s; 50 operations in under 15 s, 5 in under
  1 s; Box at no less than 9,570 requests a second, ten times what a peer made elsewhere.
{beside}"
    )
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

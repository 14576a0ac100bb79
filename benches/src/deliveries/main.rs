//! Measures how many deliveries `conformance deliveries` receives and judges: `benches/deliveries` builds this program and starts it.
//!
//! The deliveries are those of the Conduit API, of all its event types in turn: its documented samples, signed, each with an id of its own.
//! They are made before the time is taken, and sent over connections that are kept alive.

mod bare;
mod load;
#[path = "../machine.rs"]
mod machine;
#[path = "../message.rs"]
#[expect(
    dead_code,
    reason = "what a server reads of a request is not read here"
)]
mod message;
mod run;
mod sample;
#[path = "../section.rs"]
mod section;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Parser;

use run::Run;

/// What `benches/deliveries` was given. The script prints the help, without building anything: a new option has its line there.
#[derive(Debug, Parser)]
#[command(disable_help_flag = true)]
struct Arguments {
    /// How many deliveries are sent.
    #[arg(long, default_value_t = 50_000)]
    count: usize,
    /// How often each receiver is run; the best counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A smoke run.
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// The program to measure.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Whether the part on deliveries of benches/README.md is replaced.
    #[arg(long)]
    write: bool,
    /// To be the bare receiver of this many requests; how this program calls itself.
    #[arg(long)]
    bare: Option<usize>,
}

const HEAD: &str = "\
| receiver | answered a second | processor time each | on one core | in all | memory |
|---|--:|--:|--:|--:|--:|";

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if let Some(count) = arguments.bare {
        return bare::serve(count);
    }
    if arguments.quick {
        (arguments.count, arguments.rounds) = (2_000, 1);
    }
    let own = std::env::current_exe()?;
    let program = match arguments.program {
        Some(program) => program,
        None => own.with_file_name("conformance"),
    };
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/conduit.yaml");
    let deliveries = sample::deliveries(document, arguments.count)?;
    let bytes: usize = deliveries.iter().map(|one| one.len()).sum();
    let count = arguments.count.to_string();
    // The server that is under test answers nothing but that it is there.
    let server = load::silent_server()?;
    let judge = [
        "deliveries",
        document,
        "--server",
        &server,
        "--register",
        "none",
        "--trigger",
        "none",
        "--secret",
        sample::SECRET,
        "--wait",
        "200",
        "--deliveries",
        &count,
    ];
    eprintln!("others use {:.0} % of this machine", machine::Load::now());
    let begun = machine::Load::begin();
    let (mut limits, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds.max(1) {
        limits.push(run::measured(&own, &["--bare", &count], &deliveries)?);
        let run = run::measured(&program, &judge, &deliveries)?;
        let told = format!("{count} deliveries");
        ensure!(
            run.output.contains(&told) && run.output.starts_with("conforms"),
            "not all deliveries were judged, or something was found: {}",
            run.output
        );
        runs.push(run);
    }
    let best = |runs: &[Run]| runs.iter().min_by_key(|run| run.processor).cloned();
    let (limit, judged) = best(&limits).zip(best(&runs)).context("a run")?;
    let table = format!(
        "{HEAD}\n{}\n{}\n",
        row("bare receiver", &limit, arguments.count)?,
        row("`conformance deliveries`", &judged, arguments.count)?
    );
    say(&table);
    if arguments.write {
        let size = bytes / arguments.count;
        let part = part(
            &table,
            arguments.count,
            size,
            arguments.rounds,
            begun.others(),
        );
        section::replace("deliveries", &part).context("benches/README.md")?;
    }
    Ok(())
}

fn row(name: &str, run: &Run, count: usize) -> anyhow::Result<String> {
    let count = f64::from(u32::try_from(count)?);
    let processor = run.processor.as_secs_f64();
    let memory = match run.memory {
        // It had ended.
        0 => String::new(),
        kilobytes => format!("{} MB", kilobytes / 1024),
    };
    Ok(format!(
        "| {name} | {:.0} /s | {:.1} \u{b5}s | {:.0} /s | {:.2} s | {memory} |",
        count / run.sending.as_secs_f64(),
        processor * 1e6 / count,
        count / processor,
        run.wall.as_secs_f64(),
    ))
}

fn part(table: &str, count: usize, size: usize, rounds: usize, others: f64) -> String {
    let folder = std::env::temp_dir();
    let machine = machine::describe(
        &folder,
        "one of which the receiver uses, the other one the sender",
    );
    format!(
        "## Deliveries

Written by `benches/deliveries --write`, which sends {count} deliveries of the Conduit API to `conformance deliveries`, and to a bare receiver
that only reads and answers them. Others used {others:.0} % of the machine meanwhile.

{machine}
{table}
- The deliveries are the documented samples of all event types in turn, {size} bytes each with their heads, signed, each with an id of its
  own; they are sent over {} connections that are kept alive.
- *Answered a second* counts from the first request to the last answer. *Processor time* is that of the whole process: to start, to read the
  document, to receive, and for `conformance deliveries` to judge each delivery by itself and against the others, and to report. *On one
  core* is the number of deliveries by that time: the program uses one core. *In all* is the time from the first request to its end, *memory*
  the most that was resident: every delivery is kept.
- A judged delivery is compared with its webhook (method, headers, content type, body, sample), its signature and the age of it are verified,
  its id is compared with all others, and it is searched for secrets. Nothing was found.
- The best of {rounds} runs of each by processor time. The aim: 5,000 deliveries a second judged on one core.
",
        load::CONNECTIONS
    )
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

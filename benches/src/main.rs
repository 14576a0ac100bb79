//! Measures what the delivery engine does, beside what the machine allows: `benches/delivery` builds both programs and starts this one.
//!
//! Load, receiver and server share the machine. Every run of a measure starts the real server, as a child process on a new database,
//! and the limits are measured in the same round as what stands beside them. Nothing here is part of `cargo test`.

mod connection;
mod database;
mod figure;
mod load;
mod machine;
mod measure;
mod message;
mod moment;
mod peer;
mod processes;
mod readme;
mod receiver;
mod section;
mod server;
#[cfg(test)]
mod stand_in;
mod svix;
mod table;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};

use crate::connection::Connection;
use crate::measure::{Bench, Measure};
use crate::peer::PeerProgram;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::table::Table;

/// Above this share of the machine, used by others, in percent, figures are not those of the machine.
const BUSY: f64 = 15.0;

/// Measures the delivery engine and prints a table; a full run on a quiet machine also writes benches/README.md.
///
/// A full run takes about half an hour. Progress goes to standard error.
#[derive(Debug, Parser)]
struct Arguments {
    /// A smoke run of about a minute: one round, short loads, short queues. Writes no README.md
    #[arg(long)]
    quick: bool,

    /// Where events are kept: on a PostgreSQL server, nodes is measured, and its own part of README.md written
    #[arg(long, value_name = "DATABASE", value_enum, default_value_t = DatabaseKind::Sqlite)]
    database: DatabaseKind,

    /// Only this measure; may be repeated. Writes no README.md
    #[arg(long, value_name = "NAME", value_enum)]
    only: Vec<Measure>,

    /// How many rounds [default: 3, quick: 1]
    #[arg(long, value_name = "NUMBER")]
    runs: Option<usize>,

    /// The longest queue that is measured
    #[arg(long, value_name = "DELIVERIES", default_value_t = 1_000_000)]
    largest_queue: u64,

    /// The most deliveries that stored measures with
    #[arg(long, value_name = "DELIVERIES", default_value_t = 10_000_000)]
    most_stored: u64,

    /// The deliveries that idle makes beside an open transaction: an hour of 800 a second
    #[arg(long, value_name = "DELIVERIES", default_value_t = 2_880_000)]
    idle_deliveries: u64,

    /// The server's program [default: truehook, built with the profile shipped]
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,

    /// Where databases are made [default: the folder of this program]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// For how many minutes to wait for other processes to leave the machine alone, before it is measured anyway
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    wait: u64,

    /// The program of a peer, measured beside ours; may be repeated. Known: svix, with PATH of its svix-server
    #[arg(long, value_name = "NAME=PATH")]
    beside: Vec<PeerProgram>,

    /// Writes README.md even when other processes used the machine meanwhile
    #[arg(long)]
    force: bool,
}

/// Where events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DatabaseKind {
    /// In a SQLite file.
    Sqlite,
    /// On a PostgreSQL server, beside a SQLite file.
    Postgres,
}

impl DatabaseKind {
    /// What a full run measures.
    fn measures(self) -> Vec<Measure> {
        let all = Measure::value_variants().iter().copied();
        match self {
            Self::Sqlite => all.filter(|measure| !measure.is_of_postgres()).collect(),
            Self::Postgres => vec![Measure::Nodes],
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let measures = if arguments.only.is_empty() {
        arguments.database.measures()
    } else {
        arguments.only.clone()
    };
    check(&arguments.beside, &measures)?;
    let own = std::env::current_exe()?;
    let beside = own.parent().context("a program stands in a folder")?;
    let receiver = Receiver::start().await?;
    let mut bench = Bench {
        program: arguments
            .server
            .unwrap_or_else(|| beside.with_file_name("shipped").join("truehook")),
        folder: arguments.folder.unwrap_or_else(|| beside.to_owned()),
        quick: arguments.quick,
        largest_queue: arguments.largest_queue,
        most_stored: arguments.most_stored,
        idle_deliveries: arguments.idle_deliveries,
        patience: Duration::from_secs(60 * arguments.wait),
        delivery: Vec::new(),
        receiver,
        peers: arguments.beside,
    };
    let busy = wait_until_quiet(BUSY, bench.patience);
    if busy > BUSY {
        eprintln!(
            "other processes use {busy:.0} % of this machine: the figures will not be its own"
        );
    }
    bench.delivery = delivery(&bench)
        .await
        .context("no delivery to measure with")?;

    let rounds = arguments.runs.unwrap_or(if bench.quick { 1 } else { 3 });
    let mut table = Table::default();
    for round in 1..=rounds {
        for measure in &measures {
            eprintln!("round {round} of {rounds}: {measure:?}");
            let load = machine::Load::begin();
            let figures = measure.run(&bench).await?;
            let others = load.others();
            for figure in figures {
                eprintln!(
                    "  {}: {:.2} {}",
                    figure.name,
                    figure.value,
                    figure.unit.as_str()
                );
                table.add(figure, others);
            }
        }
    }

    let quiet = table.most_by_others() <= BUSY;
    let (program, page) = match arguments.database {
        DatabaseKind::Sqlite => {
            let machine = machine::describe(&bench.folder, "shared by server, load and receiver");
            let has_peer = !bench.peers.is_empty();
            let page = readme::page(&table, &machine, rounds, quiet, has_peer);
            ("delivery", page)
        }
        DatabaseKind::Postgres => {
            let cores = "shared by nodes, database, load and receiver";
            let machine = machine::describe(&bench.folder, cores);
            let page = readme::page_of_postgres(&table, &machine, rounds, quiet);
            ("delivery --database postgres", page)
        }
    };
    print(&page);
    let full = !bench.quick && arguments.only.is_empty();
    if full && (quiet || arguments.force) {
        section::replace(program, &page).context("cannot write the README.md")?;
    } else if full {
        eprintln!("{} is not written: the machine was busy", section::PATH);
    }
    Ok(())
}

/// Refuses peers that no measure would meet, or whose rows would be mixed up.
fn check(peers: &[PeerProgram], measures: &[Measure]) -> anyhow::Result<()> {
    let meets_peers = measures.iter().any(|measure| measure.meets_peers());
    ensure!(
        peers.is_empty() || meets_peers,
        "--beside needs a measure that includes peers: add --only publish or --only latency, or leave out --only"
    );
    for (index, peer) in peers.iter().enumerate() {
        let repeated = peers[..index].iter().any(|before| before.name == peer.name);
        ensure!(!repeated, "--beside {} is given twice", peer.name);
    }
    Ok(())
}

/// Waits until others use at most `share` of the machine, in percent, for `patience` at most; says what they use then.
fn wait_until_quiet(share: f64, patience: Duration) -> f64 {
    let begin = Instant::now();
    let mut told = false;
    loop {
        let busy = machine::Load::now();
        if busy <= share || begin.elapsed() >= patience {
            return busy;
        }
        if !told {
            eprintln!("other processes use {busy:.0} % of this machine: waiting until it is quiet");
            told = true;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn print(page: &str) {
    println!("{page}");
}

/// The bytes of one delivery, as the server sends it.
async fn delivery(bench: &Bench) -> anyhow::Result<Vec<u8>> {
    let server = Server::start(&bench.program, &bench.folder)?;
    let mut connection = Connection::open(server.address()).await?;
    let account = "F10001";
    let url = bench.receiver.url(0);
    server.register(&mut connection, account, &url).await?;
    bench.receiver.keep_next_request();
    let publication = load::publication(0, account);
    let answer = connection.exchange(&publication).await?;
    anyhow::ensure!(
        answer.status == 202,
        "a publication was answered {}: {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    );
    let request = bench.receiver.kept_request().await;
    request.context("the published event did not arrive")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The launcher prints its help without building anything, so it says again what clap knows.
    #[test]
    fn the_launcher_explains_every_option_and_measure() {
        let launcher = include_str!("../delivery");
        for argument in Arguments::command().get_arguments() {
            let Some(flag) = argument.get_long().filter(|flag| *flag != "help") else {
                continue;
            };
            let help = argument.get_help().map(ToString::to_string);
            let help = help.unwrap_or_default();
            let line = launcher
                .lines()
                .find(|line| line.trim_start().starts_with(&format!("--{flag}")));
            let line = line.unwrap_or_else(|| panic!("benches/delivery --help lacks --{flag}"));
            assert!(line.contains(&help), "{line}\n{help}");
        }
        for measure in Measure::value_variants() {
            let value = measure
                .to_possible_value()
                .expect("every measure has a name");
            assert!(launcher.contains(value.get_name()), "{value:?}");
        }
    }
}

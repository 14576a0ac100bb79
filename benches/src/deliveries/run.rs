//! One run of a receiver in a process of its own: what it took to receive and to judge, and what it wrote.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::load;

/// What a run took.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// From the first request to the last answer.
    pub(crate) sending: Duration,
    /// From the first request to the end of the process.
    pub(crate) wall: Duration,
    /// Processor time of the process.
    pub(crate) processor: Duration,
    /// The most memory that was in use when all was received, in kilobytes.
    pub(crate) memory: u64,
    /// What it wrote to standard output.
    pub(crate) output: String,
}

/// Starts a receiver, sends it all requests when it tells its URL on standard error, and waits for its end.
///
/// # Errors
/// When it cannot be started, tells no URL, or could not do what it was asked for.
pub(crate) fn measured(
    program: &Path,
    arguments: &[&str],
    requests: &[Vec<u8>],
) -> anyhow::Result<Run> {
    let before = processor()?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let result = run(&mut child, requests);
    // One that failed must not go on.
    let _ = child.kill();
    let status = child.wait()?;
    let mut run = result.with_context(|| format!("{}: {status}", program.display()))?;
    run.processor = processor()?.saturating_sub(before);
    Ok(run)
}

fn run(child: &mut Child, requests: &[Vec<u8>]) -> anyhow::Result<Run> {
    let mut told = BufReader::new(child.stderr.take().context("standard error")?);
    let mut line = String::new();
    // The server under test has a URL too.
    let (address, path) = loop {
        line.clear();
        if told.read_line(&mut line)? == 0 {
            bail!("it told no URL");
        }
        if let Some(found) = line.split_whitespace().find_map(receiver) {
            break found;
        }
    };
    // Nobody must wait for a full pipe.
    let rest = thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
    let begin = Instant::now();
    let sending = load::send(address, &path, requests)?;
    let memory = memory(child.id());
    let mut output = String::new();
    let mut standard = child.stdout.take().context("standard output")?;
    standard.read_to_string(&mut output)?;
    child.wait()?;
    let wall = begin.elapsed();
    let _ = rest.join();
    Ok(Run {
        sending,
        wall,
        processor: Duration::ZERO,
        memory,
        output,
    })
}

/// The address and the path of a URL of a receiver: both receivers have paths that begin alike.
fn receiver(word: &str) -> Option<(SocketAddr, String)> {
    let (address, path) = word.strip_prefix("http://")?.split_once('/')?;
    let is_hook = path.starts_with("hook");
    is_hook.then_some((address.parse().ok()?, format!("/{path}")))
}

/// Processor time of all child processes that have ended.
fn processor() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = (usage.user_time() + usage.system_time()).num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// The most memory that a process had, in kilobytes; 0 where it has ended already.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

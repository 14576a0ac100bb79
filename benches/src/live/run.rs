//! One run of a program in a process of its own: what it took, and what it wrote.
//!
//! The figures of a process are known to its parent when it has ended, together with those of all other children. So a second process,
//! which has only this child, starts the program and says what it took.

use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::Value;

/// The cost of a run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// From the start of the process to its end.
    pub(crate) wall: Duration,
    /// Processor time of the process.
    pub(crate) processor: Duration,
    /// The most memory that was in use, in kilobytes.
    pub(crate) memory: u64,
    /// From the start of the process to the first line that tells of a fault; none where there is no such line.
    pub(crate) first_finding: Option<Duration>,
    /// How many lines tell of findings.
    pub(crate) findings: u64,
    /// A hash of what tells of findings, but for the port of the server.
    pub(crate) result: String,
}

/// Runs a program in a folder through a second process of this one.
///
/// # Errors
/// When it cannot be started, or could not do what it was asked for.
pub(crate) fn measured(program: &Path, arguments: &[&str], folder: &Path) -> anyhow::Result<Run> {
    let output = Command::new(std::env::current_exe()?)
        .current_dir(folder)
        .arg("--measure")
        .arg(program)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .context("the measuring process")?;
    let text = String::from_utf8(output.stdout)?;
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [wall, processor, memory, first, findings, result] = parts.as_slice() else {
        bail!("{} failed: {text}", program.display());
    };
    let time = |text: &str| anyhow::Ok(Duration::from_micros(text.parse()?));
    Ok(Run {
        wall: time(wall)?,
        processor: time(processor)?,
        memory: memory.parse()?,
        first_finding: Some(time(first)?).filter(|first| !first.is_zero()),
        findings: findings.parse()?,
        result: (*result).to_owned(),
    })
}

/// Starts a program, waits for its end, and returns a line for [`measured`].
///
/// # Errors
/// When it cannot be started, or ends with an exit code that says it could not check.
pub(crate) fn measure(program: &str, arguments: &[String]) -> anyhow::Result<String> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| program.to_owned())?;
    let out = child.stdout.take().context("the output")?;
    let server = arguments.iter().skip_while(|one| *one != "--server").nth(1);
    let mut hash = DefaultHasher::new();
    let mut first = None;
    let mut findings = 0_u64;
    for line in BufReader::new(out).lines() {
        let line = line?;
        // Cheaper than parsing each line, of which there are many.
        if line.contains("\"faults\":") {
            first.get_or_insert_with(|| start.elapsed());
        }
        if !line.contains("\"kind\":\"finding\"") {
            continue;
        }
        findings += 1;
        let line = server.map_or_else(|| line.clone(), |server| line.replace(server.as_str(), ""));
        let value: Value = serde_json::from_str(&line)?;
        hash.write(value.to_string().as_bytes());
    }
    let status = child.wait()?;
    let wall = start.elapsed();
    if status.code().is_none_or(|code| code > 1) {
        bail!("{program} ended with {status}");
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let processor = (usage.user_time() + usage.system_time()).num_microseconds();
    Ok(format!(
        "{} {processor} {} {} {findings} {:x}",
        wall.as_micros(),
        usage.max_rss(),
        first.unwrap_or_default().as_micros(),
        hash.finish()
    ))
}

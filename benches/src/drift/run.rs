//! One comparison in a process of its own: what it took, and what it found.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use conformance::document::Document;
use conformance::drift::{Options, compare_counted};
use conformance::finding::{Comparison, Severity};
use conformance::fingerprint;
use conformance::report::{self, DocumentInfo, Format, Report, View};

/// The cost of one comparison.
pub(crate) struct Run {
    /// Processor time for both documents.
    pub(crate) load: Duration,
    /// Processor time for the comparison.
    pub(crate) compare: Duration,
    /// Processor time of the whole process, from its start until the report is written.
    pub(crate) process: Duration,
    /// The same by the clock on the wall, from the beginning of `main`.
    pub(crate) wall: Duration,
    /// The most memory that was in use, in kilobytes.
    pub(crate) memory: u64,
    /// How many findings there are of each severity, the gravest first.
    pub(crate) findings: [usize; Severity::ALL.len()],
    /// A hash of the report.
    result: String,
}

impl Run {
    /// The run of least processor time.
    ///
    /// # Errors
    /// When a comparison fails, or the findings differ from run to run.
    pub(crate) fn best(paths: &[PathBuf; 2], rounds: usize) -> anyhow::Result<Self> {
        let runs = (0..rounds.max(1))
            .map(|_| run(paths))
            .collect::<anyhow::Result<Vec<Self>>>()?;
        let same = runs.iter().all(|run| run.result == runs[0].result);
        ensure!(same, "the findings differ from run to run");
        runs.into_iter()
            .min_by_key(|run| run.process)
            .context("a run")
    }
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
    let [load, compare, process, wall, memory, result, findings @ ..] = parts.as_slice() else {
        bail!("the measured process said `{text}`");
    };
    let counts = findings
        .iter()
        .map(|count| count.parse())
        .collect::<Result<Vec<usize>, _>>()?;
    let time = |text: &str| anyhow::Ok(Duration::from_micros(text.parse()?));
    Ok(Run {
        load: time(load)?,
        compare: time(compare)?,
        process: time(process)?,
        wall: time(wall)?,
        memory: memory.parse()?,
        findings: counts
            .try_into()
            .ok()
            .context("a number for each severity")?,
        result: (*result).to_owned(),
    })
}

/// Does what `conformance drift OLD NEW --format json` does, and returns a line for [`run`].
///
/// # Errors
/// When a document cannot be loaded.
pub(crate) fn measure(old: &Path, new: &Path) -> anyhow::Result<String> {
    let start = Instant::now();
    let begun = processor_time()?;
    let load = |path: &Path| {
        let document = Document::load(path.to_str().context("a path in UTF-8")?)?;
        document.check_references()?;
        anyhow::Ok(document)
    };
    let (old, new) = (load(old)?, load(new)?);
    let loaded = processor_time()?;
    let comparison = compare_counted(&old, &new, &Options::default());
    let compared = processor_time()?;
    let findings = Severity::ALL.map(|severity| {
        let all = comparison.findings.iter();
        let count = all.filter(|finding| finding.severity == severity).count();
        count.to_string()
    });
    let report = Report {
        command: "drift",
        documents: vec![DocumentInfo::of("old", &old), DocumentInfo::of("new", &new)],
        server: None,
        checked: comparison.checked,
        fail_on: Severity::Breaking,
        findings: fingerprint::entries(
            comparison.findings,
            Comparison::Versions,
            Some(&old),
            Some(&new),
        ),
        sent: Vec::new(),
        coverage: None,
        ignored: 0,
        unchecked: None,
        notes: Vec::new(),
    };
    let mut hash = HashWriter(DefaultHasher::new());
    report::write(Format::Json, &report, View::default(), &mut hash)?;
    let process = processor_time()?;
    let wall = start.elapsed();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = peak
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("0");
    Ok(format!(
        "{} {} {} {} {memory} {:x} {}",
        (loaded - begun).as_micros(),
        (compared - loaded).as_micros(),
        process.as_micros(),
        wall.as_micros(),
        hash.0.finish(),
        findings.join(" ")
    ))
}

/// A writer that hashes the bytes it receives.
struct HashWriter(DefaultHasher);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Unlike `hash`, `write` gives the same for the same bytes however they are cut.
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the processor time of this process, which has one thread: on a busy machine it waits for a processor as well.
pub(crate) fn processor_time() -> anyhow::Result<Duration> {
    // The kernel counts at its ticks, milliseconds apart, and whenever it is called upon to schedule.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/self/schedstat").context("/proc/self/schedstat")?;
    let used = text.split_whitespace().next().context("a number")?;
    Ok(Duration::from_nanos(used.parse()?))
}

//! The machine: what it is, and how much of it other processes use meanwhile.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Ticks of processor time a second in `/proc`: fixed on Linux for programs, whatever the kernel counts in.
pub(crate) const TICKS: f64 = 100.0;

/// How long the machine is looked at to tell how busy it is.
const LOOK: Duration = Duration::from_secs(2);

/// How busy the machine is, from one moment to another.
pub(crate) struct Load {
    begin: Instant,
    all: f64,
    own: f64,
}

impl Load {
    /// Begins to look. No child process may be running.
    pub(crate) fn begin() -> Self {
        Self {
            begin: Instant::now(),
            all: all().unwrap_or_default(),
            own: own().unwrap_or_default(),
        }
    }

    /// Returns the share of the machine that others have used since the beginning, in percent. Child processes that have ended count as our
    /// own.
    #[expect(clippy::cast_precision_loss, reason = "there are few processors")]
    pub(crate) fn others(&self) -> f64 {
        let others =
            (all().unwrap_or_default() - self.all) - (own().unwrap_or_default() - self.own);
        let available = self.begin.elapsed().as_secs_f64() * processors() as f64;
        (others / available * 100.0).clamp(0.0, 100.0)
    }

    /// Returns the share of the machine that others use now, in percent; waits for two seconds.
    pub(crate) fn now() -> f64 {
        let load = Self::begin();
        std::thread::sleep(LOOK);
        load.others()
    }
}

/// Seconds of processor time that anything used, the time that a hypervisor took away included.
fn all() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let mut fields = text.lines().next()?.split_whitespace().skip(1);
    // user nice system idle iowait irq softirq steal; guests are part of user.
    let fields: Vec<f64> = fields
        .by_ref()
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let idle = fields.get(3)? + fields.get(4)?;
    Some((fields.iter().sum::<f64>() - idle) / TICKS)
}

/// Seconds of processor time that this process used, with its ended children.
fn own() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may hold spaces. utime, stime, cutime, cstime are fields 14 to 17 of all.
    let fields = text.rsplit(')').next()?.split_whitespace().skip(11).take(4);
    Some(
        fields
            .filter_map(|field| field.parse::<f64>().ok())
            .sum::<f64>()
            / TICKS,
    )
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Describes the machine, as a Markdown list; `folder` is where data was kept, `cores` says what its cores did.
pub(crate) fn describe(folder: &Path, cores: &str) -> String {
    let first = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let memory = first("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or_else(unknown, |kibibytes| {
            format!("{:.1} GB", kibibytes * 1024.0 / 1e9)
        });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| unknown());
    let lines = [
        (
            "processor",
            first("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
        ),
        ("cores", format!("{}, {cores}", processors())),
        ("memory", memory),
        ("kernel", kernel.trim().to_owned()),
        ("disk", disk(folder).unwrap_or_else(unknown)),
        (
            "compiler",
            output("rustc", &["--version"]).unwrap_or_else(unknown),
        ),
        (
            "commit",
            output(
                "git",
                &[
                    "-C",
                    env!("CARGO_MANIFEST_DIR"),
                    "describe",
                    "--always",
                    "--dirty",
                ],
            )
            .unwrap_or_else(unknown),
        ),
        (
            "date",
            output("date", &["--utc", "+%Y-%m-%d"]).unwrap_or_else(unknown),
        ),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        writeln!(text, "- {name}: {value}").expect("a string can be written to");
    }
    text
}

/// Device and file system of a folder, and whether the kernel takes the device for a rotating one.
fn disk(folder: &Path) -> Option<String> {
    let line = output(
        "df",
        &["--output=source,fstype", &folder.display().to_string()],
    )?;
    let mut words = line.lines().nth(1)?.split_whitespace();
    let (device, system) = (words.next()?, words.next()?);
    let name = device.rsplit('/').next()?;
    let whole = name.trim_end_matches(|character: char| character.is_ascii_digit());
    let rotating = [name, whole]
        .iter()
        .find_map(|name| fs::read_to_string(format!("/sys/block/{name}/queue/rotational")).ok());
    let kind = match rotating.as_deref().map(str::trim) {
        Some("0") => "not rotating",
        Some("1") => "rotating, as the kernel sees it",
        _ => "of unknown type",
    };
    Some(format!("{device}, {kind}, {system}"))
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

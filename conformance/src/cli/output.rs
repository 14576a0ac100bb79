//! The part of the command line that all checks share: settings, accepted findings, reports.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::tolerate_closed;
use crate::baseline::{self, Baseline};
use crate::clock;
use crate::config::{Color, Config, FailOn};
use crate::finding::{Severity, Verdict};
use crate::fingerprint::Entry;
use crate::report::{self, Format, Report, View, words};
use crate::toml_text;

#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct OutputArgs {
    /// File with the settings [default: conformance.toml, if there is one].
    #[arg(long, value_name = "FILE", help_heading = None)]
    config: Option<String>,
    /// Format of the report on standard output [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Also write a report to a file, such as `json=report.json` (repeatable).
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_file)]
    reports: Vec<(Format, PathBuf)>,
    /// Lowest severity that is shown; the summary counts the others [default: info].
    #[arg(long, value_name = "SEVERITY", value_parser = severity())]
    show: Option<Severity>,
    /// Show findings in full in text: whole values, all users, requests and responses.
    #[arg(long, short)]
    verbose: bool,
    /// Lowest severity that fails the run; each includes those before it [default: undecided].
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// When text has colors; `auto` is on a terminal, unless `NO_COLOR` is set [default: auto].
    #[arg(long, value_enum, value_name = "WHEN")]
    color: Option<Color>,
}

/// Flags, and what the file says where there is no flag.
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) fail_on: Severity,
    /// That of standard output; none where it is written already.
    format: Option<Format>,
    view: View,
    reports: Vec<(Format, PathBuf)>,
}

impl Settings {
    /// Whether everything is wanted.
    pub(super) fn is_verbose(&self) -> bool {
        self.view.verbose
    }

    /// Whether the report on standard output is for a reader.
    pub(super) fn is_text(&self) -> bool {
        self.format == Some(Format::Text)
    }

    /// Writes the reports to files.
    pub(super) fn write_files(&self, report: &Report) -> Result<()> {
        for (format, path) in &self.reports {
            let context = || {
                format!(
                    "{}: cannot write the report; check the path",
                    path.display()
                )
            };
            let mut file = BufWriter::new(File::create(path).with_context(context)?);
            report::write(*format, report, self.plain_view(), &mut file)
                .and_then(|()| file.flush())
                .with_context(context)?;
        }
        Ok(())
    }

    /// How much of a report is written to files.
    pub(super) fn plain_view(&self) -> View {
        View {
            color: false,
            ..self.view
        }
    }

    /// Takes out the files of one format: somebody else writes them.
    pub(super) fn take_reports(&mut self, format: Format) -> Vec<PathBuf> {
        let all = std::mem::take(&mut self.reports).into_iter();
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|(known, _)| *known == format);
        self.reports = others;
        own.into_iter().map(|(_, path)| path).collect()
    }

    /// Takes standard output, if it has this format: somebody else writes it.
    pub(super) fn take_standard_output(&mut self, format: Format) -> bool {
        self.format.take_if(|known| *known == format).is_some()
    }
}

impl OutputArgs {
    /// Reads the file of settings.
    pub(super) fn settle(self) -> Result<Settings> {
        let config = Config::load(self.config.as_deref())?;
        let fail_on = self.fail_on.or(config.fail_on).unwrap_or(FailOn::Undecided);
        let color = self.color.or(config.color).unwrap_or(Color::Auto);
        Ok(Settings {
            fail_on: fail_on.severity(),
            format: Some(self.format.or(config.format).unwrap_or(Format::Text)),
            view: View {
                show: self.show.unwrap_or(Severity::Info),
                verbose: self.verbose,
                color: is_on(color),
            },
            reports: self.reports,
            config,
        })
    }
}

fn is_on(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        // See no-color.org: set and not empty.
        Color::Auto => {
            let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
            io::stdout().is_terminal()
                && set("NO_COLOR").is_none()
                && set("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Accepted findings")]
pub(super) struct BaselineArgs {
    /// Ignore the findings that this file accepts; a stale or expired entry is itself a finding.
    #[arg(long, value_name = "FILE")]
    baseline: Option<String>,
    /// Write a baseline that accepts the findings that fail the run; reasons already in the file are kept.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "baseline",
        group = "written"
    )]
    write_baseline: Option<String>,
    /// Reason of new entries; without it, fill in the reasons before the file can be used.
    #[arg(long, value_name = "TEXT", requires = "written")]
    reason: Option<String>,
}

impl BaselineArgs {
    /// Removes what the baseline accepts, and changes severities as the settings say. `whole` says whether everything was compared.
    pub(super) fn judge(
        &self,
        entries: Vec<Entry>,
        whole: bool,
        settings: &Settings,
    ) -> Result<(Vec<Entry>, usize)> {
        let accepted = match &self.baseline {
            Some(file) => Baseline::parse(file, &toml_text::read(file)?)?,
            None => Baseline::default(),
        };
        let stale = whole.then_some(Severity::Breaking);
        let (left, ignored) = accepted.apply(entries, clock::today(), stale);
        let left = settings.config.overrides.apply(left);
        if let Some(file) = &self.write_baseline {
            let failing = left
                .iter()
                .filter(|entry| entry.finding.severity <= settings.fail_on);
            self.write(file, &failing.collect::<Vec<_>>())?;
        }
        Ok((left, ignored))
    }

    /// Writes a baseline of these entries; reasons, owners and dates of an existing file are kept.
    pub(super) fn write(&self, file: &str, entries: &[&Entry]) -> Result<()> {
        let before = if Path::new(file).exists() {
            toml_text::read(file)?
        } else {
            String::new()
        };
        let reason = self.reason.as_deref().unwrap_or_default();
        let worded: Vec<(&Entry, String)> = entries
            .iter()
            .map(|entry| (*entry, words::of(&entry.finding, entry.comparison)))
            .collect();
        let text = baseline::render(&worded, reason, file, &before)?;
        std::fs::write(file, text)
            .with_context(|| format!("{file}: cannot write the baseline; check the path"))?;
        let todo = if reason.trim().is_empty() {
            "; fill in the reasons"
        } else {
            ""
        };
        let _ = writeln!(
            io::stderr(),
            "{file}: {} accepted findings{todo}",
            entries.len()
        );
        Ok(())
    }
}

/// Reads the word for a severity.
fn severity() -> impl TypedValueParser<Value = Severity> {
    let words = Severity::ALL.map(Severity::word);
    PossibleValuesParser::new(words).try_map(|word| {
        let known = Severity::ALL.into_iter().find(|one| one.word() == word);
        known.ok_or("unknown severity")
    })
}

fn report_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .ok_or("expected FORMAT=FILE, such as json=report.json")?;
    let known = || {
        Format::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
            .map(|value| value.get_name().to_owned())
    };
    let format = Format::from_str(format, false).map_err(|_| {
        format!(
            "unknown format `{format}`; use {}",
            known().collect::<Vec<_>>().join(", ")
        )
    })?;
    if file.is_empty() {
        return Err("no file after `=`".to_owned());
    }
    Ok((format, PathBuf::from(file)))
}

/// Writes the report in all formats that are asked for.
pub(super) fn write_reports(report: &Report, settings: &Settings) -> Result<Verdict> {
    settings.write_files(report)?;
    if let Some(format) = settings.format {
        let mut out = BufWriter::new(io::stdout().lock());
        let written =
            report::write(format, report, settings.view, &mut out).and_then(|()| out.flush());
        tolerate_closed(written)?;
    }
    // The other formats are for programs, whose output a reader does not see.
    let is_read = matches!(settings.format, Some(Format::Text | Format::Oneline));
    if let (Some(unchecked), false) = (&report.unchecked, is_read) {
        let _ = writeln!(
            io::stderr(),
            "nothing checked: {}",
            words::unchecked(unchecked)
        );
    }
    Ok(report.verdict())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_format_and_a_file() {
        assert_eq!(
            report_file("json=a=b.json"),
            Ok((Format::Json, PathBuf::from("a=b.json")))
        );
        for text in ["json", "pdf=a", "json="] {
            assert!(report_file(text).is_err(), "{text}");
        }
    }
}

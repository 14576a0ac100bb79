//! The report for a reader: findings below the operation they belong to, and one line that sums up.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};

use super::{Report, message, places, plain, users, witness_title};
use crate::finding::{Place, Severity, Verdict};
use crate::fingerprint::Entry;

/// How many users of a shared place are named.
const USERS_SHOWN: usize = 5;
/// A witness of more bytes than this is shown on several lines.
const WITNESS_WIDTH: usize = 100;

pub(super) fn write(report: &Report, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { color };
    let mut pair: Option<&str> = None;
    let mut subject: Option<&str> = None;
    for entry in &report.findings {
        if pair != entry.pair.as_deref() {
            pair = entry.pair.as_deref();
            subject = None;
            let name = plain::line(pair.unwrap_or("all pairs"));
            writeln!(
                out,
                "{}\n",
                paint.over(Style::new().bold().underline(), &name)
            )?;
        }
        if subject != Some(&entry.finding.subject) {
            subject = Some(&entry.finding.subject);
            let subject = plain::line(&entry.finding.subject);
            writeln!(out, "{}\n", paint.over(Style::new().bold(), &subject))?;
        }
        write_finding(entry, &paint, out)?;
    }
    writeln!(out, "{}: {}", paint.verdict(report), report.counts())
}

fn write_finding(entry: &Entry, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let finding = &entry.finding;
    writeln!(
        out,
        "  {}  {}",
        paint.severity(finding.severity),
        finding.rule
    )?;
    for line in plain::lines(&message(entry)).lines() {
        writeln!(out, "    {line}")?;
    }
    let places = places(entry);
    let width = places.iter().map(|(side, _)| side.len()).max().unwrap_or(0);
    for (side, place) in places {
        let at = paint.over(Style::new().dimmed(), &shown(place));
        writeln!(out, "    {side:<width$}  {at}")?;
    }
    if !finding.used_by.is_empty() {
        writeln!(out, "    used by {}", finding.used_by.count)?;
        for (depth, line) in users(finding, USERS_SHOWN) {
            writeln!(out, "      {}{}", "  ".repeat(depth), plain::line(&line))?;
        }
    }
    if let Some(witness) = &finding.witness {
        let line = plain::json(witness);
        let title = plain::line(&witness_title(entry));
        if line.len() <= WITNESS_WIDTH && finding.proof.is_none() {
            writeln!(out, "    {title} {line}")?;
        } else if line.len() <= WITNESS_WIDTH {
            writeln!(out, "    {title}\n      {line}")?;
        } else {
            writeln!(out, "    {title}")?;
            for line in plain::pretty_json(witness).lines() {
                writeln!(out, "      {line}")?;
            }
        }
    }
    if let Some(exchange) = &finding.exchange {
        writeln!(out, "    again: {}", plain::lines(&exchange.curl))?;
    }
    writeln!(out)
}

/// `file:line:column pointer`; the first half is what editors jump to.
fn shown(place: &Place) -> String {
    let at = format!("{}:{}:{}", place.document, place.line, place.column);
    plain::line(&if place.pointer.is_empty() {
        at
    } else {
        format!("{at}  #{}", place.pointer)
    })
}

/// Colors, or none.
struct Paint {
    color: bool,
}

impl Paint {
    fn over(&self, style: Style, text: &str) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn verdict(&self, report: &Report) -> String {
        let style = match report.verdict() {
            Verdict::Conforms => AnsiColor::Green.on_default(),
            Verdict::Deviates => AnsiColor::Red.on_default().bold(),
            Verdict::NothingChecked => AnsiColor::Yellow.on_default().bold(),
        };
        self.over(style, report.verdict_word())
    }

    fn severity(&self, severity: Severity) -> String {
        let style = match severity {
            Severity::Breaking => AnsiColor::Red.on_default().bold(),
            Severity::Undecided => AnsiColor::Magenta.on_default().bold(),
            Severity::Warning => AnsiColor::Yellow.on_default(),
            Severity::Info => AnsiColor::Cyan.on_default(),
        };
        self.over(style, &format!("{:<9}", severity.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn text(report: &Report, color: bool) -> String {
        let mut out = Vec::new();
        write(report, color, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_stand_below_their_operation() {
        insta::assert_snapshot!(text(&sample::report(), false));
    }

    #[test]
    fn a_clean_run_is_one_line() {
        let mut report = sample::report();
        report.findings.clear();
        assert_eq!(
            text(&report, false),
            "conforms: 2 operations, 5 schemas checked, nothing found\n"
        );
        assert!(text(&report, true).contains("\u{1b}["));
    }

    #[test]
    fn a_long_witness_is_a_payload_on_several_lines() {
        let mut report = sample::report();
        report.findings.truncate(1);
        report.findings[0].finding.witness =
            Some(serde_json::json!({"name": "n".repeat(90), "tags": ["a"]}));
        let text = text(&report, false);
        let payload: String = text
            .lines()
            .skip_while(|line| *line != "    witness")
            .skip(1)
            .take_while(|line| line.starts_with("      "))
            .collect();
        let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(Some(payload), report.findings[0].finding.witness);
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        let text = text(&sample::hostile(), false);
        assert!(sample::is_plain(&text), "{text}");
        assert!(text.contains("\\u{1b}[31mred\\u{7}"), "{text}");
    }
}

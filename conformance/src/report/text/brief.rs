//! The first report of a run, on one screen: the verdict, then the gravest findings as far as there is room.

use std::io::{self, Write};

use anstyle::Style;

use super::super::{Listing, message, places, plain, steps};
use super::{Paint, after, shown, used_by, write_verdict};
use crate::finding::{Severity, Verdict};
use crate::fingerprint::Entry;

/// How many lines of a terminal the findings take.
const LINES: usize = 40;
/// How many characters a line of a terminal has.
const WIDTH: usize = 100;
/// How many lines of a terminal a command may take; a longer one is in the other reports.
const COMMAND_LINES: usize = 6;

/// Rules that go first among those of their severity.
const FIRST: [&str; 3] = ["credentials-required", "no-server-error", "answer-complete"];

pub(super) fn write(listing: &Listing<'_>, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    write_verdict(listing, paint, out)?;
    // A server's treatment of strangers says nothing about the server itself.
    let mut entries: Vec<&Entry> = match listing.report.verdict() {
        Verdict::NothingChecked => Vec::new(),
        Verdict::Conforms | Verdict::Deviates => listing.by_severity(),
    };
    entries.sort_by_key(|entry| {
        let finding = &entry.finding;
        (finding.severity, !FIRST.contains(&finding.rule))
    });
    let mut room = LINES;
    let mut written = 0;
    for entry in &entries {
        let lines = paragraph(entry, paint);
        let height: usize = lines
            .iter()
            .map(|(_, width)| width.div_ceil(WIDTH).max(1))
            .sum();
        // Infos are for those who ask for more; a first finding is shown whatever it takes.
        let fits = height < room && entry.finding.severity != Severity::Info;
        if !fits && written > 0 || entry.finding.severity == Severity::Info {
            break;
        }
        writeln!(out)?;
        for (line, _) in lines {
            writeln!(out, "{line}")?;
        }
        room = room.saturating_sub(height + 1);
        written += 1;
    }
    let more = entries.len() - written;
    if more > 0 {
        let more = match (written, more) {
            (0, 1) => "1 finding".to_owned(),
            (0, more) => format!("{more} findings"),
            (_, 1) => "1 more finding".to_owned(),
            (_, more) => format!("{more} more findings"),
        };
        writeln!(
            out,
            "\n{more}: --verbose shows all with requests and responses, --report html=FILE writes them"
        )?;
    }
    Ok(())
}

/// The lines of a finding, each with its width without colors.
fn paragraph(entry: &Entry, paint: &Paint) -> Vec<(String, usize)> {
    let finding = &entry.finding;
    let faint = |text: &str| paint.over(Style::new().dimmed(), text);
    let subject = plain::line(&finding.subject);
    let mut lines = vec![(
        format!(
            "{} {}",
            paint.severity(finding.severity),
            paint.over(Style::new().bold(), &subject)
        ),
        10 + subject.len(),
    )];
    let mut add = |text: String, shown: &dyn Fn(&str) -> String| {
        lines.push((format!("  {}", shown(&text)), 2 + text.chars().count()));
    };
    for line in plain::lines(&message(entry)).lines() {
        add(line.to_owned(), &str::to_owned);
    }
    let place = places(entry).first().map(|(_, place)| shown(place));
    add(
        format!("{} {}", finding.rule, place.unwrap_or_default()),
        &faint,
    );
    if let Some(users) = used_by(finding) {
        add(users, &str::to_owned);
    }
    let steps = finding.exchange.as_ref().map_or(&[][..], steps);
    if let Some(line) = after(steps) {
        add(line, &str::to_owned);
    }
    let command = finding
        .exchange
        .as_ref()
        .map(|exchange| plain::lines(&exchange.curl));
    if let Some(command) =
        command.filter(|text| text.len() < COMMAND_LINES * WIDTH && !text.contains('\n'))
    {
        add(command, &str::to_owned);
    }
    lines
}

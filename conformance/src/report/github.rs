//! The report as workflow commands of GitHub Actions: each finding an annotation at its line, and one line that sums up.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step, so the gravest come first.

use std::io::{self, Write};

use super::{Listing, location, message as sentence, plain, witness_line, witness_title};
use crate::finding::{Severity, Verdict};
use crate::fingerprint::Entry;

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    for entry in listing.by_severity() {
        annotation(entry, out)?;
    }
    let verdict = listing.report.verdict();
    if verdict == Verdict::NothingChecked {
        let title = property(verdict.word());
        return writeln!(out, "::error title={title}::{}", data(&listing.summary()));
    }
    writeln!(out, "{}", listing.summary())
}

fn annotation(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let finding = &entry.finding;
    let command = match finding.severity {
        Severity::Breaking | Severity::Undecided => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    let mut message = String::new();
    if let Some(pair) = &entry.pair {
        message.push_str(&format!("{}: ", plain::line(pair)));
    }
    message.push_str(&format!(
        "{}: {}",
        plain::line(&finding.subject),
        plain::lines(&sentence(entry))
    ));
    for (index, (side, place)) in location::ranked(entry).into_iter().enumerate() {
        let at = format!("{}:{}:{}", place.document, place.line, place.column);
        if index == 0 && location::is_file(&place.document) {
            let file = plain::line(place.document.strip_prefix("./").unwrap_or(&place.document));
            properties.push(format!("file={}", property(&file)));
            properties.push(format!("line={}", place.line));
            properties.push(format!("col={}", place.column));
        } else {
            message.push_str(&format!("\n{side}: {}", plain::line(&at)));
        }
    }
    let title = format!("{}: {}", finding.severity.word(), finding.rule);
    properties.push(format!("title={}", property(&title)));
    if let Some(witness) = witness_line(entry) {
        let title = plain::line(&witness_title(entry));
        message.push_str(&format!("\n{title}: {}", plain::line(&witness)));
    }
    if let Some(exchange) = &finding.exchange {
        message.push_str(&format!("\nagain: {}", plain::lines(&exchange.curl)));
    }
    writeln!(
        out,
        "::{command} {}::{}",
        properties.join(","),
        data(&message)
    )
}

/// See `escapeData` of actions/toolkit, `packages/core/src/command.ts`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// See `escapeProperty`, in the same file.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};

    #[test]
    fn findings_are_annotations_the_gravest_first() {
        insta::assert_snapshot!(sample::written(Format::Github, &sample::report()));
    }

    /// As the runner reads a command: the properties up to the first `::`, then the message.
    fn read(line: &str) -> (Vec<(String, String)>, String) {
        let unescape = |text: &str| {
            text.replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%25", "%")
        };
        let (command, message) = line[2..].split_once("::").unwrap();
        let (_, properties) = command.split_once(' ').unwrap();
        let properties = properties.split(',').map(|one| {
            let (name, value) = one.split_once('=').unwrap();
            (name.to_owned(), unescape(value))
        });
        (properties.collect(), unescape(message))
    }

    #[test]
    fn hostile_text_is_one_annotation_and_nothing_else() {
        let text = sample::written(Format::Github, &sample::hostile());
        assert!(sample::is_plain(&text));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("::error file=") && !lines[1].starts_with("::"));
        let (properties, message) = read(lines[0]);
        let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["file", "line", "col", "title"]);
        assert!(
            properties[0].1.starts_with("a b%,:<script>"),
            "{}",
            properties[0].1
        );
        assert_eq!(properties[1].1, "2");
        assert!(message.contains("::warning file=y::z"), "{message}");
    }
}

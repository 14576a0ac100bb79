//! The report as a comment on a pull request: one line that sums up, and a table of findings, the gravest first.
//!
//! Bounded, as GitHub refuses comments above 65,536 characters: long texts are cut, and findings beyond the limit are counted. All
//! text from documents is written with entities, so that it is neither markup nor a mention nor a link.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{
    Listing, message as sentence, places, plain, users, without_witness, witness_line,
    witness_title,
};
use crate::finding::Severity;
use crate::fingerprint::Entry;

/// How many bytes a report has at most.
pub(super) const SIZE_LIMIT: usize = 60_000;
/// How many bytes are kept for what stands below the table.
const RESERVE: usize = 500;
/// How many characters of a message are shown.
const MESSAGE_LIMIT: usize = 600;
/// How many characters of a subject, a place or a witness are shown.
const DETAIL_LIMIT: usize = 300;
/// How many users of a shared place are named.
const USERS_SHOWN: usize = 5;
/// How many documents are named.
const DOCUMENTS_SHOWN: usize = 20;

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = listing.report;
    let mut text = format!(
        "### conformance {}: {}\n\n{}\n",
        report.command,
        report.verdict().word(),
        listing.counts()
    );
    let mut names: Vec<String> = Vec::new();
    for document in &report.documents {
        let name = format!("{} {}", document.role, code(&document.name, DETAIL_LIMIT));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if let Some(server) = &report.server {
        names.insert(0, format!("server {}", code(server, DETAIL_LIMIT)));
    }
    let more = names.len().saturating_sub(DOCUMENTS_SHOWN);
    names.truncate(DOCUMENTS_SHOWN);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    let _ = writeln!(text, "\n{}", names.join(", "));
    let entries = listing.by_severity();
    if !entries.is_empty() {
        text.push_str("\n| severity | where | what |\n|---|---|---|\n");
    }
    let mut left_out = 0;
    for (index, entry) in entries.iter().enumerate() {
        let row = row(entry);
        if text.len() + row.len() > SIZE_LIMIT - RESERVE {
            left_out = entries.len() - index;
            break;
        }
        text.push_str(&row);
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "\nand {left_out} more: this comment is full, the other formats have them all"
        );
    }
    out.write_all(text.as_bytes())
}

fn row(entry: &Entry) -> String {
    let finding = &entry.finding;
    let mark = match finding.severity {
        Severity::Breaking => "&#x1F534;",
        Severity::Undecided => "&#x1F7E3;",
        Severity::Warning => "&#x1F7E1;",
        Severity::Info => "&#x1F535;",
    };
    let mut place = Vec::new();
    if let Some(pair) = &entry.pair {
        place.push(prose(&plain::cut(&plain::line(pair), DETAIL_LIMIT)));
    }
    place.push(code(&finding.subject, DETAIL_LIMIT));
    for (side, at) in places(entry) {
        let at = format!("{}:{}:{}", at.document, at.line, at.column);
        place.push(format!("{side} {}", code(&at, DETAIL_LIMIT)));
    }
    let mut what = vec![
        format!("<code>{}</code>", finding.rule),
        message(&plain::cut(&plain::line(&sentence(entry)), MESSAGE_LIMIT)),
    ];
    if !finding.used_by.is_empty() {
        what.push(format!("used by {}", finding.used_by.count));
        for (depth, line) in users(finding, USERS_SHOWN) {
            let indent = "&nbsp;".repeat(2 * depth + 2);
            what.push(format!("{indent}{}", code(&line, DETAIL_LIMIT)));
        }
    }
    if let Some(witness) = witness_line(entry) {
        let title = plain::cut(&witness_title(entry), DETAIL_LIMIT);
        let title = prose(&title);
        what.push(format!("{title}: {}", code(&witness, DETAIL_LIMIT)));
    }
    what.extend(without_witness(finding).map(prose));
    if let Some(exchange) = &finding.exchange {
        what.push(format!("again: {}", code(&exchange.curl, MESSAGE_LIMIT)));
    }
    format!(
        "| {mark} {} | {} | {} |\n",
        finding.severity.word(),
        place.join("<br>"),
        what.join("<br>")
    )
}

fn code(text: &str, limit: usize) -> String {
    // Cut at last: what is shown as its number is longer than it was.
    format!(
        "<code>{}</code>",
        entities(&plain::cut(&plain::line(text), limit))
    )
}

/// A message, with what it quotes in backticks as code.
fn message(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return prose(text);
    }
    let part = |(index, part): (usize, &&str)| match index % 2 {
        0 => prose(part),
        _ => code(part, MESSAGE_LIMIT),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Text outside of code, where GitHub would take `@team` and `#1` for links even when they are written with entities.
fn prose(text: &str) -> String {
    entities(&plain::line(text))
        .replace("&#64;", "&#64;&#8203;")
        .replace("&#35;", "&#35;&#8203;")
}

/// Punctuation that Markdown or HTML may take for markup as entities.
fn entities(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        if "&<>|\\`*_[]{}()#!~@$^\"'".contains(character) || character == ':' {
            let _ = write!(written, "&#{};", u32::from(character));
        } else {
            written.push(character);
        }
    }
    // Names that begin so become links.
    written.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};
    use super::*;

    #[test]
    fn findings_are_rows() {
        insta::assert_snapshot!(sample::written(Format::Markdown, &sample::report()));
    }

    #[test]
    fn hostile_text_stays_in_its_cell() {
        let text = sample::written(Format::Markdown, &sample::hostile());
        assert!(sample::is_plain(&text));
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 3, "{text}");
        assert_eq!(rows[2].matches('|').count(), 4, "{}", rows[2]);
        assert!(!text.contains('`') && !text.contains('[') && !text.contains("://"));
        for tag in text
            .split('<')
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap())
        {
            assert!(["code", "/code", "br"].contains(&tag), "{tag}");
        }
        // In code GitHub makes no mention of it, elsewhere a zero width space keeps it from being one.
        for (at, _) in text.match_indices("&#64;") {
            let inside =
                text[..at].matches("<code>").count() > text[..at].matches("</code>").count();
            assert!(
                inside || text[at..].starts_with("&#64;&#8203;"),
                "{}",
                &text[at..]
            );
        }
    }

    #[test]
    fn the_length_is_bounded_and_says_so() {
        let mut report = sample::hostile();
        let mut entry = report.findings[0].clone();
        entry.finding.message = sample::unresolved(&"<&|".repeat(100_000));
        report.findings = vec![entry; 500];
        let mut document = report.documents[0].clone();
        report.documents = (0..100)
            .map(|index| {
                document.name = format!("{index}{}", "\u{e0041}".repeat(1000));
                document.clone()
            })
            .collect();
        let text = sample::written(Format::Markdown, &report);
        assert!(text.len() <= SIZE_LIMIT, "{}", text.len());
        let rows = text
            .lines()
            .filter(|line| line.starts_with("| &#x1F534;"))
            .count();
        assert!(rows > 1);
        assert!(text.contains(&format!("and {} more", 500 - rows)), "{rows}");
    }
}

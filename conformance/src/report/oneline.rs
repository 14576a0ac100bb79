//! The report with one line for each finding, and one that sums up: `severity file:line:column: rule: subject: sentence [fingerprint]`.

use std::io::{self, Write};

use super::{Listing, location, message, plain};

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    for entry in &listing.entries {
        let finding = &entry.finding;
        // A finding without a place begins with its subject.
        let (place, subject) = match location::ranked(entry).first() {
            Some((_, place)) => (
                format!("{}:{}:{}", place.document, place.line, place.column),
                format!("{}: ", plain::line(&finding.subject)),
            ),
            None => (finding.subject.clone(), String::new()),
        };
        writeln!(
            out,
            "{} {}: {}: {subject}{} [{}]",
            finding.severity.word(),
            plain::line(&place),
            finding.rule,
            plain::line(&message(entry)),
            entry.fingerprint
        )?;
    }
    writeln!(out, "{}", listing.summary())
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};

    #[test]
    fn a_finding_is_a_line() {
        insta::assert_snapshot!(sample::written(Format::Oneline, &sample::report()));
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let text = sample::written(Format::Oneline, &sample::hostile());
        assert!(sample::is_plain(&text));
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

//! The report for a reader: a paragraph for each finding, and one line that sums up.

mod brief;
mod coverage;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{
    Listing, message, places, plain, steps, users, without_witness, witness_line, witness_title,
};
use crate::finding::{Finding, FlowStep, Impact, Place, Severity, Verdict};
use crate::fingerprint::Entry;

/// How many users of a shared place are named.
const USERS_SHOWN: usize = 3;
/// How many requests of a sequence are named.
const STEPS_SHOWN: usize = 6;
/// How many lines of a finding are shown.
const LINES_SHOWN: usize = 12;

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint {
        color: listing.view.color,
    };
    if listing.report.command == "run" && !listing.view.verbose {
        return brief::write(listing, &paint, out);
    }
    let mut pair: Option<&str> = None;
    for entry in &listing.entries {
        if pair != entry.pair.as_deref() {
            pair = entry.pair.as_deref();
            let name = plain::line(pair.unwrap_or("all pairs"));
            let heading = Style::new().bold().underline();
            writeln!(out, "{}\n", paint.over(heading, &name))?;
        }
        let mut lines = paragraph(entry, listing.view.verbose, &paint);
        if !listing.view.verbose && lines.len() > LINES_SHOWN {
            let more = lines.len() - (LINES_SHOWN - 1);
            lines.truncate(LINES_SHOWN - 1);
            lines.push(format!("… {more} more lines with --verbose"));
        }
        let finding = &entry.finding;
        let subject = paint.over(Style::new().bold(), &plain::line(&finding.subject));
        writeln!(out, "{} {subject}", paint.severity(finding.severity))?;
        for line in lines {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
    }
    write_verdict(listing, &paint, out)
}

/// The result in one line, and the notes below it.
fn write_verdict(listing: &Listing<'_>, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let verdict = listing.report.verdict();
    writeln!(out, "{}: {}", paint.verdict(verdict), listing.counts())?;
    if let Some(coverage) = &listing.report.coverage
        && verdict != Verdict::NothingChecked
    {
        writeln!(out, "{}", coverage::line(coverage))?;
        if listing.view.verbose {
            for line in coverage::gaps(coverage) {
                writeln!(out, "  {}", plain::line(&line))?;
            }
        }
    }
    for note in &listing.report.notes {
        writeln!(out, "{}", plain::line(note))?;
    }
    Ok(())
}

/// The lines of a finding below its first.
fn paragraph(entry: &Entry, verbose: bool, paint: &Paint) -> Vec<String> {
    let finding = &entry.finding;
    let faint = |text: &str| paint.over(Style::new().dimmed(), text);
    let mut lines: Vec<String> = plain::lines(&message(entry))
        .lines()
        .map(str::to_owned)
        .collect();
    // The rule and the fingerprint, for `allow` and baselines.
    lines.push(faint(&format!("{} {}", finding.rule, entry.fingerprint)));
    let places = places(entry);
    let width = places.iter().map(|(side, _)| side.len()).max().unwrap_or(0);
    lines.extend(
        places
            .iter()
            .map(|(side, place)| format!("{side:<width$}  {}", faint(&shown(place)))),
    );
    if verbose && !finding.used_by.is_empty() {
        lines.push(format!("used by {}", finding.used_by.count));
        let tree = users(finding, usize::MAX).into_iter();
        lines.extend(
            tree.map(|(depth, line)| format!("{}{}", "  ".repeat(depth + 1), plain::line(&line))),
        );
    } else {
        lines.extend(used_by(finding));
    }
    // A value that harms nobody explains nothing.
    let harms = finding
        .effect
        .is_none_or(|effect| effect.impact != Impact::Compatible);
    if let Some(line) = witness_line(entry).filter(|_| harms || verbose) {
        let title = plain::line(&witness_title(entry));
        match &finding.witness {
            Some(witness) if verbose => {
                lines.push(format!("{title}:"));
                let json = plain::pretty_json(witness);
                lines.extend(json.lines().map(|line| format!("  {line}")));
            }
            _ => lines.push(format!("{title}: {}", plain::line(&line))),
        }
    }
    lines.extend(without_witness(finding).map(str::to_owned));
    if let Some(exchange) = &finding.exchange {
        let steps = steps(exchange);
        match verbose {
            true => lines.extend(steps.iter().map(|step| {
                let line = plain::line(&step.curl);
                format!("first: {line}")
            })),
            false => lines.extend(after(steps)),
        }
        let again = plain::lines(&exchange.curl);
        lines.extend(format!("again: {again}").lines().map(str::to_owned));
        if verbose {
            let response = exchange.response.as_deref().unwrap_or("none");
            for (name, text) in [
                ("request", exchange.request.as_str()),
                ("response", response),
            ] {
                lines.push(format!("{name}:"));
                lines.extend(plain::lines(text).lines().map(|line| format!("  {line}")));
            }
        }
    }
    lines
}

/// The requests before the one that shows a fault, in one line.
fn after(steps: &[FlowStep]) -> Option<String> {
    let shown = steps.iter().rev().take(STEPS_SHOWN).rev().map(|step| {
        let (method, url) = step.request.split_once(' ').unwrap_or_default();
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let status = step.status.map(|status| format!(" {status}"));
        format!("{method} /{path}{}", status.unwrap_or_default())
    });
    let shown: Vec<String> = shown.collect();
    let more = match steps.len().saturating_sub(STEPS_SHOWN) {
        0 => "",
        _ => "..., ",
    };
    let line = plain::line(&format!("after: {more}{}", shown.join(", ")));
    (!shown.is_empty()).then_some(line)
}

/// The users of a place, in one line; none where only the subject itself uses it.
fn used_by(finding: &Finding) -> Option<String> {
    let users = &finding.used_by;
    let named: Vec<&str> = users
        .tree
        .iter()
        .map(|user| user.subject.as_str())
        .collect();
    if users.count == 0 || (users.count == 1 && named == [finding.subject.as_str()]) {
        return None;
    }
    let shown = &named[..named.len().min(USERS_SHOWN)];
    let more = match users.count - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(plain::line(&format!(
        "used by {}: {}{more}",
        users.count,
        shown.join(", ")
    )))
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

    fn verdict(&self, verdict: Verdict) -> String {
        let style = match verdict {
            Verdict::Conforms => AnsiColor::Green.on_default(),
            Verdict::Deviates => AnsiColor::Red.on_default().bold(),
            Verdict::NothingChecked => AnsiColor::Yellow.on_default().bold(),
        };
        self.over(style, verdict.word())
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
    use serde_json::{Value, json};

    use super::super::{Format, Report, Unchecked, View, sample, write};
    use super::*;

    fn text(report: &Report, view: View) -> String {
        let mut out = Vec::new();
        write(Format::Text, report, view, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_are_paragraphs_the_gravest_first() {
        insta::assert_snapshot!(text(&sample::report(), View::default()));
    }

    #[test]
    fn verbose_shows_findings_in_full() {
        let view = View {
            verbose: true,
            ..View::default()
        };
        insta::assert_snapshot!(text(&sample::report(), view));
    }

    #[test]
    fn a_clean_run_is_one_line() {
        let mut report = sample::report();
        report.findings.clear();
        assert_eq!(
            text(&report, View::default()),
            "conforms: 2 operations, 5 schemas checked, nothing found\n"
        );
        let colored = View {
            color: true,
            ..View::default()
        };
        assert!(text(&report, colored).contains("\u{1b}["));
    }

    #[test]
    fn a_run_that_checked_nothing_says_why() {
        let mut report = sample::report();
        report.unchecked = Some(Unchecked::NoSamples { operations: 5 });
        // A finding that fails is the graver result.
        assert!(text(&report, View::default()).contains("\ndeviates: 1 breaking,"));
        report.findings.clear();
        assert_eq!(
            text(&report, View::default()),
            "nothing checked: none of 5 operations has a sample\n"
        );
    }

    #[test]
    fn findings_below_a_severity_are_counted_and_not_shown() {
        let view = View {
            show: Severity::Breaking,
            ..View::default()
        };
        let text = text(&sample::report(), view);
        assert!(!text.contains("schema-type-changed"), "{text}");
        assert!(
            text.ends_with("deviates: 1 breaking, 1 undecided, 1 warning; 2 operations, 5 schemas checked; 2 not shown\n"),
            "{text}"
        );
    }

    #[test]
    fn a_finding_has_at_most_twelve_lines_unless_all_is_asked_for() {
        let mut report = sample::report();
        report.findings.truncate(1);
        let finding = &mut report.findings[0].finding;
        finding.message = sample::unresolved(&"line\n".repeat(30));
        let witness = json!({"name": "n".repeat(90), "tags": ["a", {"b": [1, 2]}]});
        finding.witness = Some(witness.clone());
        let lines = |view| text(&report, view).lines().count();
        // The first line of the finding, eleven of it, the one that counts the rest, a blank one and the summary.
        assert_eq!(lines(View::default()), 1 + 12 + 1 + 1);
        let verbose = View {
            verbose: true,
            ..View::default()
        };
        let text = text(&report, verbose);
        let payload: String = text
            .lines()
            .skip_while(|line| *line != "  value:")
            .skip(1)
            .take_while(|line| line.starts_with("    "))
            .collect();
        assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), witness);
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        for verbose in [false, true] {
            let view = View {
                verbose,
                ..View::default()
            };
            let text = text(&sample::hostile(), view);
            assert!(sample::is_plain(&text), "{text}");
            assert!(text.contains("\\u{1b}[31mred\\u{7}"), "{text}");
        }
    }
}

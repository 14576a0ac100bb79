//! The report for a reader: findings below the operation they belong to, and one line that sums up.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};

use super::Report;
use crate::finding::{Finding, Place, Severity, Verdict};

/// How many users of a shared place are named.
const USERS_SHOWN: usize = 5;

pub(super) fn write(report: &Report, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { color };
    let mut subject: Option<&str> = None;
    for finding in &report.findings {
        if subject != Some(&finding.subject) {
            subject = Some(&finding.subject);
            writeln!(
                out,
                "{}\n",
                paint.over(Style::new().bold(), &finding.subject)
            )?;
        }
        write_finding(finding, &paint, out)?;
    }
    writeln!(out, "{}", summary(report, &paint))
}

fn write_finding(finding: &Finding, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  {}  {}",
        paint.severity(finding.severity),
        finding.rule
    )?;
    for line in finding.message.lines() {
        writeln!(out, "    {line}")?;
    }
    for (name, place) in [("theirs", &finding.theirs), ("ours", &finding.ours)] {
        if let Some(place) = place {
            writeln!(
                out,
                "    {name:<6} {}",
                paint.over(Style::new().dimmed(), &shown(place))
            )?;
        }
    }
    if !finding.used_by.is_empty() {
        let more = finding.used_by.len().saturating_sub(USERS_SHOWN);
        let mut users = finding
            .used_by
            .iter()
            .take(USERS_SHOWN)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        if more > 0 {
            users.push_str(&format!(", and {more} more"));
        }
        writeln!(out, "    used by {users}")?;
    }
    if let Some(witness) = &finding.witness {
        writeln!(out, "    witness {witness}")?;
    }
    if let Some(exchange) = &finding.exchange {
        writeln!(out, "    again: {}", exchange.curl)?;
    }
    writeln!(out)
}

/// `file:line:column pointer`; the first half is what editors jump to.
fn shown(place: &Place) -> String {
    let at = format!("{}:{}:{}", place.document, place.line, place.column);
    if place.pointer.is_empty() {
        at
    } else {
        format!("{at}  #{}", place.pointer)
    }
}

fn summary(report: &Report, paint: &Paint) -> String {
    let checked = counted(&report.checked);
    if report.findings.is_empty() {
        return format!(
            "{}: {checked} checked, nothing found",
            paint.over(AnsiColor::Green.on_default(), "conforms")
        );
    }
    let counts: Vec<String> = Severity::ALL
        .iter()
        .map(|&severity| (severity, report.count(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.word()))
        .collect();
    let verdict = match report.verdict() {
        Verdict::Conforms => paint.over(AnsiColor::Green.on_default(), "conforms"),
        Verdict::Deviates => paint.over(AnsiColor::Red.on_default().bold(), "deviates"),
    };
    format!("{verdict}: {}; {checked} checked", counts.join(", "))
}

/// `2 operations, 1 schema`; what there is none of is left out.
fn counted(checked: &BTreeMap<&'static str, usize>) -> String {
    let one = |(noun, count): (&&'static str, &usize)| match count {
        1 => format!("1 {}", noun.strip_suffix('s').unwrap_or(noun)),
        _ => format!("{count} {noun}"),
    };
    let some = checked.iter().filter(|(_, count)| **count > 0);
    some.map(one).collect::<Vec<_>>().join(", ")
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
        insta::assert_snapshot!(text(&sample::report(), false), @r#"
        GET /a (getA)

          breaking   operation-removed
            theirs says A, ours says B; say A in ours
            theirs theirs.yaml:4:3  #/info/title
            ours   ours.json:1:3  #/info/title

          undecided  schema-type-changed
            theirs says A, ours says B; say A in ours
            theirs theirs.yaml:4:3  #/info/title
            used by GET /a (getA), POST /a (createA)
            witness {"a":1}

        document

          warning    status-undocumented
            theirs says A, ours says B; say A in ours
            theirs theirs.yaml:4:3  #/info/title
            ours   ours.json:1:3  #/info/title
            again: curl http://localhost/a

        deviates: 1 breaking, 1 undecided, 1 warning; 2 operations, 5 schemas checked
        "#);
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
}

//! The report as JUnit XML, for CI servers: a suite for each comparison, a case for each finding. A finding that does not make the run
//! fail is a case that passes and says so in its output; a suite without findings has one case that passes.

use std::io::{self, Write};

use super::{Report, message, places, plain, users, witness_title};
use crate::fingerprint::Entry;

/// One suite: what it is about, and its findings.
struct Suite<'r> {
    name: String,
    entries: Vec<&'r Entry>,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let suites = suites(report);
    let failing = |entries: &[&Entry]| entries.iter().filter(|entry| report.fails(entry)).count();
    let cases: usize = suites.iter().map(|suite| suite.entries.len().max(1)).sum();
    let failures: usize = suites.iter().map(|suite| failing(&suite.entries)).sum();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="conformance {}" tests="{cases}" failures="{failures}" errors="0">"#,
        report.command
    )?;
    for suite in &suites {
        writeln!(
            out,
            r#"  <testsuite name="{}" tests="{}" failures="{}" errors="0" skipped="0">"#,
            attribute(&suite.name),
            suite.entries.len().max(1),
            failing(&suite.entries)
        )?;
        if suite.entries.is_empty() {
            writeln!(
                out,
                r#"    <testcase classname="{}" name="conforms"/>"#,
                attribute(&suite.name)
            )?;
        }
        for entry in &suite.entries {
            case(report, entry, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suites(report: &Report) -> Vec<Suite<'_>> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    let pairs = report
        .documents
        .iter()
        .map(|document| document.pair.as_deref());
    let findings = report.findings.iter().map(|entry| entry.pair.as_deref());
    for pair in pairs.chain(findings) {
        let name = match pair {
            Some(pair) => pair.to_owned(),
            None => report.command.to_owned(),
        };
        if !suites.iter().any(|suite| suite.name == name) {
            suites.push(Suite {
                entries: report
                    .findings
                    .iter()
                    .filter(|entry| entry.pair.as_deref() == pair)
                    .collect(),
                name,
            });
        }
    }
    suites
}

fn case(report: &Report, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let finding = &entry.finding;
    writeln!(
        out,
        r#"    <testcase classname="{}" name="{} {}">"#,
        attribute(&finding.subject),
        finding.rule,
        entry.fingerprint
    )?;
    let mut body = plain::lines(&message(entry));
    for (side, place) in places(entry) {
        let at = format!("{}:{}:{}", place.document, place.line, place.column);
        body.push_str(&format!(
            "\n{side}: {} #{}",
            plain::line(&at),
            plain::line(&place.pointer)
        ));
    }
    if !finding.used_by.is_empty() {
        body.push_str(&format!("\nused by {}", finding.used_by.count));
        for (depth, line) in users(finding, usize::MAX) {
            let indent = "  ".repeat(depth + 1);
            body.push_str(&format!("\n{indent}{}", plain::line(&line)));
        }
    }
    if let Some(witness) = &finding.witness {
        let title = plain::line(&witness_title(entry));
        body.push_str(&format!("\n{title}: {}", plain::json(witness)));
    }
    if let Some(exchange) = &finding.exchange {
        body.push_str(&format!("\nagain: {}", plain::lines(&exchange.curl)));
    }
    if report.fails(entry) {
        writeln!(
            out,
            r#"      <failure type="{}" message="{}">{}</failure>"#,
            finding.severity.word(),
            attribute(&message(entry)),
            content(&body)
        )?;
    } else {
        let severity = finding.severity.word();
        writeln!(
            out,
            "      <system-out>{severity}: {}</system-out>",
            content(&body)
        )?;
    }
    writeln!(out, "    </testcase>")
}

/// Text between tags. What XML 1.0 has no spelling for is shown as its number.
fn content(text: &str) -> String {
    plain::lines(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The value of an attribute, on one line.
fn attribute(text: &str) -> String {
    content(&plain::line(text))
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::super::{Format, sample};

    #[test]
    fn findings_are_cases() {
        insta::assert_snapshot!(sample::written(Format::Junit, &sample::report()));
    }

    /// An element: its name, the attributes that it must have, those that it may have, and the elements in it.
    type Element = (
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
    );

    /// What the schemas of Jenkins, Ant and Surefire have in common.
    const GRAMMAR: [Element; 5] = [
        (
            "testsuites",
            &[],
            &["name", "tests", "failures", "errors"],
            &["testsuite"],
        ),
        (
            "testsuite",
            &["name", "tests"],
            &["failures", "errors", "skipped"],
            &["testcase"],
        ),
        (
            "testcase",
            &["name", "classname"],
            &[],
            &["failure", "system-out"],
        ),
        ("failure", &[], &["type", "message"], &[]),
        ("system-out", &[], &[], &[]),
    ];

    fn check(node: Node<'_, '_>) {
        let name = node.tag_name().name();
        let (_, required, optional, children) = GRAMMAR
            .iter()
            .find(|(known, ..)| *known == name)
            .unwrap_or_else(|| panic!("<{name}>"));
        for attribute in *required {
            assert!(node.has_attribute(*attribute), "{name} {attribute}");
        }
        for attribute in node.attributes() {
            let known =
                required.contains(&attribute.name()) || optional.contains(&attribute.name());
            assert!(known, "{name} {}", attribute.name());
        }
        for child in node.children().filter(Node::is_element) {
            assert!(
                children.contains(&child.tag_name().name()),
                "{name} {child:?}"
            );
            check(child);
        }
    }

    fn count(node: Node<'_, '_>, name: &str) -> usize {
        node.descendants()
            .filter(|one| one.has_tag_name(name))
            .count()
    }

    #[test]
    fn the_file_is_well_formed_and_its_numbers_are_right() {
        let mut clean = sample::report();
        clean.findings.clear();
        for report in [sample::report(), sample::hostile(), clean] {
            let text = sample::written(Format::Junit, &report);
            assert!(sample::is_plain(&text));
            let document = Document::parse(&text).unwrap();
            let root = document.root_element();
            check(root);
            assert_eq!(
                root.attribute("tests").unwrap(),
                count(root, "testcase").to_string()
            );
            assert_eq!(
                root.attribute("failures").unwrap(),
                count(root, "failure").to_string()
            );
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let text = sample::written(Format::Junit, &sample::hostile());
        let document = Document::parse(&text).unwrap();
        let failure = document
            .descendants()
            .find(|one| one.has_tag_name("failure"))
            .unwrap();
        assert!(
            failure
                .text()
                .unwrap()
                .starts_with("<script>alert(1)</script> a|b `c`")
        );
        assert!(failure.text().unwrap().contains("]]> --> \"q\""));
        assert!(
            failure
                .attribute("message")
                .unwrap()
                .contains("\\u{1b}[31mred")
        );
    }
}

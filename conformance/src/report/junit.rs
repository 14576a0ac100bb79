//! The report as JUnit XML, for CI servers: a suite for each comparison, a case for each finding. A finding that does not make the run
//! fail is a case that passes and says so in its output; a suite without findings has one case that passes.

use std::io::{self, Write};

use super::{Listing, message, places, plain, users, witness_line, witness_title};
use crate::finding::Verdict;
use crate::fingerprint::Entry;

/// One suite: a comparison and its findings.
struct Suite<'r> {
    name: String,
    entries: Vec<&'r Entry>,
}

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = listing.report;
    let suites = suites(listing);
    let nothing = report.verdict() == Verdict::NothingChecked;
    let failing = |entries: &[&Entry]| entries.iter().filter(|entry| report.fails(entry)).count();
    let tests = |suite: &Suite<'_>| {
        suite.entries.len().max(1) + usize::from(nothing && !suite.entries.is_empty())
    };
    let errors = if nothing { suites.len() } else { 0 };
    let cases: usize = suites.iter().map(tests).sum();
    let failures: usize = suites.iter().map(|suite| failing(&suite.entries)).sum();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="conformance {}" tests="{cases}" failures="{failures}" errors="{errors}">"#,
        report.command
    )?;
    for suite in &suites {
        writeln!(
            out,
            r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="0">"#,
            attribute(&suite.name),
            tests(suite),
            failing(&suite.entries),
            usize::from(nothing)
        )?;
        if nothing {
            let summary = attribute(&listing.summary());
            writeln!(
                out,
                r#"    <testcase classname="{}" name="nothing checked"><error type="nothing-checked" message="{summary}"/></testcase>"#,
                attribute(&suite.name)
            )?;
        } else if suite.entries.is_empty() {
            writeln!(
                out,
                r#"    <testcase classname="{}" name="conforms"/>"#,
                attribute(&suite.name)
            )?;
        }
        for entry in &suite.entries {
            case(listing, entry, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suites<'r>(listing: &Listing<'r>) -> Vec<Suite<'r>> {
    let report = listing.report;
    let mut suites: Vec<Suite<'_>> = Vec::new();
    let pairs = report
        .documents
        .iter()
        .map(|document| document.pair.as_deref());
    let findings = listing.entries.iter().map(|entry| entry.pair.as_deref());
    for pair in pairs.chain(findings) {
        let name = match pair {
            Some(pair) => pair.to_owned(),
            None => report.command.to_owned(),
        };
        if !suites.iter().any(|suite| suite.name == name) {
            suites.push(Suite {
                entries: listing
                    .entries
                    .iter()
                    .copied()
                    .filter(|entry| entry.pair.as_deref() == pair)
                    .collect(),
                name,
            });
        }
    }
    suites
}

fn case(listing: &Listing<'_>, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
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
    if let Some(witness) = witness_line(entry) {
        let title = plain::line(&witness_title(entry));
        body.push_str(&format!("\n{title}: {}", plain::line(&witness)));
    }
    if let Some(exchange) = &finding.exchange {
        body.push_str(&format!("\nagain: {}", plain::lines(&exchange.curl)));
    }
    if listing.report.fails(entry) {
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

    use super::super::{Format, Unchecked, sample};
    use crate::finding::Severity;

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
    const GRAMMAR: [Element; 6] = [
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
            &["error", "failure", "system-out"],
        ),
        ("error", &[], &["type", "message"], &[]),
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
        let mut nothing = sample::report();
        nothing.unchecked = Some(Unchecked::Empty);
        nothing
            .findings
            .retain(|entry| entry.finding.severity > Severity::Undecided);
        let mut empty = nothing.clone();
        empty.findings.clear();
        for report in [sample::report(), sample::hostile(), clean, nothing, empty] {
            let text = sample::written(Format::Junit, &report);
            assert!(sample::is_plain(&text));
            let document = Document::parse(&text).unwrap();
            let root = document.root_element();
            check(root);
            assert_eq!(
                root.attribute("tests").unwrap(),
                count(root, "testcase").to_string()
            );
            for (attribute, element) in [("failures", "failure"), ("errors", "error")] {
                assert_eq!(
                    root.attribute(attribute).unwrap(),
                    count(root, element).to_string()
                );
            }
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
                .contains("<script>alert(1)</script> a|b `c`")
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

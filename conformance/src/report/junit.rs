//! The report as JUnit XML, for CI servers: a suite for each comparison, a case for each sample that was sent and for each finding that
//! is not about one. A finding that does not make the run fail is told in the output of a case that passes; a suite without cases has
//! one that passes.

use std::io::{self, Write};

use super::{Listing, message, places, plain, users, witness_line, witness_title};
use crate::finding::{Message, SentSample, Verdict};
use crate::fingerprint::Entry;

/// One suite: a comparison and its cases.
struct Suite<'r> {
    name: String,
    cases: Vec<Case<'r>>,
}

/// One case: a sample that was sent, or a finding.
struct Case<'r> {
    class: &'r str,
    name: String,
    entries: Vec<&'r Entry>,
}

impl Case<'_> {
    fn fails(&self, listing: &Listing<'_>) -> bool {
        self.entries.iter().any(|entry| listing.report.fails(entry))
    }
}

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = listing.report;
    let suites = suites(listing);
    let nothing = report.verdict() == Verdict::NothingChecked;
    let failing = |suite: &Suite<'_>| {
        suite
            .cases
            .iter()
            .filter(|case| case.fails(listing))
            .count()
    };
    let tests = |suite: &Suite<'_>| {
        suite.cases.len().max(1) + usize::from(nothing && !suite.cases.is_empty())
    };
    let errors = if nothing { suites.len() } else { 0 };
    let cases: usize = suites.iter().map(tests).sum();
    let failures: usize = suites.iter().map(failing).sum();
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
            failing(suite),
            usize::from(nothing)
        )?;
        if nothing {
            let summary = attribute(&listing.summary());
            writeln!(
                out,
                r#"    <testcase classname="{}" name="nothing checked"><error type="nothing-checked" message="{summary}"/></testcase>"#,
                attribute(&suite.name)
            )?;
        } else if suite.cases.is_empty() {
            writeln!(
                out,
                r#"    <testcase classname="{}" name="conforms"/>"#,
                attribute(&suite.name)
            )?;
        }
        for one in &suite.cases {
            case(listing, one, out)?;
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
            let entries = listing.entries.iter().copied();
            suites.push(Suite {
                cases: cases(
                    &report.sent,
                    entries.filter(|entry| entry.pair.as_deref() == pair),
                ),
                name,
            });
        }
    }
    suites
}

/// The cases of a suite: samples in the order in which they were sent, then what is not about one.
fn cases<'r>(sent: &'r [SentSample], entries: impl Iterator<Item = &'r Entry>) -> Vec<Case<'r>> {
    let mut cases: Vec<Case<'_>> = sent
        .iter()
        .map(|sent| Case {
            class: &sent.operation,
            name: sent.sample.to_string(),
            entries: Vec::new(),
        })
        .collect();
    for entry in entries {
        let finding = &entry.finding;
        let sample = match &finding.message {
            Message::Replay(fault) if finding.exchange.is_some() => fault.sample(),
            _ => None,
        };
        let own = cases[..sent.len()]
            .iter_mut()
            .find(|case| case.class == finding.subject && Some(case.name.as_str()) == sample);
        match own {
            Some(own) => own.entries.push(entry),
            None => cases.push(Case {
                class: &finding.subject,
                name: format!("{} {}", finding.rule, entry.fingerprint),
                entries: vec![entry],
            }),
        }
    }
    cases
}

fn case(listing: &Listing<'_>, case: &Case<'_>, out: &mut dyn Write) -> io::Result<()> {
    let open = format!(
        r#"    <testcase classname="{}" name="{}""#,
        attribute(case.class),
        attribute(&case.name)
    );
    if case.entries.is_empty() {
        return writeln!(out, "{open}/>");
    }
    writeln!(out, "{open}>")?;
    let fails = |entry: &&&Entry| listing.report.fails(entry);
    let failures: Vec<String> = case
        .entries
        .iter()
        .filter(fails)
        .map(|entry| body(entry))
        .collect();
    let first = case.entries.iter().find(fails);
    if let Some(first) = first {
        let more = match failures.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        writeln!(
            out,
            r#"      <failure type="{}" message="{}">{}</failure>"#,
            first.finding.severity.word(),
            attribute(&format!("{}{more}", message(first))),
            content(&failures.join("\n\n"))
        )?;
    }
    let passes = case
        .entries
        .iter()
        .filter(|entry| !listing.report.fails(entry));
    let told: Vec<String> = passes
        .map(|entry| {
            format!(
                "{}: {}",
                entry.finding.severity.word(),
                content(&body(entry))
            )
        })
        .collect();
    if !told.is_empty() {
        writeln!(out, "      <system-out>{}</system-out>", told.join("\n\n"))?;
    }
    writeln!(out, "    </testcase>")
}

/// A finding in full.
fn body(entry: &Entry) -> String {
    let finding = &entry.finding;
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
    body
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
    use crate::finding::{SentSample, Severity};

    #[test]
    fn findings_are_cases() {
        insta::assert_snapshot!(sample::written(Format::Junit, &sample::report()));
    }

    #[test]
    fn each_sample_that_was_sent_is_a_case() {
        let mut report = sample::report();
        let sent = |operation: &str, sample: &str| SentSample {
            operation: operation.into(),
            sample: sample.into(),
        };
        report.sent = vec![sent("GET /b (getB)", "ok"), sent("GET /c (getC)", "ok")];
        let text = sample::written(Format::Junit, &report);
        let document = Document::parse(&text).expect("is XML");
        let cases: Vec<(&str, &str, usize)> = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .map(|node| {
                let attribute = |name| node.attribute(name).unwrap_or_default();
                let below = node.children().filter(Node::is_element).count();
                (attribute("classname"), attribute("name"), below)
            })
            .collect();
        assert_eq!(
            cases[..2],
            [("GET /b (getB)", "ok", 1), ("GET /c (getC)", "ok", 0)]
        );
        assert_eq!(cases.len(), 4);
    }

    /// An element: its name, the attributes that it must have, those that it may have, and the elements in it.
    type Element = (
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
    );

    /// The common part of the schemas of Jenkins, Ant and Surefire.
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

//! The report as one file for a browser: no network, light and dark, readable on a phone.
//!
//! Findings stand below their operation, those with the gravest findings first. Severities are shown and hidden by check boxes that
//! the style sheet looks at. A report of a live check shows before them what was observed of each operation. All of it can be read
//! without scripts; the script of live reports copies commands and filters operations. The content security policy allows this file's
//! own style sheet and script, and nothing else. The file is also well-formed XML, which is how the tests read it.

mod coverage;

use std::collections::HashMap;
use std::io::{self, Write};

use super::{
    Listing, message as sentence, places, plain, steps, users, without_witness, witness_line,
    witness_title,
};
use crate::finding::{ExchangeRecord, Severity, Verdict};
use crate::fingerprint::Entry;

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");
/// The SHA-256 of the style sheet in Base64, as the policy wants it; a test compares them.
const STYLE_HASH: &str = "ewKLjdNR584ysYTV4Zoi06HTPzlnaYJMylBHkV8rr6A=";

/// The same of the script.
const SCRIPT_HASH: &str = "X84r6wJikMb6G5IFHK1bJZb6BtTE4Q1d71+GIvwzuF0=";

/// An operation, or another subject, with its findings.
struct Section<'r> {
    pair: Option<&'r str>,
    subject: &'r str,
    entries: Vec<&'r Entry>,
}

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = listing.report;
    let verdict = report.verdict().word();
    let title = escaped(&format!("conformance {}: {verdict}", report.command));
    let is_live = report.server.is_some();
    let script_policy = match is_live {
        true => format!(" script-src 'sha256-{SCRIPT_HASH}';"),
        false => String::new(),
    };
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{STYLE_HASH}';{script_policy} base-uri 'none'; form-action 'none'\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n"
    )?;
    let class = match report.verdict() {
        Verdict::Conforms => "conforms",
        Verdict::Deviates => "deviates",
        Verdict::NothingChecked => "nothing",
    };
    writeln!(
        out,
        "<h1>conformance {}: <span class=\"{class}\">{verdict}</span></h1>",
        escaped(report.command)
    )?;
    writeln!(out, "<p>{}</p>", escaped(&listing.counts()))?;
    writeln!(out, "<ul class=\"documents\">")?;
    if let Some(server) = &report.server {
        writeln!(out, "<li>server <code>{}</code></li>", escaped(server))?;
    }
    for document in &report.documents {
        let pair = document
            .pair
            .as_deref()
            .map_or_else(String::new, |pair| format!("{}: ", escaped(pair)));
        writeln!(
            out,
            "<li>{pair}{} <code>{}</code> (OpenAPI {})</li>",
            document.role,
            escaped(&document.name),
            document.openapi
        )?;
    }
    writeln!(out, "</ul>")?;
    writeln!(out, "</header>")?;
    let sections = sections(listing);
    if let Some(coverage) = &report.coverage {
        coverage::write(coverage, &sections, out)?;
    }
    if !sections.is_empty() && report.coverage.is_some() {
        writeln!(out, "<h2>Findings</h2>")?;
    }
    filters(listing, out)?;
    if is_live && sections.len() > 1 {
        writeln!(
            out,
            "<p class=\"find\" hidden=\"hidden\"><input class=\"find\" type=\"search\" placeholder=\"Filter by operation\" aria-label=\"Filter by operation\"/></p>"
        )?;
    }
    contents(&sections, out)?;
    writeln!(out, "<main>")?;
    for (index, section) in sections.iter().enumerate() {
        if let Some(pair) = new_pair(&sections, index) {
            writeln!(out, "<h2>{}</h2>", escaped(pair))?;
        }
        let classes: Vec<String> = counted(&section.entries)
            .map(|(severity, _)| format!("has-{}", severity.word()))
            .collect();
        let (classes, subject) = (classes.join(" "), escaped(section.subject));
        writeln!(
            out,
            "<section class=\"{classes}\" id=\"s-{index}\" data-operation=\"{subject}\">\n<h3>{subject}</h3>"
        )?;
        for entry in &section.entries {
            article(entry, out)?;
        }
        writeln!(out, "</section>")?;
    }
    writeln!(out, "</main>")?;
    if is_live {
        writeln!(out, "<script>{SCRIPT}</script>")?;
    }
    writeln!(out, "</body>\n</html>")
}

/// The sections in the order of their first findings.
fn sections<'r>(listing: &Listing<'r>) -> Vec<Section<'r>> {
    let mut sections: Vec<Section<'r>> = Vec::new();
    let mut known: HashMap<(Option<&str>, &str), usize> = HashMap::new();
    for &entry in &listing.entries {
        let (pair, subject) = (entry.pair.as_deref(), entry.finding.subject.as_str());
        let index = *known.entry((pair, subject)).or_insert_with(|| {
            sections.push(Section {
                pair,
                subject,
                entries: Vec::new(),
            });
            sections.len() - 1
        });
        sections[index].entries.push(entry);
    }
    sections
}

/// The pair of a section that is the first of its pair.
fn new_pair<'r>(sections: &[Section<'r>], index: usize) -> Option<&'r str> {
    let pair = sections[index].pair;
    let before = index
        .checked_sub(1)
        .and_then(|before| sections[before].pair);
    pair.filter(|_| pair != before)
}

/// How many entries there are of each severity, where there are some.
fn counted<'e>(entries: &'e [&Entry]) -> impl Iterator<Item = (Severity, usize)> + 'e {
    Severity::ALL.into_iter().filter_map(|severity| {
        let of = entries
            .iter()
            .filter(|entry| entry.finding.severity == severity);
        Some((severity, of.count())).filter(|(_, count)| *count > 0)
    })
}

/// A check box for each severity. They come before `main`, where the style sheet can tell which are checked.
fn filters(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (severity, count) in counted(&listing.entries) {
        let word = severity.word();
        writeln!(
            out,
            "<input type=\"checkbox\" id=\"show-{word}\" checked=\"checked\"/><label for=\"show-{word}\" class=\"{word}\"><strong>{word}</strong> {count}</label>"
        )?;
    }
    Ok(())
}

/// Links to the sections, with how many findings each has.
fn contents(sections: &[Section<'_>], out: &mut dyn Write) -> io::Result<()> {
    if sections.len() < 2 {
        return Ok(());
    }
    writeln!(
        out,
        "<nav><details open=\"open\"><summary>Contents</summary><ul>"
    )?;
    for (index, section) in sections.iter().enumerate() {
        if let Some(pair) = new_pair(sections, index) {
            writeln!(out, "<li class=\"pair\">{}</li>", escaped(pair))?;
        }
        let counts: Vec<String> = counted(&section.entries)
            .map(|(severity, count)| {
                let (word, count) = (severity.word(), super::counted(severity, count));
                format!("<span class=\"{word}\"><strong>{count}</strong></span>")
            })
            .collect();
        let subject = escaped(section.subject);
        writeln!(
            out,
            "<li data-operation=\"{subject}\"><a href=\"#s-{index}\">{subject}</a> {}</li>",
            counts.join(" ")
        )?;
    }
    writeln!(out, "</ul></details></nav>")
}

fn article(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let finding = &entry.finding;
    let word = finding.severity.word();
    writeln!(
        out,
        "<article class=\"{word}\" id=\"f-{}\">",
        element_id(entry)
    )?;
    writeln!(
        out,
        "<p class=\"rule\"><strong>{word}</strong> <code>{}</code></p>",
        escaped(finding.rule)
    )?;
    writeln!(
        out,
        "<p class=\"message\">{}</p>",
        message(&sentence(entry))
    )?;
    writeln!(out, "<dl>")?;
    for (side, place) in places(entry) {
        let at = format!("{}:{}:{}", place.document, place.line, place.column);
        writeln!(
            out,
            "<dt>{side}</dt><dd><code>{}</code><br/><code>#{}</code></dd>",
            escaped(&at),
            escaped(&place.pointer)
        )?;
    }
    writeln!(out, "</dl>")?;
    if !finding.used_by.is_empty() {
        writeln!(
            out,
            "<details><summary>used by {}</summary><ul>",
            finding.used_by.count
        )?;
        for (depth, line) in users(finding, usize::MAX) {
            let line = escaped(&line);
            if depth == 0 {
                writeln!(out, "<li>{line}</li>")?;
            } else {
                writeln!(out, "<li class=\"way\">{line}</li>")?;
            }
        }
        writeln!(out, "</ul></details>")?;
    }
    if let (Some(line), Some(witness)) = (witness_line(entry), &finding.witness) {
        let (title, line) = (escaped(&witness_title(entry)), escaped(&plain::line(&line)));
        writeln!(out, "<p>{title}: <code>{line}</code></p>")?;
        block("the whole value", &plain::pretty_json(witness), out)?;
    }
    if let Some(reason) = without_witness(finding) {
        writeln!(out, "<p>{reason}</p>")?;
    }
    if let Some(exchange) = &finding.exchange {
        write_exchange(exchange, out)?;
    }
    writeln!(
        out,
        "<p class=\"fingerprint\">fingerprint <code>{}</code></p>\n</article>",
        entry.fingerprint
    )
}

/// The anchor of a finding, also where several pairs have the same one.
fn element_id(entry: &Entry) -> String {
    match &entry.pair {
        Some(pair) => crate::fingerprint::digest(&format!("{pair}:{}", entry.fingerprint)),
        None => entry.fingerprint.clone(),
    }
}

/// The command that shows it again, then request and response, side by side where there is room.
fn write_exchange(exchange: &ExchangeRecord, out: &mut dyn Write) -> io::Result<()> {
    for step in steps(exchange) {
        let status = step
            .status
            .map_or("no response".to_owned(), |status| status.to_string());
        let name = format!("first: {}, {status}", step.request);
        block(&escaped(&name), &step.curl, out)?;
    }
    writeln!(
        out,
        "<h4>again</h4><div class=\"again\"><button type=\"button\" class=\"copy\" hidden=\"hidden\">Copy</button><pre>{}</pre></div>",
        escaped(&exchange.curl)
    )?;
    let response = exchange.response.as_deref().unwrap_or("none");
    writeln!(out, "<div class=\"exchange\">")?;
    for (name, text) in [
        ("request", exchange.request.as_str()),
        ("response", response),
    ] {
        writeln!(
            out,
            "<div><h4>{name}</h4><pre>{}</pre></div>",
            escaped(text)
        )?;
    }
    writeln!(out, "</div>")
}

fn block(name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<details><summary>{name}</summary><pre>{}</pre></details>",
        escaped(text)
    )
}

/// A message, with what it quotes in backticks as code.
fn message(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let part = |(index, part): (usize, &&str)| match index % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

fn escaped(text: &str) -> String {
    plain::lines(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, ParsingOptions};
    use sha2::{Digest, Sha256};

    use super::super::{Format, sample};
    use super::*;

    fn parse(text: &str) -> Document<'_> {
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(text, options).unwrap()
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let bits = chunk
                .iter()
                .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            for index in 0..4 {
                let digit = usize::try_from(bits >> (18 - 6 * index) & 63).unwrap();
                text.push(if index <= chunk.len() {
                    char::from(DIGITS[digit])
                } else {
                    '='
                });
            }
        }
        text
    }

    #[test]
    fn findings_stand_below_their_operation() {
        let text = sample::written(Format::Html, &sample::report());
        insta::assert_snapshot!(text.replace(STYLE, "..."));
    }

    #[test]
    fn the_policy_allows_the_style_sheet_and_nothing_else() {
        assert_eq!(base64(b"abcd"), "YWJjZA==");
        assert_eq!(base64(&Sha256::digest(STYLE)), STYLE_HASH);
        assert_eq!(base64(&Sha256::digest(SCRIPT)), SCRIPT_HASH);
        for part in ["url(", "@import", "<", "expression"] {
            assert!(!STYLE.contains(part), "{part}");
        }
        for part in ["<", "&", "innerHTML", "fetch", "eval", "http"] {
            assert!(!SCRIPT.contains(part), "{part}");
        }
        // Where nothing is copied, nothing runs.
        let text = sample::written(Format::Html, &sample::report());
        assert!(!text.contains("<script") && !text.contains("script-src"));
    }

    #[test]
    fn a_live_report_shows_what_was_observed_and_request_beside_response() {
        let text = sample::written(Format::Html, &sample::live());
        let document = parse(&text);
        let all = |name: &'static str, class: &'static str| {
            let nodes = document
                .descendants()
                .filter(move |node| node.has_tag_name(name));
            nodes.filter(move |node| node.attribute("class") == Some(class))
        };
        let operations: Vec<&str> = all("details", "operation")
            .filter_map(|node| node.attribute("data-operation"))
            .collect();
        assert_eq!(operations, ["GET /b (getB)", "POST /never"]);
        let chips: Vec<Option<&str>> = all("span", "unseen").map(|node| node.text()).collect();
        assert_eq!(chips, [Some("404"), Some("200"), Some("404")]);
        assert_eq!(
            all("span", "odd").next().and_then(|node| node.text()),
            Some("418")
        );
        let exchange = all("div", "exchange").next().unwrap();
        let heads: Vec<Option<&str>> = exchange
            .descendants()
            .filter(|node| node.has_tag_name("h4"))
            .map(|node| node.text())
            .collect();
        assert_eq!(heads, [Some("request"), Some("response")]);
        let copied = all("button", "copy")
            .next()
            .unwrap()
            .next_sibling_element()
            .unwrap();
        assert!(copied.text().unwrap().starts_with("curl "));
        insta::assert_snapshot!(text.replace(STYLE, "...").replace(SCRIPT, "..."));
    }

    #[test]
    fn hostile_text_makes_no_element_and_no_attribute() {
        let mut report = sample::hostile();
        report.server = Some(sample::HOSTILE.to_owned());
        report.coverage = sample::live().coverage.map(|mut coverage| {
            let hostile = &mut coverage.operations[0];
            hostile.operation = sample::HOSTILE.to_owned();
            hostile.statuses[0].name = sample::HOSTILE.to_owned();
            hostile.parameters[0].name = sample::HOSTILE.to_owned();
            hostile.samples[0].name = sample::HOSTILE.to_owned();
            coverage
        });
        let text = sample::written(Format::Html, &report);
        assert!(sample::is_plain(&text));
        let document = parse(&text);
        let allowed = [
            "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "span",
            "p", "ul", "li", "article", "strong", "code", "dl", "dt", "dd", "br", "details",
            "summary", "pre", "header", "nav", "section", "input", "label", "a", "h4", "div",
            "button", "meter", "b", "script",
        ];
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            assert!(allowed.contains(&node.tag_name().name()), "{node:?}");
            for attribute in node.attributes() {
                let known = [
                    "lang",
                    "charset",
                    "http-equiv",
                    "content",
                    "name",
                    "class",
                    "id",
                    "open",
                    "type",
                    "for",
                    "checked",
                    "href",
                    "hidden",
                    "data-operation",
                    "placeholder",
                    "aria-label",
                    "title",
                    "value",
                    "max",
                ];
                assert!(known.contains(&attribute.name()), "{attribute:?}");
            }
        }
        let shown = document
            .descendants()
            .filter(|node| node.has_tag_name("h3"))
            .find_map(|node| node.text().map(str::to_owned))
            .unwrap();
        assert!(
            shown.starts_with("<script>alert(1)</script> a|b `c` ::error::x"),
            "{shown}"
        );
    }
}

//! The picture of what a run observed: how much of each kind of thing, and a line for each operation that opens to the details.

use std::collections::HashMap;
use std::io::{self, Write};

use super::{Section, counted, escaped};
use crate::finding::{Coverage, KeywordCoverage, OperationCoverage, SentPart, Share};

/// The kinds of things in the order in which they are shown.
const ORDER: [&str; 9] = [
    "operations",
    "statuses",
    "parameters",
    "request media types",
    "response media types",
    "samples",
    "request keywords",
    "response keywords",
    "security requirements",
];

pub(super) fn write(
    coverage: &Coverage,
    sections: &[Section<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "<section class=\"coverage\">\n<h2>Coverage</h2>")?;
    writeln!(out, "<ul class=\"totals\">")?;
    for kind in ORDER {
        let share = coverage.totals.get(kind).copied().unwrap_or_default();
        if share.all > 0 {
            let Share { observed, all } = share;
            let class = if observed == all {
                " class=\"whole\""
            } else {
                ""
            };
            writeln!(
                out,
                "<li{class}><span>{kind}</span> <b>{observed}</b> of {all} {}</li>",
                meter(share)
            )?;
        }
    }
    writeln!(out, "</ul>")?;
    let found: HashMap<&str, usize> = sections
        .iter()
        .enumerate()
        .map(|(index, section)| (section.subject, index))
        .collect();
    for operation in &coverage.operations {
        let index = found.get(operation.operation.as_str()).copied();
        let section = index.map(|index| (index, &sections[index]));
        write_operation(operation, section, out)?;
    }
    writeln!(out, "</section>")
}

fn meter(share: Share) -> String {
    let Share { observed, all } = share;
    format!("<meter value=\"{observed}\" max=\"{all}\">{observed} of {all}</meter>")
}

fn write_operation(
    one: &OperationCoverage,
    section: Option<(usize, &Section<'_>)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = escaped(&one.operation);
    let (method, rest) = one
        .operation
        .split_once(' ')
        .unwrap_or(("", &one.operation));
    let mut sum = Share::default();
    for (_, share) in one.shares() {
        sum.observed += share.observed;
        sum.all += share.all;
    }
    writeln!(
        out,
        "<details class=\"operation\" data-operation=\"{name}\"><summary><span class=\"method\">{}</span> <span class=\"path\">{}</span>",
        escaped(method),
        escaped(rest)
    )?;
    write!(out, "<span class=\"chips\">")?;
    for status in &one.statuses {
        let (class, word) = match status.observed {
            0 => ("unseen", "not observed"),
            _ => ("seen", "observed"),
        };
        let status = escaped(&status.name);
        write!(
            out,
            "<span class=\"{class}\" title=\"{status} {word}\">{status}</span>"
        )?;
    }
    for status in &one.undocumented {
        let status = escaped(&status.name);
        write!(
            out,
            "<span class=\"odd\" title=\"{status} is not documented\">{status}</span>"
        )?;
    }
    writeln!(out, "</span> {}", meter(sum))?;
    let requests = match one.requests {
        0 => "no request".to_owned(),
        1 => "1 request".to_owned(),
        requests => format!("{requests} requests"),
    };
    writeln!(out, "<span class=\"count\">{requests}</span></summary>")?;
    if let Some((index, section)) = section {
        let counts: Vec<String> = counted(&section.entries)
            .map(|(severity, count)| super::super::counted(severity, count))
            .collect();
        writeln!(
            out,
            "<p><a href=\"#s-{index}\">findings: {}</a></p>",
            counts.join(", ")
        )?;
    }
    writeln!(out, "<dl>")?;
    let (accepted, refused) = (one.accepted, one.refused);
    row(
        "responses",
        &[format!("{accepted} of 2xx or 3xx, {refused} of 4xx or 5xx")],
        out,
    )?;
    let received: Vec<String> = one
        .statuses
        .iter()
        .chain(&one.undocumented)
        .chain(&one.response_types)
        .map(|part| format!("{}: {}", part.name, times(part.observed)))
        .collect();
    row("received", &received, out)?;
    row("parameters", &sent(&one.parameters), out)?;
    row("bodies", &sent(&one.request_types), out)?;
    let samples: Vec<String> = one
        .samples
        .iter()
        .map(|sample| match sample.sent {
            true => format!("{}: sent", sample.name),
            false => format!("{}: not sent", sample.name),
        })
        .collect();
    row("samples", &samples, out)?;
    let security: Vec<String> = one
        .security
        .iter()
        .map(|one| match one.schemes.as_slice() {
            [] => format!("none needed: {} accepted", one.accepted),
            schemes => format!("{}: {} accepted", schemes.join(" and "), one.accepted),
        })
        .collect();
    row("credentials", &security, out)?;
    row("request keywords", &keywords(&one.request_keywords), out)?;
    row("response keywords", &keywords(&one.response_keywords), out)?;
    writeln!(out, "</dl></details>")
}

fn row(name: &str, values: &[String], out: &mut dyn Write) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
    writeln!(out, "<dt>{name}</dt><dd>{}</dd>", values.join("<br/>"))
}

fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

fn sent(parts: &[SentPart]) -> Vec<String> {
    let line = |part: &SentPart| match part.sent {
        0 => format!("{}: never sent", part.name),
        sent => format!(
            "{}: sent {}, {} accepted",
            part.name,
            times(sent),
            part.accepted
        ),
    };
    parts.iter().map(line).collect()
}

fn keywords(coverage: &KeywordCoverage) -> Vec<String> {
    if coverage.all == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("{} of {}", coverage.observed, coverage.all)];
    lines.extend(coverage.missing.iter().map(|at| format!("not met: #{at}")));
    let more = (coverage.all - coverage.observed).saturating_sub(coverage.missing.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

//! The coverage of a run in text: one line, and what was not observed for those who ask.

use crate::finding::{Coverage, OperationCoverage};

/// `observed: 5 of 5 operations, 12 of 14 statuses`; kinds of which there is nothing are left out.
pub(super) fn line(coverage: &Coverage) -> String {
    const ORDER: [&str; 6] = [
        "operations",
        "statuses",
        "parameters",
        "samples",
        "request media types",
        "security requirements",
    ];
    let share = |kind: &str| coverage.totals.get(kind).copied().unwrap_or_default();
    let mut parts: Vec<String> = ORDER
        .iter()
        .map(|kind| (kind, share(kind)))
        .filter(|(_, share)| share.all > 0)
        .map(|(kind, share)| format!("{} of {} {kind}", share.observed, share.all))
        .collect();
    let [requests, responses] = ["request keywords", "response keywords"].map(share);
    let (observed, all) = (
        requests.observed + responses.observed,
        requests.all + responses.all,
    );
    if all > 0 {
        parts.push(format!("{observed} of {all} schema keywords"));
    }
    format!("observed: {}", parts.join(", "))
}

/// A line for each operation of which something was not observed.
pub(super) fn gaps(coverage: &Coverage) -> Vec<String> {
    let lines = coverage.operations.iter().filter_map(|one| {
        let missing = missing(one);
        (!missing.is_empty())
            .then(|| format!("{}: not observed: {}", one.operation, missing.join(", ")))
    });
    lines.collect()
}

fn missing(one: &OperationCoverage) -> Vec<String> {
    if one.requests == 0 {
        return vec!["no request was sent".to_owned()];
    }
    let mut missing = Vec::new();
    let statuses = one.statuses.iter().filter(|status| status.observed == 0);
    missing.extend(statuses.map(|status| format!("status {}", status.name)));
    let sent = one.parameters.iter().chain(&one.request_types);
    let sent = sent.filter(|part| part.accepted == 0);
    missing.extend(sent.map(|part| match part.sent {
        0 => part.name.clone(),
        _ => format!("{} in an accepted request", part.name),
    }));
    let samples = one.samples.iter().filter(|sample| !sample.sent);
    missing.extend(samples.map(|sample| format!("sample `{}`", sample.name)));
    missing
}

//! Writing the file that accepts findings.

use std::collections::HashSet;
use std::fmt::Write;

use super::{Baseline, Reasons, VERSION};
use crate::fingerprint::Entry;
use crate::toml_text::{TextError, quoted};

/// The text of a baseline that accepts `entries`, each with its sentence. An entry of `before` is kept, all others get `reason`, which
/// may be empty to be filled in.
///
/// # Errors
/// When `before` is no baseline.
pub fn render(
    entries: &[(&Entry, String)],
    reason: &str,
    name: &str,
    before: &str,
) -> Result<String, TextError> {
    let before = Baseline::read(name, before, Reasons::Optional)?;
    let mut text = String::from(
        "# Accepted findings of conformance. Every entry needs a reason; `expires = 2027-01-31` and `owner` are optional.\n",
    );
    let _ = writeln!(text, "version = {VERSION}");
    let mut written = HashSet::new();
    // One entry accepts the same difference of several pairs.
    for (entry, sentence) in entries
        .iter()
        .filter(|(entry, _)| written.insert(&entry.fingerprint))
    {
        let known = before.accepting(entry);
        let kept = known
            .map(|accepted| accepted.what.reason.as_str())
            .filter(|kept| !kept.trim().is_empty());
        let mut lines = vec![
            format!("fingerprint = \"{}\"", entry.fingerprint),
            format!("reason = {}", quoted(kept.unwrap_or(reason))),
        ];
        if let Some(owner) = known.and_then(|accepted| accepted.what.owner.as_deref()) {
            lines.push(format!("owner = {}", quoted(owner)));
        }
        if let Some(expires) = known.and_then(|accepted| accepted.expires) {
            lines.push(format!("expires = {expires}"));
        }
        lines.push(format!("rule = \"{}\"", entry.finding.rule));
        lines.push(format!("subject = {}", quoted(&entry.finding.subject)));
        if let Some(place) = entry.finding.new.as_ref().or(entry.finding.old.as_ref()) {
            let place = format!("{}#{}", place.document, place.pointer);
            lines.push(format!("place = {}", quoted(&place)));
        }
        lines.push(format!("message = {}", quoted(sentence)));
        let _ = writeln!(text, "\n[[ignore]]\n{}", lines.join("\n"));
    }
    Ok(text)
}

//! `conformance explain`.

use std::fmt::Write;

use anyhow::{Result, anyhow};
use clap::Args;

use super::rules::sides;
use crate::catalogue::{self, Listed};
use crate::config::DEFAULT_FILE;
use crate::finding::Severity;

pub(super) const HELP: &str = "Examples:
  conformance explain schema-enum-changed
  conformance explain status-documented";

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Id of the rule, as reports show it; `conformance rules` lists all.
    rule: String,
}

/// Explains a rule: its meaning, its severity, an example, and how to accept what it finds.
pub(super) fn explain(args: &ExplainArgs) -> Result<String> {
    let listed = catalogue::named(&args.rule).map_err(|problem| anyhow!(problem))?;
    Ok(text(&listed))
}

fn text(listed: &Listed) -> String {
    let rule = listed.rule;
    let mut text = format!(
        "{}\nA rule of {}\n\n{}\n",
        rule.id,
        match listed.command {
            "baseline" => "baselines".to_owned(),
            command => format!("conformance {command}"),
        },
        rule.meaning
    );
    let _ = writeln!(text, "\nSeverity\n  {}", policy(listed));
    let inside = match listed.inside {
        "" => String::new(),
        inside => format!(" ({inside})"),
    };
    let (before, after) = sides(listed.command);
    let _ = writeln!(
        text,
        "\nExample{inside}\n  {before:<10}  {}\n  {after:<10}  {}",
        listed.before, listed.after
    );
    text + "\n" + &accepting(listed)
}

/// When a finding of the rule has which severity, and whether that fails a run.
fn policy(listed: &Listed) -> String {
    let usual = listed.rule.severity;
    let exceptions = if listed.rule.id.starts_with("schema-") && usual == Severity::Breaking {
        "Breaking where the receiver rejects a value that the sender may send; a warning where the receiver only\n  \
         accepts more; undecided where neither could be shown."
            .to_owned()
    } else if listed.rule.meaning.contains(';') {
        format!(
            "Usually {}; the meaning above names the exceptions.",
            usual.word()
        )
    } else {
        format!("Always {}.", usual.word())
    };
    let fails = match usual {
        Severity::Breaking => "Breaking findings fail a run.",
        Severity::Undecided => "Undecided findings fail a run, except with --fail-on breaking.",
        Severity::Warning => "Warnings fail a run with --fail-on warning or any.",
        Severity::Info => "Findings of this severity fail a run with --fail-on any.",
    };
    format!("{exceptions}\n  {fails}")
}

fn accepting(listed: &Listed) -> String {
    if listed.command == "baseline" {
        return format!(
            "To resolve it\n  Remove the entry, or give it a new date, in the file that the finding names: a baseline file or\n  {DEFAULT_FILE}. \
             `--write-baseline FILE` writes the entries that are needed now and keeps their reasons.\n"
        );
    }
    let run = match listed.command {
        "replay" => "conformance replay DOCUMENT --server URL",
        "flows" => "conformance flows DOCUMENT --server URL",
        "deliveries" => "conformance deliveries DOCUMENT --server URL",
        "receiver" => "conformance receiver DOCUMENT --target URL",
        _ => "conformance drift OLD NEW",
    };
    format!(
        "To accept it
  One finding:   {run} --write-baseline accepted.toml --reason '...'
                 then run with --baseline accepted.toml, or copy the fingerprint to a [[pair.allow]]
  All findings:  in {DEFAULT_FILE}
                   [rules]
                   {} = \"off\"  # or info, warning, undecided, breaking
",
        listed.rule.id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_explained() {
        for listed in catalogue::all() {
            let text = text(&listed);
            for part in [
                listed.rule.id,
                listed.rule.meaning,
                listed.before,
                listed.after,
            ] {
                assert!(text.contains(part), "{part}\n{text}");
            }
            let lines = text
                .lines()
                .filter(|line| !line.contains(listed.rule.meaning));
            for line in lines {
                assert!(line.len() <= 120 || line.contains('{'), "{line}");
            }
        }
    }

    #[test]
    fn an_unknown_rule_is_told_with_the_nearest_one() {
        let explain = |rule: &str| {
            let rule = rule.to_owned();
            explain(&ExplainArgs { rule }).map_err(|error| error.to_string())
        };
        assert!(explain("tag-added").is_ok());
        assert_eq!(
            explain("tag-aded").unwrap_err(),
            "unknown rule `tag-aded`; did you mean `tag-added`?"
        );
        assert_eq!(
            explain("x").unwrap_err(),
            "unknown rule `x`; `conformance rules` lists all"
        );
    }
}

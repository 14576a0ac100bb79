//! `conformance rules`.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::catalogue::{self, Listed};

pub(super) const HELP: &str = "Examples:
  conformance rules
  conformance rules --format json
  conformance rules --format markdown > conformance/RULES.md";

#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    /// Format of the list.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = RulesFormat::Text)]
    format: RulesFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RulesFormat {
    /// For a reader.
    Text,
    /// A list of objects.
    Json,
    /// The page conformance/RULES.md.
    Markdown,
}

/// Lists all rules.
pub(super) fn list(args: &RulesArgs) -> String {
    let all = catalogue::all();
    match args.format {
        RulesFormat::Text => text(&all),
        RulesFormat::Json => json(&all),
        RulesFormat::Markdown => markdown(&all),
    }
}

fn text(all: &[Listed]) -> String {
    let mut text = String::new();
    let mut command = "";
    for listed in all {
        if command != listed.command {
            let blank = if command.is_empty() { "" } else { "\n" };
            command = listed.command;
            let _ = writeln!(text, "{blank}{command}\n");
        }
        let rule = listed.rule;
        let _ = writeln!(text, "  {:<9}  {}", rule.severity.word(), rule.id);
        let _ = writeln!(text, "    {}", rule.meaning);
        let inside = if listed.inside.is_empty() {
            String::new()
        } else {
            format!(" ({})", listed.inside)
        };
        let (before, after) = sides(listed.command);
        let _ = writeln!(text, "    {before:<10} {}{inside}", listed.before);
        let _ = writeln!(text, "    {after:<10} {}", listed.after);
    }
    text
}

/// Names of the two halves of an example.
pub(super) fn sides(command: &str) -> (&'static str, &'static str) {
    match command {
        "drift" => ("old", "new"),
        "replay" | "flows" | "receiver" => ("documented", "found"),
        _ => ("entry", "found"),
    }
}

fn json(all: &[Listed]) -> String {
    let one = |listed: &Listed| {
        let mut rule = json!({
            "id": listed.rule.id,
            "command": listed.command,
            "severity": listed.rule.severity,
            "meaning": listed.rule.meaning,
            "example": { "before": listed.before, "after": listed.after },
        });
        if !listed.inside.is_empty() {
            rule["example"]["inside"] = json!(listed.inside);
        }
        rule
    };
    format!("{:#}\n", json!(all.iter().map(one).collect::<Vec<_>>()))
}

fn markdown(all: &[Listed]) -> String {
    let mut text = String::from(
        "# Rules\n\nWritten by `conformance rules --format markdown`; a test keeps it up to date. Ids are stable. The severity is the usual one;\n\
         where it depends on the direction, the meaning says so. A difference of schemas is breaking where the receiver rejects a value\n\
         that the sender may send, a warning where the receiver only accepts more, and undecided where neither could be shown.\n\
         `conformance explain RULE` explains a rule; `[rules]` in `conformance.toml` changes severities, see\n\
         [CONFIGURATION.md](CONFIGURATION.md).\n",
    );
    let mut command = "";
    for listed in all {
        if command != listed.command {
            command = listed.command;
            let (before, after) = sides(command);
            let _ = write!(
                text,
                "\n## {command}\n\n| rule | severity | meaning | {before} | {after} |\n|---|---|---|---|---|\n"
            );
        }
        let inside = if listed.inside.is_empty() {
            String::new()
        } else {
            format!("{}: ", listed.inside)
        };
        let rule = listed.rule;
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {inside}{} | {} |",
            rule.id,
            rule.severity.word(),
            rule.meaning.replace('|', "\\|"),
            code(listed.before),
            code(listed.after)
        );
    }
    text
}

/// Code in a cell of a table.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_the_table_says() {
        let page = include_str!("../../RULES.md");
        let remedy = "update it: conformance rules --format markdown > conformance/RULES.md";
        assert!(page == markdown(&catalogue::all()), "{remedy}");
    }

    #[test]
    fn every_format_has_every_rule() {
        for format in RulesFormat::value_variants() {
            let list = list(&RulesArgs { format: *format });
            for listed in catalogue::all() {
                assert!(list.contains(listed.rule.id), "{}", listed.rule.id);
            }
        }
    }
}

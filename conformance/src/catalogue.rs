//! All rules of this tool in one list, for `conformance rules`, `RULES.md`, the configuration and the reports.

use crate::baseline;
use crate::drift;
use crate::finding::Severity;
use crate::near;
use crate::rule::{self, Rule, Shown};

/// A rule as it is listed.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// The subcommand that it belongs to.
    pub command: &'static str,
    /// The rule.
    pub rule: &'static Rule,
    /// The frame of the example, such as `schema`.
    pub inside: &'static str,
    /// The documented value.
    pub before: &'static str,
    /// The emitted or actual value.
    pub after: &'static str,
}

/// All rules, by subcommand and in the order of their tables.
pub fn all() -> Vec<Listed> {
    let drift = drift::rules::ALL.iter().map(|rule| {
        let example = drift::examples::of(rule.id);
        Listed {
            command: "drift",
            rule,
            inside: example.map_or("", |example| example.frame.word()),
            before: example.map_or("", |example| example.old),
            after: example.map_or("", |example| example.new),
        }
    });
    let others = |command, table: &'static [Shown]| {
        table.iter().map(move |shown| Listed {
            command,
            rule: &shown.rule,
            inside: "",
            before: shown.documented,
            after: shown.found,
        })
    };
    drift
        .chain(others("replay", rule::replay::ALL))
        .chain(others("flows", rule::flows::ALL))
        .chain(others("deliveries", rule::deliveries::ALL))
        .chain(others("receiver", rule::receiver::ALL))
        .chain(others("baseline", baseline::RULES))
        .collect()
}

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all()
        .into_iter()
        .map(|listed| listed.rule)
        .find(|rule| rule.id == id)
}

/// The listed rule of this id.
///
/// # Errors
/// When no rule has that name; the message suggests the closest one.
pub fn named(id: &str) -> Result<Listed, String> {
    let all = all();
    let ids = all.iter().map(|listed| listed.rule.id);
    let hint = near::nearest(id, ids).map_or_else(
        || "`conformance rules` lists all".to_owned(),
        |name| format!("did you mean `{name}`?"),
    );
    all.into_iter()
        .find(|listed| listed.rule.id == id)
        .ok_or_else(|| format!("unknown rule `{id}`; {hint}"))
}

/// The severities that a rule's word in the configuration may have, `off` apart.
pub fn severity(word: &str) -> Option<Severity> {
    Severity::ALL
        .into_iter()
        .find(|severity| severity.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_an_example() {
        let all = all();
        for (index, listed) in all.iter().enumerate() {
            let id = listed.rule.id;
            assert!(all[..index].iter().all(|other| other.rule.id != id), "{id}");
            assert_ne!(listed.before, listed.after, "{id}");
        }
    }
}

//! The definition of a rule: a kind of finding with a stable id, a severity and a meaning. The tables stand where the findings are made;
//! see `catalogue` for all of them.

/// A table of rules: a constant for each id, and all of them in `ALL`.
macro_rules! rules {
    ($($name:ident = $id:literal $severity:ident $meaning:literal, $documented:literal => $found:literal;)*) => {
        $(pub const $name: &str = $id;)*

        /// All rules.
        pub static ALL: &[Shown] = &[$(Shown {
            rule: Rule { id: $id, severity: $severity, meaning: $meaning },
            documented: $documented,
            found: $found,
        }),*];
    };
}

pub mod deliveries;
pub mod flows;
pub mod receiver;
pub mod replay;

use crate::finding::Severity;

/// One kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable id in kebab-case.
    pub id: &'static str,
    /// The severity in the usual case.
    pub severity: Severity,
    /// The meaning of the rule's findings.
    pub meaning: &'static str,
}

/// A rule with the example of it: what the document says, and what comes or stands there.
#[derive(Debug)]
pub struct Shown {
    /// The rule.
    pub rule: Rule,
    /// The documented value.
    pub documented: &'static str,
    /// The actual value.
    pub found: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_meanings_are_sentences() {
        let all: Vec<&Shown> = [replay::ALL, flows::ALL, deliveries::ALL]
            .into_iter()
            .flatten()
            .collect();
        for (index, Shown { rule, .. }) in all.iter().enumerate() {
            assert!(rule.meaning.ends_with('.'), "{}", rule.id);
            let mut before = all[..index].iter();
            assert!(before.all(|other| other.rule.id != rule.id), "{}", rule.id);
        }
    }
}

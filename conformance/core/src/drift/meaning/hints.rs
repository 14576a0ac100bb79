//! Hints from the schema of the other side: what it mentions is worth trying on this one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::Facts;
use super::language::beyond;
use super::{formats, text};

/// How many patterns are told apart from one another.
const PATTERNS: usize = 6;

/// The places that the other side mentions.
#[derive(Default)]
pub(super) struct Hints {
    pub(super) names: BTreeSet<String>,
    pub(super) literals: Vec<Value>,
    pub(super) numbers: Vec<Value>,
    pub(super) steps: Vec<f64>,
    pub(super) counts: BTreeSet<u64>,
    pub(super) strings: Vec<String>,
}

impl Hints {
    /// Collects the hints that `facts` mention.
    pub(super) fn of<'f>(facts: impl Iterator<Item = &'f Facts>) -> Self {
        let mut hints = Self::default();
        let mut patterns: BTreeSet<&str> = BTreeSet::new();
        for one in facts {
            patterns.extend(one.patterns.iter().map(String::as_str));
            hints.names.extend(one.properties.keys().cloned());
            hints.names.extend(one.required.iter().cloned());
            for (name, needs) in &one.dependent {
                hints.names.insert(name.clone());
                hints.names.extend(needs.iter().cloned());
            }
            for (pattern, _) in &one.by_pattern {
                hints
                    .names
                    .extend(text::of_pattern(pattern).into_iter().take(2));
            }
            hints.literals.extend(one.values.iter().flatten().cloned());
            let bounds = one.least.iter().chain(&one.most);
            hints.numbers.extend(bounds.map(|(bound, _)| bound.clone()));
            hints.steps.extend(&one.steps);
            hints.counts.extend(&one.counts);
            for pattern in &one.patterns {
                hints.strings.extend(text::of_pattern(pattern));
            }
            for format in &one.formats {
                let all = formats::of_format(format)
                    .iter()
                    .map(|one| (*one).to_owned());
                hints.strings.extend(all);
            }
        }
        let mut apart = Vec::new();
        for one in patterns.iter().take(PATTERNS) {
            for other in patterns.iter().take(PATTERNS).filter(|other| *other != one) {
                apart.extend(beyond(one, other).texts.iter().cloned());
            }
        }
        hints.strings.splice(0..0, apart);
        hints
    }
}

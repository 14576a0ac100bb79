//! Hints from the schema of the other side: what it mentions is worth trying on this one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::Facts;
use super::language::{Texts, apart};
use super::{formats, text};

/// How many patterns are told apart from one another.
const PATTERNS: usize = 6;

/// How many limits of length are told apart.
const LENGTHS: usize = 3;

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
        let mut patterns: BTreeSet<Option<&str>> = BTreeSet::new();
        let mut lengths: BTreeSet<(u64, Option<u64>)> = BTreeSet::new();
        for one in facts {
            patterns.extend(one.patterns.iter().map(|pattern| Some(pattern.as_str())));
            if one.patterns.is_empty() {
                patterns.insert(None);
            }
            lengths.insert((one.min_length, one.max_length));
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
        hints.strings.splice(0..0, told_apart(&patterns, &lengths));
        hints
    }
}

/// Texts that one pattern matches and another one does not, within limits of length, and those that are within one limit and not within
/// another one.
fn told_apart(
    patterns: &BTreeSet<Option<&str>>,
    lengths: &BTreeSet<(u64, Option<u64>)>,
) -> Vec<String> {
    if patterns.iter().all(Option::is_none) {
        return Vec::new();
    }
    let first = patterns.iter().rev().take(PATTERNS);
    let all = first.flat_map(|pattern| {
        let lengths = lengths.iter().take(LENGTHS);
        lengths.map(|(least, most)| Texts {
            pattern: pattern.map(str::to_owned),
            least: *least,
            most: *most,
        })
    });
    let all: Vec<Texts> = all.collect();
    let mut found = Vec::new();
    for one in &all {
        for other in &all {
            let is_pattern = one.pattern != other.pattern;
            let is_length = (one.least, one.most) != (other.least, other.most);
            if is_pattern != is_length {
                found.extend(apart(one, other).texts.iter().cloned());
            }
        }
    }
    found
}

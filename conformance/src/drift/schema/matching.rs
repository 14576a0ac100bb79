//! Matching the branches of `allOf`, `anyOf` and `oneOf`, whose order does not count.

use super::super::equal::canonical;
use super::graph::{Classes, Graph};
use super::view::Content;

/// How many pairs of branches are tried when matching the branches of one keyword.
const MATCH_LIMIT: usize = 40_000;
/// Both documents' schemas, and which of them are equal.
pub(super) struct Sides<'w, 'a> {
    pub(super) theirs: &'w Graph<'a>,
    pub(super) ours: &'w Graph<'a>,
    pub(super) classes: Classes,
}

impl Sides<'_, '_> {
    /// Pairs the branches: equal ones first, then those that have most in common.
    pub(super) fn matched(
        &self,
        theirs: &[String],
        ours: &[String],
    ) -> (Vec<(String, String)>, Vec<String>, Vec<String>) {
        let mut left: Vec<&String> = ours.iter().collect();
        let mut rest: Vec<&String> = Vec::new();
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut by_class = 0;
        for one in theirs {
            by_class += left.len();
            let alike = |other: &&String| match (self.theirs.id(one), self.ours.id(other)) {
                (Some(one), Some(other)) => self.classes.alike(one, other),
                _ => false,
            };
            match (by_class <= MATCH_LIMIT)
                .then(|| left.iter().position(alike))
                .flatten()
            {
                Some(index) => pairs.push((one.clone(), left.remove(index).clone())),
                None => rest.push(one),
            }
        }
        if rest.len() * left.len() <= MATCH_LIMIT {
            let mut scores = Vec::new();
            for (i, one) in rest.iter().enumerate() {
                for (j, other) in left.iter().enumerate() {
                    scores.push((self.likeness(one, other), i, j));
                }
            }
            // The best first; of equals those that stand first.
            scores.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            let (mut used_theirs, mut used_ours) =
                (vec![false; rest.len()], vec![false; left.len()]);
            for (_, i, j) in scores {
                if !used_theirs[i] && !used_ours[j] {
                    (used_theirs[i], used_ours[j]) = (true, true);
                    pairs.push((rest[i].clone(), left[j].clone()));
                }
            }
            let unused = |list: Vec<&String>, used: &[bool]| {
                list.into_iter()
                    .zip(used)
                    .filter(|(_, used)| !**used)
                    .map(|(one, _)| one.clone())
                    .collect()
            };
            return (pairs, unused(rest, &used_theirs), unused(left, &used_ours));
        }
        let common = rest.len().min(left.len());
        pairs.extend(
            rest.iter()
                .zip(&left)
                .map(|(one, other)| ((*one).clone(), (*other).clone())),
        );
        let tail = |list: &[&String]| list[common..].iter().map(|one| (*one).clone()).collect();
        (pairs, tail(&rest), tail(&left))
    }

    /// How much two schemas have in common, for matching branches.
    fn likeness(&self, theirs: &str, ours: &str) -> usize {
        let name = |at: &str| at.rsplit('/').next().unwrap_or_default().to_owned();
        let (Some(one), Some(other)) = (self.theirs.id(theirs), self.ours.id(ours)) else {
            return 0;
        };
        let (one, other) = (self.theirs.node(one), self.ours.node(other));
        let named =
            one.pointer.starts_with("/components/") && name(&one.pointer) == name(&other.pointer);
        let mut score = if named { 20 } else { 0 };
        for (keyword, part) in &one.parts {
            let Some(opposite) = other.parts.get(keyword) else {
                continue;
            };
            score += 1;
            score += match (&part.content, &opposite.content) {
                (Content::Value(a), Content::Value(b)) if canonical(a) == canonical(b) => 2,
                (Content::Set(a), Content::Set(b)) => {
                    2 * a.iter().filter(|value| b.contains(value)).count()
                }
                (Content::Named(a), Content::Named(b)) => {
                    2 * a.keys().filter(|key| b.contains_key(*key)).count()
                }
                _ => 0,
            };
        }
        score
    }
}

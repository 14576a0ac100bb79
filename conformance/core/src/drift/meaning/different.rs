//! Different values of one schema, as many as a list of unique items needs.
//!
//! A pool has a few values of each kind; here one value is varied: letters and digits of texts, steps of numbers, members of objects in all
//! combinations, items and lengths of lists.

use serde_json::{Map, Value, json};

use super::facts::{Facts, ways};
use super::generate::{FILL, Maker};
use super::hints::Hints;
use super::judge;
use super::scalars::{numbers, strings};
use super::tried::{Values, distinct};

/// How many ways of choosing branches are varied.
const WAYS: usize = 8;

/// How deep values are varied.
const DEPTH: usize = 4;

/// How many texts are varied, of those that meet the demands.
const TEXTS: usize = 4;

/// How many characters of a text are varied.
const CHARACTERS: usize = 12;

/// How many combinations of letters are tried for each text that is wanted: dates have few days and months.
const COMBINATIONS: usize = 12;

/// Values that are made besides those that are wanted, as some are not accepted.
const SPARE: usize = 16;

impl Maker<'_> {
    /// Up to `count` different values that all of the schemas accept, none of which is in `known`.
    pub(super) fn different(
        &self,
        schemas: &[String],
        count: usize,
        known: &[Value],
        depth: usize,
    ) -> Vec<Value> {
        let known = distinct(known.to_vec(), known.len());
        let mut found = Values::distinct(known.len() + count);
        found.extend(known.iter().cloned());
        found.extend(self.pool(schemas, depth).iter().cloned());
        if schemas.is_empty() {
            found.extend((0..count).map(Value::from));
        } else if !found.is_full() && depth <= DEPTH {
            let wanted = count + known.len() + SPARE;
            for facts in ways(&self.source, schemas).iter().take(WAYS) {
                if found.is_full() {
                    break;
                }
                for made in self.varied(facts, schemas, wanted, depth) {
                    found.extend(self.accepted_by_each(schemas, made));
                }
            }
        }
        found.into_vec().split_off(known.len())
    }

    /// Those of the values that each of the schemas accepts.
    fn accepted_by_each(&self, schemas: &[String], mut values: Vec<Value>) -> Vec<Value> {
        for at in schemas {
            let accepted = judge::accepted(&self.source, at, &values, None);
            let mut accepted = accepted.unwrap_or_default().into_iter();
            values.retain(|_| accepted.next().unwrap_or(false));
        }
        values
    }

    /// Values of each type that probably meet the demands, at least `count` where there are so many.
    fn varied(
        &self,
        facts: &Facts,
        schemas: &[String],
        count: usize,
        depth: usize,
    ) -> Vec<Vec<Value>> {
        if let Some(values) = &facts.values {
            return vec![values.clone()];
        }
        let types = facts.types.as_ref();
        let may = |name: &str| types.is_none_or(|types| types.contains(name));
        let mut all = Vec::new();
        let object_like = !facts.required.is_empty() || !facts.properties.is_empty();
        if object_like && may("object") {
            all.push(self.different_objects(facts, count, depth));
        }
        if may("string") {
            let is_text = |text: &str| {
                let accepted = self.accepted_by_each(schemas, vec![Value::from(text)]);
                !accepted.is_empty()
            };
            all.push(texts(facts, count, &is_text));
        }
        if may("integer") || may("number") {
            all.push(steps(facts, count));
        }
        if may("array") {
            all.push(self.different_lists(facts, count, depth));
        }
        if may("object") && !object_like {
            all.push(self.different_objects(facts, count, depth));
        }
        all
    }

    /// Objects that differ in their members, those that are required before others.
    fn different_objects(&self, facts: &Facts, count: usize, depth: usize) -> Vec<Value> {
        let mut least = Map::new();
        self.complete_object(facts, &mut least, depth);
        let optional = facts.properties.keys();
        let optional = optional.filter(|name| !least.contains_key(*name));
        let optional = optional.filter(|name| !facts.hidden.contains(*name));
        let mut names: Vec<String> = least.keys().chain(optional).cloned().collect();
        if facts.properties.is_empty() {
            names.push(self.free_name(facts, 0));
        }
        let mut all = vec![least];
        for name in names {
            if all.len() >= count {
                break;
            }
            let wanted = count.div_ceil(all.len());
            let schemas = self.member(facts, &name);
            let values = self.different(&schemas, wanted, &[], depth + 1);
            let mut more = Vec::new();
            for (base, value) in all
                .iter()
                .flat_map(|base| values.iter().map(move |value| (base, value)))
            {
                if all.len() + more.len() >= count {
                    break;
                }
                let mut members = base.clone();
                members.insert(name.clone(), value.clone());
                more.push(members);
            }
            all.extend(more);
        }
        all.into_iter().map(Value::Object).collect()
    }

    /// Lists that differ in their first item, or in their length.
    fn different_lists(&self, facts: &Facts, count: usize, depth: usize) -> Vec<Value> {
        let length = facts.min_items.max(1);
        let first = facts.tuple.first().unwrap_or(&facts.items);
        let firsts = self.different(first, count, &[], depth + 1);
        let mut all: Vec<Value> = firsts
            .iter()
            .map(|first| self.array(facts, std::slice::from_ref(first), length, depth))
            .collect();
        let most = facts.max_items.unwrap_or(FILL).min(FILL);
        let longer = (facts.min_items..=most).take(count.saturating_sub(all.len()));
        all.extend(longer.map(|length| self.array(facts, &[], length, depth)));
        all
    }
}

/// Numbers that are a step apart, from each bound inwards.
fn steps(facts: &Facts, count: usize) -> Vec<Value> {
    let bounds = || facts.least.iter().chain(&facts.most);
    let floats = |all: &[(Value, bool)]| -> Vec<f64> {
        all.iter().filter_map(|(bound, _)| bound.as_f64()).collect()
    };
    let least = floats(&facts.least).into_iter().reduce(f64::max);
    let most = floats(&facts.most).into_iter().reduce(f64::min);
    let whole = facts
        .types
        .as_ref()
        .is_some_and(|types| types.contains("integer") && !types.contains("number"));
    let own = facts.steps.iter().copied().filter(|step| *step > 0.0);
    let mut step = own.reduce(|one, other| if one == other { one } else { one * other });
    if step.is_none() && !whole {
        // As many as are wanted, in whatever room there is.
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let parts = (count + 2) as f64;
        step = least.zip(most).map(|(least, most)| (most - least) / parts);
        step = step.filter(|step| *step > 0.0 && *step < 1.0);
    }
    let step = step.unwrap_or(1.0);
    let start = |bound: f64, up: bool| match up {
        true => (bound / step).ceil(),
        false => (bound / step).floor(),
    };
    let (start, sign) = match (least, most) {
        (Some(least), _) => (start(least, true), 1.0),
        (None, Some(most)) => (start(most, false), -1.0),
        (None, None) => (0.0, 1.0),
    };
    let mut all: Vec<Value> = Vec::new();
    // Bounds that exclude themselves take up to one step more.
    for index in 0..count + bounds().count() {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let value = (start + sign * index as f64) * step;
        let is_whole = value.fract() == 0.0 && value.abs() < 9.0e15;
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        all.push(match is_whole {
            true => json!(value as i64),
            false => json!(value),
        });
    }
    all.extend(numbers(facts, &Hints::default()));
    all
}

/// Texts that differ in letters and digits, where those of a text may vary.
fn texts(facts: &Facts, count: usize, is_text: &dyn Fn(&str) -> bool) -> Vec<Value> {
    let mut bases = strings(facts);
    if facts.patterns.is_empty() && facts.formats.is_empty() {
        // Longer ones have more room.
        let most = facts.max_length.unwrap_or(u64::MAX);
        let length = usize::try_from(facts.min_length.max(3).min(most)).unwrap_or(3);
        bases.insert(0, super::text::of_length("a", length));
    }
    let mut all: Vec<Value> = Vec::new();
    for base in bases.iter().filter(|base| is_text(base)).take(TEXTS) {
        if all.len() >= count {
            break;
        }
        let letters: Vec<char> = base.chars().collect();
        let varies = |index: &usize| {
            let Some(other) = turned(letters[*index], 1) else {
                return false;
            };
            let mut changed = letters.clone();
            changed[*index] = other;
            is_text(&changed.into_iter().collect::<String>())
        };
        let places: Vec<usize> = (0..letters.len())
            .rev()
            .filter(varies)
            .take(CHARACTERS)
            .collect();
        let mut seen = std::collections::HashSet::new();
        for number in 0..COMBINATIONS * count {
            let mut rest = number;
            let mut changed = letters.clone();
            for place in &places {
                let letter = changed[*place];
                let turns = if letter.is_ascii_digit() { 10 } else { 26 };
                changed[*place] = turned(letter, rest % turns).unwrap_or(letter);
                rest /= turns;
            }
            let text: String = changed.into_iter().collect();
            if rest > 0 || !seen.insert(text.clone()) {
                break;
            }
            all.push(Value::from(text));
        }
    }
    all
}

/// The letter or digit so many places further in the alphabet, from the beginning again after its end.
fn turned(letter: char, by: usize) -> Option<char> {
    let (first, size) = match letter {
        '0'..='9' => (b'0', 10),
        'a'..='z' => (b'a', 26),
        'A'..='Z' => (b'A', 26),
        _ => return None,
    };
    let own = usize::from(u8::try_from(letter).ok()? - first);
    let turned = u8::try_from((own + by) % size).ok()?;
    Some(char::from(first + turned))
}

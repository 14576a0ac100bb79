//! Random cases: valid requests made of several changes, and requests with one or two flaws. Pure: the same seed gives the same cases.

use serde_json::{Value, json};

use super::base::Base;
use super::body::{self, BODY};
use super::case_name::Subject;
use super::edge::{Edge, Expect, Spot};
use super::parameter;
use super::walk::{Placed, references, with};
use super::wire::Verdict;
use super::{Source, derived};
use crate::case::{Case, Intent, Refusal};
use crate::schema::pattern;

/// How many changes are tried for one flaw.
const TRIES: usize = 12;

/// Numbers that look random and depend on a seed alone (`SplitMix64`).
struct Random(u64);

impl Random {
    /// The numbers of a seed for one operation.
    fn new(seed: u64, operation: &str) -> Self {
        // FNV-1a, so that operations do not get the same numbers.
        let hash = operation
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, or zero.
    fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count).unwrap_or_default()
    }

    fn pick<T>(&mut self, mut all: Vec<T>) -> Option<T> {
        match all.is_empty() {
            true => None,
            false => {
                let index = self.below(all.len());
                Some(all.swap_remove(index))
            }
        }
    }
}

/// A part of the request that is changed.
enum Slot {
    Body(body::Slot),
    Parameter(parameter::Slot),
}

impl Slot {
    fn value(&self) -> &Value {
        match self {
            Self::Body(slot) => &slot.value,
            Self::Parameter(slot) => &slot.value,
        }
    }

    fn schema(&self) -> &str {
        match self {
            Self::Body(slot) => &slot.schema,
            Self::Parameter(slot) => &slot.schema,
        }
    }
}

impl Source<'_> {
    /// `count` requests, or fewer where there is nothing to change.
    pub(super) fn random(&self, base: &Base, seed: u64, count: usize) -> Vec<Case> {
        let mut random = Random::new(seed, &self.operation.pointer);
        let mut cases = Vec::new();
        let parameters = self.parameter_slots(base);
        // Other things are not ours to change, so what a path names stays.
        let parameters = parameters
            .into_iter()
            .filter(|slot| slot.place != "path" && !slot.is_opaque);
        let mut slots: Vec<Slot> = parameters.map(Slot::Parameter).collect();
        slots.extend(self.slots(base).into_iter().map(Slot::Body));
        if slots.is_empty() {
            return cases;
        }
        // Some come to nothing.
        for index in 0..2 * count {
            if cases.len() >= count {
                break;
            }
            cases.extend(self.one(base, &slots, index, &mut random));
        }
        cases
    }

    fn one(&self, base: &Base, slots: &[Slot], index: usize, random: &mut Random) -> Option<Case> {
        let mut case = base.case.clone();
        // Only one of the bodies is sent.
        let bodies: Vec<usize> = (0..slots.len())
            .filter(|index| matches!(slots[*index], Slot::Body(_)))
            .collect();
        let body = random.pick(bodies);
        let chosen: Vec<&Slot> = slots
            .iter()
            .enumerate()
            .filter(|(index, slot)| match slot {
                Slot::Body(_) => Some(*index) == body,
                Slot::Parameter(slot) => slot.required || random.below(2) == 0,
            })
            .map(|(_, slot)| slot)
            .collect();
        let mut values: Vec<Value> = Vec::new();
        for slot in &chosen {
            let mut value = self.valid(slot, random);
            if let Slot::Body(slot) = slot
                && let Some((ordered, _)) = self.in_order(slot, &value)
            {
                value = ordered;
            }
            case = self
                .placed(case.clone(), slot, &value)
                .map_or(case, |(case, _)| case);
            values.push(value);
        }
        let wanted = [0, 0, 1, 1, 2][random.below(5)];
        let mut flaws: Vec<String> = Vec::new();
        for _ in 0..wanted {
            let at = random.below(chosen.len());
            let Some(slot) = chosen.get(at) else { continue };
            // A second flaw in the same part could mend the first.
            if flaws.len() == 1 && matches!(slot, Slot::Body(_)) && flaws[0].starts_with("body") {
                continue;
            }
            if let Some((name, value)) = self.flaw(slot, &values[at], random)
                && let Some((changed, Verdict::Invalid)) = self.placed(case.clone(), slot, &value)
            {
                case = changed;
                values[at] = value;
                flaws.push(name);
            }
        }
        let (name, intent) = match flaws.is_empty() {
            true if wanted > 0 => return None,
            true => ("valid".to_owned(), Intent::Valid),
            false => (flaws.join(", and "), Intent::Refused(Refusal::Invalid)),
        };
        let named = derived(base, &format!("random {}, {name}", index + 1), intent);
        Some(Case {
            sample: named.sample,
            at: named.at,
            intent,
            ..case
        })
    }

    /// A case with a value in a part, and what a server makes of it.
    fn placed(&self, mut case: Case, slot: &Slot, value: &Value) -> Option<(Case, Verdict)> {
        match slot {
            Slot::Body(slot) => {
                let body = slot.with(value)?;
                let verdict = self.of_body(&slot.schema, value, &body, &slot.encodings)?;
                case.body = Some(body);
                Some((case, verdict))
            }
            Slot::Parameter(slot) => {
                // Earlier overrides of the parameter no longer count.
                case.overrides.retain(|(name, _)| *name != slot.name);
                let case = self.with(case, slot, value)?;
                let verdict = self.verdict(&case, slot, value)?;
                Some((case, verdict))
            }
        }
    }

    /// A valid value that is sent as it is, some changes away from that of the slot.
    fn valid(&self, slot: &Slot, random: &mut Random) -> Value {
        let mut value = slot.value().clone();
        let known = references(&value);
        if random.below(3) == 0 {
            let examples = self.examples(slot.schema()).to_vec();
            value = random.pick(examples).unwrap_or(value);
        }
        let blank = |value: &Value| {
            let case = Case { ..self.blank() };
            self.placed(case, slot, value)
        };
        let fits = |value: &Value| {
            matches!(blank(value), Some((_, Verdict::Valid))) && references(value).is_subset(&known)
        };
        if !fits(&value) {
            value = slot.value().clone();
        }
        for _ in 0..1 + random.below(6) {
            let Some((_, whole)) = self.step(slot, &value, random, false) else {
                continue;
            };
            if fits(&whole) {
                value = whole;
            }
        }
        value
    }

    /// A case without anything, to place values in.
    fn blank(&self) -> Case {
        let mut case = Case::new(self.operation, String::new(), "2XX");
        case.path = crate::samples::template_names(self.operation.path)
            .into_iter()
            .map(|name| crate::case::PathValue {
                name,
                documented: None,
                literal: None,
                create: false,
            })
            .collect();
        case
    }

    /// A change after which the value is not valid.
    fn flaw(&self, slot: &Slot, value: &Value, random: &mut Random) -> Option<(String, Value)> {
        for _ in 0..TRIES {
            if let Some((name, whole)) = self.step(slot, value, random, true)
                && let Some((_, Verdict::Invalid)) = self.placed(self.blank(), slot, &whole)
            {
                return Some((name, whole));
            }
        }
        None
    }

    /// A value with a change at one place that should, or should not, break it.
    fn step(
        &self,
        slot: &Slot,
        value: &Value,
        random: &mut Random,
        breaks: bool,
    ) -> Option<(String, Value)> {
        let mut place = Placed::whole(value, slot.schema());
        // Down some way, at random.
        for _ in 0..random.below(5) {
            match random.pick(self.parts(&place)) {
                Some(part) => {
                    place = part.of(&place);
                    place.settle()?;
                }
                None => break,
            }
        }
        let own = place.whole.pointer(&place.at)?;
        let spot = self.spot(&place.schemas);
        let mut edges = self.edges(&spot, own);
        edges.retain(|edge| match breaks {
            true => matches!(edge.expect, Expect::Invalid | Expect::Either),
            false => matches!(edge.expect, Expect::Valid | Expect::Either),
        });
        if !breaks {
            // As likely as all edges together.
            let count = edges.len().max(1);
            for _ in 0..count {
                edges.extend(inside(&spot, own, random));
            }
        }
        let edge = random.pick(edges)?;
        let title = match slot {
            Slot::Body(_) => String::new(),
            Slot::Parameter(slot) => slot.title(),
        };
        let subject = match slot {
            Slot::Body(_) => BODY,
            Slot::Parameter(_) => Subject {
                whole: &title,
                is_body: false,
            },
        };
        let name = format!("{} {}", subject.at(&place.at), edge.what);
        Some((name, with(&place.whole, &place.at, edge.value)?))
    }
}

/// A value between the bounds, that probably is valid.
fn inside(spot: &Spot<'_>, value: &Value, random: &mut Random) -> Option<Edge> {
    if spot.each("enum").next().is_some() || spot.each("const").next().is_some() {
        return None;
    }
    let made = match value {
        Value::Number(_) if spot.each("multipleOf").next().is_none() => number(spot, random)?,
        Value::String(_) => text(spot, random)?,
        Value::Bool(value) => json!(!value),
        _ => return None,
    };
    Some(Edge::new("is another", made, Expect::Either))
}

fn number(spot: &Spot<'_>, random: &mut Random) -> Option<Value> {
    let bound = |keyword: &'static str| {
        let mut bounds = spot.each(keyword).filter_map(Value::as_i64);
        bounds.next()
    };
    let least = bound("minimum")
        .or(bound("exclusiveMinimum"))
        .unwrap_or(-1_000);
    let most = bound("maximum")
        .or(bound("exclusiveMaximum"))
        .unwrap_or(least.saturating_add(2_000));
    let span = most.checked_sub(least)?.checked_add(1)?;
    let span = usize::try_from(span).ok().filter(|span| *span > 0)?;
    let whole = least.checked_add(i64::try_from(random.below(span)).ok()?)?;
    match spot.is_integer() || random.below(2) == 0 {
        true => Some(json!(whole)),
        false => {
            let quarters = u32::try_from(random.below(4)).ok()?;
            #[expect(clippy::cast_precision_loss, reason = "any number will do")]
            Some(json!(whole as f64 + f64::from(quarters) / 4.0))
        }
    }
}

fn text(spot: &Spot<'_>, random: &mut Random) -> Option<Value> {
    const LETTERS: [char; 24] = [
        'a', 'b', 'c', 'x', 'y', 'z', 'A', 'Z', '0', '7', '9', ' ', '-', '_', '.', '/', '+', '&',
        '"', '\'', 'é', 'ß', '京', '🦀',
    ];
    let formats: Vec<&str> = spot.each("format").filter_map(Value::as_str).collect();
    let two = |random: &mut Random, count: usize| 1 + random.below(count);
    match formats.as_slice() {
        [] => {}
        ["date"] => {
            let (year, month, day) = (1970 + random.below(80), two(random, 12), two(random, 28));
            return Some(json!(format!("{year}-{month:02}-{day:02}")));
        }
        ["date-time"] => {
            let (year, month, day) = (1970 + random.below(80), two(random, 12), two(random, 28));
            let hour = random.below(24);
            return Some(json!(format!(
                "{year}-{month:02}-{day:02}T{hour:02}:30:00Z"
            )));
        }
        ["uuid"] => {
            let (high, low) = (random.next(), random.next());
            let (first, second, third) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
            let (fourth, fifth) = ((low >> 48) & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
            return Some(json!(format!(
                "{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}"
            )));
        }
        _ => return None,
    }
    let least = spot.counts("minLength").last().copied().unwrap_or(0);
    let most = spot
        .counts("maxLength")
        .first()
        .copied()
        .unwrap_or(least + 20);
    let most = most.min(least + 200);
    let span = usize::try_from(most.checked_sub(least)?).ok()?;
    let length = usize::try_from(least).ok()? + random.below(span + 1);
    let patterns: Vec<&str> = spot.each("pattern").filter_map(Value::as_str).collect();
    let letters = match patterns.is_empty() {
        true => LETTERS.to_vec(),
        false => LETTERS[..11].to_vec(),
    };
    let made: String = (0..length.min(5_000))
        .filter_map(|_| letters.get(random.below(letters.len())))
        .collect();
    let fits = patterns
        .iter()
        .all(|source| pattern::matches(source, &made));
    fits.then(|| json!(made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_the_same_operation_only() {
        let first = |seed, operation| Random::new(seed, operation).next();
        assert_eq!(first(1, "/a"), first(1, "/a"));
        assert_ne!(first(1, "/a"), first(2, "/a"));
        assert_ne!(first(1, "/a"), first(1, "/b"));
    }
}

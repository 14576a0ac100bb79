//! Whether any number lies within bounds, by all digits.

use num_bigint::BigInt;

use crate::document::Decimal;

/// The demands on a number.
#[derive(Debug, Default)]
pub(super) struct Range {
    /// Numbers that it is not less than, or greater than where they exclude themselves.
    least: Vec<(Decimal, bool)>,
    /// Numbers that it is not greater than, or less than where they exclude themselves.
    most: Vec<(Decimal, bool)>,
    /// Numbers that it is a multiple of.
    steps: Vec<Decimal>,
}

impl Range {
    pub(super) fn at_least(&mut self, bound: Decimal, excluded: bool) {
        self.least.push((bound, excluded));
    }

    pub(super) fn at_most(&mut self, bound: Decimal, excluded: bool) {
        self.most.push((bound, excluded));
    }

    pub(super) fn multiple_of(&mut self, step: Decimal) {
        self.steps.push(step);
    }

    /// The upper end, in the order of what lies below it.
    pub(super) fn top(&self) -> (bool, Option<(Decimal, bool)>) {
        let most = self
            .most
            .iter()
            .map(|(bound, excluded)| (bound.clone(), !excluded))
            .min();
        (most.is_none(), most)
    }

    /// The lower end, in the order of what lies below it.
    pub(super) fn bottom(&self) -> Option<(Decimal, bool)> {
        self.least.iter().max().cloned()
    }

    pub(super) fn holds(&self, number: &Decimal) -> bool {
        let above = self
            .least
            .iter()
            .all(|(bound, excluded)| number > bound || !excluded && number == bound);
        let below = self
            .most
            .iter()
            .all(|(bound, excluded)| number < bound || !excluded && number == bound);
        let steps = || {
            let mut steps = self.steps.iter();
            steps.all(|step| number.is_multiple_of(step) != Some(false))
        };
        above && below && steps()
    }

    /// Whether no number, or no integer, lies within; false where the numbers are too large to tell.
    pub(super) fn is_empty(&self, integer: bool) -> bool {
        // Of two bounds, the one that excludes itself is the tighter one.
        let least = self.least.iter().max();
        let (Some((least, above)), (_, Some((most, included)))) = (least, self.top()) else {
            return false;
        };
        let (most, below) = (&most, &!included);
        if least > most || least == most && (*above || *below) {
            return true;
        }
        let numbers = self.steps.iter().chain([least, most]);
        let Some(places) = numbers.map(Decimal::places).max().flatten() else {
            return false;
        };
        let whole = integer.then(|| Decimal::parse("1")).flatten();
        let mut steps = self.steps.iter().chain(&whole);
        let step = steps.try_fold(None, |known: Option<BigInt>, step| {
            let step = step.scaled(places)?;
            if step <= BigInt::ZERO {
                return None;
            }
            Some(Some(match known {
                Some(known) => multiple(known, step),
                None => step,
            }))
        });
        let (Some(Some(step)), Some(least), Some(most)) =
            (step, least.scaled(places), most.scaled(places))
        else {
            return false;
        };
        // Division rounds towards zero.
        let mut first = (&least / &step) * &step;
        if first < least || *above && first == least {
            first += &step;
        }
        first > most || *below && first == most
    }
}

/// The least common multiple.
fn multiple(one: BigInt, other: BigInt) -> BigInt {
    let (mut larger, mut smaller) = (one.clone(), other.clone());
    while smaller != BigInt::ZERO {
        (larger, smaller) = (smaller.clone(), larger % smaller);
    }
    one / larger * other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(least: (&str, bool), most: (&str, bool), steps: &[&str]) -> Range {
        let decimal = |text: &str| Decimal::parse(text).expect(text);
        let mut range = Range::default();
        range.at_least(decimal(least.0), least.1);
        range.at_most(decimal(most.0), most.1);
        for step in steps {
            range.multiple_of(decimal(step));
        }
        range
    }

    #[test]
    fn bounds_without_a_number_between_them_are_empty() {
        for (least, most, steps, integer) in [
            (("5", false), ("1", false), &[][..], false),
            (("5", true), ("5", false), &[], false),
            (("5", true), ("6", true), &[], true),
            (("0.1", false), ("0.9", false), &[], true),
            (("-0.9", false), ("-0.1", false), &[], true),
            (("1", false), ("9", false), &["10"], false),
            (("1", false), ("5", false), &["2", "3"], true),
            (
                ("18446744073709551616", true),
                ("18446744073709551617", true),
                &[],
                true,
            ),
        ] {
            assert!(
                range(least, most, steps).is_empty(integer),
                "{least:?} {most:?}"
            );
        }
    }

    #[test]
    fn bounds_with_a_number_between_them_are_not_empty() {
        for (least, most, steps, integer) in [
            (("5", false), ("5", false), &[][..], true),
            (("5", true), ("6", true), &[], false),
            (("-1", false), ("0.5", false), &["7"], true),
            (("1", false), ("6", false), &["2", "3"], true),
            (("0.1", false), ("0.4", false), &["0.15"], false),
            (("-1e400", false), ("1e400", false), &["1e-400"], true),
        ] {
            assert!(
                !range(least, most, steps).is_empty(integer),
                "{least:?} {most:?}"
            );
        }
    }
}

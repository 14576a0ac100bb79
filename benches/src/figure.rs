//! A figure: what one run of a measure came to, and what it stands beside.

/// In what a figure is given; also tells which of two is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// How many a second: more is better.
    PerSecond,
    /// Milliseconds: fewer are better.
    Milliseconds,
    /// Microseconds: fewer are better.
    Microseconds,
    /// Megabytes of 10^6 bytes: fewer are better.
    Megabytes,
    /// Bytes: fewer are better.
    Bytes,
    /// A change in percent: less is better.
    Percent,
    /// A number of things: fewer are better.
    Count,
}

impl Unit {
    /// As it stands in the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Megabytes => "MB",
            Self::Bytes => "B",
            Self::Percent => "%",
            Self::Count => "",
        }
    }

    /// The better one of several figures.
    pub(crate) fn best(self, values: &[f64]) -> f64 {
        let better = match self {
            Self::PerSecond => f64::max,
            Self::Milliseconds
            | Self::Microseconds
            | Self::Megabytes
            | Self::Bytes
            | Self::Percent
            | Self::Count => f64::min,
        };
        values.iter().copied().reduce(better).unwrap_or(f64::NAN)
    }
}

/// The result of one run of a measure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// The name of the measured value; the same in every run.
    pub(crate) name: String,
    /// In what.
    pub(crate) unit: Unit,
    /// How much.
    pub(crate) value: f64,
    /// The names of the limits that it stands beside.
    pub(crate) beside: Vec<String>,
    /// What it should come to.
    pub(crate) aim: Option<Aim>,
}

/// What a figure should come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Aim {
    /// The text for the table.
    pub(crate) words: &'static str,
    comparison: Comparison,
    bound: f64,
    /// Whether it is about the ratios to the limits.
    is_ratio: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    AtMost,
    Below,
}

impl Aim {
    /// Reads an aim such as `at least 13,000 /s`, `under 10 ms` or, of the ratio to the limit, `under 1.1 x`.
    fn read(words: &'static str) -> Option<Self> {
        let beginnings = [
            ("at least ", Comparison::AtLeast),
            ("at most ", Comparison::AtMost),
            ("under ", Comparison::Below),
            ("less than ", Comparison::Below),
        ];
        let (rest, comparison) = beginnings.into_iter().find_map(|(beginning, comparison)| {
            Some((words.strip_prefix(beginning)?, comparison))
        })?;
        let (number, unit) = rest.split_once(' ').unwrap_or((rest, ""));
        Some(Self {
            words,
            comparison,
            bound: number.replace(',', "").parse().ok()?,
            is_ratio: unit == "x",
        })
    }

    /// Whether a value, or one of the ratios to its limits, falls short of it.
    pub(crate) fn is_missed(&self, value: f64, ratios: &[f64]) -> bool {
        let values = if self.is_ratio { ratios } else { &[value] };
        let is_met = |value: &f64| match self.comparison {
            Comparison::AtLeast => *value >= self.bound,
            Comparison::AtMost => *value <= self.bound,
            Comparison::Below => *value < self.bound,
        };
        !values.iter().all(is_met)
    }
}

impl Figure {
    /// A figure without limit and aim.
    pub(crate) fn new(name: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            value,
            beside: Vec::new(),
            aim: None,
        }
    }

    /// With a limit to stand beside.
    pub(crate) fn beside(mut self, limit: impl Into<String>) -> Self {
        self.beside.push(limit.into());
        self
    }

    /// With an aim, in words; without one where they are empty.
    ///
    /// # Panics
    /// When the words cannot be read as an aim.
    pub(crate) fn aim(mut self, words: &'static str) -> Self {
        let read = || Aim::read(words).unwrap_or_else(|| panic!("`{words}` is no aim"));
        self.aim = (!words.is_empty()).then(read);
        self
    }
}

/// The middle one of several figures, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut ascending = values.to_vec();
    ascending.sort_by(f64::total_cmp);
    let middle = ascending.len() / 2;
    match ascending.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => ascending[middle],
        _ => f64::midpoint(ascending[middle - 1], ascending[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_missed_on_the_wrong_side_of_its_number() {
        for (words, met, missed) in [
            ("at least 13,000 /s", 13_000.0, 12_999.0),
            ("at most 0.1", 0.1, 0.11),
            ("under 85 µs", 84.9, 85.0),
            ("less than 20 %", -5.0, 20.0),
        ] {
            let aim = Aim::read(words).unwrap();
            assert!(!aim.is_missed(met, &[]), "{words}");
            assert!(aim.is_missed(missed, &[]), "{words}");
        }
        let ratio = Aim::read("under 1.1 x").unwrap();
        assert!(!ratio.is_missed(25.0, &[1.09]) && ratio.is_missed(25.0, &[1.0, 1.2]));
        assert!(ratio.is_missed(25.0, &[f64::NAN]));
        assert_eq!(Aim::read("flat"), None);
    }
}

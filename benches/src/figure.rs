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
    /// The aim, in words.
    pub(crate) aim: &'static str,
}

impl Figure {
    /// A figure without limit and aim.
    pub(crate) fn new(name: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            value,
            beside: Vec::new(),
            aim: "",
        }
    }

    /// With a limit to stand beside.
    pub(crate) fn beside(mut self, limit: impl Into<String>) -> Self {
        self.beside.push(limit.into());
        self
    }

    /// With an aim.
    pub(crate) fn aim(mut self, aim: &'static str) -> Self {
        self.aim = aim;
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

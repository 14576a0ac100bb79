//! Reads the parameters of a query. Parameters that nobody asks for are ignored where they are not refused.

use std::ops::RangeInclusive;

use super::Faults;

/// The fault of a parameter that the operation does not have.
const UNKNOWN_PARAMETER: &str = "is not a query parameter of this operation";

/// How many of them are named: a query can hold tens of thousands.
const MOST_UNKNOWN: usize = 10;

/// The parameters of one query, decoded.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query string (without its `?`).
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn text(&self, name: &str, faults: &mut Faults) -> Option<&str> {
        let mut values = self
            .0
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            faults.add(name, "must be given once only");
        }
        first
    }

    /// Adds the parameters that are not among `known`: a filter that is misspelled must not pass for one that matches everything.
    pub(crate) fn refuse_unknown(&self, known: &[&str], faults: &mut Faults) {
        let names = self.0.iter().map(|(name, _)| name);
        let unknown = names.filter(|name| !known.contains(&name.as_str()));
        for name in unknown.take(MOST_UNKNOWN) {
            faults.add(name, UNKNOWN_PARAMETER);
        }
    }

    /// The value of a parameter that is a whole number within `range`.
    pub(crate) fn integer(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        faults: &mut Faults,
    ) -> Option<u64> {
        let text = self.text(name, faults)?;
        // `str::parse` would also take a plus sign, which no JSON number has.
        let number = if text.starts_with('+') {
            None
        } else {
            text.parse().ok()
        };
        let accepted = number.filter(|number| range.contains(number));
        if accepted.is_none() {
            faults.add(
                name,
                format!(
                    "must be an integer from {} to {}",
                    range.start(),
                    range.end()
                ),
            );
        }
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(query: &str) -> (Option<u64>, bool) {
        let mut faults = Faults::default();
        let number = Query::parse(query).integer("page[size]", 1..=100, &mut faults);
        (number, faults.into_result().is_err())
    }

    #[test]
    fn parameters_that_are_not_known_are_refused_by_name_and_only_some_of_very_many() {
        let refused = |query: &str| {
            let mut faults = Faults::default();
            Query::parse(query).refuse_unknown(&["a"], &mut faults);
            let names = faults.iter().map(|fault| fault.pointer.clone());
            names.collect::<Vec<_>>()
        };
        assert_eq!(refused(""), [""; 0]);
        assert_eq!(refused("a=1&a=2&%61=3"), [""; 0]);
        assert_eq!(refused("A=1&a=1&b%20c=2&b+c=3&=4"), ["A", "b c", ""]);
        let many: Vec<String> = (0..1000).map(|number| format!("p{number}=")).collect();
        assert_eq!(refused(&many.join("&")).len(), MOST_UNKNOWN);
    }

    #[test]
    fn numbers_are_whole_within_bounds_and_given_once() {
        assert_eq!(integer(""), (None, false));
        assert_eq!(integer("page%5Bsize%5D=100&other=x"), (Some(100), false));
        assert_eq!(integer("page[size]=1"), (Some(1), false));
        for bad in [
            "0",
            "101",
            "-1",
            "+1",
            "1.0",
            "1e1",
            "",
            "x",
            "99999999999999999999",
            "%00",
        ] {
            assert_eq!(integer(&format!("page[size]={bad}")), (None, true), "{bad}");
        }
        assert!(integer("page[size]=1&page[size]=1").1);
    }
}

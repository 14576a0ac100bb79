//! The two forms in which metrics are written, and which of them a scraper wants.

use std::collections::HashSet;

/// A form of the same metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `OpenMetrics` 1.0.0, for those who ask for it.
    OpenMetrics,
    /// The Prometheus text format 0.0.4, which every scraper reads.
    Text,
}

/// A form as a client may name it.
struct Candidate {
    kind: &'static str,
    subtype: &'static str,
    version: &'static str,
}

const OPEN_METRICS: Candidate = Candidate {
    kind: "application",
    subtype: "openmetrics-text",
    version: "1.0.0",
};

const TEXT: Candidate = Candidate {
    kind: "text",
    subtype: "plain",
    version: "0.0.4",
};

impl Format {
    /// Chooses the format by the values of the `Accept` headers of a request: `OpenMetrics` where it is preferred to the text format, which
    /// is also the answer to formats that are not known here. No request is refused.
    pub(crate) fn wanted(accept: &[&str]) -> Self {
        if OPEN_METRICS.quality(accept) > TEXT.quality(accept) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// The `Content-Type` of this form.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Writes `OpenMetrics` text in this form.
    pub(super) fn write(self, metrics: String) -> String {
        match self {
            Self::OpenMetrics => metrics,
            Self::Text => text(&metrics),
        }
    }
}

impl Candidate {
    /// How much it is liked, in thousandths, by the most specific range that takes it (RFC 9110, 12.5.1).
    fn quality(&self, accept: &[&str]) -> u16 {
        let ranges = accept.iter().flat_map(|value| value.split(','));
        let best = ranges.filter_map(|range| self.judge(range)).max();
        best.map_or(0, |(_, quality)| quality)
    }

    /// How specific a range is and how much it likes this, or none when it does not take it. Parameters other than the version make no
    /// difference to what is sent.
    fn judge(&self, range: &str) -> Option<(u8, u16)> {
        let mut parts = range.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut specific = match (kind, subtype) {
            ("*", "*") => 0,
            (kind, "*") if kind.eq_ignore_ascii_case(self.kind) => 1,
            (kind, subtype)
                if kind.eq_ignore_ascii_case(self.kind)
                    && subtype.eq_ignore_ascii_case(self.subtype) =>
            {
                2
            }
            _ => return None,
        };
        let mut quality = 1_000;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim_matches('"');
            if name.eq_ignore_ascii_case("q") {
                quality = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("version") {
                if value != self.version {
                    return None;
                }
                specific += 1;
            }
        }
        Some((specific, quality))
    }
}

/// A weight from 0 to 1 with up to three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" if digits => format!("{decimals:0<3}").parse().ok(),
        "1" if digits && decimals.bytes().all(|byte| byte == b'0') => Some(1_000),
        _ => None,
    }
}

/// `OpenMetrics` as text format: there a counter is described by the name of its sample, and units and the end are not written.
fn text(metrics: &str) -> String {
    let described = |line: &str| -> Option<(String, String, String)> {
        let mut words = line.strip_prefix("# ")?.splitn(3, ' ').map(str::to_owned);
        Some((words.next()?, words.next()?, words.next()?))
    };
    let counters: HashSet<String> = metrics
        .lines()
        .filter_map(described)
        .filter(|(keyword, _, kind)| keyword == "TYPE" && kind == "counter")
        .map(|(_, name, _)| name)
        .collect();
    let mut text = String::with_capacity(metrics.len());
    for line in metrics.lines() {
        match described(line) {
            Some((keyword, ..)) if keyword == "UNIT" => continue,
            Some((keyword, name, rest)) if counters.contains(&name) => {
                text.push_str(&format!("# {keyword} {name}_total {rest}"));
            }
            None if line == "# EOF" => continue,
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapers_get_the_form_that_they_prefer() {
        for accept in [
            // Prometheus 2.49, and 3.
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"",
            "application/openmetrics-text",
            "application/*, text/plain;q=0.9",
            "text/plain;q=0, */*;q=0.1",
        ] {
            assert_eq!(Format::wanted(&[accept]), Format::OpenMetrics, "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/html, */*;q=0.5",
            "image/png",
            "application/json",
            "application/openmetrics-text;version=0.0.1, text/plain;version=0.0.4;q=0.5, */*;q=0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0.3, text/plain;q=0.5",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=2",
            "application/openmetrics-text;q=",
            "application/openmetrics-text;q=0.1234",
            "*/*, application/openmetrics-text;q=0.5",
        ] {
            assert_eq!(Format::wanted(&[accept]), Format::Text, "{accept}");
        }
        assert_eq!(Format::wanted(&[]), Format::Text);
        let lines = ["text/plain;q=0.5", "application/openmetrics-text"];
        assert_eq!(Format::wanted(&lines), Format::OpenMetrics);
    }

    #[test]
    fn the_text_format_names_counters_by_their_samples() {
        let metrics = "# HELP a Help of a b.\n# TYPE a counter\na_total{x=\"a # b\"} 1\n# HELP b_seconds Help.\n# TYPE b_seconds gauge\n\
            # UNIT b_seconds seconds\nb_seconds 2\n# EOF\n";
        let expected = "# HELP a_total Help of a b.\n# TYPE a_total counter\na_total{x=\"a # b\"} 1\n# HELP b_seconds Help.\n\
            # TYPE b_seconds gauge\nb_seconds 2\n";
        assert_eq!(Format::Text.write(metrics.to_owned()), expected);
        assert_eq!(Format::OpenMetrics.write(metrics.to_owned()), metrics);
    }
}

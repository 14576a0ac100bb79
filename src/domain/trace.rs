//! The place of a span in a trace, as W3C Trace Context writes it in a `traceparent` header.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

/// The trace that something belongs to, and the span in it that caused it. Not kept: the vendors' `tracestate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed traceparent")]
pub struct InvalidTraceContext;

impl TraceContext {
    /// The span with this id in the trace with that one; none where one of them is all zeros, which says that there is none.
    pub fn new(trace: [u8; 16], span: [u8; 8], sampled: bool) -> Option<Self> {
        (trace != [0; 16] && span != [0; 8]).then_some(Self {
            trace,
            span,
            sampled,
        })
    }

    /// The id of the trace.
    pub fn trace(&self) -> [u8; 16] {
        self.trace
    }

    /// The id of the span.
    pub fn span(&self) -> [u8; 8] {
        self.span
    }

    /// Whether the service that began the trace records it.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceContext {
    /// As version 00, with no flag but the one that it defines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{}-{}-{:02x}",
            HEXLOWER.encode(&self.trace),
            HEXLOWER.encode(&self.span),
            u8::from(self.sampled)
        )
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    /// Of a later version than 00 the parts that this one knows are read, as the recommendation asks for.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fn hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidTraceContext> {
            let bytes = HEXLOWER
                .decode(text.as_bytes())
                .map_err(|_| InvalidTraceContext)?;
            bytes.try_into().map_err(|_| InvalidTraceContext)
        }
        let mut parts = text.splitn(5, '-');
        let mut part = || parts.next().ok_or(InvalidTraceContext);
        let [version]: [u8; 1] = hex(part()?)?;
        let (trace, span) = (hex(part()?)?, hex(part()?)?);
        let [flags]: [u8; 1] = hex(part()?)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return Err(InvalidTraceContext);
        }
        Self::new(trace, span, flags & 1 == 1).ok_or(InvalidTraceContext)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn what_is_written_is_read_again() {
        for flags in ["00", "01"] {
            let text = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
            let read: TraceContext = text.parse().unwrap();
            assert_eq!((read.to_string(), read.is_sampled()), (text, flags == "01"));
        }
    }

    #[test]
    fn unknown_flags_and_later_versions_are_read_as_far_as_they_are_known() {
        for text in [
            format!("00-{TRACE}-00f067aa0ba902b7-ff"),
            format!("01-{TRACE}-00f067aa0ba902b7-03"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-will-be-like"),
        ] {
            let read: TraceContext = text.parse().unwrap();
            assert_eq!(
                read.to_string(),
                format!("00-{TRACE}-00f067aa0ba902b7-01"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let zeros = "0".repeat(32);
        for text in [
            String::new(),
            "-".repeat(55),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-"),
            format!("00-{TRACE}-00f067aa0ba902b7-1"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{TRACE}-00f067aa0ba902b-01"),
            format!("00-{TRACE}0-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-00F067AA0BA902B7-01"),
            format!("0-{TRACE}-00f067aa0ba902b7-01"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01.x"),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!(" 00-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-ä{}-00f067aa0ba902b7-01", &TRACE[2..]),
        ] {
            assert_eq!(
                text.parse::<TraceContext>(),
                Err(InvalidTraceContext),
                "{text}"
            );
        }
    }
}

//! What the page says of a peer: figures of a run beside it, or, where no peer was run, what the page said before.

use std::fmt::Write;

/// The figures of one program on one document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Processor time of a request, in microseconds.
    pub(crate) processor: f64,
    /// The most memory that was in use, in megabytes.
    pub(crate) memory: u64,
}

/// A program and a peer on one document.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) document: String,
    pub(crate) own: Figures,
    pub(crate) peer: Figures,
}

/// How the item of the page begins.
const BEGIN: &str = "\n- Beside it";

/// The item of the page on the peer, whose name and version `peer` is: from `pairs`, or, where there are none, as `page` has it.
pub(crate) fn item(peer: &str, pairs: &[Pair], page: &str) -> String {
    let Some(last) = pairs.len().checked_sub(1) else {
        return kept(page);
    };
    let mut item = format!(
        "- Beside it, on this machine: {peer}, as `benches/live --beside` starts it, for a minute on each document and its stub."
    );
    for (
        index,
        Pair {
            document,
            own,
            peer,
        },
    ) in pairs.iter().enumerate()
    {
        let end = if index == last { '.' } else { ';' };
        let _ = write!(
            item,
            "\n  On {document} it made {:.0} requests/s with {:.0} µs of processor time each and {} MB;\n  `conformance run` made {:.0}, with {:.0} µs and {} MB: {:.0} times as many{end}",
            peer.rate,
            peer.processor,
            peer.memory,
            own.rate,
            own.processor,
            own.memory,
            own.rate / peer.rate,
        );
    }
    item.push('\n');
    item
}

/// The item as the page has it; empty where it has none.
fn kept(page: &str) -> String {
    let Some(start) = page.find(BEGIN) else {
        return String::new();
    };
    let rest = &page[start + 1..];
    // Its other lines are indented.
    let end = rest
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .find(|at| !rest[*at..].starts_with("  "));
    rest[..end.unwrap_or(rest.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "## Live\n\n- The aims: many.\n- Beside it, elsewhere: a peer\n  made few.\n\n<!-- next -->\n## More\n";

    #[test]
    fn what_the_page_says_of_a_peer_stays_where_none_was_run() {
        assert_eq!(
            item("Peer", &[], PAGE),
            "- Beside it, elsewhere: a peer\n  made few.\n"
        );
        assert_eq!(item("Peer", &[], "## Live\n\n- The aims: many.\n"), "");
    }

    #[test]
    fn figures_of_a_peer_stand_beside_those_of_the_same_document() {
        let figures = |rate: f64, processor: f64, memory: u64| Figures {
            rate,
            processor,
            memory,
        };
        let pairs = [Pair {
            document: "box".to_owned(),
            own: figures(7096.4, 138.2, 129),
            peer: figures(171.0, 5901.0, 310),
        }];
        assert_eq!(
            item("Peer 4.32", &pairs, PAGE),
            "- Beside it, on this machine: Peer 4.32, as `benches/live --beside` starts it, for a minute on each document and its stub.\n  On box it made 171 requests/s with 5901 µs of processor time each and 310 MB;\n  `conformance run` made 7096, with 138 µs and 129 MB: 41 times as many.\n"
        );
    }
}

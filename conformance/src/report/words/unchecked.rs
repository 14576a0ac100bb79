//! Why a run checked nothing.

use crate::finding::Unchecked;

/// Why nothing was checked.
pub(crate) fn unchecked(reason: &Unchecked) -> String {
    match reason {
        Unchecked::Excluded => "--include and --exclude leave no operation".to_owned(),
        Unchecked::NoBase => {
            "every pair has only one document, which is compared with its merge base: add --base REV"
                .to_owned()
        }
        Unchecked::Empty => "there is no operation, webhook or schema to compare".to_owned(),
        Unchecked::NoSamples { operations: 0 } => "the document has no operation".to_owned(),
        Unchecked::NoSamples { operations: 1 } => "the only operation has no sample".to_owned(),
        Unchecked::NoSamples { operations } => {
            format!("none of {operations} operations has a sample")
        }
        Unchecked::NoRequests { safe: true, .. } => {
            "--safe leaves no request: no operation only reads".to_owned()
        }
        Unchecked::NoRequests { operations, .. } => format!(
            "no request could be made for any of {operations} operations: the document has no samples, and no valid values were found; add examples of parameters and bodies"
        ),
        Unchecked::NoAnswer { requests, cause } => match requests {
            1 => format!("the server did not answer the only request: {cause}"),
            requests => format!("the server answered none of {requests} requests: {cause}"),
        },
        Unchecked::Elsewhere {
            requests,
            server,
            other,
        } => {
            let way = match other {
                Some(other) => {
                    format!("the document's servers have a base path: try --server {other}")
                }
                None => "check --server, its base path, and that the document is that of this server".to_owned(),
            };
            format!(
                "all {requests} responses were 404 or the like: {server} has none of the document's paths; {way}"
            )
        }
        Unchecked::Unauthorized { requests, missing } => {
            let all = match requests {
                1 => "the only response was 401 or 403".to_owned(),
                requests => format!(
                    "none of {requests} requests was accepted: the server answered 401 or 403"
                ),
            };
            let way = match missing.is_empty() {
                true => "the server refuses the credentials that were given".to_owned(),
                false => format!("the operations need {}", missing.join(" and ")),
            };
            format!("{all}; {way}")
        }
        Unchecked::NothingRecorded { exchanges: 0 } => "the archive has no entry".to_owned(),
        Unchecked::NothingRecorded { exchanges } => format!(
            "none of the {exchanges} entries of the archive belongs to an operation of the document; --server URL says where the API is in it"
        ),
        Unchecked::NoDelivery { url, seconds } => format!(
            "no delivery arrived at {url} within {seconds} s; check that the server can reach this address (--public-url), and what triggers an event (--trigger)"
        ),
        Unchecked::Stopped { requests } => {
            format!("the run was stopped after {requests} requests")
        }
        Unchecked::NoWebhooks => {
            "the document has no webhooks and no callbacks: no deliveries to send".to_owned()
        }
        Unchecked::NoFlows => "no operation creates or lists anything".to_owned(),
        Unchecked::NothingSent { samples: 1 } => "the only sample could not be sent".to_owned(),
        Unchecked::NothingSent { samples } => format!("none of {samples} samples could be sent"),
    }
}

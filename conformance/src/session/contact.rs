//! Whether the server answers at all: a run ends early at a server that never does, and has no result.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::exchange::{Exchange, Response};
use crate::finding::Failure;

/// After requests to this many operations without any answer none follows.
const OPERATIONS: usize = 3;

/// After this many requests that the server let hang, and no answer, none follows: fewer may be the samples of one operation that hangs.
const HANGING: usize = 10;

/// Responses of servers that speak TLS to plain HTTP: nginx, Apache, and Go.
const WANTS_TLS: [&str; 3] = [
    "plain http request was sent to https port",
    "speaking plain http to an ssl-enabled server port",
    "client sent an http request to an https server",
];

/// Requests and their answers, as far as they tell whether the server answers.
#[derive(Debug, Default)]
pub(super) struct Contact {
    answered: Cell<bool>,
    requests: Cell<usize>,
    hanging: Cell<usize>,
    operations: RefCell<BTreeSet<Option<usize>>>,
    cause: RefCell<String>,
}

/// No request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// How many there were.
    pub requests: usize,
    /// Why the last one was not.
    pub cause: String,
}

impl Contact {
    /// Takes note of an exchange. `proxied` is whether a proxy is between.
    pub(super) fn note(&self, operation: Option<usize>, exchange: &Exchange, proxied: bool) {
        let refusal = match (&exchange.response, &exchange.failure) {
            (Some(response), _) => {
                refusal(response, proxied).filter(|_| exchange.request.url.starts_with("http://"))
            }
            (None, Some(Failure::Interrupted) | None) => return,
            (None, Some(failure)) => {
                if matches!(failure, Failure::Timeout { .. }) {
                    self.hanging.set(self.hanging.get() + 1);
                }
                Some(cause(failure))
            }
        };
        let Some(refusal) = refusal else {
            self.answered.set(true);
            return;
        };
        self.requests.set(self.requests.get() + 1);
        self.operations.borrow_mut().insert(operation);
        *self.cause.borrow_mut() = refusal;
    }

    /// Whether no answer is to be expected.
    pub(super) fn is_hopeless(&self) -> bool {
        !self.answered.get()
            && (self.operations.borrow().len() >= OPERATIONS || self.hanging.get() >= HANGING)
    }

    /// Describes the silence of a server that answered nothing.
    pub(super) fn silence(&self) -> Option<Silence> {
        let requests = self.requests.get();
        (requests > 0 && !self.answered.get()).then(|| Silence {
            requests,
            cause: self.cause.borrow().clone(),
        })
    }
}

fn cause(failure: &Failure) -> String {
    match failure {
        Failure::Connect { cause } => cause.clone(),
        Failure::Broken { cause } => format!("the connection ended without a response ({cause})"),
        Failure::Timeout { seconds } => {
            format!("it accepts connections and does not respond within {seconds} s (--timeout)")
        }
        Failure::TooLarge { .. } | Failure::Interrupted => String::new(),
    }
}

/// Why an answer is not that of the server which was asked.
fn refusal(response: &Response, proxied: bool) -> Option<String> {
    if proxied && response.status == 407 {
        let problem = "the proxy answers 407: it asks for a user and a password; write http://USER:PASSWORD@HOST:PORT";
        return Some(problem.to_owned());
    }
    let body = || String::from_utf8_lossy(&response.body).to_lowercase();
    let wants_tls = response.status == 400
        && response.body.len() < 4096
        && WANTS_TLS.iter().any(|words| body().contains(words));
    wants_tls.then(|| "the port speaks TLS; write https:// instead of http://".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exchange::Request;

    fn exchange(response: Option<(u16, &str)>, failure: Option<Failure>) -> Exchange {
        Exchange {
            request: Request {
                method: "GET".to_owned(),
                url: "http://h/".to_owned(),
                headers: Vec::new(),
                body: None,
            },
            response: response.map(|(status, body)| Response {
                status,
                headers: Vec::new(),
                body: body.into(),
            }),
            failure,
            duration: Duration::ZERO,
        }
    }

    fn broken() -> Exchange {
        let cause = "reset".to_owned();
        exchange(None, Some(Failure::Broken { cause }))
    }

    #[test]
    fn a_server_that_never_answers_is_given_up_and_one_that_answered_once_is_not() {
        let contact = Contact::default();
        assert_eq!(contact.silence(), None);
        for _ in 0..9 {
            contact.note(Some(0), &broken(), false);
        }
        assert!(!contact.is_hopeless(), "one operation may be broken");
        contact.note(Some(1), &broken(), false);
        contact.note(Some(2), &broken(), false);
        assert!(contact.is_hopeless());
        assert_eq!(contact.silence().unwrap().requests, 11);
        contact.note(Some(2), &exchange(Some((500, "")), None), false);
        assert!(!contact.is_hopeless() && contact.silence().is_none());
    }

    #[test]
    fn a_server_that_hangs_is_given_up_after_a_few_requests() {
        let contact = Contact::default();
        for _ in 0..HANGING {
            assert!(!contact.is_hopeless());
            let failure = Failure::Timeout { seconds: 30.0 };
            contact.note(Some(0), &exchange(None, Some(failure)), false);
        }
        assert!(contact.is_hopeless());
    }

    #[test]
    fn an_answer_that_asks_for_tls_or_is_of_the_proxy_is_not_one_of_the_server() {
        let tls = exchange(
            Some((400, "Client sent an HTTP request to an HTTPS server.\n")),
            None,
        );
        let contact = Contact::default();
        contact.note(None, &tls, false);
        assert!(contact.silence().unwrap().cause.contains("https://"));
        let contact = Contact::default();
        contact.note(None, &exchange(Some((407, "")), None), true);
        assert!(contact.silence().unwrap().cause.contains("407"));
        let contact = Contact::default();
        contact.note(None, &exchange(Some((407, "")), None), false);
        assert_eq!(contact.silence(), None);
    }
}

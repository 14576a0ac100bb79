//! Checks a running server from a test of another project, in a few lines and without a command line.
//!
//! Start the application on a port of its own, as a test does, and give its URL:
//!
//! ```
//! # use std::io::{Read, Write};
//! # fn serve(listener: std::net::TcpListener) {
//! #     for mut stream in listener.incoming().flatten() {
//! #         let mut request = [0; 4096];
//! #         let _ = stream.read(&mut request);
//! #         let body = r#"{"paid": "yes"}"#;
//! #         let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
//! #         let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
//! #     }
//! # }
//! use conformance::credentials::Given;
//! use conformance::document::Document;
//! use conformance::live::Check;
//!
//! let document = Document::parse("orders.yaml", "
//! openapi: 3.1.0
//! info: {title: Orders, version: '1'}
//! paths:
//!   /orders:
//!     get:
//!       responses:
//!         '200':
//!           description: The last order
//!           content: {application/json: {schema: {type: object, properties: {paid: {type: boolean}}}}}
//! ")?;
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let url = format!("http://{}", listener.local_addr()?);
//! std::thread::spawn(|| serve(listener));
//!
//! let checked = Check::new(document, &url)
//!     .credential(Given::bearer("a token of the test"))
//!     .run_blocking()?;
//! // The server writes "yes" where the document says true or false.
//! assert!(!checked.conforms());
//! assert!(checked.report().contains("paid"), "{}", checked.report());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Check::run`] does the same inside of a runtime: `examples/orders` in the repository is an actix-web application with such a test.
//!
//! In a test, [`Checked::assert_conforms`] is the last line. The check sends real requests: what they create it deletes, see
//! `conformance/REPLAY.md`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::case::key::RunId;
use crate::clock;
use crate::credentials::Given;
use crate::document::Document;
use crate::exchange::Transport;
use crate::finding::{Comparison, Finding, Severity, Verdict};
use crate::fingerprint;
use crate::replay::{self, Outcome};
use crate::report::{self, DocumentInfo, Format, Report, View};
use crate::session::{Generate, Options, SessionError};

/// A check of one server against one document, with the defaults of `conformance run` and no limit of time.
#[derive(Debug)]
pub struct Check {
    document: Document,
    options: Options,
    fail_on: Severity,
}

/// The result of a check.
#[derive(Debug)]
pub struct Checked {
    verdict: Verdict,
    findings: Vec<Finding>,
    text: String,
}

impl Check {
    /// A check of the server at `url`. An origin alone is joined with the document's first relative server URL.
    #[must_use]
    pub fn new(document: Document, url: &str) -> Self {
        let mut options = Options::new(url);
        options.generate = Some(Generate::default());
        options.run_id = Some(RunId::new(clock::nonce()));
        Self {
            document,
            options,
            fail_on: Severity::Undecided,
        }
    }

    /// Sends the samples of the document only, as `conformance replay` does.
    #[must_use]
    pub fn samples_only(mut self) -> Self {
        self.options.generate = None;
        self
    }

    /// Sends only requests that change nothing on a server that keeps to HTTP.
    #[must_use]
    pub fn safe(mut self) -> Self {
        if let Some(generate) = &mut self.options.generate {
            generate.safe = true;
        }
        self
    }

    /// Sends the random requests of this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        if let Some(generate) = &mut self.options.generate {
            generate.seed = seed;
        }
        self
    }

    /// Adds a credential, which stands where its security scheme says.
    #[must_use]
    pub fn credential(mut self, credential: Given) -> Self {
        self.options.credentials.push(credential);
        self
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.options
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Checks only operations of this operationId, method, path or tag (repeatable).
    #[must_use]
    pub fn include(mut self, pattern: &str) -> Self {
        self.options.include.push(pattern.to_owned());
        self
    }

    /// Leaves out operations of this operationId, method, path or tag (repeatable).
    #[must_use]
    pub fn exclude(mut self, pattern: &str) -> Self {
        self.options.exclude.push(pattern.to_owned());
        self
    }

    /// Says how connections are made: certificates and the proxy.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.options.transport = transport;
        self
    }

    /// Sends no further request after this time; the report says what was not reached.
    #[must_use]
    pub fn max_time(mut self, time: Duration) -> Self {
        self.options.max_time = Some(time.as_secs_f64());
        self
    }

    /// Fails on findings of this severity and graver ones; [`Severity::Undecided`] unless set.
    #[must_use]
    pub fn fail_on(mut self, severity: Severity) -> Self {
        self.fail_on = severity;
        self
    }

    /// Sends the requests and judges the answers. Needs a runtime of Tokio with I/O and time.
    ///
    /// # Errors
    /// When the server cannot be reached, or an option cannot be used.
    pub async fn run(self) -> Result<Checked, SessionError> {
        let outcome = replay::run(&self.options, &self.document, &mut |_| ()).await?;
        Ok(Checked::of(self, outcome))
    }

    /// The same for a test that has no runtime. The server has to run on another thread.
    ///
    /// # Errors
    /// As for [`Self::run`].
    ///
    /// # Panics
    /// When it is called from inside a runtime, or the system gives no resources for one.
    pub fn run_blocking(self) -> Result<Checked, SessionError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system gives a runtime its event queue");
        runtime.block_on(self.run())
    }
}

impl Checked {
    fn of(check: Check, outcome: Outcome) -> Self {
        let findings = outcome.findings.clone();
        let document = &check.document;
        let report = Report {
            command: match check.options.generate {
                Some(_) => "run",
                None => "replay",
            },
            documents: vec![DocumentInfo::of("document", document)],
            server: Some(outcome.server),
            checked: outcome.checked,
            fail_on: check.fail_on,
            findings: fingerprint::entries(
                outcome.findings,
                Comparison::Single,
                Some(document),
                None,
            ),
            sent: outcome.sent,
            coverage: outcome.coverage,
            ignored: 0,
            unchecked: outcome.unchecked,
            notes: outcome.notes,
        };
        let mut text = Vec::new();
        let written = report::write(Format::Text, &report, View::default(), &mut text);
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if let Err(error) = written {
            let _ = write!(text, "the report cannot be written: {error}");
        }
        Self {
            verdict: report.verdict(),
            findings,
            text,
        }
    }

    /// Whether something was checked and nothing was found that fails.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.verdict == Verdict::Conforms
    }

    /// Returns the findings, in document order.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The report as text.
    #[must_use]
    pub fn report(&self) -> &str {
        &self.text
    }

    /// Fails a test with the report, unless the server conforms.
    ///
    /// # Panics
    /// When something was found that fails, or nothing was checked.
    #[track_caller]
    pub fn assert_conforms(&self) {
        assert!(
            self.conforms(),
            "the server does not conform to its document:\n{}",
            self.text
        );
    }
}

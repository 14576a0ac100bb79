//! Compares OpenAPI documents, and holds servers to them. The program `conformance` is a thin layer on top: see [`cli`].
//!
//! To compare two versions of a document, parse both and print a sentence for each finding:
//!
//! ```
//! use conformance::document::Document;
//! use conformance::drift::{self, Options};
//! use conformance::finding::{Comparison, Severity};
//! use conformance::report::words;
//!
//! let old = Document::parse("old.yaml", "
//! openapi: 3.1.0
//! info: {title: Orders, version: '1'}
//! paths:
//!   /orders:
//!     get:
//!       responses:
//!         '200':
//!           description: All orders
//!           content: {application/json: {schema: {type: array, items: {enum: [open, paid]}}}}
//!     delete: {responses: {'204': {description: Deleted}}}
//! ")?;
//! let new = Document::parse("new.yaml", "
//! openapi: 3.1.0
//! info: {title: Orders, version: '1'}
//! paths:
//!   /orders:
//!     get:
//!       responses:
//!         '200':
//!           description: All orders
//!           content: {application/json: {schema: {type: array, items: {enum: [open, paid, refunded]}}}}
//! ")?;
//!
//! let findings = drift::compare(&old, &new, &Options::default());
//! for finding in &findings {
//!     let sentence = words::of(finding, Comparison::Versions);
//!     println!("{}: {}: {sentence}", finding.severity.word(), finding.subject);
//! }
//! let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
//! assert_eq!(rules, ["schema-enum-changed", "operation-removed"]);
//! assert!(findings.iter().all(|finding| finding.severity == Severity::Breaking));
//! # Ok::<(), conformance::document::LoadError>(())
//! ```
//!
//! To hold a running server to its document in a test of another project, see [`live`].
//!
//! What needs neither a command line, nor the network, nor an asynchronous runtime is the crate `conformance-core`, whose modules are here
//! too: [`document`], [`hooks`], [`finding`], [`rule`], [`case`](mod@case), [`schema`], [`drift`], [`samples`] and [`generate`]. [`report`] keeps to that
//! as well, and a test holds it to it.
//!
//! Data flows one way: `cli -> document -> {drift | samples -> case -> exchange -> check} -> finding -> fingerprint -> baseline ->
//! report`. The modules are listed lowest layer first, and a file imports only from lower layers. (The blank lines keep rustfmt from
//! sorting them.)

pub use conformance_core::{
    case, document, drift, finding, generate, hooks, near, rule, samples, schema,
};

mod clock;

pub mod fetch;

pub mod toml_text;

pub mod git;

pub mod exchange;

pub mod credentials;

pub mod har;

pub mod check;

pub mod coverage;

pub mod session;

pub mod flows;

pub mod receiver;

pub mod replay;

pub mod recorded;

pub mod fingerprint;

pub mod deliveries;

pub mod baseline;

pub mod catalogue;

pub mod lockstep;

pub mod report;

pub mod reproduce;

pub mod live;

pub mod config;

pub mod cli;

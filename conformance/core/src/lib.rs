//! Reads OpenAPI documents, compares them, and makes requests of them: what [`conformance`](../conformance/index.html) does without a
//! command line, a network or an asynchronous runtime. Its modules are those of `conformance` too, which is what programs depend on.
//!
//! The modules are listed lowest layer first, and a file imports only from lower layers. (The blank lines keep rustfmt from sorting them.)

pub mod near;

pub mod document;

pub mod hooks;

pub mod finding;

pub mod rule;

pub mod case;

pub mod schema;

pub mod drift;

pub mod samples;

pub mod generate;

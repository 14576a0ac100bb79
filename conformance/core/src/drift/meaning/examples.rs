//! Values for those who send requests: what a schema may accept.

use serde_json::Value;

use super::generate::Maker;
use super::judge::Judge;
use super::source::Source;
use crate::document::Document;
use crate::finding::Sender;

/// Values that the schema at `at` may accept, the simple ones first, without the members that `sender` does not send. `flagged` is whether
/// the document has such members.
pub fn example_values(document: &Document, at: &str, sender: Sender, flagged: bool) -> Vec<Value> {
    let judge = Judge::default();
    let source = Source::of(document, sender, flagged, &judge);
    Maker::new(source).examples(at)
}

/// Up to `count` different values that all of the schemas may accept, as [`example_values`] makes them.
pub fn different_values(
    document: &Document,
    schemas: &[String],
    sender: Sender,
    flagged: bool,
    count: usize,
) -> Vec<Value> {
    let judge = Judge::default();
    let source = Source::of(document, sender, flagged, &judge);
    Maker::new(source).different(schemas, count, &[], 0)
}

//! Validators of request bodies, with words that callers understand better than the general ones.

use serde_json::Value;

use crate::http::{RequestSchema, Words};
use crate::provider::{OwnerMember, Provider};

const BAD_TIME: &str = "must be a date and time with an offset, such as 2025-11-04T15:00:00Z";

const PUBLICATION: &[Words] = &[
    (
        "/accountId",
        &["minLength", "maxLength"],
        "must have 1 to 36 characters",
    ),
    (
        "/clientId",
        &["pattern"],
        "must be client_ and 27 letters or digits",
    ),
    ("/productId", &["format"], "must be a UUID"),
];

const REPLAY: &[Words] = &[
    ("", &["anyOf"], "must have from, to, webhookId or state"),
    ("/from", &["format"], BAD_TIME),
    ("/to", &["format"], BAD_TIME),
    (
        "/state",
        &["enum"],
        "must be pending, delivered, exhausted, cancelled or unmatched",
    ),
];

const KEY: &[Words] = &[(
    "/name",
    &["minLength", "maxLength"],
    "must have 1 to 200 characters",
)];

/// The compiled schemas of request bodies.
pub(crate) struct Bodies {
    /// Of publishEvent.
    pub(super) publication: RequestSchema,
    /// Of createReplay.
    pub(super) replay: RequestSchema,
    /// Of createKey.
    pub(super) key: RequestSchema,
}

impl Bodies {
    /// Compiles the schemas that the emitted document has.
    pub(super) fn compile(document: &Value, table: &[&dyn Provider]) -> Self {
        let compile = |name, words| RequestSchema::compile(document, name, words);
        let names: Vec<String> = table
            .iter()
            .map(|provider| provider.name().to_string())
            .collect();
        let one = one_of(&names);
        let events_of = |has: &dyn Fn(&dyn Provider) -> bool| {
            let titles = table.iter().filter(|provider| has(**provider));
            let titles: Vec<&str> = titles.map(|provider| provider.title()).collect();
            format!("belongs to {} events only", titles.join(" and "))
        };
        let owner = |member| move |provider: &dyn Provider| provider.addressing().owner == member;
        Self {
            publication: compile("PublishRequest", PUBLICATION)
                .with_words("/provider", "enum", one.clone())
                .with_words("/clientId", "not", events_of(&owner(OwnerMember::ClientId)))
                .with_words(
                    "/productId",
                    "not",
                    events_of(&owner(OwnerMember::ProductId)),
                )
                .with_words(
                    "/accountId",
                    "not",
                    events_of(&|provider| provider.addressing().has_accounts),
                ),
            replay: compile("ReplayRequest", REPLAY).with_words("/provider", "enum", one),
            key: compile("CreateKeyRequest", KEY).with_words(
                "/provider",
                "enum",
                one_of(&[names, vec!["operator".to_owned()]].concat()),
            ),
        }
    }
}

/// `must be a, b or c`.
pub(super) fn one_of(names: &[String]) -> String {
    match names {
        [] => "must not be there".to_owned(),
        [only] => format!("must be {only}"),
        [first @ .., last] => format!("must be {} or {last}", first.join(", ")),
    }
}

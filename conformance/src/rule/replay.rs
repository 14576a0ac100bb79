//! The table of rules about exchanges and samples. Each rule about an answer is named for the claim that does not hold.

use super::{Rule, Shown};
use crate::finding::Severity::{Breaking, Info, Undecided};

macro_rules! rules {
    ($($name:ident = $id:literal $severity:ident $meaning:literal, $documented:literal => $found:literal;)*) => {
        $(pub(crate) const $name: &str = $id;)*

        /// All rules.
        pub static ALL: &[Shown] = &[$(Shown {
            rule: Rule { id: $id, severity: $severity, meaning: $meaning },
            documented: $documented,
            found: $found,
        }),*];
    };
}

rules! {
    ANSWER_COMPLETE = "answer-complete" Breaking "The server did not answer completely, in time and within the size limit.",
        "Content-Length: 120" => "the connection ends after 60 bytes";
    NO_SERVER_ERROR = "no-server-error" Breaking "The server answered 5xx where none is the documented answer.",
        "201 Created" => "500 Internal Server Error";
    STATUS_DOCUMENTED = "status-documented" Breaking "The status is not documented: neither exactly, nor by range, nor by `default`.",
        "responses: { 201: .., 422: .. }" => "200 OK";
    STATUS_AS_SAMPLE = "status-as-sample" Breaking "The status is documented, but not the one that the sample stands under.",
        "a sample under 422" => "201 Created";
    CONTENT_TYPE_DOCUMENTED = "content-type-documented" Breaking "The content type is missing or not one of those documented; a warning where there is no content.",
        "content: { application/json: .. }" => "Content-Type: text/html";
    HEADER_DOCUMENTED = "header-documented" Breaking "A documented header is missing or not valid.",
        "X-Rate-Limit: { schema: { type: integer } }" => "X-Rate-Limit: many";
    BODY_SCHEMA = "body-schema" Breaking "The body is not what its schema says.",
        "id: { type: string }" => "{ \"id\": 7 }";
    BODY_EMPTY = "body-empty" Breaking "An answer that is documented without content has a body.",
        "204: { description: gone }" => "204 with 12 bytes";
    SAMPLE_MEMBERS = "sample-members" Breaking "The body has other members or types than the sample; a warning for members that nothing declares.",
        "{ \"id\": \"a\", \"name\": \"n\" }" => "{ \"id\": \"a\" }";
    SAMPLE_VALUES = "sample-values" Breaking "A value that the sample repeats from its request is not repeated.",
        "sent \"name\": \"n\", answered \"name\": \"n\"" => "answered \"name\": \"m\"";
    SAMPLE_OWN_SCHEMA = "sample-own-schema" Breaking "A sample of the document breaks its own schema; a warning where it cannot be told from another spelling.",
        "schema: { type: string, format: date }" => "value: tomorrow";
    SCHEMA_UNUSABLE = "schema-unusable" Undecided "Nothing can be held against a schema, as it is no valid one.",
        "pattern: '^[a-z]+$'" => "pattern: '^[a-z+$'";
    OPERATION_WITHOUT_SAMPLE = "operation-without-sample" Info "The document has no sample for an operation, so nothing was sent.",
        "examples: { one: { value: .. } }" => "content: { application/json: {} }";
    SAMPLE_UNCHECKED = "sample-unchecked" Undecided "A sample could not be checked, as what it needs was not there.",
        "GET /notes/{id}" => "no note could be created";
    SAMPLE_NOT_REPLAYABLE = "sample-not-replayable" Info "A sample cannot be turned into a request.",
        "an answer with the name of a request" => "an answer without a request";
    REPLAY_RECIPE = "replay-recipe" Undecided "The `x-replay` of a sample cannot be followed.",
        "x-replay: { from: guide }" => "x-replay: { from: nothing-of-this-name }";
    RESOURCE_NOT_CREATED = "resource-not-created" Undecided "The server refused to create what other samples need.",
        "POST /notes: 201 Created" => "POST /notes: 503 Service Unavailable";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_meanings_are_sentences() {
        for (index, Shown { rule, .. }) in ALL.iter().enumerate() {
            assert!(rule.meaning.ends_with('.'), "{}", rule.id);
            assert!(
                ALL[..index].iter().all(|other| other.rule.id != rule.id),
                "{}",
                rule.id
            );
        }
    }
}

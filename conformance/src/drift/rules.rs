//! The table of rules: what drift can find, how grave it is, and what it means.
//!
//! Ids are stable. The severity is that of the usual case; where the direction of a message decides, see the callers of
//! `Ledger::add_as`.

use crate::finding::Severity::{Breaking, Info, Undecided, Warning};
pub use crate::rule::Rule;

macro_rules! rules {
    ($($name:ident = $id:literal $severity:ident $meaning:literal;)*) => {
        $(pub(super) static $name: Rule = Rule { id: $id, severity: $severity, meaning: $meaning };)*

        /// All rules.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    INFO_CHANGED = "info-changed" Warning "`info.title` or `info.version` differs.";
    SERVERS_CHANGED = "servers-changed" Warning "The list of servers differs: URLs, their order, or their variables.";
    TAG_REMOVED = "tag-removed" Warning "A tag is declared in theirs only.";
    TAG_ADDED = "tag-added" Warning "A tag is declared in ours only.";
    MEMBER_REMOVED = "member-removed" Warning "A member that no other rule compares is in theirs only.";
    MEMBER_ADDED = "member-added" Warning "A member that no other rule compares is in ours only.";
    MEMBER_CHANGED = "member-changed" Warning "A member that no other rule compares has another value.";
    EXTENSION_REMOVED = "extension-removed" Warning "An extension (`x-...`) is in theirs only; breaking for `x-webhook-signature`.";
    EXTENSION_ADDED = "extension-added" Warning "An extension (`x-...`) is in ours only; breaking for `x-webhook-signature`.";
    EXTENSION_CHANGED = "extension-changed" Warning "An extension (`x-...`) has another value; breaking for `x-webhook-signature`.";
    PROSE_CHANGED = "prose-changed" Info "Text for readers differs; only with `--prose`.";
    REFERENCE_UNRESOLVED = "reference-unresolved" Undecided "A `$ref` leads nowhere, in a circle, or to another document.";
    LIMIT_REACHED = "limit-reached" Undecided "The comparison stopped at its limit; what was not compared is not known to be equal.";

    OPERATION_REMOVED = "operation-removed" Breaking "An operation of theirs is missing in ours.";
    OPERATION_ADDED = "operation-added" Warning "An operation of ours is not documented in theirs.";
    WEBHOOK_REMOVED = "webhook-removed" Breaking "A webhook (event) of theirs is missing in ours.";
    WEBHOOK_ADDED = "webhook-added" Warning "A webhook (event) of ours is not documented in theirs.";
    CALLBACK_REMOVED = "callback-removed" Breaking "A callback of theirs is missing in ours.";
    CALLBACK_ADDED = "callback-added" Warning "A callback of ours is not documented in theirs.";
    OPERATION_ID_CHANGED = "operation-id-changed" Breaking "The operationId differs, which generated clients are named by.";
    OPERATION_TAGS_CHANGED = "operation-tags-changed" Warning "The operation has other tags.";
    DEPRECATED_CHANGED = "deprecated-changed" Warning "One side declares it deprecated, the other does not.";
    PATH_PARAMETER_RENAMED = "path-parameter-renamed" Warning "The same path with other names in braces.";
    SECURITY_CHANGED = "security-changed" Breaking "An operation asks for other credentials; a warning where those asked before still suffice.";
    SECURITY_SCHEME_CHANGED = "security-scheme-changed" Breaking "A security scheme differs in more than its name and description; a warning where it only has more flows or scopes.";

    PARAMETER_REMOVED = "parameter-removed" Breaking "A parameter of theirs is missing in ours.";
    PARAMETER_ADDED = "parameter-added" Warning "A parameter of ours is not documented in theirs; breaking when the server asks for it.";
    PARAMETER_REQUIRED_CHANGED = "parameter-required-changed" Breaking "A parameter is required on one side only; a warning where ours is the laxer receiver or the stricter sender.";
    PARAMETER_SERIALIZATION_CHANGED = "parameter-serialization-changed" Breaking "`style`, `explode`, `allowReserved` or `allowEmptyValue` differs.";
    PARAMETER_REPEATED = "parameter-repeated" Undecided "A list has a parameter several times, and it is not known which one holds; a warning where all are alike, or both documents have the same ones.";
    HEADER_REMOVED = "header-removed" Breaking "A header of theirs is missing in ours.";
    HEADER_ADDED = "header-added" Warning "A header of ours is not documented in theirs; breaking where the server asks for it.";
    HEADER_REQUIRED_CHANGED = "header-required-changed" Breaking "A header is required on one side only; a warning where ours promises more.";

    REQUEST_BODY_REMOVED = "request-body-removed" Breaking "The operation takes a body in theirs only.";
    REQUEST_BODY_ADDED = "request-body-added" Warning "The operation takes a body in ours only; breaking when it is required.";
    REQUEST_BODY_REQUIRED_CHANGED = "request-body-required-changed" Breaking "The body is required on one side only; a warning where ours is the laxer receiver or the stricter sender.";
    RESPONSE_STATUS_REMOVED = "response-status-removed" Warning "A documented answer is missing in ours; breaking for answers of a webhook's receiver that no range and no `default` covers.";
    RESPONSE_STATUS_ADDED = "response-status-added" Breaking "Ours answers what is not documented; a warning where a range or `default` of theirs covers it, and for answers of a webhook's receiver.";
    MEDIA_TYPE_REMOVED = "media-type-removed" Breaking "A media type of theirs is missing in ours; a warning where a range of ours covers it, and for what a webhook sends.";
    MEDIA_TYPE_ADDED = "media-type-added" Breaking "A media type of ours is not documented in theirs; a warning where a range of theirs covers it, and where ours receives it.";
    ENCODING_CHANGED = "encoding-changed" Breaking "The encoding of a member of a form differs.";
    LINK_REMOVED = "link-removed" Warning "A link of theirs is missing in ours.";
    LINK_ADDED = "link-added" Warning "A link of ours is not documented in theirs.";
    LINK_CHANGED = "link-changed" Warning "A link leads elsewhere or passes on other values.";
    EXAMPLE_REMOVED = "example-removed" Warning "A documented sample is missing in ours.";
    EXAMPLE_ADDED = "example-added" Warning "A sample of ours is not documented in theirs.";
    EXAMPLE_CHANGED = "example-changed" Warning "A sample has another value.";

    SCHEMA_REMOVED = "schema-removed" Breaking "Theirs constrains a value by a schema, ours does not.";
    SCHEMA_ADDED = "schema-added" Breaking "Ours constrains a value by a schema, theirs does not.";
    SCHEMA_REPLACED = "schema-replaced" Breaking "Two schemas at one place have no keyword in common.";
    SCHEMA_TYPE_CHANGED = "schema-type-changed" Breaking "A value has another type, or may be null on one side only.";
    SCHEMA_ENUM_CHANGED = "schema-enum-changed" Breaking "The list of allowed values differs.";
    SCHEMA_REQUIRED_CHANGED = "schema-required-changed" Breaking "Other properties are required.";
    SCHEMA_PROPERTY_REMOVED = "schema-property-removed" Breaking "A property of theirs is missing in ours.";
    SCHEMA_PROPERTY_ADDED = "schema-property-added" Breaking "A property of ours is not documented in theirs; a warning where theirs admits any other.";
    SCHEMA_BRANCH_REMOVED = "schema-branch-removed" Breaking "A branch of `allOf`, `anyOf`, `oneOf` or `prefixItems` is missing in ours.";
    SCHEMA_BRANCH_ADDED = "schema-branch-added" Breaking "A branch of `allOf`, `anyOf`, `oneOf` or `prefixItems` is in ours only.";
    SCHEMA_KEYWORD_REMOVED = "schema-keyword-removed" Breaking "A keyword is missing in ours.";
    SCHEMA_KEYWORD_ADDED = "schema-keyword-added" Breaking "A keyword is in ours only.";
    SCHEMA_KEYWORD_CHANGED = "schema-keyword-changed" Breaking "A keyword has another value.";
    SCHEMA_DISCRIMINATOR_CHANGED = "schema-discriminator-changed" Warning "Another member tells the branches of a schema apart, or its values mean other schemas.";
    SCHEMA_ANNOTATION_CHANGED = "schema-annotation-changed" Warning "`default`, `deprecated`, `examples`, `xml` or an extension differs in a schema, which no value can tell.";
    SCHEMA_PROSE_CHANGED = "schema-prose-changed" Info "Text for readers differs in a schema; only with `--prose`.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        for (index, rule) in ALL.iter().enumerate() {
            assert!(
                rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                rule.id
            );
            assert!(
                ALL[..index].iter().all(|other| other.id != rule.id),
                "{}",
                rule.id
            );
            assert!(rule.meaning.ends_with('.'), "{}", rule.id);
        }
    }
}

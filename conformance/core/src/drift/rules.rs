//! The table of rules: what drift finds, how severe it is, and what it means.
//!
//! Ids are stable. The severity is that of the usual case; where it depends on who sends the content, see the callers of
//! `Ledger::affect`.

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
    INFO_CHANGED = "info-changed" Warning "`info.title` or `info.version` changed.";
    SERVERS_CHANGED = "servers-changed" Warning "The list of servers changed: URLs, their order, or their variables.";
    TAG_REMOVED = "tag-removed" Warning "A declared tag was removed.";
    TAG_ADDED = "tag-added" Warning "A declared tag was added.";
    MEMBER_REMOVED = "member-removed" Warning "A member that no other rule compares was removed.";
    MEMBER_ADDED = "member-added" Warning "A member that no other rule compares was added.";
    MEMBER_CHANGED = "member-changed" Warning "A member that no other rule compares has another value.";
    EXTENSION_REMOVED = "extension-removed" Warning "An extension (`x-...`) was removed; breaking for `x-webhook-signature`, and for promises of `x-webhook-delivery` that receivers build on.";
    EXTENSION_ADDED = "extension-added" Warning "An extension (`x-...`) was added; breaking for `x-webhook-signature`, and for promises of `x-webhook-delivery` that receivers build on.";
    EXTENSION_CHANGED = "extension-changed" Warning "An extension (`x-...`) has another value; breaking for `x-webhook-signature`, and for promises of `x-webhook-delivery` that receivers build on.";
    EXTENSION_INVALID = "extension-invalid" Breaking "`x-webhook-signature` or `x-webhook-delivery` has an unknown member or a wrong value, or a test vector does not verify.";
    PROSE_CHANGED = "prose-changed" Info "Text for readers changed; only with `--prose`.";
    REFERENCE_UNRESOLVED = "reference-unresolved" Undecided "A `$ref` leads nowhere, in a circle, or to a document that was not loaded.";
    MERGE_KEY = "yaml-merge-key" Warning "A document in YAML 1.2 has a merge key (`<<`), which only YAML 1.1 has; not every reader understands it.";
    LIMIT_REACHED = "limit-reached" Undecided "The comparison stopped at its limit; the rest was not compared.";

    OPERATION_REMOVED = "operation-removed" Breaking "An operation was removed.";
    OPERATION_ADDED = "operation-added" Warning "An operation was added.";
    WEBHOOK_REMOVED = "webhook-removed" Breaking "A webhook was removed.";
    WEBHOOK_ADDED = "webhook-added" Warning "A webhook was added.";
    CALLBACK_REMOVED = "callback-removed" Breaking "A callback was removed.";
    CALLBACK_ADDED = "callback-added" Warning "A callback was added.";
    OPERATION_ID_CHANGED = "operation-id-changed" Breaking "The `operationId` changed, which generated clients use as a name.";
    OPERATION_TAGS_CHANGED = "operation-tags-changed" Warning "The operation has other tags.";
    DEPRECATED_CHANGED = "deprecated-changed" Warning "Something was deprecated, or is no longer.";
    PATH_PARAMETER_RENAMED = "path-parameter-renamed" Warning "A path has other names in braces and is otherwise the same.";
    SECURITY_CHANGED = "security-changed" Breaking "An operation needs other credentials; a warning where the old ones still suffice. `security` of the document is not that of webhooks and callbacks.";
    SECURITY_SCHEME_CHANGED = "security-scheme-changed" Breaking "A security scheme changed in more than its name and description; a warning where it only has more flows or scopes.";

    PARAMETER_REMOVED = "parameter-removed" Breaking "A parameter was removed.";
    PARAMETER_ADDED = "parameter-added" Warning "A parameter was added; breaking where the server requires it.";
    PARAMETER_REQUIRED_CHANGED = "parameter-required-changed" Breaking "A parameter became required or optional; a warning where the server requires less, or sends it always.";
    PARAMETER_SERIALIZATION_CHANGED = "parameter-serialization-changed" Breaking "A parameter or header is written in another way: `style`, `explode`, `allowReserved`, `allowEmptyValue`, or `content` in place of `schema`; a warning where the receiver only accepts empty values as well.";
    PARAMETER_REPEATED = "parameter-repeated" Undecided "A list has a parameter several times, and it is not known which one holds; a warning where all are alike, or both documents have the same ones.";
    HEADER_REMOVED = "header-removed" Breaking "A header was removed.";
    HEADER_ADDED = "header-added" Warning "A header was added; breaking where the server requires it.";
    HEADER_REQUIRED_CHANGED = "header-required-changed" Breaking "A header became required or optional; a warning where it is always sent now.";

    REQUEST_BODY_REMOVED = "request-body-removed" Breaking "The request body was removed.";
    REQUEST_BODY_ADDED = "request-body-added" Warning "A request body was added; breaking where it is required, or the server sends it.";
    REQUEST_BODY_REQUIRED_CHANGED = "request-body-required-changed" Breaking "The request body became required or optional; a warning where the server requires less, or sends it always.";
    RESPONSE_STATUS_REMOVED = "response-status-removed" Warning "A response was removed; breaking for responses of a webhook's receiver that no range and no `default` covers.";
    RESPONSE_STATUS_ADDED = "response-status-added" Breaking "A response was added; a warning where a range or `default` covered it, and for responses of a webhook's receiver.";
    MEDIA_TYPE_REMOVED = "media-type-removed" Breaking "A media type was removed, or with the last one the body of a response; a warning where a range covers it, and for the requests of webhooks.";
    MEDIA_TYPE_ADDED = "media-type-added" Breaking "A media type was added, or with the first one the body of a response; a warning where a range covered it, and where the server receives it.";
    ENCODING_CHANGED = "encoding-changed" Breaking "A property of a form is encoded in another way; a warning where the receiver only accepts more media types.";
    LINK_REMOVED = "link-removed" Warning "A link was removed.";
    LINK_ADDED = "link-added" Warning "A link was added.";
    LINK_CHANGED = "link-changed" Warning "A link leads elsewhere, or passes other values.";
    EXAMPLE_REMOVED = "example-removed" Warning "A sample was removed.";
    EXAMPLE_ADDED = "example-added" Warning "A sample was added.";
    EXAMPLE_CHANGED = "example-changed" Warning "A sample has another value.";

    COMPONENT_REMOVED = "component-schema-removed" Breaking "A schema of a document of schemas alone was removed; other documents may refer to it.";
    COMPONENT_ADDED = "component-schema-added" Info "A schema of a document of schemas alone was added.";

    SCHEMA_REMOVED = "schema-removed" Breaking "A schema was removed, so that any value is valid.";
    SCHEMA_ADDED = "schema-added" Breaking "A schema was added where any value was valid.";
    SCHEMA_CHANGES_TOGETHER = "schema-changes-together" Breaking "Several changes of one schema that break nobody by themselves reject a value together.";
    SCHEMA_REPLACED = "schema-replaced" Breaking "Two schemas at one place have no keyword in common.";
    SCHEMA_TYPE_CHANGED = "schema-type-changed" Breaking "A value has another type, or null became valid or invalid.";
    SCHEMA_ENUM_CHANGED = "schema-enum-changed" Breaking "Other values are listed in `enum` or `const`.";
    SCHEMA_REQUIRED_CHANGED = "schema-required-changed" Breaking "Other properties are required.";
    SCHEMA_PROPERTY_REMOVED = "schema-property-removed" Breaking "A property was removed.";
    SCHEMA_PROPERTY_ADDED = "schema-property-added" Breaking "A property was added; a warning where additional properties were valid.";
    SCHEMA_BRANCH_REMOVED = "schema-branch-removed" Breaking "A subschema of `allOf`, `anyOf`, `oneOf` or `prefixItems` was removed.";
    SCHEMA_BRANCH_ADDED = "schema-branch-added" Breaking "A subschema of `allOf`, `anyOf`, `oneOf` or `prefixItems` was added.";
    SCHEMA_KEYWORD_REMOVED = "schema-keyword-removed" Breaking "A keyword was removed.";
    SCHEMA_KEYWORD_ADDED = "schema-keyword-added" Breaking "A keyword was added.";
    SCHEMA_KEYWORD_CHANGED = "schema-keyword-changed" Breaking "A keyword has another value.";
    SCHEMA_DISCRIMINATOR_CHANGED = "schema-discriminator-changed" Warning "Another property tells the subschemas apart, or its values name other schemas.";
    SCHEMA_ANNOTATION_CHANGED = "schema-annotation-changed" Warning "`default`, `deprecated`, `examples`, `xml` or an extension of a schema changed, none of which makes a value valid or invalid.";
    SCHEMA_PROSE_CHANGED = "schema-prose-changed" Info "Text for readers of a schema changed; only with `--prose`.";
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

//! An example of each rule: an old and a new piece of a document, and what both are part of. A test compares each pair and expects
//! the rule.

/// The frame of the two halves of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Members of the document's root.
    Document,
    /// The schemas of a document of schemas alone.
    Components,
    /// Members of `paths`.
    Paths,
    /// Members of an operation.
    Operation,
    /// The items of an operation's `parameters`.
    Parameters,
    /// Members of the answer 200.
    Response,
    /// The schema of the answer 200.
    Schema,
    /// The schema of a request's body.
    Body,
}

impl Frame {
    /// The word that lists use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Components => "schemas",
            Self::Paths => "paths",
            Self::Operation => "operation",
            Self::Parameters => "parameters",
            Self::Response => "response",
            Self::Schema => "schema",
            Self::Body => "schema of a body",
        }
    }
}

/// Two halves that differ, in YAML.
#[derive(Debug)]
pub struct Example {
    /// The rule that finds the difference.
    pub rule: &'static str,
    /// The frame of both halves.
    pub frame: Frame,
    /// In the old document.
    pub old: &'static str,
    /// In the new document.
    pub new: &'static str,
}

/// The example of a rule.
pub fn of(rule: &str) -> Option<&'static Example> {
    ALL.iter().find(|example| example.rule == rule)
}

macro_rules! examples {
    ($($rule:literal $frame:ident $old:literal => $new:literal;)*) => {
        static ALL: &[Example] = &[$(Example { rule: $rule, frame: Frame::$frame, old: $old, new: $new }),*];
    };
}

examples! {
    "info-changed" Document "info: {title: Orders, version: '1'}" => "info: {title: Orders, version: '2'}";
    "servers-changed" Document "servers: [{url: /v1}]" => "servers: [{url: /v2}]";
    "tag-removed" Document "tags: [{name: A}, {name: B}]" => "tags: [{name: A}]";
    "tag-added" Document "tags: [{name: A}]" => "tags: [{name: A}, {name: B}]";
    "member-removed" Document "info: {title: Orders, version: '1', license: {name: MIT}}" => "info: {title: Orders, version: '1'}";
    "member-added" Document "info: {title: Orders, version: '1'}" => "info: {title: Orders, version: '1', license: {name: MIT}}";
    "member-changed" Document "info: {title: Orders, version: '1', license: {name: MIT}}" => "info: {title: Orders, version: '1', license: {name: ISC}}";
    "extension-removed" Operation "x-owner: payments" => "{}";
    "extension-added" Operation "{}" => "x-owner: payments";
    "extension-changed" Operation "x-owner: payments" => "x-owner: orders";
    "prose-changed" Operation "summary: List orders" => "summary: Lists orders";
    "reference-unresolved" Response "headers: {X-Rate: {schema: {type: integer}}}" => "headers: {X-Rate: {$ref: '#/components/headers/None'}}";
    "extension-invalid" Document "x-webhook-delivery: {deadline: 10}" => "x-webhook-delivery: {dead-line: 10}";
    "yaml-merge-key" Document "x-base: {a: 1}, x-more: {a: 1}" => "x-base: &base {a: 1}, x-more: {<<: *base}";
    "limit-reached" Schema "what nests deeper than is compared" => "the same, nested otherwise";
    "operation-removed" Paths "/orders: {get: {responses: {}}, delete: {responses: {}}}" => "/orders: {get: {responses: {}}}";
    "operation-added" Paths "/orders: {get: {responses: {}}}" => "/orders: {get: {responses: {}}, delete: {responses: {}}}";
    "webhook-removed" Document "webhooks: {paid: {post: {responses: {}}}}" => "webhooks: {}";
    "webhook-added" Document "webhooks: {}" => "webhooks: {paid: {post: {responses: {}}}}";
    "callback-removed" Operation "callbacks: {paid: {'{$request.body#/url}': {post: {responses: {}}}}}" => "callbacks: {}";
    "callback-added" Operation "callbacks: {}" => "callbacks: {paid: {'{$request.body#/url}': {post: {responses: {}}}}}";
    "operation-id-changed" Operation "operationId: listOrders" => "operationId: getOrders";
    "operation-tags-changed" Operation "tags: [Orders]" => "tags: [Orders, Lists]";
    "deprecated-changed" Operation "deprecated: true" => "deprecated: false";
    "path-parameter-renamed" Paths "'/orders/{id}': {get: {parameters: [{in: path, name: id, required: true, schema: {type: string}}], responses: {}}}" => "'/orders/{orderId}': {get: {parameters: [{in: path, name: orderId, required: true, schema: {type: string}}], responses: {}}}";
    "security-changed" Operation "security: []" => "security: [{key: []}]";
    "security-scheme-changed" Document "components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}" => "components: {securitySchemes: {key: {type: apiKey, in: query, name: X-Key}}}";
    "parameter-removed" Parameters "[{in: query, name: limit, schema: {type: integer}}]" => "[]";
    "parameter-added" Parameters "[]" => "[{in: query, name: limit, schema: {type: integer}}]";
    "parameter-required-changed" Parameters "[{in: query, name: limit, schema: {type: integer}}]" => "[{in: query, name: limit, required: true, schema: {type: integer}}]";
    "parameter-serialization-changed" Parameters "[{in: query, name: ids, explode: true, schema: {type: array}}]" => "[{in: query, name: ids, explode: false, schema: {type: array}}]";
    "parameter-repeated" Parameters "[{in: query, name: page, schema: {type: integer}}]" => "[{in: query, name: page, schema: {type: integer}}, {in: query, name: page, schema: {type: string}}]";
    "header-removed" Response "headers: {X-Rate: {schema: {type: integer}}}" => "headers: {}";
    "header-added" Response "headers: {}" => "headers: {X-Rate: {schema: {type: integer}}}";
    "header-required-changed" Response "headers: {X-Rate: {required: true, schema: {type: integer}}}" => "headers: {X-Rate: {schema: {type: integer}}}";
    "request-body-removed" Operation "requestBody: {content: {application/json: {}}}" => "{}";
    "request-body-added" Operation "{}" => "requestBody: {content: {application/json: {}}}";
    "request-body-required-changed" Operation "requestBody: {content: {application/json: {}}}" => "requestBody: {required: true, content: {application/json: {}}}";
    "response-status-removed" Operation "responses: {'200': {description: d}, '404': {description: d}}" => "responses: {'200': {description: d}}";
    "response-status-added" Operation "responses: {'200': {description: d}}" => "responses: {'200': {description: d}, '409': {description: d}}";
    "media-type-removed" Response "content: {application/json: {}, text/csv: {}}" => "content: {application/json: {}}";
    "media-type-added" Response "content: {application/json: {}}" => "content: {application/json: {}, text/csv: {}}";
    "encoding-changed" Operation "requestBody: {content: {multipart/form-data: {schema: {properties: {file: {type: string}}}, encoding: {file: {contentType: image/png}}}}}" => "requestBody: {content: {multipart/form-data: {schema: {properties: {file: {type: string}}}, encoding: {file: {contentType: image/gif}}}}}";
    "link-removed" Response "links: {self: {operationId: get}}" => "links: {}";
    "link-added" Response "links: {}" => "links: {self: {operationId: get}}";
    "link-changed" Response "links: {self: {operationId: get}}" => "links: {self: {operationId: other}}";
    "example-removed" Response "content: {application/json: {examples: {one: {value: 1}}}}" => "content: {application/json: {}}";
    "example-added" Response "content: {application/json: {}}" => "content: {application/json: {examples: {one: {value: 1}}}}";
    "example-changed" Response "content: {application/json: {examples: {one: {value: 1}}}}" => "content: {application/json: {examples: {one: {value: 2}}}}";
    "component-schema-removed" Components "{Money: {type: string}, Card: {type: object}}" => "{Money: {type: string}}";
    "component-schema-added" Components "{Money: {type: string}}" => "{Money: {type: string}, Card: {type: object}}";
    "schema-removed" Response "content: {application/json: {schema: {type: string}}}" => "content: {application/json: {}}";
    "schema-added" Operation "requestBody: {content: {application/json: {}}}" => "requestBody: {content: {application/json: {schema: {type: string}}}}";
    "schema-replaced" Body "{type: string}" => "{enum: [a, b]}";
    "schema-changes-together" Body "{type: object, properties: {a: {type: string}, b: {type: string}}}" => "{type: object, properties: {a: {type: string}}, additionalProperties: false}";
    "schema-type-changed" Schema "{type: string}" => "{type: integer}";
    "schema-enum-changed" Schema "{enum: [a, b]}" => "{enum: [a, b, c]}";
    "schema-required-changed" Body "{type: object, required: [a]}" => "{type: object, required: [a, b]}";
    "schema-property-removed" Schema "{properties: {a: {type: string}, b: {type: string}}}" => "{properties: {a: {type: string}}}";
    "schema-property-added" Schema "{properties: {a: {type: string}}, additionalProperties: false}" => "{properties: {a: {type: string}, b: {type: string}}, additionalProperties: false}";
    "schema-branch-removed" Body "{anyOf: [{type: string}, {type: integer}, {type: boolean}]}" => "{anyOf: [{type: string}, {type: integer}]}";
    "schema-branch-added" Schema "{anyOf: [{type: string}, {type: integer}]}" => "{anyOf: [{type: string}, {type: integer}, {type: boolean}]}";
    "schema-keyword-removed" Schema "{type: string, maxLength: 9}" => "{type: string}";
    "schema-keyword-added" Body "{type: string}" => "{type: string, maxLength: 9}";
    "schema-keyword-changed" Body "{type: string, maxLength: 9}" => "{type: string, maxLength: 5}";
    "schema-discriminator-changed" Schema "{type: object, discriminator: {propertyName: kind}}" => "{type: object, discriminator: {propertyName: type}}";
    "schema-annotation-changed" Schema "{type: string, deprecated: true}" => "{type: string}";
    "schema-prose-changed" Schema "{type: string, description: A name}" => "{type: string, description: The name}";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::drift::{Options, compare, rules};
    use crate::finding::Severity;

    /// The document that a half of an example stands for.
    fn document(name: &str, frame: Frame, half: &str) -> Document {
        let members = |half: &str| match half {
            "{}" => String::new(),
            half => format!("{half}, "),
        };
        let responses = |half: &str| match half.starts_with("responses:") {
            true => half.to_owned(),
            false => format!("{}responses: {{'200': {{description: d}}}}", members(half)),
        };
        let operation = |inside: String| format!("paths: {{/orders: {{get: {{{inside}}}}}}}");
        let answer =
            |inside: String| operation(format!("responses: {{'200': {{{inside}description: d}}}}"));
        let body = match frame {
            Frame::Document if half.starts_with("components:") => {
                format!(
                    "{half}, {}",
                    operation("security: [{key: []}], responses: {}".to_owned())
                )
            }
            Frame::Document => half.to_owned(),
            Frame::Components => {
                format!("info: {{title: t, version: '1'}}, components: {{schemas: {half}}}")
            }
            Frame::Paths => format!("paths: {{{half}}}"),
            Frame::Operation => format!(
                "components: {{securitySchemes: {{key: {{type: apiKey, in: header, name: X-Key}}}}}}, {}",
                operation(responses(half))
            ),
            Frame::Parameters => operation(format!("parameters: {half}, responses: {{}}")),
            Frame::Response => answer(members(half)),
            Frame::Schema => answer(format!(
                "content: {{application/json: {{schema: {half}}}}}, "
            )),
            Frame::Body => operation(format!(
                "requestBody: {{content: {{application/json: {{schema: {half}}}}}}}, responses: {{}}"
            )),
        };
        Document::parse(name, &format!("---\n{{openapi: 3.1.0, {body}}}"))
            .unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    #[test]
    fn every_rule_has_an_example_that_it_finds() {
        // No pair of two lines reaches the limit.
        let unfound = ["limit-reached"];
        let mut wrong = Vec::new();
        for rule in rules::ALL {
            let example = of(rule.id).unwrap_or_else(|| panic!("{} has no example", rule.id));
            if unfound.contains(&rule.id) {
                continue;
            }
            let old = document("old", example.frame, example.old);
            let new = document("new", example.frame, example.new);
            let options = Options {
                prose: true,
                ..Options::default()
            };
            let found: Vec<(&str, Severity)> = compare(&old, &new, &options)
                .iter()
                .map(|finding| (finding.rule, finding.severity))
                .collect();
            if !found.contains(&(rule.id, rule.severity)) {
                wrong.push(format!("{}: {found:?}", rule.id));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(
            ALL.len(),
            rules::ALL.len(),
            "an example of a rule that there is no more"
        );
    }
}

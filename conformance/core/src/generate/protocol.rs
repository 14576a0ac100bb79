//! Requests that differ below the schemas: methods, content types, malformed bodies, credentials.

use serde_json::Value;

use super::base::Base;
use super::markup::is_xml;
use super::{Source, derived};
use crate::case::serialize::is_json;
use crate::case::{Body, Case, Intent, PathValue, Refusal};
use crate::samples::{media_types, template_names};

/// Methods that are tried where the document does not have them.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Source<'_> {
    pub(super) fn protocol(&self, base: &Base) -> Vec<Case> {
        let mut cases = self.credentials(base);
        cases.extend(self.malformed(base));
        cases.extend(self.content_types(base));
        cases.extend(self.methods(base));
        cases.extend(self.negotiated(base));
        cases.extend(self.unreadable(base));
        cases
    }

    /// Paths with broken percent-encoding, or with one that is not UTF-8 (RFC 3986, 2.1; RFC 3629, 3).
    fn unreadable(&self, base: &Base) -> Vec<Case> {
        const FORMS: [(&str, &str); 5] = [
            ("%", "a percent sign alone"),
            ("%G1", "a percent sign before letters"),
            ("%00", "a null byte"),
            ("%C0%AF", "an overlong form"),
            ("%FF", "a byte that is not UTF-8"),
        ];
        let is_read = self.operation.method == "GET";
        let last = template_names(self.operation.path).pop();
        let Some(name) = last.filter(|_| is_read) else {
            return Vec::new();
        };
        let with = |(literal, what): (&str, &str)| {
            let about = format!("with {what} in the path parameter `{name}`");
            let mut case = derived(base, &about, Intent::Unreadable);
            let own = case.path.iter_mut().find(|own| own.name == name)?;
            *own = PathValue {
                name: name.clone(),
                documented: None,
                literal: Some(literal.to_owned()),
                create: false,
            };
            Some(case)
        };
        FORMS.into_iter().filter_map(with).collect()
    }

    /// The request with a body that cannot be read.
    fn malformed(&self, base: &Base) -> Vec<Case> {
        let Some(body) = &base.case.body else {
            return Vec::new();
        };
        let own = body.content_type.as_deref();
        if own.is_some_and(is_xml) && body.bytes.starts_with(b"<") {
            return malformed_xml(base, body);
        }
        let with = |name: &str, bytes: Vec<u8>, intent: Intent| Case {
            body: Some(Body {
                content_type: own.map(str::to_owned),
                bytes,
                value: None,
            }),
            ..derived(base, name, intent)
        };
        let refused = Intent::Refused(Refusal::Invalid);
        let mut cases = Vec::new();
        if own.is_some_and(is_json) {
            let text = body.bytes.clone();
            let mut early = text.clone();
            early.pop();
            let joined = |more: &[u8]| [text.as_slice(), more].concat();
            // One scalar without its last character may be another one.
            if text.starts_with(b"{") || text.starts_with(b"[") {
                cases.push(with("body that ends too early", early, refused));
            }
            cases.extend([
                with("body that is not UTF-8", b"\"\xff\"".to_vec(), refused),
                with("body with something behind it", joined(b" x"), refused),
                with("body with a comma behind it", joined(b","), refused),
                with("body in single quotes", b"{'a': 1}".to_vec(), refused),
                with(
                    "body that is not a number of JSON",
                    b"NaN".to_vec(),
                    refused,
                ),
                with("body of 10,000 brackets", vec![b'['; 10_000], refused),
                with(
                    "body with a byte order mark",
                    [b"\xef\xbb\xbf", text.as_slice()].concat(),
                    Intent::Open,
                ),
            ]);
            // Readers in some languages take it by default, and cannot write it again.
            if let Some(Value::Object(members)) = &body.value
                && let Some((name, _)) = members.iter().find(|(_, value)| value.is_number())
            {
                let rest: String = members
                    .iter()
                    .filter(|(other, _)| *other != name)
                    .map(|(other, value)| format!(",{}:{value}", Value::from(other.as_str())))
                    .collect();
                let bytes = format!("{{{}:NaN{rest}}}", Value::from(name.as_str())).into_bytes();
                let what = format!("body in which `{name}` is NaN");
                cases.push(with(&what, bytes, refused));
            }
            if let Some(Value::Object(members)) = &body.value
                && let Some((name, value)) = members.iter().next()
            {
                let member = format!("{{{}:{value},", Value::from(name.as_str()));
                let twice = [member.as_bytes(), &text[1..]].concat();
                cases.push(with("body with a member twice", twice, Intent::Open));
            }
        }
        if own.is_some_and(|name| name.starts_with("multipart/")) {
            let end = body.bytes.len() / 2;
            cases.push(with(
                "body that ends too early",
                body.bytes[..end].to_vec(),
                Intent::Open,
            ));
        }
        let owner = self.operation.request_body(self.document);
        let required =
            owner.is_some_and(|body| body.value.get("required") == Some(&Value::Bool(true)));
        if required && own.is_some_and(is_json) {
            cases.push(with("with an empty body", Vec::new(), refused));
        }
        cases
    }

    /// The request with a body of another content type.
    fn content_types(&self, base: &Base) -> Vec<Case> {
        let (Some(body), Some(owner)) =
            (&base.case.body, self.operation.request_body(self.document))
        else {
            return Vec::new();
        };
        let documented = media_types(self.document, &owner);
        let takes = |kind: &str| {
            documented.iter().any(|(name, _)| {
                let name = name.to_ascii_lowercase();
                let name = name.split(';').next().unwrap_or_default().trim();
                let range = name
                    .strip_suffix("/*")
                    .is_some_and(|range| kind.split('/').next() == Some(range));
                name == kind || name == "*/*" || range
            })
        };
        let with = |content_type: Option<&str>, name: &str, intent| Case {
            body: Some(Body {
                content_type: content_type.map(str::to_owned),
                ..body.clone()
            }),
            ..derived(base, name, intent)
        };
        let mut cases = Vec::new();
        let others = ["text/plain", "application/xml", "application/x-conformance"];
        for other in others.into_iter().filter(|other| !takes(other)) {
            let name = format!("body as `{other}`");
            let intent = Intent::Refused(Refusal::MediaType);
            cases.push(with(Some(other), &name, intent));
        }
        if !body.bytes.is_empty() {
            // A server may guess (RFC 9110, 8.3).
            cases.push(with(None, "body without a content type", Intent::Open));
        }
        cases
    }

    /// The methods that the path does not have; asked with the first operation of each path only.
    fn methods(&self, base: &Base) -> Vec<Case> {
        let same = self.document.operations_of_path(self.operation.path);
        if same
            .first()
            .is_none_or(|first| first.pointer != self.operation.pointer)
        {
            return Vec::new();
        }
        let has = |method: &str| same.iter().any(|other| other.method == method);
        let with = |method: &str, intent| Case {
            method: method.to_owned(),
            body: None,
            query: Vec::new(),
            ..derived(base, &format!("with the method {method}"), intent)
        };
        let others = METHODS.into_iter().filter(|method| !has(method));
        let mut cases: Vec<Case> = others
            .map(|method| with(method, Intent::Refused(Refusal::Method)))
            .collect();
        if !has("OPTIONS") {
            cases.push(with("OPTIONS", Intent::Options));
        }
        cases
    }

    /// `HEAD` for `GET`, and each documented media type of the answers asked for alone.
    fn negotiated(&self, base: &Base) -> Vec<Case> {
        let mut cases = Vec::new();
        let same = self.document.operations_of_path(self.operation.path);
        let has_head = same.iter().any(|other| other.method == "HEAD");
        if self.operation.method == "GET" && !has_head {
            cases.push(Case {
                method: "HEAD".to_owned(),
                ..derived(base, "with the method HEAD", Intent::Head)
            });
        }
        let responses = self.operation.responses(self.document);
        let success = responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'));
        for (_, response) in success {
            let documented = media_types(self.document, response);
            let named = documented.iter().map(|(name, _)| name);
            for name in named.filter(|name| !name.contains('*')) {
                let about = format!("that accepts only `{name}`");
                let mut case = derived(base, &about, Intent::Valid);
                case.overrides
                    .push(("Accept".to_owned(), Some(name.clone())));
                cases.push(case);
            }
        }
        let is_negotiated = cases.iter().any(|case| case.intent == Intent::Valid);
        if is_negotiated && self.operation.method == "GET" {
            // A server may answer 406, or with what it has.
            let about = "that accepts only `application/x-conformance`";
            let mut case = derived(base, about, Intent::Open);
            let other = "application/x-conformance".to_owned();
            case.overrides.push(("Accept".to_owned(), Some(other)));
            cases.push(case);
        }
        cases
    }
}

/// The request with XML that is not well-formed, and with some that asks for more than its own text.
fn malformed_xml(base: &Base, body: &Body) -> Vec<Case> {
    let with = |name: &str, bytes: Vec<u8>, intent: Intent| Case {
        body: Some(Body {
            content_type: body.content_type.clone(),
            bytes,
            value: None,
        }),
        ..derived(base, name, intent)
    };
    let refused = Intent::Refused(Refusal::Invalid);
    let text = &body.bytes;
    let joined = |more: &[u8]| [text.as_slice(), more].concat();
    let mut early = text.clone();
    early.pop();
    let entity = b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
    vec![
        with("XML that ends too early", early, refused),
        with(
            "XML with an end tag behind it",
            joined(b"</conformance>"),
            refused,
        ),
        with("XML with a second root", joined(b"<conformance/>"), refused),
        with(
            "XML with an unknown entity",
            b"<a>&conformance;</a>".to_vec(),
            refused,
        ),
        with("XML that is not UTF-8", b"<a>\xff</a>".to_vec(), refused),
        with(
            "XML of another root",
            b"<conformance/>".to_vec(),
            Intent::Open,
        ),
        with(
            "XML with an entity of its own",
            entity.to_vec(),
            Intent::Open,
        ),
        with("JSON in place of XML", b"{}".to_vec(), refused),
    ]
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::generate::Generator;
    use crate::schema::Schemas;

    #[test]
    fn a_method_of_openapi_3_2_counts_as_documented() {
        let text = "openapi: 3.2.0\npaths: {/a: {get: {responses: {'200': {description: d}}}, additionalOperations: {COPY: {responses: {'200': {description: d}}}}}}\n";
        let document = Document::parse("t", text).unwrap();
        let schemas = Schemas::new(&document);
        let generator = Generator::new(&document, &schemas);
        let operations = document.operations();
        let cases = generator.cases(&operations[0], &[], 100);
        let methods: Vec<&str> = cases.iter().map(|case| case.method.as_str()).collect();
        assert_eq!(
            methods,
            ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
        );
    }
}

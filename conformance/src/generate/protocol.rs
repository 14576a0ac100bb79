//! Flaws below the schemas: methods, content types, malformed bodies, credentials.

use serde_json::{Map, Value};

use super::{Source, derived};
use crate::case::{Body, Case, Intent};
use crate::document::pointer;

/// Methods that are tried where the document does not have them. `HEAD` and `OPTIONS` are often answered by servers themselves.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Source<'_> {
    pub(super) fn protocol(&self, base: &Case) -> Vec<Case> {
        let mut cases = self.credentials(base);
        cases.extend(self.malformed(base));
        cases.extend(self.methods(base));
        cases
    }

    /// The request without its credentials, where the operation needs some.
    fn credentials(&self, base: &Case) -> Vec<Case> {
        let own = pointer::join(&self.operation.pointer, "security");
        let security = self
            .document
            .at(&own)
            .or_else(|| self.document.at("/security"));
        let Some(alternatives) = security.and_then(Value::as_array) else {
            return Vec::new();
        };
        let optional = alternatives
            .iter()
            .any(|one| one.as_object().is_none_or(Map::is_empty));
        if alternatives.is_empty() || optional {
            return Vec::new();
        }
        vec![Case {
            anonymous: true,
            ..derived(base, "without credentials", Intent::Refused(&[401, 403]))
        }]
    }

    /// The request with a body that cannot be read.
    fn malformed(&self, base: &Case) -> Vec<Case> {
        let Some((_, body, value)) = self.json_body(base) else {
            return Vec::new();
        };
        let mut bytes = value.to_string().into_bytes();
        bytes.pop();
        let with = |name: &str, bytes: Vec<u8>, content_type: Option<&str>| Case {
            body: Some(Body {
                content_type: content_type.map(str::to_owned),
                bytes,
                value: None,
            }),
            ..derived(base, name, Intent::Refused(&[]))
        };
        let own = body.content_type.as_deref();
        let mut cases = vec![
            with("body that ends too early", bytes, own),
            with("body that is not UTF-8", b"\"\xff\"".to_vec(), own),
        ];
        let owner = self.operation.request_body(self.document);
        let required =
            owner.is_some_and(|body| body.value.get("required") == Some(&Value::Bool(true)));
        if required {
            cases.push(with("with an empty body", Vec::new(), own));
        }
        let content = self.operation.request_body(self.document);
        let takes_text = content.is_some_and(|body| {
            let content = body.value.get("content").and_then(Value::as_object);
            content.is_some_and(|content| {
                content
                    .keys()
                    .any(|name| name.starts_with("text/") || name.contains('*'))
            })
        });
        if !takes_text {
            cases.push(with(
                "body as `text/plain`",
                body.bytes.clone(),
                Some("text/plain"),
            ));
        }
        cases
    }

    /// The methods that the path does not have; asked with the first operation of each path only.
    fn methods(&self, base: &Case) -> Vec<Case> {
        let item = pointer::parent(&self.operation.pointer);
        let Some(item) = self.document.at(item).and_then(Value::as_object) else {
            return Vec::new();
        };
        let has = |method: &str| item.contains_key(&method.to_ascii_lowercase());
        let all = self.document.operations();
        let first = all.iter().find(|other| other.path == self.operation.path);
        if first.is_none_or(|first| first.pointer != self.operation.pointer) {
            return Vec::new();
        }
        METHODS
            .into_iter()
            .filter(|method| !has(method))
            .map(|method| Case {
                method: method.to_owned(),
                body: None,
                query: Vec::new(),
                ..derived(
                    base,
                    &format!("with the method {method}"),
                    Intent::Refused(&[405]),
                )
            })
            .collect()
    }
}

//! Why no requests can be generated for an operation: schemas that no value is valid under, and schemas that are beyond us.

use super::Source;
use crate::case::Case;
use crate::document::pointer;
use crate::drift::accepts_nothing;
use crate::finding::{Finding, Place, ReplayFault, Sender, Severity};
use crate::rule::replay as rules;
use crate::samples::media_types;

impl Source<'_> {
    /// The findings about schemas of requests. What lacks a value is told only where no sample stands in for it.
    pub(super) fn faults(&self, samples: &[Case]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let parameters = self.operation.parameters(self.document);
        let mut parts: Vec<(String, String)> = parameters
            .iter()
            .filter_map(|parameter| {
                let member = |name| {
                    parameter
                        .value
                        .get(name)
                        .and_then(serde_json::Value::as_str)
                };
                let part = format!("{} parameter `{}`", member("in")?, member("name")?);
                Some((part, self.schema_of(parameter)?))
            })
            .collect();
        if let Some(body) = self.operation.request_body(self.document) {
            for (name, media) in media_types(self.document, &body) {
                let schema = pointer::join(&media.pointer, "schema");
                parts.push((format!("body as `{name}`"), schema));
            }
        }
        for (part, schema) in parts {
            let written = self.schemas.written(&schema, Some(Sender::Client));
            let proven = self.document.at(&schema).is_some()
                && self.examples(&schema).is_empty()
                && written.is_ok_and(|written| accepts_nothing(&written));
            if proven {
                findings.push(self.finding(part, Some(schema), true));
            }
        }
        if findings.is_empty()
            && self.base(samples).is_none()
            && let Err((part, schema)) = self.generated()
        {
            findings.push(self.finding(part, schema, false));
        }
        findings
    }

    fn finding(&self, part: String, schema: Option<String>, proven: bool) -> Finding {
        let at = schema.unwrap_or_else(|| self.operation.pointer.clone());
        let (rule, severity) = match proven {
            true => (rules::REQUEST_UNSATISFIABLE, Severity::Breaking),
            false => (rules::CASES_NOT_GENERATED, Severity::Undecided),
        };
        let fault = ReplayFault::NoValue { part, proven };
        Finding {
            old: Some(Place::of(self.document, &at)),
            ..Finding::new(rule, severity, self.operation.subject(), fault)
        }
    }
}

//! Why no requests can be generated for an operation: schemas that no value is valid under, and schemas that are beyond us.

use std::collections::HashSet;

use serde_json::Map;

use super::Source;
use crate::case::Case;
use crate::document::pointer;
use crate::drift::accepts_nothing;
use crate::finding::{Finding, Message, Place, ReplayFault, Severity};
use crate::rule::replay as rules;
use crate::samples::media_types;

/// Most subschemas of a body that are looked at.
const MEMBERS: usize = 500;

impl Source<'_> {
    /// Returns the findings about schemas of requests. A part without a value is reported only where no sample stands in for it.
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
        let mut optional = Vec::new();
        for (part, schema) in parts {
            let is_body = part.starts_with("body");
            let written = || self.schemas.written(&schema, Some(self.sender()));
            let proven = self.document.at(&schema).is_some()
                && self.examples(&schema).is_empty()
                && written().is_ok_and(|written| accepts_nothing(&written));
            if proven {
                findings.push(self.finding(part, Some(schema), true));
            } else if is_body {
                let mut seen = HashSet::new();
                self.empty_members(&schema, ("", &part), &mut seen, &mut optional);
            }
        }
        if findings.is_empty()
            && self.base(samples).is_none()
            && let Err((part, schema)) = self.generated()
        {
            findings.push(self.finding(part, schema, false));
        }
        findings.extend(optional);
        findings
    }

    /// Adds a finding for each optional member below a schema that no value is valid for. `at` is the pointer of the value in the body,
    /// and what that is called.
    fn empty_members(
        &self,
        schema: &str,
        (at, body): (&str, &str),
        seen: &mut HashSet<String>,
        findings: &mut Vec<Finding>,
    ) {
        let subschemas = self.schemas.subschemas();
        for own in subschemas.in_place(&[schema.to_owned()]) {
            if seen.len() >= MEMBERS || !seen.insert(own.clone()) {
                continue;
            }
            let object = subschemas.object(&own);
            let properties = object.and_then(|object| object.get("properties")?.as_object());
            let required = object.and_then(|object| object.get("required")?.as_array());
            for name in properties.into_iter().flat_map(Map::keys) {
                let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
                let member = pointer::join(&pointer::join(&own, "properties"), name);
                let at = pointer::join(at, name);
                if !is_required && self.is_empty(&member) {
                    let part = format!("member `{at}` of the {body}");
                    let mut finding = self.finding(part, Some(member), true);
                    finding.severity = Severity::Warning;
                    if let Message::Replay(ReplayFault::NoValue { optional, .. }) =
                        &mut finding.message
                    {
                        *optional = true;
                    }
                    findings.push(finding);
                } else {
                    self.empty_members(&member, (&at, body), seen, findings);
                }
            }
        }
    }

    /// Whether a schema contradicts itself. One that says outright that there is no value is meant so.
    fn is_empty(&self, schema: &str) -> bool {
        let all = self.schemas.subschemas().in_place(&[schema.to_owned()]);
        let objects = || {
            all.iter()
                .filter_map(|at| self.schemas.subschemas().object(at))
        };
        let has = |name: &str| objects().any(|object| object.contains_key(name));
        // To decide it takes long, so only where there is something to contradict.
        let pairs = [
            ("minimum", "maximum"),
            ("exclusiveMinimum", "exclusiveMaximum"),
            ("minimum", "exclusiveMaximum"),
            ("exclusiveMinimum", "maximum"),
            ("minLength", "maxLength"),
            ("minItems", "maxItems"),
            ("minProperties", "maxProperties"),
            ("type", "enum"),
            ("type", "const"),
            ("pattern", "enum"),
        ];
        let types = objects()
            .filter(|object| object.contains_key("type"))
            .count();
        let may = types > 1 || pairs.iter().any(|(one, other)| has(one) && has(other));
        let written = || self.schemas.written(schema, Some(self.sender()));
        may && !has("not")
            && written().is_ok_and(|written| accepts_nothing(&written))
            && self.examples(schema).is_empty()
    }

    fn finding(&self, part: String, schema: Option<String>, proven: bool) -> Finding {
        let at = schema.unwrap_or_else(|| self.operation.pointer.clone());
        let (rule, severity) = match proven {
            true => (rules::REQUEST_UNSATISFIABLE, Severity::Breaking),
            false => (rules::CASES_NOT_GENERATED, Severity::Undecided),
        };
        let fault = ReplayFault::NoValue {
            part,
            proven,
            optional: false,
        };
        Finding {
            old: Some(Place::of(self.document, &at)),
            ..Finding::new(rule, severity, self.operation.subject(), fault)
        }
    }
}

//! How much of the life of a resource is sent: all of it, or the parts and members that show a fault on their own.

use serde_json::Value;

use super::driver::{Answer, Driver};
use crate::exchange::Exchange;
use crate::finding::{FlowPart, FlowRecord, FlowStep};
use crate::rule::flows as rules;
use crate::session::is_safe;

/// The parts of a life, and what its bodies have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Course {
    pub(crate) parts: Vec<FlowPart>,
    /// Whether bodies are as the document has them, without long texts and optional members.
    pub(crate) plain: bool,
    /// The members that bodies lack.
    pub(crate) without: Vec<String>,
}

impl Default for Course {
    /// The whole life.
    fn default() -> Self {
        Self {
            parts: FlowPart::ALL.to_vec(),
            plain: false,
            without: Vec::new(),
        }
    }
}

impl Course {
    /// The course of a recorded sequence.
    pub(crate) fn of(record: &FlowRecord) -> Self {
        Self {
            parts: record.parts.clone().unwrap_or(FlowPart::ALL.to_vec()),
            plain: record.plain,
            without: record.without.clone(),
        }
    }
}

impl Driver<'_> {
    /// Whether a part of the life is sent; it begins now.
    pub(super) fn begins(&mut self, part: FlowPart) -> bool {
        self.part = Some(part);
        self.course.parts.contains(&part)
    }

    /// The bodies of the course, of those that show the most first.
    pub(super) fn of_course(&self, schema: &str, mut bodies: Vec<Value>) -> Vec<Value> {
        if self.course.plain {
            bodies.reverse();
        }
        let lessen = |mut body: Value| {
            for name in &self.course.without {
                let mut less = body.clone();
                let members = less.as_object_mut();
                let is_there = members.is_some_and(|members| members.shift_remove(name).is_some());
                if is_there && self.bodies.is_valid(schema, &less) {
                    body = less;
                }
            }
            body
        };
        bodies.into_iter().map(lessen).collect()
    }

    /// The sequence that is being sent, up to an answer that shows a fault of a rule.
    pub(super) fn flow(&self, rule: &str, proof: &Exchange) -> FlowRecord {
        let resource = self.current.map(|index| self.resources[index].name.clone());
        let mut record = FlowRecord {
            resource: resource.unwrap_or_default(),
            seed: self.settings.seed,
            shown_in: self.part,
            ..FlowRecord::default()
        };
        let Some(trace) = &self.trace else {
            return record;
        };
        record.parts = Some(self.course.parts.clone());
        record.plain = self.course.plain;
        record.without.clone_from(&self.course.without);
        let end = trace.iter().rposition(|one| one.request == proof.request);
        let before = &trace[..end.unwrap_or(trace.len())];
        // Reads change nothing; that of the same URL may be what the last one is compared with, if something changed meanwhile.
        let (mut steps, mut is_compared) = (Vec::new(), rule == rules::READ_CHANGES_NOTHING);
        for one in before.iter().rev() {
            let is_read = is_safe(&one.request.method);
            if !is_read || is_compared && one.request.url == proof.request.url {
                is_compared = !is_read;
                steps.push(one);
            }
        }
        let secrets = self.session.judge.secrets;
        record.steps = steps
            .into_iter()
            .rev()
            .map(|one| {
                let shown = one.record(secrets);
                FlowStep {
                    request: format!("{} {}", shown.sent.method, shown.sent.url),
                    status: one.response.as_ref().map(|response| response.status),
                    curl: shown.curl,
                }
            })
            .collect();
        record
    }

    /// Keeps an exchange of a sequence that is sent again.
    pub(super) fn trace(&mut self, answer: &Answer) {
        if let Some(trace) = &mut self.trace {
            trace.push(answer.exchange.clone());
        }
    }
}

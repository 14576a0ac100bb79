//! A sequence made shorter: parts of the life of a resource are left out, and members of its bodies, while the same fault shows.
//!
//! Each try sends the shorter sequence anew, and deletes what it created. Sequences of resources that cannot be deleted stay as they are,
//! as each try would leave something behind.

use super::super::again::signature_of;
use super::Budget;
use crate::finding::{Finding, FlowPart, FlowRecord};
use crate::flows::{self, Course, Resource};
use crate::rule::flows as rules;
use crate::session::{FlowSettings, Session};

/// Most tries for one finding.
const TRIES: usize = 60;

/// How many requests a try counts for.
const REQUESTS: usize = 10;

/// A sequence while it is made shorter.
struct Sequence<'s> {
    session: &'s Session<'s>,
    settings: FlowSettings,
    resource: String,
    /// The signature that a finding has to have, and the first line of its response.
    wanted: (String, Option<String>),
    resources: &'s [Resource],
    budget: &'s mut Budget,
    tries: usize,
    shortest: Course,
    found: Option<Finding>,
}

/// Makes the sequence of a finding shorter, where it has one of a resource.
pub(super) async fn run(
    session: &Session<'_>,
    finding: &mut Finding,
    record: &FlowRecord,
    resources: &[Resource],
    budget: &mut Budget,
) {
    // A refusal is about the very request.
    let is_refusal = finding.rule == rules::FLOW_NOT_OBSERVED;
    let (Some(settings), false) = (&session.options.flows, is_refusal) else {
        return;
    };
    let Some(members) = flows::members(session, resources, &record.resource) else {
        return;
    };
    let mut sequence = Sequence {
        session,
        settings: FlowSettings {
            seed: record.seed,
            ..settings.clone()
        },
        resource: record.resource.clone(),
        wanted: wanted(finding),
        resources,
        budget,
        tries: 0,
        shortest: Course::default(),
        found: None,
    };
    sequence.shorten(record.shown_in).await;
    sequence.lessen(members).await;
    let Some(shorter) = sequence.found else {
        return;
    };
    if let Some(exchange) = shorter.exchange {
        finding.message = shorter.message;
        finding.original = finding.exchange.replace(exchange).map(Box::new);
    }
}

fn wanted(finding: &Finding) -> (String, Option<String>) {
    let response = finding.exchange.as_ref();
    let response = response.and_then(|exchange| exchange.response.as_deref());
    let status = response.and_then(|response| response.lines().next().map(str::to_owned));
    let mut change = serde_json::to_value(&finding.message).unwrap_or_default();
    let mut change = change["change"].take();
    if let Some(members) = change.as_object_mut() {
        // A shorter sequence has fewer items, pages and the like.
        members.retain(|_, value| !value.is_number());
    }
    let place = finding.old.as_ref().map(|place| place.pointer.as_str());
    let place = place.unwrap_or_default();
    let signature = signature_of(finding.rule, &finding.subject, place, change);
    (signature, status)
}

impl Sequence<'_> {
    /// Leaves out parts: all but the one that showed the fault, or else one by one.
    async fn shorten(&mut self, shown_in: Option<FlowPart>) {
        let mut parts: Vec<Vec<FlowPart>> = Vec::new();
        match shown_in {
            None => parts.push(Vec::new()),
            Some(FlowPart::Read) => parts.push(vec![FlowPart::Read]),
            // What was created may have to be read for its id.
            Some(part) => parts.extend([vec![part], vec![FlowPart::Read, part]]),
        }
        for parts in parts {
            let plain = true;
            let course = Course {
                parts,
                plain,
                without: Vec::new(),
            };
            if self.shows(&course).await {
                return;
            }
            let rich = Course {
                plain: false,
                ..course
            };
            if self.shows(&rich).await {
                return;
            }
        }
        for part in FlowPart::ALL.into_iter().rev() {
            let mut course = self.shortest.clone();
            course.parts.retain(|one| *one != part);
            self.shows(&course).await;
        }
    }

    /// Leaves out members: all that are not required, or else one by one.
    async fn lessen(&mut self, members: Vec<String>) {
        let all = Course {
            without: members.clone(),
            ..self.shortest.clone()
        };
        if self.shows(&all).await {
            return;
        }
        for name in members {
            let mut course = self.shortest.clone();
            course.without.push(name);
            self.shows(&course).await;
        }
    }

    /// Sends the sequence; if it shows the fault, it is the shortest from now on.
    async fn shows(&mut self, course: &Course) -> bool {
        let is_over = self.tries >= TRIES || self.budget.is_spent();
        if is_over || self.session.stopped() {
            return false;
        }
        self.tries += 1;
        self.budget.spend(REQUESTS);
        let found = flows::again(
            self.session,
            &self.settings,
            self.resources,
            &self.resource,
            course,
            false,
        )
        .await;
        let mut found = found.into_iter().flatten();
        let Some(same) = found.find(|one| wanted(one) == self.wanted) else {
            return false;
        };
        self.shortest = course.clone();
        self.found = Some(same);
        true
    }
}

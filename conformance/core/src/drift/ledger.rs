//! Where findings are entered: one entry per difference, however many operations come across it.

use foldhash::HashMap;
use serde_json::{Map, Value};

use super::Options;
use super::pair::Pair;
use super::rules::{self, Rule};
use super::users::{self, Subjects, UsedBy, User};
use crate::document::{Document, Operation, pointer};
use crate::finding::{
    DocumentChange, Effect, Finding, Impact, Message, Place, Proof, Severity, Side, Turned,
    Undecided, Use,
};

/// A difference of schemas, with the value that shows it.
pub(super) struct SchemaEntry {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) at: Pair,
    pub(super) message: Message,
    /// The people affected, and how.
    pub(super) effect: Option<Effect>,
    /// How the change comes to have this effect.
    pub(super) turned: Turned,
    /// Why it is undecided, if it is.
    pub(super) undecided: Option<Undecided>,
    pub(super) witness: Option<Value>,
    pub(super) proof: Option<Proof>,
}

/// Whether a finding is about a schema that a parameter or header has of its own.
fn is_in_part(finding: &Finding, part: &str) -> bool {
    let mut places = [&finding.old, &finding.new].into_iter().flatten();
    let is_schema = matches!(finding.message, Message::Schema(_));
    is_schema
        && (part.contains("parameter `") || part.contains("header `"))
        && places.any(|place| {
            let before = place.pointer.split("/schema").next().unwrap_or_default();
            before.contains("/parameters/") || before.contains("/headers/")
        })
}

/// The members of an object, if there is one.
type Members<'a> = Option<&'a Map<String, Value>>;

pub(super) struct Ledger<'a> {
    pub(super) old: &'a Document,
    pub(super) new: &'a Document,
    pub(super) options: &'a Options,
    /// The operations that are being compared, of which nodes are asked for again and again.
    focus: [Option<(String, &'a Value)>; 2],
    findings: Vec<Finding>,
    /// The users of the subject of each finding.
    users: Vec<UsedBy>,
    entries: HashMap<(&'static str, String, String, String), usize>,
    subjects: HashMap<String, usize>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(old: &'a Document, new: &'a Document, options: &'a Options) -> Self {
        Self {
            old,
            new,
            options,
            focus: [None, None],
            findings: Vec::new(),
            users: Vec::new(),
            entries: HashMap::default(),
            subjects: HashMap::default(),
        }
    }

    /// Registers a subject, and gives its number; findings are sorted in the order of registration.
    pub(super) fn open(&mut self, subject: &str) -> usize {
        if let Some(&known) = self.subjects.get(subject) {
            return known;
        }
        let next = self.subjects.len();
        self.subjects.insert(subject.to_owned(), next);
        next
    }

    /// Expects to be asked for nodes of these operations from now on.
    pub(super) fn focus(&mut self, operations: [&Operation<'a>; 2]) {
        self.focus = operations.map(|one| Some((one.pointer.clone(), one.value)));
    }

    /// The nodes at `at`.
    pub(super) fn nodes(&self, at: &Pair) -> (Option<&'a Value>, Option<&'a Value>) {
        let node = |side: usize, document: &'a Document, at: &str| {
            if let Some((operation, value)) = &self.focus[side]
                && let Some(rest) = at.strip_prefix(operation.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return pointer::find(value, rest);
            }
            document.at(at)
        };
        (node(0, self.old, &at.old), node(1, self.new, &at.new))
    }

    /// Enters a finding with the rule's own severity.
    pub(super) fn add(
        &mut self,
        rule: &'static Rule,
        subject: &str,
        at: &Pair,
        message: impl Into<Message>,
    ) {
        self.add_as(rule, rule.severity, subject, at, message);
    }

    /// Enters a finding. A finding that was entered before for another subject is used by both.
    pub(super) fn add_as(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        subject: &str,
        at: &Pair,
        message: impl Into<Message>,
    ) {
        self.add_with(rule, severity, None, subject, at, message.into());
    }

    /// Enters a finding whose severity is what it does to clients and servers.
    pub(super) fn affect(
        &mut self,
        rule: &'static Rule,
        effect: Effect,
        subject: &str,
        at: &Pair,
        message: impl Into<Message>,
    ) {
        let severity = match effect.impact {
            Impact::Rejected | Impact::Withdrawn | Impact::Emptied => Severity::Breaking,
            Impact::Compatible | Impact::Undocumented => Severity::Warning,
        };
        self.add_with(rule, severity, Some(effect), subject, at, message.into());
    }

    fn add_with(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        effect: Option<Effect>,
        subject: &str,
        at: &Pair,
        message: Message,
    ) {
        let number = self.open(subject);
        let through = users::holder(&at.old).or_else(|| users::holder(&at.new));
        let through: Vec<String> = through.into_iter().collect();
        let uses = if through.is_empty() {
            Vec::new()
        } else {
            let part = String::new();
            vec![Use { part, through }]
        };
        let user = User {
            number,
            subject: subject.to_owned(),
            uses,
        };
        let (index, known) = self.enter(rule, severity, subject, at, message);
        // The graver of two directions is the one that is told.
        if known.is_none_or(|known| severity < known) {
            self.findings[index].effect = effect;
        }
        self.users[index].add(user);
    }

    /// Enters a finding about one document alone.
    pub(super) fn note(
        &mut self,
        rule: &'static Rule,
        subject: &str,
        (side, place): (Side, Place),
        message: impl Into<Message>,
    ) {
        self.open(subject);
        let mut finding = Finding::new(rule.id, rule.severity, subject, message);
        match side {
            Side::Old => finding.old = Some(place),
            Side::New => finding.new = Some(place),
        }
        self.findings.push(finding);
        self.users.push(UsedBy::default());
    }

    /// Enters a finding unless it is there; gives its index, and the severity that it had.
    fn enter(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        subject: &str,
        at: &Pair,
        message: Message,
    ) -> (usize, Option<Severity>) {
        // Loading copies some schemas, such as that of an OpenAPI 2.0 body for each media type: all copies have one place in the file.
        let place = |document: &Document, at: &str| {
            let (file, at) = document.origin(at);
            format!("{file}#{at}")
        };
        let (before, after) = (place(self.old, &at.old), place(self.new, &at.new));
        let key = (rule.id, before, after, message.key());
        if let Some(&index) = self.entries.get(&key) {
            let finding = &mut self.findings[index];
            let known = finding.severity;
            // The same text seen in both directions counts as the graver of the two.
            finding.severity = known.min(severity);
            return (index, Some(known));
        }
        let index = self.findings.len();
        self.entries.insert(key, index);
        self.users.push(UsedBy::default());
        self.findings.push(Finding {
            old: Some(Place::of(self.old, &at.old)),
            new: Some(Place::of(self.new, &at.new)),
            ..Finding::new(rule.id, severity, subject, message)
        });
        (index, None)
    }

    /// Enters what differs in schemas, once for all who use them: `subjects` are all of them, `first` those that are named. It is told
    /// of the subject that its example belongs to, or of the one that is affected first.
    pub(super) fn add_schema(
        &mut self,
        entry: SchemaEntry,
        subjects: &Subjects,
        first: &[User],
        affected: Option<&str>,
    ) {
        let Some(user) = first.first() else { return };
        let shown = entry.proof.as_ref().map(|proof| proof.subject.as_str());
        let subject = shown.or(affected).unwrap_or(&user.subject).to_owned();
        let (index, known) = self.enter(
            entry.rule,
            entry.severity,
            &subject,
            &entry.at,
            entry.message,
        );
        self.users[index].add_all(subjects, first);
        let known = known.unwrap_or(Severity::Info);
        let finding = &mut self.findings[index];
        if entry.severity == finding.severity
            && (finding.witness.is_none() || entry.severity < known)
        {
            finding.effect = entry.effect;
            finding.turned = entry.turned;
            finding.subject = subject;
            finding.witness = entry.witness;
            finding.proof = entry.proof;
        }
        if finding.severity == Severity::Undecided {
            finding.undecided = finding.undecided.take().or(entry.undecided);
        } else {
            finding.undecided = None;
        }
    }

    /// The findings, by subject and then by place.
    pub(super) fn close(self) -> Vec<Finding> {
        let Self {
            mut findings,
            users,
            subjects,
            ..
        } = self;
        let place = |place: &Option<Place>| place.as_ref().map(|place| (place.line, place.column));
        for (finding, users) in findings.iter_mut().zip(users) {
            finding.part = users.part().filter(|part| is_in_part(finding, part));
            finding.used_by = users.told();
        }
        findings.sort_by(|a, b| {
            let key = |f: &Finding| {
                (
                    subjects.get(&f.subject).copied(),
                    place(&f.old),
                    place(&f.new),
                )
            };
            key(a)
                .cmp(&key(b))
                .then_with(|| a.rule.cmp(b.rule))
                .then_with(|| a.message.key().cmp(&b.message.key()))
        });
        findings
    }

    /// The object at `at` on each side; empty where there is none.
    pub(super) fn objects(&self, at: &Pair) -> (Members<'a>, Members<'a>) {
        let (old, new) = self.nodes(at);
        (
            old.and_then(Value::as_object),
            new.and_then(Value::as_object),
        )
    }

    /// Follows references on both sides; a finding and `None` where one leads nowhere.
    pub(super) fn resolve(&mut self, subject: &str, at: &Pair) -> Option<Pair> {
        let nodes = self.nodes(at);
        let resolved = |document: &'a Document, at: &str, node| {
            let (pointer, _) = document.resolve_from(at.to_owned(), node?)?;
            Some(pointer)
        };
        let old = resolved(self.old, &at.old, nodes.0);
        let new = resolved(self.new, &at.new, nodes.1);
        for (side, found) in [(Side::Old, &old), (Side::New, &new)] {
            if found.is_none() {
                self.unresolved(subject, side, at);
            }
        }
        Some(Pair {
            old: old?,
            new: new?,
        })
    }

    /// Says that the reference at `at` cannot be followed in one of the documents.
    pub(super) fn unresolved(&mut self, subject: &str, side: Side, at: &Pair) {
        let node = match side {
            Side::Old => self.old.at(&at.old),
            Side::New => self.new.at(&at.new),
        };
        let reference = node.and_then(|node| node.get("$ref"));
        let reference = match reference {
            Some(Value::String(reference)) => reference.clone(),
            other => other.map(Value::to_string).unwrap_or_default(),
        };
        let change = DocumentChange::ReferenceUnresolved { side, reference };
        self.add(&rules::REFERENCE_UNRESOLVED, subject, at, change);
    }
}

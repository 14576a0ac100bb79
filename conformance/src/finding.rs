//! One deviation, with its proof: what drift and replay produce and reports print.

mod document;
mod message;

use serde::Serialize;
use serde_json::Value;

use crate::document::Document;

pub use document::{Credential, DocumentChange, Format, Part};
pub use message::{Effect, Impact, Message, SchemaChange, Sender, Shape, Undecided};

/// How much a finding matters; the order is that of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The two sides contradict each other.
    Breaking,
    /// It could not be decided whether they do; never counts as conforming.
    Undecided,
    /// A client or server that reads its document strictly may notice.
    Warning,
    /// Worth knowing; nothing that happens on the wire.
    Info,
}

impl Severity {
    /// All severities, the gravest first.
    pub const ALL: [Self; 4] = [Self::Breaking, Self::Undecided, Self::Warning, Self::Info];

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Undecided => "undecided",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A node of a document, for a reader and for a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The document as the user named it.
    pub document: String,
    /// JSON pointer of the node; its nearest existing ancestor where the node itself is missing.
    pub pointer: String,
    /// JSON pointer of the same node in the model, where a document of several files or of OpenAPI 2.0 has it elsewhere.
    #[serde(skip)]
    pub node: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The place of the node at `pointer`, or of its nearest existing ancestor.
    pub fn of(document: &Document, pointer: &str) -> Self {
        let mut existing = pointer;
        while !existing.is_empty() && document.at(existing).is_none() {
            existing = crate::document::pointer::parent(existing);
        }
        let position = document.position(existing);
        let (name, pointer) = document.origin(existing);
        Self {
            document: name.to_owned(),
            pointer,
            node: existing.to_owned(),
            line: position.line,
            column: position.column,
        }
    }
}

/// A request and its response as they went over the wire, secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeRecord {
    /// The request line, headers and body, as text.
    pub request: String,
    /// The status line, headers and body, as text; absent when there was no answer.
    pub response: Option<String>,
    /// A command that sends the same request again.
    pub curl: String,
}

/// One of the two documents of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The first: the earlier version, or the source document.
    Old,
    /// The second: the later version, or the emitted document.
    New,
}

/// Which value a witness is, and who takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The operation that the value belongs to, such as `POST /webhooks (createWebhook)`.
    pub subject: String,
    /// What of it the value is, such as `request body`.
    pub part: String,
    /// The side whose schema accepts the value: `theirs` or `ours`.
    pub accepted_by: &'static str,
    /// The side whose schema refuses the value.
    pub refused_by: &'static str,
}

impl Proof {
    /// Says who takes a value that is `part` of `subject`.
    pub fn new(subject: &str, part: &str, theirs_accepts: bool) -> Self {
        let (accepted_by, refused_by) = if theirs_accepts {
            ("theirs", "ours")
        } else {
            ("ours", "theirs")
        };
        Self {
            subject: subject.to_owned(),
            part: part.to_owned(),
            accepted_by,
            refused_by,
        }
    }
}

/// One deviation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable id of the rule, in kebab-case.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about, such as `POST /webhooks (createWebhook)`.
    pub subject: String,
    /// What theirs says, what ours says, what to do.
    pub message: String,
    /// The place in the source document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Place>,
    /// The place in the emitted document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<Place>,
    /// A value that proves the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Value>,
    /// What the witness is, where two schemas were held against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The exchange that proves the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeRecord>,
    /// Who uses the place, where it is shared.
    #[serde(skip_serializing_if = "Users::is_empty")]
    pub used_by: Users,
}

/// Who uses a place that is shared: a tree from subjects over their parts to the components on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Users {
    /// How many subjects use it, those that are not named included.
    pub count: usize,
    /// The first of them, in document order.
    pub tree: Vec<User>,
}

impl Users {
    /// Whether nobody else uses it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The subjects that are named, where there is more than one that uses it.
    pub fn others(&self) -> Vec<&str> {
        let several = self.tree.iter().filter(|_| self.count > 1);
        several.map(|user| user.subject.as_str()).collect()
    }

    /// Adds a subject of which nothing else is known.
    pub fn add(&mut self, subject: String) {
        self.count += 1;
        self.tree.push(User {
            subject,
            uses: Vec::new(),
        });
    }
}

/// A subject that uses a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Such as `POST /webhooks (createWebhook)`.
    pub subject: String,
    /// How it does, as far as that is known: the shortest way from each of its parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
}

/// A way from a part of a subject to a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Use {
    /// Such as `request body`; empty where the subject as a whole is meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// The components on the way, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
}

impl Use {
    /// The way in one line, such as `request body > Order > Item`.
    pub fn line(&self) -> String {
        let part = (!self.part.is_empty()).then_some(&self.part);
        let steps: Vec<&str> = part
            .into_iter()
            .chain(&self.through)
            .map(String::as_str)
            .collect();
        steps.join(" > ")
    }
}

/// What a set of findings comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No finding is as grave as the threshold.
    Conforms,
    /// At least one finding is.
    Deviates,
}

impl Verdict {
    /// Judges `findings`: those of severity `threshold` and graver count.
    pub fn of(findings: &[Finding], threshold: Severity) -> Self {
        if findings.iter().any(|finding| finding.severity <= threshold) {
            Self::Deviates
        } else {
            Self::Conforms
        }
    }
}

//! The content of a finding, as data. Sentences are made of it in `report::words` and nowhere else.

use serde::Serialize;

use crate::document::Literal;

use super::{BaselineFault, DeliveryFault, DocumentChange, FlowFault, ReceiverFault, ReplayFault};

/// The content of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "change", rename_all = "kebab-case")]
pub enum Message {
    /// Two schemas at the same place differ.
    Schema(SchemaChange),
    /// The documents differ outside of schemas.
    Document(DocumentChange),
    /// A server does not do what its document says, or could not be asked.
    Replay(ReplayFault),
    /// A server does not do in a sequence of operations what they promise together.
    Flow(FlowFault),
    /// The deliveries of a server are not as described.
    Delivery(DeliveryFault),
    /// A handler of webhooks does not do what is safe, or what the document promises for it.
    Receiver(ReceiverFault),
    /// An accepted finding should not be in the list of accepted findings any more.
    Baseline(BaselineFault),
}

impl Message {
    /// The message as text that is the same for equal messages and only for them. It is for sorting and comparing, not for readers.
    pub fn key(&self) -> String {
        serde_json::to_string(self)
            .expect("what messages consist of has string keys and no failing serializers")
    }

    /// Replaces secrets in everything that came from a server or was sent to it.
    pub fn redact(&mut self, hide: &dyn Fn(&str) -> String) {
        match self {
            Self::Replay(fault) => fault.redact(hide),
            Self::Flow(fault) => fault.redact(hide),
            Self::Delivery(fault) => fault.redact(hide),
            Self::Schema(_) | Self::Document(_) | Self::Receiver(_) | Self::Baseline(_) => {}
        }
    }
}

impl From<SchemaChange> for Message {
    fn from(change: SchemaChange) -> Self {
        Self::Schema(change)
    }
}

impl From<DocumentChange> for Message {
    fn from(change: DocumentChange) -> Self {
        Self::Document(change)
    }
}

impl From<ReplayFault> for Message {
    fn from(fault: ReplayFault) -> Self {
        Self::Replay(fault)
    }
}

impl From<FlowFault> for Message {
    fn from(fault: FlowFault) -> Self {
        Self::Flow(fault)
    }
}

impl From<DeliveryFault> for Message {
    fn from(fault: DeliveryFault) -> Self {
        Self::Delivery(fault)
    }
}

impl From<ReceiverFault> for Message {
    fn from(fault: ReceiverFault) -> Self {
        Self::Receiver(fault)
    }
}

impl From<BaselineFault> for Message {
    fn from(fault: BaselineFault) -> Self {
        Self::Baseline(fault)
    }
}

/// How two schemas at the same place differ. "Added" means that only the new document has it, "removed" that only the old one has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum SchemaChange {
    /// A property was added.
    PropertyAdded {
        /// The property.
        name: String,
        /// Whether the new schema requires it.
        required: bool,
    },
    /// A property was removed.
    PropertyRemoved {
        /// The property.
        name: String,
        /// Whether the old schema required it.
        required: bool,
    },
    /// A name was added to `required`; the property itself is declared in both schemas, or in neither.
    RequiredAdded {
        /// The property.
        name: String,
    },
    /// A name was removed from `required`.
    RequiredRemoved {
        /// The property.
        name: String,
    },
    /// Values were added to `enum`.
    ValuesAdded {
        /// `enum` or `const`, as the document spells it.
        keyword: String,
        /// The values.
        values: Vec<Literal>,
    },
    /// Values were removed from `enum`.
    ValuesRemoved {
        /// `enum` or `const`, as the document spells it.
        keyword: String,
        /// The values.
        values: Vec<Literal>,
    },
    /// Other types are allowed. `None` is any type.
    TypeChanged {
        /// The types that the old schema allows.
        old: Option<Vec<String>>,
        /// The types that the new schema allows.
        new: Option<Vec<String>>,
    },
    /// Null is allowed now.
    NullAdded,
    /// Null is not allowed any more.
    NullRemoved,
    /// A keyword was added.
    KeywordAdded(Keyword),
    /// A keyword was removed.
    KeywordRemoved(Keyword),
    /// A keyword has another value.
    KeywordChanged {
        /// The keyword as the documents spell it.
        keyword: String,
        /// Its old value; none where it held schemas.
        old: Option<Literal>,
        /// Its new value; none where it holds schemas.
        new: Option<Literal>,
    },
    /// One keyword is in the place of another that says the same kind of thing, such as an exclusive bound in the place of an
    /// inclusive one, or `oneOf` in the place of `anyOf`.
    KeywordReplaced {
        /// The old keyword.
        old: Keyword,
        /// The new keyword.
        new: Keyword,
    },
    /// An entry of a map of schemas other than `properties`, such as `patternProperties`, was added.
    EntryAdded {
        /// The keyword that has the map.
        keyword: String,
        /// The name or pattern of the entry.
        name: String,
    },
    /// An entry of a map of schemas was removed.
    EntryRemoved {
        /// The keyword that has the map.
        keyword: String,
        /// The name or pattern of the entry.
        name: String,
    },
    /// A subschema of `oneOf`, `anyOf`, `allOf` or a tuple was added.
    AlternativeAdded {
        /// The keyword.
        keyword: String,
        /// The subschema.
        shape: Shape,
    },
    /// A subschema of `oneOf`, `anyOf`, `allOf` or a tuple was removed.
    AlternativeRemoved {
        /// The keyword.
        keyword: String,
        /// The subschema.
        shape: Shape,
    },
    /// The schemas have nothing in common that could be compared.
    Replaced {
        /// The old schema.
        old: Shape,
        /// The new schema.
        new: Shape,
    },
    /// There was no schema, which accepts everything.
    SchemaAdded,
    /// There is no schema any more.
    SchemaRemoved,
    /// One of the schemas is `false`, which accepts nothing; `new` says whether the new one is.
    NothingAccepted {
        /// Whether the new schema accepts nothing.
        new: bool,
    },
    /// The discriminator maps a value to another schema, or only one of the documents maps it.
    MappingChanged {
        /// The value of the discriminator.
        value: String,
        /// The old target.
        old: Option<String>,
        /// The new target.
        new: Option<String>,
    },
    /// The keywords match but mean something different.
    MeaningChanged,
    /// Changes that break nothing by themselves reject a value together.
    Together {
        /// The changes.
        changes: Vec<SchemaChange>,
    },
}

/// A keyword of a schema as its document has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Keyword {
    /// The keyword.
    pub keyword: String,
    /// Its value; none where it holds schemas.
    pub value: Option<Literal>,
    /// The keyword beside it that is `true` and makes a bound exclusive, in OpenAPI 2.0 and 3.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

impl Keyword {
    /// A keyword with a value.
    pub fn new(keyword: impl Into<String>, value: impl Into<Literal>) -> Self {
        Self {
            keyword: keyword.into(),
            value: Some(value.into()),
            flag: None,
        }
    }
}

/// A schema in a few words.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// The component's name, or the title.
    pub name: Option<String>,
    /// The allowed types; empty where any is.
    pub types: Vec<String>,
    /// The number of properties.
    pub properties: usize,
    /// The alternatives of `oneOf` or `anyOf`, by name where they have one.
    pub alternatives: Vec<String>,
    /// The other keywords that constrain it.
    pub keywords: Vec<String>,
}

/// The sender of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The client: requests, and the responses to webhooks and callbacks.
    Client,
    /// The server: responses, and the requests of webhooks and callbacks.
    Server,
}

impl Sender {
    /// The other one, which receives the values that this one sends.
    #[must_use]
    pub fn receiver(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The impact of a change on those who exchange values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// The receiver rejects a value that the sender may send: clients by the old document and a new server, or a new server and
    /// clients by the old document.
    Rejected,
    /// The server stops sending a member that was documented.
    Withdrawn,
    /// The receiver accepts more than is sent, or the sender sends less than is accepted.
    Compatible,
    /// Only values with members that their sender does not document are affected.
    Undocumented,
    /// No value is valid any more, so that nothing can be sent.
    Emptied,
}

impl Impact {
    /// The impact where messages no longer have something: a server rejects what clients still send, and clients miss what the server
    /// sent.
    pub fn of_removal(sender: Sender) -> Self {
        match sender {
            Sender::Client => Self::Rejected,
            Sender::Server => Self::Withdrawn,
        }
    }

    /// The impact where messages may have something new: clients need not send it, but may get it.
    pub fn of_addition(sender: Sender) -> Self {
        match sender {
            Sender::Client => Self::Compatible,
            Sender::Server => Self::Rejected,
        }
    }
}

/// The sender of the values that a change affects, and its impact on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The sender.
    pub sender: Sender,
    /// The impact.
    pub impact: Impact,
}

/// How a change of a schema comes to have its effect, where the schemas around it turn that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Turned {
    /// As the change itself says.
    #[default]
    No,
    /// A `not` is around it: the values that it rejects are those that are accepted.
    Negated,
    /// It decides which values match two alternatives of a `oneOf`, which rejects these.
    Overlapping,
    /// An `if` is around it: it decides for which values other subschemas hold.
    Conditional,
}

/// Why it could not be decided whether a change breaks anybody.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Undecided {
    /// Neither a value nor a proof was found; `keyword` is what was compared, such as two patterns.
    NotFound {
        /// The keyword; empty where whole schemas were compared.
        keyword: String,
    },
    /// The validator does not enforce the keyword.
    NotEnforced {
        /// The keyword.
        keyword: String,
    },
    /// A format that the validator does not know.
    UnknownFormat {
        /// The format.
        format: String,
    },
    /// A reference in the schema leads nowhere, or to one of several schemas.
    Reference {
        /// The reference.
        reference: String,
    },
    /// Not a schema.
    NotASchema,
    /// A pattern is not a regular expression.
    Pattern {
        /// The pattern.
        pattern: String,
        /// Where it is in its document, as a JSON pointer.
        at: String,
        /// Why it is not one.
        problem: String,
    },
    /// The schema cannot be used; the validator's words.
    Unusable {
        /// The error of the validator.
        cause: String,
    },
    /// The schema nests too deep.
    TooDeep,
}

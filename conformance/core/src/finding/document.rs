//! How two documents differ outside of schemas, as data. "Added" means that only the new document has it, "removed" that only the
//! old one has.

use serde::Serialize;
use serde_json::Value;

use super::Side;
use crate::document::Literal;

/// How two documents differ at a place that is not in a schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum DocumentChange {
    /// Something was added.
    Added {
        /// What.
        part: Part,
        /// Whether its receiver requires it, or its sender promises it.
        required: bool,
    },
    /// Something was removed.
    Removed {
        /// What.
        part: Part,
    },
    /// Only the old document names it; a wider entry of the new document speaks for it.
    NowWithin {
        /// What.
        part: Part,
        /// The wider entry, such as `4XX` or `image/*`.
        wider: String,
    },
    /// Only the new document names it; a wider entry of the old document speaks for it.
    WasWithin {
        /// What.
        part: Part,
        /// The wider entry, such as `4XX` or `image/*`.
        wider: String,
    },
    /// A response has a body now, and had none.
    BodyAdded {
        /// The status; none where the response is a component.
        status: Option<String>,
        /// The media types of the body.
        types: Vec<String>,
    },
    /// A response has no body any more.
    BodyRemoved {
        /// The status; none where the response is a component.
        status: Option<String>,
        /// The media types of the body.
        types: Vec<String>,
    },
    /// Something that was optional is required now.
    RequiredAdded {
        /// What.
        part: Part,
    },
    /// Something that was required is optional now.
    RequiredRemoved {
        /// What.
        part: Part,
    },
    /// A member of an object of OpenAPI was added or removed, or has another value.
    Member {
        /// The member as the documents spell it.
        key: String,
        /// Its old value, or the default that was in force; none where there was neither.
        old: Option<Literal>,
        /// Its new value, or the default that is in force; none where there is neither.
        new: Option<Literal>,
    },
    /// The names in braces changed, and nothing else of the path.
    PathRenamed {
        /// The old path.
        old: String,
        /// The new path.
        new: String,
    },
    /// Other credentials are needed.
    CredentialsChanged {
        /// The old alternatives; an empty one needs no credentials.
        old: Vec<Vec<Credential>>,
        /// The new alternatives.
        new: Vec<Vec<Credential>>,
    },
    /// A security scheme is another one under the same name.
    SchemeChanged {
        /// The name of the scheme.
        name: String,
        /// The old scheme.
        old: Option<Value>,
        /// The new scheme.
        new: Option<Value>,
    },
    /// A parameter or header is written in another form.
    FormatChanged {
        /// The parameter or header.
        part: Part,
        /// How it was written.
        old: Format,
        /// How it is written.
        new: Format,
    },
    /// A query parameter may be sent without a value, or may not any more.
    EmptyValueChanged {
        /// The parameter.
        part: Part,
        /// Whether the new document allows it.
        allowed: bool,
    },
    /// A property of a form is encoded in another way.
    EncodingChanged {
        /// The property.
        property: String,
        /// How it was encoded.
        old: Format,
        /// How it is encoded.
        new: Format,
    },
    /// A sample has another value.
    ExampleChanged {
        /// Its name; none for `example`.
        name: Option<String>,
        /// The member that differs, such as `value`.
        key: String,
        /// JSON pointer within the member to the first difference.
        at: String,
        /// The old value; none where there was nothing.
        old: Option<Literal>,
        /// The new value; none where there is nothing.
        new: Option<Literal>,
    },
    /// A reference cannot be followed.
    ReferenceUnresolved {
        /// The document.
        side: Side,
        /// The reference as it is written.
        reference: String,
    },
    /// A document in YAML 1.2 has merge keys (`<<`), which only YAML 1.1 has.
    MergeKeys {
        /// The document.
        side: Side,
        /// How many.
        count: usize,
    },
    /// The description of webhooks cannot be used.
    ExtensionInvalid {
        /// The document.
        side: Side,
        /// The problem, and what to write instead.
        problem: String,
    },
    /// There are more pairs of schemas than are compared.
    LimitReached {
        /// How many are compared.
        pairs: usize,
    },
    /// A list has a parameter several times.
    ParameterRepeated {
        /// The document.
        side: Side,
        /// The parameter.
        part: Part,
        /// How many times.
        count: usize,
        /// Whether all of them say the same; otherwise it is not known which one holds.
        alike: bool,
        /// Whether the other document gives it in the same ways.
        both: bool,
    },
}

impl DocumentChange {
    /// Something was removed.
    pub fn removed(part: Part) -> Self {
        Self::Removed { part }
    }

    /// Something was added that is not required.
    pub fn added(part: Part) -> Self {
        Self::Added {
            part,
            required: false,
        }
    }
}

/// A part of a document that may be in one document only.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Part {
    /// A schema that other documents may refer to.
    Schema {
        /// Its name.
        name: String,
    },
    /// A declared tag.
    Tag {
        /// Its name.
        name: String,
    },
    /// An operation.
    Operation {
        /// Its method and path.
        name: String,
    },
    /// A webhook.
    Webhook {
        /// Its name.
        name: String,
    },
    /// A callback.
    Callback {
        /// Its name, or the method and expression of one of its operations.
        name: String,
    },
    /// A parameter.
    Parameter {
        /// `query`, `path`, `header`, `cookie` or `querystring`.
        place: String,
        /// Its name.
        name: String,
    },
    /// A header of a response, or of a part of a form.
    Header {
        /// Its name.
        name: String,
    },
    /// The request body.
    RequestBody,
    /// A response.
    Response {
        /// Its status, such as `404`, `4XX` or `default`.
        status: String,
    },
    /// A media type of a body.
    MediaType {
        /// The media type as the document spells it.
        name: String,
        /// The body that it is of, such as `request body` or `answer 200`; none where that is a component.
        of: Option<String>,
    },
    /// A link of a response.
    Link {
        /// Its name.
        name: String,
    },
    /// A named sample.
    Example {
        /// Its name.
        name: String,
    },
}

/// A credential that a client identifies itself with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Credential {
    /// The name of the security scheme.
    pub scheme: String,
    /// The scopes that are needed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Format {
    /// As text in a style.
    Style {
        /// Such as `form`.
        style: String,
        /// Whether each item or member is written on its own.
        explode: bool,
        /// Whether reserved characters are written as they are.
        reserved: bool,
    },
    /// As one of these media types.
    Types {
        /// The media types.
        names: Vec<String>,
    },
}

/// Where two values first differ: a JSON pointer into them, and what is there on each side. Numbers are compared by value.
pub fn first_difference(
    old: Option<&Literal>,
    new: Option<&Literal>,
) -> (String, Option<Literal>, Option<Literal>) {
    match (old, new) {
        (Some(one), Some(other)) => {
            let at = one.first_difference(other);
            let (old, new) = (one.part(&at), other.part(&at));
            (at, old, new)
        }
        _ => (String::new(), old.cloned(), new.cloned()),
    }
}

//! Why a sample cannot be made into a request, as data.

use serde::Serialize;
use thiserror::Error;

/// Why a sample cannot be made into a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Unreplayable {
    /// No response has its name, and no successful one is documented.
    NoResponse,
    /// No request sample has its name, and no rule says how a request gets this status.
    NoRequest {
        /// The status.
        status: String,
    },
    /// `x-replay` starts from a sample that does not exist.
    NoStart {
        /// The start.
        from: String,
    },
    /// There is no successful sample of the operation to start from.
    NoSuccess,
    /// A required parameter has no sample.
    NoParameter {
        /// Where the parameter is, such as `query`.
        place: String,
        /// The name of the parameter.
        name: String,
    },
    /// The value is in another file.
    External,
    /// This media type cannot represent the value.
    NoForm {
        /// The JSON type of the value.
        value: &'static str,
        /// The media type.
        media_type: String,
    },
    /// It cannot be written as HTTP.
    Unwritable {
        /// Why not.
        reason: Unwritable,
    },
}

/// Why a request cannot be written as HTTP. Values of headers are not repeated, since they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Unwritable {
    /// Not a method.
    #[error("`{method}` is not a method")]
    Method {
        /// The method.
        method: String,
    },
    /// Not a URL.
    #[error("`{url}`: {cause}")]
    Url {
        /// The text.
        url: String,
        /// The error of the parser.
        cause: String,
    },
    /// Not the name of a header.
    #[error("`{name}` is not a header name")]
    HeaderName {
        /// The text.
        name: String,
    },
    /// A value that a header cannot have.
    #[error("the value of `{name}` has characters that a header cannot carry")]
    HeaderValue {
        /// The name of the header.
        name: String,
    },
    /// All else.
    #[error("{cause}")]
    Other {
        /// The error of the client.
        cause: String,
    },
}

/// A fault of an `x-replay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RecipeProblem {
    /// It is not an object.
    NotAnObject {
        /// Its JSON type.
        found: &'static str,
    },
    /// A member has another type.
    WrongType {
        /// The member.
        member: String,
        /// Its JSON type.
        found: &'static str,
    },
    /// There is no such member.
    UnknownMember {
        /// The member.
        member: String,
    },
}

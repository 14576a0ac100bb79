//! Which object of OpenAPI stands where: what tells schemas, references and data apart when a document is folded.

use serde_json::Value;

use super::keyword::{Holds, holds};
use super::operation::METHODS;

/// An object of the specification that schemas or references may be below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Components,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Header,
    MediaType,
    Encoding,
    Callback,
    Schema,
    /// An object of which only the description is merged: an example, a link, a security scheme.
    Described,
}

/// How a member holds objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    List,
    Map,
}

/// The content of the member `key` of an object of a kind.
pub(super) fn member(kind: Kind, key: &str, value: &Value) -> Option<(Shape, Kind)> {
    use Shape::{List, Map, One};
    let found = match (kind, key) {
        (_, key) if key.starts_with("x-") => return None,
        (Kind::Root, "paths" | "webhooks") => (Map, Kind::PathItem),
        (Kind::Root, "components") => (One, Kind::Components),
        (Kind::Components, "schemas") => (Map, Kind::Schema),
        (Kind::Components, "responses") | (Kind::Operation, "responses") => (Map, Kind::Response),
        (Kind::Components, "parameters") => (Map, Kind::Parameter),
        (Kind::Components, "requestBodies") => (Map, Kind::RequestBody),
        (Kind::Components | Kind::Response | Kind::Encoding, "headers") => (Map, Kind::Header),
        (Kind::Components, "callbacks") | (Kind::Operation, "callbacks") => (Map, Kind::Callback),
        (Kind::Components, "pathItems") => (Map, Kind::PathItem),
        (Kind::Components, "mediaTypes") => (Map, Kind::MediaType),
        (Kind::Components, "securitySchemes" | "links") | (Kind::Response, "links") => {
            (Map, Kind::Described)
        }
        (Kind::Components | Kind::Parameter | Kind::Header | Kind::MediaType, "examples") => {
            (Map, Kind::Described)
        }
        (Kind::PathItem, "additionalOperations") => (Map, Kind::Operation),
        (Kind::PathItem, method) if METHODS.contains(&method) => (One, Kind::Operation),
        (Kind::PathItem | Kind::Operation, "parameters") => (List, Kind::Parameter),
        (Kind::Operation, "requestBody") => (One, Kind::RequestBody),
        (Kind::Parameter | Kind::Header, "schema") => (One, Kind::Schema),
        (Kind::Parameter | Kind::Header | Kind::RequestBody | Kind::Response, "content") => {
            (Map, Kind::MediaType)
        }
        (Kind::MediaType, "schema" | "itemSchema") => (One, Kind::Schema),
        (Kind::MediaType | Kind::Encoding, "encoding") => (Map, Kind::Encoding),
        (Kind::MediaType | Kind::Encoding, "prefixEncoding") => (List, Kind::Encoding),
        (Kind::MediaType | Kind::Encoding, "itemEncoding") => (One, Kind::Encoding),
        (Kind::Callback, "$ref") => return None,
        (Kind::Callback, _) => (One, Kind::PathItem),
        (Kind::Schema, keyword) => match holds(keyword) {
            Holds::Schema if value.is_array() => (List, Kind::Schema),
            Holds::Schema => (One, Kind::Schema),
            Holds::List => (List, Kind::Schema),
            Holds::Map => (Map, Kind::Schema),
            // The members that are not lists of names are schemas.
            Holds::Data if keyword == "dependencies" => (Map, Kind::Schema),
            Holds::Data => return None,
        },
        _ => return None,
    };
    Some(found)
}

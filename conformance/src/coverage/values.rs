//! The values of an exchange, checked against the schemas that describe them.

use serde_json::Value;

use super::Seen;
use crate::case::serialize::is_json;
use crate::case::{Body, Case, Intent};
use crate::check::Judge;
use crate::document::{Document, Located, Operation, pointer};
use crate::exchange::{Exchange, Response};
use crate::samples::media_types;
use crate::schema::Subschemas;

/// Status under which request bodies are counted: they have none.
const REQUEST: u16 = 0;

impl Seen {
    /// Takes note of the keywords that the values of an exchange met: in the body of a request that the document allows, and in a body in
    /// JSON that came. Only the first values are looked at.
    pub fn note_values(
        &mut self,
        judge: &Judge<'_>,
        operation: &Operation<'_>,
        case: &Case,
        exchange: &Exchange,
    ) {
        let document = judge.document;
        let subschemas = Subschemas::of(document);
        let allowed = matches!(case.intent, Intent::Sample | Intent::Valid);
        if let Some(body) = case.body.as_ref().filter(|_| allowed)
            && self.sent_keywords.wants(REQUEST)
            && let (Some(value), Some(schema)) =
                (&body.value, of_request(document, operation, body))
        {
            self.sent_keywords.note(subschemas, &schema, value, REQUEST);
        }
        if let Some(response) = &exchange.response
            && !response.body.is_empty()
            && self.received_keywords.wants(response.status)
            && let Some((_, promised)) = judge.documented(&operation.pointer, response.status)
            && let Some(schema) = of_response(document, &promised, response)
            && let Ok(value) = serde_json::from_slice::<Value>(&response.body)
        {
            let kind = response.status;
            self.received_keywords
                .note(subschemas, &schema, &value, kind);
        }
    }
}

fn of_request(document: &Document, operation: &Operation<'_>, body: &Body) -> Option<String> {
    let documented = media_types(document, &operation.request_body(document)?);
    of_type(&documented, body.content_type.as_deref()?)
}

fn of_response(document: &Document, promised: &Located<'_>, response: &Response) -> Option<String> {
    let given = response.header("content-type").next()?;
    let given = std::str::from_utf8(given)
        .ok()
        .filter(|given| is_json(given))?;
    of_type(&media_types(document, promised), given)
}

/// The schema of a media type.
fn of_type(documented: &[(String, Located<'_>)], given: &str) -> Option<String> {
    let (_, media) = documented
        .iter()
        .find(|(name, _)| super::seen::is_of(super::seen::essence(given), name))?;
    Some(pointer::join(&media.pointer, "schema"))
}

//! Ids in exchanges: the member that identifies what an answer is about, and the runtime expressions of links.

use serde_json::Value;

use super::PathValues;
use crate::case::serialize::{decode, text};
use crate::exchange::Exchange;

/// The id in an answer: the member named as the parameter, then `id`, then the only member that ends in `Id`; at the top, or
/// inside the one object that the answer wraps; else the last segment of `Location`.
pub(crate) fn id_in(exchange: &Exchange, name: &str) -> Option<String> {
    let response = exchange.response.as_ref()?;
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let inner = body.as_ref().and_then(|body| {
        let mut objects = body.as_object()?.values().filter(|value| value.is_object());
        body.get("data")
            .filter(|data| data.is_object())
            .or_else(|| objects.next().filter(|_| objects.next().is_none()))
    });
    let located = || {
        let location = String::from_utf8(response.header("location").next()?.to_vec()).ok()?;
        let path = location.split(['?', '#']).next()?.trim_end_matches('/');
        Some(decode(path.rsplit('/').next()?)).filter(|id| !id.is_empty())
    };
    body.as_ref()
        .and_then(|body| member_id(body, name))
        .or_else(|| member_id(inner?, name))
        .or_else(located)
}

/// The id of the first item of a list: of an array, or of the first array with objects that the answer wraps.
pub(crate) fn id_in_list(exchange: &Exchange, name: &str) -> Option<String> {
    let response = exchange.response.as_ref()?;
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    let first = |value: &Value| {
        value
            .as_array()?
            .first()
            .filter(|item| item.is_object())
            .cloned()
    };
    let wrapped = || body.as_object()?.values().find_map(first);
    member_id(&first(&body).or_else(wrapped)?, name)
}

fn member_id(value: &Value, name: &str) -> Option<String> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
    let members = value.as_object()?;
    let scalar = |value: &&Value| value.is_string() || value.is_number();
    let named = || {
        members
            .iter()
            .find(|(key, _)| plain(key) == plain(name))
            .map(|(_, value)| value)
    };
    let suffixed = || {
        let ids = |key: &str| key.ends_with("Id") || key.ends_with("ID") || key.ends_with("_id");
        let mut ids = members.iter().filter(|(key, _)| ids(key));
        ids.next()
            .filter(|_| ids.next().is_none())
            .map(|(_, value)| value)
    };
    let own = || members.get("id").or_else(|| members.get("uuid"));
    let found = members
        .get(name)
        .or_else(named)
        .filter(scalar)
        .or_else(|| own().filter(scalar))
        .or_else(suffixed);
    found.filter(scalar).map(text)
}

/// A runtime expression of a link.
pub(crate) fn evaluate(
    expression: &Value,
    exchange: &Exchange,
    path: &PathValues,
) -> Option<String> {
    let Some(expression) = expression.as_str().filter(|text| text.starts_with('$')) else {
        return Some(text(expression));
    };
    let response = exchange.response.as_ref()?;
    let inside = |body: &[u8], at: &str| {
        let value: Value = serde_json::from_slice(body).ok()?;
        value
            .pointer(at)
            .filter(|value| value.is_string() || value.is_number())
            .map(text)
    };
    if let Some(at) = expression.strip_prefix("$response.body#") {
        return inside(&response.body, at);
    }
    if let Some(at) = expression.strip_prefix("$request.body#") {
        return inside(exchange.request.body.as_ref()?, at);
    }
    if let Some(name) = expression.strip_prefix("$response.header.") {
        return String::from_utf8(response.header(name).next()?.to_vec()).ok();
    }
    let name = expression.strip_prefix("$request.path.")?;
    path.iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| decode(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_the_member_of_that_name_then_id_then_the_only_one_that_looks_like_one() {
        for (body, expected) in [
            (json!({"noteId": "a", "id": "b"}), Some("a")),
            (json!({"note_id": "a", "id": "b"}), Some("a")),
            (json!({"id": 7, "ownerId": "c"}), Some("7")),
            (json!({"uuid": "u"}), Some("u")),
            (json!({"thingId": "t", "name": "n"}), Some("t")),
            (json!({"aId": "t", "bId": "n"}), None),
            (json!({"id": null}), None),
            (json!([]), None),
        ] {
            assert_eq!(member_id(&body, "noteId").as_deref(), expected, "{body}");
        }
    }
}

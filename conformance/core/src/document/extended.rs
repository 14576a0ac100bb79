//! Features of OpenAPI 3.1 that authors of 3.0 write as extensions.
//!
//! `x-webhooks` is what documentation tools read, `x-examples` of a schema what editors write (see [`super::fold`]), and
//! `x-identifier` of a license goes with them. They are read as the members that they stand for, unless the document has those too.

use serde_json::{Map, Value};

use super::origin::Moves;

/// Gives the members of the root and of the license their names of 3.1, and notes where they stand in the file.
pub(super) fn read(document: &mut Value, moves: &mut Moves) {
    rename(document, "", "x-webhooks", "webhooks", moves);
    rename(
        document,
        "/info/license",
        "x-identifier",
        "identifier",
        moves,
    );
}

fn rename(document: &mut Value, at: &str, old: &str, new: &str, moves: &mut Moves) {
    let Some(Value::Object(members)) = document.pointer_mut(at) else {
        return;
    };
    if !members.contains_key(old) || members.contains_key(new) {
        return;
    }
    // In its place, so that findings keep the order of the document.
    *members = std::mem::take(members)
        .into_iter()
        .map(|(name, value)| {
            if name == old {
                (new.to_owned(), value)
            } else {
                (name, value)
            }
        })
        .collect::<Map<_, _>>();
    moves.add(&format!("{at}/{new}"), &format!("{at}/{old}"));
}

#[cfg(test)]
mod tests {
    use crate::document::Document;

    #[test]
    fn webhooks_of_3_0_are_read_and_stand_where_the_file_has_them() {
        let text = "openapi: 3.0.3\ninfo: {title: t, version: '1', license: {name: n, x-identifier: MIT}}\npaths: {}\nx-webhooks:\n  happened:\n    post: {operationId: onHappened, responses: {}}\n";
        let document = Document::parse("old.yaml", text).unwrap();
        let webhooks = document.webhooks();
        assert_eq!(webhooks[0].subject(), "POST happened (onHappened)");
        assert_eq!(webhooks[0].pointer, "/webhooks/happened/post");
        assert_eq!(
            document.origin(&webhooks[0].pointer).1,
            "/x-webhooks/happened/post"
        );
        assert_eq!(document.position(&webhooks[0].pointer).line, 6);
        assert_eq!(document.at("/info/license/identifier").unwrap(), "MIT");
    }

    #[test]
    fn in_3_1_an_extension_is_an_extension() {
        let text = "openapi: 3.1.0\nx-webhooks: {happened: {post: {}}}\n";
        let document = Document::parse("new.yaml", text).unwrap();
        assert!(document.webhooks().is_empty());
    }
}

//! Inbound: the opaque cursor of a list (C-13): the position of a page's last webhook.
//!
//! A cursor names a place, not a webhook that must still be there: paging goes on after the webhook was deleted.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;

use crate::storage::Position;

/// Marks the form of the cursor, so that a later form can tell old ones.
const FORM: &str = "1";

/// The cursor of a position.
pub(super) fn encode(position: &Position) -> String {
    let text = format!(
        "{FORM}/{}/{}",
        position.created_at.as_microsecond(),
        position.id
    );
    BASE64URL_NOPAD.encode(text.as_bytes())
}

/// The position of a cursor, when it is one that [`encode`] can have made.
pub(super) fn decode(cursor: &str) -> Option<Position> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    let (time, id) = text
        .strip_prefix(FORM)?
        .strip_prefix('/')?
        .split_once('/')?;
    let created_at = Timestamp::from_microsecond(time.parse().ok()?).ok()?;
    let position = Position {
        created_at,
        id: id.to_owned(),
    };
    (id.starts_with("whk_") && encode(&position) == cursor).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let position = Position {
            created_at: "2026-01-02T03:04:05.678901Z".parse().unwrap(),
            id: "whk_x".to_owned(),
        };
        assert_eq!(decode(&encode(&position)), Some(position));
    }

    #[test]
    fn what_no_page_has_given_is_no_cursor() {
        let forms = [
            "1/0",
            "2/0/whk_x",
            "1/x/whk_x",
            "1/+5/whk_x",
            "1/99999999999999999999/whk_x",
            "1/0/other",
        ];
        for text in forms {
            assert_eq!(
                decode(&BASE64URL_NOPAD.encode(text.as_bytes())),
                None,
                "{text}"
            );
        }
        for cursor in ["", "!", "not-a-cursor", "AA==", "ä"] {
            assert_eq!(decode(cursor), None, "{cursor}");
        }
    }
}

//! The opaque cursor of a list: the number of a page's last row.
//!
//! A cursor names a place, not a row that must still be there: paging goes on after the row was deleted.

use data_encoding::BASE64URL_NOPAD;

/// Marks the form of the cursor, so that a later form can tell old ones.
const FORM: &str = "1";

/// The cursor of a row.
pub(super) fn encode(number: i64) -> String {
    BASE64URL_NOPAD.encode(format!("{FORM}/{number}").as_bytes())
}

/// The number of a cursor, when it is one that [`encode`] can have made of a row.
pub(super) fn decode(cursor: &str) -> Option<i64> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    let number = text.strip_prefix(FORM)?.strip_prefix('/')?.parse().ok()?;
    (number > 0 && encode(number) == cursor).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row() {
        assert_eq!(encode(42), "MS80Mg");
        for number in [1, 42, i64::MAX] {
            assert_eq!(decode(&encode(number)), Some(number));
        }
    }

    #[test]
    fn what_no_page_has_given_is_no_cursor() {
        for text in [
            "1/0",
            "1/-1",
            "1/+1",
            "1/01",
            "2/1",
            "1/",
            "1",
            "1/9223372036854775808",
        ] {
            assert_eq!(
                decode(&BASE64URL_NOPAD.encode(text.as_bytes())),
                None,
                "{text}"
            );
        }
        for cursor in ["", "!", "not-a-cursor", "MS80Mg==", "ä"] {
            assert_eq!(decode(cursor), None, "{cursor}");
        }
    }
}

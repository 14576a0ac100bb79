//! The opaque cursors of lists: the number of a page's last row, and the place behind all events that are stored.
//!
//! A cursor names a place, not a row that must still be there: paging goes on after the row was deleted.

use data_encoding::BASE64URL_NOPAD;

/// Marks the form of the cursor, so that a later form can tell old ones.
const FORM: &str = "1";

/// Marks a place that new events come behind.
const PLACE: &str = "since";

/// The cursor of a row.
pub(super) fn encode(number: i64) -> String {
    write(FORM, number)
}

/// The number of a cursor, when it is one that [`encode`] can have made of a row.
pub(super) fn decode(cursor: &str) -> Option<i64> {
    read(FORM, cursor).filter(|number| *number > 0)
}

/// The cursor of a place behind all events so far; 0 where there are none.
pub(super) fn encode_place(number: i64) -> String {
    write(PLACE, number)
}

/// The place of a cursor, when it is one that [`encode_place`] can have made.
pub(super) fn decode_place(cursor: &str) -> Option<i64> {
    read(PLACE, cursor).filter(|number| *number >= 0)
}

fn write(form: &str, number: i64) -> String {
    BASE64URL_NOPAD.encode(format!("{form}/{number}").as_bytes())
}

fn read(form: &str, cursor: &str) -> Option<i64> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    let number = text.strip_prefix(form)?.strip_prefix('/')?.parse().ok()?;
    (write(form, number) == cursor).then_some(number)
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
    fn a_place_may_be_the_beginning_and_is_no_row() {
        for number in [0, 1, i64::MAX] {
            assert_eq!(decode_place(&encode_place(number)), Some(number));
            assert_eq!(decode(&encode_place(number)), None);
            assert_eq!(decode_place(&encode(number)), None);
        }
        assert_eq!(decode_place(&encode_place(-1)), None);
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

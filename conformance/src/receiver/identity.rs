//! Ids of deliveries: where an event has one, and new ones that look like those of the document. Pure: the number that makes an id new is
//! an argument.

use serde_json::Value;

use super::event::Event;
use crate::hooks::{Carrier, Location, Message};

/// Parts of an id with fewer characters than this are too few to be new.
const ENOUGH: usize = 8;

/// Where the id of a delivery is: as promised, or else as it is signed.
pub(super) fn location<'e>(event: &'e Event<'_>) -> Option<&'e Location> {
    let schemes = event
        .description
        .signing
        .iter()
        .flat_map(|one| &one.schemes);
    let signed = || schemes.filter_map(|scheme| scheme.id.as_ref()).next();
    event.description.promise.id.as_ref().or_else(signed)
}

/// Gives a message a new id, which it returns; none where the event has no id, or the message no place for one.
pub(super) fn renew(event: &Event<'_>, message: &mut Message, number: u64) -> Option<String> {
    let location = location(event)?;
    let known = location.value(message);
    let example = known.as_deref().unwrap_or_default();
    let candidates = [
        shaped(example, number).filter(|_| variable(example) >= ENOUGH),
        Some(format!("{}{:016x}", prefix(example), mix(number))),
        Some(uuid(number)),
        shaped(example, number),
    ];
    let id = candidates.into_iter().flatten().find(|id| {
        let mut changed = message.clone();
        put(location, id, &mut changed) && event.allows(&changed, location, id)
    })?;
    put(location, &id, message).then_some(id)
}

/// Writes an id into a message, as a number where it was one.
pub(super) fn put(location: &Location, id: &str, message: &mut Message) -> bool {
    if let Carrier::Member(pointer) = &location.carrier {
        let number = message.member(pointer).is_some_and(|old| old.is_number());
        let value = match id.parse::<u64>() {
            Ok(id) if number => Value::from(id),
            _ if number => return false,
            _ => Value::from(format!("{}{id}", location.prefix)),
        };
        return message.set_member(pointer, value);
    }
    if let (Carrier::Header(name), None) = (&location.carrier, &location.field) {
        message.remove_header(name);
    }
    location.put(message, id)
}

/// Returns the part of an id that stays the same: the text up to its last underscore, such as `evt_`.
fn prefix(example: &str) -> &str {
    example.rfind('_').map_or("", |at| &example[..=at])
}

fn variable(example: &str) -> usize {
    let rest = &example[prefix(example).len()..];
    rest.chars().filter(char::is_ascii_alphanumeric).count()
}

/// Another id of the same shape: letters for letters, digits for digits. The version and the variant of a UUID stay.
fn shaped(example: &str, number: u64) -> Option<String> {
    let kept = prefix(example).len();
    let is_hex = example[kept..]
        .chars()
        .all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let is_uuid = example.len() == 36 && is_hex;
    let mut state = number;
    let mut next = |count: u64| {
        state = state.wrapping_add(1);
        u8::try_from(mix(state) % count).unwrap_or_default()
    };
    let mut first = true;
    let changed = example.char_indices().map(|(at, letter)| {
        if at < kept || (is_uuid && (at == 14 || at == 19)) || !letter.is_ascii_alphanumeric() {
            return letter;
        }
        let letters = if is_hex { 6 } else { 26 };
        // A number does not begin with 0.
        let leading = std::mem::take(&mut first);
        char::from(match letter {
            '0'..='9' if leading => b'1' + next(9),
            '0'..='9' => b'0' + next(10),
            'a'..='z' => b'a' + next(letters),
            _ => b'A' + next(letters),
        })
    });
    let changed: String = changed.collect();
    (!example.is_empty() && changed != example).then_some(changed)
}

fn uuid(number: u64) -> String {
    let (high, low) = (mix(number), mix(number ^ 0x5bd1_e995));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

/// A number that looks random (`SplitMix64`).
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_has_the_shape_of_the_example() {
        let uuid = "0b9d6a52-5f0c-4c1e-9a37-2f6f0f6a8d11";
        let other = shaped(uuid, 7).unwrap();
        assert_eq!(
            (other.len(), &other[14..15], &other[19..20]),
            (36, "4", "9")
        );
        assert!(
            other
                .chars()
                .all(|one| one.is_ascii_hexdigit() || one == '-')
        );
        assert_ne!(other, shaped(uuid, 8).unwrap());
        let event = shaped("evt_2ofTA13AD0", 1).unwrap();
        assert!(event.starts_with("evt_") && event.len() == 14, "{event}");
        assert_eq!(shaped("", 1), None);
        assert_eq!(super::uuid(3).len(), 36);
    }
}

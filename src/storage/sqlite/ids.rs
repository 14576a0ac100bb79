//! The ids of deliveries and events: sealed numbers, so that no id needs an index and none tells how many there were.
//!
//! An id is a permutation of a number and the time when its delivery or event was made, under a key that stands in the file. The time is part of
//! it because numbers are given again after a backup was put back: a receiver that knows ids from before must not take a new delivery
//! for an old one. Four rounds of a Feistel network with a keyed hash make a permutation that cannot be told from a random one (Luby and
//! Rackoff, 1988).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::StoreError;
use super::{in_flight, rows};
use crate::domain::{ksuid, ksuid_entropy};
use crate::entropy;

type Result<T> = std::result::Result<T, StoreError>;

/// How many bits of a UUID of version 4 are free, halved.
const HALF: u32 = 61;

const MASK: u64 = (1 << HALF) - 1;

/// The numbers that tell the rounds of a delivery's id apart from each other, and from those of an event's.
const ROUNDS: [u8; 4] = [1, 2, 3, 4];

/// How many bits of a KSUID are free beside the time, halved.
const EVENT_HALF: u32 = 54;

const EVENT_MASK: u64 = (1 << EVENT_HALF) - 1;

const EVENT_ROUNDS: [u8; 4] = [5, 6, 7, 8];

const EVENT_PREFIX: &str = "evt_";

/// Seals and opens ids.
#[derive(Clone)]
pub(super) struct SealedIds {
    key: [u8; 32],
}

/// A delivery, as its row is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// By number; the time is when it was made.
    Number(i64, i64),
    /// By the id in the row, which those have that were made before ids were sealed.
    Id(Uuid),
}

impl SealedIds {
    /// Reads the key of the file, and makes one where there is none.
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let key = entropy::bytes::<32>();
        connection.execute(
            "INSERT INTO meta (name, value) SELECT 'delivery-ids', ?1
             WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'delivery-ids')",
            [key],
        )?;
        let select = "SELECT value FROM meta WHERE name = 'delivery-ids'";
        Ok(Self {
            key: connection.query_row(select, [], |row| row.get(0))?,
        })
    }

    /// The id of the delivery with this number that was made at this time.
    pub(super) fn seal(&self, number: i64, created_at: Timestamp) -> Uuid {
        self.seal_parts(number, created_at.as_microsecond())
    }

    fn seal_parts(&self, number: i64, created_at: i64) -> Uuid {
        let (mut left, mut right) = (
            number.cast_unsigned() & MASK,
            created_at.cast_unsigned() & MASK,
        );
        for round in ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        // Version and variant stand at bits 76 to 79 and 62 to 63.
        let bits = (u128::from(left) << HALF) | u128::from(right);
        let low = bits & ((1 << 62) - 1);
        let middle = (bits >> 62) & ((1 << 12) - 1);
        let high = bits >> 74;
        Uuid::from_u128((high << 80) | (4 << 76) | (middle << 64) | (2 << 62) | low)
    }

    /// The row that an id names, if the row has no id of its own.
    pub(super) fn open(&self, id: Uuid) -> Named {
        let all = id.as_u128();
        if id.get_version_num() != 4 || (all >> 62) & 3 != 2 {
            return Named::Id(id);
        }
        let low = all & ((1 << 62) - 1);
        let middle = (all >> 64) & ((1 << 12) - 1);
        let bits = ((all >> 80) << 74) | (middle << 62) | low;
        let half = |bits: u128| u64::try_from(bits & u128::from(MASK)).unwrap_or_default();
        let (mut left, mut right) = (half(bits >> HALF), half(bits));
        for round in ROUNDS.into_iter().rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        // Times before 1970 have a sign.
        let time = (right << (64 - HALF)).cast_signed() >> (64 - HALF);
        Named::Number(left.cast_signed(), time)
    }

    fn round(&self, round: u8, half: u64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update([round]);
        hash.update(half.to_be_bytes());
        let digest = hash.finalize();
        let first: [u8; 8] = std::array::from_fn(|place| digest[place]);
        u64::from_be_bytes(first) & MASK
    }

    /// The number of the delivery with this id, if there is one that has a row.
    pub(super) fn number(&self, connection: &Connection, id: Uuid) -> Result<Option<i64>> {
        let found = match self.open(id) {
            Named::Number(number, created_at) => connection
                .prepare_cached(
                    "SELECT number FROM delivery WHERE number = ?1 AND created_at = ?2 AND id IS NULL",
                )?
                .query_row([number, created_at], |row| row.get(0))
                .optional()?,
            Named::Id(_) => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        Ok(connection
            .prepare_cached("SELECT number FROM delivery WHERE id = ?1 AND id IS NOT NULL")?
            .query_row(params![id.as_bytes()], |row| row.get(0))
            .optional()?)
    }

    /// The number of the delivery with this id, if there is one, which then has a row.
    pub(super) fn settled(&self, connection: &Connection, id: Uuid) -> Result<Option<i64>> {
        if let Named::Number(number, _) = self.open(id) {
            in_flight::settle(connection, number)?;
        }
        self.number(connection, id)
    }

    /// The id of the event with this number that was published at this time: a KSUID of that time.
    pub(super) fn seal_event(&self, number: i64, created_at: Timestamp) -> String {
        let (mut left, mut right) = (
            number.cast_unsigned() & EVENT_MASK,
            created_at.as_microsecond().cast_unsigned() & EVENT_MASK,
        );
        for round in EVENT_ROUNDS {
            (left, right) = (right, left ^ (self.round(round, right) & EVENT_MASK));
        }
        let bits = (u128::from(left) << EVENT_HALF) | u128::from(right);
        ksuid(EVENT_PREFIX, created_at, bits.to_be_bytes())
    }

    /// The number of the event with this id, if there is one.
    pub(super) fn event_number(&self, connection: &Connection, id: &str) -> Result<Option<i64>> {
        if let Some(number) = self.open_event(id) {
            let created_at: Option<i64> = connection
                .prepare_cached("SELECT created_at FROM event WHERE number = ?1 AND id IS NULL")?
                .query_row([number], |row| row.get(0))
                .optional()?;
            if let Some(created_at) = created_at
                && self.seal_event(number, rows::time(created_at)?) == id
            {
                return Ok(Some(number));
            }
        }
        Ok(connection
            .prepare_cached("SELECT number FROM event WHERE id = ?1 AND id IS NOT NULL")?
            .query_row([id], |row| row.get(0))
            .optional()?)
    }

    /// The number that an id was sealed from, if it was.
    fn open_event(&self, id: &str) -> Option<i64> {
        let bits = u128::from_be_bytes(ksuid_entropy(EVENT_PREFIX, id)?);
        let half = |bits: u128| u64::try_from(bits & u128::from(EVENT_MASK)).unwrap_or_default();
        let (mut left, mut right) = (half(bits >> EVENT_HALF), half(bits));
        for round in EVENT_ROUNDS.into_iter().rev() {
            (left, right) = (right ^ (self.round(round, left) & EVENT_MASK), left);
        }
        Some(left.cast_signed())
    }

    /// The id of an event, from its column `id`, its number and its time.
    pub(super) fn of_event(
        &self,
        stored: Option<String>,
        number: i64,
        created_at: Timestamp,
    ) -> String {
        stored.unwrap_or_else(|| self.seal_event(number, created_at))
    }

    /// The id of a row, from its column `id`, its number and its time.
    pub(super) fn of_row(
        &self,
        stored: Option<[u8; 16]>,
        number: i64,
        created_at: i64,
    ) -> Result<Uuid> {
        Ok(match stored {
            Some(bytes) => Uuid::from_bytes(bytes),
            None => self.seal(number, rows::time(created_at)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn ids(key: u8) -> SealedIds {
        SealedIds { key: [key; 32] }
    }

    #[test]
    fn an_id_is_opened_to_what_it_was_sealed_from_and_is_a_uuid_of_version_4() {
        let times = [0, 1, -1, 1_767_225_600_123_456];
        let mut all = HashSet::new();
        for number in [0, 1, 2, 3, 1 << 40, (1 << 61) - 1] {
            for time in times {
                let id = ids(1).seal_parts(number, time);
                assert_eq!(ids(1).open(id), Named::Number(number, time));
                assert_eq!(id.get_version_num(), 4);
                assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
                assert_ne!(ids(2).open(id), Named::Number(number, time));
                all.insert(id);
            }
        }
        assert_eq!(all.len(), 24);
    }

    #[test]
    fn the_id_of_an_event_is_opened_to_its_number_and_sorts_by_time() {
        let mut last = String::new();
        for (number, time) in (1..).zip([0, 1, 20, 1_000_000, 1_000_000_000_000]) {
            let time = Timestamp::from_microsecond(1_767_225_600_123_456 + time).unwrap();
            let id = ids(1).seal_event(number, time);
            assert_eq!(ids(1).open_event(&id), Some(number));
            assert_ne!(ids(2).open_event(&id), Some(number));
            assert!(id > last, "{id} {last}");
            last = id;
        }
        for number in [0, 1 << 40, (1 << 54) - 1] {
            let id = ids(1).seal_event(number, "2026-01-01T00:00:00Z".parse().unwrap());
            assert_eq!(ids(1).open_event(&id), Some(number));
        }
        assert_eq!(ids(1).open_event("evt_1"), None);
    }

    #[test]
    fn ids_that_follow_each_other_have_nothing_in_common() {
        let mut bits = [0_u32; 128];
        for number in 0..1_000 {
            let id = ids(1).seal_parts(number, 1_767_225_600_000_000).as_u128();
            for (place, count) in bits.iter_mut().enumerate() {
                *count += u32::from((id >> place) & 1 == 1);
            }
        }
        let odd = bits.iter().filter(|count| !(400..=600).contains(*count));
        assert_eq!(
            odd.count(),
            6,
            "only version and variant are fixed: {bits:?}"
        );
    }

    #[test]
    fn an_id_of_another_version_is_one_that_stands_in_its_row() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(ids(1).open(id), Named::Id(id));
    }
}

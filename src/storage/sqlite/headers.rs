//! Headers of attempts as they are stored: the number of a shape, and the values in which headers of one shape differ.
//!
//! Most requests to receivers have the same headers but for a signature, an id and a time, of which the last two stand in the row anyway;
//! most answers have the same headers but for a date. A shape is a line for each header, with its value where the value tells of a
//! program and not of a message. Shapes are never deleted, and bounded in number; headers without a shape are stored as JSON, as all were
//! in earlier versions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde::Serialize;
use uuid::Uuid;

use super::super::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// How many shapes of requests are kept: each provider has one or two in each version of the program.
const REQUEST_SHAPES: usize = 256;

/// How many shapes of answers are kept. Receivers decide how many there are.
const ANSWER_SHAPES: usize = 1_024;

/// The longest shape.
const LONGEST_SHAPE: usize = 512;

/// The shortest text that is worth storing as the bytes that it spells.
const SHORTEST_DIGITS: usize = 16;

/// Headers whose values tell of a program. The values of no others are part of a shape, as shapes are kept when messages are deleted.
const CONSTANT: [&str; 12] = [
    "accept",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-type",
    "keep-alive",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    "x-content-type-options",
];

/// Whose headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// Of the request. The value of `authorization` is never the secret itself.
    Request,
    /// Of the receiver's answer.
    Answer,
}

/// What is known beside the headers of an attempt when they are stored and read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    /// The id of the delivery.
    pub(super) id: Uuid,
    /// When the attempt began.
    pub(super) started_at: Timestamp,
}

/// The form of a value that is not part of a shape, by its name in shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The id of the delivery.
    Id,
    /// When the attempt began, in seconds since 1970.
    Seconds,
    /// A time in the form of HTTP, stored as its distance to the beginning of the attempt in seconds.
    Date,
    /// Bytes in lower-case hexadecimal digits.
    Hex,
    /// Bytes in Base64.
    Base64,
    /// Anything else.
    Text,
}

impl Form {
    const ALL: [Self; 6] = [
        Self::Id,
        Self::Seconds,
        Self::Date,
        Self::Hex,
        Self::Base64,
        Self::Text,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Seconds => "seconds",
            Self::Date => "date",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Text => "text",
        }
    }
}

/// Headers that are ready to be stored.
#[derive(Debug)]
pub(super) struct Shaped {
    shape: String,
    values: Vec<u8>,
}

/// Headers as a column holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stored {
    /// The number of the shape, then the values.
    Packed(Vec<u8>),
    /// Without a shape.
    Json(String),
}

impl ToSql for Stored {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Packed(bytes) => bytes.to_sql(),
            Self::Json(text) => text.to_sql(),
        }
    }
}

impl Shaped {
    /// Separates the shape of headers from their values; `None` where the shape would not be worth keeping.
    pub(super) fn of<T: AsRef<str>>(headers: &[(T, T)], beside: &Beside) -> Option<Self> {
        let mut shape = String::with_capacity(160);
        let mut values = Vec::with_capacity(48);
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            // `=` and `:` are part of no name (RFC 9110, 5.6.2), and no value has the end of a line.
            if name.contains(['=', ':', '\n']) || value.contains('\n') {
                return None;
            }
            shape += name;
            if CONSTANT.contains(&name) {
                shape.push('=');
                shape += value;
            } else {
                shape.push(':');
                shape += push_value(&mut values, value, beside).name();
            }
            shape.push('\n');
            if shape.len() > LONGEST_SHAPE {
                return None;
            }
        }
        Some(Self { shape, values })
    }
}

/// Appends a value in the shortest form, and tells which that is.
fn push_value(values: &mut Vec<u8>, value: &str, beside: &Beside) -> Form {
    let mut id = Uuid::encode_buffer();
    if value == &*beside.id.hyphenated().encode_lower(&mut id) {
        return Form::Id;
    }
    let seconds = beside.started_at.as_second();
    if value.parse::<i64>() == Ok(seconds) && value == seconds.to_string() {
        return Form::Seconds;
    }
    if let Some(distance) = distance_of_date(value, seconds) {
        push_number(values, zigzag(distance));
        return Form::Date;
    }
    if value.len() >= SHORTEST_DIGITS {
        for (form, encoding) in [(Form::Hex, &HEXLOWER), (Form::Base64, &BASE64)] {
            if let Ok(bytes) = encoding.decode(value.as_bytes()) {
                push_bytes(values, &bytes);
                return form;
            }
        }
    }
    push_bytes(values, value.as_bytes());
    Form::Text
}

/// How many seconds a date is after `seconds`, where it can be written again from that.
fn distance_of_date(value: &str, seconds: i64) -> Option<i64> {
    if value.len() != "Sun, 06 Nov 1994 08:49:37 GMT".len() {
        return None;
    }
    let time = httpdate::parse_http_date(value).ok()?;
    let time = i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let distance = time.checked_sub(seconds)?;
    (date(seconds, distance)? == value).then_some(distance)
}

fn date(seconds: i64, distance: i64) -> Option<String> {
    let time = u64::try_from(seconds.checked_add(distance)?).ok()?;
    // Later than the year 9999 there is no such form.
    let time = Some(time).filter(|time| *time < 253_402_300_800)?;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(time))?;
    Some(httpdate::fmt_http_date(time))
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Appends a number, seven bits a byte, the lowest first.
fn push_number(values: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        values.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    values.push(number.to_le_bytes()[0]);
}

fn push_bytes(values: &mut Vec<u8>, bytes: &[u8]) {
    push_number(values, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    values.extend_from_slice(bytes);
}

/// Reads what was appended.
struct Values<'v>(&'v [u8]);

impl<'v> Values<'v> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'v [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// Puts headers together again; `None` where the values are not of this shape.
fn join(shape: &str, values: &[u8], beside: &Beside) -> Option<Vec<(String, String)>> {
    let mut values = Values(values);
    let mut headers = Vec::new();
    for line in shape.lines() {
        let end = line.find(['=', ':'])?;
        let (name, rest) = line.split_at(end);
        let (kind, rest) = rest.split_at(1);
        let value = if kind == "=" {
            rest.to_owned()
        } else {
            match Form::ALL.into_iter().find(|form| form.name() == rest)? {
                Form::Id => beside.id.to_string(),
                Form::Seconds => beside.started_at.as_second().to_string(),
                Form::Date => date(beside.started_at.as_second(), unzigzag(values.number()?))?,
                Form::Hex => HEXLOWER.encode(values.bytes()?),
                Form::Base64 => BASE64.encode(values.bytes()?),
                Form::Text => String::from_utf8(values.bytes()?.to_vec()).ok()?,
            }
        };
        headers.push((name.to_owned(), value));
    }
    values.0.is_empty().then_some(headers)
}

/// Reads a column of headers.
pub(super) fn read(
    connection: &Connection,
    column: ValueRef<'_>,
    beside: &Beside,
) -> Result<Vec<(String, String)>> {
    match column {
        ValueRef::Null => Ok(Vec::new()),
        ValueRef::Blob(bytes) => {
            let mut values = Values(bytes);
            let number = values
                .number()
                .and_then(|number| i64::try_from(number).ok())
                .unwrap_or_default();
            let shape: Option<String> = connection
                .prepare_cached("SELECT shape FROM header_shape WHERE number = ?1")?
                .query_row([number], |row| row.get(0))
                .optional()?;
            shape
                .and_then(|shape| join(&shape, values.0, beside))
                .ok_or_else(|| StoreError::Damaged(format!("headers of shape {number}")))
        }
        other => {
            let text = other
                .as_str()
                .map_err(|error| StoreError::Damaged(error.to_string()))?;
            serde_json::from_str(text).map_err(|error| StoreError::Damaged(error.to_string()))
        }
    }
}

/// The shapes that the file has, as far as this process knows.
#[derive(Default)]
pub(super) struct Shapes {
    requests: Known,
    answers: Known,
}

#[derive(Default)]
struct Known {
    numbers: RwLock<HashMap<String, i64>>,
    /// Whether the file has as many as it takes.
    full: AtomicBool,
}

impl Shapes {
    /// Reads those of the file.
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let shapes = Self::default();
        let mut statement =
            connection.prepare("SELECT number, of_answer, shape FROM header_shape")?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let side = if row.get(1)? {
                Side::Answer
            } else {
                Side::Request
            };
            shapes.learn(side, row.get(2)?, Some(row.get(0)?));
        }
        Ok(shapes)
    }

    fn side(&self, side: Side) -> &Known {
        match side {
            Side::Request => &self.requests,
            Side::Answer => &self.answers,
        }
    }

    /// The shape of these headers, where the file may be given it.
    pub(super) fn unknown(&self, side: Side, shaped: Option<&Shaped>) -> Option<String> {
        let shape = &shaped?.shape;
        let known = self.side(side);
        let may_be_added = !known.full.load(Ordering::Relaxed) && known.number(shape).is_none();
        may_be_added.then(|| shape.clone())
    }

    /// Notes the number that [`add`] gave a shape, once that is committed.
    pub(super) fn learn(&self, side: Side, shape: String, number: Option<i64>) {
        let known = self.side(side);
        match number {
            Some(number) => {
                let mut numbers = known
                    .numbers
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                numbers.insert(shape, number);
            }
            None => known.full.store(true, Ordering::Relaxed),
        }
    }

    /// Makes headers as a column holds them.
    ///
    /// # Errors
    /// When they cannot be written as JSON, which cannot be.
    pub(super) fn pack<T: Serialize>(
        &self,
        side: Side,
        headers: &[(T, T)],
        shaped: Option<Shaped>,
    ) -> Result<Stored> {
        let number = shaped
            .as_ref()
            .and_then(|shaped| self.side(side).number(&shaped.shape));
        if let (Some(number), Some(shaped)) = (number, shaped) {
            let mut packed = Vec::with_capacity(shaped.values.len() + 2);
            push_number(&mut packed, number.unsigned_abs());
            packed.extend_from_slice(&shaped.values);
            return Ok(Stored::Packed(packed));
        }
        serde_json::to_string(headers)
            .map(Stored::Json)
            .map_err(|error| StoreError::Damaged(error.to_string()))
    }
}

impl Known {
    fn number(&self, shape: &str) -> Option<i64> {
        let numbers = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
        numbers.get(shape).copied()
    }
}

/// Gives a shape a number, and returns it; `None` where the file has as many as it takes.
pub(super) fn add(connection: &Connection, side: Side, shape: &str) -> Result<Option<i64>> {
    let of_answer = side == Side::Answer;
    let most = match side {
        Side::Request => REQUEST_SHAPES,
        Side::Answer => ANSWER_SHAPES,
    };
    connection
        .prepare_cached(
            "INSERT INTO header_shape (of_answer, shape)
             SELECT ?1, ?2 WHERE (SELECT count(*) FROM header_shape WHERE of_answer = ?1) < ?3
             ON CONFLICT (of_answer, shape) DO NOTHING",
        )?
        .execute(params![
            of_answer,
            shape,
            i64::try_from(most).unwrap_or(i64::MAX)
        ])?;
    Ok(connection
        .prepare_cached("SELECT number FROM header_shape WHERE of_answer = ?1 AND shape = ?2")?
        .query_row(params![of_answer, shape], |row| row.get(0))
        .optional()?)
}

#[cfg(test)]
mod tests;

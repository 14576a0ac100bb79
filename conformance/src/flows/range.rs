//! Lists filtered by time: query parameters such as `created_after`, `since` and `to`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::driver::{Driver, Stopped};
use super::list::Walk;
use super::naming::{is_creation_time, words};
use crate::case::serialize::decode;
use crate::document::pointer;
use crate::finding::{FlowFault, Severity};
use crate::rule::flows as rules;

/// Most parameters of a list that are tried.
const PARAMETERS: usize = 4;

/// Words of parameters that take the first of the times that are asked for, and the last.
const FROM: [&str; 11] = [
    "after", "since", "from", "gte", "gt", "min", "start", "starting", "begin", "newer", "ge",
];
const TO: [&str; 12] = [
    "before", "until", "till", "to", "lte", "lt", "max", "end", "ending", "older", "le", "upto",
];

/// Words that say that something is a time, and not which one.
const TIMES: [&str; 9] = [
    "date",
    "time",
    "at",
    "on",
    "timestamp",
    "datetime",
    "utc",
    "day",
    "ts",
];

/// How far from all times of the items is asked: dates have no time of day, and time zones are up to a day apart.
const MARGIN: SignedDuration = SignedDuration::from_hours(72);

/// From this on, numbers are milliseconds since 1970; seconds have ten digits.
const MILLISECONDS: i64 = 100_000_000_000;

/// A query parameter that takes a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    name: String,
    schema: String,
    /// Whether it takes the first of the times that are asked for; the last otherwise.
    is_from: bool,
    form: Form,
    /// The member of items that it is about.
    member: String,
    /// Whether its name says so; one that says nothing may be about another time, which items need not show.
    is_named: bool,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    DateTime,
    Date,
    Seconds,
    Milliseconds,
}

impl Driver<'_> {
    /// Asks a list for items of a time that none has, and of one that all have. Nothing else is compared: whether a bound itself is meant
    /// too, and how fine times are, is not documented.
    pub(super) async fn ranges(
        &mut self,
        (index, above, list): (usize, &[String], usize),
        all: &Walk,
        queries: &[(String, String)],
    ) -> Result<(), Stopped> {
        let items: Vec<&Map<String, Value>> = all
            .items
            .iter()
            .filter_map(|(_, item)| item.as_object())
            .collect();
        let times = items
            .iter()
            .flat_map(|item| item.values())
            .filter_map(moment);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
            return Ok(());
        };
        let (Ok(before), Ok(after)) = (first.checked_sub(MARGIN), last.checked_add(MARGIN)) else {
            return Ok(());
        };
        let subschemas = self.session.judge.schemas.subschemas();
        let ranges = queries.iter().filter_map(|(name, schema)| {
            let own = subschemas.in_place(std::slice::from_ref(schema));
            let own: Vec<&Map<String, Value>> =
                own.iter().filter_map(|at| subschemas.object(at)).collect();
            range(name, schema, &own, &items)
        });
        let ranges: Vec<Range> = ranges.take(PARAMETERS).collect();
        for range in ranges {
            let (nothing, everything) = match range.is_from {
                true => (after, before),
                false => (before, after),
            };
            let own = self.own_with(index, all, &range.member);
            for (at, is_nothing) in [(nothing, true), (everything, false)] {
                let value = range.form.write(at);
                if !self.bodies.is_valid(&range.schema, &value) {
                    continue;
                }
                let query = (range.name.clone(), crate::case::serialize::text(&value));
                let fault = |walk: &Walk| fault(walk, &range, &query, is_nothing, &own);
                if self
                    .is_wrong((index, above, list), &query, &range, &fault)
                    .await?
                {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Asks for the items with a query; says whether the fault is there, which has to show twice: others may change the list meanwhile.
    async fn is_wrong(
        &mut self,
        (index, above, list): (usize, &[String], usize),
        query: &(String, String),
        range: &Range,
        fault: &dyn Fn(&Walk) -> Option<FlowFault>,
    ) -> Result<bool, Stopped> {
        for attempt in 0..2 {
            let asked = std::slice::from_ref(query);
            let Some(walk) = self.whole(index, above, asked).await? else {
                return Ok(false);
            };
            let Some(fault) = fault(&walk) else {
                return Ok(false);
            };
            if attempt > 0 {
                let severity = match range.is_named {
                    true => Severity::Breaking,
                    false => Severity::Warning,
                };
                self.note_as(
                    rules::FILTER_APPLIED,
                    severity,
                    list,
                    fault,
                    Some(&walk.last),
                );
            }
        }
        Ok(true)
    }

    /// The ids of items of a list that the run created, and that have a time there.
    fn own_with(&self, index: usize, all: &Walk, member: &str) -> Vec<String> {
        let own = self.live.iter().filter(|live| live.resource == index);
        let own = own.filter_map(|live| Some(decode(live.path.last()?)));
        let has_time = |id: &String| {
            let value = all.find(id).and_then(|item| item.get(member));
            value.and_then(moment).is_some()
        };
        own.filter(has_time).collect()
    }
}

/// The fault of a list that was asked for times that nothing has, or that all have.
fn fault(
    walk: &Walk,
    range: &Range,
    (name, value): &(String, String),
    is_nothing: bool,
    own: &[String],
) -> Option<FlowFault> {
    let found = if is_nothing {
        let mut items = walk.items.iter();
        // Items without the time are not asked for, and may come all the same.
        let found = items.find_map(|(_, item)| {
            item.get(&range.member)
                .filter(|value| moment(value).is_some())
        })?;
        Some(found.clone())
    } else if own.iter().any(|id| walk.find(id).is_none()) {
        None
    } else {
        return None;
    };
    Some(FlowFault::Unfiltered {
        asked: format!("{name}={value}"),
        at: pointer::join("", &range.member),
        found,
    })
}

/// Reads the name and the schemas of a query parameter as those of a bound of times.
fn range(
    name: &str,
    schema: &str,
    schemas: &[&Map<String, Value>],
    items: &[&Map<String, Value>],
) -> Option<Range> {
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let (is_from, is_to) = (has(&FROM), has(&TO));
    if is_from == is_to {
        return None;
    }
    let is_bound = |word: &str| FROM.contains(&word) || TO.contains(&word);
    let about: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !is_bound(word) && !TIMES.contains(word))
        .collect();
    let mut members = items.iter().flat_map(|item| item.iter());
    let mut creation = members
        .clone()
        .filter(|(name, value)| is_creation_time(name) && moment(value).is_some());
    let is_named = !about.is_empty();
    let (member, value) = match is_named {
        true => members.find(|(name, value)| moment(value).is_some() && is_about(name, &about)),
        false => creation.next(),
    }?;
    let says = |keyword: &str, word: &str| {
        schemas
            .iter()
            .any(|schema| schema.get(keyword).is_some_and(|found| found == word))
    };
    let is_number = says("type", "integer") || says("type", "number");
    let is_telling = is_named || has(&["since", "until"]) || has(&TIMES);
    let form = match value {
        _ if says("format", "date-time") => Form::DateTime,
        _ if says("format", "date") => Form::Date,
        Value::Number(number) if is_number && is_telling => {
            match number.as_i64().is_some_and(|number| number > MILLISECONDS) {
                true => Form::Milliseconds,
                false => Form::Seconds,
            }
        }
        Value::String(text)
            if says("type", "string") && is_telling && text.parse::<Timestamp>().is_ok() =>
        {
            Form::DateTime
        }
        _ => return None,
    };
    Some(Range {
        name: name.to_owned(),
        schema: schema.to_owned(),
        is_from,
        form,
        member: member.clone(),
        is_named,
    })
}

/// Whether a member is the time that a parameter is about: `createdAt` for `created_after`.
fn is_about(member: &str, about: &[&str]) -> bool {
    let words = words(member);
    let own: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !TIMES.contains(word))
        .collect();
    let are_creation = about
        .iter()
        .all(|word| matches!(*word, "create" | "created" | "creation"));
    own == about || are_creation && is_creation_time(member)
}

impl Form {
    fn write(self, at: Timestamp) -> Value {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        match self {
            Self::DateTime => Value::from(at.to_string()),
            Self::Date => Value::from(at.to_zoned(TimeZone::UTC).date().to_string()),
            Self::Seconds => Value::from(at.as_second()),
            Self::Milliseconds => Value::from(at.as_millisecond()),
        }
    }
}

/// The moment that a value is, where it is one.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok().or_else(|| {
            let date = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
            let start = date.to_zoned(TimeZone::UTC).ok()?;
            Some(start.timestamp())
        }),
        // Of this century: other numbers are prices and counts.
        Value::Number(number) => match number.as_i64()? {
            seconds @ 946_684_800..=4_102_444_800 => Timestamp::from_second(seconds).ok(),
            milliseconds @ 946_684_800_000..=4_102_444_800_000 => {
                Timestamp::from_millisecond(milliseconds).ok()
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, schema: &Value, item: &Value) -> Option<(bool, Form, String, bool)> {
        let found = range(
            name,
            "/s",
            &[schema.as_object().unwrap()],
            &[item.as_object().unwrap()],
        )?;
        Some((found.is_from, found.form, found.member, found.is_named))
    }

    #[test]
    fn a_bound_is_known_by_its_name_and_its_schema() {
        let time = json!({"type": "string", "format": "date-time"});
        let day = json!({"type": "string", "format": "date"});
        let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
        let item = json!({"id": 1_700_000_000, "createdAt": "2026-01-01T00:00:00Z", "updated_at": 1_767_225_600, "due": "2026-02-01"});
        for (name, schema, is_from, form, member, is_named) in [
            (
                "created_after",
                &time,
                true,
                Form::DateTime,
                "createdAt",
                true,
            ),
            (
                "createdAt[lte]",
                &time,
                false,
                Form::DateTime,
                "createdAt",
                true,
            ),
            (
                "creation_date_from",
                &day,
                true,
                Form::Date,
                "createdAt",
                true,
            ),
            ("since", &text, true, Form::DateTime, "createdAt", false),
            ("to", &time, false, Form::DateTime, "createdAt", false),
            ("end_date", &day, false, Form::Date, "createdAt", false),
            (
                "updatedSince",
                &number,
                true,
                Form::Seconds,
                "updated_at",
                true,
            ),
            ("dueBefore", &day, false, Form::Date, "due", true),
        ] {
            let expected = Some((is_from, form, member.to_owned(), is_named));
            assert_eq!(read(name, schema, &item), expected, "{name}");
        }
        for (name, schema) in [
            // The sender of a message, a price, a place in the list, a time that items do not show.
            ("from", &text),
            ("to", &number),
            ("min_price", &number),
            ("start", &number),
            ("expires_before", &time),
            ("createdAt", &time),
            ("from_to", &time),
        ] {
            assert_eq!(read(name, schema, &item), None, "{name}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_taken() {
        let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        for (form, written) in [
            (Form::DateTime, json!("2026-01-02T03:04:05Z")),
            (Form::Date, json!("2026-01-02")),
            (Form::Seconds, json!(1_767_323_045)),
            (Form::Milliseconds, json!(1_767_323_045_000_i64)),
        ] {
            assert_eq!(form.write(at), written);
            assert!(moment(&written).is_some(), "{written}");
        }
        for other in [json!(12), json!("12"), json!(true), json!("2026")] {
            assert_eq!(moment(&other), None, "{other}");
        }
    }
}

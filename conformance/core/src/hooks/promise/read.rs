//! Reads `x-webhook-delivery` strictly.

use serde_json::Value;

use super::{Gone, Order, Pending, Promise, Redirects, Retry, Schedule, Statuses};
use crate::hooks::handshake;
use crate::hooks::location::Location;
use crate::hooks::read::{Faults, Object};
use crate::hooks::scheme::version;

/// Reads the extension.
pub(in crate::hooks) fn read(value: &Value, at: &str, faults: &Faults) -> Option<Promise> {
    let object = Object::new(value, at, faults)?;
    version(&object);
    let mut promise = Promise::default();
    if let Some(success) = statuses(&object, "success") {
        promise.success = success;
    }
    if let Some(Value::Array(list)) = object.value("success")
        && list.is_empty()
    {
        object.fault("success", "must name at least one status");
    }
    let redirects = [("fail", Redirects::Fail), ("follow", Redirects::Follow)];
    promise.redirects = object
        .word("redirects", &redirects)
        .unwrap_or(promise.redirects);
    promise.deadline = object.amount("deadline");
    if promise.deadline == Some(0.0) {
        object.fault("deadline", "must be more than 0 seconds");
    }
    promise.id = object.object("id").and_then(|id| {
        let location = Location::read(&id, false);
        id.close();
        location
    });
    promise.retry = object.object("retry").and_then(read_retry);
    let orders = [("none", Order::None), ("per-webhook", Order::PerWebhook)];
    promise.order = object.word("order", &orders).unwrap_or(promise.order);
    promise.duplicates = object.flag("duplicates").unwrap_or(true);
    let gone = [
        ("retry", Gone::Retry),
        ("stop", Gone::Stop),
        ("disable", Gone::Disable),
    ];
    promise.gone = object.word("gone", &gone).unwrap_or(promise.gone);
    let pending = [
        ("cancel", Pending::Cancel),
        ("pause", Pending::Pause),
        ("continue", Pending::Continue),
    ];
    promise.after_disable = object
        .word("afterDisable", &pending)
        .unwrap_or(Pending::Cancel);
    promise.after_delete = object
        .word("afterDelete", &[pending[0], pending[2]])
        .unwrap_or(Pending::Cancel);
    promise.grace = object.amount("grace").unwrap_or(0.0);
    promise.overlap = object.amount("overlap");
    let handshakes = object.items("handshake").unwrap_or_default();
    promise.handshake = handshakes
        .into_iter()
        .filter_map(|(at, value)| handshake::read(value, &at, faults))
        .collect();
    object.close();
    Some(promise)
}

fn statuses(object: &Object<'_>, name: &'static str) -> Option<Vec<Statuses>> {
    let texts = object.texts(name)?;
    let read = texts.iter().enumerate().filter_map(|(index, text)| {
        let range = Statuses::parse(text);
        if range.is_none() {
            object.faults().add(
                &format!("{}/{index}", object.at(name)),
                format!(
                    "`{text}` is not a status; write one such as `204`, or a class such as `2XX`"
                ),
            );
        }
        range
    });
    Some(read.collect())
}

fn read_retry(object: Object<'_>) -> Option<Retry> {
    let numbers = |name: &'static str| -> Option<Vec<f64>> {
        let items = object.items(name)?;
        let numbers: Vec<f64> = items
            .iter()
            .filter_map(|(at, value)| {
                let number = value.as_f64().filter(|number| *number > 0.0);
                if number.is_none() {
                    object
                        .faults()
                        .add(at, "expected a number of seconds above 0");
                }
                number
            })
            .collect();
        if items.is_empty() {
            object.fault(
                name,
                "must not be empty; leave `retry` out where there is none",
            );
        }
        Some(numbers)
    };
    let offsets = numbers("offsets");
    if let Some(list) = &offsets
        && list.windows(2).any(|pair| pair[0] >= pair[1])
    {
        object.fault(
            "offsets",
            "must rise: they are counted from the first attempt",
        );
    }
    let exponential = object.object("exponential").and_then(|inner| {
        let first = inner.amount("first");
        let factor = inner.amount("factor").unwrap_or(2.0);
        let most = inner.amount("most");
        if first.is_none_or(|first| first == 0.0) {
            inner.fault_here("`first` must be a number of seconds above 0");
        }
        if factor < 1.0 {
            inner.fault("factor", "must be at least 1");
        }
        inner.close();
        Some(Schedule::Exponential {
            first: first?,
            factor,
            most,
        })
    });
    let every = object.amount("every");
    if every == Some(0.0) {
        object.fault("every", "must be more than 0 seconds");
    }
    let from_first = object.word("from", &[("first", true), ("previous", false)]);
    if from_first.is_some() && every.is_none() {
        object.fault("from", "has a meaning with `every` only");
    }
    let schedules = [
        offsets.map(Schedule::Offsets),
        numbers("intervals").map(Schedule::Intervals),
        every.map(|seconds| Schedule::Every {
            seconds,
            from_first: from_first == Some(true),
        }),
        exponential,
    ];
    let mut given = schedules.into_iter().flatten();
    let schedule = given.next();
    if given.next().is_some() {
        object.fault_here(
            "only one of `offsets`, `intervals`, `every` or `exponential` may be there",
        );
    }
    if schedule.is_none()
        && !["offsets", "intervals", "every", "exponential"]
            .iter()
            .any(|name| object.has(name))
    {
        object.fault_here("one of `offsets`, `intervals`, `every` or `exponential` must say when");
    }
    let share = |inner: &Object<'_>, name: &'static str| {
        let share = inner.amount(name).unwrap_or(0.0);
        if share > 1.0 {
            inner.fault(name, "must be a share from 0 to 1");
        }
        share
    };
    let (earlier, later) = object.object("jitter").map_or((0.0, 0.0), |inner| {
        let both = (share(&inner, "earlier"), share(&inner, "later"));
        inner.close();
        both
    });
    let words = [("fresh", true), ("same", false)];
    let retry = Retry {
        schedule: schedule.unwrap_or(Schedule::Every {
            seconds: f64::MAX,
            from_first: false,
        }),
        count: object.count("count"),
        until: object.amount("until"),
        earlier,
        later,
        fresh: object.word("signature", &words).unwrap_or(true),
        retry_after: object.flag("retryAfter").unwrap_or(false),
        never: statuses(&object, "never").unwrap_or_default(),
    };
    object.close();
    Some(retry)
}

//! Sentences about deliveries.

use serde_json::Value;

use super::value::shown;
use super::violation::violation;
use crate::finding::{DeliveryFault, Ended, Untested};
use crate::hooks::Pending;

pub(super) fn sentence(fault: &DeliveryFault) -> String {
    match fault {
        DeliveryFault::Method { documented, found } => {
            format!("documented as {documented}, but sent as {found}")
        }
        DeliveryFault::Undocumented { event: Some(event) } => {
            format!("a delivery of `{event}`, which is not a webhook of the document")
        }
        DeliveryFault::Undocumented { event: None } => {
            "a delivery that is none of the document's webhooks".to_owned()
        }
        DeliveryFault::ParameterMissing { place, name } => {
            format!("required {place} `{name}` is missing")
        }
        DeliveryFault::ParameterInvalid {
            place,
            name,
            found,
            violation: broken,
        } => {
            format!(
                "{place} `{name}` is {}: {}",
                shown(&Value::from(found.clone())),
                violation(broken)
            )
        }
        DeliveryFault::ContentType { found, documented } => {
            let documented = documented
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            match found {
                Some(found) => format!("content type `{found}`, documented is {documented}"),
                None => format!("no content type, documented is {documented}"),
            }
        }
        DeliveryFault::BodyMissing => "the body is missing".to_owned(),
        DeliveryFault::BodyUnreadable { cause } => format!("the body cannot be read: {cause}"),
        DeliveryFault::BodySchema {
            violation: broken,
            more,
        } => {
            let more = if *more > 0 {
                format!(" (and {more} more)")
            } else {
                String::new()
            };
            format!("the body violates its schema: {}{more}", violation(broken))
        }
        DeliveryFault::WriteOnly { member } => {
            format!("`{member}` is `writeOnly`, which the server must not send")
        }
        DeliveryFault::SampleMembers { missing } => {
            let names: Vec<String> = missing.iter().map(|at| format!("`{at}`")).collect();
            format!(
                "the body lacks members of the documented sample: {}",
                names.join(", ")
            )
        }
        DeliveryFault::Signature { refusal } => format!("the signature does not verify: {refusal}"),
        DeliveryFault::Weak { part: "secret" } => {
            "the signature verifies with another secret too: anybody can sign".to_owned()
        }
        DeliveryFault::Weak { part } => format!(
            "the signature does not cover the {part}: a receiver cannot notice that it was changed"
        ),
        DeliveryFault::Time { age, tolerance } if *age < 0.0 => {
            format!(
                "signed with a time {} ahead; {} are tolerated",
                seconds(-age),
                seconds(*tolerance)
            )
        }
        DeliveryFault::Time { age, tolerance } => {
            format!(
                "signed with a time {} ago; {} are tolerated",
                seconds(*age),
                seconds(*tolerance)
            )
        }
        DeliveryFault::Missing { event, waited } => {
            format!(
                "`{event}` was triggered, and no delivery arrived within {}",
                seconds(*waited)
            )
        }
        DeliveryFault::FanOut { event, got, of } => {
            format!("{got} of {of} webhooks that subscribed to `{event}` got it")
        }
        DeliveryFault::Unsubscribed { event, subscribed } => {
            let names: Vec<String> = subscribed.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "`{event}` was sent to a webhook that subscribed to {} only",
                names.join(", ")
            )
        }
        DeliveryFault::Unwanted { after, count } => {
            let after = match after {
                Ended::Disabled => "after the webhook was disabled",
                Ended::Deleted => "after the webhook was deleted",
                Ended::Gone => "after the receiver answered 410",
                Ended::Foreign => "to a webhook of another account",
            };
            format!(
                "{} arrived {after}",
                plural(*count, "delivery", "deliveries")
            )
        }
        DeliveryFault::Pending {
            after,
            promised,
            count,
        } => pending(*after, *promised, *count),
        DeliveryFault::Duplicate { count } => format!("accepted with 2XX, but sent {count} times"),
        DeliveryFault::IdMissing { place } => {
            format!("the id of the delivery is missing in {place}")
        }
        DeliveryFault::IdChanged { first, found } => {
            format!(
                "the id changed between attempts, from `{first}` to `{found}`; receivers cannot tell the repetition"
            )
        }
        DeliveryFault::IdShared { id } => {
            format!("two deliveries have the id `{id}`; receivers drop one of them")
        }
        DeliveryFault::BytesChanged { attempt, byte } => {
            format!(
                "the body of attempt {attempt} differs from that of the first one at byte {byte}"
            )
        }
        DeliveryFault::NotSignedAnew { attempt } => {
            format!(
                "attempt {attempt} has the timestamp of an earlier one; receivers refuse it as too old"
            )
        }
        DeliveryFault::SignedAnew { attempt } => {
            format!("attempt {attempt} has another signature than the first one")
        }
        DeliveryFault::Spacing {
            reply,
            attempt,
            earliest,
            latest,
            found,
        } => {
            let (side, promised) = if found < earliest {
                ("early", *earliest)
            } else {
                ("late", *latest)
            };
            format!(
                "after {reply}, attempt {attempt} came {side}: {} after the first one, promised are {}",
                seconds(*found),
                if side == "early" {
                    format!("at least {}", seconds(promised))
                } else {
                    format!("at most {}", seconds(promised))
                }
            )
        }
        DeliveryFault::TooFew {
            reply,
            promised,
            found,
        } => {
            format!(
                "after {reply}, {} came, promised are {promised}",
                plural(*found, "attempt", "attempts")
            )
        }
        DeliveryFault::TooMany {
            reply,
            promised,
            found,
        } => {
            format!(
                "after {reply}, {} came, and after {promised} there should be none",
                plural(*found, "attempt", "attempts")
            )
        }
        DeliveryFault::AnswerRead { bytes } => {
            format!(
                "read a response of {} MB to its end; stop after what is kept of it, as a receiver could send without end",
                bytes / 1024 / 1024
            )
        }
        DeliveryFault::SuccessRetried { reply, attempts } => {
            format!("answered {reply}, which counts as delivered, but sent {attempts} times")
        }
        DeliveryFault::FailureAccepted { reply, due } => {
            format!(
                "after {reply}, which is a failure, it was not retried within {}",
                seconds(*due)
            )
        }
        DeliveryFault::RedirectFollowed { status } => {
            format!(
                "the redirect ({status}) was followed; whoever controls a receiver can send the server anywhere"
            )
        }
        DeliveryFault::RetryAfterIgnored { asked, found } => {
            format!(
                "`Retry-After: {asked}` was ignored: the retry came after {}",
                seconds(*found)
            )
        }
        DeliveryFault::Deadline {
            reply,
            promised,
            found: Some(found),
        } => {
            format!(
                "given {reply}, the sender hung up after {}, promised are {}",
                seconds(*found),
                seconds(*promised)
            )
        }
        DeliveryFault::Deadline {
            reply,
            promised,
            found: None,
        } => {
            format!(
                "given {reply}, the sender still waits for the end, long after the promised {}",
                seconds(*promised)
            )
        }
        DeliveryFault::Delayed {
            seconds: Some(delay),
            of,
            ..
        } => {
            format!(
                "while one receiver did not answer, {of} deliveries to another one took {}",
                seconds(*delay)
            )
        }
        DeliveryFault::Delayed {
            seconds: None,
            got,
            of,
        } => {
            format!(
                "while one receiver did not answer, {got} of {of} deliveries to another one arrived"
            )
        }
        DeliveryFault::Order { triggered, found } => {
            format!(
                "triggered as {}, but delivered as {}",
                triggered.join(", "),
                found.join(", ")
            )
        }
        DeliveryFault::SecretShown {
            place,
            foreign: false,
        } => format!("the secret of the webhook stands in {place}"),
        DeliveryFault::SecretShown {
            place,
            foreign: true,
        } => format!("the secret of another webhook stands in {place}"),
        DeliveryFault::Rotation {
            new: false,
            old: true,
            ..
        } => "after the rotation, deliveries are signed with the old secret only".to_owned(),
        DeliveryFault::Rotation {
            overlap: true,
            new: true,
            old: false,
        } => {
            "during the overlap, deliveries are not signed with the old secret any more".to_owned()
        }
        DeliveryFault::Rotation {
            overlap: false,
            old: true,
            ..
        } => "after the overlap, deliveries are still signed with the old secret".to_owned(),
        DeliveryFault::Rotation { .. } => {
            "after the rotation, deliveries are signed with neither secret".to_owned()
        }
        DeliveryFault::NoHandshake => {
            "the server registered the webhook without the declared handshake".to_owned()
        }
        DeliveryFault::NotDelivered { id, event } => match event {
            Some(event) => format!("`{id}` ({event}) is listed, and was never delivered"),
            None => format!("`{id}` is listed, and was never delivered"),
        },
        DeliveryFault::NotObserved => "no delivery was observed".to_owned(),
        DeliveryFault::Untested { what } => untested(what),
    }
}

fn pending(after: Ended, promised: Pending, count: usize) -> String {
    let after = match after {
        Ended::Deleted => "deleted",
        Ended::Disabled | Ended::Gone | Ended::Foreign => "disabled",
    };
    let attempts = plural(count, "attempt", "attempts");
    match (promised, count) {
        (Pending::Cancel, _) => format!(
            "{attempts} of a pending delivery came after the webhook was {after}, which should cancel it"
        ),
        (Pending::Pause, 0) => {
            "a pending delivery was not attempted any more after the webhook was enabled again, \
             although it should only pause while the webhook is disabled"
                .to_owned()
        }
        (Pending::Pause, _) => format!(
            "{attempts} of a pending delivery came while the webhook was {after}, which should pause it"
        ),
        (Pending::Continue, _) => format!(
            "a pending delivery ended when the webhook was {after}, although it should continue"
        ),
    }
}

fn untested(what: &Untested) -> String {
    match what {
        Untested::Registration {
            status: Some(status),
            words,
        } => {
            format!("no webhook could be registered: the server answered {status}: {words}")
        }
        Untested::Registration {
            status: None,
            words,
        } => format!("no webhook could be registered: {words}"),
        Untested::Trigger { event, cause } => format!("`{event}` could not be triggered: {cause}"),
        Untested::Key { cause } => format!("signatures were not verified: {cause}"),
        Untested::Ending { after } => {
            let verb = match after {
                Ended::Deleted => "delete",
                Ended::Disabled | Ended::Gone | Ended::Foreign => "disable",
            };
            format!(
                "the server refused to {verb} a webhook, so that its pending deliveries were not judged"
            )
        }
        Untested::Retries { first, due } => {
            format!(
                "retries from number {first} on were not waited for: it is due after {}; use --clock-speed or --retry-wait",
                seconds(*due)
            )
        }
    }
}

/// A time in its usual unit.
fn seconds(seconds: f64) -> String {
    let text = if seconds >= 10.0 {
        format!("{seconds:.0}")
    } else {
        format!("{seconds:.1}")
    };
    format!("{} s", text.trim_end_matches(".0"))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {many}")
    }
}

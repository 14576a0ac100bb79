//! Sentences for the faults of handlers of webhooks. They speak to the person whose handler it is.

use super::replay::failure;
use crate::finding::{Flaw, HandlerGap, ReceiverFault, Repeat};

pub(super) fn sentence(fault: &ReceiverFault) -> String {
    match fault {
        ReceiverFault::NotAccepted {
            delivery,
            status,
            success,
        } => {
            let hint = match status {
                401 | 403 => "; is --secret the one that your handler has?",
                404 | 405 => "; is --target the URL of your handler?",
                300..=399 => "; providers do not follow redirects",
                _ => "",
            };
            let verb = if *status < 500 { "refuses" } else { "fails on" };
            format!(
                "your handler {verb} a right delivery: {delivery} got {status}, not {}{hint}",
                success.join(" or ")
            )
        }
        ReceiverFault::NoAnswer {
            delivery,
            failure: why,
        } => {
            format!(
                "your handler does not answer a right delivery: {delivery}: {}",
                failure(why)
            )
        }
        ReceiverFault::Late {
            delivery,
            seconds,
            deadline,
        } => format!(
            "your handler answers too late: {delivery} took {seconds:.1} s, the provider waits {deadline} s and then sends it again; acknowledge first, work later"
        ),
        ReceiverFault::Unverified {
            deliveries,
            status,
            effect,
        } => {
            let verifies = match effect {
                Some(false) => "though they had no effect",
                Some(true) | None => "it verifies no signature",
            };
            format!(
                "your handler accepts forged deliveries: {verifies}; all {deliveries} forged ones were accepted, the first with {status}"
            )
        }
        ReceiverFault::Forged {
            flaw,
            status,
            effect,
        } => {
            let effect = match effect {
                Some(true) => ", and it had its effect",
                Some(false) => ", though it had no effect",
                None => "",
            };
            format!("{}: {} got {status}{effect}", verdict(flaw), words(flaw))
        }
        ReceiverFault::ActedOn { flaw, status } => format!(
            "your handler acts on forged deliveries before it verifies them: {} got {status}, but had its effect",
            words(flaw)
        ),
        ReceiverFault::UnclearRefusal { flaw, status } => format!(
            "your handler does not refuse a forged delivery with 4xx: {} got {}",
            words(flaw),
            status_words(*status)
        ),
        ReceiverFault::Broke { delivery, status } => {
            format!(
                "your handler breaks: {delivery} got {}",
                status_words(*status)
            )
        }
        ReceiverFault::Down { seconds } => format!(
            "your handler ended after this delivery, and was not there again for {seconds} s; nothing more was sent"
        ),
        ReceiverFault::UnknownEvent { event, status } => format!(
            "your handler refuses event types that it does not know: `{event}` got {status}; acknowledge and ignore them, or the provider repeats them and may disable the webhook"
        ),
        ReceiverFault::RepeatRefused { repeat, status } => format!(
            "your handler refuses repetitions: {} got {}; acknowledge what was done before, or the provider goes on to repeat it",
            repeat_words(*repeat),
            status_words(*status)
        ),
        ReceiverFault::Twice {
            repeat: Repeat::AtOnce,
            copies,
        } => format!(
            "your handler is not safe against the same delivery at once: {copies} copies at the same time had their effect more than once; claim the id in one step before you act, such as an insert under a unique key"
        ),
        ReceiverFault::Twice {
            repeat: Repeat::OtherBody,
            ..
        } => "your handler acts on an id that it has had before: the same id with another body had an effect".to_owned(),
        ReceiverFault::Twice { repeat, .. } => format!(
            "your handler does the same work twice: {} had its effect again; remember the ids of what is done",
            repeat_words(*repeat)
        ),
        ReceiverFault::LostAtOnce { copies } => format!(
            "your handler loses a delivery that comes several times at once: {copies} copies at the same time had no effect"
        ),
        ReceiverFault::Overtaken {
            seconds,
            status,
            lost: false,
        } => format!(
            "your handler refuses deliveries that are overtaken: one that was signed {seconds} s before the last one got {status}; no order is promised"
        ),
        ReceiverFault::Overtaken { seconds, .. } => format!(
            "your handler loses deliveries that are overtaken: one that was signed {seconds} s before the last one was accepted, and had no effect; no order is promised"
        ),
        ReceiverFault::Handshake { expected, found } => format!(
            "your handler does not answer the handshake: expected {expected}, got {found}; without it the provider sends nothing"
        ),
        ReceiverFault::NotDecided { gap } => not_decided(gap),
    }
}

/// The verdict in one clause.
fn verdict(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::NoSignature
        | Flaw::EmptySignature
        | Flaw::SignatureStart
        | Flaw::SignatureEnd
        | Flaw::SignatureCut
        | Flaw::OtherSecret
        | Flaw::EmptySecret
        | Flaw::OtherAlgorithm { .. } => "your handler accepts forged deliveries",
        Flaw::NoTime
        | Flaw::OtherTime
        | Flaw::OtherId
        | Flaw::OtherBody
        | Flaw::Rewritten
        | Flaw::Extended
        | Flaw::NoBody => "your handler accepts changed deliveries",
        Flaw::Old { .. } => "your handler accepts recorded deliveries",
        Flaw::Early { .. } => "your handler accepts deliveries of the future",
    }
}

/// Describes the delivery that was sent.
fn words(flaw: &Flaw) -> String {
    match flaw {
        Flaw::NoSignature => "one without a signature".to_owned(),
        Flaw::EmptySignature => "one with an empty signature".to_owned(),
        Flaw::SignatureStart => "one whose signature begins differently".to_owned(),
        Flaw::SignatureEnd => "one whose signature ends differently".to_owned(),
        Flaw::SignatureCut => "one whose signature is cut short".to_owned(),
        Flaw::OtherSecret => "one that is signed with another secret".to_owned(),
        Flaw::EmptySecret => "one that is signed with an empty secret".to_owned(),
        Flaw::OtherAlgorithm { name } => format!("one that is signed with {name}"),
        Flaw::NoTime => "one without its time".to_owned(),
        Flaw::OtherTime => "one whose time is not the one that was signed".to_owned(),
        Flaw::OtherId => "one whose id is not the one that was signed".to_owned(),
        Flaw::OtherBody => "one whose body was changed after it was signed".to_owned(),
        Flaw::Rewritten => {
            "one whose body was written in another way after it was signed (so the handler verifies something else than the bytes that came)"
                .to_owned()
        }
        Flaw::Extended => "one with bytes added after its body was signed".to_owned(),
        Flaw::NoBody => "one whose body was removed after it was signed".to_owned(),
        Flaw::Old { seconds } => format!("one that was signed {seconds} s ago"),
        Flaw::Early { seconds } => format!("one that is signed {seconds} s ahead"),
    }
}

fn repeat_words(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::AtOnce => "a delivery that came several times at once",
        Repeat::Later => "the same delivery again",
        Repeat::SignedAnew => "the same delivery, signed anew as providers retry,",
        Repeat::OtherBody => "the same id with another body",
    }
}

fn status_words(status: Option<u16>) -> String {
    status.map_or_else(|| "no response".to_owned(), |status| status.to_string())
}

fn not_decided(gap: &HandlerGap) -> String {
    match gap {
        HandlerGap::NoEffect => "not decided: whether repeated deliveries have an effect twice; name with --effect a URL or command that shows what your handler did, such as a number of orders".to_owned(),
        HandlerGap::Restless => "not decided: whether repeated deliveries have an effect twice; --effect shows something else each time, without a delivery: let it show only what deliveries change".to_owned(),
        HandlerGap::Unmoved => "not decided: whether repeated deliveries have an effect twice; a new delivery changed nothing of what --effect shows".to_owned(),
        HandlerGap::Uneven => "not decided: whether copies at once have an effect twice; two deliveries changed what --effect shows by different amounts: let it show a number, such as that of the events that were handled".to_owned(),
        HandlerGap::Unobservable { cause } => format!("not decided: whether repeated deliveries have an effect twice; --effect failed: {cause}"),
        HandlerGap::NoSigning => "not decided: whether your handler refuses forged deliveries; the document does not say how they are signed: describe it in `x-webhook-signature`".to_owned(),
        HandlerGap::NoSecret => "not decided: whether your handler refuses forged deliveries; they are signed only where there is a secret: give it with --secret".to_owned(),
        HandlerGap::NoTolerance => "not decided: whether your handler refuses recorded deliveries; say in `x-webhook-signature` how old they may be: `timestamp: { tolerance: 300 }`".to_owned(),
        HandlerGap::NoId => "not decided: whether the same id with another body has an effect; say in `x-webhook-delivery` where the id of a delivery is: `id: { header: .. }`".to_owned(),
        HandlerGap::NoPayload => "not decided: no delivery could be made; the document has no sample of it, and no valid value was found".to_owned(),
        HandlerGap::NotSigned { cause } => format!("not decided: the delivery cannot be signed: {cause}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginner_is_told_what_is_wrong_and_what_to_do() {
        for (fault, expected) in [
            (
                ReceiverFault::Unverified {
                    deliveries: 18,
                    status: 200,
                    effect: None,
                },
                "your handler accepts forged deliveries: it verifies no signature; all 18 forged ones were accepted, the first with 200",
            ),
            (
                ReceiverFault::Forged {
                    flaw: Flaw::Old { seconds: 360 },
                    status: 200,
                    effect: Some(true),
                },
                "your handler accepts recorded deliveries: one that was signed 360 s ago got 200, and it had its effect",
            ),
            (
                ReceiverFault::Twice {
                    repeat: Repeat::AtOnce,
                    copies: 6,
                },
                "your handler is not safe against the same delivery at once: 6 copies at the same time had their effect more than once; claim the id in one step before you act, such as an insert under a unique key",
            ),
            (
                ReceiverFault::NotAccepted {
                    delivery: "the sample `a`".to_owned(),
                    status: 401,
                    success: vec!["2XX".to_owned()],
                },
                "your handler refuses a right delivery: the sample `a` got 401, not 2XX; is --secret the one that your handler has?",
            ),
        ] {
            assert_eq!(sentence(&fault), expected);
        }
    }
}

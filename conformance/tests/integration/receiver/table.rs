//! The faults of a handler, and what finds them.

use conformance::finding::Severity;

use crate::fault_table::{faults, rows};

/// The page that lists the faults, by the severities of their findings.
pub(super) fn page(severities: &[Severity]) -> String {
    let mut page = format!(
        "# Faults of a handler of webhooks, and what finds them\n\n\
         Written and checked by a test: a handler in `tests/integration/receiver` has each of these {} faults in turn, and a run of\n\
         `conformance receiver` with `--effect` and its defaults finds it by the rule that is named, and by no other that has no reason to.\n\
         On the right handler nothing is found, with 200 seeds. [RULES.md](RULES.md) explains the rules, [RECEIVER.md](RECEIVER.md) what is\n\
         sent.\n",
        FAULTS.len()
    );
    page += &rows(FAULTS, severities, "the handler");
    page
}

faults! {
    "Forged deliveries" {
        "verifies-nothing" "verifies no signature" "forged-refused" "it verifies no signature";
        "signature-optional" "accepts deliveries without a signature" "forged-refused" "one without a signature got 204, and it had its effect";
        "empty-signature" "takes an empty signature for none, and accepts it" "forged-refused" "one with an empty signature";
        "as-much-as-given" "compares as many characters as there are" "forged-refused" "one whose signature is cut short";
        "start-only" "compares only the beginning of the signature" "forged-refused" "one whose signature ends differently";
        "end-only" "compares only the end of the signature" "forged-refused" "one whose signature begins differently";
        "default-secret" "accepts an empty secret too, as where a setting is missing" "forged-refused" "signed with an empty secret";
        "sha1" "accepts a weaker algorithm too" "forged-refused" "signed with HMAC-SHA1";
        "sha512" "accepts another algorithm too" "forged-refused" "signed with HMAC-SHA512";
        "acts-first" "acts before it verifies" "refused-without-effect" "acts on forged deliveries before it verifies them";
        "says-yes-to-forged" "answers 204 to forged deliveries, and ignores them" "forged-refused" "though they had no effect";
        "fails-forged" "fails with 500 on forged deliveries" "refusal-clear" "got 500";
        "redirects-forged" "sends forged deliveries to a login page" "refusal-clear" "got 302";
        "hangs-up-on-forged" "closes the connection on forged deliveries" "refusal-clear" "got no response";
    }
    "Changed and recorded deliveries" {
        "old" "accepts deliveries that are older than is tolerated" "stale-refused" "one that was signed 360 s ago";
        "early" "accepts deliveries of a time to come" "stale-refused" "one that is signed 360 s ahead";
        "any-time" "does not look at the time" "stale-refused" "one that was signed 360 s ago";
        "time-optional" "accepts deliveries without their time" "tampered-refused" "one without its time";
        "rewrites" "verifies JSON that it read and wrote again" "bytes-verified" "written with spaces" ["tampered-refused"];
        "trims" "verifies the body without white space at its end" "tampered-refused" "one with bytes added";
        "ping" "accepts an empty body without verifying it" "tampered-refused" "one whose body was removed";
    }
    "Right deliveries" {
        "refuses-all" "refuses everything" "delivery-accepted" "got 401, not 2XX";
        "hangs-up" "closes the connection without an answer" "delivery-accepted" "does not answer a right delivery";
        "redirects" "redirects deliveries" "delivery-accepted" "got 307, not 2XX; providers do not follow redirects";
        "lacks-an-event" "does not know an event type of the document" "delivery-accepted" "got 404";
        "slow" "answers after the provider's deadline" "delivery-in-time" "the provider waits 1 s";
        "narrow" "tolerates less than is documented" "tolerance-kept" "signed 150 s ago with 300 s tolerated, got 401";
        "first-signature" "looks at the first of several signatures only" "rotation-accepted" "the right one last";
        "last-signature" "looks at the last of several signatures only" "rotation-accepted" "the right one first";
        "refuses-new-members" "refuses members that it does not know" "members-tolerated" "with a member that is new";
        "needs-optional" "needs an optional member" "members-tolerated" "without its optional members";
        "fails-without-optional" "fails with 500 without an optional member" "handler-survives" "without its optional members";
        "small-amounts" "refuses numbers beyond 32 bits" "payload-accepted" "got 400";
        "fails-on-amounts" "fails with 500 on numbers beyond 32 bits" "handler-survives" "got 500";
        "short-notes" "refuses texts of more than 255 bytes" "payload-accepted" "got 400";
        "one-currency" "refuses a value of an enum" "payload-accepted" "got 400";
        "handshake" "does not answer the handshake" "handshake-answered" "expected 200 with `conformance-";
    }
    "Unusual and broken deliveries" {
        "fails-json" "fails with 500 on JSON that cannot be read" "handler-survives" "a body that breaks off got 500";
        "fails-empty" "fails with 500 on an empty body" "handler-survives" "an empty body got 500";
        "fails-on-lists" "fails with 500 on JSON that is not an object" "handler-survives" "the JSON value null got 500";
        "fails-on-null" "fails with 500 on members that are null" "handler-survives" "a body whose members are null got 500";
        "fails-on-bytes" "fails with 500 on a body that is not UTF-8" "handler-survives" "a body that is not UTF-8 got 500";
        "hangs-up-on-deep" "breaks down on JSON that is nested deeply" "handler-survives" "10,000 deep got no response";
        "fails-on-text" "fails with 500 on another content type" "handler-survives" "a delivery as text/plain got 500";
        "fails-without-type" "fails with 500 without a content type" "handler-survives" "without a content type got 500";
        "fails-on-unknown-types" "fails with 500 on event types that it does not know" "handler-survives" "an event of an unknown type got 500";
        "refuses-unknown-types" "refuses event types that it does not know" "unknown-event-acknowledged" "`conformance.unknown` got 400";
    }
    "Repetitions" {
        "twice" "acts each time that a delivery comes" "effective-once" "the same delivery again had its effect again";
        "race" "looks whether it knows a delivery before it notes it" "effective-once" "not safe against the same delivery at once";
        "remembers-one" "remembers only the last delivery" "effective-once" "the same delivery again had its effect again";
        "by-signature" "tells deliveries apart by their signature" "effective-once" "signed anew as providers retry, had its effect again";
        "by-id-and-body" "acts on a known id with another body" "id-effective-once" "the same id with another body had an effect";
        "by-body" "tells deliveries apart by their body only" "effect-undecided" "a new delivery changed nothing";
        "refuses-repeats" "refuses what it did before with 409" "repeat-accepted" "got 409";
        "fails-on-repeats" "fails with 500 on what it did before" "repeat-accepted" "got 500" ["handler-survives"];
        "refuses-late" "refuses a delivery that comes after a newer one" "order-tolerated" "signed 10 s before the last one got 409" ["payload-accepted", "repeat-accepted"];
        "loses-late" "ignores a delivery that comes after a newer one" "order-tolerated" "had no effect";
        "restless" "shows something else each time, so that no effect can be told" "effect-undecided" "shows something else each time";
    }
}

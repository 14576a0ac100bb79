//! The faults of the sender, each with the rule that finds it.

use conformance::finding::Severity;

/// A fault of the sender.
pub(crate) struct Fault {
    /// As the sender knows it.
    pub(crate) id: &'static str,
    /// What the sender does, in words.
    pub(crate) does: &'static str,
    /// The rule that finds it.
    pub(crate) rule: &'static str,
    /// Part of what is said.
    pub(crate) part: &'static str,
}

macro_rules! faults {
    ($($id:literal $does:literal $rule:literal $part:literal;)*) => {
        /// All faults.
        pub(crate) const FAULTS: &[Fault] = &[$(Fault { id: $id, does: $does, rule: $rule, part: $part }),*];
    };
}

faults! {
    "put" "sends with another method" "delivery-method" "documented as POST, but sent as PUT";
    "undocumented" "sends an event type that the document does not have" "delivery-documented" "order.odd";
    "no-header" "leaves out a required header" "delivery-parameter" "`X-Event` is missing";
    "wrong-header" "sends a header with another value" "delivery-parameter" "`X-Event` is \"order.wrong\"";
    "bad-header" "sends a header of another type" "delivery-parameter" "`X-Attempt` is \"one\"";
    "text-plain" "sends another content type" "delivery-content-type" "text/plain";
    "no-content-type" "sends no content type" "delivery-content-type" "no content type";
    "wrong-type" "sends a string for a number" "delivery-body" "/data/total";
    "missing-member" "leaves out a required member" "delivery-body" "total";
    "unknown-member" "sends a member that the schema excludes" "delivery-body" "internal";
    "out-of-range" "sends a number below its minimum" "delivery-body" "/data/total";
    "too-long" "sends a text that is too long" "delivery-body" "/data/note";
    "not-json" "sends a body that is not JSON" "delivery-body" "cannot be read";
    "empty-body" "sends no body" "delivery-body" "missing";
    "sample-member" "leaves out a member that the sample has" "delivery-sample" "/data/note";
    "unsigned" "does not sign" "delivery-signature" "is missing";
    "wrong-secret" "signs with another secret" "delivery-signature" "does not belong";
    "secret-of-another" "signs with the secret of another webhook" "delivery-signature" "does not belong";
    "body-only" "leaves the timestamp out of the signed text" "delivery-signature" "does not belong";
    "other-separator" "signs with another separator" "delivery-signature" "does not belong";
    "other-body" "signs a body with a line break after it" "delivery-signature" "does not belong";
    "body-after-signing" "changes the spaces of the body after it signed" "delivery-signature" "does not belong";
    "time-changed" "sends another timestamp than it signed" "delivery-signature" "does not belong";
    "sha1" "signs with SHA-1" "delivery-signature" "does not belong";
    "upper-case" "writes the signature in upper case" "delivery-signature" "lower-case";
    "base64" "writes the signature in Base64" "delivery-signature" "lower-case";
    "other-field" "writes the signature into another field" "delivery-signature" "is missing";
    "no-time" "leaves out the timestamp" "delivery-signature" "field `t` is missing";
    "milliseconds" "writes the timestamp in milliseconds" "delivery-signature" "Unix time in seconds";
    "stale-time" "signs with a time of an hour ago" "delivery-time" "ago";
    "future-time" "signs with a time in an hour (seen without --clock-speed)" "delivery-time" "ahead";
    "never-sent" "never sends one event type" "delivery-arrives" "order.lost";
    "one-skipped" "leaves out one of several webhooks" "delivery-fan-out" "webhooks";
    "unsubscribed" "sends every event to every webhook" "delivery-subscribed" "subscribed to `order.paid` only";
    "sends-after-disable" "sends to a webhook that is disabled" "delivery-ended" "disabled";
    "sends-after-delete" "sends to a webhook that was deleted" "delivery-ended" "deleted";
    "foreign" "sends events to webhooks of other accounts" "delivery-own-account" "another account";
    "sent-twice" "sends each delivery twice" "delivery-once" "2 times";
    "no-id" "sends no id" "delivery-id" "missing";
    "id-changes" "gives each attempt an id of its own" "delivery-id" "changed between attempts";
    "id-shared" "gives all deliveries the same id" "delivery-id" "two deliveries";
    "body-changes" "changes the body on retries" "delivery-bytes" "attempt 2";
    "old-time-on-retries" "signs retries with the time of the first attempt" "delivery-signed-anew" "attempt 2";
    "retry-early" "retries too early" "retry-time" "early";
    "retry-late" "retries too late" "retry-time" "late";
    "too-few-retries" "gives up too early" "retry-count" "2 attempts came";
    "too-many-retries" "retries too often" "retry-count" "4 attempts came";
    "no-retries" "never retries" "delivery-failure" "not retried";
    "404-succeeds" "takes 404 for a success" "delivery-failure" "404";
    "500-succeeds" "takes 500 for a success" "delivery-failure" "500";
    "503-succeeds" "takes 503 for a success" "delivery-failure" "503";
    "redirect-succeeds" "takes a redirect for a success" "delivery-failure" "302";
    "reset-succeeds" "does not retry when the connection ends" "delivery-failure" "connection";
    "201-fails" "retries after 201" "delivery-success" "201";
    "202-fails" "retries after 202" "delivery-success" "202";
    "204-fails" "retries after 204" "delivery-success" "204";
    "redirect-followed" "follows redirects" "delivery-redirect" "followed";
    "retry-after-ignored" "ignores `Retry-After`" "retry-after" "ignored";
    "410-retried" "retries after 410" "retry-count" "410";
    "gone-ignored" "sends further events after 410" "delivery-ended" "410";
    "deadline-short" "waits for an answer for 0.2 s instead of 2 s" "delivery-deadline" "hung up after 0.2 s";
    "deadline-never" "waits for an answer for ever" "delivery-deadline" "still waits";
    "one-at-a-time" "sends one delivery at a time over all webhooks" "delivery-isolated" "did not answer";
    "order-reversed" "sends events in another order" "delivery-order" "delivered as";
    "secret-in-header" "sends the secret in a header" "delivery-secret" "the secret of the webhook";
    "secret-of-another-in-header" "sends the secret of another webhook" "delivery-secret" "another webhook";
    "rotation-ignored" "signs with the old secret after a rotation" "delivery-rotation" "old secret only";
    "no-overlap" "drops the old secret at once" "delivery-rotation" "not signed with the old secret any more";
    "old-secret-stays" "never drops the old secret" "delivery-rotation" "still signed with the old secret";
    "no-handshake" "registers without the declared handshake" "delivery-handshake" "without the declared handshake";
    "listed-only" "lists an event that it never delivered (seen with --reconcile)" "delivery-listed" "evt_lost";
}

/// The page with the table.
pub(crate) fn rows(severities: &[Severity]) -> String {
    let mut rows = String::from("| the sender ... | rule | severity |\n|---|---|---|\n");
    for (fault, severity) in FAULTS.iter().zip(severities) {
        rows += &format!(
            "| {} | `{}` | {} |\n",
            fault.does,
            fault.rule,
            severity.word()
        );
    }
    rows
}

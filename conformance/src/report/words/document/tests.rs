//! The sentences about what differs outside of schemas.

use serde_json::json;

use super::*;
use crate::finding::{Effect, Finding, Impact, Severity, Side};

/// The sentences for a change between two versions and between documents that must agree.
fn said(change: DocumentChange, effect: Option<(Sender, Impact)>) -> [String; 2] {
    let finding = Finding {
        effect: effect.map(|(sender, impact)| Effect { sender, impact }),
        ..Finding::new("rule", Severity::Breaking, "subject", change)
    };
    [Comparison::Versions, Comparison::Lockstep].map(|one| super::super::of(&finding, one))
}

fn query(name: &str) -> Part {
    Part::Parameter {
        place: "query".to_owned(),
        name: name.to_owned(),
    }
}

fn key(name: &str) -> Vec<Credential> {
    vec![Credential {
        scheme: name.to_owned(),
        scopes: Vec::new(),
    }]
}

#[test]
fn a_sentence_says_what_changed_and_who_is_affected() {
    const CLIENT: Option<(Sender, Impact)> = Some((Sender::Client, Impact::Rejected));
    const SERVER: Option<(Sender, Impact)> = Some((Sender::Server, Impact::Rejected));
    const LOST: Option<(Sender, Impact)> = Some((Sender::Server, Impact::Withdrawn));
    for (change, effect, versions, lockstep) in [
        (
            DocumentChange::Added {
                part: query("q"),
                required: true,
            },
            CLIENT,
            "new requires the query parameter `q`: clients that omit it are now refused",
            "the query parameter `q` is emitted as required but not documented: clients that omit it are refused",
        ),
        (
            DocumentChange::Added {
                part: Part::Tag {
                    name: "X".to_owned(),
                },
                required: false,
            },
            None,
            "the tag `X` is new",
            "the tag `X` is emitted but not documented",
        ),
        (
            DocumentChange::Removed {
                part: Part::Header {
                    name: "X-Rate".to_owned(),
                },
            },
            LOST,
            "new no longer sends the header `X-Rate`: clients that read it get nothing",
            "the header `X-Rate` is documented but not emitted: clients that read it get nothing",
        ),
        (
            DocumentChange::BodyAdded {
                status: Some("409".to_owned()),
                types: vec!["application/json".to_owned()],
            },
            SERVER,
            "answer 409 now has a body (application/json); before it had none: clients do not expect one",
            "the body of answer 409 is emitted (application/json) but not documented: clients do not expect one",
        ),
        (
            DocumentChange::CredentialsChanged {
                old: vec![Vec::new()],
                new: vec![key("key")],
            },
            CLIENT,
            "was open, now needs `key`: clients without credentials are now refused",
            "documented as open, emitted as needing `key`: clients without credentials are refused",
        ),
        (
            DocumentChange::CredentialsChanged {
                old: vec![key("key"), Vec::new()],
                new: vec![key("key"), [key("key"), key("secret")].concat()],
            },
            None,
            "needed `key` or nothing, now needs `key`, or `key` and `secret`: the credentials of old still suffice",
            "documented as needing `key` or nothing, emitted as needing `key`, or `key` and `secret`",
        ),
        (
            DocumentChange::Member {
                key: "version".to_owned(),
                old: Some(json!("18.0.0").into()),
                new: Some(json!("19.0.0").into()),
            },
            None,
            "`version` changed from `18.0.0` to `19.0.0`",
            "`version` is documented as `18.0.0` but emitted as `19.0.0`",
        ),
        (
            DocumentChange::Member {
                key: "x-a".to_owned(),
                old: Some(json!({"b": [1, 2], "c": 1}).into()),
                new: Some(json!({"b": [1, 3], "c": 1}).into()),
            },
            None,
            "`x-a` at `/b/1` changed from 2 to 3",
            "`x-a` at `/b/1` is documented as 2 but emitted as 3",
        ),
        (
            DocumentChange::ExampleChanged {
                name: Some("one".to_owned()),
                key: "value".to_owned(),
                at: "/a/0".to_owned(),
                old: Some(json!(1).into()),
                new: None,
            },
            None,
            "`value` of the sample `one` differs at `/a/0`: 1 in old, missing in new",
            "`value` of the sample `one` differs at `/a/0`: 1 in documented, missing in emitted",
        ),
        (
            DocumentChange::ExampleChanged {
                name: None,
                key: "example".to_owned(),
                at: String::new(),
                old: None,
                new: Some(json!("ak_test").into()),
            },
            None,
            "the sample is new: `ak_test`",
            "the sample differs: missing in documented, `ak_test` in emitted",
        ),
        (
            DocumentChange::ParameterRepeated {
                side: Side::New,
                part: query("q"),
                count: 2,
                alike: false,
                both: false,
            },
            None,
            "new gives the query parameter `q` 2 times and each time in another way; which of them holds is not known",
            "emitted gives the query parameter `q` 2 times and each time in another way; which of them holds is not known",
        ),
    ] {
        assert_eq!(said(change, effect), [versions, lockstep]);
    }
}

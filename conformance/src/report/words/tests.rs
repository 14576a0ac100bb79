//! Every sentence that can be made: that it is complete, and how it reads.

mod every;

use serde_json::json;

use super::*;
use crate::finding::{
    Acceptance, BaselineFault, DocumentChange, Impact, Keyword, ReplayFault, SchemaChange, Shape,
};

use every::{changes, reasons, text};

const IMPACTS: [Impact; 5] = [
    Impact::Rejected,
    Impact::Withdrawn,
    Impact::Compatible,
    Impact::Undocumented,
    Impact::Emptied,
];

fn context(comparison: Comparison, effect: Option<Effect>, webhook: bool) -> Context<'static> {
    Context {
        comparison,
        old: side(Side::Old, comparison),
        new: side(Side::New, comparison),
        rule: "schema-changed",
        effect,
        turned: Turned::No,
        undecided: None,
        webhook,
        pointer: "",
        places: [None, None],
        part: None,
    }
}

fn effects() -> Vec<Option<Effect>> {
    let both =
        |impact| [Sender::Client, Sender::Server].map(|sender| Some(Effect { sender, impact }));
    let mut all = vec![None];
    all.extend(IMPACTS.into_iter().flat_map(both));
    all
}

/// Fails unless the sentence can be read alone.
fn check(sentence: &str) {
    // Several changes in one sentence are told one by one.
    let (sentence, told) = match sentence.split_once("; they matter only together") {
        Some((leads, rest)) => (rest.strip_prefix(": ").unwrap_or(leads), leads),
        None => (sentence, "complete"),
    };
    assert!(!told.is_empty());
    assert!((8..=165).contains(&sentence.chars().count()), "{sentence}");
    assert!(
        !sentence.contains("  ") && sentence.trim() == sentence,
        "{sentence}"
    );
    let first = sentence.chars().next().unwrap();
    assert!(first.is_lowercase() || first == '`', "{sentence}");
    assert!(!sentence.ends_with(['.', ',', ':', ';']), "{sentence}");
    assert_eq!(sentence.matches('`').count() % 2, 0, "{sentence}");
    let words = sentence.split(|one: char| !one.is_alphanumeric());
    for word in words {
        assert!(
            !["theirs", "ours", "None", "Some"].contains(&word),
            "{sentence}"
        );
    }
}

#[test]
fn every_sentence_about_schemas_is_complete() {
    for change in changes() {
        let message = Message::Schema(change);
        for comparison in [Comparison::Versions, Comparison::Lockstep] {
            for webhook in [false, true] {
                for effect in effects() {
                    let context = context(comparison, effect, webhook);
                    let said = sentence(&message, &context);
                    check(&said);
                    let has = |names: &[&str]| {
                        let word =
                            |name: &&str| said.split(&[' ', ':', ','][..]).any(|one| one == *name);
                        names.iter().any(word)
                    };
                    match comparison {
                        Comparison::Lockstep => assert!(!has(&["old", "now"]), "{said}"),
                        _ => assert!(!has(&["documented", "emitted", "document"]), "{said}"),
                    }
                    let advice = advice(&message, &context);
                    assert_eq!(advice.is_some(), comparison == Comparison::Lockstep);
                    advice.iter().for_each(|advice| check(advice));
                }
                for reason in &reasons() {
                    let mut context = context(comparison, None, webhook);
                    context.undecided = Some(reason);
                    let said = sentence(&message, &context);
                    let lead = sentence(
                        &message,
                        &Context {
                            undecided: None,
                            ..context
                        },
                    );
                    let rest = said.strip_prefix(&lead).unwrap();
                    check(&lead);
                    let begins = ["; could not tell whether this breaks ", "; undecided: "];
                    assert!(begins.iter().any(|begin| rest.starts_with(begin)), "{said}");
                    assert_eq!(advice(&message, &context), None);
                }
            }
        }
    }
}

#[test]
fn sentences_about_schemas_read_like_this() {
    let mut lines = Vec::new();
    let effect = |sender, impact| Some(Effect { sender, impact });
    let shown = [
        effect(Sender::Client, Impact::Rejected),
        effect(Sender::Client, Impact::Compatible),
        effect(Sender::Server, Impact::Rejected),
        effect(Sender::Server, Impact::Withdrawn),
        effect(Sender::Server, Impact::Compatible),
        None,
    ];
    for change in changes() {
        let takes = |effect: Option<Effect>| {
            let withdrawn = effect.is_some_and(|effect| effect.impact == Impact::Withdrawn);
            !withdrawn || matches!(change, SchemaChange::PropertyRemoved { .. })
        };
        let message = Message::Schema(change.clone());
        for effect in shown.into_iter().filter(|effect| takes(*effect)) {
            let of = |comparison| sentence(&message, &context(comparison, effect, false));
            lines.push(of(Comparison::Versions));
            lines.push(format!("  lockstep: {}", of(Comparison::Lockstep)));
        }
        lines.push(String::new());
    }
    let undecided = SchemaChange::KeywordChanged {
        keyword: text("pattern"),
        old: Some(json!("^a").into()),
        new: Some(json!("^b").into()),
    };
    for reason in &reasons() {
        let mut context = context(Comparison::Versions, None, false);
        context.undecided = Some(reason);
        lines.push(sentence(&undecided.clone().into(), &context));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_differs_in_a_property_is_told_with_its_name() {
    let effect = Some(Effect {
        sender: Sender::Server,
        impact: Impact::Rejected,
    });
    let said = |pointer, change: SchemaChange| {
        let context = Context {
            pointer,
            ..context(Comparison::Versions, effect, false)
        };
        sentence(&change.into(), &context)
    };
    let values = SchemaChange::ValuesAdded {
        keyword: text("enum"),
        values: vec![json!("error").into()],
    };
    let longer = SchemaChange::KeywordChanged {
        keyword: text("maxLength"),
        old: Some(json!(50).into()),
        new: Some(json!(100).into()),
    };
    let status = "/components/schemas/Order/properties/status/allOf/0/enum";
    for (pointer, change, expected) in [
        (
            status,
            values.clone(),
            "new may answer `error` for `status`, which clients of old do not know",
        ),
        (
            "/components/schemas/Status/enum",
            values,
            "new may answer `error` for `Status`, which clients of old do not know",
        ),
        (
            "/components/schemas/Order/properties/a~1b/items/maxLength",
            longer,
            "`maxLength` of items of `a/b` was 50, is now 100: new may answer longer values, which clients of old do not expect",
        ),
        (
            status,
            SchemaChange::TypeChanged {
                old: Some(vec![text("string")]),
                new: Some(vec![text("integer")]),
            },
            "`status` was a string, is now an integer: new may answer an integer, which clients of old do not expect",
        ),
        (
            "/components/schemas/Order/properties",
            SchemaChange::PropertyAdded {
                name: text("qty"),
                required: false,
            },
            "new adds `qty` to the response: old forbids it, so clients of old reject it",
        ),
    ] {
        assert_eq!(said(pointer, change), expected);
    }
}

#[test]
fn a_union_that_gets_a_second_alternative_is_told_by_its_alternatives() {
    let named = |name: &str| Shape {
        name: Some(text(name)),
        ..Shape::default()
    };
    let pet = Shape {
        alternatives: vec![text("Cat"), text("Dog")],
        ..named("Pet")
    };
    let effect = Some(Effect {
        sender: Sender::Server,
        impact: Impact::Rejected,
    });
    let said = |pointer, old: &Shape, new: &Shape| {
        let change = SchemaChange::Replaced {
            old: old.clone(),
            new: new.clone(),
        };
        let context = Context {
            pointer,
            ..context(Comparison::Versions, effect, false)
        };
        let said = sentence(&change.into(), &context);
        said.split(':').next().unwrap().to_owned()
    };
    let (cat, bird) = (named("Cat"), named("Bird"));
    let at_cat = "/components/schemas/Cat";
    assert_eq!(
        said(at_cat, &cat, &pet),
        "`Pet` was `Cat`, is now one of `Cat` and `Dog`"
    );
    assert_eq!(
        said(at_cat, &pet, &cat),
        "`Pet` was one of `Cat` and `Dog`, is now `Cat`"
    );
    let unnamed = Shape {
        name: None,
        ..pet.clone()
    };
    let at_owned = "/components/schemas/Owner/properties/owned";
    assert_eq!(
        said(at_owned, &cat, &unnamed),
        "`owned` was `Cat`, is now one of `Cat` and `Dog`"
    );
    assert_eq!(
        said(at_owned, &bird, &pet),
        "`owned` was `Bird`, is now `Pet`"
    );
}

#[test]
fn what_the_schemas_around_turn_is_told_as_it_is() {
    let longer = SchemaChange::KeywordChanged {
        keyword: text("maxLength"),
        old: Some(json!(3).into()),
        new: Some(json!(5).into()),
    };
    let typed = SchemaChange::KeywordAdded(Keyword::new("pattern", json!("^a")));
    for (change, turned, (sender, impact), expected) in [
        (
            &longer,
            Turned::Overlapping,
            (Sender::Client, Impact::Rejected),
            "`maxLength` was 3, is now 5: clients that send values that match another alternative as well are now refused",
        ),
        (
            &longer,
            Turned::Negated,
            (Sender::Client, Impact::Rejected),
            "under `not`, `maxLength` was 3, is now 5: clients that send longer values are now refused",
        ),
        (
            &typed,
            Turned::Negated,
            (Sender::Client, Impact::Compatible),
            "under `not`, `pattern: ^a` is new: clients may now send values that do not match",
        ),
        (
            &typed,
            Turned::Negated,
            (Sender::Server, Impact::Rejected),
            "under `not`, `pattern: ^a` is new: new may answer values that do not match, which clients of old do not expect",
        ),
        (
            &typed,
            Turned::No,
            (Sender::Server, Impact::Emptied),
            "`pattern: ^a` is new: no value is valid any more",
        ),
    ] {
        let effect = Some(Effect { sender, impact });
        let context = Context {
            turned,
            ..context(Comparison::Versions, effect, false)
        };
        assert_eq!(sentence(&change.clone().into(), &context), expected);
    }
}

#[test]
fn a_webhook_is_told_by_who_sends_which_part() {
    let webhook = |sender, part: &str| {
        let mut finding = Finding::new(
            "r",
            crate::finding::Severity::Info,
            "s",
            SchemaChange::MeaningChanged,
        );
        finding.effect = Some(Effect {
            sender,
            impact: Impact::Rejected,
        });
        finding.proof = Some(crate::finding::Proof::new(
            "s",
            part,
            Side::Old,
            String::new(),
        ));
        Context::of(&finding, Comparison::Versions).webhook
    };
    assert!(!webhook(Sender::Client, "request body"));
    assert!(!webhook(Sender::Server, "answer 200"));
    assert!(webhook(Sender::Server, "request body"));
    assert!(webhook(Sender::Client, "answer 200"));
}

#[test]
fn other_sentences_are_complete() {
    let value = Some::<crate::document::Literal>;
    let accepted = Acceptance {
        fingerprint: text("0123456789abcdef"),
        reason: text("v2 launch"),
        rule: Some(text("member-added")),
        subject: Some(text("GET /a")),
        place: Some(text("new.yaml#/paths")),
        owner: None,
    };
    let bare = Acceptance {
        fingerprint: text("0123456789abcdef"),
        reason: text("v2 launch"),
        ..Acceptance::default()
    };
    let messages: Vec<Message> = vec![
        DocumentChange::Member {
            key: text("version"),
            old: value(json!("18.0.0").into()),
            new: value(json!("19.0.0").into()),
        }
        .into(),
        DocumentChange::Member {
            key: text("version"),
            old: None,
            new: value(json!("19.0.0").into()),
        }
        .into(),
        DocumentChange::Member {
            key: text("version"),
            old: value(json!("18.0.0").into()),
            new: None,
        }
        .into(),
        ReplayFault::Status {
            sample: text("ok"),
            expected: text("200"),
            found: 401,
            documented: None,
            credentials: Vec::new(),
        }
        .into(),
        BaselineFault::Stale {
            accepted: accepted.clone(),
        }
        .into(),
        BaselineFault::Stale { accepted: bare }.into(),
        BaselineFault::Expired {
            accepted,
            until: text("2026-11-21"),
        }
        .into(),
    ];
    let mut lines = Vec::new();
    for message in &messages {
        for comparison in [Comparison::Versions, Comparison::Lockstep] {
            let context = context(comparison, None, false);
            let said = sentence(message, &context);
            check(&said);
            if !lines.contains(&said) {
                lines.push(said);
            }
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

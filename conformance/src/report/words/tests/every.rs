//! One of every kind of change, and of every reason why a difference is undecided.

use serde_json::json;

use super::super::*;
use crate::finding::{Keyword, SchemaChange, Shape};

/// A string of its own.
pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

/// Every kind of change. The match makes a kind that is missing here an error of the compiler.
pub(super) fn changes() -> Vec<SchemaChange> {
    let named = Shape {
        name: Some(text("Loan")),
        properties: 3,
        ..Shape::default()
    };
    let object = Shape {
        types: vec![text("object")],
        properties: 21,
        ..Shape::default()
    };
    let union = Shape {
        alternatives: vec![text("simple-user"), text("enterprise")],
        ..Shape::default()
    };
    let string = Shape {
        types: vec![text("string")],
        keywords: vec![text("pattern")],
        ..Shape::default()
    };
    let types = |names: &[&str]| Some(names.iter().map(|one| text(one)).collect::<Vec<_>>());
    let mut all = Vec::new();
    for required in [true, false] {
        all.push(SchemaChange::PropertyAdded {
            name: text("qty"),
            required,
        });
        all.push(SchemaChange::PropertyRemoved {
            name: text("qty"),
            required,
        });
    }
    all.push(SchemaChange::RequiredAdded { name: text("qty") });
    all.push(SchemaChange::RequiredRemoved { name: text("qty") });
    let values = vec![json!("refunded").into(), json!(7).into()];
    all.push(SchemaChange::ValuesAdded {
        keyword: text("enum"),
        values: values.clone(),
    });
    all.push(SchemaChange::ValuesRemoved {
        keyword: text("enum"),
        values,
    });
    for (old, new) in [
        (types(&["string"]), types(&["integer"])),
        (types(&["integer"]), types(&["number"])),
        (types(&["string", "null"]), types(&["string"])),
        (None, types(&["object"])),
        (types(&["object"]), None),
    ] {
        all.push(SchemaChange::TypeChanged { old, new });
    }
    all.extend([SchemaChange::NullAdded, SchemaChange::NullRemoved]);
    for (keyword, old, new) in [
        ("maxLength", json!(100), json!(50)),
        ("additionalProperties", json!(false), json!(true)),
        ("pattern", json!("^a"), json!("^b")),
        ("readOnly", json!(true), json!(false)),
    ] {
        all.push(SchemaChange::KeywordAdded(Keyword::new(
            keyword,
            new.clone(),
        )));
        all.push(SchemaChange::KeywordRemoved(Keyword::new(
            keyword,
            old.clone(),
        )));
        all.push(SchemaChange::KeywordChanged {
            keyword: text(keyword),
            old: Some(old.into()),
            new: Some(new.into()),
        });
    }
    let items = || Keyword {
        keyword: text("items"),
        value: None,
        flag: None,
    };
    all.extend([
        SchemaChange::KeywordAdded(items()),
        SchemaChange::KeywordRemoved(items()),
        SchemaChange::KeywordChanged {
            keyword: text("items"),
            old: None,
            new: None,
        },
        SchemaChange::EntryAdded {
            keyword: text("patternProperties"),
            name: text("^x-"),
        },
        SchemaChange::EntryRemoved {
            keyword: text("patternProperties"),
            name: text("^x-"),
        },
    ]);
    for (keyword, shape) in [
        ("oneOf", named),
        ("anyOf", union.clone()),
        ("allOf", object.clone()),
        ("prefixItems", string.clone()),
    ] {
        let keyword = text(keyword);
        all.push(SchemaChange::AlternativeAdded {
            keyword: keyword.clone(),
            shape: shape.clone(),
        });
        all.push(SchemaChange::AlternativeRemoved { keyword, shape });
    }
    all.push(SchemaChange::Replaced {
        old: object,
        new: union,
    });
    all.push(SchemaChange::Replaced {
        old: Shape::default(),
        new: string,
    });
    all.extend([
        SchemaChange::SchemaAdded,
        SchemaChange::SchemaRemoved,
        SchemaChange::NothingAccepted { new: true },
        SchemaChange::NothingAccepted { new: false },
    ]);
    for (old, new) in [(true, true), (true, false), (false, true), (false, false)] {
        all.push(SchemaChange::MappingChanged {
            value: text("cat"),
            old: old.then(|| text("#/components/schemas/Cat")),
            new: new.then(|| text("cats.yaml#/Cat")),
        });
    }
    let bound = |keyword: &str| Keyword::new(keyword, json!(5));
    all.push(SchemaChange::KeywordReplaced {
        old: bound("minimum"),
        new: bound("exclusiveMinimum"),
    });
    all.push(SchemaChange::MeaningChanged);
    all.push(SchemaChange::Together {
        changes: vec![
            SchemaChange::RequiredAdded { name: text("qty") },
            SchemaChange::NullRemoved,
        ],
    });
    let mut seen = [false; 22];
    for change in &all {
        seen[match change {
            SchemaChange::PropertyAdded { .. } => 0,
            SchemaChange::PropertyRemoved { .. } => 1,
            SchemaChange::RequiredAdded { .. } => 2,
            SchemaChange::RequiredRemoved { .. } => 3,
            SchemaChange::ValuesAdded { .. } => 4,
            SchemaChange::ValuesRemoved { .. } => 5,
            SchemaChange::TypeChanged { .. } => 6,
            SchemaChange::NullAdded => 7,
            SchemaChange::NullRemoved => 8,
            SchemaChange::KeywordAdded { .. } => 9,
            SchemaChange::KeywordRemoved { .. } => 10,
            SchemaChange::KeywordChanged { .. } => 11,
            SchemaChange::EntryAdded { .. } => 12,
            SchemaChange::EntryRemoved { .. } => 13,
            SchemaChange::AlternativeAdded { .. } => 14,
            SchemaChange::AlternativeRemoved { .. } => 15,
            SchemaChange::Replaced { .. } => 16,
            SchemaChange::SchemaAdded | SchemaChange::SchemaRemoved => 17,
            SchemaChange::NothingAccepted { .. } => 18,
            SchemaChange::MappingChanged { .. } => 19,
            SchemaChange::MeaningChanged | SchemaChange::Together { .. } => 20,
            SchemaChange::KeywordReplaced { .. } => 21,
        }] = true;
    }
    assert_eq!(seen, [true; 22]);
    all
}

/// Every reason.
pub(super) fn reasons() -> Vec<Undecided> {
    let all = vec![
        Undecided::NotFound {
            keyword: text("pattern"),
        },
        Undecided::NotFound {
            keyword: String::new(),
        },
        Undecided::NotEnforced {
            keyword: text("contentSchema"),
        },
        Undecided::UnknownFormat {
            format: text("iban"),
        },
        Undecided::Reference {
            reference: text("#/components/schemas/Cat"),
        },
        Undecided::NotASchema,
        Undecided::Pattern {
            pattern: text("(a"),
            at: text("/components/schemas/Cat/pattern"),
            problem: text("opening parenthesis without closing parenthesis"),
        },
        Undecided::Unusable {
            cause: text("unclosed group in `(a`"),
        },
        Undecided::TooDeep,
    ];
    for reason in &all {
        // A reason that is missing above is an error of the compiler here.
        match reason {
            Undecided::NotFound { .. }
            | Undecided::NotEnforced { .. }
            | Undecided::UnknownFormat { .. }
            | Undecided::Reference { .. }
            | Undecided::NotASchema
            | Undecided::Pattern { .. }
            | Undecided::Unusable { .. }
            | Undecided::TooDeep => {}
        }
    }
    all
}

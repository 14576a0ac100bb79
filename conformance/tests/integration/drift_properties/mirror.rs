//! The same difference, seen from the other side.

use conformance::finding::SchemaChange;

/// How the new schema differs from the old one, as how the old one differs from the new one.
pub(crate) fn mirrored(change: &SchemaChange) -> SchemaChange {
    use SchemaChange as Is;
    match change.clone() {
        Is::PropertyAdded { name, required } => Is::PropertyRemoved { name, required },
        Is::PropertyRemoved { name, required } => Is::PropertyAdded { name, required },
        Is::RequiredAdded { name } => Is::RequiredRemoved { name },
        Is::RequiredRemoved { name } => Is::RequiredAdded { name },
        Is::ValuesAdded { keyword, values } => Is::ValuesRemoved { keyword, values },
        Is::ValuesRemoved { keyword, values } => Is::ValuesAdded { keyword, values },
        Is::TypeChanged { old, new } => Is::TypeChanged { old: new, new: old },
        Is::NullAdded => Is::NullRemoved,
        Is::NullRemoved => Is::NullAdded,
        Is::KeywordAdded(keyword) => Is::KeywordRemoved(keyword),
        Is::KeywordRemoved(keyword) => Is::KeywordAdded(keyword),
        Is::KeywordChanged { keyword, old, new } => Is::KeywordChanged {
            keyword,
            old: new,
            new: old,
        },
        Is::KeywordReplaced { old, new } => Is::KeywordReplaced { old: new, new: old },
        Is::EntryAdded { keyword, name } => Is::EntryRemoved { keyword, name },
        Is::EntryRemoved { keyword, name } => Is::EntryAdded { keyword, name },
        Is::AlternativeAdded { keyword, shape } => Is::AlternativeRemoved { keyword, shape },
        Is::AlternativeRemoved { keyword, shape } => Is::AlternativeAdded { keyword, shape },
        Is::Replaced { old, new } => Is::Replaced { old: new, new: old },
        Is::SchemaAdded => Is::SchemaRemoved,
        Is::SchemaRemoved => Is::SchemaAdded,
        Is::NothingAccepted { new } => Is::NothingAccepted { new: !new },
        Is::MappingChanged { value, old, new } => Is::MappingChanged {
            value,
            old: new,
            new: old,
        },
        Is::MeaningChanged => Is::MeaningChanged,
        Is::Together { changes } => Is::Together {
            changes: changes.iter().map(mirrored).collect(),
        },
    }
}

//! The differences in the words of the files: a keyword that loading gave another name or value is reported as it stands there.

use serde_json::Value;

use super::super::members::as_spelled;
use super::differences::Difference;
use super::matching::Sides;
use super::side::Side;
use crate::document::{Literal, pointer};
use crate::finding::{Keyword, SchemaChange, Undecided};

/// Tells a difference in the words of the files.
pub(super) fn tell(sides: &Sides<'_>, difference: &mut Difference) {
    let (keyword, at) = (&difference.keyword, &difference.at);
    let old = |value: &mut Option<Literal>| sides.old.told(&at.old, keyword, value.take());
    let new = |value: &mut Option<Literal>| sides.new.told(&at.new, keyword, value.take());
    difference.change = match &mut difference.change {
        SchemaChange::KeywordAdded(told) => SchemaChange::KeywordAdded(new(&mut told.value)),
        SchemaChange::KeywordRemoved(told) => SchemaChange::KeywordRemoved(old(&mut told.value)),
        SchemaChange::KeywordChanged {
            old: before,
            new: after,
            ..
        } if keyword != "enum" => {
            let (old, new) = (old(before), new(after));
            match old.keyword == new.keyword && old.flag == new.flag {
                true => SchemaChange::KeywordChanged {
                    keyword: old.keyword,
                    old: old.value,
                    new: new.value,
                },
                false => SchemaChange::KeywordReplaced { old, new },
            }
        }
        SchemaChange::ValuesAdded { values, .. } => return sides.new.spell(&at.new, values),
        SchemaChange::ValuesRemoved { values, .. } => return sides.old.spell(&at.old, values),
        _ => return,
    };
}

/// Why a difference is undecided, in the words of the files.
pub(super) fn reason(reason: Undecided, difference: &Difference) -> Undecided {
    let told = match &difference.change {
        SchemaChange::KeywordAdded(told) | SchemaChange::KeywordRemoved(told) => told,
        SchemaChange::KeywordReplaced { new, .. } => new,
        _ => return reason,
    };
    let keyword = match told.value.as_ref().map(Literal::value) {
        // Not all formats are meant.
        Some(Value::String(format)) if told.keyword == "format" => format!("format: {format}"),
        _ => told.keyword.clone(),
    };
    match reason {
        Undecided::NotFound { keyword: known } if known == difference.keyword => {
            Undecided::NotFound { keyword }
        }
        Undecided::NotEnforced { keyword: known } if known == difference.keyword => {
            Undecided::NotEnforced { keyword }
        }
        other => other,
    }
}

impl Side<'_> {
    /// The keyword that the model has at `at`, as the file has it.
    pub(super) fn told(&self, at: &str, keyword: &str, value: Option<Literal>) -> Keyword {
        let spelled = self.spelled(at, keyword);
        let only = |value: Option<Literal>| value.and_then(|all| all.part("/0"));
        let text = |text: &str| Some(Literal::from(Value::from(text)));
        let value = match (keyword, spelled.as_str()) {
            ("enum", "const") | ("examples", "example") => {
                only(value).map(|value| self.as_spelled(at, value))
            }
            ("contentEncoding", "format") => text("byte"),
            ("contentMediaType", "format") => text("binary"),
            ("contentMediaType", "type") => text("file"),
            ("discriminator", _) if self.is_2_0() => {
                value.map(|all| match all.part("/propertyName") {
                    Some(name) => name,
                    None => all,
                })
            }
            _ => value.map(|value| self.as_spelled(at, value)),
        };
        let flag = keyword.starts_with("exclusive") && spelled != keyword;
        Keyword {
            keyword: spelled,
            value,
            flag: flag.then(|| keyword.to_owned()),
        }
    }

    /// A number that the model has at `at`, as the file spells it.
    fn as_spelled(&self, at: &str, literal: Literal) -> Literal {
        as_spelled(self.document(), at, literal)
    }

    /// Gives numbers the spelling that they have in the list at `at`.
    fn spell(&self, at: &str, values: &mut [Literal]) {
        let all = self.value(at).and_then(Value::as_array);
        for value in values.iter_mut().filter(|value| value.value().is_number()) {
            let mut known = all.into_iter().flatten();
            if let Some(index) = known.position(|known| known == value.value()) {
                let number = std::mem::replace(value, Value::Null.into());
                *value = self.as_spelled(&pointer::index(at, index), number);
            }
        }
    }

    /// How the file spells the keyword that the model has at `at`.
    pub(super) fn spelled(&self, at: &str, keyword: &str) -> String {
        let (_, place) = self.document().origin(at);
        let last = pointer::tokens(&place).last().unwrap_or_default();
        let known: &[&str] = match keyword {
            "enum" => &["const"],
            "examples" => &["example", "x-examples"],
            "exclusiveMinimum" => &["minimum"],
            "exclusiveMaximum" => &["maximum"],
            "contentEncoding" => &["format"],
            "contentMediaType" if last != keyword && last != "format" && self.is_2_0() => {
                return "type".to_owned();
            }
            "contentMediaType" => &["format"],
            _ => &[],
        };
        match known.contains(&last.as_str()) {
            true => last,
            false => keyword.to_owned(),
        }
    }

    fn is_2_0(&self) -> bool {
        self.document().written_in() == "2.0"
    }
}

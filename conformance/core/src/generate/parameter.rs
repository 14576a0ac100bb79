//! Parameters with one change, in each place and style.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::base::Base;
use super::case_name::{Subject, is_reference};
use super::wire::{self, Verdict};
use super::{GENERATED, Source, derived};
use crate::case::key::is_key;
use crate::case::serialize::{self, Style, encode, text};
use crate::case::{Case, Change, Intent, PathValue, Refusal};
use crate::document::Located;

/// A parameter that is changed.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) schema: String,
    pub(super) style: Style,
    pub(super) required: bool,
    /// The value in the request that cases start from, or another valid one.
    pub(super) value: Value,
    /// Whether that request has the parameter.
    pub(super) is_sent: bool,
    /// Whether the document does not say which values the server knows.
    pub(super) is_opaque: bool,
}

impl Slot {
    /// How the names of its changes begin.
    pub(super) fn title(&self) -> String {
        format!("{} parameter `{}`", self.place, self.name)
    }
}

/// Whether a text can be sent in a place and is not changed on the way: an empty segment is another path, an empty header is one
/// that is not there, and dots are taken out of paths.
pub(super) fn is_sendable(place: &str, text: &str) -> bool {
    const LONGEST: usize = 4_000;
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let fits = !text.is_empty() && text.len() <= LONGEST;
    fits && match place {
        "path" => {
            !text.contains(['/', '\\', '\0'])
                && text.chars().any(|one| one != '.')
                && text.trim() == text
        }
        "header" => plain && text.trim() == text,
        "cookie" => text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
        _ => true,
    }
}

impl Source<'_> {
    /// The parameters of the operation that can be changed.
    pub(super) fn parameter_slots(&self, base: &Base) -> Vec<Slot> {
        let parameters = self.operation.parameters(self.document);
        parameters
            .iter()
            .filter_map(|parameter| self.slot(base, parameter))
            .collect()
    }

    fn slot(&self, base: &Base, parameter: &Located<'_>) -> Option<Slot> {
        let member = |name: &str| parameter.value.get(name).and_then(Value::as_str);
        let (name, place) = (member("name")?, member("in")?);
        let ignored = ["accept", "content-type", "authorization"];
        if !["path", "query", "header", "cookie"].contains(&place)
            || place == "header" && ignored.contains(&name.to_ascii_lowercase().as_str())
            || self.is_credential(place, name)
            || is_key(name)
        {
            return None;
        }
        let case = &base.case;
        let deep = format!("{name}[");
        let is_sent = match place {
            "query" => case
                .query
                .iter()
                .any(|(known, _)| known == name || known.starts_with(&deep)),
            "header" => case
                .headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name)),
            "cookie" => case.headers.iter().any(|(known, value)| {
                let mut pairs = value.split(';').map(str::trim);
                known.eq_ignore_ascii_case("cookie")
                    && pairs.any(|pair| pair.split('=').next() == Some(name))
            }),
            _ => true,
        };
        let schema = self.schema_of(parameter)?;
        let given = case.inputs.iter().find(|(known, _)| known == name);
        let given = given.map(|(_, value)| value).or_else(|| {
            let own = case.path.iter().find(|known| known.name == name);
            own.and_then(|own| own.documented.as_ref())
        });
        let given = given.filter(|value| self.accepts(&schema, value));
        let value = given.cloned();
        let value = value.or_else(|| {
            let examples = self.examples(&schema);
            let fits = |value: &&Value| is_sendable(place, &text(value));
            examples.iter().find(fits).cloned()
        })?;
        let spot_of = [schema.clone()];
        let spot = self.spot(&spot_of);
        let says = [
            "enum",
            "const",
            "format",
            "pattern",
            "minLength",
            "maxLength",
            "example",
            "examples",
            "default",
        ];
        let has_example = ["example", "examples"]
            .iter()
            .any(|member| parameter.value.get(member).is_some());
        let is_free = value.is_string()
            && !has_example
            && says
                .iter()
                .all(|keyword| spot.each(keyword).next().is_none());
        let is_listed = spot.each("enum").chain(spot.each("const")).next().is_some();
        let is_opaque = is_free || value.is_string() && is_reference(name) && !is_listed;
        Some(Slot {
            is_opaque,
            name: name.to_owned(),
            place: place.to_owned(),
            schema,
            style: Style::of(parameter.value, place),
            required: parameter.value.get("required") == Some(&Value::Bool(true)),
            value,
            is_sent,
        })
    }

    /// The cases with another value of one parameter, or without it.
    pub(super) fn parameters(&self, base: &Base) -> Vec<Case> {
        let mut cases = Vec::new();
        for slot in self.parameter_slots(base) {
            let title = slot.title();
            if slot.place != "path" && (slot.required || slot.is_sent) {
                let intent = match slot.required {
                    true => Intent::Refused(Refusal::Invalid),
                    false => Intent::Valid,
                };
                let name = format!("without the {title}");
                cases.push(without(&derived(base, &name, intent), &slot));
            }
            let valid = match slot.is_opaque {
                true => Intent::Open,
                false => Intent::Valid,
            };
            if !slot.is_sent
                && let Some(case) = self.with(base.case.clone(), &slot, &slot.value)
                && self.verdict(&case, &slot, &slot.value) == Some(Verdict::Valid)
            {
                let name = format!("with the {title}");
                let named = derived(base, &name, valid).sample;
                cases.push(Case {
                    sample: named,
                    intent: valid,
                    ..case
                });
            }
            let subject = Subject {
                whole: &title,
                is_body: false,
            };
            let start = format!("{GENERATED}with the {title}");
            let mut done = HashSet::new();
            for change in self.changes(subject, &slot.value, &slot.schema) {
                if done.contains(&change.group) {
                    continue;
                }
                let named = derived(base, &change.name, Intent::Valid);
                let Some(case) = self.with(named, &slot, &change.value) else {
                    continue;
                };
                let verdict = self.verdict(&case, &slot, &change.value);
                let Some(intent) = verdict.and_then(|verdict| verdict.intent(change.expect)) else {
                    continue;
                };
                // Another thing may have that id, which is not ours to change.
                if slot.place == "path"
                    && intent != Intent::Refused(Refusal::Invalid)
                    && self.operation.method != "GET"
                {
                    continue;
                }
                done.insert(change.group);
                let intent = match intent {
                    Intent::Valid => valid,
                    other => other,
                };
                let before = change.builds_on.map(|name| format!("{GENERATED}{name}"));
                let builds_on = before.or_else(|| (!slot.is_sent).then(|| start.clone()));
                cases.push(Case {
                    intent,
                    builds_on,
                    ..case
                });
            }
            cases.extend(self.malformed_parameter(base, &slot));
        }
        cases.extend(self.query_strings(base));
        cases
    }

    /// A case with another value of a parameter; none where it cannot be sent there.
    pub(super) fn with(&self, mut case: Case, slot: &Slot, value: &Value) -> Option<Case> {
        let Slot {
            name, place, style, ..
        } = slot;
        let texts = |value: &Value| match value {
            Value::Array(items) => items.iter().map(text).collect(),
            Value::Object(members) => members.values().map(text).collect(),
            other => vec![text(other)],
        };
        let structured = value.is_array() || value.is_object();
        if texts(value).iter().any(|one| !is_sendable(place, one)) && !style.json
            || structured && texts(value).is_empty()
        {
            return None;
        }
        match place.as_str() {
            "path" => {
                let literal = serialize::path(name, value, style);
                if self.is_other_path(name, &literal) {
                    return None;
                }
                let own = case.path.iter_mut().find(|known| known.name == *name)?;
                *own = PathValue {
                    name: name.clone(),
                    literal: Some(literal),
                    documented: Some(value.clone()),
                    create: false,
                };
            }
            "query" => {
                case = without(&case, slot);
                case.query.extend(serialize::query(name, value, style));
                case.inputs.push((name.clone(), value.clone()));
            }
            // Whatever the command line says of this header: the case is about its value.
            "header" => case
                .overrides
                .push((name.clone(), Some(serialize::header(value, style)))),
            _ => {
                let cookie = serialize::cookie(name, value, style);
                let (known, text) = cookie.split_once('=')?;
                if known != name || serialize::decode(text) != text || text.contains(';') {
                    return None;
                }
                case.changes.push(Change::Cookie {
                    name: name.clone(),
                    value: Some(text.to_owned()),
                });
            }
        }
        Some(case)
    }

    /// Returns how a server reads the parameter of a case.
    pub(super) fn verdict(&self, case: &Case, slot: &Slot, value: &Value) -> Option<Verdict> {
        let Slot {
            name,
            place,
            schema,
            style,
            ..
        } = slot;
        let raws = match place.as_str() {
            "path" => {
                let own = case.path.iter().find(|known| known.name == *name)?;
                wire::of_path(name, style, own.literal.as_deref()?)
            }
            "query" => wire::of_query(name, style, &serialize::query(name, value, style)),
            "header" => wire::of_header(style, &serialize::header(value, style)),
            _ => wire::of_query(name, style, &serialize::query(name, value, style)),
        };
        Some(self.of_raw(schema, value, &raws))
    }

    /// Whether a path with this value is that of another operation.
    fn is_other_path(&self, name: &str, literal: &str) -> bool {
        let own = self.operation.path.split('/');
        let place = format!("{{{name}}}");
        let Some(index) = own.clone().position(|segment| segment.contains(&place)) else {
            return false;
        };
        // Of the paths alone: this is asked for each value of a parameter, and large documents have many operations.
        let all = self.document.at("/paths").and_then(Value::as_object);
        let mut others = all
            .into_iter()
            .flat_map(Map::keys)
            .filter(|path| *path != self.operation.path);
        others.any(|path| {
            let segment = path.split('/').nth(index);
            segment.is_some_and(|segment| segment == literal)
        })
    }

    /// A parameter that is given twice, or cannot be read.
    fn malformed_parameter(&self, base: &Base, slot: &Slot) -> Vec<Case> {
        let mut cases = Vec::new();
        let title = slot.title();
        let structured = slot.value.is_array() || slot.value.is_object();
        let raw = |name: &str, text: &str, intent| {
            let mut case = without(&derived(base, &format!("{title} {name}"), intent), slot);
            match slot.place.as_str() {
                "query" => case.query.push((slot.name.clone(), text.to_owned())),
                "header" => case
                    .overrides
                    .push((slot.name.clone(), Some(text.to_owned()))),
                _ => return None,
            }
            Some(case)
        };
        if slot.style.json {
            let broken = match slot.place.as_str() {
                "query" => "%7B%22",
                _ => "{\"",
            };
            cases.extend(raw(
                "is not JSON",
                broken,
                Intent::Refused(Refusal::Invalid),
            ));
        }
        if slot.place == "query" && !structured && !slot.style.json {
            let own = encode(&text(&slot.value));
            if let Some(mut twice) = raw("is given twice", &own, Intent::Open) {
                twice.query.push((slot.name.clone(), own));
                cases.push(twice);
            }
            for (name, text) in [
                ("is not UTF-8", "%FF"),
                ("has half a percent-encoding", "%F"),
            ] {
                let raws = wire::of_query(
                    &slot.name,
                    &slot.style,
                    &[(slot.name.clone(), text.to_owned())],
                );
                let verdict = self.of_raw(&slot.schema, &Value::Null, &raws);
                // Some servers drop a pair that they cannot decode, as `net/http` of Go does; a parameter that is optional may be absent.
                let is_dropped = text == "%F" && !slot.required;
                let intent = match verdict {
                    Verdict::Invalid if !is_dropped => Intent::Refused(Refusal::Invalid),
                    _ => Intent::Open,
                };
                cases.extend(raw(name, text, intent));
            }
        }
        if slot.place == "query" && slot.style.style == "deepObject" {
            cases.extend(raw("without brackets", "x", Intent::Open));
            if let Some(mut case) = raw("with a bracket that is not closed", "x", Intent::Open) {
                let name = format!("{}[a", slot.name);
                case.query = vec![(name, "x".to_owned())];
                cases.push(case);
            }
        }
        cases
    }
}

/// A case without a parameter.
pub(super) fn without(case: &Case, slot: &Slot) -> Case {
    let mut case = case.clone();
    let name = &slot.name;
    match slot.place.as_str() {
        "query" => {
            let deep = format!("{name}[");
            // The members of an exploded object stand alone.
            let members: Vec<&String> = match (&slot.value, slot.style.explode) {
                (Value::Object(members), true) if slot.style.style == "form" => {
                    members.keys().collect()
                }
                _ => Vec::new(),
            };
            case.query.retain(|(known, _)| {
                known != name && !known.starts_with(&deep) && !members.contains(&known)
            });
            case.inputs.retain(|(known, _)| known != name);
        }
        "header" => case.overrides.push((name.clone(), None)),
        _ => case.changes.push(Change::Cookie {
            name: name.clone(),
            value: None,
        }),
    }
    case
}

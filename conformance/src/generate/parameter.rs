//! Parameters with one change.

use serde_json::Value;

use super::value::scalars;
use super::{Source, derived};
use crate::case::serialize::{self, Style, text};
use crate::case::{Case, Intent, PathValue};
use crate::document::pointer;
use crate::finding::Sender;

impl Source<'_> {
    /// The cases with another value of one parameter, or without it.
    pub(super) fn parameters(&self, base: &Case) -> Vec<Case> {
        let mut cases = Vec::new();
        for parameter in self.operation.parameters(self.document) {
            let member = |name: &str| parameter.value.get(name).and_then(Value::as_str);
            let (Some(name), Some(place)) = (member("name"), member("in")) else {
                continue;
            };
            let ignored = ["accept", "content-type", "authorization"];
            let is_plain = ["path", "query", "header"].contains(&place)
                && !(place == "header" && ignored.contains(&name.to_ascii_lowercase().as_str()))
                && parameter.value.get("content").is_none();
            let schema = pointer::join(&parameter.pointer, "schema");
            if !is_plain || self.document.at(&schema).is_none() {
                continue;
            }
            let required = parameter.value.get("required") == Some(&Value::Bool(true));
            if required && place != "path" {
                let mut without = derived(
                    base,
                    &format!("without the {place} parameter `{name}`"),
                    Intent::Refused(&[]),
                );
                without.query.retain(|(known, _)| known != name);
                without
                    .headers
                    .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                cases.push(without);
            }
            let style = Style::of(parameter.value, place);
            for (what, value, intent) in self.values(&schema, place) {
                let about = format!("{place} parameter `{name}` {what}");
                let mut case = derived(base, &about, intent);
                match place {
                    "path" => {
                        let new = PathValue {
                            name: name.to_owned(),
                            literal: Some(serialize::path(name, &value, &style)),
                            documented: Some(value),
                            create: false,
                        };
                        match case.path.iter_mut().find(|known| known.name == name) {
                            Some(known) => *known = new,
                            None => continue,
                        }
                    }
                    "query" => {
                        case.query.retain(|(known, _)| known != name);
                        case.query.extend(serialize::query(name, &value, &style));
                    }
                    _ => {
                        case.headers
                            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                        case.headers
                            .push((name.to_owned(), serialize::header(&value, &style)));
                    }
                }
                cases.push(case);
            }
        }
        cases
    }

    /// Values of a parameter, with what each is made for: text that stands for no value of the schema is to be refused.
    fn values(&self, schema: &str, place: &str) -> Vec<(String, Value, Intent)> {
        let subschemas = self.schemas.subschemas();
        let Some(example) = self.example(schema) else {
            return Vec::new();
        };
        if example.is_array() || example.is_object() {
            return Vec::new();
        }
        let mut values: Vec<(String, Value)> = Vec::new();
        for at in subschemas.in_place(&[schema.to_owned()]) {
            if let Some(schema) = subschemas.object(&at) {
                values.extend(scalars(schema, &example));
            }
        }
        values.push(("that is a word".to_owned(), Value::from("conformance")));
        let mut found = Vec::new();
        for (what, value) in values {
            let sent = text(&value);
            // An empty segment is another path, and an empty header is one that is not there.
            if sent.trim().is_empty() || sent.contains(['\n', '\r']) {
                continue;
            }
            let Ok(faults) = self
                .schemas
                .text_faults(schema, &sent, false, Some(Sender::Client))
            else {
                return Vec::new();
            };
            match (faults.is_empty(), place) {
                (false, _) => found.push((what, value, Intent::Refused(&[]))),
                // Nothing is known to be there under another id.
                (true, "path") => {}
                (true, _) => found.push((what, value, Intent::Valid)),
            }
        }
        found
    }
}

//! Following local references.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};
use serde_json::{Map, Value};

use super::error::{LoadError, Problem};
use super::keyword::{has_free_names, is_data};
use super::walk::{Path, reference};
use super::{Document, Position, component, pointer};

impl Document {
    /// The node at `pointer` after following its `$ref`, and the next, to what is no reference any more; with the pointer of
    /// that node. `None` when the node or a target does not exist, lies in another document, or the references form a circle.
    ///
    /// Members beside a `$ref` are left to the caller.
    pub fn resolve(&self, pointer: &str) -> Option<(String, &Value)> {
        self.resolve_from(pointer.to_owned(), self.at(pointer)?)
    }

    /// As [`Self::resolve`], of the node `value` at `pointer`.
    pub(crate) fn resolve_from<'a>(
        &'a self,
        mut pointer: String,
        mut value: &'a Value,
    ) -> Option<(String, &'a Value)> {
        let mut seen = HashSet::default();
        loop {
            let Some(reference) = value.as_object().and_then(reference) else {
                return Some((pointer, value));
            };
            let target = self.target(reference)?;
            value = self.at(&target)?;
            if !seen.insert(std::mem::replace(&mut pointer, target)) {
                return None;
            }
        }
    }

    /// The pointer that `reference` stands for when it is local and its target exists; no further reference is followed. It may
    /// name an anchor, which is looked for in the whole document: embedded resources (`$id`) are not told apart.
    pub fn target(&self, reference: &str) -> Option<String> {
        if let Some(name) = reference.strip_prefix('#')
            && !name.is_empty()
            && !name.starts_with('/')
        {
            return self.anchored(name);
        }
        let target = pointer::from_reference(reference)?;
        self.at(&target).is_some().then_some(target)
    }

    /// As [`Self::target`], if that, followed on, comes to what is no reference. `known` holds by pointer what is known of that from
    /// before, so that long chains are walked once.
    pub(crate) fn leads(
        &self,
        reference: &str,
        known: &mut HashMap<String, bool>,
    ) -> Option<String> {
        let first = self.target(reference)?;
        let mut passed = Vec::new();
        let mut next = Some(first.clone());
        let mut ends = false;
        while let Some(at) = next {
            if let Some(before) = known.get(&at) {
                ends = *before;
                break;
            }
            let reference = self.at(&at).and_then(|value| value.get("$ref"));
            let reference = reference.and_then(Value::as_str);
            ends = reference.is_none();
            next = reference.and_then(|reference| self.target(reference));
            // A reference that comes back here goes round in a circle.
            known.insert(at.clone(), ends);
            passed.push(at);
        }
        known.extend(passed.into_iter().map(|at| (at, ends)));
        ends.then_some(first)
    }

    /// The schema that a value of `mapping` in a discriminator stands for: a reference, or the name of a component.
    pub(crate) fn mapped(&self, text: &str) -> Option<String> {
        let component = pointer::join("/components/schemas", text);
        self.target(text)
            .or_else(|| self.at(&component).is_some().then_some(component))
    }

    /// The names that a discriminator gives to the schemas that `branches` refer to, by the pointers of these: those of its
    /// mapping, and the name of the component where the mapping has none.
    pub(crate) fn discriminated(
        &self,
        discriminator: &Map<String, Value>,
        branches: &[Value],
    ) -> BTreeMap<String, Vec<String>> {
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mapping = discriminator.get("mapping").and_then(Value::as_object);
        for (name, value) in mapping.into_iter().flatten() {
            if let Some(target) = value.as_str().and_then(|text| self.mapped(text)) {
                names.entry(target).or_default().push(name.clone());
            }
        }
        for branch in branches {
            let reference = branch.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|reference| self.target(reference));
            if let Some(target) = target
                && let Some(name) = pointer::tokens(&target).last()
                && pointer::parent(&target).ends_with("/components/schemas")
            {
                names.entry(target).or_insert_with(|| vec![name]);
            }
        }
        names
    }

    /// Asks whether every reference leads somewhere.
    ///
    /// # Errors
    /// For the first one that leads nowhere, in the file that it is in, that leads in a circle of references only, or that is not a
    /// string.
    pub fn check_references(&self) -> Result<(), LoadError> {
        let mut known = Known::default();
        self.check_below(self.value(), &Path::Root, false, &mut known)
    }

    /// Recurses as deep as the document, which is limited.
    fn check_below<'d>(
        &'d self,
        value: &'d Value,
        at: &Path<'_>,
        named: bool,
        known: &mut Known<'d>,
    ) -> Result<(), LoadError> {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if item.is_object() || item.is_array() {
                        self.check_below(item, &Path::Index(at, index), false, known)?;
                    }
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    match member {
                        Value::String(reference) if key == "$ref" => {
                            let new = known.references.insert(reference);
                            if new && self.leads(reference, &mut known.pointers).is_none() {
                                return Err(self.astray(&at.pointer(), reference));
                            }
                        }
                        _ if key == "$ref" && !named => {
                            let at = Path::Key(at, key).pointer();
                            let problem = not_a_string(member, self.position(&at));
                            return Err(problem.at(self.origin(&at).0));
                        }
                        Value::Object(_) | Value::Array(_) if named || !is_data(key, member) => {
                            let named = !named && has_free_names(key);
                            self.check_below(member, &Path::Key(at, key), named, known)?;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Says that the reference in the object at `at` leads nowhere, or the last one that it leads to.
    fn astray(&self, at: &str, reference: &str) -> LoadError {
        let (mut at, mut reference) = (at.to_owned(), reference);
        let mut seen = HashSet::default();
        let circle = loop {
            let Some(target) = self.target(reference) else {
                break false;
            };
            let next = self.at(&target).and_then(|value| value.get("$ref"));
            let Some(next) = next.and_then(Value::as_str) else {
                break false;
            };
            if !seen.insert(target.clone()) {
                break true;
            }
            (at, reference) = (target, next);
        };
        let told = self.told(reference);
        let (problem, remedy) = if circle {
            let problem = format!("the reference `{told}` leads in a circle of references");
            (problem, "let one of them be what they refer to".to_owned())
        } else {
            let problem = format!("the reference `{told}` leads nowhere");
            (problem, self.remedy(reference))
        };
        let at = pointer::join(&at, "$ref");
        let (name, _) = self.origin(&at);
        Problem::new(self.position(&at), problem, remedy).at(name)
    }

    /// Advice on a reference that leads nowhere.
    fn remedy(&self, reference: &str) -> String {
        match component::nearest(self.value(), reference) {
            Some(at) => format!("did you mean `{}`?", self.told(&format!("#{at}"))),
            None => "correct the reference, or add what it refers to".to_owned(),
        }
    }

    /// A reference of the model as the file spells it: the model has the files that a document refers to inside of it, and OpenAPI
    /// 2.0 as 3.0.
    pub fn told(&self, reference: &str) -> String {
        if let Some(spelled) = self.spelled.get(reference) {
            return spelled.clone();
        }
        let Some(at) = pointer::from_reference(reference) else {
            return reference.to_owned();
        };
        match self.origin.back(&at) {
            (0, before) if before == at => reference.to_owned(),
            (0, before) => format!("#{before}"),
            (number, before) => format!("{}#{before}", self.origin.files[number].name),
        }
    }

    /// A value of the model with its references as the file spells them, for a reader.
    pub fn told_value(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.told_value(item)).collect(),
            Value::Object(members) => {
                let told = |(key, member): (&String, &Value)| {
                    let member = match member {
                        Value::String(text) if text.starts_with('#') => self.told(text).into(),
                        other => self.told_value(other),
                    };
                    (key.clone(), member)
                };
                Value::Object(members.iter().map(told).collect())
            }
            other => other.clone(),
        }
    }
}

/// Says that the value of a `$ref` is not a string.
fn not_a_string(value: &Value, position: Position) -> Problem {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Problem::new(
        position,
        format!("the value of `$ref` is {kind}, which is not a reference"),
        "write a reference as a string, such as '#/components/schemas/Pet'",
    )
}

/// The state of a check of references.
#[derive(Default)]
struct Known<'d> {
    /// Those that lead somewhere.
    references: HashSet<&'d str>,
    /// Whether one comes to an end from here.
    pointers: HashMap<String, bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(components: &str) -> Document {
        Document::parse("t", &format!("openapi: 3.1.0\n{components}")).unwrap()
    }

    #[test]
    fn a_chain_is_followed_to_its_end() {
        let document = document("a: {$ref: '#/b'}\nb: {$ref: '#/c~1d'}\nc/d: {type: string}");
        let (pointer, value) = document.resolve("/a").unwrap();
        assert_eq!(pointer, "/c~1d");
        assert_eq!(value["type"], "string");
    }

    #[test]
    fn circles_and_missing_targets_resolve_to_nothing() {
        let document = document(
            "a: {$ref: '#/b'}\nb: {$ref: '#/a'}\nc: {$ref: '#/none'}\nd: {$ref: 'x.yaml'}\ne: {$ref: '#/e'}",
        );
        for pointer in ["/a", "/b", "/c", "/d", "/e", "/none"] {
            assert!(document.resolve(pointer).is_none(), "{pointer}");
        }
    }
}

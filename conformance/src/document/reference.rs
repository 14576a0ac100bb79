//! Following local references.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use super::bundle::is_data;
use super::error::{LoadError, Problem};
use super::{Document, pointer};

impl Document {
    /// The node at `pointer` after following its `$ref`, and the next, to what is no reference any more; with the pointer of
    /// that node. `None` when the node or a target does not exist, lies in another document, or the references form a circle.
    ///
    /// Members beside a `$ref` are left to the caller.
    pub fn resolve(&self, pointer: &str) -> Option<(String, &Value)> {
        let mut seen = HashSet::new();
        let mut pointer = pointer.to_owned();
        loop {
            let value = self.at(&pointer)?;
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Some((pointer, value));
            };
            let target = self.target(reference)?;
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
            // Whoever comes back here goes round in a circle.
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
    /// For the first one that leads nowhere, or in a circle of references only.
    pub fn check_references(&self) -> Result<(), LoadError> {
        let mut known = Known::default();
        self.check_below(self.value(), &mut String::new(), &mut known)
    }

    /// Recurses as deep as the document, which is limited.
    fn check_below<'d>(
        &'d self,
        value: &'d Value,
        at: &mut String,
        known: &mut Known<'d>,
    ) -> Result<(), LoadError> {
        let length = at.len();
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if item.is_object() || item.is_array() {
                        pointer::push(at, &index.to_string());
                        self.check_below(item, at, known)?;
                        at.truncate(length);
                    }
                }
            }
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref")
                    && known.references.insert(reference)
                    && self.leads(reference, &mut known.pointers).is_none()
                {
                    return Err(self.astray(at, reference));
                }
                for (key, member) in members {
                    let inner = member.is_object() || member.is_array();
                    if inner && !is_data(at, key, member) {
                        pointer::push(at, key);
                        self.check_below(member, at, known)?;
                        at.truncate(length);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Says that a reference leads nowhere.
    fn astray(&self, at: &str, reference: &str) -> LoadError {
        let problem = if self.target(reference).is_none() {
            format!("the reference `{reference}` leads nowhere")
        } else {
            format!("the reference `{reference}` leads in a circle, or to one that leads nowhere")
        };
        let at = pointer::join(at, "$ref");
        let (name, _) = self.origin(&at);
        let remedy = "correct the reference, or add what it refers to";
        Problem::new(self.position(&at), problem, remedy).at(name)
    }
}

/// What is known of references while they are checked.
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

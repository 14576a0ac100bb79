//! Following local references.

use std::collections::HashSet;

use serde_json::Value;

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
            let target = pointer::from_reference(reference)?;
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

    /// Asks whether every reference leads somewhere.
    ///
    /// # Errors
    /// For the first one that leads nowhere, or in a circle of references only.
    pub fn check_references(&self) -> Result<(), LoadError> {
        let mut open = vec![(String::new(), self.value())];
        while let Some((at, value)) = open.pop() {
            match value {
                Value::Array(items) => {
                    let below = items.iter().enumerate().rev();
                    open.extend(below.map(|(index, item)| (pointer::index(&at, index), item)));
                }
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        self.check_reference(&at, reference)?;
                    }
                    let below = members
                        .iter()
                        .rev()
                        .filter(|(key, member)| !is_data(&at, key, member));
                    open.extend(below.map(|(key, member)| (pointer::join(&at, key), member)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_reference(&self, at: &str, reference: &str) -> Result<(), LoadError> {
        let problem = if self.target(reference).is_none() {
            format!("the reference `{reference}` leads nowhere")
        } else if reference.starts_with("#/") && self.resolve(at).is_none() {
            format!("the reference `{reference}` leads in a circle, or to one that leads nowhere")
        } else {
            return Ok(());
        };
        let at = pointer::join(at, "$ref");
        let (name, _) = self.origin(&at);
        let remedy = "correct the reference, or add what it refers to";
        Err(Problem::new(self.position(&at), problem, remedy).at(name))
    }
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

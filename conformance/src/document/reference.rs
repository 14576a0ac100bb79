//! Following local references.

use std::collections::HashSet;

use serde_json::Value;

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

    /// The pointer that `reference` stands for when it is local and its target exists; no further reference is followed.
    pub fn target(&self, reference: &str) -> Option<String> {
        let target = pointer::from_reference(reference)?;
        self.at(&target).is_some().then_some(target)
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

//! The operation that creates what a path parameter names: by a link of its response, by the path of the collection, or by what it creates.

use serde_json::Value;

use super::keep::item_elsewhere;
use super::unit::Unit;
use crate::document::pointer;
use crate::samples::template_names;
use crate::session::PathValues;
use crate::session::template::{prefix, same_shape};

/// Where the value of a parameter stands in an exchange.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A runtime expression of a link, or a constant.
    Link(Value),
    /// The member named as the parameter, `id`, or the like.
    Member,
}

impl Unit<'_> {
    /// The operation that creates what a parameter names, and where its answer has the value. `before` are the values of the parameters to
    /// its left.
    pub(super) fn creator(
        &mut self,
        operation: usize,
        name: &str,
        before: &PathValues,
    ) -> Option<(usize, Source)> {
        let key = (operation, name.to_owned(), before.len());
        if let Some(known) = self.creators.get(&key) {
            return known.clone();
        }
        let template = self.session.operations[operation].path;
        let found = self
            .link(operation, name, before)
            .or_else(|| self.collection(template, name))
            .or_else(|| self.elsewhere(operation));
        self.creators.insert(key, found.clone());
        found
    }

    /// The operation whose answer has a link that gives the parameter, and the link's expression.
    fn link(&self, operation: usize, name: &str, before: &PathValues) -> Option<(usize, Source)> {
        let (document, operations) = (self.session.document, self.session.operations);
        let target = &operations[operation];
        for (index, creator) in operations.iter().enumerate() {
            let names = template_names(creator.path);
            if creator.method != "POST" || names.len() > before.len() {
                continue;
            }
            for (status, response) in creator.responses(document) {
                let links = response
                    .value
                    .get("links")
                    .and_then(Value::as_object)
                    .filter(|_| status.starts_with('2'));
                for key in links.into_iter().flat_map(|links| links.keys()) {
                    let at = pointer::join(&pointer::join(&response.pointer, "links"), key);
                    let Some((_, link)) = document.resolve(&at) else {
                        continue;
                    };
                    // A link to a neighbor on the same path names the same thing.
                    let leads = self.linked(link).is_some_and(|linked| {
                        linked == operation || operations[linked].path == target.path
                    });
                    let parameters = link.get("parameters").filter(|_| leads);
                    let given = parameters.and_then(|given| {
                        given
                            .get(name)
                            .or_else(|| given.get(format!("path.{name}")))
                    });
                    if let Some(expression) = given {
                        // The expression has to come from the answer: what the path gives is known already.
                        if expression
                            .as_str()
                            .is_none_or(|text| !text.starts_with("$request.path"))
                        {
                            return Some((index, Source::Link(expression.clone())));
                        }
                    }
                }
            }
        }
        None
    }

    /// The operation that a link leads to.
    fn linked(&self, link: &Value) -> Option<usize> {
        let id = link.get("operationId").and_then(Value::as_str);
        let by_id = id.and_then(|id| {
            self.session
                .operations
                .iter()
                .position(|operation| operation.id == Some(id))
        });
        by_id.or_else(|| {
            let reference = link.get("operationRef")?.as_str()?;
            let target = self.session.document.target(reference)?;
            self.session
                .operations
                .iter()
                .position(|operation| operation.pointer == target)
        })
    }

    /// The POST of the collection that the parameter names a thing of.
    fn collection(&self, template: &str, name: &str) -> Option<(usize, Source)> {
        let collection = prefix(template, name, false);
        let creates = |(_, operation): &(usize, &crate::document::Operation<'_>)| {
            operation.method == "POST" && same_shape(operation.path, &collection)
        };
        let (index, _) = self.session.operations.iter().enumerate().find(creates)?;
        Some((index, Source::Member))
    }

    /// The POST below something else that creates what an operation names.
    fn elsewhere(&self, operation: usize) -> Option<(usize, Source)> {
        let session = self.session;
        let (document, operations) = (session.document, session.operations);
        let item = &operations[operation];
        let creates = |one: &crate::document::Operation<'_>| {
            item_elsewhere(document, operations, one)
                .is_some_and(|read| read.path == prefix_of(item.path, read.path))
        };
        let index = operations.iter().position(creates)?;
        Some((index, Source::Member))
    }
}

/// As much of a path as another one has.
fn prefix_of<'p>(path: &'p str, other: &str) -> &'p str {
    match path.strip_prefix(other) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => &path[..other.len()],
        _ => path,
    }
}

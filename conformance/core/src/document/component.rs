//! The component that a reference means which leads nowhere, for messages.

use serde_json::{Map, Value};

use super::pointer;
use crate::near;

/// The maps of components; those of OpenAPI 2.0 are at the root.
const MAPS: [&str; 9] = [
    "/components/schemas",
    "/components/parameters",
    "/components/responses",
    "/components/requestBodies",
    "/components/headers",
    "/components/pathItems",
    "/definitions",
    "/parameters",
    "/responses",
];

/// Returns the pointer of the component of `document` whose name is nearest to the last name of a reference.
pub(super) fn nearest(document: &Value, reference: &str) -> Option<String> {
    let name = pointer::from_reference(reference).unwrap_or_else(|| format!("/{reference}"));
    let name = pointer::tokens(&name).last()?;
    let components = MAPS.iter().flat_map(|map| {
        let names = pointer::find(document, map).and_then(Value::as_object);
        let names = names.into_iter().flat_map(Map::keys);
        names.map(move |name| (name.as_str(), *map))
    });
    let components: Vec<(&str, &str)> = components.collect();
    let near = near::nearest(&name, components.iter().map(|(name, _)| *name))?;
    let (name, map) = components.iter().find(|(name, _)| *name == near)?;
    Some(pointer::join(map, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_component_is_found_by_a_name_like_its_own() {
        let document = json!({
            "components": {"schemas": {"Pet": {}, "a/b": {}}, "responses": {"NotFound": {}}},
            "definitions": {"Order": {}},
        });
        for (reference, expected) in [
            ("Pet", Some("/components/schemas/Pet")),
            ("#/components/schemas/Pett", Some("/components/schemas/Pet")),
            ("#/schemas/pet", Some("/components/schemas/Pet")),
            ("#Pet", Some("/components/schemas/Pet")),
            (
                "#/components/schemas/a~1c",
                Some("/components/schemas/a~1b"),
            ),
            ("#/components/schemas/x~1y", None),
            (
                "#/components/schemas/a~1b~1",
                Some("/components/schemas/a~1b"),
            ),
            (
                "#/components/schemas/NotFound",
                Some("/components/responses/NotFound"),
            ),
            ("#/Order", Some("/definitions/Order")),
            ("Customer", None),
            ("#", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(&document, reference).as_deref(),
                expected,
                "{reference}"
            );
        }
    }
}

//! Writing a schema with an edit applied.

use serde_json::{Map, Value, json};

use super::edit::Edit;
use super::plain::{Place, Writer, both};
use super::scope::Scope;
use crate::finding::Undecided;
use crate::schema::direction::Names;
use crate::schema::pattern::{is_pattern, translated};

impl Writer<'_, '_> {
    /// Applies an edit of the schema that was written to `out`.
    pub(super) fn edit(
        &mut self,
        place: &Place<'_, '_>,
        edit: &Edit,
        out: &mut Map<String, Value>,
    ) -> Result<(), Undecided> {
        let Place {
            at,
            scope,
            around,
            hidden,
            depth,
            ..
        } = *place;
        match edit {
            Edit::Keyword {
                new: Some((other, keyword)),
                ..
            } => {
                let Some(edits) = self.edits else {
                    return Ok(());
                };
                let Some(schema) = edits.new.schemas.object(other) else {
                    return Ok(());
                };
                let place = Place {
                    at: other,
                    schema,
                    ..*place
                };
                self.in_new(|writer| {
                    writer.in_full(|writer| writer.keyword(&place, keyword, out))
                })?;
            }
            Edit::Rename { from, to, .. } => {
                let mut written = Map::new();
                self.keyword(place, from, &mut written)?;
                if let Some(list) = written.shift_remove(*from) {
                    out.insert((*to).to_owned(), list);
                }
            }
            Edit::Entry {
                keyword,
                name,
                new: Some(new),
                ..
            } => {
                let below = scope.named(name);
                let below = match keyword.as_str() {
                    "patternProperties" => scope.members(),
                    "dependentSchemas" if !below.is_empty() => scope.clone(),
                    _ => below,
                };
                if below.is_empty() || keyword == "patternProperties" && !is_pattern(name) {
                    return Ok(());
                }
                let written = match keyword.as_str() {
                    "dependentSchemas" => {
                        let around = self.around(at, keyword, around);
                        self.added(new, &below, Some(&around), depth)?
                    }
                    "properties" if self.is_hidden_in_new(new) => Value::Bool(false),
                    _ => self.added(new, &below, None, depth)?,
                };
                let members = out.entry(keyword.as_str()).or_insert_with(|| json!({}));
                if let Value::Object(members) = members {
                    let name = match keyword.as_str() {
                        "patternProperties" => translated(name).into_owned(),
                        _ => name.clone(),
                    };
                    members.insert(name, written);
                }
            }
            Edit::Branch {
                keyword,
                new: Some(new),
                ..
            } => {
                let tuple = keyword == "prefixItems" || keyword == "items";
                let written = match tuple {
                    true => self.added(new, &scope.items(), None, depth)?,
                    false => {
                        let around = self.around(at, keyword, around);
                        self.added(new, scope, Some(&around), depth)?
                    }
                };
                match (keyword.as_str(), out.get_mut(keyword.as_str())) {
                    ("allOf", _) => both(out, written),
                    (_, Some(Value::Array(list))) => list.push(written),
                    _ => {
                        out.insert(keyword.clone(), Value::Array(vec![written]));
                    }
                }
            }
            other => other.apply(
                out,
                |name| hidden.contains(name),
                |one| self.source.literal(one),
            ),
        }
        Ok(())
    }

    /// A schema of the new document; of the same value where `around` is given, the members that the schemas around it do not send.
    pub(super) fn added(
        &mut self,
        at: &str,
        scope: &Scope<'_>,
        around: Option<&Names>,
        depth: usize,
    ) -> Result<Value, Undecided> {
        self.in_new(|writer| {
            writer.in_full(|writer| match around {
                Some(around) => writer.schema(at, scope, around, depth),
                None => writer.fresh(at, scope, depth),
            })
        })
    }

    /// Whether the member at `at` of the new document is not sent in this direction.
    fn is_hidden_in_new(&self, at: &str) -> bool {
        self.edits
            .is_some_and(|edits| edits.new.unsent.is_unsent(at))
    }
}

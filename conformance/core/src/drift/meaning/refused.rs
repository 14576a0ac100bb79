//! Values that a schema rejects which an edit brings or takes, each where it stands in the schema that is edited.
//!
//! What one rejects is often nothing that the keywords around it make anybody think of: members of no name and items of no type.

use serde_json::{Value, json};

use super::edges::of_schema;
use super::edit::Edit;
use super::embed::{self, Step};
use super::generate::Maker;
use super::{At, Meaning, algebra, judge, text, whole};
use crate::document::keyword::SINGLE;
use crate::document::pointer;
use crate::finding::Sender;

/// How many values of each schema are put in their places.
const EACH: usize = 8;

impl Meaning<'_> {
    /// Values of the schema at `at` with something in them that a schema of `changes` rejects.
    pub(in super::super) fn refused(
        &self,
        at: At<'_>,
        sender: Sender,
        changes: &[&Edit],
    ) -> Vec<Value> {
        let (old, new) = self.makers(sender);
        let mut all = Vec::new();
        for edit in changes {
            let mut inside = |maker: &Maker<'_>, place: &str, step: &Step| {
                for value in refused_by(maker, place) {
                    all.extend(embed::around(old, at.0, step, &value));
                }
            };
            match edit {
                Edit::Keyword {
                    old: before,
                    new: after,
                    ..
                } => {
                    for (maker, place) in [(old, before), (new, after)] {
                        let Some((schema, keyword)) = place else {
                            continue;
                        };
                        let step = Step::of(keyword, "", 0);
                        if SINGLE.contains(&&**keyword) && !step.is_in_place() {
                            inside(maker, &pointer::join(schema, keyword), &step);
                        }
                    }
                }
                Edit::Entry {
                    schema,
                    keyword,
                    name,
                    new: after,
                } => {
                    let step = Step::of(keyword, name, 0);
                    match after {
                        Some(place) => inside(new, place, &step),
                        None => {
                            let place = pointer::join(&pointer::join(schema, keyword), name);
                            inside(old, &place, &step);
                        }
                    }
                }
                _ => {}
            }
        }
        all
    }
}

/// Values that the schema at `place` rejects, by set algebra.
fn refused_by(maker: &Maker<'_>, place: &str) -> Vec<Value> {
    let Ok(inner) = whole::whole(&maker.source, place, None, false) else {
        return Vec::new();
    };
    let anything = json!({"$defs": {"0": true}, "$ref": "#/$defs/0"});
    let lost = algebra::relate(&inner, &anything).lost;
    let mut values: Vec<Value> = lost.iter().flat_map(of_schema).collect();
    // Algebra knows no patterns and no steps; what the keywords make one think of is often beyond them.
    if let Some(Value::Object(schema)) = maker.source.schemas.at(place) {
        let not = schema.get("not").into_iter().flat_map(of_schema);
        values.extend(not.chain([json!(0.5), json!("a"), json!({"a": {}, "": ""})]));
        let named = ["properties", "patternProperties"];
        let members = named
            .iter()
            .filter_map(|keyword| schema.get(*keyword)?.as_object());
        for name in members.flat_map(serde_json::Map::keys) {
            let names = std::iter::once(name.clone()).chain(text::of_pattern(name));
            values.extend(
                names.take(3).flat_map(|name| {
                    [json!(0), json!("")].map(|value| json!({name.clone(): value}))
                }),
            );
        }
    }
    let accepted = judge::accepted(&maker.source, place, &values, None).unwrap_or_default();
    let mut accepted = accepted.into_iter();
    values.retain(|_| !accepted.next().unwrap_or(true));
    values.truncate(EACH);
    values
}

//! The schemas that are written by themselves, numbered in the order in which references lead to them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::Subschemas;
use super::super::direction::Names;

/// A schema, and the properties that the schemas around it do not send; none where `required` leaves out nothing.
type Definition = (String, Option<Names>);

/// Schemas that are written by themselves, with their numbers.
#[derive(Debug, Default)]
pub(in super::super) struct Definitions {
    numbers: HashMap<Definition, usize>,
    /// In the order of their numbers.
    all: Vec<Definition>,
    /// By schema, the names that it, or what applies with it, requires.
    required: HashMap<String, Names>,
}

impl Definitions {
    pub(in super::super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<Definition> {
        self.all.get(number).cloned()
    }

    pub(super) fn places(&self) -> Vec<String> {
        self.all.iter().map(|(at, _)| at.clone()).collect()
    }

    /// The number of the schema at `at`, as a value has it that stands alone.
    pub(in super::super) fn number(&mut self, subschemas: Subschemas<'_>, at: &str) -> usize {
        self.define(subschemas, at, Some(&Names::new()))
    }

    /// The number of the schema at `at`.
    pub(super) fn define(
        &mut self,
        subschemas: Subschemas<'_>,
        at: &str,
        around: Option<&Names>,
    ) -> usize {
        // Only names that it requires tell one use of it from another.
        let around = around.map(|around| {
            if around.is_empty() {
                return Names::new();
            }
            let required = self.required(subschemas, at);
            around.intersection(required).cloned().collect()
        });
        let next = self.all.len();
        let definition = (at.to_owned(), around);
        *self
            .numbers
            .entry(definition)
            .or_insert_with_key(|definition| {
                self.all.push(definition.clone());
                next
            })
    }

    fn required(&mut self, subschemas: Subschemas<'_>, at: &str) -> &Names {
        self.required.entry(at.to_owned()).or_insert_with(|| {
            let mut names = Names::new();
            for at in subschemas.in_place(&[at.to_owned()]) {
                let schema = subschemas.object(&at);
                let keyword = |name| schema.and_then(|schema| schema.get(name));
                let dependent = keyword("dependentRequired").and_then(Value::as_object);
                let lists = dependent
                    .into_iter()
                    .flat_map(Map::values)
                    .chain(keyword("required"));
                let all = lists.filter_map(Value::as_array).flatten();
                names.extend(all.filter_map(Value::as_str).map(str::to_owned));
            }
            names
        })
    }
}

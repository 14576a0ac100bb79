//! The schemas of one document, viewed when they are asked for: most are the same in both documents and never are.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use foldhash::{HashMap, HashSet};
use serde_json::Value;

use super::super::equal::{PROVENANCE, identity_without_provenance};
use super::differences::shape;
use super::fold::{flat_view, view};
use super::view::{Content, PROSE, View};
use crate::document::{Document, Literal, holds_data, pointer};
use crate::finding::Shape;

/// How many references are followed to what a schema is known by.
const CHAIN: usize = 12;

/// The schemas of one document.
pub(super) struct Side<'a> {
    document: &'a Document,
    prose: bool,
    /// Where references lead.
    targets: RefCell<HashMap<&'a str, Option<Target<'a>>>>,
}

/// A pointer, and what stands there.
type Target<'a> = (String, Option<&'a Value>);

impl<'a> Side<'a> {
    pub(super) fn new(document: &'a Document, prose: bool) -> Self {
        Self {
            document,
            prose,
            targets: RefCell::default(),
        }
    }

    /// The value at `at`; nothing where there is no schema, which accepts everything.
    pub(super) fn value(&self, at: &str) -> Option<&'a Value> {
        self.document.at(at)
    }

    pub(super) fn view(&self, at: &str) -> View {
        view(self.document, at, self.prose)
    }

    pub(super) fn compares_prose(&self) -> bool {
        self.prose
    }

    pub(super) fn document(&self) -> &'a Document {
        self.document
    }

    /// As [`Self::view`], without `allOf`, if that can be said.
    pub(super) fn flat_view(&self, at: &str) -> Option<View> {
        flat_view(self.document, at, self.prose, &|_, _| false)
    }

    /// As [`Self::flat_view`], but a member that several schemas describe identically is there once, with the first of them.
    pub(super) fn restated(&self, at: &str) -> Option<View> {
        let same = |one: &str, other: &str| self.said(one) == self.said(other);
        flat_view(self.document, at, self.prose, &same)
    }

    /// As [`Self::flat_view`], but several schemas may describe a member identically; says which members these are.
    pub(super) fn flat_view_with_shared(&self, at: &str) -> Option<(View, BTreeSet<String>)> {
        let shared = RefCell::new(BTreeSet::new());
        let same = |one: &str, other: &str| {
            let is_member = one.rsplit('/').nth(1) == Some("properties");
            let same = is_member && self.said(one) == self.said(other);
            if same {
                shared.borrow_mut().extend(pointer::tokens(one).last());
            }
            same
        };
        let view = flat_view(self.document, at, self.prose, &same)?;
        Some((view, shared.into_inner()))
    }

    /// The text of the schema at `at`, or of the one that it only refers to: schemas that are written identically have the same text.
    pub(super) fn said(&self, at: &str) -> String {
        let (at, value) = self.known(at);
        let literal = value.map(|value| Literal::new(value.clone(), self.document.exact(&at)));
        literal.map_or(at, |literal| identity_without_provenance(&literal))
    }

    /// A schema in a few words.
    pub(super) fn shape(&self, view: &View) -> Shape {
        shape(
            view,
            self.name(&view.pointer),
            |branch| self.label(&self.known_as(branch)),
            |at, keyword| self.spelled(at, keyword),
        )
    }

    /// The name of a component, or the title of another schema.
    fn name(&self, at: &str) -> Option<String> {
        let title = self.value(at).and_then(|schema| schema.get("title"));
        let title = title.and_then(Value::as_str).map(str::to_owned);
        super::users::component(at).or(title)
    }

    /// The name of a schema, or its types.
    fn label(&self, at: &str) -> Option<String> {
        let types = || match self.value(at)?.get("type")? {
            Value::String(name) => Some(name.clone()),
            Value::Array(names) => {
                let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
                Some(names?.join(" or "))
            }
            _ => None,
        };
        self.name(at).or_else(types)
    }

    fn target(&self, reference: &'a str) -> Option<Target<'a>> {
        let mut targets = self.targets.borrow_mut();
        let target = targets.entry(reference).or_insert_with(|| {
            let at = self.document.target(reference)?;
            let value = self.value(&at);
            Some((at, value))
        });
        target.clone()
    }

    /// The schemas in the one at `at` whose references lead nowhere.
    pub(super) fn dangling(&self, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(value) = self.value(at) {
            self.dangling_below(value, at, &mut found);
        }
        found
    }

    fn dangling_below(&self, value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.dangling_below(item, &pointer::index(at, index), found);
                }
            }
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let leads = self.document.leads(reference, &mut HashMap::default());
                    if leads.is_none() {
                        found.push(at.to_owned());
                    }
                }
                let name = pointer::tokens(at).last().unwrap_or_default();
                let below = members
                    .iter()
                    .filter(|(_, one)| one.is_object() || one.is_array());
                for (key, member) in below.filter(|(key, one)| !holds_data(&name, key, one)) {
                    self.dangling_below(member, &pointer::join(at, key), found);
                }
            }
            _ => {}
        }
    }

    /// The pointer of the schema that the one at `at` only refers to, or its own.
    pub(super) fn known_as(&self, at: &str) -> String {
        self.known(at).0
    }

    /// As [`Self::known_as`], with what stands there.
    pub(super) fn known(&self, at: &str) -> (String, Option<&'a Value>) {
        self.known_from(at, self.value(at))
    }

    /// As [`Self::known`], of what stands at `at`.
    pub(super) fn known_from(
        &self,
        at: &str,
        value: Option<&'a Value>,
    ) -> (String, Option<&'a Value>) {
        let mut at = at.to_owned();
        let mut value = value;
        for _ in 0..CHAIN {
            let Some(Value::Object(schema)) = value else {
                break;
            };
            let left_out = |keyword: &str| {
                PROVENANCE.contains(&keyword)
                    || !self.prose && PROSE.contains(&keyword)
                    || ["$defs", "definitions"].contains(&keyword)
            };
            let mut said = schema.iter().filter(|(keyword, _)| !left_out(keyword));
            let next = match (said.next(), said.next()) {
                (Some((keyword, Value::String(reference))), None) if keyword == "$ref" => {
                    self.target(reference)
                }
                (Some((keyword, Value::Array(branches))), None)
                    if ["allOf", "anyOf", "oneOf"].contains(&keyword.as_str())
                        && branches.len() == 1 =>
                {
                    let branch = pointer::index(&pointer::join(&at, keyword), 0);
                    Some((branch, branches.first()))
                }
                _ => None,
            };
            match next {
                Some(next) => (at, value) = next,
                None => break,
            }
        }
        (at, value)
    }
}

/// A hash of what a schema says once: copies of branches of `anyOf` and `allOf` left out.
pub(super) fn local_once(side: &Side<'_>, view: &View) -> u64 {
    let mut view = view.clone();
    for keyword in ["anyOf", "allOf"] {
        if let Some(part) = view.parts.get_mut(keyword)
            && let Content::Branches(branches) = &mut part.content
        {
            let mut seen = HashSet::default();
            branches.retain(|at| seen.insert(side.said(at)));
        }
    }
    local(&view)
}

/// A hash of the keywords of a schema, without the schemas inside of it.
pub(super) fn local(view: &View) -> u64 {
    let mut hasher = DefaultHasher::new();
    (view.or_null, view.never).hash(&mut hasher);
    for (keyword, part) in &view.parts {
        (keyword, std::mem::discriminant(&part.content)).hash(&mut hasher);
        match &part.content {
            Content::Value(_) | Content::Set(_) => {
                let said = part
                    .literal()
                    .map(|said| identity_without_provenance(&said));
                said.hash(&mut hasher);
            }
            Content::One(_) => {}
            Content::Named(members) => members.keys().collect::<Vec<_>>().hash(&mut hasher),
            Content::Ordered(items) | Content::Branches(items) => items.len().hash(&mut hasher),
        }
    }
    hasher.finish()
}

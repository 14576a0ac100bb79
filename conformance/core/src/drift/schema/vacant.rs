//! Whether values of a schema can have anything at a place inside of it: what stands where no value comes changes nothing.
//!
//! Only what keywords say plainly is seen, such as `maxItems: 0`; what is not seen counts as reached.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use foldhash::HashMap;
use serde_json::Value;

use super::super::meaning::Step;
use super::side::Side;
use super::view::{Content, View};
use crate::document::Decimal;

/// How deep schemas that accept nothing are looked for.
pub(super) const DEPTH: usize = 8;

/// The places in the schemas of one document that values come to.
pub(super) struct Vacancy<'s, 'a> {
    pub(super) side: &'s Side<'a>,
    /// Whether members of the document may be `readOnly` or `writeOnly`, so that not all that is required is required of everybody.
    flagged: bool,
    /// Whether schemas accept nothing.
    pub(super) nothing: RefCell<HashMap<String, bool>>,
    /// The schemas that are being asked about, and the outermost of them that an answer rests on.
    pub(super) open: RefCell<Vec<String>>,
    pub(super) rests_on: Cell<usize>,
    /// The same of views that were asked about, by their pointers and how deep was looked.
    empty: RefCell<HashMap<(String, bool), bool>>,
}

impl<'s, 'a> Vacancy<'s, 'a> {
    pub(super) fn new(side: &'s Side<'a>, flagged: bool) -> Self {
        Self {
            side,
            flagged,
            nothing: RefCell::default(),
            open: RefCell::default(),
            rests_on: Cell::new(usize::MAX),
            empty: RefCell::default(),
        }
    }

    /// Whether `view` accepts no value.
    pub(super) fn accepts_nothing(&self, view: &View) -> bool {
        self.is_known_empty(view, true)
    }

    fn is_known_empty(&self, view: &View, deep: bool) -> bool {
        let key = (view.pointer.clone(), deep);
        let known = self.empty.borrow().get(&key).copied();
        let empty = known.unwrap_or_else(|| self.is_empty(view, if deep { DEPTH } else { 0 }));
        self.empty.borrow_mut().insert(key, empty);
        empty
    }

    /// Whether no value of `view` has anything where `step` leads; without `deep`, by the keywords of `view` alone.
    pub(super) fn misses(&self, view: &View, step: &Step, deep: bool) -> bool {
        self.is_known_empty(view, deep) || !self.leads(view, step, if deep { DEPTH } else { 0 })
    }

    /// Whether no value of `view` has anything where `step` leads, whatever the schema there is.
    pub(super) fn misses_around(&self, view: &View, step: &Step) -> bool {
        let keyword = match step {
            Step::Rest => "additionalProperties",
            Step::Name => "propertyNames",
            // Without looking deep, what the schemas of members and items accept is not asked.
            _ => return self.misses(view, step, false),
        };
        let mut open = view.clone();
        open.parts.remove(keyword);
        open.closed &= keyword != "additionalProperties";
        self.is_empty(&open, 0) || !self.leads(&open, step, 0)
    }

    /// Whether values of `view`, which has some, may have something where `step` leads.
    fn leads(&self, view: &View, step: &Step, depth: usize) -> bool {
        let allows = |name: &str| {
            view.types()
                .is_none_or(|types| types.iter().any(|one| one == name))
        };
        let listed = |fits: &dyn Fn(&Value) -> bool| {
            view.set("enum")
                .is_none_or(|values| values.iter().any(fits))
        };
        match step {
            Step::Same | Step::With(_) => true,
            Step::Member(name) => {
                // How many members a closed object has is not asked: that it has those that are required was.
                let fits = number(view, "maxProperties").is_none_or(|most| {
                    let mut names = self.required(view, depth);
                    names.insert(name.clone());
                    count(names.len()) <= most
                });
                allows("object")
                    && fits
                    && self.may_have(view, name, depth)
                    && listed(&|value| value.get(name).is_some())
            }
            Step::ByPattern(_) | Step::Rest | Step::Name => {
                let free = match (step, self.names(view)) {
                    (Step::Rest, Some(names)) => {
                        names.iter().any(|name| !properties(view).contains(&name))
                    }
                    _ => true,
                };
                allows("object")
                    && free
                    && is_within(1, &self.most_members(view, depth))
                    && listed(&|value| value.as_object().is_some_and(|all| !all.is_empty()))
            }
            Step::Item(_) | Step::Items | Step::Contains => {
                let index = match step {
                    Step::Item(index) => *index,
                    Step::Items => tuple(view).len(),
                    _ => 0,
                };
                allows("array")
                    && is_within(index + 1, &self.most_items(view, depth))
                    && listed(&|value| value.as_array().is_some_and(|items| items.len() > index))
            }
        }
    }

    /// The names that an object must have, whoever sends it.
    pub(super) fn required(&self, view: &View, depth: usize) -> BTreeSet<String> {
        let names = view.set("required").unwrap_or_default().iter();
        let names = names.filter_map(|name| name.as_str().map(str::to_owned));
        names
            .filter(|name| {
                if !self.flagged {
                    return true;
                }
                let Some(at) = property(view, name).filter(|_| depth > 0) else {
                    return false;
                };
                let inner = self.side.view(at);
                !["readOnly", "writeOnly"]
                    .iter()
                    .any(|flag| inner.parts.contains_key(*flag))
            })
            .collect()
    }

    /// Whether an object may have a member of this name.
    pub(super) fn may_have(&self, view: &View, name: &str, depth: usize) -> bool {
        let named = self.names(view).is_none_or(|names| names.contains(name));
        let taken = match property(view, name) {
            Some(at) => !self.is_nothing(at, depth),
            None => !view.closed || view.parts.contains_key("patternProperties"),
        };
        named && taken
    }

    /// The names that members may have, where `propertyNames` lists them.
    fn names(&self, view: &View) -> Option<BTreeSet<String>> {
        let Content::One(at) = &view.parts.get("propertyNames")?.content else {
            return None;
        };
        let inner = self.side.view(at);
        match inner.set("enum") {
            _ if inner.never => Some(BTreeSet::new()),
            Some(names) => {
                let names = names.iter().filter_map(Value::as_str);
                Some(names.map(str::to_owned).collect())
            }
            None => None,
        }
    }

    pub(super) fn most_members(&self, view: &View, depth: usize) -> Option<Decimal> {
        let counted = number(view, "maxProperties");
        let named = self.names(view).map(|names| count(names.len()));
        let closed = view.closed && !view.parts.contains_key("patternProperties");
        let closed = closed.then(|| {
            let Some(Content::Named(all)) = view.parts.get("properties").map(|part| &part.content)
            else {
                return count(0);
            };
            count(
                all.values()
                    .filter(|at| !self.is_nothing(at, depth))
                    .count(),
            )
        });
        [counted, named, closed].into_iter().flatten().min()
    }

    pub(super) fn most_items(&self, view: &View, depth: usize) -> Option<Decimal> {
        let counted = number(view, "maxItems");
        let tuple = tuple(view);
        let cut = tuple.iter().position(|at| self.is_nothing(at, depth));
        let rest = match view.parts.get("items").map(|part| &part.content) {
            Some(Content::One(at)) if self.is_nothing(at, depth) => Some(tuple.len()),
            _ => None,
        };
        let cut = cut.or(rest).map(count);
        [counted, cut].into_iter().flatten().min()
    }
}

/// The schemas of the first items.
fn tuple(view: &View) -> &[String] {
    let listed = |keyword: &str| match view.parts.get(keyword).map(|part| &part.content) {
        Some(Content::Ordered(items)) => Some(items.as_slice()),
        _ => None,
    };
    listed("prefixItems")
        .or_else(|| listed("items"))
        .unwrap_or_default()
}

fn properties(view: &View) -> Vec<&String> {
    match view.parts.get("properties").map(|part| &part.content) {
        Some(Content::Named(all)) => all.keys().collect(),
        _ => Vec::new(),
    }
}

/// Where the schema of a property is.
pub(super) fn property<'v>(view: &'v View, name: &str) -> Option<&'v str> {
    match &view.parts.get("properties")?.content {
        Content::Named(all) => all.get(name).map(String::as_str),
        _ => None,
    }
}

/// The number that a keyword gives.
pub(super) fn number(view: &View, keyword: &str) -> Option<Decimal> {
    view.parts.get(keyword)?.literal()?.number()
}

pub(super) fn count(number: usize) -> Decimal {
    Decimal::of(&number.into())
}

fn is_within(number: usize, most: &Option<Decimal>) -> bool {
    most.as_ref().is_none_or(|most| count(number) <= *most)
}

//! Whether one schema accepts all that another one documents, keyword by keyword and member by member.
//!
//! Used for alternatives, where no value tells whether the others accept all that one did. Members that the inner schema does not name
//! are not looked at: who sends values of it does not document them.

use foldhash::HashSet;
use serde_json::Value;

use super::super::equal::identity;
use super::super::meaning::Edit;
use super::effect;
use super::matching::Sides;
use super::view::{Content, Part, View, is_annotation};
use crate::document::pointer;
use crate::finding::Side;

/// How many pairs of schemas are looked at for one answer.
const PAIRS: usize = 2_000;

/// A schema of one of the documents.
type At<'p> = (Side, &'p str);

/// Pairs that are being looked at, which holds of recursive schemas by induction.
type Assumed = HashSet<(Side, String, Side, String)>;

/// The values of the inner schema that are asked about.
#[derive(Clone, Copy)]
enum Asked<'e> {
    /// Those that have documented members only.
    Documented,
    /// All, and those that it accepts with these edits.
    All(&'e [Edit]),
}

impl<'e> Asked<'e> {
    fn is_all(self) -> bool {
        matches!(self, Self::All(_))
    }

    /// Whether an edit is of a schema that a view has only a part of.
    fn concerns_part_of(self, view: &View) -> bool {
        let Asked::All(edits) = self else {
            return false;
        };
        let holders = view.parts.values().flat_map(|part| {
            let named = match &part.content {
                Content::Named(members) => members.values().map(String::as_str).collect(),
                _ => Vec::new(),
            };
            let members = named
                .into_iter()
                .map(|at| pointer::parent(pointer::parent(at)));
            std::iter::once(pointer::parent(&part.pointer)).chain(members)
        });
        let required = view.required_in.iter().map(String::as_str);
        let mut holders = holders.chain(required).filter(|at| *at != view.pointer);
        holders.any(|at| edits.iter().any(|edit| edit.schema() == at))
    }

    /// The edits of the schema at `at`.
    fn edits_of<'s>(self, at: &'s str) -> impl Iterator<Item = &'e Edit> + use<'e, 's> {
        let edits = match self {
            Asked::Documented => &[],
            Asked::All(edits) => edits,
        };
        edits.iter().filter(move |edit| edit.schema() == at)
    }
}

impl Sides<'_> {
    /// Whether `outer` accepts all values of `inner` that have documented members only.
    pub(super) fn covers(&self, outer: At<'_>, inner: At<'_>) -> bool {
        self.covers_assuming(outer, inner, Asked::Documented, &mut Assumed::default())
    }

    /// Whether the old schema `outer` accepts all values of the old schema `inner`, also of those that `inner` has with any of `edits`,
    /// which do not concern `outer`.
    pub(super) fn includes(&self, outer: &str, inner: &str, edits: &[Edit]) -> bool {
        let (outer, inner) = ((Side::Old, outer), (Side::Old, inner));
        self.covers_assuming(outer, inner, Asked::All(edits), &mut Assumed::default())
    }

    pub(super) fn view_at(&self, (side, at): At<'_>) -> View {
        match side {
            Side::Old => self.old.view(&self.old.known_as(at)),
            Side::New => self.new.view(&self.new.known_as(at)),
        }
    }

    fn covers_assuming(
        &self,
        outer: At<'_>,
        inner: At<'_>,
        asked: Asked<'_>,
        assumed: &mut Assumed,
    ) -> bool {
        let equal = match (outer.0, inner.0) {
            (Side::Old, Side::New) => self.same(outer.1, inner.1),
            (Side::New, Side::Old) => self.same(inner.1, outer.1),
            _ => outer.1 == inner.1 || asked.is_all() && self.says_as(outer, inner, asked),
        };
        if equal {
            return true;
        }
        let pair = (outer.0, outer.1.to_owned(), inner.0, inner.1.to_owned());
        if assumed.len() >= PAIRS {
            return false;
        }
        if !assumed.insert(pair) {
            return true;
        }
        let (wide, narrow) = (self.view_at(outer), self.view_at(inner));
        let mut edits = asked.edits_of(&narrow.pointer);
        if edits.any(|edit| !is_of_keyword(edit)) || asked.concerns_part_of(&narrow) {
            return false;
        }
        if narrow.never {
            return true;
        }
        if wide.never || narrow.or_null && !takes_null(&wide) {
            return false;
        }
        if asked.is_all() && narrow.or_null && !wide.or_null && combines(&wide) {
            return false;
        }
        // All that the inner alternatives accept is to be accepted.
        for keyword in ["oneOf", "anyOf"] {
            let branches = narrow.branches(keyword);
            if !branches.is_empty() {
                let all = |branch: &String| {
                    self.covers_assuming(outer, (inner.0, branch), asked, &mut assumed.clone())
                };
                return branches.iter().all(all);
            }
        }
        let mut conjuncts = narrow.branches("allOf").iter();
        if asked.is_all()
            && conjuncts.any(|branch| {
                self.covers_assuming(outer, (inner.0, branch), asked, &mut assumed.clone())
            })
        {
            return true;
        }
        let said = wide.parts.iter();
        said.filter(|(keyword, _)| !is_annotation(keyword))
            .all(|(keyword, part)| {
                let inner = (inner, &narrow, asked);
                self.covers_keyword(keyword, part, (outer, &wide), inner, assumed)
            })
    }

    /// Whether two old schemas are written identically, and no edit changes the inner one or a schema inside it.
    fn says_as(&self, outer: At<'_>, inner: At<'_>, asked: Asked<'_>) -> bool {
        let is_edited = match asked {
            Asked::Documented => true,
            Asked::All(edits) => {
                let known = self.old.known_as(inner.1);
                edits.iter().any(|edit| edit.schema().starts_with(&known))
            }
        };
        !is_edited && self.old.said(outer.1) == self.old.said(inner.1)
    }

    fn covers_keyword(
        &self,
        keyword: &str,
        part: &Part,
        (outer, wide): (At<'_>, &View),
        (inner, narrow, asked): (At<'_>, &View, Asked<'_>),
        assumed: &mut Assumed,
    ) -> bool {
        let is_edited = asked.edits_of(&narrow.pointer).any(|edit| match edit {
            Edit::Keyword { old, new, .. } => {
                let mut places = old.iter().chain(new);
                places.any(|(_, other)| other == keyword)
            }
            _ => false,
        });
        let opposite = narrow.parts.get(keyword).filter(|_| !is_edited);
        // Members that the inner schema does not name may be anything.
        let has_no_others =
            || !asked.is_all() || narrow.closed && !narrow.parts.contains_key("patternProperties");
        let is_loose = |name: &str| {
            let mut edits = asked.edits_of(&narrow.pointer);
            edits.any(|edit| edit.member() == Some(name))
        };
        let content = opposite.map(|part| &part.content);
        match (&part.content, content) {
            (Content::Set(_), _) if keyword == "type" => {
                let Some(types) = narrow.types() else {
                    return false;
                };
                types.iter().all(|name| {
                    let wider = wide.types().unwrap_or_default();
                    wider.contains(name)
                        || name == "integer" && wider.iter().any(|one| one == "number")
                        || name == "null" && wide.or_null
                })
            }
            (Content::Set(_), Some(Content::Set(_))) => {
                let Some(own) = opposite else { return false };
                let holds = |one: &Part, other: &Part| {
                    let known: HashSet<String> = other.literals().iter().map(identity).collect();
                    one.literals()
                        .iter()
                        .all(|one| known.contains(&identity(one)))
                };
                let names = part.literals();
                let mut names = names.iter().filter_map(|name| name.value().as_str());
                match keyword {
                    "required" => holds(part, own) && !names.any(is_loose),
                    _ => holds(own, part),
                }
            }
            (Content::Named(members), Some(Content::Named(own))) if keyword == "properties" => {
                members.iter().all(
                    |(name, at)| match own.get(name).filter(|_| !is_loose(name)) {
                        Some(own) => {
                            let (wide, narrow) = ((outer.0, at.as_str()), (inner.0, own.as_str()));
                            self.covers_assuming(wide, narrow, asked, assumed)
                        }
                        None => has_no_others() && !is_loose(name),
                    },
                )
            }
            (Content::Named(_), None) if keyword == "properties" => has_no_others(),
            (Content::One(_), _)
                if keyword == "additionalProperties" && wide.closed && has_no_others() =>
            {
                let names = |view: &View| match view.parts.get("properties").map(|one| &one.content)
                {
                    Some(Content::Named(members)) => members.keys().cloned().collect(),
                    _ => HashSet::default(),
                };
                names(narrow).is_subset(&names(wide))
            }
            // What holds under a condition, or a number of times, is not covered by what covers its parts.
            (Content::One(at), Some(Content::One(own)))
                if (!asked.is_all() || is_of_all_values(keyword, narrow))
                    && effect::variance(keyword, true, (wide, narrow)) == 1
                    && !["then", "else"].contains(&keyword) =>
            {
                self.covers_assuming((outer.0, at), (inner.0, own), asked, assumed)
            }
            (Content::Branches(branches), _) if keyword == "anyOf" => {
                branches.iter().any(|branch| {
                    self.covers_assuming((outer.0, branch), inner, asked, &mut assumed.clone())
                })
            }
            (Content::Branches(branches), _) if keyword == "allOf" => branches
                .iter()
                .all(|branch| self.covers_assuming((outer.0, branch), inner, asked, assumed)),
            (Content::Value(wider), Some(Content::Value(narrower))) => {
                let Some(own) = opposite else { return false };
                let change = effect::of_change(keyword, narrower, wider);
                part.says_what(own) || part.is_held() && own.is_held() && !change.narrows
            }
            _ => false,
        }
    }
}

/// Whether an edit concerns one keyword of the schema that it is of.
fn is_of_keyword(edit: &Edit) -> bool {
    match edit {
        Edit::Keyword { old, new, .. } => {
            let mut places = old.iter().chain(new);
            !places
                .any(|(_, keyword)| ["$ref", "allOf", "anyOf", "oneOf"].contains(&keyword.as_str()))
        }
        Edit::Entry { keyword, .. } => keyword == "properties",
        Edit::Required { .. } => true,
        _ => false,
    }
}

/// Whether what a keyword's schema says holds of all items or names, and not only of those that nothing else speaks of.
fn is_of_all_values(keyword: &str, view: &View) -> bool {
    let has_tuple = ["prefixItems", "additionalItems"]
        .iter()
        .any(|keyword| view.parts.contains_key(*keyword));
    match keyword {
        "items" | "contains" => !has_tuple,
        _ => keyword == "propertyNames",
    }
}

/// Whether a schema has keywords that look at the whole value.
fn combines(view: &View) -> bool {
    ["allOf", "anyOf", "oneOf", "not", "if"]
        .iter()
        .any(|keyword| view.parts.contains_key(*keyword))
}

/// Whether a schema accepts null.
fn takes_null(view: &View) -> bool {
    let listed =
        |keyword: &str, null: &Value| view.set(keyword).is_none_or(|values| values.contains(null));
    view.or_null || listed("type", &Value::from("null")) && listed("enum", &Value::Null)
}

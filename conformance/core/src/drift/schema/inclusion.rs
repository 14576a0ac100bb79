//! Whether one schema accepts all that another one documents, keyword by keyword and member by member.
//!
//! Used for alternatives, where no value tells whether the others accept all that one did. Members that the inner schema does not name
//! are not looked at: who sends values of it does not document them.

use foldhash::HashSet;
use serde_json::Value;

use super::super::equal::identity;
use super::effect;
use super::matching::Sides;
use super::view::{Content, Part, View, is_annotation};
use crate::finding::Side;

/// How many pairs of schemas are looked at for one answer.
const PAIRS: usize = 2_000;

/// A schema of one of the documents.
type At<'p> = (Side, &'p str);

/// Pairs that are being looked at, which holds of recursive schemas by induction.
type Assumed = HashSet<(Side, String, Side, String)>;

impl Sides<'_> {
    /// Whether `outer` accepts all values of `inner` that have documented members only.
    pub(super) fn covers(&self, outer: At<'_>, inner: At<'_>) -> bool {
        self.covers_assuming(outer, inner, &mut Assumed::default())
    }

    pub(super) fn view_at(&self, (side, at): At<'_>) -> View {
        match side {
            Side::Old => self.old.view(&self.old.known_as(at)),
            Side::New => self.new.view(&self.new.known_as(at)),
        }
    }

    fn covers_assuming(&self, outer: At<'_>, inner: At<'_>, assumed: &mut Assumed) -> bool {
        let equal = match (outer.0, inner.0) {
            (Side::Old, Side::New) => self.same(outer.1, inner.1),
            (Side::New, Side::Old) => self.same(inner.1, outer.1),
            _ => outer.1 == inner.1,
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
        if narrow.never {
            return true;
        }
        if wide.never || narrow.or_null && !takes_null(&wide) {
            return false;
        }
        // All that the inner alternatives accept is to be accepted.
        for keyword in ["oneOf", "anyOf"] {
            let branches = narrow.branches(keyword);
            if !branches.is_empty() {
                let all = |branch: &String| {
                    self.covers_assuming(outer, (inner.0, branch), &mut assumed.clone())
                };
                return branches.iter().all(all);
            }
        }
        let said = wide.parts.iter();
        said.filter(|(keyword, _)| !is_annotation(keyword))
            .all(|(keyword, part)| {
                self.covers_keyword(keyword, part, (outer, &wide), (inner, &narrow), assumed)
            })
    }

    fn covers_keyword(
        &self,
        keyword: &str,
        part: &Part,
        (outer, wide): (At<'_>, &View),
        (inner, narrow): (At<'_>, &View),
        assumed: &mut Assumed,
    ) -> bool {
        let opposite = narrow.parts.get(keyword);
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
                match keyword {
                    "required" => holds(part, own),
                    _ => holds(own, part),
                }
            }
            (Content::Named(members), Some(Content::Named(own))) if keyword == "properties" => {
                members.iter().all(|(name, at)| {
                    own.get(name).is_none_or(|own| {
                        self.covers_assuming((outer.0, at), (inner.0, own), assumed)
                    })
                })
            }
            (Content::Named(_), None) if keyword == "properties" => true,
            (Content::One(_), _) if keyword == "additionalProperties" && wide.closed => {
                let names = |view: &View| match view.parts.get("properties").map(|one| &one.content)
                {
                    Some(Content::Named(members)) => members.keys().cloned().collect(),
                    _ => HashSet::default(),
                };
                names(narrow).is_subset(&names(wide))
            }
            // What holds under a condition, or a number of times, is not covered by what covers its parts.
            (Content::One(at), Some(Content::One(own)))
                if effect::variance(keyword, true, (wide, narrow)) == 1
                    && !["then", "else"].contains(&keyword) =>
            {
                self.covers_assuming((outer.0, at), (inner.0, own), assumed)
            }
            (Content::Branches(branches), _) if keyword == "anyOf" => branches
                .iter()
                .any(|branch| self.covers_assuming((outer.0, branch), inner, &mut assumed.clone())),
            (Content::Branches(branches), _) if keyword == "allOf" => branches
                .iter()
                .all(|branch| self.covers_assuming((outer.0, branch), inner, assumed)),
            (Content::Value(wider), Some(Content::Value(narrower))) => {
                let Some(own) = opposite else { return false };
                let change = effect::of_change(keyword, narrower, wider);
                part.says_what(own) || part.is_held() && own.is_held() && !change.narrows
            }
            _ => false,
        }
    }
}

/// Whether a schema accepts null.
fn takes_null(view: &View) -> bool {
    let listed =
        |keyword: &str, null: &Value| view.set(keyword).is_none_or(|values| values.contains(null));
    view.or_null || listed("type", &Value::from("null")) && listed("enum", &Value::Null)
}

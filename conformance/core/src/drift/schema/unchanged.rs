//! The content of two schemas that say the same themselves: no view of them is needed where nothing in them has to be folded away.

use serde_json::{Map, Value};

use super::super::equal::PROVENANCE;
use super::super::meaning::Step;
use super::super::pair::Pair;
use super::super::same::Same;
use super::compare::{Values, Walk};
use super::differences::Below;
use super::users::component;
use super::view::PROSE;
use crate::document::keyword::{MAPS, SINGLE};

/// Schemas below two others, with what stands there.
pub(super) type Inner<'a> = Vec<(Below, Values<'a>)>;

/// Two objects at the same place.
type Objects<'a> = (&'a Map<String, Value>, &'a Map<String, Value>);

impl<'a> Walk<'a> {
    /// Returns the content of the schemas of a pair, if they say the same themselves; none where that needs a view of them.
    pub(super) fn unchanged(&self, id: usize) -> Option<Inner<'a>> {
        let visit = &self.pairs[id];
        let (one @ Value::Object(ones), other @ Value::Object(others)) =
            (visit.values.0?, visit.values.1?)
        else {
            return None;
        };
        let same = self.sides.same.borrow();
        if !same.around(one, other) {
            return None;
        }
        let at = Pair::new(visit.old.as_str(), visit.new.as_str());
        let mut in_place = ones.keys().filter(|keyword| is_in_place(keyword));
        match (in_place.next().map(String::as_str), in_place.next()) {
            (None, _) => Some(members(&same, &at, (ones, others))),
            (Some(keyword @ ("anyOf" | "oneOf")), None) => {
                self.union(&same, &at, keyword, (ones, others))
            }
            _ => None,
        }
    }

    /// Returns the content of alternatives that are the same components on both sides, and null beside them.
    fn union(
        &self,
        same: &Same<'a>,
        at: &Pair,
        keyword: &str,
        (ones, others): Objects<'a>,
    ) -> Option<Inner<'a>> {
        let prose = self.sides.old.compares_prose();
        let is_silent = |key: &str| {
            key == keyword || PROVENANCE.contains(&key) || !prose && PROSE.contains(&key)
        };
        if !ones.keys().chain(others.keys()).all(|key| is_silent(key)) {
            return None;
        }
        let (ones, others) = (ones[keyword].as_array()?, others[keyword].as_array()?);
        let at = at.member(keyword);
        let mut nulls = 0;
        let mut branches = Vec::new();
        for (index, (one, other)) in ones.iter().zip(others).enumerate() {
            if is_null(one) && is_null(other) {
                nulls += 1;
                continue;
            }
            let place = at.member(&index.to_string());
            let (old, target) = self.sides.old.known_from(&place.old, Some(one));
            let (new, beside) = self.sides.new.known_from(&place.new, Some(other));
            let (target, beside) = (target?, beside?);
            let is_one = old == new && component(&old).is_some();
            if !is_one || !is_plain(target) || !is_plain(beside) {
                return None;
            }
            branches.push((place, Pair::new(old, new), (target, beside), (one, other)));
        }
        match (branches.as_slice(), nulls) {
            // An alternative beside null is looked at as if it stood here.
            ([(_, at, (one, other), _)], 1) if same.around(one, other) => {
                Some(members(same, at, (one.as_object()?, other.as_object()?)))
            }
            (all, 0 | 1) if all.len() > 1 => {
                let below = all.iter().map(|(place, .., (one, other))| {
                    let below = Below::new(&place.old, &place.new, keyword, Step::Same);
                    (below, (Some(*one), Some(*other)))
                });
                Some(below.collect())
            }
            _ => None,
        }
    }
}

/// Returns the differences below two schemas whose keywords look at members and items only.
fn members<'a>(same: &Same<'a>, at: &Pair, (ones, others): Objects<'a>) -> Inner<'a> {
    let mut below = Vec::new();
    for (keyword, one) in ones {
        let Some(other) = others.get(keyword) else {
            continue;
        };
        let mut add = |name: Option<&str>, step: Step, one, other| {
            let at = at.member(keyword);
            let at = name.map_or_else(|| at.clone(), |name| at.member(name));
            let inner = Below::new(&at.old, &at.new, keyword, step);
            below.push((inner, (Some(one), Some(other))));
        };
        match (one, other) {
            (Value::Object(ones), Value::Object(others))
                if MAPS.contains(&keyword.as_str())
                    && !["$defs", "definitions"].contains(&keyword.as_str()) =>
            {
                for (name, one) in ones {
                    if let Some(other) = others.get(name)
                        && !same.inner(one, other)
                    {
                        add(Some(name), Step::of(keyword, name, 0), one, other);
                    }
                }
            }
            (Value::Array(ones), Value::Array(others)) => {
                for (index, (one, other)) in ones.iter().zip(others).enumerate() {
                    if !same.inner(one, other) {
                        let step = Step::of(keyword, "tuple", index);
                        add(Some(&index.to_string()), step, one, other);
                    }
                }
            }
            _ if SINGLE.contains(&keyword.as_str()) && !same.inner(one, other) => {
                add(None, Step::of(keyword, "", 0), one, other);
            }
            _ => {}
        }
    }
    // The order of members changes nothing.
    below.sort_by(|(a, _), (b, _)| (&a.keyword, &a.old).cmp(&(&b.keyword, &b.old)));
    below
}

/// Whether a schema is that of null and says nothing else.
fn is_null(schema: &Value) -> bool {
    let members = schema.as_object();
    members.is_some_and(|all| all.len() == 1 && all.get("type").is_some_and(|name| name == "null"))
}

/// Whether a schema names one type that is not null, and has no keyword that has to be folded away.
fn is_plain(schema: &Value) -> bool {
    let Value::Object(schema) = schema else {
        return false;
    };
    let is_typed = matches!(schema.get("type"), Some(Value::String(name)) if name != "null");
    is_typed && !schema.keys().any(|keyword| is_in_place(keyword))
}

/// Whether a keyword looks at the same value as the schema that it stands in, or says which schema that is.
fn is_in_place(keyword: &str) -> bool {
    [
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "discriminator",
    ]
    .contains(&keyword)
}

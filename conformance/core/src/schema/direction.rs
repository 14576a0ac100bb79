//! Which properties are sent in which direction: what `readOnly` and `writeOnly` say about `required`.
//!
//! A property is not required of a sender that does not send it, wherever `required` and `properties` stand among the schemas that
//! apply to the same object: beside each other, in `allOf`, behind a reference, around alternatives or in one of them. Alternatives of
//! one `anyOf` or `oneOf` say nothing about each other. A property is not sent when its schema is flagged: itself, beside or behind its
//! reference, in its `allOf`, or in each alternative but null.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashSet};
use serde_json::{Map, Value};

use super::Subschemas;
use crate::document::pointer;
use crate::finding::Sender;

/// Names of properties.
pub type Names = BTreeSet<String>;

/// The properties that one side does not send.
#[derive(Debug)]
pub struct Unsent<'a> {
    subschemas: Subschemas<'a>,
    /// The keywords that say so; none where no schema has one.
    flags: &'static [&'static str],
    /// A schema that is taken to have a flag, or not to have it.
    assumed: Option<(String, String, bool)>,
    /// By schema, the names that it and all that applies with it do not send.
    known: RefCell<HashMap<String, Rc<Names>>>,
    /// By schema, the names that it does not send by its own properties.
    owned: RefCell<HashMap<String, Rc<Names>>>,
    /// By schema, whether it is flagged.
    properties: RefCell<HashMap<String, bool>>,
}

impl<'a> Unsent<'a> {
    /// Selects the properties that `sender` does not send. Without a sender: those that one of both does not send, for the example of a
    /// schema that serves both.
    #[must_use]
    pub fn new(subschemas: Subschemas<'a>, sender: Option<Sender>) -> Self {
        let flags: &[&str] = match sender {
            Some(Sender::Client) => &["readOnly"],
            Some(Sender::Server) => &["writeOnly"],
            None => &["readOnly", "writeOnly"],
        };
        Self {
            flags,
            ..Self::nothing(subschemas)
        }
    }

    /// For schemas of which none is [flagged](is_flagged): everything is sent.
    #[must_use]
    pub fn nothing(subschemas: Subschemas<'a>) -> Self {
        Self {
            subschemas,
            flags: &[],
            assumed: None,
            known: RefCell::default(),
            owned: RefCell::default(),
            properties: RefCell::default(),
        }
    }

    /// As if the schema at `at` had the flag, or did not have it: the effect of a change of this flag alone.
    #[must_use]
    pub fn assuming(&self, at: &str, flag: &str, set: bool) -> Self {
        Self {
            flags: self.flags,
            assumed: Some((at.to_owned(), flag.to_owned(), set)),
            ..Self::nothing(self.subschemas)
        }
    }

    /// The properties that are not sent, by the schema at `at` and all that applies to the same object.
    #[must_use]
    pub fn names(&self, at: &str) -> Rc<Names> {
        self.looked_up(&self.known, at, |names| {
            for at in self.subschemas.in_place(&[at.to_owned()]) {
                self.own(&at, names);
            }
        })
    }

    /// The properties that are not sent, as far as the subschemas that `keyword` holds in the schema at `at` have a part in it; `around`
    /// are those that the schemas around `at` do not send.
    #[must_use]
    pub fn around(&self, at: &str, keyword: &str, around: &Names) -> Names {
        let mut names = around.clone();
        if self.flags.is_empty() {
            return names;
        }
        self.own(at, &mut names);
        // `then` and `else` are alternatives, as the branches of `anyOf` and `oneOf` are.
        let group = |keyword: &str| match keyword {
            "anyOf" => Some(0),
            "oneOf" => Some(1),
            "then" | "else" => Some(2),
            _ => None,
        };
        for (other, below) in self.subschemas.applied(at) {
            if group(keyword).is_none() || group(other) != group(keyword) {
                names.extend(self.names(&below).iter().cloned());
            }
        }
        names
    }

    /// The properties that are not sent by the schema at `at` alone.
    #[must_use]
    pub fn own_names(&self, at: &str) -> Rc<Names> {
        self.looked_up(&self.owned, at, |names| self.own(at, names))
    }

    /// The names that `known` has for the schema at `at`, which `add` finds the first time.
    fn looked_up(
        &self,
        known: &RefCell<HashMap<String, Rc<Names>>>,
        at: &str,
        add: impl FnOnce(&mut Names),
    ) -> Rc<Names> {
        if self.flags.is_empty() {
            return Rc::default();
        }
        if let Some(known) = known.borrow().get(at) {
            return Rc::clone(known);
        }
        let mut names = Names::new();
        add(&mut names);
        let names = Rc::new(names);
        known.borrow_mut().insert(at.to_owned(), Rc::clone(&names));
        names
    }

    /// Adds the flagged ones among the properties of one schema.
    fn own(&self, at: &str, names: &mut Names) {
        let properties = pointer::join(at, "properties");
        let all = self.subschemas.object(&properties).into_iter();
        let flagged = |name: &&String| self.is_unsent(&pointer::join(&properties, name));
        names.extend(all.flat_map(Map::keys).filter(flagged).cloned());
    }

    /// Whether the property with the schema at `at` is not sent.
    #[must_use]
    pub fn is_unsent(&self, at: &str) -> bool {
        if let Some(known) = self.properties.borrow().get(at) {
            return *known;
        }
        // A schema that refers to itself has no flag by that.
        self.properties.borrow_mut().insert(at.to_owned(), false);
        let unsent = self.flagged_at(at);
        self.properties.borrow_mut().insert(at.to_owned(), unsent);
        unsent
    }

    fn flagged_at(&self, at: &str) -> bool {
        let schema = self.subschemas.object(at);
        let set = |flag: &&str| match &self.assumed {
            Some((assumed, name, set)) if assumed == at && name == flag => *set,
            _ => schema.is_some_and(|schema| schema.get(*flag) == Some(&Value::Bool(true))),
        };
        if self.flags.iter().any(set) {
            return true;
        }
        let (mut alternatives, mut sent) = (HashSet::default(), HashSet::default());
        for (keyword, below) in self.subschemas.applied(at) {
            match keyword {
                "$ref" | "$dynamicRef" | "allOf" if self.is_unsent(&below) => return true,
                "anyOf" | "oneOf" if !self.is_null(&below) => {
                    alternatives.insert(keyword);
                    if !self.is_unsent(&below) {
                        sent.insert(keyword);
                    }
                }
                _ => {}
            }
        }
        alternatives.iter().any(|keyword| !sent.contains(keyword))
    }

    fn is_null(&self, at: &str) -> bool {
        let schema = self.subschemas.object(at);
        schema.is_some_and(|schema| schema.get("type").is_some_and(|name| name == "null"))
    }
}

/// Whether a schema below `value` is `readOnly` or `writeOnly`.
#[must_use]
pub fn is_flagged(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| {
            let flag = matches!(name.as_str(), "readOnly" | "writeOnly");
            (flag && member == &Value::Bool(true)) || is_flagged(member)
        }),
        Value::Array(items) => items.iter().any(is_flagged),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unsent(schema: &Value, sender: Option<Sender>) -> Vec<String> {
        let unsent = Unsent::new(Subschemas::alone(schema), sender);
        unsent.names("").iter().cloned().collect()
    }

    #[test]
    fn a_property_is_unsent_by_its_flag_wherever_it_is_declared() {
        let flagged = json!({"readOnly": true});
        let reference = json!({"$ref": "#/$defs/flagged"});
        for property in [
            flagged.clone(),
            reference.clone(),
            json!({"$ref": "#/$defs/plain", "readOnly": true}),
            json!({"allOf": [reference]}),
            json!({"oneOf": [reference, {"type": "null"}]}),
            json!({"anyOf": [flagged, reference]}),
        ] {
            for declared in [
                json!({"properties": {"id": property}}),
                json!({"allOf": [{"properties": {"id": property}}, {"required": ["id"]}]}),
                json!({"oneOf": [{"properties": {"id": property}}, {}]}),
                json!({"if": {}, "then": {"anyOf": [{"properties": {"id": property}}]}}),
            ] {
                let mut schema = declared.clone();
                schema["$defs"] = json!({"flagged": {"readOnly": true}, "plain": {}});
                assert_eq!(unsent(&schema, Some(Sender::Client)), ["id"], "{schema}");
                assert_eq!(unsent(&schema, None), ["id"], "{schema}");
                assert!(unsent(&schema, Some(Sender::Server)).is_empty(), "{schema}");
            }
        }
    }

    #[test]
    fn a_property_is_sent_where_only_an_alternative_of_it_is_flagged_or_another_value_is_meant() {
        for property in [
            json!({"oneOf": [{"readOnly": true}, {"type": "string"}]}),
            json!({"not": {"readOnly": true}}),
            json!({"properties": {"inner": {"readOnly": true}}}),
            json!({"readOnly": false}),
            json!({"$ref": "#/properties/id"}),
        ] {
            let schema = json!({"properties": {"id": property}});
            assert!(unsent(&schema, Some(Sender::Client)).is_empty(), "{schema}");
        }
    }

    #[test]
    fn a_flag_may_be_assumed() {
        let schema =
            json!({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"readOnly": true}}});
        for (at, set, expected) in [("/$defs/a", false, ""), ("/properties/a", true, "a")] {
            let unsent = Unsent::new(Subschemas::alone(&schema), Some(Sender::Client));
            let unsent = unsent.assuming(at, "readOnly", set);
            assert_eq!(
                unsent.names("").iter().cloned().collect::<String>(),
                expected
            );
        }
        assert!(is_flagged(&schema) && !is_flagged(&json!([{"readOnly": false}])));
    }

    #[test]
    fn alternatives_say_nothing_about_each_other_and_all_else_does() {
        let schema = json!({
            "properties": {"a": {"readOnly": true}},
            "allOf": [{"properties": {"b": {"readOnly": true}}}],
            "oneOf": [{"properties": {"c": {"readOnly": true}}}, {"properties": {"d": {"readOnly": true}}}],
        });
        let subschemas = Subschemas::alone(&schema);
        let unsent = Unsent::new(subschemas, Some(Sender::Client));
        let around = Names::from(["z".to_owned()]);
        let names = |keyword| {
            unsent
                .around("", keyword, &around)
                .into_iter()
                .collect::<String>()
        };
        assert_eq!(names("oneOf"), "abz");
        assert_eq!(names("allOf"), "abcdz");
    }
}

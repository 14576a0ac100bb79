//! One difference as an edit of the old schema: what makes a schema that is the old one with only this difference applied.

use serde_json::{Map, Value, json};

use crate::document::Literal;
use crate::document::keyword::{LISTS, MAPS, SINGLE};
use crate::schema::pattern::translated;

/// A change of one schema of the old document. Schemas are named by their pointers, in the old document unless said otherwise.
#[derive(Debug, Clone)]
pub(in super::super) enum Edit {
    /// A keyword is replaced, added or removed as a whole.
    Keyword {
        /// The schema that the keyword is added to.
        schema: String,
        /// The schema and spelling that it has in the old document.
        old: Option<(String, String)>,
        /// The schema and spelling that it has in the new document.
        new: Option<(String, String)>,
    },
    /// `oneOf` becomes `anyOf`, or the reverse.
    Rename {
        schema: String,
        from: &'static str,
        to: &'static str,
    },
    /// An entry of a map of schemas is added or removed.
    Entry {
        schema: String,
        keyword: String,
        name: String,
        /// The schema in the new document; none where the entry is removed.
        new: Option<String>,
    },
    /// A name is added to `required`, or removed from it.
    Required {
        schema: String,
        name: String,
        add: bool,
    },
    /// Values are added to `enum` or `const`, or removed from it.
    Values {
        schema: String,
        add: Vec<Literal>,
        remove: Vec<Literal>,
    },
    /// Other types are allowed; null stays what it was.
    Types {
        schema: String,
        /// None where any type is allowed.
        types: Option<Vec<Value>>,
    },
    /// Null is accepted or rejected, whatever else the schema says.
    Null { schema: String, add: bool },
    /// A subschema of a list is added or removed.
    Branch {
        schema: String,
        keyword: String,
        old: Option<String>,
        /// The schema in the new document.
        new: Option<String>,
    },
    /// The whole schema is replaced.
    Schema {
        schema: String,
        /// The schema in the new document.
        new: String,
    },
    /// `readOnly` or `writeOnly` is set or cleared.
    Flag {
        schema: String,
        flag: String,
        set: bool,
    },
}

impl Edit {
    /// The schema that is edited.
    pub(in super::super) fn schema(&self) -> &str {
        match self {
            Self::Keyword { schema, .. }
            | Self::Rename { schema, .. }
            | Self::Entry { schema, .. }
            | Self::Required { schema, .. }
            | Self::Values { schema, .. }
            | Self::Types { schema, .. }
            | Self::Null { schema, .. }
            | Self::Branch { schema, .. }
            | Self::Schema { schema, .. }
            | Self::Flag { schema, .. } => schema,
        }
    }

    /// Whether the edit changes the schema at `at`.
    pub(super) fn is_of(&self, at: &str) -> bool {
        self.schema() == at
    }

    /// Whether the edit changes which members an object may have that no keyword names.
    pub(super) fn is_about_others(&self) -> bool {
        let is_rest = |place: &Option<(String, String)>| {
            let keyword = place.as_ref().map(|(_, keyword)| keyword.as_str());
            matches!(
                keyword,
                Some("additionalProperties" | "unevaluatedProperties")
            )
        };
        matches!(self, Self::Keyword { old, new, .. } if is_rest(old) || is_rest(new))
    }

    /// Whether the keyword of the schema at `at` is not written as it stands.
    pub(super) fn replaces(&self, at: &str, key: &str) -> bool {
        match self {
            Self::Keyword {
                old: Some((schema, keyword)),
                ..
            } => schema == at && keyword == key,
            Self::Rename { schema, from, .. } => schema == at && *from == key,
            _ => false,
        }
    }

    /// Whether the subschema at `at` is left out.
    pub(super) fn removes_branch(&self, at: &str) -> bool {
        matches!(self, Self::Branch { old: Some(old), .. } if old == at)
    }

    /// Whether values of the schema that is edited still have the mark that they had: the values of the member `name`, or their types.
    pub(super) fn keeps_mark(&self, name: Option<&str>) -> bool {
        const FORMS: [&str; 9] = [
            "$ref",
            "$dynamicRef",
            "allOf",
            "anyOf",
            "oneOf",
            "properties",
            "enum",
            "const",
            "type",
        ];
        match self {
            Self::Required { .. } | Self::Rename { .. } | Self::Flag { .. } => true,
            Self::Entry {
                keyword,
                name: entry,
                ..
            } => keyword != "properties" || name != Some(entry.as_str()),
            Self::Keyword { old, new, .. } => {
                let mut places = old.iter().chain(new);
                !places.any(|(_, keyword)| FORMS.contains(&keyword.as_str()))
            }
            Self::Branch { keyword, old, .. } => keyword == "allOf" && old.is_none(),
            Self::Values { .. } | Self::Types { .. } | Self::Null { .. } | Self::Schema { .. } => {
                false
            }
        }
    }

    /// Whether the edit brings or takes schemas: those that it brings may repeat what stands around them, and those that it takes are said
    /// of one side only, so neither may be left out of what is compared.
    pub(super) fn concerns_schemas(&self) -> bool {
        let holds = |place: &Option<(String, String)>| {
            place.as_ref().is_some_and(|(_, keyword)| {
                [&LISTS[..], &SINGLE[..], &MAPS[..]]
                    .iter()
                    .any(|all| all.contains(&&**keyword))
            })
        };
        match self {
            Self::Schema { .. } | Self::Branch { .. } | Self::Rename { .. } => true,
            Self::Keyword { old, new, .. } => holds(old) || holds(new),
            // Of members both sides are asked one by one.
            Self::Entry { keyword, .. } => keyword != "properties",
            _ => false,
        }
    }

    /// Whether a value that was not listed is not listed now either.
    pub(super) fn lists_no_values(&self) -> bool {
        const FORMS: [&str; 6] = ["enum", "const", "anyOf", "oneOf", "allOf", "$ref"];
        match self {
            Self::Keyword { old, new, .. } => {
                let mut places = old.iter().chain(new);
                !places.any(|(_, keyword)| FORMS.contains(&keyword.as_str()))
            }
            Self::Values { add, .. } => add.is_empty(),
            Self::Null { add, .. } => !add,
            Self::Schema { .. } | Self::Branch { .. } | Self::Rename { .. } => false,
            Self::Entry { .. } | Self::Required { .. } | Self::Types { .. } | Self::Flag { .. } => {
                true
            }
        }
    }

    /// Whether the edit brings or takes forms that values may have.
    pub(in super::super) fn is_of_alternatives(&self) -> bool {
        matches!(self, Self::Schema { .. } | Self::Branch { .. })
    }

    /// The only member that the edit is about, if there is one.
    pub(in super::super) fn member(&self) -> Option<&str> {
        match self {
            Self::Entry { keyword, name, .. } if keyword == "properties" => Some(name),
            Self::Required { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Applies what needs no other schema to a schema that was written out.
    /// `meant` gives the values that stand in for those of a document.
    pub(super) fn apply(
        &self,
        out: &mut Map<String, Value>,
        hidden: impl Fn(&str) -> bool,
        meant: impl Fn(&Literal) -> Value,
    ) {
        match self {
            Self::Required { name, add, .. } => {
                let names = out.entry("required").or_insert_with(|| json!([]));
                if let Value::Array(names) = names {
                    names.retain(|one| one != name);
                    if *add && !hidden(name) {
                        names.push(json!(name));
                    }
                }
            }
            Self::Values { add, remove, .. } => {
                let constant = out.shift_remove("const").map(|one| vec![one]);
                let list = match out.shift_remove("enum") {
                    Some(Value::Array(values)) => Some(values),
                    _ => None,
                };
                let mut values = list.or(constant).unwrap_or_default();
                let remove: Vec<Value> = remove.iter().map(&meant).collect();
                values.retain(|one| !remove.contains(one));
                values.extend(add.iter().map(&meant));
                out.insert("enum".to_owned(), Value::Array(values));
            }
            Self::Types { types, .. } => {
                let null = match out.shift_remove("type") {
                    Some(Value::Array(types)) => types.len() > 1 && types.contains(&json!("null")),
                    _ => false,
                };
                if let Some(types) = types {
                    let mut types = types.clone();
                    if null && !types.contains(&json!("null")) {
                        types.push(json!("null"));
                    }
                    out.insert("type".to_owned(), Value::Array(types));
                }
            }
            Self::Entry {
                keyword,
                name,
                new: None,
                ..
            } => {
                if let Some(Value::Object(members)) = out.get_mut(keyword) {
                    members.shift_remove(name);
                    members.shift_remove(&*translated(name));
                }
            }
            _ => {}
        }
    }

    /// Applies what concerns the schema as a whole.
    pub(super) fn wrap(&self, schema: Value) -> Value {
        match self {
            Self::Null { add: true, .. } => json!({"anyOf": [schema, {"type": "null"}]}),
            Self::Null { add: false, .. } => {
                json!({"allOf": [schema], "not": {"type": "null"}})
            }
            _ => schema,
        }
    }
}

//! Where a message carries a value: a header or a field of it, a parameter of the query, a member of the body, a claim of a token.

use serde::Serialize;
use serde_json::Value;

use super::message::{Message, scalar};
use super::read::Object;

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The carrier.
    #[serde(flatten)]
    pub carrier: Carrier,
    /// The field within the value, such as `t` in `t=1,v1=ab`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
    /// Text before the value, which is left out of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// The part of a message that carries a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Carrier {
    /// A header, its name in lower case.
    Header(String),
    /// A parameter of the query.
    Query(String),
    /// A member of the body, as a JSON pointer.
    Member(String),
    /// A claim of the JSON Web Token that is the signature.
    Claim(String),
}

/// A field of a value that has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The separator between two fields.
    pub separator: String,
    /// The separator between a name and its value.
    pub assign: String,
}

impl Location {
    /// Reads the members that say where a value is; the caller reads the others and closes the object.
    pub(super) fn read(object: &Object<'_>, claims: bool) -> Option<Self> {
        let carriers = [
            object.text("header").map(|name| {
                let name = name.to_ascii_lowercase();
                let token =
                    |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                if name.is_empty() || !name.bytes().all(token) {
                    object.fault("header", format!("`{name}` is not a header name"));
                }
                Carrier::Header(name)
            }),
            object
                .text("query")
                .map(|name| Carrier::Query(name.to_owned())),
            object.pointer("member").map(Carrier::Member),
            claims
                .then(|| object.text("claim"))
                .flatten()
                .map(|name| Carrier::Claim(name.to_owned())),
        ];
        let mut given = carriers.into_iter().flatten();
        let choices = if claims {
            "`header`, `query`, `member` or `claim`"
        } else {
            "`header`, `query` or `member`"
        };
        let carrier = given.next();
        if given.next().is_some() {
            object.fault_here(format!("only one of {choices} may be there"));
        }
        let field = object.text("field").map(|name| Field {
            name: name.to_owned(),
            separator: object.text("separator").unwrap_or(",").to_owned(),
            assign: object.text("assign").unwrap_or("=").to_owned(),
        });
        if field.is_none() {
            for name in ["separator", "assign"] {
                if object.value(name).is_some() {
                    object.fault(name, "has no effect without `field`");
                }
            }
        } else if let Some(field) = &field
            && (field.separator.is_empty() || field.assign.is_empty())
        {
            object.fault_here("`separator` and `assign` must not be empty");
        }
        let prefix = object.text("prefix").unwrap_or_default().to_owned();
        let Some(carrier) = carrier else {
            if !["header", "query", "member", "claim"]
                .iter()
                .any(|name| object.has(name))
            {
                object.fault_here(format!("one of {choices} must say where the value is"));
            }
            return None;
        };
        Some(Self {
            carrier,
            field,
            prefix,
        })
    }

    /// The values there, without their prefix; `claims` are those of the token that is the signature. A value without the prefix is left out.
    pub fn values(&self, message: &Message, claims: Option<&Value>) -> Vec<String> {
        let raw: Vec<String> = match &self.carrier {
            Carrier::Header(name) => message
                .header(name)
                .map(|value| value.trim().to_owned())
                .collect(),
            Carrier::Query(name) => message.query(name).into_iter().collect(),
            Carrier::Member(pointer) => message.member(pointer).iter().map(scalar).collect(),
            Carrier::Claim(name) => claims
                .and_then(|claims| claims.get(name))
                .iter()
                .map(|value| scalar(value))
                .collect(),
        };
        let fields: Vec<String> = match &self.field {
            None => raw,
            Some(field) => raw.iter().flat_map(|value| field.values(value)).collect(),
        };
        fields
            .into_iter()
            .filter_map(|value| value.strip_prefix(&self.prefix).map(str::to_owned))
            .collect()
    }

    /// The value there, if there is exactly one.
    pub fn value(&self, message: &Message) -> Option<String> {
        let mut values = self.values(message, None).into_iter();
        values.next().filter(|_| values.next().is_none())
    }

    /// How messages name the place, such as `` header `stripe-signature`, field `t` ``.
    pub fn name(&self) -> String {
        let carrier = match &self.carrier {
            Carrier::Header(name) => format!("header `{name}`"),
            Carrier::Query(name) => format!("query parameter `{name}`"),
            Carrier::Member(pointer) => format!("body member `{pointer}`"),
            Carrier::Claim(name) => format!("claim `{name}`"),
        };
        match &self.field {
            Some(field) => format!("{carrier}, field `{}`", field.name),
            None => carrier,
        }
    }

    /// Changes the last value that is here, and nothing around it. Returns whether there was one, and `change` gave another.
    pub fn change(&self, message: &mut Message, change: impl Fn(&str) -> Option<String>) -> bool {
        let Some(old) = self.values(message, None).pop() else {
            return false;
        };
        let Some(new) = change(&old) else {
            return false;
        };
        match &self.carrier {
            Carrier::Header(name) => {
                let Some(whole) = message.header(name).next().map(str::to_owned) else {
                    return false;
                };
                let (from, to) = match &self.field {
                    Some(field) => {
                        let start = format!("{}{}", field.name, field.assign);
                        (format!("{start}{old}"), format!("{start}{new}"))
                    }
                    None => (old, new),
                };
                let Some(at) = whole.rfind(&from) else {
                    return false;
                };
                let changed = format!("{}{to}{}", &whole[..at], &whole[at + from.len()..]);
                message.set_header(name, changed);
                true
            }
            Carrier::Query(name) => {
                let Some(pairs) = message.query_pairs() else {
                    return false;
                };
                let new = format!("{}{new}", self.prefix);
                let pairs = pairs.into_iter().map(|(key, value)| match key == *name {
                    true => (key, new.clone()),
                    false => (key, value),
                });
                message.set_query_pairs(pairs.collect())
            }
            Carrier::Member(pointer) => {
                let number = message.member(pointer).is_some_and(|old| old.is_number());
                let value = match new.parse::<i64>() {
                    Ok(new) if number => Value::from(new),
                    _ => Value::from(format!("{}{new}", self.prefix)),
                };
                message.set_member(pointer, value)
            }
            Carrier::Claim(_) => false,
        }
    }

    /// Writes a value where this is, beside the other fields of the same header. Returns whether the message has a place for it.
    pub fn put(&self, message: &mut Message, value: &str) -> bool {
        let value = format!("{}{value}", self.prefix);
        match &self.carrier {
            Carrier::Header(name) => {
                let text = match &self.field {
                    None => value,
                    Some(field) => {
                        let own = format!("{}{}{value}", field.name, field.assign);
                        let before = message.header(name).next().map(str::to_owned);
                        match before.filter(|before| !before.is_empty()) {
                            Some(before) => format!("{before}{}{own}", field.separator),
                            None => own,
                        }
                    }
                };
                message.set_header(name, text);
                true
            }
            Carrier::Query(name) => {
                let Ok(mut url) = url::Url::parse(&message.url) else {
                    return false;
                };
                url.query_pairs_mut().append_pair(name, &value);
                message.url = url.into();
                true
            }
            Carrier::Member(pointer) => message.set_member(pointer, Value::String(value)),
            Carrier::Claim(_) => true,
        }
    }
}

impl Field {
    /// The values of all fields of this name.
    fn values(&self, text: &str) -> Vec<String> {
        text.split(&self.separator)
            .filter_map(|part| part.trim().split_once(&self.assign))
            .filter(|(name, _)| name.trim() == self.name)
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }
}

//! A small model of an API whose schemas differ by changes of known members: names are apart from it, so that they can be exchanged.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// A number that identifies a member or an object, in every version of an API.
pub(crate) type Id = usize;

/// Whole values that are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Request,
    Answer,
    /// The request of a webhook, or in OpenAPI 3.0 of a callback.
    Event,
    /// The answer to it.
    Receipt,
}

impl Slot {
    pub(crate) const ALL: [Self; 4] = [Self::Request, Self::Answer, Self::Event, Self::Receipt];

    pub(crate) fn is_sent_by_server(self) -> bool {
        matches!(self, Self::Answer | Self::Event)
    }

    /// Returns the name of it in proofs.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Request | Self::Event => "request body",
            Self::Answer | Self::Receipt => "answer 200",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Schema {
    /// Keywords of a scalar, as 3.1 spells them.
    Leaf(Map<String, Value>),
    Object(Object),
    List {
        bounds: Map<String, Value>,
        items: Box<Schema>,
    },
    /// An object with any names.
    Dictionary {
        bounds: Map<String, Value>,
        values: Box<Schema>,
    },
    /// A reference to a component, by its index.
    Component(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) id: Id,
    pub(crate) closed: bool,
    pub(crate) members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) id: Id,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    /// `readOnly`, `writeOnly`, `deprecated` and `default`.
    pub(crate) flags: Map<String, Value>,
    pub(crate) schema: Schema,
}

impl Member {
    /// Whether it is not sent in a slot.
    pub(crate) fn is_hidden(&self, slot: Slot) -> bool {
        let flag = if slot.is_sent_by_server() {
            "writeOnly"
        } else {
            "readOnly"
        };
        self.flags.get(flag) == Some(&json!(true))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Api {
    /// Whether it is of OpenAPI 3.0 and not of 3.1.
    pub(crate) is_3_0: bool,
    pub(crate) uses: Vec<(Slot, Schema)>,
    pub(crate) components: Vec<Object>,
}

/// A document, and which of its nodes are which members and components.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) value: Value,
    /// Pointers, and what stands there in words that do not depend on names.
    places: Vec<(String, String)>,
}

impl Rendered {
    /// A pointer without names. Where a list of names stands does not count: the list itself may be missing.
    pub(crate) fn place(&self, pointer: &str) -> String {
        let place = self
            .places
            .iter()
            .filter(|(start, _)| {
                pointer
                    .strip_prefix(start.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|(start, _)| start.len());
        let (label, rest) = match place {
            Some((start, label)) => (label.as_str(), &pointer[start.len()..]),
            None => ("", pointer),
        };
        let rest = match rest.rsplit_once('/') {
            Some((before, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => before,
            _ => rest,
        };
        let rest = rest.strip_suffix("/required").unwrap_or(rest);
        format!("{label}{rest}")
    }

    /// The text of the document: a string `@1` stands for the number 1, which may be larger than any number here.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let all = self.value.to_string();
        let mut rest = all.as_str();
        while let Some((before, after)) = rest.split_once("\"@") {
            let (number, after) = after.split_once('"').expect("the string ends");
            text.push_str(before);
            text.push_str(number);
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

impl Api {
    /// Where the schema of a slot stands.
    pub(crate) fn pointer(&self, slot: Slot) -> String {
        let event = if self.is_3_0 {
            "/paths/~1things/post/callbacks/thing/{$request.query.url}/post"
        } else {
            "/webhooks/thing/post"
        };
        let operation = match slot {
            Slot::Request | Slot::Answer => "/paths/~1things/post",
            Slot::Event | Slot::Receipt => event,
        };
        let body = match slot {
            Slot::Request | Slot::Event => "requestBody",
            Slot::Answer | Slot::Receipt => "responses/200",
        };
        format!("{operation}/{body}/content/application~1json/schema")
    }

    pub(crate) fn render(&self, names: &[String]) -> Rendered {
        let mut writer = Writer {
            is_3_0: self.is_3_0,
            names,
            places: Vec::new(),
        };
        let mut operation =
            json!({"operationId": "things", "responses": {"200": {"description": "d"}}});
        let mut event = json!({"operationId": "thing", "responses": {"200": {"description": "d"}}});
        for (slot, schema) in &self.uses {
            let written = writer.schema(schema, &self.pointer(*slot));
            let content = json!({"application/json": {"schema": written}});
            let operation = match slot {
                Slot::Request | Slot::Answer => &mut operation,
                Slot::Event | Slot::Receipt => &mut event,
            };
            match slot {
                Slot::Request | Slot::Event => {
                    operation["requestBody"] = json!({"required": true, "content": content});
                }
                Slot::Answer | Slot::Receipt => {
                    operation["responses"]["200"]["content"] = content;
                }
            }
        }
        let mut schemas = Map::new();
        for (index, object) in self.components.iter().enumerate() {
            let pointer = format!("/components/schemas/C{index}");
            schemas.insert(format!("C{index}"), writer.object(object, &pointer));
            writer.places.push((pointer, format!("component {index}")));
        }
        let mut value = json!({
            "openapi": if self.is_3_0 { "3.0.3" } else { "3.1.0" },
            "info": {"title": "T", "version": "1"},
            "paths": {},
        });
        if self.is_3_0 {
            operation["callbacks"] = json!({"thing": {"{$request.query.url}": {"post": event}}});
        } else {
            value["webhooks"] = json!({"thing": {"post": event}});
        }
        value["paths"]["/things"] = json!({"post": operation});
        value["components"] = json!({"schemas": schemas});
        Rendered {
            value,
            places: writer.places,
        }
    }

    /// Takes a member away.
    pub(crate) fn without(&mut self, id: Id) {
        self.each_object(&mut |object| object.members.retain(|member| member.id != id));
    }

    /// All objects, those of components included.
    pub(crate) fn objects_mut(&mut self) -> Vec<&mut Object> {
        self.components
            .iter_mut()
            .chain(
                self.uses
                    .iter_mut()
                    .filter_map(|(_, schema)| schema.object_mut()),
            )
            .collect()
    }

    /// Does something to all objects, the outer ones first.
    pub(crate) fn each_object(&mut self, act: &mut dyn FnMut(&mut Object)) {
        for object in self.objects_mut() {
            each_object(object, act);
        }
    }

    /// All objects.
    pub(crate) fn objects(&self) -> Vec<&Object> {
        let mut all = Vec::new();
        let uses = self.uses.iter().filter_map(|(_, schema)| schema.object());
        for object in self.components.iter().chain(uses) {
            collect_objects(object, &mut all);
        }
        all
    }

    /// A member, and the object that has it.
    pub(crate) fn member(&self, id: Id) -> Option<(&Object, &Member)> {
        self.objects().into_iter().find_map(|object| {
            let member = object.members.iter().find(|member| member.id == id)?;
            Some((object, member))
        })
    }

    /// All members and objects that a schema is made of, through references too.
    pub(crate) fn reach(&self, schema: &Schema) -> BTreeSet<Id> {
        let mut reached = BTreeSet::new();
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            let object = match schema {
                Schema::Component(index) => &self.components[*index],
                other => match other.object() {
                    Some(object) => object,
                    None => match other.inner() {
                        Some(inner) => {
                            open.push(inner);
                            continue;
                        }
                        None => continue,
                    },
                },
            };
            if reached.insert(object.id) {
                for member in &object.members {
                    reached.insert(member.id);
                    open.push(&member.schema);
                }
            }
        }
        reached
    }

    /// All values within a value that stand where the object with an id stands.
    pub(crate) fn instances<'v>(
        &self,
        schema: &Schema,
        id: Id,
        names: &[String],
        value: &'v Value,
    ) -> Vec<&'v Value> {
        let mut found = Vec::new();
        let mut open = vec![(schema, value)];
        while let Some((schema, value)) = open.pop() {
            match schema {
                Schema::Leaf(_) => {}
                Schema::List { items, .. } => {
                    open.extend(
                        value
                            .as_array()
                            .into_iter()
                            .flatten()
                            .map(|item| (&**items, item)),
                    );
                }
                Schema::Dictionary { values, .. } => {
                    let members = value.as_object().into_iter().flatten();
                    open.extend(members.map(|(_, member)| (&**values, member)));
                }
                Schema::Object(_) | Schema::Component(_) => {
                    let object = match schema {
                        Schema::Object(object) => object,
                        Schema::Component(index) => &self.components[*index],
                        _ => continue,
                    };
                    if !value.is_object() {
                        continue;
                    }
                    if object.id == id {
                        found.push(value);
                    }
                    for member in &object.members {
                        if let Some(inner) = value.get(&names[member.id]) {
                            open.push((&member.schema, inner));
                        }
                    }
                }
            }
        }
        found
    }
}

fn each_object(object: &mut Object, act: &mut dyn FnMut(&mut Object)) {
    act(object);
    for member in &mut object.members {
        if let Some(inner) = member.schema.object_mut() {
            each_object(inner, act);
        }
    }
}

fn collect_objects<'a>(object: &'a Object, all: &mut Vec<&'a Object>) {
    all.push(object);
    for member in &object.members {
        if let Some(inner) = member.schema.object() {
            collect_objects(inner, all);
        }
    }
}

impl Schema {
    /// Returns the schema of its items or values.
    fn inner(&self) -> Option<&Self> {
        match self {
            Self::List { items: inner, .. } | Self::Dictionary { values: inner, .. } => Some(inner),
            _ => None,
        }
    }

    /// The object that it is, or that its items or values are.
    pub(crate) fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::List { items: inner, .. } | Self::Dictionary { values: inner, .. } => {
                inner.object()
            }
            Self::Leaf(_) | Self::Component(_) => None,
        }
    }

    fn object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::List { items: inner, .. } | Self::Dictionary { values: inner, .. } => {
                inner.object_mut()
            }
            Self::Leaf(_) | Self::Component(_) => None,
        }
    }

    /// Does something to the objects in it.
    pub(crate) fn each_object(&mut self, act: &mut dyn FnMut(&mut Object)) {
        if let Some(object) = self.object_mut() {
            each_object(object, act);
        }
    }

    /// Takes a member away from the objects in it.
    pub(crate) fn without(&mut self, id: Id) {
        self.each_object(&mut |object| object.members.retain(|member| member.id != id));
    }

    /// Whether it is a reference, or its items or values are.
    pub(crate) fn refers(&self) -> bool {
        matches!(self, Self::Component(_)) || self.inner().is_some_and(Self::refers)
    }
}

struct Writer<'a> {
    is_3_0: bool,
    names: &'a [String],
    places: Vec<(String, String)>,
}

impl Writer<'_> {
    fn schema(&mut self, schema: &Schema, pointer: &str) -> Value {
        match schema {
            Schema::Leaf(keywords) => Value::Object(self.spelled(keywords.clone())),
            Schema::Object(object) => self.object(object, pointer),
            Schema::List { bounds, items } => {
                let mut list = bounds.clone();
                list.insert("type".to_owned(), json!("array"));
                list.insert(
                    "items".to_owned(),
                    self.schema(items, &format!("{pointer}/items")),
                );
                Value::Object(list)
            }
            Schema::Dictionary { bounds, values } => {
                let mut map = bounds.clone();
                map.insert("type".to_owned(), json!("object"));
                let values = self.schema(values, &format!("{pointer}/additionalProperties"));
                map.insert("additionalProperties".to_owned(), values);
                Value::Object(map)
            }
            Schema::Component(index) => json!({"$ref": format!("#/components/schemas/C{index}")}),
        }
    }

    fn object(&mut self, object: &Object, pointer: &str) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for member in &object.members {
            let name = &self.names[member.id];
            let token = name.replace('~', "~0").replace('/', "~1");
            let at = format!("{pointer}/properties/{token}");
            let mut written = self.schema(&member.schema, &at);
            self.places.push((at, format!("member {}", member.id)));
            if member.nullable {
                if self.is_3_0 {
                    written["nullable"] = json!(true);
                } else {
                    let mut types = match written["type"].take() {
                        Value::Array(types) => types,
                        one => vec![one],
                    };
                    types.push(json!("null"));
                    written["type"] = Value::Array(types);
                }
            }
            for (key, value) in &member.flags {
                written[key] = value.clone();
            }
            if member.required {
                required.push(json!(name));
            }
            properties.insert(name.clone(), written);
        }
        let mut written = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            written["required"] = Value::Array(required);
        }
        if object.closed {
            written["additionalProperties"] = json!(false);
        }
        written
    }

    fn spelled(&self, mut keywords: Map<String, Value>) -> Map<String, Value> {
        for (exclusive, bound) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            if let (true, Some(limit)) = (self.is_3_0, keywords.get(exclusive).cloned()) {
                keywords.insert(bound.to_owned(), limit);
                keywords.insert(exclusive.to_owned(), json!(true));
            }
        }
        keywords
    }
}

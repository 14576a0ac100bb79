//! OpenAPI 2.0 written as 3.0, so that everything else knows one model only.
//!
//! What moves is noted, so that findings point at what stands in the file. `collectionFormat: tsv`, which 3.0 cannot say,
//! becomes the style `tabDelimited` of our own. Parameters, responses and path items of other files, and those whose media types
//! depend on the operation, become part of what refers to them. Not folded: `x-` members other than `x-nullable`, which are left alone.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::NODE_LIMIT;
use super::error::Problem;
use super::keyword::{has_free_names, is_data};
use super::origin::Moves;
use super::pointer::{self, index, join};
use super::position::Position;
use super::walk::count;

/// Members of a parameter or header of 2.0 that are a schema in 3.0.
const SCHEMA: [&str; 18] = [
    "type",
    "format",
    "items",
    "default",
    "enum",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "x-nullable",
    "title",
];

/// Media types where a document names none.
const DEFAULT: &str = "application/json";

/// How many references in a row are followed.
const CHAIN: usize = 20;

/// Writes a document of 2.0 as one of 3.0, and notes what moved.
///
/// # Errors
/// When what is referred to would have to be repeated too often.
pub(super) fn fold(old: &Value) -> Result<(Value, Moves), Problem> {
    let mut folding = Folding {
        old,
        moves: Moves::default(),
        repeated: 0,
    };
    let mut new = folding.root();
    if folding.repeated > NODE_LIMIT {
        return Err(Problem::new(
            Position::START,
            "the parameters, responses and paths of other files are repeated too often",
            "put them into the document",
        ));
    }
    let moved = folding.moves.reversed();
    rewrite(&mut new, false, &moved);
    Ok((new, folding.moves))
}

/// A part of the old document, and where it is.
type Old<'a> = (&'a Value, String);

struct Folding<'a> {
    old: &'a Value,
    moves: Moves,
    /// How many values were repeated.
    repeated: usize,
}

impl<'a> Folding<'a> {
    fn root(&mut self) -> Value {
        let mut root = Map::from_iter([("openapi".to_owned(), json!("3.0.3"))]);
        let mut components = Map::new();
        for (key, value) in self.old.as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                ("swagger" | "host" | "basePath" | "schemes" | "consumes" | "produces", _) => {}
                ("definitions", _) => {
                    self.moves.add("/components/schemas", "/definitions");
                    components.insert("schemas".to_owned(), value.clone());
                }
                ("securityDefinitions", Value::Object(schemes)) => {
                    self.moves
                        .add("/components/securitySchemes", "/securityDefinitions");
                    let all = schemes
                        .iter()
                        .map(|(name, one)| (name.clone(), scheme(one)));
                    components.insert("securitySchemes".to_owned(), all.collect());
                }
                ("parameters", Value::Object(parameters)) => {
                    self.shared_parameters(parameters, &mut components);
                }
                ("responses", Value::Object(responses)) => {
                    let mut all = Map::new();
                    for (name, one) in responses {
                        let (new, old) = (
                            join("/components/responses", name),
                            join("/responses", name),
                        );
                        let produces = types(&[self.old], "produces");
                        let one = self.resolved((one, old));
                        let answer = self.response(one, &produces, &new);
                        all.insert(name.clone(), answer);
                    }
                    components.insert("responses".to_owned(), Value::Object(all));
                }
                ("paths", Value::Object(paths)) => {
                    let mut all = Map::new();
                    for (path, item) in paths {
                        let at = join("/paths", path);
                        all.insert(path.clone(), self.item(item, &at));
                    }
                    root.insert(key.clone(), Value::Object(all));
                }
                _ => {
                    root.insert(key.clone(), value.clone());
                }
            }
        }
        if let Some(servers) = servers(self.old, self.old) {
            self.moves.add(
                "/servers",
                if self.old.get("host").is_some() {
                    "/host"
                } else {
                    "/basePath"
                },
            );
            root.insert("servers".to_owned(), servers);
        }
        if !components.is_empty() {
            root.insert("components".to_owned(), Value::Object(components));
        }
        Value::Object(root)
    }

    fn shared_parameters(
        &mut self,
        parameters: &'a Map<String, Value>,
        components: &mut Map<String, Value>,
    ) {
        let (mut plain, mut bodies) = (Map::new(), Map::new());
        for (name, one) in parameters {
            let old = join("/parameters", name);
            let (one, old) = self.resolved((one, old));
            match one.get("in").and_then(Value::as_str) {
                Some("body") => {
                    let new = join("/components/requestBodies", name);
                    let types = types(&[self.old], "consumes");
                    self.moves.add(&new, &old);
                    bodies.insert(name.clone(), self.body((one, old), &types, &new));
                }
                // Taken apart where they are used.
                Some("formData") => {}
                _ => {
                    let new = join("/components/parameters", name);
                    plain.insert(name.clone(), self.parameter((one, old), &new));
                }
            }
        }
        for (key, map) in [("parameters", plain), ("requestBodies", bodies)] {
            if !map.is_empty() {
                components.insert(key.to_owned(), Value::Object(map));
            }
        }
    }

    /// The members of a path item with those of the one that it refers to, of which its own take precedence.
    fn item_members(&mut self, item: &'a Value, at: &str) -> Vec<(&'a String, Old<'a>)> {
        let (other, from) = self.resolved((item, at.to_owned()));
        let own = |key: &str| from != at && item.get(key).is_some();
        let below = |value: &'a Value, at: &str| -> Vec<(&'a String, Old<'a>)> {
            let members = value.as_object().into_iter().flatten();
            members
                .map(|(key, value)| (key, (value, join(at, key))))
                .collect()
        };
        let mut all = below(other, &from);
        all.retain(|(key, _)| !own(key));
        if from != at {
            self.repeated += count(other);
            let own = below(item, at).into_iter();
            all.extend(own.filter(|(key, _)| *key != "$ref"));
        }
        all
    }

    fn item(&mut self, item: &'a Value, at: &str) -> Value {
        if !item.is_object() {
            return item.clone();
        }
        let members = self.item_members(item, at);
        let list = members.iter().find(|(key, _)| *key == "parameters");
        let shared = list.map_or_else(Vec::new, |(_, list)| self.listed(list));
        let mut all = Map::new();
        for (key, (value, old)) in members {
            let new = join(at, key);
            self.moves.add(&new, &old);
            let method = ["get", "put", "post", "delete", "options", "head", "patch"]
                .contains(&key.as_str());
            let value = match value {
                _ if self.repeated > NODE_LIMIT => Value::Null,
                Value::Object(_) if method => self.operation((value, old), &shared, &new),
                Value::Array(_) if key == "parameters" => {
                    let plain = shared.iter().filter(|one| !is_body(one));
                    let plain: Vec<_> = plain.cloned().collect();
                    self.parameters(&plain, &new)
                }
                _ => value.clone(),
            };
            all.insert(key.clone(), value);
        }
        Value::Object(all)
    }

    /// What a part of the document refers to, or the part itself.
    fn resolved(&self, (one, at): Old<'a>) -> Old<'a> {
        let (mut value, mut place) = (one, at.clone());
        for _ in 0..CHAIN {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return (value, place);
            };
            let target = pointer::from_reference(reference);
            let Some(found) = target.and_then(|at| Some((pointer::find(self.old, &at)?, at)))
            else {
                break;
            };
            (value, place) = found;
        }
        (one, at)
    }

    /// The items of a list, with what they refer to.
    fn listed(&self, (list, at): &Old<'a>) -> Vec<Item<'a>> {
        let items = list.as_array().into_iter().flatten();
        items
            .enumerate()
            .map(|(position, one)| self.item_at(one, index(at, position)))
            .collect()
    }

    fn item_at(&self, one: &'a Value, at: String) -> Item<'a> {
        let target = self.resolved((one, at.clone()));
        Item { one, at, target }
    }

    fn parameters(&mut self, plain: &[Item<'a>], new: &str) -> Value {
        let mut all = Vec::new();
        for (position, item) in plain.iter().enumerate() {
            let here = index(new, position);
            if item.named("#/parameters/").is_some() {
                self.moves.add(&here, &item.at);
                all.push(item.one.clone());
            } else {
                self.repeated += item.repeats();
                all.push(self.parameter(item.target.clone(), &here));
            }
        }
        Value::Array(all)
    }

    fn operation(&mut self, (whole, at): Old<'a>, shared: &[Item<'a>], new: &str) -> Value {
        let own = whole
            .get("parameters")
            .map(|list| (list, join(&at, "parameters")));
        let own = own.map_or_else(Vec::new, |list| self.listed(&list));
        let (bodies, plain): (Vec<_>, Vec<_>) = own.into_iter().partition(is_body);
        // A body of the path is one of each operation.
        let inherited = shared.iter().filter(|one| is_body(one)).cloned();
        let bodies = if bodies.is_empty() {
            inherited.collect()
        } else {
            bodies
        };
        let consumes = types(&[whole, self.old], "consumes");
        let produces = types(&[whole, self.old], "produces");
        let mut all = Map::new();
        for (key, value) in whole.as_object().into_iter().flatten() {
            let (here, there) = (join(new, key), join(&at, key));
            match (key.as_str(), value) {
                ("consumes" | "produces" | "schemes", _) => {}
                ("parameters", _) => {
                    if !plain.is_empty() {
                        all.insert(key.clone(), self.parameters(&plain, &here));
                    }
                }
                ("responses", Value::Object(responses)) => {
                    let mut answers = Map::new();
                    for (status, one) in responses {
                        let place = join(&here, status);
                        let item = self.item_at(one, join(&there, status));
                        // A shared one has the media types of the document.
                        let shared =
                            item.named("#/responses/").is_some() && whole.get("produces").is_none();
                        let answer = if shared {
                            one.clone()
                        } else {
                            self.repeated += item.repeats();
                            self.response(item.target, &produces, &place)
                        };
                        answers.insert(status.clone(), answer);
                    }
                    all.insert(key.clone(), Value::Object(answers));
                }
                _ => {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
        if let Some(first) = bodies.first() {
            let here = join(new, "requestBody");
            self.moves.add(&here, &first.target.1);
            let shared = first
                .named("#/parameters/")
                .filter(|_| whole.get("consumes").is_none());
            let body = match shared {
                _ if first.is_in("formData") => self.form(&bodies, &consumes, &here),
                Some(name) => json!({"$ref": format!("#/components/requestBodies/{name}")}),
                None => {
                    self.repeated += first.repeats();
                    self.body(first.target.clone(), &consumes, &here)
                }
            };
            all.insert("requestBody".to_owned(), body);
        }
        if whole.get("schemes").is_some()
            && let Some(servers) = servers(whole, self.old)
        {
            self.moves.add(&join(new, "servers"), &join(&at, "schemes"));
            all.insert("servers".to_owned(), servers);
        }
        Value::Object(all)
    }

    fn parameter(&mut self, (one, old): Old<'a>, new: &str) -> Value {
        let Value::Object(members) = one else {
            return one.clone();
        };
        self.moves.add(new, &old);
        if members.contains_key("$ref") {
            return one.clone();
        }
        self.moves.add(&join(new, "schema"), &old);
        let (mut all, mut schema) = (Map::new(), Map::new());
        let place = members
            .get("in")
            .and_then(Value::as_str)
            .unwrap_or("header");
        for (key, value) in members {
            match key.as_str() {
                "collectionFormat" => {}
                "schema" => schema.extend(value.as_object().cloned().unwrap_or_default()),
                key if SCHEMA.contains(&key) => {
                    schema.insert(key.to_owned(), value.clone());
                }
                key => {
                    all.insert(key.to_owned(), value.clone());
                }
            }
        }
        let array = schema.get("type") == Some(&json!("array"));
        let format = members
            .get("collectionFormat")
            .and_then(Value::as_str)
            .unwrap_or("csv");
        let query = matches!(place, "query" | "cookie");
        if array {
            let (style, explode) = match format {
                "multi" => ("form", true),
                "ssv" => ("spaceDelimited", false),
                "pipes" => ("pipeDelimited", false),
                "tsv" => ("tabDelimited", false),
                _ if query => ("form", false),
                _ => ("simple", false),
            };
            all.insert("style".to_owned(), json!(style));
            all.insert("explode".to_owned(), json!(explode));
        }
        if !schema.is_empty() {
            all.insert("schema".to_owned(), Value::Object(schema));
        }
        Value::Object(all)
    }

    fn body(&mut self, (one, old): Old<'a>, types: &[String], new: &str) -> Value {
        let mut all = Map::new();
        for key in ["description", "required"] {
            if let Some(value) = one.get(key) {
                all.insert(key.to_owned(), value.clone());
            }
        }
        let content = self.content(one.get("schema"), types, new, &old, &Map::new());
        all.insert("content".to_owned(), content);
        Value::Object(all)
    }

    fn content(
        &mut self,
        schema: Option<&Value>,
        types: &[String],
        new: &str,
        old: &str,
        examples: &Map<String, Value>,
    ) -> Value {
        let mut content = Map::new();
        let content_at = join(new, "content");
        self.moves.add(&content_at, old);
        for name in types {
            let at = join(&content_at, name);
            let mut media = Map::new();
            if let Some(schema) = schema {
                self.moves.add(&join(&at, "schema"), &join(old, "schema"));
                media.insert("schema".to_owned(), schema.clone());
            }
            if let Some(example) = examples.get(name) {
                self.moves
                    .add(&join(&at, "example"), &join(&join(old, "examples"), name));
                media.insert("example".to_owned(), example.clone());
            }
            content.insert(name.clone(), Value::Object(media));
        }
        Value::Object(content)
    }

    /// The members of a form as one schema.
    fn form(&mut self, members: &[Item<'a>], consumes: &[String], new: &str) -> Value {
        let (mut properties, mut required, mut file) = (Map::new(), Vec::new(), false);
        let known = ["multipart/form-data", "application/x-www-form-urlencoded"];
        let mut types: Vec<String> = consumes
            .iter()
            .filter(|name| known.contains(&name.as_str()))
            .cloned()
            .collect();
        let mut places = Vec::new();
        for Item {
            target: (one, old), ..
        } in members
        {
            let Some(name) = one.get("name").and_then(Value::as_str) else {
                continue;
            };
            file |= one.get("type") == Some(&json!("file"));
            if one.get("required") == Some(&json!(true)) {
                required.push(json!(name));
            }
            let schema = one.as_object().into_iter().flatten();
            let schema: Map<String, Value> = schema
                .filter(|(key, _)| SCHEMA.contains(&key.as_str()) || *key == "description")
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            places.push((name.to_owned(), old.clone()));
            properties.insert(name.to_owned(), Value::Object(schema));
        }
        if types.is_empty() {
            types.push(known[usize::from(!file)].to_owned());
        }
        let any = !required.is_empty();
        let mut schema = json!({"type": "object", "properties": properties});
        if any {
            schema["required"] = Value::Array(required);
        }
        let mut content = Map::new();
        for name in types {
            let at = join(&join(&join(new, "content"), &name), "schema");
            for (member, old) in &places {
                self.moves.add(&join(&join(&at, "properties"), member), old);
            }
            content.insert(name, json!({"schema": schema}));
        }
        let mut body = json!({"content": content});
        if any {
            body["required"] = json!(true);
        }
        body
    }

    fn response(&mut self, (one, old): Old<'a>, produces: &[String], new: &str) -> Value {
        let Value::Object(members) = one else {
            return one.clone();
        };
        let old = &old;
        self.moves.add(new, old);
        let mut all = Map::new();
        let none = Map::new();
        let examples = members
            .get("examples")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        for (key, value) in members {
            match (key.as_str(), value) {
                ("schema", _) => {
                    let content = self.content(Some(value), produces, new, old, examples);
                    all.insert("content".to_owned(), content);
                }
                ("examples", _) if members.contains_key("schema") => {}
                ("examples", _) => {
                    let names: Vec<String> = examples.keys().cloned().collect();
                    all.insert(
                        "content".to_owned(),
                        self.content(None, &names, new, old, examples),
                    );
                }
                ("headers", Value::Object(headers)) => {
                    let mut written = Map::new();
                    for (name, header) in headers {
                        let place = join(&join(new, "headers"), name);
                        let from = join(&join(old, "headers"), name);
                        written.insert(name.clone(), self.parameter((header, from), &place));
                    }
                    all.insert(key.clone(), Value::Object(written));
                }
                _ => {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
        Value::Object(all)
    }
}

/// An item of a list, and what it refers to, or itself.
#[derive(Clone)]
struct Item<'a> {
    one: &'a Value,
    at: String,
    target: Old<'a>,
}

impl Item<'_> {
    /// The name of the component below `map` that the item refers to.
    fn named(&self, map: &str) -> Option<&str> {
        let reference = self.one.get("$ref").and_then(Value::as_str)?;
        let name = reference.strip_prefix(map)?;
        (!name.contains('/')).then_some(name)
    }

    fn is_in(&self, place: &str) -> bool {
        self.target.0.get("in").and_then(Value::as_str) == Some(place)
    }

    /// How many values are repeated where the item takes the place of a reference.
    fn repeats(&self) -> usize {
        match self.one.get("$ref") {
            Some(_) => count(self.target.0),
            None => 0,
        }
    }
}

fn is_body(item: &Item<'_>) -> bool {
    item.is_in("body") || item.is_in("formData")
}

/// The media types that the innermost of `levels` names.
fn types(levels: &[&Value], key: &str) -> Vec<String> {
    let named = levels
        .iter()
        .find_map(|level| level.get(key).and_then(Value::as_array));
    let names = named.into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() {
        vec![DEFAULT.to_owned()]
    } else {
        names
    }
}

/// The servers by `schemes` of one level, and `host` and `basePath` of the document.
fn servers(level: &Value, root: &Value) -> Option<Value> {
    let base = root
        .get("basePath")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let host = root.get("host").and_then(Value::as_str);
    let schemes = level.get("schemes").or_else(|| root.get("schemes"));
    let schemes: Vec<&str> = schemes
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let url = match (host, schemes.as_slice()) {
        (None, _) if base.is_empty() => return None,
        (None, _) => vec![base.to_owned()],
        (Some(host), []) => vec![format!("//{host}{base}")],
        (Some(host), schemes) => schemes
            .iter()
            .map(|scheme| format!("{scheme}://{host}{base}"))
            .collect(),
    };
    Some(url.into_iter().map(|url| json!({"url": url})).collect())
}

fn scheme(old: &Value) -> Value {
    let text = |key: &str| old.get(key).and_then(Value::as_str);
    let mut new = match text("type") {
        Some("basic") => json!({"type": "http", "scheme": "basic"}),
        Some("oauth2") => {
            let flow = match text("flow") {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some(other) => other,
                None => "implicit",
            };
            let mut inside = Map::new();
            for key in ["authorizationUrl", "tokenUrl", "scopes"] {
                if let Some(value) = old.get(key) {
                    inside.insert(key.to_owned(), value.clone());
                }
            }
            json!({"type": "oauth2", "flows": {flow: inside}})
        }
        _ => return old.clone(),
    };
    if let (Some(description), Some(new)) = (old.get("description"), new.as_object_mut()) {
        new.insert("description".to_owned(), description.clone());
    }
    new
}

/// Rewrites references and spellings of schemas, at every level. The depth is that of the document, which is limited.
fn rewrite(value: &mut Value, named: bool, moved: &HashMap<&str, &str>) {
    match value {
        Value::Array(items) => {
            for item in items {
                rewrite(item, false, moved);
            }
        }
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(new) = new_reference(reference, moved)
            {
                *reference = new;
            }
            if !named {
                schema(members);
            }
            for (key, member) in members.iter_mut() {
                if named || !is_data(key, member) {
                    rewrite(member, !named && has_free_names(key), moved);
                }
            }
        }
        _ => {}
    }
}

/// What a reference is in the new document, by the nearest ancestor of its target that moved.
fn new_reference(reference: &str, moved: &HashMap<&str, &str>) -> Option<String> {
    for (old, new) in [
        ("#/definitions/", "#/components/schemas/"),
        ("#/parameters/", "#/components/parameters/"),
        ("#/responses/", "#/components/responses/"),
    ] {
        if let Some(rest) = reference.strip_prefix(old) {
            return Some(format!("{new}{rest}"));
        }
    }
    let at = pointer::from_reference(reference).filter(|at| at.starts_with("/paths/"))?;
    let mut known = at.as_str();
    while !known.is_empty() {
        if let Some(new) = moved.get(known) {
            let new = format!("#{new}{}", &at[known.len()..]);
            return Some(new.replace('%', "%25"));
        }
        known = pointer::parent(known);
    }
    None
}

/// Writes the spellings of 2.0 in an object, if it is a schema, as those of 3.0.
fn schema(members: &mut Map<String, Value>) {
    if members.get("type") == Some(&json!("file")) {
        members.insert("type".to_owned(), json!("string"));
        members.insert("format".to_owned(), json!("binary"));
    }
    if let Some(Value::String(name)) = members.get("discriminator") {
        let name = name.clone();
        members.insert("discriminator".to_owned(), json!({"propertyName": name}));
    }
    if members.get("x-nullable").is_some_and(Value::is_boolean)
        && let Some(nullable) = members.shift_remove("x-nullable")
    {
        members.insert("nullable".to_owned(), nullable);
    }
}

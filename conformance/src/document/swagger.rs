//! OpenAPI 2.0 written as 3.0, so that everything else knows one model only.
//!
//! What moves is noted, so that findings point at what stands in the file. `collectionFormat: tsv`, which 3.0 cannot say,
//! becomes the style `tabDelimited` of our own. Not folded: `x-` members other than `x-nullable`, which are left alone.

use serde_json::{Map, Value, json};

use super::origin::Moves;
use super::pointer::{index, join};

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

/// Writes a document of 2.0 as one of 3.0, and notes what moved.
pub(super) fn fold(old: &Value) -> (Value, Moves) {
    let mut folding = Folding {
        old,
        moves: Moves::default(),
    };
    let mut new = folding.root();
    rewrite(&mut new, "");
    (new, folding.moves)
}

struct Folding<'a> {
    old: &'a Value,
    moves: Moves,
}

impl Folding<'_> {
    fn root(&mut self) -> Value {
        let mut root = Map::from_iter([("openapi".to_owned(), json!("3.0.3"))]);
        let mut components = Map::new();
        let empty = Map::new();
        let old = self.old.as_object().unwrap_or(&empty);
        for (key, value) in old {
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
                        let answer =
                            self.response(one, &types(&[self.old], "produces"), &new, &old);
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
                if old.contains_key("host") {
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
        parameters: &Map<String, Value>,
        components: &mut Map<String, Value>,
    ) {
        let (mut plain, mut bodies) = (Map::new(), Map::new());
        for (name, one) in parameters {
            let old = join("/parameters", name);
            match one.get("in").and_then(Value::as_str) {
                Some("body") => {
                    let new = join("/components/requestBodies", name);
                    let types = types(&[self.old], "consumes");
                    bodies.insert(name.clone(), self.body(one, &types, &new, &old));
                }
                // Taken apart where they are used.
                Some("formData") => {}
                _ => {
                    let new = join("/components/parameters", name);
                    plain.insert(name.clone(), self.parameter(one, &new, &old));
                }
            }
        }
        for (key, map) in [("parameters", plain), ("requestBodies", bodies)] {
            if !map.is_empty() {
                components.insert(key.to_owned(), Value::Object(map));
            }
        }
    }

    fn item(&mut self, item: &Value, at: &str) -> Value {
        let Value::Object(members) = item else {
            return item.clone();
        };
        let shared = listed(members.get("parameters"), &join(at, "parameters"));
        let mut all = Map::new();
        for (key, value) in members {
            let here = join(at, key);
            let method = ["get", "put", "post", "delete", "options", "head", "patch"]
                .contains(&key.as_str());
            match value {
                Value::Object(operation) if method => {
                    all.insert(key.clone(), self.operation(operation, &shared, &here));
                }
                Value::Array(_) if key == "parameters" => {
                    let plain = shared.iter().filter(|(one, _)| !self.is_body(one));
                    let plain: Vec<_> = plain.cloned().collect();
                    all.insert(key.clone(), self.parameters(&plain, &here));
                }
                _ => {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
        Value::Object(all)
    }

    /// A parameter as it stands, or as it is shared.
    fn resolved<'v>(&'v self, one: &'v Value) -> &'v Value {
        let name = one
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(super::pointer::from_reference);
        name.and_then(|at| super::pointer::find(self.old, &at))
            .unwrap_or(one)
    }

    fn place(&self, one: &Value) -> String {
        let place = self.resolved(one).get("in").and_then(Value::as_str);
        place.unwrap_or_default().to_owned()
    }

    fn is_body(&self, one: &Value) -> bool {
        matches!(self.place(one).as_str(), "body" | "formData")
    }

    fn parameters(&mut self, plain: &[(Value, String)], new: &str) -> Value {
        let mut all = Vec::new();
        for (position, (one, old)) in plain.iter().enumerate() {
            let here = index(new, position);
            self.moves.add(&here, old);
            all.push(if one.get("$ref").is_some() {
                one.clone()
            } else {
                self.parameter(one, &here, old)
            });
        }
        Value::Array(all)
    }

    fn operation(
        &mut self,
        operation: &Map<String, Value>,
        shared: &[(Value, String)],
        at: &str,
    ) -> Value {
        let own = listed(operation.get("parameters"), &join(at, "parameters"));
        let (bodies, plain): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|(one, _)| self.is_body(one));
        // A body of the path is one of each operation.
        let inherited = shared.iter().filter(|(one, _)| self.is_body(one)).cloned();
        let bodies = if bodies.is_empty() {
            inherited.collect()
        } else {
            bodies
        };
        let whole = Value::Object(operation.clone());
        let (consumes, produces) = (
            types(&[&whole, self.old], "consumes"),
            types(&[&whole, self.old], "produces"),
        );
        let mut all = Map::new();
        for (key, value) in operation {
            let here = join(at, key);
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
                        answers.insert(
                            status.clone(),
                            self.response(one, &produces, &place, &place),
                        );
                    }
                    all.insert(key.clone(), Value::Object(answers));
                }
                _ => {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
        if let Some((first, old)) = bodies.first() {
            let new = join(at, "requestBody");
            let body = if self.place(first) == "formData" {
                self.form(&bodies, &consumes, &new)
            } else if let Some(reference) = first.get("$ref").and_then(Value::as_str) {
                json!({"$ref": reference.replace("#/parameters/", "#/components/requestBodies/")})
            } else {
                self.body(first, &consumes, &new, old)
            };
            self.moves.add(&new, old);
            all.insert("requestBody".to_owned(), body);
        }
        if operation.contains_key("schemes")
            && let Some(servers) = servers(&whole, self.old)
        {
            self.moves.add(&join(at, "servers"), &join(at, "schemes"));
            all.insert("servers".to_owned(), servers);
        }
        Value::Object(all)
    }

    fn parameter(&mut self, one: &Value, new: &str, old: &str) -> Value {
        let Value::Object(members) = one else {
            return one.clone();
        };
        self.moves.add(new, old);
        self.moves.add(&join(new, "schema"), old);
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

    fn body(&mut self, one: &Value, types: &[String], new: &str, old: &str) -> Value {
        let mut all = Map::new();
        for key in ["description", "required"] {
            if let Some(value) = one.get(key) {
                all.insert(key.to_owned(), value.clone());
            }
        }
        let content = self.content(one.get("schema"), types, new, old, &Map::new());
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
    fn form(&mut self, members: &[(Value, String)], consumes: &[String], new: &str) -> Value {
        let (mut properties, mut required, mut file) = (Map::new(), Vec::new(), false);
        let known = ["multipart/form-data", "application/x-www-form-urlencoded"];
        let mut types: Vec<String> = consumes
            .iter()
            .filter(|name| known.contains(&name.as_str()))
            .cloned()
            .collect();
        let mut places = Vec::new();
        for (one, old) in members {
            let one = self.resolved(one).clone();
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

    fn response(&mut self, one: &Value, produces: &[String], new: &str, old: &str) -> Value {
        let Value::Object(members) = one else {
            return one.clone();
        };
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
                        written.insert(name.clone(), self.parameter(header, &place, &from));
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

/// The items of a list, and where each stands.
fn listed(list: Option<&Value>, at: &str) -> Vec<(Value, String)> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .enumerate()
        .map(|(position, one)| (one.clone(), index(at, position)))
        .collect()
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
fn rewrite(value: &mut Value, at: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, "")),
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                for (old, new) in [
                    ("#/definitions/", "#/components/schemas/"),
                    ("#/parameters/", "#/components/parameters/"),
                    ("#/responses/", "#/components/responses/"),
                ] {
                    if let Some(rest) = reference.strip_prefix(old) {
                        *reference = format!("{new}{rest}");
                        break;
                    }
                }
            }
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
            for (key, member) in members.iter_mut() {
                if !super::bundle::is_data(at, key, member) {
                    rewrite(member, key);
                }
            }
        }
        _ => {}
    }
}

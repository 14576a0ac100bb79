//! OpenAPI 2.0 written as 3.0, so that everything else knows one model only.
//!
//! Moved parts are noted, so that findings point at their place in the file. `collectionFormat: tsv`, which 3.0 cannot say, becomes the
//! style `tabDelimited` of our own. Parameters, responses and path items of other files, and those whose media types depend on the
//! operation, become part of what refers to them. Not folded: `x-` members other than `x-nullable`, which are left alone.

mod part;
mod spelling;

use serde_json::{Map, Value, json};

use super::REPEAT_LIMIT;
use super::error::Problem;
use super::origin::Moves;
use super::pointer::{self, index, join};
use super::position::Position;
use super::walk::count;
use spelling::{rewrite, scheme, servers, types};

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
    if folding.repeated > REPEAT_LIMIT {
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
                _ if self.repeated > REPEAT_LIMIT => Value::Null,
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

    /// Returns the target that a part of the document refers to, or the part itself.
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

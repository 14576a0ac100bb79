//! APIs and changes at random.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::change::{Case, Change, What};
use super::model::{Api, Id, Member, Object, Schema, Slot};
use super::names::name;
use super::vary::{bounds, leaf, vary};

use crate::drift_support::random::Random;

/// The requirements on a case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// How many changes, at most and at least.
    pub(crate) changes: (usize, usize),
    /// Whether different objects may have members of one name.
    pub(crate) shared_names: bool,
    /// Whether numbers may be larger than the plain validator reads.
    pub(crate) huge: bool,
}

/// A case with that many changes, or fewer where the API has no place for more.
pub(crate) fn case(random: &mut Random, wish: Wish) -> Case {
    loop {
        let mut generator = Generator {
            random,
            next: 0,
            left: 0,
            is_3_0: false,
            components: 0,
        };
        let old = generator.api();
        let changes = generator.changes(&old, wish);
        let count = generator.next;
        if changes.len() < wish.changes.0 {
            continue;
        }
        let mut names: Vec<String> = Vec::new();
        for _ in 0..count {
            let name = name(random, &names);
            names.push(name);
        }
        if wish.shared_names && random.below(3) == 0 {
            share(random, &old, &mut names);
        }
        return Case {
            old,
            changes,
            names,
        };
    }
}

/// Gives the first members of all objects the same few names.
fn share(random: &mut Random, api: &Api, names: &mut [String]) {
    let common: Vec<String> = names.iter().take(3).cloned().collect();
    for object in api.objects() {
        let own: Vec<Id> = object.members.iter().map(|member| member.id).collect();
        for (name, id) in common.iter().zip(own.iter()) {
            // An added member may have the name of another object's only.
            if random.below(2) == 0 && !own.iter().any(|id| names[*id] == *name) {
                names[*id].clone_from(name);
            }
        }
    }
}

struct Generator<'r> {
    random: &'r mut Random,
    next: Id,
    /// How many members are still to be made.
    left: usize,
    is_3_0: bool,
    components: usize,
}

impl Generator<'_> {
    fn id(&mut self) -> Id {
        self.next += 1;
        self.next - 1
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.random.below(many) == 0
    }

    fn api(&mut self) -> Api {
        self.left = match self.random.below(10) {
            0..=5 => 3 + self.random.below(10),
            6..=8 => 12 + self.random.below(50),
            _ => 60 + self.random.below(140),
        };
        self.is_3_0 = self.one_in(3);
        self.components = self.random.below(4);
        let all = self.left;
        let mut uses = Vec::new();
        let mut slots = Slot::ALL.to_vec();
        for _ in 0..=self.random.below(3) {
            let slot = slots.remove(self.random.below(slots.len()));
            let share = 1 + all / 2;
            let schema = if self.components > 0 && self.one_in(3) {
                Schema::Component(self.random.below(self.components))
            } else {
                Schema::Object(self.object(share, 0, 0))
            };
            let schema = if self.one_in(5) {
                Schema::List {
                    bounds: Map::new(),
                    items: Box::new(schema),
                }
            } else {
                schema
            };
            uses.push((slot, schema));
        }
        let components = (0..self.components)
            .map(|index| {
                let share = 1 + self.left / (self.components - index);
                self.object(share, 0, index + 1)
            })
            .collect();
        Api {
            is_3_0: self.is_3_0,
            uses,
            components,
        }
    }

    /// An object of about so many members, that may refer to the components from an index on, and to any where it need not exist.
    fn object(&mut self, share: usize, depth: usize, from: usize) -> Object {
        let id = self.id();
        let closed = self.one_in(2);
        let before = self.left;
        let mut members = Vec::new();
        while members.is_empty() || (self.left > 0 && before - self.left < share) {
            self.left = self.left.saturating_sub(1);
            members.push(self.member(share, depth, from));
        }
        Object {
            id,
            closed,
            members,
        }
    }

    fn member(&mut self, share: usize, depth: usize, from: usize) -> Member {
        let id = self.id();
        let mut required = self.one_in(2);
        let mut flags = Map::new();
        let schema = match self.random.below(if depth < 3 { 14 } else { 8 }) {
            8 | 9 => Schema::Object(self.object(share / 3, depth + 1, from)),
            10 if from < self.components => {
                Schema::Component(from + self.random.below(self.components - from))
            }
            11 if self.components > 0 => {
                // A list may be empty, and so of what it stands in.
                let items = Box::new(Schema::Component(self.random.below(self.components)));
                let bounds = Map::new();
                required = false;
                Schema::List { bounds, items }
            }
            12 | 13 => {
                let inner = if self.one_in(3) {
                    Schema::Object(self.object(share / 3, depth + 1, from))
                } else {
                    Schema::Leaf(leaf(self.random, self.is_3_0))
                };
                let inner = Box::new(inner);
                let of_list = self.one_in(2);
                let bounds = bounds(self.random, of_list);
                if of_list {
                    Schema::List {
                        bounds,
                        items: inner,
                    }
                } else {
                    Schema::Dictionary {
                        bounds,
                        values: inner,
                    }
                }
            }
            _ => {
                if self.one_in(12) {
                    let flag = ["readOnly", "writeOnly", "deprecated"][self.random.below(3)];
                    flags.insert(flag.to_owned(), json!(true));
                }
                Schema::Leaf(leaf(self.random, self.is_3_0))
            }
        };
        let scalar = |schema: &Schema| match schema {
            Schema::Leaf(keywords) => {
                !keywords.contains_key("enum") && !keywords.contains_key("const")
            }
            other => !matches!(other, Schema::Component(_)),
        };
        Member {
            id,
            required,
            nullable: flags.is_empty() && scalar(&schema) && self.one_in(8),
            flags,
            schema,
        }
    }

    fn changes(&mut self, api: &Api, wish: Wish) -> Vec<Change> {
        let (least, most) = wish.changes;
        let count = least + self.random.below(most - least + 1);
        let used: BTreeSet<Id> = api
            .uses
            .iter()
            .flat_map(|(_, schema)| api.reach(schema))
            .collect();
        let objects: Vec<Id> = api
            .objects()
            .iter()
            .map(|object| object.id)
            .filter(|id| used.contains(id))
            .collect();
        let members: Vec<Id> = api
            .objects()
            .iter()
            .flat_map(|object| &object.members)
            .map(|member| member.id)
            .filter(|id| used.contains(id))
            .collect();
        let mut changes: Vec<Change> = Vec::new();
        for _ in 0..count * 6 {
            if changes.len() == count {
                break;
            }
            let change = if self.one_in(4) {
                let object = objects[self.random.below(objects.len())];
                self.addition(object)
            } else {
                let id = members[self.random.below(members.len())];
                match self.edit(api, id, wish.huge) {
                    Some(change) => change,
                    None => continue,
                }
            };
            if !changes
                .iter()
                .any(|other| meet(api, &change, other) || meet(api, other, &change))
            {
                changes.push(change);
            }
        }
        changes
    }

    fn addition(&mut self, object: Id) -> Change {
        let id = self.id();
        let mut schema = Schema::Leaf(leaf(self.random, self.is_3_0));
        if self.one_in(4) {
            self.left = 3;
            schema = Schema::Object(self.object(3, 3, self.components));
        }
        let member = Member {
            id,
            required: self.one_in(2),
            nullable: false,
            flags: Map::new(),
            schema,
        };
        Change {
            member: id,
            what: What::Add { object, member },
        }
    }

    fn edit(&mut self, api: &Api, id: Id, huge: bool) -> Option<Change> {
        let (_, member) = api.member(id)?;
        let hides = member.flags.contains_key("readOnly") || member.flags.contains_key("writeOnly");
        let refers = member.schema.refers();
        let what = match self.random.below(if hides { 3 } else { 12 }) {
            0 => What::Remove,
            _ if hides => {
                let key = if member.flags.contains_key("readOnly") {
                    "readOnly"
                } else {
                    "writeOnly"
                };
                What::Flag(key, None)
            }
            // An object that must contain itself cannot exist.
            1 | 2 if !api.reach(&member.schema).contains(&id) => What::Require(!member.required),
            3 if member.flags.is_empty() && !refers && !has_values(&member.schema) => {
                What::Nullable(!member.nullable)
            }
            4 if !refers => {
                let key = ["deprecated", "default", "readOnly", "writeOnly"][self.random.below(4)];
                let value = if key == "default" {
                    json!("d")
                } else {
                    json!(true)
                };
                let value = (!member.flags.contains_key(key)).then_some(value);
                What::Flag(key, value)
            }
            5 => match &member.schema {
                Schema::Object(object) => What::Close(!object.closed),
                _ => return None,
            },
            _ if member.nullable && matches!(member.schema, Schema::Leaf(_)) => return None,
            _ => {
                let (schema, values) = vary(self.random, &member.schema, self.is_3_0, huge)?;
                What::Schema(schema, values)
            }
        };
        Some(Change { member: id, what })
    }
}

fn has_values(schema: &Schema) -> bool {
    let named = |keywords: &Map<String, Value>| {
        keywords.contains_key("enum") || keywords.contains_key("const")
    };
    matches!(schema, Schema::Leaf(keywords) if named(keywords))
}

/// Whether a change is lost where another one is made, or both are of one member.
fn meet(api: &Api, outer: &Change, inner: &Change) -> bool {
    if outer.member == inner.member {
        return true;
    }
    let Some((_, member)) = api.member(outer.member) else {
        return false;
    };
    let inside = api.reach(&member.schema);
    !outer.keeps_inside() && inner.spots().iter().any(|spot| inside.contains(spot))
}

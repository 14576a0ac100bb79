//! Members that hardly a value satisfies, put into all objects of a case: they change nowhere, and so decide nothing.

use serde_json::{Map, Value, json};

use super::change::{Case, What};
use super::model::{Id, Member, Object, Schema};
use super::vary::map;

use crate::drift_support::random::Random;

/// Schemas that values are hard to make for; with `is_3_0`, those that OpenAPI 3.0 has.
fn schema(random: &mut Random, is_3_0: bool) -> Map<String, Value> {
    let old = [
        json!({"type": "string", "pattern": r"^(?=.*[A-Z])(?=.*\d).{8,}$"}),
        json!({"type": "string", "pattern": r"^(?=(?:.*\d){3})(?!.*(\d)\1)(?<!x)[\da-z-]{20}(?<=77)$"}),
        json!({"type": "string", "pattern": r"^(a|b)\1(?!a)(?=b)(?:\1){8}$"}),
        json!({"type": "string", "format": "uuid", "pattern": "^(?!.*a).{30}(?=b)"}),
        json!({"type": "string", "allOf": [{"format": "date"}, {"format": "time"}]}),
        json!({"type": "string", "not": {"pattern": "^(?!x{12}(?=y))"}}),
        json!({"type": "string", "oneOf": [{"pattern": "^(?=x.{9}y$)"}, {"pattern": "^(?=x.{9}z$)"}]}),
        json!({"type": "string", "pattern": "^(a$"}),
    ];
    let new = [
        json!({
            "type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string"},
            "contains": {"pattern": r"^(?=x)(?!xy).{3,}(z)\1$"},
        }),
        json!({"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^(?=k)(?!key$)(.)(.)$"}}),
        json!({"if": {"type": "string"}, "then": {"pattern": "^(?=a)[^a]*(?<=b)aab$"}, "else": false}),
        json!({"type": "string", "contentMediaType": "text/plain", "minLength": 30, "pattern": "^(?=[^a]{9}b)"}),
    ];
    let all: Vec<Value> = match is_3_0 {
        true => old.to_vec(),
        false => old.into_iter().chain(new).collect(),
    };
    map(all[random.below(all.len())].clone())
}

/// The case with a member more in most of its objects.
pub(crate) fn beside_hard_members(case: &Case) -> Case {
    let mut random = Random::new(case.names.len() as u64);
    let mut hardened = case.clone();
    let objects: Vec<Id> = case.old.objects().iter().map(|object| object.id).collect();
    for owner in objects {
        if random.below(4) == 0 {
            continue;
        }
        let id = hardened.names.len();
        hardened.names.push(format!("hard member {id}"));
        let member = Member {
            id,
            required: random.below(4) > 0,
            nullable: false,
            flags: Map::new(),
            schema: Schema::Leaf(schema(&mut random, case.old.is_3_0)),
        };
        let mut add = |object: &mut Object| {
            if object.id == owner {
                object.members.push(member.clone());
            }
        };
        hardened.old.each_object(&mut add);
        for change in &mut hardened.changes {
            if let What::Schema(schema, _) = &mut change.what {
                schema.each_object(&mut add);
            }
        }
    }
    hardened
}

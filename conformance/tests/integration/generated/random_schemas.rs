//! Random schemas: whatever they say, cases are what they are made for.

use serde_json::{Map, Value, json};

use super::hold;
use super::reader::Place;

/// Numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % count
    }

    fn often(&mut self) -> bool {
        self.below(3) > 0
    }

    fn seldom(&mut self) -> bool {
        self.below(5) == 0
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let count = u64::try_from(all.len()).expect("small");
        all[usize::try_from(self.below(count)).expect("small")]
    }
}

fn number(random: &mut Random, kind: &str) -> Value {
    let mut schema = json!({"type": kind});
    let low = i64::try_from(random.below(200)).expect("small") - 100;
    let high = low + i64::try_from(random.below(60)).expect("small");
    if random.seldom() {
        schema["exclusiveMinimum"] = json!(low - 1);
    } else if random.often() {
        schema["minimum"] = json!(low);
    }
    if random.seldom() {
        schema["exclusiveMaximum"] = json!(high + 1);
    } else if random.often() {
        schema["maximum"] = json!(high);
    }
    if kind == "number" && random.seldom() {
        schema["minimum"] = json!(f64::from(i32::try_from(low).expect("small")) + 0.25);
    }
    if random.seldom() {
        schema["multipleOf"] = json!(random.below(4) + 1);
    }
    if kind == "integer" && random.seldom() {
        schema = json!({"type": "integer", "enum": [1, 2, low]});
    }
    schema
}

fn string(random: &mut Random) -> Value {
    let mut schema = json!({"type": "string"});
    match random.below(8) {
        0 => schema["enum"] = json!(["red", "Green", "b-1"]),
        1 => {
            let patterns = [
                "^[a-z]{2,5}$",
                "^[A-Z]+-[0-9]{3}$",
                "x",
                "^(a|bc)*$",
                "^\\d+$",
                "[a-z]([-a-z]*[a-z])?",
            ];
            schema["pattern"] = json!(random.pick(&patterns));
            if random.seldom() {
                schema["maxLength"] = json!(4 + random.below(6));
            }
        }
        2 => {
            schema["format"] = json!(random.pick(&[
                "date",
                "date-time",
                "uuid",
                "email",
                "ipv4",
                "uri",
                "password",
                "nothing"
            ]));
        }
        3 => schema["const"] = json!("only"),
        _ => {
            let least = random.below(4);
            if random.often() {
                schema["minLength"] = json!(least);
            }
            if random.often() {
                schema["maxLength"] = json!(least + random.below(12));
            }
        }
    }
    if random.seldom() {
        schema["type"] = json!(["string", "null"]);
    }
    schema
}

fn scalar(random: &mut Random) -> Value {
    match random.below(5) {
        0 => number(random, "integer"),
        1 => number(random, "number"),
        2 => json!({"type": "boolean"}),
        _ => string(random),
    }
}

fn list(random: &mut Random, items: Value) -> Value {
    let mut schema = json!({"type": "array", "items": items});
    let least = random.below(3);
    if random.often() {
        schema["minItems"] = json!(least);
    }
    if random.often() {
        schema["maxItems"] = json!(least + 1 + random.below(3));
    }
    if random.seldom() {
        schema["uniqueItems"] = json!(true);
    }
    schema
}

fn fields(random: &mut Random, make: &mut dyn FnMut(&mut Random) -> Value) -> Value {
    let names = ["alpha", "beta", "gamma", "delta", "e-f"];
    let count = usize::try_from(1 + random.below(4)).expect("small");
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in &names[..count] {
        let schema = make(random);
        properties.insert((*name).to_owned(), schema);
        if random.below(2) == 0 {
            required.push(json!(name));
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "required": required});
    match random.below(4) {
        0 => schema["additionalProperties"] = json!(false),
        1 => schema["additionalProperties"] = json!({"type": "string", "maxLength": 3}),
        _ => {}
    }
    schema
}

fn any(random: &mut Random, depth: usize) -> Value {
    if depth == 0 {
        return scalar(random);
    }
    match random.below(10) {
        0..=3 => {
            let mut schema = fields(random, &mut |random| any(random, depth - 1));
            if random.seldom() {
                schema["minProperties"] = json!(random.below(3));
                schema["maxProperties"] = json!(3 + random.below(3));
            }
            if random.seldom() {
                schema["propertyNames"] = json!({"pattern": "^[a-zA-Z-]+[0-9]*$"});
            }
            if random.seldom() {
                schema["dependentRequired"] = json!({"alpha": ["beta"]});
            }
            if random.seldom() {
                schema["patternProperties"] = json!({"^x-": {"type": "integer"}});
            }
            schema
        }
        4 | 5 => {
            let items = any(random, depth - 1);
            let mut schema = list(random, items);
            if random.seldom() {
                schema["prefixItems"] = json!([scalar(random), scalar(random)]);
            }
            if random.seldom() {
                schema["contains"] = scalar(random);
            }
            schema
        }
        6 => {
            let (one, other) = (any(random, depth - 1), any(random, depth - 1));
            let keyword = random.pick(&["oneOf", "anyOf"]);
            json!({keyword: [one, other]})
        }
        7 => {
            let one = fields(random, &mut |random| any(random, depth - 1));
            let other = json!({"properties": {"alpha": {}, "more": {"type": "integer", "minimum": 3}}, "required": ["more"]});
            json!({"allOf": [one, other]})
        }
        8 => {
            let mut schema = string(random);
            schema["not"] = json!({"enum": ["red", "aa"]});
            schema
        }
        _ => scalar(random),
    }
}

/// Holds many schemas of a place, and wants enough cases of both kinds.
#[track_caller]
fn held(place: Place, count: u64, enough: usize, make: impl Fn(&mut Random) -> Value) {
    let (mut valid, mut refused) = (0, 0);
    for seed in 1..=count {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..10 {
            random.below(2);
        }
        let schema = make(&mut random);
        let (counts, wrong) = hold(place, &schema, &json!({}), seed);
        assert!(wrong.is_empty(), "seed {seed}\n{}", wrong.join("\n"));
        valid += counts.valid;
        refused += counts.refused;
    }
    assert!(
        valid >= enough && refused >= enough,
        "{place:?}: {valid} valid, {refused} refused"
    );
}

#[test]
fn json_bodies_of_random_schemas_are_what_they_are_made_for() {
    held(Place::Json, 120, 2_000, |random| any(random, 3));
}

#[test]
fn forms_of_random_schemas_are_what_they_are_made_for() {
    let form = |random: &mut Random| {
        fields(random, &mut |random| match random.below(4) {
            0 => {
                let items = scalar(random);
                list(random, items)
            }
            _ => scalar(random),
        })
    };
    held(Place::Form, 60, 300, form);
    held(Place::Multipart, 60, 300, form);
}

#[test]
fn parameters_of_random_schemas_are_what_they_are_made_for() {
    let parameter = |random: &mut Random| match random.below(3) {
        0 => {
            let items = scalar(random);
            list(random, items)
        }
        _ => scalar(random),
    };
    held(Place::Query { explode: true }, 80, 150, parameter);
    held(Place::Query { explode: false }, 60, 100, parameter);
    held(Place::Header, 60, 100, parameter);
    held(Place::Path, 60, 100, parameter);
    held(Place::Cookie, 40, 30, scalar);
    held(Place::Text, 40, 30, scalar);
}

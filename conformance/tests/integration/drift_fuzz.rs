//! The fuzz targets on inputs that are always the same: documents of the cases with bytes and members changed at random.

use crate::drift_support::{document, read};
use crate::drift_support::{pointers, random};

#[path = "../../../fuzz/src/targets.rs"]
mod targets;

use conformance::document::Document;
use conformance::drift::{Options, compare};
use pointers::pointers;
use random::Random;
use serde_json::{Value, json};

fn seeds() -> Vec<String> {
    [
        "base.yaml",
        "versions/api-2.0.yaml",
        "versions/api-3.0.yaml",
        "versions/api-3.1.yaml",
    ]
    .into_iter()
    .map(read)
    .collect()
}

#[test]
fn changed_bytes_are_loaded_or_refused() {
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let mut seeds = seeds();
    let json: Vec<String> = seeds
        .iter()
        .map(|text| {
            Document::parse("seed", text)
                .expect("a seed")
                .value()
                .to_string()
        })
        .collect();
    seeds.extend(json);
    for round in 0..600 {
        let mut bytes = seeds[round % seeds.len()].clone().into_bytes();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[at] = random.next().to_le_bytes()[0],
                1 => {
                    bytes.remove(at);
                }
                2 => bytes.insert(at, b"{}[]:,\"'&*!|>#\n -"[random.below(16)]),
                3 => bytes.truncate(at.max(1)),
                _ => {
                    let end = (at + random.below(80)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = random.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        targets::loader(&bytes);
    }
}

#[test]
fn changed_members_are_compared() {
    let mut random = Random::new(0x2545_f491_4f6c_dd1d);
    let odd = [
        json!(null),
        json!(-1),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!({"$ref": "#/components/schemas/Order"}),
        json!({"not": {}}),
    ];
    for round in 0..40 {
        let seeds = seeds();
        let base = Document::parse("seed", &seeds[round % seeds.len()]).expect("a seed");
        let mut value = base.value().clone();
        for _ in 0..=random.below(3) {
            let all = pointers(&value);
            let (from, to) = (&all[random.below(all.len())], &all[random.below(all.len())]);
            let moved = match random.below(3) {
                0 => odd[random.below(odd.len())].clone(),
                _ => value.pointer(from).cloned().unwrap_or_default(),
            };
            if !to.is_empty()
                && to != "/openapi"
                && let Some(place) = value.pointer_mut(to)
            {
                *place = moved;
            }
        }
        let mut bytes = base.value().to_string().into_bytes();
        bytes.push(targets::SEPARATOR);
        bytes.extend(value.to_string().into_bytes());
        targets::comparison(&bytes);
    }
}

#[test]
fn names_of_components_do_not_count() {
    for text in seeds().iter().skip(1) {
        let base = Document::parse("seed", text).expect("a seed");
        let mut renamed = base.value().clone();
        let Some(Value::Object(schemas)) = renamed.pointer_mut("/components/schemas") else {
            panic!("a seed has schemas");
        };
        *schemas = schemas
            .iter()
            .map(|(name, schema)| (format!("The{name}"), schema.clone()))
            .collect();
        let text = renamed
            .to_string()
            .replace("#/components/schemas/", "#/components/schemas/The");
        let new = document("new", &serde_json::from_str(&text).expect("JSON"));
        assert_eq!(compare(&base, &new, &Options::default()), []);
    }
}

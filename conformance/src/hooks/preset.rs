//! Schemes by name: those of well-known senders, each of which expands to the full form.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::near;

fn all() -> &'static Map<String, Value> {
    static PRESETS: OnceLock<Map<String, Value>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        serde_json::from_str(include_str!("presets.json")).expect("a test reads every preset")
    })
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().keys().map(String::as_str)
}

/// The full form of a preset.
pub fn find(name: &str) -> Option<&'static Value> {
    all().get(name)
}

pub(super) fn unknown(name: &str) -> String {
    let hint = near::hint(name, names());
    let names: Vec<&str> = names().collect();
    format!(
        "unknown preset `{name}`; the presets are {}{hint}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::hooks::Signing;

    #[test]
    fn every_preset_can_be_read_and_expands_to_what_its_full_form_says() {
        for name in names() {
            let short = Signing::read(&json!({ "preset": name }), "").unwrap();
            let full = Signing::read(find(name).unwrap(), "").unwrap();
            assert_eq!(short, full, "{name}");
        }
    }

    #[test]
    fn own_members_replace_those_of_the_preset() {
        let own = json!({
            "preset": "stripe", "signature": { "field": "v2" }, "timestamp": { "tolerance": 60 }, "key": { "request": "/secret" },
        });
        let signing = Signing::read(&own, "").unwrap();
        let scheme = &signing.schemes[0];
        assert_eq!(
            scheme.signature.location.name(),
            "header `stripe-signature`, field `v2`"
        );
        assert_eq!(scheme.timestamp.as_ref().unwrap().tolerance, Some(60.0));
        let faults = Signing::read(&json!({ "preset": "strpe" }), "/x").unwrap_err();
        assert_eq!(faults[0].at, "/x/preset");
        assert!(
            faults[0].problem.ends_with("did you mean `stripe`?"),
            "{}",
            faults[0].problem
        );
    }
}

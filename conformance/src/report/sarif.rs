//! The report as SARIF 2.1.0, for code scanning: each finding at its line and column in the document.
//!
//! Relative file names are relative to `%SRCROOT%`, the folder that the program ran in. Breaking and undecided findings are errors,
//! as neither conforms.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Listing, location, message, plain, witness_line, witness_title};
use crate::catalogue;
use crate::finding::{Place, Severity, Verdict};
use crate::fingerprint::Entry;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The folder that relative names are relative to, as code scanning services call it.
const ROOT: &str = "%SRCROOT%";

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = listing.report;
    let mut rules: Vec<&'static str> = Vec::new();
    let mut results = Vec::new();
    for entry in &listing.entries {
        let id = entry.finding.rule;
        let index = rules
            .iter()
            .position(|rule| *rule == id)
            .unwrap_or_else(|| {
                rules.push(id);
                rules.len() - 1
            });
        results.push(result(entry, index));
    }
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules.iter().map(|id| rule(id)).collect::<Vec<_>>(),
                }
            },
            "automationDetails": { "id": format!("conformance/{}/", report.command) },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: { "description": { "text": "The folder that conformance ran in." } } },
            "invocations": [invocation(listing)],
            "results": results,
            "properties": { "summary": super::json::summary(listing) },
        }]
    });
    writeln!(out, "{}", plain::pretty_json(&log))
}

/// Whether the run has a result.
fn invocation(listing: &Listing<'_>) -> Value {
    match listing.report.verdict() {
        Verdict::Conforms | Verdict::Deviates => json!({ "executionSuccessful": true }),
        Verdict::NothingChecked => json!({
            "executionSuccessful": false,
            "toolExecutionNotifications": [
                { "level": "error", "message": { "text": plain::line(&listing.summary()) } }
            ],
        }),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Breaking | Severity::Undecided => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(id: &str) -> Value {
    let mut rule = json!({ "id": id });
    if let Some(known) = catalogue::find(id) {
        rule["shortDescription"] = json!({ "text": known.meaning });
        rule["defaultConfiguration"] = json!({ "level": level(known.severity) });
        rule["properties"] = json!({ "tags": ["openapi"] });
    }
    rule
}

fn result(entry: &Entry, index: usize) -> Value {
    let finding = &entry.finding;
    let places = location::ranked(entry);
    let mut members = Map::new();
    members.insert("ruleId".into(), json!(finding.rule));
    members.insert("ruleIndex".into(), json!(index));
    members.insert("level".into(), json!(level(finding.severity)));
    members.insert("message".into(), json!({ "text": message_text(entry) }));
    if let Some((_, place)) = places.first() {
        let mut location = physical(place);
        location["logicalLocations"] =
            json!([{ "fullyQualifiedName": plain::line(&finding.subject) }]);
        members.insert("locations".into(), json!([location]));
    }
    let related: Vec<Value> = places
        .iter()
        .skip(1)
        .enumerate()
        .map(|(id, (side, place))| {
            let mut location = physical(place);
            location["id"] = json!(id);
            location["message"] = json!({ "text": side });
            location
        })
        .collect();
    if !related.is_empty() {
        members.insert("relatedLocations".into(), related.into());
    }
    let fingerprint = match &entry.pair {
        Some(pair) => format!("{}:{pair}", entry.fingerprint),
        None => entry.fingerprint.clone(),
    };
    members.insert(
        "partialFingerprints".into(),
        json!({ "conformance/v2": fingerprint }),
    );
    members.insert("properties".into(), properties(entry));
    Value::Object(members)
}

/// The message, with what proves it: viewers show nothing else at first sight.
fn message_text(entry: &Entry) -> String {
    let finding = &entry.finding;
    let mut text = format!(
        "{}: {}",
        plain::line(&finding.subject),
        plain::lines(&message(entry))
    );
    if let Some(witness) = witness_line(entry) {
        let title = plain::line(&witness_title(entry));
        text.push_str(&format!("\n{title}: {}", plain::line(&witness)));
    }
    if let Some(exchange) = &finding.exchange {
        text.push_str(&format!("\nagain: {}", plain::lines(&exchange.curl)));
    }
    // `[text](1)` would be a link in a message.
    text.replace("](", "] (")
}

fn physical(place: &Place) -> Value {
    let mut artifact = json!({ "uri": location::uri(&place.document) });
    if location::is_file(&place.document) && !place.document.starts_with('/') {
        artifact["uriBaseId"] = json!(ROOT);
    }
    json!({
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": { "startLine": place.line, "startColumn": place.column },
        }
    })
}

fn properties(entry: &Entry) -> Value {
    let finding = &entry.finding;
    let mut properties = json!({ "severity": finding.severity.word(), "subject": finding.subject });
    if let Some(effect) = &finding.effect {
        properties["effect"] = json!(effect);
    }
    if let Some(undecided) = super::json::undecided(finding) {
        properties["undecided"] = undecided;
    }
    if let Some(data) = super::json::data(&finding.message) {
        properties["data"] = data;
    }
    if let Some(pair) = &entry.pair {
        properties["pair"] = json!(pair);
    }
    for (member, place) in super::json::places(entry) {
        properties[member] = json!(place);
    }
    if let Some(witness) = &finding.witness {
        properties["witness"] = witness.clone();
    }
    if let Some(proof) = &finding.proof {
        properties["proof"] = json!(proof);
    }
    if let Some(exchange) = &finding.exchange {
        properties["exchange"] = json!(exchange);
    }
    if !finding.used_by.is_empty() {
        properties["usedBy"] = json!(finding.used_by);
    }
    properties
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Format, sample};

    const OFFICIAL: &str = include_str!("../../tests/meta/sarif-2.1.0.json");

    #[test]
    fn findings_are_results() {
        insta::assert_snapshot!(sample::versionless(Format::Sarif));
    }

    #[test]
    fn the_log_is_valid_against_the_official_schema() {
        let mut schema: Value = serde_json::from_str(OFFICIAL).unwrap();
        // A pattern of it is no regular expression of ECMA-262; no log of ours has these members.
        for owner in ["run", "toolComponent"] {
            let at = format!("/definitions/{owner}/properties/language");
            let language = schema.pointer_mut(&at).unwrap();
            language
                .as_object_mut()
                .unwrap()
                .shift_remove("pattern")
                .unwrap();
        }
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let mut clean = sample::report();
        clean.findings.clear();
        for report in [sample::report(), sample::hostile(), clean] {
            let text = sample::written(Format::Sarif, &report);
            assert!(sample::is_plain(&text));
            let log: Value = serde_json::from_str(&text).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&log)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new());
        }
        let broken = serde_json::json!({ "version": "2.1.0", "runs": [{}] });
        assert!(!validator.is_valid(&broken));
    }

    #[test]
    fn the_file_that_can_be_changed_is_the_location_and_the_other_is_related() {
        let log: Value =
            serde_json::from_str(&sample::written(Format::Sarif, &sample::report())).unwrap();
        let result = &log["runs"][0]["results"][0];
        let uri = |location: &Value| {
            location["physicalLocation"]["artifactLocation"]["uri"]
                .as_str()
                .map(str::to_owned)
        };
        assert_eq!(uri(&result["locations"][0]).as_deref(), Some("new.json"));
        assert_eq!(
            uri(&result["relatedLocations"][0]).as_deref(),
            Some("old.yaml")
        );
        let rule = result["ruleIndex"].as_u64().unwrap().to_string();
        assert_eq!(
            log.pointer(&format!("/runs/0/tool/driver/rules/{rule}/id"))
                .unwrap(),
            &result["ruleId"]
        );
    }
}

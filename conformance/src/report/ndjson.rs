//! The report line by line: one JSON object for the run, one for each finding, one for the summary. Each has a member `kind`; the other
//! members are those of the JSON report, whose published schema describes them.

use std::io::{self, Write};

use serde::Serialize;

use super::{Listing, json, plain};

#[derive(Serialize)]
struct Line<T> {
    kind: &'static str,
    #[serde(flatten)]
    content: T,
}

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    line("run", json::head(listing), out)?;
    for entry in &listing.entries {
        line("finding", json::finding(entry), out)?;
    }
    line("summary", json::summary(listing), out)
}

fn line(kind: &'static str, content: impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", plain::json(&Line { kind, content }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Format, SCHEMA, sample};

    #[test]
    fn findings_are_lines() {
        insta::assert_snapshot!(sample::versionless(Format::Ndjson));
    }

    #[test]
    fn every_line_is_valid_against_its_part_of_the_published_schema() {
        let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let root = schema.as_object_mut().unwrap();
        root.retain(|key, _| key == "$defs" || key == "$schema");
        root.insert("$ref".into(), "#/$defs/line".into());
        let validator = jsonschema::validator_for(&schema).unwrap();
        for report in [sample::report(), sample::hostile()] {
            for line in sample::written(Format::Ndjson, &report).lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                let errors: Vec<String> = validator
                    .iter_errors(&line)
                    .map(|error| error.to_string())
                    .collect();
                assert_eq!(errors, Vec::<String>::new(), "{line}");
            }
        }
    }
}

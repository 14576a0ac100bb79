//! `conformance.toml` as it is written.

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::access::{WrittenCredential, WrittenServer};
use super::operation::WrittenOperation;
use super::{Color, FailOn, Overrides};
use crate::baseline::{Baseline, Written};
use crate::catalogue;
use crate::deliveries::settings::How;
use crate::document::{Selection, is_url};
use crate::finding::Severity;
use crate::lockstep::{Documents, Pair};
use crate::report::Format;
use crate::toml_text::{self, Text, TextError};

/// Settings of conformance. A flag takes precedence over this file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "conformance.toml")]
pub(super) struct File {
    /// Lowest severity that fails the run; each includes those before it.
    #[serde(default)]
    #[schemars(schema_with = "words::<FailOn>", extend("default" = "undecided"))]
    pub(super) fail_on: Option<FailOn>,
    /// When text has colors; `auto` is on a terminal, unless `NO_COLOR` is set.
    #[serde(default)]
    #[schemars(schema_with = "words::<Color>", extend("default" = "auto"))]
    pub(super) color: Option<Color>,
    /// Format of the report on standard output.
    #[serde(default)]
    #[schemars(schema_with = "words::<Format>", extend("default" = "text"))]
    pub(super) format: Option<Format>,
    /// Whether descriptions, summaries and titles are compared, at severity info.
    #[schemars(extend("default" = false))]
    pub(super) prose: Option<bool>,
    /// Operations that drift and replay look at: operationId, method, path or tag; `*` stands for any text.
    #[serde(default)]
    pub(super) include: Vec<String>,
    /// Operations that drift and replay leave out.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Headers that replay sends, such as `Authorization: Bearer ${TOKEN}`; environment variables are filled in.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) header: Vec<Spanned<String>>,
    /// What is different for some operations in live checks.
    #[serde(default)]
    pub(super) operation: Vec<WrittenOperation>,
    /// The server that live checks ask.
    #[serde(default)]
    pub(super) server: WrittenServer,
    /// Credentials of live checks, for the security schemes of the document.
    #[serde(default)]
    pub(super) credential: Vec<WrittenCredential>,
    /// How `conformance deliveries` registers webhooks, and what triggers events.
    #[serde(default)]
    pub(super) deliveries: How,
    /// Severities of rules; `conformance rules` lists them.
    #[serde(default)]
    #[schemars(schema_with = "rules_schema")]
    pub(super) rules: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Documents that `conformance check` compares.
    #[serde(default)]
    pub(super) pair: Vec<WrittenPair>,
}

/// Two documents that must agree, or one that is compared with its merge base.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [
    {"required": ["document"]},
    {"required": ["documented", "emitted"]},
    {"required": ["theirs", "ours"]},
]))]
pub(super) struct WrittenPair {
    /// Name of the pair in reports.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// The document of a pair that has only one: it is compared with its merge base, when `--base` is given. A file or URL.
    document: Option<String>,
    /// The source document: a file or URL. Files are relative to this file.
    documented: Option<String>,
    /// The document that the server emits: a file or URL.
    emitted: Option<String>,
    /// Former name of `documented`.
    #[schemars(extend("deprecated" = true))]
    theirs: Option<String>,
    /// Former name of `emitted`.
    #[schemars(extend("deprecated" = true))]
    ours: Option<String>,
    /// Operations to compare: operationId, method, path or tag; `*` stands for any text.
    #[serde(default)]
    include: Vec<String>,
    /// Operations to leave out.
    #[serde(default)]
    exclude: Vec<String>,
    /// Whether descriptions, summaries and titles are compared.
    prose: Option<bool>,
    /// Baseline file with the accepted differences between the two documents.
    baseline: Option<String>,
    /// Baseline file with the accepted changes since the merge base.
    changes: Option<String>,
    /// Whether `--base` applies to this pair.
    #[schemars(extend("default" = true))]
    base: Option<bool>,
    /// Accepted differences between the two documents.
    #[serde(default)]
    allow: Vec<Written>,
}

/// The JSON Schema of `conformance.toml`, for editors.
pub fn schema() -> String {
    format!("{:#}\n", toml_text::schema::<File>())
}

/// The schema of a key with the values of an option.
fn words<T: ValueEnum>(_: &mut SchemaGenerator) -> Schema {
    let values = T::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value);
    let words: Vec<Value> = values.map(|value| value.get_name().into()).collect();
    json_schema!({"type": "string", "enum": words})
}

fn rules_schema(_: &mut SchemaGenerator) -> Schema {
    let severities: Vec<&str> = ["off"]
        .into_iter()
        .chain(Severity::ALL.map(Severity::word))
        .collect();
    let rule = |listed: catalogue::Listed| {
        let schema = json!({
            "description": listed.rule.meaning,
            "enum": severities,
            "default": listed.rule.severity.word(),
        });
        (listed.rule.id.to_owned(), schema)
    };
    let properties: Map<String, Value> = catalogue::all().into_iter().map(rule).collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The pairs as the program uses them; `prose` is what holds for those that do not say it.
pub(super) fn pairs(
    text: &Text<'_>,
    all: Vec<WrittenPair>,
    prose: bool,
) -> Result<Vec<Pair>, TextError> {
    let mut pairs: Vec<Pair> = Vec::new();
    for (index, written) in all.into_iter().enumerate() {
        let at = written.name.span().start;
        let pair = pair(text, index, written, prose)?;
        if pair.name.trim().is_empty() {
            return Err(text.error(at, "the name of a pair is empty"));
        }
        if pairs.iter().any(|other| other.name == pair.name) {
            let problem = format!("there are two pairs named `{}`; rename one", pair.name);
            return Err(text.error(at, problem));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn pair(
    text: &Text<'_>,
    index: usize,
    written: WrittenPair,
    prose: bool,
) -> Result<Pair, TextError> {
    let resolved = |path: &str| beside(text.name, path);
    let file = |path: &Option<String>| -> Result<Option<Baseline>, TextError> {
        let Some(path) = path else { return Ok(None) };
        let name = resolved(path);
        Baseline::parse(&name, &toml_text::read(&name)?).map(Some)
    };
    let documents = documents(text, &written)?.map(&resolved);
    let mut allowed = file(&written.baseline)?.unwrap_or_default();
    let list = format!("/pair/{index}/allow");
    allowed.join(Baseline::of_list(text, &list, written.allow)?)?;
    Ok(Pair {
        name: written.name.into_inner(),
        documents,
        selection: Selection::new(written.include, written.exclude),
        prose: written.prose.unwrap_or(prose),
        allowed,
        changes: file(&written.changes)?.unwrap_or_default(),
        base: written.base.unwrap_or(true),
    })
}

/// The documents of a pair as it names them: one, or two that must agree.
fn documents(text: &Text<'_>, written: &WrittenPair) -> Result<Documents, TextError> {
    let error = |problem: String| Err(text.error(written.name.span().start, problem));
    let name = written.name.get_ref();
    let mut sides = [None, None];
    for (side, [(key, value), (former, other)]) in sides.iter_mut().zip([
        [
            ("documented", &written.documented),
            ("theirs", &written.theirs),
        ],
        [("emitted", &written.emitted), ("ours", &written.ours)],
    ]) {
        if value.is_some() && other.is_some() {
            return error(format!(
                "pair `{name}` has both `{key}` and its former name `{former}`; remove `{former}`"
            ));
        }
        *side = value.as_ref().or(other.as_ref());
    }
    match (&written.document, sides) {
        (Some(document), [None, None]) if is_url(document) => error(format!(
            "pair `{name}` has only the URL `{document}`, which has no merge base; name a file"
        )),
        (Some(_), [None, None]) if written.base == Some(false) => error(format!(
            "pair `{name}` has one document and `base = false`, so there is nothing to compare it with; remove one of the two"
        )),
        (Some(document), [None, None]) => Ok(Documents::One(document.clone())),
        (None, [Some(documented), Some(emitted)]) => Ok(Documents::Two {
            documented: documented.clone(),
            emitted: emitted.clone(),
        }),
        (Some(_), _) => error(format!(
            "pair `{name}` has `document` and another document; write `documented` and `emitted` for two documents"
        )),
        (None, [documented, _]) => {
            let missing = if documented.is_some() {
                "emitted"
            } else {
                "documented"
            };
            error(format!(
                "pair `{name}` has no `{missing}`; write `documented` and `emitted` for two documents that must agree, or `document` for one"
            ))
        }
    }
}

/// A file or URL that a configuration names: relative to the folder of the configuration.
pub(super) fn beside(config: &str, path: &str) -> String {
    let folder = Path::new(config).parent().unwrap_or(Path::new(""));
    if is_url(path) || folder.as_os_str().is_empty() || folder == Path::new(".") {
        return path.to_owned();
    }
    folder.join(path).to_string_lossy().into_owned()
}

/// The changed severities of `rules`.
pub(super) fn overrides(
    text: &Text<'_>,
    rules: BTreeMap<Spanned<String>, Spanned<String>>,
) -> Result<Overrides, TextError> {
    let mut overrides = BTreeMap::new();
    for (id, word) in rules {
        let rule = catalogue::named(id.get_ref())
            .map_err(|problem| text.error(id.span().start, problem))?
            .rule;
        let severity = match word.get_ref().as_str() {
            "off" => None,
            other => Some(catalogue::severity(other).ok_or_else(|| {
                let problem = format!(
                    "unknown severity `{other}`; use off, info, warning, undecided or breaking"
                );
                text.error(word.span().start, problem)
            })?),
        };
        overrides.insert(rule.id, severity);
    }
    Ok(Overrides(overrides))
}

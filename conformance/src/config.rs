//! `conformance.toml`: defaults of flags, severities of rules, and the pairs that `conformance check` compares.
//!
//! What is unknown or misspelled is an error with its line and column, since a setting that is silently not followed makes a check pass
//! that should not. Headers may name environment variables; their values are in no message.

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use serde::Deserialize;
use toml::Spanned;

use crate::baseline::{Baseline, Written};
use crate::catalogue;
use crate::document::{Selection, is_url};
use crate::finding::Severity;
use crate::fingerprint::Entry;
use crate::lockstep::Pair;
use crate::replay;
use crate::report::Format;
use crate::toml_text::{self, Text, TextError};

/// The file that is read where no other is named.
pub const DEFAULT_FILE: &str = "conformance.toml";

/// The least severity that fails; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Findings that break.
    Breaking,
    /// Also what could not be decided.
    Undecided,
    /// Also warnings.
    Warning,
    /// Everything.
    Any,
}

impl FailOn {
    /// The least severity that fails.
    pub fn severity(self) -> Severity {
        match self {
            Self::Breaking => Severity::Breaking,
            Self::Undecided => Severity::Undecided,
            Self::Warning => Severity::Warning,
            Self::Any => Severity::Info,
        }
    }
}

/// When text has colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal without `NO_COLOR`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the rules' severities are changed to; `None` is off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides(BTreeMap<&'static str, Option<Severity>>);

impl Overrides {
    /// The entries with changed severities, without those that are off.
    pub fn apply(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let changed = |mut entry: Entry| {
            if let Some(severity) = self.0.get(entry.finding.rule) {
                entry.finding.severity = (*severity)?;
            }
            Some(entry)
        };
        entries.into_iter().filter_map(changed).collect()
    }
}

/// A header as it is written, before environment variables are filled in.
#[derive(Debug, Clone)]
struct Header {
    text: String,
    offset: usize,
}

/// The settings of a file; what it does not say is `None`.
#[derive(Debug, Default)]
pub struct Config {
    name: String,
    content: String,
    headers: Vec<Header>,
    /// `fail-on`.
    pub fail_on: Option<FailOn>,
    /// `color`.
    pub color: Option<Color>,
    /// `format`.
    pub format: Option<Format>,
    /// `prose`.
    pub prose: Option<bool>,
    /// `include`.
    pub include: Vec<String>,
    /// `exclude`.
    pub exclude: Vec<String>,
    /// `[rules]`.
    pub overrides: Overrides,
    /// `[[pair]]`, in the order of the file.
    pub pairs: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    fail_on: Option<FailOn>,
    color: Option<Color>,
    format: Option<Format>,
    prose: Option<bool>,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    header: Vec<Spanned<String>>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pair: Vec<WrittenPair>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenPair {
    name: Spanned<String>,
    theirs: String,
    ours: String,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    prose: Option<bool>,
    baseline: Option<String>,
    changes: Option<String>,
    base: Option<bool>,
    #[serde(default)]
    allow: Vec<Written>,
}

impl Config {
    /// The file that `--config` names, or the default file if there is one, or no settings.
    ///
    /// # Errors
    /// When the file cannot be read, or says what cannot be followed.
    pub fn load(named: Option<&str>) -> Result<Self, TextError> {
        let name = match named {
            Some(name) => name,
            None if Path::new(DEFAULT_FILE).is_file() => DEFAULT_FILE,
            None => return Ok(Self::default()),
        };
        Self::parse(name, &toml_text::read(name)?)
    }

    /// Reads the text of a configuration; files that it names are relative to it.
    ///
    /// # Errors
    /// When the text is not TOML, has unknown keys, rules or severities, two pairs of a name, or a baseline that cannot be used.
    pub fn parse(name: &str, content: &str) -> Result<Self, TextError> {
        let text = Text { name, content };
        let file: File = text.parse()?;
        let prose = file.prose.unwrap_or_default();
        let mut pairs: Vec<Pair> = Vec::new();
        for (index, written) in file.pair.into_iter().enumerate() {
            let at = written.name.span().start;
            let pair = pair(&text, index, written, prose)?;
            if pair.name.trim().is_empty() {
                return Err(text.error(at, "the name of a pair is empty"));
            }
            if pairs.iter().any(|other| other.name == pair.name) {
                let problem = format!("a pair `{}` was given before; name it otherwise", pair.name);
                return Err(text.error(at, problem));
            }
            pairs.push(pair);
        }
        Ok(Self {
            name: name.to_owned(),
            content: content.to_owned(),
            headers: file
                .header
                .into_iter()
                .map(|header| Header {
                    offset: header.span().start,
                    text: header.into_inner(),
                })
                .collect(),
            fail_on: file.fail_on,
            color: file.color,
            format: file.format,
            prose: file.prose,
            include: file.include,
            exclude: file.exclude,
            overrides: overrides(&text, file.rules)?,
            pairs,
        })
    }

    /// The headers, with `${NAME}` replaced by what `variable` gives for it.
    ///
    /// # Errors
    /// When a variable is not set, or what comes out is no header. No message repeats a value.
    pub fn headers(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<(String, String)>, TextError> {
        let text = Text {
            name: &self.name,
            content: &self.content,
        };
        let header = |header: &Header| {
            let filled = fill_in(&header.text, variable)?;
            replay::header(&filled)
        };
        self.headers
            .iter()
            .map(|one| header(one).map_err(|problem| text.error(one.offset, problem)))
            .collect()
    }
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
    let mut allowed = file(&written.baseline)?.unwrap_or_default();
    let list = format!("/pair/{index}/allow");
    allowed.join(Baseline::of_list(text, &list, written.allow)?)?;
    Ok(Pair {
        name: written.name.into_inner(),
        theirs: resolved(&written.theirs),
        ours: resolved(&written.ours),
        selection: Selection::new(written.include, written.exclude),
        prose: written.prose.unwrap_or(prose),
        allowed,
        changes: file(&written.changes)?.unwrap_or_default(),
        base: written.base.unwrap_or(true),
    })
}

/// A file or URL that a configuration names: relative to the folder of the configuration.
fn beside(config: &str, path: &str) -> String {
    let folder = Path::new(config).parent().unwrap_or(Path::new(""));
    if is_url(path) || folder.as_os_str().is_empty() || folder == Path::new(".") {
        return path.to_owned();
    }
    folder.join(path).to_string_lossy().into_owned()
}

fn overrides(
    text: &Text<'_>,
    rules: BTreeMap<Spanned<String>, Spanned<String>>,
) -> Result<Overrides, TextError> {
    let mut overrides = BTreeMap::new();
    for (id, word) in rules {
        let rule = catalogue::find(id.get_ref()).ok_or_else(|| {
            let problem = format!("there is no rule `{}`; see conformance rules", id.get_ref());
            text.error(id.span().start, problem)
        })?;
        let severity = match word.get_ref().as_str() {
            "off" => None,
            other => Some(catalogue::severity(other).ok_or_else(|| {
                let problem = format!(
                    "`{other}` is no severity; write off, info, warning, undecided or breaking"
                );
                text.error(word.span().start, problem)
            })?),
        };
        overrides.insert(rule.id, severity);
    }
    Ok(Overrides(overrides))
}

/// A text with `${NAME}` replaced.
fn fill_in(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or("a `${` has no `}` behind it")?;
        let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(usable) {
            return Err(
                "between `${` and `}` stands no name of an environment variable".to_owned(),
            );
        }
        filled.push_str(before);
        filled.push_str(
            &variable(name).ok_or_else(|| format!("the environment variable {name} is not set"))?,
        );
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let message = Config::parse("c.toml", text).unwrap_err().to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    #[test]
    fn every_key_is_read() {
        let config = Config::parse(
            "sub/c.toml",
            "fail-on = 'warning'\ncolor = 'never'\nformat = 'sarif'\nprose = true\ninclude = ['a']\nexclude = ['b']\n[rules]\ntag-added = 'off'\nschema-enum-changed = 'info'\n[[pair]]\nname = 'p'\ntheirs = 'a.yaml'\nours = 'http://localhost/b'\n[[pair.allow]]\nfingerprint = '0123456789abcdef'\nreason = 'r'\n",
        )
        .unwrap();
        assert_eq!(config.fail_on, Some(FailOn::Warning));
        assert_eq!(config.color, Some(Color::Never));
        assert_eq!(config.format, Some(Format::Sarif));
        assert_eq!(
            (config.include, config.exclude),
            (vec!["a".to_owned()], vec!["b".to_owned()])
        );
        let [pair] = &config.pairs[..] else {
            panic!("one pair")
        };
        assert_eq!(pair.theirs, "sub/a.yaml");
        assert_eq!(pair.ours, "http://localhost/b");
        assert!(pair.prose && pair.base);
    }

    #[test]
    fn what_is_not_known_is_refused_with_line_and_column() {
        for (text, start) in [
            ("fail_on = 'any'", "c.toml:1:1: unknown field `fail_on`"),
            ("\nfail-on = 'all'", "c.toml:2:11: unknown variant `all`"),
            ("format = 'pdf'", "c.toml:1:10: unknown variant `pdf`"),
            ("format = 1", "c.toml:1:10: "),
            (
                "[rules]\n'tag-aded' = 'off'",
                "c.toml:2:1: there is no rule `tag-aded`",
            ),
            (
                "[rules]\ntag-added = 'on'",
                "c.toml:2:13: `on` is no severity",
            ),
            ("[[pair]]\nname = 'a'", "c.toml:1:1: missing field `theirs`"),
            (
                "[[pair]]\nname = ''\ntheirs = 'a'\nours = 'b'",
                "c.toml:2:8: the name of a pair is empty",
            ),
            (
                "[[pair]]\nname = 'a'\ntheirs = 'a'\nours = 'b'\n[[pair]]\nname = 'a'\ntheirs = 'a'\nours = 'b'",
                "c.toml:6:8: a pair `a` was given before",
            ),
            (
                "[[pair]]\nname = 'a'\ntheirs = 'a'\nours = 'b'\nbaseline = 'none.toml'",
                "none.toml: cannot be read",
            ),
            ("a = [", "c.toml:1:6: "),
            ("a = 1\na = 2", "c.toml:2:1: duplicate key"),
        ] {
            let message = problem(text);
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn headers_come_from_the_environment_and_no_message_repeats_a_value() {
        let variable = |name: &str| (name == "KEY").then(|| "hunter22".to_owned());
        let headers = |text: &str| {
            let text = format!("header = [{text}]");
            Config::parse("c.toml", &text).unwrap().headers(&variable)
        };
        assert_eq!(
            headers("'X-Key: a ${KEY}', 'X-B: c'").unwrap(),
            [
                ("X-Key".to_owned(), "a hunter22".to_owned()),
                ("X-B".to_owned(), "c".to_owned())
            ]
        );
        for (text, part) in [
            (
                "'X-Key: ${NONE}'",
                "c.toml:1:11: the environment variable NONE is not set",
            ),
            ("'X-Key: ${KEY'", "has no `}`"),
            ("'X-Key: ${}'", "no name of an environment variable"),
            ("'X-Key ${KEY}'", "with a colon"),
            ("\"X: ${KEY}\\u0001\"", "c.toml:1:11: "),
        ] {
            let message = headers(text).unwrap_err().to_string();
            assert!(
                message.contains(part) && !message.contains("hunter22"),
                "{message}"
            );
        }
        // What needs no headers needs no variables.
        assert!(Config::parse("c.toml", "header = ['X: ${NONE}']").is_ok());
    }
}

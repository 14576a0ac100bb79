//! `conformance.toml`: defaults of flags, severities of rules, and the pairs that `conformance check` compares.
//!
//! Unknown and misspelled keys are errors with their line and column: a setting that is silently ignored would let a check pass that
//! should fail. Headers may name environment variables; no message contains their values.

mod access;
mod file;
mod operation;

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Deserialize;

use crate::deliveries::settings::How;
use crate::finding::Severity;
use crate::fingerprint::Entry;
use crate::lockstep::Pair;
use crate::report::Format;
use crate::session;
use crate::toml_text::{self, Text, TextError};

pub use access::{Access, Server};
pub use file::schema;

use access::{WrittenCredential, WrittenServer};
use file::File;
use operation::WrittenOperation;

/// The file that is read unless another is named.
pub const DEFAULT_FILE: &str = "conformance.toml";

/// The lowest severity that fails the run; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Breaking findings.
    Breaking,
    /// Also findings that could not be decided.
    Undecided,
    /// Also warnings.
    Warning,
    /// All findings.
    Any,
}

impl FailOn {
    /// The lowest severity that fails the run.
    pub fn severity(self) -> Severity {
        match self {
            Self::Breaking => Severity::Breaking,
            Self::Undecided => Severity::Undecided,
            Self::Warning => Severity::Warning,
            Self::Any => Severity::Info,
        }
    }
}

// Here and not beside the type, because reports are part of the library, which does without clap.
impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, purpose) = self.words();
        Some(PossibleValue::new(word).help(purpose))
    }
}

/// When text has colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Changed severities of rules; `None` is off.
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

/// A header as written, before environment variables are filled in.
#[derive(Debug, Clone)]
struct Header {
    text: String,
    offset: usize,
}

/// The settings of a file; `None` is what it leaves out.
#[derive(Debug, Default)]
pub struct Config {
    name: String,
    content: String,
    headers: Vec<Header>,
    written_server: WrittenServer,
    written_credentials: Vec<WrittenCredential>,
    written_operations: Vec<WrittenOperation>,
    /// `[server]`.
    pub server: Server,
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
    /// `[deliveries]`.
    pub deliveries: How,
    /// `[rules]`.
    pub overrides: Overrides,
    /// `[[pair]]`, in the order of the file.
    pub pairs: Vec<Pair>,
}

impl Config {
    /// Reads the file that `--config` names, or the default file if there is one; otherwise there are no settings.
    ///
    /// # Errors
    /// When the file cannot be read, or has an error.
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
    /// When the text is not TOML; has unknown keys, rules or severities, or two pairs with one name; or names an unusable baseline.
    pub fn parse(name: &str, content: &str) -> Result<Self, TextError> {
        let text = Text { name, content };
        let file: File = text.parse()?;
        access::check(&text, &file.credential)?;
        for one in &file.operation {
            one.check(&text)?;
        }
        Ok(Self {
            server: file.server.settle(&text)?,
            written_server: file.server,
            written_credentials: file.credential,
            written_operations: file.operation,
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
            deliveries: file.deliveries,
            include: file.include,
            exclude: file.exclude,
            overrides: file::overrides(&text, file.rules)?,
            pairs: file::pairs(&text, file.pair, file.prose.unwrap_or_default())?,
        })
    }

    /// Returns the credentials and connection settings, with `${NAME}` replaced by the value that `variable` returns for it.
    ///
    /// # Errors
    /// When a variable is not set, or a value cannot be used. No message repeats a value.
    pub fn access(&self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Access, TextError> {
        let text = Text {
            name: &self.name,
            content: &self.content,
        };
        let (server, credentials) = (&self.written_server, &self.written_credentials);
        let operations = &self.written_operations;
        access::access(&text, server, credentials, operations, variable)
    }

    /// The headers, with `${NAME}` replaced by the value that `variable` returns for it.
    ///
    /// # Errors
    /// When a variable is not set, or the result is not a header. No message repeats a value.
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
            session::header(&filled)
        };
        self.headers
            .iter()
            .map(|one| header(one).map_err(|problem| text.error(one.offset, problem)))
            .collect()
    }
}

/// A text with `${NAME}` replaced.
pub(crate) fn fill_in(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or("`${` without a closing `}`")?;
        let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(usable) {
            return Err(
                "the text between `${` and `}` is not the name of an environment variable"
                    .to_owned(),
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
    use serde_json::Value;

    use super::*;
    use crate::lockstep::Documents;

    fn problem(text: &str) -> String {
        let message = Config::parse("c.toml", text).unwrap_err().to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    #[test]
    fn every_key_is_read() {
        let config = Config::parse(
            "sub/c.toml",
            "fail-on = 'warning'\ncolor = 'never'\nformat = 'sarif'\nprose = true\ninclude = ['a']\nexclude = ['b']\n[rules]\ntag-added = 'off'\nschema-enum-changed = 'info'\n[[pair]]\nname = 'p'\ndocumented = 'a.yaml'\nemitted = 'http://localhost/b'\n[[pair.allow]]\nfingerprint = '0123456789abcdef'\nreason = 'r'\n[[pair]]\nname = 'one'\ndocument = 'a.yaml'\n[[pair]]\nname = 'former'\ntheirs = 'a.yaml'\nours = '/b.yaml'\n",
        )
        .unwrap();
        assert_eq!(config.fail_on, Some(FailOn::Warning));
        assert_eq!(config.color, Some(Color::Never));
        assert_eq!(config.format, Some(Format::Sarif));
        assert_eq!(
            (config.include, config.exclude),
            (vec!["a".to_owned()], vec!["b".to_owned()])
        );
        let two = |emitted: &str| Documents::Two {
            documented: "sub/a.yaml".to_owned(),
            emitted: emitted.to_owned(),
        };
        let documents: Vec<&Documents> = config.pairs.iter().map(|pair| &pair.documents).collect();
        assert_eq!(
            documents,
            [
                &two("http://localhost/b"),
                &Documents::One("sub/a.yaml".to_owned()),
                &two("/b.yaml")
            ]
        );
        assert!(config.pairs.iter().all(|pair| pair.prose && pair.base));
    }

    #[test]
    fn errors_have_line_and_column_and_the_nearest_name() {
        for (text, start) in [
            (
                "fail_on = 'any'",
                "c.toml:1:1: unknown key `fail_on`; did you mean `fail-on`?",
            ),
            ("\nfail-on = 'all'", "c.toml:2:11: unknown variant `all`"),
            ("format = 'pdf'", "c.toml:1:10: unknown variant `pdf`"),
            ("format = 1", "c.toml:1:10: "),
            (
                "[rules]\n'tag-aded' = 'off'",
                "c.toml:2:1: unknown rule `tag-aded`; did you mean `tag-added`?",
            ),
            (
                "[rules]\ntag-added = 'on'",
                "c.toml:2:13: unknown severity `on`",
            ),
            (
                "[[pair]]\nname = 'a'",
                "c.toml:2:8: pair `a` has no `documented`",
            ),
            (
                "[[pair]]\nname = 'a'\ntheirs = 'a'",
                "c.toml:2:8: pair `a` has no `emitted`",
            ),
            (
                "[[pair]]\nname = 'a'\ndocument = 'a'\nbase = false",
                "c.toml:2:8: pair `a` has one document and `base = false`",
            ),
            (
                "[[pair]]\nname = 'a'\ndocument = 'http://localhost/a'",
                "c.toml:2:8: pair `a` has only the URL `http://localhost/a`",
            ),
            (
                "[[pair]]\nname = 'a'\ndocument = 'a'\nours = 'a'",
                "c.toml:2:8: pair `a` has `document` and another document",
            ),
            (
                "[[pair]]\nname = 'a'\ntheirs = 'a'\ndocumented = 'a'\nours = 'a'",
                "c.toml:2:8: pair `a` has both `documented` and its former name",
            ),
            (
                "[[pair]]\nname = 'a'\n[[pair.allow]]\nreson = 'r'",
                "c.toml:4:1: unknown key `reson`; did you mean `reason`?",
            ),
            (
                "[[pair]]\nname = ''\ntheirs = 'a'\nours = 'b'",
                "c.toml:2:8: the name of a pair is empty",
            ),
            (
                "[[pair]]\nname = 'a'\ntheirs = 'a'\nours = 'b'\n[[pair]]\nname = 'a'\ntheirs = 'a'\nours = 'b'",
                "c.toml:6:8: there are two pairs named `a`",
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
    fn the_page_names_every_key_and_format() {
        let page = include_str!("../CONFIGURATION.md");
        let example = page.split("```toml\n").nth(1).unwrap();
        let example = example.split("```").next().unwrap();
        for (format, _) in Format::ALL.map(Format::words) {
            assert!(example.contains(format), "{format}");
        }
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let keys = |at: &str| schema.pointer(at).and_then(Value::as_object).unwrap();
        let pair = keys("/properties/pair/items/properties");
        let former = ["theirs", "ours"];
        let server = keys("/properties/server/properties");
        let credential = keys("/properties/credential/items/properties");
        let operation = keys("/properties/operation/items/properties");
        let all = keys("/properties").keys().chain(pair.keys());
        let all = all.chain(server.keys()).chain(credential.keys());
        for key in all.chain(operation.keys()) {
            assert!(
                example.contains(&format!("{key} = "))
                    || example.contains(&format!("{key}]"))
                    || former.contains(&key.as_str()),
                "{key}"
            );
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
            ("'X-Key: ${KEY'", "without a closing `}`"),
            ("'X-Key: ${}'", "not the name of an environment variable"),
            ("'X-Key ${KEY}'", "with a colon"),
            ("\"X: ${KEY}\\u0001\"", "c.toml:1:11: "),
        ] {
            let message = headers(text).unwrap_err().to_string();
            assert!(
                message.contains(part) && !message.contains("hunter22"),
                "{message}"
            );
        }
        // A command that needs no headers needs no variables.
        assert!(Config::parse("c.toml", "header = ['X: ${NONE}']").is_ok());
    }

    #[test]
    fn the_published_schema_accepts_what_is_read_and_refuses_what_is_not() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let page = include_str!("../CONFIGURATION.md");
        let example = page.split("```toml\n").nth(1).unwrap();
        let example = example.split("```").next().unwrap();
        // JSON has no dates.
        let example = &example.replace("2027-01-31", "'2027-01-31'");
        let pair = "[[pair]]\nname = 'a'\n";
        for (text, accepted) in [
            ("", true),
            (example, true),
            (&format!("{pair}document = 'a'"), true),
            (&format!("{pair}documented = 'a'\nemitted = 'b'"), true),
            (&format!("{pair}theirs = 'a'\nours = 'b'"), true),
            (&format!("{pair}documented = 'a'"), false),
            (
                &format!("{pair}document = 'a'\ndocumented = 'a'\nemitted = 'b'"),
                false,
            ),
            (pair, false),
            ("[[pair]]\ndocument = 'a'", false),
            ("[[credential]]\nscheme = 'a'\nvalue = '${A}'", true),
            (
                "[[credential]]\nscheme = 'a'\nvalue = '${A}'\ncommand = 'b'",
                false,
            ),
            ("[[credential]]\nscheme = 'a'", false),
            ("[server]\nworkers = 0", false),
            ("[[operation]]\nselect = 'a'\nexpected = [99]", false),
            (
                "[[operation]]\nselect = 'a'\nexpected = [501]\nskip = true",
                true,
            ),
            ("[[operation]]\nskip = true", false),
            ("[server]\nworkers = 4\ntimeout = 0.5", true),
            ("fail-on = 'all'", false),
            ("formt = 'json'", false),
            ("[rules]\ntag-aded = 'off'", false),
            ("[rules]\ntag-added = 'on'", false),
            ("[rules]\ntag-added = 'off'", true),
            (
                &format!("{pair}document = 'a'\n[[pair.allow]]\nfingerprint = '0123456789abcdef'"),
                false,
            ),
        ] {
            let value: Value = toml::from_str(text).unwrap();
            assert_eq!(validator.is_valid(&value), accepted, "{text}");
            // The files that the example names do not exist here.
            if text != example {
                assert_eq!(Config::parse("c.toml", text).is_ok(), accepted, "{text}");
            }
        }
    }
}

//! Findings that are accepted for a reason and a time: known by their fingerprint, listed in a file or in the configuration.
//!
//! A list that rots is worse than none, so an entry that matches nothing any more, or whose time is over, is a finding itself. Its
//! severity is `breaking`, so that it fails whatever `--fail-on` says.

#[cfg(test)]
mod tests;
mod write;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::document::Position;
use crate::finding::{Acceptance, BaselineFault, Comparison, Finding, Place, Severity};
use crate::fingerprint::{self, Entry};
use crate::rule::{Rule, Shown};
use crate::toml_text::{Text, TextError};

pub use write::render;

/// The rules about entries.
pub static RULES: &[Shown] = &[
    Shown {
        rule: Rule {
            id: STALE,
            severity: Severity::Breaking,
            meaning: "A baseline entry matches no finding any more: remove it.",
        },
        documented: "fingerprint = \"0123456789abcdef\"",
        found: "no finding has this fingerprint",
    },
    Shown {
        rule: Rule {
            id: EXPIRED,
            severity: Severity::Breaking,
            meaning: "A baseline entry expired: fix the finding, or renew the entry.",
        },
        documented: "expires = 2026-12-31",
        found: "a run on 2027-01-01",
    },
];
const STALE: &str = "baseline-stale";
const EXPIRED: &str = "baseline-expired";

/// The subject of findings about the baseline.
const SUBJECT: &str = "baseline";

/// The form of the file. The first had no `version`, and other fingerprints.
const VERSION: u32 = 2;

/// Accepted findings.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    accepted: Vec<Accepted>,
    /// Where the entry for a fingerprint is.
    index: HashMap<String, usize>,
}

/// One accepted finding.
#[derive(Debug, Clone)]
struct Accepted {
    what: Acceptance,
    expires: Option<Date>,
    /// Where the entry is.
    place: Place,
    /// Whether the fingerprint may be one of the first form.
    former: bool,
}

/// An accepted finding, as written in the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// Fingerprint of the finding, as reports show it.
    #[schemars(with = "String", pattern("^[0-9a-f]{16}$"))]
    fingerprint: Spanned<String>,
    /// Why the finding is accepted.
    #[schemars(with = "String", pattern("\\S"))]
    reason: Spanned<String>,
    /// The person who decided it.
    owner: Option<String>,
    /// The last day that the entry counts, in UTC.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    expires: Option<Spanned<Datetime>>,
    // These say what the fingerprint stood for when it was written.
    /// Rule of the finding.
    rule: Option<String>,
    /// The subject of the finding.
    subject: Option<String>,
    /// Where it was found.
    place: Option<String>,
    /// The message of the finding, for readers only; it is not compared.
    #[serde(rename = "message")]
    _message: Option<String>,
}

/// The file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Form of the file: 2, or missing in files of older versions.
    #[schemars(with = "Option<u32>")]
    version: Option<Spanned<u32>>,
    /// Accepted findings.
    #[serde(default)]
    ignore: Vec<Written>,
}

/// Whether reasons may still be missing: only where the file is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reasons {
    Needed,
    Optional,
}

/// A list of entries: where it is, and how it is read.
struct List<'t> {
    text: Text<'t>,
    pointer: &'t str,
    reasons: Reasons,
    former: bool,
}

impl Baseline {
    /// Reads the text of a baseline file.
    ///
    /// # Errors
    /// When the text is not TOML, has unknown keys, or an entry without a reason, twice, or of another form.
    pub fn parse(name: &str, text: &str) -> Result<Self, TextError> {
        Self::read(name, text, Reasons::Needed)
    }

    fn read(name: &str, text: &str, reasons: Reasons) -> Result<Self, TextError> {
        let text = Text {
            name,
            content: text,
        };
        let file: File = text.parse()?;
        if let Some(version) = file
            .version
            .as_ref()
            .filter(|one| *one.get_ref() != VERSION)
        {
            let problem = format!("unsupported version; this program reads version {VERSION}");
            return Err(text.error(version.span().start, problem));
        }
        let list = List {
            text,
            pointer: "/ignore",
            reasons,
            former: file.version.is_none(),
        };
        Self::of(&list, file.ignore)
    }

    /// Reads the entries of a list in a configuration, at the pointer of the list.
    pub(crate) fn of_list(
        text: &Text<'_>,
        pointer: &str,
        entries: Vec<Written>,
    ) -> Result<Self, TextError> {
        let list = List {
            text: *text,
            pointer,
            reasons: Reasons::Needed,
            // A configuration does not say which form its fingerprints have.
            former: true,
        };
        Self::of(&list, entries)
    }

    fn of(list: &List<'_>, entries: Vec<Written>) -> Result<Self, TextError> {
        let mut baseline = Self::default();
        for (index, written) in entries.into_iter().enumerate() {
            baseline.add(list, index, written)?;
        }
        Ok(baseline)
    }

    /// Adds the entries of another list.
    ///
    /// # Errors
    /// When both have an entry for the same finding.
    pub fn join(&mut self, other: Self) -> Result<(), TextError> {
        for accepted in other.accepted {
            self.push(accepted)?;
        }
        Ok(())
    }

    fn add(&mut self, list: &List<'_>, index: usize, written: Written) -> Result<(), TextError> {
        let text = &list.text;
        let start = written.fingerprint.span().start;
        let fingerprint = written.fingerprint.into_inner();
        if !fingerprint::is_fingerprint(&fingerprint) {
            let problem = "a fingerprint is 16 digits of 0-9 and a-f, as reports give it";
            return Err(text.error(start, problem));
        }
        let at = written.reason.span().start;
        let reason = written.reason.into_inner();
        if reason.trim().is_empty() && list.reasons == Reasons::Needed {
            let problem = "the reason is empty; say why this finding is accepted";
            return Err(text.error(at, problem));
        }
        let expires = match written.expires {
            None => None,
            Some(expires) => {
                let at = expires.span().start;
                let problem = "write `expires` as a date, such as 2027-01-31";
                Some(date(expires.into_inner()).ok_or_else(|| text.error(at, problem))?)
            }
        };
        let position = text.position(start);
        let pointer = format!("{}/{index}", list.pointer);
        self.push(Accepted {
            what: Acceptance {
                fingerprint,
                reason,
                owner: written.owner,
                rule: written.rule,
                subject: written.subject,
                place: written.place,
            },
            expires,
            former: list.former,
            place: Place {
                document: text.name.to_owned(),
                pointer: pointer.clone(),
                node: pointer,
                line: position.line,
                column: position.column,
            },
        })
    }

    fn push(&mut self, accepted: Accepted) -> Result<(), TextError> {
        if let Some(other) = self.find(&accepted.what.fingerprint) {
            let Place {
                document,
                line,
                column,
                ..
            } = accepted.place;
            return Err(TextError::Invalid {
                name: document,
                position: Position { line, column },
                problem: format!(
                    "the fingerprint {} was given before, at {}:{}; keep one of the two",
                    accepted.what.fingerprint, other.place.document, other.place.line
                ),
            });
        }
        self.index
            .insert(accepted.what.fingerprint.clone(), self.accepted.len());
        self.accepted.push(accepted);
        Ok(())
    }

    fn find(&self, fingerprint: &str) -> Option<&Accepted> {
        self.index
            .get(fingerprint)
            .and_then(|index| self.accepted.get(*index))
    }

    /// The entry that accepts a finding.
    fn accepting(&self, entry: &Entry) -> Option<&Accepted> {
        self.find(&entry.fingerprint)
            .or_else(|| self.find(&entry.former).filter(|accepted| accepted.former))
    }

    /// Takes the accepted findings away, and adds a finding for each entry that is stale or expired. Gives what is left, and how many
    /// were taken away.
    ///
    /// An entry that matches nothing is a finding of severity `stale`, or none where the run did not look at everything.
    pub fn apply(
        &self,
        entries: Vec<Entry>,
        today: Date,
        stale: Option<Severity>,
    ) -> (Vec<Entry>, usize) {
        let matched: HashSet<&str> = entries
            .iter()
            .filter_map(|entry| Some(self.accepting(entry)?.what.fingerprint.as_str()))
            .collect();
        let before = entries.len();
        let mut left: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| {
                self.accepting(entry)
                    .is_none_or(|accepted| accepted.is_over(today))
            })
            .collect();
        let ignored = before - left.len();
        for accepted in &self.accepted {
            let what = || accepted.what.clone();
            if !matched.contains(accepted.what.fingerprint.as_str()) {
                if let Some(severity) = stale {
                    let fault = BaselineFault::Stale { accepted: what() };
                    left.push(accepted.finding(STALE, severity, fault));
                }
            } else if let Some(expires) = accepted.expires.filter(|_| accepted.is_over(today)) {
                let fault = BaselineFault::Expired {
                    accepted: what(),
                    until: expires.to_string(),
                };
                left.push(accepted.finding(EXPIRED, Severity::Breaking, fault));
            }
        }
        (left, ignored)
    }
}

impl Accepted {
    /// The date is the last day that the entry counts.
    fn is_over(&self, today: Date) -> bool {
        self.expires.is_some_and(|expires| today > expires)
    }

    fn finding(&self, rule: &'static str, severity: Severity, fault: BaselineFault) -> Entry {
        let fingerprint = fingerprint::digest(&format!("{rule}\n{}", self.what.fingerprint));
        Entry {
            former: fingerprint.clone(),
            fingerprint,
            pair: None,
            comparison: Comparison::Single,
            finding: Finding {
                old: Some(self.place.clone()),
                ..Finding::new(rule, severity, SUBJECT, fault)
            },
        }
    }
}

fn date(written: Datetime) -> Option<Date> {
    if written.time.is_some() || written.offset.is_some() {
        return None;
    }
    let date = written.date?;
    let year = i16::try_from(date.year).ok()?;
    Date::new(
        year,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
    .ok()
}

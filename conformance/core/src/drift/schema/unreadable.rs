//! Differences in which a pattern stands that is not a regular expression. Values are held to the rest of its schema only.

use serde_json::Value;

use super::super::meaning::Edit;
use super::decider::Decider;
use super::differences::Difference;
use super::side::Side;
use super::verdict::Verdict;
use crate::document::pointer::{self, index as index_of, join};
use crate::finding::{Impact, Sender, Undecided};
use crate::schema::pattern::fault;

/// Keywords whose values hold no schemas.
const DATA: [&str; 6] = [
    "enum",
    "const",
    "default",
    "example",
    "examples",
    "discriminator",
];

/// Why values do not tell all of a difference: patterns in what goes and in what comes.
pub(super) struct Unreadable {
    old: Option<Undecided>,
    new: Option<Undecided>,
}

impl Decider<'_, '_, '_> {
    /// Looks for patterns that are not regular expressions in what a difference removes and adds.
    pub(super) fn unreadable(&self, difference: &Difference) -> Unreadable {
        let mut found = Unreadable {
            old: None,
            new: None,
        };
        // A property comes or goes whatever its values are.
        let is_property =
            |edit: &&Edit| matches!(edit, Edit::Entry { keyword, .. } if keyword == "properties");
        for edit in difference.edits.iter().filter(|edit| !is_property(edit)) {
            let (old, new) = changed(edit);
            if let Edit::Entry {
                schema,
                keyword,
                name,
                new,
            } = edit
                && keyword == "patternProperties"
                && let Some(reason) = reason(name, schema)
            {
                match new {
                    Some(_) => found.new = Some(reason),
                    None => found.old = Some(reason),
                }
            }
            let sides = &self.walk.sides;
            let told = |side: &Side<'_>, found: Undecided| match found {
                Undecided::Pattern {
                    pattern,
                    at,
                    problem,
                } => Undecided::Pattern {
                    pattern,
                    at: side.document().origin(&at).1,
                    problem,
                },
                other => other,
            };
            for (found, side, place) in [
                (&mut found.old, &sides.old, old),
                (&mut found.new, &sides.new, new),
            ] {
                if found.is_none()
                    && let Some((at, keyword)) = place
                    && let Some(value) = side.value(&at)
                {
                    let reason = in_keyword(&keyword.unwrap_or_default(), &at, value);
                    *found = reason.map(|reason| told(side, reason));
                }
            }
        }
        found
    }
}

impl Unreadable {
    /// What is known of a difference whose verdict by values is `verdict`. A pattern that was left out makes a side accept too much: what
    /// the receiver rejects even so is rejected, and where all is accepted that the sender could send even so, no harm is done.
    pub(super) fn qualify(&self, verdict: Verdict, sender: Sender) -> Verdict {
        let Some(reason) = self.old.as_ref().or(self.new.as_ref()) else {
            return verdict;
        };
        let (in_sender, in_receiver) = match sender {
            Sender::Client => (&self.old, &self.new),
            Sender::Server => (&self.new, &self.old),
        };
        match verdict {
            Verdict::Breaks(Impact::Withdrawn, _) | Verdict::Undecided(_) => verdict,
            Verdict::Breaks(..) if in_sender.is_none() => verdict,
            Verdict::None | Verdict::Harmless(..) if in_receiver.is_none() => verdict,
            _ => Verdict::Undecided(reason.clone()),
        }
    }
}

/// A place in a document, with the keyword that stands there unless it is a schema.
type Changed = Option<(String, Option<String>)>;

/// The places of what an edit removes from the old document, and takes from the new one.
fn changed(edit: &Edit) -> (Changed, Changed) {
    let schema = |at: &Option<String>| at.clone().map(|at| (at, None));
    match edit {
        Edit::Keyword { old, new, .. } => {
            let place = |one: &Option<(String, String)>| {
                let (schema, keyword) = one.as_ref()?;
                Some((pointer::join(schema, keyword), Some(keyword.clone())))
            };
            (place(old), place(new))
        }
        Edit::Entry {
            schema: at,
            keyword,
            name,
            new,
        } => match new {
            Some(_) => (None, schema(new)),
            None => {
                let old = pointer::join(&pointer::join(at, keyword), name);
                (Some((old, None)), None)
            }
        },
        Edit::Branch { old, new, .. } => (schema(old), schema(new)),
        Edit::Schema { schema: old, new } => (Some((old.clone(), None)), Some((new.clone(), None))),
        Edit::Rename { .. }
        | Edit::Required { .. }
        | Edit::Values { .. }
        | Edit::Types { .. }
        | Edit::Null { .. }
        | Edit::Flag { .. } => (None, None),
    }
}

/// Why a pattern, which is at `at`, cannot be read.
fn reason(text: &str, at: &str) -> Option<Undecided> {
    Some(Undecided::Pattern {
        pattern: text.to_owned(),
        at: at.to_owned(),
        problem: fault(text)?,
    })
}

/// The first pattern that cannot be read in a keyword, which is at `at`; `keyword` is empty for a schema.
fn in_keyword(keyword: &str, at: &str, value: &Value) -> Option<Undecided> {
    match (keyword, value) {
        ("pattern", Value::String(text)) => reason(text, at),
        ("patternProperties" | "properties" | "dependentSchemas", Value::Object(members)) => {
            let mut names = members.keys().filter(|_| keyword == "patternProperties");
            let broken = names.find_map(|name| reason(name, at));
            let mut below = members.iter();
            broken.or_else(|| below.find_map(|(name, one)| in_keyword("", &join(at, name), one)))
        }
        (keyword, _) if DATA.contains(&keyword) || keyword.starts_with("x-") => None,
        (_, Value::Object(members)) => {
            let mut below = members.iter();
            below.find_map(|(keyword, one)| in_keyword(keyword, &join(at, keyword), one))
        }
        (_, Value::Array(items)) => {
            let mut below = items.iter().enumerate();
            below.find_map(|(index, one)| in_keyword("", &index_of(at, index), one))
        }
        _ => None,
    }
}

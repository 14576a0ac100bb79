//! Differences in which a pattern stands that is not a regular expression. Values are held to the rest of its schema only.

use serde_json::{Map, Value};

use super::super::meaning::Edit;
use super::decide::{Decider, Verdict};
use super::differences::Difference;
use crate::document::pointer;
use crate::finding::{Impact, Sender, Undecided};
use crate::schema::pattern::{is_pattern, pattern};

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
                keyword, name, new, ..
            } = edit
                && keyword == "patternProperties"
                && let Some(reason) = reason(name)
            {
                match new {
                    Some(_) => found.new = Some(reason),
                    None => found.old = Some(reason),
                }
            }
            let look = |found: &mut Option<Undecided>, (keyword, value): (Option<String>, _)| {
                if found.is_none() {
                    *found = in_keyword(keyword.as_deref().unwrap_or_default(), value);
                }
            };
            let sides = &self.walk.sides;
            if let Some((at, keyword)) = old
                && let Some(value) = sides.old.value(&at)
            {
                look(&mut found.old, (keyword, value));
            }
            if let Some((at, keyword)) = new
                && let Some(value) = sides.new.value(&at)
            {
                look(&mut found.new, (keyword, value));
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

/// Why a pattern cannot be read.
fn reason(text: &str) -> Option<Undecided> {
    if is_pattern(text) {
        return None;
    }
    pattern(text).err()
}

/// The first pattern in a keyword that cannot be read, where `keyword` is empty in a schema.
fn in_keyword(keyword: &str, value: &Value) -> Option<Undecided> {
    match (keyword, value) {
        ("pattern", Value::String(text)) => reason(text),
        ("patternProperties", Value::Object(members)) => {
            let names = members.keys().find_map(|name| reason(name));
            names.or_else(|| in_members(members, ""))
        }
        ("properties" | "dependentSchemas", Value::Object(members)) => in_members(members, ""),
        (keyword, _) if DATA.contains(&keyword) || keyword.starts_with("x-") => None,
        (_, Value::Object(members)) => members
            .iter()
            .find_map(|(keyword, value)| in_keyword(keyword, value)),
        (_, Value::Array(items)) => items.iter().find_map(|item| in_keyword("", item)),
        _ => None,
    }
}

/// The first pattern in schemas by their names that cannot be read.
fn in_members(members: &Map<String, Value>, keyword: &str) -> Option<Undecided> {
    members
        .values()
        .find_map(|member| in_keyword(keyword, member))
}

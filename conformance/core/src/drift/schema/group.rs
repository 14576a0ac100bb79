//! The differences of one schema, gathered to be looked at together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::site::Text;
use super::differences::Difference;
use crate::finding::Sender;

/// How many values are kept that are about one difference.
const VALUES: usize = 16;

/// The differences of one schema that a whole value has to meet, by the direction of the value.
pub(super) type Group<'d> = Vec<Member<'d>>;

/// A difference of a schema that several share.
pub(super) struct Member<'d> {
    /// The pair that it is a difference of.
    pub(super) id: usize,
    pub(super) difference: &'d Difference,
    /// Whether it breaks somebody by itself.
    pub(super) breaks: bool,
    /// Whether no value is left because of it.
    pub(super) empties: bool,
    /// Values of the shared schema that are about it.
    pub(super) values: Vec<Value>,
}

impl<'d> Member<'d> {
    /// A difference that changes nothing by itself, with values of the shared schema that are about it.
    pub(super) fn quiet(id: usize, difference: &'d Difference, values: Vec<Value>) -> Self {
        Self {
            id,
            difference,
            breaks: false,
            empties: false,
            values,
        }
    }
}

/// The differences of each schema, by the direction of its values and how these stand as text.
#[derive(Default)]
pub(super) struct Groups<'d>(BTreeMap<(usize, Sender, Text), Group<'d>>);

impl<'d> Groups<'d> {
    /// Notes that a difference was judged at `place`.
    pub(super) fn join(&mut self, place: usize, sender: Sender, text: Text, member: Member<'d>) {
        let group = self.0.entry((place, sender, text)).or_default();
        let known = group.iter_mut().find(|other| {
            other.id == member.id && std::ptr::eq(other.difference, member.difference)
        });
        match known {
            Some(known) => {
                known.breaks |= member.breaks;
                known.empties |= member.empties;
                known.values.extend(member.values);
                known.values.truncate(VALUES);
            }
            None => group.push(member),
        }
    }

    /// All of them, in the order of the schemas.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = ((usize, Sender, Text), Group<'d>)> {
        self.0.into_iter()
    }
}

//! The meaning of a schema edit: values that the schema accepts and the edited one rejects or the reverse, and proofs that there are none.
//!
//! [`Meaning::trial`] tries values on the old schema and on the old schema with one difference applied, so that what tells the two apart
//! belongs to that difference. [`Meaning::raise`] puts such a value into the body or parameter that it is part of, and
//! [`Meaning::proof`] asks the set algebra. Numbers that no value is made of are replaced, see [`stand_in`]. The sender of the value
//! decides which members are sent at all (`readOnly`, `writeOnly`).

mod algebra;
mod applied;
mod as_text;
mod combined;
mod cover;
mod different;
mod directed;
mod documents;
mod edges;
mod edit;
mod edited;
mod embed;
mod emptied;
mod examples;
mod facts;
mod formats;
mod frame;
mod generate;
mod held;
mod hints;
mod judge;
mod language;
mod lists;
mod lookaround;
mod marks;
mod place;
mod plain;
mod presumed;
mod prints;
mod proof;
mod raise;
mod refused;
mod renamed;
mod scalars;
mod scaled;
mod scope;
mod search;
mod sorting;
mod source;
mod spoken;
mod stand_in;
mod text;
mod trial;
mod tried;
mod whole;
mod witness;

pub(super) use algebra::Relation;
pub use algebra::accepts_nothing;
pub(super) use documents::Meaning;
pub(super) use edges::{Focus, of_schema};
pub(super) use edit::Edit;
pub(super) use embed::Step;
pub use examples::{different_values, example_values};
pub(super) use formats::{exclude, lengths};
pub(super) use held::is_held;
pub(super) use judge::{Judge, enforces_format, knows_format};
pub(super) use language::{Texts, apart, are_apart, beyond};
pub(super) use place::{At, Spot};
pub(super) use raise::{Around, Raised};
pub(super) use stand_in::StandIns;
pub use text::of_pattern;
pub(super) use trial::{Trial, Tried};

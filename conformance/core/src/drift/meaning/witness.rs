//! Whether a value proves an edit to a reader, by the numbers that the documents themselves have.

use super::as_text::accepted;
use super::edit::Edit;
use super::plain::Edits;
use super::source::Source;
use super::trial::{Tried, says_its_numbers};
use super::{Meaning, Spot, presumed};

impl<'a> Meaning<'a> {
    /// Whether a value tells the two schemas apart by their own numbers, because of these edits: the old one accepts it, or the new one,
    /// and the other does not.
    pub(in super::super) fn is_witness(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        tried: &Tried,
        in_old: bool,
    ) -> bool {
        let value = &tried.value;
        if !says_its_numbers(value) || presumed::is_in(value) {
            return false;
        }
        let Some([old, new]) = self.real(spot.sender).filter(|_| tried.stands_in) else {
            return true;
        };
        let accepts = |source: &Source<'a>, at: &str, edits: Option<Edits<'_, 'a>>| {
            let values = std::slice::from_ref(value);
            accepted(source, at, values, edits, spot.text).is_ok_and(|all| all[0])
        };
        accepts(old, spot.at.0, None) == in_old
            && accepts(new, spot.at.1, None) != in_old
            && accepts(old, spot.at.0, Some(Edits { new, edits })) != in_old
    }
}

//! The part of `README.md` that tells of drift: two programs write the page, each its own part.

/// Where the page stands.
pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// What stands in front of the part on drift, which reaches to the end of the page.
pub(crate) const BEGIN: &str = "\n<!-- From here on written by benches/drift. -->\n";

/// `page` with what `other` tells of drift, if anything, in place of what it tells itself.
pub(crate) fn joined(page: &str, other: &str) -> String {
    let own = page.split_once(BEGIN).map_or(page, |(own, _)| own);
    match other.split_once(BEGIN) {
        Some((_, part)) => format!("{own}{BEGIN}{part}"),
        None => own.to_owned(),
    }
}

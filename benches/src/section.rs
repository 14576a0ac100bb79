//! The parts of `README.md`: each program of this folder writes its own.

use std::{fs, io};

/// Where the page stands.
pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// The beginning of the line in front of each part but the first, which is that of `benches/delivery`.
const BEGIN: &str = "\n<!-- From here on written by benches/";

/// Replaces the part of a program: `delivery`, whose part is the first, or another one, such as `drift`, which is added where there is
/// none.
///
/// # Errors
/// When the page cannot be read or written.
pub(crate) fn replace(program: &str, part: &str) -> io::Result<()> {
    let page = fs::read_to_string(PATH)?;
    fs::write(PATH, replaced(&page, program, part))
}

fn replaced(page: &str, program: &str, part: &str) -> String {
    let marker = match program {
        "delivery" => String::new(),
        program => format!("{BEGIN}{program}. -->\n"),
    };
    let begin = page.find(&marker).unwrap_or(page.len());
    let own = begin + marker.len().min(page.len() - begin);
    let end = page[own..].find(BEGIN).map_or(page.len(), |end| own + end);
    format!("{}{marker}{part}{}", &page[..begin], &page[end..])
}

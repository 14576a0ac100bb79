//! Lists as columns for a person. Returns text; it writes nothing.

use anstyle::Style;

use super::terminal::{Paint, printable};

/// One value of a row.
#[derive(Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A value as it is, in one line.
    pub(super) fn plain(text: &str) -> Self {
        Self::styled(text, Style::new())
    }

    /// A value in a style.
    pub(super) fn styled(text: &str, style: Style) -> Self {
        Self {
            text: printable(text).replace('\n', "\\n"),
            style,
        }
    }
}

/// Returns the rows with their columns aligned, below a head where they are the first ones, with a line break after each line. The last
/// column is not padded.
pub(super) fn aligned(head: &[&str], rows: Vec<Vec<Cell>>, is_first: bool, paint: Paint) -> String {
    let head = head
        .iter()
        .map(|name| Cell::styled(name, Style::new().dimmed()))
        .collect();
    let head = is_first.then_some(head);
    let rows: Vec<Vec<Cell>> = head.into_iter().chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.text.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let mut out = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let last = column + 1 == row.len();
            out += &paint.paint(cell.style, &cell.text);
            if !last {
                let filled = cell.text.chars().count();
                out += &" ".repeat(widths[column] - filled + 2);
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_each_row_is_one_line() {
        let rows = vec![
            vec![Cell::plain("é"), Cell::plain("a\nb")],
            vec![Cell::plain("long"), Cell::plain("\u{1b}[2J")],
        ];
        let text = aligned(&["id", "what"], rows, true, Paint::new(false));
        assert_eq!(text, "id    what\né     a\\nb\nlong  \\u001b[2J\n");
        let more = vec![vec![Cell::plain("1"), Cell::plain("2")]];
        let text = aligned(&["id", "what"], more, false, Paint::new(false));
        assert_eq!(text, "1  2\n");
    }
}

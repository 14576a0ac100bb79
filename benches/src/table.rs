//! The table: figures of all runs, best and median, beside their limits. Written for the terminal and for `README.md` alike.

use std::fmt::Write;

use crate::figure::{Figure, Unit, median};

/// All runs of all measures.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    /// Name, unit, limits and aim; its value is that of the first run.
    figure: Figure,
    values: Vec<f64>,
    /// The share of the machine that other processes used, in percent, in each run.
    others: Vec<f64>,
}

impl Table {
    /// Adds a figure of one run.
    pub(crate) fn add(&mut self, figure: Figure, others: f64) {
        let (value, known) = (
            figure.value,
            self.rows
                .iter_mut()
                .find(|row| row.figure.name == figure.name),
        );
        match known {
            Some(row) => {
                row.values.push(value);
                row.others.push(others);
            }
            None => self.rows.push(Row {
                figure,
                values: vec![value],
                others: vec![others],
            }),
        }
    }

    /// The most that other processes used of the machine in any run, in percent.
    pub(crate) fn most_by_others(&self) -> f64 {
        let all = self.rows.iter().flat_map(|row| &row.others);
        all.copied().fold(0.0, f64::max)
    }

    /// As Markdown, with columns of equal width.
    pub(crate) fn to_markdown(&self) -> String {
        let mut lines = vec![
            [
                "measure",
                "best",
                "median",
                "beside its limit",
                "aim",
                "others",
            ]
            .map(str::to_owned),
        ];
        for row in &self.rows {
            let Figure {
                name, unit, aim, ..
            } = &row.figure;
            let shown = |value: f64| format!("{} {}", number(value), unit.as_str());
            lines.push([
                name.clone(),
                shown(unit.best(&row.values)),
                shown(median(&row.values)),
                self.shares(row),
                aim.map_or_else(String::new, |aim| aim.words.to_owned()),
                format!("{:.0} %", median(&row.others)),
            ]);
        }
        layout(&lines)
    }

    /// Which aims the medians miss, as a sentence in Markdown.
    pub(crate) fn missed(&self) -> String {
        let with_aim = || self.rows.iter().filter(|row| row.figure.aim.is_some());
        let missed: Vec<String> = with_aim()
            .filter(|row| {
                let ratios: Vec<f64> = self.ratios(row).map(|(_, ratio)| ratio).collect();
                let aim = row.figure.aim.as_ref();
                aim.is_some_and(|aim| aim.is_missed(median(&row.values), &ratios))
            })
            .map(|row| row.figure.name.clone())
            .collect();
        match (missed.len(), with_aim().count()) {
            (_, 0) => String::new(),
            (0, all) => format!("The medians meet all {all} aims.\n"),
            (count, all) => format!(
                "The medians miss {count} of {all} aims: {}.\n",
                missed.join("; ")
            ),
        }
    }

    /// Returns the limits of a row, with the ratio of the row to each of them, by the medians.
    fn ratios<'t>(&'t self, row: &'t Row) -> impl Iterator<Item = (&'t str, f64)> {
        row.figure.beside.iter().filter_map(|name| {
            let limit = self.rows.iter().find(|row| row.figure.name == *name)?;
            Some((name.as_str(), median(&row.values) / median(&limit.values)))
        })
    }

    /// Returns the share of each of its limits that a row reaches.
    fn shares(&self, row: &Row) -> String {
        let shares = self.ratios(row).map(|(name, ratio)| {
            if row.figure.unit == Unit::PerSecond {
                format!("{:.0} % of {name}", ratio * 100.0)
            } else {
                format!("{ratio:.2} x {name}")
            }
        });
        shares.collect::<Vec<_>>().join(", ")
    }
}

/// Columns of equal width, the first line as heading.
fn layout<const COLUMNS: usize>(lines: &[[String; COLUMNS]]) -> String {
    let mut text = String::new();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default()
    });
    for (index, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Figures are aligned at their end.
            let written = if index > 0 && (column == 1 || column == 2) {
                write!(text, "| {cell:>width$} ")
            } else {
                write!(text, "| {cell:width$} ")
            };
            written.expect("a string can be written to");
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.into_iter().enumerate() {
                let end = if column == 1 || column == 2 { ':' } else { '-' };
                write!(text, "|{}{end}", "-".repeat(width + 1))
                    .expect("a string can be written to");
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Three digits or more, thousands apart.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    let digits = match value.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let plain = format!("{value:.digits$}");
    if digits > 0 {
        return plain;
    }
    let mut grouped = String::new();
    for (index, character) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(character);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_whose_medians_miss_their_aims_are_named() {
        let mut table = Table::default();
        assert_eq!(table.missed(), "");
        let time = |name: &str, value| Figure::new(name, Unit::Milliseconds, value);
        for value in [1.0, 2.0, 9.0] {
            table.add(time("short", value), 0.0);
            table.add(time("p99", value).aim("under 3 ms"), 0.0);
        }
        assert_eq!(table.missed(), "The medians meet all 1 aims.\n");
        table.add(time("long", 2.3).beside("short").aim("under 1.1 x"), 0.0);
        assert_eq!(table.missed(), "The medians miss 1 of 2 aims: long.\n");
    }
}

//! Text for a terminal: color where it is wanted, and no control characters from others.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use anyhow::Context;

/// Colours text, or does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    colored: bool,
}

impl Paint {
    /// Colours for standard output: on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is a dumb one.
    pub(super) fn for_stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let refused = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        Self {
            colored: std::io::stdout().is_terminal() && !refused,
        }
    }

    #[cfg(test)]
    pub(super) fn new(colored: bool) -> Self {
        Self { colored }
    }

    /// The text in this style.
    pub(super) fn paint(self, style: Style, text: impl Display) -> String {
        if self.colored {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }
}

/// The style of a delivery's state: what went well, what is still under way, what an operator has to look at.
pub(super) fn state_style(state: &str) -> Style {
    match state {
        "delivered" => AnsiColor::Green.on_default(),
        "pending" => AnsiColor::Yellow.on_default(),
        "exhausted" => AnsiColor::Red.on_default().bold(),
        _ => Style::new().dimmed(),
    }
}

/// The text with everything escaped that could steer a terminal or reorder what stands on it: control characters (but line breaks)
/// and the direction marks of Unicode. The escapes are those of JSON, so JSON text keeps its meaning.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| {
        if steers(c) {
            format!("\\u{:04x}", u32::from(c))
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Writes to standard output. A reader that has gone, such as `head`, has seen what it wanted.
///
/// # Errors
/// When the output takes nothing for any other reason, such as a full disk.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    print_to_reader(text).map(drop)
}

/// Writes to standard output, and says whether anybody still reads it.
///
/// # Errors
/// As [`print()`].
pub(super) fn print_to_reader(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Says something on standard error. Where nobody can read it any more there is nothing left to do about that.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_everything_else_stays() {
        assert_eq!(
            printable("ok \u{1f600}\n\"é\""),
            "ok \u{1f600}\n\"é\"".to_owned()
        );
        assert_eq!(
            printable("\u{1b}[2J\r\t\u{9b}\u{7f}\u{202e}"),
            "\\u001b[2J\\u000d\\u0009\\u009b\\u007f\\u202e".to_owned()
        );
    }

    #[test]
    fn styles_are_written_only_where_colours_are_wanted() {
        let bold = Style::new().bold();
        assert_eq!(Paint::new(false).paint(bold, "x"), "x");
        assert_eq!(Paint::new(true).paint(bold, "x"), "\u{1b}[1mx\u{1b}[0m");
    }
}

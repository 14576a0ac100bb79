//! Strings that match patterns with lookaround and backreferences, which are more than regular expressions can say.
//!
//! Strings are written by the rest of the pattern, and the texts of its lookaheads are put in; the engine decides which of them match.

use std::cell::RefCell;
use std::collections::HashMap;

use fancy_regex::{Expr, LookAround};
use regex_syntax::hir::{Class, HirKind};

use super::text::{LENGTH, characters, unique};
use crate::schema::pattern::{matches, translated};

/// How many strings are written for one pattern.
const VARIANTS: usize = 24;

/// How many strings that match are enough.
const ENOUGH: usize = 6;

/// How many parts of a pattern are written for one string.
const STEPS: usize = 20_000;

/// How deep groups nest.
const DEPTH: usize = 40;

thread_local! {
    /// The strings of patterns that were asked for.
    static FOUND: RefCell<HashMap<String, Vec<String>>> = RefCell::default();
}

/// Strings that match `pattern`; none where none was found.
pub(super) fn strings(pattern: &str) -> Vec<String> {
    if let Some(known) = FOUND.with_borrow(|found| found.get(pattern).cloned()) {
        return known;
    }
    let found = written(pattern, false);
    FOUND.with_borrow_mut(|all| all.insert(pattern.to_owned(), found.clone()));
    found
}

/// Strings that a pattern nearly matches: what must not be around a place is there, and what is referred to is another text.
pub(super) fn near(pattern: &str) -> Vec<String> {
    written(pattern, true)
}

fn written(pattern: &str, is_near: bool) -> Vec<String> {
    let Ok(tree) = Expr::parse_tree(&translated(pattern)) else {
        return Vec::new();
    };
    let enough = if is_near { 2 * VARIANTS } else { ENOUGH };
    let mut found = Vec::new();
    for variant in 0..VARIANTS {
        let mut text = Text {
            variant,
            is_near,
            ..Text::default()
        };
        text.write(&tree.expr, 0);
        let candidates = unique(text.candidates());
        let fits = |text: &String| text.len() <= LENGTH && (is_near || matches(pattern, text));
        found.extend(candidates.into_iter().filter(fits));
        if found.len() >= enough {
            break;
        }
    }
    unique(found)
}

/// A string while it is being written.
#[derive(Default)]
struct Text {
    /// Which of the choices are made.
    variant: usize,
    out: String,
    /// How many characters were chosen.
    chosen: usize,
    /// The text of each group that was written.
    groups: HashMap<usize, String>,
    /// How many groups were passed.
    passed: usize,
    /// Texts that are looked for, and where.
    wanted: Vec<(usize, String)>,
    /// Whether it is to match nearly.
    is_near: bool,
    /// How many parts were written.
    steps: usize,
    /// Whether it became too long, or took too many steps.
    ended: bool,
}

impl Text {
    /// The string as it is, and with the texts that are looked for before what stands there, and in its place.
    fn candidates(self) -> Vec<String> {
        let mut all = vec![self.out.clone()];
        if self.wanted.is_empty() || self.ended {
            return all;
        }
        let wanted: String = self.wanted.iter().map(|(_, text)| text.as_str()).collect();
        let start = self
            .wanted
            .iter()
            .map(|(at, _)| *at)
            .min()
            .unwrap_or_default();
        let (before, after) = self.out.split_at(start);
        let rest = |count: usize| -> String { after.chars().skip(count).collect() };
        let length = wanted.chars().count();
        all.push(format!("{before}{wanted}{}", rest(length)));
        all.push(format!("{before}{wanted}{after}"));
        let kept: usize = after.chars().count().saturating_sub(length);
        let first: String = after.chars().take(kept).collect();
        all.push(format!("{before}{first}{wanted}"));
        for (at, text) in &self.wanted {
            if let Some((before, _)) = self.out.split_at_checked(*at) {
                all.push(format!("{before}{text}"));
            }
        }
        all
    }

    fn write(&mut self, part: &Expr, depth: usize) {
        self.steps += 1;
        self.ended |= depth > DEPTH || self.out.len() > LENGTH || self.steps > STEPS;
        if self.ended {
            return;
        }
        let depth = depth + 1;
        match part {
            Expr::Literal { val, .. } => self.out += val,
            Expr::Any { .. } => self.choose(&["a", "0", "A", "-"].map(str::to_owned)),
            Expr::Delegate { inner, .. } => self.choose(&of_class(inner)),
            Expr::Concat(parts) => parts.iter().for_each(|part| self.write(part, depth)),
            Expr::Alt(branches) => {
                let chosen = self.variant % branches.len().max(1);
                for (index, branch) in branches.iter().enumerate() {
                    match index == chosen {
                        true => self.write(branch, depth),
                        false => self.passed += groups(branch),
                    }
                }
            }
            Expr::Group(inner) => {
                self.passed += 1;
                let (number, start) = (self.passed, self.out.len());
                self.write(inner, depth);
                self.groups.insert(number, self.out[start..].to_owned());
            }
            Expr::AtomicGroup(inner) => self.write(inner, depth),
            Expr::LookAround(inner, kind) => self.look(inner, *kind, depth),
            Expr::Repeat { child, lo, hi, .. } => {
                let count = (lo + self.variant % 3).min(*hi);
                let before = self.passed;
                for _ in 0..count.min(STEPS) {
                    self.passed = before;
                    self.write(child, depth);
                }
                self.passed = before + groups(child);
            }
            Expr::Backref { group, .. } => {
                let text = self.groups.get(group).cloned().unwrap_or_default();
                match self.is_near {
                    true => self.out.extend(text.chars().map(other)),
                    false => self.out += &text,
                }
            }
            _ => {}
        }
    }

    /// Notes the text that a lookahead or lookbehind looks for.
    fn look(&mut self, inner: &Expr, kind: LookAround, depth: usize) {
        if !self.is_near && !matches!(kind, LookAround::LookAhead | LookAround::LookBehind) {
            self.passed += groups(inner);
            return;
        }
        let start = self.out.len();
        self.write(inner, depth);
        let text = self.out.split_off(start);
        self.wanted.push((start, text));
    }

    /// Adds one of `all`: the same each time, or each time another one.
    fn choose(&mut self, all: &[String]) {
        let shift = self.variant / 2;
        let index = match self.variant % 2 {
            0 => shift,
            _ => shift + self.chosen,
        };
        self.chosen += 1;
        if let Some(one) = all.get(index % all.len().max(1)) {
            self.out += one;
        }
    }
}

/// Another character of the same kind.
fn other(character: char) -> char {
    match character {
        'b' => 'a',
        'a' | 'c'..='z' => 'b',
        'B' => 'A',
        'A' | 'C'..='Z' => 'B',
        '0' => '1',
        '1'..='9' => '0',
        '\'' => '"',
        '"' => '\'',
        other => other,
    }
}

/// How many groups a part has.
fn groups(part: &Expr) -> usize {
    let own = usize::from(matches!(part, Expr::Group(_)));
    own + part.children_iter().map(groups).sum::<usize>()
}

/// A few characters of a class.
fn of_class(class: &str) -> Vec<String> {
    let parsed = regex_syntax::parse(class);
    match parsed.as_ref().map(regex_syntax::hir::Hir::kind) {
        Ok(HirKind::Class(class)) => {
            let mut all = characters(class);
            if let Class::Unicode(class) = class {
                let last = class
                    .ranges()
                    .iter()
                    .take(2)
                    .map(|range| range.end().to_string());
                all.extend(last);
            }
            unique(all)
        }
        Ok(HirKind::Literal(literal)) => vec![String::from_utf8_lossy(&literal.0).into_owned()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_match_patterns_that_look_around_and_refer_back() {
        for pattern in [
            r"^(?=.*[A-Z])(?=.*\d).{8,}$",
            r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[@$!%*?&])[A-Za-z\d@$!%*?&]{8,}$",
            r"^(?=.*a)(?=.*b)(?!.*c).{9,}[^x]$",
            r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8}$",
            r"^(?!a)b",
            r"^(?!0+$)\d{5}$",
            r"^(?!.*--)[a-z-]{3,10}$",
            r"^(?!a)[a-c]+$",
            r"(?<=x)y",
            r"^[a-z]+(?<!b)$",
            r"^(a|b)\1$",
            r"^(?<q>['\x22])[a-z]+\k<q>$",
            r"^(x(a|b))-(?:\2|\1)$",
            r"^(?=(a))?\w\1$",
        ] {
            let found = strings(pattern);
            assert!(!found.is_empty(), "{pattern}");
            assert!(
                found.iter().all(|text| matches(pattern, text)),
                "{pattern}: {found:?}"
            );
        }
        assert!(strings("^(?=a)b$").is_empty());
        assert!(strings("(").is_empty());
        // Bounded, however large the pattern is.
        assert!(strings(r"^(?=a)(a{1000}){1000}$").is_empty());
    }
}

//! Which texts one pattern matches and another one does not, by their automata: a proof where there are none, texts to try where there are.
//! Limits of length are counted along, as far as they are not large.
//!
//! A pattern that looks around or refers back has no automaton. That of the pattern without its lookarounds, with each reference replaced
//! by what it refers to, matches more, so that what includes it includes the pattern as well.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use fancy_regex::{Assertion, Expr};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

use super::lookaround;
use crate::schema::pattern::{is_pattern, matches, translated};

/// The largest limit of length that is counted.
const LENGTH: u64 = 1_000;

/// The size of an automaton, in bytes.
const SIZE: usize = 4 << 20;

/// How many states of both automata together are looked at.
const STATES: usize = 60_000;

/// How many texts are kept.
const TEXTS: usize = 4;

/// How many parts of a pattern are looked at.
const STEPS: usize = 5_000;

/// All texts: what bytes are no text, no pattern matches.
const TEXT: &str = "^(?s:.)*$";

/// Texts by the keywords that say which ones are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct Texts {
    /// None where any text is.
    pub(in super::super) pattern: Option<String>,
    pub(in super::super) least: u64,
    pub(in super::super) most: Option<u64>,
}

impl Texts {
    fn of_pattern(pattern: &str) -> Self {
        Self {
            pattern: Some(pattern.to_owned()),
            least: 0,
            most: None,
        }
    }

    fn pattern(&self) -> &str {
        self.pattern.as_deref().unwrap_or_default()
    }

    /// The largest number that a length is compared with.
    fn bound(&self) -> u64 {
        self.least.max(self.most.unwrap_or_default())
    }

    fn are_long_enough(&self, length: u64) -> bool {
        length >= self.least
    }

    fn are_short_enough(&self, length: u64) -> bool {
        self.most.is_none_or(|most| length <= most)
    }

    fn contain(&self, text: &str) -> bool {
        let length = text.chars().count() as u64;
        self.are_long_enough(length)
            && self.are_short_enough(length)
            && matches(self.pattern(), text)
    }
}

/// The texts that one pattern matches and another one does not.
#[derive(Debug, Default)]
pub(in super::super) struct Beyond {
    /// Whether there certainly are none.
    pub(in super::super) is_empty: bool,
    /// Some of them, the shortest first.
    pub(super) texts: Vec<String>,
}

thread_local! {
    /// The pairs of texts that were asked for.
    static KNOWN: RefCell<HashMap<(Texts, Texts), Rc<Beyond>>> = RefCell::default();
}

/// The texts that `one` matches and `other` does not.
pub(in super::super) fn beyond(one: &str, other: &str) -> Rc<Beyond> {
    apart(&Texts::of_pattern(one), &Texts::of_pattern(other))
}

/// Those of `one` that are not of `other`.
pub(in super::super) fn apart(one: &Texts, other: &Texts) -> Rc<Beyond> {
    let key = (one.clone(), other.clone());
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).cloned()) {
        return known;
    }
    let found = Rc::new(searched(one, other));
    KNOWN.with_borrow_mut(|known| known.insert(key, found.clone()));
    found
}

/// Whether no text matches both patterns, for certain.
pub(in super::super) fn are_apart(one: &str, other: &str) -> bool {
    match (wider(one), wider(other)) {
        (Some(one), Some(other)) => {
            let all = Texts::of_pattern("");
            found((&one, &all), (&other, &all), true).is_some_and(|texts| texts.is_empty())
        }
        _ => false,
    }
}

fn searched(one: &Texts, other: &Texts) -> Beyond {
    let (first, second) = (one.pattern(), other.pattern());
    let is_countable = one.bound().max(other.bound()) <= LENGTH;
    if one == other || !is_pattern(first) || !is_pattern(second) || !is_countable {
        return Beyond {
            is_empty: one == other,
            texts: Vec::new(),
        };
    }
    // A pattern includes itself, whether it has an automaton or not.
    let others = match first == second {
        true => wider(first),
        false => regular(second),
    };
    let found = match (&wider(first), &others) {
        (Some(first), Some(second)) => found((first, one), (second, other), false),
        _ => None,
    };
    let is_empty = found.as_ref().is_some_and(Vec::is_empty);
    let mut texts = found.unwrap_or_default();
    if !is_empty {
        texts.extend(lookaround::near(second));
        texts.extend(lookaround::strings(first));
        texts.retain(|text| one.contain(text) && !other.contain(text));
        texts.truncate(TEXTS);
    }
    Beyond { is_empty, texts }
}

/// The automaton of a pattern; none where it has none, or a large one.
fn regular(pattern: &str) -> Option<dense::DFA<Vec<u32>>> {
    automaton(&translated(pattern), StartKind::Unanchored)
}

/// An automaton that matches all that a pattern matches.
fn wider(pattern: &str) -> Option<dense::DFA<Vec<u32>>> {
    let pattern = translated(pattern);
    if let Some(found) = automaton(&pattern, StartKind::Unanchored) {
        return Some(found);
    }
    let tree = Expr::parse_tree(&pattern).ok()?;
    let simplified = Simplified::default().of(&tree.expr, true)?;
    let mut text = String::new();
    simplified.to_str(&mut text, 0);
    automaton(&text, StartKind::Unanchored)
}

fn automaton(pattern: &str, kind: StartKind) -> Option<dense::DFA<Vec<u32>>> {
    let config = dense::Config::new()
        .start_kind(kind)
        .match_kind(MatchKind::All)
        .dfa_size_limit(Some(SIZE))
        .determinize_size_limit(Some(SIZE));
    dense::Builder::new()
        .configure(config)
        .thompson(thompson::Config::new().nfa_size_limit(Some(SIZE)))
        .build(pattern)
        .ok()
}

/// A pattern without lookarounds, with references replaced by the groups that they refer to.
#[derive(Default)]
struct Simplified {
    /// The groups that were passed, and whether a text that matches has certainly passed them.
    groups: Vec<(Expr, bool)>,
    steps: usize,
}

impl Simplified {
    /// A part that matches all that `part` matches; none where it has parts that are not regular. `certain` says whether every text that
    /// matches has it.
    fn of(&mut self, part: &Expr, certain: bool) -> Option<Expr> {
        self.steps += 1;
        if self.steps > STEPS {
            return None;
        }
        Some(match part {
            Expr::Empty | Expr::Any { .. } | Expr::Literal { .. } | Expr::Delegate { .. } => {
                part.clone()
            }
            Expr::Assertion(Assertion::StartText | Assertion::EndText) => part.clone(),
            Expr::Assertion(_) => Expr::Empty,
            Expr::Concat(parts) => Expr::Concat(self.all(parts, certain)?),
            Expr::Alt(parts) => Expr::Alt(self.all(parts, false)?),
            Expr::Group(inner) => {
                // Its number is that of its parenthesis, which comes before those inside of it.
                let index = self.groups.len();
                self.groups.push((Expr::Empty, false));
                let inner = self.of(inner, certain)?;
                self.groups[index] = (inner.clone(), certain);
                inner
            }
            Expr::AtomicGroup(inner) => self.of(inner, certain)?,
            Expr::LookAround(inner, _) => {
                self.of(inner, false)?;
                Expr::Empty
            }
            Expr::Repeat {
                child,
                lo,
                hi,
                greedy,
            } => Expr::Repeat {
                child: Box::new(self.of(child, certain && *lo > 0)?),
                lo: *lo,
                hi: *hi,
                greedy: *greedy,
            },
            Expr::Backref { group, .. } => match self.groups.get(group.checked_sub(1)?)? {
                (known, true) => known.clone(),
                // A reference to a group that was not passed matches the empty text.
                (known, false) => Expr::Alt(vec![known.clone(), Expr::Empty]),
            },
            _ => return None,
        })
    }

    fn all(&mut self, parts: &[Expr], certain: bool) -> Option<Vec<Expr>> {
        parts.iter().map(|part| self.of(part, certain)).collect()
    }
}

/// Both automata at a text, and that which tells bytes from text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    /// None where it has matched.
    one: Option<StateID>,
    other: Option<StateID>,
    text: StateID,
    /// How many characters there are, up to one more than any limit.
    length: u64,
}

/// Texts that the first automaton matches, and the second as `both` says, the shortest first; none where it is not known whether there are
/// any.
fn found(
    (one, these): (&dense::DFA<Vec<u32>>, &Texts),
    (other, those): (&dense::DFA<Vec<u32>>, &Texts),
    both: bool,
) -> Option<Vec<String>> {
    let bound = these.bound().max(those.bound());
    let counted = if bound > 0 { bound + 1 } else { 0 };
    let text = automaton(TEXT, StartKind::Anchored)?;
    let start = |automaton: &dense::DFA<Vec<u32>>, anchored| {
        let config = start::Config::new().anchored(anchored);
        automaton.start_state(&config).ok()
    };
    let first = State {
        one: Some(start(one, Anchored::No)?),
        other: Some(start(other, Anchored::No)?),
        text: start(&text, Anchored::Yes)?,
        length: 0,
    };
    let bytes = representatives([one, other, &text]);
    let matched = |automaton: &dense::DFA<Vec<u32>>, state: Option<StateID>| {
        state.is_none_or(|state| automaton.is_match_state(automaton.next_eoi_state(state)))
    };
    let step = |automaton: &dense::DFA<Vec<u32>>, state: Option<StateID>, byte| {
        let next = automaton.next_state(state?, byte);
        (!automaton.is_match_state(next)).then_some(next)
    };
    let mut found = Vec::new();
    // Each state with the byte that led there, and the place of the state before.
    let mut all: Vec<(State, u8, usize)> = vec![(first, 0, usize::MAX)];
    let mut seen = HashSet::from([first]);
    let mut open = VecDeque::from([0]);
    while let Some(index) = open.pop_front() {
        let (state, ..) = all[index];
        let is_text = text.is_match_state(text.next_eoi_state(state.text));
        let fits = |texts: &Texts| {
            texts.are_long_enough(state.length) && texts.are_short_enough(state.length)
        };
        let is_of_other = matched(other, state.other) && fits(those);
        if is_text && matched(one, state.one) && fits(these) && is_of_other == both {
            found.push(spelled(&all, index)?);
            if found.len() >= TEXTS {
                break;
            }
        }
        for &byte in &bytes {
            let next = State {
                one: step(one, state.one, byte),
                other: step(other, state.other, byte),
                text: text.next_state(state.text, byte),
                // A character begins with any byte but those that go on with one.
                length: (state.length + u64::from(byte & 0xC0 != 0x80)).min(counted),
            };
            // What the second one has matched, it matches however it goes on, unless it becomes too long.
            let is_of_other = those.most.is_none() && those.are_long_enough(next.length);
            let is_over = next.other.is_none() && !both && is_of_other
                || !these.are_short_enough(next.length)
                || text.is_dead_state(next.text)
                || next.one.is_some_and(|state| one.is_dead_state(state));
            if is_over || !seen.insert(next) {
                continue;
            }
            if all.len() >= STATES {
                return (!found.is_empty()).then_some(found);
            }
            open.push_back(all.len());
            all.push((next, byte, index));
        }
    }
    Some(found)
}

/// The text that leads to a state.
fn spelled(all: &[(State, u8, usize)], index: usize) -> Option<String> {
    let mut bytes = Vec::new();
    let mut at = index;
    while let Some((_, byte, before)) = all.get(at)
        && *before != usize::MAX
    {
        bytes.push(*byte);
        at = *before;
    }
    bytes.reverse();
    String::from_utf8(bytes).ok()
}

/// One byte of each class that no automaton tells apart, those that are easy to read first.
fn representatives(automata: [&dense::DFA<Vec<u32>>; 3]) -> Vec<u8> {
    let mut seen = HashSet::new();
    let readable = b"a0A-_ bzZ9";
    let all = readable.iter().copied().chain(0..=u8::MAX);
    all.filter(|byte| {
        let classes = automata.map(|one| one.byte_classes().get(*byte));
        seen.insert((classes, byte & 0xC0 == 0x80))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_matches_less_is_proven_to() {
        for (less, more) in [
            ("^[a-z]+$", "^[a-z0-9]+$"),
            ("^[A-Z]{3}$", "^[A-Z]{2,4}$"),
            ("abc", "b"),
            ("^a", "a"),
            (r"^\d+$", r"^[\w-.]+$"),
            ("^(a|b)c$", "^[a-c]c$"),
            (r"^(?!test)[a-z]+$", "^[a-z]+$"),
            (r"^(?=.*\d)(?=.*[a-z])[a-z\d]{8,}$", r"^[a-z\d]+$"),
            (r"^[a-z]+(?<!-x)$", "^[a-z]*$"),
            (r"^(.)\1$", "^..$"),
            (r"^(a|b)\1$", "^[a-z]{2}$"),
            (r"^(['\x22])[a-z]*\1$", r"^['\x22][a-z]*['\x22]?$"),
            ("^é$", r"^\p{L}$"),
        ] {
            assert!(beyond(less, more).is_empty, "{less} {more}");
            let back = beyond(more, less);
            assert!(!back.is_empty && !back.texts.is_empty(), "{more} {less}");
            for text in &back.texts {
                assert!(
                    matches(more, text) && !matches(less, text),
                    "{text:?} {more} {less}"
                );
            }
        }
    }

    #[test]
    fn patterns_that_match_other_texts_are_told_apart_by_them() {
        for (one, other) in [
            ("^a+$", "^b+$"),
            (r"^(?=.*[A-Z])(?=.*\d).{8,}$", "^[a-z]+$"),
            (r"^(a|b)\1$", "^[a-z]a$"),
            ("^a{5}$", "^a{3,4}$"),
            ("^[^a]$", "^[^b]$"),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let found = beyond(one, other);
                assert!(!found.is_empty && !found.texts.is_empty(), "{one} {other}");
            }
        }
    }

    #[test]
    fn patterns_that_no_text_matches_both_of_are_apart() {
        for (one, other, apart) in [
            ("^x-", "^y-", true),
            ("^x-", "-y$", false),
            ("^a+$", "^b+$", true),
            ("^a*$", "^b*$", false),
            (r"^(?=x)[a-z]+$", "^[0-9]+$", true),
            ("(", "a", false),
        ] {
            assert_eq!(are_apart(one, other), apart, "{one} {other}");
            assert_eq!(are_apart(other, one), apart, "{other} {one}");
        }
    }

    #[test]
    fn lengths_are_counted_along() {
        let texts = |pattern: &str, least, most| Texts {
            pattern: (!pattern.is_empty()).then(|| pattern.to_owned()),
            least,
            most,
        };
        let sha = "^[0-9a-f]+$";
        let (exact, double) = ("^[0-9a-f]{40}$", "^[0-9a-f]{40}([0-9a-f]{24})?$");
        for (less, more, is_empty) in [
            (texts(sha, 40, Some(40)), texts(exact, 0, None), true),
            (texts(exact, 0, None), texts(sha, 40, Some(40)), true),
            (texts(sha, 40, Some(40)), texts(double, 40, Some(40)), true),
            (texts(sha, 40, Some(64)), texts(double, 40, Some(64)), false),
            (texts(exact, 0, None), texts("", 1, Some(40)), true),
            (texts(exact, 0, None), texts("", 0, Some(39)), false),
            (texts("^é+$", 0, Some(3)), texts("^é{0,3}$", 0, None), true),
            (
                texts("", 0, Some(2)),
                texts(r"^[\s\S]{0,2}$", 0, None),
                true,
            ),
            (texts("", 1, None), texts(r"[\s\S]", 0, None), true),
            (texts("", 0, None), texts(r"[\s\S]", 0, None), false),
            (texts("a", 0, None), texts("", 1, None), true),
            (texts(r"^(.)\1$", 0, None), texts("", 2, Some(2)), true),
            (texts(sha, 0, Some(5_000)), texts("", 0, Some(5_000)), false),
        ] {
            let found = apart(&less, &more);
            assert_eq!(found.is_empty, is_empty, "{less:?} {more:?}");
            for text in &found.texts {
                assert!(
                    less.contain(text) && !more.contain(text),
                    "{text:?} {less:?} {more:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        // No pattern, a word boundary, and one that is too large.
        for (one, other) in [
            ("(", "a"),
            ("a", "("),
            ("a", r"\ba"),
            ("a", "(a{1000}){1000}"),
        ] {
            assert!(!beyond(one, other).is_empty, "{one} {other}");
        }
    }
}

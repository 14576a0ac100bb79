//! Writing a pattern of ECMA-262 in the syntax of the validator's engine.

/// The code points that `\d`, `\w` and `\s` stand for, in order.
const DIGITS: &[(u32, u32)] = &[(0x30, 0x39)];
const WORD: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
const SPACE: &[(u32, u32)] = &[
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];

/// The last code point.
const LAST: u32 = 0x0010_ffff;

/// The pattern in the syntax of the engine; none where it is not a regular expression.
pub(super) fn of(source: &str) -> Option<String> {
    let mut translation = Translation::new(source);
    translation.run()?;
    Some(translation.out)
}

/// One item of a class, or one escape.
enum Item {
    Character(u32),
    Ranges(Vec<(u32, u32)>),
    /// Text that both dialects have, such as `\p{L}`.
    Same(String),
}

struct Translation {
    source: Vec<char>,
    at: usize,
    out: String,
    /// The groups that capture, by name where they have one: what a number or `\k` refers to depends on them.
    groups: Vec<Option<String>>,
    /// Where the groups start that are not closed yet, and whether they look ahead.
    open: Vec<(usize, bool)>,
}

impl Translation {
    fn new(source: &str) -> Self {
        let source: Vec<char> = source.chars().collect();
        let (mut groups, mut class, mut at) = (Vec::new(), false, 0);
        while at < source.len() {
            match source[at] {
                '\\' => at += 1,
                '[' => class = true,
                ']' => class = false,
                '(' if !class => {
                    let rest = &source[at + 1..];
                    let name = rest
                        .strip_prefix(&['?', '<'])
                        .filter(|name| !matches!(name.first(), Some('=' | '!')));
                    if name.is_some() || rest.first() != Some(&'?') {
                        groups.push(name.map(in_brackets));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Self {
            out: String::with_capacity(source.len()),
            source,
            at: 0,
            groups,
            open: Vec::new(),
        }
    }

    /// Translates all of it; none where it is not a regular expression.
    fn run(&mut self) -> Option<()> {
        while let Some(character) = self.take() {
            match character {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
                '{' if self.quantifier().is_none() => self.out.push_str(r"\{"),
                '{' => {
                    let length = self.quantifier()?;
                    self.out.push('{');
                    self.out.extend(&self.source[self.at..self.at + length]);
                    self.at += length;
                }
                '}' | ']' => self.out.extend(['\\', character]),
                ')' => {
                    self.out.push(')');
                    if let Some((start, true)) = self.open.pop() {
                        self.repeated_lookahead(start)?;
                    }
                }
                '(' if self.source[self.at..].starts_with(&['?', '<']) => {
                    self.open.push((self.out.len(), false));
                    // The name, in which nothing is translated.
                    self.out.push('(');
                    while let Some(next) = self.take() {
                        self.out.push(next);
                        if matches!(next, '>' | '=' | '!') {
                            break;
                        }
                    }
                }
                '(' => {
                    let rest = &self.source[self.at..];
                    let ahead = rest.starts_with(&['?', '=']) || rest.starts_with(&['?', '!']);
                    self.open.push((self.out.len(), ahead));
                    self.out.push('(');
                }
                other => self.out.push(other),
            }
        }
        Some(())
    }

    /// Leaves out the quantifier of a lookahead, which Annex B admits and the engine does not: it holds here or not, however often it is
    /// asked. `start` is where the lookahead starts.
    fn repeated_lookahead(&mut self, start: usize) -> Option<()> {
        let Some(may_be_none) = self.take_quantifier() else {
            return Some(());
        };
        if may_be_none {
            self.out.insert_str(start, "(?:");
            self.out.push_str("|)");
        }
        // A quantifier of a quantifier is none.
        self.take_quantifier().is_none().then_some(())
    }

    /// Reads a quantifier, if one stands here, and whether it admits no repetition.
    fn take_quantifier(&mut self) -> Option<bool> {
        let may_be_none = match self.peek()? {
            '*' | '?' => true,
            '+' => false,
            '{' => {
                self.at += 1;
                let Some(length) = self.quantifier() else {
                    self.at -= 1;
                    return None;
                };
                let inner: String = self.source[self.at..self.at + length].iter().collect();
                self.at += length - 1;
                let least = inner.trim_end_matches('}').split(',').next();
                least.is_some_and(|least| least.bytes().all(|digit| digit == b'0'))
            }
            _ => return None,
        };
        self.at += 1;
        self.at += usize::from(self.peek() == Some('?'));
        Some(may_be_none)
    }

    fn peek(&self) -> Option<char> {
        self.source.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    /// The length of the rest of `{n}`, `{n,}` or `{n,m}`, if that is what stands here.
    fn quantifier(&self) -> Option<usize> {
        let rest = &self.source[self.at..];
        let end = rest.iter().position(|character| *character == '}')?;
        let inner: String = rest[..end].iter().collect();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
        (!least.is_empty() && digits(least) && digits(most)).then_some(end + 1)
    }

    /// An escape outside of a class; its backslash is taken.
    fn escape(&mut self) -> Option<()> {
        match self.peek()? {
            letter @ ('b' | 'B') => {
                self.at += 1;
                self.out.extend(['\\', letter]);
                return Some(());
            }
            'k' if self.groups.iter().any(Option::is_some) => {
                let name = in_brackets(self.source[self.at + 1..].strip_prefix(&['<'])?);
                self.at += name.chars().count() + 3;
                let named = |group: &Option<String>| group.as_ref() == Some(&name);
                let number = self.groups.iter().position(named)? + 1;
                self.out += &format!(r"(?:\{number})");
                return Some(());
            }
            '1'..='9' => {
                let digits: String = self.source[self.at..]
                    .iter()
                    .take_while(|character| character.is_ascii_digit())
                    .collect();
                if digits
                    .parse()
                    .is_ok_and(|number: usize| number <= self.groups.len())
                {
                    self.at += digits.len();
                    // Digits that follow must not become part of the number.
                    self.out += &format!(r"(?:\{digits})");
                    return Some(());
                }
            }
            _ => {}
        }
        match self.item()? {
            Item::Character(character) => self.literal(character),
            Item::Ranges(ranges) => {
                self.out.push('[');
                self.ranges(&ranges);
                self.out.push(']');
            }
            Item::Same(text) => self.out += &text,
        }
        Some(())
    }

    /// Reads an escape, in a class or outside; its backslash is taken.
    fn item(&mut self) -> Option<Item> {
        let letter = self.take()?;
        Some(match letter {
            'd' => Item::Ranges(DIGITS.to_vec()),
            'D' => Item::Ranges(all_but(DIGITS)),
            'w' => Item::Ranges(WORD.to_vec()),
            'W' => Item::Ranges(all_but(WORD)),
            's' => Item::Ranges(SPACE.to_vec()),
            'S' => Item::Ranges(all_but(SPACE)),
            't' => Item::Character(0x09),
            'n' => Item::Character(0x0a),
            'v' => Item::Character(0x0b),
            'f' => Item::Character(0x0c),
            'r' => Item::Character(0x0d),
            'c' => match self.peek().filter(char::is_ascii_alphabetic) {
                Some(control) => {
                    self.at += 1;
                    Item::Character(u32::from(control) % 32)
                }
                None => {
                    // The backslash stands for itself.
                    self.at -= 1;
                    Item::Character(u32::from('\\'))
                }
            },
            'x' => Item::Character(self.hex(2).unwrap_or(u32::from('x'))),
            'u' => Item::Character(self.unicode().unwrap_or(u32::from('u'))),
            'p' | 'P' => match self.property() {
                Some(name) => Item::Same(format!("\\{letter}{name}")),
                None => Item::Character(u32::from(letter)),
            },
            '0'..='7' => {
                // Up to three octal digits, and not beyond one byte.
                let mut value = u32::from(letter) - 0x30;
                for _ in 0..2 {
                    let digit = self.peek().and_then(|digit| digit.to_digit(8));
                    match digit.map(|digit| value * 8 + digit) {
                        Some(next) if next <= 0o377 => value = next,
                        _ => break,
                    }
                    self.at += 1;
                }
                Item::Character(value)
            }
            other => Item::Character(u32::from(other)),
        })
    }

    fn hex(&mut self, length: usize) -> Option<u32> {
        let digits: String = self.source.get(self.at..self.at + length)?.iter().collect();
        // A sign would be read as well.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += length;
        u32::from_str_radix(&digits, 16).ok()
    }

    /// `HHHH`, two of them that make a pair, or `{H..}`.
    fn unicode(&mut self) -> Option<u32> {
        if self.peek() == Some('{') {
            let rest = &self.source[self.at + 1..];
            let length = rest.iter().position(|character| *character == '}')?;
            let digits: String = rest[..length].iter().collect();
            let value = u32::from_str_radix(&digits, 16).ok();
            let value = value.filter(|value| *value <= LAST)?;
            self.at += length + 2;
            return Some(value);
        }
        let first = self.hex(4)?;
        let before = self.at;
        if (0xd800..0xdc00).contains(&first) && self.source[self.at..].starts_with(&['\\', 'u']) {
            self.at += 2;
            match self.hex(4) {
                Some(second @ 0xdc00..=0xdfff) => {
                    return Some(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                }
                _ => self.at = before,
            }
        }
        Some(first)
    }

    /// `{Name}` or `{Name=Value}`.
    fn property(&mut self) -> Option<String> {
        let rest = &self.source[self.at..];
        let end = rest.iter().position(|character| *character == '}')?;
        let inner = rest[..end].strip_prefix(&['{'])?;
        let allowed =
            |character: &char| character.is_ascii_alphanumeric() || "_=".contains(*character);
        if inner.is_empty() || !inner.iter().all(allowed) {
            return None;
        }
        let text = rest[..=end].iter().collect();
        self.at += end + 1;
        Some(text)
    }

    /// A class; its bracket is taken.
    fn class(&mut self) -> Option<()> {
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        let outer = std::mem::take(&mut self.out);
        let closed = self.class_items();
        let inner = std::mem::replace(&mut self.out, outer);
        closed?;
        let everything = r"[\x{0}-\x{10FFFF}]";
        match (inner.is_empty(), negated) {
            (true, true) => self.out += everything,
            (true, false) => self.out += &everything.replacen('[', "[^", 1),
            (false, true) => self.out += &format!("[^{inner}]"),
            (false, false) => self.out += &format!("[{inner}]"),
        }
        Some(())
    }

    /// The items of a class and its closing bracket.
    fn class_items(&mut self) -> Option<()> {
        loop {
            let first = match self.take()? {
                ']' => return Some(()),
                character => self.class_item(character)?,
            };
            let range = self.peek() == Some('-') && self.source.get(self.at + 1) != Some(&']');
            if !range {
                self.put(first);
                continue;
            }
            self.at += 1;
            let character = self.take()?;
            let second = self.class_item(character)?;
            match (first, second) {
                (Item::Character(first), Item::Character(second)) if first <= second => {
                    self.ranges(&[(first, second)]);
                }
                (Item::Character(_), Item::Character(_)) => return None,
                // A class is not the end of a range, so the hyphen is one.
                (first, second) => {
                    self.put(first);
                    self.put(Item::Character(u32::from('-')));
                    self.put(second);
                }
            }
        }
    }

    fn class_item(&mut self, character: char) -> Option<Item> {
        match (character, self.peek()) {
            ('\\', Some('b')) => {
                self.at += 1;
                Some(Item::Character(0x08))
            }
            ('\\', Some('c')) => {
                let control = self.source.get(self.at + 1).copied();
                match control.filter(|control| control.is_ascii_digit() || *control == '_') {
                    Some(control) => {
                        self.at += 2;
                        Some(Item::Character(u32::from(control) % 32))
                    }
                    None => self.item(),
                }
            }
            ('\\', Some(_)) => self.item(),
            ('\\', None) => None,
            (other, _) => Some(Item::Character(u32::from(other))),
        }
    }

    fn put(&mut self, item: Item) {
        match item {
            Item::Character(character) => self.ranges(&[(character, character)]),
            Item::Ranges(ranges) => self.ranges(&ranges),
            Item::Same(text) => self.out += &text,
        }
    }

    /// Ranges of code points within a class, without surrogates, which no text has.
    fn ranges(&mut self, ranges: &[(u32, u32)]) {
        for (first, last) in ranges {
            let below = (*first, (*last).min(0xd7ff));
            let above = ((*first).max(0xe000), *last);
            for (first, last) in [below, above] {
                if first == last {
                    self.class_character(first);
                } else if first < last {
                    self.class_character(first);
                    self.out.push('-');
                    self.class_character(last);
                }
            }
        }
    }

    fn class_character(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(character) if character.is_ascii_alphanumeric() => self.out.push(character),
            _ => self.out += &format!(r"\x{{{code:X}}}"),
        }
    }

    /// A character outside of a class.
    fn literal(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(character) if r"\.+*?()|[]{}^$".contains(character) => {
                self.out.extend(['\\', character]);
            }
            Some(character) if character.is_control() => self.out += &format!(r"\x{{{code:X}}}"),
            Some(character) => self.out.push(character),
            None => self.out += r"[^\x{0}-\x{10FFFF}]",
        }
    }
}

/// The text up to a closing bracket.
fn in_brackets(text: &[char]) -> String {
    text.iter().take_while(|next| **next != '>').collect()
}

/// The ranges between and around ranges.
fn all_but(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut others = Vec::new();
    let mut next = 0;
    for (first, last) in ranges {
        if next < *first {
            others.push((next, first - 1));
        }
        next = last + 1;
    }
    others.push((next, LAST));
    others
}

//! Names as people and machines choose them, and as nobody should.

use crate::drift_support::random::Random;

/// Words that mean something where a schema stands, and nothing where a name does.
const KEYWORDS: [&str; 28] = [
    "$anchor",
    "$defs",
    "$id",
    "$ref",
    "additionalProperties",
    "allOf",
    "const",
    "content",
    "default",
    "discriminator",
    "enum",
    "example",
    "examples",
    "format",
    "id",
    "items",
    "maximum",
    "name",
    "not",
    "nullable",
    "oneOf",
    "properties",
    "readOnly",
    "required",
    "schema",
    "type",
    "value",
    "x-internal",
];

/// Letters of one, two, three and four bytes; those that a pointer, a URL or a pattern reads as something else among them.
const ODD: [char; 24] = [
    'é', 'ß', 'Ω', 'я', '中', '日', '🙂', '\u{301}', '$', '/', '~', '0', '1', '%', '#', '?', ' ',
    '.', '\\', '"', '\'', '{', '}', '^',
];

/// A name of 1 to 40 letters that is not among those given.
pub(crate) fn name(random: &mut Random, taken: &[String]) -> String {
    loop {
        let name = any(random);
        if !taken.contains(&name) {
            return name;
        }
    }
}

fn any(random: &mut Random) -> String {
    let length = 1 + match random.below(3) {
        0 => random.below(3),
        1 => random.below(12),
        _ => random.below(40),
    };
    let letter = |random: &mut Random, count: u8| {
        char::from(b'a' + u8::try_from(random.below(usize::from(count))).expect("small"))
    };
    match random.below(8) {
        0 => KEYWORDS[random.below(KEYWORDS.len())].to_owned(),
        1 => (0..length).map(|_| ODD[random.below(ODD.len())]).collect(),
        2 => random.below(1000).to_string(),
        3 => (0..length)
            .map(|_| match random.below(4) {
                0 => ODD[random.below(ODD.len())],
                _ => letter(random, 26),
            })
            .collect(),
        // Few letters make names that begin with each other.
        4 => (0..length.min(6)).map(|_| letter(random, 2)).collect(),
        _ => (0..length).map(|_| letter(random, 26)).collect(),
    }
}

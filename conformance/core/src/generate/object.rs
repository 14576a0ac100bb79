//! Objects: which members they have.

use serde_json::{Map, Value, json};

use super::Source;
use super::case_name::short;
use super::edge::{Edge, Expect, Spot};
use crate::drift::of_pattern;
use crate::schema::Member;

/// The name of a member that no document has.
const UNKNOWN: &str = "conformanceUnknown";

/// How many members are added to reach a count.
const LONGEST: u64 = 1_000;

/// The edges of an object.
pub(super) fn edges(
    source: &Source<'_>,
    spot: &Spot<'_>,
    members: &Map<String, Value>,
    edges: &mut Vec<Edge>,
) {
    use Expect::{Either, Invalid, Open, Valid};
    let absent = absent(source, spot, members);
    for name in members.keys() {
        let mut fewer = members.clone();
        fewer.shift_remove(name);
        let what = format!("without `{}`", short(name));
        // An object without members is not there where it stands as text.
        if fewer.is_empty() && !absent.is_empty() {
            let others: Map<String, Value> = absent.iter().cloned().collect();
            let what = format!("{what}, with all others");
            edges.push(Edge::new(what, Value::Object(others), Either));
        }
        edges.push(Edge::new(what, Value::Object(fewer), Either));
    }
    let mut full = members.clone();
    for (name, value) in &absent {
        let mut more = members.clone();
        more.insert(name.clone(), value.clone());
        let what = format!("with `{}`", short(name));
        edges.push(Edge::new(what, Value::Object(more), Valid));
        full.insert(name.clone(), value.clone());
    }
    if absent.len() > 1 {
        edges.push(Edge::new(
            "with all documented members",
            Value::Object(full.clone()),
            Valid,
        ));
    }
    let required: Vec<&str> = spot
        .each("required")
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut least = members.clone();
    least.retain(|name, _| required.contains(&name.as_str()));
    if least.len() + 1 < members.len() {
        edges.push(Edge::new(
            "with only the required members",
            Value::Object(least.clone()),
            Either,
        ));
    }
    let with = |base: &Map<String, Value>, name: &str, value: Value| {
        let mut more = base.clone();
        more.insert(name.to_owned(), value);
        Value::Object(more)
    };
    // Where nothing is said of other members, servers may well refuse them.
    let welcome = spot
        .each("additionalProperties")
        .any(|value| value == true || value.is_object());
    let unknown = source.schemas.subschemas().member(&spot.all, UNKNOWN);
    let value = match &unknown {
        Member::Entry(schemas) => source.example(schemas).unwrap_or(json!("x")),
        _ => json!("x"),
    };
    let expect = if welcome { Either } else { Open };
    edges.push(Edge::new(
        "with an unknown member",
        with(members, UNKNOWN, value),
        expect,
    ));
    // Some libraries ignore the case of member names, although a closed object allows no other spelling.
    let is_closed = spot
        .each("additionalProperties")
        .any(|value| value == false);
    let own = members.iter().filter(|_| is_closed);
    let recased = own.filter_map(|(name, value)| Some((name, recased(name)?, value)));
    if let Some((name, other, value)) = recased
        .filter(|(_, other, _)| !full.contains_key(other))
        .min_by_key(|(name, ..)| !required.contains(&name.as_str()))
    {
        let mut renamed = members.clone();
        renamed.shift_remove(name);
        renamed.insert(other.clone(), value.clone());
        let what = format!("with `{}` in place of `{}`", short(&other), short(name));
        edges.push(Edge::new(what, Value::Object(renamed), Invalid));
    }
    if let Member::Entry(schemas) = &unknown {
        let wrong = [
            json!(null),
            json!({}),
            json!([]),
            json!(true),
            json!(7),
            json!("x"),
        ];
        let wrong = wrong
            .into_iter()
            .find(|value| schemas.iter().any(|at| !source.accepts(at, value)));
        edges.extend(wrong.map(|wrong| {
            Edge::new(
                "with a wrong value of an additional member",
                with(members, UNKNOWN, wrong),
                Invalid,
            )
        }));
    }
    for patterns in spot.each("patternProperties").filter_map(Value::as_object) {
        for pattern in patterns.keys() {
            let Some(name) = of_pattern(pattern).into_iter().next() else {
                continue;
            };
            let schemas = source
                .schemas
                .subschemas()
                .member(&spot.all, &name)
                .schemas();
            if let Some(right) = source.example(&schemas) {
                let what = format!("with a member by the pattern `{}`", short(pattern));
                edges.push(Edge::new(what, with(members, &name, right), Valid));
            }
            let wrong = [json!(null), json!({}), json!(7), json!("x")];
            if let Some(wrong) = wrong
                .into_iter()
                .find(|value| schemas.iter().any(|at| !source.accepts(at, value)))
            {
                let what = format!(
                    "with a wrong value of a member by the pattern `{}`",
                    short(pattern)
                );
                edges.push(Edge::new(what, with(members, &name, wrong), Invalid));
            }
        }
    }
    if spot.each("propertyNames").next().is_some() {
        for name in ["~!~", "", "a b", "A", "a"] {
            let what = format!("with a member named `{name}`");
            edges.push(Edge::new(what, with(members, name, json!("x")), Invalid));
        }
    }
    for needs in spot.each("dependentRequired").filter_map(Value::as_object) {
        for (name, needed) in needs {
            let needed = needed
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            for need in needed {
                let mut some = full.clone();
                some.shift_remove(need);
                if some.contains_key(name) {
                    let what = format!("with `{}` but without `{}`", short(name), short(need));
                    edges.push(Edge::new(what, Value::Object(some), Invalid));
                }
            }
        }
    }
    let mut counted = |what: &str, count: u64, expect| {
        let unknown = unknown_members(source, spot, count);
        let made = of_count(members, &least, &full, &unknown, count);
        edges.extend(made.map(|made| Edge::new(what, Value::Object(made), expect)));
    };
    for count in spot
        .counts("minProperties")
        .into_iter()
        .filter(|count| *count <= LONGEST)
    {
        counted("with as few members as allowed", count, Valid);
        if let Some(fewer) = count.checked_sub(1) {
            counted("with one member too few", fewer, Invalid);
        }
    }
    for count in spot
        .counts("maxProperties")
        .into_iter()
        .filter(|count| *count <= LONGEST)
    {
        counted("with as many members as allowed", count, Valid);
        counted("with one member too many", count + 1, Invalid);
    }
}

/// A name whose first letter has the other case.
fn recased(name: &str) -> Option<String> {
    let first = name.chars().next().filter(char::is_ascii_alphabetic)?;
    let other = match first.is_ascii_lowercase() {
        true => first.to_ascii_uppercase(),
        false => first.to_ascii_lowercase(),
    };
    Some(format!("{other}{}", &name[1..]))
}

/// The documented members that are not there and that a client sends, with values.
pub(super) fn absent(
    source: &Source<'_>,
    spot: &Spot<'_>,
    members: &Map<String, Value>,
) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    for properties in spot.each("properties").filter_map(Value::as_object) {
        for name in properties.keys() {
            if members.contains_key(name) || found.iter().any(|(known, _)| known == name) {
                continue;
            }
            let schemas = source
                .schemas
                .subschemas()
                .member(&spot.all, name)
                .schemas();
            if schemas.iter().any(|at| is_read_only(source, at)) {
                continue;
            }
            found.extend(source.example(&schemas).map(|value| (name.clone(), value)));
        }
    }
    found
}

/// Whether only the server sends a member.
fn is_read_only(source: &Source<'_>, schema: &str) -> bool {
    let flagged = |at: &str| {
        let object = source.schemas.subschemas().object(at);
        object.is_some_and(|object| object.get("readOnly") == Some(&Value::Bool(true)))
    };
    let behind = source.document.resolve(schema);
    flagged(schema)
        || behind.is_some_and(|(at, _)| flagged(&at))
        || flagged(&format!("{schema}/allOf/0"))
}

/// An object with this many members: of those that it has, the documented ones, and unknown ones.
fn of_count(
    members: &Map<String, Value>,
    least: &Map<String, Value>,
    full: &Map<String, Value>,
    unknown: &[(String, Value)],
    count: u64,
) -> Option<Map<String, Value>> {
    let count = usize::try_from(count).ok()?;
    let mut made = least.clone();
    let known = members
        .iter()
        .chain(full)
        .map(|(name, value)| (name.clone(), value.clone()));
    for (name, value) in known.chain(unknown.iter().cloned()) {
        if made.len() >= count {
            break;
        }
        made.insert(name, value);
    }
    let surplus: Vec<String> = made.keys().skip(count).cloned().collect();
    made.retain(|name, _| !surplus.contains(name));
    (made.len() == count).then_some(made)
}

/// `count` members that are not documented, with names that are allowed.
fn unknown_members(source: &Source<'_>, spot: &Spot<'_>, count: u64) -> Vec<(String, Value)> {
    let subschemas = source.schemas.subschemas();
    let rules: Vec<String> = spot
        .all
        .iter()
        .map(|at| format!("{at}/propertyNames"))
        .filter(|at| source.document.at(at).is_some())
        .collect();
    let patterns = rules
        .iter()
        .filter_map(|at| subschemas.object(at)?.get("pattern")?.as_str());
    let by_pattern: Vec<String> = patterns.flat_map(of_pattern).collect();
    let listed = rules
        .iter()
        .filter_map(|at| subschemas.object(at)?.get("enum")?.as_array());
    let listed = listed
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    // Letters alone, as names often have to be.
    let lettered = (1..=count).map(|index| format!("{UNKNOWN}{}", letters(index)));
    let short = (1..=count).map(letters);
    let all = listed.chain(by_pattern).chain(lettered).chain(short);
    let allowed = all.filter(|name| {
        rules
            .iter()
            .all(|at| source.accepts(at, &Value::from(name.as_str())))
    });
    let mut found: Vec<(String, Value)> = Vec::new();
    for name in allowed {
        if found.len() as u64 >= count {
            break;
        }
        let schemas = subschemas.member(&spot.all, &name).schemas();
        let value = match schemas.is_empty() {
            true => Some(json!("x")),
            false => source.example(&schemas),
        };
        if let Some(value) = value
            && !found.iter().any(|(known, _)| *known == name)
        {
            found.push((name, value));
        }
    }
    found
}

/// A count in letters: a, b, and after z, aa.
fn letters(mut index: u64) -> String {
    let mut text = String::new();
    while index > 0 {
        let letter = u8::try_from((index - 1) % 26).unwrap_or_default();
        text.insert(0, char::from(b'a' + letter));
        index = (index - 1) / 26;
    }
    text
}

//! Sentences about what differs in schemas.
//!
//! A sentence is a clause that says what differs, and one that says whom it affects. The second is made of the values that the new
//! schema rejects and the old one allows, or the other way round: who sends them follows from the effect.

use serde_json::Value;

use super::{Context, list, name, quoted, reference, shown};
use crate::finding::{Effect, Impact, SchemaChange, Sender, Shape, Undecided};

/// Values that only one of two schemas allows.
enum Values {
    /// A noun phrase, such as `longer values`.
    Of(String),
    /// Values that lack the member that the first clause names.
    Without,
}

/// The two clauses before it is known who is affected.
struct Said {
    /// What differs.
    lead: String,
    /// The values that only the old schema allows.
    lost: Option<Values>,
    /// The values that only the new schema allows.
    gained: Option<Values>,
    /// Whether the second clause says all that the first does where it names these values.
    repeats: bool,
}

impl Said {
    fn new(lead: String) -> Self {
        Self {
            lead,
            lost: None,
            gained: None,
            repeats: false,
        }
    }

    fn losing(mut self, values: &str) -> Self {
        self.lost = Some(Values::Of(values.to_owned()));
        self
    }

    fn gaining(mut self, values: &str) -> Self {
        self.gained = Some(Values::Of(values.to_owned()));
        self
    }
}

pub(super) fn sentence(change: &SchemaChange, context: &Context<'_>) -> String {
    let said = said(change, context);
    let Some(effect) = context.effect else {
        return said.lead;
    };
    let affected =
        member(change, effect, context).unwrap_or_else(|| affected(&said, change, effect, context));
    let named = match (effect.sender, effect.impact) {
        (Sender::Server, Impact::Rejected) | (Sender::Client, Impact::Compatible) => &said.gained,
        (Sender::Server, Impact::Compatible) => &said.lost,
        _ => &None,
    };
    if said.repeats && named.is_some() && !context.advises() {
        affected
    } else {
        format!("{}: {affected}", said.lead)
    }
}

/// What differs, and the values that it is about.
fn said(change: &SchemaChange, context: &Context<'_>) -> Said {
    let in_versions = !context.advises();
    let (old, new) = (context.old, context.new);
    let only = |thing: &str, added: bool| match (in_versions, added) {
        (true, true) => format!("{thing} is new"),
        (true, false) => format!("{thing} was removed"),
        (false, true) => format!("{thing} is emitted but not documented"),
        (false, false) => format!("{thing} is documented but not emitted"),
    };
    let turned = |before: &str, after: &str| match in_versions {
        true => format!("was {before}, is now {after}"),
        false => format!("documented as {before}, emitted as {after}"),
    };
    let property = context.property();
    let of_property = property
        .as_ref()
        .map_or_else(String::new, |one| format!(" of {one}"));
    let for_property = property
        .as_ref()
        .map_or_else(String::new, |one| format!(" for {one}"));
    // A schema as a whole is its property.
    let became = |before: &str, after: &str| match (&property, in_versions) {
        (Some(one), true) => format!("{one} {}", turned(before, after)),
        (Some(one), false) => format!("{one} is {}", turned(before, after)),
        (None, _) => turned(before, after),
    };
    let does = |does: &str, added: bool| match (in_versions, added) {
        (true, true) => format!("{new} {does}"),
        (true, false) => format!("{new} no longer {does}"),
        (false, true) => format!("{new} {does}, {old} does not"),
        (false, false) => format!("{old} {does}, {new} does not"),
    };
    match change {
        SchemaChange::PropertyAdded {
            name: one,
            required,
        } => {
            let property = name(one);
            let place = place(context);
            let lead = match (in_versions, place, required) {
                (true, Some(_), true) if sends(context, Sender::Client) => {
                    format!("new requires {property}")
                }
                (true, Some(place), _) => format!("new adds {property} to {place}"),
                (true, None, true) => format!("the required property {property} is new"),
                (true, None, false) => format!("the property {property} is new"),
                (false, ..) => only(&format!("the property {property}"), true),
            };
            let mut said = Said::new(lead).gaining("it");
            said.lost = required.then_some(Values::Without);
            said
        }
        SchemaChange::PropertyRemoved { name: one, .. } => {
            let property = name(one);
            let lead = match (in_versions, place(context)) {
                (true, Some(place)) => format!("new removed {property} from {place}"),
                (true, None) => format!("the property {property} was removed"),
                (false, _) => only(&format!("the property {property}"), false),
            };
            Said::new(lead).losing("it")
        }
        SchemaChange::RequiredAdded { name: one } => {
            let property = name(one);
            let mut said = Said::new(does(&format!("requires {property}"), true));
            said.lost = Some(Values::Without);
            said
        }
        SchemaChange::RequiredRemoved { name: one } => {
            let property = name(one);
            let mut said = Said::new(does(&format!("requires {property}"), false));
            said.gained = Some(Values::Without);
            said
        }
        SchemaChange::ValuesAdded { values, .. } => {
            let values = format!("{}{for_property}", list(values));
            let mut said = Said::new(does(&format!("allows {values}"), true)).gaining(&values);
            said.repeats = true;
            said
        }
        SchemaChange::ValuesRemoved { values, .. } => {
            let values = format!("{}{for_property}", list(values));
            {
                let mut said = Said::new(does(&format!("allows {values}"), false)).losing(&values);
                said.repeats = true;
                said
            }
        }
        SchemaChange::TypeChanged {
            old: before,
            new: after,
        } => {
            let mut said = Said::new(became(&types(before), &types(after)));
            said.lost = beyond(before, after).map(Values::Of);
            said.gained = beyond(after, before).map(Values::Of);
            said
        }
        SchemaChange::NullAdded => {
            let mut said = Said::new(does(&format!("allows null{for_property}"), true))
                .gaining(&format!("null{for_property}"));
            said.repeats = true;
            said
        }
        SchemaChange::NullRemoved => {
            let mut said = Said::new(does(&format!("allows null{for_property}"), false))
                .losing(&format!("null{for_property}"));
            said.repeats = true;
            said
        }
        SchemaChange::KeywordAdded { keyword, value } => {
            let mut said = Said::new(only(
                &format!("{}{of_property}", member_of(keyword, value.as_ref())),
                true,
            ));
            said.lost = outside(keyword, value.as_ref()).map(Values::Of);
            said
        }
        SchemaChange::KeywordRemoved { keyword, value } => {
            let mut said = Said::new(only(
                &format!("{}{of_property}", member_of(keyword, value.as_ref())),
                false,
            ));
            said.gained = outside(keyword, value.as_ref()).map(Values::Of);
            said
        }
        SchemaChange::KeywordChanged {
            keyword,
            old: before,
            new: after,
        } => {
            let keyword_name = format!("{}{of_property}", name(keyword));
            let lead = match (before, after) {
                (Some(before), Some(after)) => {
                    let is = if in_versions { "" } else { "is " };
                    format!(
                        "{keyword_name} {is}{}",
                        turned(&quoted(before), &quoted(after))
                    )
                }
                _ if in_versions => format!("{keyword_name} has changed"),
                _ => format!("{keyword_name} is documented and emitted with different content"),
            };
            let of = |values: String, side: &str| match values.ends_with("match") {
                true => format!("{values} the {side} one"),
                false => values,
            };
            let mut said = Said::new(lead);
            let lost = outside(keyword, after.as_ref());
            let gained = outside(keyword, before.as_ref());
            said.lost = lost.map(|values| Values::Of(of(values, new)));
            said.gained = gained.map(|values| Values::Of(of(values, old)));
            said
        }
        SchemaChange::EntryAdded { keyword, name: one } => {
            let mut said = Said::new(only(&format!("{} of {}", name(one), name(keyword)), true));
            said.lost = outside(keyword, None).map(Values::Of);
            said
        }
        SchemaChange::EntryRemoved { keyword, name: one } => {
            let mut said = Said::new(only(&format!("{} of {}", name(one), name(keyword)), false));
            said.gained = outside(keyword, None).map(Values::Of);
            said
        }
        SchemaChange::AlternativeAdded {
            keyword,
            shape: one,
        } => alternative(keyword, one, true, in_versions),
        SchemaChange::AlternativeRemoved {
            keyword,
            shape: one,
        } => alternative(keyword, one, false, in_versions),
        SchemaChange::Replaced {
            old: before,
            new: after,
        } => Said::new(became(&shape(before), &shape(after)))
            .losing(&format!("the {old} form"))
            .gaining(&format!("the {new} form")),
        SchemaChange::SchemaAdded => Said::new(match in_versions {
            true => "old has no schema here, new has one".to_owned(),
            false => "a schema is emitted but not documented".to_owned(),
        })
        .losing("values that do not match it"),
        SchemaChange::SchemaRemoved => Said::new(match in_versions {
            true => "old has a schema here, new has none".to_owned(),
            false => "a schema is documented but not emitted".to_owned(),
        })
        .gaining("values that do not match it"),
        SchemaChange::NothingAccepted { new: only_new } => {
            let (nothing, some) = if *only_new { (new, old) } else { (old, new) };
            let lead = format!("{nothing} allows no value here, {some} does");
            match only_new {
                true => Said::new(lead).losing("any value"),
                false => Said::new(lead).gaining("a value"),
            }
        }
        SchemaChange::MappingChanged {
            value,
            old: before,
            new: after,
        } => Said::new(mapping(
            value,
            before.as_deref(),
            after.as_deref(),
            in_versions,
        )),
        SchemaChange::MeaningChanged => {
            Said::new("the keywords match but mean something different".to_owned())
        }
        SchemaChange::Together { changes } => {
            let leads: Vec<String> = changes
                .iter()
                .map(|one| self::said(one, context).lead)
                .collect();
            Said::new(format!("{}; they matter only together", leads.join("; ")))
        }
    }
}

fn alternative(keyword: &str, one: &Shape, added: bool, in_versions: bool) -> Said {
    let noun = match keyword {
        "oneOf" | "anyOf" => "alternative",
        "allOf" => "subschema",
        _ => "position",
    };
    let (keyword_name, what) = (name(keyword), shape(one));
    let mut said = Said::new(match (in_versions, added) {
        (true, true) => format!("{keyword_name} has a new {noun}: {what}"),
        (true, false) => format!("{keyword_name} no longer has the {noun} {what}"),
        (false, true) => {
            format!("the {noun} {what} of {keyword_name} is emitted but not documented")
        }
        (false, false) => {
            format!("the {noun} {what} of {keyword_name} is documented but not emitted")
        }
    });
    match (noun, added) {
        ("alternative", true) => {
            said.gained = Some(Values::Of("it".to_owned()));
            if keyword == "oneOf" {
                said.lost = Some(Values::Of(
                    "values that match it and another alternative".to_owned(),
                ));
            }
        }
        ("alternative", false) => said.lost = Some(Values::Of("it".to_owned())),
        (_, true) => said.lost = Some(Values::Of("values that do not match it".to_owned())),
        (_, false) => said.gained = Some(Values::Of("values that do not match it".to_owned())),
    }
    said
}

fn mapping(value: &str, before: Option<&str>, after: Option<&str>, in_versions: bool) -> String {
    let value = name(value);
    match (before.map(reference), after.map(reference), in_versions) {
        (Some(before), Some(after), true) => {
            format!("the discriminator maps {value} to {after}, before to {before}")
        }
        (Some(before), Some(after), false) => {
            format!(
                "the discriminator maps {value} to {before} in documented, to {after} in emitted"
            )
        }
        (None, Some(after), true) => format!("the discriminator maps {value} to {after} now"),
        (Some(before), None, true) => {
            format!("the discriminator no longer maps {value} to {before}")
        }
        (None, Some(after), false) => {
            format!("the mapping of {value} to {after} is emitted but not documented")
        }
        (Some(before), None, false) => {
            format!("the mapping of {value} to {before} is documented but not emitted")
        }
        (None, None, _) => format!("the discriminator maps {value} differently"),
    }
}

/// What happens to those who have the property that a finding is about, where that is not as with other values.
fn member(change: &SchemaChange, effect: Effect, context: &Context<'_>) -> Option<String> {
    let people = context.people();
    let in_versions = !context.advises();
    Some(match (change, effect.sender, effect.impact) {
        (SchemaChange::PropertyAdded { .. }, Sender::Server, Impact::Rejected) => match in_versions
        {
            true => format!("old forbids it, so {people} of old reject it"),
            false => format!("the document forbids it, so {people} reject it"),
        },
        (SchemaChange::PropertyAdded { .. }, Sender::Server, Impact::Compatible) => {
            format!("{people} that do not know it ignore it")
        }
        (
            SchemaChange::PropertyAdded {
                required: false, ..
            },
            Sender::Client,
            Impact::Rejected,
        ) => {
            format!("{people} that already send another value there are refused")
        }
        (SchemaChange::PropertyAdded { name: one, .. }, sender, Impact::Undocumented) => {
            let does = match sender {
                Sender::Client => "already send",
                Sender::Server => "already get",
            };
            format!(
                "only {people} that {does} an undocumented {} are affected",
                name(one)
            )
        }
        (
            SchemaChange::PropertyRemoved { .. },
            Sender::Server,
            Impact::Rejected | Impact::Withdrawn,
        ) => {
            format!("{people} that read it get nothing")
        }
        (SchemaChange::PropertyRemoved { .. }, Sender::Server, Impact::Compatible) => {
            format!("no {people} rely on it")
        }
        (SchemaChange::PropertyRemoved { .. }, Sender::Client, Impact::Compatible) => {
            format!("{people} may still send it")
        }
        (SchemaChange::PropertyRemoved { name: one, .. }, sender, Impact::Undocumented) => {
            let does = match sender {
                Sender::Client => "send",
                Sender::Server => "get",
            };
            format!(
                "only {people} that {does} an undocumented {} are affected",
                name(one)
            )
        }
        _ => return None,
    })
}

/// What happens to those who send or receive the values that are lost or gained.
fn affected(said: &Said, change: &SchemaChange, effect: Effect, context: &Context<'_>) -> String {
    let people = context.people();
    let answer = answers_verb(context);
    let in_versions = !context.advises();
    let of_old = if in_versions { " of old" } else { "" };
    let verb = match change {
        SchemaChange::ValuesAdded { .. } | SchemaChange::AlternativeAdded { .. } => "know",
        _ => "expect",
    };
    match (effect.sender, effect.impact) {
        (Sender::Client, Impact::Rejected | Impact::Withdrawn) => {
            let does = match &said.lost {
                Some(Values::Of(values)) => format!("send {values}"),
                Some(Values::Without) => "omit it".to_owned(),
                None if in_versions => {
                    return format!("some values that {people} of old send are now refused");
                }
                None => return "some documented values are refused".to_owned(),
            };
            match in_versions {
                true => format!("{people} that {does} are now refused"),
                false => format!("{people} that {does} are refused"),
            }
        }
        (Sender::Client, Impact::Compatible) => match (&said.gained, in_versions) {
            (Some(Values::Of(values)), true) => format!("{people} may now send {values}"),
            (Some(Values::Of(values)), false) => format!("the server also accepts {values}"),
            (Some(Values::Without), true) => format!("{people} may now omit it"),
            (Some(Values::Without), false) => format!("{people} may omit it"),
            (None, true) => format!("new still accepts everything that {people} of old send"),
            (None, false) => "the server accepts everything that is documented".to_owned(),
        },
        (Sender::Server, Impact::Rejected) => {
            let subject = if in_versions { "new" } else { "the server" };
            match &said.gained {
                Some(Values::Of(values)) => {
                    format!("{subject} may {answer} {values}, which {people}{of_old} do not {verb}")
                }
                Some(Values::Without) => {
                    format!("it may be missing, which {people}{of_old} do not expect")
                }
                None => {
                    format!("{subject} may {answer} values that {people}{of_old} do not expect")
                }
            }
        }
        (Sender::Server, Impact::Withdrawn) => format!("{people} that read it get nothing"),
        (Sender::Server, Impact::Compatible) => match (&said.lost, in_versions) {
            (Some(Values::Of(values)), true) => {
                format!("new no longer {answer}s {values}, which is safe for {people}")
            }
            (Some(Values::Of(values)), false) => format!("the server does not {answer} {values}"),
            (Some(Values::Without), true) => {
                format!("it is always there, which is safe for {people}")
            }
            (Some(Values::Without), false) => "it is always there".to_owned(),
            (None, true) => format!("{people} of old expect everything that new {answer}s"),
            (None, false) => format!("the server {answer}s nothing that is not documented"),
        },
        (Sender::Client, Impact::Undocumented) => {
            format!("only {people} that send undocumented members are affected")
        }
        (Sender::Server, Impact::Undocumented) => {
            format!("only {people} that get undocumented members are affected")
        }
    }
}

/// What carries the values of the effect; none where nobody is known to send them.
fn place(context: &Context<'_>) -> Option<&'static str> {
    let effect = context.effect?;
    Some(match (effect.sender, context.webhook) {
        (Sender::Client, false) => "the request",
        (Sender::Client, true) => "the response to the webhook",
        (Sender::Server, false) => "the response",
        (Sender::Server, true) => "the webhook",
    })
}

fn sends(context: &Context<'_>, sender: Sender) -> bool {
    context.effect.is_some_and(|effect| effect.sender == sender)
}

/// What the server does with a value.
fn answers_verb(context: &Context<'_>) -> &'static str {
    if context.webhook { "send" } else { "answer" }
}

/// The values that a keyword rejects, where there are words for them.
fn outside(keyword: &str, value: Option<&Value>) -> Option<String> {
    let is = |wanted: bool| value.is_none_or(|value| *value == Value::Bool(wanted));
    Some(
        match keyword {
            "maxLength" => "longer values",
            "minLength" => "shorter values",
            "maximum" | "exclusiveMaximum" => "larger numbers",
            "minimum" | "exclusiveMinimum" => "smaller numbers",
            "multipleOf" => "other numbers",
            "maxItems" => "longer lists",
            "minItems" => "shorter lists",
            "uniqueItems" if is(true) => "lists with equal items",
            "maxProperties" => "objects with more members",
            "minProperties" => "objects with fewer members",
            "additionalProperties" | "unevaluatedProperties" => match value {
                Some(Value::Bool(false)) => "unknown members",
                _ => "other unknown members",
            },
            "items" | "unevaluatedItems" | "additionalItems" => match value {
                Some(Value::Bool(false)) => "more items",
                _ => "other items",
            },
            "enum" | "const" => "other values",
            "pattern" | "format" | "if" | "then" | "else" => "values that do not match",
            "not" => "values that match it",
            "contains" | "minContains" => "lists without such items",
            "maxContains" => "lists with more such items",
            "patternProperties" => "members of that name with other values",
            "propertyNames" => "members with other names",
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                "objects that do not meet it"
            }
            _ => return None,
        }
        .to_owned(),
    )
}

/// A keyword with its value, as the document has it.
fn member_of(keyword: &str, value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => name(&format!("{keyword}: {text}")),
        Some(value) => name(&format!("{keyword}: {}", shown(value))),
        None => name(keyword),
    }
}

/// Why it is not known whether anybody is affected.
pub(super) fn undecided(reason: &Undecided, context: &Context<'_>) -> String {
    if let Undecided::Text { reason } = reason {
        return format!("undecided: {reason}");
    }
    format!(
        "could not tell whether this breaks {}: {}; look at it, or accept it with --write-baseline",
        context.people(),
        cause(reason)
    )
}

/// What keeps schemas from being compared or used.
pub(super) fn cause(reason: &Undecided) -> String {
    match reason {
        Undecided::Text { reason } => reason.clone(),
        Undecided::NotFound { keyword } => match keyword.as_str() {
            "" => "two whole schemas were compared".to_owned(),
            "pattern" => "two patterns were compared".to_owned(),
            "properties" | "required" | "allOf" | "anyOf" | "oneOf" | "not" => {
                "the schema around it is too complex".to_owned()
            }
            keyword => format!("two values of {} were compared", name(keyword)),
        },
        Undecided::NotEnforced { keyword } => {
            format!("the validator does not enforce {}", name(keyword))
        }
        Undecided::UnknownFormat { format } => format!("the format {} is not known", name(format)),
        Undecided::Reference { reference: one } => {
            format!(
                "the reference {} leads nowhere, or to several schemas",
                reference(one)
            )
        }
        Undecided::NotASchema => "one of the two is not a schema".to_owned(),
        Undecided::Unusable { cause } => format!("the schema cannot be used: {cause}"),
        Undecided::TooDeep => "the schema nests too deep".to_owned(),
    }
}

/// What to do where the documents must agree.
pub(super) fn advice(change: &SchemaChange) -> &'static str {
    match change {
        SchemaChange::PropertyAdded { .. }
        | SchemaChange::KeywordAdded { .. }
        | SchemaChange::EntryAdded { .. }
        | SchemaChange::AlternativeAdded { .. }
        | SchemaChange::MappingChanged { old: None, .. }
        | SchemaChange::SchemaAdded => "document it, or stop emitting it",
        SchemaChange::PropertyRemoved { .. }
        | SchemaChange::KeywordRemoved { .. }
        | SchemaChange::EntryRemoved { .. }
        | SchemaChange::AlternativeRemoved { .. }
        | SchemaChange::MappingChanged { new: None, .. }
        | SchemaChange::SchemaRemoved => "emit it, or remove it from the source document",
        SchemaChange::RequiredAdded { .. }
        | SchemaChange::RequiredRemoved { .. }
        | SchemaChange::ValuesAdded { .. }
        | SchemaChange::ValuesRemoved { .. }
        | SchemaChange::TypeChanged { .. }
        | SchemaChange::NullAdded
        | SchemaChange::NullRemoved
        | SchemaChange::KeywordChanged { .. }
        | SchemaChange::Replaced { .. }
        | SchemaChange::NothingAccepted { .. }
        | SchemaChange::MappingChanged { .. }
        | SchemaChange::MeaningChanged
        | SchemaChange::Together { .. } => {
            "emit what is documented, or correct the source document"
        }
    }
}

/// A type with its article.
fn article(name: &str) -> String {
    match name {
        "null" => "null".to_owned(),
        "integer" | "array" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

fn any_of(types: &[String]) -> String {
    let all: Vec<String> = types.iter().map(|one| article(one)).collect();
    all.join(" or ")
}

fn types(types: &Option<Vec<String>>) -> String {
    match types {
        Some(types) if !types.is_empty() => any_of(types),
        _ => "any type".to_owned(),
    }
}

/// The types that `one` allows and `other` does not.
fn beyond(one: &Option<Vec<String>>, other: &Option<Vec<String>>) -> Option<String> {
    let other = other.as_ref()?;
    let Some(one) = one else {
        return Some("another type".to_owned());
    };
    let has = |name: &str| other.iter().any(|known| known == name);
    let more: Vec<String> = one
        .iter()
        .filter(|name| !has(name) && !(*name == "integer" && has("number")))
        .cloned()
        .collect();
    match more.as_slice() {
        [] => None,
        [number] if number == "number" && has("integer") => {
            Some("a number with a fraction".to_owned())
        }
        more => Some(any_of(more)),
    }
}

/// What a schema is.
fn shape(shape: &Shape) -> String {
    if let Some(one) = &shape.name {
        return name(one);
    }
    if !shape.alternatives.is_empty() {
        let names: Vec<Value> = shape
            .alternatives
            .iter()
            .map(|one| one.as_str().into())
            .collect();
        return format!("one of {}", list(&names));
    }
    let types = match shape.types.as_slice() {
        [] => String::new(),
        types => any_of(types),
    };
    let is_object = shape.types.is_empty() || shape.types == ["object"];
    match (shape.properties, shape.keywords.as_slice()) {
        (0, []) if types.is_empty() => "any value".to_owned(),
        (0, []) => types,
        (0, keywords) => {
            let noun = if types.is_empty() { "a value" } else { &types };
            let keywords: Vec<Value> = keywords.iter().map(|one| one.as_str().into()).collect();
            format!("{noun} with {}", list(&keywords))
        }
        (1, _) if is_object => "an object with 1 property".to_owned(),
        (count, _) if is_object => format!("an object with {count} properties"),
        (count, _) => format!("{types} with {count} properties"),
    }
}

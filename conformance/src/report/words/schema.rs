//! Sentences about what differs in schemas.
//!
//! A sentence is a clause that says what differs, and one that says whom it affects. The second is made of the values that the new
//! schema rejects and the old one allows, or the other way round: who sends them follows from the effect.

use super::effect::{Said, Values, affected, member, place, sends};
use super::hint::hint;
use super::keyword::{NO_TEXT, bytes, is_raw, member_of, refused};
use super::shape::{beyond, outside, shape, shapes, types, union_of};
use super::{Context, condition, contrasted, list, name, quoted, reference, told_apart};
use crate::document::{Literal, has_free_names, pointer};
use crate::finding::{Impact, Keyword, SchemaChange, Sender, Shape, Turned};

pub(super) fn sentence(change: &SchemaChange, context: &Context<'_>) -> String {
    // The keyword of items stands where these do.
    let is_of_items = match change {
        SchemaChange::KeywordAdded(told) | SchemaChange::KeywordRemoved(told) => {
            ["items", "prefixItems"].contains(&told.keyword.as_str())
        }
        _ => false,
    };
    let around = Context {
        pointer: pointer::parent(context.pointer),
        places: [None, None],
        ..*context
    };
    let context = if is_of_items { &around } else { context };
    let conditions = condition::conditions(change, context);
    let said = said(change, context)
        .turned(context.turned)
        .under(&conditions);
    let Some(effect) = context.effect else {
        return match hint(change, context) {
            Some(hint) => format!("{}: {hint}", said.lead),
            None => said.lead,
        };
    };
    // Under a condition, a property goes whose other schemas stay.
    let stays = matches!(change, SchemaChange::PropertyRemoved { .. }) && !conditions.is_empty();
    let own = member(change, effect, context);
    let own = own.filter(|_| context.turned == Turned::No && !stays);
    let affected = own.unwrap_or_else(|| affected(&said, change, effect, context));
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

/// The first clause, and the values that it is about.
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
    let is_now = |what: &Option<String>, before: &str, after: &str| match (what, in_versions) {
        (Some(one), true) => format!("{} {}", each(one), turned(before, after)),
        (Some(one), false) => format!("{} is {}", each(one), turned(before, after)),
        (None, _) => turned(before, after),
    };
    let became = |before: &str, after: &str| is_now(&property, before, after);
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
                (false, _, true) => only(&format!("the required property {property}"), true),
                (false, _, false) => only(&format!("the property {property}"), true),
            };
            let mut said = Said::new(lead).gaining("it");
            said.lost = required.then_some(Values::Without);
            said
        }
        SchemaChange::PropertyRemoved {
            name: one,
            required,
        } => {
            let property = name(one);
            let lead = match (in_versions, place(context)) {
                (true, Some(place)) => format!("new removed {property} from {place}"),
                (true, None) => format!("the property {property} was removed"),
                (false, _) if *required => {
                    only(&format!("the required property {property}"), false)
                }
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
        SchemaChange::KeywordAdded(told) => {
            let mut said = Said::new(only(&format!("{}{of_property}", member_of(told)), true));
            match is_raw(told) {
                true => said.gaining(NO_TEXT),
                false => {
                    said.lost = refused(told);
                    said
                }
            }
        }
        SchemaChange::KeywordRemoved(told) => {
            let mut said = Said::new(only(&format!("{}{of_property}", member_of(told)), false));
            match is_raw(told) {
                true => said.losing(NO_TEXT),
                false => {
                    said.gained = refused(told);
                    said
                }
            }
        }
        SchemaChange::KeywordReplaced {
            old: before,
            new: after,
        } => {
            let is = if in_versions {
                "is now"
            } else {
                "is emitted as"
            };
            let mut said = Said::new(format!(
                "{}{of_property} {is} {}",
                member_of(before),
                member_of(after)
            ));
            said.lost = refused(after);
            said.gained = refused(before);
            // Only the bound itself is in one and not in the other.
            let is_number = |told: &Keyword| {
                told.value
                    .as_ref()
                    .is_some_and(|one| one.value().is_number())
            };
            if is_number(before) && before.value == after.value {
                let bound = before.value.as_ref().map(quoted);
                said.lost = said.lost.and(bound.clone().map(Values::Of));
                said.gained = said.gained.and(bound.map(Values::Of));
            }
            if let (Some(was), Some(is)) = (bytes(before), bytes(after)) {
                said.lost = Some(Values::Of(format!("bytes {was}")));
                said.gained = Some(Values::Of(format!("bytes {is}")));
            }
            let several = "values that match more than one alternative";
            match (before.keyword.as_str(), after.keyword.as_str()) {
                ("anyOf", "oneOf") => said.losing(several),
                ("oneOf", "anyOf") => said.gaining(several),
                _ => said,
            }
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
                    {
                        let (before, after) = contrasted(before, after);
                        format!("{keyword_name} {is}{}", turned(&before, &after))
                    }
                }
                _ if in_versions => format!("{keyword_name} has changed"),
                _ => format!("{keyword_name} is documented and emitted with different content"),
            };
            let of = |values: String, side: &str| match values.ends_with("match") {
                true => format!("{values} the {side} one"),
                false => values,
            };
            let mut said = Said::new(lead);
            let lost = outside(keyword, after.as_ref().map(Literal::value));
            let gained = outside(keyword, before.as_ref().map(Literal::value));
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
        } => {
            let union = union_of(before, after).and_then(|union| union.name.as_deref());
            let (before, after) = shapes(before, after);
            let what = union.map(name).or_else(|| property.clone());
            Said::new(is_now(&what, &before, &after))
                .losing(&format!("the {old} form"))
                .gaining(&format!("the {new} form"))
        }
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
            let what = what_is_here(context.pointer);
            let lead = match &what {
                Some(what) => format!("{nothing} allows no {what}, {some} does"),
                None => format!("{nothing} allows no value here, {some} does"),
            };
            match (only_new, what) {
                (true, what) => Said::new(lead).losing(what.as_deref().unwrap_or("any value")),
                (false, what) => Said::new(lead).gaining(what.as_deref().unwrap_or("a value")),
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
            let mut leads: Vec<(String, usize)> = Vec::new();
            for one in changes {
                let lead = self::said(one, context).lead;
                match leads.iter_mut().find(|(known, _)| *known == lead) {
                    Some((_, count)) => *count += 1,
                    None => leads.push((lead, 1)),
                }
            }
            let leads = leads.into_iter().map(|(lead, count)| match count {
                1 => lead,
                count => format!("{lead} in {count} places"),
            });
            let leads: Vec<String> = leads.collect();
            Said::new(format!("{}; they matter only together", leads.join("; ")))
        }
    }
}

/// All that a property stands for, one by one.
fn each(property: &str) -> String {
    let plurals = [("items", "each item"), ("members", "each member")];
    let one = plurals.iter().find_map(|(all, one)| {
        let rest = property.strip_prefix(all)?;
        Some(format!("{one}{rest}"))
    });
    one.unwrap_or_else(|| property.to_owned())
}

fn alternative(keyword: &str, one: &Shape, added: bool, in_versions: bool) -> Said {
    let noun = match keyword {
        "oneOf" | "anyOf" => "alternative",
        "allOf" => "subschema",
        _ => "item",
    };
    let (keyword_name, what) = (name(keyword), shape(one));
    let mut said = Said::new(match (in_versions, added) {
        (true, true) if noun == "item" => format!("{keyword_name} describes one more item: {what}"),
        (true, false) if noun == "item" => {
            format!("{keyword_name} no longer describes its last item, {what}")
        }
        (false, true) if noun == "item" => {
            format!("an item of {keyword_name}, {what}, is emitted but not documented")
        }
        (false, false) if noun == "item" => {
            format!("an item of {keyword_name}, {what}, is documented but not emitted")
        }
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
    let (before, after) = (before.map(reference), after.map(reference));
    if let (Some(before), Some(after)) = (&before, &after) {
        let (before, after) = told_apart(before, after);
        return match in_versions {
            true => format!("the discriminator maps {value} to {after}, before to {before}"),
            false => format!(
                "the discriminator maps {value} to {before} in documented, to {after} in emitted"
            ),
        };
    }
    let named = |target: Option<String>| target.map(|target| name(&target));
    match (named(before), named(after), in_versions) {
        (None, Some(after), true) if after == value => {
            format!("the discriminator now maps {value} to the schema of that name")
        }
        (None, Some(after), true) => format!("the discriminator now maps {value} to {after}"),
        (Some(before), None, true) if before == value => {
            format!("the discriminator no longer maps {value} to the schema of that name")
        }
        (Some(before), None, true) => {
            format!("the discriminator no longer maps {value} to {before}")
        }
        (None, Some(after), false) => {
            format!("the mapping of {value} to {after} is emitted but not documented")
        }
        (Some(before), None, false) => {
            format!("the mapping of {value} to {before} is documented but not emitted")
        }
        _ => format!("the discriminator maps {value} differently"),
    }
}

/// The advice where the documents must agree.
pub(super) fn advice(change: &SchemaChange) -> &'static str {
    match change {
        SchemaChange::PropertyAdded { .. }
        | SchemaChange::KeywordAdded(_)
        | SchemaChange::EntryAdded { .. }
        | SchemaChange::AlternativeAdded { .. }
        | SchemaChange::MappingChanged { old: None, .. }
        | SchemaChange::SchemaAdded => "document it, or stop emitting it",
        SchemaChange::PropertyRemoved { .. }
        | SchemaChange::KeywordRemoved(_)
        | SchemaChange::EntryRemoved { .. }
        | SchemaChange::AlternativeRemoved { .. }
        | SchemaChange::MappingChanged { new: None, .. }
        | SchemaChange::SchemaRemoved => "emit it, or remove it from the source document",
        SchemaChange::RequiredAdded { .. }
        | SchemaChange::RequiredRemoved { .. }
        | SchemaChange::ValuesAdded { .. }
        | SchemaChange::ValuesRemoved { .. }
        | SchemaChange::TypeChanged { .. }
        | SchemaChange::KeywordReplaced { .. }
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

/// Names the part of a value that the schema at `at` describes; none where it describes the whole value.
pub(super) fn what_is_here(at: &str) -> Option<String> {
    let tokens: Vec<String> = pointer::tokens(at).collect();
    match tokens.as_slice() {
        [.., keyword, member] if keyword == "properties" => Some(name(member)),
        // What stands there is named by the author, such as a component called `items`.
        [.., parent, _] if has_free_names(parent) => None,
        [.., keyword]
            if keyword == "additionalProperties" || keyword == "unevaluatedProperties" =>
        {
            Some("unknown members".to_owned())
        }
        [.., keyword] if keyword == "items" => Some("items".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::what_is_here;

    #[test]
    fn the_part_of_a_value_is_named_by_the_place_of_its_schema() {
        for (at, what) in [
            ("/a/schema/properties/size", Some("`size`")),
            ("/a/schema/properties/items", Some("`items`")),
            ("/a/schema/items", Some("items")),
            ("/a/schema/additionalProperties", Some("unknown members")),
            ("/a/schema/unevaluatedProperties", Some("unknown members")),
            ("/components/schemas/items", None),
            ("/a/schema/$defs/additionalProperties", None),
            ("/a/schema", None),
            ("", None),
        ] {
            assert_eq!(what_is_here(at).as_deref(), what, "{at}");
        }
    }
}

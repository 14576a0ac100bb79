//! Comparing how the values of parameters and headers are written: in a style, or as a media type.

use std::collections::BTreeSet;

use serde_json::Value;

use super::content::{Carrier, media_types};
use super::pair::Pair;
use super::site::{Site, Text};
use super::{Drift, rules, types};
use crate::document::media::is_json;
use crate::document::{Document, pointer};
use crate::finding::{DocumentChange, Format, Impact, Part, Sender};

impl Drift<'_> {
    /// Compares how the value is written, its schema and its samples, whether they are in a media type or not.
    pub(super) fn written(&mut self, site: Site<'_>, (part, place): (&Part, &str), at: &Pair) {
        let (old, new) = (self.ledger.old, self.ledger.new);
        let (Some(one), Some(other)) = (
            Written::of(old, &at.old, place),
            Written::of(new, &at.new, place),
        ) else {
            // There has to be one media type. Where there are more, they are compared as those of a body.
            self.content(site, &at.member("content"), Carrier::Request);
            self.schema(site, &at.member("schema"));
            return self.examples(site.subject, at);
        };
        let inside = Pair::new(one.at.as_str(), other.at.as_str());
        let schemas = inside.member("schema");
        let kinds = (types::of(old, &schemas.old), types::of(new, &schemas.new));
        let differ = |key: &str| {
            let change = DocumentChange::FormatChanged {
                part: part.clone(),
                old: one.format.clone(),
                new: other.format.clone(),
            };
            let at = if key.is_empty() {
                inside.clone()
            } else {
                at.member(key)
            };
            (at, change)
        };
        let changed = match (&one.format, &other.format) {
            (
                Format::Style {
                    style,
                    explode,
                    reserved,
                },
                Format::Style {
                    style: other_style,
                    explode: other_explode,
                    reserved: other_reserved,
                },
            ) => {
                // One text is written in one way, whatever `explode` says of lists.
                let may_be_list =
                    |kinds: &Option<_>| !kinds.as_ref().is_some_and(types::are_scalar);
                let lists = may_be_list(&kinds.0) && may_be_list(&kinds.1);
                if style != other_style {
                    Some(differ("style"))
                } else if explode != other_explode && lists {
                    Some(differ("explode"))
                } else if reserved != other_reserved {
                    Some(differ("allowReserved"))
                } else {
                    None
                }
            }
            (one, other) => {
                let same = match (one.media(), other.media()) {
                    (Some(one), Some(other)) => one == other || is_json(one) && is_json(other),
                    (one, other) => one
                        .or(other)
                        .is_some_and(|name| is_plain(name, &kinds.0) && is_plain(name, &kinds.1)),
                };
                (!same).then(|| differ(""))
            }
        };
        if let Some((at, change)) = changed {
            let rule = &rules::PARAMETER_SERIALIZATION_CHANGED;
            let effect = site.effect(Impact::Rejected);
            self.ledger.affect(rule, effect, site.subject, &at, change);
        }
        let site = Site {
            as_text: text(place, site.as_text, &one.format, &other.format),
            ..site
        };
        match (one.format.media(), other.format.media()) {
            (Some(name), Some(_)) => self.media_type(site, &inside, name),
            _ => {
                self.schema(site, &schemas);
                self.examples(site.subject, &inside);
            }
        }
    }

    /// Compares whether a query parameter may be sent without a value: a receiver that takes more does no harm.
    pub(super) fn empty_value(&mut self, site: Site<'_>, part: &Part, at: &Pair) {
        let at = at.member("allowEmptyValue");
        let allowed = |value: Option<&Value>| value == Some(&Value::Bool(true));
        let (one, other) = (
            allowed(self.ledger.old.at(&at.old)),
            allowed(self.ledger.new.at(&at.new)),
        );
        if one == other {
            return;
        }
        let impact = if other == (site.sender == Sender::Client) {
            Impact::Compatible
        } else {
            Impact::Rejected
        };
        let change = DocumentChange::EmptyValueChanged {
            part: part.clone(),
            allowed: other,
        };
        let rule = &rules::PARAMETER_SERIALIZATION_CHANGED;
        self.ledger
            .affect(rule, site.effect(impact), site.subject, &at, change);
    }
}

/// How a parameter or header is written, with the defaults put in.
struct Written {
    format: Format,
    /// Where its `schema` and its samples are: the object itself, or its media type.
    at: String,
}

impl Written {
    /// `None` where there is not exactly one media type in `content`.
    fn of(document: &Document, at: &str, place: &str) -> Option<Self> {
        let get = |key: &str| document.at(at).and_then(|value| value.get(key));
        if let Some(content) = get("content") {
            let types = media_types(content.as_object());
            let [only] = types.as_slice() else {
                return None;
            };
            let at = pointer::join(&pointer::join(at, "content"), &only.name);
            let (at, _) = document.resolve(&at)?;
            let names = vec![only.key.clone()];
            return Some(Self {
                format: Format::Types { names },
                at,
            });
        }
        let default = match place {
            "query" | "cookie" => "form",
            _ => "simple",
        };
        let style = get("style").and_then(Value::as_str).unwrap_or(default);
        let flag = |key: &str, default: bool| get(key).and_then(Value::as_bool).unwrap_or(default);
        Some(Self {
            format: Format::Style {
                explode: flag("explode", style == "form"),
                reserved: flag("allowReserved", false),
                style: style.to_owned(),
            },
            at: at.to_owned(),
        })
    }
}

impl Format {
    /// The media type of a value that is written as one.
    fn media(&self) -> Option<&str> {
        match self {
            Self::Style { .. } => None,
            Self::Types { names } => names.first().map(String::as_str),
        }
    }
}

/// Whether values of these types are the same text in the media type as they are without any: numbers are, in JSON; strings are only
/// where they are not quoted.
fn is_plain(name: &str, kinds: &Option<BTreeSet<String>>) -> bool {
    let Some(kinds) = kinds else { return false };
    if is_json(name) {
        let mut kinds = kinds.iter();
        kinds.all(|kind| ["integer", "number", "boolean"].contains(&kind.as_str()))
    } else {
        name.starts_with("text/plain") && types::are_scalar(kinds)
    }
}

/// How values that are written in both of these forms are read. `whole` says whether they are a segment of a path.
fn text(place: &str, whole: Text, one: &Format, other: &Format) -> Text {
    let is_simple =
        |format: &Format| matches!(format, Format::Style { style, .. } if style == "simple");
    let is_exploded = |format: &Format| matches!(format, Format::Style { style, explode: true, .. } if style == "form");
    let written_as_json = |format: &Format| format.media().is_some_and(is_json);
    if written_as_json(one) || written_as_json(other) {
        Text::No
    } else if ["query", "cookie"].contains(&place) && is_exploded(one) && is_exploded(other) {
        Text::Exploded
    } else if whole == Text::Segment && is_simple(one) && is_simple(other) {
        Text::Segment
    } else {
        Text::Scalar
    }
}

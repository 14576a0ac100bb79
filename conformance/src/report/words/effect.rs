//! Clauses about who is affected by a change of a schema, and how.

use super::schema::what_is_here;
use super::{Context, name};
use crate::finding::{Effect, Impact, SchemaChange, Sender, Turned};

/// Values that only one of two schemas allows.
pub(super) enum Values {
    /// A noun phrase, such as `longer values`.
    Of(String),
    /// Values that lack the member that the first clause names.
    Without,
}

/// The two clauses before it is known who is affected.
pub(super) struct Said {
    /// The difference.
    pub(super) lead: String,
    /// The values that only the old schema allows.
    pub(super) lost: Option<Values>,
    /// The values that only the new schema allows.
    pub(super) gained: Option<Values>,
    /// Whether the second clause says all that the first does where it names these values.
    pub(super) repeats: bool,
}

impl Said {
    pub(super) fn new(lead: String) -> Self {
        Self {
            lead,
            lost: None,
            gained: None,
            repeats: false,
        }
    }

    pub(super) fn losing(mut self, values: &str) -> Self {
        self.lost = Some(Values::Of(values.to_owned()));
        self
    }

    pub(super) fn gaining(mut self, values: &str) -> Self {
        self.gained = Some(Values::Of(values.to_owned()));
        self
    }

    /// The clauses where the difference counts under conditions only, such as ``under `not` ``.
    pub(super) fn under(self, conditions: &[String]) -> Self {
        match conditions {
            [] => self,
            conditions => Self {
                lead: format!("{}, {}", conditions.join(", "), self.lead),
                repeats: false,
                ..self
            },
        }
    }

    /// The clauses where the schemas around turn what the difference does.
    pub(super) fn turned(self, turned: Turned) -> Self {
        match turned {
            Turned::No => self,
            Turned::Negated => Self {
                lead: self.lead,
                lost: self.gained,
                gained: self.lost,
                repeats: false,
            },
            Turned::Conditional => Self::new(self.lead),
            Turned::Overlapping => Self {
                repeats: false,
                ..self
                    .losing("values that match another alternative as well")
                    .gaining("values that matched two alternatives")
            },
        }
    }
}

/// The effect on those who have the property that a finding is about, where it is not as with other values.
pub(super) fn member(
    change: &SchemaChange,
    effect: Effect,
    context: &Context<'_>,
) -> Option<String> {
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
        (SchemaChange::KeywordAdded(told), sender, impact) => {
            return flag(&told.keyword, true, (sender, impact), context);
        }
        (SchemaChange::KeywordRemoved(told), sender, impact) => {
            return flag(&told.keyword, false, (sender, impact), context);
        }
        _ => return None,
    })
}

/// Describes the effect of a property becoming `readOnly` or `writeOnly`, or being so no longer, where it differs from that of other
/// keywords: those who have the property in the other direction do not notice, and those who have it in this one had to leave it out.
fn flag(
    keyword: &str,
    added: bool,
    (sender, impact): (Sender, Impact),
    context: &Context<'_>,
) -> Option<String> {
    let people = context.people();
    let in_versions = !context.advises();
    let same = if in_versions {
        "as before"
    } else {
        "all the same"
    };
    Some(match (keyword, added, sender, impact) {
        ("readOnly", _, Sender::Server, Impact::Compatible) => format!("{people} get it {same}"),
        ("writeOnly", _, Sender::Client, Impact::Compatible) => {
            format!("{people} may send it {same}")
        }
        ("readOnly", false, Sender::Client, Impact::Rejected) => match in_versions {
            true => format!("{people} that omit it are now refused"),
            false => format!("{people} that omit it are refused"),
        },
        ("writeOnly", true, Sender::Server, Impact::Rejected) => {
            format!("{people} that read it get nothing")
        }
        _ => return None,
    })
}

/// The effect on those who send or receive the values that are lost or gained.
pub(super) fn affected(
    said: &Said,
    change: &SchemaChange,
    effect: Effect,
    context: &Context<'_>,
) -> String {
    let people = context.people();
    let answer = answers_verb(context);
    let in_versions = !context.advises();
    let of_old = if in_versions { " of old" } else { "" };
    let verb = match change {
        SchemaChange::ValuesAdded { .. } | SchemaChange::AlternativeAdded { .. } => "know",
        _ => "expect",
    };
    let is_nothing = matches!(change, SchemaChange::NothingAccepted { .. });
    let any_value = || what_is_here(context.pointer).unwrap_or_else(|| "any value".to_owned());
    match (effect.sender, effect.impact) {
        (Sender::Client, Impact::Emptied) if is_nothing => match in_versions {
            true => format!("{people} that send {} are now refused", any_value()),
            false => format!("{people} that send {} are refused", any_value()),
        },
        (Sender::Server, Impact::Emptied) if is_nothing => match in_versions {
            true => format!("new no longer {answer}s {}", any_value()),
            false => format!("the server does not {answer} {}", any_value()),
        },
        (_, Impact::Emptied) if in_versions => "no value is valid any more".to_owned(),
        (_, Impact::Emptied) => "no value is valid".to_owned(),
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
        (Sender::Server, Impact::Withdrawn) => match change {
            SchemaChange::KeywordAdded(_) => format!("{people} that read it get nothing"),
            _ if in_versions => format!("{people} no longer get some members of it"),
            _ => format!("{people} do not get some documented members of it"),
        },
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

/// The message that carries the values of the effect; none where nobody is known to send them.
pub(super) fn place(context: &Context<'_>) -> Option<&'static str> {
    let effect = context.effect?;
    Some(match (effect.sender, context.webhook) {
        (Sender::Client, false) => "the request",
        (Sender::Client, true) => "the response to the webhook",
        (Sender::Server, false) => "the response",
        (Sender::Server, true) => "the webhook",
    })
}

pub(super) fn sends(context: &Context<'_>, sender: Sender) -> bool {
    context.effect.is_some_and(|effect| effect.sender == sender)
}

/// The verb for a server that sends a value.
fn answers_verb(context: &Context<'_>) -> &'static str {
    if context.webhook { "send" } else { "answer" }
}

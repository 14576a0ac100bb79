//! Changes of one member each, and what each does to those who exchange values.

use conformance::finding::Severity;
use serde_json::Value;

use super::model::{Api, Id, Member, Object, Schema, Slot};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The member that is changed. An added one is known to no version before.
    pub(crate) member: Id,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Add {
        object: Id,
        member: Member,
    },
    Remove,
    Require(bool),
    Nullable(bool),
    /// Another schema, and how the accepted values differ.
    Schema(Schema, Values),
    /// Whether the object that the member is admits other members.
    Close(bool),
    /// A flag that is set, or is not any more.
    Flag(&'static str, Option<Value>),
}

/// How the values that are accepted differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Values {
    Fewer,
    More,
    /// Some are not accepted any more, others are now.
    Other,
    /// Not said here, because it takes a comparison of patterns or formats.
    Unknown,
}

impl Values {
    /// Of the changed schema as the old one.
    pub(crate) fn back(self) -> Self {
        match self {
            Self::Fewer => Self::More,
            Self::More => Self::Fewer,
            same => same,
        }
    }
}

/// An API, and changes that do not meet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) old: Api,
    pub(crate) changes: Vec<Change>,
    /// By the ids of members; those of objects have a name that is not used.
    pub(crate) names: Vec<String>,
}

impl Case {
    /// The API with some of the changes.
    pub(crate) fn with(&self, changes: &[Change]) -> Api {
        let mut new = self.old.clone();
        for change in changes {
            change.apply(&mut new);
        }
        new
    }
}

impl Change {
    fn apply(&self, api: &mut Api) {
        api.each_object(&mut |object: &mut Object| {
            if let What::Add { object: id, member } = &self.what {
                if object.id == *id {
                    object.members.push(member.clone());
                }
                return;
            }
            if self.what == What::Remove {
                object.members.retain(|member| member.id != self.member);
            }
            let Some(member) = object
                .members
                .iter_mut()
                .find(|member| member.id == self.member)
            else {
                return;
            };
            match &self.what {
                What::Add { .. } | What::Remove => {}
                What::Require(required) => member.required = *required,
                What::Nullable(nullable) => member.nullable = *nullable,
                What::Schema(schema, _) => member.schema = schema.clone(),
                What::Close(closed) => {
                    if let Schema::Object(object) = &mut member.schema {
                        object.closed = *closed;
                    }
                }
                What::Flag(key, Some(value)) => {
                    member.flags.insert((*key).to_owned(), value.clone());
                }
                What::Flag(key, None) => {
                    member.flags.shift_remove(*key);
                }
            }
        });
    }

    /// Whether what stands within the member is compared all the same.
    pub(crate) fn keeps_inside(&self) -> bool {
        matches!(
            self.what,
            What::Require(_)
                | What::Nullable(_)
                | What::Close(_)
                | What::Flag("deprecated" | "default", _)
        )
    }

    /// The ids that must not stand within a member that another change removes or replaces.
    pub(crate) fn spots(&self) -> Vec<Id> {
        match &self.what {
            What::Add { object, .. } => vec![*object],
            _ => vec![self.member],
        }
    }

    /// How grave the change is by itself, in the worst place where it is used; `None` where this table does not say.
    pub(crate) fn severity(&self, api: &Api) -> Option<Severity> {
        let spot = self.spots()[0];
        let used = api
            .uses
            .iter()
            .filter(|(_, schema)| api.reach(schema).contains(&spot));
        let severities = used.map(|(slot, _)| self.severity_in(api, *slot));
        let severities: Option<Vec<Severity>> = severities.collect();
        severities?.into_iter().min()
    }

    /// Whether values were taken away and others added.
    pub(crate) fn may_be_two(&self) -> bool {
        matches!(self.what, What::Schema(_, Values::Other))
    }

    /// Whether nobody who uses the member ever sends it.
    pub(crate) fn may_be_silent(&self, api: &Api) -> bool {
        let Some((_, member)) = api.member(self.member) else {
            return false;
        };
        let mut used = api
            .uses
            .iter()
            .filter(|(_, schema)| api.reach(schema).contains(&self.member));
        used.all(|(slot, _)| member.is_hidden(*slot))
    }

    fn severity_in(&self, api: &Api, slot: Slot) -> Option<Severity> {
        let by_server = slot.is_sent_by_server();
        let (closed, member) = match &self.what {
            What::Add { object, member } => {
                let owner = api.objects().into_iter().find(|one| one.id == *object)?;
                (owner.closed, member)
            }
            _ => {
                let (owner, member) = api.member(self.member)?;
                (owner.closed, member)
            }
        };
        let hidden = member.is_hidden(slot);
        let breaking = match &self.what {
            What::Add { .. } if by_server => closed,
            What::Add { member, .. } => member.required,
            What::Remove if hidden => false,
            What::Remove if by_server => true,
            What::Remove => closed,
            What::Require(required) => *required != by_server,
            What::Nullable(nullable) => *nullable == by_server,
            What::Schema(_, Values::Fewer) => !by_server,
            What::Schema(_, Values::More) => by_server,
            What::Schema(_, Values::Other) => true,
            // Members that nobody documents do not break anybody.
            What::Close(_) => false,
            What::Flag("readOnly", on) => !by_server && (on.is_some() || member.required),
            // A receiver that was told that a member is never sent may reject it; the specification does not say.
            What::Flag("writeOnly", None) if by_server => return None,
            What::Flag("writeOnly", on) => by_server && on.is_some(),
            What::Flag(..) => false,
            What::Schema(_, Values::Unknown) => return None,
        };
        Some(if breaking {
            Severity::Breaking
        } else {
            Severity::Warning
        })
    }
}

//! Who is affected by what differs outside of schemas, and why.

use serde_json::Value;

use super::super::Context;
use super::super::part::is_open;
use super::SERVER;
use crate::finding::{Comparison, DocumentChange, Impact, Part, Sender};

/// The people affected, and why.
pub(super) fn consequence(change: &DocumentChange, context: &Context<'_>) -> Option<String> {
    if let DocumentChange::Member { key, new, .. } = change {
        let is_set = new
            .as_ref()
            .is_some_and(|new| *new.value() == Value::Bool(true));
        let said = match (key.as_str(), context.comparison) {
            ("operationId", _) => "generated clients call it by another name",
            ("x-webhook-signature", _) => "subscribers may reject what is signed so",
            ("x-webhook-delivery", _) => "subscribers may rely on what was promised",
            ("deprecated", Comparison::Versions) if is_set => {
                "it works as before, and may be removed later"
            }
            ("deprecated", Comparison::Versions) => "it is meant to stay",
            _ => return None,
        };
        return Some(said.to_owned());
    }
    let harms = |impact| matches!(impact, Impact::Rejected | Impact::Withdrawn);
    let Some(effect) = context.effect.filter(|effect| harms(effect.impact)) else {
        return harmless(change, context);
    };
    let sender = effect.sender;
    let people = context.people();
    let refused = match context.comparison {
        Comparison::Versions => "are now refused",
        Comparison::Lockstep | Comparison::Single => "are refused",
    };
    Some(match change {
        DocumentChange::Added { part, .. } => match part {
            Part::Parameter { .. } | Part::Header { .. } | Part::RequestBody
                if sender == Sender::Client =>
            {
                format!("{people} that omit it {refused}")
            }
            _ => format!("{people} do not expect it"),
        },
        DocumentChange::Removed { part } => match part {
            Part::Parameter { .. } | Part::Header { .. } | Part::RequestBody
                if sender == Sender::Server =>
            {
                format!("{people} that read it get nothing")
            }
            Part::Parameter { .. } | Part::Header { .. } | Part::RequestBody => {
                format!("{people} that send it are not understood")
            }
            Part::MediaType { .. } if sender == Sender::Server => {
                format!("{people} that ask for it get another")
            }
            Part::MediaType { .. } => format!("{people} that send it {refused}"),
            Part::Response { .. } => format!("{people} that answer so are not understood"),
            Part::Operation { .. } => format!("{people} that call it {refused}"),
            Part::Webhook { .. } | Part::Callback { .. } => {
                "subscribers that wait for it get nothing".to_owned()
            }
            Part::Schema { .. } | Part::Tag { .. } | Part::Link { .. } | Part::Example { .. } => {
                return None;
            }
        },
        DocumentChange::BodyAdded { .. } => format!("{people} do not expect one"),
        DocumentChange::BodyRemoved { .. } if sender == Sender::Server => {
            format!("{people} that read it get nothing")
        }
        DocumentChange::BodyRemoved { .. } => format!("{people} that send one are not understood"),
        DocumentChange::RequiredAdded { .. } => format!("{people} that omit it {refused}"),
        DocumentChange::RequiredRemoved { .. } => {
            format!("it may be missing, which {people} do not expect")
        }
        DocumentChange::CredentialsChanged { .. } if sender == Sender::Server => {
            format!("{people} that check for other credentials refuse the server")
        }
        DocumentChange::CredentialsChanged { old, .. } if is_open(old) => {
            format!("{people} without credentials {refused}")
        }
        DocumentChange::CredentialsChanged { .. } | DocumentChange::SchemeChanged { .. } => {
            match context.comparison {
                Comparison::Versions => "the old credentials no longer suffice".to_owned(),
                Comparison::Lockstep | Comparison::Single => {
                    "the documented credentials do not suffice".to_owned()
                }
            }
        }
        DocumentChange::FormatChanged { .. } | DocumentChange::EncodingChanged { .. } => {
            match sender {
                Sender::Client => format!("the server misreads what {people} send"),
                Sender::Server => format!("{people} misread what the server sends"),
            }
        }
        DocumentChange::EmptyValueChanged { .. } if sender == Sender::Server => {
            format!("{people} do not expect that")
        }
        DocumentChange::EmptyValueChanged { .. } => format!("{people} that do so {refused}"),
        _ => return None,
    })
}

/// Why a change between two versions breaks nobody, where that is not plain.
fn harmless(change: &DocumentChange, context: &Context<'_>) -> Option<String> {
    if context.comparison != Comparison::Versions {
        return None;
    }
    let people = context.people();
    let sender = context.effect.map(|effect| effect.sender);
    Some(match change {
        DocumentChange::Removed {
            part: Part::Response { .. },
        } if sender == SERVER => format!("{people} that handle it never get it, which is safe"),
        DocumentChange::CredentialsChanged { new, .. } if is_open(new) => {
            format!("{people} need no credentials now")
        }
        DocumentChange::CredentialsChanged { .. } => {
            "the credentials of old still suffice".to_owned()
        }
        _ => return None,
    })
}

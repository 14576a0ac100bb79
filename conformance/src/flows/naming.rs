//! Names of paths, parameters and members, taken apart into words: `webhookEventTypeId`, `webhook_event_type_id` and
//! `webhook-event-type-id` are one name.

/// The words of a name in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            previous = ' ';
            continue;
        }
        let begins = !previous.is_alphanumeric()
            || letter.is_uppercase() && !previous.is_uppercase()
            || words.is_empty();
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
        previous = letter;
    }
    words
}

/// The name without its separators, in lower case.
pub(super) fn plain(name: &str) -> String {
    words(name).concat()
}

/// The singular of an English noun, as names of collections go.
pub(super) fn singular(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "shes", "ches", "xes"] {
        if noun.ends_with(ending) {
            return noun[..noun.len() - 2].to_owned();
        }
    }
    match noun.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => noun.to_owned(),
    }
}

/// Members that say in different ways whether something is in use.
const STATES: [&str; 8] = [
    "status",
    "state",
    "enabled",
    "disabled",
    "active",
    "archived",
    "paused",
    "published",
];

/// Whether a server may change one of two members because the other one changes: `eventTypeId` and `eventTypeName`.
pub(super) fn are_related(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let is_state = |words: &[String]| words.iter().any(|word| STATES.contains(&word.as_str()));
    one.iter()
        .any(|word| word.len() > 2 && other.contains(word))
        || is_state(&one) && is_state(&other)
}

/// Whether a member says in which place something is among others, or whether it is in use.
pub(super) fn is_rank_or_state(name: &str) -> bool {
    const RANKS: [&str; 9] = [
        "position", "order", "rank", "index", "priority", "number", "sequence", "next", "previous",
    ];
    let words = words(name);
    let mut words = words.iter().map(String::as_str);
    words.any(|word| RANKS.contains(&word) || STATES.contains(&word))
}

/// Whether the value of a member is a secret, which servers mask or show once.
pub(super) fn is_secret(name: &str) -> bool {
    const TELLING: [&str; 14] = [
        "secret",
        "password",
        "passphrase",
        "token",
        "pin",
        "cvv",
        "cvc",
        "pan",
        "key",
        "credential",
        "credentials",
        "authorization",
        "signature",
        "passcode",
    ];
    words(name)
        .iter()
        .any(|word| TELLING.contains(&word.as_str()))
}

/// Whether a member tells when something was changed last.
pub(super) fn is_change_time(name: &str) -> bool {
    let words = words(name);
    words
        .iter()
        .any(|word| matches!(word.as_str(), "updated" | "modified" | "changed"))
        && !words
            .iter()
            .any(|word| matches!(word.as_str(), "by" | "user" | "status" | "id"))
}

/// Whether a member tells when something was created.
pub(super) fn is_creation_time(name: &str) -> bool {
    let words = words(name);
    words
        .iter()
        .any(|word| matches!(word.as_str(), "created" | "creation" | "inserted"))
        && !words
            .iter()
            .any(|word| matches!(word.as_str(), "by" | "user" | "id"))
}

/// Whether a member counts versions, so that a client has to send the current one back.
pub(super) fn is_version(name: &str) -> bool {
    let words = words(name);
    words
        .last()
        .is_some_and(|word| matches!(word.as_str(), "version" | "revision" | "rev" | "etag"))
}

/// Whether a member names another thing, which has to exist.
pub(super) fn is_reference(name: &str) -> bool {
    let words = words(name);
    words.len() > 1
        && words.last().is_some_and(|word| {
            matches!(
                word.as_str(),
                "id" | "ids" | "uuid" | "guid" | "ref" | "href"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_words_in_any_style() {
        for name in [
            "webhookEventTypeId",
            "webhook_event_type_id",
            "Webhook-Event-Type-Id",
        ] {
            assert_eq!(words(name), ["webhook", "event", "type", "id"], "{name}");
        }
        assert_eq!(plain("page[after]"), "pageafter");
        assert_eq!(plain("X-Request-ID"), "xrequestid");
    }

    #[test]
    fn collections_have_a_singular() {
        for (many, one) in [
            ("webhooks", "webhook"),
            ("companies", "company"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("status", "status"),
            ("keys", "key"),
            ("news", "new"),
            ("analysis", "analysis"),
        ] {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn members_are_known_by_their_names() {
        assert!(
            are_related("webhookEventTypeId", "webhookEventTypeName")
                && are_related("status", "enabled")
        );
        assert!(!are_related("title", "tags"));
        assert!(
            is_change_time("updatedAt")
                && is_change_time("last_modified")
                && !is_change_time("updatedBy")
        );
        assert!(is_creation_time("created_at") && !is_creation_time("creatorId"));
        assert!(is_reference("accountId") && !is_reference("id"));
    }
}

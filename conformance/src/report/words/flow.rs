//! Sentences about sequences of operations.

use super::replay::step_failure;
use super::value::shown;
use super::violation::inside;
use crate::finding::{Access, FlowFault, NotObserved, Trace, Writing};

pub(super) fn sentence(fault: &FlowFault) -> String {
    match fault {
        FlowFault::Unobserved { reason } => format!("not observed: {}", unobserved(reason)),
        FlowFault::Unreadable {
            listed: false,
            status,
        } => format!("created, but reading it with its id gives {status}"),
        FlowFault::Unreadable {
            listed: true,
            status,
        } => format!("in the list, but reading it with its id gives {status}"),
        FlowFault::Location {
            status: Some(status),
        } => format!("created, but its `Location` gives {status}"),
        FlowFault::Location { status: None } => {
            "created, but its `Location` leads to something else".to_owned()
        }
        FlowFault::Unlisted { pages } => {
            format!("created, but not in the list ({})", plural(*pages, "page"))
        }
        FlowFault::Written {
            by: Writing::Default,
            at,
            sent,
            found,
        } => format!(
            "{}left out, so expected the default {}, but read {}",
            inside(at),
            shown(sent),
            found.as_ref().map_or("nothing".to_owned(), shown)
        ),
        FlowFault::Written {
            by,
            at,
            sent,
            found,
        } => {
            let by = match by {
                Writing::Create | Writing::Default => "created",
                Writing::Update => "updated",
                Writing::Replace => "replaced",
            };
            let found = found.as_ref().map_or("it is missing".to_owned(), |found| {
                format!("read {}", shown(found))
            });
            format!(
                "{}{by} with {}, but afterwards {found}",
                inside(at),
                shown(sent)
            )
        }
        FlowFault::Answered {
            by,
            at,
            found,
            after,
        } => {
            let what = match by {
                Writing::Create | Writing::Default => "creation",
                Writing::Update => "update",
                Writing::Replace => "replacement",
            };
            format!(
                "{}{} in the response to the {what}, but read as {}",
                inside(at),
                shown(found),
                shown(after)
            )
        }
        FlowFault::Listed { at, found, after } => format!(
            "{}{} in the list, but read as {}",
            inside(at),
            shown(found),
            shown(after)
        ),
        FlowFault::Replaced {
            at: Some(at),
            before,
            after,
        } => format!(
            "{}was {}, and is {} after another one was created with this value",
            inside(at),
            shown(before),
            shown(after)
        ),
        FlowFault::Replaced {
            at: None, after, ..
        } => format!("reading what was created before gives {after} after others were created"),
        FlowFault::Unstable { at, before, after } => {
            format!(
                "{}read {}, and in the next moment {}",
                inside(at),
                shown(before),
                shown(after)
            )
        }
        FlowFault::Changed {
            at,
            before,
            after,
            sent,
        } => {
            let sent: Vec<String> = sent.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "{}was {}, and is {} after an update of {}",
                inside(at),
                shown(before),
                shown(after),
                sent.join(", ")
            )
        }
        FlowFault::TimeStill { at, before, after } if before == after => {
            format!("{}still {} after an update", inside(at), shown(before))
        }
        FlowFault::TimeStill { at, before, after } => {
            format!(
                "{}went back from {} to {} with an update",
                inside(at),
                shown(before),
                shown(after)
            )
        }
        FlowFault::TagStill {
            tag,
            changed,
            before,
            after,
        } => format!(
            "{}changed from {} to {}, but the `ETag` is still {tag}",
            inside(changed),
            shown(before),
            shown(after)
        ),
        FlowFault::Kept { at, value } => format!(
            "{}still {} after a replacement without it",
            inside(at),
            shown(value)
        ),
        FlowFault::Repeated {
            at: Some(at),
            before,
            after,
        } => {
            format!(
                "{}{} after the first request, {} after the same request again",
                inside(at),
                shown(before),
                shown(after)
            )
        }
        FlowFault::Repeated {
            at: None,
            before,
            after,
        } => format!("answered {before}, and the same request again {after}"),
        FlowFault::Remains { by, status } => match by {
            Trace::Read => format!("deleted, but reading it gives {status}"),
            Trace::List => "deleted, but still in the list".to_owned(),
            Trace::Update => format!("deleted, but updating it gives {status}"),
        },
        FlowFault::DeletedAgain { status, documented } => {
            format!(
                "deleted, and the same request again gives {status}, not the documented {}",
                documented.join(" or ")
            )
        }
        FlowFault::Foreign { access, status } => match access {
            Access::Read => {
                format!("created by the first user, and the second one reads it: {status}")
            }
            Access::List => {
                "created by the first user, and the list of the second one has it".to_owned()
            }
            Access::Update if *status < 300 => {
                format!("created by the first user, and the second one updates it: {status}")
            }
            Access::Update => format!(
                "the second user was refused with {status}, but what the first one created was updated"
            ),
            Access::Delete if *status < 300 => {
                format!("created by the first user, and the second one deletes it: {status}")
            }
            Access::Delete => format!(
                "the second user was refused with {status}, but what the first one created is gone"
            ),
        },
        FlowFault::PageRepeats { items, pages } => {
            format!(
                "page by page, {} more than once on {}",
                counted(*items, "item came", "items came"),
                plural(*pages, "page")
            )
        }
        FlowFault::PageSkips { items, of } => {
            format!(
                "page by page, {} of {of} did not come",
                counted(*items, "item", "items")
            )
        }
        FlowFault::PageEndless { pages } => format!(
            "page by page, there is no end: given up after {}",
            plural(*pages, "page")
        ),
        FlowFault::More { said: true, .. } => "the last page says that there are more".to_owned(),
        FlowFault::More { said: false, items } => format!(
            "a page says that it is the last one, but the next one has {}",
            plural(*items, "more item")
        ),
        FlowFault::NotDefault {
            asked,
            items: Some((without, with)),
            ..
        } => format!(
            "`{asked}` is the default, but gives {}, and {without} where it is left out",
            plural(*with, "item")
        ),
        FlowFault::NotDefault {
            asked, items: None, ..
        } => format!("`{asked}` is the default, but gives another response where it is left out"),
        FlowFault::PageSize { asked, found } => {
            format!("asked for {}, got {found}", plural_u64(*asked, "item"))
        }
        FlowFault::Total {
            at,
            stated,
            counted,
            asked: None,
        } => format!(
            "{at} is {stated}, but paging gives {}",
            plural_u64(*counted, "item")
        ),
        FlowFault::Total {
            at,
            stated,
            counted,
            asked: Some(asked),
        } => format!(
            "with `{asked}` {at} is {stated}, but the list has {}",
            plural_u64(*counted, "item")
        ),
        FlowFault::TotalPages {
            at,
            stated,
            counted,
        } => format!(
            "{at} is {stated}, but the list has {}",
            plural(*counted, "page")
        ),
        FlowFault::Unfiltered {
            asked,
            at,
            found: Some(found),
        } => format!(
            "asked for `{asked}`, but {at} of an item is {}",
            shown(found)
        ),
        FlowFault::Unfiltered {
            asked,
            at,
            found: None,
        } => {
            format!("asked for `{asked}`, but the item that was created with this {at} is missing")
        }
        FlowFault::Unsorted {
            asked,
            at,
            before,
            after,
        } => format!(
            "asked for `{asked}`, but {at} is {} in one item and {} in the next",
            shown(before),
            shown(after)
        ),
        FlowFault::Effect {
            status,
            at: Some(at),
            before,
            after,
        } => format!(
            "{}refused with {status}, but changed from {} to {}",
            inside(at),
            shown(before),
            shown(after)
        ),
        FlowFault::Effect {
            status,
            at: None,
            before,
            after,
        } => format!(
            "refused with {status}, but the list has {} instead of {}",
            plural_u64(after.as_u64().unwrap_or_default(), "item"),
            shown(before)
        ),
        FlowFault::Unconditional { header, status } => {
            // To a read it says that the client has the representation already.
            let expected = if *status == 304 { 200 } else { 412 };
            format!(
                "`{header}` with a tag that the server never gave: expected {expected}, got {status}"
            )
        }
        FlowFault::CreatedAgain { at, status } => format!(
            "{}created with an id that exists: expected 409, got {status}",
            inside(at)
        ),
        FlowFault::Elsewhere { parent, status } => format!(
            "created below one of `{parent}`, but reading it below another one gives {status}"
        ),
        FlowFault::CreatedTwice { header } => {
            format!(
                "the same request with the same `{header}` created something else the second time"
            )
        }
        FlowFault::Criterion {
            workflow,
            step,
            condition,
            status,
        } => {
            let status = status.map_or_else(String::new, |status| format!(" ({status})"));
            format!("workflow `{workflow}`, step `{step}`: not met: {condition}{status}")
        }
        FlowFault::Step {
            workflow,
            step,
            cause,
        } => format!("workflow `{workflow}`, step `{step}`: {cause}"),
    }
}

fn unobserved(reason: &NotObserved) -> String {
    let said = |words: &Option<String>| {
        words
            .as_ref()
            .map_or_else(String::new, |words| format!(": {words}"))
    };
    match reason {
        NotObserved::Refused { failure, words } => {
            format!("{}{}", step_failure(failure), said(words))
        }
        NotObserved::NoId { parameter } => {
            format!("the response has no id for the path parameter `{parameter}`")
        }
        NotObserved::NoRequest => {
            "there is no sample, and no request could be made of the schemas".to_owned()
        }
        NotObserved::NoParent { parent } => {
            format!("nothing of `{parent}` is known, which it is below")
        }
        NotObserved::NoUpdate { status, words } => format!(
            "no update was accepted; the last one got {status}{}",
            said(words)
        ),
        NotObserved::SecondUser { status } => {
            format!("the credentials of the second user are refused with {status}")
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    counted(count, noun, &format!("{noun}s"))
}

fn plural_u64(count: u64, noun: &str) -> String {
    plural(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;

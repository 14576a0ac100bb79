//! Paging information in a page of a list: where the next one is, and how many items there are in all.

use serde_json::Value;

use super::naming::{plain, words};
use super::shape::DEPTH;
use crate::document::pointer;

/// The reference of a page to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// The URL of it.
    Url(String),
    /// The cursor to send.
    Token(String),
    /// That there is none.
    Last,
    /// Nothing.
    Unsaid,
}

/// Reads what a page says of the next one, from its `Link` header and its body.
pub(super) fn next(body: &Value, links: &[String], items: &str) -> Next {
    match reference(body, links, items) {
        // A link in a header leads somewhere.
        Next::Url(url) if links.iter().any(|link| link.contains(&url)) => Next::Url(url),
        reference => match denies_more(body, items) {
            true => Next::Last,
            false => reference,
        },
    }
}

/// Whether a page says that there are no more.
fn denies_more(body: &Value, items: &str) -> bool {
    let mut members = members(body, items).into_iter();
    members.any(|(at, value)| {
        let name = pointer::tokens(&at).last().map(|name| plain(&name));
        let is_it = |name: String| matches!(name.as_str(), "hasmore" | "hasnext" | "hasnextpage");
        *value == Value::Bool(false) && name.is_some_and(is_it)
    })
}

/// Reads where a page says that the next one is, whether it says that there is one or not.
pub(super) fn reference(body: &Value, links: &[String], items: &str) -> Next {
    if let Some(url) = links.iter().find_map(|link| link_next(link)) {
        return Next::Url(url);
    }
    let mut said = Next::Unsaid;
    for (at, value) in members(body, items) {
        let tokens: Vec<String> = pointer::tokens(&at).collect();
        let (Some(last), before) = (tokens.last(), &tokens[..tokens.len().saturating_sub(1)])
        else {
            continue;
        };
        let (name, words) = (plain(last), words(last));
        let inside = before.last().map(|name| plain(name)).unwrap_or_default();
        let is_next = words.first().is_some_and(|word| word == "next")
            || matches!(
                name.as_str(),
                "endcursor" | "continuationtoken" | "continuation"
            )
            || (name == "after"
                && matches!(
                    inside.as_str(),
                    "cursors" | "cursor" | "paging" | "pagination"
                ))
            || (matches!(name.as_str(), "href" | "url" | "cursor") && inside == "next");
        if !is_next {
            continue;
        }
        match value {
            Value::String(text) if text.is_empty() => said = Next::Last,
            Value::String(text) if text.contains("://") || text.starts_with(['/', '?']) => {
                return Next::Url(text.clone());
            }
            Value::String(text) => return Next::Token(text.clone()),
            // A number is the next page or offset, which the parameters of those styles tell as well.
            Value::Null => said = Next::Last,
            _ => {}
        }
    }
    said
}

/// Whether a page says in so many words that there are more, or not.
pub(super) fn says_more(body: &Value) -> Option<bool> {
    fn of(value: &Value, depth: usize) -> Option<bool> {
        let members = value.as_object()?;
        let said = members.iter().find_map(|(name, value)| {
            let known = matches!(
                plain(name).as_str(),
                "hasmore" | "hasnext" | "hasnextpage" | "more"
            );
            value.as_bool().filter(|_| known)
        });
        said.or_else(|| {
            members
                .values()
                .filter(|_| depth > 0)
                .find_map(|value| of(value, depth - 1))
        })
    }
    of(body, 2)
}

/// Whether a page has a member for the next one that is null: not one that only begins with the word.
pub(super) fn says_last(body: &Value, items: &str) -> bool {
    const NAMES: [&str; 7] = [
        "next",
        "nextcursor",
        "nextpage",
        "nexttoken",
        "nextpagetoken",
        "nextlink",
        "nexturl",
    ];
    let mut members = members(body, items).into_iter();
    members.any(|(at, value)| {
        let name = pointer::tokens(&at).last().map(|name| plain(&name));
        value.is_null() && name.is_some_and(|name| NAMES.contains(&name.as_str()))
    })
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
fn link_next(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, tail)) = rest.split_once('<') {
        let (target, tail) = tail.split_once('>')?;
        let end = tail.find('<').unwrap_or(tail.len());
        let parameters = tail[..end].to_ascii_lowercase();
        let is_next = parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='));
        let is_next = is_next
            .filter(|(name, _)| name.trim() == "rel")
            .any(|(_, value)| {
                value
                    .trim()
                    .trim_end_matches(',')
                    .trim()
                    .trim_matches('"')
                    .split(' ')
                    .any(|one| one == "next")
            });
        if is_next {
            return Some(target.to_owned());
        }
        rest = &tail[end..];
    }
    None
}

/// How many things a list says there are: where it says so, and whether that may be the number on the page as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) at: String,
    pub(super) count: u64,
    pub(super) is_vague: bool,
}

/// The total that a page states.
pub(super) fn total(body: &Value, header: Option<&str>, items: &str) -> Option<Total> {
    if let Some(count) = header.and_then(|text| text.trim().parse().ok()) {
        return Some(Total {
            at: "X-Total-Count".to_owned(),
            count,
            is_vague: false,
        });
    }
    let mut vague = None;
    for (at, value) in members(body, items) {
        let Some(count) = value.as_u64() else {
            continue;
        };
        let name = pointer::tokens(&at)
            .last()
            .map(|name| plain(&name))
            .unwrap_or_default();
        match name.as_str() {
            "total" | "totalcount" | "totalitems" | "totalelements" | "totalresults"
            | "totalrecords" | "recordstotal" | "totalrows" | "totalhits" => {
                return Some(Total {
                    at,
                    count,
                    is_vague: false,
                });
            }
            "count" | "size" | "resultcount" if vague.is_none() && name != "size" => {
                vague = Some(Total {
                    at,
                    count,
                    is_vague: true,
                });
            }
            _ => {}
        }
    }
    vague
}

/// The number of pages that a page states.
pub(super) fn total_pages(body: &Value, items: &str) -> Option<Total> {
    const NAMES: [&str; 5] = [
        "totalpages",
        "pagestotal",
        "pagecount",
        "numpages",
        "numberofpages",
    ];
    members(body, items).into_iter().find_map(|(at, value)| {
        let name = plain(&pointer::tokens(&at).last()?);
        let count = value.as_u64().filter(|_| NAMES.contains(&name.as_str()))?;
        Some(Total {
            at,
            count,
            is_vague: false,
        })
    })
}

/// The members of the envelope of a list, without its items.
fn members<'v>(body: &'v Value, items: &str) -> Vec<(String, &'v Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), body, 0)];
    while let Some((at, value, depth)) = open.pop() {
        if at == items && !items.is_empty() || depth > DEPTH {
            continue;
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let below = pointer::join(&at, name);
            if below == items {
                continue;
            }
            match member {
                Value::Object(_) => open.push((below, member, depth + 1)),
                Value::Array(_) => {}
                _ => found.push((below, member)),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_page_is_read_from_the_link_header_or_the_body() {
        let token = |text: &str| Next::Token(text.to_owned());
        let url = |text: &str| Next::Url(text.to_owned());
        for (body, expected) in [
            (json!({"data": [], "next": "abc"}), token("abc")),
            (json!({"data": [], "next": null}), Next::Last),
            (json!({"data": [], "nextCursor": ""}), Next::Last),
            (
                json!({"data": [], "pagination": {"next": "abc"}}),
                token("abc"),
            ),
            (
                json!({"data": [], "meta": {"next_cursor": "c"}}),
                token("c"),
            ),
            (
                json!({"data": [], "links": {"next": "/x?page=2"}}),
                url("/x?page=2"),
            ),
            (
                json!({"data": [], "_links": {"next": {"href": "http://h/x"}}}),
                url("http://h/x"),
            ),
            (
                json!({"data": [], "pageInfo": {"hasNextPage": false, "endCursor": "z"}}),
                Next::Last,
            ),
            (json!({"data": [], "next_page": 2}), Next::Unsaid),
            (json!({"data": [{"next": "no"}]}), Next::Unsaid),
        ] {
            assert_eq!(next(&body, &[], "/data"), expected, "{body}");
        }
        let links = |text: &str| next(&json!([]), &[text.to_owned()], "");
        assert_eq!(links("<http://h/a?b=<1>; rel=prev"), Next::Unsaid);
        assert_eq!(
            links("</p?page=1>; rel=\"prev\", </p?page=3>; rel=\"next\""),
            url("/p?page=3")
        );
    }

    #[test]
    fn a_page_may_say_whether_there_are_more_beside_where_they_are() {
        for (body, more, is_last, reference_is) in [
            (
                json!({"data": [], "hasMore": false, "nextCursor": "c"}),
                Some(false),
                false,
                Next::Token("c".to_owned()),
            ),
            (
                json!({"data": [], "meta": {"has_next_page": true}, "next": null}),
                Some(true),
                true,
                Next::Last,
            ),
            (
                json!({"data": [], "next_invoice_date": null}),
                None,
                false,
                Next::Last,
            ),
        ] {
            assert_eq!(says_more(&body), more, "{body}");
            assert_eq!(says_last(&body, "/data"), is_last, "{body}");
            assert_eq!(reference(&body, &[], "/data"), reference_is, "{body}");
        }
        let pages = json!({"data": [], "pagination": {"total_pages": 3, "page": 1}});
        let stated = total_pages(&pages, "/data").map(|total| (total.at, total.count));
        assert_eq!(stated, Some(("/pagination/total_pages".to_owned(), 3)));
    }

    #[test]
    fn a_total_is_known_by_its_name() {
        let at = |body: Value| {
            total(&body, None, "/data").map(|total| (total.at, total.count, total.is_vague))
        };
        assert_eq!(
            at(json!({"data": [], "total": 3, "count": 1})),
            Some(("/total".to_owned(), 3, false))
        );
        assert_eq!(
            at(json!({"data": [], "meta": {"totalCount": 4}})),
            Some(("/meta/totalCount".to_owned(), 4, false))
        );
        assert_eq!(
            at(json!({"data": [], "count": 4})),
            Some(("/count".to_owned(), 4, true))
        );
        assert_eq!(at(json!({"data": [], "limit": 4})), None);
        assert_eq!(
            total(&json!([]), Some("12"), "").map(|total| total.count),
            Some(12)
        );
    }
}

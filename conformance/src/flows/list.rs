//! Reading lists page by page, and what a list owes: every item once, an end, the size that was asked for, a true total.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use super::driver::{Answer, Call, Driver, Stopped, User};
use super::page::{self, Next, Total};
use super::paging::{Paging, Place};
use super::resource::Resource;
use super::shape;
use crate::case::serialize::text;
use crate::finding::{FlowFault, Severity};
use crate::rule::flows as rules;

/// Most pages that are read of one list.
const PAGES: usize = 150;

/// Most empty pages in a row, where a page says that there are more: a search may find nothing for some time.
const EMPTY: usize = 20;

/// The result of reading a list.
#[derive(Debug)]
pub(super) struct Walk {
    /// The ids of the items, or the items as text where they have none, and the items.
    pub(super) items: Vec<(String, Value)>,
    /// The sizes of the pages.
    pub(super) sizes: Vec<usize>,
    /// Whether each page says in so many words that there are more, or not.
    pub(super) more: Vec<Option<bool>>,
    /// Whether the last page says that it is the last one, in the member for the next one.
    pub(super) is_said_last: bool,
    pub(super) total: Option<Total>,
    /// How many pages the last page says there are.
    pub(super) total_pages: Option<Total>,
    pub(super) end: End,
    /// The last answer.
    pub(super) last: Answer,
}

/// How reading a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With the last page.
    Last,
    /// It does not end: a page came again.
    Endless,
    /// There were more pages than are read, or the item was found that was looked for.
    Cut,
    /// A page was refused, or is not a list.
    Refused,
}

impl Walk {
    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.items
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, item)| item)
    }
}

/// Whether a list has an item.
pub(super) enum Found {
    Yes(Value, Answer),
    No {
        pages: usize,
        last: Answer,
    },
    /// The list was refused, or is too long.
    Unknown(Answer),
}

impl Driver<'_> {
    /// The parameters of the list of a resource.
    pub(super) fn paging(&self, list: usize) -> Paging {
        Paging::of(self.session.document, self.operation(list))
    }

    /// Reads a list page by page until it ends or the item `wanted` is found. `asked` are query parameters other than those for paging.
    pub(super) async fn walk(
        &mut self,
        (resource, above): (usize, &[String]),
        (size, pages): (Option<u64>, usize),
        user: User,
        wanted: Option<&str>,
        asked: &[(String, String)],
    ) -> Result<Option<Walk>, Stopped> {
        let resource = &self.resources[resource];
        let Some(list) = resource.list else {
            return Ok(None);
        };
        let paging = self.paging(list);
        let (mut all_more, mut total_pages) = (Vec::new(), None);
        let (mut items, mut sizes, mut total) = (Vec::new(), Vec::new(), None);
        let (mut seen, mut places) = (HashSet::new(), HashSet::new());
        let (mut token, mut url): (Option<String>, Option<String>) = (None, None);
        let mut empty = 0;
        for number in 0.. {
            let mut call = Call::new(list, above).by(user);
            call.query = paging.query(number, items.len(), size, token.as_deref());
            call.query.extend_from_slice(asked);
            call.url.clone_from(&url);
            let last = self.send(call).await?;
            let at = last
                .body
                .as_ref()
                .filter(|_| last.is_ok())
                .and_then(|body| Some((body, shape::items(body, &resource.name)?)));
            let Some((body, at)) = at else {
                return Ok(Some(Walk {
                    items,
                    sizes,
                    more: all_more,
                    is_said_last: false,
                    total,
                    total_pages,
                    end: End::Refused,
                    last,
                }));
            };
            let entries = entries(resource, body, &at);
            total = page::total(
                body,
                last.header("x-total-count").first().map(String::as_str),
                &at,
            )
            .or(total);
            let next = page::next(body, &last.header("link"), &at);
            total_pages = page::total_pages(body, &at).or(total_pages);
            let is_said_last = page::says_last(body, &at);
            let more = page::says_more(body);
            all_more.push(more);
            let before = seen.len();
            let count = entries.len();
            seen.extend(entries.iter().map(|(id, _)| id.clone()));
            items.extend(entries);
            sizes.push(count);
            let is_found = wanted.is_some_and(|wanted| seen.contains(wanted));
            let is_again = number > 0 && count > 0 && seen.len() == before;
            empty = if count == 0 { empty + 1 } else { 0 };
            let last_id = items.last().map(|(id, _)| id.clone());
            let end = if is_found || sizes.len() >= pages {
                Some(End::Cut)
            } else if is_again || empty > EMPTY {
                Some(End::Endless)
            } else {
                match (next, &paging.place) {
                    // The member may be about something else than pages.
                    (Next::Last, Place::Offset(..) | Place::Page(..))
                        if more == Some(true) && count > 0 =>
                    {
                        None
                    }
                    (Next::Last, _) => Some(End::Last),
                    (Next::Url(target), _) => {
                        match same_origin(&last.exchange.request.url, &target) {
                            Some(target) if places.insert(target.clone()) => {
                                url = Some(target);
                                None
                            }
                            Some(_) => Some(End::Endless),
                            None => Some(End::Cut),
                        }
                    }
                    (Next::Token(next), Place::Cursor(_)) if places.insert(next.clone()) => {
                        token = Some(next);
                        None
                    }
                    (Next::Token(_), Place::Cursor(_)) => Some(End::Endless),
                    (Next::Unsaid, Place::Cursor(_)) if more == Some(true) && last_id.is_some() => {
                        token = last_id;
                        None
                    }
                    (Next::Unsaid, Place::Cursor(_)) | (_, Place::Given) => Some(End::Last),
                    (_, Place::Offset(..) | Place::Page(..)) => {
                        let is_short = size.is_some_and(|size| (count as u64) < size);
                        (count == 0 || is_short && more != Some(true)).then_some(End::Last)
                    }
                }
            };
            if let Some(end) = end {
                return Ok(Some(Walk {
                    items,
                    sizes,
                    more: all_more,
                    is_said_last,
                    total,
                    total_pages,
                    end,
                    last,
                }));
            }
        }
        Ok(None)
    }

    /// Reads a whole list in large pages. Returns `None` if there is no list or the pages do not end.
    pub(super) async fn whole(
        &mut self,
        resource: usize,
        above: &[String],
        asked: &[(String, String)],
    ) -> Result<Option<Walk>, Stopped> {
        let Some(list) = self.resources[resource].list else {
            return Ok(None);
        };
        let paging = self.paging(list);
        let size = paging.size.is_some().then_some(paging.sizes.1);
        let walk = self
            .walk((resource, above), (size, PAGES), User::First, None, asked)
            .await?;
        Ok(walk.filter(|walk| walk.end == End::Last))
    }

    /// Looks for an item in the list of a resource.
    pub(super) async fn find(
        &mut self,
        resource: usize,
        above: &[String],
        id: &str,
        user: User,
    ) -> Result<Option<Found>, Stopped> {
        let Some(list) = self.resources[resource].list else {
            return Ok(None);
        };
        let paging = self.paging(list);
        let size = paging.size.is_some().then_some(paging.sizes.1);
        let walk = self
            .walk((resource, above), (size, PAGES), user, Some(id), &[])
            .await?;
        Ok(walk.map(|walk| match walk.find(id) {
            Some(item) => Found::Yes(item.clone(), walk.last),
            None if walk.end == End::Last => Found::No {
                pages: walk.sizes.len(),
                last: walk.last,
            },
            None => Found::Unknown(walk.last),
        }))
    }

    /// Asks for the page behind one that says that it is the last one; returns how many more items it has.
    async fn hidden(
        &mut self,
        index: usize,
        above: &[String],
        walk: &Walk,
        size: Option<u64>,
    ) -> Result<usize, Stopped> {
        let resource = &self.resources[index];
        let is_said = walk.end == End::Last && walk.more.last() == Some(&Some(false));
        let (Some(list), Some(body), true) = (resource.list, &walk.last.body, is_said) else {
            return Ok(0);
        };
        let at = shape::items(body, &resource.name).unwrap_or_default();
        let next = page::reference(body, &walk.last.header("link"), &at);
        let paging = self.paging(list);
        let asked = &walk.last.exchange.request.url;
        let token = match (next, &paging.place) {
            (Next::Url(target), _) => Err(target),
            (Next::Token(token), Place::Cursor(_)) => Ok(Some(token)),
            (_, Place::Offset(..) | Place::Page(..)) => Ok(None),
            (_, Place::Cursor(_) | Place::Given) => return Ok(0),
        };
        let target = match token {
            Err(target) => same_origin(asked, &target),
            Ok(token) => {
                let number = walk.sizes.len() as u64;
                let query = paging.query(number, walk.items.len(), size, token.as_deref());
                with_query(asked, &query)
            }
        };
        let mut call = Call::new(list, above);
        // A URL of its own, as the response to it is not judged: a server may refuse what it did not offer.
        call.url = target;
        if call.url.is_none() {
            return Ok(0);
        }
        let answer = self.send(call).await?;
        let body = answer.body.as_ref().filter(|_| answer.is_ok());
        let page = body.and_then(|body| Some((body, shape::items(body, &resource.name)?)));
        let Some((body, at)) = page else {
            return Ok(0);
        };
        let entries = entries(resource, body, &at).into_iter();
        Ok(entries.filter(|(id, _)| walk.find(id).is_none()).count())
    }

    /// Reads a list page by page in small pages and judges it. `known` are the ids of items that it has. A fault has to show twice: others
    /// may change the list meanwhile.
    pub(super) async fn pages(
        &mut self,
        resource: usize,
        above: &[String],
        known: &[String],
    ) -> Result<(), Stopped> {
        let Some(list) = self.resources[resource].list else {
            return Ok(());
        };
        let paging = self.paging(list);
        let size = paging
            .size
            .is_some()
            .then(|| paging.sizes.0.max(2).min(paging.sizes.1));
        let by_place = matches!(paging.place, Place::Offset(..) | Place::Page(..));
        let mut first: Option<Vec<(&'static str, FlowFault)>> = None;
        loop {
            let Some(mut walk) = self
                .walk((resource, above), (size, PAGES), User::First, None, &[])
                .await?
            else {
                return Ok(());
            };
            let mut found = faults(&walk, known, size, by_place);
            let hidden = self.hidden(resource, above, &walk, size).await?;
            if hidden > 0 {
                // The others follow from it.
                let follows = [rules::PAGES_COMPLETE, rules::TOTAL_TRUE];
                found.retain(|(rule, _)| !follows.contains(rule));
                let fault = FlowFault::More {
                    said: false,
                    items: hidden,
                };
                found.push((rules::MORE_TRUE, fault));
            }
            if walk.end == End::Cut {
                // Too long for small pages; large ones may come to the end.
                let size = paging.size.is_some().then_some(paging.sizes.1);
                if let Some(whole) = self
                    .walk((resource, above), (size, PAGES), User::First, None, &[])
                    .await?
                {
                    found.extend(faults(&whole, known, size, by_place));
                    walk = whole;
                }
            }
            if walk.end == End::Refused && first.is_none() {
                self.unobserved(list, &walk.last);
                return Ok(());
            }
            let Some(before) = first.take() else {
                if found.is_empty() {
                    return Ok(());
                }
                first = Some(found);
                continue;
            };
            for (rule, fault) in found {
                if before.iter().any(|(known, _)| *known == rule) {
                    // A client that asks once more than it has to loses nothing.
                    let severity = match fault {
                        FlowFault::More { said: true, .. } => Severity::Warning,
                        _ => Severity::Breaking,
                    };
                    self.note_as(rule, severity, list, fault, Some(&walk.last));
                }
            }
            return Ok(());
        }
    }
}

/// The items of a page with their ids, or as text where they have none.
fn entries(resource: &Resource, body: &Value, at: &str) -> Vec<(String, Value)> {
    let items = body.pointer(at).and_then(Value::as_array);
    let with_id = |item: &Value| {
        let pointers = shape::ids(item, &resource.parameter, &resource.singular());
        let id = pointers
            .iter()
            .find_map(|at| item.pointer(at).filter(|id| !id.is_null()));
        (id.map_or_else(|| item.to_string(), text), item.clone())
    };
    items.into_iter().flatten().map(with_id).collect()
}

/// A URL with other values of some query parameters.
fn with_query(url: &str, query: &[(String, String)]) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    let pairs = url.query_pairs().into_owned();
    let is_other = |(name, _): &(String, String)| query.iter().all(|(known, _)| known != name);
    let kept: Vec<(String, String)> = pairs.filter(is_other).collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(kept.iter().chain(query));
    Some(url.into())
}

/// The target of a URL reference, if it is on the same server.
pub(super) fn same_origin(base: &str, target: &str) -> Option<String> {
    let base = Url::parse(base).ok()?;
    let target = base.join(target).ok()?;
    (target.origin() == base.origin()).then(|| target.to_string())
}

/// The faults of a list that was read page by page.
fn faults(
    walk: &Walk,
    known: &[String],
    size: Option<u64>,
    by_place: bool,
) -> Vec<(&'static str, FlowFault)> {
    let mut found = Vec::new();
    let pages = walk.sizes.len();
    if let (Some(asked), Some(largest)) = (size, walk.sizes.iter().max())
        && *largest as u64 > asked
    {
        found.push((
            rules::PAGE_SIZE_KEPT,
            FlowFault::PageSize {
                asked,
                found: *largest,
            },
        ));
    }
    let mut seen = HashSet::new();
    let repeats: HashSet<&String> = walk
        .items
        .iter()
        .map(|(id, _)| id)
        .filter(|id| !seen.insert(*id))
        .collect();
    let is_endless = walk.end == End::Endless && (!by_place || repeats.is_empty());
    if is_endless {
        found.push((rules::PAGES_END, FlowFault::PageEndless { pages }));
    } else if !repeats.is_empty() {
        found.push((
            rules::PAGES_DISTINCT,
            FlowFault::PageRepeats {
                items: repeats.len(),
                pages,
            },
        ));
    }
    if walk.end != End::Last {
        return found;
    }
    let missing = known.iter().filter(|id| !seen.contains(id)).count();
    if missing > 0 {
        found.push((
            rules::PAGES_COMPLETE,
            FlowFault::PageSkips {
                items: missing,
                of: known.len(),
            },
        ));
    }
    if let (Some(total), true) = (&walk.total, repeats.is_empty() && missing == 0) {
        let counted = walk.items.len() as u64;
        let is_of_page = total.is_vague
            && walk
                .sizes
                .last()
                .is_some_and(|size| *size as u64 == total.count);
        if total.count != counted && !is_of_page {
            found.push((
                rules::TOTAL_TRUE,
                FlowFault::Total {
                    at: total.at.clone(),
                    stated: total.count,
                    counted,
                    asked: None,
                },
            ));
        }
    }
    if repeats.is_empty() && missing == 0 {
        found.extend(page_faults(walk, size));
    }
    found
}

/// The faults in what pages say of other pages, in a list that was read to its end.
fn page_faults(walk: &Walk, size: Option<u64>) -> Vec<(&'static str, FlowFault)> {
    let mut found = Vec::new();
    let Some(last) = walk.sizes.iter().rposition(|size| *size > 0) else {
        return found;
    };
    let is_last = last + 1 < walk.sizes.len() || walk.is_said_last;
    if is_last && walk.more[last] == Some(true) {
        let fault = FlowFault::More {
            said: true,
            items: 0,
        };
        found.push((rules::MORE_TRUE, fault));
    }
    let is_full = |count: &usize| size == Some(*count as u64);
    if let Some(total) = &walk.total_pages
        && walk.sizes[..last].iter().all(is_full)
        && total.count != last as u64 + 1
    {
        let fault = FlowFault::TotalPages {
            at: total.at.clone(),
            stated: total.count,
            counted: last + 1,
        };
        found.push((rules::TOTAL_TRUE, fault));
    }
    found
}

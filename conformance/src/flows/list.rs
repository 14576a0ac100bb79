//! Reading lists page by page, and what a list owes: every item once, an end, the size that was asked for, a true total.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use super::driver::{Answer, Call, Driver, Stopped, User};
use super::page::{self, Next, Total};
use super::paging::{Paging, Place};
use super::shape;
use crate::case::serialize::text;
use crate::finding::FlowFault;
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
    pub(super) total: Option<Total>,
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
        let (parameter, singular) = (resource.parameter.clone(), resource.singular());
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
                    total,
                    end: End::Refused,
                    last,
                }));
            };
            let entries = body
                .pointer(&at)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            total = page::total(
                body,
                last.header("x-total-count").first().map(String::as_str),
                &at,
            )
            .or(total);
            let next = page::next(body, &last.header("link"), &at);
            let more = says_more(body);
            let before = seen.len();
            for item in &entries {
                let pointers = shape::ids(item, &parameter, &singular);
                let id = pointers
                    .iter()
                    .find_map(|at| item.pointer(at).filter(|id| !id.is_null()));
                let id = id.map_or_else(|| item.to_string(), text);
                seen.insert(id.clone());
                items.push((id, item.clone()));
            }
            sizes.push(entries.len());
            let is_found = wanted.is_some_and(|wanted| seen.contains(wanted));
            let is_again = number > 0 && !entries.is_empty() && seen.len() == before;
            empty = if entries.is_empty() { empty + 1 } else { 0 };
            let last_id = items.last().map(|(id, _)| id.clone());
            let end = if is_found || sizes.len() >= pages {
                Some(End::Cut)
            } else if is_again || empty > EMPTY {
                Some(End::Endless)
            } else {
                match (next, &paging.place) {
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
                        let short = size.is_some_and(|size| (entries.len() as u64) < size);
                        (entries.is_empty() || short).then_some(End::Last)
                    }
                }
            };
            if let Some(end) = end {
                return Ok(Some(Walk {
                    items,
                    sizes,
                    total,
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
                    self.note(rule, list, fault, Some(&walk.last));
                }
            }
            return Ok(());
        }
    }
}

/// Whether a page says in so many words that there are more, or not.
fn says_more(body: &Value) -> Option<bool> {
    fn of(value: &Value, depth: usize) -> Option<bool> {
        let members = value.as_object()?;
        let said = members.iter().find_map(|(name, value)| {
            let known = matches!(
                super::naming::plain(name).as_str(),
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
    found
}

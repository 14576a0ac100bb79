//! How a list is read page by page: which parameters take the size and the place of a page.

use serde_json::Value;

use super::naming::plain;
use crate::document::{Document, Operation, pointer};

const SIZES: [&str; 14] = [
    "limit",
    "pagesize",
    "perpage",
    "pagelimit",
    "size",
    "maxresults",
    "top",
    "first",
    "take",
    "itemsperpage",
    "maxitems",
    "pagecount",
    "resultsperpage",
    "rows",
];
const CURSORS: [&str; 15] = [
    "cursor",
    "after",
    "pageafter",
    "startingafter",
    "nexttoken",
    "pagetoken",
    "nextpagetoken",
    "continuationtoken",
    "continuation",
    "marker",
    "pagecursor",
    "startafter",
    "aftercursor",
    "nextcursor",
    "token",
];
const OFFSETS: [&str; 6] = [
    "offset",
    "skip",
    "pageoffset",
    "startindex",
    "start",
    "startat",
];
const PAGES: [&str; 6] = [
    "page",
    "pagenumber",
    "pageno",
    "pageindex",
    "currentpage",
    "p",
];

/// How the place of a page is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// By what the page before gave.
    Cursor(String),
    /// By how many items to skip, the first of which has this number.
    Offset(String, u64),
    /// By the number of the page, beginning with this one.
    Page(String, u64),
    /// Not by a parameter: a page may give the URL of the next one.
    Given,
}

/// The parameters of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// The parameter that takes the size of a page.
    pub size: Option<String>,
    /// The smallest and the largest size.
    pub sizes: (u64, u64),
    /// How the place of a page is said.
    pub place: Place,
}

/// The largest size of a page that is asked for.
const LARGEST: u64 = 100;

impl Paging {
    /// The parameters of the operation that lists.
    #[must_use]
    pub fn of(document: &Document, operation: &Operation<'_>) -> Self {
        let mut paging = Self {
            size: None,
            sizes: (1, LARGEST),
            place: Place::Given,
        };
        let parameters = operation.parameters(document);
        let queries: Vec<(&str, &str)> = parameters
            .iter()
            .filter(|one| one.value.get("in").and_then(Value::as_str) == Some("query"))
            .filter_map(|one| Some((one.value.get("name")?.as_str()?, one.pointer.as_str())))
            .collect();
        let find = |names: &[&str]| {
            let wanted = |name: &&str| queries.iter().find(|(known, _)| plain(known) == **name);
            names.iter().find_map(wanted).copied()
        };
        let number = |at: &str, keyword: &str| {
            let (_, schema) = document.resolve(&pointer::join(at, "schema"))?;
            schema.get(keyword)?.as_u64()
        };
        if let Some((name, at)) = find(&SIZES) {
            paging.size = Some(name.to_owned());
            let least = number(at, "minimum")
                .or_else(|| number(at, "exclusiveMinimum").map(|bound| bound + 1));
            let least = least.unwrap_or(1).max(1);
            paging.sizes = (
                least,
                number(at, "maximum")
                    .unwrap_or(LARGEST)
                    .min(LARGEST)
                    .max(least),
            );
        }
        if let Some((name, _)) = find(&CURSORS) {
            paging.place = Place::Cursor(name.to_owned());
        } else if let Some((name, at)) = find(&OFFSETS) {
            // SCIM counts from 1.
            let first = u64::from(plain(name) == "startindex");
            paging.place = Place::Offset(
                name.to_owned(),
                number(at, "minimum").unwrap_or(first).min(1).max(first),
            );
        } else if let Some((name, at)) = find(&PAGES) {
            let first = number(at, "default").or_else(|| number(at, "minimum"));
            paging.place = Place::Page(name.to_owned(), first.unwrap_or(1).min(1));
        }
        paging
    }

    /// Whether a query parameter is one of paging.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        let name = plain(name);
        let known = [&SIZES[..], &CURSORS, &OFFSETS, &PAGES];
        known.iter().any(|names| names.contains(&name.as_str()))
    }

    /// The query parameters of the page with this number, from 0, after so many items; `token` is what the page before gave.
    #[must_use]
    pub fn query(
        &self,
        number: u64,
        taken: usize,
        size: Option<u64>,
        token: Option<&str>,
    ) -> Vec<(String, String)> {
        let mut query = Vec::new();
        if let (Some(name), Some(size)) = (&self.size, size) {
            query.push((name.clone(), size.to_string()));
        }
        let place = match &self.place {
            Place::Cursor(name) => token.map(|token| (name, token.to_owned())),
            Place::Offset(name, first) => {
                (number > 0).then(|| (name, (taken as u64 + first).to_string()))
            }
            Place::Page(name, first) => (number > 0).then(|| (name, (number + first).to_string())),
            Place::Given => None,
        };
        query.extend(place.map(|(name, value)| (name.clone(), value)));
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(parameters: &str) -> Paging {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n  /a: {{get: {{parameters: {parameters}, responses: {{}}}}}}\n"
        );
        let document = Document::parse("t", &text).unwrap();
        Paging::of(&document, &document.operations()[0])
    }

    #[test]
    fn the_style_of_paging_is_told_by_the_parameters() {
        let one = |name: &str| format!("{{in: query, name: '{name}', schema: {{type: string}}}}");
        for (parameters, place) in [
            (
                format!("[{}, {}]", one("limit"), one("cursor")),
                Place::Cursor("cursor".to_owned()),
            ),
            (
                format!("[{}, {}]", one("page[size]"), one("page[after]")),
                Place::Cursor("page[after]".to_owned()),
            ),
            (
                format!("[{}, {}]", one("limit"), one("offset")),
                Place::Offset("offset".to_owned(), 0),
            ),
            (
                format!("[{}]", one("startIndex")),
                Place::Offset("startIndex".to_owned(), 1),
            ),
            (
                format!("[{}, {}]", one("per_page"), one("page")),
                Place::Page("page".to_owned(), 1),
            ),
            (
                "[{in: query, name: page, schema: {type: integer, minimum: 0}}]".to_owned(),
                Place::Page("page".to_owned(), 0),
            ),
            (format!("[{}]", one("q")), Place::Given),
        ] {
            assert_eq!(paging(&parameters).place, place, "{parameters}");
        }
        let bounded =
            paging("[{in: query, name: limit, schema: {type: integer, minimum: 5, maximum: 50}}]");
        assert_eq!(
            (bounded.size.as_deref(), bounded.sizes),
            (Some("limit"), (5, 50))
        );
    }

    #[test]
    fn a_page_is_asked_for_by_its_place() {
        let query = |place, number, token| {
            let paging = Paging {
                size: Some("limit".to_owned()),
                sizes: (1, 100),
                place,
            };
            let pairs = paging.query(number, 6, Some(2), token);
            pairs
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join("&")
        };
        assert_eq!(
            query(Place::Offset("offset".to_owned(), 0), 3, None),
            "limit=2&offset=6"
        );
        assert_eq!(
            query(Place::Page("page".to_owned(), 1), 3, None),
            "limit=2&page=4"
        );
        assert_eq!(
            query(Place::Cursor("after".to_owned()), 1, Some("x")),
            "limit=2&after=x"
        );
        assert_eq!(query(Place::Given, 0, None), "limit=2");
    }
}

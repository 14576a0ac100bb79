//! The frame of a page with a list: what was asked for, the refusal of wrong filters, and the link to what follows.

use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};

use super::form::Form;
use super::guard::SignedIn;
use super::layout::{Page, Root, pager};
use crate::storage::{NumberPage, Rows};

/// How many rows a page has.
const ROWS: u32 = 50;

/// A kind of list.
pub(super) struct Kind {
    /// The path of the page below the folder of all pages.
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    /// The sentence in place of a table without rows.
    pub(super) empty: &'static str,
}

/// A list that was asked for.
pub(super) struct List<'a> {
    kind: &'static Kind,
    signed_in: &'a SignedIn,
    pub(super) root: Root,
    pub(super) query: Form,
    /// The filters that cannot be read, in words.
    pub(super) faults: Vec<String>,
}

impl<'a> List<'a> {
    pub(super) fn of(kind: &'static Kind, request: &HttpRequest, signed_in: &'a SignedIn) -> Self {
        Self {
            kind,
            signed_in,
            root: Root::of(request),
            query: Form::read(request.query_string().as_bytes()),
            faults: Vec::new(),
        }
    }

    /// The rows that are asked for.
    pub(super) fn page(&mut self) -> NumberPage {
        NumberPage {
            before: self.query.cursor(&mut self.faults),
            limit: ROWS,
        }
    }

    /// The page that refuses the filters, when one of them cannot be read.
    pub(super) fn refusal(&self, filters: &Markup) -> Option<HttpResponse> {
        (!self.faults.is_empty()).then(|| self.frame(false).refuse(&self.faults, filters))
    }

    /// The page with `found` as `table` shows it, below `head` and the filters.
    pub(super) fn answer<T>(
        &self,
        head: &Markup,
        filters: &Markup,
        found: &Rows<T>,
        table: impl FnOnce(&[T]) -> Markup,
    ) -> HttpResponse {
        let Kind { path, title, empty } = self.kind;
        let next = found.next.map(|number| number.to_string());
        self.frame(true).answer(&html! {
            h1 { (title) }
            (head)
            (filters)
            @if found.rows.is_empty() { p.empty { (empty) } } @else { (table(&found.rows)) }
            (pager(path, &self.query, next, found.rows.len()))
        })
    }

    fn frame(&self, live: bool) -> Page<'_> {
        Page {
            root: &self.root,
            signed_in: self.signed_in,
            section: self.kind.path,
            title: self.kind.title,
            live,
        }
    }
}

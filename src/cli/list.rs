//! Lists of the operator API as the commands print them: rows for a person, or a line of JSON for each item.

use reqwest::Method;
use serde_json::value::RawValue;

use super::client::{Call, unknown_event_type};
use super::layout::compact;
use super::operator::Operator;
use super::terminal::{Paint, note, print};
use crate::domain::ProviderName;

/// A list to print.
pub(super) struct List<'a> {
    /// Its path below `/operator/v1`.
    pub(super) path: &'static str,
    /// The query parameters with their values; those without are left out.
    pub(super) filters: &'a [(&'a str, Option<&'a str>)],
    /// How many items to print at most.
    pub(super) limit: u64,
    /// Whether to print JSON.
    pub(super) json: bool,
}

impl List<'_> {
    /// Returns items as they are printed: `rows` makes the rows of a page, and is told whether it is the first one.
    ///
    /// # Errors
    /// Those of `rows`.
    pub(super) fn text(
        &self,
        page: &[Box<RawValue>],
        is_first: bool,
        rows: impl Fn(&[Box<RawValue>], bool, Paint) -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        if self.json {
            Ok(lines(page))
        } else {
            rows(page, is_first, Paint::for_stdout())
        }
    }

    /// Prints the list, and says so where there are more items; returns how many were printed.
    ///
    /// # Errors
    /// When the server refuses the list or does not answer, and those of `rows`.
    pub(super) async fn print(
        &self,
        operator: &Operator,
        rows: impl Fn(&[Box<RawValue>], bool, Paint) -> anyhow::Result<String>,
    ) -> anyhow::Result<u64> {
        let show = |page: &[Box<RawValue>], is_first| print(&self.text(page, is_first, &rows)?);
        let listed = operator.list(self.path, self.filters, self.limit, show);
        let (count, more) = listed.await?;
        if more {
            note(format_args!(
                "the newest {count}; there are more: raise --limit"
            ));
        }
        Ok(count)
    }

    /// Says that nothing was listed, in words for one item and for several; and why, where the provider that was asked for does not have the type.
    pub(super) async fn note_empty(&self, operator: &Operator, one: &str, several: &str) {
        if let Some(reason) = self.unknown_type(operator).await {
            note(reason);
        } else if self.filters.iter().any(|(_, value)| value.is_some()) {
            note(format_args!("no {one} matches"));
        } else {
            note(format_args!("there are no {several}"));
        }
    }

    /// Says that the type to list is not in the catalogue of the provider to list. One that is in no catalogue is refused by the server.
    async fn unknown_type(&self, operator: &Operator) -> Option<String> {
        let value = |name| self.filters.iter().find(|(given, _)| *given == name)?.1;
        let (name, provider) = (
            value("type")?,
            value("provider")?.parse::<ProviderName>().ok()?,
        );
        let call = Call::new(Method::GET, format!("/openapi/{provider}.json"));
        let document = operator.client().send_for_json(call).await.ok()?;
        unknown_event_type(&document, provider, name)
    }
}

/// Each item on a line, token by token as it came.
pub(super) fn lines(page: &[Box<RawValue>]) -> String {
    let lines = page.iter().map(|item| compact(item.get()) + "\n");
    lines.collect()
}

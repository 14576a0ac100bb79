//! `[[operation]]`: what is different for some operations in live checks.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::fill_in;
use crate::session::{self, OperationOptions};
use crate::toml_text::{Text, TextError};

/// What is different for some operations in live checks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WrittenOperation {
    /// Operations by operationId, method, path or tag, as in `include`.
    select: String,
    /// Send no request to them.
    #[schemars(extend("default" = false))]
    skip: Option<bool>,
    /// Most requests a second to each of them.
    #[schemars(with = "Option<f64>", extend("exclusiveMinimum" = 0))]
    rate: Option<Spanned<f64>>,
    /// Seconds that one exchange may take in all, in place of those of `[server]`.
    #[schemars(with = "Option<f64>", extend("exclusiveMinimum" = 0))]
    timeout: Option<Spanned<f64>>,
    /// Headers of their requests, such as `X-Tenant: ${TENANT}`; environment variables are filled in.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    header: Vec<Spanned<String>>,
    /// Statuses that they may answer with, whatever the document says: such an answer is not judged.
    #[serde(default)]
    #[schemars(with = "Vec<u16>", inner(range(min = 100, max = 599)))]
    expected: Vec<Spanned<i64>>,
}

impl WrittenOperation {
    /// Fills environment variables in.
    pub(super) fn settle(
        &self,
        text: &Text<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<OperationOptions, TextError> {
        let header = |written: &Spanned<String>| {
            let filled = fill_in(written.get_ref(), variable);
            filled
                .and_then(|filled| session::header(&filled))
                .map_err(|problem| text.error(written.span().start, problem))
        };
        let mut settled = self.check(text)?;
        settled.headers = self.header.iter().map(header).collect::<Result<_, _>>()?;
        Ok(settled)
    }

    /// Reads the settings that do not depend on environment variables.
    pub(super) fn check(&self, text: &Text<'_>) -> Result<OperationOptions, TextError> {
        let number = |value: &Option<Spanned<f64>>, read: fn(&str) -> Result<f64, String>| {
            let value = value.as_ref().map(|value| {
                read(&value.get_ref().to_string())
                    .map_err(|problem| text.error(value.span().start, problem))
            });
            value.transpose()
        };
        let status = |status: &Spanned<i64>| {
            u16::try_from(*status.get_ref())
                .ok()
                .filter(|status| (100..=599).contains(status))
                .ok_or_else(|| text.error(status.span().start, "write a status from 100 to 599"))
        };
        Ok(OperationOptions {
            pattern: self.select.clone(),
            skip: self.skip.unwrap_or_default(),
            rate: number(&self.rate, session::rate)?,
            timeout: number(&self.timeout, session::seconds)?,
            headers: Vec::new(),
            expected: self.expected.iter().map(status).collect::<Result<_, _>>()?,
        })
    }
}

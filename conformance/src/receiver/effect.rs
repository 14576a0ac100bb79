//! The effect of a handler: shown by a URL that is read, or by a command that is run.

use std::cell::Cell;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::credentials;
use crate::exchange::{Client, Request};

/// Most that is read of what a command prints, in bytes.
const OUTPUT_LIMIT: u64 = 1024 * 1024;

/// How long an observation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The shortest time after which a handler that works before it answers is taken to have done its work.
const PAUSE: Duration = Duration::from_millis(10);

/// How long an effect is waited for at least, once it is known how long effects take.
const KNOWN: Duration = Duration::from_millis(250);

/// The URL or command that shows the effect of deliveries.
pub(super) struct Effect {
    text: String,
    /// How long an effect may take after the response.
    wait: Duration,
    /// How long the effects so far took after the response, at most.
    seen: Cell<Duration>,
}

/// An observation of the effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observation(Vec<u8>);

/// The size of an observation, to count effects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    /// Values of JSON, or lines of text.
    parts: i64,
    /// The sum of all numbers.
    sum: f64,
}

impl Effect {
    pub(super) fn new(text: &str, wait: Duration) -> Self {
        Self {
            text: text.to_owned(),
            wait,
            seen: Cell::default(),
        }
    }

    /// Looks now.
    ///
    /// # Errors
    /// Why nothing can be seen.
    pub(super) async fn observe(&self, client: &Client) -> Result<Observation, String> {
        if self.text.starts_with("http://") || self.text.starts_with("https://") {
            return self.read(client).await;
        }
        let printed = credentials::output(&self.text, PATIENCE, OUTPUT_LIMIT).await;
        printed.map(Observation)
    }

    async fn read(&self, client: &Client) -> Result<Observation, String> {
        let request = Request {
            method: "GET".to_owned(),
            url: self.text.clone(),
            headers: Vec::new(),
            body: None,
        };
        let sent = client
            .send(request)
            .await
            .map_err(|error| error.to_string())?;
        let Some(response) = sent.response.filter(|_| sent.failure.is_none()) else {
            return Err(format!("{} does not answer", self.text));
        };
        if !(200..300).contains(&response.status) {
            return Err(format!("{} answers {}", self.text, response.status));
        }
        Ok(Observation(response.body))
    }

    /// Waits until something else is seen than before, and then for what may follow; what is seen in the end.
    ///
    /// # Errors
    /// Why nothing can be seen.
    /// `known` says that a delivery had an effect before, so that it is known how long that takes.
    pub(super) async fn after(
        &self,
        before: &Observation,
        known: bool,
        client: &Client,
    ) -> Result<Observation, String> {
        let start = Instant::now();
        let wait = match known {
            true => (20 * self.seen.get()).max(KNOWN).min(self.wait),
            false => self.wait,
        };
        let mut first = true;
        loop {
            let now = self.observe(client).await?;
            if now != *before {
                if !first {
                    self.seen.set(self.seen.get().max(start.elapsed()));
                }
                return self.settled(client).await;
            }
            if start.elapsed() > wait {
                return Ok(now);
            }
            first = false;
            sleep_until(Instant::now() + PAUSE).await;
        }
    }

    /// Gives a handler as much time as it needed before, several times over; what is seen then.
    ///
    /// # Errors
    /// Why nothing can be seen.
    pub(super) async fn settled(&self, client: &Client) -> Result<Observation, String> {
        sleep_until(Instant::now() + PAUSE + 3 * self.seen.get()).await;
        self.observe(client).await
    }
}

impl Observation {
    pub(super) fn size(&self) -> Size {
        let text = String::from_utf8_lossy(&self.0);
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                let mut size = Size { parts: 0, sum: 0.0 };
                measure(&value, &mut size);
                size
            }
            Err(_) => Size {
                parts: i64::try_from(text.lines().count()).unwrap_or(i64::MAX),
                sum: text
                    .split_whitespace()
                    .filter_map(|word| word.parse::<f64>().ok())
                    .sum(),
            },
        }
    }
}

impl Size {
    /// By how much this is more than another one: in parts if these differ, or else in numbers.
    pub(super) fn beyond(self, before: Self) -> f64 {
        match self.parts - before.parts {
            0 => self.sum - before.sum,
            #[expect(clippy::cast_precision_loss, reason = "nobody observes so many values")]
            parts => parts as f64,
        }
    }
}

fn measure(value: &Value, size: &mut Size) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| measure(item, size)),
        Value::Object(members) => members.values().for_each(|value| measure(value, size)),
        scalar => {
            size.parts += 1;
            size.sum += scalar.as_f64().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(before: &str, after: &str) -> f64 {
        let size = |text: &str| Observation(text.as_bytes().to_vec()).size();
        size(after).beyond(size(before))
    }

    #[test]
    fn effects_are_counted_in_values_lines_or_numbers() {
        let none = 0.0_f64.to_bits();
        assert_eq!(beyond("3", "4").to_bits(), 1.0_f64.to_bits());
        assert_eq!(
            beyond("orders: 3\n", "orders: 5\n").to_bits(),
            2.0_f64.to_bits()
        );
        assert_eq!(beyond("[1,2]", "[1,2,9,9]").to_bits(), 2.0_f64.to_bits());
        assert_eq!(beyond("a\nb\n", "a\nb\nc\n").to_bits(), 1.0_f64.to_bits());
        assert_eq!(beyond("{\"sum\":10}", "{\"sum\":10}").to_bits(), none);
    }
}

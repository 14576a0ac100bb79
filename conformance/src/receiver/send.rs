//! Sends deliveries, and tells a handler that breaks down from one that is being started again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::run::Run;
use crate::exchange::{Exchange, Request, USER_AGENT};
use crate::finding::{Failure, ReceiverFault};
use crate::hooks::Message;
use crate::rule::receiver as rules;

/// How long a handler that ended may take until it is there again: as long as a supervisor needs for that.
const RESTART: Duration = Duration::from_secs(10);

/// How often it is looked for meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

impl Run<'_> {
    /// Sends a message; none where the run is over, or the message cannot be written as HTTP. What is sent while the handler is being
    /// started again is sent once more, and so is what broke because of another delivery: neither breaks the handler.
    pub(super) async fn send(&self, message: &Message) -> Option<Exchange> {
        if self.is_over() {
            return None;
        }
        let mut message = message.clone();
        for (name, value) in &self.options.headers {
            message.set_header(name, value.clone());
        }
        if message.header("user-agent").next().is_none() {
            message.set_header("user-agent", USER_AGENT);
        }
        let request = Request {
            method: message.method,
            url: message.url,
            headers: message.headers,
            body: Some(message.body),
        };
        let mut crowd = self.under_way.get() > 0;
        self.under_way.set(self.under_way.get() + 1);
        let sent = self.client.send(request.clone()).await;
        self.under_way.set(self.under_way.get() - 1);
        crowd |= self.under_way.get() > 0;
        let mut exchange = sent.ok()?;
        let again = match &exchange.failure {
            Some(Failure::Connect { .. }) => true,
            // A handler that is ending accepts connections until it has ended.
            Some(Failure::Broken { .. }) => crowd || self.broke_before(),
            _ => false,
        };
        if again {
            if !self.is_back().await {
                self.gone();
                return None;
            }
            exchange = self.client.send(request).await.ok()?;
        }
        self.requests.set(self.requests.get() + 1);
        self.options.count.fetch_add(1, Ordering::Relaxed);
        if exchange.response.is_some() {
            self.answered.set(self.answered.get() + 1);
        }
        *self.last.borrow_mut() = Some(exchange.clone());
        Some(exchange)
    }

    /// Whether the delivery before got no response either.
    fn broke_before(&self) -> bool {
        let last = self.last.borrow();
        last.as_ref()
            .is_some_and(|last| matches!(last.failure, Some(Failure::Broken { .. })))
    }

    /// Whether nothing more is to be sent.
    pub(super) fn is_over(&self) -> bool {
        self.options.stop.is_stopped() || self.is_down.get()
    }

    /// Waits until something answers at the target again.
    async fn is_back(&self) -> bool {
        let end = Instant::now() + RESTART;
        while !self.is_over() {
            if self.client.reach(&self.options.target).await.is_ok() {
                return true;
            }
            if Instant::now() >= end {
                break;
            }
            sleep_until(Instant::now() + PAUSE).await;
        }
        false
    }

    /// Says that the handler ended, once.
    fn gone(&self) {
        if self.is_over() {
            return;
        }
        self.is_down.set(true);
        let last = self.last.borrow().clone();
        let fault = ReceiverFault::Down {
            seconds: RESTART.as_secs(),
        };
        self.found_apart(rules::HANDLER_SURVIVES, fault, last.as_ref());
    }
}

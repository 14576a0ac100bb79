//! The only outbound socket: one POST to a receiver, and what came of it.
//!
//! The worker calls [`Sender::send`]. A connection is kept for the next request. The host is resolved once for each connection, every
//! address is vetted, and only a vetted one is dialled, so that a name that changes its mind between check and use gains nothing.
//! One deadline holds for name, TCP, TLS, head and body together.
//!
//! A failure is an [`Outcome`](crate::domain::Outcome). Only what this machine lacks is an error, and says nothing about the
//! receiver.
//!
//! Never: follows a redirect, inflates a body, reads more of it than the cap, sends a request a second time after the receiver may have
//! processed it, takes credentials from a URL, or a proxy from the environment.
//!
//! Not bounded here: how many connections are in use at once (the worker's concurrency does that), how many names are being looked up
//! (the operating system's resolver cannot be interrupted, so a look-up may outlive its attempt).

mod answer;
mod client;
mod connect;
mod connection;
mod destination;
mod lack;
mod pool;
mod proxy;
mod resolve;
mod roots;
mod route;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use self::client::{Sender, SenderSettings, Sent};
#[cfg(test)]
pub(crate) use self::resolve::{Resolve, SystemResolver};
pub use self::roots::RootsError;
pub(crate) use self::roots::trusted_roots;

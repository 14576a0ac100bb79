//! `truehook health`: whether a server is ready. For the health check of a container, whose image has no other program to ask with.

use clap::Args;
use reqwest::{Method, StatusCode};

use super::client::{Call, CallError, Client, ServerUrl};
use super::terminal::print;

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook health
  truehook health --server http://127.0.0.1:8081

Asks for /health/ready. Exit codes: 0 ready, 1 not ready or no server.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The server
    #[arg(
        long,
        env = "TRUEHOOK_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: ServerUrl,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = Client::new(arguments.server.clone())?;
    match runtime.block_on(client.send(Call::new(Method::GET, "/health/ready"))) {
        Err(CallError::Refused(refusal)) if refusal.status == StatusCode::SERVICE_UNAVAILABLE => {
            anyhow::bail!("the server is not ready: its log says why")
        }
        answered => answered?,
    };
    print("ready\n")
}

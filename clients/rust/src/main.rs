//! Runs every step against the server that the environment names; use `clients/run`.

mod conduit_steps;
mod equals_money_steps;
mod example;
mod handler;
mod operator_steps;
mod serve;
mod step;
mod verify;

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use crate::step::{Outcome, check, step};
use crate::verify::{SignatureError, verify_conduit, verify_equals_money};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Vectors {
    conduit: Vec<Vector>,
    equals_money: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    name: String,
    secret: String,
    signature: Option<String>,
    timestamp: Option<String>,
    body: String,
    #[serde(default)]
    now: u64,
    expect: String,
}

#[tokio::main]
async fn main() -> Outcome {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve::serve().await;
    }
    let (server, limited) = (std::env::var("SERVER")?, std::env::var("LIMITED_SERVER")?);
    step("verify: every test vector", check_vectors(&std::env::var("VECTORS")?))?;
    conduit_steps::take(&server).await?;
    equals_money_steps::take(&server, &limited).await?;
    operator_steps::take(&server).await
}

fn check_vectors(path: &str) -> Outcome {
    let vectors: Vectors = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    for one in &vectors.conduit {
        let (signature, timestamp) = (one.signature.as_deref(), one.timestamp.as_deref());
        let now = UNIX_EPOCH + Duration::from_secs(one.now);
        compare(one, verify_conduit(&one.secret, signature, timestamp, one.body.as_bytes(), now))?;
    }
    for one in &vectors.equals_money {
        compare(one, verify_equals_money(&one.secret, one.signature.as_deref(), one.body.as_bytes()))?;
    }
    Ok(())
}

/// Compares how a verification ended with the word of its vector.
fn compare(one: &Vector, outcome: Result<(), SignatureError>) -> Outcome {
    let word = match outcome {
        Ok(()) => "valid",
        Err(SignatureError::Malformed) => "malformed",
        Err(SignatureError::Stale) => "stale",
        Err(SignatureError::Mismatch) => "mismatch",
    };
    check(word == one.expect, (&one.name, word))
}

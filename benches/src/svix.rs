//! The HTTP API of Svix, as far as a load needs it: an application, its endpoints, its messages.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::message;
use crate::server::JSON;

/// An application of Svix, and the right to publish for it.
#[derive(Debug)]
pub(crate) struct Application {
    id: String,
    headers: String,
}

impl Application {
    /// Creates one, with an endpoint for each URL. Its endpoints have no filter: they get every message.
    ///
    /// # Errors
    /// When the server refuses it.
    pub(crate) async fn create(
        server: SocketAddr,
        token: &str,
        urls: impl IntoIterator<Item = String>,
    ) -> anyhow::Result<Self> {
        let headers = format!("authorization: Bearer {token}\r\n{JSON}");
        let mut connection = Connection::open(server).await?;
        let body = json!({"name": "bench"});
        let made = post(&mut connection, "/api/v1/app/", &headers, &body).await?;
        let id = made["id"].as_str().context("an application has no id")?;
        for url in urls {
            let path = format!("/api/v1/app/{id}/endpoint/");
            let body = json!({"url": url, "version": 1});
            post(&mut connection, &path, &headers, &body).await?;
        }
        Ok(Self {
            id: id.to_owned(),
            headers,
        })
    }

    /// The request that publishes an event with this data, as a message. Its answer does not repeat the data, nor does that of our server.
    pub(crate) fn publication(&self, data: &str) -> Vec<u8> {
        let path = format!("/api/v1/app/{}/msg/?with_content=false", self.id);
        let body = format!(r#"{{"eventType":"BoxCredited","payload":{data}}}"#);
        message::request("POST", &path, &self.headers, &body)
    }
}

/// Creates something, and returns the answer.
async fn post(
    connection: &mut Connection,
    path: &str,
    headers: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let request = message::request("POST", path, headers, &body.to_string());
    let answer = connection.exchange(&request).await?;
    if answer.status != 201 {
        bail!(
            "POST {path} was answered {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
    }
    serde_json::from_slice(answer.body).with_context(|| format!("POST {path}: not JSON"))
}

#[cfg(test)]
mod tests;

//! Fetching a document over HTTP, with a deadline and a size limit.

use std::time::{Duration, Instant};

use crate::document::{self, Document, Gathering, LoadError, SIZE_LIMIT, is_url};

/// How long fetching one file may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long fetching a document with all its files may take; a file that was begun is still read.
const ALL: Duration = Duration::from_secs(120);

/// Loads the document at `source`, a file or an `http` or `https` URL, with the files that it refers to.
///
/// # Errors
/// When the document cannot be fetched or read, or is refused by [`Document::parse`].
pub async fn load(source: &str) -> Result<Document, LoadError> {
    let bytes = bytes(source).await?;
    load_bytes(source, bytes).await
}

/// Loads a document from bytes that were read already, with the files that it refers to; these are relative to `source`.
///
/// # Errors
/// As for [`load`].
pub async fn load_bytes(source: &str, first: Vec<u8>) -> Result<Document, LoadError> {
    let start = Instant::now();
    let mut gathering = Gathering::new("", source, first)?;
    while let Some(path) = gathering.wanted()? {
        let found = if start.elapsed() > ALL {
            Err(format!("the files take longer than {} s", ALL.as_secs()))
        } else {
            document::unread(bytes(&path).await)?
        };
        gathering.give(found)?;
    }
    gathering.finish()
}

async fn bytes(source: &str) -> Result<Vec<u8>, LoadError> {
    if is_url(source) {
        fetch(source).await
    } else {
        document::read(source)
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, LoadError> {
    let failed = |source: reqwest::Error| {
        // reqwest names the URL in its own message; ours stands in front of it already.
        let source = source.without_url();
        LoadError::Fetch {
            name: url.to_owned(),
            problem: root_cause(&source),
            source: Some(source.into()),
        }
    };
    // The process-wide provider may have been installed before; either way there is one now.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(DEADLINE)
        .connect_timeout(PATIENCE)
        .read_timeout(PATIENCE)
        .build()
        .map_err(failed)?;
    let mut response = client.get(url).send().await.map_err(failed)?;
    if !response.status().is_success() {
        let problem = format!("the server answered {}", response.status());
        return Err(LoadError::Fetch {
            name: url.to_owned(),
            problem,
            source: None,
        });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > SIZE_LIMIT {
            return Err(LoadError::TooLarge {
                name: url.to_owned(),
                limit: SIZE_LIMIT,
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The innermost message of a chain: "Connection refused" says more than "error sending request".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

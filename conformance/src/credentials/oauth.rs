//! OAuth 2.0 client credentials: where tokens are given out, and asking for one.

use serde_json::Value;
use url::Url;

use super::given::ClientCredentials;
use super::scheme::TokenPlace;
use super::token::Fetched;
use crate::exchange::{self, Client, Exchange, Request, Secrets, USER_AGENT};
use crate::finding::Failure;

/// How much of an error of the server is quoted, in characters.
const QUOTED: usize = 200;

/// Where tokens are given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token(String),
    /// A description of OIDC, which has the token URL.
    Discovery(String),
}

impl Endpoint {
    /// The endpoint that the user names, else that of the document.
    pub(super) fn of(
        client: &ClientCredentials,
        place: Option<&TokenPlace>,
        base: &str,
    ) -> Result<Self, String> {
        let absolute = |url: &str| {
            let joined = Url::parse(&format!("{base}/")).and_then(|base| base.join(url));
            let url = joined.map_err(|error| format!("the token URL `{url}`: {error}"))?;
            match url.scheme() {
                "http" | "https" => Ok(url.to_string()),
                _ => Err(format!("the token URL `{url}` is neither http nor https")),
            }
        };
        match (&client.token_url, place) {
            (Some(url), _) => absolute(url).map(Self::Token),
            (None, Some(TokenPlace::Url(url))) => absolute(url).map(Self::Token),
            (None, Some(TokenPlace::Discovery(url))) => absolute(url).map(Self::Discovery),
            (None, Some(TokenPlace::None) | None) => Err(
                "the document has no token URL for client credentials; give it with --token-url"
                    .to_owned(),
            ),
        }
    }
}

/// Asks for a token.
///
/// # Errors
/// When there is no answer, or none with a token. The message repeats no secret.
pub(super) async fn fetch(
    credentials: &ClientCredentials,
    endpoint: &Endpoint,
    scopes: &[String],
    client: &Client,
    secrets: &Secrets,
) -> Result<Fetched, String> {
    let url = match endpoint {
        Endpoint::Token(url) => url.clone(),
        Endpoint::Discovery(url) => discover(url, client).await?,
    };
    let mut form = vec![("grant_type", "client_credentials".to_owned())];
    if !scopes.is_empty() {
        form.push(("scope", scopes.join(" ")));
    }
    if let Some(audience) = &credentials.audience {
        form.push(("audience", audience.clone()));
    }
    // RFC 6749 section 2.3.1: servers must take the secret as basic authentication, some take it in the body only.
    let basic = exchange::basic(&encoded(&credentials.id), &encoded(&credentials.secret));
    secrets.remember(&basic);
    let first = ask(&url, Some(&basic), &form, client).await?;
    let refused = |exchange: &Exchange| {
        let response = exchange.response.as_ref();
        response.is_some_and(|response| matches!(response.status, 400 | 401))
    };
    let exchange = if refused(&first) {
        form.push(("client_id", credentials.id.clone()));
        form.push(("client_secret", credentials.secret.clone()));
        let second = ask(&url, None, &form, client).await?;
        // The first refusal says more about a wrong scope.
        if refused(&second) { first } else { second }
    } else {
        first
    };
    read(&url, &exchange, secrets)
}

async fn discover(url: &str, client: &Client) -> Result<String, String> {
    let request = Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: headers(),
        body: None,
    };
    let exchange = send(request, client).await?;
    let response = exchange.response.as_ref();
    let description: Option<Value> = response
        .filter(|response| response.status == 200)
        .and_then(|response| serde_json::from_slice(&response.body).ok());
    let endpoint = description
        .as_ref()
        .and_then(|one| one.get("token_endpoint")?.as_str());
    endpoint.map(str::to_owned).ok_or_else(|| {
        format!("{url} does not answer with a description of OpenID Connect that has `token_endpoint`; give --token-url")
    })
}

async fn ask(
    url: &str,
    basic: Option<&str>,
    form: &[(&str, String)],
    client: &Client,
) -> Result<Exchange, String> {
    let body: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let mut headers = headers();
    headers.push((
        "Content-Type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    ));
    if let Some(basic) = basic {
        headers.push(("Authorization".to_owned(), basic.to_owned()));
    }
    let request = Request {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers,
        body: Some(body.join("&").into_bytes()),
    };
    send(request, client).await
}

fn headers() -> Vec<(String, String)> {
    vec![
        ("User-Agent".to_owned(), USER_AGENT.to_owned()),
        ("Accept".to_owned(), "application/json".to_owned()),
    ]
}

async fn send(request: Request, client: &Client) -> Result<Exchange, String> {
    let url = request.url.clone();
    let exchange = client
        .send(request)
        .await
        .map_err(|problem| problem.to_string())?;
    match &exchange.failure {
        Some(failure) => Err(format!("{url} does not answer: {}", cause(failure))),
        None => Ok(exchange),
    }
}

fn cause(failure: &Failure) -> String {
    match failure {
        Failure::Connect { cause } | Failure::Broken { cause } => cause.clone(),
        Failure::Timeout { seconds } => format!("nothing in {seconds} s"),
        Failure::TooLarge { limit } => format!("more than {limit} bytes"),
        Failure::Interrupted => "the run was stopped".to_owned(),
    }
}

fn read(url: &str, exchange: &Exchange, secrets: &Secrets) -> Result<Fetched, String> {
    let Some(response) = &exchange.response else {
        return Err(format!("{url} does not answer"));
    };
    let value: Option<Value> = serde_json::from_slice(&response.body).ok();
    if response.status == 200
        && let Some(token) = value.as_ref().and_then(Fetched::of_json)
    {
        return Ok(token);
    }
    let text = |member: &str| value.as_ref()?.get(member)?.as_str();
    let mut problem = format!("{url} answered {}", response.status);
    if response.status == 200 {
        problem += " without `access_token`";
    }
    for part in [text("error"), text("error_description")]
        .into_iter()
        .flatten()
    {
        let quoted: String = secrets.hide(part).chars().take(QUOTED).collect();
        problem += &format!(": {quoted}");
    }
    if text("error") == Some("invalid_scope") {
        problem += "; name the scopes to ask for with --scope";
    }
    Err(problem)
}

/// A value of `application/x-www-form-urlencoded`.
fn encoded(text: &str) -> String {
    crate::case::serialize::encode(text)
}

//! Access to pages and forms: a session behind a strict cookie, and for forms the session's token and the same origin.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use maud::html;

use super::form::Form;
use super::layout::{self, Page, Root};
use super::redirect;
use super::session::{Session, Sessions};
use crate::causes::with_causes;
use crate::operator::{State, authenticate};
use crate::storage::StoreError;

const COOKIE: &str = "truehook_operator";

/// The header by which the script of a page says that it refreshes the page by itself.
const REFRESH: &str = "x-truehook-refresh";

/// Why no page is shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// Nobody is signed in; after signing in the browser goes on to this path, where that is a page.
    #[error("not signed in")]
    SignIn(Option<String>),
    /// A form that this session did not get, or that another site sends.
    #[error("foreign form")]
    Foreign,
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A retry of a delivery that is being attempted.
    #[error("attempt under way")]
    AttemptUnderWay,
    /// A method that the page does not have; those that it has.
    #[error("method not allowed")]
    Method(&'static str),
    /// A form whose payload is over this limit, in bytes.
    #[error("form too large")]
    TooLarge(usize),
    #[error("form cut off")]
    CutOff,
    #[error("internal error")]
    Internal(#[from] StoreError),
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn(_) => StatusCode::SEE_OTHER,
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::AttemptUnderWay => StatusCode::CONFLICT,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CutOff => StatusCode::BAD_REQUEST,
            Self::Internal(error) if error.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Makes errors pages, whose links depend on where they are shown.
pub(super) async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answer = next.call(request).await?;
    let error = answer.response().error();
    let page = error
        .and_then(|error| error.as_error::<PageError>())
        .map(|error| error.page(&Root::of(answer.request())));
    Ok(match page {
        Some(page) => answer.into_response(page),
        None => answer.map_into_boxed_body(),
    })
}

impl PageError {
    fn page(&self, root: &Root) -> HttpResponse {
        let (title, text) = match self {
            Self::SignIn(next) => {
                let query = next.as_deref().map(|next| {
                    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
                    format!("?next={next}")
                });
                return redirect(&format!("{root}sign-in{}", query.unwrap_or_default()));
            }
            Self::Foreign => (
                "This form is not valid any more",
                "It was made for another session, or another site sent it. Nothing was changed. Go back, load the page again, and send \
                 the form once more."
                    .to_owned(),
            ),
            Self::NotFound(what @ ("delivery" | "replay")) => (
                "Not found",
                format!("There is no such {what}, or it was deleted because of its age."),
            ),
            Self::NotFound(what) => (
                "Not found",
                format!("There is no such {what}. Start again from the links above."),
            ),
            Self::AttemptUnderWay => (
                "An attempt is under way",
                "This delivery is being attempted, so nothing was changed. Go back and wait for the result; then it can be retried."
                    .to_owned(),
            ),
            Self::Method(_) => (
                "Not allowed",
                "This page does not take such requests.".to_owned(),
            ),
            Self::TooLarge(limit) => (
                "The form is too large",
                format!("A request body has at most {limit} bytes, as --max-body-bytes sets it. Nothing was changed."),
            ),
            Self::CutOff => (
                "The form did not arrive",
                "The connection ended before the whole form was sent. Nothing was changed. Send it again.".to_owned(),
            ),
            Self::Internal(error) => {
                tracing::error!(error = with_causes(error), "page failed");
                if error.is_temporary() {
                    (
                        "The database cannot be used",
                        "The database cannot be used at this moment; the server's log says why. Nothing was changed. Try again later.".to_owned(),
                    )
                } else {
                    (
                        "The server failed",
                        "The server could not handle the request; its log says why.".to_owned(),
                    )
                }
            }
        };
        let page = Page::error(
            root,
            title,
            html! { p { (text) } p { a href=(root.to("")) { "To the overview" } } },
        );
        let status = self.status_code();
        let mut answer = layout::answer(status, page);
        match self {
            Self::Internal(error) => {
                if let Some(seconds) = error.retry_after() {
                    let headers = answer.headers_mut();
                    headers.insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
                }
            }
            Self::Method(allow) => {
                let allow = header::HeaderValue::from_static(allow);
                answer.headers_mut().insert(header::ALLOW, allow);
            }
            _ => {}
        }
        answer
    }
}

/// A browser whose key is right.
pub(super) struct SignedIn {
    pub(super) session: Session,
    /// The id of the key, which idempotency keys belong to.
    pub(super) key_id: String,
}

impl FromRequest for SignedIn {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { signed_in(&request).await })
    }
}

async fn signed_in(request: &HttpRequest) -> Result<SignedIn, PageError> {
    let (state, sessions) = data(request);
    let is_page = request.method().is_safe();
    let missing = || {
        let path = request.uri().path_and_query();
        let path = path
            .filter(|_| is_page)
            .map(|path| path.as_str().to_owned());
        PageError::SignIn(path)
    };
    let token = token(request).ok_or_else(missing)?;
    // A page that refreshes itself does not keep its session: nobody may be there any more.
    let found = if request.headers().contains_key(REFRESH) {
        sessions.peek(&token, Instant::now())
    } else {
        sessions.find(&token, Instant::now())
    };
    let session = found.ok_or_else(missing)?;
    let found = authenticate(&state, session.key.expose().as_bytes()).await?;
    let Some(key_id) = found else {
        sessions.end(&token);
        return Err(missing());
    };
    Ok(SignedIn { session, key_id })
}

/// Returns the data of the scope.
pub(super) fn data(request: &HttpRequest) -> (web::Data<State>, web::Data<Sessions>) {
    let state = request.app_data::<web::Data<State>>().cloned();
    let sessions = request.app_data::<web::Data<Sessions>>().cloned();
    (
        state.expect("the server gives the pages their state"),
        sessions.expect("the server gives the pages their sessions"),
    )
}

/// The token in the request's cookie.
pub(super) fn token(request: &HttpRequest) -> Option<String> {
    let cookies = request.headers().get_all(header::COOKIE);
    let mut cookies = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    cookies.find_map(|cookie| {
        let (name, value) = cookie.split_once('=')?;
        (name.trim() == COOKIE).then(|| value.trim().to_owned())
    })
}

/// The cookie that names a session, or that deletes it. Out of reach of scripts and of other sites; of plain HTTP too, where a proxy says
/// that the browser speaks HTTPS. Without a path it holds for the folder of the page that sets it, which is that of all pages.
pub(super) fn cookie(request: &HttpRequest, token: Option<&str>) -> String {
    let secure = request
        .headers()
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
    format!(
        "{COOKIE}={}; HttpOnly; SameSite=Strict{}{}",
        token.unwrap_or_default(),
        if secure { "; Secure" } else { "" },
        if token.is_none() { "; Max-Age=0" } else { "" },
    )
}

/// Takes a form that this session was given. The cookie alone is not enough: browsers differ in how strict they are with it.
pub(super) fn accept(
    request: &HttpRequest,
    signed_in: &SignedIn,
    body: &[u8],
) -> Result<Form, PageError> {
    let form = from_here(request, body)?;
    if signed_in.session.made(form.text("form-token")) {
        Ok(form)
    } else {
        Err(PageError::Foreign)
    }
}

/// Takes a form that one of our pages sent: browsers tell where a form comes from, and a page cannot make them lie.
pub(super) fn from_here(request: &HttpRequest, body: &[u8]) -> Result<Form, PageError> {
    let text = |name: header::HeaderName| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or_default())
    };
    let same = match (
        text(header::HeaderName::from_static("sec-fetch-site")),
        text(header::ORIGIN),
    ) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = text(header::HOST).unwrap_or_default();
            origin
                .split_once("://")
                .is_some_and(|(_, origin)| origin == host)
        }
        // No browser sends a form without either.
        (None, None) => true,
    };
    if same {
        Ok(Form::read(body))
    } else {
        Err(PageError::Foreign)
    }
}

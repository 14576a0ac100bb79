//! Signing in with a key of the operator API, and out again.

use std::time::Instant;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use maud::{Markup, html};

use super::form::{Body, Form};
use super::guard::{PageError, SignedIn, accept, cookie, data, from_here, token};
use super::layout::{Page, Root, answer};
use super::redirect;
use crate::domain::Secret;
use crate::operator::{SANDBOX_KEY, State, authenticate};

pub(super) async fn form(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let query = Form::read(request.query_string().as_bytes());
    let page = page(&Root::of(&request), &state, query.text("next"), false);
    answer(StatusCode::OK, page)
}

pub(super) async fn sign_in(request: HttpRequest, body: Body) -> Result<HttpResponse, PageError> {
    let (state, sessions) = data(&request);
    let form = from_here(&request, &body)?;
    let root = Root::of(&request);
    let key = Secret::new(form.text("key"));
    if authenticate(&state, key.expose().as_bytes())
        .await?
        .is_none()
    {
        let page = page(&root, &state, form.text("next"), true);
        return Ok(answer(StatusCode::UNAUTHORIZED, page));
    }
    let token = sessions.begin(key, Instant::now());
    let mut answer = redirect(&root.to(below(form.text("next"))));
    set_cookie(&mut answer, &cookie(&request, Some(&token)));
    Ok(answer)
}

pub(super) async fn sign_out(
    request: HttpRequest,
    signed_in: SignedIn,
    body: Body,
) -> Result<HttpResponse, PageError> {
    let _ = accept(&request, &signed_in, &body)?;
    let (_, sessions) = data(&request);
    if let Some(token) = token(&request) {
        sessions.end(&token);
    }
    let mut answer = redirect(&Root::of(&request).to("sign-in"));
    set_cookie(&mut answer, &cookie(&request, None));
    Ok(answer)
}

fn set_cookie(answer: &mut HttpResponse, cookie: &str) {
    let value = header::HeaderValue::from_str(cookie).expect("tokens are in base64url");
    answer.headers_mut().insert(header::SET_COOKIE, value);
}

/// The path below the folder of the pages that a path leads to; the overview where it leads anywhere else.
fn below(next: &str) -> &str {
    let path = next.split_once("/operator/").map_or("", |(_, path)| path);
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if path.bytes().all(plain) { path } else { "" }
}

fn page(root: &Root, state: &State, next: &str, wrong: bool) -> Markup {
    let content = html! {
        form.card.sign-in method="post" action=(root.to("sign-in")) {
            input type="hidden" name="next" value=(next);
            label { span { "Key of the operator API" }
                input type="password" name="key" required autofocus autocomplete="current-password" spellcheck="false";
            }
            @if wrong { p.fault role="alert" { "This key is unknown or was revoked." } }
            button { "Sign in" }
            @if state.context.sandbox {
                p.faint { "This is a sandbox: its key is " code { (SANDBOX_KEY) } "." }
            } @else {
                p.faint { "Create a key with " code { "truehook keys create --provider operator" } "." }
            }
        }
    };
    Page::error(root, "Sign in", content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_nowhere_but_to_a_page() {
        assert_eq!(
            below("/operator/deliveries?state=pending"),
            "deliveries?state=pending"
        );
        assert_eq!(below("/hooks/operator/webhooks"), "webhooks");
        for elsewhere in [
            "",
            "https://example.com/",
            "//example.com",
            "/docs/",
            "/operator/a\r\nb",
            "/operator/\\\\example.com",
        ] {
            assert_eq!(below(elsewhere), "", "{elsewhere}");
        }
    }
}

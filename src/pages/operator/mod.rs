//! The operator's page below `/operator/`: what is going on, why deliveries failed, and what to do about it.
//!
//! Rendered here, over the same store and worker as the operator API, for who signed in with a key of that API. One small script keeps
//! pages up to date and copies texts; everything works without it. Delivered payloads and responses are hostile: `maud` escapes every
//! value, and the policy lets no page run or load anything but the two files of this server.

mod deliveries;
mod delivery;
mod events;
mod form;
mod guard;
mod layout;
mod list;
mod overview;
mod publish;
mod replays;
mod session;
mod sign_in;
mod webhooks;
mod words;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, web};

use self::guard::PageError;
pub(crate) use self::session::Sessions;
use crate::operator::State;

/// The pages.
pub(crate) fn pages(
    state: web::Data<State>,
    sessions: web::Data<Sessions>,
) -> impl HttpServiceFactory {
    web::scope("/operator")
        .app_data(state)
        .app_data(sessions)
        .wrap(from_fn(guard::answer))
        .service(web::resource("").to(async || redirect("operator/")))
        .service(shown("/", overview::overview))
        .service(form("/sign-in", sign_in::form, sign_in::sign_in))
        .service(page("/sign-out", "POST").route(web::post().to(sign_in::sign_out)))
        .service(shown("/deliveries", deliveries::list))
        .service(shown("/deliveries/{id}", delivery::show))
        .service(page("/deliveries/{id}/retry", "POST").route(web::post().to(delivery::retry)))
        .service(shown("/events", events::list))
        .service(shown("/webhooks", webhooks::list))
        .service(form("/replays", replays::form, replays::start))
        .service(shown("/replays/{id}", replays::show))
        .service(form("/publish", publish::form, publish::publish))
        .default_service(web::to(async || {
            Err::<HttpResponse, _>(PageError::NotFound("page"))
        }))
}

/// A page that can be looked at.
fn shown<H, Args>(path: &'static str, show: H) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    page(path, "GET").route(web::get().to(show))
}

/// A page with a form that is sent to its own path.
fn form<H, Args, S, Sent>(path: &'static str, show: H, send: S) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
    S: Handler<Sent>,
    Sent: FromRequest + 'static,
    S::Output: Responder + 'static,
{
    page(path, "GET, POST")
        .route(web::get().to(show))
        .route(web::post().to(send))
}

/// A path that refuses every method but those that it has.
fn page(path: &'static str, methods: &'static str) -> Resource {
    let refuse = move || async move { Err::<HttpResponse, _>(PageError::Method(methods)) };
    web::resource(path).default_service(web::to(refuse))
}

/// Leads the browser on with a `GET`.
fn redirect(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

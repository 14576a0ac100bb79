//! The routes of a port: the APIs under their base paths, documents, Swagger UI, probes.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpRequest, web};

use super::probes::{Measured, live, metrics_text, not_found, ready};
use crate::domain::ProviderName;
use crate::http::{Entrance, trace};
use crate::operator;
use crate::pages::{Documents, Landing, Sessions, assets, operator_pages, readable};
use crate::provider::Routes;
use crate::storage::Store;
use crate::worker::Worker;

/// How much of it answers on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything.
    All,
    /// The providers' APIs and the probes: what customers and machines need.
    Providers,
    /// The probes and the metrics.
    Probes,
}

/// The state that handlers share, and the routes that depend on settings.
#[derive(Clone)]
pub(super) struct Site {
    /// The routes of each provider with the path that they are below.
    pub(super) providers: Arc<[(String, Routes)]>,
    pub(super) names: Arc<[ProviderName]>,
    pub(super) operator: web::Data<operator::State>,
    /// The sessions of the operator's page.
    pub(super) sessions: web::Data<Sessions>,
    pub(super) store: web::Data<dyn Store>,
    pub(super) worker: web::Data<Worker>,
    pub(super) measured: web::Data<Measured>,
    pub(super) documents: Arc<Documents>,
    pub(super) landing: Arc<Landing>,
    pub(super) entrance: Entrance,
}

impl Site {
    /// Builds the application of the port at `local`.
    pub(super) fn app(
        &self,
        part: Part,
        local: SocketAddr,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<>>,
            Error = actix_web::Error,
            InitError = (),
        > + use<>,
    > {
        let names = self.names.clone();
        let entrance = self.entrance.clone();
        let enter = move |request: ServiceRequest, next: Next<_>| {
            let entrance = entrance.clone();
            async move { entrance.pass(request, next).await }
        };
        App::new()
            .wrap(from_fn(enter))
            .wrap(from_fn(trace))
            .app_data(self.store.clone())
            .app_data(self.worker.clone())
            .app_data(self.measured.clone())
            .configure(|config| {
                if part != Part::Probes {
                    self.providers(config);
                }
                Self::probes(config);
                match part {
                    Part::All => self.operator(config, local),
                    Part::Probes => Self::metrics(config),
                    Part::Providers => {}
                }
            })
            .default_service(web::to(move |request| {
                not_found(part, names.clone(), request)
            }))
    }

    fn providers(&self, config: &mut web::ServiceConfig) {
        for (path, routes) in &*self.providers {
            config.service(web::scope(path).configure(|config| routes(config)));
        }
    }

    fn probes(config: &mut web::ServiceConfig) {
        config
            .service(readable("/health/live", live))
            .service(readable("/health/ready", ready));
    }

    fn operator(&self, config: &mut web::ServiceConfig, local: SocketAddr) {
        let landing = self.landing.clone();
        let first_page = move |request: HttpRequest| {
            let landing = landing.clone();
            async move { landing.answer(local, &request) }
        };
        config
            .service(
                web::scope("/operator/v1")
                    .app_data(self.operator.clone())
                    .configure(operator::routes),
            )
            .service(operator_pages(self.operator.clone(), self.sessions.clone()))
            .configure(assets)
            .configure(|config| self.documents.clone().routes(config))
            .service(readable("/", first_page));
        Self::metrics(config);
    }

    fn metrics(config: &mut web::ServiceConfig) {
        config.service(readable("/metrics", metrics_text));
    }
}

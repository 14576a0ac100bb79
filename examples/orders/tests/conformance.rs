//! Holds the application to its document.

use std::net::TcpListener;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use conformance::credentials::Given;
use conformance::document::Document;
use conformance::live::{Check, Checked};
use orders_example::{Orders, routes};

const TOKEN: &str = "a-token-of-the-test";

async fn check(token: &str) -> Checked {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let orders = Data::new(Orders::new(TOKEN));
    let server = HttpServer::new(move || App::new().app_data(orders.clone()).configure(routes))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("listens")
        .run();
    actix_web::rt::spawn(server);
    let document = Document::load(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml"));
    let checked = Check::new(document.expect("the document is right"), &url)
        .credential(Given::bearer(token))
        .run()
        .await;
    checked.expect("the server answers")
}

#[actix_web::test]
async fn the_application_conforms_to_its_document() {
    check(TOKEN).await.assert_conforms();
}

#[actix_web::test]
async fn nothing_passes_with_a_wrong_token() {
    let checked = check("another-token").await;
    assert!(!checked.conforms());
    assert!(checked.report().contains("401"), "{}", checked.report());
    assert!(
        !checked.report().contains("another-token"),
        "{}",
        checked.report()
    );
}

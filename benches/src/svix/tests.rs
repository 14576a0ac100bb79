use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::load::{Audience, Load, publish};
use crate::receiver::Receiver;
use crate::stand_in::{Refusal, StandIn};

const EVENTS: u64 = 20;

fn load(server: SocketAddr, application: Application) -> Load {
    Load {
        server,
        clients: 4,
        events: EVENTS,
        time: Duration::from_secs(600),
        rate: None,
        audience: Audience::Application(Arc::new(application)),
    }
}

#[tokio::test]
async fn an_application_gets_its_endpoints_and_then_messages_for_all_of_them() {
    let receiver = Receiver::start().await.unwrap();
    let svix = StandIn::start("right", None).await;
    let urls = (0..3).map(|webhook| receiver.url(webhook));
    let application = Application::create(svix.address, "right", urls)
        .await
        .unwrap();
    let ledger = receiver.expect(EVENTS, 3);
    let published = publish(load(svix.address, application)).await.unwrap();
    assert_eq!(published.count, EVENTS);
    assert_eq!(receiver.wait(&ledger, 3 * EVENTS).await, 0);
    assert_eq!((ledger.arrived(), ledger.repeated()), (3 * EVENTS, 0));

    let application = "/api/v1/app/app_000000000000000000000000000";
    let endpoint = format!("POST {application}/endpoint/");
    let message = format!("POST {application}/msg/?with_content=false");
    let mut expected = vec!["POST /api/v1/app/".to_owned()];
    expected.extend(vec![endpoint; 3]);
    expected.extend(vec![message; 20]);
    assert_eq!(svix.requests(), expected);
}

#[tokio::test]
async fn an_answer_that_is_not_success_is_an_error_that_says_it() {
    let limited = r#"{"code":"rate_limited","detail":"Too many requests"}"#;
    for (path_end, status, body) in [
        ("/app/", 503, ""),
        ("/endpoint/", 500, "{}"),
        ("/msg/", 429, limited),
    ] {
        let refusal = Refusal {
            path_end,
            status,
            body,
        };
        let svix = StandIn::start("right", Some(refusal)).await;
        let receiver = Receiver::start().await.unwrap();
        let created = Application::create(svix.address, "right", [receiver.url(0)]).await;
        let error = match created {
            Ok(application) => publish(load(svix.address, application))
                .await
                .map(|published| published.count)
                .unwrap_err(),
            Err(error) => error,
        };
        let text = error.to_string();
        assert!(
            text.contains(&format!("answered {status}: {body}")),
            "{text}"
        );
        assert!(svix.requests().last().unwrap().contains(path_end), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_an_error_that_says_it() {
    let svix = StandIn::start("right", None).await;
    let created = Application::create(svix.address, "wrong", []).await;
    let text = created.unwrap_err().to_string();
    assert_eq!(
        text,
        r#"POST /api/v1/app/ was answered 401: {"code":"authentication_failed","detail":"Invalid token"}"#
    );
}

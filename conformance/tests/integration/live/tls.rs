//! TLS: each way in which it fails has a cause of one line and a way out, and each way out works.

use rcgen::date_time_ymd;

use super::server::{Authority, Live, json, pong, self_signed, tls_config};
use super::*;

fn https(server: &Live) -> String {
    format!("https://localhost:{}", server.port)
}

#[test]
fn each_way_in_which_tls_fails_is_told_with_a_way_out() {
    let place = Place::new(PING);
    let authority = Authority::new();
    let ca = place.write("ca.pem", &authority.certificate);
    let expired = authority.issue(&["localhost"], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 3);
    });
    let future = authority.issue(&["localhost"], |params| {
        params.not_before = date_time_ymd(4000, 1, 1);
        params.not_after = date_time_ymd(4001, 1, 1);
    });
    let other = authority.issue(&["api.example.com", "example.org"], |_| ());
    let good = authority.issue(&["localhost"], |_| ());
    let own = self_signed(&["localhost"]);
    let trusted = ["--ca-file", ca.as_str()];
    for (identity, arguments, parts) in [
        (
            &expired,
            &trusted[..],
            [
                "the server's certificate expired on 2020-02-03",
                "--insecure",
            ],
        ),
        (&future, &trusted, ["is not valid yet", "clock"]),
        (
            &other,
            &trusted,
            [
                "is for api.example.com, example.org, not for localhost",
                "--insecure",
            ],
        ),
        (&good, &[], ["unknown authority", "--ca-file FILE"]),
        (&own, &[], ["signed by itself", "--insecure"]),
    ] {
        let server = Live::tls(tls_config(identity, None), pong);
        let url = https(&server);
        refused(
            &place.replay(&url, arguments),
            &[&parts[..], &[&url]].concat(),
        );
        // Loudly.
        let run = place.replay(&url, &["--insecure"]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.error.contains("WARNING: --insecure"), "{run:?}");
    }
    let server = Live::tls(tls_config(&good, None), pong);
    let run = place.replay(&https(&server), &trusted);
    assert_eq!((run.code, server.requests().len()), (0, 1), "{run:?}");
    assert!(!run.error.contains("WARNING"), "{run:?}");
    // A certificate that signs itself is trusted when it is named.
    let own_file = place.write("own.pem", &own.certificate);
    let server = Live::tls(tls_config(&own, None), pong);
    let run = place.replay(&https(&server), &["--ca-file", &own_file]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_client_certificate_is_shown_and_the_lack_of_one_is_told() {
    let place = Place::new(PING);
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let ca = place.write("ca.pem", &authority.certificate);
    let server = authority.issue(&["localhost"], |_| ());
    let server = Live::tls(tls_config(&server, Some(&clients)), pong);
    let (client, stranger) = (
        clients.issue(&["me"], |_| ()),
        strangers.issue(&["me"], |_| ()),
    );
    let cert = place.write("cert.pem", &client.certificate);
    let key = place.write("key.pem", &client.key);
    let both = place.write("both.pem", &format!("{}{}", client.certificate, client.key));
    let wrong = place.write(
        "wrong.pem",
        &format!("{}{}", stranger.certificate, stranger.key),
    );
    let url = https(&server);
    for arguments in [&["--cert", &cert, "--key", &key][..], &["--cert", &both]] {
        let run = place.replay(&url, &[&["--ca-file", &ca], arguments].concat());
        assert_eq!(run.code, 0, "{run:?}");
    }
    let run = |arguments: &[&str]| place.replay(&url, &[&["--ca-file", &ca], arguments].concat());
    for (run, part) in [
        (
            run(&[]),
            "asks for a client certificate; give it with --cert FILE --key FILE",
        ),
        (run(&["--cert", &wrong]), "refuses the client certificate"),
        (run(&["--cert", &cert]), "has no private key"),
        (run(&["--cert", &key]), "has no certificate"),
        (run(&["--cert", &cert, "--key", &wrong]), "--cert"),
        (run(&["--cert", "none.pem"]), "none.pem: cannot be read"),
    ] {
        assert_eq!(run.code, 2, "{run:?}");
        assert!(format!("{run:?}").contains(part), "{part}: {run:?}");
    }
}

#[test]
fn the_wrong_scheme_in_the_url_is_told_either_way() {
    let place = Place::new(PING);
    let plain = Live::http(pong);
    let run = place.replay(&https(&plain), &[]);
    refused(
        &run,
        &["does not speak TLS, write http:// instead of https://"],
    );
    let identity = self_signed(&["localhost"]);
    let server = Live::tls(tls_config(&identity, None), pong);
    let run = place.replay(&server.url(), &[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.out.contains("write https:// instead of http://"),
        "{run:?}"
    );
    // nginx, Apache and Go answer in plain HTTP.
    for answer in [
        "The plain HTTP request was sent to HTTPS port",
        "You're speaking plain HTTP to an SSL-enabled server port.",
        "Client sent an HTTP request to an HTTPS server.",
    ] {
        let server = Live::http(move |_| json(400, answer));
        let run = place.replay(&server.url(), &[]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(
            run.out.contains("write https:// instead of http://"),
            "{run:?}"
        );
    }
}

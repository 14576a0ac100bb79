//! Where nothing may be sent: not one connection is made there, however it is spelled.

use super::super::SystemResolver;
use super::*;

/// A listener on every local address, IPv6 too where there is any, that must not be reached.
async fn forbidden() -> Receiver {
    let listener = match TcpListener::bind("[::]:0").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("0.0.0.0:0").await.unwrap(),
    };
    Receiver::on(listener, |mut caller| async move {
        caller.request().await?;
        caller.tcp.write_all(OK_AND_CLOSE).await
    })
}

/// The policy of a production server, and `http` beside it, so that a connection would succeed if it were made.
fn production() -> AddressPolicy {
    AddressPolicy {
        http: true,
        ..AddressPolicy::default()
    }
}

const SPELLINGS: [&str; 78] = [
    // IPv4, as people and as inet_aton write it.
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.0.0.2",
    "127.127.127.127",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "00177.0.0.01",
    "127.0.0.0x1",
    "127.0.0.01",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "10.0.0.1",
    "167772161",
    "172.16.0.1",
    "192.168.0.1",
    "0xc0a80001",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "255.255.255.255",
    "4294967295",
    "224.0.0.1",
    "198.18.0.1",
    // Characters that are mapped to ASCII.
    "127\u{3002}0\u{3002}0\u{3002}1",
    "127\u{ff0e}0\u{ff0e}0\u{ff0e}1",
    "127\u{ff61}0\u{ff61}0\u{ff61}1",
    "\u{ff11}\u{ff12}\u{ff17}.\u{ff10}.\u{ff10}.\u{ff11}",
    "\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}",
    "\u{1d7d9}\u{1d7da}\u{1d7df}.0.0.1",
    "\u{b9}\u{b2}\u{2077}.0.0.1",
    "127.0.0.1\u{ad}",
    "127.0.\u{200b}0.1",
    // IPv6, and IPv4 inside of it.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::FFFF:7F00:0001]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    // Names, which the test's resolver gives 127.0.0.1.
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "127.0.0.1.nip.test",
    "7f000001.nip.test",
    "loopback.test.",
    "\u{24db}\u{24de}\u{24d2}\u{24d0}\u{24db}\u{24d7}\u{24de}\u{24e2}\u{24e3}",
    "l\u{ad}ocalhost",
    "xn--localhost-",
];

/// URLs around a host and port that lead there and look as if they led elsewhere.
const DISGUISES: [&str; 16] = [
    "http://public.example@HOST/",
    "http://public.example:80@HOST/",
    "http://public.example%40HOST@HOST/",
    "http://user:p%40ss@HOST/",
    "http://HOST#@public.example/",
    "http://HOST/#@public.example/",
    "http://HOST?@public.example/",
    "http://HOST\\@public.example/",
    "http:HOST/",
    "http:/HOST/",
    "http:///HOST/",
    "http:\\\\HOST\\",
    "HTTP://HOST/",
    " http://HOST/ ",
    "ht\ntp://HO\tST/",
    "http://HOST/../../x",
];

/// Texts that are not URLs, and URLs that nothing is sent to.
const UNREADABLE: [&str; 14] = [
    "http://[fe80::1%25lo]:PORT/",
    "http://[::1%lo]:PORT/",
    "http://[::1]x:PORT/",
    "http://127.0.0.1.1:PORT/",
    "http://256.0.0.1:PORT/",
    "http://0x100000000:PORT/",
    "http://127.0.0.1:0/",
    "http://:PORT/",
    "http://public.example:80:PORT/",
    "http://127.0.0.1%00.public.example:PORT/",
    "http://127.0.0.1 .public.example:PORT/",
    "//127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_x",
];

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_is_connected_to() {
    let receiver = forbidden().await;
    let port = receiver.address.port();
    let sender = Sender::new(settings(production()));
    for host in SPELLINGS {
        let sent = post(&sender, &format!("http://{host}:{port}/")).await;
        // Hosts that the URL standard cannot parse are refused before their address is checked.
        let reason = refused(&sent);
        assert!(
            reason.ends_with(", which is not allowed")
                || reason.starts_with("the URL cannot be read: "),
            "{host}: {reason}"
        );
        assert_eq!(sent.timing.connect, None);
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn no_disguise_of_a_forbidden_address_is_connected_to() {
    let receiver = forbidden().await;
    let port = receiver.address.port();
    let sender = Sender::new(settings(production()));
    for disguise in DISGUISES {
        for host in ["127.0.0.1", "localhost"] {
            let url = disguise.replace("HOST", &format!("{host}:{port}"));
            // The line break and tab of one disguise split the placeholder.
            let url = url.replace("HO\tST", &format!("{host}\t:{port}"));
            let sent = post(&sender, &url).await;
            let reason = refused(&sent);
            assert!(
                reason.ends_with("127.0.0.1 is a loopback address, which is not allowed"),
                "{url}: {reason}"
            );
        }
    }
    for url in UNREADABLE {
        let sent = post(&sender, &url.replace("PORT", &port.to_string())).await;
        let reason = refused(&sent);
        assert!(!reason.contains("loopback"), "{url}: {reason}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn the_same_spellings_reach_loopback_where_it_is_allowed() {
    let receiver = Receiver::answering(OK_AND_CLOSE).await;
    let port = receiver.address.port();
    let sender = sender();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "\u{ff11}27.0.0.1",
        "[::ffff:7f00:1]",
        "localhost.",
    ];
    for host in hosts {
        let sent = post(&sender, &format!("http://{host}:{port}/")).await;
        assert_eq!(status(&sent), Some(200), "{host}: {:?}", sent.outcome);
    }
    assert_eq!(receiver.requests(), hosts.len());
}

#[tokio::test]
async fn a_refusal_names_the_host_and_its_address() {
    let sender = Sender::new(settings(production()));
    let sent = post(&sender, "http://127.1/").await;
    assert_eq!(
        refused(&sent),
        "127.0.0.1 is a loopback address, which is not allowed"
    );
    let sent = post(&sender, "http://receiver.test/").await;
    assert_eq!(
        refused(&sent),
        "`receiver.test` has no address that is allowed: 127.0.0.1 is a loopback address, which is not allowed"
    );
    let strict = Sender::new(settings(AddressPolicy::default()));
    let sent = post(&strict, "http://receiver.test/").await;
    assert_eq!(refused(&sent), "the scheme `http` is not allowed");
}

#[tokio::test]
async fn names_of_the_operating_system_are_vetted_too() {
    let receiver = forbidden().await;
    let sender = Sender::new(SenderSettings {
        resolver: Arc::new(SystemResolver),
        ..settings(production())
    });
    let url = format!("http://localhost:{}/", receiver.address.port());
    let sent = post(&sender, &url).await;
    assert!(
        refused(&sent).contains("a loopback address"),
        "{:?}",
        sent.outcome
    );
    assert_eq!(receiver.connections(), 0);
}

/// A receiver on 127.0.0.2, which the operator allows, and a forbidden one on the same port of 127.0.0.1.
async fn allowed_beside_forbidden() -> (Receiver, Receiver) {
    loop {
        let allowed = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = allowed.local_addr().unwrap().port();
        let Ok(forbidden) = TcpListener::bind(("127.0.0.1", port)).await else {
            continue;
        };
        let [allowed, forbidden] = [allowed, forbidden].map(|listener| {
            Receiver::on(listener, |mut caller| async move {
                caller.request().await?;
                caller.tcp.write_all(OK_AND_CLOSE).await
            })
        });
        return (allowed, forbidden);
    }
}

fn allowing_one() -> AddressPolicy {
    AddressPolicy {
        allowed: vec!["127.0.0.2".parse().unwrap()],
        ..production()
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_never_leads_to_a_forbidden_one() {
    let (allowed, forbidden) = allowed_beside_forbidden().await;
    let script = Script::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let sender = Sender::new(SenderSettings {
        resolver: script.clone(),
        ..settings(allowing_one())
    });
    let url = format!("http://rebinding.test:{}/", allowed.address.port());
    let mut answered = 0;
    for attempt in 0..1_000 {
        let sent = post(&sender, &url).await;
        if attempt % 2 == 0 {
            answered += usize::from(status(&sent) == Some(200));
        } else {
            assert!(refused(&sent).contains("127.0.0.1 is a loopback address"));
        }
    }
    assert_eq!((answered, allowed.requests()), (500, 500));
    assert_eq!(forbidden.connections(), 0);
    // Once for each connection: what was vetted is what was dialled.
    assert_eq!(script.asked.load(Ordering::SeqCst), 1_000);
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_are_dialled() {
    let (allowed, forbidden) = allowed_beside_forbidden().await;
    let sender = Sender::new(SenderSettings {
        resolver: Script::new(&[
            &["127.0.0.1", "127.0.0.2"],
            &[
                "::1",
                "127.0.0.1",
                "10.0.0.1",
                "127.0.0.2",
                "169.254.169.254",
            ],
            &["127.0.0.2", "127.0.0.1"],
        ]),
        ..settings(allowing_one())
    });
    let url = format!("http://several.test:{}/", allowed.address.port());
    for _ in 0..150 {
        assert_eq!(status(&post(&sender, &url).await), Some(200));
    }
    assert_eq!((allowed.requests(), forbidden.connections()), (150, 0));
}

#[tokio::test]
async fn an_open_connection_does_not_follow_its_name() {
    let receiver = Receiver::answering(OK).await;
    let script = Script::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let sender = Sender::new(SenderSettings {
        resolver: script.clone(),
        ..settings(sandbox())
    });
    let url = format!("http://receiver.test:{}/", receiver.address.port());
    for _ in 0..10 {
        assert_eq!(status(&post(&sender, &url).await), Some(200));
    }
    assert_eq!(
        (receiver.connections(), script.asked.load(Ordering::SeqCst)),
        (1, 1)
    );
}

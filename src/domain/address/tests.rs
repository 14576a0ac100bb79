//! Which addresses the policy refuses, and why: tables of special and of public ones.

use std::net::IpAddr;

use super::AddressKind as Kind;
use super::{AddressKind, AddressPolicy, Network};

const REFUSED: [(&str, AddressKind); 96] = [
    ("0.0.0.0", Kind::Unspecified),
    ("0.0.0.1", Kind::ThisNetwork),
    ("0.255.255.255", Kind::ThisNetwork),
    ("10.0.0.0", Kind::Private),
    ("10.255.255.255", Kind::Private),
    ("100.64.0.0", Kind::CarrierGradeNat),
    ("100.127.255.255", Kind::CarrierGradeNat),
    ("100.100.100.200", Kind::Metadata),
    ("127.0.0.0", Kind::Loopback),
    ("127.0.0.1", Kind::Loopback),
    ("127.1.2.3", Kind::Loopback),
    ("127.255.255.255", Kind::Loopback),
    ("168.63.129.16", Kind::Metadata),
    ("169.254.0.0", Kind::LinkLocal),
    ("169.254.169.253", Kind::LinkLocal),
    ("169.254.169.254", Kind::Metadata),
    ("169.254.255.255", Kind::LinkLocal),
    ("172.16.0.0", Kind::Private),
    ("172.31.255.255", Kind::Private),
    ("192.0.0.0", Kind::Protocol),
    ("192.0.0.8", Kind::Protocol),
    ("192.0.0.192", Kind::Metadata),
    ("192.0.2.1", Kind::Documentation),
    ("192.88.99.1", Kind::Protocol),
    ("192.168.0.0", Kind::Private),
    ("192.168.255.255", Kind::Private),
    ("198.18.0.0", Kind::Benchmarking),
    ("198.19.255.255", Kind::Benchmarking),
    ("198.51.100.7", Kind::Documentation),
    ("203.0.113.7", Kind::Documentation),
    ("224.0.0.1", Kind::Multicast),
    ("239.255.255.255", Kind::Multicast),
    ("240.0.0.0", Kind::Reserved),
    ("255.255.255.254", Kind::Reserved),
    ("255.255.255.255", Kind::Broadcast),
    ("::", Kind::Unspecified),
    ("::1", Kind::Loopback),
    ("0:0:0:0:0:0:0:1", Kind::Loopback),
    ("::2", Kind::ThisNetwork),
    ("::ffff:127.0.0.1", Kind::Loopback),
    ("::ffff:7f00:1", Kind::Loopback),
    ("0:0:0:0:0:ffff:7f00:0001", Kind::Loopback),
    ("::ffff:10.0.0.1", Kind::Private),
    ("::ffff:169.254.169.254", Kind::Metadata),
    ("::ffff:0.0.0.0", Kind::Unspecified),
    ("::ffff:255.255.255.255", Kind::Broadcast),
    ("::127.0.0.1", Kind::Loopback),
    ("::7f00:1", Kind::Loopback),
    ("::10.1.2.3", Kind::Private),
    ("::8.8.8.8", Kind::Reserved),
    ("::ffff:0:127.0.0.1", Kind::Loopback),
    ("::ffff:0:8.8.8.8", Kind::Reserved),
    ("64:ff9b::127.0.0.1", Kind::Loopback),
    ("64:ff9b::7f00:1", Kind::Loopback),
    ("64:ff9b::10.0.0.1", Kind::Private),
    ("64:ff9b::a9fe:a9fe", Kind::Metadata),
    ("64:ff9b::0.0.0.0", Kind::Unspecified),
    ("64:ff9b:0:1::8.8.8.8", Kind::Reserved),
    ("64:ff9b:1::127.0.0.1", Kind::LocalNat64),
    ("64:ff9b:1::8.8.8.8", Kind::LocalNat64),
    ("64:ff9b:1:7f00:0:100::", Kind::LocalNat64),
    ("100::", Kind::Discard),
    ("100::1", Kind::Discard),
    ("100:0:0:1::1", Kind::Discard),
    ("100:0:0:2::1", Kind::Reserved),
    ("1000::1", Kind::Reserved),
    ("1fff:ffff::", Kind::Reserved),
    ("2001::1", Kind::Teredo),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Kind::Teredo),
    ("2001:1::1", Kind::Protocol),
    ("2001:2::1", Kind::Protocol),
    ("2001:10::1", Kind::Orchid),
    ("2001:1f:ffff::", Kind::Orchid),
    ("2001:20::1", Kind::Orchid),
    ("2001:2f:ffff::", Kind::Orchid),
    ("2001:1ff:ffff::", Kind::Protocol),
    ("2001:db8::1", Kind::Documentation),
    ("2001:db8:ffff::", Kind::Documentation),
    ("2002:7f00:1::", Kind::Loopback),
    ("2002:a00:1::1", Kind::Private),
    ("2002:c0a8:101::1", Kind::Private),
    ("2002:a9fe:a9fe::1", Kind::Metadata),
    ("2a00:1450::5efe:10.0.0.1", Kind::Private),
    ("2a00:1450::200:5efe:127.0.0.1", Kind::Loopback),
    ("3fff::1", Kind::Documentation),
    ("3fff:fff:ffff::", Kind::Documentation),
    ("4000::1", Kind::Reserved),
    ("5f00::1", Kind::SegmentRouting),
    ("fc00::1", Kind::UniqueLocal),
    ("fd00:ec2::254", Kind::Metadata),
    ("fd00:ec2::253", Kind::UniqueLocal),
    ("fd20:ce::254", Kind::Metadata),
    ("fdff:ffff::1", Kind::UniqueLocal),
    ("fe80::1", Kind::LinkLocal),
    ("fec0::1", Kind::SiteLocal),
    ("ff02::1", Kind::Multicast),
];

const PUBLIC: [&str; 26] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2002:808:808::1",
    "2606:4700:4700::1111",
    "3ffe:ffff::1",
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

#[test]
fn every_special_address_is_refused_by_its_kind() {
    let policy = AddressPolicy::default();
    for (text, kind) in REFUSED {
        let refusal = policy.check(ip(text)).expect_err(text);
        assert_eq!(refusal.kind(), kind, "{text}");
        assert!(refusal.to_string().contains(&kind.to_string()), "{refusal}");
    }
}

#[test]
fn public_addresses_up_to_the_edges_are_allowed() {
    for text in PUBLIC {
        assert_eq!(AddressPolicy::default().check(ip(text)), Ok(()), "{text}");
    }
}

#[test]
fn a_sandbox_allows_loopback_and_nothing_else() {
    let sandbox = AddressPolicy {
        loopback: true,
        ..AddressPolicy::default()
    };
    let loopback = [
        "127.0.0.0",
        "127.0.0.1",
        "127.1.2.3",
        "127.255.255.255",
        "::1",
        "0:0:0:0:0:0:0:1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "0:0:0:0:0:ffff:7f00:0001",
    ];
    for (text, kind) in REFUSED {
        let allowed = loopback.contains(&text);
        assert_eq!(sandbox.check(ip(text)).is_ok(), allowed, "{text}: {kind}");
    }
}

#[test]
fn what_the_operator_allows_wins_over_every_refusal() {
    let policy = AddressPolicy {
        allowed: vec![
            network("10.0.0.0/8"),
            network("::1/128"),
            network("fe80::/10"),
        ],
        ..AddressPolicy::default()
    };
    for text in [
        "10.0.0.0",
        "10.255.255.255",
        "::ffff:10.1.2.3",
        "::1",
        "fe80::7",
    ] {
        assert_eq!(policy.check(ip(text)), Ok(()), "{text}");
    }
    // A translator or tunnel may lead elsewhere than to the 10.0.0.0/8 that was meant.
    for text in [
        "11.0.0.1",
        "127.0.0.1",
        "::2",
        "64:ff9b::10.1.2.3",
        "2002:a00:1::",
    ] {
        let expected = text == "11.0.0.1";
        assert_eq!(policy.check(ip(text)).is_ok(), expected, "{text}");
    }
    let everything = AddressPolicy {
        allowed: vec![network("0.0.0.0/0"), network("::/0")],
        ..AddressPolicy::default()
    };
    for (text, _) in REFUSED {
        assert_eq!(everything.check(ip(text)), Ok(()), "{text}");
    }
}

#[test]
fn private_networks_are_allowed_as_a_whole_without_the_metadata_addresses_in_them() {
    let policy = AddressPolicy {
        private: true,
        ..AddressPolicy::default()
    };
    for (text, kind) in REFUSED {
        let is_private = matches!(kind, AddressKind::Private | AddressKind::UniqueLocal);
        // A translator or tunnel may lead elsewhere than to the private network that was meant.
        let is_embedded = AddressPolicy::default()
            .check(ip(text))
            .is_err_and(|refusal| refusal.to_string().contains("stands for"));
        let allowed = is_private && !is_embedded;
        assert_eq!(policy.check(ip(text)).is_ok(), allowed, "{text}: {kind}");
    }
    for text in [
        "10.0.0.1",
        "172.18.0.2",
        "192.168.65.254",
        "::ffff:172.18.0.2",
        "fd12::1",
    ] {
        assert_eq!(policy.check(ip(text)), Ok(()), "{text}");
    }
    for text in [
        "169.254.169.254",
        "fd00:ec2::254",
        "127.0.0.1",
        "2002:a00:1::",
    ] {
        assert!(policy.check(ip(text)).is_err(), "{text}");
    }
}

#[test]
fn a_refusal_says_why() {
    let message = |text| {
        AddressPolicy::default()
            .check(ip(text))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message("127.0.0.1"),
        "127.0.0.1 is a loopback address, which is not allowed"
    );
    assert_eq!(
        message("::ffff:10.0.0.1"),
        "::ffff:10.0.0.1 is a private address, which is not allowed"
    );
    assert_eq!(
        message("64:ff9b::a9fe:a9fe"),
        "64:ff9b::a9fe:a9fe stands for 169.254.169.254, a cloud metadata address, which is not allowed"
    );
}

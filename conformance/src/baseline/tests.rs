//! Which findings a baseline accepts, and which baselines are refused.

use super::*;
use crate::finding::SchemaChange;

const TODAY: Date = jiff::civil::date(2026, 11, 22);

fn entry(fingerprint: &str) -> Entry {
    Entry {
        fingerprint: fingerprint.to_owned(),
        former: fingerprint::digest(fingerprint),
        pair: None,
        comparison: Comparison::Versions,
        finding: Finding::new(
            "member-added",
            Severity::Warning,
            "GET /a",
            SchemaChange::MeaningChanged,
        ),
    }
}

fn one(more: &str) -> String {
    format!("[[ignore]]\nfingerprint = \"0123456789abcdef\"\nreason = \"r\"\n{more}")
}

fn applied(text: &str, entries: Vec<Entry>, whole: bool) -> (Vec<&'static str>, usize) {
    let (left, ignored) = Baseline::parse("b.toml", text).unwrap().apply(
        entries,
        TODAY,
        whole.then_some(Severity::Breaking),
    );
    (
        left.iter().map(|entry| entry.finding.rule).collect(),
        ignored,
    )
}

#[test]
fn an_entry_takes_its_finding_away_and_no_other() {
    let entries = || vec![entry("0123456789abcdef"), entry("fedcba9876543210")];
    assert_eq!(
        applied(&one(""), entries(), true),
        (vec!["member-added"], 1)
    );
    assert_eq!(applied(&one("expires = 2026-11-22"), entries(), true).1, 1);
    assert_eq!(applied("", entries(), true).1, 0);
}

#[test]
fn a_baseline_of_the_first_form_is_read_and_matches_the_fingerprints_of_both() {
    let found = entry("0123456789abcdef");
    let former = one("").replace("0123456789abcdef", &found.former);
    assert_eq!(applied(&former, vec![found.clone()], true), (vec![], 1));
    assert_eq!(applied(&one(""), vec![found.clone()], true), (vec![], 1));
    // Written anew it keeps the reasons, and gets the fingerprints of now.
    let again = render(&[(&found, "s".to_owned())], "new", "b.toml", &former).unwrap();
    for line in [
        "version = 2",
        "fingerprint = \"0123456789abcdef\"",
        "reason = \"r\"",
    ] {
        assert!(again.contains(line), "{again}");
    }
    assert_eq!(applied(&again, vec![found.clone()], true), (vec![], 1));
}

#[test]
fn a_baseline_of_the_second_form_does_not_match_former_fingerprints() {
    let found = entry("0123456789abcdef");
    let mixed = format!(
        "version = 2\n{}",
        one("").replace("0123456789abcdef", &found.former)
    );
    assert_eq!(
        applied(&mixed, vec![found], true),
        (vec!["member-added", STALE], 0)
    );
    let later = Baseline::parse("b.toml", "version = 3")
        .unwrap_err()
        .to_string();
    assert_eq!(
        later,
        "b.toml:1:11: unsupported version; this program reads version 2"
    );
}

#[test]
fn an_entry_that_is_stale_or_expired_is_a_finding() {
    let entries = || vec![entry("0123456789abcdef")];
    assert_eq!(applied(&one(""), vec![], true), (vec![STALE], 0));
    assert_eq!(applied(&one(""), vec![], false), (vec![], 0));
    assert_eq!(
        applied(&one("expires = 2026-11-21"), entries(), true),
        (vec!["member-added", EXPIRED], 0)
    );
    assert_eq!(
        applied(&one("expires = 2026-11-21"), vec![], true),
        (vec![STALE], 0)
    );
}

#[test]
fn a_bad_file_is_refused_with_line_and_column() {
    for (text, start) in [
        (
            "[[ignore]]\nfingerprint = \"x\"\nreason = \"r\"",
            "b.toml:2:15: a fingerprint is 16",
        ),
        (
            "[[ignore]]\nfingerprint = \"0123456789abcdef\"\nreason = \" \"",
            "b.toml:3:10: the reason is empty",
        ),
        (
            "[[ignore]]\nfingerprint = \"0123456789abcdef\"",
            "b.toml:1:1: missing field `reason`",
        ),
        (
            &one("expires = 2026-11-21T00:00:00"),
            "b.toml:4:11: write `expires` as a date",
        ),
        (&one("until = 1"), "b.toml:4:1: unknown key `until`"),
        (
            &format!("{}{}", one(""), one("")),
            "b.toml:5:15: the fingerprint 0123456789abcdef was given before",
        ),
        ("a = [", "b.toml:1:6: "),
    ] {
        let message = Baseline::parse("b.toml", text).unwrap_err().to_string();
        assert!(message.starts_with(start), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn a_written_baseline_is_refused_until_its_reasons_are_filled_in_and_keeps_them() {
    let found = entry("0123456789abcdef");
    let empty = render(&[(&found, "s".to_owned())], "", "b.toml", "").unwrap();
    let message = Baseline::parse("b.toml", &empty).unwrap_err().to_string();
    assert!(message.contains("the reason is empty"), "{message}");
    let filled = empty.replace(
        "reason = \"\"",
        "reason = \"known\"\nexpires = 2027-01-31\nowner = \"me\"",
    );
    let other = entry("fedcba9876543210");
    let again = render(
        &[(&found, "s".to_owned()), (&other, "s".to_owned())],
        "new",
        "b.toml",
        &filled,
    )
    .unwrap();
    for line in [
        "reason = \"known\"",
        "expires = 2027-01-31",
        "owner = \"me\"",
        "reason = \"new\"",
    ] {
        assert!(again.contains(line), "{again}");
    }
    assert_eq!(applied(&again, vec![found, other], true), (vec![], 2));
}

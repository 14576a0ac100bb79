//! Drift by its cases; see `drift_support/suite.rs` for how they are written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::drift::rules;
use suite::{Case, cases};

use crate::drift_support::{faults, suite};

/// Returns the results of `of` for each case, in the order of the cases; runs on all processors, as there are many.
fn of_all<T: Send>(cases: &[Case], of: impl Fn(&Case) -> Vec<T> + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match cases.get(index) {
                Some(case) => done.push((index, of(case))),
                None => return done,
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, Vec<T>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().expect("a case that ends"));
        joined.flatten().collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().flat_map(|(_, one)| one).collect()
}

#[test]
fn each_case_is_found_as_it_says_from_either_side() {
    let cases = cases();
    let faults = of_all(&cases, Case::faults);
    faults::assert_none(&faults);
    assert!(cases.len() >= 300, "{}", cases.len());
}

#[test]
fn each_document_of_a_case_is_clean_against_itself() {
    let cases = cases();
    let named = |case: &Case| {
        // These are said of each document, however alike the two are.
        const OF_ONE: [&str; 2] = ["reference-unresolved", "parameter-repeated"];
        let findings = case
            .with_themselves()
            .into_iter()
            .filter(|finding| !OF_ONE.contains(&finding.rule));
        findings
            .map(|finding| format!("{}: {:?}", case.name, finding.message))
            .collect()
    };
    assert_eq!(of_all(&cases, named), Vec::<String>::new());
}

#[test]
fn every_rule_has_a_case() {
    // No document of a few lines is too large: `drift_hostile` has one. Cases are JSON on one side: `drift_loader` has merge keys.
    // A fault of an extension is in one document: `hooks` has each of them.
    const ELSEWHERE: [&str; 3] = ["limit-reached", "yaml-merge-key", "extension-invalid"];
    let cases = cases();
    let expected: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| &case.rules)
        .map(String::as_str)
        .collect();
    let ids: BTreeSet<&str> = rules::ALL
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !ELSEWHERE.contains(id))
        .collect();
    assert_eq!(
        ids.difference(&expected).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "rules without a case"
    );
    assert_eq!(
        expected.difference(&ids).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "cases of rules that there are not"
    );
}

#[test]
fn names_of_cases_are_unique() {
    let cases = cases();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
}

#[test]
fn what_the_documentation_names_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(folder.join("DRIFT.md")).expect("a page");
    let cases = cases();
    let has_case = |file: &str, number: Option<&str>| {
        cases.iter().any(|case| {
            let about = case.name.strip_prefix(file);
            let about = about.and_then(|rest| rest.strip_prefix(": "));
            about.is_some_and(|about| {
                number.is_none_or(|number| about.starts_with(&format!("{number}: ")))
            })
        })
    };
    let has_test = |file: &str, name: &str| {
        let files = ["", "/mod"].map(|end| format!("tests/integration/{file}{end}.rs"));
        let mut texts = files
            .iter()
            .filter_map(|one| fs::read_to_string(folder.join(one)).ok());
        texts.any(|text| text.contains(&format!("#[test]\nfn {name}()")))
    };
    let mut numbers = Vec::new();
    for row in page.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Some(number) = cells.get(1).and_then(|cell| cell.parse::<usize>().ok()) else {
            continue;
        };
        numbers.push(number);
        let names: Vec<&str> = cells[4].split('`').skip(1).step_by(2).collect();
        assert!(cells[3].starts_with("no") || !names.is_empty(), "{row}");
        for name in names {
            let there = match (name.strip_prefix("edits/"), name.split_once("::")) {
                (Some(file), _) => match file.split_once('#') {
                    Some((file, number)) => has_case(file, Some(number)),
                    None => has_case(file, None),
                },
                (None, Some((file, test))) => has_test(file, test),
                (None, None) => false,
            };
            assert!(there, "{name} is not there, in row {number}");
        }
    }
    assert_eq!(numbers, (1..=22).collect::<Vec<_>>());
}

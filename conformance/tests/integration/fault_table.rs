//! Tables of planted faults: something has one of them at a time, and each has to be found by the rule that its row names.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use conformance::finding::Severity;

/// One fault.
pub(crate) struct Fault {
    /// As it is told to what has it.
    pub(crate) id: &'static str,
    /// What that then does, in words that follow its name.
    pub(crate) does: &'static str,
    /// The rule that finds it.
    pub(crate) rule: &'static str,
    /// A part of the finding.
    pub(crate) part: &'static str,
    /// Other rules that have reason to complain.
    pub(crate) also: &'static [&'static str],
    /// The heading in the table; none where it is empty.
    pub(crate) group: &'static str,
}

macro_rules! faults {
    ($($group:literal { $($id:literal $does:literal $rule:literal $part:literal $([$($also:literal),*])?;)* })*) => {
        /// All faults.
        pub(super) static FAULTS: &[$crate::fault_table::Fault] = &[$($($crate::fault_table::Fault {
            id: $id,
            does: $does,
            rule: $rule,
            part: $part,
            also: &[$($($also),*)?],
            group: $group,
        },)*)*];
    };
}

pub(crate) use faults;

/// The table of a page, by the severities of the findings; `name` is what has the faults.
pub(crate) fn rows(faults: &[Fault], severities: &[Severity], name: &str) -> String {
    let head = format!("| {name} ... | rule | severity |\n|---|---|---|\n");
    let mut page = String::new();
    let mut group = None;
    for (fault, severity) in faults.iter().zip(severities) {
        if group != Some(fault.group) {
            group = Some(fault.group);
            if !fault.group.is_empty() {
                page += &format!("\n## {}\n\n", fault.group);
            }
            page += &head;
        }
        page += &format!(
            "| {} | `{}` | {} |\n",
            fault.does,
            fault.rule,
            severity.word()
        );
    }
    page
}

/// The severities with which all faults were found; fails with those that were not.
pub(crate) fn all_found(results: Vec<Result<Severity, String>>) -> Vec<Severity> {
    let count = results.len();
    let (found, wrong): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.concat()
    );
    found.into_iter().flatten().collect()
}

/// Fails where a table has two faults of one name, or fewer than it should have.
pub(crate) fn is_complete(faults: &[Fault], least: usize) {
    let ids: BTreeSet<&str> = faults.iter().map(|fault| fault.id).collect();
    assert_eq!(ids.len(), faults.len());
    assert!(faults.len() >= least, "{}", faults.len());
}

/// Does `work` for all items on some threads, and puts the results in the order of the items.
pub(crate) fn each<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = Mutex::new(0..items.len());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.lock().expect("no thread panics").next();
                    let Some(index) = index else { return };
                    let result = work(&items[index]);
                    done.lock().expect("no thread panics").push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panics");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

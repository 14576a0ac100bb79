//! Processor time of other processes.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::machine::TICKS;

/// Returns the processor time of a process and all its descendants, including those that have ended, or `None` if there is no such process.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let mut usages = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        // A process may end meanwhile; its parent has its time then.
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let stat = fs::read_to_string(entry.path().join("stat"));
        if let (Some(id), Some(usage)) = (id, stat.ok().and_then(|stat| usage(&stat))) {
            usages.insert(id, usage);
        }
    }
    let descends = |mut id: u32| {
        while id != process {
            let Some(usage) = usages.get(&id) else {
                return false;
            };
            id = usage.parent;
        }
        true
    };
    usages.get(&process)?;
    let descendants = usages.iter().filter(|(id, _)| descends(**id));
    let seconds = descendants.map(|(_, usage)| usage.seconds).sum();
    Some(Duration::from_secs_f64(seconds))
}

/// What `/proc` says of a process.
struct Usage {
    parent: u32,
    /// Seconds of processor time, with its ended children.
    seconds: f64,
}

fn usage(stat: &str) -> Option<Usage> {
    // The name, in parentheses, may hold spaces. Behind it are the state and the parent; utime, stime, cutime, cstime are fields 14 to 17 of all.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let ticks = fields.skip(9).take(4);
    let ticks = ticks.filter_map(|field| field.parse::<f64>().ok());
    Some(Usage {
        parent,
        seconds: ticks.sum::<f64>() / TICKS,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_processor_time_of_a_process_includes_that_of_its_descendants() {
        // The outer shell only waits. The inner one works, and lives until its input ends.
        let work = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; echo done; read line";
        let mut outer = Command::new("sh")
            .args(["-c", &format!("sh -c '{work}'; :")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = outer.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", outer.id())).unwrap();
        let alone = Duration::from_secs_f64(usage(&stat).unwrap().seconds);
        let used = processor_time(outer.id()).unwrap();
        assert!(
            used >= alone + Duration::from_millis(20),
            "{used:?}, {alone:?}"
        );
        outer.wait().unwrap();
        assert_eq!(processor_time(outer.id()), None);
    }
}

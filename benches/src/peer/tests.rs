use std::fs;

use super::*;
use crate::stand_in;

#[test]
fn a_peer_that_is_not_known_is_answered_with_those_that_are() {
    let error = |text: &str| text.parse::<PeerProgram>().unwrap_err().to_string();
    assert_eq!(
        error("sviks=/bin/true"),
        "unknown peer `sviks`; did you mean `svix`?"
    );
    assert_eq!(
        error("/bin/true"),
        "write NAME=PATH, such as svix=/usr/local/bin/svix-server"
    );
    assert_eq!(
        error("svix=/none/at/all"),
        "there is no file `/none/at/all`"
    );
    assert_eq!(
        "svix=/bin/true".parse::<PeerProgram>().unwrap().name,
        "svix"
    );
}

#[test]
fn a_file_that_is_not_a_program_is_refused_before_anything_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("svix-server");
    fs::write(&file, "").unwrap();
    let program = format!("svix={}", file.display()).parse().unwrap();
    let error = Peer::start(&program, folder.path()).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "svix does not start: benches/peers/svix: not a program: {}",
            file.display()
        )
    );
}

#[test]
fn a_peer_on_postgresql_that_does_not_start_is_reported_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let databases = folder.path().join("databases");
    fs::create_dir(&databases).unwrap();
    let program = stand_in::program(folder.path(), "echo 'Error: the pool is empty' && exit 3");
    let error = Peer::start(&program, &databases).err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("svix-server ended; the last lines of its log:\n"),
        "{text}"
    );
    assert!(text.ends_with("Error: the pool is empty"), "{text}");
    assert_eq!(fs::read_dir(&databases).unwrap().count(), 0);
}

#[test]
fn the_script_of_a_peer_on_postgresql_ends_everything_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let databases = folder.path().join("databases");
    fs::create_dir(&databases).unwrap();
    let program = stand_in::program(folder.path(), stand_in::SERVE);
    let mut peer = Peer::start(&program, &databases).unwrap();
    assert!(peer.processor_times().is_ok());
    let script = peer.guard.id().to_string();
    assert!(Command::new("kill").arg(script).status().unwrap().success());
    // Its standard input stays open until the status is known.
    let input = peer.guard.stdin.take();
    assert_eq!(peer.guard.wait().unwrap().code(), Some(143));
    drop(input);
    for process in peer.processes {
        assert_eq!(processes::processor_time(process), None);
    }
    assert_eq!(fs::read_dir(&databases).unwrap().count(), 0);
}

#[test]
fn an_error_of_a_peer_on_postgresql_that_has_ended_is_explained_by_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let program = stand_in::program(folder.path(), stand_in::SERVE);
    let mut peer = Peer::start(&program, folder.path()).unwrap();
    let server = peer.processes[0].to_string();
    let killed = Command::new("kill").args(["-KILL", &server]).status();
    assert!(killed.unwrap().success());
    // Until the script has heard of it, which may take longer on a busy machine than an error waits for it.
    while peer.processor_times().is_ok() {
        thread::sleep(Duration::from_millis(10));
    }
    let error = peer.explain(anyhow::anyhow!("end of file"));
    let text = format!("{error:#}");
    assert!(
        text.contains("benches/peers/svix: svix-server ended; the last lines of its log:\n"),
        "{text}"
    );
    assert!(text.ends_with(": end of file"), "{text}");

    let mut peer = Peer::start(&program, folder.path()).unwrap();
    let error = peer.explain(anyhow::anyhow!("answered 429"));
    assert_eq!(format!("{error:#}"), "answered 429");
}

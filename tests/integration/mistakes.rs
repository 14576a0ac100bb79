//! What a person is told who mistypes something, or whose files and servers are not as they should be.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Output;

use crate::process::receiver::Receiver;
use crate::process::{Server, run, truehook, wait_until};

/// Runs a command against the server.
fn command(server: &Server, words: &[&str]) -> Output {
    let mut command = truehook(server.folder());
    command.args(words).env("TRUEHOOK_SERVER", &server.url);
    command.output().expect("the program starts")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("the output is UTF-8")
}

/// What a command says that fails with this exit code.
#[track_caller]
fn refused(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

/// What a server says that does not start.
#[track_caller]
fn not_started(folder: &Path, arguments: &[&str]) -> String {
    let always = ["serve", "--listen", "127.0.0.1:0"];
    refused(&run(folder, &[&always, arguments].concat()), 2)
}

#[test]
fn an_answer_that_broke_off_is_told_beside_its_status() {
    let server = Server::start(&[]);
    let receiver = Receiver::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf of it")?;
        Err(std::io::ErrorKind::BrokenPipe.into())
    });
    server
        .conduit()
        .register(&receiver.url, &["transaction.completed"]);
    let event = server.operator().publish(1);
    let delivery = || server.operator().deliveries(&event).remove(0);
    wait_until("the attempt is recorded", || {
        delivery()["attempts"][0]["recorded"] == true
    });
    let attempts = &delivery()["attempts"];
    assert_eq!(attempts[0]["status"], 200);
    let id = delivery()["id"].as_str().expect("an id").to_owned();
    let list = printed(&command(&server, &["deliveries"]));
    assert!(list.contains("200, but the connection broke"), "{list}");
    let shown = printed(&command(&server, &["deliveries", &id]));
    assert!(shown.contains("200, but the connection broke: "), "{shown}");
    assert!(shown.contains("half of it"), "{shown}");
}

#[test]
fn a_mistyped_event_type_fails_beside_the_one_that_is_meant() {
    let server = Server::start(&[]);
    for list in ["deliveries", "events", "webhooks"] {
        for (mistyped, meant) in [
            ("BoxCredted", "did you mean `BoxCredited`?"),
            ("customer.creatd", "did you mean `customer.created`?"),
            ("tpyo", "must be an event type of a provider"),
        ] {
            let said = refused(&command(&server, &[list, "--type", mistyped]), 1);
            assert!(said.contains("type: ") && said.contains(meant), "{said}");
        }
        printed(&command(&server, &[list, "--type", "BoxCredited"]));
        let words = [list, "--type", "BoxCredited", "--provider", "conduit"];
        let other = command(&server, &words);
        assert!(printed(&other).is_empty());
        let note = String::from_utf8_lossy(&other.stderr);
        assert!(note.contains("unknown conduit event type"), "{note}");
    }
}

#[test]
fn usage_shows_what_was_typed_and_not_what_the_environment_sets() {
    let server = Server::start(&[]);
    let said = refused(
        &command(&server, &["deliveries", "--state", "done", "--limit", "3"]),
        2,
    );
    assert!(said.contains("invalid value 'done'"), "{said}");
    for words in [
        &["deliveries", "--nope"][..],
        &["publish", "conduit"],
        &["listen", "conduit"],
        &["retry"],
    ] {
        let with = refused(&command(&server, words), 2);
        let without = refused(&run(server.folder(), words), 2);
        assert_eq!(with, without);
        assert!(with.contains("Usage: truehook "), "{with}");
        assert!(!with.contains("--server"), "{with}");
    }
}

#[test]
fn files_that_are_missing_or_something_else_are_named_beside_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder");
    for (arguments, expected) in [
        (
            &["--database", "sqlite://no/such/t.db"][..],
            "the folder no/such does not exist: create it first",
        ),
        (
            &["--encryption-key-file", "none/key"],
            "the folder none does not exist: create it first",
        ),
        (
            &["--database", "sqlite://data"],
            "data is a folder; name a file in it, such as sqlite://data/truehook.db",
        ),
    ] {
        let output = run(
            folder.path(),
            &[&["serve", "--listen", "127.0.0.1:0"], arguments].concat(),
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let said = refused(&run(folder.path(), &["serve", "--listen", ":8080"]), 2);
    assert!(said.contains("write 127.0.0.1:8080"), "{said}");
}

/// Leases are told by the steady time: clocks of two speeds would have one delivery attempted twice.
#[test]
fn a_server_whose_clock_runs_at_another_speed_waits_its_turn_and_says_so_once() {
    const CHANGED: &str = "an earlier run on this database had another --clock-speed";
    let folder = tempfile::tempdir().expect("a folder");
    let first = Server::start_in(folder.path(), &["--clock-speed", "3600"]);
    let said = not_started(folder.path(), &[]);
    assert!(
        said.contains("another server with --clock-speed 3600"),
        "{said}"
    );
    let second = Server::start_in(folder.path(), &["--clock-speed", "3600"]);
    // So that there is a time of which the clocks of both runs differ.
    wait_until("the clock is saved", || {
        let database = rusqlite::Connection::open(folder.path().join("truehook.db"))
            .expect("the database opens");
        let ahead = database.query_row("SELECT steady - real > 100000000 FROM clock", [], |row| {
            row.get(0)
        });
        ahead.unwrap_or(false)
    });
    assert!(first.stop().0.success() && second.stop().0.success());
    for (speed, told) in [
        ("3600", false),
        ("1", true),
        ("1", false),
        ("60", true),
        ("60", false),
    ] {
        let server = Server::spawn(folder.path(), "127.0.0.1:0", &["--clock-speed", speed]);
        let mut lines = Vec::new();
        wait_until("the server listens", || {
            lines.extend(server.log());
            lines.iter().any(|line| line.contains("listening on"))
        });
        // It may not yet catch signals; what counts was noted before it listens.
        server.kill();
        let found = lines.iter().any(|line| line.contains(CHANGED));
        assert_eq!(found, told, "{speed}: {lines:#?}");
    }
}

#[test]
fn a_database_that_was_renamed_while_its_server_runs_is_not_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, moved] = ["truehook.db", "moved.db"].map(|name| folder.path().join(name));
    let server = Server::start_in(folder.path(), &[]);
    fs::rename(&path, &moved).expect("the file is renamed");
    let always = ["serve", "--listen", "127.0.0.1:0"];
    let said = refused(&run(folder.path(), &always), 1);
    assert!(
        said.contains("while another server has it open") && said.contains("truehook.db-wal"),
        "{said}"
    );
    assert!(!path.exists());
    // By its new name it would get a second log.
    let renamed = ["--database", "sqlite://moved.db"];
    let key = ["--encryption-key-file", "truehook.db.key"];
    let words = [&always[..], &renamed, &key].concat();
    let said = refused(&run(folder.path(), &words), 1);
    assert!(said.contains("open by another name"), "{said}");
    // The claims of the one that runs say when they fail, and when that has ended.
    server.wait_for_log("cannot claim deliveries");
    fs::rename(&moved, &path).expect("the file is renamed");
    server.wait_for_log("deliveries can be claimed again");
    assert!(server.stop().0.success());
}

//! The encryption key of a database in the hands of an operator: another one while the server sends, and commands that find the wrong one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::receiver::{self, Receiver};
use crate::process::{Server, run, truehook, wait_until};

const TRANSACTION: &str = "transaction.completed";

#[test]
fn the_encryption_key_is_changed_while_the_server_sends() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_in(folder.path(), &[]);
    let received = Arc::new(AtomicUsize::new(0));
    let counter = received.clone();
    let receiver = Receiver::start(move |request, stream| {
        assert!(request.header("conduit-signature").is_some());
        counter.fetch_add(1, Ordering::SeqCst);
        receiver::accept(stream)
    });
    for _ in 0..3 {
        server.conduit().register(&receiver.url, &[TRANSACTION]);
    }
    let delivered = |server: &Server, number: usize| {
        let mut operator = server.operator();
        let event = operator.publish(number);
        wait_until("it is delivered to all", || {
            let deliveries = operator.deliveries(&event);
            deliveries
                .iter()
                .all(|delivery| delivery["state"] == "delivered")
        });
    };
    delivered(&server, 1);
    let file = folder.path().join("truehook.db.key");
    let old = fs::read_to_string(&file).expect("the key");
    let rotate = ["keys", "rotate-encryption", "--old-key-file", "old.key"];
    let output = run(folder.path(), &rotate);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let new = fs::read_to_string(&file).expect("the key");
    assert!(new != old && new.lines().count() == 1);
    assert_eq!(
        fs::read_to_string(folder.path().join("old.key")).expect("the old key"),
        old
    );
    delivered(&server, 2);
    server.conduit().register(&receiver.url, &[TRANSACTION]);
    let (status, lines) = server.stop();
    assert!(status.success(), "{lines:#?}");
    let refused = run(
        folder.path(),
        &["keys", "list", "--encryption-key-file", "old.key"],
    );
    assert_eq!(refused.status.code(), Some(1));
    let server = Server::start_in(folder.path(), &[]);
    delivered(&server, 3);
    assert_eq!(received.load(Ordering::SeqCst), 3 + 3 + 4);
    server.stop();

    // Without a file: two keys at the start, and the server does it.
    let third = "c".repeat(64);
    let second = new.trim().to_owned();
    let keys = [
        "--encryption-key",
        &third,
        "--previous-encryption-key",
        &second,
    ];
    // Not started as the others are: the server may be done before it listens.
    let server = Server::spawn(folder.path(), "127.0.0.1:0", &keys);
    server.wait_for_log("every secret is sealed with the new encryption key");
    server.stop();
    delivered(
        &Server::start_in(folder.path(), &["--encryption-key", &third]),
        4,
    );
    let output = run(
        folder.path(),
        &["keys", "rotate-encryption", "--encryption-key", &third],
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(1) && said.contains("--help"),
        "{said}"
    );
}

/// Runs the program, which must fail, and gives what it says.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    said
}

/// Runs the program, which must succeed, and gives what it says.
fn succeeded(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The names of the files in a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .collect::<Result<_, _>>()
        .expect("names in UTF-8");
    names.sort();
    names
}

#[test]
fn commands_on_an_existing_database_never_create_one() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("real.key"), "a".repeat(64)).expect("a key");
    let key = ["--encryption-key-file", "real.key"];
    for command in [
        &["keys", "list"][..],
        &["keys", "revoke", "key_1"],
        &["keys", "rotate-encryption"],
        &["backup", "copy.db"],
    ] {
        let typo = [command, &["--database", "sqlite://typo.db"]].concat();
        let mut commands = vec![typo.clone()];
        if command[0] == "keys" {
            commands.push([&typo[..], &key].concat());
        }
        for arguments in commands {
            let said = refused(folder.path(), &arguments);
            assert!(
                said.contains("typo.db does not exist") && said.contains("--database"),
                "{said}"
            );
            assert_eq!(files(folder.path()), ["real.key"]);
        }
    }

    // One that exists, but that the key has never been used with.
    let old = "a".repeat(64);
    let other = [
        "--database",
        "sqlite://other.db",
        "--encryption-key",
        &"b".repeat(64),
    ];
    succeeded(
        folder.path(),
        &[&["keys", "create", "--provider", "operator"], &other[..]].concat(),
    );
    let rotate = [&["keys", "rotate-encryption"], &other[..2], &key].concat();
    assert!(refused(folder.path(), &rotate).contains("does not open the secrets in other.db"));
    let unused = "DELETE FROM meta WHERE name = 'key-check'";
    rusqlite::Connection::open(folder.path().join("other.db"))
        .and_then(|database| database.execute_batch(unused))
        .expect("a database without a key");
    let said = refused(folder.path(), &rotate);
    assert!(
        said.contains("no key in the encryption key file has been used"),
        "{said}"
    );
    fs::write(folder.path().join("empty.db"), "").expect("a file");
    let empty = [
        "keys",
        "rotate-encryption",
        "--database",
        "sqlite://empty.db",
    ];
    assert!(refused(folder.path(), &[&empty[..], &key].concat()).contains("empty file"));
    assert_eq!(files(folder.path()), ["empty.db", "other.db", "real.key"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("real.key")).expect("the key"),
        old
    );
}

#[test]
fn a_rotation_keeps_the_old_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| fs::read_to_string(path(name)).expect("a file");
    let rotate = ["keys", "rotate-encryption"];
    succeeded(folder.path(), &["keys", "create", "--provider", "operator"]);
    succeeded(folder.path(), &["backup", "copy.db"]);
    fs::set_permissions(path("truehook.db.key"), fs::Permissions::from_mode(0o640))
        .expect("access for a group");
    let first = read("truehook.db.key");
    let said = succeeded(folder.path(), &rotate);
    let second = read("truehook.db.key");
    let kept: Vec<String> = files(folder.path())
        .into_iter()
        .filter(|name| name.starts_with("truehook.db.key.until-20"))
        .collect();
    assert!(
        kept.len() == 1 && said.contains(&kept[0]),
        "{kept:?}: {said}"
    );
    assert_eq!(read(&kept[0]), first);
    let mode = path(&kept[0])
        .metadata()
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let copy = ["keys", "list", "--database", "sqlite://copy.db"];
    succeeded(
        folder.path(),
        &[&copy[..], &["--encryption-key-file", &kept[0]]].concat(),
    );

    // Another on the same day replaces nothing.
    succeeded(folder.path(), &rotate);
    assert_eq!(read(&format!("{}.2", kept[0])), second);
    assert_eq!(read(&kept[0]), first);

    let third = read("truehook.db.key");
    let said = refused(
        folder.path(),
        &[&rotate[..], &["--old-key-file", "./truehook.db.key"]].concat(),
    );
    assert!(said.contains("is the encryption key file itself"), "{said}");
    let said = refused(
        folder.path(),
        &[&rotate[..], &["--old-key-file", &kept[0]]].concat(),
    );
    assert!(
        said.contains("already exists") && !said.contains("cannot read"),
        "{said}"
    );
    assert_eq!(read("truehook.db.key"), third);

    // One that was interrupted has left two keys, and its lock file.
    fs::write(
        path("truehook.db.key"),
        format!("{}\n{third}", "d".repeat(64)),
    )
    .expect("two keys");
    fs::write(path("truehook.db.key.lock"), "").expect("a lock file");
    succeeded(folder.path(), &rotate);
    assert_eq!(read("truehook.db.key").trim(), "d".repeat(64));
    assert_eq!(read(&format!("{}.3", kept[0])), third);
    assert!(!path("truehook.db.key.lock").exists());
}

#[test]
fn two_rotations_at_once_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_in(folder.path(), &[]);
    let receiver = Receiver::start(|request, stream| {
        assert!(request.header("conduit-signature").is_some());
        receiver::accept(stream)
    });
    for _ in 0..50 {
        server.conduit().register(&receiver.url, &[TRANSACTION]);
    }
    server.stop();
    let start = || {
        truehook(folder.path())
            .args(["keys", "rotate-encryption"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts")
    };
    // The lock of the database holds the first one up until the second one is there.
    let database =
        rusqlite::Connection::open(folder.path().join("truehook.db")).expect("the database");
    database.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let (mut one, mut other) = (start(), start());
    let mut first_is_refused = false;
    wait_until("one of them is refused", || {
        let ended = |child: &mut std::process::Child| child.try_wait().expect("a status").is_some();
        first_is_refused = ended(&mut one);
        first_is_refused || ended(&mut other)
    });
    database.execute_batch("ROLLBACK").expect("no lock");
    drop(database);
    if !first_is_refused {
        std::mem::swap(&mut one, &mut other);
    }
    let refused = one.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(1) && said.contains("another rotation of the key in"),
        "{said}"
    );
    let finished = other.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(finished.status.success(), "{said}");

    for _ in 0..10 {
        let pair = [start(), start()];
        let ended = pair.map(|child| child.wait_with_output().expect("its output"));
        assert!(
            ended.iter().any(|output| output.status.success()),
            "{ended:?}"
        );
        for output in ended {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success() || said.contains("another rotation"),
                "{said}"
            );
        }
    }
    let key = fs::read_to_string(folder.path().join("truehook.db.key")).expect("the key");
    assert_eq!(key.lines().count(), 1);
    let server = Server::start_in(folder.path(), &[]);
    let mut operator = server.operator();
    let event = operator.publish(1);
    wait_until("it is delivered to all", || {
        let deliveries = operator.deliveries(&event);
        deliveries.len() == 50
            && deliveries
                .iter()
                .all(|delivery| delivery["state"] == "delivered")
    });
}

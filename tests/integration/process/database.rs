//! A PostgreSQL server that a test may crash and start again, and its standby: apart from the one that the tests of the library share.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::fixed_address;
use super::seed::{self, Seeded};

/// The name of the role and of the database.
const NAME: &str = "truehook";

/// Starts the server, obeys the words that it reads, and ends the server and removes its folder when there are no more. The user that
/// starts this may not be the one that runs it, so the folder is made here. `$5` is run before the first start, in the folder.
const SCRIPT: &str = r#"
set -eu
bin=$1 port=$2 options=$3 name=$4 standby_port=$6
folder=$(mktemp -d "${TMPDIR:-/tmp}/truehook-pg-XXXXXX")
cd "$folder"
serve() {
  "$bin/postgres" -D "$1" -p "$2" -k "$folder" -c listen_addresses=127.0.0.1 -c log_min_messages=fatal $options >>log 2>&1 &
  started=$!
  while ! "$bin/pg_isready" -q -h 127.0.0.1 -p "$2"; do
    kill -0 $started 2>/dev/null || { cat log >&2; exit 1; }
    sleep 0.02
  done
}
start() {
  serve data "$port"
  pid=$started
}
crash() {
  kill -QUIT $pid
  wait $pid || true
}
standby() {
  "$bin/pg_basebackup" -h "$folder" -p "$port" -U "$name" -D standby -R -X stream -c fast --no-sync
  serve standby "$standby_port"
  standby_pid=$started
  "$bin/psql" -Xq -h "$folder" -p "$port" -U "$name" -c "ALTER SYSTEM SET synchronous_standby_names = '*'" \
    -c 'SELECT pg_reload_conf()' postgres >/dev/null
}
promote() {
  "$bin/pg_ctl" promote -D standby -w >/dev/null
}
pid= standby_pid=
trap 'set +e; for one in $pid $standby_pid; do kill -QUIT $one; wait $one; done 2>/dev/null; rm -rf "$folder"' EXIT
"$bin/initdb" --pgdata=data --auth=trust --username="$name" --encoding=UTF8 --locale=C --no-sync >/dev/null
eval "$5"
start
"$bin/createdb" -h "$folder" -p "$port" -U "$name" "$name"
echo "$folder"
while read -r word; do
  $word
  echo done
done
"#;

/// A running server, or one that has crashed.
pub(crate) struct Database {
    /// Its URL; with the standby, where there is one.
    pub(crate) url: String,
    bin: PathBuf,
    /// Where its files are, `data` among them.
    pub(crate) folder: PathBuf,
    port: String,
    standby_port: String,
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    guard: Child,
}

impl Database {
    /// Starts one with its defaults.
    pub(crate) fn start() -> Self {
        Self::start_with("", "")
    }

    /// Starts one with these options of `postgres`, after these commands of a shell in its folder, where its files are below `data`.
    pub(crate) fn start_with(options: &str, first: &str) -> Self {
        let bin = programs();
        let mut random = Seeded::new(seed::fresh());
        let [port, standby_port] = [(); 2].map(|()| {
            let address = fixed_address(&mut random);
            let (_, port) = address.rsplit_once(':').expect("an address has a port");
            port.to_owned()
        });
        // The server refuses to run as root.
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut guard = command
            .args(["-c", SCRIPT, "sh"])
            .arg(&bin)
            .args([port.as_str(), options, NAME, first, &standby_port])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let words = guard.stdin.take();
        let mut answers = BufReader::new(guard.stdout.take().expect("standard output is piped"));
        let folder = answer(&mut answers);
        Self {
            url: format!("postgres://{NAME}@127.0.0.1:{port}/{NAME}"),
            bin,
            folder: folder.into(),
            port,
            standby_port,
            words,
            answers,
            guard,
        }
    }

    /// Has the server end at once, without a checkpoint and without a word to its clients.
    pub(crate) fn crash(&mut self) {
        self.tell("crash");
    }

    /// Starts the server again.
    pub(crate) fn restart(&mut self) {
        self.tell("start");
    }

    /// Makes a standby that every commit waits for, and names both in the URL.
    pub(crate) fn add_standby(&mut self) {
        self.tell("standby");
        self.url = format!(
            "postgres://{NAME}@127.0.0.1:{},127.0.0.1:{}/{NAME}?target_session_attrs=read-write",
            self.port, self.standby_port
        );
    }

    /// Makes the standby the primary, in place of a server that has crashed.
    pub(crate) fn promote(&mut self) {
        self.tell("promote");
    }

    fn tell(&mut self, word: &str) {
        let words = self.words.as_mut().expect("it is open until the end");
        writeln!(words, "{word}").expect("the shell is there");
        assert_eq!(answer(&mut self.answers), "done");
    }

    /// Runs statements; gives the rows that come, their columns apart by `|`.
    #[track_caller]
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        let output = Command::new(self.bin.join("psql"))
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &self.port, "-U", NAME])
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, NAME])
            .output();
        let output = output.expect("psql starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {errors}");
        let rows = String::from_utf8(output.stdout).expect("UTF-8");
        rows.lines().map(str::to_owned).collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Its end is what the script waits for.
        drop(self.words.take());
        let _ = self.guard.wait();
    }
}

#[track_caller]
fn answer(answers: &mut impl BufRead) -> String {
    let mut line = String::new();
    let read = answers.read_line(&mut line).expect("the shell answers");
    assert!(read > 0, "PostgreSQL does not start; its log is above");
    line.trim_end().to_owned()
}

/// Where the programs of the newest PostgreSQL are: on the path, or where distributions have them.
fn programs() -> PathBuf {
    // A link on the path leads to where all programs are.
    let of = |folder: PathBuf| {
        let program = folder.join("initdb").canonicalize().ok()?;
        let folder = program.parent()?.to_owned();
        folder.join("pg_isready").exists().then_some(folder)
    };
    let path = std::env::var_os("PATH").expect("there is a path");
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).filter_map(of).collect();
    if let Ok(versions) = Path::new("/usr/lib/postgresql").read_dir() {
        let bin = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        folders.extend(bin.filter_map(of));
    }
    folders.sort();
    folders.pop().expect(
        "the tests need PostgreSQL: scripts/test setup installs it, or apt-get install postgresql",
    )
}

//! The suite on a SQLite file, and what is true of files alone.

#[path = "../backup.rs"]
mod backup;
#[path = "../damage.rs"]
mod damage;
#[path = "../events.rs"]
mod events;
#[path = "../file.rs"]
mod file;
#[path = "../in_flight.rs"]
mod in_flight;
#[path = "../inspect.rs"]
mod inspect;
#[path = "../jobs.rs"]
mod jobs;
#[path = "../keys.rs"]
mod keys;
#[path = "../queue.rs"]
mod queue;
#[path = "../results.rs"]
mod results;
#[path = "../retries.rs"]
mod retries;
#[path = "../sealing.rs"]
mod sealing;
#[path = "../space.rs"]
mod space;
#[path = "../time.rs"]
mod time;
#[path = "../webhooks.rs"]
mod webhooks;

use std::path::PathBuf;
use std::sync::Mutex;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

/// A file.
struct SqliteFile {
    folder: Arc<TempDir>,
    locked: Mutex<Option<Connection>>,
}

/// A store in a new file.
async fn fresh() -> Subject {
    with_folder().0
}

/// A store in a new file, and the folder of the file.
fn with_folder() -> (Subject, Arc<TempDir>) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let file = SqliteFile {
        folder: folder.clone(),
        locked: Mutex::default(),
    };
    (Subject::over(Box::new(file)), folder)
}

impl SqliteFile {
    fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    fn meddle(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

#[async_trait]
impl Backend for SqliteFile {
    fn open(&self) -> Opened {
        let key = EncryptionKey::from_hex(KEY).unwrap().into();
        let store = SqliteStore::open(&self.path(), &key, Purpose::Sandbox, Arc::default());
        let store = store.unwrap();
        Opened {
            saved_time: store.saved_time(),
            earlier_speed: None,
            shared_time: None,
            store: Arc::new(store),
        }
    }

    async fn fail(&self, fault: Fault) {
        let when = match fault {
            Fault::Publication => "INSERT ON in_flight".to_owned(),
            Fault::Claim => "UPDATE ON delivery WHEN NEW.webhook = 2".to_owned(),
            Fault::Result(number) => format!("UPDATE ON delivery WHEN NEW.number = {number}"),
        };
        let trigger =
            format!("CREATE TRIGGER fail BEFORE {when} BEGIN SELECT RAISE(ABORT, 'full'); END");
        self.meddle().execute_batch(&trigger).unwrap();
    }

    async fn mend(&self) {
        self.meddle().execute_batch("DROP TRIGGER fail").unwrap();
    }

    async fn lock(&self) {
        let connection = self.meddle();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        *self.locked.lock().unwrap() = Some(connection);
    }

    async fn unlock(&self) {
        let locked = self.locked.lock().unwrap().take();
        locked.unwrap().execute_batch("ROLLBACK").unwrap();
    }

    async fn damage_secret(&self, webhook: &str) {
        let sql = "UPDATE webhook SET signing_secret = x'00' WHERE id = ?1";
        self.meddle().execute(sql, [webhook]).unwrap();
    }

    async fn count(&self, table: &str) -> i64 {
        let count = match table {
            // The first attempt of a delivery stands with it.
            "attempt" => "SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM delivery WHERE started_us IS NOT NULL)".to_owned(),
            table => format!("SELECT count(*) FROM {table}"),
        };
        let connection = self.meddle();
        connection.query_row(&count, [], |row| row.get(0)).unwrap()
    }
}

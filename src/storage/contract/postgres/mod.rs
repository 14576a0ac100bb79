//! The suite on a schema of a PostgreSQL server.

#[path = "../events.rs"]
mod events;
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
#[path = "../time.rs"]
mod time;
#[path = "../webhooks.rs"]
mod webhooks;

use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::super::postgres::cluster;
use super::*;

/// A schema.
struct Schema {
    url: String,
    locked: Mutex<Option<Client>>,
}

/// A store in a new schema.
async fn fresh() -> Subject {
    let url = cluster::new_schema();
    let locked = Mutex::default();
    Subject::over(Box::new(Schema { url, locked }))
}

impl Schema {
    async fn meddle(&self) -> Client {
        cluster::connect(&self.url).await
    }
}

#[async_trait]
impl Backend for Schema {
    fn open(&self) -> Opened {
        let location = Location::Postgres(Box::new(PostgresAddress::new(&self.url, None).unwrap()));
        let key = EncryptionKey::from_hex(KEY).unwrap().into();
        super::super::open(&location, &key, Purpose::Sandbox, None, Arc::default()).unwrap()
    }

    async fn fail(&self, fault: Fault) {
        let when = match fault {
            Fault::Publication => "INSERT ON event FOR EACH ROW".to_owned(),
            Fault::Claim => "UPDATE ON pending FOR EACH ROW WHEN (NEW.webhook = 2)".to_owned(),
            Fault::Result(number) => {
                format!("INSERT ON delivery FOR EACH ROW WHEN (NEW.number = {number})")
            }
        };
        let trigger = format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$;
             CREATE TRIGGER fail BEFORE {when} EXECUTE FUNCTION fail()"
        );
        self.meddle().await.batch_execute(&trigger).await.unwrap();
    }

    async fn mend(&self) {
        let sql = "DROP FUNCTION fail CASCADE";
        self.meddle().await.batch_execute(sql).await.unwrap();
    }

    async fn lock(&self) {
        let client = self.meddle().await;
        let sql = "BEGIN; LOCK TABLE event, pending, delivery, lane, meta IN EXCLUSIVE MODE";
        client.batch_execute(sql).await.unwrap();
        *self.locked.lock().await = Some(client);
    }

    async fn unlock(&self) {
        let locked = self.locked.lock().await.take().unwrap();
        locked.batch_execute("ROLLBACK").await.unwrap();
    }

    async fn damage_secret(&self, webhook: &str) {
        let sql = "UPDATE webhook SET signing_secret = '\\x00' WHERE id = $1";
        self.meddle().await.execute(sql, &[&webhook]).await.unwrap();
    }

    async fn count(&self, table: &str) -> i64 {
        let count = match table {
            // The last attempt of a delivery that has ended stands with it.
            "attempt" => "SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM delivery WHERE attempt IS NOT NULL)".to_owned(),
            table => format!("SELECT count(*) FROM {table}"),
        };
        self.meddle()
            .await
            .query_one(&count, &[])
            .await
            .unwrap()
            .get(0)
    }
}

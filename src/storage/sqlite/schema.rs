//! The shape of the SQLite file, and how files of earlier versions get it.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::super::StoreError;
use super::migrations::MIGRATIONS;

/// `TRHK`: marks a file as ours, so that a foreign database is never touched.
pub(super) const APPLICATION_ID: i64 = 0x5452_484b;

/// The newest version.
pub(super) fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Refuses a database that is not ours.
///
/// # Errors
/// [`StoreError::Foreign`]; or what `unusable` makes of an error of SQLite.
pub(super) fn refuse_foreign(
    connection: &Connection,
    path: &Path,
    unusable: impl Fn(rusqlite::Error) -> StoreError + Copy,
) -> Result<(), StoreError> {
    let application_id: i64 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(unusable)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(unusable)?;
    let untouched = application_id == 0 && tables == 0;
    if application_id == APPLICATION_ID || untouched {
        Ok(())
    } else {
        Err(StoreError::Foreign {
            path: path.to_owned(),
        })
    }
}

/// Brings a file up to date.
///
/// # Errors
/// [`StoreError::Newer`]; [`StoreError::Statement`] with what SQLite says.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = latest();
    // Immediate: a second process that starts at the same time waits here and then finds the work done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    let done = usize::try_from(found).map_err(|_| StoreError::Foreign {
        path: path.to_owned(),
    })?;
    for step in &MIGRATIONS[done..] {
        transaction.execute_batch(step)?;
    }
    if found < known {
        // Every connection reads the schema again, however it was changed.
        let version: i64 = transaction.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
        transaction.pragma_update(None, "schema_version", version + 1)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::Purpose;
    use super::super::super::key_file::EncryptionKey;
    use super::super::super::seal::Sealer;
    use super::super::ids::SealedIds;
    use super::super::open::open_writer;
    use super::super::{deliveries, events};
    use super::*;

    #[test]
    fn no_check_makes_sqlite_build_a_table_for_each_row_that_is_written() {
        let sealer = Sealer::new(&EncryptionKey::from_hex(&"01".repeat(32)).unwrap().into());
        let folder = tempfile::tempdir().unwrap();
        let connection =
            open_writer(&folder.path().join("t.db"), &sealer, Purpose::Sandbox).unwrap();
        let mut tables = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut count = 0;
        for table in tables.map(Result::unwrap) {
            let insert = format!("EXPLAIN INSERT INTO {table} DEFAULT VALUES");
            let mut program = connection.prepare(&insert).unwrap();
            let steps = program
                .query_map([], |row| row.get::<_, String>(1))
                .unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert!(
                steps.iter().any(|step| step == "HaltIfNull"),
                "{table}: {steps:?}"
            );
            assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{table}");
            count += 1;
        }
        assert!(count > 8, "{count} tables");
    }

    #[test]
    fn a_connection_that_was_open_before_sees_the_schema_without_its_checks() {
        let sealer = Sealer::new(&EncryptionKey::from_hex(&"01".repeat(32)).unwrap().into());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let old = Connection::open(&path).unwrap();
        for step in &MIGRATIONS[..5] {
            old.execute_batch(step).unwrap();
        }
        old.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        old.pragma_update(None, "user_version", 5).unwrap();
        let insert = "INSERT INTO api_key (id, provider, owner, key_fingerprint, created_at)
            VALUES ('k', 'acme', 'o', zeroblob(32), 1)";
        assert!(old.execute(insert, []).is_err());
        drop(open_writer(&path, &sealer, Purpose::Sandbox).unwrap());
        assert_eq!(old.execute(insert, []).unwrap(), 1);
    }

    #[test]
    fn a_file_of_every_earlier_version_is_brought_up_to_date_with_what_it_holds() {
        let sealer = Sealer::new(&EncryptionKey::from_hex(&"01".repeat(32)).unwrap().into());
        for version in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("t.db");
            let old = Connection::open(&path).unwrap();
            for step in &MIGRATIONS[..version] {
                old.execute_batch(step).unwrap();
            }
            old.pragma_update(None, "application_id", APPLICATION_ID)
                .unwrap();
            old.pragma_update(None, "user_version", i64::try_from(version).unwrap())
                .unwrap();
            old.execute_batch(
                "INSERT INTO webhook (number, provider, id, owner, account_id, url, enabled, created_at, updated_at)
                 VALUES (7, 'equals-money', 'a', 'o', 'F1', 'https://example.com', 1, 1, 1),
                        (8, 'conduit', 'b', 'o', NULL, 'https://example.com', 1, 1, 1);",
            )
            .unwrap();
            // Version 11 told events apart by kinds, and times from when a row was made.
            let (event, first_attempt) = if version < 11 {
                let event = "INSERT INTO event (id, provider, event_type, data, sequence, created_at, audience, matched)
                     VALUES ('e', 'conduit', 'x', '{}', 1, 1, 'owner', 0);";
                (event, "first_attempt_at")
            } else {
                let event = "INSERT INTO event_kind (number, provider, event_type, audience) VALUES (1, 'conduit', 'x', 'owner');
                     INSERT INTO event (id, kind, data, sequence, created_at, matched, kept_us) VALUES ('e', 1, '{}', 1, 1, 0, 0);";
                (event, "first_attempt_us")
            };
            old.execute_batch(event).unwrap();
            // Version 2 put the account beside the type.
            let subscriptions = if version < 2 {
                "INSERT INTO subscription (webhook, position, event_type)
                 VALUES (7, 0, 'x'), (8, 0, 'x'), (8, 1, 'y');"
            } else {
                "INSERT INTO subscription (webhook, position, event_type, account)
                 VALUES (7, 0, 'x', 'F1'), (8, 0, 'x', ''), (8, 1, 'y', '');"
            };
            old.execute_batch(subscriptions).unwrap();
            // One that waits and one that is being attempted.
            old.execute_batch(&format!(
                "INSERT INTO delivery (id, event, webhook, state, attempts, due_at, {first_attempt}, claimed, created_at)
                 VALUES (x'00000000000000000000000000000001', 1, 7, 'pending', 0, 5, NULL, 0, 1),
                        (x'00000000000000000000000000000002', 1, 8, 'pending', 1, 6, 1, 1, 1);
                 UPDATE webhook SET next_due = 5;"
            ))
            .unwrap();
            drop(old);
            let new = open_writer(&path, &sealer, Purpose::Sandbox).unwrap();
            let mut found = new
                .prepare("SELECT webhook, position, event_type, account FROM subscription ORDER BY webhook, position")
                .unwrap();
            let found: Vec<(i64, i64, String, String)> = found
                .query_map([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let expected = [(7, 0, "x", "F1"), (8, 0, "x", ""), (8, 1, "y", "")].map(
                |(webhook, position, event_type, account)| {
                    (webhook, position, event_type.to_owned(), account.to_owned())
                },
            );
            assert_eq!(found, expected);
            // Any provider can be stored, and the other checks still hold.
            new.execute_batch(
                "INSERT INTO webhook (provider, id, owner, url, enabled, created_at, updated_at)
                 VALUES ('acme', 'c', 'o', 'https://example.com', 1, 1, 1);
                 INSERT INTO event_kind (number, provider, event_type, audience) VALUES (99, 'acme', 'x', 'owner');
                 INSERT INTO event (id, kind, data, sequence, created_at, matched, kept_us) VALUES ('f', 99, '{}', 1, 1, 0, 0);
                 INSERT INTO api_key (id, provider, owner, key_fingerprint, created_at)
                 VALUES ('k', 'acme', 'o', zeroblob(32), 1);
                 DELETE FROM webhook WHERE id = 'c'; DELETE FROM event WHERE id = 'f';",
            )
            .unwrap();
            for refused in [
                "UPDATE webhook SET enabled = 2",
                "UPDATE event_kind SET audience = 'nobody'",
                "UPDATE api_key SET key_fingerprint = x'00'",
            ] {
                assert!(new.execute(refused, []).is_err(), "{refused}");
            }
            let whole: String = new
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .unwrap();
            assert_eq!(whole, "ok");
            let trace: Option<String> = new
                .query_row("SELECT trace FROM event WHERE id = 'e'", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(trace, None);
            let mut due = new
                .prepare(
                    "SELECT number, (SELECT count(*) FROM delivery INDEXED BY delivery_due
                         WHERE state = 'pending' AND claimed = 0 AND webhook = webhook.number),
                     (SELECT count(*) FROM delivery INDEXED BY delivery_leased WHERE claimed = 1 AND webhook = webhook.number)
                     FROM webhook ORDER BY number",
                )
                .unwrap();
            let due: Vec<(i64, i64, i64)> = due
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert_eq!(due, [(7, 1, 0), (8, 0, 1)]);
            let version: i64 = new
                .query_row("PRAGMA user_version", [], |row| row.get(0))
                .unwrap();
            assert_eq!(usize::try_from(version).unwrap(), MIGRATIONS.len());
        }
    }

    /// A file of the version before ids of events and headers were made small, with this many events of 100 deliveries each, all of
    /// which succeeded at once; the last ten retry, wait or were cancelled.
    fn large_old_file(path: &Path, events: i64) {
        let old = Connection::open(path).unwrap();
        old.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; BEGIN;")
            .unwrap();
        for step in &MIGRATIONS[..10] {
            old.execute_batch(step).unwrap();
        }
        old.execute_batch(&format!(
            r#"INSERT INTO webhook (number, provider, id, owner, url, enabled, created_at, updated_at)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
                 SELECT i, 'equals-money', 'w' || i, 'o', 'https://example.com', 1, 1, 1 FROM n;
             INSERT INTO event (number, id, provider, event_type, account_id, data, sequence, created_at, audience, matched, kept_since,
                 first_delivery)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {events})
                 SELECT i, 'evt_' || i, 'equals-money', 'BoxCredited', 'F1', '{{"n":' || i || '}}', 0, 1767225600000000 + i, 'account', 100,
                     1767225600000000 + i, i * 100
                 FROM n;
             INSERT INTO delivery (number, event, webhook, state, attempts, due_at, first_attempt_at, claimed, created_at, completed_at,
                 started_at, queue_us, first_byte_us, total_us, outcome, status, response_truncated, request_headers, response_headers,
                 response_body)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
                 SELECT event.number * 100 + i - 1, event.number, i, 'delivered', 1, event.created_at + 30000000, event.created_at, 0,
                     event.created_at, event.created_at + 900, event.created_at + 100, 200, 300, 400, 'answered', 200, 0,
                     '[["content-type","application/json"],["user-agent","truehook/0.1.0"],["x-em-signature","ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes="]]',
                     '[["content-length","0"]]', x''
                 FROM event CROSS JOIN n;
             UPDATE delivery SET state = 'pending', completed_at = NULL, outcome = 'timed-out', status = NULL
                 WHERE number > (SELECT max(number) - 4 FROM delivery);
             UPDATE delivery SET state = 'cancelled', outcome = 'failed', error = 'it broke'
                 WHERE number BETWEEN (SELECT max(number) - 9 FROM delivery) AND (SELECT max(number) - 4 FROM delivery);
             INSERT INTO attempt SELECT number, 2, started_at + 50, 1, NULL, NULL, 2, '[["x","1"]]', 'answered', 503, NULL, NULL, x'6869', 0,
                     '[["y","2"]]' FROM delivery WHERE state = 'pending';
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 10; COMMIT;"#
        ))
        .unwrap();
    }

    #[test]
    fn a_large_file_of_the_version_before_is_brought_up_to_date_and_reads_as_before() {
        const EVENTS: i64 = 1_000;
        let sealer = Sealer::new(&EncryptionKey::from_hex(&"01".repeat(32)).unwrap().into());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        large_old_file(&path, EVENTS);
        let new = open_writer(&path, &sealer, Purpose::Sandbox).unwrap();
        let count = |sql: &str| new.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM delivery"), EVENTS * 100);
        assert_eq!(count("SELECT count(*) FROM event"), EVENTS);
        assert_eq!(
            count("SELECT count(*) FROM delivery WHERE due_at IS NOT NULL"),
            4
        );
        let whole: String = new
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(whole, "ok");
        let ids = SealedIds::of(&new).unwrap();
        let time = |us: i64| jiff::Timestamp::from_microsecond(1_767_225_600_000_000 + us).unwrap();
        let history = |number: i64, event: i64| {
            let id = ids.seal(number, time(event));
            deliveries::delivery(&new, &ids, id).unwrap().unwrap()
        };
        let first = history(100, 1);
        assert_eq!(first.delivery.event_id, "evt_1");
        assert_eq!(first.delivery.completed_at, Some(time(1 + 900)));
        let [attempt] = &first.attempts[..] else {
            panic!("{:?}", first.attempts);
        };
        assert_eq!(attempt.started_at, time(1 + 100));
        assert_eq!(attempt.outcome.class(), "2xx");
        assert_eq!(attempt.request_headers.len(), 3);
        assert_eq!(attempt.request_headers[1].1, "truehook/0.1.0");
        assert_eq!(
            attempt.response_headers,
            [("content-length".to_owned(), "0".to_owned())]
        );
        let cancelled = history(EVENTS * 100 + 91, EVENTS);
        assert_eq!(cancelled.delivery.state.as_str(), "cancelled");
        assert_eq!(
            cancelled.attempts[0].outcome.error().as_deref(),
            Some("it broke")
        );
        let pending = history(EVENTS * 100 + 99, EVENTS);
        assert_eq!(pending.delivery.due_at, time(EVENTS + 30_000_000));
        assert_eq!(pending.delivery.last.unwrap().outcome.status(), Some(503));
        assert_eq!(pending.attempts.len(), 2);
        assert_eq!(pending.attempts[0].outcome.class(), "timeout");
        assert_eq!(
            pending.attempts[1].response_headers,
            [("y".to_owned(), "2".to_owned())]
        );
        let event = events::event(&new, &ids, "evt_1000").unwrap().unwrap();
        assert_eq!(
            (event.deliveries.delivered, event.deliveries.pending),
            (90, 4)
        );
    }
}

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
    use super::super::open::open_writer;
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
                        (8, 'conduit', 'b', 'o', NULL, 'https://example.com', 1, 1, 1);
                 INSERT INTO event (id, provider, event_type, data, sequence, created_at, audience, matched)
                 VALUES ('e', 'conduit', 'x', '{}', 1, 1, 'owner', 0);",
            )
            .unwrap();
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
            old.execute_batch(
                "INSERT INTO delivery (id, event, webhook, state, attempts, due_at, first_attempt_at, claimed, created_at)
                 VALUES (x'00000000000000000000000000000001', 1, 7, 'pending', 0, 5, NULL, 0, 1),
                        (x'00000000000000000000000000000002', 1, 8, 'pending', 1, 6, 1, 1, 1);
                 UPDATE webhook SET next_due = 5;",
            )
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
                 INSERT INTO event (id, provider, event_type, data, sequence, created_at, audience, matched)
                 VALUES ('f', 'acme', 'x', '{}', 1, 1, 'owner', 0);
                 INSERT INTO api_key (id, provider, owner, key_fingerprint, created_at)
                 VALUES ('k', 'acme', 'o', zeroblob(32), 1);
                 DELETE FROM webhook WHERE id = 'c'; DELETE FROM event WHERE id = 'f';",
            )
            .unwrap();
            for refused in [
                "UPDATE webhook SET enabled = 2",
                "UPDATE event SET audience = 'nobody'",
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
}

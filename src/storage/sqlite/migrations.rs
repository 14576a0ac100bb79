//! The statements that made the schema what it is.

/// Every version of the schema as a step from the one before. A step that has been released is never changed.
///
/// Checks say `=` and `OR`: for `IN` with more than two values SQLite makes a table of its own each time that a row is written.
pub(super) const MIGRATIONS: [&str; 12] = [
    "
    CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE api_key (
        id TEXT PRIMARY KEY,
        provider TEXT NOT NULL CHECK (provider = 'conduit' OR provider = 'equals-money' OR provider = 'operator'),
        owner TEXT NOT NULL,
        name TEXT,
        key_fingerprint BLOB NOT NULL CHECK (length(key_fingerprint) = 32),
        secret_fingerprint BLOB CHECK (length(secret_fingerprint) = 32),
        created_at INTEGER NOT NULL,
        revoked_at INTEGER,
        UNIQUE (provider, key_fingerprint)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE webhook (
        number INTEGER PRIMARY KEY,
        provider TEXT NOT NULL CHECK (provider IN ('conduit', 'equals-money')),
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        account_id TEXT,
        url TEXT NOT NULL,
        enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
        signing_secret BLOB,
        authorization_header BLOB,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL CHECK (updated_at >= created_at),
        -- Whether its deliveries wait (E-57).
        suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
        -- Kept after its end for the deliveries that it still has (C-39).
        deleted_at INTEGER,
        -- Not later than the earliest due_at of the deliveries that wait for it; NULL when none is to be claimed.
        next_due INTEGER
    ) STRICT;
    CREATE INDEX webhook_in_order ON webhook (provider, owner, created_at, id) WHERE deleted_at IS NULL;
    CREATE INDEX webhook_due ON webhook (next_due) WHERE next_due IS NOT NULL;

    CREATE TABLE subscription (
        webhook INTEGER NOT NULL REFERENCES webhook (number) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        PRIMARY KEY (webhook, position),
        UNIQUE (webhook, event_type)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX subscription_by_type ON subscription (event_type, webhook);

    CREATE TABLE event (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL CHECK (provider IN ('conduit', 'equals-money')),
        event_type TEXT NOT NULL,
        owner TEXT,
        account_id TEXT,
        data TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        audience TEXT NOT NULL CHECK (audience = 'owner' OR audience = 'account' OR audience = 'platform'),
        matched INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE sequence (
        provider TEXT NOT NULL,
        owner TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (provider, owner)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE delivery (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
        event INTEGER NOT NULL REFERENCES event (number),
        webhook INTEGER NOT NULL REFERENCES webhook (number),
        state TEXT NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'exhausted' OR state = 'cancelled'),
        attempts INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        first_attempt_at INTEGER,
        -- Whether an attempt was claimed and has no result yet.
        claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),
        -- Whether it is attempted once more by hand, whatever the schedule says.
        once INTEGER NOT NULL DEFAULT 0 CHECK (once IN (0, 1)),
        created_at INTEGER NOT NULL,
        completed_at INTEGER,
        UNIQUE (event, webhook)
    ) STRICT;
    CREATE INDEX delivery_due ON delivery (webhook, due_at) WHERE state = 'pending';
    CREATE INDEX delivery_of_webhook ON delivery (webhook);

    CREATE TABLE attempt (
        delivery INTEGER NOT NULL REFERENCES delivery (number) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        queue_us INTEGER NOT NULL,
        connect_us INTEGER,
        first_byte_us INTEGER,
        total_us INTEGER NOT NULL,
        request_headers TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome = 'answered' OR outcome = 'timed-out' OR outcome = 'refused' OR outcome = 'failed'),
        status INTEGER,
        retry_after_s INTEGER,
        error TEXT,
        response_body BLOB NOT NULL,
        response_truncated INTEGER NOT NULL CHECK (response_truncated IN (0, 1)),
        PRIMARY KEY (delivery, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE idempotency (
        caller TEXT NOT NULL,
        key TEXT NOT NULL,
        request BLOB NOT NULL CHECK (length(request) = 32),
        event_id TEXT NOT NULL,
        deliveries INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (caller, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_by_age ON idempotency (created_at);

    CREATE TABLE replay (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        provider TEXT,
        webhook_id TEXT,
        state TEXT,
        from_time INTEGER,
        to_time INTEGER,
        dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
        -- The last number that was looked at, and the last that belongs to the job.
        position INTEGER NOT NULL,
        last INTEGER NOT NULL,
        matched INTEGER NOT NULL,
        enqueued INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        finished_at INTEGER
    ) STRICT;
",
    // The account stands beside the type, so that an event finds its webhooks among any number of others; empty: every account.
    "
    CREATE TABLE wanted (
        webhook INTEGER NOT NULL REFERENCES webhook (number) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        account TEXT NOT NULL,
        PRIMARY KEY (webhook, position)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO wanted (webhook, position, event_type, account)
        SELECT subscription.webhook, position, event_type, coalesce(account_id, '')
        FROM subscription JOIN webhook ON webhook.number = subscription.webhook;
    DROP TABLE subscription;
    ALTER TABLE wanted RENAME TO subscription;
    CREATE UNIQUE INDEX subscription_by_type ON subscription (event_type, account, webhook);
",
    // The span of the publication, as a W3C `traceparent`; NULL without traces.
    "
    ALTER TABLE event ADD COLUMN trace TEXT CHECK (length(trace) = 55);
",
    // Waiting deliveries stand in one order for each webhook; those that are being attempted, in one for all, at whose end each attempt is
    // put: an attempt that goes well does not touch the queue of its webhook, which is a page of its own for each.
    "
    DROP INDEX delivery_due;
    CREATE INDEX delivery_due ON delivery (webhook, due_at) WHERE state = 'pending' AND claimed = 0;
    CREATE INDEX delivery_leased ON delivery (due_at) WHERE claimed = 1;
",
    // Retention is counted in steady time, and `created_at` is what the clock on the wall showed. NULL in rows from before: the same.
    "
    CREATE TABLE clock (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        steady INTEGER NOT NULL,
        real INTEGER NOT NULL
    ) STRICT;
    ALTER TABLE event ADD COLUMN kept_since INTEGER;
    ALTER TABLE idempotency ADD COLUMN kept_since INTEGER;
    UPDATE idempotency SET kept_since = created_at;
    DROP INDEX idempotency_by_age;
    CREATE INDEX idempotency_by_age ON idempotency (kept_since);
",
    // Which providers there are is not for storage to know. A check is not part of a row, so taking it away needs no new table
    // (https://www.sqlite.org/lang_altertable.html, 7): a file with millions of events is changed as quickly as an empty one.
    "
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(replace(sql,
        ' CHECK (provider = ''conduit'' OR provider = ''equals-money'' OR provider = ''operator'')', ''),
        ' CHECK (provider IN (''conduit'', ''equals-money''))', '')
    WHERE type = 'table' AND name IN ('api_key', 'webhook', 'event');
    PRAGMA writable_schema = RESET;
",
    // For the operator's page: the headers of answers (JSON, as those of requests; NULL before), and why a publication went
    // to fewer webhooks than subscribe to its type. The numbers of events are never given twice, so that a reader can go on behind one.
    "
    ALTER TABLE attempt ADD COLUMN response_headers TEXT;
    ALTER TABLE idempotency ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE idempotency ADD COLUMN other_account INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE idempotency ADD COLUMN other_owner INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE last_purged (event INTEGER NOT NULL) STRICT;
    INSERT INTO last_purged (event) VALUES (0);
",
    // A retry by hand of a pending delivery is an attempt beside the schedule: how many there were, and when the retry is due that the
    // last one came before.
    "
    ALTER TABLE delivery ADD COLUMN manual INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE delivery ADD COLUMN resume_at INTEGER;
",
    // A delivery that succeeds at once is one row and one entry of an index: its first attempt stands in the row, its id is computed from
    // its number, and those of an event follow each other, so that the event says which they are. Numbers are never given twice, because
    // ids are made of them. Rows and attempts from before stay as they are. Foreign keys are off meanwhile, or dropping the table would
    // delete the attempts.
    "
    CREATE TABLE new_delivery (
        number INTEGER PRIMARY KEY,
        -- NULL: computed from number and time.
        id BLOB CHECK (length(id) = 16),
        event INTEGER NOT NULL,
        webhook INTEGER NOT NULL REFERENCES webhook (number),
        state TEXT NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'exhausted' OR state = 'cancelled'),
        attempts INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        first_attempt_at INTEGER,
        -- Whether an attempt was claimed and has no result yet.
        claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),
        -- Whether it is attempted once more by hand, whatever the schedule says.
        once INTEGER NOT NULL DEFAULT 0 CHECK (once IN (0, 1)),
        created_at INTEGER NOT NULL,
        completed_at INTEGER,
        -- How many attempts by hand there were while it was pending, and when the retry is due that the last one came before.
        manual INTEGER NOT NULL DEFAULT 0,
        resume_at INTEGER,
        -- Its first attempt, once it has a result, in the columns of the table attempt.
        started_at INTEGER,
        queue_us INTEGER,
        connect_us INTEGER,
        first_byte_us INTEGER,
        total_us INTEGER,
        outcome TEXT CHECK (outcome = 'answered' OR outcome = 'timed-out' OR outcome = 'refused' OR outcome = 'failed'),
        status INTEGER,
        retry_after_s INTEGER,
        error TEXT,
        response_truncated INTEGER CHECK (response_truncated IN (0, 1)),
        request_headers TEXT,
        response_headers TEXT,
        response_body BLOB
    ) STRICT;
    INSERT INTO new_delivery (number, id, event, webhook, state, attempts, due_at, first_attempt_at, claimed, once, created_at,
            completed_at, manual, resume_at)
        SELECT number, id, event, webhook, state, attempts, due_at, first_attempt_at, claimed, once, created_at, completed_at, manual,
            resume_at
        FROM delivery ORDER BY number;
    ALTER TABLE event ADD COLUMN first_delivery INTEGER;
    UPDATE event SET first_delivery = (SELECT min(number) FROM delivery WHERE event = event.number) WHERE matched > 0;
    ALTER TABLE last_purged ADD COLUMN delivery INTEGER NOT NULL DEFAULT 0;
    DROP TABLE delivery;
    ALTER TABLE new_delivery RENAME TO delivery;
    CREATE INDEX delivery_due ON delivery (webhook, due_at) WHERE state = 'pending' AND claimed = 0;
    CREATE INDEX delivery_leased ON delivery (due_at) WHERE claimed = 1;
    CREATE INDEX delivery_of_webhook ON delivery (webhook);
    CREATE UNIQUE INDEX delivery_by_id ON delivery (id) WHERE id IS NOT NULL;

    -- Another value with each change of what decides who gets an event and how.
    INSERT INTO meta (name, value) VALUES ('webhooks', randomblob(8));
    CREATE TRIGGER webhook_added AFTER INSERT ON webhook BEGIN
        UPDATE meta SET value = randomblob(8) WHERE name = 'webhooks';
    END;
    CREATE TRIGGER webhook_changed AFTER UPDATE OF number, id, provider, owner, account_id, url, enabled, signing_secret,
            authorization_header, suspended, deleted_at ON webhook BEGIN
        UPDATE meta SET value = randomblob(8) WHERE name = 'webhooks';
    END;
    CREATE TRIGGER webhook_removed AFTER DELETE ON webhook BEGIN
        UPDATE meta SET value = randomblob(8) WHERE name = 'webhooks';
    END;
    CREATE TRIGGER subscription_added AFTER INSERT ON subscription BEGIN
        UPDATE meta SET value = randomblob(8) WHERE name = 'webhooks';
    END;
    CREATE TRIGGER subscription_changed AFTER UPDATE ON subscription BEGIN
        UPDATE meta SET value = randomblob(8) WHERE name = 'webhooks';
    END;
    CREATE TRIGGER subscription_removed AFTER DELETE ON subscription BEGIN
        UPDATE meta SET value = randomblob(8) WHERE name = 'webhooks';
    END;
",
    // A delivery that succeeds at once is written once, with its result. Until then it is in this row of its publication.
    "
    CREATE TABLE in_flight (
        -- The number of the first delivery; the others follow it.
        first INTEGER PRIMARY KEY,
        event INTEGER NOT NULL,
        -- The numbers of the webhooks, each in 8 bytes.
        webhooks BLOB NOT NULL,
        -- How many of the deliveries have no row.
        open INTEGER NOT NULL CHECK (open > 0),
        due_at INTEGER NOT NULL,
        first_attempt_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
",
    // What is known from elsewhere is not stored again: ids of events are computed like those of deliveries, events have kinds, headers
    // of attempts have shapes that many of them share, times are told from when the event or delivery was made, and a delivery that has
    // ended is never due. Rows from before keep their ids and their headers, which are JSON.
    "
    CREATE TABLE header_shape (
        number INTEGER PRIMARY KEY,
        -- Whether it is of the headers of answers, and not of requests.
        of_answer INTEGER NOT NULL CHECK (of_answer IN (0, 1)),
        -- A line for each header: `name=value`, or `name:form`, whose value stands with the attempt.
        shape TEXT NOT NULL,
        UNIQUE (of_answer, shape)
    ) STRICT;

    -- What the events of one type have in common. Types are those of catalogues, so there are few.
    CREATE TABLE event_kind (
        number INTEGER PRIMARY KEY,
        provider TEXT NOT NULL,
        event_type TEXT NOT NULL,
        audience TEXT NOT NULL CHECK (audience = 'owner' OR audience = 'account' OR audience = 'platform'),
        UNIQUE (provider, event_type, audience)
    ) STRICT;
    INSERT INTO event_kind (provider, event_type, audience) SELECT DISTINCT provider, event_type, audience FROM event;

    CREATE TABLE new_event (
        number INTEGER PRIMARY KEY,
        -- NULL: computed from number and time.
        id TEXT,
        kind INTEGER NOT NULL,
        owner TEXT,
        account_id TEXT,
        data TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        matched INTEGER NOT NULL,
        trace TEXT CHECK (length(trace) = 55),
        -- How much later than created_at the steady time was from which retention counts.
        kept_us INTEGER NOT NULL,
        first_delivery INTEGER
    ) STRICT;
    INSERT INTO new_event (number, id, kind, owner, account_id, data, sequence, created_at, matched, trace, kept_us, first_delivery)
        SELECT event.number, id, kind.number, owner, account_id, data, sequence, created_at, matched, trace,
            coalesce(kept_since - created_at, 0), first_delivery
        FROM event JOIN event_kind AS kind USING (provider, event_type, audience) ORDER BY event.number;
    DROP TABLE event;
    ALTER TABLE new_event RENAME TO event;
    CREATE UNIQUE INDEX event_by_id ON event (id) WHERE id IS NOT NULL;

    CREATE TABLE new_delivery (
        number INTEGER PRIMARY KEY,
        -- NULL: computed from number and time.
        id BLOB CHECK (length(id) = 16),
        event INTEGER NOT NULL,
        webhook INTEGER NOT NULL REFERENCES webhook (number),
        state TEXT NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'exhausted' OR state = 'cancelled'),
        attempts INTEGER NOT NULL,
        -- NULL: it ended before it was due again.
        due_at INTEGER CHECK (due_at IS NOT NULL OR state <> 'pending'),
        -- The steady time in which its first attempt was claimed, after created_at.
        first_attempt_us INTEGER,
        -- Whether an attempt was claimed and has no result yet.
        claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),
        -- Whether it is attempted once more by hand, whatever the schedule says.
        once INTEGER NOT NULL DEFAULT 0 CHECK (once IN (0, 1)),
        created_at INTEGER NOT NULL,
        -- When it ended, after created_at.
        completed_us INTEGER,
        -- How many attempts by hand there were while it was pending, and when the retry is due that the last one came before.
        manual INTEGER NOT NULL DEFAULT 0,
        resume_at INTEGER,
        -- Its first attempt, once it has a result, in the columns of the table attempt; it began so long after created_at.
        started_us INTEGER,
        queue_us INTEGER,
        connect_us INTEGER,
        first_byte_us INTEGER,
        total_us INTEGER,
        -- NULL, where there is an attempt: answered.
        outcome TEXT CHECK (outcome = 'timed-out' OR outcome = 'refused' OR outcome = 'failed'),
        status INTEGER,
        retry_after_s INTEGER,
        error TEXT,
        response_truncated INTEGER CHECK (response_truncated IN (0, 1)),
        -- JSON in a text; or the number of a shape and the values.
        request_headers ANY,
        response_headers ANY,
        response_body BLOB
    ) STRICT;
    INSERT INTO new_delivery (number, id, event, webhook, state, attempts, due_at, first_attempt_us, claimed, once, created_at,
            completed_us, manual, resume_at, started_us, queue_us, connect_us, first_byte_us, total_us, outcome, status, retry_after_s,
            error, response_truncated, request_headers, response_headers, response_body)
        SELECT number, id, event, webhook, state, attempts, iif(state = 'pending', due_at, NULL),
            first_attempt_at - created_at, claimed, once, created_at, completed_at - created_at, manual, resume_at,
            started_at - created_at, queue_us, connect_us, first_byte_us, total_us, nullif(outcome, 'answered'), status, retry_after_s,
            error, response_truncated, request_headers, response_headers, response_body
        FROM delivery ORDER BY number;
    DROP TABLE delivery;
    ALTER TABLE new_delivery RENAME TO delivery;
    CREATE INDEX delivery_due ON delivery (webhook, due_at) WHERE state = 'pending' AND claimed = 0;
    CREATE INDEX delivery_leased ON delivery (due_at) WHERE claimed = 1;
    CREATE INDEX delivery_of_webhook ON delivery (webhook);
    CREATE UNIQUE INDEX delivery_by_id ON delivery (id) WHERE id IS NOT NULL;

    -- The type of a column is no part of a row either.
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(replace(sql,
        'request_headers TEXT NOT NULL', 'request_headers ANY NOT NULL'), 'response_headers TEXT', 'response_headers ANY')
    WHERE type = 'table' AND name = 'attempt';
    PRAGMA writable_schema = RESET;
",
    // Lists of what failed: few among many. An entry is made when a delivery is given up, and costs the others nothing.
    "
    CREATE INDEX delivery_given_up ON delivery (state) WHERE state IN ('exhausted', 'cancelled');
    CREATE INDEX delivery_given_up_of_webhook ON delivery (webhook, state) WHERE state IN ('exhausted', 'cancelled');
",
];

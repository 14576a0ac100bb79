//! Where claims begin to look.
//!
//! While a transaction is left open anywhere in the cluster nothing can be vacuumed: what was claimed and recorded since stays in the
//! indexes, at the times when it was due, and so does every old version of a `lane`. A claim that began at the beginning would go over
//! all of it. So each node remembers up to which time it has claimed everything, and looks from there, and it writes a busy lane about
//! once a second instead of with each claim. What was committed late, by this node or another, lies before those times: a lane is looked
//! at from its stored time whenever it is written, and leases from the very beginning every few seconds, beside the claims.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::claimed::later;
use super::{Db, Result, query};
use crate::causes::with_causes;
use crate::storage::queue::ClaimTerms;

/// How many times a lane may be written at once, and how often after that.
const WRITES: u32 = 4;
const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// The part of a lease by which a claim looks before the remembered time: so late may commits come without a wait.
const LATE: i32 = 64;

/// The shortest pause between two searches for leases that ended before the remembered time. A pause is at least `LOOK_SHARE` times as long
/// as the search before it took.
const LOOK_PAUSE: Duration = Duration::from_secs(5);
const LOOK_SHARE: u32 = 20;

/// What this node remembers.
#[derive(Debug, Default)]
pub(super) struct Floors {
    lanes: Mutex<HashMap<i64, Lane>>,
    leases: Mutex<Leases>,
}

/// A lane that was claimed from within the last seconds.
#[derive(Debug)]
struct Lane {
    /// What falls due before this is claimed.
    floor: i64,
    drained: bool,
    /// How many times it may be written now, as of when.
    writes: u32,
    counted: Instant,
}

#[derive(Debug, Default)]
struct Leases {
    /// No claim whose lease ended before this is known of.
    floor: Option<i64>,
    /// No lease ends before this, as far as this node knows.
    next: Option<i64>,
}

/// How a lane is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// From which time on.
    pub(super) floor: i64,
    /// Whether the lane is written, so that its stored time is that of the earliest delivery that waits.
    pub(super) writes: bool,
}

impl Floors {
    fn lanes(&self) -> MutexGuard<'_, HashMap<i64, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How to look at a lane whose stored time is `stored`.
    pub(super) fn look(&self, lane: i64, stored: i64, terms: &ClaimTerms) -> Look {
        let now = Instant::now();
        let mut lanes = self.lanes();
        let Some(known) = lanes.get_mut(&lane) else {
            return Look {
                floor: stored,
                writes: true,
            };
        };
        let earned = now.duration_since(known.counted).as_secs() / WRITE_PAUSE.as_secs();
        if earned > 0 {
            known.writes = known
                .writes
                .saturating_add(u32::try_from(earned).unwrap_or(WRITES))
                .min(WRITES);
            known.counted = now;
        }
        let writes = known.writes > 0;
        let remembered = known.floor.saturating_sub(late(terms));
        Look {
            floor: if writes {
                stored
            } else {
                stored.max(remembered)
            },
            writes,
        }
    }

    /// A lane was looked at: the earliest delivery that goes on waiting falls due at `next`.
    pub(super) fn looked(&self, lane: i64, look: Look, next: Option<i64>, steady: i64) {
        let now = Instant::now();
        let mut lanes = self.lanes();
        let known = lanes.entry(lane).or_insert(Lane {
            floor: steady,
            drained: false,
            writes: WRITES,
            counted: now,
        });
        known.drained = next.is_none_or(|next| next > steady);
        // What comes from now on falls due from now on, or is told of.
        known.floor = next.map_or(steady, |next| next.min(steady));
        known.writes = known.writes.saturating_sub(u32::from(look.writes));
    }

    /// Something was queued for a lane that falls due at this time, which may be before what is remembered: a retry of a schedule that is
    /// behind. Told once it is committed, as a claim that runs meanwhile does not see it.
    pub(super) fn falls_due(&self, lane: i64, at: i64) {
        if let Some(known) = self.lanes().get_mut(&lane) {
            known.floor = known.floor.min(at);
        }
    }

    /// Whether nothing was due for a lane when it was looked at last, though its stored time may say otherwise.
    pub(super) fn is_drained(&self, lane: i64) -> bool {
        self.lanes().get(&lane).is_some_and(|known| known.drained)
    }

    /// Forgets lanes that may be written as often as ever: what is remembered stays as small as what is busy.
    pub(super) fn tidy(&self) {
        let now = Instant::now();
        self.lanes()
            .retain(|_, known| now.duration_since(known.counted) < WRITE_PAUSE * (WRITES + 1));
    }

    /// From which time on leases are to be looked at.
    pub(super) fn leases_from(&self) -> i64 {
        self.leases().floor.unwrap_or(i64::MIN)
    }

    /// All leases up to now were looked at, and every one that has ended is claimed again or ended at `left` at the earliest.
    pub(super) fn leases_looked(&self, left: Option<i64>, terms: &ClaimTerms) {
        let steady = terms.at.steady.as_microsecond();
        let floor = left.map_or(steady, |left| left.min(steady));
        self.leases().floor = Some(floor.saturating_sub(late(terms)));
    }

    /// Leases may have been ended early, or made with an end in the past: the next claim looks at all.
    pub(super) fn leases_changed(&self) {
        *self.leases() = Leases::default();
    }

    /// A lease was found that ended at this time.
    fn lease_ended(&self, at: i64) {
        let mut leases = self.leases();
        leases.floor = leases.floor.map(|floor| floor.min(at));
    }

    /// When the next lease ends at the earliest, where that is known.
    pub(super) fn next_lease(&self, steady: i64) -> Option<i64> {
        self.leases().next.filter(|next| *next > steady)
    }

    /// The next lease ends at this time; none is under way without.
    pub(super) fn lease_ends(&self, at: Option<i64>) {
        self.leases().next = at;
    }

    /// Forgets everything: a claim failed, and what it had looked at is still there.
    pub(super) fn forget(&self) {
        self.lanes().clear();
        self.leases_changed();
    }
}

/// How late a commit may come without a wait, in microseconds.
fn late(terms: &ClaimTerms) -> i64 {
    let since = later(Timestamp::UNIX_EPOCH, terms.lease / LATE);
    since.as_microsecond()
}

/// Looks for leases that have ended before what the claims look at, for ever.
pub(super) async fn look_for_ever(db: std::sync::Weak<Db>) {
    let mut pause = LOOK_PAUSE;
    loop {
        let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
        let Some(db) = db.upgrade() else {
            return;
        };
        db.floors.tidy();
        let began = Instant::now();
        match ended_before(&db).await {
            Ok(Some(at)) => db.floors.lease_ended(at),
            Ok(None) => {}
            // The callers of a database that is away hear of it.
            Err(error) => tracing::debug!(
                error = with_causes(&error),
                "it is not known which leases have ended"
            ),
        }
        pause = LOOK_PAUSE.max(began.elapsed() * LOOK_SHARE);
    }
}

async fn ended_before(db: &Db) -> Result<Option<i64>> {
    let floor = db.floors.leases_from();
    if floor == i64::MIN {
        return Ok(None);
    }
    let found = query(
        &db.client().await?,
        "SELECT min(pending.due_at) FROM pending JOIN lane ON lane.webhook = pending.webhook
         WHERE claimed AND pending.due_at < $1 AND NOT suspended",
        &[&floor],
    )
    .await?;
    Ok(found[0].try_get(0)?)
}

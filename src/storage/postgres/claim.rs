//! Claiming due deliveries for a while.
//!
//! A webhook with something waiting has a time in its `lane`. A claim locks the lanes that are due, passing over those that another
//! node has locked, and takes of each no more than it has free slots. So a claim costs as much as it claims, however long the queue of
//! one webhook is. A claimed delivery without a result at the end of its lease is found by its due time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deadpool_postgres::Transaction;
use futures_util::try_join;
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;

use super::candidate::{CANDIDATE_COLUMN_COUNT, CANDIDATE_COLUMNS, Candidate};
use super::claimed::{ClaimedRow, later, target_columns};
use super::floors::{Floors, Look};
use super::{Db, Result, query, rows, run_cached, sweep};
use crate::domain::Event;
use crate::storage::queue::ClaimTerms;
use crate::storage::targets::{SealedTarget, Targets};

/// How long to wait before looking again at a lane that another node had locked or that a claim had no room for.
const CONTENDED: SignedDuration = SignedDuration::from_millis(20);

/// The result of a claim.
#[derive(Default)]
pub(super) struct ClaimedRows {
    pub(super) rows: Vec<ClaimedRow>,
    pub(super) next_due_at: Option<Timestamp>,
    pub(super) left: Vec<i64>,
    pub(super) expired_leases: u64,
}

/// Moves due deliveries forward by the lease and counts an attempt for each.
pub(super) async fn claim(db: &Db, terms: &ClaimTerms) -> Result<ClaimedRows> {
    let claimed = attempt(db, terms).await;
    if claimed.is_err() {
        db.floors.forget();
    }
    claimed
}

async fn attempt(db: &Db, terms: &ClaimTerms) -> Result<ClaimedRows> {
    let mut client = db.client().await?;
    let tx = client.transaction().await?;
    sweep::sweep(db, &tx, terms.at.steady).await?;
    let mut claim = Claim {
        tx: &tx,
        terms,
        steady: terms.at.steady.as_microsecond(),
        events: HashMap::new(),
        given_up: Vec::new(),
        taken: Vec::new(),
        found: ClaimedRows::default(),
        limited: false,
        contended: false,
        passed_over: false,
        unwritten: None,
        floors: &db.floors,
        targets: &db.targets,
    };
    claim.expired().await?;
    claim.waiting().await?;
    claim.write().await?;
    let next = claim.next_due_at().await?;
    let mut found = claim.found;
    tx.commit().await?;
    // What is known to be due by now is found by the next sweep, so there is to be one at once.
    let handed_over = db.sweep.next().map(|at| at.max(terms.at.steady));
    found.next_due_at = [next, handed_over].into_iter().flatten().min();
    Ok(found)
}

/// A claim while it is made.
struct Claim<'c> {
    tx: &'c Transaction<'c>,
    terms: &'c ClaimTerms,
    /// The steady time.
    steady: i64,
    /// The events that were read: many deliveries are of one event.
    events: HashMap<i64, Arc<Event>>,
    given_up: Vec<i64>,
    taken: Vec<Candidate>,
    found: ClaimedRows,
    /// Whether something is due that was beyond the limit.
    limited: bool,
    /// Whether another node was at work on a lane that is due.
    contended: bool,
    /// Whether there was no room to look at a lane that may be due.
    passed_over: bool,
    /// When something falls due in a lane whose stored time does not say so.
    unwritten: Option<i64>,
    floors: &'c Floors,
    targets: &'c Targets,
}

impl Claim<'_> {
    /// Claims again what was claimed before and has no result at the end of its lease. That is never much: what was under way when a
    /// process died, or was too slow.
    async fn expired(&mut self) -> Result<()> {
        let without_slots: Vec<i64> = Vec::new();
        let limit = self.with_next();
        let from = self.floors.leases_from();
        let mut found = self.expired_but_for(&without_slots, from, limit).await?;
        let mut without_slot = HashSet::new();
        let mut left: Option<i64> = None;
        let mut leave = |at: i64| left = Some(left.map_or(at, |left: i64| left.min(at)));
        loop {
            self.read_events(&found).await?;
            let full = found.len() > self.room();
            for (candidate, target) in found {
                if self.room() == 0 {
                    self.limited = true;
                    leave(candidate.due_at);
                    break;
                }
                let late = self.is_late(&candidate);
                if without_slot.contains(&candidate.lane) {
                    leave(candidate.due_at);
                    continue;
                }
                if late {
                    self.given_up.push(candidate.number);
                } else if self.terms.slots.take(candidate.lane) {
                    self.found.expired_leases += 1;
                    self.take(candidate, &target)?;
                } else {
                    leave(candidate.due_at);
                    without_slot.insert(candidate.lane);
                }
            }
            // Behind those that have no slot there may be others.
            if !full || self.limited || without_slot.is_empty() {
                break;
            }
            let passed_over: Vec<i64> = without_slot.iter().copied().collect();
            let limit = self.with_next();
            found = self.expired_but_for(&passed_over, from, limit).await?;
            let taken: HashSet<i64> = self.taken.iter().map(|taken| taken.number).collect();
            let given_up: HashSet<i64> = self.given_up.iter().copied().collect();
            found
                .retain(|(one, _)| !taken.contains(&one.number) && !given_up.contains(&one.number));
            if found.is_empty() {
                break;
            }
        }
        self.found.left.extend(without_slot);
        self.floors.leases_looked(left, self.terms);
        Ok(())
    }

    async fn expired_but_for(
        &self,
        lanes: &[i64],
        from: i64,
        limit: i64,
    ) -> Result<Vec<(Candidate, Arc<SealedTarget>)>> {
        // More by what this claim has already, which is still there for it.
        let limit = limit + rows::stored(self.taken.len() as u64 + self.given_up.len() as u64);
        let found = query(
            self.tx,
            &format!(
                "SELECT {CANDIDATE_COLUMNS}, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header
                 FROM pending JOIN webhook ON webhook.number = pending.webhook JOIN lane ON lane.webhook = pending.webhook
                 WHERE pending.claimed AND pending.due_at BETWEEN $4 AND $1 AND NOT lane.suspended AND pending.webhook <> ALL ($2)
                 ORDER BY pending.due_at LIMIT $3 FOR UPDATE OF pending SKIP LOCKED"
            ),
            &[&self.steady, &lanes, &limit, &from],
        )
        .await?;
        let read = |row: &Row| {
            let candidate = Candidate::read(row)?;
            let columns = target_columns(row, candidate.lane, CANDIDATE_COLUMN_COUNT)?;
            Ok((candidate, self.targets.get(&columns)))
        };
        found.iter().map(read).collect()
    }

    /// Claims what waits, webhook by webhook.
    async fn waiting(&mut self) -> Result<()> {
        let room = self.room();
        if room == 0 {
            let due = query(
                self.tx,
                "SELECT EXISTS (SELECT 1 FROM lane WHERE next_due <= $1)",
                &[&self.steady],
            )
            .await?;
            self.limited |= due[0].try_get::<_, bool>(0)?;
            return Ok(());
        }
        // Without a lock: most may have no slot, and a lock is a write.
        let found = query(
            self.tx,
            "SELECT webhook FROM lane WHERE next_due <= $1 ORDER BY next_due",
            &[&self.steady],
        )
        .await?;
        let (mut drained, mut due) = (Vec::new(), Vec::new());
        for row in found {
            let lane: i64 = row.try_get(0)?;
            if self.floors.is_drained(lane) {
                drained.push(lane);
            } else {
                due.push(lane);
            }
        }
        let mut wanted: Vec<i64> = Vec::new();
        for (place, lane) in due.iter().chain(&drained).copied().enumerate() {
            if wanted.len() == room {
                self.limited |= place < due.len();
                self.passed_over = true;
                break;
            }
            if self.terms.slots.take(lane) {
                wanted.push(lane);
            } else {
                self.found.left.push(lane);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let (mut lanes, mut looks, mut targets) = (Vec::new(), Vec::new(), HashMap::new());
        let locked = query(
            self.tx,
            "SELECT webhook.number, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header, lane.next_due
             FROM lane JOIN webhook ON webhook.number = lane.webhook
             WHERE lane.webhook = ANY ($1) AND lane.next_due <= $2 ORDER BY lane.next_due FOR UPDATE OF lane SKIP LOCKED",
            &[&wanted, &self.steady],
        )
        .await?;
        for row in locked {
            let lane: i64 = row.try_get(0)?;
            lanes.push(lane);
            looks.push(self.floors.look(lane, row.try_get(5)?, self.terms));
            targets.insert(lane, self.targets.get(&target_columns(&row, lane, 1)?));
        }
        for lane in wanted.iter().filter(|lane| !targets.contains_key(lane)) {
            self.terms.slots.give_back(*lane);
            self.contended = true;
        }
        if lanes.is_empty() {
            return Ok(());
        }
        let mut of_lane: HashMap<i64, Vec<Candidate>> = HashMap::new();
        // The share of one webhook; the next claim, which follows at once, gives it more.
        let share = (room / lanes.len()).max(1);
        // One slot is taken already.
        let most: Vec<usize> = lanes
            .iter()
            .map(|lane| self.terms.slots.free(*lane).saturating_add(1).min(share))
            .collect();
        for candidate in self.candidates(&lanes, &looks, &most).await? {
            of_lane.entry(candidate.lane).or_default().push(candidate);
        }
        let (mut written, mut next_due) = (Vec::new(), Vec::new());
        for ((lane, look), most) in lanes.iter().zip(looks).zip(most) {
            let candidates = of_lane.remove(lane).unwrap_or_default();
            let next = self.waiting_for(*lane, candidates, most, &targets[lane])?;
            if look.writes {
                written.push(*lane);
                next_due.push(next);
            } else {
                self.unwritten = [self.unwritten, next].into_iter().flatten().min();
            }
            self.floors.looked(*lane, look, next, self.steady);
        }
        if written.is_empty() {
            return Ok(());
        }
        run_cached(
            self.tx,
            "UPDATE lane SET next_due = new.next_due FROM unnest($1::bigint[], $2::bigint[]) AS new (webhook, next_due)
             WHERE lane.webhook = new.webhook",
            &[&written, &next_due],
        )
        .await?;
        Ok(())
    }

    /// The deliveries that wait longest for each of these webhooks: one more than each may take, which tells that more is due.
    async fn candidates(
        &mut self,
        lanes: &[i64],
        looks: &[Look],
        most: &[usize],
    ) -> Result<Vec<Candidate>> {
        let floors: Vec<i64> = looks.iter().map(|look| look.floor).collect();
        let most: Vec<i64> = most
            .iter()
            .map(|most| i64::try_from(*most).unwrap_or(i64::MAX).saturating_add(1))
            .collect();
        let found = query(
            self.tx,
            &format!(
                "SELECT {CANDIDATE_COLUMNS} FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS due (lane, floor, most)
                 CROSS JOIN LATERAL (
                     SELECT number, id, attempts, due_at, first_attempt_at, once, event, manual, resume_at, webhook FROM pending
                     WHERE pending.webhook = due.lane AND NOT pending.claimed AND pending.due_at >= due.floor
                     ORDER BY due_at LIMIT due.most FOR UPDATE SKIP LOCKED
                 ) AS pending"
            ),
            &[&lanes, &floors, &most],
        )
        .await?;
        let found: Result<Vec<Candidate>> = found.iter().map(Candidate::read).collect();
        let found = found?;
        let events: Vec<i64> = found.iter().map(|candidate| candidate.event).collect();
        self.load_events(events).await?;
        Ok(found)
    }

    /// Claims of one webhook what it has slots for; gives the earliest time of those that go on waiting. One slot is taken already, and
    /// given back when nothing was there to claim.
    fn waiting_for(
        &mut self,
        lane: i64,
        candidates: Vec<Candidate>,
        most: usize,
        target: &Arc<SealedTarget>,
    ) -> Result<Option<i64>> {
        let mut slot = true;
        let mut next_due = None;
        for (count, candidate) in candidates.into_iter().enumerate() {
            let due_at = candidate.due_at;
            next_due = Some(due_at);
            if due_at > self.steady {
                break;
            }
            if count == most || self.room() == 0 {
                // A slot may have come back since they were counted: then the next claim takes this one, at once.
                if self.room() > 0 && !slot && !self.terms.slots.take(lane) {
                    self.found.left.push(lane);
                } else {
                    if self.room() > 0 && !slot {
                        self.terms.slots.give_back(lane);
                    }
                    self.limited = true;
                }
                break;
            }
            if self.is_late(&candidate) {
                self.given_up.push(candidate.number);
            } else {
                if !slot && !self.terms.slots.take(lane) {
                    self.found.left.push(lane);
                    break;
                }
                slot = false;
                self.take(candidate, target)?;
            }
            next_due = None;
        }
        if slot {
            self.terms.slots.give_back(lane);
        }
        Ok(next_due)
    }

    /// Returns how many more deliveries it may take. Those that are given up count too, so that no claim is long.
    fn room(&self) -> usize {
        let taken = self.found.rows.len() + self.given_up.len();
        self.terms.limit.saturating_sub(taken)
    }

    fn with_next(&self) -> i64 {
        i64::try_from(self.room()).unwrap_or(i64::MAX - 1) + 1
    }

    fn is_late(&self, candidate: &Candidate) -> bool {
        let first = candidate.first_attempt_at.unwrap_or(self.terms.at.steady);
        let Some(event) = self.events.get(&candidate.event) else {
            return false;
        };
        !candidate.once && self.terms.at.steady > (self.terms.gives_up_at)(event.provider, first)
    }

    async fn read_events(&mut self, found: &[(Candidate, Arc<SealedTarget>)]) -> Result<()> {
        let events = found.iter().map(|(candidate, _)| candidate.event);
        self.load_events(events.collect()).await
    }

    async fn load_events(&mut self, mut numbers: Vec<i64>) -> Result<()> {
        numbers.retain(|number| !self.events.contains_key(number));
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            return Ok(());
        }
        let found = query(
            self.tx,
            &format!(
                "SELECT {}, event.number FROM unnest($1::bigint[]) AS wanted (number) JOIN event ON event.number = wanted.number",
                rows::EVENT_COLUMNS
            ),
            &[&numbers],
        )
        .await?;
        for row in found {
            let number = row.try_get(rows::EVENT_COLUMN_COUNT)?;
            self.events.insert(number, Arc::new(rows::event(&row, 0)?));
        }
        Ok(())
    }

    /// Claims a delivery that has a slot.
    fn take(&mut self, candidate: Candidate, target: &Arc<SealedTarget>) -> Result<()> {
        let Some(event) = self.events.get(&candidate.event) else {
            // Its event was deleted, which never happens while it is pending.
            self.terms.slots.give_back(candidate.lane);
            return Ok(());
        };
        self.found.rows.push(ClaimedRow {
            number: candidate.number,
            id: candidate.id,
            attempt: candidate.attempts + 1,
            due_at: rows::time(candidate.due_at)?,
            first_attempt_at: candidate.first_attempt_at.unwrap_or(self.terms.at.steady),
            once: candidate.once,
            manual: candidate.manual,
            resume_at: candidate.resume_at,
            target: target.clone(),
            event: event.clone(),
        });
        self.taken.push(candidate);
        Ok(())
    }

    async fn write(&self) -> Result<()> {
        let claimed = async {
            if self.taken.is_empty() {
                return Ok(());
            }
            let numbers: Vec<i64> = self.taken.iter().map(|taken| taken.number).collect();
            let lease_end = later(self.terms.at.steady, self.terms.lease).as_microsecond();
            run_cached(
                self.tx,
                "UPDATE pending SET attempts = attempts + 1, due_at = $2, first_attempt_at = coalesce(first_attempt_at, $3), claimed = true
                 WHERE number = ANY ($1)",
                &[&numbers, &lease_end, &self.steady],
            )
            .await
            .map(drop)
        };
        let given_up = async {
            if self.given_up.is_empty() {
                return Ok(());
            }
            run_cached(
                self.tx,
                super::queue::END_PENDING_BY_NUMBER,
                &[
                    &self.given_up,
                    &"exhausted",
                    &self.terms.at.now.as_microsecond(),
                ],
            )
            .await
            .map(drop)
        };
        try_join!(claimed, given_up)?;
        Ok(())
    }

    /// When something falls due that was not claimed now.
    async fn next_due_at(&self) -> Result<Option<Timestamp>> {
        // A claim that took nothing would take nothing again at once: the lanes before the one that it passed over are still there.
        let took = !self.taken.is_empty() || !self.given_up.is_empty();
        if self.limited || (self.passed_over && took) {
            return Ok(Some(self.terms.at.steady));
        }
        let next_lease = self.floors.next_lease(self.steady);
        let found = query(
            self.tx,
            "SELECT (SELECT min(next_due) FROM lane WHERE next_due > $1),
                 CASE WHEN $2 THEN (SELECT min(due_at) FROM pending WHERE claimed AND due_at > $1) END",
            &[&self.steady, &next_lease.is_none()],
        )
        .await?;
        let lease = match next_lease {
            Some(known) => Some(known),
            None => {
                let lease = found[0].try_get(1)?;
                self.floors.lease_ends(lease);
                lease
            }
        };
        let unwritten = [self.unwritten, lease].into_iter().flatten().min();
        let unwritten = unwritten.map(rows::time).transpose()?;
        let next = rows::optional_time(&found[0], 0)?;
        let again =
            (self.contended || self.passed_over).then(|| later(self.terms.at.steady, CONTENDED));
        Ok([next, unwritten, again].into_iter().flatten().min())
    }
}

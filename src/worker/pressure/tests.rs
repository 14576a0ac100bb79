//! Tests of what holds publishers back: who is held, who is not, and what is forgotten.

use super::*;

const TARGET: Duration = Duration::from_millis(100);

fn after(begin: Instant, milliseconds: u64) -> Instant {
    begin + Duration::from_millis(milliseconds)
}

impl Pressure {
    /// A publication with a delivery for each of these webhooks, none of which has a slot.
    fn stored(&self, lanes: Vec<i64>, now: Instant) -> Option<oneshot::Receiver<()>> {
        for lane in &lanes {
            self.waits(*lane, now);
        }
        self.hold(lanes, now)
    }
}

fn is_held(held: &mut oneshot::Receiver<()>) -> bool {
    matches!(held.try_recv(), Err(oneshot::error::TryRecvError::Empty))
}

#[test]
fn a_publication_is_held_while_more_waits_than_may_and_released_when_enough_has_left() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 3, begin);
    for _ in 0..3 {
        assert!(pressure.stored(vec![1], begin).is_none());
    }
    let mut first = pressure.stored(vec![1], begin).unwrap();
    let mut second = pressure.stored(vec![1], begin).unwrap();
    pressure.began([1, 1].into_iter(), 0, after(begin, 1));
    assert!(is_held(&mut first), "as much waits as may");
    pressure.began([1].into_iter(), 0, after(begin, 2));
    assert!(!is_held(&mut first), "it waits still");
    assert!(is_held(&mut second), "both were released for one that left");
    pressure.began([1, 1].into_iter(), 0, after(begin, 3));
    assert!(!is_held(&mut second));
    assert!(pressure.is_idle());
}

#[test]
fn as_much_may_wait_as_leaves_within_the_target() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 1, begin);
    // 10,000 a second, until the estimate has settled.
    for window in 1..=40 {
        pressure.began([].into_iter(), 500, after(begin, 50 * window));
    }
    let now = after(begin, 2_000);
    let mut free = 0;
    while pressure.stored(vec![1], now).is_none() {
        free += 1;
    }
    assert!((990..=1_000).contains(&free), "{free}");
}

#[test]
fn a_receiver_that_hangs_fails_or_is_slow_holds_no_publication() {
    let begin = Instant::now();
    for (case, took, accepted) in [
        ("hangs", None, true),
        ("fails", Some(1), false),
        ("is slow", Some(150), true),
    ] {
        let pressure = Pressure::new(TARGET, 1, begin);
        assert!(pressure.stored(vec![1], begin).is_none());
        let mut held = pressure.stored(vec![1], begin).unwrap();
        let mut now = after(begin, 50);
        match took {
            Some(took) => pressure.answered(1, Duration::from_millis(took), accepted),
            None => now = after(begin, 201),
        }
        pressure.look(now);
        assert!(!is_held(&mut held), "{case}");
        for _ in 0..100 {
            assert!(pressure.stored(vec![1], now).is_none(), "{case}");
            assert!(pressure.admit(now).is_ok(), "{case}");
        }
        // Others are held for what waits for them alone, and not for what waits for it.
        assert!(pressure.stored(vec![2], now).is_none(), "{case}");
        let mut held = pressure.stored(vec![1, 2], now).expect(case);
        pressure.began([2].into_iter(), 0, now);
        assert!(is_held(&mut held), "{case}");
        pressure.began([2].into_iter(), 0, now);
        assert!(!is_held(&mut held), "{case}");
    }
}

#[test]
fn a_receiver_that_recovers_counts_again() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 1, begin);
    pressure.stored(vec![1], begin);
    pressure.answered(1, Duration::from_millis(1), false);
    assert!(pressure.stored(vec![1], after(begin, 50)).is_none());
    pressure.answered(1, Duration::from_millis(1), true);
    assert!(pressure.stored(vec![1], after(begin, 100)).is_some());
}

#[test]
fn publications_are_refused_when_ten_times_as_much_waits() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 10, begin);
    let held: Vec<_> = (0..100).map(|_| pressure.stored(vec![1], begin)).collect();
    assert!(pressure.admit(begin).is_ok());
    let more = pressure.stored(vec![1], begin);
    assert_eq!(pressure.admit(begin), Err(Overloaded { retry_after: 60 }));
    pressure.began([1].into_iter(), 0, begin);
    assert!(pressure.admit(begin).is_ok());
    drop((held, more));
}

#[test]
fn what_other_nodes_claim_leaves_and_what_they_store_waits() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 3, begin);
    let mut held: Vec<_> = (0..5)
        .filter_map(|_| pressure.stored(vec![1], begin))
        .collect();
    assert_eq!(held.len(), 2);
    assert_eq!(pressure.begin_correction(), [1]);
    // Stored while the database counts: whether it is among them is not known, so it waits.
    held.extend(pressure.stored(vec![1], begin));
    let found = |lane, count| Waiting {
        lane,
        count,
        answered: None,
    };
    pressure.correct(&[found(1, 2)], after(begin, 1));
    assert_eq!((held.len(), pressure.state().waiting), (3, 3));
    assert!(held.iter_mut().all(is_held), "as much waits as may");
    pressure.begin_correction();
    pressure.correct(&[found(1, 0)], after(begin, 100));
    assert!(!held.iter_mut().any(is_held));
    assert!(pressure.is_idle());
    assert!(
        pressure.state().rate > 0.0,
        "what left through others counts"
    );

    pressure.stored(vec![1], after(begin, 100));
    pressure.begin_correction();
    pressure.correct(&[found(1, 1_000), found(2, 9)], after(begin, 101));
    assert!(pressure.stored(vec![1], after(begin, 102)).is_some());
    assert!(pressure.admit(after(begin, 102)).is_err());
    // More may be claimed here than is known of.
    pressure.begin_correction();
    pressure.correct(&[found(1, 1)], after(begin, 103));
    pressure.began([1, 1, 1].into_iter(), 0, after(begin, 104));
    assert!(pressure.is_idle());
}

#[test]
fn what_is_added_while_the_database_counts_has_not_left_when_it_counts_again() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 1, begin);
    let mut now = begin;
    let mut count = 0;
    for round in 0..10 {
        pressure.begin_correction();
        // The database counts it already, or not yet: that cannot be told.
        if round % 2 == 0 {
            pressure.waits(1, now);
            count += 1;
        }
        let found = Waiting {
            lane: 1,
            count,
            answered: None,
        };
        pressure.correct(&[found], now);
        now = after(now, 50);
    }
    // The receiver hangs: nothing leaves, so nothing is held back for it.
    assert!(pressure.stored(vec![1], now).is_none());
    assert!(pressure.admit(now).is_ok());
    assert!(pressure.state().rate < 1.0);
}

#[test]
fn what_waits_for_a_receiver_that_other_nodes_find_slow_or_failing_holds_no_publication() {
    for (case, answered, counts) in [
        ("quick", Some((Duration::from_millis(9), true)), true),
        ("slow", Some((Duration::from_millis(150), true)), false),
        ("failing", Some((Duration::ZERO, false)), false),
        ("unknown", None, true),
    ] {
        let begin = Instant::now();
        let pressure = Pressure::new(TARGET, 1, begin);
        for _ in 0..5 {
            pressure.waits(1, begin);
        }
        let lanes = pressure.begin_correction();
        let found = Waiting {
            lane: lanes[0],
            count: 5,
            answered,
        };
        pressure.correct(&[found], after(begin, 50));
        let held = pressure.stored(vec![1], after(begin, 50)).is_some();
        assert_eq!(held, counts, "{case}");
    }
}

#[test]
fn a_receiver_that_hangs_does_not_count_again_for_a_few_that_the_database_counts_less() {
    for (count, counts) in [(299, false), (272, false), (271, true), (1, true)] {
        let begin = Instant::now();
        let pressure = Pressure::new(TARGET, 1, begin);
        for _ in 0..300 {
            pressure.waits(1, begin);
        }
        pressure.waits(2, begin);
        // It hangs.
        pressure.look(after(begin, 1_000));
        assert!(pressure.admit(after(begin, 1_000)).is_ok());
        pressure.begin_correction();
        pressure.waits(1, after(begin, 1_001));
        let found = Waiting {
            lane: 1,
            count: count - 1,
            answered: None,
        };
        pressure.correct(&[found], after(begin, 1_100));
        pressure.look(after(begin, 1_200));
        let state = pressure.state();
        let lane = state.lanes.get(&1);
        assert_eq!(lane.is_none_or(|lane| lane.counts), counts, "{count}");
    }
}

#[test]
fn what_was_not_stored_after_all_does_not_wait() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 1, begin);
    pressure.waits(1, begin);
    pressure.waits(1, begin);
    pressure.waits_not(1);
    assert!(pressure.hold(vec![1], begin).is_none());
    pressure.waits_not(1);
    assert!(pressure.is_idle());
}

#[test]
fn without_a_target_nothing_is_held_or_refused() {
    let begin = Instant::now();
    let pressure = Pressure::new(Duration::ZERO, 1, begin);
    for _ in 0..100 {
        assert!(pressure.stored(vec![1], begin).is_none());
    }
    assert!(pressure.admit(begin).is_ok());
}

#[test]
fn what_ended_without_an_attempt_is_forgotten_and_what_was_never_counted_takes_nothing_away() {
    let begin = Instant::now();
    let pressure = Pressure::new(TARGET, 1, begin);
    pressure.began([7, 7].into_iter(), 0, begin);
    pressure.stored(vec![1], begin);
    pressure.look(after(begin, 300));
    assert!(!pressure.is_idle());
    pressure.look(after(begin, 61_000));
    assert!(pressure.is_idle());
    assert!(pressure.stored(vec![1], after(begin, 61_000)).is_none());
}

//! Slots and lines, one call after another and in random order.

use super::*;

fn lanes(limit: usize, lane_limit: usize) -> Lanes<u32> {
    Lanes::new(limit, lane_limit)
}

/// A webhook that has all its slots, with an attempt in each, and whose receiver takes this long.
fn busy(lane_limit: usize, answer: Duration) -> (Arc<Lanes<u32>>, WithPlaces<u32>) {
    let lanes = Arc::new(lanes(256, lane_limit));
    let publisher = WithPlaces(lanes.clone());
    for delivery in 0..u32::try_from(lane_limit).unwrap() {
        assert!(publisher.take(1));
        let begun = lanes.begin(1, delivery, Instant::now());
        assert_eq!(begun, Some(delivery));
    }
    lanes.answered(1, answer, true);
    (lanes, publisher)
}

const QUICK: Duration = Duration::from_millis(1);

#[test]
fn slots_are_limited_in_all_and_for_each_webhook_and_come_back() {
    let lanes = lanes(16, 2);
    assert!(
        lanes.take(1) && lanes.take(1) && !lanes.take(1),
        "two for one webhook"
    );
    for lane in 2..16 {
        assert!(lanes.take(lane), "the first of {lane}");
    }
    assert!(!lanes.take(16), "16 in all");
    assert_eq!(lanes.free(), 0);
    assert!(!lanes.have_room(&[1, 99]));
    lanes.give_back(1);
    assert!(lanes.take(16));
    lanes.give_back(99);
    assert_eq!(lanes.free(), 0, "a slot that nobody took came back");
    for lane in 1..=16 {
        lanes.give_back(lane);
    }
    assert_eq!(lanes.free(), 16);
    assert!(lanes.have_room(&[1]) && !lanes.have_room(&[]));
    assert!(lanes.is_unused());
}

#[test]
fn however_many_webhooks_hang_others_get_a_slot() {
    let lanes = lanes(256, 32);
    for lane in 0..20 {
        while lanes.take(lane) {}
    }
    let hold = |lane| lanes.lock().of(lane);
    assert_eq!(hold(0), 32, "one alone gets all that a webhook may have");
    assert!(hold(19) >= 1);
    assert!(lanes.free() >= 4, "{}", lanes.free());
    assert!(lanes.take(20));
}

#[test]
fn deliveries_for_a_quick_receiver_stand_in_line_and_begin_in_order() {
    let (lanes, publisher) = busy(2, QUICK);
    assert!(!lanes.take(1), "a claim takes no place");
    for delivery in 10..18 {
        assert!(publisher.take(1), "{delivery}");
        assert_eq!(lanes.begin(1, delivery, Instant::now()), None);
    }
    assert!(!publisher.take(1), "the line is full");
    for delivery in 10..18 {
        assert_eq!(lanes.end(1, false), Some(delivery));
    }
    assert_eq!(lanes.end(1, false), None);
    assert_eq!(lanes.end(1, false), None);
    assert!(lanes.is_unused());
}

#[test]
fn nothing_stands_in_line_for_a_receiver_that_is_unknown_slow_or_failing() {
    let (lanes, publisher) = busy(2, Duration::ZERO);
    assert!(!publisher.take(1), "unknown");
    lanes.answered(1, Duration::from_millis(300), true);
    assert!(!publisher.take(1), "slow");
    let (lanes, publisher) = busy(2, QUICK);
    lanes.answered(1, QUICK, false);
    assert!(!publisher.take(1), "failing");
    // No more than leaves within the patience: two at once, each in 40 ms.
    let (_, publisher) = busy(2, Duration::from_millis(40));
    let places = (0..10).take_while(|_| publisher.take(1)).count();
    assert_eq!(places, 5);
}

#[test]
fn a_slot_that_comes_back_before_its_place_is_begun_with_waits_for_it() {
    let (lanes, publisher) = busy(2, QUICK);
    assert!(publisher.take(1), "the publication is being stored");
    assert_eq!(lanes.end(1, false), None);
    assert!(!lanes.take(1), "its slot is kept");
    assert_eq!(lanes.begin(1, 7, Instant::now()), Some(7));
    assert!(publisher.take(1));
    lanes.give_back(1);
    assert_eq!(
        lanes.end(1, false),
        None,
        "a place whose delivery was not stored"
    );
    assert_eq!(lanes.end(1, false), None);
    assert!(lanes.is_unused());
}

#[test]
fn every_other_slot_is_left_to_the_queue_while_it_holds_any() {
    let (lanes, publisher) = busy(4, QUICK);
    for delivery in 10..14 {
        assert!(publisher.take(1));
        lanes.begin(1, delivery, Instant::now());
    }
    assert_eq!(lanes.end(1, true), None);
    assert!(publisher.take(1), "a place, behind the line");
    lanes.give_back(1);
    assert!(lanes.take(1), "for a claim");
    assert_eq!(lanes.begin(1, 99, Instant::now()), Some(99));
    assert_eq!(lanes.end(1, true), Some(10));
    assert_eq!(lanes.end(1, true), None);
    assert_eq!(lanes.end(1, true), Some(11));
}

#[test]
fn a_webhook_with_a_single_slot_has_no_line() {
    let lanes = Arc::new(lanes(256, 1));
    let publisher = WithPlaces(lanes.clone());
    assert!(publisher.take(1));
    lanes.begin(1, 1, Instant::now());
    lanes.answered(1, QUICK, true);
    // The queue would never have a slot while publishers keep the line filled.
    assert!(!publisher.take(1));
}

#[test]
fn a_quick_receiver_is_remembered_and_as_many_as_may_be() {
    let (lanes, publisher) = busy(2, QUICK);
    assert!(lanes.end(1, false).is_none() && lanes.end(1, false).is_none());
    assert!(publisher.take(1) && publisher.take(1) && publisher.take(1));
    for lane in 2..5_000 {
        assert!(lanes.take(lane));
        lanes.give_back(lane);
    }
    assert!(lanes.lock().lanes.len() <= REMEMBERED + 1);
}

#[test]
fn what_stands_in_line_for_too_long_is_taken_out_and_no_more_comes_in() {
    let (lanes, publisher) = busy(2, QUICK);
    let began = Instant::now();
    for delivery in 10..13 {
        assert!(publisher.take(1));
        lanes.begin(1, delivery, began);
    }
    assert!(publisher.take(1), "one that is being stored");
    assert!(lanes.dissolve(began - QUICK).is_empty());
    assert_eq!(lanes.dissolve(began), [10, 11, 12]);
    lanes.answered(1, QUICK, true);
    assert!(!publisher.take(1), "it has to recover");
    assert!(lanes.take_slot_or_place(1, Instant::now() + RECOVERY));
    assert_eq!(lanes.begin(1, 20, began), None);
    assert_eq!(lanes.begin(1, 21, began), None);
    assert_eq!(lanes.end(1, false), Some(20));
}

/// Publishers, claims and attempts in random order: whatever is taken ends as an attempt that ran, was taken out, or came back.
#[test]
fn nothing_is_lost_and_no_limit_passed_in_any_order() {
    for seed in 1..=300_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % 1_000_003).unwrap() % bound
        };
        let (limit, lane_limit) = (1 + below(40), 1 + below(4));
        let lanes = Arc::new(lanes(limit, lane_limit));
        let publisher = WithPlaces(lanes.clone());
        // By webhook: taken and not begun with, standing in line, running.
        let mut state = [[0_usize; 3]; 4];
        let began = Instant::now();
        for step in 0..600 {
            let lane = below(4);
            let number = i64::try_from(lane).unwrap();
            let [taken, standing, running] = &mut state[lane];
            match below(if step < 500 { 10 } else { 4 }) {
                0 | 1 if *running > 0 => {
                    *running -= 1;
                    if lanes.end(number, below(2) == 0).is_some() {
                        *standing -= 1;
                        *running += 1;
                    }
                }
                2 | 3 if *taken > 0 => {
                    *taken -= 1;
                    match lanes.begin(number, 0, began) {
                        Some(_) => *running += 1,
                        None => *standing += 1,
                    }
                }
                4 if *taken > 0 => {
                    lanes.give_back(number);
                    *taken -= 1;
                }
                5 => lanes.answered(number, QUICK, below(9) > 0),
                6 => *taken += usize::from(lanes.take(number)),
                7 if below(50) == 0 => {
                    let out = lanes.dissolve(began).len();
                    let stood: usize = state.iter().map(|[_, standing, _]| standing).sum();
                    assert_eq!(out, stood, "{seed}");
                    for [_, standing, _] in &mut state {
                        *standing = 0;
                    }
                }
                8 | 9 => *taken += usize::from(publisher.take(number)),
                _ => {}
            }
            let now = lanes.lock();
            let mut slots = 0;
            for ([taken, standing, running], number) in state.iter().zip(0..) {
                let Some(lane) = now.lanes.get(&number) else {
                    assert_eq!(taken + standing + running, 0, "{seed}");
                    continue;
                };
                slots += lane.slots;
                assert_eq!(lane.slots + lane.places, taken + standing + running);
                assert_eq!((lane.line.len(), lane.running), (*standing, *running));
                assert!(lane.slots <= lane_limit, "{seed}");
                assert!(lane.places == 0 || lane.slots > 0, "{seed}");
                assert!(lane.line.is_empty() || lane.running > 0, "{seed}");
            }
            assert!(slots == now.slots && slots <= limit, "{seed}");
        }
        for (lane, [taken, mut standing, mut running]) in (0..).zip(state) {
            for _ in 0..taken {
                match lanes.begin(lane, 0, began) {
                    Some(_) => running += 1,
                    None => standing += 1,
                }
            }
            while running > 0 {
                running -= 1;
                if lanes.end(lane, false).is_some() {
                    standing -= 1;
                    running += 1;
                }
            }
            assert_eq!(standing, 0, "{seed}: they are never attempted");
        }
        assert!(lanes.is_unused(), "{seed}");
    }
}

//! A machine whose clock is corrected while the server runs, and a restart at another speed.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::app::{Answer, Client, TestApp};
use super::delivering::{
    conduit_event, conduit_webhook, delivery_of, delivery_when, equals_event, equals_webhook,
    publish, recorded,
};
use super::receiver::{Receiver, Reply};
use crate::clock::tests::Machine;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn noon() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

#[actix_web::test]
async fn a_corrected_clock_is_what_the_next_delivery_is_signed_with() {
    let machine = Machine::at(noon());
    let app = TestApp::start_on(machine, 1.0).await;
    let receiver = Receiver::start();
    conduit_webhook(&app, &receiver.url).await;
    let mut expected = noon();
    for (count, by) in [(1, 0), (2, 1_000), (3, -2_000)] {
        let by = DAY * by;
        machine.correct(by);
        expected += by;
        publish(&app.operator(), conduit_event()).await;
        let received = receiver.wait_for(count).await;
        assert_eq!(
            received[count - 1].header("conduit-signature-timestamp"),
            Some(expected.as_second().to_string().as_str())
        );
    }
}

/// C-42: attempts by hand are none of the ten retries, and move none of them.
#[actix_web::test]
async fn attempts_by_hand_leave_the_documented_retries_as_they_are() {
    let machine = Machine::at(noon());
    let app = TestApp::start_on(machine, 1.0).await;
    let operator = app.operator();
    let receiver = Receiver::start();
    receiver.reply(std::iter::repeat_n(Reply::status(500), 21));
    conduit_webhook(&app, &receiver.url).await;
    let id = delivery_of(&operator, &publish(&operator, conduit_event()).await).await;
    let bystander = Receiver::start();
    equals_webhook(&app, &bystander.url).await;
    let other = delivery_of(&operator, &publish(&operator, equals_event()).await).await;
    let (mut attempts, mut now) = (1, noon());
    let mut delivery = delivery_when(&operator, &id, recorded(1)).await;
    while delivery["state"] == "pending" {
        let due = next_attempt(&delivery);
        assert_eq!(retry(&operator, &id).await.status, 202);
        attempts += 1;
        delivery = delivery_when(&operator, &id, recorded(attempts)).await;
        assert_eq!(next_attempt(&delivery), due, "after attempt {attempts}");
        // Times are shown in whole milliseconds.
        let then = due + SignedDuration::from_millis(1);
        machine.pass(then.duration_since(now).unsigned_abs());
        now = then;
        // This makes the worker look at the queue, if it has not done so by itself.
        assert_eq!(retry(&operator, &other).await.status, 202);
        attempts += 1;
        delivery = delivery_when(&operator, &id, recorded(attempts)).await;
    }
    assert_eq!((attempts, &delivery["state"]), (21, &json!("exhausted")));
    assert_eq!(receiver.received().len(), 21);
}

/// A retry that was due in a minute is due in a minute, whatever became of the time of day.
#[actix_web::test]
async fn a_retry_waits_as_long_as_it_should_when_the_clock_is_corrected() {
    for by in [DAY * 400, -DAY * 400] {
        let machine = Machine::at(noon());
        let app = TestApp::start_on(machine, 1.0).await;
        let operator = app.operator();
        let receiver = Receiver::start();
        receiver.reply([Reply::status(500)]);
        conduit_webhook(&app, &receiver.url).await;
        let waiting = delivery_of(&operator, &publish(&operator, conduit_event()).await).await;
        let other = delivery_of(&operator, &publish(&operator, conduit_event()).await).await;
        let due = next_attempt(&delivery_when(&operator, &waiting, recorded(1)).await);
        delivery_when(&operator, &other, recorded(1)).await;
        machine.correct(by);
        let shown = next_attempt(&delivery_when(&operator, &waiting, |_| true).await);
        assert_eq!(shown, due + by);
        machine.pass(Duration::from_secs(30));
        // This makes the worker look at the queue: what is due is claimed together.
        assert_eq!(retry(&operator, &other).await.status, 202);
        delivery_when(&operator, &other, recorded(2)).await;
        let early = delivery_when(&operator, &waiting, |_| true).await;
        assert!(recorded(1)(&early), "attempted too early: {early}");
        machine.pass(Duration::from_secs(40));
        let made = delivery_when(&operator, &waiting, recorded(2)).await;
        assert_eq!(made["state"], "delivered");
    }
}

#[actix_web::test]
async fn a_sandbox_at_another_speed_goes_on_with_what_waits_as_if_it_had_not_changed() {
    let machine = Machine::at(noon());
    let app = TestApp::start_on(machine, 3_600.0).await;
    let receiver = Receiver::start();
    receiver.reply([Reply::status(500)]);
    conduit_webhook(&app, &receiver.url).await;
    // Ten hours on its clock.
    machine.pass(Duration::from_secs(10));
    let operator = app.operator();
    let id = delivery_of(&operator, &publish(&operator, conduit_event()).await).await;
    delivery_when(&operator, &id, recorded(1)).await;
    let app = app.restart_on(machine, 1.0).await;
    let operator = app.operator();
    let waiting = delivery_when(&operator, &id, |_| true).await;
    let wait = next_attempt(&waiting).duration_since(noon() + Duration::from_secs(10));
    assert!(
        wait > SignedDuration::ZERO && wait <= SignedDuration::from_mins(1),
        "{wait}"
    );
    machine.pass(Duration::from_secs(60));
    let made = delivery_when(&operator, &id, recorded(2)).await;
    assert_eq!(made["state"], "delivered");
}

/// A webhook must be changeable after the clock was set back.
#[actix_web::test]
async fn a_webhook_from_the_future_can_be_changed_and_deleted() {
    let machine = Machine::at(noon());
    let app = TestApp::start_on(machine, 1.0).await;
    let id = conduit_webhook(&app, "http://127.0.0.1:9/").await;
    machine.correct(-DAY);
    let path = format!("/webhooks/{id}");
    let change = json!({ "status": "disabled" });
    let changed = app.conduit().patch(&path, change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let deleted = app.conduit().delete(&path).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
}

/// E-55: on a fast clock retries came about once a second in reality, because nothing told the claims of those that were due sooner; and
/// those that were due while an attempt was made were skipped.
#[actix_web::test]
async fn every_retry_is_made_in_its_time_on_a_fast_clock() {
    const SPEED: f64 = 6_000.0;
    const RETRIES: u32 = 60;
    let app = TestApp::start_with(|config| config.clock_speed = SPEED).await;
    let receiver = Receiver::start();
    receiver.reply(std::iter::repeat_n(
        Reply::status(500),
        RETRIES as usize + 1,
    ));
    equals_webhook(&app, &receiver.url).await;
    let operator = app.operator();
    let published = Instant::now();
    let id = delivery_of(&operator, &publish(&operator, equals_event()).await).await;
    delivery_when(&operator, &id, |delivery| delivery["attemptCount"] != 0).await;
    let one = published.elapsed().as_secs_f64();
    let made = delivery_when(&operator, &id, |delivery| delivery["state"] == "delivered").await;
    assert_eq!(made["attemptCount"], RETRIES + 2);
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    // The schedule begins with the claim of the first attempt, which may be made a little later.
    let began = time(&made["createdAt"]);
    // In reality. With one second for each retry the last would be 57 s late; a machine that is so busy is known by the first attempt.
    let allowed = f64::max(20.0, one * 3.0 * f64::from(RETRIES));
    for (retry, attempt) in (0_u32..).zip(made["attempts"].as_array().unwrap()) {
        let at = time(&attempt["startedAt"]);
        let late = at.duration_since(began).as_secs_f64() - f64::from(retry) * 300.0;
        assert!(
            (-1.0..allowed * SPEED).contains(&late),
            "{retry}: {late} s late, {allowed} s in reality are allowed"
        );
    }
}

/// E-55: where attempts took longer than the time between two retries, a schedule that was a second behind missed all retries of that second.
#[actix_web::test]
async fn a_schedule_that_falls_behind_on_a_fast_clock_misses_no_retry() {
    const SPEED: f64 = 300_000.0;
    const RETRIES: usize = 60;
    let machine = Machine::at(noon());
    let app = TestApp::start_on(machine, SPEED).await;
    let receiver = Receiver::start();
    // A retry is due every millisecond, and takes 30: the last one is 1.7 s behind.
    let slow = Reply::After(machine, Duration::from_millis(30), 500);
    receiver.reply(std::iter::repeat_n(slow, RETRIES));
    equals_webhook(&app, &receiver.url).await;
    let operator = app.operator();
    let id = delivery_of(&operator, &publish(&operator, equals_event()).await).await;
    let made = delivery_when(&operator, &id, |delivery| delivery["state"] == "delivered").await;
    assert_eq!(made["attemptCount"], RETRIES + 1);
}

fn next_attempt(delivery: &Value) -> Timestamp {
    delivery["nextAttemptAt"].as_str().unwrap().parse().unwrap()
}

async fn retry(operator: &Client, id: &str) -> Answer {
    operator
        .send("POST", &format!("/deliveries/{id}/retry"), None, b"")
        .await
}

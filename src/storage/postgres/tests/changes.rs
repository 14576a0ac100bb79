//! A change of a webhook is known on every node before it is answered.

use std::time::Instant;

use super::super::changes::{Follower, TERM};
use super::*;
use crate::storage::Known;
use crate::storage::contract::key;

/// A node that waits for no notification: the connection that it would get them over cannot be made.
fn deaf_node(url: &str) -> PostgresStore {
    let nowhere = PostgresAddress::new("postgres://nobody@127.0.0.1:1/none", None).unwrap();
    let address = PostgresAddress::new(url, None).unwrap();
    let key = EncryptionKey::from_hex(KEY).unwrap().into();
    let address = address.with_listen(Some(nowhere));
    PostgresStore::open(&address, &key, Purpose::Sandbox, Arc::default()).unwrap()
}

fn change() -> WebhookChange {
    WebhookChange {
        enabled: Some(true),
        ..WebhookChange::default()
    }
}

/// Has a node look for changes for ever.
async fn follow(store: &Arc<PostgresStore>) -> JoinHandle<()> {
    let following = store.clone();
    let follower = tokio::spawn(async move { following.follow_webhook_changes().await });
    let informed = async {
        while !store.db.changes.is_informed(Instant::now()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, informed).await.unwrap();
    follower
}

/// Whether a node may start an attempt of a delivery that it read when so much was known.
fn may_start(store: &PostgresStore, lane: i64, known: Known) -> bool {
    let changes = store.webhook_changes();
    changes.is_informed(Instant::now()) && changes.is_current(lane, known)
}

/// Publishes at a node; gives the lanes of the deliveries, with what was known before.
async fn read_webhooks(store: &PostgresStore, id: &str) -> (Known, Vec<i64>) {
    let known = store.webhook_changes().known();
    let published = store.publish(publication(event(id, 1), &slots(9, 9))).await;
    let (_, claimed, _) = stored(published.unwrap());
    let mut lanes: Vec<i64> = claimed.iter().map(|due| due.target.lane).collect();
    lanes.sort_unstable();
    (known, lanes)
}

/// Changes a webhook at one node and at another at once, beside a change of none, and holds every other node to it.
async fn change_and_hold(one: &PostgresStore, others: &[Arc<PostgresStore>], second: i64) {
    let mut read = Vec::new();
    for (number, other) in others.iter().enumerate() {
        let (known, lanes) = read_webhooks(other, &format!("{second} {number}")).await;
        assert!(may_start(other, lanes[0], known), "{second}");
        read.push((known, lanes));
    }
    let (first, again, unknown) = tokio::join!(
        one.update_webhook(key("1"), change(), at(second)),
        others[0].update_webhook(key("1"), change(), at(second)),
        others[0].update_webhook(key("3"), change(), at(second)),
    );
    assert!(first.unwrap().is_some() && again.unwrap().is_some() && unknown.unwrap().is_none());
    for (number, (other, (known, lanes))) in others.iter().zip(&read).enumerate() {
        assert!(
            !may_start(other, lanes[0], *known),
            "{second}: known too late"
        );
        assert!(
            may_start(other, lanes[1], *known),
            "{second}: the other webhook was not changed"
        );
        let (known, lanes) = read_webhooks(other, &format!("{second} {number} again")).await;
        assert!(
            may_start(other, lanes[0], known),
            "{second}: it is read anew"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_node_starts_an_attempt_as_the_webhook_was_before_an_answered_change() {
    let url = cluster::new_schema();
    let one = Arc::new(node(&url));
    let mut others = vec![Arc::new(node(&url)), Arc::new(node(&url))];
    one.insert_webhook(webhook("1")).await.unwrap();
    one.insert_webhook(webhook("2")).await.unwrap();
    let mut followers = vec![follow(&one).await];
    for other in &others {
        followers.push(follow(other).await);
    }
    for second in 1..40 {
        change_and_hold(&one, &others, second).await;
    }
    // With one that looks twice a second only.
    others.push(Arc::new(deaf_node(&url)));
    followers.push(follow(&others[2]).await);
    for second in 40..44 {
        change_and_hold(&one, &others, second).await;
    }
    let (known, lanes) = read_webhooks(&others[2], "deleted").await;
    let deleted = one.delete_webhook(key("1"), OnDelete::CancelPending, at(50));
    assert!(deleted.await.unwrap());
    assert!(!may_start(&others[2], lanes[0], known));
    for follower in followers {
        follower.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stands_still_is_waited_for_until_it_starts_nothing_and_one_that_ended_is_not()
{
    let url = cluster::new_schema();
    let (one, other) = (Arc::new(node(&url)), Arc::new(node(&url)));
    one.insert_webhook(webhook("1")).await.unwrap();
    let follower = follow(&other).await;
    let (known, lanes) = read_webhooks(&other, "e").await;
    follower.abort();
    assert!(follower.await.unwrap_err().is_cancelled());
    let began = Instant::now();
    one.update_webhook(key("1"), change(), at(1)).await.unwrap();
    assert!(!may_start(&other, lanes[0], known));
    assert!(began.elapsed() < TERM + PATIENCE);
    let nodes = "SELECT count(*) FROM node";
    let session = Session::open(&url);
    let follower = follow(&other).await;
    assert_eq!(session.number(nodes), 1);
    assert!(!may_start(&other, lanes[0], known));
    follower.abort();
    assert!(follower.await.unwrap_err().is_cancelled());
    drop(other);
    let gone = async {
        while session.number(nodes) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn a_node_that_others_took_for_ended_takes_every_webhook_for_changed() {
    let url = cluster::new_schema();
    let (one, other) = (node(&url), node(&url));
    let session = Session::open(&url);
    one.insert_webhook(webhook("1")).await.unwrap();
    let mut follower = Follower::new(other.db.node);
    // Others do not wait for it before the first look, so that one informs of nothing.
    follower.look(&other.db).await.unwrap();
    assert!(!other.db.changes.is_informed(Instant::now()));
    follower.look(&other.db).await.unwrap();
    assert!(other.db.changes.is_informed(Instant::now()));
    let (known, lanes) = read_webhooks(&other, "e").await;
    follower.look(&other.db).await.unwrap();
    assert!(may_start(&other, lanes[0], known));
    for forgotten in ["UPDATE node SET ends_at = 0", "DELETE FROM node"] {
        let (known, lanes) = read_webhooks(&other, forgotten).await;
        session.run(forgotten);
        // Nobody is waited for.
        one.update_webhook(key("1"), change(), at(1)).await.unwrap();
        // Its row is written when it is due again.
        while session.number("SELECT count(*) FROM node WHERE ends_at > 0") == 0 {
            follower.look(&other.db).await.unwrap();
        }
        follower.look(&other.db).await.unwrap();
        assert!(!may_start(&other, lanes[0], known), "{forgotten}");
        let (known, lanes) = read_webhooks(&other, &format!("after {forgotten}")).await;
        follower.look(&other.db).await.unwrap();
        assert!(may_start(&other, lanes[0], known), "{forgotten}");
    }
    // More changes than are kept.
    let (known, lanes) = read_webhooks(&other, "many").await;
    session.run("UPDATE webhook_changes SET latest = latest + 2000");
    follower.look(&other.db).await.unwrap();
    assert!(!may_start(&other, lanes[0], known));
}

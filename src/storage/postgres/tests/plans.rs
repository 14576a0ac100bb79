//! How many rows the statements of the store read.

use std::cell::RefCell;

use super::*;

/// How many rows a page of 50 deliveries may take: they, what they are joined with, and what else the indexes lead to.
const MOST_READ: f64 = 1_000.0;

tokio::task_local! {
    static PLANS: RefCell<Vec<String>>;
}

/// Runs something with the plans of its statements, each with the values that it was run with.
async fn explained<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    let plans = RefCell::default();
    PLANS
        .scope(plans, async {
            let done = work.await;
            (done, PLANS.with(RefCell::take))
        })
        .await
}

/// Notes the plan of a statement that is about to be run, where [`explained`] asks for it.
pub(crate) async fn note(client: &impl GenericClient, text: &str, values: &[&(dyn ToSql + Sync)]) {
    if PLANS.try_with(|_| ()).is_err() {
        return;
    }
    let text = format!("EXPLAIN (ANALYZE, TIMING OFF) {text}");
    let rows = client.query(&text, values).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    PLANS.with(|plans| plans.borrow_mut().push(lines.join("\n")));
}

/// How many rows the scans of a plan gave or looked at in vain.
fn rows_read(plan: &str) -> f64 {
    let (mut read, mut loops) = (0.0, 1.0);
    for line in plan.lines() {
        let number = |name: &str| -> Option<f64> {
            let rest = line.split_once(name)?.1;
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
            rest[..end.unwrap_or(rest.len())].parse().ok()
        };
        if let Some((_, actual)) = line.split_once("(actual ") {
            let of = |name: &str| {
                let rest = actual.split_once(name).unwrap().1;
                let end = rest.find([' ', ')']).unwrap();
                rest[..end].parse::<f64>().unwrap()
            };
            loops = of("loops=");
            if line.contains(" Scan ") && line.contains(" on ") {
                read += of("rows=") * loops;
            }
        } else if let Some(removed) = number("Rows Removed by Filter: ") {
            read += removed * loops;
        }
    }
    read
}

/// Numbers that are looked for lead to few rows, however many there are: `TRUEHOOK_LIST_ROWS` says how many, and then the time counts too.
#[tokio::test]
async fn lists_are_read_from_indexes() {
    let url = cluster::new_schema();
    let store = node(&url);
    let session = Session::open(&url);
    for number in 1..=20 {
        let id = number.to_string();
        store.insert_webhook(webhook(&id)).await.unwrap();
    }
    deliver(&store, "e", 1).await;
    let asked = std::env::var("TRUEHOOK_LIST_ROWS").ok();
    let rows = asked.as_deref().unwrap_or("50000");
    session.run(&format!(
        "INSERT INTO delivery SELECT (n::bigint << 20), 1, 1 + n % 20,
             CASE WHEN n = 27 OR n % 20 = 0 AND n < {rows} / 2 THEN 'exhausted' ELSE 'delivered' END, 1, n, n, 0, n, n
             FROM generate_series(10, {rows}) AS n;
         INSERT INTO pending (number, id, event, webhook, attempts, due_at, claimed, created_at)
             SELECT (n::bigint << 20) + 7, gen_random_uuid(), 1, CASE WHEN n = 20000 THEN 3 ELSE 2 END, 0, 0, false, 0
             FROM generate_series(20000, 40000) AS n;
         UPDATE settled SET event = {rows} * 2; ANALYZE"
    ));
    let (webhook, event) = (Some("7".to_owned()), Some("e".to_owned()));
    let exhausted = Some(crate::domain::DeliveryState::Exhausted);
    for filter in [
        DeliveryFilter::default(),
        DeliveryFilter {
            webhook_id: webhook.clone(),
            ..DeliveryFilter::default()
        },
        DeliveryFilter {
            state: exhausted,
            ..DeliveryFilter::default()
        },
        DeliveryFilter {
            webhook_id: webhook,
            state: exhausted,
            ..DeliveryFilter::default()
        },
        DeliveryFilter {
            event_id: event,
            ..DeliveryFilter::default()
        },
    ] {
        let page = NumberPage {
            before: None,
            limit: 50,
        };
        let client = store.db.client().await.unwrap();
        let listed = deliveries::deliveries(&client, &filter, page);
        let (listed, plans) = explained(listed).await;
        listed.unwrap();
        drop(client);
        let read: f64 = plans.iter().map(|plan| rows_read(plan)).sum();
        assert!(
            !plans.is_empty() && read < MOST_READ,
            "{filter:?}: {read} rows are read:\n{}",
            plans.join("\n\n")
        );
        // Once before, for what a first use of a statement costs.
        store.deliveries(filter.clone(), page).await.unwrap();
        let began = Instant::now();
        store.deliveries(filter.clone(), page).await.unwrap();
        let took = began.elapsed();
        if asked.is_some() {
            eprintln!("{took:?}: {filter:?}");
            assert!(took < Duration::from_millis(50), "{took:?}: {filter:?}");
        }
    }
    // Behind more deliveries than one search looks at.
    let pending = Some(crate::domain::DeliveryState::Pending);
    for (state, webhook_id, count) in [
        (exhausted, None, 5),
        (exhausted, Some("1"), 5),
        (exhausted, Some("8"), 1),
        (Some(crate::domain::DeliveryState::Cancelled), None, 0),
        (pending, Some("2"), 5),
        (pending, Some("3"), 1),
    ] {
        let filter = DeliveryFilter {
            state,
            webhook_id: webhook_id.map(str::to_owned),
            ..DeliveryFilter::default()
        };
        let page = NumberPage {
            before: None,
            limit: 5,
        };
        let found = store.deliveries(filter, page).await.unwrap();
        assert_eq!(
            (found.rows.len(), found.next.is_some()),
            (count, count == 5)
        );
    }
}

//! Makes generated cases on a thread of its own while requests are under way: making them takes about as long as judging the answers.
//!
//! A unit asks for the cases of its operation in batches, and for the next batch when it gets one. So there are never more than two batches
//! for each unit that runs, and the cases do not depend on which thread is quicker.

use std::collections::HashMap;
use std::sync::mpsc;
use std::{io, thread};

use tokio::sync::oneshot;

use crate::case::Case;
use crate::case::key::RunId;
use crate::document::{Document, Operation};
use crate::finding::Finding;
use crate::generate::Generator;
use crate::schema::Schemas;
use crate::session::{Generate, Session, is_safe};

/// How many cases are made at a time: to wake a thread for each of them would take longer than to make it.
const BATCH: usize = 16;

/// Some cases of an operation, in their order.
#[derive(Default)]
struct Batch {
    /// Findings that say why an operation has no cases. Only the first batch has any.
    faults: Vec<Finding>,
    cases: Vec<Case>,
    is_last: bool,
}

/// Asks for the next batch of an operation.
struct Wanted {
    operation: usize,
    /// Most cases of the batch.
    count: usize,
    reply: oneshot::Sender<Batch>,
}

/// The thread that makes cases. It ends when this is dropped.
pub(super) struct Ahead {
    wanted: mpsc::Sender<Wanted>,
}

/// The cases of one operation.
pub(super) struct Cases<'a> {
    ahead: &'a Ahead,
    operation: usize,
    /// The batch that was requested; `None` after the last one.
    next: Option<oneshot::Receiver<Batch>>,
    ready: std::vec::IntoIter<Case>,
    faults: Vec<Finding>,
}

impl Ahead {
    /// Starts the thread for the operations of a session.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub(super) fn start(session: &Session<'_>, generate: &Generate) -> io::Result<Self> {
        let document = session.document.clone();
        let plans = session.plans.iter();
        let samples = plans.map(|plan| plan.cases.clone()).collect();
        Self::of(document, samples, session.options.run_id(), *generate)
    }

    /// Starts the thread for the operations of a document, with their samples.
    fn of(
        document: Document,
        samples: Vec<Vec<Case>>,
        run: RunId,
        generate: Generate,
    ) -> io::Result<Self> {
        let (wanted, requests) = mpsc::channel();
        thread::Builder::new()
            .name("cases".to_owned())
            .spawn(move || serve(&document, &samples, run, &generate, &requests))?;
        Ok(Self { wanted })
    }

    /// Returns the cases of the operation with this index.
    pub(super) fn cases(&self, operation: usize) -> Cases<'_> {
        Cases {
            next: Some(self.ask(operation, BATCH)),
            ahead: self,
            operation,
            ready: Vec::new().into_iter(),
            faults: Vec::new(),
        }
    }

    /// Returns the findings that say why an operation has no cases. They are about the document, so they are told of operations that a run
    /// does not come to as well.
    ///
    /// # Panics
    /// When the thread that makes cases did.
    pub(super) async fn faults(&self, operation: usize) -> Vec<Finding> {
        let batch = self.ask(operation, 0).await;
        batch
            .expect("the thread that makes cases has panicked")
            .faults
    }

    fn ask(&self, operation: usize, count: usize) -> oneshot::Receiver<Batch> {
        let (reply, batch) = oneshot::channel();
        // A thread that has ended shows in the reply.
        drop(self.wanted.send(Wanted {
            operation,
            count,
            reply,
        }));
        batch
    }
}

impl Cases<'_> {
    /// The next case; none after the last one.
    ///
    /// # Panics
    /// When the thread that makes them did.
    pub(super) async fn next(&mut self) -> Option<Case> {
        loop {
            if let Some(case) = self.ready.next() {
                return Some(case);
            }
            let batch = self.next.take()?.await;
            let batch = batch.expect("the thread that makes cases has panicked");
            if !batch.is_last {
                self.next = Some(self.ahead.ask(self.operation, BATCH));
            }
            self.faults.extend(batch.faults);
            self.ready = batch.cases.into_iter();
        }
    }

    /// Returns the findings that say why the operation has no cases.
    ///
    /// # Panics
    /// When the thread that makes them did.
    pub(super) async fn faults(mut self) -> Vec<Finding> {
        // They come with the first batch, which a run that is stopped did not wait for.
        if let Some(batch) = self.next.take() {
            let batch = batch
                .await
                .expect("the thread that makes cases has panicked");
            self.faults.extend(batch.faults);
        }
        self.faults
    }
}

/// Makes the batches that are asked for, until nobody can ask any more.
fn serve(
    document: &Document,
    samples: &[Vec<Case>],
    run: RunId,
    generate: &Generate,
    requests: &mpsc::Receiver<Wanted>,
) {
    let operations = document.operations();
    // Of its own: those of the session belong to the thread that judges.
    let schemas = Schemas::new(document);
    let generator = Generator::new(document, &schemas).of_run(run);
    let mut begun = HashMap::new();
    for Wanted {
        operation,
        count,
        reply,
    } in requests
    {
        // Of a unit that was stopped.
        if reply.is_closed() {
            continue;
        }
        let (own, samples) = (&operations[operation], &samples[operation]);
        let mut batch = Batch::default();
        let cases = begun.entry(operation).or_insert_with(|| {
            batch.faults = generator.faults(own, samples);
            cases(&generator, own, samples, generate)
        });
        batch.cases.extend(cases.take(count));
        batch.is_last = batch.cases.len() < BATCH;
        if batch.is_last {
            begun.remove(&operation);
        }
        // It may have been stopped meanwhile.
        drop(reply.send(batch));
    }
}

/// The cases of an operation that may be sent.
fn cases<'a>(
    generator: &'a Generator<'_>,
    operation: &'a Operation<'_>,
    samples: &'a [Case],
    generate: &'a Generate,
) -> Box<dyn Iterator<Item = Case> + 'a> {
    let coverage = generator.stream(operation, samples, generate.max_cases);
    let random = || generator.random(operation, samples, generate.seed, generate.random);
    let cases = coverage.chain(std::iter::once_with(random).flatten());
    // Of an operation that changes something nothing is sent then, not even with another method.
    let reads = is_safe(&operation.method);
    let is_sent = move |case: &Case| !generate.safe || reads && is_safe(&case.method);
    Box::new(cases.filter(is_sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {"get": {
                "parameters": [
                    {"name": "q", "in": "query", "schema": {"type": "integer", "minimum": 3, "maximum": 9}},
                    {"name": "s", "in": "query", "schema": {"enum": ["x", "y", "z"]}}
                ],
                "responses": {"200": {"description": "ok"}}
            }},
            "/b": {"post": {
                "requestBody": {"content": {"application/json": {"schema": {
                    "type": "object",
                    "required": ["n"],
                    "properties": {"n": {"type": "string", "minLength": 2, "maxLength": 5}, "m": {"type": "boolean"}}
                }}}},
                "responses": {"200": {"description": "ok"}}
            }},
            "/c": {"get": {
                "parameters": [{"name": "q", "in": "query", "required": true, "schema": {"type": "integer", "minimum": 3, "maximum": 2}}],
                "responses": {"200": {"description": "ok"}}
            }}
        }
    }"#;

    fn document() -> Document {
        Document::parse("t.json", DOCUMENT).unwrap()
    }

    fn options(safe: bool) -> Generate {
        Generate {
            seed: 7,
            max_cases: 1_000,
            random: 40,
            safe,
            shrink_time: 0.0,
        }
    }

    fn start(safe: bool) -> Ahead {
        let samples = vec![Vec::new(); 3];
        Ahead::of(document(), samples, RunId::new(1), options(safe)).unwrap()
    }

    /// The cases of an operation as its generator gives them.
    fn direct(operation: usize) -> Vec<String> {
        let document = document();
        let schemas = Schemas::new(&document);
        let generator = Generator::new(&document, &schemas).of_run(RunId::new(1));
        let operations = document.operations();
        cases(&generator, &operations[operation], &[], &options(false))
            .map(|case| format!("{case:?}"))
            .collect()
    }

    async fn rest(cases: &mut Cases<'_>) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(case) = cases.next().await {
            all.push(format!("{case:?}"));
        }
        all
    }

    #[tokio::test]
    async fn cases_come_in_the_order_of_their_generator_whoever_else_asks() {
        let ahead = start(false);
        let (mut one, mut other) = (ahead.cases(0), ahead.cases(1));
        // Of a unit that is stopped before it has any.
        drop(ahead.cases(2));
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..BATCH + 3 {
            first.extend(one.next().await.map(|case| format!("{case:?}")));
            second.extend(other.next().await.map(|case| format!("{case:?}")));
        }
        first.extend(rest(&mut one).await);
        second.extend(rest(&mut other).await);
        assert_eq!(second, direct(1));
        assert!(second.len() > 2 * BATCH, "{}", second.len());
        assert!(one.next().await.is_none() && one.faults.is_empty());
        assert_eq!(first, direct(0));
    }

    #[tokio::test]
    async fn the_first_batch_says_why_an_operation_has_no_valid_case() {
        let ahead = start(false);
        let mut cases = ahead.cases(2);
        rest(&mut cases).await;
        assert_eq!(cases.faults.len(), 1, "{:?}", cases.faults);
    }

    #[tokio::test]
    async fn nothing_is_made_that_may_not_be_sent() {
        let ahead = start(true);
        assert_eq!(rest(&mut ahead.cases(1)).await, Vec::<String>::new());
        assert!(!rest(&mut ahead.cases(0)).await.is_empty());
    }
}

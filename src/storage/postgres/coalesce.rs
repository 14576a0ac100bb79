//! Questions of many callers, answered by one statement: those that come while one is asked are asked together next, and under load those
//! that come a little later. Each is asked after it came, so no answer is older than its question.

use std::hash::Hash;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{Result, gather_more};
use crate::storage::StoreError;

/// How many questions wait at most: beyond it callers wait to hand theirs in.
const QUEUE: usize = 4_096;

/// How many are asked together.
const BATCH: usize = 256;

/// The question of one caller.
type Asked<Q, A> = (Q, oneshot::Sender<Result<A>>);

/// Answers questions.
pub(super) struct Coalescer<Q, A>(mpsc::Sender<Asked<Q, A>>);

impl<Q, A> Coalescer<Q, A>
where
    Q: Eq + Hash + Clone + Send + Sync + 'static,
    A: Clone + Send + 'static,
{
    /// Answers by `answer`, which gets distinct questions and gives their answers in order; on the runtime that this is called on.
    pub(super) fn start<F>(answer: impl Fn(Arc<[Q]>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>>> + Send,
    {
        let (questions, mut asked) = mpsc::channel::<Asked<Q, A>>(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            let mut before = 0;
            while asked.recv_many(&mut batch, BATCH).await > 0 {
                gather_more(&mut asked, &mut batch, BATCH, before).await;
                before = batch.len();
                let mut places = std::collections::HashMap::new();
                let mut distinct: Vec<Q> = Vec::new();
                for (question, _) in &batch {
                    places.entry(question.clone()).or_insert_with(|| {
                        distinct.push(question.clone());
                        distinct.len() - 1
                    });
                }
                let mut answers = answer(distinct.into()).await;
                for (question, caller) in batch.drain(..) {
                    let answer = match &mut answers {
                        Ok(answers) => Ok(answers[places[&question]].clone()),
                        Err(error) => Err(error.for_another()),
                    };
                    // A caller that has gone away needs no answer.
                    let _ = caller.send(answer);
                }
            }
        });
        Self(questions)
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, question: Q) -> Result<A> {
        let (caller, answered) = oneshot::channel();
        let asked = self.0.send((question, caller)).await;
        asked.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

//! Recording the results of attempts: all in one job of the writer, each alone where one of them cannot be written.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::super::{AttemptResult, Recorded, RecordedResults, StoreError};
use super::SqliteStore;
use super::headers::{self, Side};
use super::queue::{self, ResultRow, ShapedResult};

impl SqliteStore {
    /// Gives the file the shapes of headers that it does not have. Where it does not take one, headers are stored whole.
    async fn learn_shapes(&self, results: &[ShapedResult]) {
        let unknown: BTreeSet<(Side, String)> = results
            .iter()
            .flat_map(|result| result.unknown(&self.shapes))
            .collect();
        for (side, shape) in unknown {
            let added = shape.clone();
            let number = self
                .writer
                .run_ahead(move |connection| headers::add(connection, side, &added))
                .await;
            // The results that follow meet the same error, and their callers hear of it.
            let Ok(number) = number else { return };
            self.shapes.learn(side, shape, number);
        }
    }

    async fn record_rows(
        &self,
        rows: &Arc<[ResultRow]>,
        range: Range<usize>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = rows.clone();
        self.writer
            .run_ahead(move |connection| queue::record(connection, &rows[range.clone()]))
            .await
    }

    /// Records results, each for itself where one of them cannot be written.
    pub(super) async fn record_all(&self, results: Vec<Arc<AttemptResult>>) -> RecordedResults {
        let mut each = vec![Recorded::Never; results.len()];
        let mut error = None;
        let mut rows = Vec::with_capacity(results.len());
        let mut places = Vec::with_capacity(results.len());
        let results: Vec<ShapedResult> = results.into_iter().map(ShapedResult::of).collect();
        self.learn_shapes(&results).await;
        for (place, result) in results.into_iter().enumerate() {
            match result.row(&self.ids, &self.shapes) {
                Ok(row) => {
                    rows.push(row);
                    places.push(place);
                }
                Err(failed) => error = Some(failed),
            }
        }
        let rows: Arc<[ResultRow]> = rows.into();
        match self.record_rows(&rows, 0..rows.len()).await {
            Ok(recorded) => {
                for (place, recorded) in places.into_iter().zip(recorded) {
                    each[place] = recorded;
                }
            }
            // Of a disk that is full there is no need to ask for each.
            Err(failed) if failed.is_temporary() => {
                for place in places {
                    each[place] = Recorded::NotNow;
                }
                error = Some(failed);
            }
            // One that cannot be written must not take the others with it: their receivers would be sent all of it again.
            Err(_) => {
                for (at, place) in places.into_iter().enumerate() {
                    match self.record_rows(&rows, at..at + 1).await {
                        Ok(recorded) => each[place] = recorded[0],
                        Err(failed) => {
                            if failed.is_temporary() {
                                each[place] = Recorded::NotNow;
                            }
                            error = Some(failed);
                        }
                    }
                }
            }
        }
        RecordedResults { each, error }
    }
}

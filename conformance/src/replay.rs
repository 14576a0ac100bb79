//! The phases of a run: holds samples against their schemas, sends them, sends generated cases, deletes what was created, and puts the
//! results together.
//!
//! Called by the command line. Samples are sent one after the other, in document order: each may need what an earlier one created. The
//! generated cases of an operation are a unit of work (see [`crate::session`]); units of one resource follow each other, those of
//! different resources run at the same time. Not done: servers of single paths or operations, unique values (a server that refuses the
//! same body twice is served with what the run created before).

mod create;
mod generated;
mod keep;
mod lanes;
mod unit;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::document::Document;
use crate::finding::{Finding, ReplayStep, SentSample, Unchecked};
use crate::samples;
use crate::session::{Part, Session, Subject};

pub use crate::session::{Generate, Options, SessionError};

use unit::Unit;

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The base URL that was used.
    pub server: String,
    /// In document order, secrets hidden.
    pub findings: Vec<Finding>,
    /// Operations and samples, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
    /// The samples that were sent, in order.
    pub sent: Vec<SentSample>,
    /// Why there is no result, if no sample was sent.
    pub unchecked: Option<Unchecked>,
}

/// Replays the samples of a document against a server, and sends generated requests where the options say so.
///
/// # Errors
/// When the server's URL or a header cannot be used, or when nothing answers at the first contact.
pub async fn run(
    options: &Options,
    document: &Document,
    progress: &mut dyn FnMut(ReplayStep),
) -> Result<Outcome, SessionError> {
    let subject = Subject::new(document, options);
    let progress = RefCell::new(progress);
    let tell = |step| (progress.borrow_mut())(step);
    let session = Session::open(&subject, options, &tell).await?;
    let selection = options.selection();
    let own = samples::faults(document, session.judge.schemas, &|operation| {
        selection.selects(operation)
    });
    let mut result = Part {
        findings: own,
        ..Part::default()
    };
    let mut samples = Unit::new(&session, &[], &[]);
    for &index in &session.selected {
        samples.samples(index).await;
    }
    let (part, refusals) = samples.finish();
    result.append(part);
    let mut refused = refusals;
    // Afterwards, as what a server makes of them may show in the answers to samples.
    if let Some(generate) = &options.generate {
        let (part, more) = generated::run(&session, generate, &result, &refused).await;
        result.append(part);
        create::merge(&mut refused, more);
    }
    keep::clean_up(&session, std::mem::take(&mut result.created)).await;
    create::report(&session, refused, &mut result);
    Ok(finish(&session, result))
}

fn finish(session: &Session<'_>, result: Part) -> Outcome {
    let Part {
        mut findings,
        sent,
        tally,
        ..
    } = result;
    let secrets = session.judge.secrets;
    for finding in &mut findings {
        finding.message.redact(&|text| secrets.hide(text));
        if let Some(witness) = &mut finding.witness {
            secrets.hide_in(witness);
        }
    }
    let mut checked = BTreeMap::from([
        ("operations", tally.operations),
        ("sampleless operations", tally.bare.len()),
        ("replayed samples", tally.replayed),
        ("passed samples", tally.passed),
        ("failed samples", tally.failed()),
        ("unreplayable samples", tally.not_replayable),
        ("unchecked samples", tally.unchecked),
    ]);
    if tally.generated > 0 {
        checked.insert("generated requests", tally.generated);
    }
    let unchecked = tally.unchecked();
    session.tell(ReplayStep::Finished(tally));
    Outcome {
        server: session.base.clone(),
        findings,
        checked,
        sent,
        unchecked,
    }
}

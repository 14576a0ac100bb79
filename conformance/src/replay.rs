//! The phases of a run: holds samples against their schemas, sends them, sends generated cases, makes the requests of findings smaller,
//! deletes what was created, and puts the results together.
//!
//! Called by the command line. Samples are sent one after the other, in document order: each may need what an earlier one created. The
//! generated cases of an operation are a unit of work (see [`crate::session`]); units of one resource follow each other, those of
//! different resources run at the same time. Not done: servers of single paths or operations, unique values (a server that refuses the
//! same body twice is served with what the run created before).

pub(crate) mod again;
mod ahead;
mod archive;
pub(crate) mod causes;
mod create;
mod creator;
mod generated;
pub(crate) mod keep;
mod lanes;
mod observed;
mod refusals;
mod shrink;
mod unit;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::case::key::RUN_ID;
use crate::document::Document;
use crate::finding::{Finding, ReplayStep, Unchecked};
use crate::flows;
use crate::flows::referred::create_referred;
use crate::samples;
use crate::session::{Part, Session, Silence, Subject};

pub use crate::session::{Generate, Options, Outcome, SessionError};

use ahead::Ahead;
use archive::Archive;
use unit::Unit;

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
    let archive = options.har.as_deref();
    let archive = archive.map(|path| Archive::create(path, session.judge.secrets));
    let archive = archive.transpose()?;
    let session = match &archive {
        Some(archive) => session.recorded(archive.recorder()),
        None => session,
    };
    let selection = options.selection();
    let own = samples::faults(document, session.judge.schemas, &|operation| {
        selection.selects(operation)
    });
    let mut result = Part {
        findings: own,
        ..Part::default()
    };
    if let Some(generate) = &options.generate
        && !generate.safe
    {
        session.tell(keep::changes(&session));
    }
    // Before the first request, so that a run that cannot be made changes nothing.
    let ahead = match &options.generate {
        Some(generate) => Some(Ahead::start(&session, generate).map_err(SessionError::Thread)?),
        None => None,
    };
    if options.generate.is_some() {
        result.created = create_referred(&session, &session.selected).await;
    }
    let mut samples = Unit::new(&session, &[], &[]);
    for &index in &session.selected {
        samples.samples(index).await;
    }
    let (part, mut refused) = samples.finish();
    result.append(part);
    // Afterwards, as what a server makes of them may show in the answers to samples.
    if let Some(ahead) = ahead {
        let (part, more) = generated::run(&session, &ahead, &result, &refused).await;
        result.append(part);
        refusals::merge(&mut refused, more);
    }
    if let Some(settings) = &options.flows {
        result.append(flows::run(&session, settings).await);
    }
    refusals::report(&session, refused, &mut result);
    let silence = session.silence().await;
    // That there is no answer is said once.
    if options.generate.is_some() && silence.is_none() {
        observed::note_never_accepted(&session, &mut result);
        result.findings = causes::of_run(result.findings);
    }
    if let Some(time) = options.shrink_time()
        && silence.is_none()
    {
        let created = shrink::run(&session, &mut result.findings, time).await;
        result.created.extend(created);
    }
    let left = keep::clean_up(&session, std::mem::take(&mut result.created)).await;
    let coverage = observed::coverage(&session, &result);
    let unobserved = observed::unobserved(&session, &options.watched, &coverage);
    result.findings.extend(unobserved);
    let mut outcome = finish(&session, result, left);
    outcome.coverage = Some(coverage);
    if let Some(Silence { requests, cause }) = silence
        && !options.stop.is_stopped()
    {
        let cause = session.judge.secrets.hide(&cause);
        outcome.unchecked = Some(Unchecked::NoAnswer { requests, cause });
        outcome.notes.clear();
    }
    outcome.notes.extend(session.token_problem());
    outcome.notes.extend(of_run(&session, &outcome.findings));
    if options.transport.insecure {
        let note = "the server's certificate was not verified (--insecure)";
        outcome.notes.push(note.to_owned());
    }
    drop(session);
    archive.map_or(Ok(()), Archive::finish)?;
    Ok(outcome)
}

fn finish(session: &Session<'_>, result: Part, left: usize) -> Outcome {
    let unchecked = unchecked(session, &result);
    let notes = notes(session, left);
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
    session.tell(ReplayStep::Finished(tally));
    Outcome {
        server: session.base.clone(),
        findings,
        checked,
        sent,
        coverage: None,
        unchecked,
        notes,
    }
}

/// Says what the id of the run was, where commands need one.
fn of_run(session: &Session<'_>, findings: &[Finding]) -> Option<String> {
    let named = format!("${{{RUN_ID}");
    let mut exchanges = findings.iter().filter_map(|one| one.exchange.as_ref());
    exchanges.any(|one| one.curl.contains(&named)).then(|| {
        let run = session.options.run_id();
        format!(
            "{RUN_ID} in idempotency keys was {run}; set the variable to eight other hexadecimal digits to send a request again"
        )
    })
}

/// Why the run has no result, if so.
fn unchecked(session: &Session<'_>, result: &Part) -> Option<Unchecked> {
    let requests = result.observed.values();
    let requests = requests.map(|one| one.seen.requests).sum();
    if session.options.stop.is_stopped() {
        return Some(Unchecked::Stopped { requests });
    }
    let Some(generate) = &session.options.generate else {
        return result.tally.unchecked();
    };
    let operations = result.tally.operations;
    match requests {
        0 if operations == 0 => result.tally.unchecked(),
        0 => Some(Unchecked::NoRequests {
            operations,
            safe: generate.safe,
        }),
        _ => {
            observed::unauthorized(session, result).or_else(|| observed::elsewhere(session, result))
        }
    }
}

/// Lists the parts that were not reached and the things that are left on the server.
fn notes(session: &Session<'_>, left: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let unfinished = session.unfinished();
    if let Some(first) = unfinished.first() {
        let limit = match (session.options.stop.is_stopped(), session.options.max_time) {
            (false, Some(seconds)) => format!("the time is over ({seconds} s: --max-time)"),
            _ => "the run was stopped".to_owned(),
        };
        let others = match unfinished.len() - 1 {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        notes.push(format!(
            "{limit}: not all requests were sent to {}{others}",
            session.operations[*first].subject()
        ));
    }
    if left > 0 {
        notes.push(match left {
            1 => "1 thing that the run created is left on the server".to_owned(),
            left => format!("{left} things that the run created are left on the server"),
        });
    }
    notes
}

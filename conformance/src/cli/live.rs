//! The shared part of all checks of a live server: from arguments to options, progress and streams while it runs, and the reports.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::access::{AccessArgs, settle_server};
use super::output::{BaselineArgs, OutputArgs, Settings, write_reports};
use super::progress::ProgressLine;
use super::{Given, input, refuse_unmatched, tolerate_closed, unchecked};
use crate::case::key::RunId;
use crate::clock;
use crate::deliveries::settings::How;
use crate::document::{Document, Selection};
use crate::finding::{Comparison, ReplayStep, Unchecked, Verdict};
use crate::fingerprint;
use crate::report::{DocumentInfo, Format, Report, Stream, words};
use crate::session::{Options, Outcome, Stop};

/// The arguments of every check of a live server.
#[derive(Debug, Args)]
pub(super) struct LiveArgs {
    /// The document: a file, a URL, REV:path for a file of a git revision, or `-` for standard input.
    pub(super) document: String,
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    pub(super) baseline: BaselineArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// A check that can begin.
pub(super) struct Live {
    pub(super) options: Options,
    command: &'static str,
    baseline: BaselineArgs,
    settings: Settings,
    documents: [Document; 1],
    selection: Selection,
    line: ProgressLine,
    /// The streams of events; none after it failed, or its reader left.
    streams: RefCell<Vec<Target>>,
}

/// Where a stream of events goes.
struct Target {
    /// Standard output where there is none.
    file: Option<PathBuf>,
    stream: io::Result<Stream<Box<dyn Write>>>,
}

impl Live {
    /// Reads settings and document, and opens what is written while the check runs.
    ///
    /// # Errors
    /// When an argument, a setting, the document or a file of a report cannot be used.
    pub(super) async fn prepare(
        command: &'static str,
        args: LiveArgs,
        given: &Given,
    ) -> Result<Self> {
        let LiveArgs {
            document,
            mut options,
            access,
            baseline,
            output,
        } = args;
        let mut settings = output.settle()?;
        if options.include.is_empty() {
            options.include = std::mem::take(&mut settings.config.include);
        }
        if options.exclude.is_empty() {
            options.exclude = std::mem::take(&mut settings.config.exclude);
        }
        for (name, value) in settings.config.headers(&|name| std::env::var(name).ok())? {
            let given = |(known, _): &(String, String)| known.eq_ignore_ascii_case(&name);
            if !options.headers.iter().any(given) {
                options.headers.push((name, value));
            }
        }
        settle_server(&settings.config, given, &mut options)?;
        access.settle(&settings.config, &mut options)?;
        let documents = [input::load(&document).await?];
        let selection = options.selection();
        refuse_unmatched(&selection, &documents)?;
        let streams = streams(&mut settings)?;
        options.watch = !streams.is_empty();
        options
            .run_id
            .get_or_insert_with(|| RunId::new(clock::nonce()));
        stop_on_signal(&options.stop);
        let line = ProgressLine::start();
        line.sending(Arc::clone(&options.count));
        Ok(Self {
            options,
            command,
            baseline,
            settings,
            documents,
            selection,
            line,
            streams: RefCell::new(streams),
        })
    }

    pub(super) fn document(&self) -> &Document {
        &self.documents[0]
    }

    /// How webhooks are registered and triggered, as the settings say.
    pub(super) fn deliveries(&self) -> &How {
        &self.settings.config.deliveries
    }

    /// Whether everything is wanted on the terminal.
    pub(super) fn is_verbose(&self) -> bool {
        self.settings.is_verbose()
    }

    /// Writes a step to the streams, and to standard error where it is to be `shown`.
    pub(super) fn tell(&self, step: &ReplayStep, shown: bool) {
        let document = || vec![DocumentInfo::of("document", self.document())];
        self.stream(|stream| match step {
            ReplayStep::Started { url } => stream.start(self.command, &document(), url),
            ReplayStep::Exchange(exchange) => stream.exchange(exchange),
            _ => Ok(()),
        });
        if shown && !matches!(step, ReplayStep::Exchange(_)) {
            self.line.erase();
            // Progress that cannot be written is no reason to stop.
            let _ = writeln!(io::stderr(), "{}", words::progress(step));
        }
    }

    fn stream(&self, write: impl Fn(&mut Stream<Box<dyn Write>>) -> io::Result<()>) {
        for target in self.streams.borrow_mut().iter_mut() {
            if let Ok(stream) = &mut target.stream
                && let Err(error) = write(stream)
            {
                target.stream = Err(error);
            }
        }
    }

    /// Removes what is accepted, and writes the reports.
    ///
    /// # Errors
    /// When the baseline cannot be used, or a report cannot be written.
    pub(super) fn report(self, outcome: Outcome) -> Result<Verdict> {
        let document = &self.documents[0];
        let excluded = || unchecked(&self.selection, &self.documents) == Some(Unchecked::Excluded);
        let reason = |found| match found {
            Unchecked::NoSamples { operations: 0 } | Unchecked::NoFlows if excluded() => {
                Unchecked::Excluded
            }
            other => other,
        };
        let single = Comparison::Single;
        let entries = fingerprint::entries(outcome.findings, single, Some(document), None);
        let whole = self.selection.is_everything();
        let (findings, ignored) = self.baseline.judge(entries, whole, &self.settings)?;
        let report = Report {
            command: self.command,
            documents: vec![DocumentInfo::of("document", document)],
            server: Some(outcome.server),
            checked: outcome.checked,
            fail_on: self.settings.fail_on,
            findings,
            sent: outcome.sent,
            coverage: outcome.coverage,
            ignored,
            unchecked: outcome.unchecked.map(reason),
            notes: outcome.notes,
        };
        drop(self.line);
        let view = self.settings.plain_view();
        for target in self.streams.into_inner() {
            let written = target
                .stream
                .and_then(|mut stream| stream.finish(&report, view));
            match target.file {
                None => tolerate_closed(written)?,
                Some(file) => written
                    .with_context(|| format!("{}: cannot write the report", file.display()))?,
            }
        }
        write_reports(&report, &self.settings)
    }
}

/// Takes the reports that are streams out of the settings, and opens them.
fn streams(settings: &mut Settings) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for path in settings.take_reports(Format::Ndjson) {
        let file = File::create(&path).with_context(|| {
            format!(
                "{}: cannot write the report; check the path",
                path.display()
            )
        })?;
        let out: Box<dyn Write> = Box::new(Paced::new(file));
        targets.push(Target {
            file: Some(path),
            stream: Ok(Stream::new(out)),
        });
    }
    if settings.take_standard_output(Format::Ndjson) {
        let out: Box<dyn Write> = Box::new(Paced::new(io::stdout()));
        targets.push(Target {
            file: None,
            stream: Ok(Stream::new(out)),
        });
    }
    Ok(targets)
}

/// How long lines wait for others to be written with: a write for each takes as long as a quick exchange does.
const PACE: Duration = Duration::from_millis(20);

/// Buffers lines for somebody who reads along: writes whole lines only, each after a short delay.
struct Paced<W: Write>(Arc<Mutex<BufWriter<W>>>);

impl<W: Write + Send + 'static> Paced<W> {
    fn new(out: W) -> Self {
        let out = Arc::new(Mutex::new(BufWriter::with_capacity(64 * 1024, out)));
        let weak = Arc::downgrade(&out);
        tokio::spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            loop {
                pace.tick().await;
                let Some(out) = weak.upgrade() else { return };
                // What could not be written is tried again, and told, by the next line.
                let _ = lock(&out).flush();
            }
        });
        Self(out)
    }
}

impl<W: Write> Write for Paced<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = lock(&self.0);
        if line.len() > out.capacity() - out.buffer().len() {
            out.flush()?;
        }
        out.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.0).flush()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the run early on Ctrl-C, with the report so far; a second one ends the process at once.
pub(super) fn stop_on_signal(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        stop.stop();
        let said =
            "stopping: deletes what was created, then reports; press Ctrl-C again to end at once";
        let _ = writeln!(io::stderr(), "{said}");
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(2);
        }
    });
}

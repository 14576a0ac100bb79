//! The HTTP Archive of a run: every exchange, as it ends.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use crate::clock;
use crate::exchange::{Exchange, Secrets};
use crate::har::Writer;
use crate::session::{Recorder, SessionError};

/// An archive that is being written.
pub(super) struct Archive<'s> {
    path: &'s Path,
    secrets: &'s Secrets,
    /// The first failure ends the writing; the run goes on.
    writer: RefCell<io::Result<Writer<BufWriter<File>>>>,
}

impl<'s> Archive<'s> {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn create(path: &'s Path, secrets: &'s Secrets) -> Result<Self, SessionError> {
        let writer = File::create(path).and_then(|file| Writer::new(BufWriter::new(file)));
        match writer {
            Ok(writer) => Ok(Self {
                path,
                secrets,
                writer: RefCell::new(Ok(writer)),
            }),
            Err(error) => Err(failed(path, error)),
        }
    }

    pub(super) fn recorder(&'s self) -> Recorder<'s> {
        Box::new(|_, exchange| self.add(exchange))
    }

    fn add(&self, exchange: &Exchange) {
        let mut writer = self.writer.borrow_mut();
        if let Ok(open) = &mut *writer
            && let Err(error) = open.add(exchange, clock::now(), self.secrets)
        {
            *writer = Err(error);
        }
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When not all of it could be written.
    pub(super) fn finish(self) -> Result<(), SessionError> {
        let written = self.writer.into_inner().and_then(Writer::finish);
        written.map_err(|error| failed(self.path, error))
    }
}

fn failed(path: &Path, source: io::Error) -> SessionError {
    SessionError::Archive {
        path: path.to_owned(),
        source,
    }
}

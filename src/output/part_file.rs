//! A part file while it is written: counted and summed on the way, durable in the end.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fs_err::File;
use sha2::{Digest, Sha256};

use crate::failpoint::{Step, around};
use crate::output::durable::sync_folder;
use crate::output::error::OutputError;

/// Bytes that gather before the system is called.
const BUFFER_BYTES: usize = 64 * 1024;

/// A part file while it is written.
pub(super) struct PartFile {
    path: PathBuf,
    file: BufWriter<File>,
    checksum: Sha256,
    bytes: u64,
}

/// What was written to a part file.
pub(super) struct PartFileSummary {
    pub(super) bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

impl PartFile {
    /// Begins a part file, in the place of what an interrupted run may have left there.
    pub(super) fn create(path: &Path) -> Result<Self, OutputError> {
        let file = File::create(path).map_err(|error| OutputError::from_io(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            checksum: Sha256::new(),
            bytes: 0,
        })
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Has the file and its name written down.
    pub(super) fn finish(self) -> Result<PartFileSummary, OutputError> {
        around(Step::PartClosed, || self.sync())
    }

    fn sync(mut self) -> Result<PartFileSummary, OutputError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|error| OutputError::from_io(&self.path, error))?;
        self.path.parent().map_or(Ok(()), sync_folder)?;
        Ok(PartFileSummary {
            bytes: self.bytes,
            sha256: format!("{:x}", self.checksum.finalize()),
        })
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.checksum.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

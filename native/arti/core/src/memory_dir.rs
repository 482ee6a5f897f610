//! A private folder in RAM that goes with the process.
//!
//! # Whose folder it is
//!
//! A folder is in use as long as somebody holds the lock (`flock`) on the file `lock` in it. The kernel lets go of the
//! lock when the process ends, however it ends, and it does not matter which namespace of process ids the process lived
//! in. Whoever wants to remove a folder takes its lock first, and removes the lock file last, so that an interrupted
//! removal can be taken up again. A creator whose folder was swept between two of its steps sees that its lock file is
//! not the one at that path any more, and makes another.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::errors::Fault;

/// Folders of this process. An exit hook has nothing else to find them by.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn live() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every folder of this process at once, for a process that ends.
pub fn remove_memory_dirs() {
    for path in std::mem::take(&mut *live()) {
        linux::remove(&path);
    }
}

/// A private folder in RAM, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct MemoryDir {
    path: PathBuf,
    /// Holds the lock.
    _lock: std::fs::File,
}

impl MemoryDir {
    /// Removes what processes that are gone have left in `parent`, and makes a new folder there.
    pub(crate) fn create(parent: &Path) -> Result<Self, Fault> {
        linux::check(parent)?;
        linux::sweep(parent).map_err(failed)?;
        let (path, lock) = linux::make(parent).map_err(failed)?;
        live().push(path.clone());
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for MemoryDir {
    fn drop(&mut self) {
        live().retain(|path| path != &self.path);
        linux::remove(&self.path);
    }
}

fn failed(error: std::io::Error) -> Fault {
    Fault::new("PersistentStateAccessFailed", format_args!("cannot make a folder in the memory directory: {error}"))
}

#[cfg(target_os = "linux")]
#[path = "memory_dir_linux.rs"]
mod linux;

#[cfg(not(target_os = "linux"))]
#[path = "memory_dir_other.rs"]
mod linux;

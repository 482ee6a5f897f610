//! Where a client's state lies: in a folder that stays, or in one of RAM that goes with the client.

use std::fs;
use std::path::{Path, PathBuf};

use crate::client::Place;
use crate::errors::Fault;
use crate::memory_dir::MemoryDir;

/// A folder for one client. Dropping it removes a folder in RAM.
#[derive(Debug)]
pub(crate) enum Storage {
    Kept(PathBuf),
    Memory(MemoryDir),
}

impl Storage {
    pub(crate) fn open(place: &Place) -> Result<Self, Fault> {
        match place {
            Place::Kept(path) => {
                make_private(path)?;
                Ok(Self::Kept(path.clone()))
            }
            Place::Memory(parent) => Ok(Self::Memory(MemoryDir::create(parent)?)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Memory(dir) => dir.path(),
        }
    }

    /// Whether keys must stay on the heap.
    pub(crate) fn forgets(&self) -> bool {
        matches!(self, Self::Memory(_))
    }
}

/// Makes a folder for this user alone. One that is there is left as it is: Arti refuses it when others can write to it.
fn make_private(path: &Path) -> Result<(), Fault> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        Fault::new("PersistentStateAccessFailed", format_args!("cannot make the state folder: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_new_state_folder_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let storage = Storage::open(&Place::Kept(path.clone())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(!storage.forgets());
        drop(storage);
        assert!(path.exists());
    }

    #[test]
    fn a_state_folder_that_cannot_be_made_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let fault = Storage::open(&Place::Kept(file.path().join("x"))).unwrap_err();
        assert_eq!(fault.code, "PersistentStateAccessFailed");
    }
}

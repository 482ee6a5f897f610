//! Where no folder is known to be in RAM.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use crate::errors::Fault;

pub(super) fn check(_parent: &Path) -> std::result::Result<(), Fault> {
    Err(Fault::new("Unsupported", "amnesia needs a tmpfs or ramfs, which only Linux has"))
}

pub(super) fn sweep(_parent: &Path) -> Result<()> {
    Ok(())
}

pub(super) fn make(_parent: &Path) -> Result<(PathBuf, File)> {
    Err(Error::from(ErrorKind::Unsupported))
}

pub(super) fn remove(_path: &Path) {}

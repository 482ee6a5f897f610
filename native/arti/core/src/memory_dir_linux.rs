//! Folders on tmpfs, and who holds them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FsWord, statfs};

use crate::errors::Fault;

const PREFIX: &str = "ron-transport-arti-";
const LOCK: &str = "lock";
const SWAPS: &str = "/proc/swaps";

/// `f_type` of statfs(2).
const TMPFS: FsWord = 0x0102_1994;
const RAMFS: FsWord = 0x8584_58f6;

/// A sweep of another process may take a folder away before it is locked; hardly twice.
const TRIES: usize = 16;

/// Whether a folder below `parent` stays in RAM.
pub(super) fn check(parent: &Path) -> std::result::Result<(), Fault> {
    let kind = statfs(parent)
        .map_err(|error| Fault::new("NotTmpfs", format_args!("the memory directory cannot be looked at: {error}")))?
        .f_type;
    if kind != TMPFS && kind != RAMFS {
        return Err(Fault::new("NotTmpfs", "the memory directory is neither on tmpfs nor on ramfs; /dev/shm is"));
    }
    match fs::read_to_string(SWAPS) {
        Ok(table) if has_swap(&table) => {
            Err(Fault::new("Swap", "swap is active, so memory may be written to disk; `swapoff -a` ends that"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::new("Swap", format_args!("cannot tell whether swap is active: {SWAPS}: {error}"))),
    }
}

/// The table has one heading, and then a line for each area.
fn has_swap(table: &str) -> bool {
    table.lines().skip(1).any(|line| !line.trim().is_empty())
}

/// Removes the folders of this user in `parent` that nobody holds.
pub(super) fn sweep(parent: &Path) -> Result<()> {
    let me = fs::metadata("/proc/self")?.uid();
    for entry in fs::read_dir(parent)? {
        // Others come and go here as well: what cannot be looked at is not ours to remove.
        let Ok(entry) = entry else { continue };
        let Ok(facts) = entry.path().symlink_metadata() else { continue };
        let ours = facts.is_dir() && facts.uid() == me && entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours {
            remove_if_abandoned(&entry.path());
        }
    }
    Ok(())
}

fn remove_if_abandoned(path: &Path) {
    match OpenOptions::new().read(true).write(true).open(path.join(LOCK)) {
        Ok(lock) => {
            if lock.try_lock().is_ok() {
                remove(path);
            }
        }
        // Either its creator has not come so far, and will make another; or a removal was interrupted at its last step.
        Err(error) if error.kind() == ErrorKind::NotFound => drop(fs::remove_dir(path)),
        Err(_) => {}
    }
}

/// Makes a folder of mode 0700 and locks it.
pub(super) fn make(parent: &Path) -> Result<(PathBuf, File)> {
    for _ in 0..TRIES {
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .rand_bytes(16)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        match lock(dir.path()) {
            Ok(Some(lock)) => return Ok((dir.keep(), lock)),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::other("other processes keep removing it"))
}

/// The lock of a new folder, or nothing when a sweep has it.
fn lock(path: &Path) -> Result<Option<File>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path.join(LOCK))?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let (held, found) = (file.metadata()?, fs::metadata(path.join(LOCK))?);
    Ok((held.ino() == found.ino() && held.dev() == found.dev()).then_some(file))
}

/// Removes a folder whose lock the caller holds. Threads that still end may write meanwhile: hence several goes.
pub(super) fn remove(path: &Path) {
    for _ in 0..TRIES {
        let emptied = fs::read_dir(path).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                if entry.file_name() == LOCK {
                    continue;
                }
                let removed = match entry.file_type()?.is_dir() {
                    true => fs::remove_dir_all(entry.path()),
                    false => fs::remove_file(entry.path()),
                };
                gone_or(removed)?;
            }
            gone_or(fs::remove_file(path.join(LOCK)))?;
            fs::remove_dir(path)
        });
        match emptied {
            Ok(()) => return,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(_) => {}
        }
    }
}

fn gone_or(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryDir;
    use super::*;
    use std::process::Command;

    /// A folder of its own on tmpfs for each test.
    fn ram() -> tempfile::TempDir {
        tempfile::Builder::new().prefix("memory-dir-test-").tempdir_in("/dev/shm").unwrap()
    }

    fn count(parent: &Path) -> usize {
        fs::read_dir(parent).unwrap().count()
    }

    #[test]
    fn has_swap_reads_the_table() {
        let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(!has_swap(heading));
        assert!(!has_swap(""));
        assert!(has_swap(&format!("{heading}/dev/zram0 partition 8388604 0 100\n")));
    }

    #[test]
    fn a_disk_is_refused() {
        for path in ["/proc", "/nowhere/at/all"] {
            assert_eq!(MemoryDir::create(Path::new(path)).unwrap_err().code, "NotTmpfs");
        }
    }

    #[test]
    fn it_is_private_and_goes_with_its_owner() {
        let parent = ram();
        let dir = MemoryDir::create(parent.path()).unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir(dir.path().join("deep")).unwrap();
        fs::write(dir.path().join("deep/file"), "x").unwrap();
        drop(dir);
        assert_eq!(count(parent.path()), 0);
    }

    #[test]
    fn a_sweep_leaves_what_is_held_and_what_is_not_ours() {
        let parent = ram();
        let held = MemoryDir::create(parent.path()).unwrap();
        fs::create_dir(parent.path().join("other")).unwrap();
        std::os::unix::fs::symlink("/etc", parent.path().join(format!("{PREFIX}link"))).unwrap();
        sweep(parent.path()).unwrap();
        assert!(held.path().join(LOCK).exists());
        assert_eq!(count(parent.path()), 3);
    }

    #[test]
    fn a_sweep_takes_what_nobody_holds() {
        let parent = ram();
        for (name, files) in [("a", vec![LOCK, "state"]), ("b", vec![LOCK]), ("c", vec![])] {
            let path = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&path).unwrap();
            for file in files {
                fs::write(path.join(file), "").unwrap();
            }
        }
        sweep(parent.path()).unwrap();
        assert_eq!(count(parent.path()), 0);
    }

    #[test]
    fn a_lock_of_another_process_counts() {
        let parent = ram();
        let path = parent.path().join(format!("{PREFIX}x"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join(LOCK), "").unwrap();
        let mut other = Command::new("flock").arg(path.join(LOCK)).args(["sleep", "30"]).spawn().unwrap();
        while File::open(path.join(LOCK)).unwrap().try_lock().is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        sweep(parent.path()).unwrap();
        assert!(path.exists());
        // `flock` waits for `sleep`, which has the descriptor as well: both must go
        Command::new("pkill").args(["-P", &other.id().to_string()]).status().unwrap();
        other.wait().unwrap();
        sweep(parent.path()).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn creators_and_sweepers_do_not_disturb_each_other() {
        let parent = ram();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let dir = MemoryDir::create(parent.path()).unwrap();
                        fs::write(dir.path().join("mine"), "x").unwrap();
                        sweep(parent.path()).unwrap();
                        assert!(dir.path().join("mine").exists());
                    }
                });
            }
        });
        assert_eq!(count(parent.path()), 0);
    }
}

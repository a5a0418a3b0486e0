//! A file system of a few MiB, which can be filled.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Tells a test that it runs in a namespace of its own, where it may mount.
const INSIDE: &str = "LGLP_TEST_MAY_MOUNT";

/// A tmpfs, unmounted when it is dropped.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one; none where this process may not.
    pub fn mount(mib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        let mounted = mount.stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self { folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that leaves so many bytes free, or as many as are free by now; its path.
    pub fn fill(&self, leave: u64) -> PathBuf {
        let path = self.path().join("ballast");
        let mut file = File::options().create(true).append(true).open(&path).expect("a file");
        loop {
            let more = self.free().saturating_sub(leave).min(1 << 16);
            // Somebody else may have been faster.
            if more == 0 || file.write_all(&vec![1; usize::try_from(more).expect("small")]).is_err() {
                return path;
            }
        }
    }

    /// Makes it larger or smaller.
    pub fn resize(&self, mib: u64) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={mib}m")]).arg(self.path());
        assert!(
            mount.status().is_ok_and(|status| status.success()),
            "the disk is as large as it was"
        );
    }

    /// Bytes that are free.
    pub fn free(&self) -> u64 {
        let told = rustix::fs::statvfs(self.path()).expect("a file system");
        told.f_bavail * told.f_frsize
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut unmount = Command::new("umount");
        let _ = unmount.arg("--lazy").arg(self.path()).status();
    }
}

/// Runs a test of this process's again where it may mount file systems: as the root of a namespace of its own. Whether it
/// did: not where it runs there already, and not where the system has no such namespaces for this user.
///
/// # Panics
/// Where the test fails there.
pub fn elsewhere(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return false;
    }
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount"]);
        unshare
    };
    let allowed = unshare().arg("true").stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return false;
    }
    let this = std::env::current_exe().expect("a test");
    let run = unshare()
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status();
    assert!(
        run.expect("it runs").success(),
        "{test} failed in a namespace of its own"
    );
    true
}

/// Copies a folder with all that it holds.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry").path();
        let target = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, target).expect("a copy");
        }
    }
}

//! Running a program that may hang, crash or talk without end: what runtimes that measure by somebody else's tools need.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};

use crate::Printable;
use crate::plugin::PluginError;

/// Output of a program that is kept, bytes: its end, where reasons stand.
const KEPT: u64 = 1 << 20;

/// Output at which a program is stopped, bytes.
const OUTPUT_LIMIT: u64 = 256 << 20;

/// Lines of a program's output that an error repeats.
const LAST_LINES: usize = 3;

/// Between two looks at a program; rarely enough to leave what it measures alone.
const LOOK: Duration = Duration::from_millis(10);

/// What a program left when it ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The end of its standard output, up to 1 MiB. What is no UTF-8 is replaced.
    pub stdout: String,
    /// The end of its standard error, likewise.
    pub stderr: String,
    /// What it was started with. What is no UTF-8 is replaced.
    pub arguments: Vec<String>,
}

/// Why a program did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no such program, or it may not be run.
    #[error("cannot start {program}: {reason}")]
    NotStarted {
        /// As it was to be started: a name or a path.
        program: String,
        /// Why the system did not start it.
        reason: std::io::Error,
    },
    /// It was still running at the end of its time, and was killed.
    #[error("{program} was still running after {} s and was killed{}", limit.as_secs_f64(), said(last_words))]
    TimedOut {
        /// As it was started: a name or a path.
        program: String,
        /// The time that it had.
        limit: Duration,
        /// The last lines of its standard error, or else of its standard output, up to three; empty where it said nothing.
        last_words: String,
    },
    /// It wrote more than any tool should, and was killed.
    #[error("{program} wrote more than {} MiB and was killed", OUTPUT_LIMIT >> 20)]
    TooTalkative {
        /// As it was started: a name or a path.
        program: String,
    },
    /// It ended with a status that is not 0, or by a signal.
    #[error("{program} {}{}", ended(*status), said(last_words))]
    Failed {
        /// As it was started: a name or a path.
        program: String,
        /// How it ended: an exit status that is not 0, or a signal.
        status: ExitStatus,
        /// The last lines of its standard error, or else of its standard output, up to three; empty where it said nothing.
        last_words: String,
    },
    /// The system failed.
    #[error("cannot run {program}: {reason}")]
    System {
        /// As it was to be started: a name or a path.
        program: String,
        /// What the system could not do: make a file for its output, wait for it, or read what it wrote.
        reason: std::io::Error,
    },
}

impl From<ProgramError> for PluginError {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::NotStarted { .. } => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Runs a program to its end, without input, in a process group of its own. When the time is over the whole group is killed;
/// when this process dies, so does the program, and its device is free for whoever comes next.
///
/// # Errors
/// Every end but exit status 0.
pub fn run(mut command: Command, limit: Duration) -> Result<Output, ProgramError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy().into_owned());
    let arguments: Vec<String> = arguments.collect();
    let system = |reason| ProgramError::System {
        program: program.clone(),
        reason,
    };
    // Files and not pipes: a grandchild that outlives the program cannot keep a file from being read.
    let (mut stdout, mut stderr) = (
        tempfile::tempfile().map_err(system)?,
        tempfile::tempfile().map_err(system)?,
    );
    command.stdin(Stdio::null()).process_group(0);
    command.stdout(stdout.try_clone().map_err(system)?);
    command.stderr(stderr.try_clone().map_err(system)?);
    // SAFETY: a single system call, which is allowed between fork and exec.
    unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
    let mut child = ProcessGroup(command.spawn().map_err(|reason| ProgramError::NotStarted {
        program: program.clone(),
        reason,
    })?);
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.0.try_wait().map_err(system)? {
            break status;
        }
        if started.elapsed() > limit {
            drop(child);
            let last_words = last_lines(&[&mut stderr, &mut stdout]);
            return Err(ProgramError::TimedOut {
                program,
                limit,
                last_words,
            });
        }
        let written = [&stdout, &stderr].map(|file| file.metadata().map_or(0, |m| m.len()));
        if written.iter().sum::<u64>() > OUTPUT_LIMIT {
            return Err(ProgramError::TooTalkative { program });
        }
        std::thread::sleep(LOOK);
    };
    if !status.success() {
        let last_words = last_lines(&[&mut stderr, &mut stdout]);
        return Err(ProgramError::Failed {
            program,
            status,
            last_words,
        });
    }
    Ok(Output {
        stdout: tail(&stdout).map_err(system)?,
        stderr: tail(&stderr).map_err(system)?,
        arguments,
    })
}

/// A child that leads a process group of its own (`CommandExt::process_group(0)`); killed as a whole when it is dropped.
pub struct ProcessGroup(pub Child);

impl ProcessGroup {
    /// Kills all of it. Where the leader has ended, children that it left behind are still of its group; one that went over to another group is
    /// killed by itself.
    pub fn kill(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.kill();
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
        let _ = self.0.wait();
    }
}

fn tail(mut file: &File) -> std::io::Result<String> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(KEPT)))?;
    let mut bytes = Vec::new();
    file.take(KEPT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines of the first file that has any, in order and fit for a terminal: the reason seldom stands in the very last one.
fn last_lines(files: &[&mut File]) -> String {
    let mut texts = files.iter().map(|file| tail(file).unwrap_or_default());
    let last = |text: String| {
        let lines = text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
        let mut lines: Vec<&str> = lines.take(LAST_LINES).collect();
        lines.reverse();
        (!lines.is_empty()).then(|| Printable::of(lines.join(" | ")).to_string())
    };
    texts.find_map(last).unwrap_or_default()
}

fn said(last_words: &str) -> String {
    match last_words.trim() {
        "" => ", without a word".to_owned(),
        words => format!("; its last words: {words}"),
    }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: f64) -> Result<Output, ProgramError> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, Duration::from_secs_f64(limit))
    }

    #[test]
    fn what_a_program_says_is_kept() {
        let output = shell("echo out; echo err >&2", 10.0).expect("status 0");
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
    }

    /// A killed `trtexec` had left a child behind that kept the device busy, and the pipe open that was read to its end.
    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let started = Instant::now();
        let error = shell("echo begun >&2; sleep 1000 & sleep 1000", 0.2).expect_err("it hangs");
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(matches!(error, ProgramError::TimedOut { .. }));
        assert!(error.to_string().contains("begun"), "{error}");
    }

    #[test]
    fn every_bad_end_has_its_reason() {
        let said = |script| shell(script, 10.0).expect_err("a bad end").to_string();
        assert!(said("echo no device; exit 3").contains("status 3; its last words: no device"));
        assert!(said("kill -9 $$").contains("signal 9, without a word"));
        assert!(said(r"printf '\033[31mno device\033[0m\a\n'; exit 1").contains(r"\u{1b}[31mno device\u{1b}[0m\u{7}"));
        let missing = run(Command::new("/nonexistent/trtexec"), LOOK).expect_err("nothing to start");
        assert!(missing.to_string().starts_with("cannot start /nonexistent/trtexec"));
        assert!(matches!(PluginError::from(missing), PluginError::Unavailable(_)));
    }

    #[test]
    fn endless_talk_ends() {
        let error = shell("yes", 60.0).expect_err("it never ends");
        assert!(matches!(error, ProgramError::TooTalkative { .. }), "{error}");
    }
}

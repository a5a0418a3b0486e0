//! Loading in this process, and what becomes of a process that does not survive it.
//!
//! A plugin that came through the rehearsal may still behave differently here: it may keep state in a file. Calling `exit`,
//! crashing and hanging inside of the loader cannot be undone in the process; but they can be noticed in it, and then the
//! process starts itself anew, with the same number, arguments and environment, and one more variable that says what to leave
//! out and why. What nobody notices is a plugin that ends the process by a system call of its own (`_exit`, SIGKILL).

use std::ffi::{CString, c_char, c_int, c_uint};
use std::os::unix::ffi::OsStringExt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::PluginError;
use crate::host::file::Opening;

/// The variable that tells a process what the same process left out when it started anew.
const VARIABLE: &str = "LGLP_PLUGINS_LEFT_OUT";

/// Signals by which a process is ended for what it did itself, and the alarm that ends a wait. A thread could not watch over
/// the time: the loader's lock stops others where they least expect it.
const SIGNALS: [c_int; 8] = [
    libc::SIGABRT,
    libc::SIGALRM,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

/// A file that is not loaded any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LeftOut {
    /// Another file under the same name is another plugin.
    sha256: String,
    reason: String,
}

/// How to start anew, made before a file is loaded: a process that is about to end can do little more than one system call.
struct Plan {
    arguments: Texts,
    /// The environment without [`VARIABLE`], which the ways lead to.
    _environment: Texts,
    exited: Way,
    /// As [`SIGNALS`].
    signalled: [Way; SIGNALS.len()],
}

/// What is said, and left to the next start, where loading ends in one way.
struct Way {
    message: Vec<u8>,
    environment: Vec<*const c_char>,
    /// What the environment leads to.
    _variable: CString,
}

/// Texts as `execve` takes them.
struct Texts {
    _texts: Vec<CString>,
    /// Null at the end.
    pointers: Vec<*const c_char>,
}

/// The plan while a file is being loaded.
static PLAN: AtomicPtr<Plan> = AtomicPtr::new(ptr::null_mut());

/// Fails for a file that an earlier start of this process did not survive.
pub(in crate::host) fn require_not_left_out(file: &Opening) -> Result<(), PluginError> {
    match left_out().into_iter().find(|left| left.sha256 == file.sha256) {
        Some(left) => Err(PluginError::NotLoadable(left.reason)),
        None => Ok(()),
    }
}

fn left_out() -> Vec<LeftOut> {
    let list = std::env::var(VARIABLE).ok();
    list.and_then(|list| serde_json::from_str(&list).ok())
        .unwrap_or_default()
}

/// Runs `load`, which loads a file. Where that ends the process or takes longer than `patience`, the process starts anew
/// without the file, and nothing returns.
pub(in crate::host) fn guarded<T>(file: &Opening, patience: Duration, load: impl FnOnce() -> T) -> T {
    /// Timer, signals and plan are the process's.
    static TURN: Mutex<()> = Mutex::new(());
    static AT_EXIT: Once = Once::new();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    AT_EXIT.call_once(|| {
        // SAFETY: the function unwinds nowhere. It fails where memory is out, and then there are worse problems.
        let _ = unsafe { libc::atexit(at_exit) };
    });
    let plan = Box::into_raw(Box::new(Plan::new(file, patience)));
    PLAN.store(plan, Ordering::Release);
    let handlers = Handlers::install();
    // SAFETY: sets a timer of the process, which uses no other.
    unsafe { libc::alarm(patience.as_secs().try_into().unwrap_or(c_uint::MAX)) };
    let result = load();
    // SAFETY: as above.
    unsafe { libc::alarm(0) };
    let plan = PLAN.swap(ptr::null_mut(), Ordering::AcqRel);
    drop(handlers);
    if !plan.is_null() {
        // SAFETY: made above by `Box::into_raw`, and whoever swaps it out has it alone.
        drop(unsafe { Box::from_raw(plan) });
    }
    result
}

extern "C" fn at_exit() {
    start_anew(|plan| &plan.exited);
}

extern "C" fn on_signal(signal: c_int) {
    let at = SIGNALS.iter().position(|known| *known == signal).unwrap_or_default();
    start_anew(|plan| &plan.signalled[at]);
    if signal == libc::SIGALRM {
        // It came in the moment in which the load was over.
        return;
    }
    // The plan was taken by another thread, which is about to end this process.
    loop {
        // SAFETY: waits for a signal.
        unsafe { libc::pause() };
    }
}

/// Starts anew where a file is being loaded; only then does it not return. Calls nothing that is not allowed in a signal
/// handler.
fn start_anew(way: impl FnOnce(&Plan) -> &Way) {
    let plan = PLAN.swap(ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: where it is not null it is a plan that nobody else frees, since whoever swaps it out has it alone.
    let Some(plan) = (unsafe { plan.as_ref() }) else { return };
    let way = way(plan);
    say(&way.message);
    // SAFETY: signals that are blocked stay so across `execve`; the pointers lead to texts of the plan and end with null.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        let program = c"/proc/self/exe".as_ptr();
        libc::execve(program, plan.arguments.pointers.as_ptr(), way.environment.as_ptr());
    }
    say(b"lglp: and it cannot start again\n");
    // SAFETY: ends the process at once: its end has begun already.
    unsafe { libc::_exit(1) };
}

fn say(message: &[u8]) {
    // SAFETY: the bytes are there.
    unsafe { libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len()) };
}

impl Plan {
    fn new(file: &Opening, patience: Duration) -> Self {
        let environment = std::env::vars_os().filter(|(name, _)| name != VARIABLE);
        let environment = environment.map(|(name, value)| {
            let parts = [name.into_vec(), value.into_vec()];
            parts.join(&b'=')
        });
        let environment = Texts::new(environment.collect());
        let way = |what: String| Way::new(file, &what, &environment);
        Self {
            exited: way("ends the process by calling exit".into()),
            signalled: SIGNALS.map(|signal| match signal {
                libc::SIGALRM => way(format!("takes longer than {} s", patience.as_secs())),
                signal => way(format!("kills the process (signal {signal})")),
            }),
            arguments: Texts::new(std::env::args_os().map(OsStringExt::into_vec).collect()),
            _environment: environment,
        }
    }
}

impl Way {
    fn new(file: &Opening, what: &str, environment: &Texts) -> Self {
        let shown = &file.shown;
        let mut list = left_out();
        list.push(LeftOut {
            sha256: file.sha256.clone(),
            reason: format!("loading it here {what}, though it had come through a trial; it is left out since"),
        });
        let list = serde_json::json!(list);
        // JSON writes a zero byte as an escape.
        let variable = CString::new(format!("{VARIABLE}={list}")).unwrap_or_default();
        let mut pointers = environment.pointers.clone();
        pointers.insert(0, variable.as_ptr());
        Self {
            message: format!("lglp: loading {shown} {what}; starting again without it\n").into_bytes(),
            environment: pointers,
            _variable: variable,
        }
    }
}

impl Texts {
    fn new(texts: Vec<Vec<u8>>) -> Self {
        // Arguments and environment came as such texts: there is no zero byte in them.
        let texts: Vec<CString> = texts.into_iter().filter_map(|text| CString::new(text).ok()).collect();
        let pointers = texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Self {
            _texts: texts,
            pointers,
        }
    }
}

/// Handlers of [`SIGNALS`], until this is dropped.
struct Handlers([libc::sigaction; SIGNALS.len()]);

impl Handlers {
    fn install() -> Self {
        Self(SIGNALS.map(|signal| {
            // SAFETY: all of the structures is set; the handler calls only what a handler may, on a stack of its own where the
            // thread has one, since its own may be what has run out.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                let mut before: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as extern "C" fn(c_int) as usize;
                action.sa_flags = libc::SA_ONSTACK | libc::SA_NODEFER;
                libc::sigaction(signal, &action, &mut before);
                before
            }
        }))
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        for (signal, before) in SIGNALS.iter().zip(&self.0) {
            // SAFETY: what was there before.
            unsafe { libc::sigaction(*signal, before, ptr::null_mut()) };
        }
    }
}

//! The thread that starts processes. A process is to end with this one, which the system ties to the thread that started it: so that is
//! one that never ends.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

type Order = (Command, SyncSender<std::io::Result<Child>>);

/// Starts a program.
///
/// # Errors
/// Where that cannot be started.
pub(super) fn spawn(command: Command) -> std::io::Result<Child> {
    static ORDERS: OnceLock<Option<Sender<Order>>> = OnceLock::new();
    let gone = || std::io::Error::other("the thread that starts processes is not there");
    let orders = ORDERS.get_or_init(start).as_ref().ok_or_else(gone)?;
    let (sender, started) = sync_channel(1);
    orders.send((command, sender)).map_err(|_| gone())?;
    started.recv().map_err(|_| gone())?
}

fn start() -> Option<Sender<Order>> {
    let (orders, received) = channel::<Order>();
    let started = thread::Builder::new().name("plugin processes".into()).spawn(move || {
        for (mut command, sender) in received {
            // Whoever asked may have gone: the process ends with what it is told by.
            let _ = sender.send(command.spawn());
        }
    });
    started.ok().map(|_| orders)
}

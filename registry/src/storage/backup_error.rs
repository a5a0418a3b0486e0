//! What reading and writing a backup fails with.

use std::io;

use crate::Error;

pub(crate) fn failed(source: io::Error) -> Error {
    Error::Storage {
        doing: "write the backup",
        source: Box::new(source),
    }
}

pub(crate) fn bad(reason: String) -> Error {
    Error::BadBackup { reason }
}

pub(crate) fn unreadable(error: io::Error) -> Error {
    bad(format!("it cannot be read: {error}"))
}

//! Bodies that are written by a thread while they are sent: nothing of them is held but a few chunks.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use lglp_registry::Error;
use tokio::sync::mpsc;

use super::problem::ApiError;

/// Bytes of a chunk, and how many chunks wait at most.
const CHUNK: usize = 256 << 10;
const WAITING: usize = 4;

/// Runs `work` on a thread of its own, and gives what it writes as a body. Where it fails before the first chunk, that is
/// the answer; after it, the connection is cut, so that nobody takes the part for the whole.
pub(super) async fn written_by(
    work: impl FnOnce(&mut dyn Write) -> Result<(), Error> + Send + 'static,
) -> Result<Chunks, ApiError> {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    actix_web::rt::task::spawn_blocking(move || {
        let mut writer = ChunkWriter {
            chunk: Vec::with_capacity(CHUNK),
            sender,
        };
        let ended = work(&mut writer).and_then(|()| {
            writer.send().map_err(|source| Error::Storage {
                doing: "send the body",
                source: Box::new(source),
            })
        });
        if let Err(error) = ended {
            // Whoever no longer listens has gone away.
            let _ = writer.sender.blocking_send(Err(error));
        }
    });
    let first = match receiver.recv().await {
        Some(Ok(chunk)) => Some(chunk),
        Some(Err(error)) => return Err(error.into()),
        None => None,
    };
    Ok(Chunks { first, receiver })
}

/// A body of chunks.
pub(super) struct Chunks {
    first: Option<Bytes>,
    receiver: mpsc::Receiver<Result<Bytes, Error>>,
}

impl MessageBody for Chunks {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let next = self.receiver.poll_recv(context);
        if let Poll::Ready(Some(Err(error))) = &next {
            tracing::error!("a body was cut off: {error}");
        }
        next
    }
}

/// Gathers what is written into chunks.
struct ChunkWriter {
    chunk: Vec<u8>,
    sender: mpsc::Sender<Result<Bytes, Error>>,
}

impl ChunkWriter {
    fn send(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the receiver has gone away");
        self.sender.blocking_send(Ok(chunk.into())).map_err(gone)
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..count]);
        if self.chunk.len() == CHUNK {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

//! Bodies of requests have to come along.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use super::pace::Pace;

/// How long a body may be waited for without [`LEAST`] of it coming.
const WINDOW: Duration = Duration::from_secs(20);

/// 4 KiB a second: what the slowest links of boards in the field still carry.
const LEAST: u64 = 4096 * WINDOW.as_secs();

/// Why a body was given up. It is the inner error of a [`PayloadError::Io`].
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, kib) = (WINDOW.as_secs(), LEAST >> 10);
        write!(
            f,
            "less than {kib} KiB of the body came in {seconds} s, and it has not ended"
        )
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    /// Whether it is why a body could not be read.
    pub(crate) fn caused(error: &PayloadError) -> bool {
        matches!(error, PayloadError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Self>()))
    }
}

/// Puts a request's body under the rule, for whoever reads it.
pub(super) fn hold_to_pace(request: &mut ServiceRequest) {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return;
    }
    let pace = Pace::new(WINDOW, LEAST);
    let payload = Box::pin(Paced { payload, pace });
    request.set_payload(Payload::Stream { payload });
}

struct Paced {
    payload: Payload,
    pace: Pace,
}

impl Stream for Paced {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.payload).poll_next(context);
        match &next {
            Poll::Ready(Some(Ok(chunk))) => self.pace.progress(chunk.len()),
            Poll::Ready(_) => {}
            Poll::Pending => {
                if self.pace.poll_over(context).is_ready() {
                    let error = io::Error::new(io::ErrorKind::TimedOut, TooSlow);
                    return Poll::Ready(Some(Err(PayloadError::Io(error))));
                }
            }
        }
        next
    }
}

//! Answers that wait for their readers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::ResponseError as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::stream::UnderWay;
use crate::api::problem::ApiError;

/// Memory that answers may wait in, all together.
const BUDGET: usize = 256 << 20;

/// What is counted: answers below it are held by their connections, of which there are so and so many.
const UNIT: usize = 64 << 10;

/// Gives the memory of large answers to those who read slowly, up to a budget.
#[derive(Clone)]
pub struct Waiting(Arc<Semaphore>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET / UNIT)))
    }
}

impl Waiting {
    /// Counts what an answer holds until it has gone; where the budget is spent, another one takes its place.
    pub fn hold(
        &self,
        answer: ServiceResponse<impl MessageBody + 'static>,
        under_way: Option<UnderWay>,
    ) -> ServiceResponse<Answer> {
        let mut paid = None;
        let answer = match answer.response().body().size() {
            BodySize::Sized(length) if length as usize >= UNIT => {
                let units = (length as usize).div_ceil(UNIT).min(BUDGET / UNIT);
                match self.0.clone().try_acquire_many_owned(units as u32) {
                    Ok(permit) => {
                        paid = Some(permit);
                        answer.map_into_boxed_body()
                    }
                    Err(_) => {
                        let request = answer.request().clone();
                        ServiceResponse::new(request, too_much().error_response())
                    }
                }
            }
            _ => answer.map_into_boxed_body(),
        };
        answer.map_body(|_, body| Answer {
            body: Body::of(body),
            _paid: paid,
            _under_way: under_way,
        })
    }
}

fn too_much() -> ApiError {
    ApiError::busy(
        "answers that others are slow to read fill the memory that there is for them; try again in a few seconds",
    )
}

/// The body of an answer, and what it holds.
pub struct Answer {
    body: Body,
    _paid: Option<OwnedSemaphorePermit>,
    _under_way: Option<UnderWay>,
}

enum Body {
    /// In memory as a whole. It goes in pieces, since the server copies what it is given.
    Whole(Bytes),
    Other(BoxBody),
}

impl Body {
    fn of(body: BoxBody) -> Self {
        body.try_into_bytes().map_or_else(Self::Other, Self::Whole)
    }
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match &self.body {
            Body::Whole(bytes) => BodySize::Sized(bytes.len() as u64),
            Body::Other(body) => body.size(),
        }
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match &mut self.body {
            Body::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Whole(bytes) => {
                let length = bytes.len().min(UNIT);
                Poll::Ready(Some(Ok(bytes.split_to(length))))
            }
            Body::Other(body) => Pin::new(body).poll_next(context),
        }
    }
}

//! Answers that wait for their readers.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::ResponseError as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;

use super::stream::UnderWay;
use crate::api::budget::{Budget, Charge};
use crate::api::problem::ApiError;

/// What is counted, in bytes: answers below it are held by their connections, of which there are so and so many.
const COUNTED: usize = 64 << 10;

/// Counts what an answer holds until it has gone; where the memory for answers is spent, another one takes its place. An answer
/// without a length counts what it holds by itself.
pub(super) fn hold(
    memory: &Budget,
    answer: ServiceResponse<impl MessageBody + 'static>,
    under_way: Option<UnderWay>,
) -> ServiceResponse<Answer> {
    let request = answer.request().clone();
    let counted = match answer.response().body().size() {
        BodySize::Sized(length) if length as usize >= COUNTED => {
            let mut charge = memory.charge(&request);
            // A single one is always taken.
            charge.grow((length as usize).min(memory.most())).map(|()| Some(charge))
        }
        _ => Ok(None),
    };
    let (answer, charge) = match counted {
        Ok(charge) => (answer.map_into_boxed_body(), charge),
        Err(_) => (ServiceResponse::new(request, too_much().error_response()), None),
    };
    answer.map_body(|_, body| Answer {
        body: Body::of(body),
        _charge: charge,
        _under_way: under_way,
    })
}

fn too_much() -> ApiError {
    ApiError::busy(
        "answers that others are slow to read fill the memory that there is for them; try again in a few seconds",
    )
}

/// The body of an answer, and what it holds.
pub(super) struct Answer {
    body: Body,
    _charge: Option<Charge>,
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
                let length = bytes.len().min(COUNTED);
                Poll::Ready(Some(Ok(bytes.split_to(length))))
            }
            Body::Other(body) => Pin::new(body).poll_next(context),
        }
    }
}

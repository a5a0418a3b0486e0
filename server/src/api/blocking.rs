//! Blocking work.

use std::any::Any;

use actix_web::web;

use super::problem::ApiError;

/// Runs blocking work (the registry, plugins) off the threads that answer requests. A panic there fails one request.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    // So that what is logged there is known to be this request's.
    let span = tracing::Span::current();
    let result = run(Box::new(move || Box::new(span.in_scope(work)))).await?;
    let result = result.downcast::<Result<T, E>>();
    result.expect("it is what the work returned").map_err(Into::into)
}

/// Without the type of the work: what runs it would be compiled anew for each of a hundred callers.
async fn run(work: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>) -> Result<Box<dyn Any + Send>, ApiError> {
    let cut_off = |_| ApiError::internal("the work on this request was cut off; the log tells why");
    web::block(work).await.map_err(cut_off)
}

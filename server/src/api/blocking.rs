//! Blocking work.

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
    match web::block(move || span.in_scope(work)).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(ApiError::internal(
            "the work on this request was cut off; the log tells why",
        )),
    }
}

//! What is wrong with a request, at one place of it.

use lglp_openapi::problem::Fault;

use super::super::problem::ApiError;

pub(super) fn fault(pointer: &str, detail: String) -> ApiError {
    ApiError::invalid_request(vec![Fault {
        pointer: pointer.into(),
        detail,
    }])
}

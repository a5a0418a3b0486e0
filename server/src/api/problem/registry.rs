//! What the registry's errors become.

use std::io;

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, RETRY_AFTER};
use lglp_openapi::problem::{Fault, Slug};
use lglp_registry::{Error as RegistryError, Verdict};
use lglp_sdk::excerpt::{MESSAGE, shortened};

use super::ApiError;

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        Self::from(&error)
    }
}

impl From<&RegistryError> for ApiError {
    fn from(error: &RegistryError) -> Self {
        let detail = error.to_string();
        match error {
            RegistryError::Invalid { field, reason } => Self::invalid_request(vec![Fault {
                pointer: pointer(field),
                detail: reason.clone(),
            }]),
            RegistryError::NotFound { what, .. } => {
                let (slug, title) = match *what {
                    "hardware target" => (Slug::UnknownHardware, "Unknown hardware"),
                    "version" => (Slug::UnknownVersion, "Unknown version"),
                    _ => (Slug::NotFound, "Not found"),
                };
                Self::new(StatusCode::NOT_FOUND, slug, title, detail)
            }
            RegistryError::Item { place, fault } => Self::of_item(place, fault, detail),
            RegistryError::MissingBlob { field, .. } => {
                let title = "A blob is missing";
                let problem = Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Slug::MissingBlob,
                    title,
                    detail.clone(),
                );
                problem.at(pointer(field), detail)
            }
            RegistryError::Conflict { .. } => Self::new(
                StatusCode::CONFLICT,
                Slug::Conflict,
                "Something else is recorded there",
                detail,
            ),
            RegistryError::StaleGeneration { current, .. } => {
                let title = "It has moved meanwhile";
                let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, Slug::StaleGeneration, title, detail);
                problem.headers.push((ETAG, format!("\"{current}\"")));
                problem
            }
            RegistryError::GateRefused { verdict, .. } => Self::gate_refused(verdict, detail),
            RegistryError::NoPrevious { .. } => Self::new(
                StatusCode::CONFLICT,
                Slug::NothingToRollBackTo,
                "There is no earlier version",
                detail,
            ),
            RegistryError::InUse { .. } => Self::new(StatusCode::CONFLICT, Slug::InUse, "It is in use", detail),
            RegistryError::QuotaReached { .. } => Self::new(
                StatusCode::FORBIDDEN,
                Slug::QuotaReached,
                "The caller has created all that it may",
                detail,
            ),
            RegistryError::QueueFull { .. } | RegistryError::ShareTaken { .. } => {
                let title = "Too many jobs are waiting";
                let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, Slug::QueueFull, title, detail);
                problem.headers.push((RETRY_AFTER, "30".into()));
                problem
            }
            RegistryError::JobEnded { .. } => {
                Self::new(StatusCode::CONFLICT, Slug::JobEnded, "The job has ended", detail)
            }
            RegistryError::StaleInstance { .. } => Self::new(
                StatusCode::CONFLICT,
                Slug::StaleInstance,
                "Another process is this worker now",
                detail,
            ),
            RegistryError::StaleLease { .. } => {
                Self::new(StatusCode::CONFLICT, Slug::StaleLease, "The lease is over", detail)
            }
            RegistryError::WritesStopped { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Slug::WritesStopped,
                "The registry takes no more writes",
                detail,
            ),
            RegistryError::DiskFull { .. } => Self::disk_full(detail),
            RegistryError::Io { source, .. } if is_full(source) => Self::disk_full(detail),
            RegistryError::Busy { .. } => {
                let title = "Too many are writing";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::WritersBusy, title, detail)
                    .with_header(RETRY_AFTER, "1")
            }
            RegistryError::AuditBroken { .. } | RegistryError::RecordDiffers { .. } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                Slug::AuditBroken,
                "The audit log does not hold",
                detail,
            ),
            _ => Self::internal(detail),
        }
    }
}

/// The JSON pointer of a field in dotted form.
fn pointer(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

impl ApiError {
    /// Each rule that failed, with its figures.
    fn gate_refused(verdict: &Verdict, detail: String) -> Self {
        let title = "The gate refuses the version";
        let mut problem = Self::new(StatusCode::CONFLICT, Slug::GateRefused, title, detail);
        let failed = verdict.rules.iter().filter(|rule| !rule.passed);
        problem.errors = failed
            .map(|rule| Fault {
                pointer: format!("/gate/{}", rule.rule),
                detail: rule.detail.clone(),
            })
            .collect();
        problem
    }

    /// What an item of a list is refused for, with its place.
    fn of_item(place: &str, fault: &RegistryError, detail: String) -> Self {
        let place = match fault {
            RegistryError::Conflict { field, .. } => format!("{place}.{field}"),
            _ => place.to_owned(),
        };
        let mut problem = Self::from(fault);
        problem.detail = shortened(detail, MESSAGE);
        problem.at(pointer(&place), fault.to_string())
    }

    /// Nothing was written, and will be once there is space.
    fn disk_full(detail: String) -> Self {
        let title = "The disk is full";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::DiskFull, title, detail).with_header(RETRY_AFTER, "30")
    }
}

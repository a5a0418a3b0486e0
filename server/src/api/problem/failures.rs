//! What the errors of serving, plugins, jobs and bundles become.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use lglp_engine::host::PluginError;
use lglp_engine::predictor::ModelError;
use lglp_engine::spaces::UnknownSpace;
use lglp_engine::train::DataError;
use lglp_openapi::problem::{Fault, Slug};

use super::ApiError;
use crate::bundles::BundleError;
use crate::compute::{Full, Lost};
use crate::jobs::JobError;
use crate::lineage::{DiffError, RebindError};
use crate::savings::SavingsError;
use crate::serving::{REFUSED_FOR, ServingError};

impl From<UnknownSpace> for ApiError {
    fn from(error: UnknownSpace) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            Slug::UnknownSpace,
            "Unknown search space",
            error.to_string(),
        )
    }
}

impl From<PluginError> for ApiError {
    fn from(error: PluginError) -> Self {
        let detail = error.to_string();
        let failed = |slug, title| Self::new(StatusCode::INTERNAL_SERVER_ERROR, slug, title, detail.clone());
        match error {
            PluginError::Panicked { .. } => failed(Slug::PluginPanicked, "A plugin panicked"),
            PluginError::Ended { .. } => failed(Slug::PluginCrashed, "A plugin crashed"),
            PluginError::Overdue { .. } => {
                let title = "A plugin does not answer";
                Self::new(StatusCode::GATEWAY_TIMEOUT, Slug::PluginOverdue, title, detail)
            }
            PluginError::Busy { .. } => {
                let title = "A plugin is busy";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::PluginBusy, title, detail)
                    .with_header(RETRY_AFTER, "5")
            }
            PluginError::Quarantined { .. } => {
                let title = "A plugin is in quarantine";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::PluginQuarantined, title, detail)
                    .with_header(RETRY_AFTER, "30")
            }
            PluginError::TenantQuarantined { .. } => {
                let title = "The version is in quarantine";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::VersionQuarantined, title, detail)
                    .with_header(RETRY_AFTER, "30")
            }
            PluginError::NoSuchComponent { .. } | PluginError::Unavailable { .. } | PluginError::NotStarted { .. } => {
                let title = "A plugin is not available";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::PluginUnavailable, title, detail)
            }
            // What the client asked for is no network.
            PluginError::NoNetwork(_) => Self::invalid_request(vec![Fault {
                pointer: String::new(),
                detail,
            }]),
            _ => failed(Slug::PluginFailed, "A plugin failed"),
        }
    }
}

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        let title = "Too many requests";
        Self::new(StatusCode::TOO_MANY_REQUESTS, Slug::Overloaded, title, full.to_string())
            .with_header(RETRY_AFTER, "1")
    }
}

impl From<Lost> for ApiError {
    fn from(lost: Lost) -> Self {
        let detail = lost.to_string();
        match lost {
            Lost::Overdue { .. } => {
                let title = "A plugin does not answer";
                Self::new(StatusCode::GATEWAY_TIMEOUT, Slug::PluginOverdue, title, detail)
            }
            Lost::Stopping | Lost::Unwanted => {
                let title = "The server is stopping";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::Stopping, title, detail).with_header(RETRY_AFTER, "5")
            }
            _ => Self::internal(detail),
        }
    }
}

impl From<ModelError> for ApiError {
    fn from(error: ModelError) -> Self {
        let detail = error.to_string();
        match error {
            ModelError::Space(error) => error.into(),
            ModelError::Registry(error) => Self::from(&*error),
            ModelError::Plugin(error) => error.into(),
            ModelError::ReadsArchitectures { .. } => Self::invalid_request(vec![Fault {
                pointer: "/model".into(),
                detail,
            }]),
            // All others are the version's own.
            _ => {
                let title = "The version cannot be used";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Slug::VersionUnusable, title, detail)
                    .with_header(RETRY_AFTER, REFUSED_FOR.as_secs().to_string())
            }
        }
    }
}

impl From<ServingError> for ApiError {
    fn from(error: ServingError) -> Self {
        let detail = error.to_string();
        match error {
            ServingError::NoProduction { .. } => Self::new(
                StatusCode::NOT_FOUND,
                Slug::NoProductionModel,
                "No model is in production",
                detail,
            ),
            ServingError::NoAlias { .. } => {
                Self::new(StatusCode::NOT_FOUND, Slug::UnknownAlias, "Unknown alias", detail)
            }
            ServingError::TooManyLoads { .. } => Self {
                detail,
                ..Self::overloaded()
            },
            ServingError::Lost(lost) => lost.into(),
            ServingError::Model(error) => error.into(),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                Slug::ModelUnusable,
                "The model cannot be used",
                detail,
            ),
        }
    }
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Registry(error) => error.into(),
            JobError::UnknownSpace(error) => error.into(),
            error => Self::internal(error.to_string()),
        }
    }
}

impl From<BundleError> for ApiError {
    fn from(error: BundleError) -> Self {
        let detail = error.to_string();
        let here = |slug, title| Self::new(StatusCode::CONFLICT, slug, title, detail.clone());
        let bundle = |slug, title| Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, detail.clone());
        match error {
            BundleError::OtherMachine { .. } => here(Slug::OtherMachine, "The hardware target is another machine here"),
            BundleError::NoSpace { .. } | BundleError::OtherSpace { .. } => {
                here(Slug::OtherSpace, "The search space is another one here")
            }
            BundleError::MissingPlugins { .. } | BundleError::OtherPlugins { .. } => {
                here(Slug::OtherPlugins, "The plugins are others here")
            }
            BundleError::Unusable(ServingError::Lost(lost)) => lost.into(),
            BundleError::Unusable(ServingError::Model(ModelError::Plugin(
                error @ (PluginError::Quarantined { .. } | PluginError::TenantQuarantined { .. }),
            ))) => error.into(),
            BundleError::Unusable(_) => bundle(Slug::ModelUnusable, "The model cannot be used"),
            BundleError::Registry(error) => error.into(),
            _ => bundle(Slug::InvalidBundle, "The bundle cannot be read"),
        }
    }
}

impl From<DiffError> for ApiError {
    fn from(error: DiffError) -> Self {
        let detail = error.to_string();
        match error {
            DiffError::Count { .. } => Self::invalid_request(vec![Fault {
                pointer: "/count".into(),
                detail,
            }]),
            DiffError::Data(DataError::Registry(error)) | DiffError::Registry(error) => error.into(),
            DiffError::Lost(lost) => lost.into(),
            DiffError::Data(_) => Self::internal(detail),
        }
    }
}

impl From<RebindError> for ApiError {
    fn from(error: RebindError) -> Self {
        let detail = error.to_string();
        match error {
            RebindError::Tolerance { .. } => Self::invalid_request(vec![Fault {
                pointer: "/tolerance".into(),
                detail,
            }]),
            RebindError::Nothing { .. } | RebindError::Gone { .. } | RebindError::Differs { .. } => {
                let title = "The version is not bound to other builds";
                Self::new(StatusCode::CONFLICT, Slug::NotRebound, title, detail)
            }
            RebindError::Model(error) => ServingError::from(error).into(),
            RebindError::Plugin(error) => error.into(),
            RebindError::Registry(error) => error.into(),
        }
    }
}

impl From<SavingsError> for ApiError {
    fn from(error: SavingsError) -> Self {
        match error {
            SavingsError::Assumption(bad) => Self::invalid_request(vec![Fault {
                pointer: format!("/{}", bad.field),
                detail: bad.to_string(),
            }]),
            SavingsError::Registry(error) => error.into(),
        }
    }
}

//! Predictions of a version against measurements, fresh, recorded or held out: `/v1/{hardware}/validations`.

pub use lglp_registry::{Baseline, NewValidation, Validation, ValidationPair};

//! Reading the body of a prediction: its fields first, each architecture by itself later.

use std::ops::{Range, RangeInclusive};

use actix_web::web::Bytes;
use lglp_engine::predictor::{COVERAGE, ServedModel};
use lglp_engine::spaces::Spaces;
use lglp_openapi::predict::{OnError, RowsQuery};
use lglp_openapi::problem::Fault;
use lglp_sdk::{Architecture, Excerpt, SearchSpace};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::body::malformed;
use super::super::problem::{ApiError, FAULTS_LISTED};
use super::fault::fault;
use super::fields::{Fields, Given};
use super::limits::BATCH_LIMIT;
use super::source::{Faulty, Source};
use super::texts::Texts;
use crate::serving::ModelRef;

/// Bytes of another field at most: names are short.
const FIELD_LIMIT: usize = 4 << 10;

const KNOWN: [&str; 5] = ["space", "architectures", "model", "coverage", "on_error"];

/// Coverages that may be asked for: beyond, an interval says nothing, or has no end.
const COVERAGES: RangeInclusive<f64> = 0.01..=0.999;

/// The body, its fields checked; architectures wait, as they were sent, for the model to tell their space.
pub(super) struct PredictBody {
    pub(super) space: Option<String>,
    pub(super) model: ModelRef,
    pub(super) architectures: Source,
    /// Of intervals.
    pub(super) coverage: f64,
    on_error: OnError,
}

/// Architectures that were read, and those that were not.
#[derive(Default)]
pub(super) struct Read {
    pub(super) architectures: Vec<Architecture>,
    /// With the place of each in the request, in their order.
    pub(super) faults: Vec<(usize, Fault)>,
}

impl PredictBody {
    pub(super) fn read(body: &Bytes) -> Result<Self, ApiError> {
        let (fields, is_json) = Fields::read(body)?;
        if let Some(unknown) = fields.unknown {
            let unknown = Excerpt::of(unknown).to_string();
            let detail = format!("unknown field `{unknown}`; known: {}", KNOWN.join(", "));
            return Err(fault(&format!("/{}", escape(&unknown)), detail));
        }
        if let Some(name) = fields.repeated {
            return Err(fault(&format!("/{name}"), format!("the field `{name}` comes twice")));
        }
        let space = match field("space", fields.space)? {
            Value::Null => None,
            Value::String(name) => Some(name),
            other => {
                return Err(fault(
                    "/space",
                    format!("{} is not the name of a search space", Excerpt::of(other)),
                ));
            }
        };
        let model = model_ref(&field("model", fields.model)?)?;
        let coverage = match field("coverage", fields.coverage)? {
            Value::Null => COVERAGE,
            value => coverage(value.as_f64(), || Excerpt::of(value).to_string())?,
        };
        let on_error = match field("on_error", fields.on_error)? {
            Value::Null => OnError::Request,
            Value::String(text) if text == "request" => OnError::Request,
            Value::String(text) if text == "item" => OnError::Item,
            other => {
                let detail = format!("{}; allowed: \"request\", \"item\"", Excerpt::of(other));
                return Err(fault("/on_error", detail));
            }
        };
        let Some(architectures) = fields.architectures else {
            let detail = "missing field `architectures`; an array of 1 to 10,000";
            return Err(fault("/architectures", detail.into()));
        };
        let Given::Array { first, count } = architectures else {
            return Err(fault("/architectures", "expected an array of architectures".into()));
        };
        if count == 0 || count > BATCH_LIMIT {
            let detail = format!("{count} architectures; allowed: 1 to {BATCH_LIMIT} per request");
            return Err(fault("/architectures", detail));
        }
        Ok(Self {
            space,
            model,
            coverage,
            on_error,
            architectures: Source::Texts(Texts::of(body, &first, is_json)),
        })
    }

    /// Rows, with what the query says of them.
    pub(super) fn of_rows(rows: Bytes, query: RowsQuery) -> Result<Self, ApiError> {
        let text = |share: f64| share.to_string();
        Ok(Self {
            space: query.space,
            model: model_ref(&query.model.map_or(Value::Null, Value::String))?,
            coverage: match query.coverage {
                Some(share) => coverage(Some(share), || text(share))?,
                None => COVERAGE,
            },
            on_error: query.on_error.unwrap_or(OnError::Request),
            architectures: Source::Rows(rows),
        })
    }

    /// Refuses another space than the model's.
    pub(super) fn check_space(&self, served: &ServedModel, spaces: &Spaces) -> Result<(), ApiError> {
        match &self.space {
            Some(name) if spaces.get(name)?.name() != served.space.name() => Err(fault(
                "/space",
                format!(
                    "`{}`; version {} of `{}` predicts in the space `{}`",
                    Excerpt::of(name),
                    served.version,
                    served.hardware,
                    served.space.name()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Reads some of the architectures. Where one is faulty, all of them are pointed at, or, where the request wants that, told apart.
    pub(super) fn architectures(
        &self,
        space: &SearchSpace,
        spaces: &Spaces,
        part: Range<usize>,
    ) -> Result<Read, ApiError> {
        let mut read = Read {
            architectures: Vec::with_capacity(part.len()),
            faults: Vec::new(),
        };
        for at in part {
            match self.architectures.read(at, space, spaces)? {
                Ok(architecture) => read.architectures.push(architecture),
                Err(Faulty { place, detail }) => read.faults.push((at, at_fault(at, &place, detail))),
            }
        }
        match self.on_error {
            OnError::Request if !read.faults.is_empty() => {
                let faults = read.faults.into_iter().map(|(_, fault)| fault);
                Err(ApiError::invalid_request(faults.take(FAULTS_LISTED).collect()))
            }
            _ => Ok(read),
        }
    }
}

/// A share of intervals; `text` is what was written for it.
pub(super) fn coverage(share: Option<f64>, text: impl FnOnce() -> String) -> Result<f64, ApiError> {
    share.filter(|share| COVERAGES.contains(share)).ok_or_else(|| {
        let (low, high) = (COVERAGES.start(), COVERAGES.end());
        fault("/coverage", format!("{} is not a share of {low} to {high}", text()))
    })
}

fn at_fault(at: usize, place: &str, detail: String) -> Fault {
    let pointer = format!("/architectures/{at}{place}");
    Fault { pointer, detail }
}

/// The value of a field; null where it is left out.
fn field<T: DeserializeOwned + Default>(name: &str, text: Option<&str>) -> Result<T, ApiError> {
    let Some(text) = text else { return Ok(T::default()) };
    if text.len() > FIELD_LIMIT {
        let detail = format!("{} bytes of text; allowed: {FIELD_LIMIT}", text.len());
        return Err(fault(&format!("/{name}"), detail));
    }
    serde_json::from_str(text).map_err(|e| malformed(text.as_bytes(), &e))
}

/// The version that a request names: production where it names none.
pub(crate) fn model_ref(value: &Value) -> Result<ModelRef, ApiError> {
    ModelRef::read(value).ok_or_else(|| {
        let value = Excerpt::of(value);
        let detail = format!("{value} is neither an alias, like \"production\", nor a version number, like 3");
        fault("/model", detail)
    })
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

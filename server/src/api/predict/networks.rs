//! Networks as ONNX files. A network that is an architecture of the model's space is predicted as that; of any other, the model sums up
//! over its operators, and what it was not fitted on is named.

use std::collections::BTreeMap;

use actix_web::web::Bytes;
use lglp_engine::networks::{self, Cost};
use lglp_engine::predictor::{self, COVERAGE};
use lglp_onnx::Network;
use lglp_openapi::networks::{NetworkRead, NetworksRequest, UnknownOperator};
use lglp_openapi::predict::Prediction;
use lglp_openapi::problem::Fault;
use lglp_sdk::{Excerpt, Printable};
use serde_json::Value;

use super::super::problem::{ApiError, FAULTS_LISTED};
use super::answer::{predicted_as, prediction};
use super::body::model_ref;
use super::fault::fault;
use super::limits::OPERATOR_LIMIT;
use crate::serving::{ModelRef, Route, Serving};

/// A request whose files wait to be read.
pub(super) struct Networks {
    pub(super) model: ModelRef,
    pub(super) coverage: f64,
    shapes: BTreeMap<String, Vec<u64>>,
    files: Vec<(String, Bytes)>,
    refuse_unknown: bool,
}

impl Networks {
    /// Checks all of a request but its files.
    pub(super) fn check(request: NetworksRequest) -> Result<Self, ApiError> {
        let model = request.model.map_or(Value::Null, Value::String);
        if request.networks.is_empty() {
            let detail = "no network; send ONNX files as parts of the name `network`: curl -F network=@net.onnx ...";
            return Err(fault("/network", detail.into()));
        }
        Ok(Self {
            model: model_ref(&model)?,
            coverage: request.coverage.unwrap_or(COVERAGE),
            shapes: shapes(&request.shapes)?,
            files: request
                .networks
                .into_iter()
                .map(|(name, onnx)| (name, onnx.into()))
                .collect(),
            refuse_unknown: request.refuse_unknown,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Reads the file at a place.
    pub(super) fn read(&self, at: usize) -> Result<Network, Fault> {
        let (name, onnx) = &self.files[at];
        lglp_onnx::read(onnx.clone(), &self.shapes).map_err(|error| at_fault(at, name, &error.to_string()))
    }

    /// Predicts the network of the file at a place, and tells the version that did.
    pub(super) fn predict(
        &self,
        at: usize,
        network: &Network,
        serving: &Serving,
        route: &Route,
    ) -> Result<(Prediction, u32), ApiError> {
        let (model, name) = (&route.model, &self.files[at].0);
        let cost = Cost::of(&network.operators, 1);
        let read = NetworkRead {
            name: name.clone(),
            macs: cost.macs,
            parameters: cost.parameters,
            operators: network.operators.len(),
            architecture: None,
            unknown_operators: Vec::new(),
        };
        if let Some(architecture) = networks::recognise(&model.space, network) {
            let answered = serving.answer(route, std::slice::from_ref(&architecture))?;
            let Some(answered) = answered.into_iter().next() else {
                return Err(ApiError::internal("an architecture was not answered"));
            };
            let version = answered.version;
            let network = Some(NetworkRead {
                architecture: Some(model.space.canonical_text(&architecture)),
                ..read
            });
            let prediction = prediction(model, answered);
            return Ok((Prediction { network, ..prediction }, version));
        }
        let predicted = serving.seen(model, model.predict_network(network, route.coverage))?;
        let unknown: Vec<UnknownOperator> = predicted.unknown.into_iter().map(told).collect();
        if self.refuse_unknown && !unknown.is_empty() {
            let named: Vec<_> = unknown
                .iter()
                .map(|unknown| format!("{} of {}", unknown.count, unknown.operator))
                .collect();
            let detail = format!(
                "operators that version {} of `{}` was not fitted on: {}; without `unknown_operators=refuse` what they take is guessed",
                model.version,
                model.hardware,
                named.join("; ")
            );
            return Err(ApiError::invalid_request(vec![at_fault(at, name, &detail)]));
        }
        let network = Some(NetworkRead {
            unknown_operators: unknown,
            ..read
        });
        let prediction = predicted_as(model, predicted.predicted);
        Ok((Prediction { network, ..prediction }, model.version))
    }
}

/// Networks that were read, as long as they are no more than one request may have, and the faults of the others.
#[derive(Default)]
pub(super) struct Reading {
    networks: Vec<Network>,
    operators: usize,
    faults: Vec<Fault>,
}

impl Reading {
    /// Takes in what came of the next file.
    pub(super) fn add(&mut self, read: Result<Network, Fault>) -> Result<(), ApiError> {
        match read {
            Ok(network) => {
                self.operators += network.operators.len();
                if self.operators > OPERATOR_LIMIT {
                    let detail =
                        format!("more than {OPERATOR_LIMIT} operators in all; send some of them in another request");
                    return Err(fault("/network", detail));
                }
                self.networks.push(network);
            }
            Err(fault) if self.faults.len() < FAULTS_LISTED => self.faults.push(fault),
            Err(_) => {}
        }
        Ok(())
    }

    /// All of them, or every fault.
    pub(super) fn finish(self) -> Result<Vec<Network>, ApiError> {
        match self.faults.is_empty() {
            true => Ok(self.networks),
            false => Err(ApiError::invalid_request(self.faults)),
        }
    }
}

fn told(unknown: predictor::UnknownOperator) -> UnknownOperator {
    UnknownOperator {
        operator: unknown.operator,
        count: unknown.count,
        macs_share: unknown.macs_share,
        share: unknown.share,
    }
}

fn at_fault(at: usize, name: &str, detail: &str) -> Fault {
    Fault {
        pointer: format!("/network/{at}"),
        detail: format!("{}: {detail}", Printable::of(Excerpt::of(name))),
    }
}

/// Shapes of inputs by their names, from `input=1x3x224x224`.
fn shapes(texts: &[String]) -> Result<BTreeMap<String, Vec<u64>>, ApiError> {
    let shape = |(at, text): (usize, &String)| {
        let read = text.split_once('=').and_then(|(input, sides)| {
            let sides = sides.split(['x', ',']).map(|side| side.trim().parse().ok());
            Some((input.trim().to_owned(), sides.collect::<Option<Vec<u64>>>()?))
        });
        read.ok_or_else(|| {
            let detail = format!("{} is no shape; write it like input=1x3x224x224", Excerpt::of(text));
            fault(&format!("/shape/{at}"), detail)
        })
    };
    let mut shapes = BTreeMap::new();
    for (at, text) in texts.iter().enumerate() {
        let (input, sides) = shape((at, text))?;
        if shapes.insert(input, sides).is_some() {
            return Err(fault(&format!("/shape/{at}"), "this input has a shape already".into()));
        }
    }
    Ok(shapes)
}

//! Networks as ONNX files. A network that is an architecture of the model's space is predicted as that; of any other, the model sums up
//! over its operators, and what it was not fitted on is named.

use std::collections::BTreeMap;

use lglp_engine::networks::{self, Cost};
use lglp_engine::predictor::COVERAGE;
use lglp_onnx::Network;
use lglp_openapi::networks::{NetworkRead, NetworksRequest, UnknownOperator};
use lglp_openapi::predict::Prediction;
use lglp_openapi::problem::Fault;
use lglp_sdk::Excerpt;
use serde_json::Value;

use super::super::problem::{ApiError, FAULTS_LISTED};
use super::answer::{predicted_as, prediction};
use super::body::{fault, model_ref};
use crate::serving::{ModelRef, Route, Serving};

/// A request whose files are read.
pub(super) struct Networks {
    pub(super) model: ModelRef,
    pub(super) coverage: f64,
    pub(super) networks: Vec<Network>,
    names: Vec<String>,
    refuse_unknown: bool,
}

impl Networks {
    /// Reads all files of a request, pointing at every faulty one.
    pub(super) fn read(request: NetworksRequest) -> Result<Self, ApiError> {
        let model = request.model.map_or(Value::Null, Value::String);
        let model = model_ref(&model)?;
        let shapes = shapes(&request.shapes)?;
        if request.networks.is_empty() {
            let detail = "no network; send ONNX files as parts of the name `network`: curl -F network=@net.onnx ...";
            return Err(fault("/network", detail.into()));
        }
        let (mut networks, mut names) = (Vec::new(), Vec::new());
        let mut faults = Vec::new();
        for (at, (name, onnx)) in request.networks.into_iter().enumerate() {
            match lglp_onnx::read(onnx.into(), &shapes) {
                Ok(network) => networks.push(network),
                Err(error) => faults.push(at_fault(at, &name, &error.to_string())),
            }
            names.push(name);
        }
        if !faults.is_empty() {
            faults.truncate(FAULTS_LISTED);
            return Err(ApiError::invalid_request(faults));
        }
        Ok(Self {
            model,
            coverage: request.coverage.unwrap_or(COVERAGE),
            networks,
            names,
            refuse_unknown: request.refuse_unknown,
        })
    }

    /// Predicts the network at a place, and tells the version that did.
    pub(super) fn predict(&self, at: usize, serving: &Serving, route: &Route) -> Result<(Prediction, u32), ApiError> {
        let (model, network, name) = (&route.model, &self.networks[at], &self.names[at]);
        let cost = Cost::of(&network.operators, 1);
        let read = NetworkRead {
            name: name.clone(),
            macs: cost.macs,
            parameters: cost.parameters,
            operators: network.operators.len(),
            architecture: None,
            unknown_operators: Vec::new(),
        };
        if let Some(architecture) = networks::recognise(&model.space, &network.operators) {
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
        let predicted = serving.seen(model, model.predict_network(&network.operators, route.coverage))?;
        let unknown: Vec<UnknownOperator> = predicted
            .unknown
            .into_iter()
            .map(|unknown| UnknownOperator {
                operator: unknown.operator,
                count: unknown.count,
                macs_share: unknown.macs_share,
                share: unknown.share,
            })
            .collect();
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

fn at_fault(at: usize, name: &str, detail: &str) -> Fault {
    Fault {
        pointer: format!("/network/{at}"),
        detail: format!("{}: {detail}", Excerpt::of(name)),
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
    texts.iter().enumerate().map(shape).collect()
}

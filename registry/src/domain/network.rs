//! Networks that are measured by themselves, and not as architectures of a search space.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits;
use crate::{Digest, Error, Result};

/// What stands in the place of a search space in measurements of networks that are of none.
pub const ONNX: &str = "onnx";

/// Operators of a network that is measured, at most.
const OPERATORS: usize = 4_000;

/// The largest number of an operator: no network has so many multiply-accumulates.
const MOST: u64 = 100_000_000_000_000;

/// Words of what is peculiar about an operator; bytes.
const PECULIAR: usize = 64;

/// Codes of kinds and of activations, at most.
const CODES: u64 = 255;

/// What the numbers of an operator are, in their order. Kinds and activations are the codes of the plugins' C header
/// (`OPERATOR_*`, `ACTIVATION_*`); sides are in pixels, amounts are of one input, in float32.
pub const OPERATOR_FIELDS: [&str; 13] = [
    "kind",
    "kernel",
    "stride",
    "groups",
    "channels_in",
    "channels_out",
    "side_in",
    "side_out",
    "activation",
    "launches",
    "macs",
    "activation_bytes",
    "weight_bytes",
];

/// A network that was measured by itself: what it computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MeasuredNetwork {
    /// What people call it: the name of its file.
    pub name: String,
    /// What a runtime executes, in its order. Each operator is 13 whole numbers: kind, kernel, stride, groups, channels in and out,
    /// side in and out (pixels), activation, launches, multiply-accumulates, bytes of values read and written, and bytes of weights; kinds and
    /// activations are codes of the plugins' C header, and amounts are of one input, in float32.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Vec<u64>>, min_items = 1, max_items = 4_000))]
    pub operators: Vec<[u64; OPERATOR_FIELDS.len()]>,
    /// By which rules a runtime executes just these operators, such as `onnxruntime/16/2`; absent where they are what any runtime computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// Operators that cost otherwise than their numbers tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peculiar: Vec<Peculiar>,
}

/// In what an operator costs otherwise than its numbers tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peculiar {
    /// Its place among the operators, from 0.
    pub operator: usize,
    /// In words, such as `dilated`.
    pub is: String,
}

impl MeasuredNetwork {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("network.name", &self.name)?;
        if let Some(rules) = &self.rules {
            limits::text("network.rules", rules)?;
        }
        if self.operators.is_empty() {
            return Err(Error::invalid("network.operators", "expected one at least"));
        }
        limits::count("network.operators", self.operators.len(), OPERATORS)?;
        for (at, operator) in self.operators.iter().enumerate() {
            let fault = |reason: String| Err(Error::invalid(format!("network.operators.{at}"), reason));
            let most = |field: usize| match OPERATOR_FIELDS[field] {
                "kernel" | "stride" => u64::from(u16::MAX),
                "macs" | "activation_bytes" | "weight_bytes" => MOST,
                _ => u64::from(u32::MAX),
            };
            if let Some(field) = (0..operator.len()).find(|field| operator[*field] > most(*field)) {
                let (name, number, most) = (OPERATOR_FIELDS[field], operator[field], most(field));
                return fault(format!("{name} is {number}; {most} at most"));
            }
            if operator[9..].iter().sum::<u64>() == 0 {
                return fault("it neither computes nor moves anything".to_owned());
            }
            let [kind, .., activation, _, _, _, _] = operator;
            if !(1..=CODES).contains(kind) || *activation > CODES {
                return fault(format!(
                    "kind {kind} with activation {activation}; the C header of plugins has the codes"
                ));
            }
        }
        limits::count("network.peculiar", self.peculiar.len(), self.operators.len())?;
        for (at, Peculiar { operator, is }) in self.peculiar.iter().enumerate() {
            if *operator >= self.operators.len() {
                let field = format!("network.peculiar.{at}.operator");
                return Err(Error::invalid(field, "there is no operator of that place"));
            }
            if at > 0 && self.peculiar[at - 1].operator >= *operator {
                let field = format!("network.peculiar.{at}.operator");
                return Err(Error::invalid(
                    field,
                    "expected them in the order of the operators, each once",
                ));
            }
            limits::bytes(&format!("network.peculiar.{at}.is"), is.len(), PECULIAR)?;
        }
        Ok(())
    }

    /// Checks that a measurement of a space tells a network where it must, and only there; `architecture` is its text.
    pub(super) fn check_place(network: Option<&Self>, space: &str, architecture: &str) -> Result<()> {
        match network {
            Some(network) if space == ONNX => {
                if architecture.parse::<Digest>().is_err() {
                    let reason = "expected the SHA-256 of the network without its weights, as `sha256:` and 64 digits";
                    return Err(Error::invalid("architecture", reason));
                }
                network.check()
            }
            Some(_) => Err(Error::invalid(
                "network",
                format!("only measurements of the space `{ONNX}` have one"),
            )),
            None if space == ONNX => Err(Error::invalid(
                "network",
                format!("measurements of the space `{ONNX}` tell theirs"),
            )),
            None => Ok(()),
        }
    }
}

/// What a version learned from networks that were measured by themselves, beside the architectures of its space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FittedNetworks {
    /// How many there were.
    pub count: usize,
    /// What operators they have.
    pub operators: Vec<KnownOperator>,
    /// By which rules a runtime executes just these, such as `onnxruntime/16/2`; absent where they are what any runtime computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// Fewest multiply-accumulates of one.
    pub fewest_macs: u64,
    /// Most multiply-accumulates of one.
    pub most_macs: u64,
    /// The least that was measured of one, milliseconds or joules.
    pub least: f64,
    /// The most that was measured of one, milliseconds or joules.
    pub most: f64,
    /// Errors of each network as all other rows tell it, over its spread, for prediction intervals of networks.
    pub scores: Vec<f64>,
    /// Accuracy on networks that are left out one after another, by the names of a version's `metrics`.
    pub metrics: BTreeMap<String, f64>,
}

/// Operators that a version was fitted on, which cost alike but for their sizes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KnownOperator {
    /// A code of the plugins' C header, `OPERATOR_*`.
    pub kind: u32,
    /// Side of the kernel, pixels; 0 where there is none.
    pub kernel: u32,
    /// Pixels; 0 where there is none.
    pub stride: u32,
    /// A code of the plugins' C header, `ACTIVATION_*`.
    pub activation: u32,
    /// In what it costs otherwise than these tell, such as `dilated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peculiar: Option<String>,
    /// How many networks had one.
    pub networks: usize,
}

/// Operators of a version that are told apart, at most.
const KNOWN: usize = 10_000;

impl FittedNetworks {
    pub(super) fn check(&self) -> Result<()> {
        limits::count("networks.operators", self.operators.len(), KNOWN)?;
        limits::count("networks.scores", self.scores.len(), limits::RESIDUALS)?;
        if let Some(rules) = &self.rules {
            limits::text("networks.rules", rules)?;
        }
        if self.scores.len() != self.count || self.operators.iter().any(|known| known.networks > self.count) {
            return Err(Error::invalid(
                "networks.count",
                "it is not that of the scores, or less than that of an operator",
            ));
        }
        if self.fewest_macs > self.most_macs || self.least > self.most {
            return Err(Error::invalid("networks", "the least is more than the most"));
        }
        let numbers = self.scores.iter().chain(self.metrics.values());
        let mut numbers = numbers.chain([&self.least, &self.most]);
        numbers.try_for_each(|number| super::finite("networks", *number))?;
        let mut words = self.operators.iter().filter_map(|known| known.peculiar.as_ref());
        words.try_for_each(|words| limits::text("networks.operators.peculiar", words))
    }
}

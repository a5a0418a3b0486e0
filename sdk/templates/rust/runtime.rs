//! A runtime: it runs networks on a device, and times them.
//!
//! This one stands where yours is to be: its "device" reads each byte of the model once. Put your own into `run`.

use std::hint::black_box;
use std::time::Instant;

use lglp_sdk::plugin::{PluginError, Runtime, Sample};
use schemars::JsonSchema;
use serde::Deserialize;

lglp_sdk::export_plugin! { summary: "The runtime @name@", runtimes: [@Type@] }

/// Settings of a hardware target. One that names a program, a file or an environment is for the machine's owner to say: mark it by
/// `#[schemars(extend("x-lglp-machine" = true))]`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    /// Networks at once; yours may run some and not others.
    #[schemars(range(min = 1, max = 1))]
    batch_size: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { batch_size: 1 }
    }
}

struct @Type@ {
    batch_size: u32,
}

/// The field of an ONNX model that holds its graph.
const GRAPH: u64 = 7;

/// The fields of a message of protobuf; `None` where it is none, or is cut off.
fn fields(mut message: &[u8]) -> Option<Vec<u64>> {
    fn number(bytes: &mut &[u8]) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            number |= u64::from(byte & 127) << shift;
            if *byte < 128 {
                return Some(number);
            }
        }
        None
    }
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = number(&mut message)?;
        let skipped = match tag % 8 {
            0 => number(&mut message).map(|_| 0)?,
            1 => 8,
            2 => usize::try_from(number(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        message = message.get(skipped..)?;
        fields.push(tag / 8);
    }
    Some(fields)
}

/// A network that is ready to run.
struct Loaded {
    model: Vec<u8>,
}

impl Runtime for @Type@ {
    const NAME: &'static str = "@name@";
    const SUMMARY: &'static str = "reads each byte of a model once";
    type Parameters = Parameters;
    type Network = Loaded;

    fn open(parameters: Parameters) -> Result<Self, PluginError> {
        // Where a library or a device is missing: Err(PluginError::Unavailable("what, and how to get it".into())).
        Ok(Self {
            batch_size: parameters.batch_size,
        })
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "runtime": "@name@", "version": env!("CARGO_PKG_VERSION"), "device": "memory", "precision": "float32",
            "batch_size": self.batch_size,
        })
    }

    fn load(&self, onnx: &[u8]) -> Result<Loaded, PluginError> {
        // Yours reads what is in it, too.
        match fields(onnx) {
            Some(fields) if fields.contains(&GRAPH) => Ok(Loaded { model: onnx.to_vec() }),
            _ => Err(PluginError::Failed("it is no ONNX model".into())),
        }
    }

    fn run(&self, network: &mut Loaded) -> Result<Sample, PluginError> {
        let began = Instant::now();
        let sum = network.model.iter().fold(0u64, |sum, byte| sum.wrapping_add(u64::from(*byte)));
        black_box(sum);
        Ok(Sample {
            wall_ns: (began.elapsed().as_nanos() as u64).max(1),
            cpu_ns: 0,
            energy_uj: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_network_is_refused() {
        let runtime = @Type@::open(Parameters::default()).expect("it opens");
        assert!(runtime.load(b"no network").is_err());
        assert_eq!(runtime.describe()["runtime"], "@name@");
    }
}

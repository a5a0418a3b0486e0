//! A network that is ready to run, with its inputs.

use std::path::Path;
use std::time::Instant;

use lglp_sdk::helper::Refusal;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Outlet, Tensor, TensorElementType};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::time::{ClockId, clock_gettime};

use crate::wire::Run;

pub(crate) struct Network {
    session: Session,
    inputs: Vec<(String, DynValue)>,
}

fn failed(problem: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(problem.to_string())
}

impl Network {
    /// Prepares a model. The values of its inputs do not influence the latency, but must be ones that it takes.
    pub(crate) fn new(library: &Path, onnx: &[u8], threads: usize) -> Result<Self, Refusal> {
        // By `init_from`, which reports what is wrong: the environment variable's way panics.
        let unavailable = |problem: String| Refusal::Unavailable(format!("{}: {problem}", library.display()));
        let builder = ort::init_from(library).map_err(|problem| unavailable(problem.to_string()))?;
        let environment = builder.with_name("lglp").with_telemetry(false).build();
        let environment = environment.map_err(|problem| unavailable(problem.to_string()))?;
        let session = Session::builder(&environment)
            .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Level3)?))
            .and_then(|b| Ok(b.with_intra_threads(threads)?))
            .and_then(|b| Ok(b.with_inter_threads(1)?))
            .and_then(|mut b| b.commit_from_memory(onnx))
            .map_err(failed)?;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let given = session.inputs().iter();
        let inputs = given.map(|input| Ok((input.name().to_owned(), value_of(input, &mut rng)?)));
        Ok(Self {
            inputs: inputs.collect::<Result<_, Refusal>>()?,
            session,
        })
    }

    /// Runs once. With one thread the work is done on this very thread, so its processor time is the network's.
    pub(crate) fn run(&mut self) -> Result<Run, Refusal> {
        let inputs: Vec<(&str, SessionInputValue<'_>)> = self
            .inputs
            .iter()
            .map(|(name, value)| (name.as_str(), value.into()))
            .collect();
        let cpu_start = thread_cpu_ns();
        let wall_start = Instant::now();
        let outputs = self.session.run(inputs).map_err(failed)?;
        let wall_ns = wall_start.elapsed().as_nanos() as u64;
        let cpu_ns = thread_cpu_ns() - cpu_start;
        drop(outputs);
        Ok(Run { wall_ns, cpu_ns })
    }
}

/// Something that an input takes: images and features at random, and places in a vocabulary, lengths and masks of ones, which every network
/// has.
fn value_of(input: &Outlet, rng: &mut ChaCha8Rng) -> Result<DynValue, Refusal> {
    let (name, of) = (input.name(), input.dtype());
    let shape = of.tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
    if of.tensor_shape().is_none() || shape.iter().any(|side| *side < 1) {
        return Err(failed(format!(
            "the shape {shape:?} of the input `{name}` is not fixed"
        )));
    }
    let count = shape.iter().product::<i64>() as usize;
    let value = match of.tensor_type() {
        Some(TensorElementType::Float32) => {
            let values: Vec<f32> = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
            Tensor::from_array((shape, values)).map(|tensor| tensor.into_dyn())
        }
        Some(TensorElementType::Int64) => {
            Tensor::from_array((shape, vec![1i64; count])).map(|tensor| tensor.into_dyn())
        }
        Some(TensorElementType::Int32) => {
            Tensor::from_array((shape, vec![1i32; count])).map(|tensor| tensor.into_dyn())
        }
        Some(TensorElementType::Bool) => Tensor::from_array((shape, vec![true; count])).map(|tensor| tensor.into_dyn()),
        _ => {
            return Err(failed(format!(
                "the input `{name}` is {of}; expected float32, int32, int64 or bool"
            )));
        }
    };
    value.map_err(failed)
}

fn thread_cpu_ns() -> u64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

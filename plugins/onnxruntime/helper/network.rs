//! A network that is ready to run, with its input.

use std::path::Path;
use std::time::Instant;

use lglp_sdk::helper::Refusal;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::time::{ClockId, clock_gettime};

use crate::wire::Run;

pub(crate) struct Network {
    session: Session,
    input: Tensor<f32>,
}

fn failed(problem: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(problem.to_string())
}

impl Network {
    /// Prepares a model with one input; the input's values do not influence the latency, but must be finite.
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
        let [input] = session.inputs() else {
            let count = session.inputs().len();
            return Err(failed(format!("the network has {count} inputs; expected 1")));
        };
        let shape = input.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default();
        if shape.is_empty() || shape.iter().any(|side| *side < 1) {
            return Err(failed(format!("the input's shape {shape:?} is not fixed")));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let values: Vec<f32> = (0..shape.iter().product::<i64>())
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        let input = Tensor::from_array((shape, values)).map_err(failed)?;
        Ok(Self { session, input })
    }

    /// Runs once. With one thread the work is done on this very thread, so its processor time is the network's.
    pub(crate) fn run(&mut self) -> Result<Run, Refusal> {
        let inputs = ort::inputs![&self.input];
        let cpu_start = thread_cpu_ns();
        let wall_start = Instant::now();
        let outputs = self.session.run(inputs).map_err(failed)?;
        let wall_ns = wall_start.elapsed().as_nanos() as u64;
        let cpu_ns = thread_cpu_ns() - cpu_start;
        drop(outputs);
        Ok(Run { wall_ns, cpu_ns })
    }
}

fn thread_cpu_ns() -> u64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

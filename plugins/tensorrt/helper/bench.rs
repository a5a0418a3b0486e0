//! Running a plan, timed by events on the device.

use std::ffi::CStr;
use std::time::{Duration, Instant};

use half::f16;
use lglp_sdk::helper::{Answers, Refusal, questions};

use crate::driver::{Driver, Handle, Memory};
use crate::shim::{self, Execution, Logger, Tensor};
use crate::tensorrt;
use crate::wire::{Serve, Times};

/// Loads the plan, says so, and runs it as often as each line of the input asks for.
pub(crate) fn serve(wanted: &Serve, answers: &mut Answers) -> std::io::Result<()> {
    let asked = questions::<usize>();
    let mut bench = match Bench::new(wanted) {
        Ok(bench) => bench,
        Err(refusal) => return answers.give::<()>(Err(refusal)),
    };
    answers.give(Ok(()))?;
    for runs in asked {
        answers.give(bench.times(runs))?;
    }
    Ok(())
}

/// A network's input or output, on the machine and on the device.
struct Buffer {
    host: &'static mut [u8],
    device: Memory,
    is_input: bool,
}

struct Bench {
    driver: Driver,
    execution: Execution,
    buffers: Vec<Buffer>,
    stream: Handle,
    /// Start, input copied, computed, output copied.
    events: [Handle; 4],
    graph: Option<Handle>,
    warm_up: Duration,
}

impl Bench {
    fn new(wanted: &Serve) -> Result<Self, Refusal> {
        let driver = Driver::open(wanted.driver.as_deref(), wanted.device)?;
        driver.enter()?;
        let tensorrt = Box::leak(Box::new(tensorrt::open(wanted.library.as_deref())?));
        let plan = std::fs::read(&wanted.plan)
            .map_err(|problem| Refusal::Failed(format!("{}: {problem}", wanted.plan.display())))?;
        let (mut execution, logger) = (Execution::EMPTY, Box::leak(Box::new(Logger::default())));
        // SAFETY: all of it outlives the call, and the logger the process.
        let loaded = unsafe {
            let data = plan.as_ptr().cast();
            shim::lglp_load(&tensorrt.shim, data, plan.len(), logger, &mut execution)
        };
        if !loaded {
            let version = &tensorrt.found.version;
            let complaint = shim::complaint();
            return Err(Refusal::Failed(format!(
                "TensorRT {version} does not load the engine on this device{complaint}"
            )));
        }
        let buffers = buffers(&driver, &execution)?;
        let stream = driver.stream()?;
        let events = [driver.event()?, driver.event()?, driver.event()?, driver.event()?];
        let mut bench = Self {
            driver,
            execution,
            buffers,
            stream,
            events,
            graph: None,
            warm_up: Duration::from_millis(wanted.warm_up_ms.into()),
        };
        // The first run of an engine allocates, and compiles where that was left for later: not to be captured.
        bench.run()?;
        if wanted.cuda_graph {
            let graph = bench.driver.capture(stream, || enqueue(&bench.execution, stream))?;
            bench.graph = Some(graph);
        }
        Ok(bench)
    }

    /// Warms up, then times so many runs, one at least.
    fn times(&mut self, runs: usize) -> Result<Times, Refusal> {
        let started = Instant::now();
        while started.elapsed() < self.warm_up {
            self.run()?;
        }
        let mut times = Times {
            gpu_compute_ns: Vec::with_capacity(runs),
            host_ns: Vec::with_capacity(runs),
        };
        for _ in 0..runs.max(1) {
            self.run()?;
            let [start, copied, computed, end] = self.events;
            times.gpu_compute_ns.push(self.driver.between(copied, computed)?);
            times.host_ns.push(self.driver.between(start, end)?);
        }
        Ok(times)
    }

    /// Runs once, from the input's copy to the output's.
    fn run(&mut self) -> Result<(), Refusal> {
        let [start, copied, computed, end] = self.events;
        let (driver, stream) = (&self.driver, self.stream);
        driver.record(start, stream)?;
        for buffer in self.buffers.iter().filter(|buffer| buffer.is_input) {
            driver.upload(buffer.device, buffer.host, stream)?;
        }
        driver.record(copied, stream)?;
        match self.graph {
            Some(graph) => driver.launch(graph, stream)?,
            None => enqueue(&self.execution, stream)?,
        }
        driver.record(computed, stream)?;
        for buffer in self.buffers.iter_mut().filter(|buffer| !buffer.is_input) {
            driver.download(buffer.host, buffer.device, stream)?;
        }
        driver.record(end, stream)?;
        driver.wait(stream)
    }
}

fn enqueue(execution: &Execution, stream: Handle) -> Result<(), Refusal> {
    // SAFETY: a loaded engine with all its tensors bound, and a stream of its device.
    match unsafe { shim::lglp_enqueue(execution, stream) } {
        true => Ok(()),
        false => Err(Refusal::Failed(format!(
            "TensorRT does not run the engine{}",
            shim::complaint()
        ))),
    }
}

/// Gives every input and output its memory; inputs get numbers from -1 to 1, always the same.
fn buffers(driver: &Driver, execution: &Execution) -> Result<Vec<Buffer>, Refusal> {
    // SAFETY: a loaded engine.
    let count = unsafe { shim::lglp_tensor_count(execution) };
    let mut buffers = Vec::new();
    for index in 0..count {
        // SAFETY: plain data, which zeros are fine for, written by the call.
        let tensor = unsafe {
            let mut tensor: Tensor = std::mem::zeroed();
            shim::lglp_tensor(execution, index, &mut tensor);
            tensor
        };
        // SAFETY: the engine's own text.
        let name = unsafe { CStr::from_ptr(tensor.name) };
        let shown = name.to_string_lossy();
        let sides = tensor
            .sides
            .get(..usize::try_from(tensor.dimensions).unwrap_or(usize::MAX));
        let fixed = sides.filter(|sides| sides.iter().all(|side| *side > 0));
        let sides = fixed.ok_or_else(|| Refusal::Failed(format!("the shape of `{shown}` is not fixed")))?;
        let values = sides.iter().product::<i64>() as usize;
        let width = width(tensor.kind)
            .ok_or_else(|| Refusal::Failed(format!("`{shown}` is of TensorRT's data type {}", tensor.kind)))?;
        let buffer = Buffer {
            host: driver.allocate_host(values * width)?,
            device: driver.allocate(values * width)?,
            is_input: tensor.is_input == 1,
        };
        if buffer.is_input {
            fill(buffer.host, tensor.kind);
        }
        // SAFETY: memory of the device, of the tensor's size.
        if !unsafe { shim::lglp_bind(execution, tensor.name, buffer.device as *mut _) } {
            return Err(Refusal::Failed(format!("TensorRT takes no memory for `{shown}`")));
        }
        buffers.push(buffer);
    }
    Ok(buffers)
}

/// nvinfer1::DataType.
const FLOAT: i32 = 0;
const HALF: i32 = 1;

/// Bytes of one value.
fn width(kind: i32) -> Option<usize> {
    // Float, half, int8, int32, bool, uint8, fp8, bf16, int64.
    [4, 2, 1, 4, 1, 1, 1, 2, 8].get(usize::try_from(kind).ok()?).copied()
}

fn fill(bytes: &mut [u8], kind: i32) {
    // Whatever the latency of a GPU hangs on, it is not how random these are.
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    match kind {
        FLOAT => bytes
            .chunks_exact_mut(4)
            .for_each(|at| at.copy_from_slice(&next().to_ne_bytes())),
        HALF => bytes
            .chunks_exact_mut(2)
            .for_each(|at| at.copy_from_slice(&f16::from_f32(next()).to_ne_bytes())),
        _ => {}
    }
}

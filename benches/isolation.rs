//! What the boundary of plugins costs: a batch that is encoded by a direct call, across the C ABI in this process, in a process of the
//! plugin's own, and by a Python program.
//!
//!   make build && cargo run --release -p lglp-tests --example isolation [-- PYTHON]
//!
//! PYTHON is an interpreter with NumPy (that of `make venv` by default). All do the same: choices as numbers, times a factor. They take
//! turns in every round, and the median of the rounds counts: what else the machine does meanwhile falls on all.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lglp_engine::host::{ComponentKind, EncoderInstance, Isolation, PluginHost, Policy, Trust};
use lglp_engine::measure::median;
use lglp_sdk::plugin::abi::{Buffer, STATUS_OK, Str};
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape, export};
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_tests::{program, python, release, root};

const ROUNDS: usize = 41;

/// As the example of the SDK.
struct Choices {
    width: usize,
    scale: f32,
}

impl Encoder for Choices {
    const NAME: &'static str = "choices";
    const SUMMARY: &'static str = "choice indices as numbers";
    type Parameters = ();

    fn new(space: &SearchSpace, (): ()) -> Result<Self, PluginError> {
        let width = space.row_len();
        Ok(Self { width, scale: 1.0 })
    }

    fn shape(&self) -> Shape {
        Shape {
            steps: 1,
            width: self.width,
        }
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        for (value, choice) in out.iter_mut().zip(rows.data) {
            *value = self.scale * f32::from(*choice);
        }
        Ok(())
    }
}

fn main() {
    let interpreter = std::env::args().nth(1).map_or_else(python, PathBuf::from);
    let space = fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let space = SearchSpace::from_toml(&space).expect("a consistent space");
    let folder = tempfile::tempdir().expect("a folder");
    let library = "liblglp_example_encoder.so";
    fs::copy(release().join(library), folder.path().join(library)).expect("`cargo build --release --workspace`");
    let here = host(folder.path(), Isolation::InProcess, &interpreter);
    let apart = host(folder.path(), Isolation::Process, &interpreter);
    let other = tempfile::tempdir().expect("a folder");
    let template = fs::read_to_string(root().join("sdk/templates/python/encoder.py")).expect("the template");
    let text = template.replace("@name@", "in-python").replace("@Type@", "InPython");
    fs::write(other.path().join("in_python.py"), text).expect("a file");
    let in_python = host(other.path(), Isolation::Process, &interpreter);
    let instance = |host: &PluginHost| {
        let infos = host.infos();
        let description = infos[0].description.as_ref();
        let description = description.unwrap_or_else(|| panic!("{:?}", infos[0].unavailable));
        let name = &description.components[0].name;
        let handle = host.component(ComponentKind::Encoder, name).expect("the encoder");
        EncoderInstance::new(&handle, &space, &serde_json::json!({})).expect("an encoder")
    };
    let encoders = [instance(&here), instance(&apart), instance(&in_python)];
    let direct = Choices::new(&space, ()).expect("an encoder");
    println!("| architectures | direct call, ns | C ABI alone, ns | host, in process, us | process, us | Python, us |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for count in [1, 64, 1000] {
        let some: Vec<Architecture> = Sampler::new(&space, 1).take(count).collect();
        let rows: Vec<u8> = some.iter().flat_map(Architecture::row).copied().collect();
        let mut out = vec![0f32; rows.len()];
        let repeats = 100_000 / count.max(20);
        let mut samples: [Vec<f64>; 5] = Default::default();
        for _ in 0..ROUNDS {
            samples[0].push(ns(repeats, || {
                let rows = Rows {
                    data: black_box(&rows),
                    count,
                    width: space.row_len(),
                };
                direct.encode(rows, black_box(&mut out)).expect("encoded");
            }));
            samples[1].push(across_the_abi(&space, &rows, count, &mut out, repeats));
            for (samples, encoder) in samples[2..].iter_mut().zip(&encoders) {
                samples.push(ns(repeats / 20, || {
                    black_box(encoder.encode(some.iter()).expect("encoded"));
                }));
            }
        }
        let [direct, abi, host, process, python] = samples.map(|samples| median(&samples));
        println!(
            "| {count} | {direct:.0} | {abi:.0} | {:.2} | {:.1} | {:.1} |",
            host / 1e3,
            process / 1e3,
            python / 1e3
        );
    }
}

fn host(folder: &Path, isolation: Isolation, interpreter: &Path) -> PluginHost {
    let policy = Policy::default()
        .everywhere(Some(isolation))
        .python(Some(interpreter.display().to_string()));
    PluginHost::open_with(folder, &program(), &Trust::default(), &policy).expect("the folder")
}

/// Nanoseconds of one of so many.
fn ns(repeats: usize, mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..repeats).for_each(|_| work());
    began.elapsed().as_secs_f64() * 1e9 / repeats as f64
}

/// The same by the callbacks that a plugin exports.
fn across_the_abi(space: &SearchSpace, rows: &[u8], count: usize, out: &mut [f32], repeats: usize) -> f64 {
    let component = export::encoder::<Choices>();
    // SAFETY: the table of an encoder, which lives for ever.
    let table = unsafe { &*component.encoder };
    let (json, mut instance, mut error) = (space.to_json(), std::ptr::null_mut(), Buffer::EMPTY);
    // SAFETY: the texts outlive the call.
    let made = unsafe {
        (table.create)(
            Str::new(&json),
            space.row_len(),
            Str::new("null"),
            &mut instance,
            &mut error,
        )
    };
    assert_eq!(made, STATUS_OK);
    let took = ns(repeats, || {
        // SAFETY: all have the sizes that the contract asks for.
        let status = unsafe {
            let (rows, out) = (black_box(rows).as_ptr(), black_box(&mut *out).as_mut_ptr());
            (table.encode)(instance, rows, count, space.row_len(), out, &mut error)
        };
        assert_eq!(status, STATUS_OK);
    });
    // SAFETY: made above, used no more.
    unsafe { (table.destroy)(instance) };
    took
}

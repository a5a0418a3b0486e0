//! The C ABI between host and plugins: append-only `#[repr(C)]` tables.
//!
//! A plugin exports one symbol, [`SYMBOL`], a [`PluginTable`]. The host accepts its own major version and minor versions
//! up to its own; `size` fields say how much of a table the plugin knows. Only C types cross. Strings are UTF-8 and not
//! terminated. Whoever allocates frees: a [`Buffer`] carries the function that frees it. A callback that can fail returns a status
//! (`STATUS_*`); on anything but `STATUS_OK` it may have put a message for people into `error`.
//!
//! Thread safety, for every callback: it may be called from several threads at once, also on one instance, except
//! `destroy` and `close` of that instance; and `run`, `run_many` and `unload`, which have the network for themselves.

use std::ffi::c_void;

/// Name of the one exported symbol, a static [`PluginTable`].
pub const SYMBOL: &[u8] = b"lglp_plugin\0";
/// `LGLPLUGN`, as a little-endian number.
pub const MAGIC: u64 = 0x4e47_554c_504c_474c;
/// Raised by incompatible changes.
pub const ABI_MAJOR: u32 = 1;
/// Raised when something is appended.
pub const ABI_MINOR: u32 = 4;

/// Architectures to tensors; [`Component::encoder`] is set.
pub const KIND_ENCODER: u32 = 1;
/// Tensors to features; [`Component::fitted`] is set, with `extract`.
pub const KIND_EXTRACTOR: u32 = 2;
/// Tensors or features to targets, latencies for one; [`Component::fitted`] is set, with `predict`.
pub const KIND_REGRESSOR: u32 = 3;
/// Runs ONNX networks; [`Component::runtime`] is set.
pub const KIND_RUNTIME: u32 = 4;

/// Kinds of [`Operator`]. A convolution of a kernel larger than 1x1 over all channels.
pub const OPERATOR_CONVOLUTION: u32 = 1;
/// The 1x1 convolution that widens an inverted residual.
pub const OPERATOR_EXPAND: u32 = 2;
/// A convolution of each channel by itself.
pub const OPERATOR_DEPTHWISE: u32 = 3;
/// The 1x1 convolution that narrows an inverted residual.
pub const OPERATOR_PROJECT: u32 = 4;
/// Squeeze-and-excitation: mean, two 1x1 convolutions of that, scaling.
pub const OPERATOR_SQUEEZE_EXCITE: u32 = 5;
/// The sum of two values: an identity connection.
pub const OPERATOR_ADD: u32 = 6;
/// A 1x1 convolution elsewhere.
pub const OPERATOR_POINTWISE: u32 = 7;
/// The mean over height and width.
pub const OPERATOR_POOL: u32 = 8;
/// A fully connected layer.
pub const OPERATOR_FULLY_CONNECTED: u32 = 9;

/// Activations of an [`Operator`]. None.
pub const ACTIVATION_NONE: u32 = 0;
/// `max(0, x)`.
pub const ACTIVATION_RELU: u32 = 1;
/// `x * max(0, min(1, x / 6 + 1 / 2))`.
pub const ACTIVATION_HARD_SWISH: u32 = 2;

/// Done.
pub const STATUS_OK: u32 = 0;
/// Failed on this input; the instance stays usable.
pub const STATUS_FAILED: u32 = 1;
/// The callback panicked; the instance is poisoned.
pub const STATUS_PANICKED: u32 = 2;
/// An earlier call on this instance panicked.
pub const STATUS_POISONED: u32 = 3;
/// The parameters are not acceptable.
pub const STATUS_INVALID_PARAMETERS: u32 = 4;
/// The state is of another version, or damaged.
pub const STATUS_UNSUPPORTED_STATE: u32 = 5;
/// A native library or a device is missing.
pub const STATUS_UNAVAILABLE: u32 = 6;
/// The progress callback asked for an end.
pub const STATUS_CANCELLED: u32 = 7;
/// The component does not do this. Since minor version 2.
pub const STATUS_NOT_OFFERED: u32 = 8;

/// Borrowed UTF-8, valid during the call, or for ever within a table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    /// `len` bytes of UTF-8, not terminated; anything where `len` is 0.
    pub data: *const u8,
    /// Bytes, not characters.
    pub len: usize,
}

/// Bytes that the plugin allocated. The host calls `free` exactly once if it is not null.
#[repr(C)]
pub struct Buffer {
    /// `len` bytes, of any alignment, left alone until `free` is called; anything where `len` is 0.
    pub data: *mut u8,
    /// Bytes that the host is to read.
    pub len: usize,
    /// For `free` alone, such as the bytes that were allocated: the host does not look at it.
    pub capacity: usize,
    /// Frees what `data` leads to. The host calls it on the thread that made the call, once it has copied the bytes, whatever the status;
    /// `buffer` has the plugin's values, perhaps at another address. Null: the buffer counts as empty, whatever `data` and `len` are.
    pub free: Option<unsafe extern "C" fn(buffer: *mut Buffer)>,
}

/// Borrowed bytes, valid during the call. Since minor version 2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    /// `len` bytes, of any alignment; anything where `len` is 0.
    pub data: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// A batch, row-major `[rows, steps, width]`; `data` may be dangling where there are no values.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TensorView {
    /// `rows * steps * width` values. They are the host's: valid and unchanged during the call.
    pub data: *const f32,
    /// Encoded architectures, their features, or parts of networks.
    pub rows: usize,
    /// Vectors of a row; 1 in features and flat encodings.
    pub steps: usize,
    /// Values of a vector.
    pub width: usize,
}

/// What a component is fitted on. Targets: one per row, in milliseconds or whatever else the recipe says.
#[repr(C)]
pub struct FitData {
    /// What to learn from. All that this struct leads to is the host's and valid during the call.
    pub train: TensorView,
    /// `train.rows` values, finite and above 0.
    pub train_targets: *const f64,
    /// Held out for early stopping, with the steps and width of `train`; may have no rows.
    pub validation: TensorView,
    /// `validation.rows` values, finite and above 0; anything where there are no rows.
    pub validation_targets: *const f64,
    /// Every random choice must follow from it: the same seed and data give the same state.
    pub seed: u64,
    /// Passed to `progress` unchanged.
    pub progress_context: *mut c_void,
    /// Returns 0 to go on, anything else to cancel. Called from the fitting thread. Mean squared errors, or NaN.
    pub progress: Option<
        unsafe extern "C" fn(context: *mut c_void, done: u64, total: u64, train_mse: f64, validation_mse: f64) -> u32,
    >,
}

/// One timed run.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RunSample {
    /// Elapsed time.
    pub wall_ns: u64,
    /// Processor time of the calling thread; 0: not known.
    pub cpu_ns: u64,
    /// Energy of the device, microjoules; 0: not known.
    pub energy_uj: u64,
}

/// One operator of a network at batch 1, float32: what a runtime executes in one go, or nearly so. An activation belongs to what it
/// follows. Since minor version 2.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// `OPERATOR_*`; more may come.
    pub kind: u32,
    /// Side of the kernel; 0 where there is none.
    pub kernel: u32,
    /// Of a kernel; 0 where there is none.
    pub stride: u32,
    /// Groups of channels that a convolution keeps apart; 0 where there is none.
    pub groups: u32,
    /// Channels of the input; of each of the two values in a sum.
    pub channels_in: u32,
    /// Channels of the output; the outputs of a fully connected layer.
    pub channels_out: u32,
    /// Height and width of the input, pixels.
    pub side_in: u32,
    /// Height and width of the output, pixels.
    pub side_out: u32,
    /// `ACTIVATION_*`; more may come.
    pub activation: u32,
    /// The searched block that it is in, from 1; 0 outside of them.
    pub block: u32,
    /// The layer of the block, from 1; 0 outside of them.
    pub layer: u32,
    /// Kernels that it launches, one after another.
    pub launches: u32,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Bytes of values read and written.
    pub activation_bytes: u64,
    /// Bytes of weights and biases.
    pub weight_bytes: u64,
}

/// Callbacks of an encoder.
#[repr(C)]
pub struct EncoderTable {
    /// Prepares the encoding of one space. `space_json`: the space, with the fields of its TOML file. `row_len`: bytes of one
    /// architecture's row in that space. `parameters_json`: an object that keeps to the schema. Both texts are valid during the call.
    /// On `STATUS_OK`, `*instance` is a pointer of the plugin's own, which the host passes on until `destroy`; on any other status the
    /// host does not look at it.
    pub create: unsafe extern "C" fn(
        space_json: Str,
        row_len: usize,
        parameters_json: Str,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Frees an instance that `create` made. Called at most once, from any thread, when no other call on the instance runs or follows;
    /// not at all where a call did not come back in time, so that the plugin, or the version that it was called for, is in quarantine.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Writes the shape of one encoded architecture, the same for all of them: the host asks once, after `create`. Encoders that read
    /// operators are not asked, and answer `STATUS_NOT_OFFERED`. Where the status is not `STATUS_OK`, the encoder is not used.
    pub shape: unsafe extern "C" fn(instance: *const c_void, steps: *mut usize, width: *mut usize) -> u32,
    /// Encodes `count` architectures. `rows`: `count * row_len` bytes. `out`: `count * steps * width` zeros, allocated by the host. Both
    /// are valid during the call; on any other status than `STATUS_OK` the host does not look at `out`.
    pub encode: unsafe extern "C" fn(
        instance: *const c_void,
        rows: *const u8,
        count: usize,
        row_len: usize,
        out: *mut f32,
        error: *mut Buffer,
    ) -> u32,
    /// Since minor version 2. The shape for networks of so many operators at most, in the place of `shape`. Set, with
    /// `encode_operators`, in encoders that read operators; null in those that read rows.
    pub shape_of_operators: Option<
        unsafe extern "C" fn(instance: *const c_void, operators: usize, steps: *mut usize, width: *mut usize) -> u32,
    >,
    /// Since minor version 2. Encodes `count` networks: the operators of network `i` are those before `ends[i]` that are no
    /// earlier network's. `out`: `count * steps * width` zeros, for `most` operators at most, allocated by the host.
    pub encode_operators: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            operators: *const Operator,
            ends: *const usize,
            count: usize,
            most: usize,
            out: *mut f32,
            error: *mut Buffer,
        ) -> u32,
    >,
}

/// Callbacks of a feature extractor or regressor.
#[repr(C)]
pub struct FittedTable {
    /// Fits the component, on the calling thread, for as long as it takes. `parameters_json`: an object that keeps to the schema; it and
    /// `data` are valid during the call, so copy what is to stay. On `STATUS_OK`, `*instance` is a pointer of the plugin's own, which the
    /// host passes on until `destroy`; on any other status the host does not look at it. `STATUS_CANCELLED`: `progress` asked for an end.
    /// `STATUS_INVALID_PARAMETERS`: parameters that the schema cannot tell from good ones.
    pub fit: unsafe extern "C" fn(
        parameters_json: Str,
        data: *const FitData,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Makes an instance of what `save` wrote, `*instance` as in `fit`. `state`: `state_len` bytes of the host's, of any alignment, valid
    /// during the call. `state_version`: the component's when it was saved. `STATUS_UNSUPPORTED_STATE`: it cannot be read, being of
    /// another version or damaged.
    pub load: unsafe extern "C" fn(
        state_version: u32,
        state: *const u8,
        state_len: usize,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Gives all that `load` needs, in the format of the component's `state_version`: fills `state`, which is empty, with memory of the
    /// plugin's own, which the host has freed by its `free`. On any other status than `STATUS_OK` the model is not kept.
    pub save: unsafe extern "C" fn(instance: *const c_void, state: *mut Buffer, error: *mut Buffer) -> u32,
    /// Frees an instance that `fit`, `fit_from` or `load` made; when it is called, and when not, is as in encoders.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Number of features of an extractor; 1 for a regressor.
    pub outputs: unsafe extern "C" fn(instance: *const c_void) -> usize,
    /// Extractors: writes `rows * outputs` features. Null in regressors.
    pub extract: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, out: *mut f32, error: *mut Buffer) -> u32,
    >,
    /// Regressors: writes `rows` values in the unit of the targets. Null in extractors.
    pub predict: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, out: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// Regressors, since minor version 2, null where it is not offered; so are the others below. As `predict`, and writes `rows`
    /// spreads beside: how far what is measured lies from the prediction of each row, about, in the unit of the targets.
    pub predict_spread: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            inputs: TensorView,
            out: *mut f64,
            spreads: *mut f64,
            error: *mut Buffer,
        ) -> u32,
    >,
    /// What would have been predicted for each row of the fit, those of the training part first, had it not been among them:
    /// `pairs` becomes an array of doubles, prediction and spread of one row after another, `len` bytes in all. Of an instance
    /// that was just fitted; one that was loaded may not know.
    pub leave_one_out:
        Option<unsafe extern "C" fn(instance: *const c_void, pairs: *mut Buffer, error: *mut Buffer) -> u32>,
    /// Writes `rows * (steps + 1)` values: the part of each prediction that each step of its input has, and at last what belongs
    /// to none. They sum to the prediction.
    pub contributions: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, out: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// As `fit`, beginning with what fits on other targets taught, `prior_count` states of this version.
    pub fit_from: Option<
        unsafe extern "C" fn(
            parameters_json: Str,
            data: *const FitData,
            priors: *const Bytes,
            prior_count: usize,
            instance: *mut *mut c_void,
            error: *mut Buffer,
        ) -> u32,
    >,
    /// Writes which `count` candidates to measure next, as their numbers, beside those that were measured already: the ones from
    /// which a fit would learn most.
    pub choose: Option<
        unsafe extern "C" fn(
            parameters_json: Str,
            measured: TensorView,
            candidates: TensorView,
            priors: *const Bytes,
            prior_count: usize,
            count: usize,
            chosen: *mut usize,
            error: *mut Buffer,
        ) -> u32,
    >,
    /// Since minor version 3. Writes `rows` spreads: how far the difference between the predictions of each row and the first lies,
    /// about, from that of what they take in the mean, in the unit of the targets. It is less than their own spreads tell: measuring adds no
    /// noise, and of what is not known of both most cancels out.
    pub difference_spreads: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, spreads: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// Since minor version 4; so are the others below. How many numbers tell all of a part of a network that a prediction depends on, 64
    /// at most; 0 or null where predictions do not follow from sums over parts. Parts are the stem of a network, each searched layer, and
    /// the head. The host asks of each part once and predicts by look-ups then: parts that do the same are one to it, wherever they
    /// stand, and `block` and `layer` of their operators are 1, or 0 outside of the searched layers. It compares these predictions with
    /// those of `predict` whenever a model is fitted or loaded.
    pub sums_len: Option<unsafe extern "C" fn(instance: *const c_void) -> usize>,
    /// Writes `rows * sums_len` numbers, of rows that are each a part of a network, with zeros behind its last operator.
    pub sums: Option<
        unsafe extern "C" fn(instance: *const c_void, parts: TensorView, out: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// How many numbers tell all of a part that the spread of a prediction depends on, beside the others, 4096 at most; 0 or null
    /// where the host is to ask `predict_spread`.
    pub spread_sums_len: Option<unsafe extern "C" fn(instance: *const c_void) -> usize>,
    /// As `sums`, of `rows * spread_sums_len` numbers.
    pub spread_sums: Option<
        unsafe extern "C" fn(instance: *const c_void, parts: TensorView, out: *mut f32, error: *mut Buffer) -> u32,
    >,
    /// Writes `rows` values in the unit of the targets, of networks of which each is told by its first step and by the sums over its
    /// parts: `firsts` has the shape `[rows, 1, width]`, `sums` the length `rows * sums_len`. Writes spreads beside, unless `spreads`
    /// and `spread_sums` are null.
    pub predict_sums: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            firsts: TensorView,
            sums: *const f64,
            spread_sums: *const f32,
            out: *mut f64,
            spreads: *mut f64,
            error: *mut Buffer,
        ) -> u32,
    >,
}

/// Callbacks of a runtime.
#[repr(C)]
pub struct RuntimeTable {
    /// Opens a device, or whatever runs the networks. `parameters_json`: the hardware target's settings with those of the machine's
    /// owner, an object that keeps to the schema, valid during the call. On `STATUS_OK`, `*instance` is a pointer of the plugin's own,
    /// which the host passes on until `close`; on any other status the host does not look at it. `STATUS_UNAVAILABLE`: a library or a
    /// device is missing here.
    pub open: unsafe extern "C" fn(parameters_json: Str, instance: *mut *mut c_void, error: *mut Buffer) -> u32,
    /// Frees what `open` made. Called at most once, from any thread, when all of its networks are unloaded and no other call on it runs.
    pub close: unsafe extern "C" fn(instance: *mut c_void),
    /// Writes a JSON object that tells what was opened, such as library version, device and precision: part of the hardware target's
    /// fingerprint. `json` is empty before.
    pub describe: unsafe extern "C" fn(instance: *const c_void, json: *mut Buffer, error: *mut Buffer) -> u32,
    /// Prepares a network, whose single input the plugin fills with seeded random values. `onnx`: an ONNX model of `onnx_len` bytes, the
    /// host's, valid during the call. On `STATUS_OK`, `*network` is a pointer of the plugin's own, which the host passes on until
    /// `unload`; on any other status the host does not look at it. Several networks may be loaded at a time.
    pub load: unsafe extern "C" fn(
        instance: *const c_void,
        onnx: *const u8,
        onnx_len: usize,
        network: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Frees what `load` made. Called at most once, from any thread, when no run of it is left; the runtime is still open.
    pub unload: unsafe extern "C" fn(network: *mut c_void),
    /// Runs once; nanoseconds of elapsed time and of the calling thread's processor time (0: not known).
    pub run: unsafe extern "C" fn(
        instance: *const c_void,
        network: *mut c_void,
        wall_ns: *mut u64,
        cpu_ns: *mut u64,
        error: *mut Buffer,
    ) -> u32,
    /// Since minor version 1. Runs to ask `run_many` for at a time: 1 where a call costs nothing beside its runs, more where
    /// each has a price of its own, such as the start of a program. Null stands for 1.
    pub runs_at_once: Option<unsafe extern "C" fn(instance: *const c_void) -> usize>,
    /// Since minor version 1. Runs about `runs` times in a row, once at least; `samples` becomes an array of `RunSample`, one
    /// a run, `len` bytes in all. Null where `run` is all there is.
    pub run_many: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            network: *mut c_void,
            runs: usize,
            samples: *mut Buffer,
            error: *mut Buffer,
        ) -> u32,
    >,
}

/// One component of a plugin. Exactly one of the three tables is set, by `kind`.
#[repr(C)]
pub struct Component {
    /// `KIND_*`.
    pub kind: u32,
    /// Version of the state that `save` writes; 0 where there is none.
    pub state_version: u32,
    /// In recipes, or in hardware targets for a runtime. Unique among the components of its kind, of all plugins: a plugin
    /// that repeats the name of another's is refused as a whole.
    pub name: Str,
    /// One line for people.
    pub summary: Str,
    /// Writes the JSON Schema of the parameters.
    pub schema: unsafe extern "C" fn(json: *mut Buffer, error: *mut Buffer) -> u32,
    /// Set for `KIND_ENCODER`, else null. What it leads to stays as it is for as long as the process lives, as does all that tables
    /// lead to: plugins are never unloaded.
    pub encoder: *const EncoderTable,
    /// Set for `KIND_EXTRACTOR` and `KIND_REGRESSOR`, else null.
    pub fitted: *const FittedTable,
    /// Set for `KIND_RUNTIME`, else null.
    pub runtime: *const RuntimeTable,
}

/// What a plugin exports.
#[repr(C)]
pub struct PluginTable {
    /// [`MAGIC`].
    pub magic: u64,
    /// `ABI_MAJOR` as the plugin knows it; the host takes its own alone.
    pub abi_major: u32,
    /// `ABI_MINOR` as the plugin knows it, which says how far its tables of callbacks reach; the host takes none above its own.
    pub abi_minor: u32,
    /// `sizeof` this table as the plugin knows it.
    pub size: usize,
    /// `sizeof` one [`Component`] as the plugin knows it: the distance between two of them.
    pub component_size: usize,
    /// The plugin's name, recorded with each model that it has a part in.
    pub name: Str,
    /// The plugin's version, in whatever form; recorded likewise.
    pub version: Str,
    /// One line for people.
    pub summary: Str,
    /// The first of the components, `component_size` bytes apart; may be null where there are none.
    pub components: *const Component,
    /// Number of components.
    pub component_count: usize,
    /// Whether all is there that the plugin needs beyond what it is linked with: `STATUS_UNAVAILABLE` and a reason where
    /// it is not. Called once, before any component is used. Null where it needs nothing.
    pub check: Option<unsafe extern "C" fn(error: *mut Buffer) -> u32>,
}

// SAFETY: tables are immutable and their pointers lead to other immutable statics.
unsafe impl Sync for PluginTable {}
// SAFETY: as above.
unsafe impl Sync for Component {}

impl Str {
    /// A view of `text`.
    pub const fn new(text: &str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len(),
        }
    }

    /// The text, or `None` where it is not UTF-8.
    ///
    /// # Safety
    /// `data` must point to `len` bytes that live and stay unchanged for `'a`.
    pub unsafe fn as_str<'a>(self) -> Option<&'a str> {
        // SAFETY: by the contract of this function.
        std::str::from_utf8(unsafe { slice(self.data, self.len) }).ok()
    }
}

impl Buffer {
    /// A buffer that nothing was put into.
    pub const EMPTY: Self = Self {
        data: std::ptr::null_mut(),
        len: 0,
        capacity: 0,
        free: None,
    };
}

/// A slice of foreign memory; an empty one where there is nothing, whatever the pointer.
///
/// # Safety
/// `data` must point to `len` values that live and stay unchanged for `'a`, unless `len` is 0.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: by the contract of this function.
    unsafe { std::slice::from_raw_parts(data, len) }
}

// The layout is the contract: a change of any of these numbers is a change of the ABI.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(MAGIC == u64::from_le_bytes(*b"LGLPLUGN"));
    use std::mem::{offset_of, size_of};
    assert!(size_of::<Str>() == 16);
    assert!(size_of::<Buffer>() == 32);
    assert!(size_of::<TensorView>() == 32);
    assert!(size_of::<FitData>() == 104);
    assert!(size_of::<EncoderTable>() == 48 && offset_of!(EncoderTable, shape_of_operators) == 32);
    assert!(size_of::<FittedTable>() == 144 && offset_of!(FittedTable, predict_spread) == 56);
    assert!(size_of::<Operator>() == 72 && offset_of!(Operator, macs) == 48);
    assert!(size_of::<RunSample>() == 24);
    assert!(size_of::<RuntimeTable>() == 64 && offset_of!(RuntimeTable, runs_at_once) == 48);
    assert!(size_of::<Component>() == 72 && offset_of!(Component, schema) == 40);
    assert!(size_of::<PluginTable>() == 104 && offset_of!(PluginTable, components) == 80);
};

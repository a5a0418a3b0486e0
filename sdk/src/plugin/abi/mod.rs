//! The C ABI between host and plugins: append-only `#[repr(C)]` tables.
//!
//! A plugin exports one symbol, [`SYMBOL`], a [`PluginTable`]. The host accepts its own major version and minor versions
//! up to its own; `size` fields say how much of a table the plugin knows. Only C types cross. Strings are UTF-8 and not
//! terminated. Whoever allocates frees: a [`Buffer`] carries the function that frees it. A callback that can fail returns a status
//! (`STATUS_*`); on anything but `STATUS_OK` it may have put a message for people into `error`.
//!
//! Thread safety, for every callback: it may be called from several threads at once, also on one instance, except
//! `destroy` and `close` of that instance; and `run`, `run_many` and `unload`, which have the network for themselves.

mod data;
mod encoder;
mod fitted;
mod runtime;

pub(crate) use data::slice;
pub use data::{Buffer, Bytes, FitData, Operator, RunSample, Str, TensorView};
pub use encoder::EncoderTable;
pub use fitted::FittedTable;
pub use runtime::RuntimeTable;

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
/// A pool: over height and width, where it has no kernel.
pub const OPERATOR_POOL: u32 = 8;
/// A fully connected layer; of a sequence, for each of its places.
pub const OPERATOR_FULLY_CONNECTED: u32 = 9;
/// A convolution of groups of channels, more than one channel each.
pub const OPERATOR_GROUPED: u32 = 10;
/// A transposed convolution.
pub const OPERATOR_TRANSPOSED: u32 = 11;
/// The product of two matrices that both follow from the input.
pub const OPERATOR_MATRIX_PRODUCT: u32 = 12;
/// A function of each element by itself, which none of the operators above takes on.
pub const OPERATOR_ELEMENT_WISE: u32 = 13;
/// Batch normalization that stands alone, layer, instance or group normalization.
pub const OPERATOR_NORMALIZATION: u32 = 14;
/// Local response normalization, over neighbouring channels.
pub const OPERATOR_LOCAL_RESPONSE: u32 = 15;
/// Softmax.
pub const OPERATOR_SOFTMAX: u32 = 16;
/// Values that are put together, taken or brought into another order.
pub const OPERATOR_COPY: u32 = 17;
/// Interpolation to another height and width.
pub const OPERATOR_RESIZE: u32 = 18;
/// Sums, means or extremes over some dimensions, other than a pool.
pub const OPERATOR_REDUCTION: u32 = 19;
/// LSTM, GRU and their like.
pub const OPERATOR_RECURRENT: u32 = 20;
/// Values that are brought into another order in memory, which a runtime puts between operators that want them in different ones.
pub const OPERATOR_REORDER: u32 = 21;
/// A convolution as a matrix product of windows that are laid out, where a runtime has no kernel for it ([`Operator::kind`]).
pub const OPERATOR_IM2COL: u32 = 22;
/// None of these.
pub const OPERATOR_OTHER: u32 = 255;

/// Activations of an [`Operator`]. None.
pub const ACTIVATION_NONE: u32 = 0;
/// `max(0, x)`.
pub const ACTIVATION_RELU: u32 = 1;
/// `x * max(0, min(1, x / 6 + 1 / 2))`.
pub const ACTIVATION_HARD_SWISH: u32 = 2;
/// `max(least, min(most, x))`, such as ReLU6.
pub const ACTIVATION_CLIP: u32 = 3;
/// `1 / (1 + exp(-x))`.
pub const ACTIVATION_SIGMOID: u32 = 4;
/// `max(0, min(1, x / 6 + 1 / 2))`.
pub const ACTIVATION_HARD_SIGMOID: u32 = 5;
/// The hyperbolic tangent.
pub const ACTIVATION_TANH: u32 = 6;
/// ReLU with a slope below 0, which is learned or not.
pub const ACTIVATION_LEAKY_RELU: u32 = 7;
/// `x / (1 + exp(-x))`, also called SiLU.
pub const ACTIVATION_SWISH: u32 = 8;
/// `x / 2 * (1 + erf(x / sqrt 2))`.
pub const ACTIVATION_GELU: u32 = 9;
/// Another one of exponentials, such as ELU, softplus or Mish.
pub const ACTIVATION_EXPONENTIAL: u32 = 10;

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

/// One component of a plugin. Exactly one of the three tables is set, by `kind`.
#[repr(C)]
pub struct Component {
    /// `KIND_*`.
    pub kind: u32,
    /// Version of the state that `save` writes; 0 where there is none.
    pub state_version: u32,
    /// In recipes, or in hardware targets for a runtime. Unique among the components of its kind, of all plugins: a plugin
    /// that repeats a name, of another's or of its own, is refused as a whole.
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

/* The plugin ABI of lglp, for plugins in C and whatever else speaks C.
 *
 * A plugin exports one object: const LglpPluginTable lglp_plugin. sdk/examples/encoder.c is a whole one.
 *
 * Strings are UTF-8 and not terminated. Whoever allocates frees: a buffer carries the function that frees it. A
 * callback that can fail returns LGLP_STATUS_*; on anything but LGLP_STATUS_OK it may put a message for people into `error`, which may
 * be null.
 *
 * Every callback may be called from several threads at once, also on one instance, except `destroy` and `close` of that instance,
 * and `run`, `run_many` and `unload`, which have the network for themselves. No exception may leave a callback.
 *
 * Written from sdk/src/plugin/abi; do not edit. */

#ifndef LGLP_PLUGIN_H
#define LGLP_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

// `LGLPLUGN`, as a little-endian number.
#define LGLP_MAGIC 5640570844557887308

// Raised by incompatible changes.
#define LGLP_ABI_MAJOR 1

// Raised when something is appended.
#define LGLP_ABI_MINOR 4

// Architectures to tensors; [`Component::encoder`] is set.
#define LGLP_KIND_ENCODER 1

// Tensors to features; [`Component::fitted`] is set, with `extract`.
#define LGLP_KIND_EXTRACTOR 2

// Tensors or features to targets, latencies for one; [`Component::fitted`] is set, with `predict`.
#define LGLP_KIND_REGRESSOR 3

// Runs ONNX networks; [`Component::runtime`] is set.
#define LGLP_KIND_RUNTIME 4

// Kinds of [`Operator`]. A convolution of a kernel larger than 1x1 over all channels.
#define LGLP_OPERATOR_CONVOLUTION 1

// The 1x1 convolution that widens an inverted residual.
#define LGLP_OPERATOR_EXPAND 2

// A convolution of each channel by itself.
#define LGLP_OPERATOR_DEPTHWISE 3

// The 1x1 convolution that narrows an inverted residual.
#define LGLP_OPERATOR_PROJECT 4

// Squeeze-and-excitation: mean, two 1x1 convolutions of that, scaling.
#define LGLP_OPERATOR_SQUEEZE_EXCITE 5

// The sum of two values: an identity connection.
#define LGLP_OPERATOR_ADD 6

// A 1x1 convolution elsewhere.
#define LGLP_OPERATOR_POINTWISE 7

// A pool: over height and width, where it has no kernel.
#define LGLP_OPERATOR_POOL 8

// A fully connected layer; of a sequence, for each of its places.
#define LGLP_OPERATOR_FULLY_CONNECTED 9

// A convolution of groups of channels, more than one channel each.
#define LGLP_OPERATOR_GROUPED 10

// A transposed convolution.
#define LGLP_OPERATOR_TRANSPOSED 11

// The product of two matrices that both follow from the input.
#define LGLP_OPERATOR_MATRIX_PRODUCT 12

// A function of each element by itself, which none of the operators above takes on.
#define LGLP_OPERATOR_ELEMENT_WISE 13

// Batch normalization that stands alone, layer, instance or group normalization.
#define LGLP_OPERATOR_NORMALIZATION 14

// Local response normalization, over neighbouring channels.
#define LGLP_OPERATOR_LOCAL_RESPONSE 15

// Softmax.
#define LGLP_OPERATOR_SOFTMAX 16

// Values that are put together, taken or brought into another order.
#define LGLP_OPERATOR_COPY 17

// Interpolation to another height and width.
#define LGLP_OPERATOR_RESIZE 18

// Sums, means or extremes over some dimensions, other than a pool.
#define LGLP_OPERATOR_REDUCTION 19

// LSTM, GRU and their like.
#define LGLP_OPERATOR_RECURRENT 20

// Values that are brought into another order in memory, which a runtime puts between operators that want them in different ones.
#define LGLP_OPERATOR_REORDER 21

// A convolution as a matrix product of windows that are laid out, where a runtime has no kernel for it ([`Operator::kind`]).
#define LGLP_OPERATOR_IM2COL 22

// None of these.
#define LGLP_OPERATOR_OTHER 255

// Activations of an [`Operator`]. None.
#define LGLP_ACTIVATION_NONE 0

// `max(0, x)`.
#define LGLP_ACTIVATION_RELU 1

// `x * max(0, min(1, x / 6 + 1 / 2))`.
#define LGLP_ACTIVATION_HARD_SWISH 2

// `max(least, min(most, x))`, such as ReLU6.
#define LGLP_ACTIVATION_CLIP 3

// `1 / (1 + exp(-x))`.
#define LGLP_ACTIVATION_SIGMOID 4

// `max(0, min(1, x / 6 + 1 / 2))`.
#define LGLP_ACTIVATION_HARD_SIGMOID 5

// The hyperbolic tangent.
#define LGLP_ACTIVATION_TANH 6

// ReLU with a slope below 0, which is learned or not.
#define LGLP_ACTIVATION_LEAKY_RELU 7

// `x / (1 + exp(-x))`, also called SiLU.
#define LGLP_ACTIVATION_SWISH 8

// `x / 2 * (1 + erf(x / sqrt 2))`.
#define LGLP_ACTIVATION_GELU 9

// Another one of exponentials, such as ELU, softplus or Mish.
#define LGLP_ACTIVATION_EXPONENTIAL 10

// Done.
#define LGLP_STATUS_OK 0

// Failed on this input; the instance stays usable.
#define LGLP_STATUS_FAILED 1

// The callback panicked; the instance is poisoned.
#define LGLP_STATUS_PANICKED 2

// An earlier call on this instance panicked.
#define LGLP_STATUS_POISONED 3

// The parameters are not acceptable.
#define LGLP_STATUS_INVALID_PARAMETERS 4

// The state is of another version, or damaged.
#define LGLP_STATUS_UNSUPPORTED_STATE 5

// A native library or a device is missing.
#define LGLP_STATUS_UNAVAILABLE 6

// The progress callback asked for an end.
#define LGLP_STATUS_CANCELLED 7

// The component does not do this. Since minor version 2.
#define LGLP_STATUS_NOT_OFFERED 8

// Borrowed UTF-8, valid during the call, or for ever within a table.
typedef struct LglpStr {
  // `len` bytes of UTF-8, not terminated; anything where `len` is 0.
  const uint8_t *data;
  // Bytes, not characters.
  size_t len;
} LglpStr;

// Bytes that the plugin allocated. The host calls `free` exactly once if it is not null.
typedef struct LglpBuffer {
  // `len` bytes, of any alignment, left alone until `free` is called; anything where `len` is 0.
  uint8_t *data;
  // Bytes that the host is to read.
  size_t len;
  // For `free` alone, such as the bytes that were allocated: the host does not look at it.
  size_t capacity;
  // Frees what `data` leads to. The host calls it on the thread that made the call, once it has copied the bytes, whatever the status;
  // `buffer` has the plugin's values, perhaps at another address. Null: the buffer counts as empty, whatever `data` and `len` are.
  void (*free)(struct LglpBuffer *buffer);
} LglpBuffer;

// One operator of a network at batch 1, float32: what a runtime executes in one go, or nearly so. An activation belongs to what it
// follows. Since minor version 2.
typedef struct LglpOperator {
  // `LGLP_OPERATOR_*`; more may come.
  uint32_t kind;
  // Side of the kernel; 0 where there is none.
  uint32_t kernel;
  // Of a kernel; 0 where there is none.
  uint32_t stride;
  // Groups of channels that a convolution keeps apart; 0 where there is none.
  uint32_t groups;
  // Channels of the input; of each of the two values in a sum.
  uint32_t channels_in;
  // Channels of the output; the outputs of a fully connected layer.
  uint32_t channels_out;
  // Height and width of the input, pixels.
  uint32_t side_in;
  // Height and width of the output, pixels.
  uint32_t side_out;
  // `LGLP_ACTIVATION_*`; more may come.
  uint32_t activation;
  // The searched block that it is in, from 1; 0 outside of them.
  uint32_t block;
  // The layer of the block, from 1; 0 outside of them.
  uint32_t layer;
  // Kernels that it launches, one after another.
  uint32_t launches;
  // Multiply-accumulates.
  uint64_t macs;
  // Bytes of values read and written.
  uint64_t activation_bytes;
  // Bytes of weights and biases.
  uint64_t weight_bytes;
} LglpOperator;

// Callbacks of an encoder.
typedef struct LglpEncoderTable {
  // Prepares the encoding of one space. `space_json`: the space, with the fields of its TOML file. `row_len`: bytes of one
  // architecture's row in that space. `parameters_json`: an object that keeps to the schema. Both texts are valid during the call.
  // On `LGLP_STATUS_OK`, `*instance` is a pointer of the plugin's own, which the host passes on until `destroy`; on any other status the
  // host does not look at it.
  uint32_t (*create)(struct LglpStr space_json,
                     size_t row_len,
                     struct LglpStr parameters_json,
                     void **instance,
                     struct LglpBuffer *error);
  // Frees an instance that `create` made. Called at most once, from any thread, when no other call on the instance runs or follows;
  // not at all where a call did not come back in time, so that the plugin, or the version that it was called for, is in quarantine.
  void (*destroy)(void *instance);
  // Writes the shape of one encoded architecture, the same for all of them: the host asks once, after `create`. Encoders that read
  // operators are not asked, and answer `LGLP_STATUS_NOT_OFFERED`. Where the status is not `LGLP_STATUS_OK`, the encoder is not used.
  uint32_t (*shape)(const void *instance, size_t *steps, size_t *width);
  // Encodes `count` architectures. `rows`: `count * row_len` bytes. `out`: `count * steps * width` zeros, allocated by the host. Both
  // are valid during the call; on any other status than `LGLP_STATUS_OK` the host does not look at `out`.
  uint32_t (*encode)(const void *instance,
                     const uint8_t *rows,
                     size_t count,
                     size_t row_len,
                     float *out,
                     struct LglpBuffer *error);
  // Since minor version 2. The shape for networks of so many operators at most, in the place of `shape`. Set, with
  // `encode_operators`, in encoders that read operators; null in those that read rows.
  uint32_t (*shape_of_operators)(const void *instance, size_t operators, size_t *steps, size_t *width);
  // Since minor version 2. Encodes `count` networks: the operators of network `i` are those before `ends[i]` that are no
  // earlier network's. `out`: `count * steps * width` zeros, for `most` operators at most, allocated by the host.
  uint32_t (*encode_operators)(const void *instance,
                               const struct LglpOperator *operators,
                               const size_t *ends,
                               size_t count,
                               size_t most,
                               float *out,
                               struct LglpBuffer *error);
} LglpEncoderTable;

// A batch, row-major `[rows, steps, width]`; `data` may be dangling where there are no values.
typedef struct LglpTensorView {
  // `rows * steps * width` values. They are the host's: valid and unchanged during the call.
  const float *data;
  // Encoded architectures, their features, or parts of networks.
  size_t rows;
  // Vectors of a row; 1 in features and flat encodings.
  size_t steps;
  // Values of a vector.
  size_t width;
} LglpTensorView;

// What a component is fitted on. Targets: one per row, in milliseconds or whatever else the recipe says.
typedef struct LglpFitData {
  // What to learn from. All that this struct leads to is the host's and valid during the call.
  struct LglpTensorView train;
  // `train.rows` values, finite and above 0.
  const double *train_targets;
  // Held out for early stopping, with the steps and width of `train`; may have no rows.
  struct LglpTensorView validation;
  // `validation.rows` values, finite and above 0; anything where there are no rows.
  const double *validation_targets;
  // Every random choice must follow from it: the same seed and data give the same state.
  uint64_t seed;
  // Passed to `progress` unchanged.
  void *progress_context;
  // Returns 0 to go on, anything else to cancel. Called from the fitting thread. Mean squared errors, or NaN.
  uint32_t (*progress)(void *context, uint64_t done, uint64_t total, double train_mse, double validation_mse);
} LglpFitData;

// Borrowed bytes, valid during the call. Since minor version 2.
typedef struct LglpBytes {
  // `len` bytes, of any alignment; anything where `len` is 0.
  const uint8_t *data;
  // Number of bytes.
  size_t len;
} LglpBytes;

// Callbacks of a feature extractor or regressor.
typedef struct LglpFittedTable {
  // Fits the component, on the calling thread, for as long as it takes. `parameters_json`: an object that keeps to the schema; it and
  // `data` are valid during the call, so copy what is to stay. On `LGLP_STATUS_OK`, `*instance` is a pointer of the plugin's own, which the
  // host passes on until `destroy`; on any other status the host does not look at it. `LGLP_STATUS_CANCELLED`: `progress` asked for an end.
  // `LGLP_STATUS_INVALID_PARAMETERS`: parameters that the schema cannot tell from good ones.
  uint32_t (*fit)(struct LglpStr parameters_json,
                  const struct LglpFitData *data,
                  void **instance,
                  struct LglpBuffer *error);
  // Makes an instance of what `save` wrote, `*instance` as in `fit`. `state`: `state_len` bytes of the host's, of any alignment, valid
  // during the call. `state_version`: the component's when it was saved. `LGLP_STATUS_UNSUPPORTED_STATE`: it cannot be read, being of
  // another version or damaged.
  uint32_t (*load)(uint32_t state_version,
                   const uint8_t *state,
                   size_t state_len,
                   void **instance,
                   struct LglpBuffer *error);
  // Gives all that `load` needs, in the format of the component's `state_version`: fills `state`, which is empty, with memory of the
  // plugin's own, which the host has freed by its `free`. On any other status than `LGLP_STATUS_OK` the model is not kept.
  uint32_t (*save)(const void *instance, struct LglpBuffer *state, struct LglpBuffer *error);
  // Frees an instance that `fit`, `fit_from` or `load` made; when it is called, and when not, is as in encoders.
  void (*destroy)(void *instance);
  // Number of features of an extractor; 1 for a regressor.
  size_t (*outputs)(const void *instance);
  // Extractors: writes `rows * outputs` features. Null in regressors.
  uint32_t (*extract)(const void *instance, struct LglpTensorView inputs, float *out, struct LglpBuffer *error);
  // Regressors: writes `rows` values in the unit of the targets. Null in extractors.
  uint32_t (*predict)(const void *instance, struct LglpTensorView inputs, double *out, struct LglpBuffer *error);
  // Regressors, since minor version 2, null where it is not offered; so are the others below. As `predict`, and writes `rows`
  // spreads beside: how far what is measured lies from the prediction of each row, about, in the unit of the targets.
  uint32_t (*predict_spread)(const void *instance,
                             struct LglpTensorView inputs,
                             double *out,
                             double *spreads,
                             struct LglpBuffer *error);
  // What would have been predicted for each row of the fit, those of the training part first, had it not been among them:
  // `pairs` becomes an array of doubles, prediction and spread of one row after another, `len` bytes in all. Of an instance
  // that was just fitted; one that was loaded may not know.
  uint32_t (*leave_one_out)(const void *instance, struct LglpBuffer *pairs, struct LglpBuffer *error);
  // Writes `rows * (steps + 1)` values: the part of each prediction that each step of its input has, and at last what belongs
  // to none. They sum to the prediction.
  uint32_t (*contributions)(const void *instance, struct LglpTensorView inputs, double *out, struct LglpBuffer *error);
  // As `fit`, beginning with what fits on other targets taught, `prior_count` states of this version.
  uint32_t (*fit_from)(struct LglpStr parameters_json,
                       const struct LglpFitData *data,
                       const struct LglpBytes *priors,
                       size_t prior_count,
                       void **instance,
                       struct LglpBuffer *error);
  // Writes which `count` candidates to measure next, as their numbers, beside those that were measured already: the ones from
  // which a fit would learn most.
  uint32_t (*choose)(struct LglpStr parameters_json,
                     struct LglpTensorView measured,
                     struct LglpTensorView candidates,
                     const struct LglpBytes *priors,
                     size_t prior_count,
                     size_t count,
                     size_t *chosen,
                     struct LglpBuffer *error);
  // Since minor version 3. Writes `rows` spreads: how far the difference between the predictions of each row and the first lies,
  // about, from that of what they take in the mean, in the unit of the targets. It is less than their own spreads tell: measuring adds no
  // noise, and of what is not known of both most cancels out.
  uint32_t (*difference_spreads)(const void *instance,
                                 struct LglpTensorView inputs,
                                 double *spreads,
                                 struct LglpBuffer *error);
  // Since minor version 4; so are the others below. How many numbers tell all of a part of a network that a prediction depends on, 64
  // at most; 0 or null where predictions do not follow from sums over parts. Parts are the stem of a network, each searched layer, and
  // the head. The host asks of each part once and predicts by look-ups then: parts that do the same are one to it, wherever they
  // stand, and `block` and `layer` of their operators are 1, or 0 outside of the searched layers. It compares these predictions with
  // those of `predict` whenever a model is fitted or loaded.
  size_t (*sums_len)(const void *instance);
  // Writes `rows * sums_len` numbers, of rows that are each a part of a network, with zeros behind its last operator.
  uint32_t (*sums)(const void *instance, struct LglpTensorView parts, double *out, struct LglpBuffer *error);
  // How many numbers tell all of a part that the spread of a prediction depends on, beside the others, 4096 at most; 0 or null
  // where the host is to ask `predict_spread`.
  size_t (*spread_sums_len)(const void *instance);
  // As `sums`, of `rows * spread_sums_len` numbers.
  uint32_t (*spread_sums)(const void *instance, struct LglpTensorView parts, float *out, struct LglpBuffer *error);
  // Writes `rows` values in the unit of the targets, of networks of which each is told by its first step and by the sums over its
  // parts: `firsts` has the shape `[rows, 1, width]`, `sums` the length `rows * sums_len`. Writes spreads beside, unless `spreads`
  // and `spread_sums` are null.
  uint32_t (*predict_sums)(const void *instance,
                           struct LglpTensorView firsts,
                           const double *sums,
                           const float *spread_sums,
                           double *out,
                           double *spreads,
                           struct LglpBuffer *error);
} LglpFittedTable;

// Callbacks of a runtime.
typedef struct LglpRuntimeTable {
  // Opens a device, or whatever runs the networks. `parameters_json`: the hardware target's settings with those of the machine's
  // owner, an object that keeps to the schema, valid during the call. On `LGLP_STATUS_OK`, `*instance` is a pointer of the plugin's own,
  // which the host passes on until `close`; on any other status the host does not look at it. `LGLP_STATUS_UNAVAILABLE`: a library or a
  // device is missing here.
  uint32_t (*open)(struct LglpStr parameters_json, void **instance, struct LglpBuffer *error);
  // Frees what `open` made. Called at most once, from any thread, when all of its networks are unloaded and no other call on it runs.
  void (*close)(void *instance);
  // Writes a JSON object that tells what was opened, such as library version, device and precision: part of the hardware target's
  // fingerprint. `json` is empty before.
  uint32_t (*describe)(const void *instance, struct LglpBuffer *json, struct LglpBuffer *error);
  // Prepares a network, whose single input the plugin fills with seeded random values. `onnx`: an ONNX model of `onnx_len` bytes, the
  // host's, valid during the call. On `LGLP_STATUS_OK`, `*network` is a pointer of the plugin's own, which the host passes on until
  // `unload`; on any other status the host does not look at it. Several networks may be loaded at a time.
  uint32_t (*load)(const void *instance, const uint8_t *onnx, size_t onnx_len, void **network, struct LglpBuffer *error);
  // Frees what `load` made. Called at most once, from any thread, when no run of it is left; the runtime is still open.
  void (*unload)(void *network);
  // Runs once; nanoseconds of elapsed time and of the calling thread's processor time (0: not known).
  uint32_t (*run)(const void *instance, void *network, uint64_t *wall_ns, uint64_t *cpu_ns, struct LglpBuffer *error);
  // Since minor version 1. Runs to ask `run_many` for at a time: 1 where a call costs nothing beside its runs, more where
  // each has a price of its own, such as the start of a program. Null stands for 1.
  size_t (*runs_at_once)(const void *instance);
  // Since minor version 1. Runs about `runs` times in a row, once at least; `samples` becomes an array of `RunSample`, one
  // a run, `len` bytes in all. Null where `run` is all there is.
  uint32_t (*run_many)(const void *instance,
                       void *network,
                       size_t runs,
                       struct LglpBuffer *samples,
                       struct LglpBuffer *error);
} LglpRuntimeTable;

// One component of a plugin. Exactly one of the three tables is set, by `kind`.
typedef struct LglpComponent {
  // `LGLP_KIND_*`.
  uint32_t kind;
  // Version of the state that `save` writes; 0 where there is none.
  uint32_t state_version;
  // In recipes, or in hardware targets for a runtime. Unique among the components of its kind, of all plugins: a plugin
  // that repeats a name, of another's or of its own, is refused as a whole.
  struct LglpStr name;
  // One line for people.
  struct LglpStr summary;
  // Writes the JSON Schema of the parameters.
  uint32_t (*schema)(struct LglpBuffer *json, struct LglpBuffer *error);
  // Set for `LGLP_KIND_ENCODER`, else null. What it leads to stays as it is for as long as the process lives, as does all that tables
  // lead to: plugins are never unloaded.
  const struct LglpEncoderTable *encoder;
  // Set for `LGLP_KIND_EXTRACTOR` and `LGLP_KIND_REGRESSOR`, else null.
  const struct LglpFittedTable *fitted;
  // Set for `LGLP_KIND_RUNTIME`, else null.
  const struct LglpRuntimeTable *runtime;
} LglpComponent;

// What a plugin exports.
typedef struct LglpPluginTable {
  // [`LGLP_MAGIC`].
  uint64_t magic;
  // `LGLP_ABI_MAJOR` as the plugin knows it; the host takes its own alone.
  uint32_t abi_major;
  // `LGLP_ABI_MINOR` as the plugin knows it, which says how far its tables of callbacks reach; the host takes none above its own.
  uint32_t abi_minor;
  // `sizeof` this table as the plugin knows it.
  size_t size;
  // `sizeof` one [`Component`] as the plugin knows it: the distance between two of them.
  size_t component_size;
  // The plugin's name, recorded with each model that it has a part in.
  struct LglpStr name;
  // The plugin's version, in whatever form; recorded likewise.
  struct LglpStr version;
  // One line for people.
  struct LglpStr summary;
  // The first of the components, `component_size` bytes apart; may be null where there are none.
  const struct LglpComponent *components;
  // Number of components.
  size_t component_count;
  // Whether all is there that the plugin needs beyond what it is linked with: `LGLP_STATUS_UNAVAILABLE` and a reason where
  // it is not. Called once, before any component is used. Null where it needs nothing.
  uint32_t (*check)(struct LglpBuffer *error);
} LglpPluginTable;

// One timed run.
typedef struct LglpRunSample {
  // Elapsed time.
  uint64_t wall_ns;
  // Processor time of the calling thread; 0: not known.
  uint64_t cpu_ns;
  // Energy of the device, microjoules; 0: not known.
  uint64_t energy_uj;
} LglpRunSample;

#endif  /* LGLP_PLUGIN_H */

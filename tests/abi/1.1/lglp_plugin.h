/* The plugin ABI of lglp, for plugins in C and whatever else speaks C.
 *
 * A plugin exports one object: const LglpPluginTable lglp_plugin. sdk/examples/encoder.c is a whole one.
 *
 * Strings are UTF-8 and not terminated. Whoever allocates frees: a buffer carries the function that frees it. Every
 * callback returns LGLP_STATUS_*; on anything but LGLP_STATUS_OK it may put a message for people into `error`, which may
 * be null.
 *
 * Every callback may be called from several threads at once, also on one instance, except `destroy` of that instance, and
 * `run`, `run_many` and `unload`, which have the network for themselves. No exception may leave a callback.
 *
 * Written from sdk/src/plugin/abi.rs; do not edit. */

#ifndef LGLP_PLUGIN_H
#define LGLP_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

// `LGLPLUGN`, as a little-endian number.
#define LGLP_MAGIC 5640570844557887308

// Raised by incompatible changes.
#define LGLP_ABI_MAJOR 1

// Raised when something is appended.
#define LGLP_ABI_MINOR 1

// Architectures to tensors; [`Component::encoder`] is set.
#define LGLP_KIND_ENCODER 1

// Tensors to features; [`Component::fitted`] is set, with `extract`.
#define LGLP_KIND_EXTRACTOR 2

// Tensors or features to targets, latencies for one; [`Component::fitted`] is set, with `predict`.
#define LGLP_KIND_REGRESSOR 3

// Runs ONNX networks; [`Component::runtime`] is set.
#define LGLP_KIND_RUNTIME 4

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

// Borrowed UTF-8, valid during the call, or for ever within a table.
typedef struct LglpStr {
  const uint8_t *data;
  size_t len;
} LglpStr;

// Bytes that the plugin allocated. The host calls `free` exactly once if it is not null.
typedef struct LglpBuffer {
  uint8_t *data;
  size_t len;
  size_t capacity;
  void (*free)(struct LglpBuffer *buffer);
} LglpBuffer;

// Callbacks of an encoder.
typedef struct LglpEncoderTable {
  // `row_len`: bytes of one architecture's row in that space.
  uint32_t (*create)(struct LglpStr space_json,
                     size_t row_len,
                     struct LglpStr parameters_json,
                     void **instance,
                     struct LglpBuffer *error);
  void (*destroy)(void *instance);
  uint32_t (*shape)(const void *instance, size_t *steps, size_t *width);
  // `rows`: `count * row_len` bytes. `out`: `count * steps * width` zeros, allocated by the host.
  uint32_t (*encode)(const void *instance,
                     const uint8_t *rows,
                     size_t count,
                     size_t row_len,
                     float *out,
                     struct LglpBuffer *error);
} LglpEncoderTable;

// A batch, row-major `[rows, steps, width]`; `data` may be dangling where there are no values.
typedef struct LglpTensorView {
  const float *data;
  size_t rows;
  size_t steps;
  size_t width;
} LglpTensorView;

// What a component is fitted on. Targets: one per row, in milliseconds or whatever else the recipe says.
typedef struct LglpFitData {
  struct LglpTensorView train;
  const double *train_targets;
  struct LglpTensorView validation;
  const double *validation_targets;
  uint64_t seed;
  // Passed to `progress` unchanged.
  void *progress_context;
  // Returns 0 to go on, anything else to cancel. Called from the fitting thread. Mean squared errors, or NaN.
  uint32_t (*progress)(void *context, uint64_t done, uint64_t total, double train_mse, double validation_mse);
} LglpFitData;

// Callbacks of a feature extractor or regressor.
typedef struct LglpFittedTable {
  uint32_t (*fit)(struct LglpStr parameters_json,
                  const struct LglpFitData *data,
                  void **instance,
                  struct LglpBuffer *error);
  uint32_t (*load)(uint32_t state_version,
                   const uint8_t *state,
                   size_t state_len,
                   void **instance,
                   struct LglpBuffer *error);
  uint32_t (*save)(const void *instance, struct LglpBuffer *state, struct LglpBuffer *error);
  void (*destroy)(void *instance);
  // Number of features of an extractor; 1 for a regressor.
  size_t (*outputs)(const void *instance);
  // Extractors: writes `rows * outputs` features. Null in regressors.
  uint32_t (*extract)(const void *instance, struct LglpTensorView inputs, float *out, struct LglpBuffer *error);
  // Regressors: writes `rows` values in the unit of the targets. Null in extractors.
  uint32_t (*predict)(const void *instance, struct LglpTensorView inputs, double *out, struct LglpBuffer *error);
} LglpFittedTable;

// Callbacks of a runtime.
typedef struct LglpRuntimeTable {
  uint32_t (*open)(struct LglpStr parameters_json, void **instance, struct LglpBuffer *error);
  void (*close)(void *instance);
  // Writes a JSON object.
  uint32_t (*describe)(const void *instance, struct LglpBuffer *json, struct LglpBuffer *error);
  uint32_t (*load)(const void *instance, const uint8_t *onnx, size_t onnx_len, void **network, struct LglpBuffer *error);
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
  // `KIND_*`.
  uint32_t kind;
  // Version of the state that `save` writes; 0 where there is none.
  uint32_t state_version;
  struct LglpStr name;
  struct LglpStr summary;
  // Writes the JSON Schema of the parameters.
  uint32_t (*schema)(struct LglpBuffer *json, struct LglpBuffer *error);
  const struct LglpEncoderTable *encoder;
  const struct LglpFittedTable *fitted;
  const struct LglpRuntimeTable *runtime;
} LglpComponent;

// What a plugin exports.
typedef struct LglpPluginTable {
  // [`MAGIC`].
  uint64_t magic;
  uint32_t abi_major;
  uint32_t abi_minor;
  // `sizeof` this table as the plugin knows it.
  size_t size;
  // `sizeof` one [`Component`] as the plugin knows it: the distance between two of them.
  size_t component_size;
  struct LglpStr name;
  struct LglpStr version;
  struct LglpStr summary;
  const struct LglpComponent *components;
  size_t component_count;
  // Whether all is there that the plugin needs beyond what it is linked with: `STATUS_UNAVAILABLE` and a reason where
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

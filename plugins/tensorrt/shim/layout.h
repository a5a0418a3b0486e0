// Where TensorRT keeps its functions.
//
// Behind every TensorRT object stands an implementation whose virtual functions keep their places within a major version; that
// is how NVIDIA's headers, all of them inline calls, stay compatible. The places below were computed by a compiler from the
// headers of each version named here, as docs/tensorrt.md tells. No version beyond them is called.
#pragma once
#include <cstdint>

namespace lglp {

struct Layout {
    // First and last version that has it: 100 * major + minor.
    int32_t first, last;
    // IBuilder
    int create_network, create_config, build_serialized;
    // IBuilderConfig
    int set_flag, create_timing_cache, set_timing_cache, get_timing_cache, set_memory_pool, set_optimization_level;
    // IBuilderConfig of TensorRT-RTX alone; 0 elsewhere.
    int set_capability_count, set_capability;
    // ICudaEngine
    int tensor_shape, tensor_type, tensor_mode, tensor_count, tensor_name;
    // IExecutionContext
    int set_address, enqueue;
    // nvonnxparser::IParser
    int error_count, error;
    // Whether ILogger begins with language, interface and destruction, as every interface that is versioned.
    bool versioned_logger;
};

constexpr Layout LAYOUTS[] = {
    // TensorRT-RTX
    {103, 104, 8, 7, 14, 9, 29, 30, 31, 32, 36, 55, 57, 17, 18, 21, 28, 29, 24, 37, 5, 6, false},
    {105, 107, 6, 5, 11, 9, 29, 30, 31, 32, 36, 55, 57, 15, 16, 19, 26, 27, 23, 36, 3, 4, true},
    // TensorRT
    {1000, 1016, 8, 7, 14, 11, 40, 41, 42, 43, 47, 0, 0, 19, 20, 23, 30, 31, 24, 37, 5, 6, false},
    {1100, 1104, 6, 5, 11, 9, 29, 30, 31, 32, 36, 0, 0, 15, 16, 19, 26, 27, 23, 36, 3, 4, true},
};

// The same in all of them.
constexpr int CREATE_CONTEXT = 5;  // ICudaEngine
constexpr int DESERIALIZE = 3;     // IRuntime
constexpr int SERIALIZE = 2;       // ITimingCache
constexpr int DATA = 2, SIZE = 3;  // IHostMemory
constexpr int PARSE = 0;           // nvonnxparser::IParser
constexpr int DESCRIBE = 1;        // nvonnxparser::IParserError
constexpr int32_t WORKSPACE = 0;   // MemoryPoolType
constexpr int32_t FP16 = 0;        // BuilderFlag, TensorRT 10

}  // namespace lglp

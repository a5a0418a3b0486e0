// Calls TensorRT through its C++ interface, for a caller that speaks C. What it needs of that interface is declared here and in
// layout.h. Itanium C++ ABI, which x86-64 and AArch64 Linux have: the first word of an object leads to its virtual functions,
// and `this` is their first argument.

#include "layout.h"

#include <cstddef>
#include <cstdint>
#include <new>

namespace {

using lglp::Layout;

template <class R, class... A>
R call(void* object, int slot, A... arguments) {
    void** functions = *static_cast<void***>(object);
    return reinterpret_cast<R (*)(void*, A...)>(functions[slot])(object, arguments...);
}

// TensorRT's own objects keep their implementation behind the word with their virtual functions.
void* inner(void* object) { return static_cast<void**>(object)[1]; }

// nvinfer1::Dims
struct Dims {
    int32_t count;
    int64_t sides[8];
};

using Say = void (*)(int32_t severity, const char* text);

// nvinfer1::ILogger up to TensorRT 10: `log` is its first virtual function, and the last that TensorRT calls.
class Logger {
public:
    explicit Logger(Say say) : say_(say) {}
    virtual void log(int32_t severity, const char* text) noexcept { say_(severity, text); }

private:
    Say say_;
};

// nvinfer1::InterfaceInfo
struct Interface {
    const char* kind;
    int32_t major, minor;
};

// nvinfer1::ILogger since TensorRT 11. The two destructors are never called: it is not TensorRT's.
class VersionedLogger {
public:
    explicit VersionedLogger(Say say) : say_(say) {}
    virtual int32_t language() const noexcept { return 0; }
    virtual Interface interface() const noexcept { return {"ILogger", 1, 0}; }
    virtual void destroy() noexcept {}
    virtual void destroy_and_free() noexcept {}
    virtual void log(int32_t severity, const char* text) noexcept { say_(severity, text); }

private:
    Say say_;
};

// Two words, for either kind.
struct Room {
    alignas(Logger) unsigned char bytes[sizeof(Logger)];
};
static_assert(sizeof(VersionedLogger) == sizeof(Room) && alignof(VersionedLogger) == alignof(Room));

void* logger(const Layout* at, Say say, Room* room) {
    if (at->versioned_logger) return new (room) VersionedLogger(say);
    return new (room) Logger(say);
}

}  // namespace

extern "C" {

using Sink = void (*)(void* target, const void* data, size_t length);

struct LglpLibrary {
    int32_t version;  // 10000 * major + 100 * minor + patch
    void* (*create_builder)(void* logger, int32_t version);
    void* (*create_runtime)(void* logger, int32_t version);
    void* (*create_parser)(void* network, void* logger, int32_t version);
    int32_t parser_version;
    Say say;
};

struct LglpBuild {
    const void* onnx;
    size_t onnx_length;
    uint64_t workspace;          // bytes; 0: TensorRT's default
    int32_t optimization_level;  // below 0: TensorRT's default
    int32_t fp16;                // 1: the flag of TensorRT 10
    int32_t capability;          // 86 for 8.6; 0: the device at hand
    const void* timing_cache;
    size_t timing_cache_length;
};

struct LglpTensor {
    const char* name;
    int32_t type;      // nvinfer1::DataType
    int32_t is_input;  // 0: an output
    int32_t dimensions;
    int64_t sides[8];
};

enum LglpStep : int32_t { DONE, UNKNOWN_VERSION, NO_BUILDER, NO_PARSER, NOT_PARSED, NO_CAPABILITY, NOT_BUILT };

// Null where no layout of that version is known.
const Layout* lglp_layout(int32_t version) {
    for (const Layout& layout : lglp::LAYOUTS) {
        if (layout.first <= version / 100 && version / 100 <= layout.last) return &layout;
    }
    return nullptr;
}

// Parses a model and builds its engine. What the parser complains of goes to `complaint`, plan and timing cache to theirs, all
// with `target`. Nothing is freed: the process ends with its one build.
LglpStep lglp_build(const LglpLibrary* library, const LglpBuild* wanted, void* target, Sink complaint, Sink plan, Sink cache) {
    const Layout* at = lglp_layout(library->version);
    if (!at) return UNKNOWN_VERSION;
    Room room;
    void* logger = ::logger(at, library->say, &room);
    void* builder = library->create_builder(logger, library->version);
    if (!builder) return NO_BUILDER;
    void* network = call<void*>(inner(builder), at->create_network, uint32_t{0});
    void* config = call<void*>(inner(builder), at->create_config);
    if (!network || !config) return NO_BUILDER;
    void* parser = library->create_parser(network, logger, library->parser_version);
    if (!parser) return NO_PARSER;
    const char* path = nullptr;
    if (!call<bool>(parser, lglp::PARSE, wanted->onnx, wanted->onnx_length, path)) {
        const int32_t errors = call<int32_t>(parser, at->error_count);
        for (int32_t i = 0; i < errors; i++) {
            const char* text = call<const char*>(call<void*>(parser, at->error, i), lglp::DESCRIBE);
            complaint(target, text, __builtin_strlen(text));
        }
        return NOT_PARSED;
    }
    void* settings = inner(config);
    if (wanted->workspace) call<void>(settings, at->set_memory_pool, lglp::WORKSPACE, static_cast<size_t>(wanted->workspace));
    if (wanted->optimization_level >= 0) call<void>(settings, at->set_optimization_level, wanted->optimization_level);
    if (wanted->fp16) call<void>(settings, at->set_flag, lglp::FP16);
    if (wanted->capability) {
        if (!at->set_capability) return NO_CAPABILITY;
        const bool counted = call<bool>(settings, at->set_capability_count, int32_t{1});
        if (!counted || !call<bool>(settings, at->set_capability, wanted->capability, int32_t{0})) return NO_CAPABILITY;
    }
    void* timings = call<void*>(settings, at->create_timing_cache, wanted->timing_cache, wanted->timing_cache_length);
    // A cache of another device or version is of no use, and no reason not to build.
    if (timings) call<bool>(settings, at->set_timing_cache, static_cast<const void*>(timings), false);
    void* built = call<void*>(inner(builder), at->build_serialized, network, config);
    if (!built) return NOT_BUILT;
    plan(target, call<void*>(inner(built), lglp::DATA), call<size_t>(inner(built), lglp::SIZE));
    timings = call<void*>(settings, at->get_timing_cache);
    void* kept = timings ? call<void*>(inner(timings), lglp::SERIALIZE) : nullptr;
    if (kept) cache(target, call<void*>(inner(kept), lglp::DATA), call<size_t>(inner(kept), lglp::SIZE));
    return DONE;
}

struct LglpExecution {
    const Layout* at;
    void* engine;
    void* context;
};

// Makes a plan ready to run on the current device; false where TensorRT refuses it. A logger is put into `room`, and lives as long.
bool lglp_load(const LglpLibrary* library, const void* data, size_t length, Room* room, LglpExecution* out) {
    const Layout* at = lglp_layout(library->version);
    if (!at) return false;
    void* runtime = library->create_runtime(logger(at, library->say, room), library->version);
    void* engine = runtime ? call<void*>(inner(runtime), lglp::DESERIALIZE, data, length) : nullptr;
    // 0: TensorRT allocates the memory that the engine works in.
    void* context = engine ? call<void*>(inner(engine), lglp::CREATE_CONTEXT, int32_t{0}) : nullptr;
    *out = {at, engine, context};
    return context != nullptr;
}

int32_t lglp_tensor_count(const LglpExecution* it) { return call<int32_t>(inner(it->engine), it->at->tensor_count); }

void lglp_tensor(const LglpExecution* it, int32_t index, LglpTensor* out) {
    void* engine = inner(it->engine);
    const char* name = call<const char*>(engine, it->at->tensor_name, index);
    const Dims shape = call<Dims>(engine, it->at->tensor_shape, name);
    out->name = name;
    out->type = call<int32_t>(engine, it->at->tensor_type, name);
    out->is_input = call<int32_t>(engine, it->at->tensor_mode, name) == 1;
    out->dimensions = shape.count;
    for (int i = 0; i < 8; i++) out->sides[i] = shape.sides[i];
}

bool lglp_bind(const LglpExecution* it, const char* name, void* memory) {
    return call<bool>(inner(it->context), it->at->set_address, name, memory);
}

bool lglp_enqueue(const LglpExecution* it, void* stream) {
    return call<bool>(inner(it->context), it->at->enqueue, stream);
}
}

// Prints a row of layout.h, less its versions, from NVIDIA's headers of one version; no part of any build. The headers want
// a cuda_runtime_api.h, with the names of CUDA's types:
//
//     g++ -std=c++17 -I HEADERS -I CUDA places.cpp -o places && ./places
//
// -DRTX for TensorRT-RTX; -DNO_PARSER where NvOnnxParser.h is not at hand, whose places are printed as 0 then.
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "NvInfer.h"
#ifndef NO_PARSER
#include "NvOnnxParser.h"
#endif

namespace {

// Itanium C++ ABI: a pointer to a virtual member function holds its place in the table, in bytes, plus one.
template <class Function>
int place(Function function) {
    long bytes;
    std::memcpy(&bytes, &function, sizeof bytes);
    return static_cast<int>((bytes - 1) / static_cast<long>(sizeof(void*)));
}

}  // namespace

int main() {
    using namespace nvinfer1;
    using namespace nvinfer1::apiv;
    int capability_count = 0, capability = 0, error_count = 0, error = 0, parse = 0, describe = 1;
#ifdef RTX
    capability_count = place(&VBuilderConfig::setNbComputeCapabilities);
    capability = place(&VBuilderConfig::setComputeCapability);
#endif
#ifndef NO_PARSER
    error_count = place(&nvonnxparser::IParser::getNbErrors);
    error = place(&nvonnxparser::IParser::getError);
    parse = place(&nvonnxparser::IParser::parse);
    describe = place(&nvonnxparser::IParserError::desc);
#endif
    for (int number : {place(&VBuilder::createNetworkV2), place(&VBuilder::createBuilderConfig),
             place(&VBuilder::buildSerializedNetwork), place(&VBuilderConfig::setFlag),
             place(&VBuilderConfig::createTimingCache), place(&VBuilderConfig::setTimingCache),
             place(&VBuilderConfig::getTimingCache), place(&VBuilderConfig::setMemoryPoolLimit),
             place(&VBuilderConfig::setBuilderOptimizationLevel), capability_count, capability,
             place(&VCudaEngine::getTensorShape), place(&VCudaEngine::getTensorDataType), place(&VCudaEngine::getTensorIOMode),
             place(&VCudaEngine::getNbIOTensors), place(&VCudaEngine::getIOTensorName),
             place(&VExecutionContext::setTensorAddress), place(&VExecutionContext::enqueueV3), error_count, error}) {
        std::printf("%d, ", number);
    }
    std::puts(place(&ILogger::log) == 0 ? "false" : "true");
    // What is the same in all of them.
    using Create = IExecutionContext* (VCudaEngine::*)(ExecutionContextAllocationStrategy) noexcept;
    using Deserialize = ICudaEngine* (VRuntime::*)(void const*, std::size_t) noexcept;
    const bool same = place(static_cast<Create>(&VCudaEngine::createExecutionContext)) == 5 &&
        place(static_cast<Deserialize>(&VRuntime::deserializeCudaEngine)) == 3 && place(&VTimingCache::serialize) == 2 &&
        place(&VHostMemory::data) == 2 && place(&VHostMemory::size) == 3 && sizeof(Dims) == 72 &&
        sizeof(IBuilder) == 2 * sizeof(void*) &&
        parse == 0 && describe == 1;
    return same ? 0 : 1;
}

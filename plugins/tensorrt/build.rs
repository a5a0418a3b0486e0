//! Compiles the shim that calls TensorRT. It needs a C++ compiler and nothing else: neither TensorRT nor CUDA.

fn main() {
    let folder = std::env::var("OUT_DIR").expect("cargo sets it");
    cc::Build::new()
        .cpp(true)
        .cpp_link_stdlib(None)
        .std("c++17")
        .flags(["-fno-exceptions", "-fno-rtti"])
        .warnings_into_errors(true)
        .cargo_metadata(false)
        .file("shim/shim.cpp")
        .compile("lglp_tensorrt_shim");
    // Of use to the helper alone, which names the library; the plugin itself has nothing of it.
    println!("cargo:rustc-link-search=native={folder}");
    println!("cargo:rerun-if-changed=shim");
}

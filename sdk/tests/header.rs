//! The C header is written from the ABI's Rust source and committed: this test keeps it current.

use std::path::Path;

#[test]
fn the_c_header_is_current() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(sdk.join("cbindgen.toml")).expect("a configuration");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(sdk.join("src/plugin/abi.rs"))
        .generate()
        .expect("a header");
    let mut written = Vec::new();
    bindings.write(&mut written);
    let header = sdk.join("include/lglp_plugin.h");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(sdk.join("include")).expect("a folder");
        std::fs::write(&header, &written).expect("a file");
    }
    let committed = std::fs::read(&header).unwrap_or_default();
    assert!(
        committed == written,
        "sdk/include/lglp_plugin.h is not what sdk/src/plugin/abi.rs says; write it anew with\n  \
        UPDATE=1 cargo test -p lglp-sdk --test header"
    );
}

//! The C header is written from the ABI's Rust source and committed: this test keeps it current.

use std::path::Path;

#[test]
fn the_c_header_is_current() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(sdk.join("cbindgen.toml")).expect("a configuration");
    let sources = ["data", "encoder", "fitted", "runtime", "mod"];
    let builder = sources.iter().fold(cbindgen::Builder::new(), |builder, file| {
        builder.with_src(sdk.join(format!("src/plugin/abi/{file}.rs")))
    });
    let bindings = builder.with_config(config).generate().expect("a header");
    let mut written = Vec::new();
    bindings.write(&mut written);
    let written = as_c_names(&String::from_utf8(written).expect("text")).into_bytes();
    let header = sdk.join("include/lglp_plugin.h");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(sdk.join("include")).expect("a folder");
        std::fs::write(&header, &written).expect("a file");
    }
    let committed = std::fs::read(&header).unwrap_or_default();
    assert!(
        committed == written,
        "sdk/include/lglp_plugin.h is not what sdk/src/plugin/abi says; write it anew with\n  \
        UPDATE=1 cargo test -p lglp-sdk --test header"
    );
}

/// Comments name constants as Rust does; C has them with a prefix, as cbindgen renames them.
fn as_c_names(header: &str) -> String {
    let mut named = header.to_owned();
    for group in ["STATUS_", "KIND_", "ABI_M", "OPERATOR_", "ACTIVATION_"] {
        named = named.replace(&format!("`{group}"), &format!("`LGLP_{group}"));
    }
    named
}

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

/// Constants have a prefix in C, where they and comments name them.
fn as_c_names(header: &str) -> String {
    let mut named = header.to_owned();
    for group in ["MAGIC", "STATUS_", "KIND_", "ABI_M", "OPERATOR_", "ACTIVATION_"] {
        for before in ["`", "#define "] {
            named = named.replace(&format!("{before}{group}"), &format!("{before}LGLP_{group}"));
        }
    }
    named
}

/// The codes of operators from 10 on had no prefix once: each had to be named in a list.
#[test]
fn every_constant_has_the_prefix() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/lglp_plugin.h");
    let header = std::fs::read_to_string(header).expect("the header");
    let others = header
        .lines()
        .filter(|line| line.starts_with("#define ") && !line.starts_with("#define LGLP_"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
}

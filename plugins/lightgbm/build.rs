//! Links with the LightGBM that `make native` installs. No rpath: the host opens a plugin's native libraries itself.

use std::path::PathBuf;

const LIBRARY: &str = "lib_lightgbm.so";

fn main() {
    println!("cargo:rerun-if-env-changed=LGLP_NATIVE");
    let folder = std::env::var_os("LGLP_NATIVE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.native/lib")),
        PathBuf::from,
    );
    let library = folder.join(LIBRARY);
    assert!(library.is_file(), "{} is missing: run `make native`", library.display());
    println!("cargo:rerun-if-changed={}", library.display());
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=dylib=_lightgbm");
}

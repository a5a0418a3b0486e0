//! Folders of plugins for tests: the built ones, and such as are compiled on the spot.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Registry, release, root};

/// The built plugins, in a folder of the registry's that further ones can be put into.
pub fn plugins_of(registry: &Registry) -> PathBuf {
    let folder = registry.folder.path().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in std::fs::read_dir(release().join("plugins")).expect("`make build` builds the plugins") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
    }
    folder
}

/// Compiles C into a shared object, against the header that plugin authors get.
pub fn compile(source: &str, output: &Path) {
    let file = output.with_extension("c");
    std::fs::write(&file, source).expect("a file");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(root().join("sdk/include"))
        .arg(&file)
        .arg("-o")
        .arg(output)
        .output()
        .expect("a C compiler");
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    std::fs::remove_file(file).expect("a file");
}

/// The plugin of a file, as `lglp plugins --json` and `GET /v1/plugins` list it.
pub fn listed<'a>(plugins: &'a Value, file: &str) -> &'a Value {
    let list = plugins["plugins"].as_array().expect("plugins");
    list.iter().find(|p| p["file"] == file).expect("the plugin is listed")
}

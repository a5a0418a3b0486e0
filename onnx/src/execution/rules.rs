//! What runtimes make of a network, as data: one file for each of which that is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

/// The files, each of one runtime.
const FILES: [&str; 1] = [include_str!("../../rules/onnxruntime.toml")];

/// What a runtime makes of a network on one kind of processor: which operators it does in one go, and how values lie in memory between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub(super) file: Arc<File>,
    /// Channels in a block.
    pub(super) block: u32,
}

/// A file of `onnx/rules`, which documents the fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    runtime: String,
    revision: u32,
    pub(super) activations: BTreeMap<String, Vec<String>>,
    pub(super) spelled_out: Vec<String>,
    pub(super) blocks: Blocks,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Blocks {
    channels: BTreeMap<String, u32>,
    pub(super) multiple: u32,
    pub(super) activations: BTreeMap<String, Vec<String>>,
    pub(super) behind: Vec<String>,
    pub(super) alone: Vec<String>,
    pub(super) alone_unless_around: Vec<String>,
    pub(super) pools: Vec<String>,
    pub(super) joined: Vec<String>,
    pub(super) filled: Vec<String>,
    pub(super) followed: Vec<String>,
}

impl Rules {
    /// The rules of a runtime on a processor with these vector instructions, as fingerprints name them; `None` where it is not known to differ
    /// from what any runtime does.
    pub fn of<'a>(runtime: &str, simd: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let file = file(runtime)?;
        let channels = &file.blocks.channels;
        let block = simd.into_iter().filter_map(|able| channels.get(able)).max();
        let block = *block?;
        Some(Self {
            file: Arc::new(file),
            block,
        })
    }

    /// The rules of a [name](Self::name); `None` where there are none such.
    pub fn named(name: &str) -> Option<Self> {
        let (runtime, _) = name.split_once('/')?;
        let file = Arc::new(file(runtime)?);
        let blocks: Vec<u32> = file.blocks.channels.values().copied().collect();
        let mut rules = blocks.into_iter().map(|block| Self {
            file: file.clone(),
            block,
        });
        rules.find(|rules| rules.name() == name)
    }

    /// The runtime, the channels in a block, and the revision of the rules: `onnxruntime/16/2`. Tables of one name are comparable.
    pub fn name(&self) -> String {
        format!("{}/{}/{}", self.file.runtime, self.block, self.file.revision)
    }
}

fn file(runtime: &str) -> Option<File> {
    let mut files = FILES
        .iter()
        .map(|text| toml::from_str::<File>(text).expect("a file of this repository"));
    files.find(|file| file.runtime == runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_by_what_a_processor_can_do_and_by_their_name() {
        let of = |runtime: &str, simd: &[&'static str]| Rules::of(runtime, simd.iter().copied());
        let wide = of("onnxruntime", &["avx2", "fma", "avx512f"]).expect("rules");
        assert_eq!(wide.name(), "onnxruntime/16/2");
        assert_eq!(of("onnxruntime", &["avx2"]).expect("rules").name(), "onnxruntime/8/2");
        assert_eq!(Rules::named("onnxruntime/16/2"), Some(wide));
        for other in [
            "",
            "onnxruntime",
            "onnxruntime/",
            "onnxruntime/12/2",
            "onnxruntime/16",
            "onnxruntime/16/1",
            "tensorrt/16/2",
        ] {
            assert_eq!(Rules::named(other), None, "{other}");
        }
        assert_eq!(of("onnxruntime", &["amx_tile"]), None);
        assert_eq!(of("tensorrt", &["avx2"]), None);
    }
}

//! Networks that are measured by themselves: ONNX files, and random ones.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lglp_onnx::{Bytes, OnnxError};
use lglp_registry::{Digest, MeasuredNetwork};
use lglp_sdk::plugin::abi::Operator;

use super::{RandomNetwork, measured, operators_of};

/// A network that is to be measured by itself. Its model is read when its turn comes: many of them do not fit in memory.
#[derive(Clone, Debug)]
pub struct GivenNetwork {
    name: String,
    digest: Digest,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    Random(RandomNetwork),
}

/// A network that is ready to be measured.
pub struct LoadedNetwork {
    /// The encoded model, with its weights.
    pub onnx: Vec<u8>,
    /// Inputs at once.
    pub batch: u64,
    /// What it computes.
    pub network: MeasuredNetwork,
}

impl LoadedNetwork {
    /// The operators of the network, for one input.
    pub fn operators(&self) -> Vec<Operator> {
        operators_of(&self.network)
    }
}

/// Why a network cannot be measured.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct UnusableNetwork {
    /// The network's name.
    pub name: String,
    /// What is wrong with it, for people.
    pub problem: Unusable,
}

/// What is wrong with a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Its file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a folder, or a device.
    #[error("it is no file")]
    NoFile,
    /// Its file is beyond what one may have.
    #[error("{} MiB; an ONNX file has at most 2,048, the rest of its weights beside it", .0 >> 20)]
    TooLarge(u64),
    /// It is no ONNX model, or one that is not understood.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It is another one than when measuring began.
    #[error("the file was changed meanwhile")]
    Changed,
}

/// What a message of protobuf has at most, bytes.
const MOST_BYTES: u64 = 2 << 30;

impl GivenNetwork {
    /// A network in a file; its name is the file's, without `.onnx`.
    ///
    /// # Errors
    /// Where the file cannot be read as one.
    pub fn file(path: &Path) -> Result<Self, UnusableNetwork> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::new(name, Source::File(path.to_owned()))
    }

    /// A random network.
    ///
    /// # Errors
    /// Where it is not understood.
    pub fn random(network: RandomNetwork) -> Result<Self, UnusableNetwork> {
        Self::new(network.to_string(), Source::Random(network))
    }

    fn new(name: String, source: Source) -> Result<Self, UnusableNetwork> {
        let digest = source.model().and_then(|onnx| Ok(digest(onnx.into())?));
        let digest = digest.map_err(|problem| UnusableNetwork {
            name: name.clone(),
            problem,
        })?;
        Ok(Self { name, digest, source })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its measurements are found by: the SHA-256 of its model without the weights.
    pub fn text(&self) -> String {
        self.digest.to_string()
    }

    /// Reads the network.
    ///
    /// # Errors
    /// Where that is not possible any more, or its operators are not understood.
    pub fn load(&self) -> Result<LoadedNetwork, UnusableNetwork> {
        self.try_load().map_err(|problem| UnusableNetwork {
            name: self.name.clone(),
            problem,
        })
    }

    fn try_load(&self) -> Result<LoadedNetwork, Unusable> {
        let onnx = self.source.model()?;
        let bytes = Bytes::from(onnx);
        if digest(bytes.clone())? != self.digest {
            return Err(Unusable::Changed);
        }
        let read = lglp_onnx::read(bytes.clone(), &BTreeMap::new())?;
        Ok(LoadedNetwork {
            batch: read.batch,
            network: measured(&self.name, &read),
            onnx: bytes.into(),
        })
    }
}

impl Source {
    /// The encoded model.
    fn model(&self) -> Result<Vec<u8>, Unusable> {
        match self {
            Self::File(path) => read_file(path),
            Self::Random(network) => Ok(network.onnx()),
        }
    }
}

/// The encoded model in a file.
///
/// # Errors
/// Where there is none, or one of more bytes than a model has.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Unusable> {
    let file = std::fs::metadata(path)?;
    if !file.is_file() {
        return Err(Unusable::NoFile);
    }
    if file.len() > MOST_BYTES {
        return Err(Unusable::TooLarge(file.len()));
    }
    Ok(std::fs::read(path)?)
}

/// Whether a file is of ONNX, by its name.
pub fn is_named_onnx(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

fn digest(onnx: Bytes) -> Result<Digest, OnnxError> {
    Ok(Digest::of(&lglp_onnx::without_weights(onnx)?))
}

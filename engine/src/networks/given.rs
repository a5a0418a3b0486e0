//! Networks that are measured by themselves: ONNX files, random ones, and such as were sent without their weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use lglp_onnx::{Bytes, OnnxError, Rules};
use lglp_registry::{Digest, MeasuredNetwork};
use lglp_sdk::plugin::abi::{OPERATOR_OTHER, Operator};

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
    Sent(Arc<dyn Structures>),
}

/// Where models lie without their weights, each under its SHA-256: in a registry, or at a server.
pub trait Structures: fmt::Debug + Send + Sync {
    /// The model of a digest.
    ///
    /// # Errors
    /// Where it is not there, or cannot be had.
    fn structure(&self, digest: &Digest) -> io::Result<Vec<u8>>;
}

/// A network that is read.
pub struct LoadedNetwork {
    name: String,
    /// The encoded model.
    model: Bytes,
    /// Whether the model lacks its weights.
    is_structure: bool,
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

    /// The encoded model, as a runtime takes it. What was sent without weights gets random ones, and is written anew: a runtime trusts what it
    /// reads. `most` is the memory that it may take, bytes; any, where there is no limit.
    ///
    /// # Errors
    /// Of what was sent: where it would take more, or has operators that are not known here.
    pub fn into_onnx(self, most: Option<u64>) -> Result<Vec<u8>, UnusableNetwork> {
        if !self.is_structure {
            return Ok(self.model.into());
        }
        let filled = filled(self.model, &self.network, most.unwrap_or(u64::MAX));
        filled.map_err(|problem| UnusableNetwork {
            name: self.name,
            problem,
        })
    }
}

/// A model that was sent without its weights, with random ones.
fn filled(structure: Bytes, network: &MeasuredNetwork, most: u64) -> Result<Vec<u8>, Unusable> {
    let mut kinds = network.operators.iter().map(|[kind, ..]| *kind);
    if kinds.any(|kind| kind == u64::from(OPERATOR_OTHER)) {
        return Err(Unusable::UnknownOperator);
    }
    match lglp_onnx::held(structure.clone())? {
        held if held.constants > most => Err(Unusable::Constants(held.constants)),
        held if held.at_once > most => Err(Unusable::Held(held.at_once)),
        _ => Ok(lglp_onnx::with_random_weights(structure, most)?),
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
    /// It was sent, and cannot be had now.
    #[error("it cannot be fetched: {0}")]
    Unreachable(io::Error),
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
    /// What was sent for it is another model, or one with weights.
    #[error(
        "what was sent is no model without its weights, or not the one of its digest; `lglp measure --job` sends them so"
    )]
    OtherStructure,
    /// It was sent, and has operators that nobody here knows how large they grow.
    #[error("it has operators that are not known here; measure it where its file lies: lglp measure --onnx")]
    UnknownOperator,
    /// It was sent, and its constants do not fit into memory.
    #[error("its weights and constants take {} MiB, more than there is for a network", .0 >> 20)]
    Constants(u64),
    /// It was sent, and what it holds at once does not fit into memory.
    #[error("it holds {} MiB at once, more than there is for a network", .0 >> 20)]
    Held(u64),
    /// Its measurement could not be recorded.
    #[error(transparent)]
    Unrecordable(#[from] lglp_registry::Error),
}

impl Unusable {
    /// Whether it may be usable later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
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

    /// A network that was sent without its weights; `digest` is that of what was sent. It is read when its turn comes.
    pub fn sent(name: String, digest: Digest, structures: Arc<dyn Structures>) -> Self {
        let source = Source::Sent(structures);
        Self { name, digest, source }
    }

    fn new(name: String, source: Source) -> Result<Self, UnusableNetwork> {
        let mut network = Self {
            name,
            digest: Digest::of(&[]),
            source,
        };
        network.digest = Digest::of(&network.structure()?);
        Ok(network)
    }

    /// The model without its weights, as it is sent elsewhere.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn structure(&self) -> Result<Vec<u8>, UnusableNetwork> {
        let model = self.source.model(&self.digest);
        let structure = model.and_then(|model| Ok(lglp_onnx::without_weights(model.into())?));
        structure.map_err(|problem| self.unusable(problem))
    }

    fn unusable(&self, problem: Unusable) -> UnusableNetwork {
        UnusableNetwork {
            name: self.name.clone(),
            problem,
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its measurements are found by: the SHA-256 of its model without the weights.
    pub fn text(&self) -> String {
        self.digest.to_string()
    }

    /// Reads the network, as a runtime of these rules executes it.
    ///
    /// # Errors
    /// Where that is not possible any more, or its operators are not understood.
    pub fn load(&self, rules: Option<&Rules>) -> Result<LoadedNetwork, UnusableNetwork> {
        self.try_load(rules).map_err(|problem| self.unusable(problem))
    }

    fn try_load(&self, rules: Option<&Rules>) -> Result<LoadedNetwork, Unusable> {
        let model = Bytes::from(self.source.model(&self.digest)?);
        let structure = lglp_onnx::without_weights(model.clone())?;
        let is_structure = matches!(self.source, Source::Sent(_));
        match Digest::of(&structure) == self.digest {
            true if is_structure && structure != model => return Err(Unusable::OtherStructure),
            true => {}
            false if is_structure => return Err(Unusable::OtherStructure),
            false => return Err(Unusable::Changed),
        }
        let read = lglp_onnx::read(model.clone(), &BTreeMap::new())?;
        let network = measured(&self.name, &read, rules);
        network.check()?;
        Ok(LoadedNetwork {
            name: self.name.clone(),
            is_structure,
            batch: read.batch,
            network,
            model,
        })
    }
}

impl Source {
    /// The encoded model; `digest` is that of the model without its weights, as far as it is known.
    fn model(&self, digest: &Digest) -> Result<Vec<u8>, Unusable> {
        match self {
            Self::File(path) => read_file(path),
            Self::Random(network) => Ok(network.onnx()),
            Self::Sent(structures) => structures.structure(digest).map_err(Unusable::Unreachable),
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

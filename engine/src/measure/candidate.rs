//! What is measured: the network of an architecture, or one that is given by itself.

use lglp_registry::{Digest, MeasuredNetwork, ONNX};
use lglp_sdk::{Architecture, SearchSpace};

use crate::networks::GivenNetwork;
use crate::spaces::definition;

/// Something that is to be measured.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it is.
    pub subject: Subject,
    /// Remarks that its measurement begins with.
    pub flags: Vec<String>,
}

/// What a measurement is of.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An architecture of a search space.
    Architecture(Architecture),
    /// A network of no space.
    Network(GivenNetwork),
    /// An architecture of a space that says nothing of networks, and its network.
    Exported(Architecture, GivenNetwork),
}

/// What a measurement says of its subject.
pub(super) struct Told {
    /// The name of the space.
    pub space: String,
    pub text: String,
    pub space_definition: Option<Digest>,
    pub network: Option<MeasuredNetwork>,
}

impl Candidate {
    /// An architecture with the remarks that its measurement begins with.
    pub fn architecture(architecture: Architecture, flags: Vec<String>) -> Self {
        Self {
            subject: Subject::Architecture(architecture),
            flags,
        }
    }

    /// The architecture, where it is one whose network is built here.
    pub fn as_architecture(&self) -> Option<&Architecture> {
        match &self.subject {
            Subject::Architecture(architecture) => Some(architecture),
            Subject::Network(_) | Subject::Exported(..) => None,
        }
    }
}

impl Subject {
    /// What its measurements are found by; `space` is that of architectures.
    pub fn text(&self, space: &SearchSpace) -> String {
        match self {
            Self::Architecture(architecture) | Self::Exported(architecture, _) => space.canonical_text(architecture),
            Self::Network(network) => network.text(),
        }
    }

    /// What people call it.
    pub fn name(&self, space: &SearchSpace) -> String {
        match self {
            Self::Architecture(architecture) => space.canonical_text(architecture),
            Self::Network(network) | Self::Exported(_, network) => network.name().to_owned(),
        }
    }

    /// What its measurement says of it; `network` is what it computes, where it is of no space.
    pub(super) fn told(&self, space: &SearchSpace, network: Option<MeasuredNetwork>) -> Told {
        let of_space = network.is_none();
        Told {
            space: if of_space {
                space.name().to_owned()
            } else {
                ONNX.to_owned()
            },
            text: self.text(space),
            space_definition: of_space.then(|| definition(space)),
            network,
        }
    }
}

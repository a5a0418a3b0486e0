//! A network that is built while another one is measured. Only where networks run on a device with a processor and memory
//! of its own: elsewhere the work would slow down what is timed.

use std::thread::JoinHandle;

use lglp_sdk::{Architecture, SearchSpace};

use super::WEIGHTS_SEED;
use crate::networks::{self, Network};

/// A network under way.
pub(super) struct Ahead {
    architecture: Architecture,
    building: JoinHandle<Option<Network>>,
}

impl Ahead {
    /// Begins to build the network of an architecture with this many inputs at once.
    pub(super) fn begin(space: &SearchSpace, architecture: &Architecture, batch: u32) -> Self {
        let (space, of) = (space.clone(), architecture.clone());
        Self {
            architecture: architecture.clone(),
            building: std::thread::spawn(move || networks::build(&space, &of, batch, WEIGHTS_SEED).ok()),
        }
    }

    /// Waits for the network; none where it is another architecture's, or there is none.
    pub(super) fn network_of(self, architecture: &Architecture) -> Option<Network> {
        let built = self.building.join().expect("building a network does not panic");
        built.filter(|_| self.architecture == *architecture)
    }
}

//! The networks that candidates are paired with: the target's reference network, which its latency calibrates, and larger ones
//! of its space.
//!
//! Why larger ones: what slows a machine down for a while hits a network that streams its weights through the caches otherwise than
//! one that computes for a second (`benches/loadings.rs`).
//!
//! A larger one's latency is its median ratio to the target's reference network times that one's latency, over several loadings of the
//! reference network, since these differ. It is found once, where the target is calibrated, and kept with it: found anew by each
//! process, it was 2.7 % off from one hour to the next, and all labels with it. Targets of before have none, and go on without.

use lglp_registry::{Digest, ReferenceNetwork, TimedNetwork};
use lglp_sdk::{Architecture, SearchSpace};

use super::meters::Device;
use super::protocol::time;
use super::{Protocol, WEIGHTS_SEED, admit_batch, calibrate, median, reference_architecture, reference_architectures};
use crate::host::{NetworkInstance, PluginError, RuntimeInstance};
use crate::networks;

/// Loadings of the reference network that a larger one is compared with.
const LOADINGS: usize = 3;

/// How far the ratios of these may lie apart, relative to each other, for the larger one to be of use.
const AGREEMENT: f64 = 0.1;

/// Time of one run of a larger one at most, relative to one of the candidate.
const LARGEST_SHARE: f64 = 0.5;

/// The reference networks of one space on an open runtime.
pub(super) struct References<'a> {
    space: &'a SearchSpace,
    runtime: &'a RuntimeInstance,
    batch: u32,
    own: NetworkInstance<'a>,
    /// The shortest first.
    larger: Vec<Larger<'a>>,
}

/// A reference network that is not the target's own.
struct Larger<'a> {
    architecture: Architecture,
    digest: Digest,
    /// Its latency on the target, milliseconds; none where it is of no use there.
    latency_ms: Option<f64>,
    /// Multiply-accumulates to the target's own: a guess at the ratio, good enough to choose by.
    guess: f64,
    loaded: Option<NetworkInstance<'a>>,
}

/// What a candidate is to be paired with.
pub(super) struct Nearest<'r, 'a> {
    pub network: &'r mut NetworkInstance<'a>,
    /// Its latency on the target, milliseconds.
    pub latency_ms: f64,
    /// The digest of a larger one.
    pub larger: Option<Digest>,
}

impl Nearest<'_, '_> {
    /// How a measurement tells it.
    pub(super) fn told(&self) -> Option<TimedNetwork> {
        self.larger.clone().map(|digest| TimedNetwork {
            digest,
            latency_ms: self.latency_ms,
        })
    }
}

impl<'a> References<'a> {
    /// Loads the target's own; of larger ones one at a time is loaded, when it is wanted.
    pub(super) fn load(space: &'a SearchSpace, runtime: &'a RuntimeInstance, batch: u32) -> Result<Self, PluginError> {
        let mut architectures = reference_architectures(space)?.into_iter();
        let own = architectures.next().expect("a space has a smallest network");
        let macs = |architecture: &Architecture| networks::macs_if_any(space, architecture).max(1) as f64;
        let least = macs(&own);
        let larger = architectures.map(|architecture| Larger {
            digest: Digest::of(space.canonical_text(&architecture).as_bytes()),
            latency_ms: None,
            guess: macs(&architecture) / least,
            architecture,
            loaded: None,
        });
        let larger = larger.collect();
        Ok(Self {
            own: loaded(space, &own, runtime, batch)?,
            space,
            runtime,
            batch,
            larger,
        })
    }

    /// The latency of the target's own here, milliseconds. `progress` is told how many runs are done.
    pub(super) fn calibrate(&mut self, progress: impl FnMut(usize)) -> Result<f64, PluginError> {
        calibrate(&mut self.own, self.runtime.runs_at_once(), progress)
    }

    /// The larger ones with their latencies, where the target's own has `own_ms`. One that does not fit, or whose comparisons do not
    /// agree, is left out.
    pub(super) fn compare(
        &mut self,
        own_ms: f64,
        protocol: &Protocol,
        device: &Device,
    ) -> Result<Vec<TimedNetwork>, PluginError> {
        let mut timed = Vec::new();
        // Where each call has a price, labels come of many runs in a row, and one reference network serves all.
        let compared = match self.runtime.runs_at_once() {
            1 => &self.larger[..],
            _ => &[],
        };
        let own = reference_architecture(self.space)?;
        for larger in compared {
            if admit_batch(
                self.space,
                &larger.architecture,
                self.batch,
                self.runtime.network_memory(),
            )
            .is_err()
            {
                continue;
            }
            let mut network = loaded(self.space, &larger.architecture, self.runtime, self.batch)?;
            let mut ratios = Vec::with_capacity(LOADINGS);
            for _ in 0..LOADINGS {
                let mut own = loaded(self.space, &own, self.runtime, self.batch)?;
                let measured = protocol.measure(&mut network, &mut own, 1, device, &|| true)?;
                ratios.extend((!measured.drifted && !measured.throttled()).then_some(measured.ratio));
            }
            let (least, most) = (
                ratios.iter().copied().fold(f64::MAX, f64::min),
                ratios.iter().copied().fold(0.0, f64::max),
            );
            if ratios.len() == LOADINGS && most <= least * (1.0 + AGREEMENT) {
                timed.push(TimedNetwork {
                    digest: larger.digest.clone(),
                    latency_ms: median(&ratios) * own_ms,
                });
            }
        }
        Ok(timed)
    }

    /// Takes the larger ones that a target has.
    pub(super) fn know(&mut self, reference: Option<&ReferenceNetwork>) {
        for larger in &mut self.larger {
            let known = reference.and_then(|own| own.larger.iter().find(|known| known.digest == larger.digest));
            larger.latency_ms = known.map(|known| known.latency_ms);
        }
    }

    /// The largest of which a run takes no more than a share of a candidate's. `own_ms`: the latency of the target's own.
    pub(super) fn nearest(
        &mut self,
        candidate: &mut NetworkInstance<'_>,
        own_ms: f64,
    ) -> Result<Nearest<'_, 'a>, PluginError> {
        let most = match self.larger.iter().any(|larger| larger.latency_ms.is_some()) {
            true => LARGEST_SHARE * time(candidate.run()?) / time(self.own.run()?),
            false => 0.0,
        };
        let fits = |larger: &Larger<'_>| larger.latency_ms.is_some() && larger.guess <= most;
        let place = self.larger.iter().rposition(fits);
        // One at a time: each takes memory of its own.
        for (at, larger) in self.larger.iter_mut().enumerate() {
            larger.loaded = larger.loaded.take().filter(|_| Some(at) == place);
        }
        let own = Nearest {
            network: &mut self.own,
            latency_ms: own_ms,
            larger: None,
        };
        let Some(larger) = place.and_then(|at| self.larger.get_mut(at)) else {
            return Ok(own);
        };
        let (Some(latency_ms), digest) = (larger.latency_ms, larger.digest.clone()) else {
            return Ok(own);
        };
        let network = match larger.loaded.take() {
            Some(network) => network,
            None => loaded(self.space, &larger.architecture, self.runtime, self.batch)?,
        };
        Ok(Nearest {
            network: larger.loaded.insert(network),
            latency_ms,
            larger: Some(digest),
        })
    }

    /// Loads the target's own anew, and larger ones when they are wanted again: what runs one of them may have ended.
    pub(super) fn reload(&mut self) -> Result<(), PluginError> {
        for larger in &mut self.larger {
            larger.loaded = None;
        }
        self.own = loaded(
            self.space,
            &reference_architecture(self.space)?,
            self.runtime,
            self.batch,
        )?;
        Ok(())
    }
}

fn loaded<'a>(
    space: &SearchSpace,
    architecture: &Architecture,
    runtime: &'a RuntimeInstance,
    batch: u32,
) -> Result<NetworkInstance<'a>, PluginError> {
    admit_batch(space, architecture, batch, runtime.network_memory())?;
    runtime.load(&networks::build(space, architecture, batch, WEIGHTS_SEED)?.onnx)
}

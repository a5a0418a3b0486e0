//! Why a version cannot be exported or imported.

use lglp_engine::spaces::UnknownSpace;
use lglp_registry::{Digest, HardwareName};

use crate::serving::ServingError;

/// An error of exporting or importing. Nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file is not what `lglp models export` wrote.
    #[error("the bundle is damaged, or is none: {problem}; export it again")]
    Damaged {
        /// What is wrong, and in which part of it.
        problem: String,
    },
    /// It was written by a newer lglp.
    #[error("the bundle has format {found}; this program knows formats up to {supported}: import it with a newer lglp")]
    NewerFormat {
        /// The bundle's format.
        found: u32,
        /// The newest format that this program knows.
        supported: u32,
    },
    /// It is whole, but another one than the caller means.
    #[error("the bundle has the SHA-256 {found}, not {expected}: it is another one")]
    OtherDigest {
        /// The SHA-256 that the caller named.
        expected: Digest,
        /// The SHA-256 of the whole file.
        found: Digest,
    },
    /// Its hardware target's name stands for another machine here.
    #[error(
        "`{hardware}` is another machine here: {differences}; import the version under another name (`--hardware OTHER`, \
         over REST POST /v1/OTHER/models/import)"
    )]
    OtherMachine {
        /// The name, here, under which the version was to be imported.
        hardware: HardwareName,
        /// Each fact that differs, as it is here and in the bundle.
        differences: String,
    },
    /// Its search space is not there.
    #[error("{unknown}; copy `{}.toml` from the spaces of the server that exported the bundle", unknown.name)]
    NoSpace {
        /// The space that the version was fitted in, and those that there are here.
        unknown: UnknownSpace,
    },
    /// Its search space is defined otherwise here.
    #[error(
        "the space `{space}` is defined otherwise here: its digest is {here}, and the version was fitted with {there}; \
         its rows would mean something else"
    )]
    OtherSpace {
        /// Its name.
        space: String,
        /// Digest of its definition here: `sha256:` and 64 hexadecimal digits.
        here: String,
        /// Digest of the definition that the version was fitted with.
        there: Digest,
    },
    /// Components that the model needs are not provided here.
    #[error("the version cannot run here: {missing}; install these plugins")]
    MissingPlugins {
        /// Each component that no plugin here provides, with the plugin that the version was fitted with.
        missing: String,
    },
    /// Components are provided by other files than the version was fitted with.
    #[error(
        "the version was fitted with other plugins: {differing}; install those, or import with --accept-other-plugins \
         (over REST ?accept_other_plugins=true), which relies on the model's self-test alone"
    )]
    OtherPlugins {
        /// Each component whose plugin is another file, with the digests there and here.
        differing: String,
    },
    /// The model does not load, or predicts nonsense.
    #[error("the bundle's model cannot be used here: {0}")]
    Unusable(#[source] ServingError),
    /// The registry cannot be read or written, or refuses.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

impl BundleError {
    pub(super) fn damaged(problem: impl Into<String>) -> Self {
        Self::Damaged {
            problem: problem.into(),
        }
    }
}

//! What is said between the host and a process that runs a plugin, over a socket: a length of four bytes (little-endian), so many
//! bytes of JSON, and behind some the bytes that they announce. Arrays lie in memory that both share ([`super::arena`]).
//!
//! `docs/isolation.md` describes it for those who write the other side in another language.

use std::ops::Range;

use lglp_sdk::plugin::Progress;
use serde::{Deserialize, Serialize};

use crate::host::calls::{Call, Offers};
use crate::host::{ComponentKind, PluginDescription};

/// The argument that a process is started with.
pub(super) const SUBCOMMAND: &str = "run-plugin";

/// What a process is started with: its second argument, as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Start<P> {
    /// The plugin's file.
    pub plugin: P,
    /// The interpreter of a plugin that is a Python program.
    pub python: Option<String>,
    /// Descriptor of the shared memory.
    pub arena: i32,
    /// Bytes of it.
    pub arena_len: usize,
    pub restrictions: Restrictions,
}

/// What a process may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Restrictions {
    /// Whether it may open no files but those that programs need, start nothing and reach nobody.
    pub sandbox: bool,
    /// Bytes of memory of its own.
    pub memory: u64,
    /// The processors that it runs on; all where there are none.
    pub processors: Vec<usize>,
    /// Folders and files that it may read beside.
    pub read: Vec<String>,
}

/// A request. With `instance` and `component` it makes an instance, with one of them it asks that.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    /// Which of the requests to this process it is; its answer has the same.
    pub number: u64,
    /// The number that the host knows an instance by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<(ComponentKind, String)>,
    pub call: Call,
    /// Where in the shared memory each input lies: offset and bytes.
    pub inputs: Vec<(usize, usize)>,
    /// The same of each output.
    pub outputs: Vec<(usize, usize)>,
    /// Instances that nobody needs any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<u64>,
}

/// What the process says.
#[derive(Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub(super) enum Told {
    /// At first, and before the plugin is loaded: what the process is restricted by, such as `landlock`.
    Restricted { by: Vec<String> },
    /// Then: what the plugin is, and what each component offers.
    Described {
        description: PluginDescription,
        offers: Vec<Offers>,
    },
    /// Or: why it cannot be used.
    Refused { reason: String },
    /// During a fit; the host answers with [`GoOn`].
    Progress {
        done: u64,
        total: u64,
        train_mse: Option<f64>,
        validation_mse: Option<f64>,
    },
    /// The end of a call.
    Answer {
        /// That of the request.
        number: u64,
        /// `LGLP_STATUS_*`.
        status: u32,
        #[serde(default)]
        message: String,
        #[serde(default)]
        numbers: Vec<u64>,
        /// Bytes that follow.
        #[serde(default)]
        bytes: usize,
    },
}

/// Whether a fit is to go on.
#[derive(Serialize, Deserialize)]
pub(super) struct GoOn {
    pub go_on: bool,
}

impl Told {
    pub(super) fn progress(event: Progress) -> Self {
        let known = |mse: f64| mse.is_finite().then_some(mse);
        Self::Progress {
            done: event.done,
            total: event.total,
            train_mse: known(event.train_mse),
            validation_mse: known(event.validation_mse),
        }
    }
}

/// Bytes of JSON at most in which a plugin says what it is: schemas are told in it.
pub(super) const LARGEST_DESCRIPTION: usize = 256 << 10;

/// Bytes of JSON at most of whatever else it says: a message for people is the longest of it.
pub(super) const LARGEST_ANSWER: usize = 64 << 10;

/// Bytes of JSON at most of a request, as a process is asked it.
pub(super) const LARGEST_REQUEST: usize = 16 << 20;

/// A message as it is sent.
pub(super) fn framed(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// Where the JSON of the message is that some bytes begin with, if it is there as a whole; `most`: so many bytes of it.
///
/// # Errors
/// The length that it announces, where that is too much.
pub(super) fn head(bytes: &[u8], most: usize) -> Result<Option<Range<usize>>, usize> {
    let Some(length) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length) as usize;
    match length > most {
        true => Err(length),
        false => Ok((bytes.len() >= 4 + length).then_some(4..4 + length)),
    }
}

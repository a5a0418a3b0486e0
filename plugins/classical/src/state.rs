//! Fitted state as JSON, which holds every number exactly and can be read without lglp.

use lglp_sdk::plugin::PluginError;
use lglp_sdk::strict::Strict;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version of every state of this plugin.
pub(crate) const VERSION: u32 = 1;

pub(crate) fn save(state: &impl Serialize) -> Result<Vec<u8>, PluginError> {
    serde_json::to_vec(state).map_err(PluginError::failed)
}

pub(crate) fn load<T: DeserializeOwned>(version: u32, bytes: &[u8]) -> Result<T, PluginError> {
    if version != VERSION {
        let message = format!("format version {version}; this plugin reads {VERSION}");
        return Err(PluginError::UnsupportedState(message));
    }
    let unsupported = |e: serde_json::Error| PluginError::UnsupportedState(e.to_string());
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let state = T::deserialize(Strict::new(&mut json)).map_err(unsupported)?;
    json.end().map_err(unsupported)?;
    Ok(state)
}

//! How a new hardware target is to measure, as options.

use lglp_engine::host::PluginHost;
use lglp_engine::measure::Setup;
use lglp_registry::{Error, Result};
use lglp_sdk::{literal, strict};
use serde_json::{Map, Value};

use crate::whole;

/// Options that describe a hardware target which is not there yet.
#[derive(clap::Args)]
pub struct SetupArgs {
    /// Runtime, for a new hardware target: a plugin's, or one of this machine's runtimes.toml [default: onnxruntime].
    #[arg(long)]
    pub runtime: Option<String>,
    /// A setting of the runtime, for a new hardware target; `lglp plugins --json` lists them. May be given several times. What
    /// names a program, a library or a file is this machine's own: it is not kept with the target, but given each time, or put
    /// into runtimes.toml.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, Value)>,
    /// Inputs that a network takes at once, for a new hardware target [default: 1].
    #[arg(long, value_name = "N", value_parser = whole::<u32>().range(1..=1024))]
    pub batch_size: Option<u32>,
}

impl SetupArgs {
    /// What `--set` gave, by name, the machine's own settings among it; the last value of a name that comes twice.
    pub fn settings(&self) -> Map<String, Value> {
        self.set.iter().cloned().collect()
    }

    /// How a new target is to measure. What is this machine's own stays with the host.
    pub fn setup(&self, host: &mut PluginHost) -> Setup {
        let default = Setup::default();
        let runtime = self.runtime.clone().unwrap_or(default.runtime);
        Setup {
            settings: host.configure_here(&runtime, self.settings()),
            runtime,
            batch: self.batch_size.unwrap_or(default.batch),
            configured: false,
        }
    }
}

/// JSON where it is some, or a list or object of Python, else text: `threads=4`, `precision=fp16`, `command=["a","b"]`.
fn setting(text: &str) -> Result<(String, Value)> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Error::invalid("set", format!("expected NAME=VALUE, got {text:?}")))?;
    // A name in braces alone is a place in a template.
    let has_parts = ["[", "{\"", "{'"].iter().any(|open| value.starts_with(open));
    let read = match has_parts {
        true => literal::read(value),
        false => strict::from_slice(value.as_bytes()),
    };
    let value = match read {
        Ok(value) => value,
        Err(error) if has_parts || error.is_data() => return Err(Error::invalid("set", format!("{name}: {error}"))),
        Err(_) => Value::String(value.to_owned()),
    };
    Ok((name.to_owned(), value))
}

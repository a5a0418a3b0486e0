//! Training, in the plugin's helper.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytemuck::cast_slice;
use lglp_lstm_network::Parameters;
use lglp_sdk::helper::{Helper, Session};
use lglp_sdk::plugin::{Fit, PluginError, native_folder};

use crate::fitted::Fitted;
use crate::wire::{Request, Told};

const HELPER: Helper = Helper("lglp-lstm");

/// What the helper is linked with.
const LIBRARY: &str = "libtorch_cpu.so";

/// For an epoch: it hangs on the data alone how long one may take, and whoever waits can cancel.
const LIMIT: Duration = Duration::from_secs(24 * 3600);

/// Trains a network. Everything random comes from one seeded generator, and one thread adds up in one order: the same seed
/// and data give the same weights.
pub(crate) fn train(parameters: Parameters, data: &Fit<'_>) -> Result<Fitted, PluginError> {
    let network = parameters.network()?;
    let (train, validation) = (&data.train, &data.validation);
    let input = train.inputs.shape;
    if train.inputs.rows == 0 {
        return Err(PluginError::Failed("there are no rows to train on".into()));
    }
    let rows = parameters.batch_size.min(train.inputs.rows);
    network.check_pass(rows.max(validation.inputs.rows), input.steps)?;
    let work = network.check_work(input);
    work.map_err(|error| PluginError::InvalidParameters(format!("{error}; lower hidden or layers")))?;
    let library = native_folder().join(LIBRARY);
    if !library.is_file() {
        let message = format!("{} is missing; run `make native`", library.display());
        return Err(PluginError::Unavailable(message));
    }
    let mut command = HELPER.command(&Request {
        parameters,
        train: train.inputs.rows,
        validation: validation.inputs.rows,
        steps: input.steps,
        width: input.width,
        seed: data.seed,
    })?;
    command
        .env("LD_LIBRARY_PATH", native_folder())
        .env("OMP_NUM_THREADS", "1");
    let rows = [train, validation].map(|part| [cast_slice(part.inputs.data), cast_slice(part.targets)]);
    let (mut session, mut told) = Session::start(command, &rows.as_flattened().concat(), LIMIT, "training")?;
    loop {
        match told {
            Told::Epoch(epoch) => (data.progress)(epoch.into())?,
            Told::Fitted(state) => return Fitted::trained(&STANDARD.decode(state).map_err(PluginError::failed)?),
        }
        told = session.ask("on", LIMIT, "training")?;
    }
}

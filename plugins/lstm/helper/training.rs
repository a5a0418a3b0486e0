//! Training by Adam on the mean squared error of scaled labels.

use lglp_lstm_network::{LabelScaling, Parameters};
use lglp_sdk::plugin::{Fit, Labelled, PluginError, Progress};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tch::nn::{OptimizerConfig, VarStore};
use tch::{Device, Tensor, nn};

use crate::model::{Model, tensor};
use crate::torch;

/// Inputs and scaled labels.
struct Part {
    inputs: Tensor,
    labels: Tensor,
    rows: usize,
}

impl Part {
    fn new(part: &Labelled<'_>, mean: f64, scale: f64) -> Result<Self, PluginError> {
        let labels: Vec<f32> = part.targets.iter().map(|l| ((l - mean) / scale) as f32).collect();
        Ok(Self {
            inputs: tensor(part.inputs.data, part.inputs.rows, part.inputs.shape)?,
            labels: Tensor::f_from_slice(&labels).map_err(torch)?,
            rows: part.inputs.rows,
        })
    }

    fn select(&self, rows: &[i64]) -> Result<(Tensor, Tensor), PluginError> {
        let rows = Tensor::f_from_slice(rows).map_err(torch)?;
        let inputs = self.inputs.f_index_select(0, &rows).map_err(torch)?;
        Ok((inputs, self.labels.f_index_select(0, &rows).map_err(torch)?))
    }

    /// Mean squared error in label units; `None` where there are no rows.
    fn mse(&self, model: &Model) -> Result<Option<f64>, PluginError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let _no_grad = tch::no_grad_guard();
        let labels = model.head(&model.features(&self.inputs, false)?)?;
        let mse = labels.f_mse_loss(&self.labels, tch::Reduction::Mean).map_err(torch)?;
        f64::try_from(&mse).map(Some).map_err(torch)
    }
}

/// Trains a network. Everything random comes from one seeded generator, and one thread adds up in one order: the same seed
/// and data give the same weights.
pub(crate) fn train(parameters: &Parameters, data: &Fit<'_>) -> Result<Model, PluginError> {
    let network = parameters.network()?;
    tch::set_num_threads(1);
    let mut rng = ChaCha8Rng::seed_from_u64(data.seed);
    let (mean, scale) = scaling(parameters.label_scaling, data.train.targets);
    let (train, validation) = (
        Part::new(&data.train, mean, scale)?,
        Part::new(&data.validation, mean, scale)?,
    );
    let mut model = Model::new(network, data.train.inputs.shape, mean, scale, &mut rng)?;
    let store = variables(&mut model)?;
    let mut adam = nn::Adam::default()
        .wd(parameters.weight_decay)
        .build(&store, parameters.learning_rate)
        .map_err(torch)?;
    let mut best: Option<(f64, Vec<Tensor>)> = None;
    let mut order: Vec<i64> = (0..train.rows as i64).collect();
    for epoch in 1..=parameters.epochs {
        order.shuffle(&mut rng);
        let mut sum = 0.0;
        for rows in order.chunks(parameters.batch_size) {
            let (inputs, labels) = train.select(rows)?;
            let predicted = model.head(&model.features(&inputs, true)?)?;
            let loss = predicted.f_mse_loss(&labels, tch::Reduction::Mean).map_err(torch)?;
            adam.backward_step(&loss);
            sum += f64::try_from(&loss).map_err(torch)? * rows.len() as f64;
        }
        let validation_mse = validation.mse(&model)?;
        if let Some(mse) = validation_mse.filter(|_| parameters.keep_best)
            && best.as_ref().is_none_or(|(least, _)| mse < *least)
        {
            best = Some((mse, copies(&model)?));
        }
        (data.progress)(Progress {
            done: epoch,
            total: parameters.epochs,
            train_mse: sum / train.rows as f64 * scale * scale,
            validation_mse: validation_mse.map_or(f64::NAN, |mse| mse * scale * scale),
        })?;
    }
    let weights = match best {
        Some((_, weights)) => weights,
        None => copies(&model)?,
    };
    for ((_, tensor), weight) in model.tensors.iter_mut().zip(weights) {
        *tensor = weight;
    }
    Ok(model)
}

fn scaling(scaling: LabelScaling, targets: &[f64]) -> (f64, f64) {
    let n = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / n;
    let deviation = (targets.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / n).sqrt();
    match scaling {
        LabelScaling::Standardize if deviation > 0.0 => (mean, deviation),
        LabelScaling::Standardize => (mean, 1.0),
        LabelScaling::None => (0.0, 1.0),
    }
}

/// Puts the model's weights under an optimiser's care.
fn variables(model: &mut Model) -> Result<VarStore, PluginError> {
    let store = VarStore::new(Device::Cpu);
    for (name, tensor) in &mut model.tensors {
        // A variable's name must not hold the separator of paths.
        *tensor = store
            .root()
            .f_var_copy(&name.replace('.', "-"), tensor)
            .map_err(torch)?;
    }
    Ok(store)
}

/// Copies of the weights, outside of the graph of gradients.
fn copies(model: &Model) -> Result<Vec<Tensor>, PluginError> {
    let copy = |(_, tensor): &(String, Tensor)| tensor.f_detach().map_err(torch).map(|t| t.copy());
    model.tensors.iter().map(copy).collect()
}

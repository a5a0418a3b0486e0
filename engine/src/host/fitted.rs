//! Feature extractors and regressors behind a safe handle.

use lglp_sdk::plugin::{Progress, Shape};

use super::calls::{Call, Dimensions, Offer};
use super::instance::Instance;
use super::{ComponentHandle, PluginError};

/// Encoded architectures or features, row-major `[rows, steps, width]`.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// `rows * steps * width` values.
    pub data: Vec<f32>,
    /// How many architectures there are, or parts of networks.
    pub rows: usize,
    /// The shape of one row.
    pub shape: Shape,
}

impl Matrix {
    /// Some of the rows.
    pub fn part(&self, rows: &[usize]) -> Self {
        let length = self.shape.len();
        let row = |row: &usize| &self.data[row * length..][..length];
        Self {
            data: rows.iter().flat_map(row).copied().collect(),
            rows: rows.len(),
            shape: self.shape,
        }
    }

    pub(super) fn dimensions(&self) -> Dimensions {
        Dimensions {
            rows: self.rows,
            steps: self.shape.steps,
            width: self.shape.width,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.data)
    }
}

/// Inputs and their targets, one per row.
#[derive(Clone, Copy)]
pub struct LabelledRows<'a> {
    /// What is known of each row: an encoded architecture, or features.
    pub inputs: &'a Matrix,
    /// What is to be predicted of each row, in the unit that is fitted to, such as milliseconds.
    pub targets: &'a [f64],
}

/// What a component is fitted on.
pub struct FitData<'a> {
    /// The rows to learn from.
    pub train: LabelledRows<'a>,
    /// Held out for early stopping; may have no rows.
    pub validation: LabelledRows<'a>,
    /// What every random choice of the fit follows from.
    pub seed: u64,
    /// Called about once per round; `false` cancels.
    pub progress: &'a mut dyn FnMut(Progress) -> bool,
}

/// A fitted feature extractor or regressor.
pub struct FittedInstance(Instance);

impl FittedInstance {
    /// Fits a component.
    pub fn fit(
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
        data: FitData<'_>,
    ) -> Result<Self, PluginError> {
        Self::fit_from(handle, parameters, data, &[])
    }

    /// Fits a component, beginning with what fits on other targets taught, where it offers that: their states, of its version.
    pub fn fit_from(
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
        data: FitData<'_>,
        priors: &[Vec<u8>],
    ) -> Result<Self, PluginError> {
        handle.check_parameters(parameters)?;
        Self::fit_unchecked(handle, parameters, data, priors)
    }

    /// The same, whatever the component's schema says of the parameters.
    pub(super) fn fit_unchecked(
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
        data: FitData<'_>,
        priors: &[Vec<u8>],
    ) -> Result<Self, PluginError> {
        let FitData {
            train,
            validation,
            seed,
            progress,
        } = data;
        for part in [train, validation] {
            assert_eq!(part.inputs.rows, part.targets.len(), "one target per row");
        }
        let parameters = parameters.to_string();
        let call = Call::Fit {
            seed,
            train: train.inputs.dimensions(),
            validation: validation.inputs.dimensions(),
        };
        let inputs: Vec<&[u8]> = vec![
            parameters.as_bytes(),
            train.inputs.bytes(),
            bytemuck::cast_slice(train.targets),
            validation.inputs.bytes(),
            bytemuck::cast_slice(validation.targets),
        ];
        if handle.offers(Offer::FitFrom) && !priors.is_empty() {
            let priors = priors.iter().map(Vec::as_slice);
            let inputs: Vec<&[u8]> = inputs.iter().copied().chain(priors).collect();
            let made = Instance::make(handle, call.clone(), &inputs, progress);
            if !matches!(made, Err(PluginError::NotOffered { .. })) {
                return made.map(Self);
            }
        }
        Instance::make(handle, call, &inputs, progress).map(Self)
    }

    /// Loads fitted state.
    pub fn load(handle: &ComponentHandle, state_version: u32, state: &[u8]) -> Result<Self, PluginError> {
        Instance::make(handle, Call::Load { state_version }, &[state], &mut |_| true).map(Self)
    }

    /// The name of the component.
    pub fn name(&self) -> &str {
        self.handle().name()
    }

    /// Whether it is called in a process of its plugin's own.
    pub fn runs_apart(&self) -> bool {
        self.0.runs_apart()
    }

    pub(super) fn handle(&self) -> &ComponentHandle {
        self.0.handle()
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.0
    }

    /// The fitted state, in the format of [`ComponentHandle::state_version`].
    pub fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.0.call(Call::Save, &[], &mut [])?.bytes)
    }

    /// Features of an extractor.
    pub fn extract(&self, inputs: &Matrix) -> Result<Matrix, PluginError> {
        let width = self.outputs()?;
        let values = inputs.rows.checked_mul(width).filter(|values| *values <= MOST_FEATURES);
        let values = values.ok_or_else(|| {
            self.handle()
                .failed(format!("it gives {width} features of each of {} rows", inputs.rows))
        })?;
        let mut data = vec![0f32; values];
        self.extract_into(&inputs.data, inputs.dimensions(), &mut data)?;
        let shape = Shape { steps: 1, width };
        Ok(Matrix {
            data,
            rows: inputs.rows,
            shape,
        })
    }

    /// Predictions of a regressor, in the unit of the targets that it was fitted to.
    pub fn predict(&self, inputs: &Matrix) -> Result<Vec<f64>, PluginError> {
        let mut targets = vec![0f64; inputs.rows];
        self.predict_into(&inputs.data, inputs.dimensions(), &mut targets)?;
        Ok(targets)
    }

    /// How many features an extractor gives.
    pub(super) fn outputs(&self) -> Result<usize, PluginError> {
        let told = self.0.call(Call::Outputs, &[], &mut [])?.number(0);
        Ok(usize::try_from(told).unwrap_or(usize::MAX))
    }

    /// As [`Self::extract`], into as many features as there are rows times [`Self::outputs`].
    pub(super) fn extract_into(&self, inputs: &[f32], of: Dimensions, out: &mut [f32]) -> Result<(), PluginError> {
        let (inputs, out) = (bytemuck::cast_slice(inputs), bytemuck::cast_slice_mut(out));
        self.0.call(Call::Extract { of }, &[inputs], &mut [out]).map(drop)
    }

    /// As [`Self::predict`], into one value for each row.
    pub(super) fn predict_into(&self, inputs: &[f32], of: Dimensions, out: &mut [f64]) -> Result<(), PluginError> {
        assert_eq!(of.rows, out.len(), "one value for each row");
        let (inputs, out) = (bytemuck::cast_slice(inputs), bytemuck::cast_slice_mut(out));
        self.0.call(Call::Predict { of }, &[inputs], &mut [out]).map(drop)
    }
}

/// Features of a batch at most: memory for them is taken before the plugin writes any.
const MOST_FEATURES: usize = 1 << 30;

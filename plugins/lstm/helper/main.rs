//! `lglp-lstm`, the helper of the plugin: trains a network by libtorch, in a process of its own, so that a server has libtorch in its
//! memory while it trains and no longer. Its argument is a request; see `wire.rs`.

mod model;
mod training;
#[path = "../src/wire.rs"]
mod wire;

use std::cell::RefCell;
use std::io::{Read, stdin};
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lglp_sdk::helper::{Answers, Refusal, questions};
use lglp_sdk::plugin::{Fit, Labelled, PluginError, Progress, Shape, Tensor};
use wire::{Epoch, Request, Told};

fn main() -> ExitCode {
    Answers::to(|request: Request, answers| {
        let input = Shape {
            steps: request.steps,
            width: request.width,
        };
        let (train, validation) = (
            Part::read(request.train, input)?,
            Part::read(request.validation, input)?,
        );
        let (asked, answers) = (questions::<String>(), RefCell::new(answers));
        let progress = |progress: Progress| {
            let told = answers.borrow_mut().give(Ok(Told::Epoch(Epoch::from(progress))));
            told.map_err(PluginError::failed)?;
            // Until the plugin, and with it whoever might cancel, has heard of it.
            asked.recv().map(drop).map_err(PluginError::failed)
        };
        let fit = Fit {
            train: train.labelled(input),
            validation: validation.labelled(input),
            seed: request.seed,
            progress: &progress,
        };
        let state = training::train(&request.parameters, &fit).and_then(|model| model.saved()?.write());
        let told = match state {
            Ok(state) => Ok(Told::Fitted(STANDARD.encode(state))),
            Err(error) => Err(Refusal::Failed(error.to_string())),
        };
        answers.into_inner().give(told)
    })
}

/// An error of libtorch as an error of the plugin.
fn torch(error: tch::TchError) -> PluginError {
    PluginError::failed(error)
}

/// Rows and their targets.
struct Part {
    inputs: Vec<f32>,
    targets: Vec<f64>,
}

impl Part {
    fn read(rows: usize, input: Shape) -> std::io::Result<Self> {
        let mut bytes = vec![0; rows * (input.len() * size_of::<f32>() + size_of::<f64>())];
        stdin().lock().read_exact(&mut bytes)?;
        let (inputs, targets) = bytes.split_at(rows * input.len() * size_of::<f32>());
        let (inputs, _) = inputs.as_chunks();
        let (targets, _) = targets.as_chunks();
        Ok(Self {
            inputs: inputs.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            targets: targets.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        })
    }

    fn labelled(&self, shape: Shape) -> Labelled<'_> {
        Labelled {
            inputs: Tensor {
                data: &self.inputs,
                rows: self.targets.len(),
                shape,
            },
            targets: &self.targets,
        }
    }
}

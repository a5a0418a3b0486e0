//! What a network scores: built in, or by a program of the user's own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use lglp_sdk::{Architecture, SearchSpace};

use crate::networks;

/// A score, the more the better.
pub enum Score {
    /// Multiply-accumulates, millions.
    Macs,
    /// Weights and biases, millions.
    Parameters,
    Program(Program),
}

/// A program that reads architectures, one canonical text a line, and prints a number for each.
pub struct Program {
    command: Vec<String>,
    child: Child,
    answers: BufReader<ChildStdout>,
}

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    #[error("cannot start {program}: {reason}")]
    Start { program: String, reason: std::io::Error },
    #[error("{program} ended, or closed its output, where a score was expected for {architecture}")]
    Ended { program: String, architecture: String },
    #[error("{program} printed {printed:?} for {architecture}; expected a finite number on a line of its own")]
    NoNumber {
        program: String,
        printed: String,
        architecture: String,
    },
}

/// Bytes of a line of a program that are quoted.
const QUOTED: usize = 200;

impl Score {
    /// Starts a program: its words, the first of which is its name.
    pub fn program(command: Vec<String>) -> Result<Self, ScoreError> {
        let failed = |reason| ScoreError::Start {
            program: command.first().cloned().unwrap_or_default(),
            reason,
        };
        let mut child = Command::new(command.first().map_or("", String::as_str))
            .args(command.get(1..).unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Ok(Self::Program(Program {
            command,
            child,
            answers,
        }))
    }

    /// The scores of architectures, in their order.
    pub fn of(&mut self, space: &SearchSpace, architectures: &[Architecture]) -> Result<Vec<f64>, ScoreError> {
        let costs = || {
            architectures
                .iter()
                .map(|architecture| networks::cost(space, architecture))
        };
        match self {
            Self::Macs => Ok(costs().map(|cost| cost.macs as f64 / 1e6).collect()),
            Self::Parameters => Ok(costs().map(|cost| cost.parameters as f64 / 1e6).collect()),
            Self::Program(program) => program.of(architectures
                .iter()
                .map(|architecture| space.canonical_text(architecture))
                .collect()),
        }
    }
}

impl Program {
    fn of(&mut self, texts: Vec<String>) -> Result<Vec<f64>, ScoreError> {
        let Self {
            command,
            child,
            answers,
        } = self;
        let program = &command[0];
        let input = child.stdin.as_mut().expect("it is piped");
        std::thread::scope(|scope| {
            // On a thread of its own: a program may answer before it has read everything.
            let lines = texts.join("\n") + "\n";
            scope.spawn(move || input.write_all(lines.as_bytes()).and_then(|()| input.flush()));
            let mut scores = Vec::with_capacity(texts.len());
            for architecture in &texts {
                let mut line = String::new();
                let ended = || ScoreError::Ended {
                    program: program.clone(),
                    architecture: architecture.clone(),
                };
                if answers.read_line(&mut line).map_err(|_| ended())? == 0 {
                    return Err(ended());
                }
                let number = line.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                scores.push(number.ok_or_else(|| ScoreError::NoNumber {
                    program: program.clone(),
                    printed: line.trim().chars().take(QUOTED).collect(),
                    architecture: architecture.clone(),
                })?);
            }
            Ok(scores)
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Its input has ended, for it may have something to write down; then it is not waited for any longer than that takes.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! What a network scores: built in, or by a program of the user's own.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use lglp_sdk::Architecture;

use crate::networks::Cost;
use crate::predictor::ServedModel;

/// A score, the more the better.
pub enum Score {
    /// Multiply-accumulates, millions.
    Macs,
    /// Weights and biases, millions.
    Parameters,
    /// What a program prints.
    Program(Program),
}

/// A program that reads architectures, one canonical text a line, and prints a number for each.
pub struct Program {
    name: String,
    child: Child,
    input: UnixStream,
    answers: BufReader<ChildStdout>,
}

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The program cannot be started.
    #[error("cannot start {program}: {reason}")]
    Start {
        /// The program's name.
        program: String,
        /// Why it cannot be started.
        reason: std::io::Error,
    },
    /// The program ended, or closed its output, before it had printed every score.
    #[error("{program} ended, or closed its output, where a score was expected for {architecture}")]
    Ended {
        /// The program's name.
        program: String,
        /// The canonical text of the first architecture without a score.
        architecture: String,
    },
    /// The program printed a line that is no finite number.
    #[error("{program} printed {printed:?} for {architecture}; expected a finite number on a line of its own")]
    NoNumber {
        /// The program's name.
        program: String,
        /// The beginning of the line, 200 characters at most.
        printed: String,
        /// The canonical text of the architecture.
        architecture: String,
    },
}

/// Characters of a line of a program that are quoted.
const QUOTED: usize = 200;

impl Score {
    /// Starts a program: its words, the first of which is its name.
    pub fn program(command: Vec<String>) -> Result<Self, ScoreError> {
        let mut words = command.into_iter();
        let name = words.next().unwrap_or_default();
        let failed = |reason| ScoreError::Start {
            program: name.clone(),
            reason,
        };
        // A socket and not a pipe: writing to a program that has ended is an error then, where a pipe would end this process by
        // SIGPIPE.
        let (input, theirs) = UnixStream::pair().map_err(failed)?;
        let mut child = Command::new(&name)
            .args(words)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Ok(Self::Program(Program {
            name,
            child,
            input,
            answers,
        }))
    }

    /// The scores of architectures of the model's space, in their order.
    pub fn of(&mut self, model: &ServedModel, architectures: &[Architecture]) -> Result<Vec<f64>, ScoreError> {
        let millions = |of: fn(Cost) -> u64| {
            let costs = model.costs(architectures).into_iter();
            Ok(costs.map(|cost| of(cost) as f64 / 1e6).collect())
        };
        match self {
            Self::Macs => millions(|cost| cost.macs),
            Self::Parameters => millions(|cost| cost.parameters),
            Self::Program(program) => program.of(architectures
                .iter()
                .map(|architecture| model.space.canonical_text(architecture))
                .collect()),
        }
    }
}

impl Program {
    fn of(&mut self, texts: Vec<String>) -> Result<Vec<f64>, ScoreError> {
        let lines = texts.join("\n") + "\n";
        let (input, child, answers, name) = (&mut self.input, &mut self.child, &mut self.answers, &self.name);
        std::thread::scope(|scope| {
            // On a thread of its own: a program may answer before it has read everything.
            scope.spawn(move || input.write_all(lines.as_bytes()).and_then(|()| input.flush()));
            let scores = texts
                .iter()
                .map(|architecture| score(answers, name, architecture))
                .collect();
            if Result::is_err(&scores) {
                // Else that thread waits for ever for one that reads no more.
                let _ = child.kill();
            }
            scores
        })
    }
}

/// The next line of a program's answers as a number.
fn score(answers: &mut impl BufRead, program: &str, architecture: &str) -> Result<f64, ScoreError> {
    let mut line = String::new();
    if answers.read_line(&mut line).unwrap_or(0) == 0 {
        return Err(ScoreError::Ended {
            program: program.to_owned(),
            architecture: architecture.to_owned(),
        });
    }
    let number = line.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| ScoreError::NoNumber {
        program: program.to_owned(),
        printed: line.trim().chars().take(QUOTED).collect(),
        architecture: architecture.to_owned(),
    })
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

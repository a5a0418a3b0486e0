//! Why a model cannot be read.

use lglp_sdk::Printable;

/// Why a model cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The bytes are no ONNX model.
    #[error("it is no ONNX model: {0}")]
    NotOnnx(String),
    /// It is larger than any network that is measured.
    #[error("it has {what}; at most {most} are read")]
    TooMuch {
        /// What there is too much of, in words.
        what: String,
        /// How many are read.
        most: u64,
    },
    /// An input has no fixed shape.
    #[error("the input `{input}` has the shape {shape}; fix it: `{input}={example}`")]
    OpenShape {
        /// The input.
        input: String,
        /// Its shape as the model tells it.
        shape: String,
        /// A shape that it could have.
        example: String,
    },
    /// A shape was given for what is no input, or does not fit it.
    #[error("the shape of `{input}`: {message}")]
    GivenShape {
        /// The name that was given.
        input: String,
        /// What is wrong with it.
        message: String,
    },
    /// It computes in another number format than what is measured.
    #[error("{place} is of {format}; networks are measured in float32: export it in float32")]
    Format {
        /// The value or the node, in words.
        place: String,
        /// The format.
        format: String,
    },
    /// A node is wrong, or cannot be read.
    #[error("node `{node}` ({op}): {message}")]
    Node {
        /// The node's name, or its number where it has none.
        node: String,
        /// Its operator.
        op: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing is computed from the input.
    #[error("it computes nothing from its inputs")]
    Empty,
}

/// Characters of a text at most, of those that a model tells: a file of megabytes could be all one name.
const MOST_TOLD: usize = 500;

impl OnnxError {
    /// The same, each text of a length that somebody reads, and in one line: names in a file may hold anything.
    pub(crate) fn shortened(mut self) -> Self {
        let texts = match &mut self {
            Self::NotOnnx(text) => vec![text],
            Self::TooMuch { what, .. } => vec![what],
            Self::OpenShape { input, shape, example } => vec![input, shape, example],
            Self::GivenShape { input, message } => vec![input, message],
            Self::Format { place, format } => vec![place, format],
            Self::Node { node, op, message } => vec![node, op, message],
            Self::Empty => Vec::new(),
        };
        for text in texts {
            if text.contains(char::is_control) {
                *text = Printable::of(&*text).to_string();
            }
            if let Some((end, _)) = text.char_indices().nth(MOST_TOLD) {
                text.truncate(end);
                text.push_str("...");
                text.shrink_to_fit();
            }
        }
        self
    }
}

//! What operators are called, in files and answers.

use super::abi::*;

/// Kinds of operators and their names.
pub const OPERATOR_NAMES: &[(u32, &str)] = &[
    (OPERATOR_CONVOLUTION, "convolution"),
    (OPERATOR_EXPAND, "expand"),
    (OPERATOR_DEPTHWISE, "depthwise"),
    (OPERATOR_PROJECT, "project"),
    (OPERATOR_SQUEEZE_EXCITE, "squeeze-excite"),
    (OPERATOR_ADD, "add"),
    (OPERATOR_POINTWISE, "pointwise"),
    (OPERATOR_POOL, "pool"),
    (OPERATOR_FULLY_CONNECTED, "fully-connected"),
    (OPERATOR_GROUPED, "grouped"),
    (OPERATOR_TRANSPOSED, "transposed"),
    (OPERATOR_MATRIX_PRODUCT, "matrix-product"),
    (OPERATOR_ELEMENT_WISE, "element-wise"),
    (OPERATOR_NORMALIZATION, "normalization"),
    (OPERATOR_LOCAL_RESPONSE, "local-response"),
    (OPERATOR_SOFTMAX, "softmax"),
    (OPERATOR_COPY, "copy"),
    (OPERATOR_RESIZE, "resize"),
    (OPERATOR_REDUCTION, "reduction"),
    (OPERATOR_RECURRENT, "recurrent"),
    (OPERATOR_REORDER, "reorder"),
    (OPERATOR_IM2COL, "im2col"),
    (OPERATOR_OTHER, "other"),
];

/// Activations and their names.
pub const ACTIVATION_NAMES: &[(u32, &str)] = &[
    (ACTIVATION_NONE, "none"),
    (ACTIVATION_RELU, "relu"),
    (ACTIVATION_HARD_SWISH, "hard-swish"),
    (ACTIVATION_CLIP, "clip"),
    (ACTIVATION_SIGMOID, "sigmoid"),
    (ACTIVATION_HARD_SIGMOID, "hard-sigmoid"),
    (ACTIVATION_TANH, "tanh"),
    (ACTIVATION_LEAKY_RELU, "leaky-relu"),
    (ACTIVATION_SWISH, "swish"),
    (ACTIVATION_GELU, "gelu"),
    (ACTIVATION_EXPONENTIAL, "exponential"),
];

/// The name of a code; `other` for one that is not known.
pub fn name_of(code: u32, names: &[(u32, &'static str)]) -> &'static str {
    let known = names.iter().find(|(known, _)| *known == code);
    known.map_or("other", |(_, name)| name)
}

/// The code of a name.
pub fn code_of(name: &str, names: &[(u32, &'static str)]) -> Option<u32> {
    names.iter().find(|(_, known)| *known == name).map(|(code, _)| *code)
}

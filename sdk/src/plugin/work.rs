//! How much work a fitted model may make of a row.
//!
//! A state comes from outside: whoever may store one could store one that is well-formed and enormous. The host computes 64
//! rows at a time, and while a thread is at that, others wait. So a plugin adds up, when it reads a state, what a row will
//! take, and refuses what is too much.

use super::PluginError;

/// Steps that a row may take at most. A step is about a nanosecond of a core of today, so that 64 rows take about a second.
///
/// | what | steps |
/// | --- | --- |
/// | a multiply-add with a number out of memory | 1 |
/// | 16 multiply-adds of a product of matrices, as libraries compute it | 1 |
/// | a node of a tree, which waits for memory | [`NODE`] |
/// | an exponential, with results that may be subnormal numbers | [`EXPONENTIAL`] |
pub const MOST_STEPS: u64 = 1 << 24;

/// Steps of a visit of a node of a tree.
pub const NODE: u64 = 8;

/// Steps of an exponential and of what is done with it: numbers below what a float holds at full precision take a processor
/// a hundred cycles each.
pub const EXPONENTIAL: u64 = 64;

/// Multiply-adds of a product of matrices that count as a step.
pub const MULTIPLY_ADDS: u64 = 16;

/// A row would take too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} make {steps} steps of work for a row; allowed: {MOST_STEPS}, which take about {} ms", MOST_STEPS / 1_000_000)]
pub struct TooMuch {
    what: String,
    steps: u64,
}

impl From<TooMuch> for PluginError {
    fn from(error: TooMuch) -> Self {
        Self::UnsupportedState(error.to_string())
    }
}

/// Refuses what makes too much work of a row; `what` says what it consists of, in the plural.
///
/// # Errors
/// [`TooMuch`], which names the size and the limit.
pub fn check(steps: u64, what: impl std::fmt::Display) -> Result<(), TooMuch> {
    if steps <= MOST_STEPS {
        return Ok(());
    }
    let what = what.to_string();
    Err(TooMuch { what, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_says_how_much_it_is_and_what_is_allowed() {
        assert_eq!(check(MOST_STEPS, "9 trees"), Ok(()));
        let refused = check(MOST_STEPS + 1, "9 trees").expect_err("one step too many");
        let expected = "9 trees make 16777217 steps of work for a row; allowed: 16777216, which take about 16 ms";
        assert_eq!(refused.to_string(), expected);
        assert_eq!(
            PluginError::from(refused),
            PluginError::UnsupportedState(expected.into())
        );
    }
}

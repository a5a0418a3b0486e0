//! What a runtime executes of a chain.

use lglp_onnx::{Executed, Network, Order, Origin, Rules};
use lglp_sdk::plugin::abi::{
    OPERATOR_ADD, OPERATOR_DEPTHWISE, OPERATOR_EXPAND, OPERATOR_FULLY_CONNECTED, OPERATOR_POOL, OPERATOR_PROJECT,
    OPERATOR_SQUEEZE_EXCITE, Operator,
};

/// What a runtime executes of operators of a chain, whose input lies in memory so.
pub(super) fn executed(operators: Vec<Operator>, input: Order, rules: Option<&Rules>) -> Executed {
    if rules.is_none() {
        // What they stem from is asked for by rules alone, and takes longer to tell than to count.
        return Executed {
            peculiar: vec![None; operators.len()],
            operators,
            gives: Order::Plain,
        };
    }
    let network = Network {
        batch: 1,
        origins: (0..operators.len()).map(|at| origin(&operators, at)).collect(),
        operators,
    };
    network.executed_behind(input, rules)
}

/// Each operator reads what the one before it gives, and a sum also what flows into its inverted residual.
fn origin(operators: &[Operator], at: usize) -> Origin {
    let kind = operators[at].kind;
    let before = at.checked_sub(1);
    let (op, reads) = match kind {
        OPERATOR_ADD => ("Add", vec![before, entry(operators, at)]),
        OPERATOR_POOL => ("GlobalAveragePool", vec![before]),
        OPERATOR_SQUEEZE_EXCITE => (lglp_onnx::SQUEEZE_EXCITE, vec![before]),
        OPERATOR_FULLY_CONNECTED => ("Gemm", vec![before]),
        _ => ("Conv", vec![before]),
    };
    Origin {
        op: op.to_owned(),
        node: String::new(),
        reads,
        has_bias: !matches!(kind, OPERATOR_ADD | OPERATOR_POOL),
        spelled_out: None,
        rank: if kind == OPERATOR_FULLY_CONNECTED { 2 } else { 4 },
        is_output: kind == OPERATOR_FULLY_CONNECTED,
        peculiar: None,
        is_plain: true,
    }
}

/// The operator before the inverted residual that a sum ends.
pub(super) fn entry(operators: &[Operator], sum: usize) -> Option<usize> {
    let kind = |at: usize| operators[at].kind;
    let mut at = sum.checked_sub(1).filter(|at| kind(*at) == OPERATOR_PROJECT)?;
    at = at.checked_sub(1)?;
    if kind(at) == OPERATOR_SQUEEZE_EXCITE {
        at = at.checked_sub(1)?;
    }
    if kind(at) != OPERATOR_DEPTHWISE {
        return None;
    }
    let before = at.checked_sub(1)?;
    if kind(before) == OPERATOR_EXPAND {
        before.checked_sub(1)
    } else {
        Some(before)
    }
}

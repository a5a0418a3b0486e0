//! What operators compute, read and write in the order that they work in.

use lglp_sdk::plugin::abi::*;

use crate::table::BYTES;

/// Channels, and the side, of what an operator gives.
pub(super) fn given_by(operator: &Operator) -> (u32, u32) {
    (operator.channels_out, operator.side_out)
}

/// Channels, and the side, of what an operator reads.
pub(super) fn read_by(operator: &Operator) -> (u32, u32) {
    (operator.channels_in, operator.side_in)
}

fn bytes((channels, side): (u32, u32)) -> u64 {
    let side = u64::from(side);
    let values = u64::from(channels).saturating_mul(side.saturating_mul(side));
    values.saturating_mul(BYTES)
}

/// What brings values into another order.
pub(super) fn reordered((channels, side): (u32, u32)) -> Operator {
    Operator {
        kind: OPERATOR_REORDER,
        channels_in: channels,
        channels_out: channels,
        side_in: side,
        side_out: side,
        launches: 1,
        activation_bytes: bytes((channels, side)).saturating_mul(2),
        ..Operator::default()
    }
}

/// Batch normalization as a convolution of each channel by itself.
pub(super) fn scale(normalization: &Operator) -> Operator {
    Operator {
        kind: OPERATOR_DEPTHWISE,
        kernel: 1,
        stride: 1,
        groups: normalization.channels_out,
        macs: bytes(given_by(normalization)) / BYTES,
        weight_bytes: 2 * BYTES * u64::from(normalization.channels_out),
        ..*normalization
    }
}

/// An operator that reads, gives, or does both in blocks of so many channels: the last block is computed as a whole, however many channels it has.
pub(super) fn padded(operator: &Operator, block: u32, reads: bool, gives: bool) -> Operator {
    let whole = |channels: u32, is_blocked: bool| match is_blocked {
        true => channels.checked_next_multiple_of(block).unwrap_or(channels),
        false => channels,
    };
    let mut padded = Operator {
        channels_in: whole(operator.channels_in, reads),
        channels_out: whole(operator.channels_out, gives),
        ..*operator
    };
    if operator.kind == OPERATOR_DEPTHWISE {
        padded.groups = padded.channels_out;
    }
    let values = |operator: &Operator| bytes(read_by(operator)).saturating_add(bytes(given_by(operator)));
    let products = |operator: &Operator| {
        let per_output = operator.channels_in / operator.groups.max(1);
        u64::from(per_output).saturating_mul(u64::from(operator.channels_out))
    };
    padded.activation_bytes = in_proportion(operator.activation_bytes, values(&padded), values(operator));
    padded.macs = in_proportion(operator.macs, products(&padded), products(operator));
    padded.weight_bytes = in_proportion(operator.weight_bytes, products(&padded), products(operator));
    padded
}

fn in_proportion(amount: u64, more: u64, than: u64) -> u64 {
    let amount = u128::from(amount) * u128::from(more) / u128::from(than.max(1));
    u64::try_from(amount).unwrap_or(u64::MAX)
}

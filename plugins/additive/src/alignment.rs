//! Channels that do not fill vectors. A runtime lays channels out in blocks of a vector's width: what does not fill them is computed for
//! nothing, or by a slower path without blocks. Networks of a search space have channels that fill them; others need not.

use lglp_sdk::plugin::abi::OPERATOR_GROUPED;

use crate::operator::Operator;

/// Widths that channels may be multiples of.
const WIDTHS: [u32; 3] = [4, 8, 16];

/// Indicators of a kind: whether channels out and in are no multiple of each width, and what padding those out to the largest adds.
pub(crate) const INDICATORS: usize = 2 * WIDTHS.len() + 1;

/// What padding adds at most, relative to the channels.
const MOST_ADDED: f64 = 3.0;

/// The indicators of an operator; channels are those of one group, where it keeps groups of several apart.
pub(crate) fn indicators(operator: &Operator) -> [f64; INDICATORS] {
    let shape = &operator.shape;
    let groups = match u32::from(shape.kind) {
        OPERATOR_GROUPED => shape.groups.max(1),
        _ => 1,
    };
    let (channels_out, channels_in) = (shape.channels_out / groups, shape.channels_in / groups);
    let mut indicators = [0.0; INDICATORS];
    for (pair, width) in indicators.chunks_exact_mut(2).zip(WIDTHS) {
        pair[0] = f64::from(u8::from(!channels_out.is_multiple_of(width)));
        pair[1] = f64::from(u8::from(!channels_in.is_multiple_of(width)));
    }
    let widest = WIDTHS[WIDTHS.len() - 1];
    let padded =
        (f64::from(channels_out) / f64::from(widest)).ceil() * f64::from(widest) / f64::from(channels_out.max(1));
    indicators[INDICATORS - 1] = (padded - 1.0).clamp(0.0, MOST_ADDED);
    indicators
}

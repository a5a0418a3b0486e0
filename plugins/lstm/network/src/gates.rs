//! What a cell computes, for as many hidden units at once as a register has lanes.
//!
//! Each number is added up by one lane, input by input, fused: the result does not depend on how many rows are computed at once, nor on
//! how wide the registers are.

use bytemuck::cast_slice;
use pulp::Simd;

use crate::panels::GATES;

/// The four gates of a panel, before their functions.
pub(crate) type Gates<S> = [<S as Simd>::f32s; GATES];

/// Adds the products of several rows of inputs with several panels of weights.
///
/// `panels`: of `[input][gate][lane]`. `rows`: an input each, of which there are as many as the panels have.
#[inline(always)]
pub(crate) fn add_products<S: Simd, const ROWS: usize, const PANELS: usize>(
    simd: S,
    panels: [&[f32]; PANELS],
    rows: [&[f32]; ROWS],
    sums: &mut [[Gates<S>; PANELS]; ROWS],
) {
    let inputs = rows[0].len();
    let mut weights: [&[S::f32s]; PANELS] = [&[]; PANELS];
    for panel in 0..PANELS {
        weights[panel] = &cast_slice(panels[panel])[..inputs * GATES];
    }
    let mut values = rows;
    for row in &mut values {
        *row = &row[..inputs];
    }
    let mut added = *sums;
    for input in 0..inputs {
        for row in 0..ROWS {
            let value = simd.splat_f32s(values[row][input]);
            for panel in 0..PANELS {
                let weights = &weights[panel][input * GATES..][..GATES];
                for gate in 0..GATES {
                    let sum = &mut added[row][panel][gate];
                    *sum = simd.mul_add_f32s(value, weights[gate], *sum);
                }
            }
        }
    }
    *sums = added;
}

/// The next state of cells, which takes the place of the former, and what they give out.
#[inline(always)]
pub(crate) fn step<S: Simd>(simd: S, [input, forget, cell, output]: Gates<S>, state: &mut S::f32s) -> S::f32s {
    let kept = simd.mul_f32s(sigmoid(simd, forget), *state);
    *state = simd.mul_add_f32s(sigmoid(simd, input), tanh(simd, cell), kept);
    simd.mul_f32s(sigmoid(simd, output), tanh(simd, *state))
}

/// `1 / (1 + exp(-x))`, as half of a hyperbolic tangent.
#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let half = simd.splat_f32s(0.5);
    simd.mul_add_f32s(half, tanh(simd, simd.mul_f32s(half, x)), half)
}

/// `e / (e + 2)` with `e = exp(2 x) - 1`, to some units of the last place. Without the detour around 1 small numbers keep their digits.
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// From here on the nearest float is 1.
    const MOST: f32 = 9.1;
    /// Adding it leaves the nearest whole number in the last bits.
    const ROUND: f32 = (3 << 22) as f32;
    /// Of exp's series at 0, the highest first: the next term is below the last place for half of ln 2.
    const SERIES: [f32; 6] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5];
    let constant = |value: f32| simd.splat_f32s(value);
    let x = simd.min_f32s(simd.max_f32s(x, constant(-MOST)), constant(MOST));
    let double = simd.add_f32s(x, x);
    // exp(2 x) = 2^whole * exp(rest).
    let shifted = simd.mul_add_f32s(double, constant(std::f32::consts::LOG2_E), constant(ROUND));
    let whole = simd.sub_f32s(shifted, constant(ROUND));
    let rest = simd.mul_add_f32s(whole, constant(-std::f32::consts::LN_2), double);
    let mut series = constant(SERIES[0]);
    for term in &SERIES[1..] {
        series = simd.mul_add_f32s(series, rest, constant(*term));
    }
    let less_one = simd.mul_add_f32s(simd.mul_f32s(series, rest), rest, rest);
    let bits = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power = simd.transmute_f32s_u32s(simd.add_u32s(bits, simd.splat_u32s(127 << 23)));
    let e = simd.mul_add_f32s(power, less_one, simd.sub_f32s(power, constant(1.0)));
    simd.div_f32s(e, simd.add_f32s(e, constant(2.0)))
}

//! Operators that slide a window over height and width.

use crate::call::Call;
use crate::fact::Shape;

/// A window and what it leaves.
pub(crate) struct Window {
    /// Sides of the kernel.
    pub kernel: Vec<u64>,
    /// Its way over the input.
    pub slide: Slide,
    /// Shape of what comes out.
    pub output: Shape,
}

/// What convolutions and pools say of their windows.
pub(crate) struct Slide {
    /// Steps between the places of the window.
    pub strides: Vec<u64>,
    pub dilations: Vec<u64>,
    /// At the begin and at the end of each dimension.
    pub pads: Vec<(u64, u64)>,
    /// `auto_pad`: `SAME_UPPER`, `SAME_LOWER`, `VALID`, or empty.
    same: bool,
    rounds_up: bool,
}

impl Window {
    /// Of an operator; `None` for one that has none.
    pub(crate) fn of(call: &Call<'_>) -> Result<Option<Self>, String> {
        match call.op() {
            "Conv" => Self::of_convolution(call).map(Some),
            "ConvTranspose" => Self::of_transposed(call).map(Some),
            "MaxPool" | "AveragePool" | "LpPool" => Self::of_pool(call).map(Some),
            _ => Ok(None),
        }
    }

    /// Of `Conv`.
    fn of_convolution(call: &Call<'_>) -> Result<Self, String> {
        let (input, weights) = (call.shape(0)?, call.shape(1)?);
        let rank = spatial(input)?;
        if weights.len() != input.len() {
            return Err(format!("weights of the shape {weights:?} over an input of {input:?}"));
        }
        let groups = groups(call)?;
        if Some(input[1]) != weights[1].checked_mul(groups) || !weights[0].is_multiple_of(groups) {
            return Err(format!(
                "{groups} groups of weights {weights:?} over {} channels",
                input[1]
            ));
        }
        let kernel = weights[2..].to_vec();
        let slide = Slide::of(call, rank)?;
        let mut output = vec![input[0], weights[0]];
        output.extend(slide.over(&input[2..], &kernel)?);
        Ok(Self { kernel, slide, output })
    }

    /// Of a pool.
    fn of_pool(call: &Call<'_>) -> Result<Self, String> {
        let input = call.shape(0)?;
        let rank = spatial(input)?;
        let kernel = positive(call.ints("kernel_shape"), rank, "kernel_shape")?.ok_or("its kernel_shape is missing")?;
        let slide = Slide::of(call, rank)?;
        let mut output = input[..2].to_vec();
        output.extend(slide.over(&input[2..], &kernel)?);
        Ok(Self { kernel, slide, output })
    }

    /// Of `ConvTranspose`.
    fn of_transposed(call: &Call<'_>) -> Result<Self, String> {
        let (input, weights) = (call.shape(0)?, call.shape(1)?);
        let rank = spatial(input)?;
        if weights.len() != input.len() || weights[0] != input[1] {
            return Err(format!("weights of the shape {weights:?} over an input of {input:?}"));
        }
        let kernel = weights[2..].to_vec();
        let slide = Slide::of(call, rank)?;
        let channels = weights[1].checked_mul(groups(call)?).ok_or("too many channels")?;
        let mut output = vec![input[0], channels];
        if let Some(given) = positive(call.ints("output_shape"), rank, "output_shape")? {
            output.extend(given);
            return Ok(Self { kernel, slide, output });
        }
        let more = call.ints("output_padding").unwrap_or_default();
        for at in 0..rank {
            let (side, stride, (begin, end)) = (input[2 + at], slide.strides[at], slide.pads[at]);
            let reach = reach(kernel[at], slide.dilations[at])?;
            let more = u64::try_from(more.get(at).copied().unwrap_or(0)).unwrap_or(0);
            let side = if slide.same {
                side.checked_mul(stride)
            } else {
                let whole = side.saturating_sub(1).checked_mul(stride);
                let whole = whole.and_then(|whole| whole.checked_add(reach)?.checked_add(more));
                whole.and_then(|whole| whole.checked_sub(begin + end))
            };
            output.push(side.ok_or("its pads are wider than what it leaves, or that is too large")?);
        }
        Ok(Self { kernel, slide, output })
    }
}

/// The shape that a pool over all of height and width leaves.
pub(crate) fn global(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    spatial(input)?;
    let mut output = vec![1; input.len()];
    output[..2].copy_from_slice(&input[..2]);
    Ok(output)
}

/// Whether an operator's values have their channels before their sides, however many sides there are.
pub(crate) fn has_channels_first(op: &str) -> bool {
    op.starts_with("Conv") || op.ends_with("Pool") || matches!(op, "BatchNormalization" | "InstanceNormalization")
}

/// The number of dimensions that a window slides over.
fn spatial(input: &[u64]) -> Result<usize, String> {
    match input.len().checked_sub(2) {
        Some(rank @ 1..=3) => Ok(rank),
        _ => Err(format!(
            "an input of the shape {input:?}, where batch, channels and sides are expected"
        )),
    }
}

/// Groups of channels that a convolution keeps apart.
pub(crate) fn groups(call: &Call<'_>) -> Result<u64, String> {
    match call.int("group", 1) {
        groups @ 1.. => Ok(groups as u64),
        groups => Err(format!("{groups} groups")),
    }
}

/// So many numbers above 0.
fn positive(values: Option<&[i64]>, rank: usize, what: &str) -> Result<Option<Vec<u64>>, String> {
    let Some(values) = values else { return Ok(None) };
    let known: Vec<u64> = values
        .iter()
        .filter(|value| (1..=1 << 24).contains(*value))
        .map(|value| *value as u64)
        .collect();
    if known.len() != rank || values.len() != rank {
        return Err(format!("{what} {values:?} over {rank} dimensions"));
    }
    Ok(Some(known))
}

/// The side that a kernel with gaps covers.
fn reach(kernel: u64, dilation: u64) -> Result<u64, String> {
    let gaps = dilation.checked_mul(kernel.saturating_sub(1));
    gaps.and_then(|gaps| gaps.checked_add(1))
        .filter(|reach| *reach < 1 << 32)
        .ok_or_else(|| "a kernel that is too large".into())
}

impl Slide {
    fn of(call: &Call<'_>, rank: usize) -> Result<Self, String> {
        let ones = || vec![1; rank];
        let pads = match call.ints("pads") {
            None => vec![(0, 0); rank],
            Some(pads) if pads.len() == 2 * rank && pads.iter().all(|pad| (0..1 << 24).contains(pad)) => {
                (0..rank).map(|at| (pads[at] as u64, pads[rank + at] as u64)).collect()
            }
            Some(pads) => return Err(format!("pads {pads:?} of {rank} dimensions")),
        };
        Ok(Self {
            strides: positive(call.ints("strides"), rank, "strides")?.unwrap_or_else(ones),
            dilations: positive(call.ints("dilations"), rank, "dilations")?.unwrap_or_else(ones),
            pads,
            same: call.text("auto_pad").starts_with("SAME"),
            rounds_up: call.int("ceil_mode", 0) != 0,
        })
    }

    /// The sides that are left of some sides.
    fn over(&self, sides: &[u64], kernel: &[u64]) -> Result<Vec<u64>, String> {
        let left = |at: usize| {
            let (side, stride, (begin, end)) = (sides[at], self.strides[at], self.pads[at]);
            if self.same {
                return Ok(side.div_ceil(stride));
            }
            let reach = reach(kernel[at], self.dilations[at])?;
            let padded = side.checked_add(begin + end).ok_or("too large")?;
            let steps = padded
                .checked_sub(reach)
                .ok_or_else(|| format!("a window of {reach} over a side of {padded}"))?;
            if !self.rounds_up {
                return Ok(steps / stride + 1);
            }
            let places = steps.div_ceil(stride) + 1;
            // A window must begin within the input or the pad before it.
            let begins_outside = (places - 1) * stride >= side + begin;
            Ok(if begins_outside { places - 1 } else { places })
        };
        (0..sides.len()).map(left).collect()
    }
}

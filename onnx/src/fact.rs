//! What is known of a value before anything runs.

/// Values of a constant that are kept: those that shapes are computed from are short.
pub(crate) const MOST_KEPT: usize = 1024;

/// Elements of a value at most, and multiply-accumulates of a node.
pub(crate) const MOST_ELEMENTS: u64 = 1 << 48;

/// Dimensions of a value at most.
pub(crate) const MOST_DIMENSIONS: usize = 16;

/// The sides of a value.
pub(crate) type Shape = Vec<u64>;

/// The number of elements of a shape.
///
/// # Errors
/// Where it has too many, or too many dimensions. A side of 0 excuses no other: whatever sides of a value are multiplied, nothing
/// overflows.
pub(crate) fn elements(shape: &[u64]) -> Result<u64, String> {
    if shape.len() > MOST_DIMENSIONS {
        return Err(format!(
            "a value of {} dimensions; at most {MOST_DIMENSIONS} are read",
            shape.len()
        ));
    }
    let product = shape
        .iter()
        .try_fold(1u64, |product, side| product.checked_mul((*side).max(1)));
    product
        .filter(|elements| *elements <= MOST_ELEMENTS)
        .map(|elements| if shape.contains(&0) { 0 } else { elements })
        .ok_or_else(|| format!("a value of the shape {shape:?} is too large"))
}

/// The values of a constant, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

impl Literal {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// As numbers, whatever they are.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Ints(values) => values.iter().map(|value| *value as f64).collect(),
            Self::Floats(values) => values.clone(),
        }
    }
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fact {
    pub shape: Shape,
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    /// It follows from the network's inputs.
    Computed,
    /// It is the same for all inputs; its values where they are few and known.
    Constant(Option<Literal>),
}

impl Fact {
    pub(crate) fn computed(shape: Shape) -> Self {
        Self {
            shape,
            origin: Origin::Computed,
        }
    }

    pub(crate) fn is_constant(&self) -> bool {
        matches!(self.origin, Origin::Constant(_))
    }

    /// Its values, where they are known.
    pub(crate) fn literal(&self) -> Option<&Literal> {
        match &self.origin {
            Origin::Constant(literal) => literal.as_ref(),
            Origin::Computed => None,
        }
    }

    /// Its one value, where it is a known constant of one.
    pub(crate) fn scalar(&self) -> Option<f64> {
        match self.literal()?.numbers()[..] {
            [value] => Some(value),
            _ => None,
        }
    }
}

//! Architectures: one point of a space, as a row of choice indices.

/// One point of a search space.
///
/// In memory it is a row of `u8`, each cell the 1-based index into what its [`Column`](crate::space::Column) may choose, 0 where there is
/// nothing to choose. Of a chain it is `[resolution, (kernel, expansion, stride, se, shortcut) per layer slot]`, with 0 where the layer
/// is absent. A value of this type has been checked against its space; it is only meaningful together with that space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Architecture {
    row: Box<[u8]>,
}

impl Architecture {
    /// A row that is yet to be checked.
    pub(crate) fn unchecked(row: &[u8]) -> Self {
        Self { row: row.into() }
    }

    /// The row of choice indices, [`SearchSpace::row_len`](crate::SearchSpace::row_len) bytes.
    pub fn row(&self) -> &[u8] {
        &self.row
    }
}

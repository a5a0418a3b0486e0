//! Networks as the numbers of their parts.

/// The parts of some networks, as their numbers.
pub struct Walks {
    /// Those of all networks, one network after another.
    pub(super) numbers: Vec<u32>,
    /// Where those of each network end.
    pub(super) ends: Vec<usize>,
}

impl Walks {
    /// How many networks there are.
    pub fn networks(&self) -> usize {
        self.ends.len()
    }

    /// The parts of one network after another.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut begin = 0;
        self.ends
            .iter()
            .map(move |end| &self.numbers[std::mem::replace(&mut begin, *end)..*end])
    }
}

//! Versions of TensorRT.

/// A version, as `trtexec` tells it first of all: `&&&& RUNNING TensorRT.trtexec [TensorRT v101401] [b48] # trtexec --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// From the output of `trtexec`. Thousands count the major version up to TensorRT 9 (8601), ten thousands since.
    pub(crate) fn of_banner(text: &str) -> Option<Self> {
        let line = text.lines().find(|line| line.starts_with("&&&& "))?;
        let (_, rest) = line.split_once("[TensorRT")?;
        let (_, rest) = rest.split_once(" v")?;
        let (number, _) = rest.split_once(']')?;
        let number: u32 = number.parse().ok()?;
        let ten_thousands = number >= 10_000;
        let unit = if ten_thousands { 10_000 } else { 1_000 };
        Some(Self {
            major: number / unit,
            minor: number % unit / 100,
            patch: number % 100,
        })
    }

    /// TensorRT-RTX counts from 1 anew.
    fn is_rtx(self) -> bool {
        self.major == 1
    }

    /// Whether precision is what the network says, and no flag.
    pub(crate) fn is_strongly_typed(self) -> bool {
        self.is_rtx() || self.major >= 11
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rtx = if self.is_rtx() { "RTX " } else { "" };
        write!(f, "{rtx}{}.{}.{}", self.major, self.minor, self.patch)
    }
}

//! The processor's clock, and whether heat slowed it down.

use std::path::{Path, PathBuf};

use super::Unavailable;

/// The processor of this machine.
pub(super) struct Cpu {
    /// One folder for each core.
    cores: PathBuf,
    cpuinfo: PathBuf,
}

/// How often cores and packages were slowed down by heat since the machine started; none where nobody counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slowdowns {
    cores: Option<u64>,
    packages: Option<u64>,
}

impl Cpu {
    pub(super) fn here() -> Self {
        Self {
            cores: "/sys/devices/system/cpu".into(),
            cpuinfo: "/proc/cpuinfo".into(),
        }
    }

    /// Megahertz, the mean over the cores.
    pub(super) fn mhz(&self) -> Option<f64> {
        let khz = self.of_cores("cpufreq/scaling_cur_freq");
        let mhz: Vec<f64> = match khz.is_empty() {
            false => khz.into_iter().map(|khz| khz as f64 / 1e3).collect(),
            true => clocks(&std::fs::read_to_string(&self.cpuinfo).unwrap_or_default()),
        };
        (!mhz.is_empty()).then(|| mhz.iter().sum::<f64>() / mhz.len() as f64)
    }

    pub(super) fn slowdowns(&self) -> Slowdowns {
        let sum = |file: &str| {
            let counts = self.of_cores(file);
            (!counts.is_empty()).then(|| counts.iter().sum())
        };
        Slowdowns {
            cores: sum("thermal_throttle/core_throttle_count"),
            packages: sum("thermal_throttle/package_throttle_count"),
        }
    }

    pub(super) fn summary(&self) -> Result<String, Unavailable> {
        let mhz = self
            .mhz()
            .ok_or_else(|| Unavailable("neither cpufreq nor /proc/cpuinfo tells the clock of the processor".into()))?;
        let slowdowns = match self.slowdowns() {
            Slowdowns {
                cores: None,
                packages: None,
            } => "slowdowns by heat are not counted",
            _ => "slowdowns by heat are counted",
        };
        Ok(format!("{mhz:.0} MHz in the mean; {slowdowns}"))
    }

    /// A number of each core that has the file.
    fn of_cores(&self, file: &str) -> Vec<u64> {
        let entries = std::fs::read_dir(&self.cores).into_iter().flatten();
        let cores = entries.filter_map(|entry| Some(entry.ok()?.path()).filter(|path| is_core(path)));
        let number = |core: PathBuf| std::fs::read_to_string(core.join(file)).ok()?.trim().parse().ok();
        cores.filter_map(number).collect()
    }
}

impl Slowdowns {
    /// What slowed the processor down since an earlier look, by name.
    pub(super) fn since(self, before: Self) -> impl Iterator<Item = String> {
        let more = |now: Option<u64>, before: Option<u64>| now > before && before.is_some();
        let cores = more(self.cores, before.cores).then_some("cpu-core-thermal");
        let packages = more(self.packages, before.packages).then_some("cpu-package-thermal");
        cores.into_iter().chain(packages).map(str::to_owned)
    }
}

/// `cpu0`, and not `cpufreq` or `cpuidle`.
fn is_core(path: &Path) -> bool {
    let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix("cpu"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// The clocks that `/proc/cpuinfo` tells, megahertz.
fn clocks(cpuinfo: &str) -> Vec<f64> {
    let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let clocks = lines.filter(|(name, _)| name.trim() == "cpu MHz");
    clocks.filter_map(|(_, mhz)| mhz.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, text: &str) {
        let file = folder.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    #[test]
    fn the_clock_is_that_of_cpufreq_or_else_of_cpuinfo() {
        let folder = tempfile::tempdir().unwrap();
        let cpu = Cpu {
            cores: folder.path().join("cpu"),
            cpuinfo: folder.path().join("cpuinfo"),
        };
        assert_eq!(cpu.mhz(), None);
        assert!(cpu.summary().is_err());
        write(
            folder.path(),
            "cpuinfo",
            "cpu MHz\t\t: 2000.500\ncache size: 3\ncpu MHz : 3000.5\n",
        );
        assert_eq!(cpu.mhz(), Some(2500.5));
        write(folder.path(), "cpu/cpu0/cpufreq/scaling_cur_freq", "1000000\n");
        write(folder.path(), "cpu/cpu1/cpufreq/scaling_cur_freq", "1400000\n");
        write(folder.path(), "cpu/cpufreq/scaling_cur_freq", "9\n");
        assert_eq!(cpu.mhz(), Some(1200.0));
    }

    #[test]
    fn heat_is_told_by_what_it_slowed_down() {
        let folder = tempfile::tempdir().unwrap();
        let cpu = Cpu {
            cores: folder.path().into(),
            cpuinfo: folder.path().join("cpuinfo"),
        };
        let unknown = cpu.slowdowns();
        write(folder.path(), "cpu0/thermal_throttle/core_throttle_count", "4\n");
        write(folder.path(), "cpu1/thermal_throttle/core_throttle_count", "4\n");
        let before = cpu.slowdowns();
        assert_eq!(
            before.since(unknown).count(),
            0,
            "what was not counted before says nothing"
        );
        assert_eq!(before.since(before).count(), 0);
        write(folder.path(), "cpu1/thermal_throttle/core_throttle_count", "5\n");
        let reasons: Vec<String> = cpu.slowdowns().since(before).collect();
        assert_eq!(reasons, ["cpu-core-thermal"]);
    }
}

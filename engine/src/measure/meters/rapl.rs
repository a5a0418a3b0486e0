//! RAPL: the energy counters of the processor's packages, as Linux shows them under `powercap`.

use std::path::{Path, PathBuf};

use super::Unavailable;

/// The counters are updated about every millisecond.
pub(super) const UPDATE_S: f64 = 0.001;

const FOLDER: &str = "/sys/class/powercap";

/// The packages of this machine. Their parts (cores, memory) are counted in them or beside them differently from one
/// generation of processors to the next, and are left out.
pub struct Rapl {
    packages: Vec<Package>,
}

struct Package {
    counter: PathBuf,
    /// The counter goes back to 0 beyond it, microjoules.
    range: u64,
}

impl Rapl {
    /// The counters of this machine, in `LGLP_POWERCAP` where a container has the host's elsewhere.
    pub(super) fn here() -> Result<Self, Unavailable> {
        Self::open(std::env::var_os("LGLP_POWERCAP").map_or_else(|| FOLDER.into(), PathBuf::from))
    }

    fn open(folder: PathBuf) -> Result<Self, Unavailable> {
        let shown = folder.display();
        let zones = std::fs::read_dir(&folder).map_err(|e| Unavailable(format!("{shown}: {e}")))?;
        let mut zones: Vec<PathBuf> = zones.filter_map(|zone| Some(zone.ok()?.path())).collect();
        zones.retain(|zone| is_package(zone));
        zones.sort();
        let packages: Vec<Package> = zones.iter().map(|zone| Package::open(zone)).collect::<Result<_, _>>()?;
        if packages.is_empty() {
            return Err(Unavailable(format!(
                "{shown} has no package of intel-rapl: the processor counts no energy, or a virtual machine hides it"
            )));
        }
        Ok(Self { packages })
    }

    pub(super) fn summary(&self) -> String {
        format!("energy counters of {} processor package(s)", self.packages.len())
    }

    /// Microjoules of each package.
    pub(super) fn read(&self) -> Option<Vec<u64>> {
        self.packages.iter().map(|p| number(&p.counter).ok()).collect()
    }

    /// Sum over the packages. A counter that is less than before has begun anew, once.
    pub(super) fn joules(&self, from: &[u64], to: &[u64]) -> f64 {
        let spent = |((from, to), package): ((&u64, &u64), &Package)| match to.checked_sub(*from) {
            Some(spent) => spent,
            None => (package.range + to).saturating_sub(*from),
        };
        let packages = from.iter().zip(to).zip(&self.packages);
        packages.map(spent).sum::<u64>() as f64 / 1e6
    }
}

/// `intel-rapl:0` named `package-0` is one; `intel-rapl:0:0`, a part of it, is none, nor is a zone named `psys`.
fn is_package(zone: &Path) -> bool {
    let number = zone
        .file_name()
        .and_then(|name| name.to_str()?.strip_prefix("intel-rapl:"));
    let name = || std::fs::read_to_string(zone.join("name")).unwrap_or_default();
    number.is_some_and(|number| !number.contains(':')) && name().starts_with("package")
}

impl Package {
    fn open(zone: &Path) -> Result<Self, Unavailable> {
        let counter = zone.join("energy_uj");
        number(&counter).map_err(|error| {
            let help = match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "; Linux lets only root read it: run as root, or let a group read it (docs/energy.md)"
                }
                _ => "",
            };
            Unavailable(format!("{}: {error}{help}", counter.display()))
        })?;
        let range = zone.join("max_energy_range_uj");
        Ok(Self {
            range: number(&range).map_err(|e| Unavailable(format!("{}: {e}", range.display())))?,
            counter,
        })
    }
}

fn number(path: &Path) -> std::io::Result<u64> {
    let text = std::fs::read_to_string(path)?;
    let invalid = |e| std::io::Error::new(std::io::ErrorKind::InvalidData, e);
    text.trim().parse().map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the files of a zone.
    fn zone(folder: &Path, zone: &str, name: &str, counter: u64) {
        let zone = folder.join(zone);
        std::fs::create_dir_all(&zone).unwrap();
        std::fs::write(zone.join("name"), format!("{name}\n")).unwrap();
        std::fs::write(zone.join("energy_uj"), format!("{counter}\n")).unwrap();
        std::fs::write(zone.join("max_energy_range_uj"), "1000000\n").unwrap();
    }

    #[test]
    fn packages_are_summed_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        zone(folder.path(), "intel-rapl:0", "package-0", 100);
        zone(folder.path(), "intel-rapl:0:0", "core", 7);
        zone(folder.path(), "intel-rapl:1", "package-1", 200);
        zone(folder.path(), "intel-rapl:2", "psys", 7);
        zone(folder.path(), "intel-rapl-mmio:0", "package-0", 7);
        let rapl = Rapl::open(folder.path().into()).unwrap();
        let before = rapl.read().unwrap();
        assert_eq!(before, [100, 200]);
        zone(folder.path(), "intel-rapl:0", "package-0", 500_100);
        zone(folder.path(), "intel-rapl:1", "package-1", 250_200);
        assert_eq!(rapl.joules(&before, &rapl.read().unwrap()), 0.75);
    }

    #[test]
    fn a_counter_that_begins_anew_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        zone(folder.path(), "intel-rapl:0", "package-0", 900_000);
        let rapl = Rapl::open(folder.path().into()).unwrap();
        assert_eq!(rapl.joules(&[900_000], &[150_000]), 0.25);
    }

    #[test]
    fn what_is_missing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let reason = |folder: &Path| Rapl::open(folder.into()).err().unwrap().to_string();
        assert!(reason(folder.path()).contains("no package of intel-rapl"));
        assert!(reason(&folder.path().join("nowhere")).contains("nowhere: No such file"));
        zone(folder.path(), "intel-rapl:0", "package-0", 1);
        std::fs::write(folder.path().join("intel-rapl:0/energy_uj"), "much").unwrap();
        assert!(reason(folder.path()).contains("energy_uj: invalid digit"));
    }
}

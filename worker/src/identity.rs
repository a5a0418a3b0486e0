//! Who a worker is: its name, this process of it, and where it keeps what it must not lose.

use std::path::PathBuf;

use rand::Rng;

/// Longest name.
const LONGEST: usize = 63;

/// The name of this machine, as a worker may be called.
pub(crate) fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    valid(&host)
}

/// A name made from any text: of a host's full name its first part, in small letters.
fn valid(host: &str) -> String {
    let first = host.trim().split('.').next().unwrap_or_default().to_lowercase();
    let name: String = first
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect();
    let name = name.trim_start_matches(['-', '_']);
    let name: String = name.chars().take(LONGEST).collect();
    if name.is_empty() { "worker".into() } else { name }
}

/// Random: no two processes have the same.
pub(crate) fn instance() -> String {
    let mut bytes = [0u8; 16];
    rand::rng().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a worker of this name keeps its measurements by default; none where this user has no home.
pub(crate) fn default_state(worker: &str) -> Option<PathBuf> {
    let folder = |variable: &str| std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("lglp").join(format!("worker-{worker}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_name_becomes_a_valid_name() {
        for (host, name) in [
            ("gpu-box\n", "gpu-box"),
            ("GPU_Box.example.org", "gpu_box"),
            ("-edge", "edge"),
            ("Jörg's Rechner", "j-rg-s-rechner"),
            ("...", "worker"),
            ("", "worker"),
        ] {
            assert_eq!(valid(host), name, "{host:?}");
        }
        assert_eq!(valid(&"a".repeat(200)).len(), LONGEST);
    }

    #[test]
    fn instances_differ() {
        assert_ne!(instance(), instance());
        assert_eq!(instance().len(), 32);
    }
}

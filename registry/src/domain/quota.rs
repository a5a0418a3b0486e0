//! How much of what stays for good one author may create.

use crate::Role;

/// What one author may create in all. Hardware targets and workers are never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Hardware targets.
    pub targets: usize,
    /// Names of workers.
    pub workers: usize,
}

impl Quota {
    /// No limit.
    pub const NONE: Self = Self {
        targets: usize::MAX,
        workers: usize::MAX,
    };

    /// What a token of a role may create.
    pub fn of(role: Role) -> Self {
        let all = |most| Self {
            targets: most,
            workers: most,
        };
        match role {
            Role::Viewer => all(0),
            Role::Worker => all(16),
            Role::Operator => all(256),
            Role::Admin => Self::NONE,
        }
    }
}

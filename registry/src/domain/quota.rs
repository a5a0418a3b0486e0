//! How much of what stays until an admin deletes it one author may create.

use crate::Role;

/// What one author may have created of what is there. Workers are never deleted, and hardware targets by admins alone.
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

//! What commands ask that take back for good what was recorded.

use lglp_registry::Intervention;

use lglp_terminal::actor;

/// Why something is deleted or renamed.
#[derive(clap::Args)]
pub(crate) struct Why {
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Also where a version is in production, or a worker has not signed off.
    #[arg(long)]
    force: bool,
}

impl Why {
    pub(crate) fn intervention(&self) -> Intervention {
        Intervention {
            actor: actor(),
            reason: self.reason.clone(),
            force: self.force,
        }
    }
}

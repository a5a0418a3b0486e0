//! `lglp plugin install`.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context as _, bail, ensure};
use lglp_engine::host;
use lglp_registry::Digest;
use lglp_sdk::Printable;

use super::check;
use crate::Context;

/// Put a plugin into the plugin folder, whole or not at all, if it keeps to the contract
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    check: check::Args,
    /// Do not check it before: it has been.
    #[arg(long)]
    unchecked: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let file = &args.check.file;
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ensure!(
        (name.ends_with(".so") || name.ends_with(".py")) && !name.starts_with('.'),
        "{}: the plugin folder has files that end in .so, and Python programs that end in .py",
        file.display()
    );
    let bytes = host::read(file)?;
    if !args.unchecked {
        let report = args.check.report(context)?;
        ensure!(
            report.sha256 == Digest::of(&bytes).to_string(),
            "{} was written to while it was checked; install it once it is there as a whole",
            file.display()
        );
        if !report.passed() {
            check::print(&report);
            bail!(
                "{} does not keep to the contract of plugins, and is not installed",
                file.display()
            );
        }
        if let Some((component, reason)) = report.unchecked().first() {
            bail!(
                "`{component}` could not be checked, and is not installed: {}; give what it needs, or --unchecked",
                Printable::of(reason)
            );
        }
    }
    let folder = context.plugins_folder()?;
    ensure!(folder.is_dir(), "there is no plugin folder {}", folder.display());
    let target = folder.join(name);
    let failed = || format!("cannot write {}", target.display());
    // Beside it, so that whoever looks finds the former file or this one.
    let mut written = tempfile::NamedTempFile::new_in(&folder).with_context(failed)?;
    std::io::Write::write_all(&mut written, &bytes).with_context(failed)?;
    written
        .as_file()
        .set_permissions(Permissions::from_mode(0o755))
        .with_context(failed)?;
    written.as_file().sync_all().with_context(failed)?;
    written.persist(&target).with_context(failed)?;
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .with_context(failed)?;
    let plugins = context.plugins()?;
    let info = plugins.infos().into_iter().find(|info| info.file == name);
    match info.and_then(|info| info.unavailable) {
        Some(reason) => println!("{} is there, and cannot be used: {reason}", target.display()),
        None => println!(
            "{} is there; a running server takes it up by `lglp plugin rescan{}`, or at its next start",
            target.display(),
            if args.unchecked { " --unchecked" } else { "" }
        ),
    }
    Ok(())
}

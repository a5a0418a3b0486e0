//! `lglp plugins`.

use super::Context;
use super::table::{print_json, short, table};

/// List plugins and their components, and why a plugin is unavailable
#[derive(clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _: &Args) -> anyhow::Result<()> {
    let host = context.plugins()?;
    if context.json() {
        return print_json(&serde_json::json!({ "plugins": host.infos() }));
    }
    let mut rows = table(&["plugin", "kind", "name", "what it is", "revision"]);
    for plugin in host.infos() {
        match (&plugin.description, &plugin.unavailable) {
            (Some(description), _) => {
                for component in &description.components {
                    rows.add_row([
                        description.name.clone(),
                        component.kind.to_string(),
                        component.name.clone(),
                        component.summary.clone(),
                        short(&plugin.sha256).to_owned(),
                    ]);
                }
            }
            (None, reason) => {
                let reason = reason.clone().unwrap_or_default();
                let revision = short(&plugin.sha256).to_owned();
                rows.add_row([
                    plugin.file.clone(),
                    "unavailable".into(),
                    String::new(),
                    reason,
                    revision,
                ]);
            }
        }
    }
    println!("{rows}");
    Ok(())
}

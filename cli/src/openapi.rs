//! `lglp openapi`.

use lglp_terminal::print_json;

/// Print the OpenAPI document of the REST API
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> anyhow::Result<()> {
    print_json(&lglp_server::api::document())
}

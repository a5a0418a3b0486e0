//! `lglp openapi`.

use super::table::print_json;

/// Print the OpenAPI document of the REST API
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> anyhow::Result<()> {
    print_json(&crate::api::document())
}

//! Tables and JSON for people and programs.

use comfy_table::{Cell, ContentArrangement, Table};

/// A table with the given column heads, as wide as the terminal.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::TableStyle::new());
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heads.iter().map(|h| Cell::new(h.to_uppercase())));
    table
}

/// Prints indented JSON.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// The first characters of a digest, enough to tell versions apart.
pub fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

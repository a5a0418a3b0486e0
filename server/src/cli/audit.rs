//! `lglp audit`.

use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use lglp_registry::{AuditEntry, AuditFrom, AuditHead, AuditQuery, HardwareName};
use serde_json::Value;

use super::Context;
use super::table::{print_json, short, table};

/// Show who changed what, when and why; check that nobody changed that since
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        lglp audit --hardware xeon-1t --limit 20\n  \
        lglp audit --from 1 --limit 100 --json                # with the records before and after\n  \
        lglp audit head > /mnt/elsewhere/lglp-audit-head      # keep where who can edit the registry cannot\n  \
        lglp audit verify --head /mnt/elsewhere/lglp-audit-head"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(clap::Args)]
struct List {
    /// Begin with this entry; without it, the newest are shown.
    #[arg(long, value_name = "N")]
    from: Option<u64>,
    /// Entries at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Only entries about this hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
}

#[derive(Subcommand)]
enum Action {
    /// Check the hash chain, and that the records are what it tells; names the first entry at fault and how
    Verify {
        /// The end that the log had once, as `lglp audit head` printed it, or a file with it: tells of a log that was cut
        /// short or written anew as a whole, which holds by itself.
        #[arg(long, value_name = "FILE|N:HASH")]
        head: Option<String>,
    },
    /// Print the end of the log, N:HASH, to keep elsewhere
    Head,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        None => list(context, &args.list),
        Some(Action::Verify { head }) => verify(context, head.as_deref()),
        Some(Action::Head) => {
            let head = context.registry("audit")?.store.verify_audit()?;
            if context.json() {
                return print_json(&head);
            }
            println!("{head}");
            Ok(())
        }
    }
}

fn list(context: &Context, list: &List) -> anyhow::Result<()> {
    let query = AuditQuery {
        from: list.from.map_or(AuditFrom::Before(u64::MAX), AuditFrom::Sequence),
        limit: list.limit,
        hardware: list.hardware.clone(),
    };
    let entries = context.registry("audit")?.store.find_audit(&query)?;
    if context.json() {
        return print_json(&entries);
    }
    let mut rows = table(&["entry", "when", "who", "hardware", "what", "why"]);
    for entry in &entries {
        let hardware = entry.change.hardware().map(ToString::to_string);
        rows.add_row([
            entry.sequence.to_string(),
            entry.at.get(..19).unwrap_or(&entry.at).replace('T', " "),
            entry.actor.clone(),
            hardware.unwrap_or_default(),
            what(entry)?,
            entry.reason.clone().unwrap_or_default(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// What an entry tells, in one line: its kind, and the fields of that without the hardware target.
fn what(entry: &AuditEntry) -> anyhow::Result<String> {
    let change = serde_json::to_value(&entry.change)?;
    let fields = change.as_object().context("a change is an object")?;
    let kind = fields["kind"].as_str().unwrap_or_default().replace('_', " ");
    let fields = fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "kind" | "hardware"));
    let said: Vec<String> = fields
        .filter_map(|(name, value)| Some(format!("{name} {}", brief(value)?)))
        .collect();
    Ok(if said.is_empty() {
        kind
    } else {
        format!("{kind}: {}", said.join(", "))
    })
}

fn brief(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) if text.starts_with("sha256:") => short(text).to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_number) => {
            let numbers: Vec<String> = items.iter().map(ToString::to_string).collect();
            numbers.join(" ")
        }
        Value::Array(items) => format!("({})", items.len()),
        Value::Object(fields) => fields.get("digest").and_then(brief).unwrap_or_else(|| "...".into()),
        scalar => scalar.to_string(),
    })
}

fn verify(context: &Context, kept: Option<&str>) -> anyhow::Result<()> {
    let kept = kept.map(read_head).transpose()?;
    let store = context.registry("audit")?.store;
    let head = store.verify_audit()?;
    if let Some(kept) = &kept {
        let entry = store.audit(kept.entries, 1)?.pop();
        head.continues(kept, entry.as_ref())?;
    }
    if context.json() {
        return print_json(&head);
    }
    println!(
        "{} entries, each follows the one before, and the records are what they tell",
        head.entries
    );
    match &kept {
        Some(kept) => println!("the log goes on from the head that was kept, {kept}"),
        None => println!("its head is {head}"),
    }
    Ok(())
}

/// A head as it was printed, or in a file.
fn read_head(text: &str) -> anyhow::Result<AuditHead> {
    if Path::new(text).is_file() {
        let content = std::fs::read_to_string(text).with_context(|| text.to_owned())?;
        return content.parse().with_context(|| text.to_owned());
    }
    text.parse()
        .context("--head takes N:HASH as `lglp audit head` prints it, or a file with it")
}

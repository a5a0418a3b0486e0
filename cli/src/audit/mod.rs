//! `lglp audit`.

mod runs;

use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use lglp_registry::{AuditFilter, AuditFrom, AuditHead, AuditQuery, Change, HardwareName};
use lglp_sdk::count;
use lglp_terminal::{print_json, short, table, time_given, when, whole};
use serde_json::Value;

use self::runs::{Run, read};
use super::Context;

/// Show who changed what, when and why; check that nobody changed that since
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        lglp audit --hardware xeon-1t --limit 20\n  \
        lglp audit --kind alias_moved --since 2026-05-01      # promotions and rollbacks since then\n  \
        lglp audit --from 1 --limit 100 --json                # with the records before and after\n  \
        lglp audit head > /mnt/elsewhere/lglp-audit-head      # keep where who can edit the registry cannot\n  \
        lglp audit verify --head /mnt/elsewhere/lglp-audit-head"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(clap::Args)]
struct List {
    /// Begin with this entry; without it, the newest are shown.
    #[arg(long, value_name = "N", value_parser = whole::<u64>())]
    from: Option<u64>,
    /// Rows at most. Measurements that were recorded one after the other are one row; with --json every entry is by itself.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole::<usize>())]
    limit: usize,
    /// Only entries about this hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
    /// Only entries of this kind, e.g. alias_moved or version_created.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<String>,
    /// Only what this person or program did.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only entries of this time or later: 2026-05-01, '2026-05-01 14:05', or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = time_given)]
    since: Option<String>,
    /// Only entries before this time.
    #[arg(long, value_name = "TIME", value_parser = time_given)]
    until: Option<String>,
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

/// One of the kinds of change.
fn kind(text: &str) -> Result<String, String> {
    let known = Change::kinds();
    match known.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("expected one of {}", known.join(", "))),
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
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
        filter: AuditFilter {
            hardware: list.hardware.clone(),
            kind: list.kind.clone(),
            actor: list.actor.clone(),
            since: list.since.clone(),
            until: list.until.clone(),
        },
    };
    let store = context.registry("audit")?.store;
    if context.json() {
        return print_json(&store.find_audit(&query)?);
    }
    let mut rows = table(&["entry", "when", "who", "hardware", "what", "why"]);
    for run in read(&*store, query)? {
        let entry = &run.first;
        let (number, at) = (entry.sequence.to_string(), when(&entry.at));
        let (number, at) = match run.last.as_ref().map(|(last, until)| (last, when(until))) {
            Some((last, until)) if until == at => (format!("{number}-{last}"), at),
            Some((last, until)) => (format!("{number}-{last}"), format!("{at} to {until}")),
            None => (number, at),
        };
        let hardware = entry.change.hardware().map(ToString::to_string);
        rows.add_row([
            number,
            at,
            entry.actor.clone(),
            hardware.unwrap_or_default(),
            what(&run)?,
            entry.reason.clone().unwrap_or_default(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// What a row tells: how much was measured, or the kind of change and its fields without the hardware target.
fn what(run: &Run) -> anyhow::Result<String> {
    let change = serde_json::to_value(&run.first.change)?;
    let fields = change.as_object().context("a change is an object")?;
    let kind = fields["kind"].as_str().unwrap_or_default().replace('_', " ");
    if let Some(measured) = &run.measured {
        let replicates: Vec<String> = measured.replicates.iter().map(ToString::to_string).collect();
        return Ok(format!(
            "{kind}: {} of {}, replicate {}",
            count(measured.count, "measurement"),
            fields["space"].as_str().unwrap_or_default(),
            replicates.join(" ")
        ));
    }
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
        "{}, each follows the one before, and the records are what they tell",
        count(head.entries, "entry")
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
        let content = lglp_engine::text::read(Path::new(text)).with_context(|| text.to_owned())?;
        return content.parse().with_context(|| text.to_owned());
    }
    text.parse()
        .context("--head takes N:HASH as `lglp audit head` prints it, or a file with it")
}

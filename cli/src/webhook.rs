//! `lglp webhook`.

use clap::Subcommand;
use lglp_client::Method;
use lglp_openapi::webhooks::Pinged;
use lglp_registry::{HardwareName, NewWebhook, PROMOTION, Registry, WebhookId};
use lglp_server::webhooks::{Allowed, Targets, delivery_statuses};
use lglp_terminal::{actor, print_json, table, when};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Context;

/// Have promotions and other events posted to a URL, signed and retried
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp webhook create --id ci --url http://127.0.0.1:9000/hook\n  \
    lglp webhook create --id cd --url http://localhost:9000/ --events promotion,version_created --hardware xeon-1t\n  \
    lglp webhook ping ci\n  \
    lglp webhook list\n  \
    lglp webhook delete ci\n\n\
    A running server delivers; what happened meanwhile is delivered when one starts. docs/webhooks.md shows how to verify a\n\
    signature, and when deliveries are tried again.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a webhook; its secret is shown this once
    Create(Create),
    /// List webhooks and how their deliveries go
    List,
    /// Delete a webhook
    Delete { id: WebhookId },
    /// Have the server send a test delivery now
    Ping { id: WebhookId },
}

#[derive(clap::Args)]
struct Create {
    /// Name of the webhook.
    #[arg(long, value_name = "NAME")]
    id: WebhookId,
    /// Where to post events: on this machine, or on a host that the server allows.
    #[arg(long)]
    url: String,
    /// `promotion` for moves of `production`, or kinds of events.
    #[arg(long, value_delimiter = ',', default_value = PROMOTION, value_name = "EVENT,...")]
    events: Vec<String>,
    /// Hardware targets whose events to send [default: all].
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    hardware: Vec<HardwareName>,
    #[command(flatten)]
    allow: Allow,
}

/// Which targets are allowed.
#[derive(clap::Args)]
pub(crate) struct Allow {
    /// Let webhooks post to this host, too, which is not this machine; may be given several times. A running server goes by
    /// what it was started with.
    #[arg(long, env = "LGLP_WEBHOOK_ALLOW", value_delimiter = ',', value_name = "HOST[:PORT]")]
    webhook_allow: Vec<Allowed>,
}

impl Allow {
    pub(crate) fn targets(&self) -> Targets {
        Targets::new(self.webhook_allow.clone())
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("webhook")?;
    let store: &dyn Registry = &*registry.store;
    match &args.action {
        Action::Create(create) => {
            // A server checks by its own list.
            let url = match registry.server() {
                Some(_) => create.url.clone(),
                None => create.allow.targets().accept(&create.url)?,
            };
            let new = NewWebhook {
                id: create.id.clone(),
                url,
                events: create.events.iter().cloned().collect(),
                hardware: create.hardware.iter().cloned().collect(),
            };
            let created = store.create_webhook(&new, &actor(), None)?;
            if context.json() {
                return print_json(&created);
            }
            let events: Vec<&str> = created.webhook.events.iter().map(String::as_str).collect();
            println!("{} will be posted to {}", events.join(", "), created.webhook.url);
            println!("secret: {}", created.secret);
            println!("Keep it: it is not shown again.");
            Ok(())
        }
        Action::List => list(context, store),
        Action::Delete { id } => {
            store.delete_webhook(id, &actor())?;
            if context.json() {
                return print_json(&json!({ "deleted": id }));
            }
            println!("webhook {id} is deleted");
            Ok(())
        }
        Action::Ping { id } => {
            let Some(http) = registry.server() else {
                anyhow::bail!("no server holds the registry, and only a server delivers: start one with `lglp serve`");
            };
            let path = format!("/v1/webhooks/{id}/ping");
            let pinged: Pinged = http.send(Method::POST, &path, &[], &json!({}))?;
            if context.json() {
                print_json(&pinged)?;
            }
            let milliseconds = pinged.duration_ms;
            match pinged.error {
                Some(error) => anyhow::bail!("webhook {id}: {error} (after {milliseconds:.0} ms)"),
                None if context.json() => {}
                None => println!(
                    "delivered: {} in {milliseconds:.0} ms",
                    pinged.status.unwrap_or_default()
                ),
            }
            Ok(())
        }
    }
}

fn list(context: &Context, store: &dyn Registry) -> anyhow::Result<()> {
    let all = delivery_statuses(store)?;
    if context.json() {
        return print_json(&all);
    }
    let mut rows = table(&[
        "id",
        "url",
        "events",
        "hardware",
        "undelivered",
        "oldest",
        "last delivered",
        "error",
    ]);
    for webhook in all {
        let (delivery, undelivered) = (&webhook.delivery, &webhook.undelivered);
        let hardware: Vec<&str> = webhook.hardware.iter().map(HardwareName::as_str).collect();
        let events: Vec<&str> = webhook.events.iter().map(String::as_str).collect();
        let error = delivery
            .last_error
            .as_deref()
            .map(|error| match &delivery.next_attempt_at {
                Some(at) => format!("{error}; attempt {} at {}", delivery.attempts + 1, when(at)),
                None => error.to_owned(),
            });
        rows.add_row([
            webhook.id.to_string(),
            webhook.url.clone(),
            events.join(", "),
            if hardware.is_empty() {
                "all".into()
            } else {
                hardware.join(", ")
            },
            undelivered.events.to_string(),
            undelivered.oldest_at.as_deref().map(age).unwrap_or_default(),
            delivery.last_success_at.as_deref().map(when).unwrap_or_default(),
            error.unwrap_or_default(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// How long ago a time was, in its largest unit.
fn age(at: &str) -> String {
    let Ok(at) = OffsetDateTime::parse(at, &Rfc3339) else {
        return at.to_owned();
    };
    let seconds = (OffsetDateTime::now_utc() - at).whole_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

//! `lglp token`.

use clap::Subcommand;
use lglp_openapi::tokens::{CreateToken, CreatedToken};
use lglp_registry::{Error, HardwareName, Role, Token, TokenId};
use lglp_terminal::{actor, print_json, table, when};
use serde_json::json;

use super::Context;

/// Create, list and revoke tokens for the REST API
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    export LGLP_TOKEN=$(lglp token create --name ann --role admin)\n  \
    lglp token create --name ci --role operator --hardware xeon-1t --hardware epyc-1t\n  \
    lglp token list\n  \
    lglp token revoke 3f9a17c20b64 --reason 'leaked in a log'\n\n\
    With the folder of a registry that no server holds, anybody who can write there may do all of this: that is how the first \
    token is made, and another where every admin's is lost.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a token; its secret is printed once and kept nowhere
    Create {
        /// Whose it is, for the audit log: a-z 0-9 . _ -
        #[arg(long)]
        name: String,
        /// What it may do: viewer reads and predicts, operator changes models and measurements, admin does everything.
        #[arg(long, value_name = "viewer|operator|admin")]
        role: Role,
        /// Confine it to this hardware target; may be given several times.
        #[arg(long, value_name = "NAME")]
        hardware: Vec<HardwareName>,
    },
    /// List tokens, the latest last
    List,
    /// Revoke a token: a running server refuses it from then on
    Revoke {
        id: TokenId,
        /// For the audit log.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Action::Create { name, role, hardware } => create(context, name, *role, hardware),
        Action::List => list(context),
        Action::Revoke { id, reason } => revoke(context, id, reason),
    }
}

fn create(context: &Context, name: &str, role: Role, hardware: &[HardwareName]) -> anyhow::Result<()> {
    let registry = context.registry_or_new("token")?;
    for target in hardware {
        if let Err(Error::NotFound { .. }) = registry.store.hardware(target) {
            eprintln!("note: there is no hardware target {target} yet");
        }
    }
    let new = CreateToken {
        name: name.to_owned(),
        role,
        hardware: hardware.to_vec(),
        actor: actor(),
    };
    let CreatedToken { token, secret } = registry.operations.create_token(&new)?;
    if context.json() {
        return print_json(&json!({ "token": token, "secret": secret }));
    }
    // The secret alone on standard output, for `LGLP_TOKEN=$(lglp token create ...)`.
    eprintln!(
        "token {} of {} ({}, {}); it is shown this once, give it to commands by LGLP_TOKEN:",
        token.id,
        token.name,
        token.role,
        scope(&token)
    );
    println!("{secret}");
    Ok(())
}

fn list(context: &Context) -> anyhow::Result<()> {
    let tokens = context.registry("token")?.store.tokens()?;
    if context.json() {
        return print_json(&tokens);
    }
    let mut rows = table(&["id", "name", "role", "hardware", "created", "by", "revoked"]);
    for token in tokens {
        let scope = scope(&token);
        let revoked = match (&token.revoked_at, &token.revoked_by) {
            (Some(at), Some(by)) => format!("{} by {by}", when(at)),
            _ => String::new(),
        };
        rows.add_row([
            token.id.to_string(),
            token.name,
            token.role.to_string(),
            scope,
            when(&token.created_at),
            token.created_by,
            revoked,
        ]);
    }
    println!("{rows}");
    Ok(())
}

fn revoke(context: &Context, id: &TokenId, reason: &str) -> anyhow::Result<()> {
    let token = context.registry("token")?.store.revoke_token(id, &actor(), reason)?;
    if context.json() {
        return print_json(&token);
    }
    println!("token {} of {} is revoked", token.id, token.name);
    Ok(())
}

fn scope(token: &Token) -> String {
    if token.hardware.is_empty() {
        return "all hardware".into();
    }
    let names: Vec<&str> = token.hardware.iter().map(HardwareName::as_str).collect();
    names.join(", ")
}

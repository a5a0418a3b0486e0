//! `lglp plugin keygen`, `sign` and `verify`: signatures as minisign has them, so that either program reads the other's.

use std::fs::{File, OpenOptions};
use std::io::{Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use lglp_engine::host::{self, Trust, signature_of};
use lglp_registry::Digest;
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};

/// The password of a secret key.
const PASSWORD: &str = "LGLP_SIGNING_PASSWORD";

/// Make a pair of keys to sign plugins with
#[derive(clap::Args)]
pub(super) struct KeygenArgs {
    /// File of the secret key, which must not be there; the public one gets `.pub` behind it.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Leave the secret key open to whoever reads its file; without it, a password is taken from LGLP_SIGNING_PASSWORD, or
    /// asked for.
    #[arg(long)]
    without_password: bool,
}

/// Sign a plugin: its signature lies beside it, with `.minisig` behind the name
#[derive(clap::Args)]
pub(super) struct SignArgs {
    /// The plugin's file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File of the secret key; minisign's own will do.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Say whether this machine would load a plugin, by the file that `--trust` names
#[derive(clap::Args)]
pub(super) struct VerifyArgs {
    /// The plugin's file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn keygen(args: &KeygenArgs) -> anyhow::Result<()> {
    let secret = &args.output;
    let public = with_suffix(secret, "pub");
    for file in [secret, &public] {
        ensure!(!file.exists(), "{} is there already: name another file", file.display());
    }
    let keys = match args.without_password {
        true => KeyPair::generate_unencrypted_keypair(),
        false => KeyPair::generate_encrypted_keypair(password()),
    };
    let keys = keys.context("no pair of keys can be made")?;
    let comment = Some("lglp: plugins");
    write(secret, 0o600, &keys.sk.to_box(comment)?.into_string())?;
    write(&public, 0o644, &keys.pk.to_box()?.into_string())?;
    println!(
        "keys = [\"{}\"]    # into the file that --trust names",
        keys.pk.to_base64()
    );
    println!("lglp plugin sign --key {} FILE", secret.display());
    Ok(())
}

pub(super) fn sign(args: &SignArgs) -> anyhow::Result<()> {
    let bytes = host::read(&args.file)?;
    let text = std::fs::read_to_string(&args.key).with_context(|| format!("--key {}", args.key.display()))?;
    let read = || SecretKeyBox::from_string(&text).with_context(|| format!("--key {}", args.key.display()));
    // One that has no password is not asked about.
    let key = match read()?.into_unencrypted_secret_key() {
        Ok(key) => key,
        Err(_) => {
            SecretKey::from_box(read()?, password()).context("the secret key cannot be opened: is it the password?")?
        }
    };
    let public = PublicKey::from_secret_key(&key)?;
    let digest = Digest::of(&bytes);
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let comment = format!("file:{name}\t{digest}");
    let signature = minisign::sign(Some(&public), &key, Cursor::new(&bytes), Some(&comment), None)?;
    let file = signature_of(&args.file);
    // In the place of a former one, as a whole.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut written = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    written.write_all(signature.into_string().as_bytes())?;
    written
        .persist(&file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{} signs {digest}, by the key {}", file.display(), public.to_base64());
    Ok(())
}

pub(super) fn verify(args: &VerifyArgs, trust: Option<&Path>) -> anyhow::Result<()> {
    let trust = trust.context("name the file that says which plugins are loaded, by --trust or LGLP_TRUST")?;
    let bytes = host::read(&args.file)?;
    let digest = Digest::of(&bytes).to_string();
    let trusted = Trust::load(trust)?.require(&args.file, &bytes, &digest);
    trusted.map_err(|why| anyhow::anyhow!("{}: {why}", args.file.display()))?;
    println!("{} ({digest}) is trusted by {}", args.file.display(), trust.display());
    Ok(())
}

fn password() -> Option<String> {
    std::env::var(PASSWORD).ok()
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn write(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    let mut opened: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .with_context(failed)?;
    opened.write_all(text.as_bytes()).with_context(failed)
}

//! Architectures on the command line.

use std::io::Read;

use anyhow::Context;
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::Value;

use crate::spaces::Spaces;

/// Reads arguments: canonical text, JSON, `@FILE`, or `-` for standard input. Files hold one architecture per line, or a
/// JSON array, or `{"architectures": [...]}`.
pub fn architectures(arguments: &[String]) -> anyhow::Result<Vec<Value>> {
    let mut values = Vec::new();
    for argument in arguments {
        if argument == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input")?;
            values.extend(parse(&text).context("standard input")?);
        } else if let Some(path) = argument.strip_prefix('@') {
            let text = std::fs::read_to_string(path).with_context(|| path.to_owned())?;
            values.extend(parse(&text).with_context(|| path.to_owned())?);
        } else {
            values.extend(parse(argument)?);
        }
    }
    anyhow::ensure!(
        !values.is_empty(),
        "no architecture given; see --help for the ways of writing one"
    );
    Ok(values)
}

fn parse(text: &str) -> anyhow::Result<Vec<Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => return Ok(items),
        Ok(Value::Object(mut fields)) if fields.contains_key("architectures") => match fields.remove("architectures") {
            Some(Value::Array(items)) => return Ok(items),
            _ => anyhow::bail!("`architectures` must be an array"),
        },
        Ok(value) => return Ok(vec![value]),
        Err(_) => {}
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = |line: &str| match line.starts_with('{') {
        true => serde_json::from_str(line).with_context(|| format!("not JSON: {line}")),
        false => Ok(Value::String(line.to_owned())),
    };
    lines.map(line).collect()
}

/// One architecture, its space taken from `space` or from canonical text.
pub fn one(
    spaces: &Spaces,
    space: Option<&str>,
    argument: &str,
) -> anyhow::Result<(std::sync::Arc<SearchSpace>, Architecture)> {
    let value = match architectures(&[argument.to_owned()])?.as_slice() {
        [value] => value.clone(),
        many => anyhow::bail!("{} architectures; expected one", many.len()),
    };
    let named = value.as_str().and_then(|text| Some(text.split_once('@')?.0));
    let name = space
        .or(named)
        .context("give --space: JSON forms do not tell their search space")?;
    let space = spaces.get(name)?.clone();
    let architecture = space.architecture_from_json(&value)?;
    Ok((space, architecture))
}

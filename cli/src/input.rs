//! Architectures on the command line.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use lglp_sdk::{Architecture, SearchSpace, literal};
use serde_json::Value;

use lglp_engine::spaces::Spaces;
use lglp_engine::text;

/// Reads arguments: canonical text, JSON, `@FILE`, or `-` for standard input. Files hold one architecture per line, or a
/// JSON array, or `{"architectures": [...]}`. What Python prints of the same is read, too.
pub(crate) fn architectures(arguments: &[String]) -> anyhow::Result<Vec<Value>> {
    let mut values = Vec::new();
    for argument in arguments {
        if argument == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("standard input")?;
            let text = text::of(&bytes).context("standard input")?;
            values.extend(parse(&text).context("standard input")?);
        } else if let Some(path) = argument.strip_prefix('@') {
            let text = text::read(Path::new(path)).with_context(|| path.to_owned())?;
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
    match literal::read(text) {
        Ok(Value::Array(items)) => return Ok(items),
        Ok(Value::Object(mut fields)) if fields.contains_key("architectures") => match fields.remove("architectures") {
            Some(Value::Array(items)) => return Ok(items),
            _ => anyhow::bail!("`architectures` must be an array"),
        },
        Ok(value) => return Ok(vec![value]),
        Err(error) if is_one_text(text) => return Err(anyhow::Error::new(error).context("not readable as JSON")),
        Err(_) => {}
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| of_line(at + 1, line)).collect()
}

/// The architecture of one line, whose number is from 1.
fn of_line(number: usize, line: &str) -> anyhow::Result<Value> {
    if !literal::is_meant(line) {
        return Ok(Value::String(line.trim().to_owned()));
    }
    literal::read(line).map_err(|error| {
        let fault = literal::fault_in_line(line.as_bytes(), &error);
        anyhow::anyhow!("not readable as JSON: line {number}, {fault}")
    })
}

/// Whether a text is meant as one of JSON, and not as one a line.
fn is_one_text(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default().trim_end();
    first.starts_with(['[', '(']) || (first.starts_with('{') && !first.ends_with('}'))
}

/// One architecture, its space taken from `space` or from canonical text.
pub(crate) fn one(
    spaces: &Spaces,
    space: Option<&str>,
    argument: &str,
) -> anyhow::Result<(std::sync::Arc<SearchSpace>, Architecture)> {
    let value = match architectures(&[argument.to_owned()])?.as_slice() {
        [value] => value.clone(),
        many => anyhow::bail!("one architecture is taken, and {} were given", many.len()),
    };
    let named = value.as_str().and_then(|text| Some(text.split_once('@')?.0));
    let name = space.or(named).with_context(|| {
        let like = spaces
            .of_shape(&value)
            .map(|like| format!("; this one is as long as those of {}", like.name()));
        format!(
            "give --space: JSON forms do not tell their search space{}",
            like.unwrap_or_default()
        )
    })?;
    let space = spaces.get(name)?.clone();
    let architecture = spaces.architecture(&space, &value)?;
    Ok((space, architecture))
}

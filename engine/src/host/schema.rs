//! Schemas of parameters, which plugins write and the host expands: each `$ref` is what it leads to, once for each place that it stands in.

use std::collections::HashMap;

use serde_json::Value;

use super::PluginError;

/// Values that a schema may have, with all that is referred to in its place.
const MOST: usize = 10_000;

/// References that may lead on, one to another.
const DEEPEST: usize = 32;

/// Whether a schema can be expanded: none of its references leads back to itself, or out of it, and all of them together not to more
/// than can be had in memory.
///
/// # Errors
/// `Rejected`, naming the component.
pub(super) fn check(component: &str, schema: &Value) -> Result<(), PluginError> {
    let mut expansion = Expansion {
        schema,
        open: Vec::new(),
        known: HashMap::new(),
    };
    match expansion.of(schema) {
        Ok(_) => Ok(()),
        Err(why) => Err(PluginError::Rejected(format!(
            "the schema of the parameters of `{component}` {why}"
        ))),
    }
}

struct Expansion<'a> {
    schema: &'a Value,
    /// References that led to where it is.
    open: Vec<&'a str>,
    /// How many values each reference stands for.
    known: HashMap<&'a str, usize>,
}

impl<'a> Expansion<'a> {
    fn of(&mut self, value: &'a Value) -> Result<usize, String> {
        let mut values = 1;
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    values += match (name.as_str(), value) {
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                            self.referred_to(reference)?
                        }
                        _ => self.of(value)?,
                    };
                }
            }
            Value::Array(items) => {
                for item in items {
                    values += self.of(item)?;
                }
            }
            _ => {}
        }
        match values > MOST {
            true => Err(format!("has more than {MOST} values once its references are expanded")),
            false => Ok(values),
        }
    }

    fn referred_to(&mut self, reference: &'a str) -> Result<usize, String> {
        if let Some(known) = self.known.get(reference) {
            return Ok(*known);
        }
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.schema.pointer(pointer));
        let Some(target) = target else {
            return Err("has a reference that leads to no place in it".to_owned());
        };
        if self.open.contains(&reference) || self.open.len() == DEEPEST {
            return Err("has references that lead to themselves, or on and on".to_owned());
        }
        self.open.push(reference);
        let values = self.of(target)?;
        self.open.pop();
        self.known.insert(reference, values);
        Ok(values)
    }
}

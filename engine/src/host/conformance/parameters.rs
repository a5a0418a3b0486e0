//! Schemas of parameters, and whether a component keeps to its own.

use serde_json::{Map, Value, json};

use super::sample::Sample;
use super::{Subject, Verdict};
use crate::host::{ComponentKind, EncoderInstance, PluginError, RuntimeInstance};

pub(super) fn schema(subject: &Subject) -> Result<Verdict, PluginError> {
    let schema = subject.handle.parameters();
    if let Err(error) = jsonschema::meta::validate(schema) {
        return Ok(Verdict::Failed(format!(
            "it is no JSON Schema: {}: {error}",
            error.instance_path
        )));
    }
    if schema["type"] != "object" {
        return Ok(Verdict::Failed("it does not say `\"type\": \"object\"`".to_owned()));
    }
    subject.handle.check_parameters(&subject.parameters)?;
    let undescribed: Vec<&String> = properties(schema)
        .filter(|(_, property)| property.get("description").is_none())
        .map(|(name, _)| name)
        .collect();
    Ok(match undescribed.first() {
        Some(name) => Verdict::Warned(format!("{} without a description, such as `{name}`", undescribed.len())),
        None => Verdict::Passed(format!("{} parameters", properties(schema).count())),
    })
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// Hands over what the host would have kept from it.
pub(super) fn refused(subject: &Subject) -> Result<Verdict, PluginError> {
    let schema = subject.handle.parameters();
    let mut faulty: Vec<Value> = Vec::new();
    let with = |name: &str, value: Value| {
        let mut parameters = subject.parameters.as_object().cloned().unwrap_or_else(Map::new);
        parameters.insert(name.to_owned(), value);
        Value::Object(parameters)
    };
    faulty.push(with("no-such-parameter", json!(1)));
    for (name, _) in properties(schema) {
        faulty.extend([json!("no number"), json!([[]]), json!(-1e300)].map(|value| with(name, value)));
    }
    faulty.push(json!([]));
    faulty.retain(|parameters| subject.handle.check_parameters(parameters).is_err());
    let mut taken = Vec::new();
    for parameters in &faulty {
        match created(subject, parameters) {
            Ok(()) => taken.push(parameters),
            Err(error @ PluginError::Panicked { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(match taken.first() {
        Some(parameters) => Verdict::Warned(format!(
            "it takes {parameters}, which its schema refuses: {} of {}; the host lets none of them through",
            taken.len(),
            faulty.len()
        )),
        None => Verdict::Passed(format!("{} of {}", faulty.len(), faulty.len())),
    })
}

fn created(subject: &Subject, parameters: &Value) -> Result<(), PluginError> {
    match subject.handle.kind() {
        ComponentKind::Encoder => match subject.spaces.first() {
            Some(space) => EncoderInstance::create(&subject.handle, space, parameters).map(drop),
            None => Err(PluginError::Rejected("there is no search space to try it on".into())),
        },
        ComponentKind::FeatureExtractor | ComponentKind::Regressor => {
            Sample::made_up().fit_unchecked(&subject.handle, parameters).map(drop)
        }
        ComponentKind::Runtime => RuntimeInstance::open_unchecked(&subject.handle, parameters).map(drop),
    }
}

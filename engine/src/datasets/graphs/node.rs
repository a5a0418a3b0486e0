//! A node of a graph as it is told, its shapes in ONNX's order: TensorFlow has channels last, ONNX right behind the batch.

use serde_json::Value;

/// A node.
pub(super) struct Node<'a> {
    pub name: &'a str,
    /// Its operator's type.
    pub kind: &'a str,
    /// Names of the nodes that it reads.
    pub inputs: Vec<&'a str>,
    attributes: &'a Value,
    /// The shape of what it gives, channels first; none where that is not told.
    pub output: Option<Vec<i64>>,
}

impl<'a> Node<'a> {
    /// # Errors
    /// What is missing, in words.
    pub(super) fn of(name: &'a str, told: &'a Value) -> Result<Self, String> {
        let about = &told["attr"];
        let kind = about["type"]
            .as_str()
            .ok_or_else(|| format!("node `{name}` has no type"))?;
        let inputs = told["inbounds"].as_array().into_iter().flatten();
        Ok(Self {
            name,
            kind,
            inputs: inputs.filter_map(Value::as_str).collect(),
            attributes: &about["attr"],
            output: numbers(&about["output_shape"][0]).map(channels_first),
        })
    }

    /// Whole numbers of an attribute.
    ///
    /// # Errors
    /// Where it has none.
    pub(super) fn numbers(&self, attribute: &str) -> Result<Vec<i64>, String> {
        numbers(&self.attributes[attribute]).ok_or_else(|| self.lacks(attribute))
    }

    /// Height and width of an attribute that tells these alone, or batch and channels around them.
    ///
    /// # Errors
    /// Where it has none.
    pub(super) fn sides(&self, attribute: &str) -> Result<[i64; 2], String> {
        match self.numbers(attribute)?[..] {
            [height, width] | [1, height, width, 1] => Ok([height, width]),
            _ => Err(self.lacks(attribute)),
        }
    }

    /// Whether it has zeros around its input, so that what it gives has the side of that over the stride.
    ///
    /// # Errors
    /// Where it tells neither that nor the contrary.
    pub(super) fn is_padded(&self) -> Result<bool, String> {
        match self.attributes["padding"].as_str() {
            Some("SAME") => Ok(true),
            Some("VALID") => Ok(false),
            _ => Err(self.lacks("padding")),
        }
    }

    /// A number of an attribute, which may be a list of one.
    pub(super) fn number(&self, attribute: &str) -> Option<f64> {
        let value = &self.attributes[attribute];
        value.as_f64().or_else(|| value[0].as_f64())
    }

    /// The shape of what it gives.
    ///
    /// # Errors
    /// Where it does not tell.
    pub(super) fn shape(&self) -> Result<&[i64], String> {
        self.output.as_deref().ok_or_else(|| self.lacks("output_shape"))
    }

    pub(super) fn lacks(&self, what: &str) -> String {
        format!(
            "node `{}` ({}) does not tell its `{what}` as it should",
            self.name, self.kind
        )
    }
}

fn numbers(list: &Value) -> Option<Vec<i64>> {
    list.as_array()?.iter().map(Value::as_i64).collect()
}

/// A shape with its channels first; a batch that is open is 1.
fn channels_first(mut shape: Vec<i64>) -> Vec<i64> {
    if let Some(batch) = shape.first_mut().filter(|batch| **batch == -1) {
        *batch = 1;
    }
    let sides = shape.clone();
    for (at, side) in sides.iter().enumerate() {
        shape[axis(at, sides.len())] = *side;
    }
    shape
}

/// Where an axis comes to stand, of so many: height and width go behind what follows them.
pub(super) fn axis(at: usize, of: usize) -> usize {
    match (at, of) {
        (1 | 2, 4..) => of - 3 + at,
        (3.., 4..) => at - 2,
        _ => at,
    }
}

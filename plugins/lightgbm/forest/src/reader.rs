//! The model text of LightGBM 4, as a regression with one output writes it.
//!
//! The order of fields is LightGBM's; whatever else stands in the text is an error. Memory is taken as values are read, never
//! by a count that only announces them.

use crate::error::FormatError;
use crate::lines::{Field, Lines};
use crate::tree::{Split, Tree, children};

/// Bytes of a text at most.
pub const MAX_TEXT: usize = 1 << 30;
/// Trees of a forest at most.
pub const MAX_TREES: usize = 100_000;
/// Leaves of a forest at most: a text of [`MAX_TEXT`] bytes holds about as many.
pub const MAX_FOREST_LEAVES: usize = 1 << 23;
/// Leaves of a tree at most, as LightGBM's `num_leaves` has it.
pub const MAX_LEAVES: usize = 131_072;

/// What a text holds.
pub(crate) struct Model {
    /// Inputs of a row.
    pub features: usize,
    pub trees: Vec<Tree>,
}

pub(crate) fn read(text: &[u8]) -> Result<Model, FormatError> {
    if text.len() > MAX_TEXT {
        let problem = format!("the text has {} bytes; allowed: {MAX_TEXT}", text.len());
        return Err(Lines::new("").error(problem));
    }
    let text = std::str::from_utf8(text).map_err(|error| {
        let line = text[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        let problem = "is no UTF-8 text".to_owned();
        FormatError {
            line,
            tree: None,
            field: "",
            problem,
        }
    })?;
    let mut lines = Lines::new(text);
    let (features, sizes) = header(&mut lines)?;
    let mut trees = Vec::new();
    let announced: Vec<usize> = sizes.numbers(sizes.value.split(' ').count())?;
    if announced.len() > MAX_TREES {
        return Err(sizes.error(format!("has {} trees; allowed: {MAX_TREES}", announced.len())));
    }
    let mut leaves = 0;
    for (index, size) in announced.iter().enumerate() {
        lines.tree = Some(index);
        let start = lines.offset();
        trees.push(tree(&mut lines, index, features)?);
        leaves += trees[index].leaves.len();
        if leaves > MAX_FOREST_LEAVES {
            return Err(lines.error(format!(
                "the forest has more than {MAX_FOREST_LEAVES} leaves up to here"
            )));
        }
        let found = lines.offset() - start;
        if found != *size {
            return Err(sizes.error(format!("says that tree {index} has {size} bytes, and it has {found}")));
        }
    }
    lines.tree = None;
    end(&mut lines)?;
    Ok(Model { features, trees })
}

/// The number of features, and the sizes of the trees.
fn header<'a>(lines: &mut Lines<'a>) -> Result<(usize, Field<'a>), FormatError> {
    lines.expect("tree")?;
    lines
        .field("version")?
        .must_be("v4", "only what LightGBM 4 writes is read")?;
    let one = "a model predicts one number";
    lines.field("num_class")?.must_be("1", one)?;
    lines.field("num_tree_per_iteration")?.must_be("1", one)?;
    lines
        .field("label_index")?
        .must_be("0", "models are fitted to matrices without a label")?;
    let last: u32 = lines.field("max_feature_idx")?.number()?;
    lines
        .field("objective")?
        .must_be("regression", "only regressions of squared error are read")?;
    let features = last as usize + 1;
    let names = lines.field("feature_names")?;
    if names.texts(features)?.any(str::is_empty) {
        return Err(names.error("has an empty name"));
    }
    let infos = lines.field("feature_infos")?;
    if let Some(info) = infos.texts(features)?.find(|info| !is_range(info)) {
        let quoted = crate::error::quoted(info);
        return Err(infos.error(format!(
            "{quoted} is neither `none` nor a range, as numerical features have it"
        )));
    }
    let sizes = lines.field("tree_sizes")?;
    lines.expect("")?;
    Ok((features, sizes))
}

/// Whether a text is `none` or `[0:1]`.
fn is_range(info: &str) -> bool {
    let ends = info.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ends = ends.and_then(|ends| ends.split_once(':'));
    info == "none" || ends.is_some_and(|(low, high)| low.parse::<f64>().is_ok() && high.parse::<f64>().is_ok())
}

fn tree(lines: &mut Lines<'_>, index: usize, features: usize) -> Result<Tree, FormatError> {
    lines.expect(&format!("Tree={index}"))?;
    let num_leaves = lines.field("num_leaves")?;
    let leaves: usize = num_leaves.number()?;
    if !(1..=MAX_LEAVES).contains(&leaves) {
        return Err(num_leaves.error(format!("is {leaves}; allowed: 1 to {MAX_LEAVES}")));
    }
    let splits = leaves - 1;
    lines
        .field("num_cat")?
        .must_be("0", "splits by categories are not read")?;
    let split_feature = lines.field("split_feature")?;
    let features_of: Vec<u32> = split_feature.numbers(splits)?;
    if let Some(feature) = features_of.iter().find(|feature| **feature as usize >= features) {
        return Err(split_feature.error(format!("names feature {feature} of {features}, counted from 0")));
    }
    described(lines, "split_gain", splits)?;
    let threshold = lines.field("threshold")?;
    let thresholds: Vec<f64> = threshold.numbers(splits)?;
    // LightGBM writes `inf` where only what is missing goes right.
    if thresholds.iter().any(|t| t.is_nan() || *t == f64::NEG_INFINITY) {
        return Err(threshold.error("is not a number, or below all of them"));
    }
    let decision_type = lines.field("decision_type")?;
    let codes: Vec<u8> = decision_type.numbers(splits)?;
    let (left, right) = (lines.field("left_child")?, lines.field("right_child")?);
    let children = children(&left, &right, leaves)?;
    let leaf_value = lines.field("leaf_value")?;
    let values: Vec<f64> = leaf_value.numbers(leaves)?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(leaf_value.error("is not finite"));
    }
    // A tree of one leaf has them or not: that depends on whether it could not grow, or stands for the mean.
    for name in ["leaf_weight", "leaf_count"] {
        let given = lines.field(name)?;
        if splits > 0 || given.numbers::<f64>(0).is_err() {
            given.numbers::<f64>(leaves)?;
        }
    }
    for name in ["internal_value", "internal_weight", "internal_count"] {
        described(lines, name, splits)?;
    }
    lines
        .field("is_linear")?
        .must_be("0", "linear functions in leaves are not read")?;
    let shrinkage = lines.field("shrinkage")?;
    if !shrinkage.number::<f64>()?.is_finite() {
        return Err(shrinkage.error("is not finite"));
    }
    lines.expect("")?;
    lines.expect("")?;
    let split = |at: usize| {
        let (missing, default_left) = Split::decision(codes[at]).ok_or_else(|| {
            let code = codes[at];
            decision_type.error(format!(
                "is {code} of split {at}, which is not a comparison with a number"
            ))
        })?;
        Ok(Split {
            feature: features_of[at],
            threshold: thresholds[at],
            missing,
            default_left,
            children: children[at],
        })
    };
    Ok(Tree {
        splits: (0..splits).map(split).collect::<Result<_, _>>()?,
        leaves: values,
    })
}

/// A field of numbers that tell people about the training, and predict nothing.
fn described(lines: &mut Lines<'_>, name: &'static str, count: usize) -> Result<(), FormatError> {
    lines.field(name)?.numbers::<f64>(count).map(drop)
}

/// What follows the trees: importances and parameters of the training, for people.
fn end(lines: &mut Lines<'_>) -> Result<(), FormatError> {
    lines.expect("end of trees")?;
    lines.expect("")?;
    lines.expect("feature_importances:")?;
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            break;
        }
        if line.rsplit_once('=').is_none_or(|(_, n)| n.parse::<f64>().is_err()) {
            return Err(lines.error("this is not the importance of a feature"));
        }
    }
    lines.expect("parameters:")?;
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            break;
        }
        if !(line.starts_with('[') && line.ends_with(']')) {
            return Err(lines.error("this is not a parameter of a training"));
        }
    }
    lines.expect("end of parameters")?;
    if lines.is_at_end() {
        return Ok(());
    }
    lines.next().ok();
    Err(lines.error("something follows the end of the parameters"))
}

//! Repairs the sizes of trees in a text, behind which nothing else would be reached.

/// A text whose `tree_sizes` are those of its trees, so that it gets past that check, where they can be told.
pub(crate) fn with_sizes(text: &str) -> String {
    let mut starts: Vec<usize> = text.match_indices("\nTree=").map(|(at, _)| at + 1).collect();
    let (Some(end), Some((before, after))) = (text.find("\nend of trees"), text.split_once("tree_sizes=")) else {
        return text.to_owned();
    };
    let Some((_, after)) = after.split_once('\n') else {
        return text.to_owned();
    };
    starts.push(end + 1);
    let sizes: Vec<String> = starts
        .windows(2)
        .map(|bounds| bounds[1].saturating_sub(bounds[0]).to_string())
        .collect();
    format!("{before}tree_sizes={}\n{after}", sizes.join(" "))
}

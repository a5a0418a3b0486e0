//! Trees for people.

use lglp_sdk::Printable;

/// A line, and what hangs below it.
pub struct Tree {
    line: String,
    below: Vec<Tree>,
}

impl Tree {
    /// A line that nothing hangs below yet.
    pub fn new(line: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            below: Vec::new(),
        }
    }

    /// A tree of one level.
    pub fn of(line: impl Into<String>, below: impl IntoIterator<Item = String>) -> Self {
        let mut tree = Self::new(line);
        tree.below.extend(below.into_iter().map(Self::new));
        tree
    }

    /// Hangs a tree below the line, after those that hang there.
    pub fn push(&mut self, below: Tree) {
        self.below.push(below);
    }
}

impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Printable::of(&self.line))?;
        branches(&self.below, "", f)
    }
}

fn branches(trees: &[Tree], indent: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    for (index, tree) in trees.iter().enumerate() {
        let (branch, further) = match index + 1 == trees.len() {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        write!(f, "\n{indent}{branch}{}", Printable::of(&tree.line))?;
        branches(&tree.below, &format!("{indent}{further}"), f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_hang_together() {
        let mut tree = Tree::new("a");
        tree.push(Tree::of("b", ["c".to_owned(), "d".to_owned()]));
        tree.push(Tree::of("e", ["f".to_owned()]));
        assert_eq!(tree.to_string(), "a\n├─ b\n│  ├─ c\n│  └─ d\n└─ e\n   └─ f");
    }

    #[test]
    fn no_line_forges_another() {
        let tree = Tree::of("a", ["b\n└─ c\x1b[A".to_owned()]);
        assert_eq!(tree.to_string(), "a\n└─ b\\u{a}└─ c\\u{1b}[A");
    }
}

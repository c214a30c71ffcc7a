//! What comes after what, as a tree of lines.

use std::fmt;

/// A line, and what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) text: String,
    pub(crate) next: Vec<Node>,
}

impl Node {
    /// A line after which nothing comes.
    pub(crate) fn last(text: impl Into<String>) -> Self {
        Self { text: text.into(), next: Vec::new() }
    }

    /// A line after which `next` comes.
    pub(crate) fn before(text: impl Into<String>, next: Vec<Self>) -> Self {
        Self { text: text.into(), next }
    }

    /// Writes the line; what comes after it stands under it, each line after `margin`.
    fn write(&self, f: &mut fmt::Formatter<'_>, margin: &str) -> fmt::Result {
        f.write_str(&self.text)?;
        for (place, node) in self.next.iter().enumerate() {
            let is_last = place + 1 == self.next.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            write!(f, "\n{margin}{branch}")?;
            node.write(f, &format!("{margin}{below}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Node {
    /// Without a line end after the last line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}
